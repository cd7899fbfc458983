/* SPDX-License-Identifier: MIT */
/* What survives a crash: the store, loaded.json and groups.json, the audit log. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/digest.h"
#include "base/mem.h"
#include "director/desired.h"
#include "director/floor.h"
#include "director/rundir.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/state.h"
#include "daemon/keep/store.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
#define ONE HEX "01"
#define TWO HEX "02"
#define MORE_THAN_A_FILE_MAY 8192

/* A write beyond a limit of the file size fails; how, EFBIG, stands for a disk that is full. */
static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = { bytes, RLIM_INFINITY };

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* --- the store --- */

static int commit(struct store_entry *entry, const char *sha256, const char *definition,
		  int write_errno, struct tds_err *err)
{
	struct tds_tli tli = { 0 };

	assert_fine(tds_tli_parse(definition, strlen(definition), (struct tds_tli_watcher){ 0 },
				  &tli, err),
		    err);
	int rc = store_commit(entry, sha256, &tli, write_errno, err);
	tds_tli_fini(&tli);
	return rc;
}

static void store(const struct folder *f, const char *sha256, const char *bytes,
		  const char *definition)
{
	struct store_entry entry;
	struct tds_err err = { 0 };

	assert_fine(store_begin(f->fd, &entry, &err), &err);
	assert_int_equal(tds_io_write(entry.file.fd, bytes, strlen(bytes)), 0);
	assert_fine(commit(&entry, sha256, definition, 0, &err), &err);
}

/* The store of the folder holds these names. */
static void assert_store(const struct folder *f, const char *names)
{
	struct folder store = { .fd = -1 };

	(void)snprintf(store.path, sizeof(store.path), "%.24s/store", f->path);
	assert_names(&store, names);
}

static void a_package_has_its_name_when_it_is_whole(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	assert_fine(store_begin(f->fd, &entry, &err), &err);
	assert_int_equal(store_open(f->fd, ONE), -1);
	assert_int_equal(tds_io_write(entry.file.fd, "abc", 3), 0);
	assert_fine(commit(&entry, ONE, "{}", 0, &err), &err);
	assert_store(f, ONE ".tli " ONE ".tls");
	assert_file(f, "store/" ONE ".tls", "abc");
	tds_autofd int fd = store_open(f->fd, ONE);
	assert_true(fd >= 0);
	/* It ended with its commit. */
	store_drop(&entry);
	assert_store(f, ONE ".tli " ONE ".tls");
}

static void what_is_dropped_leaves_nothing(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	assert_fine(store_begin(f->fd, &entry, &err), &err);
	store_drop(&entry);
	assert_store(f, "");
	store_drop(&entry);
	entry = (struct store_entry){ 0 };
	store_drop(&entry);
}

static void what_could_not_be_written_leaves_nothing(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	assert_fine(store_begin(f->fd, &entry, &err), &err);
	int rc = commit(&entry, ONE, "{}", ENOSPC, &err);
	assert_failed(rc, &err, TDS_E_WRITE, "store/" ONE ".tls: No space left on device");
	assert_store(f, "");
}

static void what_gets_no_name_leaves_no_definition(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	assert_fine(store_begin(f->fd, &entry, &err), &err);
	assert_int_equal(renameat(entry.store, entry.file.temp, entry.store, "gone"), 0);
	int rc = commit(&entry, ONE, "{}", 0, &err);
	assert_failed(rc, &err, TDS_E_WRITE, "store/" ONE ".tls: No such file or directory");
	assert_store(f, "gone");
}

static void a_store_that_cannot_be_made_is_said(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	put(f, "store", 0644, "a file");
	int rc = store_begin(f->fd, &entry, &err);
	assert_failed(rc, &err, TDS_E_WRITE, "store: is no folder, or a symbolic link");
	store_drop(&entry);
}

static void what_comes_from_the_store_is_defined_anew(void **state)
{
	const struct folder *f = *state;
	struct tds_tli tli = { 0 };
	struct tds_err err = { 0 };
	static const char definition[] = "{'Actors': {}}";

	store(f, ONE, "abc", "{}");
	assert_fine(tds_tli_parse(definition, strlen(definition), (struct tds_tli_watcher){ 0 },
				  &tli, &err),
		    &err);
	assert_fine(store_redefine(f->fd, ONE, &tli, &err), &err);
	tds_tli_fini(&tli);
	assert_file(f, "store/" ONE ".tls", "abc");
	assert_file(f, "store/" ONE ".tli", definition);
}

