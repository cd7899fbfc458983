/* SPDX-License-Identifier: MIT */
/* The edit distance in which a swap of neighbours is one edit, in three rows. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define NEAR_MAX 3

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned tds_nearest_distance(const char *a, const char *b, unsigned limit)
{
	/* The last three rows of the table; row i % 3 is that of the first i characters of a. */
	unsigned rows[3][TDS_NEAREST_WORD_MAX + 1];
	size_t m = strnlen(a, TDS_NEAREST_WORD_MAX + 1);
	size_t n = strnlen(b, TDS_NEAREST_WORD_MAX + 1);

	if (m > TDS_NEAREST_WORD_MAX || n > TDS_NEAREST_WORD_MAX)
		return limit + 1;
	for (size_t i = 0; i <= m; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];
		const unsigned *two_above = rows[(i + 1) % 3];

		for (size_t j = 0; j <= n; j++) {
			row[j] = (unsigned)(i == 0 ? j : i);
			if (i == 0 || j == 0)
				continue;
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				       least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return least(rows[m % 3][n], limit + 1);
}

void tds_nearest_offer(struct tds_nearest *nearest, const char *candidate)
{
	unsigned limit = least((unsigned)(strlen(nearest->word) / 3), NEAR_MAX);

	if (!candidate || strcmp(candidate, nearest->word) == 0)
		return;
	/* Two letters that changed places are near even in a word of two. */
	limit = limit == 0 && strlen(nearest->word) == 2 ? 1 : limit;
	unsigned distance = tds_nearest_distance(nearest->word, candidate, limit);
	if (distance > limit || (nearest->found && distance >= nearest->distance))
		return;
	nearest->found = candidate;
	nearest->distance = distance;
}

const char *tds_nearest_hint(const struct tds_nearest *nearest, char hint[TDS_NEAREST_HINT_MAX])
{
	hint[0] = '\0';
	if (nearest->found)
		(void)snprintf(hint, TDS_NEAREST_HINT_MAX, " (did you mean \"%s\"?)",
			       nearest->found);
	return hint;
}
