/* SPDX-License-Identifier: MIT */
/*
 * Configuration that can be understood, and yet does not do what it says: settings without effect, users that are not
 * there, logging that cannot work. Nothing is changed by looking.
 */
#ifndef TDS_ADMIN_JUDGE_H
#define TDS_ADMIN_JUDGE_H

#include "check.h"

/*
 * Take note of what is wrong with the value that a report has, of a file of this name; dir, where it is open, is what it
 * counts for.
 */
void judge_value(struct report *report, const struct tds_dir *dir, const char *name);

/* The same of a file that says which convention the system is in: what they say together, and the certificates. */
void judge_convention(struct report *report, const struct tds_dir *dir, const char *name);

/* Warn of each setting of the directory that has no effect, or not the one that it names. */
void judge_effects(struct admin *admin, const struct tds_dir *dir);

/* The same of the director directory that is meant; nothing where there is none. */
void judge_configured(struct admin *admin);

/* Warn of what strict modes fail there, the directory itself or a configuration file. */
void judge_modes(struct admin *admin);

/* Refuse a directory whose admin process would be root's, and is not told as whom actors run. */
void judge_actors(struct report *report, const struct tds_dir *dir);

/*
 * Have the logger try thesplog.cfg, as the user of the admin process; nothing is written.
 * Errors:  TDS_E_REFUSED: logging cannot work, with the reason. 0 too where there is no such file, it cannot be understood,
 *          or this process may not become that user.
 */
int judge_logging(const struct tds_dir *dir, struct tds_err *err) TDS_MUST_CHECK;

/* Warn where all other users will take an admin process of this user, in this directory, for a stranger's. */
void judge_belief(struct admin *admin, const struct tds_dir *dir);

/* Is there a sandbox.cfg? Without it JUDGE_NO_SANDBOX is to be said of its name. */
#define JUDGE_NO_SANDBOX \
	"is not there: packages are trusted, and their actors may do what their user may"
bool judge_sandbox(const struct tds_dir *dir);

/* With -v, as whom actors run there. */
void judge_way(struct admin *admin, const struct tds_dir *dir);

/* What is said once, when the settings of the directory begin to count: those without effect, and logging that cannot work. */
void judge_start(struct admin *admin, const struct tds_dir *dir);

#endif