static void definition_comes_back(void **state)
{
	const struct folder *f = *state;
	struct tds_tli tli = { 0 };
	struct tds_err err = { 0 };

	store(f, ONE, "", "{ 'Actors' : {} }");
	assert_file(f, "store/" ONE ".tli", "{'Actors': {}}");
	assert_fine(store_definition(f->fd, ONE, &tli, &err), &err);
	tds_tli_fini(&tli);
	int rc = store_definition(f->fd, TWO, &tli, &err);
	assert_int_equal(rc, TDS_E_MISSING);
	put(f, "store/" ONE ".tli", 0600, "{'Actors': }");
	rc = store_definition(f->fd, ONE, &tli, &err);
	assert_true(rc < 0 && rc != TDS_E_MISSING);
	assert_non_null(strstr(err.reason, "store/" ONE ".tli:1:"));
}

static void a_definition_that_cannot_be_written_leaves_what_was(void **state)
{
	const struct folder *f = *state;
	struct store_entry entry;
	struct tds_err err = { 0 };

	store(f, ONE, "1", "{}");
	assert_fine(store_begin(f->fd, &entry, &err), &err);
	assert_int_equal(tds_io_write(entry.file.fd, "2", 1), 0);
	limit_files(4);
	int rc = commit(&entry, ONE, "{'Actors': {}}", 0, &err);
	limit_files(RLIM_INFINITY);
	assert_failed(rc, &err, TDS_E_WRITE, "store/" ONE ".tli: File too large");
	assert_store(f, ONE ".tli " ONE ".tls");
	assert_file(f, "store/" ONE ".tli", "{}");
	assert_file(f, "store/" ONE ".tls", "1");
}

static void sweep_leaves_what_the_state_names(void **state)
{
	const struct folder *f = *state;
	json_t *named = json_pack("{s:[{s:s}]}", "Sources", "SHA256", TWO);
	struct store_entry entry;
	struct tds_err err = { 0 };

	store(f, ONE, "1", "{}");
	store(f, TWO, "2", "{}");
	put(f, "store/" TWO ".tli.new", 0600, "{");
	put(f, "store/" TDS_IO_TEMP_PREFIX "dead", 0600, "of a writer that is gone");
	store_sweep(f->fd, named, NULL);
	assert_store(f, TWO ".tli " TWO ".tls");
	/* What is being written now is nobody's leftover. */
	assert_fine(store_begin(f->fd, &entry, &err), &err);
	store_sweep(f->fd, NULL, NULL);
	assert_fine(commit(&entry, ONE, "{}", 0, &err), &err);
	assert_store(f, ONE ".tli " ONE ".tls");
	store_remove(f->fd, ONE);
	store_remove(f->fd, ONE);
	assert_store(f, "");
	json_decref(named);
}

/* --- loaded.json, groups.json --- */

static json_t *a_source(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "Group", "g", "File", "g-1.tls", "Path",
			 "/g-1.tls", "SHA256", ONE, "Active", 1);
}

static void state_comes_back(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	assert_null(state_read(f->fd, &err));
	assert_int_equal(err.code, TDS_OK);
	assert_null(groups_read(f->fd, &err));
	assert_int_equal(err.code, TDS_OK);
	store(f, ONE, "", "{}");
	assert_fine(state_save(f->fd, json_pack("[o]", a_source()), &err), &err);
	assert_fine(groups_save(f->fd, json_pack("{s:s}", "g", "{}"), &err), &err);
	json_t *loaded = state_read(f->fd, &err);
	assert_fine(err.code, &err);
	assert_int_equal(json_array_size(json_object_get(loaded, "Sources")), 1);
	json_decref(loaded);
	json_t *groups = groups_read(f->fd, &err);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(groups, "Groups"), "g")), "{}");
	json_decref(groups);
}

#define SOURCE(fields) "{\"Version\":1,\"Sources\":[{" fields "}]}"
#define GOOD "\"Group\":\"g\",\"File\":\"f\",\"Path\":\"p\",\"Active\":true,\"SHA256\":\"" ONE "\""
#define NOT_OURS ": is not what tds-admin writes"

