/* SPDX-License-Identifier: MIT */
/* tds-admin convention join and leave: the files of a system in a director directory, and out of it again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/when.h"
#include "convention.h"
#include "convfile.h"
#include "convention/conventioncfg.h"
#include "director/adminuser.h"
#include "director/config.h"
#include "tool/document.h"

#define TLS_FOLDER "convtls" /* in the director directory */

/* The settings that a system is given. That of the bus, which makes it one of a convention, is written last, and removed first. */
static const char *const settings[] = { TDS_CONVNAME_CFG, TDS_CONVSYSTEM_CFG, TDS_CONVROLE_CFG,
					TDS_CONVBUS_CFG };
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

enum { NAME, SYSTEM, ROLE, BUS };

#define CERTS TDS_CONVENTION_ACCOUNTS

/* One run: what a system's part of the folder has, and where it goes. */
struct joining {
	struct admin *admin;
	struct tds_dir from;
	struct tds_dir dir; /* the director directory */
	char *text[SETTINGS];
	char *ca;
	struct tds_cert cert[CERTS]; /* of a member the second is zeroed */
	struct conv_owner owner;     /* of the keys: the admin process's user */
};

static void tds_joining_cleanup(struct joining *j)
{
	for (size_t i = 0; i < SETTINGS; i++)
		free(j->text[i]);
	for (size_t i = 0; i < CERTS; i++)
		tds_cert_fini(&j->cert[i]);
	free(j->ca);
	tds_dir_close(&j->from);
	tds_dir_close(&j->dir);
}

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- what is joined with --- */

/* A setting's text. Caller frees. */
static int read_setting(const struct tds_dir *dir, const char *name, char **text,
			struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, name, &config, err);

	if (rc == 0 && !(*text = strdup(config.text)))
		return no_memory(err);
	return rc == 0 ? 0 : tds_dir_err(dir, name, err);
}

/* A certificate and its key. They are judged as the bus and the daemon will. */
static int read_cert(struct joining *j, size_t i, struct tds_err *err)
{
	char uri[TDS_CERT_URI_MAX];
	int rc = conv_read(&j->from, tds_convention_files(i)->cert, &j->cert[i].cert, err);

	if (rc == 0)
		rc = conv_read(&j->from, tds_convention_files(i)->key, &j->cert[i].key, err);
	if (rc != 0)
		return rc;
	(void)snprintf(uri, sizeof(uri), "%s%s", tds_convention_files(i)->uri, j->text[SYSTEM]);
	rc = tds_cert_judge(&j->cert[i], j->ca, uri, tds_when_now(), err);
	return rc == 0 ? 0 : tds_dir_err(&j->from, tds_convention_files(i)->cert, err);
}

/* The key may have been read on its way by whoever can read it now. */
static void warn_of_readers(const struct joining *j)
{
	for (size_t i = 0; i < CERTS; i++) {
		tds_autofree char *path = tds_dir_join(&j->from, tds_convention_files(i)->key);
		struct stat st;

		if (j->cert[i].key && path &&
		    fstatat(j->from.fd, tds_convention_files(i)->key, &st, 0) == 0 &&
		    (st.st_mode & 0077) != 0)
			tds_cli_warn(&j->admin->cli, path, "others can read this key");
	}
}

static int read_part(struct joining *j, const char *path, struct tds_err *err)
{
	int rc = tds_dir_open(path, &j->from, err);

	if (rc != 0)
		return tds_err_name(err, path);
	for (size_t i = 0; rc == 0 && i < SETTINGS; i++)
		rc = read_setting(&j->from, settings[i], &j->text[i], err);
	if (rc == 0)
		rc = conv_read(&j->from, TDS_CONVENTION_CA, &j->ca, err);
	for (size_t i = 0; rc == 0 && i < CERTS; i++)
		if (i == 0 || strcmp(j->text[ROLE], "member") != 0)
			rc = read_cert(j, i, err);
	if (rc == 0)
		warn_of_readers(j);
	return rc;
}

/* --- where it goes --- */

