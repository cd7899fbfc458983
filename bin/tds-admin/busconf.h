/* SPDX-License-Identifier: MIT */
/* What the server of a bus is told: nats-server.conf, and a drop-in for its unit. */
#ifndef TDS_ADMIN_BUSCONF_H
#define TDS_ADMIN_BUSCONF_H

#include "convfolder.h"

#define BUSCONF_PLACE \
	"/etc/tds-bus" /* the folder that the unit runs in, to which the server's folder is copied */

/* Texts for the systems of the folder. Caller frees; NULL: out of memory. */
char *busconf_server(const struct convfolder *folder);
char *busconf_unit(void);

#endif
