/* SPDX-License-Identifier: MIT */
/*
 * Python literals: values by their typed JSON, refusals by their places and reasons, limits, and
 * time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "literal/literal.h"

/* Typed JSON of what is read, or "LINE:COLUMN: REASON"; caller frees. */
static char *answer(const char *text, size_t len, bool environment)
{
	tds_auto(value) struct tds_value *value = NULL;
	struct tds_err err = { 0 };
	char *out = NULL;

	if (tds_literal_parse(text, len, environment, &value, &err) != 0) {
		assert_null(value);
		assert_true(asprintf(&out, "%u:%u: %s", err.line, err.column, err.reason) > 0);
		return out;
	}
	json_t *json = tds_value_typed_json(value);
	assert_non_null(json);
	out = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return out;
}

static void same(const char *text, const char *wanted)
{
	tds_autofree char *got = answer(text, strlen(text), true);

	assert_string_equal(got, wanted);
}

static void scalars(void **state)
{
	(void)state;
	same("None", "{\"t\":\"none\"}");
	same(" \t-0", "{\"t\":\"int\",\"v\":\"0\"}");
	same("- 0x_Ff", "{\"t\":\"int\",\"v\":\"-255\"}");
	same("0b1_01", "{\"t\":\"int\",\"v\":\"5\"}");
	same("00_0", "{\"t\":\"int\",\"v\":\"0\"}");
	same("01.5e1_0", "{\"t\":\"float\",\"v\":\"15000000000.0\"}");
	same("5e-324", "{\"t\":\"float\",\"v\":\"5e-324\"}");
	same("5.684341886080802e-14", "{\"t\":\"float\",\"v\":\"5.684341886080802e-14\"}");
	same("1e16", "{\"t\":\"float\",\"v\":\"1e+16\"}");
	same("123456789012345.6", "{\"t\":\"float\",\"v\":\"123456789012345.6\"}");
	same("0.0001", "{\"t\":\"float\",\"v\":\"0.0001\"}");
	same("-1e400", "{\"t\":\"float\",\"v\":\"-inf\"}");
	same("-1j", "{\"t\":\"complex\",\"v\":\"(-0-1j)\"}");
	same("(-1)-2J", "{\"t\":\"complex\",\"v\":\"(-1-2j)\"}");
	same("...", "{\"t\":\"ellipsis\"}");
	same("b'\\400\\xfg'", "1:7: truncated \\xXX escape");
	same("b'\\400' b\"\\u00\"", "{\"t\":\"bytes\",\"hex\":\"005c753030\"}");
	same("'a' '''b\r\n''' r'\\n' # c\n", "{\"t\":\"str\",\"v\":\"ab\\n\\\\n\"}");
	same("'\\0\\777\\q\\\n'", "{\"t\":\"str\",\"v\":\"\\u0000\xc7\xbf\\\\q\"}");
	same("'\\N{bullet}'", "{\"t\":\"str\",\"v\":\"\xe2\x80\xa2\"}");
}

static void containers(void **state)
{
	(void)state;
	same("1,", "{\"t\":\"tuple\",\"v\":[{\"t\":\"int\",\"v\":\"1\"}]}");
	same("((1))", "{\"t\":\"int\",\"v\":\"1\"}");
	same("( )", "{\"t\":\"tuple\",\"v\":[]}");
	same("set()", "{\"t\":\"set\",\"v\":[]}");
	same("{ }", "{\"t\":\"dict\",\"v\":[]}");
	/* Of equal keys the first key and the last value stay; a str is never equal to bytes. */
	same("{1: 'a', 1.0: 'b', True: 'c', 1+0j: 'd'}",
	     "{\"t\":\"dict\",\"v\":[[{\"t\":\"int\",\"v\":\"1\"},{\"t\":\"str\",\"v\":\"d\"}]]}");
	same("{-0.0, 0, False, (1, 'a'), (1.0, 'a')}",
	     "{\"t\":\"set\",\"v\":[{\"t\":\"float\",\"v\":\"-0.0\"},{\"t\":\"tuple\",\"v\":[{"
	     "\"t\":\"int\",\"v\":\"1\"},"
	     "{\"t\":\"str\",\"v\":\"a\"}]}]}");
	same("{'a', b'a'}", "{\"t\":\"set\",\"v\":[{\"t\":\"str\",\"v\":\"a\"},{\"t\":\"bytes\","
			    "\"hex\":\"61\"}]}");
	/* 2**53 + 1 is an int that no float equals. */
	same("{9007199254740993, 9007199254740992.0}",
	     "{\"t\":\"set\",\"v\":[{\"t\":\"int\",\"v\":\"9007199254740993\"},{\"t\":\"float\","
	     "\"v\":\"9007199254740992.0\"}]}");
}

