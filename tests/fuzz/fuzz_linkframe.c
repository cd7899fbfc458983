/* SPDX-License-Identifier: MIT */
/*
 * Frames of tds-link, as each side reads them from the other: the first byte says which side it is. What is read is
 * written again as the same bytes; what is not whole is not whole whatever comes behind. Names are taken for subjects.
 */
#include "convention/linkframe.h"
#include "convention/subject.h"

#include "fuzz.h"

static void check_written(const struct tds_linkframe *frame, const uint8_t *bytes, size_t len)
{
	struct tds_buf out = { 0 };

	CHECK(tds_linkframe_add(&out, frame));
	CHECK(out.len == len && memcmp(out.data, bytes, len) == 0);
	tds_buf_fini(&out);
}

static void check_subject(const char *name, size_t len)
{
	struct tds_subject subject;
	char text[TDS_SUBJECT_MAX];

	if (!tds_subject_read(name, len, &subject))
		return;
	CHECK(tds_subject_make(text, subject.from, subject.to[0] ? subject.to : NULL,
			       subject.channel));
	CHECK(strlen(text) == len && memcmp(text, name, len) == 0);
}

/* The bytes are in memory of their own, so that a sanitizer sees what reads behind them. */
static long read_first(const uint8_t *data, size_t len, bool to_link)
{
	struct tds_linkframe frame;
	struct tds_err err = { 0 };
	uint8_t *bytes = malloc(len ? len : 1);

	CHECK(bytes);
	if (len)
		memcpy(bytes, data, len);
	long n = tds_linkframe_read(bytes, len, to_link, &frame, &err);
	CHECK(n >= 0 ? (size_t)n <= len : n == TDS_E_SYNTAX && err.reason[0]);
	if (n > 0) {
		check_written(&frame, bytes, (size_t)n);
		check_subject(frame.name ? frame.name : "", frame.name_len);
	}
	free(bytes);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool to_link = size > 0 && data[0] & 1;

	for (size_t at = 1; at < size;) {
		long n = read_first(data + at, size - at, to_link);

		if (n <= 0)
			break;
		/* One byte less, and it is not whole. */
		CHECK(read_first(data + at, (size_t)n - 1, to_link) == 0);
		at += (size_t)n;
	}
	return 0;
}
