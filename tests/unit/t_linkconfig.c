/* SPDX-License-Identifier: MIT */
/* What tds-link is told first: written from a convention's files, it is read as what they said; else it is refused. */
#include "unit.h"

#include "base/mem.h"
#include "convention/linkconfig.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct tds_bus_server servers[] = {
	{ .port = 4222, .host = "bus.example.com" },
	{ .port = 4223, .host = "::1" },
};
static const struct tds_convention_pems bus_pems = { TEXT("ca\n"), TEXT("cert\n"), TEXT("key\n") };
static const struct tds_convention_pems store_pems = { TEXT("ca\n"), TEXT("cert 2\n"),
						       TEXT("key 2\n") };

static struct tds_convention convention_of(char *tls)
{
	return (struct tds_convention){ .is_there = true,
					.servers = servers,
					.n = COUNT(servers),
					.name = TEXT("thespian"),
					.system = TEXT("db-1"),
					.tls = tls };
}

static void written_is_read(void **state)
{
	char folder[] = "/tls";
	const struct tds_convention convention = convention_of(folder);
	struct tds_linkconfig config;
	struct tds_err err = { 0 };
	char *text = tds_linkconfig_text(&convention, &bus_pems, &store_pems, true);

	(void)state;
	assert_non_null(text);
	assert_int_equal(tds_linkconfig_read(text, strlen(text), &config, &err), 0);
	assert_int_equal(config.n, 2);
	assert_true(config.tls);
	assert_string_equal(config.servers[0].host, "bus.example.com");
	assert_string_equal(config.servers[1].host, "::1");
	assert_int_equal(config.servers[1].port, 4223);
	assert_string_equal(config.name, "thespian");
	assert_string_equal(config.system, "db-1");
	assert_string_equal(config.bus.pems.key, "key\n");
	assert_true(config.store.wanted);
	assert_string_equal(config.store.pems.cert, "cert 2\n");
	tds_linkconfig_fini(&config);
	tds_linkconfig_text_free(text);
}

static void without_tls(void **state)
{
	const struct tds_convention convention = convention_of(NULL);
	struct tds_linkconfig config;
	struct tds_err err = { 0 };
	char *text = tds_linkconfig_text(&convention, NULL, NULL, false);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, "{\"Servers\":[\"nats://bus.example.com:4222\",\"nats://[::1]:"
				  "4223\"],\"Name\":\"thespian\",\"System\":\"db-1\",\"Bus\":{}}");
	assert_int_equal(tds_linkconfig_read(text, strlen(text), &config, &err), 0);
	assert_false(config.tls);
	assert_false(config.store.wanted);
	assert_null(config.bus.pems.key);
	tds_linkconfig_fini(&config);
	tds_linkconfig_text_free(text);
}

#define REST "\"Name\":\"n\",\"System\":\"a\",\"Bus\":{}"
#define WANTS(what) "its configuration has no " what " that can be used"

static void refused(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} bad[] = {
		{ "", "its configuration is no JSON object" },
		{ "[]", "its configuration is no JSON object" },
		{ "{}", WANTS("Servers") },
		{ "{\"Servers\":[7]," REST "}", WANTS("Servers") },
		{ "{\"Servers\":[\"nats://a\",\"tls://b\"]," REST "}", WANTS("Servers") },
		{ "{\"Servers\":[\"nats://a\"],\"Name\":\"n.m\",\"System\":\"a\"}", WANTS("Name") },
		{ "{\"Servers\":[\"nats://a\"],\"Name\":\"n\",\"System\":\"all\"}",
		  WANTS("System") },
		{ "{\"Servers\":[\"nats://a\"],\"Name\":\"n\",\"System\":\"a\"}", WANTS("Bus") },
		{ "{\"Servers\":[\"nats://"
		  "a\"],\"Name\":\"n\",\"System\":\"a\",\"Bus\":{\"CA\":\"\"}}",
		  WANTS("Bus or Store") },
		{ "{\"Servers\":[\"tls://a\"]," REST "}", WANTS("CA") },
		{ "{\"Servers\":[\"tls://"
		  "a\"],\"Name\":\"n\",\"System\":\"a\",\"Bus\":{\"CA\":\"c\","
		  "\"Certificate\":\"c\",\"Key\":7}}",
		  WANTS("Key") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tds_linkconfig config;
		struct tds_err err = { 0 };

		assert_int_equal(
			tds_linkconfig_read(bad[i].text, strlen(bad[i].text), &config, &err),
			TDS_E_SYNTAX);
		assert_string_equal(err.reason, bad[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(without_tls),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
