/* SPDX-License-Identifier: MIT */
/* The arguments of a call find their places. */
#include <string.h>

#include "call.h"

/* The place of an argument by its name; the count of places where there is none. */
static size_t find_slot(const struct tds_function *function, const struct tds_value *name)
{
	size_t i = 0;

	while (i < function->most &&
	       !(function->names[i] && strcmp(function->names[i], name->text) == 0))
		i++;
	return i;
}

static int bind(struct tds_eval *e, const struct tds_function *function,
		const struct tds_arguments *arguments, struct tds_value *slots[TDS_CALL_MAX_SLOTS])
{
	size_t positional = arguments->n - arguments->n_names;

	if (positional > function->most)
		return TDS_EVAL_REFUSE(e, "%s takes at most %u arguments", function->name,
				       function->most);
	for (size_t i = 0; i < positional; i++)
		slots[i] = arguments->v[i];
	for (size_t i = 0; i < arguments->n_names; i++) {
		size_t slot = find_slot(function, arguments->names[i]);

		if (slot == function->most || slots[slot])
			return TDS_EVAL_REFUSE(e, "%s takes no argument %.60s", function->name,
					       arguments->names[i]->text);
		slots[slot] = arguments->v[positional + i];
	}
	for (size_t i = 0; i < function->least; i++)
		if (!slots[i])
			return TDS_EVAL_REFUSE(e, "%s needs %u argument%s", function->name,
					       function->least, function->least == 1 ? "" : "s");
	return 0;
}

int tds_call_make(struct tds_eval *e, const struct tds_function *function, struct tds_value *self,
		  const struct tds_arguments *arguments, struct tds_value **result)
{
	struct tds_value *slots[TDS_CALL_MAX_SLOTS] = { NULL };
	struct tds_call call = {
		.e = e, .name = function->name, .self = self, .arguments = *arguments
	};

	*result = NULL;
	if (function->most != TDS_CALL_ANY) {
		int rc = bind(e, function, arguments, slots);

		if (rc != 0)
			return rc;
		call.arguments = (struct tds_arguments){ .v = slots, .n = function->most };
	} else if (arguments->n < function->least) {
		return TDS_EVAL_REFUSE(e, "%s needs an argument", function->name);
	} else if (arguments->n_names > 0 && !function->named) {
		return TDS_EVAL_REFUSE(e, "%s takes no argument %.60s", function->name,
				       arguments->names[0]->text);
	}
	return function->call(&call, result);
}
