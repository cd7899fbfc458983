/* SPDX-License-Identifier: MIT */
/* Files of certificates and settings, written whole, for an owner. */
#ifndef TDS_ADMIN_CONVFILE_H
#define TDS_ADMIN_CONVFILE_H

#include <sys/types.h>

#include "base/dir.h"
#include "base/err.h"
#include "convention/cert.h"

/* For whom files are: uid -1 for whoever this process is. */
struct conv_owner {
	uid_t uid;
	gid_t gid;
};
#define CONV_OWN ((struct conv_owner){ (uid_t)-1, (gid_t)-1 })

/* Read a PEM file. Caller frees *text. Errors: those of tds_io_slurp; the reason names the file by its path, as all here do. */
int conv_read(const struct tds_dir *dir, const char *name, char **text,
	      struct tds_err *err) TDS_MUST_CHECK;

/* Write a file whose text is so many bytes and a newline. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int conv_write(const struct tds_dir *dir, const char *name, const char *text, mode_t mode,
	       struct conv_owner owner, struct tds_err *err) TDS_MUST_CHECK;

/* Write certificate and key, which become new together, and can be read by the owner alone. */
int conv_write_cert(const struct tds_dir *dir, const char *cert_name, const char *key_name,
		    const struct tds_cert *cert, struct conv_owner owner,
		    struct tds_err *err) TDS_MUST_CHECK;

/*
 * Open a folder in a folder, which is made where it is missing.
 * Owner:   caller closes *made, on success only.
 */
int conv_folder(const struct tds_dir *dir, const char *name, mode_t mode, struct tds_dir *made,
		struct tds_err *err) TDS_MUST_CHECK;

#endif
