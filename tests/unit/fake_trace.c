/* SPDX-License-Identifier: MIT */
#include "fake_trace.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_trace_add(struct fake_trace *trace, const char *format, ...)
{
	size_t len = trace && trace->text ? strlen(trace->text) : 0;
	char line[256];
	va_list args;

	if (!trace)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	trace->text = realloc(trace->text, len + strlen(line) + 2);
	assert(trace->text);
	(void)sprintf(trace->text + len, "%s\n", line);
}

static bool is_one_of(const char *words, const char *line)
{
	size_t len = strcspn(line, " ");

	for (const char *w = words; *w; w += strcspn(w, " "), w += strspn(w, " "))
		if (strcspn(w, " ") == len && strncmp(w, line, len) == 0)
			return true;
	return false;
}

char *fake_trace_take(struct fake_trace *trace, const char *words)
{
	char *text = trace->text ? trace->text : strdup("");
	char *taken = calloc(1, 2 * strlen(text) + 1);
	char *rest = text;
	char *line;

	assert(taken);
	while ((line = strsep(&rest, "\n")) && *line)
		if (is_one_of(words, line))
			(void)sprintf(taken + strlen(taken), "%s%s", *taken ? ", " : "", line);
	free(text);
	trace->text = NULL;
	return taken;
}