static void refusals(void **state)
{
	(void)state;
	same("", "1:1: unexpected end of the text, where a value is expected");
	same("{'x': 1,\n 'y': os.system('id')}", "2:7: call to os.system is not allowed");
	same("[x for x in y]", "1:4: a comprehension is not allowed");
	same("[1, x]", "1:5: name x is not allowed");
	same("f(1)", "1:1: call to f is not allowed");
	same("1 or os.system('id')", "1:6: call to os.system is not allowed");
	same("{}.update({})", "1:1: call to .update is not allowed");
	same("[].get(1)", "1:4: call to .get of a list is not allowed");
	same("'a'.upper", "1:5: .upper is allowed only as a call");
	same("().__class__", "1:1: attribute .__class__ is not allowed");
	same("lambda: 1", "1:1: lambda is not allowed");
	same("int(*[1])", "1:5: '*' before an argument is not allowed");
	same("{'a': [1,\n (2", "2:2: '(' is never closed");
	same("[1,\n'ab\n]", "2:1: string is never closed");
	same("\n'''a\n\n", "2:1: string is never closed");
	same("['\xc3\xa9', }", "1:7: '}' does not match the '[' of line 1, column 1");
	same("1)", "1:2: ')' closes nothing");
	same("\n {}", "2:2: unexpected indentation");
	same("\n  \\\n\f1", "3:2: unexpected indentation");
	same("{}\n{}", "2:1: unexpected '{' after the value");
	same("b\n'x'", "2:1: unexpected string after the value");
	same("\xef\xbb\xbf{}", "1:1: byte order mark (U+FEFF) before the text");
	same("[1,\xe3\x80\x80 2]", "1:4: invalid character U+3000");
	same("'\xff'", "1:2: byte that is not UTF-8");
	same("b'\xc3\xa9'", "1:3: bytes can only hold ASCII characters");
	same("'\\ud800'", "1:2: half of a surrogate pair");
	same("'\\N{NO SUCH THING}'", "1:2: \\N{...} names no known character");
	same("'\\N{LATIN_SMALL LETTER A}'", "1:2: \\N{...} names no known character");
	same("{[]: 1}", "1:2: a list cannot be a key of a dictionary");
	same("{1, (2, {})}", "1:9: a dict cannot be in a set");
	same("- 'a'", "1:1: '-' before a str is not allowed");
	same("1 + 'a'", "1:3: '+' of int and str is not allowed");
	same("1 +\n 2", "1:4: unexpected end of the line, where a value is expected");
	same("{'a': 1}[\"b\"]", "1:10: the dictionary has no key 'b'");
	same("[1,\n 2 // 0]", "2:4: division by zero");
	same("0777", "1:1: a decimal int must not begin with a zero (octal is 0o)");
	same("1__0", "1:1: invalid decimal number");
	same("0b12", "1:4: invalid digit '2' in binary number");
	same("12x", "1:1: invalid number");
	same("[1\\ \n]", "1:4: unexpected character after a line continuation");
	tds_autofree char *got = answer("'a\0b'", 5, true);
	assert_string_equal(got, "1:3: NUL byte");
}

