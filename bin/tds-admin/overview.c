/* SPDX-License-Identifier: MIT */
/* The overview of a group: version, file, since, key, newest, held, restarts. */
#include "overview.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "director/groups.h"
#include "tool/cli.h"

const json_t *overview_active(const json_t *group)
{
	return json_object_get(json_object_get(group, "Sources"),
			       tds_json_string(group, "ActiveHash"));
}

/* --- the newest --- */

/* The MD5 of a file; empty: it cannot be read. */
static void sum(int fd, char hex[TDS_DIGEST_HEX_MAX])
{
	static char block[128 << 10];
	unsigned char md5[TDS_MD5_LEN];
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_MD5);
	ssize_t n = digest ? 1 : -1;

	while (n > 0 && (n = tds_io_read(fd, block, sizeof(block))) > 0)
		tds_digest_update(digest, block, (size_t)n);
	hex[0] = '\0';
	if (n == 0 && tds_digest_final(digest, md5))
		tds_digest_hex(md5, sizeof(md5), hex);
	tds_digest_free(digest);
}

/*
 * Has the file that is active another content by now? It is read only where it was changed, or its name came to be, after
 * it became active.
 */
static bool is_another(const struct tds_dir *dir, const char *name, const json_t *active)
{
	char hex[TDS_DIGEST_HEX_MAX];
	int64_t since_wall_ms = 0;
	struct stat st;
	tds_autofd int fd = -1;

	if (tds_io_open(dir->fd, name, false, &fd, &st, NULL) != 0)
		return false;
	(void)tds_when_parse(tds_json_string(active, "ActiveSince"), 0, &since_wall_ms);
	if ((int64_t)st.st_ctim.tv_sec * 1000 < since_wall_ms - 1000)
		return false;
	sum(fd, hex);
	return *hex && strcmp(hex, tds_json_string(active, "MD5")) != 0;
}

static void add_newest(const struct tds_dir *dir, const struct tds_group *group, json_t *to)
{
	const json_t *active = overview_active(to);
	const char *newest = group && group->n > 0 ? group->files[0].name : NULL;

	if (newest && (strcmp(newest, tds_json_string(active, "File")) != 0 ||
		       is_another(dir, newest, active)))
		(void)json_object_set_new(to, "Newest", tds_cli_json_text(newest));
}

void overview_add_newest(const struct tds_dir *dir, json_t *answer)
{
	tds_auto(groups) struct tds_groups groups = { 0 };
	const char *name;
	json_t *group;

	if (tds_groups_scan(dir, &groups, NULL) != 0)
		return;
	json_object_foreach(json_object_get(answer, "Groups"), name, group)
	{
		add_newest(dir, tds_groups_find(&groups, name), group);
	}
}

/* --- the line --- */

static void print_part(FILE *out, const char *before, const char *text)
{
	if (!*text)
		return;
	(void)fputs(before, out);
	tds_text_print(out, text);
}

static void print_active(FILE *out, const json_t *active)
{
	const char *version = tds_json_string(active, "Version");

	print_part(out, "  Version ", version);
	print_part(out, *version ? ", " : "  ", tds_json_string(active, "File"));
	print_part(out, ", since ", tds_json_string(active, "ActiveSince"));
	print_part(out, ", by ", tds_text_base(tds_json_string(active, "Key")));
	if (*tds_json_string(active, "KeySHA256"))
		(void)fprintf(out, " (%.16s)", tds_json_string(active, "KeySHA256"));
	print_part(out, ", sandbox ", tds_json_string(active, "Sandbox"));
}

static void print_held(FILE *out, const json_t *group, const json_t *active)
{
	const json_t *held = json_object_get(group, "Held");

	if (!held)
		return;
	(void)fputs(", held", out);
	if (strcmp(tds_json_string(held, "SHA256"), tds_json_string(active, "SHA256")) != 0)
		print_part(out, " at ", tds_json_string(held, "File"));
}

/* Where something else than it is active: that is what may not be chosen. */
static void print_floor(FILE *out, const json_t *group, const json_t *active)
{
	const json_t *floor = json_object_get(group, "Floor");

	if (floor && strcmp(json_string_value(floor), tds_json_string(active, "Version")) != 0)
		print_part(out, ", floor ", json_string_value(floor));
}

void overview_print(FILE *out, const json_t *group)
{
	const json_t *active = overview_active(group);
	json_int_t restarts = json_integer_value(json_object_get(group, "Restarts"));

	if (active)
		print_active(out, active);
	else
		(void)fputs("  Nothing is active", out);
	print_part(out, ", newest ", tds_json_string(group, "Newest"));
	print_held(out, group, active);
	print_floor(out, group, active);
	if (restarts > 0)
		(void)fprintf(out, ", %lld restart%s", (long long)restarts,
			      restarts > 1 ? "s" : "");
	(void)fputc('\n', out);
}
