/* SPDX-License-Identifier: MIT */
/* Digests of the configuration files: in force, and as they were looked at for the next reading. */
#include "inforce.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "director/config.h"

/* All zero: there is no such file. */
struct version {
	unsigned char sha256[TDS_SHA256_LEN];
};

struct file {
	const struct tds_config_file *config;
	struct version in_force;
	struct version before; /* the last note */
	struct version seen;
};

struct inforce {
	const struct tds_dir *dir;
	size_t n;
	struct file files[];
};

static bool waits(const struct tds_config_file *file)
{
	return file->counts == TDS_COUNTS_AT_RELOAD || file->counts == TDS_COUNTS_AT_RESTART;
}

/* One that is there, but cannot be read, is like no other. */
static struct version version_of(const struct tds_dir *dir, const char *name)
{
	tds_autofree char *text = NULL;
	struct version version = { { 0 } };
	size_t len;
	int rc = tds_io_slurp(dir->fd, name, TDS_CONFIG_MAX_BYTES, &text, &len, NULL);

	if (rc != TDS_E_MISSING)
		memset(version.sha256, 0xff, sizeof(version.sha256));
	if (rc == 0)
		(void)tds_digest_of(TDS_DIGEST_SHA256, text, len, version.sha256);
	return version;
}

static size_t count(void)
{
	size_t n = 0;

	while (tds_config_file(n))
		n++;
	return n;
}

struct inforce *inforce_new(const struct tds_dir *dir)
{
	size_t n = count();
	struct inforce *inforce = calloc(1, sizeof(*inforce) + n * sizeof(inforce->files[0]));

	if (!inforce)
		return NULL;
	inforce->dir = dir;
	for (size_t i = 0; i < n; i++)
		if (waits(tds_config_file(i)))
			inforce->files[inforce->n++].config = tds_config_file(i);
	inforce_look(inforce);
	for (size_t i = 0; i < inforce->n; i++)
		inforce->files[i].in_force = inforce->files[i].seen;
	return inforce;
}

void inforce_free(struct inforce *inforce)
{
	free(inforce);
}

void inforce_look(struct inforce *inforce)
{
	for (size_t i = 0; i < inforce->n; i++)
		inforce->files[i].seen = version_of(inforce->dir, inforce->files[i].config->name);
}

static struct file *find(struct inforce *inforce, const char *name)
{
	for (size_t i = 0; i < inforce->n; i++)
		if (strcmp(inforce->files[i].config->name, name) == 0)
			return &inforce->files[i];
	return NULL;
}

void inforce_note(struct inforce *inforce, const char *name)
{
	struct file *file = find(inforce, name);

	if (!file)
		return;
	file->before = file->in_force;
	file->in_force = file->seen;
}

void inforce_take_back(struct inforce *inforce, const char *name)
{
	struct file *file = find(inforce, name);

	if (file)
		file->in_force = file->before;
}

json_t *inforce_changed(const struct inforce *inforce)
{
	json_t *changed = json_array();

	for (size_t i = 0; i < inforce->n; i++) {
		const struct file *file = &inforce->files[i];
		struct version now = version_of(inforce->dir, file->config->name);

		if (memcmp(&now, &file->in_force, sizeof(now)) != 0)
			(void)json_array_append_new(
				changed,
				json_pack("{s:s, s:s}", "File", file->config->name, "Counts",
					  tds_config_counts_words(file->config->counts)));
	}
	return changed;
}
