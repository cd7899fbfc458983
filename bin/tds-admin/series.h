/* SPDX-License-Identifier: MIT */
/* A log of the run directory, NAME with NAME.1, NAME.2 and so on, read as one file, also while it grows and makes way. */
#ifndef TDS_ADMIN_SERIES_H
#define TDS_ADMIN_SERIES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SERIES_FILES_MAX 1000 /* older ones, as logkeep.cfg has it */

struct series {
	int rundir;       /* borrowed */
	const char *name; /* constant */
	FILE *file;       /* NULL: there is none yet */
	ino_t ino;
	bool is_old; /* it is not written any more */
	char *line;
	size_t room;
};

/* From the oldest file on that was written since then. */
void series_open(struct series *series, int rundir, const char *name, int64_t since_wall_ms);
void series_close(struct series *series);

/* The next line that is whole, without its end; borrowed until the next call. NULL: there is none yet. */
const char *series_next(struct series *series, size_t *len);

/* The name of the file that is so many files old; 0: the one that is written. */
const char *series_file(const char *name, unsigned age, char file[64]);

#endif
