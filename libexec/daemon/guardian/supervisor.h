/* SPDX-License-Identifier: MIT */
/*
 * The one face to who supervises this process: systemd's datagrams, sd_notify(3), to the socket that NOTIFY_SOCKET names, with
 * the watchdog of WATCHDOG_USEC; and the readiness descriptor of s6, which gets a newline. Only the guardian has it, whose
 * process a supervisor has started: what runs below is told of none of it, and what it says counts for nothing.
 */
#ifndef TDS_DAEMON_SUPERVISOR_H
#define TDS_DAEMON_SUPERVISOR_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SUPERVISOR_STATUS_MAX 200 /* bytes of a status with its NUL */

/* What a supervisor knows of us. Nothing leads back to the first, nor from the last. */
enum supervisor_state {
	SUPERVISOR_STARTING,
	SUPERVISOR_READY,
	SUPERVISOR_RELOADING, /* a reload or a restart: it is ready again afterwards */
	SUPERVISOR_STOPPING,
};

struct supervisor {
	struct sockaddr_un to;
	socklen_t to_len;
	int socket;           /* -1: nobody is to be told by datagrams */
	int ready;            /* of s6; -1: none, or told already */
	unsigned watchdog_ms; /* within which the heart is to beat; 0: nobody watches */
	enum supervisor_state state;
	char status[SUPERVISOR_STATUS_MAX]; /* for people; no newline */
	bool word_due; /* the state was not told yet, since the supervisor did not take it */
	bool status_due;
};

/* As the environment has it, for this very process. state: what was told already; ready as above, and owned from then on. */
void supervisor_open(struct supervisor *supervisor, enum supervisor_state state, int ready);

/* Nobody is told anything; ready is closed. */
void supervisor_close(struct supervisor *supervisor);

/* It is so now. What the supervisor knows already is not told again, and after SUPERVISOR_STOPPING there is no other state. */
void supervisor_tell(struct supervisor *supervisor, enum supervisor_state state,
		     const char *status);

/*
 * The daemon's heart has beaten: that feeds the watchdog, and where it is on its way up or down it is given more time. A
 * supervisor that does not read holds up nobody: what it did not take is told with the next beat.
 */
void supervisor_beat(struct supervisor *supervisor);

/* In what the guardian starts: nothing is left of it, nor of what the environment says, not even of what /proc shows of that. */
void supervisor_hide(const struct supervisor *supervisor);

#endif
