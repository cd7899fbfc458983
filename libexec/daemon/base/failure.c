/* SPDX-License-Identifier: MIT */
/* The kinds of failure, by number and by name. */
#include "failure.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	bool returns;
	const char *raises;
} kinds[] = {
#define FAILURE_KIND(id, name, returns, raises) [FAILURE_##id] = { name, returns, raises },
	FAILURES(FAILURE_KIND)
#undef FAILURE_KIND
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == FAILURE_COUNT, "each kind has its row");

const char *failure_name(enum failure failure)
{
	assert(failure < FAILURE_COUNT);
	return kinds[failure].name;
}

enum failure failure_parse(const char *name, enum failure otherwise)
{
	for (size_t i = 0; name && i < FAILURE_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return (enum failure)i;
	return otherwise;
}

bool failure_returns(enum failure failure)
{
	assert(failure < FAILURE_COUNT);
	return kinds[failure].returns;
}

const char *failure_raises(enum failure failure)
{
	assert(failure < FAILURE_COUNT);
	return *kinds[failure].raises ? kinds[failure].raises : NULL;
}
