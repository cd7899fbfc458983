/* SPDX-License-Identifier: MIT */
/*
 * Strict modes: who may own, and who may write, what decides what runs. One table says it for each kind of file, and one
 * function judges a file by it. It does not know where these files are, nor what becomes of one that fails.
 */
#ifndef TDS_STRICT_H
#define TDS_STRICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/* What a file is, for the table. */
enum tds_strict_kind {
	TDS_STRICT_DIR,         /* the director directory */
	TDS_STRICT_ABOVE,       /* a folder above it, or above what a link leads to */
	TDS_STRICT_KEY,         /* a public key, or its .allow */
	TDS_STRICT_CONFIG,      /* NAME.cfg, those that limit trust too */
	TDS_STRICT_DECLARATION, /* GROUP.tli */
	TDS_STRICT_ADMINUSER,   /* adminuser.cfg, which gives somebody else such rights */
	TDS_STRICT_SWITCH,      /* strictmodes.cfg, which lifts all this */
	TDS_STRICT_DATA,        /* the folder of the data folders */
};

/* Who is who where files are judged. */
struct tds_strict {
	uid_t owner; /* of the director directory */
	uid_t admin; /* whom adminuser.cfg names; where it names nobody, the same */
	bool is_lax; /* what fails is only warned of, as strictmodes.cfg says */
};

#define TDS_STRICT_WHY_MAX 256 /* bytes of the words for what fails */

/*
 * May only those write the open file (O_PATH is enough) that the table has for its kind?
 * Shape:   why gets the words for what fails, "" for nothing: "others may write WHAT" or "WHAT belongs to uid N"; what is
 *          NULL where the message names the file already.
 */
bool tds_strict_judge(const struct tds_strict *strict, enum tds_strict_kind kind, int fd,
		      const char *what, char why[TDS_STRICT_WHY_MAX]);

/* The same for the director directory and all folders above it, up to the root; of those the words name the folder. */
bool tds_strict_judge_dir(const struct tds_strict *strict, int fd, char why[TDS_STRICT_WHY_MAX]);

/*
 * The same for a file that was opened as name in dirfd. Where that is a symbolic link, the folders above what it leads to
 * are judged, too.
 */
bool tds_strict_judge_opened(const struct tds_strict *strict, enum tds_strict_kind kind, int fd,
			     int dirfd, const char *name, const char *what,
			     char why[TDS_STRICT_WHY_MAX]);

/* The same for one that is not open: what is not there, or leads nowhere, fails nothing. */
bool tds_strict_judge_name(const struct tds_strict *strict, enum tds_strict_kind kind, int dirfd,
			   const char *name, char why[TDS_STRICT_WHY_MAX]);

#endif