static const struct {
	const char *text;
	const char *why;
} damaged_states[] = {
	{ "", "loaded.json:1:0: '[' or '{' expected near end of file" },
	{ "{", "loaded.json:1:1: string or '}' expected near end of file" },
	{ "[]", "loaded.json" NOT_OURS },
	{ "{\"Version\":2,\"Sources\":[]}", "loaded.json" NOT_OURS },
	{ "{\"Version\":1}", "loaded.json" NOT_OURS },
	{ "{\"Version\":1,\"Sources\":{}}", "loaded.json" NOT_OURS },
	{ SOURCE(""), "loaded.json" NOT_OURS },
	{ SOURCE("\"Group\":\"\",\"File\":\"f\",\"Path\":\"p\",\"Active\":true,\"SHA256\":\"" ONE
		 "\""),
	  "loaded.json" NOT_OURS },
	{ SOURCE("\"Group\":\"g\",\"File\":\"f\",\"Path\":\"p\",\"Active\":1,\"SHA256\":\"" ONE
		 "\""),
	  "loaded.json" NOT_OURS },
	{ SOURCE("\"Group\":\"g\",\"File\":\"f\",\"Path\":\"p\",\"Active\":true,\"SHA256\":\".." HEX
		 "\""),
	  "loaded.json" NOT_OURS },
	{ SOURCE("\"Group\":\"g\",\"File\":\"f\",\"Path\":\"p\",\"Active\":true,\"SHA256\":\"" HEX
		 "\""),
	  "loaded.json" NOT_OURS },
};

static void damaged_state_is_named(void **state)
{
	const struct folder *f = *state;

	for (size_t i = 0; i < COUNT(damaged_states); i++) {
		struct tds_err err = { 0 };

		put(f, "loaded.json", 0644, damaged_states[i].text);
		assert_null(state_read(f->fd, &err));
		assert_failed(err.code, &err, TDS_E_UNUSABLE, damaged_states[i].why);
	}
}

/* One that is missing is a source that does not come back, and no reason for the others not to. */
static void damaged_definition_is_named(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	put(f, "loaded.json", 0644, SOURCE(GOOD));
	json_t *loaded = state_read(f->fd, &err);
	assert_non_null(loaded);
	assert_int_equal(err.code, TDS_OK);
	json_decref(loaded);
	store(f, ONE, "", "{}");
	put(f, "store/" ONE ".tli", 0600, "{'Actors': 3}");
	assert_null(state_read(f->fd, &err));
	assert_int_equal(err.code, TDS_E_UNUSABLE);
	assert_non_null(strstr(err.reason, "store/" ONE ".tli"));
}

static const struct {
	const char *text;
	const char *why;
} damaged_groups[] = {
	{ "{\"Version\":1}", "groups.json" NOT_OURS },
	{ "{\"Version\":1,\"Groups\":[]}", "groups.json" NOT_OURS },
	{ "{\"Version\":1,\"Groups\":{\"g\":3}}", "groups.json: group g: " },
	{ "{\"Version\":1,\"Groups\":{\"g\":\"{'Actors': \"}}", "groups.json: group g: " },
	{ "{\"Version\":1,\"Groups\":{\"a/b\":\"{}\"}}", "groups.json: group a/b: " },
};

static void damaged_groups_are_named(void **state)
{
	const struct folder *f = *state;

	for (size_t i = 0; i < COUNT(damaged_groups); i++) {
		struct tds_err err = { 0 };

		put(f, "groups.json", 0600, damaged_groups[i].text);
		assert_null(groups_read(f->fd, &err));
		assert_int_equal(err.code, TDS_E_UNUSABLE);
		if (strncmp(err.reason, damaged_groups[i].why, strlen(damaged_groups[i].why)) != 0)
			fail_msg("%s, not %s", err.reason, damaged_groups[i].why);
	}
}

#define PACKAGE \
	"\"Version\":\"1\",\"MD5\":\"00112233445566778899aabbccddeeff\",\"SHA256\":\"" ONE "\""
#define HELD(file)                                                                   \
	"{\"Version\":1,\"Groups\":{\"foo\":{\"Held\":{" PACKAGE ",\"File\":\"" file \
	"\",\"Path\":\"/foo-1.tls\",\"SinceMs\":1}}}}"

