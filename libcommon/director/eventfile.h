/* SPDX-License-Identifier: MIT */
/* The event log, for tools that do what the admin process would tell of: it need not run. */
#ifndef TDS_EVENTFILE_H
#define TDS_EVENTFILE_H

#include <jansson.h>

#include "base/dir.h"

/*
 * Add an event, an object whose reference is taken (NULL: none), to the event log of this director directory; Time is put
 * in front, By is whoever runs this. Where there is no log, or this user may not write it, there is nobody to be told.
 */
void tds_eventfile_add(const struct tds_dir *dir, const char *what, json_t *event);

#endif
