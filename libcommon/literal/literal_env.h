/* SPDX-License-Identifier: MIT */
/*
 * What an expression may ask of its surroundings, each question in one place: environment, working folder, files, users,
 * the machine, the Python that runs actors. Nothing is changed by any.
 * Who asks is told what this process sees or, where there are surroundings for it, what they say instead.
 */
#ifndef TDS_LITERAL_ENV_H
#define TDS_LITERAL_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "value.h"

/* As sys.version_info has it. */
struct tds_env_version {
	int number[4];  /* major, minor, micro, serial */
	char level[16]; /* "final" */
};

/* What an expression is told that is not this machine's own: one out of a package. All is borrowed. */
struct tds_surroundings {
	char *const *variables; /* NAME=VALUE, ends with NULL; NULL: this process's environment */
	const char *python;     /* sys.executable, "": none; NULL: the first in PATH */
	const char *
		version; /* of that, as tds_env_version_print has it, "": unknown; NULL: it is asked */
};

/*
 * The value of an environment variable; NULL: not set. name may be any text; around NULL: of this process.
 * Errors: TDS_E_SYNTAX: it is not UTF-8.
 */
int tds_env_get(const struct tds_surroundings *around, const struct tds_value *name,
		const char **text, struct tds_err *err) TDS_MUST_CHECK;

/* The working folder. Errors: TDS_E_SYNTAX: it has no name, or one that is not UTF-8; TDS_E_NOMEM. */
int tds_env_getcwd(struct tds_buf *path, struct tds_err *err) TDS_MUST_CHECK;

/* The home of a user; "": the one who asks. *found: there is one. Errors: TDS_E_SYNTAX: it is not UTF-8; TDS_E_NOMEM. */
int tds_env_home(const char *user, struct tds_buf *path, bool *found,
		 struct tds_err *err) TDS_MUST_CHECK;

enum tds_env_file { TDS_ENV_ANY, TDS_ENV_FOLDER, TDS_ENV_REGULAR };

/* Is there such a file? Links are followed. */
bool tds_env_exists(const struct tds_value *path, enum tds_env_file kind);

/* The five texts of os.uname(): valid until the next question. */
#define TDS_ENV_UNAME 5
void tds_env_uname(const char *texts[TDS_ENV_UNAME]);

long tds_env_cpu_count(void);

/* The python3 that is the first in PATH, as an absolute path. *found: there is one. Errors: TDS_E_SYNTAX: not UTF-8; TDS_E_NOMEM. */
int tds_env_python(struct tds_buf *path, bool *found, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Ask that Python for its version, without waiting: for a loop, which then calls tds_env_python_version() when the
 * descriptor can be read. The caller closes that. -1: there is nothing to wait for.
 */
int tds_env_python_ask(void);

/*
 * The version of that Python, as sys.version_info has it: three numbers, a text, a number. It is asked unless it
 * has answered already, and nobody waits for longer than two seconds from when it was asked.
 * Errors: TDS_E_SYNTAX: it does not answer; TDS_E_NOMEM.
 */
int tds_env_python_version(struct tds_env_version *version, struct tds_err *err) TDS_MUST_CHECK;

/* A version as a text of one line, and read again. False: it is none. */
#define TDS_ENV_VERSION_MAX 80
void tds_env_version_print(const struct tds_env_version *version, char text[TDS_ENV_VERSION_MAX]);
bool tds_env_version_read(const char *text, struct tds_env_version *version);

#endif
