/* SPDX-License-Identifier: MIT */
/* The steps of tds-admin setup: to collect them, to look, to take them, and to say them. */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "command.h"
#include "director/config.h"
#include "tool/document.h"

#define NOLOGIN "/usr/sbin/nologin"
#define FILE_MODE 0644

/* --- collecting them --- */

void steps_fini(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		free(steps->v[i].name);
	steps->n = 0;
}

static int add(struct steps *steps, struct step step, struct tds_err *err)
{
	for (size_t i = 0; i < steps->n; i++)
		if (strcmp(steps->v[i].name, step.name) == 0)
			return 0;
	if (steps->n == STEPS_MAX)
		return tds_err_set(err, TDS_E_USAGE, "too many folders");
	step.name = strdup(step.name);
	if (!step.name)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	steps->v[steps->n++] = step;
	return 0;
}

int steps_user(struct steps *steps, const char *name, struct tds_err *err)
{
	return add(steps, (struct step){ .kind = STEP_USER, .name = (char *)(uintptr_t)name }, err);
}

int steps_file(struct steps *steps, const char *path, const char *text, struct tds_err *err)
{
	return add(steps,
		   (struct step){ .kind = STEP_FILE,
				  .name = (char *)(uintptr_t)path,
				  .owner = "root",
				  .mode = FILE_MODE,
				  .text = text },
		   err);
}

int steps_folder(struct steps *steps, const char *path, const char *owner, mode_t mode,
		 struct tds_err *err)
{
	int rc = 0;

	for (const char *slash = strchr(path, '/'); rc == 0 && slash;
	     slash = strchr(slash + 1, '/')) {
		tds_autofree char *above = strndup(path, (size_t)(slash - path) + (slash == path));

		if (!above)
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		rc = add(
			steps,
			(struct step){
				.kind = STEP_PARENT, .name = above, .owner = "root", .mode = 0755 },
			err);
	}
	return rc != 0 ? rc
		       : add(steps,
			     (struct step){ .kind = STEP_FOLDER,
					    .name = (char *)(uintptr_t)path,
					    .owner = owner,
					    .mode = mode },
			     err);
}

/* --- looking --- */

/* Where it is now. Caller frees; NULL: out of memory. */
static char *place_of(const struct steps *steps, const char *path)
{
	char *place = NULL;

	return asprintf(&place, "%s%s", steps->root, path) < 0 ? NULL : place;
}

/* The user of this name in the system that is set up. False: there is none. */
static bool find_user(const struct steps *steps, const char *name, uid_t *uid, gid_t *gid)
{
	tds_autofree char *path = place_of(steps, "/etc/passwd");
	tds_autofile FILE *file = *steps->root && path ? fopen(path, "re") : NULL;
	const struct passwd *user = *steps->root ? NULL : getpwnam(name);

	while (file && (user = fgetpwent(file)) && strcmp(user->pw_name, name) != 0)
		;
	if (user) {
		*uid = user->pw_uid;
		*gid = user->pw_gid;
	} else if (strcmp(name, "root") == 0) {
		*uid = 0;
		*gid = 0;
	}
	return user || strcmp(name, "root") == 0;
}

static int look_at_user(const struct steps *steps, struct step *step)
{
	uid_t uid;
	gid_t gid;

	step->state = find_user(steps, step->name, &uid, &gid) ? STEP_THERE : STEP_WANTED;
	return 0;
}

/* Who may write a folder can put another in the place of what is in it; not so where it is sticky. */
static int check_parent(const struct stat *st, struct tds_err *err)
{
	if (st->st_uid != 0)
		return tds_err_set(
			err, TDS_E_REFUSED,
			"belongs to uid %ju, who could put something else in the place of "
			"what is in it",
			(uintmax_t)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(st->st_mode & S_ISVTX))
		return tds_err_set(err, TDS_E_REFUSED,
				   "others may write it, and could put something else in the "
				   "place of what is in it");
	return st->st_mode & S_IXOTH
		       ? 0
		       : tds_err_set(err, TDS_E_REFUSED, "other users may not enter it");
}

static int check_folder(const struct steps *steps, const struct step *step, const struct stat *st,
			struct tds_err *err)
{
	uid_t uid;
	gid_t gid;

