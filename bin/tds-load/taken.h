/* SPDX-License-Identifier: MIT */
/* Roles and global names that belong to groups: those of what is loaded, and of what would be. */
#ifndef TDS_LOAD_TAKEN_H
#define TDS_LOAD_TAKEN_H

#include <jansson.h>

#include "base/err.h"
#include "director/tli.h"

/*
 * Whose the names are that the admin's answer to RetrieveAll has: {"Role": {NAME: GROUP}, "GlobalName": {NAME: GROUP}}.
 * answer may be NULL. Caller releases; NULL: out of memory.
 */
json_t *taken_by(const json_t *answer);

/*
 * Take the names of the group's declaration, as a load would. On error none of them is taken.
 * Errors: TDS_E_REFUSED where one belongs to another group, in the words of the admin.
 */
int take(json_t *taken, const char *group, const struct tds_tli *tli,
	 struct tds_err *err) TDS_MUST_CHECK;

#endif
