/* SPDX-License-Identifier: MIT */
/*
 * What tds-verify says of a package. It runs as a process of its own: what is hostile in a package stays there, all tools say
 * the same, and a tool that only sometimes wants a verdict need not load what unpacks archives, which takes longer than
 * the rest of it.
 */
#ifndef TDS_VERDICT_H
#define TDS_VERDICT_H

#include <jansson.h>

#include "base/dir.h"

/*
 * The document of `tds-verify -j`, a new reference; NULL: it said nothing that can be read. The tool is the one that was
 * installed beside this one, and its lines are not printed.
 * Source:  path is a package's, as it is to be shown; dir has the keys.
 */
json_t *tds_verdict_of(const struct tds_dir *dir, const char *path);

/* Why it refuses, of such a document, or of none. 0: it does not. The reason is tds-verify's, without the path. */
int tds_verdict_refusal(const json_t *verdict, struct tds_err *err) TDS_MUST_CHECK;

#endif
