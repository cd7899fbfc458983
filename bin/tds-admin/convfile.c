/* SPDX-License-Identifier: MIT */
/* Files of certificates and settings. */
#include "convfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

int conv_read(const struct tds_dir *dir, const char *name, char **text, struct tds_err *err)
{
	size_t len;
	int rc = tds_io_slurp(dir->fd, name, TDS_CERT_MAX_BYTES, text, &len, err);

	return rc == 0 ? 0 : tds_dir_err(dir, name, err);
}

/* A file that waits for its name. It is its owner's alone from the first byte on. */
static int begin(const struct tds_dir *dir, const char *name, const char *text,
		 struct conv_owner owner, struct tds_outfile *out, struct tds_err *err)
{
	int rc = tds_outfile_open(dir->fd, name, out, err);

	if (rc == 0 && owner.uid != (uid_t)-1 && fchown(out->fd, owner.uid, owner.gid) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be given to its owner");
	if (rc == 0 && (tds_io_write(out->fd, text, strlen(text)) != 0 ||
			(!strchr(text, '\n') && tds_io_write(out->fd, "\n", 1) != 0)))
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return rc == 0 ? 0 : tds_dir_err(dir, name, err);
}

int conv_write(const struct tds_dir *dir, const char *name, const char *text, mode_t mode,
	       struct conv_owner owner, struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	int rc = begin(dir, name, text, owner, &out, err);

	if (rc == 0 && (rc = tds_outfile_commit(&out, mode, err)) != 0)
		tds_dir_err(dir, name, err);
	return rc;
}

int conv_write_cert(const struct tds_dir *dir, const char *cert_name, const char *key_name,
		    const struct tds_cert *cert, struct conv_owner owner, struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile pem = { .fd = -1 };
	tds_auto(outfile) struct tds_outfile key = { .fd = -1 };
	const struct tds_outfile *failed = NULL;
	int rc = begin(dir, cert_name, cert->cert, owner, &pem, err);

	if (rc == 0)
		rc = begin(dir, key_name, cert->key, owner, &key, err);
	if (rc != 0)
		return rc;
	rc = tds_outfile_commit_pair(&key, &pem, 0600, &failed, err);
	return rc == 0 ? 0 : tds_dir_err(dir, failed == &key ? key_name : cert_name, err);
}

int conv_folder(const struct tds_dir *dir, const char *name, mode_t mode, struct tds_dir *made,
		struct tds_err *err)
{
	*made = (struct tds_dir){ .fd = -1, .path = tds_dir_join(dir, name) };
	if (!made->path)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (mkdirat(dir->fd, name, mode) == 0 || errno == EEXIST)
		made->fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made->fd >= 0)
		return 0;
	int rc = tds_err_sys(err, TDS_E_WRITE, "%s: cannot be made", made->path);
	tds_dir_close(made);
	return rc;
}
