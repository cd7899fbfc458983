/* SPDX-License-Identifier: MIT */
/*
 * The configuration files of a director directory, NAME.cfg, one value each: what each may hold,
 * and what it says. It does not know what the values are used for, nor which are there.
 */
#ifndef TDS_CONFIG_H
#define TDS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dir.h"
#include "base/err.h"
#include "literal/value.h"
#include "package/trustfile.h"
#include "tli.h"

#define TDS_CONFIG_MAX_BYTES TDS_TRUST_MAX_BYTES /* of a file */

struct tds_config {
	char *text;              /* the file without the blanks around: what the Director shows */
	struct tds_value *value; /* a str, int, bool or dictionary; of lines, a list of str */
};

/* When what a file says counts. */
enum tds_config_counts {
	TDS_COUNTS_NEVER,      /* it is read to be shown, and has no effect */
	TDS_COUNTS_AT_RELOAD,  /* of the admin process, and at a restart */
	TDS_COUNTS_AT_RESTART, /* when the daemon starts, at first, after a death, or on purpose */
	TDS_COUNTS_AT_VERIFICATION, /* of each package, by whichever tool */
	TDS_COUNTS_AT_USE,          /* whenever a tool looks for the admin process, or starts it */
};

/* A file that is known: a row of the one table of them. */
struct tds_config_file {
	const char *name; /* "adminport.cfg" */
	enum tds_config_counts counts;
	const char *but;     /* the one text with which all is as it says; NULL: there is none */
	const char *instead; /* what is so instead of what it says; NULL: all is as it says */
};

/* In the words of tds.cfg(5): "at reload". */
const char *tds_config_counts_words(enum tds_config_counts counts);

/* The i-th file, NULL behind the last; and the one of a name, NULL where it is not that of a configuration file. */
const struct tds_config_file *tds_config_file(size_t i);
const struct tds_config_file *tds_config_find(const char *name);

/* What is so instead of what the file says with this value, for people: it has no effect then, or not all of it. NULL: all is. */
const char *tds_config_instead(const struct tds_config_file *file, const struct tds_value *value);

/*
 * Parse the contents of a configuration file.
 * Source:  text is untrusted; name is a known one.
 * Owner:   caller frees *config with tds_config_fini, on success only.
 * Errors:  TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_config_parse(const char *name, const char *text, size_t len, struct tds_tli_watcher watcher,
		     struct tds_config *config, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Read a file of a director directory.
 * Owner:   caller frees *config with tds_config_fini, on success only.
 * Errors:  TDS_E_MISSING; TDS_E_UNUSABLE: it cannot be read; TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_config_read(const struct tds_dir *dir, const char *name, struct tds_config *config,
		    struct tds_err *err) TDS_MUST_CHECK;

/* Tell of each file of the directory that says something which is not so, or not all of it. What cannot be read is left out. */
void tds_config_effects(const struct tds_dir *dir,
			void (*tell)(void *ctx, const struct tds_config_file *file,
				     const char *instead),
			void *ctx);

void tds_config_fini(struct tds_config *config);
#define tds_config_cleanup tds_config_fini

#endif
