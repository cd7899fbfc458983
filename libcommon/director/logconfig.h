/* SPDX-License-Identifier: MIT */
/*
 * thesplog.cfg: what of Python's logging.config.dictConfig may stand there. A configuration can name things to be
 * imported and called; only classes of the standard library's logging may be, and Thespian's own filter. Nothing here
 * logs.
 */
#ifndef TDS_LOGCONFIG_H
#define TDS_LOGCONFIG_H

#include "base/err.h"
#include "literal/value.h"

#define TDS_LOGCONFIG_LEVEL_DEFAULT 30 /* of a configuration that names no level: WARNING */

/* Errors: TDS_E_SYNTAX with the place of what is not allowed. */
int tds_logconfig_check(const struct tds_value *config, struct tds_err *err) TDS_MUST_CHECK;

/* The lowest level that it names for a logger or handler: what is below need not be sent to it. */
int tds_logconfig_level(const struct tds_value *config);

#endif
