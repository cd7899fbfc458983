/* SPDX-License-Identifier: MIT */
/*
 * A terminal that shows a table which is written anew again and again. However the program ends, by a key, an error or a signal, the
 * terminal is left as it was found: what it showed, its cursor, how it takes keys. (Not by SIGKILL, which nobody sees.)
 */
#ifndef TDS_ADMIN_SCREEN_H
#define TDS_ADMIN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/err.h"

struct screen {
	int in; /* where keys come from; -1: there is no terminal, and nothing to leave as it was */
	int out;
	int signals; /* a signalfd; -1: none */
	struct termios found;
};

/* None: waiting is the same, without keys, and signals are left alone. */
#define SCREEN_NONE                      \
	{                                \
		.in = -1, .signals = -1, \
	}

/* Take the terminal of standard input and output over. Errors: TDS_E_WRITE. On error *screen is safe to close. */
int screen_open(struct screen *screen, struct tds_err *err) TDS_MUST_CHECK;
void screen_close(struct screen *screen);
#define screen_cleanup screen_close

/* Show lines of escaped text, each of which ends in a newline: as much of them as there are rows and columns. */
void screen_show(const struct screen *screen, const char *lines, size_t len);

/* What has come while it waited. */
enum screen_event {
	SCREEN_TIME,   /* the wait is over */
	SCREEN_KEY,    /* *key */
	SCREEN_RESIZE, /* or shown again, after it was stopped */
	SCREEN_READY,  /* fd can be read */
	SCREEN_END,    /* the terminal is gone */
};

/*
 * Wait, at most so long, for a key, a signal, or for fd (-1: none) to be readable. A signal that ends programs does not return: the
 * terminal is given back, and the signal does what it does.
 */
enum screen_event screen_wait(struct screen *screen, int fd, int wait_ms, char *key);

#endif
