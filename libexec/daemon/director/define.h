/* SPDX-License-Identifier: MIT */
/* DefineGroup: a declaration that comes as a message instead of a TLI file. */
#ifndef TDS_DAEMON_DEFINE_H
#define TDS_DAEMON_DEFINE_H

#include <jansson.h>

#include "base/err.h"

/*
 * The text of the TLI file that would say what a DefineGroup request says: its Actors, AutoUnload, TLS_Keep_Limit,
 * Health and Activate. It is checked as a TLI file is.
 * Owner:   caller frees *text.
 * Errors:  TDS_E_USAGE, TDS_E_NOMEM.
 */
int define_text(const json_t *request, char **text, struct tds_err *err) TDS_MUST_CHECK;

#endif