static const char *const damaged_wishes[] = {
	"",
	"[]",
	"{\"Version\":1}",
	"{\"Version\":2,\"Groups\":{}}",
	"{\"Version\":1,\"Groups\":[]}",
	"{\"Version\":1,\"Groups\":{\"-foo\":{}}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{\"Held\":1}}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{\"Held\":{" PACKAGE "}}}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{\"WasActive\":{}}}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{\"WasActive\":[{}]}}}",
	HELD("bar-1.tls"),
	HELD("foo-/../1.tls"),
};

static void what_is_wanted_comes_back_whole_or_is_named(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	assert_null(desired_read(f->fd, &err));
	assert_int_equal(err.code, TDS_OK);
	for (size_t i = 0; i < COUNT(damaged_wishes); i++) {
		put(f, "desired.json", 0644, damaged_wishes[i]);
		assert_null(desired_read(f->fd, &err));
		assert_int_equal(err.code, TDS_E_UNUSABLE);
		assert_int_equal(strncmp(err.reason, "desired.json:", 13), 0);
	}
	put(f, "desired.json", 0644, HELD("foo-1.tls"));
	json_t *doc = desired_read(f->fd, &err);
	assert_non_null(tds_desired_held(doc, "foo"));
	assert_null(tds_desired_held(doc, "bar"));
	assert_fine(desired_write(f->fd, json_incref(json_object_get(doc, "Groups")), &err), &err);
	json_t *again = desired_read(f->fd, &err);
	assert_false(tds_desired_keeps_floors(doc));
	assert_true(tds_desired_keeps_floors(again));
	assert_true(json_equal(json_object_get(doc, "Groups"), json_object_get(again, "Groups")));
	json_decref(doc);
	json_decref(again);
}

/* --- floor.json --- */

#define FLOOR(version) \
	"{\"Version\":1,\"Groups\":{\"foo\":{\"Version\":" version ",\"SinceMs\":1}}}"

static const char *const damaged_floors[] = {
	"",
	"[]",
	"{\"Version\":1}",
	"{\"Version\":2,\"Groups\":{}}",
	"{\"Version\":1,\"Groups\":{\"foo\":\"3\"}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{\"Version\":\"3\"}}}",
	"{\"Version\":1,\"Groups\":{\"../foo\":{\"Version\":\"3\",\"SinceMs\":1}}}",
	"{\"Version\":1,\"Groups\":{\"foo\":{},\"foo\":{}}}",
	FLOOR("3"),
	FLOOR("\"3\\u0000\""),
};

static void floors_are_what_is_written(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	assert_null(floors_read(f->fd, &err));
	assert_int_equal(err.code, TDS_OK);
	for (size_t i = 0; i < COUNT(damaged_floors); i++) {
		put(f, "floor.json", 0644, damaged_floors[i]);
		assert_null(floors_read(f->fd, &err));
		assert_int_equal(err.code, TDS_E_UNUSABLE);
		assert_int_equal(strncmp(err.reason, "floor.json:", 11), 0);
	}
	put(f, "floor.json", 0644, FLOOR("\"1.10\""));
	json_t *doc = floors_read(f->fd, &err);
	const json_t *floor = tds_floor_of(doc, "foo");
	assert_null(tds_floor_of(doc, "bar"));
	assert_true(tds_floor_compare(floor, "foo", "foo-1.9.tls") < 0);
	assert_true(tds_floor_compare(floor, "foo", "foo.tls") < 0);
	assert_int_equal(tds_floor_compare(floor, "foo", "foo-1.10.tls"), 0);
	assert_true(tds_floor_compare(floor, "foo", "foo-1.11.tls") > 0);
	assert_fine(floors_write(f->fd, json_incref(json_object_get(doc, "Groups")), &err), &err);
	json_t *again = floors_read(f->fd, &err);
	assert_true(json_equal(doc, again));
	json_decref(doc);
	json_decref(again);
}

/* Of what was active the last two, and what is held. */
static void sweep_leaves_what_is_wanted(void **state)
{
	const struct folder *f = *state;
	json_t *wanted = json_pack("{s:{s:{s:{s:s}, s:[{s:s},{s:s},{s:s}]}}}", "Groups", "foo",
				   "Held", "SHA256", ONE, "WasActive", "SHA256", TWO, "SHA256",
				   HEX "03", "SHA256", HEX "04");

	store(f, ONE, "1", "{}");
	store(f, TWO, "2", "{}");
	store(f, HEX "03", "3", "{}");
	store_sweep(f->fd, NULL, wanted);
	assert_store(f, ONE ".tli " ONE ".tls " HEX "03.tli " HEX "03.tls");
	json_decref(wanted);
}

