/* SPDX-License-Identifier: MIT */
/*
 * What is to be there after tds-admin setup: users, folders, files. Each is a step, which is looked at before anything is
 * changed, and then taken where it is not so yet. What is there and is otherwise is refused, never changed.
 */
#ifndef TDS_ADMIN_STEPS_H
#define TDS_ADMIN_STEPS_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

#define STEPS_MAX 64

enum step_kind {
	STEP_USER, /* a system user with a group of its own */
	STEP_PARENT, /* a folder that may be there: nobody but root may put another in the place of what is in it */
	STEP_FOLDER, /* of this owner, with these rights */
	STEP_FILE,   /* of root, with this text */
};

enum step_state {
	STEP_WANTED,
	STEP_THERE, /* it was before */
	STEP_TAKEN,
};

struct step {
	enum step_kind kind;
	enum step_state state;
	char *name;        /* of a user; else the absolute path, as it is where ROOT is the root */
	const char *owner; /* a user's name; borrowed */
	mode_t mode;
	const char *text; /* of a file, one line; borrowed */
};

struct steps {
	const char *
		root; /* "": the system that runs; else the folder that all this is below; borrowed */
	const char *home; /* of the users that are made; borrowed */
	struct step v[STEPS_MAX];
	size_t n;
};

void steps_fini(struct steps *steps);
#define tds_steps_cleanup steps_fini

/* Add a step. Where it is one already, nothing is added. Errors: TDS_E_NOMEM; TDS_E_USAGE: too many of them. */
int steps_user(struct steps *steps, const char *name, struct tds_err *err) TDS_MUST_CHECK;
int steps_file(struct steps *steps, const char *path, const char *text,
	       struct tds_err *err) TDS_MUST_CHECK;

/* The same for a folder, and for all that are above it. */
int steps_folder(struct steps *steps, const char *path, const char *owner, mode_t mode,
		 struct tds_err *err) TDS_MUST_CHECK;

/* See whether it is so. Errors: TDS_E_REFUSED: something else is there; TDS_E_NOMEM. */
int step_look(const struct steps *steps, struct step *step, struct tds_err *err) TDS_MUST_CHECK;

/* Make it so. Errors: TDS_E_REFUSED, TDS_E_WRITE, TDS_E_NOMEM. */
int step_take(const struct steps *steps, struct step *step, struct tds_err *err) TDS_MUST_CHECK;

/* The lines of shell that would make it so. */
void step_print_command(const struct steps *steps, const struct step *step, FILE *out);

/* Say that it was made. */
void step_print(const struct steps *steps, const struct step *step, FILE *out);

/* NULL: out of memory. */
json_t *step_json(const struct step *step);

#endif
