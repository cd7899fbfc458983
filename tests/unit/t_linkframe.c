/* SPDX-License-Identifier: MIT */
/* Frames between tds-link and who started it, and the subjects that go in them: each kind whole, cut, and wrong. */
#include "unit.h"

#include "base/wire.h"
#include "convention/linkframe.h"
#include "convention/subject.h"

/* --- frames --- */

struct sample {
	bool to_link;
	struct tds_linkframe frame;
	const char *wire; /* behind the length */
	size_t len;
};

#define NUMBER_1 "\1\0\0\0\0\0\0\0"
#define NUMBER_2 "\2\0\0\0\0\0\0\0"
#define WIRE(text) .wire = (text), .len = sizeof(text) - 1
#define NAME(text) .name = (text), .name_len = sizeof(text) - 1
#define DATA(text) .data = (text), .len = sizeof(text) - 1

static const struct sample samples[] = {
	{ true, { TDS_LINK_CONFIG, DATA("{}") }, WIRE("C{}") },
	{ true, { TDS_LINK_PUBLISH, NAME("a.b"), DATA("\0x") }, WIRE("P\3a.b\0x") },
	{ true, { TDS_LINK_PUBLISH, NAME("a"), DATA("") }, WIRE("P\1a") },
	{ true, { TDS_LINK_GET, .number = 1, NAME("k") }, WIRE("G" NUMBER_1 "\1k") },
	{ true, { TDS_LINK_CREATE, .number = 1, NAME("k"), DATA("v") }, WIRE("N" NUMBER_1 "\1kv") },
	{ true,
	  { TDS_LINK_UPDATE, .number = 1, .revision = 2, NAME("k"), DATA("v") },
	  WIRE("U" NUMBER_1 NUMBER_2 "\1kv") },
	{ true,
	  { TDS_LINK_DELETE, .number = 1, .revision = 2, NAME("k") },
	  WIRE("D" NUMBER_1 NUMBER_2 "\1k") },
	{ true, { .kind = TDS_LINK_WATCH }, WIRE("W") },
	{ false,
	  { TDS_LINK_STATE, .number = TDS_LINK_STORE, .code = TDS_LINK_REFUSED, DATA("why") },
	  WIRE("S" NUMBER_1 "\3why") },
	{ false, { TDS_LINK_MESSAGE, NAME("a"), DATA("m") }, WIRE("M\1am") },
	{ false,
	  { TDS_LINK_ANSWER, .number = 1, .revision = 2, .code = TDS_LINK_CONFLICT, DATA("") },
	  WIRE("A" NUMBER_1 NUMBER_2 "\1") },
	{ false,
	  { TDS_LINK_CHANGED, .revision = 2, .code = TDS_LINK_DELETED, NAME("k"), DATA("") },
	  WIRE("H" NUMBER_2 "\1\1k") },
	{ false,
	  { TDS_LINK_TROUBLE, .number = TDS_LINK_STORE, .code = TDS_LINK_OTHER, DATA("t") },
	  WIRE("T" NUMBER_1 "\4t") },
};

static void assert_frames_equal(const struct tds_linkframe *a, const struct tds_linkframe *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->revision, b->revision);
	assert_int_equal(a->code, b->code);
	assert_int_equal(a->name_len, b->name_len);
	assert_int_equal(a->len, b->len);
	if (a->name_len)
		assert_memory_equal(a->name, b->name, a->name_len);
	if (a->len)
		assert_memory_equal(a->data, b->data, a->len);
}

static void check_sample(const struct sample *sample, const struct tds_buf *wire)
{
	struct tds_linkframe read;
	struct tds_err err = { 0 };

	assert_int_equal(wire->len, 4 + sample->len);
	assert_int_equal(wire_get32((const unsigned char *)wire->data), sample->len);
	assert_memory_equal(wire->data + 4, sample->wire, sample->len);
	for (size_t len = 0; len < wire->len; len++)
		assert_int_equal(tds_linkframe_read(wire->data, len, sample->to_link, &read, &err),
				 0);
	/* What comes behind it is not its own. */
	assert_int_equal(
		tds_linkframe_read(wire->data, wire->len + 1, sample->to_link, &read, &err),
		wire->len);
	assert_frames_equal(&read, &sample->frame);
	/* The other side says no such thing. */
	assert_int_equal(tds_linkframe_read(wire->data, wire->len, !sample->to_link, &read, &err),
			 TDS_E_SYNTAX);
}

static void each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct tds_buf wire = { 0 };

		assert_true(tds_linkframe_add(&wire, &samples[i].frame));
		check_sample(&samples[i], &wire);
		tds_buf_fini(&wire);
	}
}

static void largest(void **state)
{
	static char data[TDS_LINKFRAME_DATA_MAX + 1];
	static char name[TDS_LINKFRAME_NAME_MAX + 1];
	struct tds_linkframe frame = { TDS_LINK_UPDATE, .number = 1, .name = name, .data = data };
	struct tds_linkframe read;
	struct tds_buf wire = { 0 };
	struct tds_err err = { 0 };

	(void)state;
	frame.name_len = sizeof(name);
	assert_false(tds_linkframe_add(&wire, &frame));
	frame.name_len = sizeof(name) - 1;
	frame.len = sizeof(data);
	assert_false(tds_linkframe_add(&wire, &frame));
	assert_int_equal(wire.len, 0);
	frame.len = sizeof(data) - 1;
	assert_true(tds_linkframe_add(&wire, &frame));
	assert_int_equal(tds_linkframe_read(wire.data, wire.len, true, &read, &err), wire.len);
	assert_frames_equal(&read, &frame);
	tds_buf_fini(&wire);
}

