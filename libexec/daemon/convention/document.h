/* SPDX-License-Identifier: MIT */
/* What a system has, as it tells the others. */
#ifndef TDS_DAEMON_CONVENTION_DOCUMENT_H
#define TDS_DAEMON_CONVENTION_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

#define DOCUMENT_MAX (64 << 10) /* bytes */

/*
 * Read a document of another system: its known keys, checked; unknown ones are left out.
 * Shape:   {"Capabilities": {NAME: text of a literal}, "Sources": [{"Group", "Version", "SHA256", "Key", "Active"}],
 *          "Refused": [{"Group", "SHA256", "Reason"}]}, each key there and of texts without NUL; at most DOCUMENT_MAX bytes,
 *          1024 capabilities, 1024 entries of each list.
 * Owner:   a new reference.
 * Errors:  TDS_E_SYNTAX: no such document; TDS_E_NOMEM. NULL then.
 */
json_t *document_read(const char *text, size_t len, struct tds_err *err);

#endif
