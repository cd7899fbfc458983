/* SPDX-License-Identifier: MIT */
/* A beat: words with one blank between them. */
#include "beat.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define NUMBER_MAX ((uint64_t)1 << 53)
#define NONE "-" /* in place of an epoch that is not known */

static const char *const roles[] = {
	[MEMBER_ORDINARY] = "member", [MEMBER_CANDIDATE] = "candidate", [MEMBER_LEADER] = "leader"
};

size_t beat_write(const struct beat *beat, char text[MEMBERS_BEAT_MAX])
{
	return (size_t)snprintf(text, MEMBERS_BEAT_MAX,
				"%" PRIu64 " %s %s %" PRIu64 " %" PRId64 " %" PRId64 " %s %" PRIu64
				" %" PRIu64 " %" PRIu64 " %" PRIu64 " %s%s",
				beat->protocol, beat->epoch, *beat->after ? beat->after : NONE,
				beat->count, beat->wall_ms, beat->started_wall_ms,
				roles[beat->role], beat->term, beat->number, beat->actors,
				beat->load, beat->version, beat->leaves ? " leaves" : "");
}

/* What is left of a line. */
struct words {
	const char *at;
	const char *end;
};

/* The next word; of no length: there is none. */
static size_t next_word(struct words *words, const char **word)
{
	const char *blank = memchr(words->at, ' ', (size_t)(words->end - words->at));
	const char *end = blank ? blank : words->end;

	*word = words->at;
	words->at = blank ? blank + 1 : end;
	return (size_t)(end - *word);
}

static bool read_number(struct words *words, uint64_t max, uint64_t *value)
{
	const char *word;
	size_t len = next_word(words, &word);

	return tds_parse_uint(word, len, max, value);
}

static bool read_time(struct words *words, int64_t *value)
{
	uint64_t number = 0;
	bool good = read_number(words, NUMBER_MAX, &number);

	*value = (int64_t)number;
	return good;
}

static bool read_text(struct words *words, char *to, size_t size)
{
	const char *word;
	size_t len = next_word(words, &word);

	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (word[i] < '!' || word[i] > '~')
			return false;
	memcpy(to, word, len);
	to[len] = '\0';
	return true;
}

static bool read_epoch(struct words *words, char epoch[REFERENCE_SIZE])
{
	return read_text(words, epoch, REFERENCE_SIZE) &&
	       tds_text_is_hex(epoch, REFERENCE_SIZE - 1);
}

static bool read_after(struct words *words, char epoch[REFERENCE_SIZE])
{
	struct words before = *words;

	if (read_epoch(words, epoch))
		return true;
	*words = before;
	bool none = read_text(words, epoch, REFERENCE_SIZE) && strcmp(epoch, NONE) == 0;
	*epoch = '\0';
	return none;
}

static bool read_role(struct words *words, enum member_role *role)
{
	char word[16];

	if (!read_text(words, word, sizeof(word)))
		return false;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(word, roles[i]) == 0) {
			*role = (enum member_role)i;
			return true;
		}
	}
	return false;
}

/* Whether it is the last one is told by a word more. */
static bool read_end(struct words *words, bool *leaves)
{
	char word[16];

	*leaves = words->at[-1] == ' ';
	return *leaves ? read_text(words, word, sizeof(word)) && strcmp(word, "leaves") == 0 &&
				 words->at == words->end && words->at[-1] != ' '
		       : words->at == words->end;
}

bool beat_read(const char *text, size_t len, struct beat *beat)
{
	struct words words = { text, text + len };

	if (len >= MEMBERS_BEAT_MAX || !read_number(&words, NUMBER_MAX, &beat->protocol))
		return false;
	if (beat->protocol != MEMBERS_PROTOCOL)
		return beat->protocol > 0;
	return read_epoch(&words, beat->epoch) && read_after(&words, beat->after) &&
	       read_number(&words, NUMBER_MAX, &beat->count) && read_time(&words, &beat->wall_ms) &&
	       read_time(&words, &beat->started_wall_ms) && read_role(&words, &beat->role) &&
	       read_number(&words, NUMBER_MAX, &beat->term) &&
	       read_number(&words, NUMBER_MAX, &beat->number) &&
	       read_number(&words, NUMBER_MAX, &beat->actors) &&
	       read_number(&words, MEMBERS_LOAD_MAX, &beat->load) &&
	       read_text(&words, beat->version, sizeof(beat->version)) &&
	       read_end(&words, &beat->leaves);
}
