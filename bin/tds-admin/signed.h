/* SPDX-License-Identifier: MIT */
/* What is signed with a package, and what the directory declares beside it, for commands that explain what comes of both. */
#ifndef TDS_ADMIN_SIGNED_H
#define TDS_ADMIN_SIGNED_H

#include "base/dir.h"
#include "director/tli.h"

/*
 * The declaration of a package, which tds-verify looks at for that; none: without a value.
 * Owner:   caller frees *tli with tds_tli_fini, on success only.
 * Errors:  those of tds-verify; TDS_E_SYNTAX, TDS_E_NOMEM.
 */
int signed_read(const struct tds_dir *dir, const char *path, struct tds_tli *tli,
		struct tds_err *err) TDS_MUST_CHECK;

/* GROUP.tli of the directory; the same owner. Errors: those of tds_tli_read; the reason names the file. */
int declared_read(const struct tds_dir *dir, const char *group, struct tds_tli *tli,
		  struct tds_err *err) TDS_MUST_CHECK;

#endif
