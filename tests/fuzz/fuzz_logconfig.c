/* SPDX-License-Identifier: MIT */
/*
 * thesplog.cfg: whatever a configuration says, once it is taken it names nothing to be imported or called but what of
 * logging is known to be harmless, however deep, and what is sent for it is of its lowest level.
 */
#include "fuzz.h"

#include <ctype.h>

#include "base/mem.h"
#include "director/logconfig.h"
#include "literal/literal.h"
#include "literal/repr.h"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* A name with dots whose last part alone is capitalised, below logging or logging.handlers. */
static bool is_harmless_class(const struct tds_value *value)
{
	const char *last = strrchr(value->text, '.');

	if (value->type != TDS_VALUE_STR || strlen(value->text) != value->len || !last ||
	    !isupper((unsigned char)last[1]) || begins(last, ".Queue"))
		return false;
	for (const char *c = last + 1; *c; c++)
		if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80)
			return false;
	size_t module = (size_t)(last - value->text);
	return (module == strlen("logging") && begins(value->text, "logging.")) ||
	       (module == strlen("logging.handlers") && begins(value->text, "logging.handlers."));
}

static bool is_key(const struct tds_value *key, const char *name)
{
	return key->type == TDS_VALUE_STR && strcmp(key->text, name) == 0;
}

static void check_harmless(const struct tds_value *value)
{
	bool dict = value->type == TDS_VALUE_DICT;

	CHECK(value->type != TDS_VALUE_STR || !begins(value->text, "ext://") ||
	      strcmp(value->text, "ext://sys.stdout") == 0 ||
	      strcmp(value->text, "ext://sys.stderr") == 0);
	if (!value->items)
		return;
	for (size_t i = 0; i < (dict ? 2 : 1) * value->n; i++)
		check_harmless(value->items[i]);
	for (size_t i = 0; dict && i < value->n; i++) {
		const struct tds_value *key = value->items[2 * i];
		const struct tds_value *named = value->items[2 * i + 1];

		if (is_key(key, "class"))
			CHECK(is_harmless_class(named));
		if (is_key(key, "()"))
			CHECK(is_harmless_class(named) ||
			      is_key(named, "thespian.director.ActorAddressLogFilter"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	tds_auto(value) struct tds_value *config = NULL;
	tds_auto(value) struct tds_value *again = NULL;
	struct tds_err err = { 0 };
	struct input all = { (const char *)data, size };
	tds_autofree char *text = input_text(all);

	if (tds_literal_parse(text, size, true, &config, &err) != 0 ||
	    config->type != TDS_VALUE_DICT)
		return 0;
	int rc = tds_logconfig_check(config, &err);
	CHECK(rc == 0 || (rc == TDS_E_SYNTAX && err.code == rc && err.reason[0] && err.line >= 1));
	if (rc != 0)
		return 0;
	check_harmless(config);
	int level = tds_logconfig_level(config);
	CHECK(level >= 0);
	/* The hosts get it as the text that is made of it: that must be taken as well, and say the same. */
	tds_autofree char *repr = tds_value_repr(config);
	CHECK(repr);
	CHECK(tds_literal_parse(repr, strlen(repr), false, &again, &err) == 0);
	CHECK(tds_logconfig_check(again, &err) == 0 && tds_logconfig_level(again) == level);
	return 0;
}
