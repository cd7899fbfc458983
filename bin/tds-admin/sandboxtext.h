/* SPDX-License-Identifier: MIT */
/* What is known of a sandbox, as text and as JSON. */
#ifndef TDS_ADMIN_SANDBOXTEXT_H
#define TDS_ADMIN_SANDBOXTEXT_H

#include <jansson.h>
#include <stdio.h>

#include "director/rundir.h"
#include "director/sandboxdecide.h"
#include "director/tli.h"

/* As far as it is known. */
struct explained {
	char *group;  /* NULL: not known */
	char *file;   /* the package; NULL: the group has none */
	char *data;   /* the folder for what its actors keep */
	bool own_uid; /* each group has one */
	struct tds_sandbox_policy policy;
	struct tds_tli declared; /* with the package */
	struct tds_tli defined;  /* by the group */
	struct tds_sandbox_kernel kernel;
	struct tds_sandbox_decision decision; /* its rule is NULL where it did not come to that */
};

void explained_print(FILE *out, const struct explained *x);

/* A new reference; NULL: out of memory. */
json_t *explained_json(const struct explained *x);

#endif