static void environment(void **state)
{
	(void)state;
	assert_int_equal(setenv("TDS_SITE", "north", 1), 0);
	assert_int_equal(unsetenv("TDS_NONE"), 0);
	same("os.getenv('TDS_SITE')", "{\"t\":\"str\",\"v\":\"north\"}");
	same("(os.getenv)(key='TDS_NONE', default=[1],)",
	     "{\"t\":\"list\",\"v\":[{\"t\":\"int\",\"v\":\"1\"}]}");
	same("os.environ.get('TDS_NONE')", "{\"t\":\"none\"}");
	same("os.environ['TDS_SITE'] + os.sep", "{\"t\":\"str\",\"v\":\"north/\"}");
	/* No variable has such a name, though getenv would find one. */
	same("os.getenv('TDS_SITE\\0x')", "{\"t\":\"none\"}");
	assert_int_equal(setenv("TDS_EQUAL", "b=c", 1), 0);
	same("os.getenv('TDS_EQUAL=b')", "{\"t\":\"none\"}");
	same("[os.environ['TDS_NONE']]", "1:13: the environment variable TDS_NONE is not set");
	same("os.path.join('a', 'b/', 'c', '/d', '')", "{\"t\":\"str\",\"v\":\"/d/\"}");
	same("os.path.join(os.getenv('TDS_NONE'), 'x')",
	     "1:14: a part of a path is a str, not NoneType");
	same("sys.maxsize", sizeof(size_t) == 8 ? "{\"t\":\"int\",\"v\":\"9223372036854775807\"}"
						: "{\"t\":\"int\",\"v\":\"2147483647\"}");
	same("os.environ",
	     "1:1: os.environ is allowed only as os.environ['NAME'], os.environ.get('NAME') or "
	     "'NAME' in os.environ");
	same("os.getcwd", "1:1: os.getcwd is allowed only as a call");
	same("os.getenv()", "1:1: os.getenv needs 1 argument");
	same("os.getenv('a', key='b')", "1:1: os.getenv takes no argument key");
	same("os.getenv(5)", "1:11: the name of a variable is a str, not int");
	same("['a'] + ['b'] + []",
	     "{\"t\":\"list\",\"v\":[{\"t\":\"str\",\"v\":\"a\"},{\"t\":\"str\",\"v\":\"b\"}]}");
	tds_autofree char *cwd = getcwd(NULL, 0);
	char wanted[5000];
	(void)snprintf(wanted, sizeof(wanted), "{\"t\":\"str\",\"v\":\"%s\"}", cwd);
	same("os.getcwd()", wanted);
	tds_autofree char *closed = answer("os.sep", 6, false);
	assert_string_equal(closed, "1:1: name os.sep is not allowed");
}

static void formats(void **state)
{
	(void)state;
	same("'%s %y' % 1", "1:9: %: the conversion 'y' is not allowed");
	same("'%s-%5.1f|%-4d|%04i' % ('x', 2.25, 7, -3)",
	     "{\"t\":\"str\",\"v\":\"x-  2.2|7   |-003\"}");
	same("'%(a)s %(a)#06x %%' % {'a': 255}", "{\"t\":\"str\",\"v\":\"255 0x00ff %\"}");
	same("'%5s|%.1s' % ('\xc3\xa9', '\xc3\xa9\xc3\xa9')",
	     "{\"t\":\"str\",\"v\":\"    \xc3\xa9|\xc3\xa9\"}");
	same("'%d %.3d %+d' % (2.9, 5, True)", "{\"t\":\"str\",\"v\":\"2 005 +1\"}");
	same("'%s %s' % 'a'", "1:9: %: not enough values for the format");
	same("'%s' % ('a', 'b')", "1:6: %: too many values for the format");
	same("'x' % []", "{\"t\":\"str\",\"v\":\"x\"}");
	same("'%(b)s' % {'a': 1}", "1:9: %: the dictionary has no key 'b'");
	same("'%' % 1", "1:5: %: the format ends too early");
	same("'%s' % [1, 'a']", "{\"t\":\"str\",\"v\":\"[1, 'a']\"}");
	same("'%s' % {1, 2}", "1:6: a set as text: it has no order");
	same("'%99999999999999999999s' % 1", "1:26: the text gets longer than 1048576 bytes");
	same("'%.999999999d' % 1", "1:16: the text gets longer than 1048576 bytes");
}

