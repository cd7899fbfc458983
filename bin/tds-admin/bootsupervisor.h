/* SPDX-License-Identifier: MIT */
/* What runit and s6 put into the folder of a service that they look after: it goes with the service. */
#ifndef TDS_BOOTSUPERVISOR_H
#define TDS_BOOTSUPERVISOR_H

#include "base/err.h"

/*
 * Wait until no supervisor looks after the folder of a service, at, and remove what one has left there.
 * wait_ms: from the moment at which it is told to end; 0: it is only looked whether there is one.
 * Errors:  TDS_E_REFUSED: one is there, and nothing was removed; TDS_E_WRITE.
 */
int boot_supervisor_clear(const char *at, int wait_ms, struct tds_err *err) TDS_MUST_CHECK;

#endif
