/* SPDX-License-Identifier: MIT */
/* When each configuration file counts, for tds-admin config. */
#include <fcntl.h>
#include <sys/stat.h>

#include "admin.h"
#include "director/config.h"

static bool is_there(int dirfd, const char *name)
{
	struct stat st;

	return dirfd >= 0 && fstatat(dirfd, name, &st, 0) == 0;
}

void counts_print(FILE *out, int dirfd)
{
	const struct tds_config_file *file;

	for (size_t i = 0; (file = tds_config_file(i)); i++)
		(void)fprintf(out, "%19s: %scounts %s\n", file->name,
			      is_there(dirfd, file->name) ? "" : "not there, ",
			      tds_config_counts_words(file->counts));
}

json_t *counts_json(int dirfd)
{
	json_t *files = json_array();
	const struct tds_config_file *file;

	for (size_t i = 0; (file = tds_config_file(i)); i++)
		(void)json_array_append_new(files, json_pack("{s:s, s:s, s:b}", "File", file->name,
							     "Counts",
							     tds_config_counts_words(file->counts),
							     "There", is_there(dirfd, file->name)));
	return files;
}
