/* SPDX-License-Identifier: MIT */
/*
 * The declaration that is signed with a package, TDS-INF/GROUP.tli: what the package asks for, in the words of who signed
 * it. It declares no group; GROUP.tli of the director directory does, and decides, but where signedtli.cfg says otherwise.
 */
#ifndef TDS_SIGNEDTLI_H
#define TDS_SIGNEDTLI_H

#include "literal/literal_env.h"
#include "package/source.h"
#include "tli.h"

/*
 * Evaluate the declaration that is signed with a verified source; the expression is told what the surroundings say.
 * Source:  its text is signed by a known key, and may be hostile all the same.
 * Shape:   tli->value is NULL where the package has none.
 * Owner:   caller frees *tli with tds_tli_fini.
 * Errors:  TDS_E_SYNTAX, the reason naming member and place; those of tds_source_declaration.
 */
int tds_signedtli_read(const struct tds_source *source, const struct tds_surroundings *around,
		       struct tds_tli *tli, struct tds_err *err) TDS_MUST_CHECK;

#endif
