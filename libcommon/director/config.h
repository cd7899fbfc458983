/* SPDX-License-Identifier: MIT */
/*
 * The configuration files of a director directory, NAME.cfg, one value each: what each may hold,
 * and what it says. It does not know what the values are used for, nor which are there.
 */
#ifndef TDS_CONFIG_H
#define TDS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "literal/value.h"
#include "package/trustfile.h"
#include "tli.h"

#define TDS_CONFIG_MAX_BYTES TDS_TRUST_MAX_BYTES /* of a file */

struct tds_config {
	char *text;              /* the file without the blanks around: what the Director shows */
	struct tds_value *value; /* a str, int, bool or dictionary; of lines, a list of str */
};

/* Is it the name of a configuration file ("adminport.cfg")? */
bool tds_config_known(const char *name);

/*
 * Parse the contents of a configuration file.
 * Source:  text is untrusted; name is a known one.
 * Owner:   caller frees *config with tds_config_fini, on success only.
 * Errors:  TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_config_parse(const char *name, const char *text, size_t len, struct tds_tli_watcher watcher,
		     struct tds_config *config, struct tds_err *err) TDS_MUST_CHECK;

void tds_config_fini(struct tds_config *config);
#define tds_config_cleanup tds_config_fini

#endif
