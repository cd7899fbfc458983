/* SPDX-License-Identifier: MIT */
/* Logs that grow, make way for a new file, and go on whatever happens to the old one. */
#include "base/mem.h"
#include "daemon/keep/actorlog.h"
#include "daemon/keep/events.h"
#include "daemon/keep/logfile.h"
#include "director/rundir.h"
#include "unit.h"

/* As assert_file; "-" for a file that is not there. */
static void assert_holds(const struct folder *f, const char *name, const char *expected)
{
	if (strcmp(expected, "-") != 0)
		assert_file(f, name, expected);
	else
		assert_int_not_equal(faccessat(f->fd, name, F_OK, 0), 0);
}

/* --- a file --- */

static void add(struct logfile *log, const char *text)
{
	struct tds_err err;
	bool is_first;

	assert_int_equal(logfile_prepare(log, strlen(text), &is_first, &err), 0);
	assert_int_equal(logfile_add(log, text, strlen(text), &err), 0);
}

static void a_full_file_makes_way_and_the_oldest_goes(void **state)
{
	const struct folder *f = *state;
	const struct log_limits limits = { .size = 8, .keep = 2 };
	struct logfile log;

	logfile_init(&log, f->fd, "x", &limits);
	for (char line[] = "aaa\n"; line[0] <= 'g'; line[0]++)
		add(&log, line);
	assert_holds(f, "x", "gaa\n");
	assert_holds(f, "x.1", "eaa\nfaa\n");
	assert_holds(f, "x.2", "caa\ndaa\n");
	assert_holds(f, "x.3", "-");
	/* A line that is longer than a file stands alone. */
	add(&log, "0123456789\n");
	assert_holds(f, "x", "0123456789\n");
	assert_holds(f, "x.1", "gaa\n");
	logfile_close(&log);
}

static void what_limits_do_not_allow_any_more_goes(void **state)
{
	const struct folder *f = *state;
	const struct log_limits many = { .size = 4, .keep = 3 };
	const struct log_limits one = { .size = 4, .keep = 1 };
	const struct log_limits none = { .size = 4, .keep = 0 };
	struct logfile log;

	logfile_init(&log, f->fd, "x", &many);
	for (char line[] = "aaa\n"; line[0] <= 'd'; line[0]++)
		add(&log, line);
	logfile_close(&log);
	assert_holds(f, "x.3", "aaa\n");
	logfile_init(&log, f->fd, "x", &one);
	assert_holds(f, "x.1", "caa\n");
	assert_holds(f, "x.2", "-");
	assert_holds(f, "x.3", "-");
	add(&log, "new\n");
	assert_holds(f, "x.1", "daa\n");
	logfile_close(&log);
	logfile_init(&log, f->fd, "x", &none);
	add(&log, "one\n");
	add(&log, "two\n");
	assert_holds(f, "x", "two\n");
	assert_holds(f, "x.1", "-");
	logfile_close(&log);
}

static void a_file_that_somebody_renamed_is_written_until_it_is_reopened(void **state)
{
	const struct folder *f = *state;
	struct logfile log;

	logfile_init(&log, f->fd, "x", NULL);
	add(&log, "a\n");
	assert_int_equal(renameat(f->fd, "x", f->fd, "x.old"), 0);
	add(&log, "b\n");
	assert_holds(f, "x.old", "a\nb\n");
	logfile_reopen(&log);
	add(&log, "c\n");
	assert_holds(f, "x", "c\n");
	assert_holds(f, "x.old", "a\nb\n");
	/* One that was deleted holds nothing any more for anybody. */
	assert_int_equal(unlinkat(f->fd, "x", 0), 0);
	add(&log, "d\n");
	assert_holds(f, "x", "d\n");
	logfile_close(&log);
}

static void a_link_is_not_followed(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;
	struct logfile log;
	bool is_first;

	assert_int_equal(symlinkat("elsewhere", f->fd, "x"), 0);
	logfile_init(&log, f->fd, "x", NULL);
	assert_int_equal(logfile_prepare(&log, 1, &is_first, &err), TDS_E_WRITE);
	assert_holds(f, "elsewhere", "-");
}

/* --- what actors print --- */

static size_t count(const struct folder *f, const char *name, const char *word)
{
	tds_autofree char *text = get(f->fd, name, NULL);
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)); at++)
		n++;
	return n;
}

static void print(struct actorlog *log, const char *group, const char *address, const char *text)
{
	actorlog_add(log, &(struct tds_logline){ .group = group,
						 .role = "a role",
						 .address = address,
						 .level = 40,
						 .text = text,
						 .len = strlen(text) });
}

