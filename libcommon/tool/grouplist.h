/* SPDX-License-Identifier: MIT */
/* What the admin process answers to RetrieveAll, as the list that people read. How an actor looks is its caller's. */
#ifndef TDS_GROUPLIST_H
#define TDS_GROUPLIST_H

#include <jansson.h>
#include <stdio.h>

/*
 * Write the groups of an answer, the oldest load of each first; write_head (NULL: none): below the name of each group, write_run:
 * for each actor. Names are escaped.
 */
void tds_grouplist_write(FILE *out, json_t *answer,
			 void (*write_head)(FILE *out, const json_t *group),
			 void (*write_run)(FILE *out, const json_t *run));

/* The address of an actor of the answer, as text. NULL: it has none at the moment. */
const char *tds_grouplist_address(const json_t *run);

#endif
