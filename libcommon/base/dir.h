/* SPDX-License-Identifier: MIT */
/* A folder that is held open: the director directory, and nothing of what is in it. */
#ifndef TDS_DIR_H
#define TDS_DIR_H

#include "err.h"

struct tds_dir {
	int fd;     /* O_PATH is not enough: it is read and locked; -1: closed */
	char *path; /* as the user gave it */
};

/* Errors: TDS_E_MISSING, TDS_E_UNUSABLE, TDS_E_NOMEM; *dir is then closed. */
int tds_dir_open(const char *path, struct tds_dir *dir, struct tds_err *err) TDS_MUST_CHECK;
void tds_dir_close(struct tds_dir *dir);
#define tds_dir_cleanup tds_dir_close

/* DIR/NAME, with no second slash where the path ends in one. Caller frees; NULL: memory. */
char *tds_dir_join(const struct tds_dir *dir, const char *name);

/* Name the file in it that a rising failure is about, as tds_err_name does. Returns err's code. */
int tds_dir_err(const struct tds_dir *dir, const char *name, struct tds_err *err);

#endif
