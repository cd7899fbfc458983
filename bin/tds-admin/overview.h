/* SPDX-License-Identifier: MIT */
/* How each group is, at a glance: what list begins it with. */
#ifndef TDS_ADMIN_OVERVIEW_H
#define TDS_ADMIN_OVERVIEW_H

#include <jansson.h>
#include <stdio.h>

#include "base/dir.h"

/*
 * Add to each group of an answer to RetrieveAll as Newest the name of its newest package in the director directory, where
 * that is not what is active: another file, or another content. Where the directory cannot be read nothing is added.
 */
void overview_add_newest(const struct tds_dir *dir, json_t *answer);

/* The source of a group in such an answer that is active, borrowed; NULL: none. */
const json_t *overview_active(const json_t *group);

/* "  Version 1, foo-1.tls, since TIME, by birch_tls.key, newest foo-2.tls, held, 2 restarts", and a newline. */
void overview_print(FILE *out, const json_t *group);

#endif
