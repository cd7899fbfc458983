/* SPDX-License-Identifier: MIT */
/* The line is written by a thread of its own, for the tool itself waits for the answer. */
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define LINE_BYTES 100

static void *tell(void *arg)
{
	struct progress *p = arg;
	struct timespec next;
	unsigned seconds = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	(void)pthread_mutex_lock(&p->lock);
	while (!p->over) {
		next.tv_sec++;
		int rc = 0;
		while (!p->over && rc != ETIMEDOUT)
			rc = pthread_cond_timedwait(&p->ended, &p->lock, &next);
		if (!p->over)
			(void)fprintf(p->cli->err, "\r%s: %s: %u s ", p->cli->tool, p->what,
				      ++seconds);
		(void)fflush(p->cli->err);
	}
	/* As many blanks as the line may have had. */
	if (seconds > 0)
		(void)fprintf(p->cli->err, "\r%*s\r", LINE_BYTES, "");
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static bool ready_clock(struct progress *p)
{
	pthread_condattr_t attr;

	if (pthread_mutex_init(&p->lock, NULL) != 0 || pthread_condattr_init(&attr) != 0)
		return false;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	bool ready = pthread_cond_init(&p->ended, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	return ready;
}

void progress_start(struct progress *progress, struct tds_cli *cli, const char *what)
{
	tds_autofree char *escaped = tds_text_escaped(what);

	*progress = (struct progress){ 0 };
	if (cli->quiet || !isatty(fileno(cli->err)) || !escaped || !ready_clock(progress))
		return;
	(void)snprintf(progress->what, sizeof(progress->what), "%s", escaped);
	progress->cli = cli;
	if (pthread_create(&progress->thread, NULL, tell, progress) != 0)
		progress->cli = NULL;
}

void progress_stop(struct progress *progress)
{
	if (!progress->cli)
		return;
	(void)pthread_mutex_lock(&progress->lock);
	progress->over = true;
	(void)pthread_cond_signal(&progress->ended);
	(void)pthread_mutex_unlock(&progress->lock);
	(void)pthread_join(progress->thread, NULL);
	progress->cli = NULL;
}
