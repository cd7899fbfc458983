/* SPDX-License-Identifier: MIT */
/*
 * Group names, package names and the order of versions. What stands behind the group's name is cut into runs of
 * digits and runs of anything else; what ends first comes first.
 */
#include "version.h"

#include <stdio.h>
#include <string.h>

#define SUFFIX_LEN (sizeof(TDS_TLS_SUFFIX) - 1)

struct span {
	const char *at;
	size_t len;
};

bool tds_group_name_ok(const char *group)
{
	if (group[0] == '\0' || group[0] == '.' || group[0] == '-')
		return false;
	for (const unsigned char *c = (const unsigned char *)group; *c; c++)
		if (*c < 0x20 || *c == 0x7f || *c == '/' ||
		    (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			return false;
	return true;
}

static bool has_suffix(const char *file, size_t len)
{
	return len >= SUFFIX_LEN &&
	       memcmp(file + len - SUFFIX_LEN, TDS_TLS_SUFFIX, SUFFIX_LEN) == 0;
}

bool tds_group_fits(const char *group, const char *file, const char **version)
{
	size_t len = strlen(file);
	size_t skip = strlen(group);

	if (!has_suffix(file, len) || len < skip + SUFFIX_LEN || memcmp(file, group, skip) != 0)
		return false;
	if (len > skip + SUFFIX_LEN && file[skip] != '-')
		return false;
	if (version)
		*version = len > skip + SUFFIX_LEN ? file + skip + 1 : NULL;
	return true;
}

char *tds_group_file(const char *group, const char *version)
{
	char *file = NULL;

	return asprintf(&file, "%s%s%s" TDS_TLS_SUFFIX, group, *version ? "-" : "", version) < 0
		       ? NULL
		       : file;
}

/* What decides the order: all that stands between the group's name and the suffix, '-' included. */
static struct span deciding(const char *group, const char *file)
{
	size_t skip = strlen(group);
	size_t len = strlen(file);

	if (has_suffix(file, len))
		len -= SUFFIX_LEN;
	return skip < len ? (struct span){ file + skip, len - skip }
			  : (struct span){ file + len, 0 };
}

/* ASCII digits alone: other scripts' digits are text, in every locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Cut the first run off rest. */
static struct span next_run(struct span *rest)
{
	struct span run = { rest->at, 0 };
	bool digits = is_digit(*rest->at);

	while (run.len < rest->len && is_digit(run.at[run.len]) == digits)
		run.len++;
	rest->at += run.len;
	rest->len -= run.len;
	return run;
}

static int size_cmp(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* Numbers of any length: without leading zeros the longer one is the larger. */
static int number_cmp(struct span a, struct span b)
{
	for (; a.len > 0 && *a.at == '0'; a.len--)
		a.at++;
	for (; b.len > 0 && *b.at == '0'; b.len--)
		b.at++;
	return a.len != b.len ? size_cmp(a.len, b.len) : memcmp(a.at, b.at, a.len);
}

/* By bytes, which for UTF-8 is the order of its characters. */
static int text_cmp(struct span a, struct span b)
{
	int cmp = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	return cmp != 0 ? cmp : size_cmp(a.len, b.len);
}

int tds_version_cmp(const char *group, const char *a, const char *b)
{
	struct span rest_a = deciding(group, a);
	struct span rest_b = deciding(group, b);

	/*
	 * Both begin with '-', so text and numbers take turns in step, and a run meets one of its own kind. That a
	 * number is older than text comes of this too: "-" begins "-x".
	 */
	while (rest_a.len > 0 && rest_b.len > 0) {
		bool number = is_digit(*rest_a.at);
		struct span run_a = next_run(&rest_a);
		struct span run_b = next_run(&rest_b);
		int cmp = number ? number_cmp(run_a, run_b) : text_cmp(run_a, run_b);

		if (cmp != 0)
			return cmp;
	}
	return rest_a.len != rest_b.len ? size_cmp(rest_a.len, rest_b.len) : strcmp(a, b);
}