	if (!find_user(steps, step->owner, &uid, &gid) || st->st_uid != uid)
		return tds_err_set(err, TDS_E_REFUSED, "belongs to uid %ju, not to %s",
				   (uintmax_t)st->st_uid, step->owner);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return tds_err_set(err, TDS_E_REFUSED, "others may write it");
	if ((st->st_mode & step->mode) != step->mode)
		return tds_err_set(err, TDS_E_REFUSED, "its mode is %04o, not %04o",
				   (unsigned)st->st_mode & 07777, (unsigned)step->mode);
	return 0;
}

static int look_at_folder(const struct steps *steps, struct step *step, struct tds_err *err)
{
	tds_autofree char *place = place_of(steps, step->name);
	bool is_parent = step->kind == STEP_PARENT;
	struct stat st;

	if (!place)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if ((is_parent ? stat(place, &st) : lstat(place, &st)) != 0) {
		step->state = STEP_WANTED;
		return errno == ENOENT ? 0 : tds_err_sys(err, TDS_E_REFUSED, "cannot be looked at");
	}
	step->state = STEP_THERE;
	if (!S_ISDIR(st.st_mode))
		return tds_err_set(err, TDS_E_REFUSED, "is no folder");
	return is_parent ? check_parent(&st, err) : check_folder(steps, step, &st, err);
}

/* One line, and nothing else, blanks around it not counted. */
static bool says(char *text, const char *line)
{
	size_t n = strlen(text);

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	return strcmp(text + strspn(text, " \t\r\n"), line) == 0;
}

static int look_at_file(const struct steps *steps, struct step *step, struct tds_err *err)
{
	tds_autofree char *place = place_of(steps, step->name);
	tds_autofree char *text = NULL;
	tds_autofd int fd = -1;
	struct stat st;
	size_t len;

	if (!place)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = tds_io_open(AT_FDCWD, place, false, &fd, &st, err);
	step->state = rc == TDS_E_MISSING ? STEP_WANTED : STEP_THERE;
	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0)
		rc = tds_io_slurp_fd(fd, TDS_CONFIG_MAX_BYTES, &text, &len, err);
	if (rc != 0)
		return rc == TDS_E_NOMEM ? rc : tds_err_set(err, TDS_E_REFUSED, "%s", err->reason);
	if (!says(text, step->text))
		return tds_err_set(err, TDS_E_REFUSED, "is there, and says \"%.64s\", not \"%s\"",
				   text, step->text);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return tds_err_set(err, TDS_E_REFUSED, "others than root may write it");
	return 0;
}

int step_look(const struct steps *steps, struct step *step, struct tds_err *err)
{
	switch (step->kind) {
	case STEP_USER:
		return look_at_user(steps, step);
	case STEP_PARENT:
	case STEP_FOLDER:
		return look_at_folder(steps, step, err);
	case STEP_FILE:
		break;
	}
	return look_at_file(steps, step, err);
}

/* --- taking them --- */

#define WORDS_MAX 16
#define COMMANDS_MAX 2

/* Each ends with NULL, and there is none behind an empty one. */
struct commands {
	const char *words[COMMANDS_MAX][WORDS_MAX];
};

/* What makes a user: shadow's useradd, else busybox' adduser, which needs the group before. */
static struct commands user_commands(const struct steps *steps, const char *name)
{
	bool below = *steps->root != '\0';

	if (!below && !command_exists("useradd") && command_exists("adduser"))
		return (struct commands){ {
			{ "addgroup", "-S", name },
			{ "adduser", "-S", "-D", "-H", "-h", steps->home, "-s", NOLOGIN, "-G", name,
			  name },
		} };
	return (struct commands){ {
		{ "useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
		  steps->home, "--shell", NOLOGIN, below ? "--prefix" : name,
		  below ? steps->root : NULL, name },
	} };
}

static int take_user(const struct steps *steps, const char *name, struct tds_err *err)
{
	struct commands commands = user_commands(steps, name);

	for (size_t i = 0; i < COMMANDS_MAX && commands.words[i][0]; i++)
		if (command_run(commands.words[i], err) != 0)
			return tds_err_prefix(err, "%s", commands.words[i][0]);
	return 0;
}

static int take_folder(const struct steps *steps, const struct step *step, const char *place,
		       struct tds_err *err)
{
	tds_autofree char *begun = NULL;
	uid_t uid;
	gid_t gid;