/* count times unit between head and tail; caller frees. */
static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t n = strlen(unit);
	char *text = malloc(strlen(head) + n * count + strlen(tail) + 1);
	char *p = text;

	assert_non_null(text);
	p = stpcpy(p, head);
	for (; count > 0; count--)
		p = stpcpy(p, unit);
	(void)stpcpy(p, tail);
	return text;
}

/* Of a value only the beginning is compared. Frees text. */
static void same_long(char *text, const char *wanted)
{
	tds_autofree char *got = answer(text, strlen(text), true);

	if (got[0] == '{' && strlen(got) > strlen(wanted))
		got[strlen(wanted)] = '\0';
	assert_string_equal(got, wanted);
	free(text);
}

static void limits(void **state)
{
	(void)state;
	same_long(repeat("", "[", 201, ""), "1:201: more than 200 nested brackets");
	tds_autofree char *open = repeat("", "(", 200, "1");
	same_long(repeat(open, ")", 200, ""), "{\"t\":\"int\",\"v\":\"1\"}");
	same_long(repeat("", "9", 4301, ""), "1:1: int of more than 4300 digits");
	same_long(repeat("0x", "f", 3572, ""), "1:1: int of more than 4300 digits");
	same_long(repeat("0x", "f", 100000, ""), "1:1: int of more than 4300 digits");
	same_long(repeat("0b", "1", 14284, ""), "{\"t\":\"int\",\"v\":\"");
	same_long(repeat("0", "0", 10000, ""), "{\"t\":\"int\",\"v\":\"0\"}");
	same_long(repeat("", "-", 100000, "1"), "1:1000: nested more than 1000 deep");
	same_long(repeat("[1]", "[:]", 1001, ""), "1:1: nested more than 1000 deep");
	same_long(repeat("[", "1,", TDS_LITERAL_MAX_STEPS, "]"),
		  "1:200000: more than 100000 values");
	same_long(repeat("", " ", TDS_LITERAL_MAX_PURE, "1"),
		  "1:1: the text has more than 1048576 bytes");
	same_long(repeat("a", ".b", 100000, "()"),
		  "1:1: call to "
		  "a.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b."
		  "b.b.b.b.b.b.b.b.b.b.b.b.b.b."
		  "b.b.b.b.b.b... is not allowed");
}

/* Each of these takes minutes where the work grows with the square of the text. */
static void time_is_linear(void **state)
{
	struct timespec begin;
	struct timespec end;

	(void)state;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	same_long(repeat("[", "'a'\"b\"", 100000, "]"),
		  "{\"t\":\"list\",\"v\":[{\"t\":\"str\",\"v\":\"abab");
	same_long(repeat("'x'", "+'abcdefgh'", 49000, ""),
		  "{\"t\":\"str\",\"v\":\"xabcdefghabcdefgh");
	same_long(repeat("[]", "+[1]", 15000, ""), "{\"t\":\"list\",\"v\":[{\"t\":\"int\"");
	same_long(repeat("{", "0:1,", 49000, "}"),
		  "{\"t\":\"dict\",\"v\":[[{\"t\":\"int\",\"v\":\"0\"},{\"t\":\"int\"");
	same_long(repeat("{'a'", ",0xf", 90000, "}"),
		  "{\"t\":\"set\",\"v\":[{\"t\":\"str\",\"v\":\"a\"}");
	same_long(repeat("[", "(),", 90000, "x]"), "1:270002: name x is not allowed");
	same_long(repeat("'", "\\n", 500000, "'"), "{\"t\":\"str\",\"v\":\"\\n\\n");
	same_long(repeat("os.path.join('a'", ",'b'", 30000, ")"), "{\"t\":\"str\",\"v\":\"a/b/b");
	same_long(repeat("f'", "{1}", 30000, "'"), "{\"t\":\"str\",\"v\":\"1111");
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(end.tv_sec - begin.tv_sec < 20);
}