/* The keys are for the admin process's user, whoever that is to be. */
static int find_owner(struct joining *j, struct tds_err *err)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	int rc = tds_adminuser_read(&j->dir, &admin, err);

	if (rc != 0)
		return tds_dir_err(&j->dir, TDS_ADMINUSER_CFG, err);
	j->owner = admin.is_named && geteuid() == 0
			   ? (struct conv_owner){ admin.user.uid, admin.user.gid }
			   : CONV_OWN;
	return 0;
}

/* A system is one of one convention, under one name. */
static int judge_joined(const struct joining *j, struct tds_err *err)
{
	for (size_t i = NAME; i <= SYSTEM; i++) {
		tds_autofree char *text = NULL;
		int rc = read_setting(&j->dir, settings[i], &text, err);

		if (rc != 0 && rc != TDS_E_MISSING)
			return rc;
		if (text && strcmp(text, j->text[i]) != 0)
			return tds_err_set(
				err, TDS_E_REFUSED,
				"%s says %s already, not %s: leave that convention first",
				settings[i], text, j->text[i]);
	}
	return 0;
}

/* --- doing it --- */

static int remove_file(const struct tds_dir *dir, const char *name, bool *removed,
		       struct tds_err *err)
{
	int rc = unlinkat(dir->fd, name, 0);

	*removed = *removed || rc == 0;
	return rc == 0 || errno == ENOENT || errno == ENOTDIR
		       ? 0
		       : tds_err_sys(err, TDS_E_WRITE, "%s/%s: cannot be removed", dir->path, name);
}

static int write_certs(const struct joining *j, const struct tds_dir *tls, struct tds_err *err)
{
	bool removed = false;
	int rc = conv_write(tls, TDS_CONVENTION_CA, j->ca, 0644, CONV_OWN, err);

	for (size_t i = 0; rc == 0 && i < CERTS; i++) {
		if (j->cert[i].cert)
			rc = conv_write_cert(tls, tds_convention_files(i)->cert,
					     tds_convention_files(i)->key, &j->cert[i], j->owner,
					     err);
		else if ((rc = remove_file(tls, tds_convention_files(i)->key, &removed, err)) == 0)
			rc = remove_file(tls, tds_convention_files(i)->cert, &removed, err);
	}
	return rc;
}

static int write_tls(const struct joining *j, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir tls = { .fd = -1 };
	tds_autofree char *whole = realpath(j->dir.path, NULL);
	tds_autofree char *path = NULL;

	if (!whole || asprintf(&path, "%s/" TLS_FOLDER, whole) < 0) {
		path = NULL;
		return no_memory(err);
	}
	int rc = conv_folder(&j->dir, TLS_FOLDER, 0755, &tls, err);
	if (rc == 0)
		rc = write_certs(j, &tls, err);
	return rc == 0 ? conv_write(&j->dir, TDS_CONVTLS_CFG, path, 0644, CONV_OWN, err) : rc;
}

static int write_part(const struct joining *j, struct tds_err *err)
{
	int rc = write_tls(j, err);

	for (size_t i = 0; rc == 0 && i < SETTINGS; i++)
		rc = conv_write(&j->dir, settings[i], j->text[i], 0644, CONV_OWN, err);
	return rc;
}

/* What was written, as the daemon will read it. */
static int judge_written(const struct joining *j, struct tds_err *err)
{
	tds_auto(convention) struct tds_convention convention = { 0 };
	tds_auto(convention_pems) struct tds_convention_pems pems = { 0 };
	int rc = tds_convention_read(&j->dir, &convention, NULL, err);

	return rc == 0 ? tds_convention_pems_read(&j->dir, &convention, TDS_CONVENTION_BUS, &pems,
						  err)
		       : rc;
}

