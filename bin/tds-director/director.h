/* SPDX-License-Identifier: MIT */
/* What the commands of tds-director share. Each works by running the other tools. */
#ifndef TDS_DIRECTOR_H
#define TDS_DIRECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/cli.h"

struct director {
	struct tds_cli cli;
	const char *
		dir; /* the director directory as it is shown; may be empty, which is the current folder */
	const char *place; /* the same, never empty: what other tools are given */
	char *bin;         /* the folder of this program, where the other tools are */
	bool verbose;
};

/* A command returns the status to exit with; argv has its operands, whose number was checked. */
typedef int command_fn(struct director *director, int argc, char **argv);

command_fn command_list;
command_fn command_role;
command_fn command_gensrc;
command_fn command_tlsinfo;

/* The help text of a command, NULL where there is none of that name; the general one for NULL. */
const char *help_text(const char *command);

/* Which streams of a tool are wanted as text; the others stay those of tds-director. */
enum { TOOL_OUT = 1, TOOL_ERR = 2 };

struct output {
	char *out; /* NULL where it was not asked for */
	size_t out_len;
	char *err;
	size_t err_len;
};
void output_fini(struct output *output);
#define tds_output_cleanup output_fini

/*
 * Run a tool of ours to its end. argv is without the tool's name, and ends in NULL.
 * Owner:   output_fini frees *output, whatever happened; it may be NULL where nothing is wanted.
 * Returns: its exit status; where it could not be run or was killed, 1, said on stderr.
 */
int tool_run(struct director *director, const char *tool, const char *const *argv, int wanted,
	     struct output *output);

/* One line on stderr. Returns status. */
int fail(struct director *director, int status, const char *fmt, ...) TDS_PRINTF(3, 4);

/* DIR/NAME, or NAME where it is absolute. Caller frees; NULL: out of memory, which is said. */
char *join_path(struct director *director, const char *dir, const char *name);

#endif