static void wrong(void **state)
{
	static const struct {
		bool to_link;
		const char *bytes;
		size_t len;
		const char *reason;
	} bad[] = {
#define BYTES(text) (text), sizeof(text) - 1
		{ true, BYTES("\0\0\0\0"), "a frame of 0 bytes" },
		{ true, BYTES("\x13\x01\x10\0"), "a frame of 1048851 bytes" },
		{ true, BYTES("\xff\xff\xff\xff"), "a frame of 4294967295 bytes" },
		{ true, BYTES("\2\0\0\0X"), "a frame of kind 88" },
		{ true, BYTES("\2\0\0\0\0"), "a frame of kind 0" },
		{ true, BYTES("\1\0\0\0G"), "a wrong frame of kind G" },
		{ true, BYTES("\2\0\0\0W."), "a wrong frame of kind W" },
		{ true, BYTES("\3\0\0\0P\2a"), "a wrong frame of kind P" },
		{ true, BYTES("\x0b\0\0\0G\0\0\0\0\0\0\0\0\1k"), "a wrong frame of kind G" },
		{ true, BYTES("\x0c\0\0\0G\1\0\0\0\0\0\0\0\1kk"), "a wrong frame of kind G" },
		{ false, BYTES("\x0a\0\0\0S\0\0\0\0\0\0\0\0\4"), "a wrong frame of kind S" },
		{ false, BYTES("\x0a\0\0\0S\2\0\0\0\0\0\0\0\0"), "a wrong frame of kind S" },
		{ false, BYTES("\x0a\0\0\0T\0\0\0\0\0\0\0\0\5"), "a wrong frame of kind T" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tds_linkframe read;
		struct tds_err err = { 0 };

		assert_int_equal(
			tds_linkframe_read(bad[i].bytes, bad[i].len, bad[i].to_link, &read, &err),
			TDS_E_SYNTAX);
		assert_string_equal(err.reason, bad[i].reason);
	}
}

/* --- subjects --- */

#define LONGEST "abcdefghijklmnopqrstuvwxyz-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXY"

static void subjects(void **state)
{
	struct tds_subject subject;
	char text[TDS_SUBJECT_MAX];

	(void)state;
	assert_true(tds_subject_make(text, "a", "db-1", "link"));
	assert_string_equal(text, "tds.m.a.db-1.link");
	assert_true(tds_subject_read(text, strlen(text), &subject));
	assert_string_equal(subject.from, "a");
	assert_string_equal(subject.to, "db-1");
	assert_string_equal(subject.channel, "link");
	assert_true(tds_subject_make(text, "a", NULL, "beat"));
	assert_string_equal(text, "tds.m.a.all.beat");
	assert_true(tds_subject_read(text, strlen(text), &subject));
	assert_string_equal(subject.to, "");
	assert_true(tds_subject_make(text, LONGEST, LONGEST, "abcdefghijklmnop"));
	assert_true(tds_subject_read(text, strlen(text), &subject));
	assert_string_equal(subject.to, LONGEST);
	assert_true(tds_subject_mine(text, "a"));
	assert_string_equal(text, "tds.m.*.a.>");
	assert_true(tds_subject_all(text));
	assert_string_equal(text, "tds.m.*.all.>");
}

static void no_subjects(void **state)
{
	static const char *const none[] = {
		"",
		"tds.m.",
		"tds.m.a",
		"tds.m.a.b",
		"tds.m.a.b.",
		"tds.m.a.b.c.d",
		"tds.m.a..c",
		"tds.m..b.c",
		"tds.m.all.b.c",
		"tds.m.*.b.c",
		"tds.m.a.>.c",
		"tds.m.a.b.C",
		"tds.m.a.b.c d",
		"tds.m.a.b.abcdefghijklmnopq",
		"tds.x.a.b.c",
		"TDS.m.a.b.c",
		"tds.m." LONGEST "x.b.c",
		"_INBOX.a",
	};
	struct tds_subject subject;
	char text[TDS_SUBJECT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(tds_subject_read(none[i], strlen(none[i]), &subject));
	assert_false(tds_subject_read("tds.m.a.b.c\0", 12, &subject));
	assert_false(tds_subject_make(text, "all", "b", "c"));
	assert_false(tds_subject_make(text, "a", "all", "c"));
	assert_false(tds_subject_make(text, "a.b", "b", "c"));
	assert_false(tds_subject_make(text, "a", "", "c"));
	assert_false(tds_subject_make(text, "a", "b", ""));
	assert_false(tds_subject_mine(text, "*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind), cmocka_unit_test(largest),     cmocka_unit_test(wrong),
		cmocka_unit_test(subjects),  cmocka_unit_test(no_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