static void state_that_cannot_be_written_stays_as_it_was(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	assert_fine(state_save(f->fd, json_array(), &err), &err);
	limit_files(64);
	int rc = state_save(f->fd, json_pack("[o]", a_source()), &err);
	limit_files(RLIM_INFINITY);
	assert_failed(rc, &err, TDS_E_WRITE, "loaded.json: cannot be written: File too large");
	assert_names(f, "loaded.json");
	json_t *loaded = state_read(f->fd, &err);
	assert_int_equal(json_array_size(json_object_get(loaded, "Sources")), 0);
	json_decref(loaded);
	rc = state_save(f->fd, NULL, &err);
	assert_failed(rc, &err, TDS_E_NOMEM, "out of memory");
}

/* --- the audit log --- */

static json_t *line_of(const char *what)
{
	return json_pack("{s:s}", "Event", what);
}

/* The events of the log, a blank behind each; each line has the digest of the one before. */
static void assert_chain(const struct folder *f, const char *events)
{
	char before[TDS_DIGEST_HEX_MAX] = "";
	char got[256] = "";
	tds_autofree char *text = get(f->fd, TDS_AUDIT_NAME, NULL);

	for (char *at = text; *at;) {
		size_t len = strcspn(at, "\n") + 1;
		unsigned char sha256[TDS_SHA256_LEN];
		struct tds_digest *digest = tds_digest_new(TDS_DIGEST_SHA256);
		json_t *line = json_loadb(at, len, 0, NULL);

		assert_int_equal(at[len - 1], '\n');
		assert_string_equal(json_string_value(json_object_get(line, "Before")), before);
		(void)strcat(strcat(got, json_string_value(json_object_get(line, "Event"))), " ");
		json_decref(line);
		tds_digest_update(digest, at, len);
		assert_true(tds_digest_final(digest, sha256));
		tds_digest_hex(sha256, sizeof(sha256), before);
		tds_digest_free(digest);
		at += len;
	}
	assert_string_equal(got, events);
}

static void each_line_has_the_digest_of_the_one_before(void **state)
{
	const struct folder *f = *state;
	struct audit log;

	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("a"));
	audit_keep(&log, line_of("b"));
	audit_keep(&log, NULL);
	audit_close(&log);
	/* After a start the chain goes on. */
	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("c"));
	assert_chain(f, "a b c ");
	audit_close(&log);
}

static void a_line_that_a_crash_left_unfinished_goes(void **state)
{
	const struct folder *f = *state;
	struct audit log;

	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("a"));
	tds_autofd int fd = openat(f->fd, TDS_AUDIT_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(tds_io_write(fd, "{\"Event\":", 9), 0);
	audit_close(&log);
	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("b"));
	assert_chain(f, "a b ");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(tds_io_write(fd, "{\"Event\":", 9), 0);
	audit_close(&log);
	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("c"));
	assert_chain(f, "c ");
	audit_close(&log);
}

static void a_line_that_cannot_be_written_leaves_nothing(void **state)
{
	const struct folder *f = *state;
	char longest[MORE_THAN_A_FILE_MAY + 1];
	struct tds_err err = { 0 };
	struct audit log;

	memset(longest, 'x', MORE_THAN_A_FILE_MAY);
	longest[MORE_THAN_A_FILE_MAY] = '\0';
	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("a"));
	limit_files(MORE_THAN_A_FILE_MAY);
	int rc = audit_add(&log, line_of(longest), &err);
	limit_files(RLIM_INFINITY);
	assert_failed(rc, &err, TDS_E_WRITE, "audit.log: File too large");
	audit_keep(&log, line_of("b"));
	assert_chain(f, "a b ");
	audit_close(&log);
}

