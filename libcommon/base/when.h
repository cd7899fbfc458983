/* SPDX-License-Identifier: MIT */
/* Times as people and files have them: RFC 3339 in UTC with milliseconds, and "so long ago". */
#ifndef TDS_WHEN_H
#define TDS_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define TDS_WHEN_MAX 40 /* with its NUL */

/* Milliseconds since 1970, now. */
int64_t tds_when_now(void);

/* "2026-11-28T08:30:00.000Z"; "-" for a time outside the years 0 to 9999. */
void tds_when_text(int64_t wall_ms, char text[TDS_WHEN_MAX]);

/*
 * A point in time: RFC 3339 (with Z or an offset, with or without a fraction; a date alone is its midnight, UTC), or a
 * number with s, m, h or d, which is so long before now. False: neither; *wall_ms is left alone.
 */
bool tds_when_parse(const char *text, int64_t now_wall_ms, int64_t *wall_ms);

#endif
