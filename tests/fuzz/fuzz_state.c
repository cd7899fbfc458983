/* SPDX-License-Identifier: MIT */
/*
 * What is read after a crash. An input is, with lines of "--" between them, loaded.json, groups.json, and for the sources
 * of loaded.json in their order the definitions that are in the store; what is not there at all is no file. Damage is
 * named; what is taken holds what the daemon relies on, and is the same once it is written again.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "daemon/keep/state.h"
#include "daemon/keep/store.h"
#include "director/groups.h"
#include "director/rundir.h"

#define SOURCES_MAX 8
#define DIGEST_LEN 64

static char folder[64];
static int run = -1;
static int store = -1;
static char definitions[SOURCES_MAX][DIGEST_LEN + 5];
static size_t ndefinitions;

static void remove_files(void)
{
	while (ndefinitions > 0)
		(void)unlinkat(store, definitions[--ndefinitions], 0);
	(void)unlinkat(run, TDS_LOADED_NAME, 0);
	(void)unlinkat(run, TDS_GROUPS_NAME, 0);
}

static void remove_folder(void)
{
	remove_files();
	(void)unlinkat(run, "store", AT_REMOVEDIR);
	(void)rmdir(folder);
}

static void make_folders(void)
{
	run = make_folder(folder, "state");
	CHECK(atexit(remove_folder) == 0 && mkdirat(run, "store", 0700) == 0);
	store = openat(run, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(store >= 0);
}

/* The definition of each source whose digest can be a file's name, as long as the input has any. */
static void put_definitions(struct input loaded, struct input rest)
{
	json_t *doc = json_loadb(loaded.at, loaded.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *source;
	size_t i;

	json_array_foreach(json_object_get(doc, "Sources"), i, source)
	{
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));

		if (rest.len == 0 || ndefinitions == SOURCES_MAX)
			break;
		if (!sha256 || strlen(sha256) != DIGEST_LEN || strchr(sha256, '/'))
			continue;
		char *name = definitions[ndefinitions++];
		(void)snprintf(name, sizeof(definitions[0]), "%.64s.tli", sha256);
		put_file(store, name, input_part(&rest));
	}
	json_decref(doc);
}

static void check_damage(const json_t *doc, const struct tds_err *err, const char *also)
{
	CHECK((doc && err->code == TDS_OK) || (!doc && err->code == TDS_E_UNUSABLE));
	CHECK(doc || strstr(err->reason, ".json") || (also && strstr(err->reason, also)));
}

static bool is_text(const json_t *source, const char *key)
{
	return json_string_length(json_object_get(source, key)) > 0;
}

static void check_loaded(const json_t *doc)
{
	const json_t *sources = json_object_get(doc, "Sources");
	const json_t *source;
	size_t i;

	CHECK(json_is_array(sources));
	json_array_foreach(sources, i, source)
	{
		struct tds_tli tli = { 0 };
		struct tds_err err = { 0 };
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));

		CHECK(is_text(source, "Group") && is_text(source, "File") &&
		      is_text(source, "Path"));
		CHECK(sha256 && strlen(sha256) == DIGEST_LEN && !strpbrk(sha256, "/."));
		int rc = store_definition(run, sha256, &tli, &err);
		CHECK(rc == 0 || rc == TDS_E_MISSING);
		tds_tli_fini(&tli);
	}
}

static void check_groups(const json_t *doc)
{
	json_t *groups = json_object_get(doc, "Groups");
	const char *name;
	json_t *text;

	CHECK(json_is_object(groups));
	json_object_foreach(groups, name, text)
	{
		struct tds_tli tli = { 0 };
		struct tds_err err = { 0 };

		CHECK(tds_group_name_ok(name) && json_is_string(text));
		CHECK(tds_tli_parse(json_string_value(text), json_string_length(text),
				    (struct tds_tli_watcher){ 0 }, &tli, &err) == 0);
		tds_tli_fini(&tli);
	}
}

/* Written by the daemon and read by the next one, it is the same. */
static void check_again(json_t *loaded, json_t *groups)
{
	struct tds_err err = { 0 };

	if (loaded) {
		json_t *sources = json_object_get(loaded, "Sources");
		CHECK(state_save(run, json_incref(sources), &err) == 0);
		json_t *again = state_read(run, &err);
		CHECK(again && json_equal(sources, json_object_get(again, "Sources")));
		json_decref(again);
	}
	if (groups) {
		json_t *texts = json_object_get(groups, "Groups");
		CHECK(groups_save(run, json_incref(texts), &err) == 0);
		json_t *again = groups_read(run, &err);
		CHECK(again && json_equal(texts, json_object_get(again, "Groups")));
		json_decref(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input rest = { (const char *)data, size };
	struct input loaded = input_part(&rest);
	struct input groups = input_part(&rest);
	struct tds_err err = { 0 };

	if (run < 0)
		make_folders();
	put_file(run, TDS_LOADED_NAME, loaded);
	put_definitions(loaded, rest);
	json_t *state = state_read(run, &err);
	check_damage(state, &err, "store/");
	if (state)
		check_loaded(state);
	put_file(run, TDS_GROUPS_NAME, groups);
	json_t *defined = groups_read(run, &err);
	check_damage(defined, &err, NULL);
	if (defined)
		check_groups(defined);
	check_again(state, defined);
	json_decref(state);
	json_decref(defined);
	remove_files();
	return 0;
}
