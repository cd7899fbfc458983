/* SPDX-License-Identifier: MIT */
/* What the files of tds-verify share: the options, the run, and one operand of it. */
#ifndef TDS_VERIFY_H
#define TDS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dir.h"
#include "base/strict.h"
#include "package/keyring.h"
#include "package/source.h"
#include "tool/cli.h"

enum mode { MODE_VERIFY, MODE_LIST, MODE_MEMBER, MODE_FOLDER, MODE_ARCHIVE };

struct opts {
	enum mode mode;
	const char *target;     /* of -x, -d, -o */
	const char *names_from; /* -T */
	char **keys;            /* -k */
	size_t nkeys;
	bool explain;
	bool strict;
	struct tds_zip_limits limits;
};

/* The run: what stays the same for all operands. */
struct run {
	struct tds_cli cli;
	struct opts opts;
	struct tds_dir dir; /* fd -1: there is none, and none is needed */
	struct tds_strict strict;
	bool strict_names; /* strictnames.cfg says yes */
	bool warned;       /* of the keys, once */
	bool several;      /* operands: what is told of each gets a heading */
	json_t *checks;    /* of the operand at hand, with --explain and -j */
	char *declared; /* what is signed with it as its declaration, as a literal; NULL: nothing */
};

/* One operand: what to open, and how it is called. */
struct operand {
	int fd;
	char *path; /* as it is shown */
};

/*
 * declared.c: the declaration that a verified package carries, as a literal; caller frees; NULL: none. It is told what
 * this process sees of the machine, but not its files.
 * Errors: TDS_E_SYNTAX, TDS_E_REFUSED: it would not be loaded with that; TDS_E_ARCHIVE, TDS_E_NOMEM.
 */
int judge_declaration(struct run *run, const struct tds_source *source, char **literal,
		      struct tds_err *err) TDS_MUST_CHECK;

/* use.c: do with a verified package what the options say. */
int use_source(struct run *run, const struct operand *operand, const struct tds_source *source,
	       struct tds_err *err) TDS_MUST_CHECK;

/* Is it a member that a list has? What a package says of itself only is with -v. */
bool is_listed(const struct run *run, const struct tds_zip_entry *entry);

/* report.c: one check of --explain or -v, where ctx is the run; and the line above those of an operand. */
void report_check(void *ctx, const struct tds_check *check);
void report_heading(struct run *run, const char *path);

/* The document of -j for an operand: what it holds or, where source is NULL, what was said of it. */
void report_json(struct run *run, const struct operand *operand, const struct tds_source *source);

#endif
