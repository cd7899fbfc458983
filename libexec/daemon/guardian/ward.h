/* SPDX-License-Identifier: MIT */
/* In the daemon: what it has of its guardian, and what it tells it. */
#ifndef TDS_DAEMON_WARD_H
#define TDS_DAEMON_WARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cgroup.h"

struct ward {
	const struct tds_cgroup *cgroup; /* for its sources, where it has a path */
	int ready; /* gets lines of "STATUS REASON" about the start, and is closed behind it; -1: nobody waits */
	int pulse;            /* for ward_say */
	unsigned pulse_ms;    /* that often it is to say something */
	unsigned restarts;    /* how often it was started again */
	bool settled;         /* one of those before has said WARD_SETTLED */
	const char *last_end; /* how the one before ended; NULL: there was none */
};

/* What it says. */
enum ward_word {
	WARD_LIVES = '.',
	WARD_UP = 'u',      /* the start is over: from now on it is started again where it dies */
	WARD_SETTLED = 's', /* WARD_UP, and what was to be loaded once, at the beginning, was */
	WARD_RELOADING =
		'a', /* it is up, and reads its settings again; WARD_UP or WARD_SETTLED says that it has */
	WARD_LEAVING = 'l', /* it was asked to end: however it does, it is not started again */
	WARD_RESTART = 'r', /* it ends to be started again, by the program behind the word */
	WARD_WHY = 'w',     /* it cannot begin, for what is said behind the word: spoken.h */
};
void ward_say(const struct ward *ward, enum ward_word word);

/* Say WARD_RESTART, and which program; a path. False: it is too long, or the guardian cannot be told just now. */
bool ward_name_successor(const struct ward *ward, const char *program);

/* Say WARD_WHY, and a text, once, escaped for a line; one that is too long is cut. */
void ward_say_why(const struct ward *ward, const char *why);

/* A source's process is gone, and what it left behind is the guardian's child by now: the guardian gets rid of it. */
void ward_tell_strays(void);

/* Before it has a child: it ends with its guardian, and all that is below it. */
void ward_begin(pid_t guardian);

/* Its guardian is neither dead nor about to be. */
bool ward_is_guarded(void);

#endif
