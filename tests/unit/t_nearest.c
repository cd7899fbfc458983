/* SPDX-License-Identifier: MIT */
/* "Did you mean": how far two words are from each other, and which of many is near enough to be meant. */
#include "unit.h"

#include "base/nearest.h"

static void distances(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		unsigned distance;
	} pairs[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "list", "list", 0 },
		{ "lst", "list", 1 },
		{ "listt", "list", 1 },
		{ "lisd", "list", 1 },
		{ "lsit", "list", 1 },
		{ "ca", "abc", 3 },
		{ "kitten", "sitting", 3 },
		{ "boostart", "bootstart", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		assert_int_equal(tds_nearest_distance(pairs[i].a, pairs[i].b, 9),
				 pairs[i].distance);
		assert_int_equal(tds_nearest_distance(pairs[i].b, pairs[i].a, 9),
				 pairs[i].distance);
	}
	assert_int_equal(tds_nearest_distance("kitten", "sitting", 1), 2);
}

/* A word as long as may be is compared, a longer one is far from everything, itself too. */
static void long_words(void **state)
{
	char word[TDS_NEAREST_WORD_MAX + 2];

	(void)state;
	memset(word, 'x', sizeof(word));
	word[TDS_NEAREST_WORD_MAX] = '\0';
	assert_int_equal(tds_nearest_distance(word, word + 1, 3), 1);
	assert_int_equal(tds_nearest_distance(word, "", 3), 4);
	word[TDS_NEAREST_WORD_MAX] = 'x';
	word[TDS_NEAREST_WORD_MAX + 1] = '\0';
	assert_int_equal(tds_nearest_distance(word, word, 3), 4);
}

static void meant(void **state)
{
	static const char *const commands[] = {
		"start", "shutdown", "status", "list", "role", NULL
	};
	static const struct {
		const char *word;
		const char *hint;
	} words[] = {
		{ "lst", " (did you mean \"list\"?)" },
		{ "sttaus", " (did you mean \"status\"?)" },
		{ "stat", " (did you mean \"start\"?)" },
		{ "shutdonw", " (did you mean \"shutdown\"?)" },
		{ "rl", "" },
		{ "list", "" }, /* it is there: whatever is wrong, not the word */
		{ "", "" },
		{ "frobnicate", "" },
	};
	char hint[TDS_NEAREST_HINT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct tds_nearest nearest = { .word = words[i].word };

		for (size_t c = 0; c < COUNT(commands); c++)
			tds_nearest_offer(&nearest, commands[c]);
		assert_string_equal(tds_nearest_hint(&nearest, hint), words[i].hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(long_words),
		cmocka_unit_test(meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
