/* SPDX-License-Identifier: MIT */
/*
 * What tds-verify says of a package. It runs as a process of its own: what is hostile in a package stays there, all tools say
 * the same, and a tool that only sometimes wants a verdict need not load what unpacks archives, which takes longer than
 * the rest of it.
 */
#ifndef TDS_VERDICT_H
#define TDS_VERDICT_H

#include <jansson.h>

#include <stdbool.h>

#include "base/dir.h"
#include "director/tli.h"

/*
 * The document of `tds-verify -j`, a new reference; NULL: it said nothing that can be read. The tool is the one that was
 * installed beside this one, and its lines are not printed.
 * Source:  path is a package's, as it is to be shown; dir has the keys.
 */
json_t *tds_verdict_of(const struct tds_dir *dir, const char *path);

/* Why tds-verify refuses the package, by such a document, or by none. 0: it does not. The reason is its own, without the path. */
int tds_verdict_refusal(const json_t *verdict, struct tds_err *err) TDS_MUST_CHECK;

/*
 * The declaration that is signed with the package, of such a document, or of none.
 * Shape:   tli->value is NULL where there is none.
 * Owner:   caller frees *tli with tds_tli_fini.
 * Errors:  TDS_E_SYNTAX, TDS_E_NOMEM.
 */
int tds_verdict_declaration(const json_t *verdict, struct tds_tli *tli,
			    struct tds_err *err) TDS_MUST_CHECK;

/* Does that alone define a package, as signedtli.cfg has it? A file that cannot be read is the load's to refuse. */
bool tds_verdict_defines(const struct tds_dir *dir);

#endif
