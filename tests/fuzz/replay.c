/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over recorded inputs, without a fuzzer: each argument is a file, or a folder
 * of files. Prints how many there were; what the target finds ends the program.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"

#define INPUT_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

static bool replay_file(const char *path)
{
	tds_autofree char *data = NULL;
	struct tds_err err;
	size_t len;

	if (tds_io_slurp(AT_FDCWD, path, INPUT_MAX, &data, &len, &err) != 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.reason);
		return false;
	}
	/* A copy of the very size, so that a read past its end is seen. */
	tds_autofree uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		return false;
	memcpy(exact, data, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	inputs++;
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool replay(const char *path)
{
	struct dirent **names = NULL;
	struct stat st;
	bool good = true;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return replay_file(path);
	int n = scandir(path, &names, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		tds_autofree char *file = NULL;

		good &= asprintf(&file, "%s/%s", path, names[i]->d_name) >= 0 && replay(file);
		free(names[i]);
	}
	free(names);
	return good && n >= 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	bool good = argc > 1;

	for (int i = 1; i < argc; i++)
		good &= replay(argv[i]);
	(void)printf("%s: %zu inputs\n", strncmp(name, "replay_", 7) == 0 ? name + 7 : name,
		     inputs);
	return good && fflush(stdout) == 0 ? 0 : 1;
}
