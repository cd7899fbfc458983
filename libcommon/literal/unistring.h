/* SPDX-License-Identifier: MIT */
/* libunistring, loaded at the first question. */
#ifndef TDS_UNISTRING_H
#define TDS_UNISTRING_H

/* A function of it by its name. NULL: libunistring is not installed, or has none of that name. */
void *tds_unistring(const char *name);

#endif
