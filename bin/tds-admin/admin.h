/* SPDX-License-Identifier: MIT */
/* What the commands of tds-admin share. */
#ifndef TDS_ADMIN_H
#define TDS_ADMIN_H

#include <stdbool.h>

#include "cli.h"

struct admin {
	struct tds_cli cli;
	const char *names_from; /* -T */
	bool literal;           /* --literal */
	bool strict;            /* --strict */
};

/* A command gets its operands, and reports through admin->cli. */
void admin_check(struct admin *admin, int argc, char **argv);
extern const char admin_check_help[];

#endif
