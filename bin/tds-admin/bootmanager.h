/* SPDX-License-Identifier: MIT */
/* The managers of services that bootstart knows: what each reads, where, and what is run to tell it. One table. */
#ifndef TDS_BOOTMANAGER_H
#define TDS_BOOTMANAGER_H

#include <stdbool.h>
#include <sys/types.h>

/* A line of each file that bootstart writes. A file without it is somebody else's. */
#define BOOT_MARK "# Written by tds-admin bootstart."

/* In a command: the service's name; the folder of its files; the one that is scanned. */
#define BOOT_NAME "NAME"
#define BOOT_AT "AT"
#define BOOT_SCANNED "SCANNED"

enum boot_quoting { BOOT_AS_SYSTEMD, BOOT_AS_SHELL };

struct boot_file {
	const char *name;     /* in the service's folder; NULL: it is the service itself */
	mode_t mode;          /* 0: there is no such file */
	const char *template; /* see boottext.h */
};

struct boot_command {
	bool instead; /* where the program of the one before is not there */
	const char *argv[8];
};

#define BOOT_FILES 3
#define BOOT_COMMANDS 2

struct boot_manager {
	const char *name;
	bool of_user;         /* --user: the folder is below that of the user's configuration */
	const char *signs[3]; /* it is the one here where one of these is there */
	const char *folder;
	const char *suffix; /* behind the service's name */
	enum boot_quoting quoting;
	struct boot_file files[BOOT_FILES]; /* the first one bears the mark */
	const char *scanned
		[4]; /* it runs what is linked to in the first of these that is there; no command starts that */
	struct boot_command enable[BOOT_COMMANDS];
	struct boot_command start[BOOT_COMMANDS];
	struct boot_command stop[BOOT_COMMANDS];   /* and disable; any link is gone by then */
	struct boot_command forget[BOOT_COMMANDS]; /* when its file is gone */
};

/* By its name; NULL: there is none. */
const struct boot_manager *boot_manager_find(const char *name, bool of_user);

/* The one that runs here; NULL: none that is known. */
const struct boot_manager *boot_manager_here(bool of_user);

#endif
