/* SPDX-License-Identifier: MIT */
/* What a supervisor is told, where it asked to be: sd_notify(3). */
#ifndef TDS_DAEMON_SUPERVISOR_H
#define TDS_DAEMON_SUPERVISOR_H

enum supervisor_word {
	SUPERVISOR_READY,
	SUPERVISOR_RELOADING, /* a reload or a restart: it is ready again afterwards */
	SUPERVISOR_STOPPING,
};
void supervisor_tell(enum supervisor_word word);

#endif
