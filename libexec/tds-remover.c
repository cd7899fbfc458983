/* SPDX-License-Identifier: MIT */
/*
 * Removes a folder for the admin process, which has no time for that: the folder of this name in the folder that descriptor 3
 * is. What is in the way stands in a line on standard output.
 */
#include <stdio.h>

#include "base/confine.h"
#include "base/tree.h"

#define FD_FOLDER 3
#define DESCRIPTORS 32

int main(int argc, char **argv)
{
	static const struct tds_bounds bounds = { .cpu_s = RLIM_INFINITY,
						  .memory = RLIM_INFINITY,
						  .file = RLIM_INFINITY,
						  .descriptors = DESCRIPTORS };
	struct tds_err err = { 0 };

	if (argc != 2) {
		(void)fputs("tds-remover is started by the admin process\n", stderr);
		return 2;
	}
	if (tds_confine_remover(&bounds, FD_FOLDER, argv[1], &err) == 0 &&
	    tds_tree_remove(FD_FOLDER, argv[1], &err) == 0)
		return 0;
	(void)printf("%s\n", err.reason);
	return 5;
}
