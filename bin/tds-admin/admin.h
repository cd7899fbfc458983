/* SPDX-License-Identifier: MIT */
/* What the commands of tds-admin share. */
#ifndef TDS_ADMIN_H
#define TDS_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dir.h"
#include "tool/cli.h"

struct admin {
	struct tds_cli cli;
	const char *names_from; /* -T */
	bool literal;           /* --literal */
	bool strict;            /* --strict */
	bool foreground;        /* --foreground */
	bool load_all;          /* --load-all */
	int notify_fd;          /* --notify-fd; -1: not given */
	bool fresh;             /* --fresh */
	bool transient;         /* --transient */
	bool python_path;       /* --python-path */
	bool follow;            /* --follow */
	bool audit;             /* --audit */
	bool json_message;      /* --json-message */
	const char *group;      /* --group */
	const char *role;       /* --role */
	int level;              /* --level; 0: not given */
	uint64_t lines;         /* --lines; UINT64_MAX: all */
	int64_t since_wall_ms;  /* --since; INT64_MIN: not given */
	const char *root;       /* --root */
	const char *user;       /* --user; empty: no user was named */
	const char *manager;    /* --manager */
	const char *folder;     /* --folder */
	const char *bus;        /* --bus */
	const char *name;       /* --name */
	const char *candidates; /* --candidates */
	const char *days;       /* --days */
	bool renew;             /* --renew */
	bool remove;            /* --remove */
	uint64_t wait;          /* --wait; 0: not given */
	const char *textfile;   /* --textfile */
	const char *sort;       /* --sort */
	bool once;              /* --once */
	double delay_s;         /* --delay; negative: not given */
	bool print;             /* --print */
	double grace_s;         /* --grace; negative: not given */
	double timeout_s;       /* --timeout; negative: not given */
};

/* Open the director directory. */
int admin_open_dir(struct admin *admin, struct tds_dir *dir, struct tds_err *err) TDS_MUST_CHECK;

struct tds_client;

/* Connect to the admin process of the director directory. Errors: those of admin_open_dir, tds_client_open and tds_client_compare. */
int admin_connect(struct admin *admin, struct tds_client *client,
		  struct tds_err *err) TDS_MUST_CHECK;

/*
 * One request, of which this takes the reference, on a connection of its own.
 * Owner:   *answer, a new reference, is there whatever comes of it, or NULL.
 * Errors:  those of admin_connect and tds_client_ask.
 */
int admin_request(struct admin *admin, json_t *request, json_t **answer,
		  struct tds_err *err) TDS_MUST_CHECK;

/* Does the director directory declare the group? TDS_E_MISSING, with a name that may be meant, where it does not. */
int admin_find_group(struct admin *admin, const char *group, struct tds_err *err) TDS_MUST_CHECK;

/* What is installed with this program: name is its path below the folder that bin is in. Caller frees; NULL: out of memory. */
char *admin_installed(const char *name);

/* The name of a user, else the number. */
void admin_print_user(FILE *out, json_int_t uid);

/* Name what an admin, which says so in its Status, did not bring back when it started. */
void admin_report_not_restored(struct admin *admin, const json_t *status);

/* When each configuration file counts, and whether it is there: lines, or an array. dirfd -1: there is no director directory. */
void counts_print(FILE *out, int dirfd);
json_t *counts_json(int dirfd);

/* Of an answer to Status: lines of the version that runs, and of what waits for a restart or a reload. */
void running_print(FILE *out, const json_t *status);
void running_print_convention(FILE *out, const json_t *status); /* nothing, where there is none */
void running_print_limits(FILE *out,
			  const json_t *status); /* what each source takes, where it has a cgroup */

/* A command gets its operands, and reports through admin->cli. */
void admin_config(struct admin *admin, int argc, char **argv);
extern const char admin_config_help[];
void admin_bootstart(struct admin *admin, int argc, char **argv);
extern const char admin_bootstart_help[];
void admin_convention(struct admin *admin, int argc, char **argv);
extern const char admin_convention_help[];
void admin_setup(struct admin *admin, int argc, char **argv);
extern const char admin_setup_help[];
void admin_may(struct admin *admin, int argc, char **argv);
extern const char admin_may_help[];
void admin_sandbox(struct admin *admin, int argc, char **argv);
extern const char admin_sandbox_help[];
void admin_keys(struct admin *admin, int argc, char **argv);
extern const char admin_keys_help[];
void admin_check(struct admin *admin, int argc, char **argv);
extern const char admin_check_help[];

void admin_start(struct admin *admin, int argc, char **argv);
extern const char admin_start_help[];
void admin_reload(struct admin *admin, int argc, char **argv);
extern const char admin_reload_help[];
void admin_restart(struct admin *admin, int argc, char **argv);
extern const char admin_restart_help[];
void admin_shutdown(struct admin *admin, int argc, char **argv);
extern const char admin_shutdown_help[];
void admin_status(struct admin *admin, int argc, char **argv);
extern const char admin_status_help[];
void admin_list(struct admin *admin, int argc, char **argv);
extern const char admin_list_help[];
void admin_members(struct admin *admin, int argc, char **argv);
extern const char admin_members_help[];
void admin_role(struct admin *admin, int argc, char **argv);
extern const char admin_role_help[];
void admin_forget(struct admin *admin, int argc, char **argv);
extern const char admin_forget_help[];
void admin_tell(struct admin *admin, int argc, char **argv);
extern const char admin_tell_help[];
void admin_ask(struct admin *admin, int argc, char **argv);
extern const char admin_ask_help[];
void admin_watch(struct admin *admin, int argc, char **argv);
extern const char admin_watch_help[];

void admin_metrics(struct admin *admin, int argc, char **argv);
extern const char admin_metrics_help[];
void admin_tree(struct admin *admin, int argc, char **argv);
extern const char admin_tree_help[];
void admin_top(struct admin *admin, int argc, char **argv);
extern const char admin_top_help[];

void admin_log(struct admin *admin, int argc, char **argv);
extern const char admin_log_help[];
void admin_history(struct admin *admin, int argc, char **argv);
extern const char admin_history_help[];

#endif