static void what_is_done_anyway_waits_for_room(void **state)
{
	const struct folder *f = *state;
	char long_text[9000];
	struct tds_err err = { 0 };
	struct audit log;

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("a"));
	limit_files(100);
	audit_keep(&log, line_of("b"));
	audit_keep(&log, line_of("c"));
	/* What is not done where it cannot be audited does not pass those that wait. */
	assert_int_equal(audit_add(&log, line_of("d"), &err), TDS_E_WRITE);
	limit_files(RLIM_INFINITY);
	audit_flush(&log);
	assert_chain(f, "a b c ");
	/* Of more than there is place for, the last are counted. */
	limit_files(100);
	for (int i = 0; i < AUDIT_KEPT_MAX_BYTES / 9000 + 3; i++)
		audit_keep(&log, line_of(long_text));
	assert_int_equal(log.backlog.lost, 3);
	assert_true(log.backlog.bytes <= AUDIT_KEPT_MAX_BYTES);
	limit_files(RLIM_INFINITY);
	audit_close(&log);
	tds_autofree char *text = get(f->fd, TDS_AUDIT_NAME, NULL);
	assert_int_equal(strlen(text) > AUDIT_KEPT_MAX_BYTES - 9000, true);
	assert_non_null(strstr(text, "\"Lost\":3"));
}

/* The log in several files: the digest goes over the cut, at a start too. */
static void the_chain_goes_over_the_cut(void **state)
{
	const struct folder *f = *state;
	const struct log_limits limits = { .size = 200, .keep = 2 };
	struct audit log;

	audit_open(&log, f->fd, &limits);
	for (char name[] = "a"; name[0] <= 'c'; name[0]++)
		audit_keep(&log, line_of(name));
	audit_close(&log);
	tds_autofree char *older = get(f->fd, TDS_AUDIT_NAME ".1", NULL);
	tds_autofree char *present = get(f->fd, TDS_AUDIT_NAME, NULL);
	assert_true(strlen(older) > 0 && strlen(present) > 0);
	/* A crash came between the two files. */
	assert_int_equal(unlinkat(f->fd, TDS_AUDIT_NAME, 0), 0);
	audit_open(&log, f->fd, &limits);
	audit_keep(&log, line_of("again"));
	audit_close(&log);
	tds_autofree char *again = get(f->fd, TDS_AUDIT_NAME, NULL);
	json_t *was = json_loadb(present, strcspn(present, "\n"), 0, NULL);
	json_t *is = json_loadb(again, strcspn(again, "\n"), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(is, "Before")),
			    json_string_value(json_object_get(was, "Before")));
	assert_int_equal(strlen(json_string_value(json_object_get(is, "Before"))), 64);
	json_decref(was);
	json_decref(is);
}

static void a_log_that_was_taken_away_begins_with_the_last_digest(void **state)
{
	const struct folder *f = *state;
	struct audit log;
	char head[TDS_DIGEST_HEX_MAX];

	audit_open(&log, f->fd, NULL);
	audit_keep(&log, line_of("a"));
	strcpy(head, log.head);
	assert_int_equal(unlinkat(f->fd, TDS_AUDIT_NAME, 0), 0);
	audit_keep(&log, line_of("b"));
	tds_autofree char *text = get(f->fd, TDS_AUDIT_NAME, NULL);
	json_t *line = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(line, "Before")), head);
	json_decref(line);
	audit_close(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_package_has_its_name_when_it_is_whole),
		IN_FOLDER(what_is_dropped_leaves_nothing),
		IN_FOLDER(what_could_not_be_written_leaves_nothing),
		IN_FOLDER(what_gets_no_name_leaves_no_definition),
		IN_FOLDER(a_store_that_cannot_be_made_is_said),
		IN_FOLDER(what_comes_from_the_store_is_defined_anew),
		IN_FOLDER(definition_comes_back),
		IN_FOLDER(a_definition_that_cannot_be_written_leaves_what_was),
		IN_FOLDER(sweep_leaves_what_the_state_names),
		IN_FOLDER(state_comes_back),
		IN_FOLDER(damaged_state_is_named),
		IN_FOLDER(damaged_definition_is_named),
		IN_FOLDER(damaged_groups_are_named),
		IN_FOLDER(what_is_wanted_comes_back_whole_or_is_named),
		IN_FOLDER(floors_are_what_is_written),
		IN_FOLDER(sweep_leaves_what_is_wanted),
		IN_FOLDER(state_that_cannot_be_written_stays_as_it_was),
		IN_FOLDER(each_line_has_the_digest_of_the_one_before),
		IN_FOLDER(a_line_that_a_crash_left_unfinished_goes),
		IN_FOLDER(a_line_that_cannot_be_written_leaves_nothing),
		IN_FOLDER(what_is_done_anyway_waits_for_room),
		IN_FOLDER(the_chain_goes_over_the_cut),
		IN_FOLDER(a_log_that_was_taken_away_begins_with_the_last_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
