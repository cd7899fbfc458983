/* SPDX-License-Identifier: MIT */
/*
 * Removes a folder for the admin process, which has no time for that: the folder of this name in the folder that descriptor 3
 * is; and where a uid is given, whose it was, all else that this uid has on the machine, its processes first. What is in the way
 * stands in a line on standard output.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/confine.h"
#include "base/owned.h"
#include "base/text.h"
#include "base/tree.h"

#define FD_FOLDER 3
#define DESCRIPTORS 32

/* All that the uid has elsewhere, while this process may still get there. */
static int end_user(const char *text, struct tds_err *err)
{
	uint64_t uid = 0;

	if (!tds_parse_uint(text, strlen(text), UINT32_MAX - 1, &uid) || uid == 0)
		return tds_err_set(err, TDS_E_USAGE, "not a uid: %s", text);
	tds_owned_kill((uid_t)uid);
	tds_owned_release((uid_t)uid);
	return tds_owned_remove((uid_t)uid, err);
}

int main(int argc, char **argv)
{
	static const struct tds_bounds bounds = { .cpu_s = RLIM_INFINITY,
						  .memory = RLIM_INFINITY,
						  .file = RLIM_INFINITY,
						  .descriptors = DESCRIPTORS };
	struct tds_err err = { 0 };

	if (argc != 2 && argc != 3) {
		(void)fputs("tds-remover is started by the admin process\n", stderr);
		return 2;
	}
	if ((argc == 2 || end_user(argv[2], &err) == 0) &&
	    tds_confine_remover(&bounds, FD_FOLDER, argv[1], &err) == 0 &&
	    tds_tree_remove(FD_FOLDER, argv[1], &err) == 0)
		return 0;
	(void)printf("%s\n", err.reason);
	return 5;
}