/* A large variable named many times must not become a large text. */
static void environment_is_bounded(void **state)
{
	tds_autofree char *large = repeat("", "x", 100000, "");

	(void)state;
	assert_int_equal(setenv("TDS_LARGE", large, 1), 0);
	same_long(repeat("[", "os.getenv('TDS_LARGE'),", 200, "]"),
		  "1:1451: more than 100000 steps of evaluation");
	same_long(repeat("'", "%(a)s", 200, "' % {'a': os.getenv('TDS_LARGE')}"),
		  "1:1004: the text gets longer than 1048576 bytes");
	assert_int_equal(unsetenv("TDS_LARGE"), 0);
}

/* What ast.literal_eval refuses is refused in a literal, and what it reads is read. */
static void literal(const char *text, const char *wanted)
{
	tds_autofree char *got = answer(text, strlen(text), false);

	assert_string_equal(got, wanted);
}

static void literals(void **state)
{
	(void)state;
	literal("-1+2j", "{\"t\":\"complex\",\"v\":\"(-1+2j)\"}");
	literal("set()", "{\"t\":\"set\",\"v\":[]}");
	literal("--1", "1:1: '-' is allowed only before a number");
	literal("-True", "1:1: '-' is allowed only before a number");
	literal("~1", "1:1: '~' is allowed only before a number");
	literal("1 + 2", "1:3: '+' of int and int is not allowed");
	literal("'a' + 'b'", "1:5: '+' of str and str is not allowed");
	literal("1j + 2j", "1:4: '+' of complex and complex is not allowed");
	literal("set((1,))", "1:1: call to set is allowed only without a value");
	literal("int('1')", "1:1: call to int is not allowed");
	literal("f'{1}'", "1:1: f-strings are not allowed");
	literal("[1 if 1 else 2]", "1:2: only a literal is allowed, nothing that computes");
	literal("[*[1]]", "1:2: only a literal is allowed, nothing that computes");
	literal("[1][0]", "1:1: only a literal is allowed, nothing that computes");
}

/* One of each kind; t_pure.py has many of them, held against Python. */
static void expressions(void **state)
{
	(void)state;
	same("1if 1else 2", "{\"t\":\"int\",\"v\":\"1\"}");
	same("0 or None or 'x'", "{\"t\":\"str\",\"v\":\"x\"}");
	same("0 and 1/0", "{\"t\":\"int\",\"v\":\"0\"}");
	same("1 < 2 < 2", "{\"t\":\"bool\",\"v\":false}");
	same("not 'a' in 'b'", "{\"t\":\"bool\",\"v\":true}");
	same("-7 // 2 + -7 % 3 * 2 ** 70", "{\"t\":\"int\",\"v\":\"2361183241434822606844\"}");
	same("1/3", "{\"t\":\"float\",\"v\":\"0.3333333333333333\"}");
	same("[1, 2, 3][::-1][0]", "{\"t\":\"int\",\"v\":\"3\"}");
	same("f'{1+1:>{2+1}}|{\"a\"!r}|{2=}{{'", "{\"t\":\"str\",\"v\":\"  2|'a'|2=2{\"}");
	same("'{:,}-{k:08.3f}'.format(12345, k=2.5)", "{\"t\":\"str\",\"v\":\"12,345-0002.500\"}");
	same("'a,b'.split(',')[1].upper()", "{\"t\":\"str\",\"v\":\"B\"}");
	same("frozenset([1, True])", "{\"t\":\"frozenset\",\"v\":[{\"t\":\"int\",\"v\":\"1\"}]}");
	same("os.path.splitext('/a.b/c')", "{\"t\":\"tuple\",\"v\":[{\"t\":\"str\",\"v\":\"/a.b/"
					   "c\"},{\"t\":\"str\",\"v\":\"\"}]}");
	same("'PATH' in os.environ", "{\"t\":\"bool\",\"v\":true}");
	same("sys.platform.startswith('li')", "{\"t\":\"bool\",\"v\":true}");
	same("os.uname().sysname", "{\"t\":\"str\",\"v\":\"Linux\"}");
	same("sys.version_info >= (3, 9)", "{\"t\":\"bool\",\"v\":true}");
	same("f'{os.sep}'", "1:4: an attribute in a field of an f-string is not allowed");
	same("'{0.real}'.format(1)",
	     "1:1: a field that looks into attributes or items is not allowed");
	same("f'{1'", "1:3: '{' is never closed");
	same("'{:\xd9\xa3}|{:\xd9\xa3y}'.format(1, 2)", "1:1: the format 'y' is not one of an int");
	same("'{\xd9\xa1}{:}'.format(1, 2)", "1:1: fields with a number and without one");
	same("os.path.expanduser('~\\0')", "1:1: the name of a user holds a NUL");
	same("'ab' is 'ab'.lower()", "1:6: 'is' of equal values is not allowed; '==' is");
}

