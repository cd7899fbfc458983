/* SPDX-License-Identifier: MIT */
/*
 * The documents of the run directory: JSON that an admin process has written, and that nobody believes in another form. What
 * desired.json, floor.json and uids.json hold is judged where they are described: desired.h, floor.h, uids.h.
 */
#ifndef TDS_RUNDOC_H
#define TDS_RUNDOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * The text of one. fits: is it one, in all that is read of it? NULL: only its version counts.
 * Owner:   caller frees the document with json_decref.
 * Errors:  NULL, TDS_E_UNUSABLE: it is no such document; with the place where it is no JSON. The reason does not name it.
 */
json_t *tds_rundoc_parse(const char *text, size_t len, bool (*fits)(const json_t *document),
			 struct tds_err *err) TDS_MUST_CHECK;

/* loaded.json: {"Version": 1, "Sources": [{"Group", "File", "Path", "SHA256", "Active", ...}, ...]}. */
bool tds_rundoc_fits_loaded(const json_t *document);

/* membership.json: {"Version": 1, "Epoch": 32 hexadecimal digits, "Term": a number}. */
#define TDS_MEMBERSHIP_EPOCH 32
bool tds_rundoc_fits_membership(const json_t *document);

/*
 * groups.json: {"Version": 1, "Groups": {GROUP: text of a declaration}}.
 * Errors:  TDS_E_UNUSABLE: it is none, with the group.
 */
int tds_rundoc_judge_groups(const json_t *document, struct tds_err *err) TDS_MUST_CHECK;

#endif
