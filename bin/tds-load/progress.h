/* SPDX-License-Identifier: MIT */
/* A line that says how long something takes already: on a terminal, past one second, gone in the end. */
#ifndef TDS_LOAD_PROGRESS_H
#define TDS_LOAD_PROGRESS_H

#include <pthread.h>

#include "tool/cli.h"

struct progress {
	struct tds_cli *cli; /* NULL: there is no such line */
	char what[64];       /* escaped, and cut */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
};

/* Begin, and end: nothing else may write to standard error in between. what: the name of what takes so long. */
void progress_start(struct progress *progress, struct tds_cli *cli, const char *what);
void progress_stop(struct progress *progress);

#endif
