/* SPDX-License-Identifier: MIT */
/* tds-admin log: what actors print and log, and the check of the audit log. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "admin.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/rundir.h"

#define AUDIT_MAX_BYTES (1 << 30)

const char admin_log_help[] = "usage: tds-admin [options] log [--follow] [ROLE]\n"
			      "       tds-admin [options] log --audit\n"
			      "Print what actors print and log; with --audit check the chain of "
			      "the audit log, and print its head.\n";

static int open_rundir(struct admin *admin, struct tds_dir *rundir, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	int rc = admin_open_dir(admin, &dir, err);

	return rc == 0 ? tds_rundir_open(&dir, rundir, err) : rc;
}

/* Is the third word of the line, the role, the one that is wanted? */
static bool has_role(const char *line, const char *role)
{
	size_t n = strlen(role);

	for (int i = 0; i < 2 && line; i++) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	return line && strncmp(line, role, n) == 0 && line[n] == ' ';
}

static void print_lines(struct admin *admin, FILE *file, const char *role)
{
	tds_autofree char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, file) > 0)
		if (!role || has_role(line, role))
			(void)fputs(line, admin->cli.out);
	clearerr(file);
	(void)fflush(admin->cli.out);
}

static FILE *open_log(int rundir, const char *name)
{
	int fd = openat(rundir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* Whatever happens in the run directory may be a new line, or a new file in place of the old one. */
static void follow(struct admin *admin, int rundir, const char *path, const char *role, FILE *file)
{
	char events[4096];
	tds_autofd int watch = inotify_init1(IN_CLOEXEC);

	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		struct tds_err err;

		tds_err_sys(&err, TDS_E_UNUSABLE, "%s", path);
		tds_cli_error(&admin->cli, NULL, &err);
		(void)fclose(file);
		return;
	}
	while (!ferror(admin->cli.out) &&
	       (read(watch, events, sizeof(events)) > 0 || errno == EINTR)) {
		print_lines(admin, file, role);
		FILE *now = open_log(rundir, TDS_ACTORLOG_NAME);
		struct stat a;
		struct stat b;
		if (now && fstat(fileno(now), &a) == 0 && fstat(fileno(file), &b) == 0 &&
		    a.st_ino != b.st_ino) {
			(void)fclose(file);
			file = now;
			print_lines(admin, file, role);
		} else if (now) {
			(void)fclose(now);
		}
	}
	(void)fclose(file);
}

static void show_log(struct admin *admin, int rundir, const char *path, const char *role)
{
	FILE *old = admin->follow ? NULL : open_log(rundir, TDS_ACTORLOG_OLD);
	FILE *file = open_log(rundir, TDS_ACTORLOG_NAME);

	if (old) {
		print_lines(admin, old, role);
		(void)fclose(old);
	}
	if (!file) {
		struct tds_err err;

		tds_err_sys(&err, errno == ENOENT ? TDS_E_MISSING : TDS_E_UNUSABLE,
			    "%s/" TDS_ACTORLOG_NAME, path);
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	print_lines(admin, file, role);
	if (admin->follow)
		follow(admin, rundir, path, role, file);
	else
		(void)fclose(file);
}

static bool digest_line(const char *line, size_t len, char hex[TDS_DIGEST_HEX_MAX])
{
	unsigned char sha256[TDS_SHA256_LEN];
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_SHA256);

	if (!digest)
		return false;
	tds_digest_update(digest, line, len);
	bool ok = tds_digest_final(digest, sha256);
	tds_digest_free(digest);
	tds_digest_hex(sha256, sizeof(sha256), hex);
	return ok;
}

/* Each line holds the digest of the line before it. */
static int check_audit(const char *text, size_t len, char head[TDS_DIGEST_HEX_MAX],
		       struct tds_err *err)
{
	unsigned number = 1;

	head[0] = '\0';
	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);

		if (!end)
			return tds_err_at(err, TDS_E_REFUSED, number, 1, "a line that is cut off");
		json_t *line = json_loadb(text + at, (size_t)(end - text) - at, 0, NULL);
		const char *before = json_string_value(json_object_get(line, "Before"));
		bool fits = before && strcmp(before, head) == 0;
		json_decref(line);
		if (!fits)
			return tds_err_at(err, TDS_E_REFUSED, number, 1,
					  "does not follow on the line before it");
		if (!digest_line(text + at, (size_t)(end + 1 - text) - at, head))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		at = (size_t)(end + 1 - text);
	}
	return 0;
}

static void show_audit(struct admin *admin, int rundir, const char *path)
{
	tds_autofree char *text = NULL;
	tds_autofree char *name = NULL;
	char head[TDS_DIGEST_HEX_MAX];
	struct tds_err err = { 0 };
	size_t len;
	int rc = tds_io_slurp(rundir, TDS_AUDIT_NAME, AUDIT_MAX_BYTES, &text, &len, &err);

	if (rc == 0)
		rc = check_audit(text, len, head, &err);
	if (rc == 0)
		(void)fprintf(admin->cli.out, "%s\n", head);
	else if (asprintf(&name, "%s/" TDS_AUDIT_NAME, path) >= 0)
		tds_cli_error(&admin->cli, name, &err);
}

void admin_log(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct tds_err err = { 0 };

	if (argc > (admin->audit ? 0 : 1)) {
		tds_cli_usage(&admin->cli, "log: wrong number of operands");
		return;
	}
	if (open_rundir(admin, &rundir, &err) != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	else if (admin->audit)
		show_audit(admin, rundir.fd, rundir.path);
	else
		show_log(admin, rundir.fd, rundir.path, argc ? argv[0] : NULL);
}
