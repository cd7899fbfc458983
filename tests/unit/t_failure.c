/* SPDX-License-Identifier: MIT */
/* The kinds of failure, here and in the host. With any argument it prints what the host's file is to be. */
#include "unit.h"

#include "base/mem.h"
#include "daemon/base/failure.h"

#define HOSTS "libexec/host/tdshost/wire/failure.py"

static const char head[] = "# SPDX-License-Identifier: MIT\n"
			   "\"\"\"Why an actor could not be created: the kinds, as daemon and host "
			   "name them to each other.\n"
			   "\n"
			   "Written from libexec/daemon/base/failure.h by tests/unit/t_failure.c, "
			   "which holds the two equal.\n"
			   "\"\"\"\n"
			   "from typing import Dict, Optional\n"
			   "\n";

static void write_host(FILE *out)
{
	(void)fputs(head, out);
#define CONSTANT(id, name, returns, raises) (void)fprintf(out, "%s = '%s'\n", #id, name);
	FAILURES(CONSTANT)
#undef CONSTANT
	(void)fputs("\n# The exception that a program gets which asked for the actor; None: it "
		    "gets an address.\n"
		    "RAISES: Dict[str, Optional[str]] = {\n",
		    out);
#define RAISES(id, name, returns, raises)                                  \
	(void)fprintf(out, "    %s: %s%s%s,\n", #id, *(raises) ? "'" : "", \
		      *(raises) ? (raises) : "None", *(raises) ? "'" : "");
	FAILURES(RAISES)
#undef RAISES
	(void)fputs("}\n", out);
}

static void host_has_the_same(void **state)
{
	tds_autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	write_host(out);
	assert_int_equal(fclose(out), 0);
	tds_autofree char *host = get(AT_FDCWD, HOSTS, NULL);
	assert_string_equal(host, text);
}

static void each_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum failure kind = 0; kind < FAILURE_COUNT; kind++) {
		enum failure other = kind == FAILURE_INIT ? FAILURE_EXIT : FAILURE_INIT;

		assert_int_equal(failure_parse(failure_name(kind), other), kind);
	}
}

static void a_name_that_is_none_is_the_other(void **state)
{
	(void)state;
	assert_int_equal(failure_parse(NULL, FAILURE_PROCESS), FAILURE_PROCESS);
	assert_int_equal(failure_parse("", FAILURE_INIT), FAILURE_INIT);
	assert_int_equal(failure_parse("impor", FAILURE_INIT), FAILURE_INIT);
}

static void what_was_sent_goes_back_where_it_can_never_be(void **state)
{
	(void)state;
	for (enum failure kind = 0; kind < FAILURE_COUNT; kind++)
		assert_int_equal(failure_returns(kind),
				 kind == FAILURE_IMPORT || kind == FAILURE_CLASS ||
					 kind == FAILURE_CAPABILITY || kind == FAILURE_SOURCE);
}

static void only_what_has_an_address_raises_nothing(void **state)
{
	(void)state;
	for (enum failure kind = 0; kind < FAILURE_COUNT; kind++)
		assert_int_equal(failure_raises(kind) == NULL,
				 kind == FAILURE_INIT || kind == FAILURE_EXIT);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_has_the_same),
		cmocka_unit_test(each_has_a_name_of_its_own),
		cmocka_unit_test(a_name_that_is_none_is_the_other),
		cmocka_unit_test(what_was_sent_goes_back_where_it_can_never_be),
		cmocka_unit_test(only_what_has_an_address_raises_nothing),
	};

	(void)argv;
	if (argc > 1) {
		write_host(stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