static void no_source_pushes_out_what_others_wrote(void **state)
{
	const struct folder *f = *state;
	const struct log_limits limits = { .size = 8000, .keep = 1 };
	struct actorlog *log = actorlog_open(f->fd, &limits);

	print(log, "quiet", "1.5", "a\nb");
	for (int i = 0; i < 1000; i++)
		print(log, "chatty", "2.5", "again and again");
	/* An eighth of the file is one's own, of programs as of groups. */
	for (int i = 0; i < 100; i++)
		print(log, NULL, "3.5", "a program");
	print(log, NULL, "4.5", "another one");
	actorlog_close(log);
	assert_int_equal(count(f, TDS_ACTORLOG_NAME, "quiet a\\x20role 1.5 ERROR a\\x0ab\n"), 1);
	assert_in_range(count(f, TDS_ACTORLOG_NAME, "chatty"), 8, 20);
	assert_in_range(count(f, TDS_ACTORLOG_NAME, "a program"), 8, 20);
	assert_int_equal(count(f, TDS_ACTORLOG_NAME, "another one"), 1);
	assert_in_range(count(f, TDS_ACTORLOG_MORE, "a program"), 1, 92);
	assert_names(f, "actors.log actors.more.log actors.more.log.1");
}

static void a_share_is_of_one_file(void **state)
{
	const struct folder *f = *state;
	const struct log_limits limits = { .size = 8000, .keep = 1 };
	struct actorlog *log = actorlog_open(f->fd, &limits);
	char name[16];

	/* Many who write little fill it, and begin anew. */
	for (int i = 0; i < 20 * 12; i++) {
		(void)snprintf(name, sizeof(name), "group%d", i % 20);
		print(log, name, "1.5", "0123456789012345678901234567890");
	}
	print(log, "group0", "1.5", "the last");
	actorlog_close(log);
	assert_int_equal(count(f, TDS_ACTORLOG_NAME, "the last"), 1);
	assert_true(count(f, TDS_ACTORLOG_NAME ".1", "group0") > 0);
}

/* --- events --- */

static char told[256];

static void on_event(void *ctx, const json_t *event)
{
	(void)ctx;
	(void)strcat(strcat(told, json_string_value(json_object_get(event, "Event"))), " ");
}

static void each_file_of_events_says_its_format(void **state)
{
	const struct folder *f = *state;
	const struct log_limits limits = { .size = 150, .keep = 1 };
	struct events events;

	events_open(&events, f->fd, &limits);
	told[0] = '\0';
	events.tell = on_event;
	for (char name[] = "A"; name[0] <= 'C'; name[0]++) {
		json_t *event = events_new(1000, name);

		events_set(event, "Message", "a\nb");
		events_set(event, "Path", "\xff");
		events_set(event, "Key", NULL);
		events_add(&events, event);
	}
	events_add(&events, NULL);
	assert_holds(f, TDS_EVENTS_NAME ".1",
		     "{\"Time\":\"1970-01-01T00:00:01.000Z\",\"Event\":\"B\","
		     "\"Message\":\"a\\nb\",\"Path\":\"\\\\xff\",\"Format\":1}\n");
	assert_holds(f, TDS_EVENTS_NAME,
		     "{\"Time\":\"1970-01-01T00:00:01.000Z\",\"Event\":\"C\","
		     "\"Message\":\"a\\nb\",\"Path\":\"\\\\xff\",\"Format\":1}\n");
	assert_string_equal(told, "A B C ");
	events_close(&events);
}

static void what_could_not_be_written_waits_for_room(void **state)
{
	const struct folder *f = *state;
	struct events events;

	assert_int_equal(mkdirat(f->fd, TDS_EVENTS_NAME, 0700), 0);
	events_open(&events, f->fd, NULL);
	events.backlog.max = 90; /* place for one, not for two */
	told[0] = '\0';
	events.tell = on_event;
	for (char name[] = "A"; name[0] <= 'D'; name[0]++)
		events_add(&events, events_new(0, name));
	assert_int_equal(unlinkat(f->fd, TDS_EVENTS_NAME, AT_REMOVEDIR), 0);
	events_add(&events, events_new(0, "E"));
	assert_string_equal(told, "A B C D E ");
	assert_holds(f, TDS_EVENTS_NAME,
		     "{\"Time\":\"1970-01-01T00:00:00.000Z\",\"Event\":\"A\",\"Lost\":3,"
		     "\"Format\":1}\n"
		     "{\"Time\":\"1970-01-01T00:00:00.000Z\",\"Event\":\"E\"}\n");
	events_close(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_full_file_makes_way_and_the_oldest_goes),
		IN_FOLDER(what_limits_do_not_allow_any_more_goes),
		IN_FOLDER(a_file_that_somebody_renamed_is_written_until_it_is_reopened),
		IN_FOLDER(a_link_is_not_followed),
		IN_FOLDER(no_source_pushes_out_what_others_wrote),
		IN_FOLDER(a_share_is_of_one_file),
		IN_FOLDER(each_file_of_events_says_its_format),
		IN_FOLDER(what_could_not_be_written_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
