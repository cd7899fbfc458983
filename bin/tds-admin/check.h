/* SPDX-License-Identifier: MIT */
/*
 * What the files of the check command share: what is found in one file, and the checks of one file.
 */
#ifndef TDS_ADMIN_CHECK_H
#define TDS_ADMIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "admin.h"
#include "base/dir.h"
#include "base/err.h"
#include "literal/value.h"

struct warning {
	unsigned line; /* 0: no place */
	unsigned column;
	char *text;
};

/* One file, and what is found in it. */
struct report {
	char *file;         /* as it is shown */
	struct tds_err err; /* code TDS_OK: it is good */
	struct tds_value
		*value; /* what it says; NULL: nothing, or not a kind of file that says anything */
	struct warning *warnings;
	size_t n;
	bool quiet; /* not worth a line of JSON where nothing is found */
};

void report_init(struct report *report, const char *file);
void report_fini(struct report *report);

/* Take note of something odd. The first line and column of the text are 1. */
void report_warn(struct report *report, unsigned line, unsigned column, const char *fmt, ...)
	TDS_PRINTF(4, 5);

/* Take note of an error that has no better place. */
void report_refuse(struct report *report, const char *fmt, ...) TDS_PRINTF(2, 3);

/* Write it: a line on stderr for each finding, and with -j an object on stdout. */
void report_print(struct admin *admin, const struct report *report);

/* The same of what lies in a directory: that it cannot be used is a finding, whatever stands in the way. */
void report_print_found(struct admin *admin, struct report *report);

enum kind {
	KIND_OTHER,
	KIND_LITERAL,
	KIND_TLI,
	KIND_CONFIG,
	KIND_KEY,
	KIND_ALLOW,
	KIND_PACKAGE,
};

/* What kind of file has this name, folders before it cut off. */
enum kind kind_of(const char *path);

/*
 * Check what a file of this kind holds; dir, where it is open, limits keys. path "-" is standard
 * input.
 */
void check_file(struct report *report, const struct tds_dir *dir, const char *path, enum kind kind);

/* Check all that lies in the director directory, the directory itself, and the run directory. */
void check_dir(struct admin *admin, const struct tds_dir *dir);
void check_rundir(struct admin *admin, const struct tds_dir *dir);

/*
 * Warn of roles and global names that more than one of the declarations has (they are told apart by
 * their kind): only one of the groups could be loaded.
 */
void check_names(struct report *const *reports, size_t n, const char *key, const char *what);

#endif