/* Whatever is written, it is soon refused, and nothing large is made on the way. */
static void bombs(void **state)
{
	(void)state;
	same("'a'*10**9", "1:4: the text gets longer than 1048576 bytes");
	same("10**10**10", "1:3: int of more than 4300 digits");
	same("1<<10**10", "1:2: int of more than 4300 digits");
	same("[[[1]*1000]*1000]*1000", "1:12: more than 100000 steps of evaluation");
	same("'{:{}}'.format(1, 10**9)", "1:1: the text gets longer than 1048576 bytes");
	same("'%*d' % (10**9, 1)", "1:7: the text gets longer than 1048576 bytes");
	same("('b'*1000).join(['b'*1000]*1000)", "1:2: the text gets longer than 1048576 bytes");
	same_long(repeat("[", "9**4500,", 1000, "]"),
		  "1:1467: more than 100000 steps of evaluation");
	same_long(repeat("[", "os.path.exists('/'),", 1500, "]"),
		  "1:19402: more than 100000 steps of evaluation");
}

static void plain_json(void **state)
{
	tds_auto(value) struct tds_value *value = NULL;
	const char *text = "{'a': [1, 2.5, None, True], 'b': 9007199254740992}";

	(void)state;
	assert_int_equal(tds_literal_parse(text, strlen(text), false, &value, NULL), 0);
	json_t *json = tds_value_plain_json(value);
	tds_autofree char *out = json_dumps(json, JSON_COMPACT);
	assert_string_equal(out, "{\"a\":[1,2.5,null,true],\"b\":9007199254740992}");
	json_decref(json);
	for (const char *const *p = (const char *const[]){ "[(1,)]", "9007199254740993", "{1: 2}",
							   "1e999", "b''", NULL };
	     *p; p++) {
		tds_auto(value) struct tds_value *other = NULL;

		assert_int_equal(tds_literal_parse(*p, strlen(*p), false, &other, NULL), 0);
		assert_null(tds_value_plain_json(other));
	}
}

static void lookup(void **state)
{
	tds_auto(value) struct tds_value *value = NULL;
	const char *text = "{\n 'key':\n  ['x'], b'key': 2}";

	(void)state;
	assert_int_equal(tds_literal_parse(text, strlen(text), false, &value, NULL), 0);
	const struct tds_value *found = tds_value_get(value, "key");
	assert_non_null(found);
	assert_int_equal(found->type, TDS_VALUE_LIST);
	assert_int_equal(found->line, 3);
	assert_int_equal(found->column, 3);
	assert_null(tds_value_get(value, "ke"));
	assert_null(tds_value_get(found, "key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),        cmocka_unit_test(containers),
		cmocka_unit_test(refusals),       cmocka_unit_test(environment),
		cmocka_unit_test(formats),        cmocka_unit_test(limits),
		cmocka_unit_test(time_is_linear), cmocka_unit_test(environment_is_bounded),
		cmocka_unit_test(plain_json),     cmocka_unit_test(lookup),
		cmocka_unit_test(literals),       cmocka_unit_test(expressions),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests_name("literal", tests, NULL, NULL);
}