static void tell_joined(const struct joining *j, const char *path)
{
	struct tds_cli *cli = &j->admin->cli;

	if (cli->json)
		tds_cli_print_document(cli, json_pack("{s:o, s:s, s:s, s:s}", "Directory",
						      tds_document_text(j->dir.path), "Name",
						      j->text[NAME], "System", j->text[SYSTEM],
						      "Role", j->text[ROLE]));
	else if (!cli->quiet)
		(void)fprintf(cli->out,
			      "%s is the system %s of the convention %s, a %s, once tds-admin "
			      "restart has been run; remove %s\n",
			      j->dir.path, j->text[SYSTEM], j->text[NAME], j->text[ROLE], path);
}

void convention_join(struct admin *admin, int argc, char **argv)
{
	tds_auto(joining) struct joining j = { .admin = admin,
					       .from = { .fd = -1 },
					       .dir = { .fd = -1 } };
	struct tds_err err = { 0 };

	if (argc != 1) {
		tds_cli_usage(&admin->cli, "convention join takes the folder of a system");
		return;
	}
	int rc = read_part(&j, argv[0], &err);
	if (rc == 0)
		rc = admin_open_dir(admin, &j.dir, &err);
	if (rc == 0)
		rc = find_owner(&j, &err);
	if (rc == 0)
		rc = judge_joined(&j, &err);
	if (rc == 0)
		rc = write_part(&j, &err);
	if (rc == 0)
		rc = judge_written(&j, &err);
	if (rc == 0)
		tell_joined(&j, argv[0]);
	else
		tds_cli_error(&admin->cli, rc == TDS_E_REFUSED ? j.dir.path : NULL, &err);
}

/* --- leaving --- */

/* Only what join has made: another folder is somebody else's. */
static int remove_tls(const struct tds_dir *dir, bool *removed, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir tls = { .fd = -1 };
	int rc = 0;

	tls.fd = openat(dir->fd, TLS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tls.fd < 0)
		return 0;
	tls.path = tds_dir_join(dir, TLS_FOLDER);
	if (!tls.path)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < CERTS; i++) {
		rc = remove_file(&tls, tds_convention_files(i)->key, removed, err);
		if (rc == 0)
			rc = remove_file(&tls, tds_convention_files(i)->cert, removed, err);
	}
	if (rc == 0)
		rc = remove_file(&tls, TDS_CONVENTION_CA, removed, err);
	if (rc == 0 && unlinkat(dir->fd, TLS_FOLDER, AT_REMOVEDIR) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "%s: cannot be removed", tls.path);
	return rc;
}

static int leave(const struct tds_dir *dir, bool *removed, struct tds_err *err)
{
	int rc = 0;

	for (size_t i = SETTINGS; rc == 0 && i > 0; i--)
		rc = remove_file(dir, settings[i - 1], removed, err);
	if (rc == 0)
		rc = remove_file(dir, TDS_CONVTLS_CFG, removed, err);
	return rc == 0 ? remove_tls(dir, removed, err) : rc;
}

/* What somebody else has written may name a convention, too. */
static void warn_of_leader(struct admin *admin, const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config config = { 0 };
	tds_autofree char *path = tds_dir_join(dir, TDS_CONVLEADER_CFG);

	if (tds_config_read(dir, TDS_CONVLEADER_CFG, &config, NULL) == 0 && config.text[0])
		tds_cli_warn(&admin->cli, path, "is still there, and names a convention");
}

static void tell_left(struct admin *admin, const struct tds_dir *dir, bool removed)
{
	if (admin->cli.json)
		tds_cli_print_document(&admin->cli,
				       json_pack("{s:o, s:b}", "Directory",
						 tds_document_text(dir->path), "Left", removed));
	else if (!admin->cli.quiet)
		(void)fprintf(
			admin->cli.out,
			removed ? "%s is alone, once tds-admin restart has been run; tds-admin "
				  "convention remove takes it out of the convention\n"
				: "%s is in no convention that it has joined\n",
			dir->path);
}

void convention_leave(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	struct tds_err err = { 0 };
	bool removed = false;

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "convention leave takes no operand");
		return;
	}
	int rc = admin_open_dir(admin, &dir, &err);
	if (rc == 0)
		rc = leave(&dir, &removed, &err);
	if (rc != 0) {
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	warn_of_leader(admin, &dir);
	tell_left(admin, &dir, removed);
}
