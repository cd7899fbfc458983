/* SPDX-License-Identifier: MIT */
/* What of a logging configuration is allowed, and the lowest level that it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "director/logconfig.h"
#include "literal/literal.h"

/* -1: not allowed. */
static int level_of(const char *text)
{
	tds_auto(value) struct tds_value *value = NULL;
	struct tds_err err;

	assert_int_equal(tds_literal_parse(text, strlen(text), true, &value, &err), 0);
	int rc = tds_logconfig_check(value, &err);
	if (rc == 0)
		return tds_logconfig_level(value);
	assert_int_equal(rc, TDS_E_SYNTAX);
	assert_true(err.line == 1 && err.column >= 1);
	return -1;
}

static void levels(void **state)
{
	(void)state;
	assert_int_equal(level_of("{'version': 1}"), 30);
	assert_int_equal(level_of("{'version': 1, 'root': {'level': None}}"), 30);
	assert_int_equal(level_of("{'version': 1, 'root': {'level': 'ERROR'}}"), 40);
	assert_int_equal(
		level_of("{'version': 1, 'loggers': {'a': {'level': 7}, 'b': {'level': 'DEBUG'}}}"),
		7);
	assert_int_equal(level_of("{'version': 1, 'root': {'level': 50}, 'handlers': {'h': "
				  "{'level': 'NOTSET'}}}"),
			 0);
	assert_int_equal(level_of("{'version': 1, 'formatters': {'f': {'level': 1}}}"), 30);
	assert_int_equal(level_of("{'version': 1, 'root': [], 'loggers': 3}"), 30);
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{'version': True}",
		"{'version': '1'}",
		"{'version': 1, 'root': {'level': 'warning'}}",
		"{'version': 1, 'root': {'level': -1}}",
		"{'version': 1, 'root': {'level': True}}",
		"{'version': 1, 'handlers': {'h': {'class': 'os.system'}}}",
		("{'version': 1, 'handlers': {'h': {'class': "
		 "'thespian.director.ActorAddressLogFilter'}}}"),
		"{'version': 1, 'handlers': {'h': {'class': 'logging'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.config.X'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.handlers.os.X'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.Handler.x'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.shutdown'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.X\\0.y'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.handlers.QueueListener'}}}",
		"{'version': 1, 'handlers': {'h': {'class': None}}}",
		"{'version': 1, 'formatters': {'f': {'class': 'm.F'}}}",
		"{'version': 1, 'filters': {'f': {'()': 'm.F'}}}",
		"{'version': 1, 'filters': {'f': {'()': ['logging.Filter']}}}",
		"{'version': 1, 'any': [({'deep': [{'()': 'os.system'}]},)]}",
		"{'version': 1, 'handlers': {'h': {'stream': 'ext://sys.stdin'}}}",
		"{'version': 1, 'ext://os.environ': 1}",
		"{'version': 1, 'a': {'b': ['ext://sys.stdout.write']}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (level_of(texts[i]) != -1)
			fail_msg("allowed: %s", texts[i]);
}

static void allowed(void **state)
{
	static const char *const texts[] = {
		"{'version': 1, 'filters': {'f': {'()': "
		"'thespian.director.ActorAddressLogFilter'}}}",
		"{'version': 1, 'filters': {'f': {'()': 'logging.Filter', 'name': 'a'}}}",
		"{'version': 1, 'formatters': {'f': {'class': 'logging.Formatter'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.handlers.SysLogHandler'}}}",
		"{'version': 1, 'handlers': {'h': {'class': 'logging.StreamHandler', 'stream': "
		"'ext://sys.stderr'}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(level_of(texts[i]), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(refused),
		cmocka_unit_test(allowed),
	};

	return cmocka_run_group_tests_name("logconfig", tests, NULL, NULL);
}
