/* SPDX-License-Identifier: MIT */
/* What goes between systems: publishes out, what is for this system and for all in. */
#ifndef TDS_LINK_BUS_H
#define TDS_LINK_BUS_H

#include "side.h"

/* Subscribe, whether it stands already or not. Errors: TDS_E_REFUSED. */
int bus_subscribe(natsConnection *nc, const char *system, struct tds_err *err) TDS_MUST_CHECK;

/* nc NULL: it does not stand. What certainly did not leave is told as trouble. */
void bus_publish(natsConnection *nc, const struct tds_linkframe *frame);

#endif
