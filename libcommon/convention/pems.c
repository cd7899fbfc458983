/* SPDX-License-Identifier: MIT */
/* What a system has to show the bus, and to know it by: the files of its TLS folder, judged. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/when.h"
#include "cert.h"
#include "conventioncfg.h"
#include "director/strictmodes.h"

const struct tds_convention_files *tds_convention_files(enum tds_convention_account account)
{
	static const struct tds_convention_files files[] = {
		[TDS_CONVENTION_BUS] = { "system.pem", "system.key", TDS_CERT_URI },
		[TDS_CONVENTION_STORE] = { "store.pem", "store.key", TDS_CERT_STORE_URI },
	};

	return &files[account];
}

/* The folder, and who may write there. */
struct folder {
	struct tds_dir dir;
	struct tds_strict strict;
};

static void tds_folder_cleanup(struct folder *folder)
{
	tds_dir_close(&folder->dir);
}

static int open_folder(const struct tds_dir *dir, const char *path, struct folder *folder,
		       struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];
	int rc = tds_strictmodes_read(dir, &folder->strict, err);

	if (rc != 0)
		return rc;
	rc = tds_dir_open(path, &folder->dir, err);
	if (rc == 0 && !folder->strict.is_lax &&
	    !tds_strict_judge_dir(&folder->strict, folder->dir.fd, why))
		rc = tds_err_set(err, TDS_E_UNUSABLE, "%s", why);
	return rc == 0 ? 0 : tds_err_name(err, path);
}

/* Who may write it, and, of a key, read it: its owner alone. */
static int judge_file(const struct folder *folder, const char *name, int fd, const struct stat *st,
		      bool is_key, struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	if (folder->strict.is_lax)
		return 0;
	if (!tds_strict_judge_opened(&folder->strict, TDS_STRICT_KEY, fd, folder->dir.fd, name,
				     NULL, why))
		return tds_err_set(err, TDS_E_UNUSABLE, "%s", why);
	return is_key && (st->st_mode & 0077) != 0
		       ? tds_err_set(err, TDS_E_UNUSABLE,
				     "others may read it: its mode is to be 0600")
		       : 0;
}

static int read_file(const struct folder *folder, const char *name, bool is_key, char **text,
		     struct tds_err *err)
{
	tds_autofd int fd = -1;
	struct stat st;
	size_t len;
	int rc = tds_io_open(folder->dir.fd, name, false, &fd, &st, err);

	if (rc == 0)
		rc = judge_file(folder, name, fd, &st, is_key, err);
	if (rc == 0)
		rc = tds_io_slurp_fd(fd, TDS_CERT_MAX_BYTES, text, &len, err);
	return rc == 0 ? 0 : tds_dir_err(&folder->dir, name, err);
}

/* The key is read last: what is wrong before that is told to who may not read it, too. */
static int read_pems(const struct folder *folder, const struct tds_convention_files *files,
		     struct tds_convention_pems *pems, struct tds_err *err)
{
	int rc = read_file(folder, TDS_CONVENTION_CA, false, &pems->ca, err);

	if (rc == 0)
		rc = read_file(folder, files->cert, false, &pems->cert, err);
	return rc == 0 ? read_file(folder, files->key, true, &pems->key, err) : rc;
}

int tds_convention_pems_read(const struct tds_dir *dir, const struct tds_convention *convention,
			     enum tds_convention_account account, struct tds_convention_pems *pems,
			     struct tds_err *err)
{
	const struct tds_convention_files *files = tds_convention_files(account);
	tds_auto(folder) struct folder folder = { .dir = { .fd = -1 } };
	char uri[TDS_CERT_URI_MAX];
	int rc = open_folder(dir, convention->tls, &folder, err);

	*pems = (struct tds_convention_pems){ 0 };
	if (rc == 0)
		rc = read_pems(&folder, files, pems, err);
	if (rc == 0) {
		const struct tds_cert cert = { .cert = pems->cert, .key = pems->key };

		(void)snprintf(uri, sizeof(uri), "%s%s", files->uri, convention->system);
		rc = tds_cert_judge(&cert, pems->ca, uri, tds_when_now(), err);
		if (rc != 0)
			rc = tds_dir_err(&folder.dir, files->cert, err);
	}
	if (rc != 0)
		tds_convention_pems_fini(pems);
	return rc;
}

void tds_convention_pems_fini(struct tds_convention_pems *pems)
{
	free(pems->ca);
	free(pems->cert);
	if (pems->key)
		OPENSSL_cleanse(pems->key, strlen(pems->key));
	free(pems->key);
	*pems = (struct tds_convention_pems){ 0 };
}
