/* SPDX-License-Identifier: MIT */
/* What the fakes were asked, a line each, in the order in which it was asked. */
#ifndef TDS_TESTS_FAKE_TRACE_H
#define TDS_TESTS_FAKE_TRACE_H

#include "base/err.h"

struct fake_trace {
	char *text; /* NULL: nothing */
};

/* Nothing where trace is NULL. */
TDS_PRINTF(2, 3) void fake_trace_add(struct fake_trace *trace, const char *format, ...);

/* The lines whose first word is one of words, ", " between them; the trace begins anew. Caller frees. */
char *fake_trace_take(struct fake_trace *trace, const char *words);

#endif
