/* SPDX-License-Identifier: MIT */
/* What is written for a manager of services: a template of boot/ with the service's own in its places. */
#ifndef TDS_BOOTTEXT_H
#define TDS_BOOTTEXT_H

#include "base/dir.h"
#include "bootmanager.h"

/*
 * What is in the places: @name@, @user@; @admin@ and @load@, the programs; @dir@, as a word of a command; @setdir@, the variable;
 * @writable@, the folders that it writes to; @home@ and @tmp@, what systemd may take away of these. A line that begins with
 * "{root own} " is for services of these kinds: of root, of a user of its own, of a user's own manager.
 */
struct boot_values {
	enum boot_kind { BOOT_OF_ROOT, BOOT_OF_OWN, BOOT_OF_USER } kind;
	const char *name;
	const char *user; /* of BOOT_OF_OWN */
	const char *bin;  /* the folder of the tools */
	char *folders
		[4]; /* absolute: the director directory, and what else it writes to; NULL behind the last; owned */
};

/* Find the folders. Errors: TDS_E_UNUSABLE, and those of the configuration's files. */
int boot_values_find(const struct tds_dir *dir, struct boot_values *values,
		     struct tds_err *err) TDS_MUST_CHECK;
void boot_values_fini(struct boot_values *values);
#define tds_boot_values_cleanup boot_values_fini

/* The text of a file. Caller frees; NULL: out of memory. */
char *boot_text(const char *template, enum boot_quoting quoting, const struct boot_values *values);

/* What somebody can have supervised where no manager is known: a command for a shell. Caller frees; NULL: out of memory. */
char *boot_text_command(const struct boot_values *values);

#endif