	if (!find_user(steps, step->owner, &uid, &gid))
		return tds_err_set(err, TDS_E_REFUSED, "there is no user %s", step->owner);
	if (asprintf(&begun, "%s.begun", place) < 0) {
		begun = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	/* It gets its name when it has its owner: who is interrupted leaves nothing that is refused the next time. */
	(void)rmdir(begun);
	if (mkdir(begun, 0700) != 0 || lchown(begun, uid, gid) != 0 ||
	    chmod(begun, step->mode) != 0 || rename(begun, place) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be made");
	return 0;
}

static int take_file(const struct step *step, char *place, struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	char *slash = strrchr(place, '/');

	*slash = '\0';
	tds_autofd int folder = open(*place ? place : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (folder < 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	int rc = tds_outfile_open(folder, slash + 1, &out, err);
	if (rc == 0 && dprintf(out.fd, "%s\n", step->text) < 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return rc == 0 ? tds_outfile_commit_new(&out, step->mode, err) : rc;
}

int step_take(const struct steps *steps, struct step *step, struct tds_err *err)
{
	tds_autofree char *place = place_of(steps, step->name);
	int rc = 0;

	if (!place)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (step->kind == STEP_USER)
		rc = take_user(steps, step->name, err);
	else if (step->kind == STEP_FILE)
		rc = take_file(step, place, err);
	else
		rc = take_folder(steps, step, place, err);
	if (rc == 0)
		step->state = STEP_TAKEN;
	return rc;
}

/* --- saying them --- */

/* A word as a shell takes it. */
static void print_word(FILE *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

	if (*word && word[strspn(word, plain)] == '\0')
		(void)fputs(word, out);
	else
		tds_text_shell(out, word);
}

static void print_words(FILE *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		(void)fputs(i ? " " : "", out);
		print_word(out, words[i]);
	}
}

void step_print_command(const struct steps *steps, const struct step *step, FILE *out)
{
	if (step->kind == STEP_USER) {
		struct commands commands = user_commands(steps, step->name);

		for (size_t i = 0; i < COMMANDS_MAX && commands.words[i][0]; i++) {
			print_words(out, commands.words[i]);
			(void)fputc('\n', out);
		}
		return;
	}
	if (step->kind == STEP_FILE) {
		(void)fputs("echo ", out);
		print_word(out, step->text);
		(void)fprintf(out, " | install -m %04o /dev/stdin ", (unsigned)step->mode);
	} else {
		(void)fprintf(out, "install -d -o %s -g \"$(id -g %s)\" -m %04o ", step->owner,
			      step->owner, (unsigned)step->mode);
	}
	print_word(out, step->name);
	(void)fputc('\n', out);
}

/* The command that makes the user itself is the last one. */
static void print_made_user(const struct steps *steps, const char *name, FILE *out)
{
	struct commands commands = user_commands(steps, name);

	(void)fprintf(out, "Made user %s: ", name);
	print_words(out, commands.words[commands.words[1][0] ? 1 : 0]);
	(void)fputc('\n', out);
}

void step_print(const struct steps *steps, const struct step *step, FILE *out)
{
	switch (step->kind) {
	case STEP_USER:
		print_made_user(steps, step->name, out);
		return;
	case STEP_PARENT:
	case STEP_FOLDER:
		(void)fputs("Made ", out);
		tds_text_print(out, step->name);
		(void)fprintf(out, ", of %s, mode %04o\n", step->owner, (unsigned)step->mode);
		return;
	case STEP_FILE:
		break;
	}
	(void)fputs("Wrote ", out);
	tds_text_print(out, step->name);
	(void)fputs(": ", out);
	tds_text_print(out, step->text);
	(void)fputc('\n', out);
}

json_t *step_json(const struct step *step)
{
	static const char *const states[] = {
		[STEP_WANTED] = "Wanted", [STEP_THERE] = "There", [STEP_TAKEN] = "Made"
	};
	char mode[8];

	if (step->kind == STEP_USER)
		return json_pack("{s:s, s:o, s:s}", "Kind", "User", "Name",
				 tds_document_text(step->name), "State", states[step->state]);
	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)step->mode);
	return json_pack("{s:s, s:o, s:s, s:s, s:s*, s:s}", "Kind",
			 step->kind == STEP_FILE ? "File" : "Folder", "Path",
			 tds_document_text(step->name), "Owner", step->owner, "Mode", mode, "Text",
			 step->text, "State", states[step->state]);
}
