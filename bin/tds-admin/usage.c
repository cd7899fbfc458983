/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat of each actor, and the sample before. */
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "actors.h"
#include "base/io.h"
#include "base/mem.h"

#define STAT_MAX 4096

/* What the kernel says of a process. */
struct process {
	uint64_t ticks; /* of the clock that it has run */
	uint64_t began; /* such ticks after the machine began */
	int64_t pages;
};

/* The name of a process, which may hold anything, ends with the last parenthesis. False: it is gone, or hidden. */
static bool read_process(json_int_t pid, struct process *process)
{
	char path[64];
	char text[STAT_MAX];
	unsigned long long user, system, began;
	long long pages;

	(void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	FILE *file = pid > 0 ? fopen(path, "re") : NULL;
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		(void)fclose(file);
	text[len] = '\0';
	const char *rest = strrchr(text, ')');
	/* state, 10 numbers, utime, stime, 6 numbers, starttime, vsize, rss */
	if (!rest ||
	    sscanf(rest + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
		   "%*d %*d %llu %*u %lld",
		   &user, &system, &began, &pages) != 4)
		return false;
	*process = (struct process){ .ticks = user + system, .began = began, .pages = pages };
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct usage *)a)->address, ((const struct usage *)b)->address);
}

static void measure(struct usage *usage, const json_t *actor, int64_t at_ms,
		    const struct usages *before)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	struct process process;
	const struct usage *then = NULL;

	*usage = (struct usage){ .actor = actor, .cpu = -1, .rate = -1, .memory = -1 };
	(void)snprintf(usage->address, sizeof(usage->address), "%s",
		       actors_address(actor, "ActorAddress"));
	usage->received = (uint64_t)json_integer_value(json_object_get(actor, "Received"));
	if (!read_process(json_integer_value(json_object_get(actor, "Pid")), &process))
		return;
	if (before->n > 0)
		then = bsearch(usage, before->v, before->n, sizeof(*usage), by_address);
	double seconds = then ? (double)(at_ms - before->mono_ms) / 1000
			      : (double)at_ms / 1000 - (double)process.began / ticks;
	usage->ticks = process.ticks;
	usage->memory = process.pages * sysconf(_SC_PAGESIZE);
	if (seconds <= 0)
		seconds = 1 / ticks; /* it began within this one */
	usage->cpu = (double)(process.ticks - (then ? then->ticks : 0)) / ticks / seconds * 100;
	usage->rate = (double)(usage->received - (then ? then->received : 0)) / seconds;
}

int usages_take(struct usages *usages, json_t *answer, struct usages *before)
{
	const json_t *actors = json_object_get(answer, "Actors");
	const json_t *actor;
	size_t i;

	*usages = (struct usages){ .answer = answer,
				   .mono_ms = now_ms(),
				   .v = calloc(json_array_size(actors) + 1, sizeof(*usages->v)) };
	if (!usages->v)
		return 0;
	if (before->n > 0)
		qsort(before->v, before->n, sizeof(*before->v), by_address);
	json_array_foreach(actors, i, actor)
		measure(&usages->v[usages->n++], actor, usages->mono_ms, before);
	return 1;
}

void usages_fini(struct usages *usages)
{
	json_decref(usages->answer);
	free(usages->v);
	*usages = (struct usages){ 0 };
}
