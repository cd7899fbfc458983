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

/* Refuse a folder that is not there yet, and is made when it is needed, where there is none to make it in. */
void judge_missing_folder(struct report *report, const char *path);

/* Of each floor that is lost, warn: of that group nothing is loaded by its name. And of two documents, refuse it. */
void judge_floors(struct admin *admin, const struct tds_dir *dir);
void judge_lost_floors(struct report *report, const json_t *desired, const json_t *floors);

/* Is a pattern of groups' names for any of them? Where none is declared yet it may be. JUDGE_FITS_NONE says that it is not. */
struct tds_groups;
bool judge_fits_any(const char *pattern, const struct tds_groups *groups);
#define JUDGE_FITS_NONE "'%.60s' fits no group that is declared here"

/* Take note of sandboxes of sandbox.cfg that cannot be held here, of its patterns, and of a newprivs.cfg that has no effect beside it. */
void judge_sandboxes(struct report *report);
void judge_sandbox_groups(struct report *report, const struct tds_dir *dir);
void judge_newprivs(struct report *report, const struct tds_dir *dir);

/* Take note of lines of may.cfg and adminusers.cfg that never count, and of patterns that fit no group. */
void judge_may(struct report *report, const struct tds_dir *dir);
void judge_adminusers(struct report *report, const struct tds_dir *dir);

/*
 * Warn of what holds as long as nobody changes it: settings that have no effect, or not the one that they name, those that
 * refuse each package since they are wrong, and lost floors.
 */
void judge_standing(struct admin *admin, const struct tds_dir *dir);

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
