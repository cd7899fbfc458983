/* SPDX-License-Identifier: MIT */
/* What the files of tds-avail share: the options, and one package as it was looked at. */
#ifndef AVAIL_H
#define AVAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/dir.h"
#include "director/groups.h"
#include "director/rundir.h"
#include "director/tli.h"
#include "tool/cli.h"
#include "tool/strictly.h"

enum mode {
	MODE_LIST,   /* the Director's text, or JSON */
	MODE_PATHS,  /* paths alone */
	MODE_EXCESS, /* paths of what is beyond the limits */
	MODE_PRUNE,  /* the same, deleted */
};

struct opts {
	struct tds_cli cli;
	enum mode mode;
	bool latest;
	bool verify;
	int64_t wait_s;         /* for the lock; -1: not said */
	const char *names_from; /* NULL: none */
	char *cache_home;       /* NULL: none */
};

/* What a run works on: the directory and the groups that were asked for. */
struct avail {
	struct opts *opts;
	struct tds_dir dir;
	struct tds_strict strict; /* who is who in it */
	struct tds_groups groups;
	const struct tds_group **chosen; /* sorted by name, each once */
	size_t nchosen;
	bool all; /* every group is chosen */
};

enum state {
	ITEM_KNOWN,
	ITEM_FAULT, /* it cannot be read */
	ITEM_GONE,  /* it vanished in between, and is not mentioned */
};

/* One package as it was looked at. */
struct item {
	const struct tds_group *group;
	const char *name;
	enum state state;
	struct tds_err *why; /* of ITEM_FAULT; NULL: memory was short for that too */
	int64_t size;
	int64_t mtime_wall_ms;
	unsigned char md5[TDS_MD5_LEN];
	json_t *verdict; /* what tds-verify says of it; NULL: it was not asked */
};

/* A group's declaration, as it was read. */
struct decl {
	struct tds_tli tli;
	int rc;              /* 0, or why tli is empty: a TDS_E_ code, */
	struct tds_err *why; /* and the reason; NULL: memory was short for that too */
};

struct items {
	struct item *v; /* group by group, newest first */
	size_t n;
	struct decl *decl; /* of each chosen group */
	size_t ndecl;      /* 0: they were not wanted */
};

/* look.c: how many of a group's packages are wanted. */
size_t wanted(const struct avail *avail, const struct tds_group *group);

/* Read a group's declaration. */
int read_tli(const struct avail *avail, const struct tds_group *group, struct tds_tli *tli,
	     struct tds_err *err) TDS_MUST_CHECK;

/* Warn where others may write it. */
void warn_of_tli(const struct avail *avail, const struct tds_group *group);

/*
 * Look at the wanted packages of all chosen groups, with sums from the cache where it knows them, and at
 * the groups' declarations. Caller calls items_fini in any case.
 */
int items_look(const struct avail *avail, struct items *items, struct tds_err *err) TDS_MUST_CHECK;
void items_fini(struct items *items);
#define tds_items_cleanup items_fini

/* verify.c: let tds-verify say of each item whether it loads. Errors: TDS_E_UNUSABLE, TDS_E_NOMEM. */
int items_verify(const struct avail *avail, struct items *items,
		 struct tds_err *err) TDS_MUST_CHECK;

/* state.c: how a package stands in the admin process. */
struct standing {
	bool known; /* else loaded.json or desired.json cannot be read: nobody knows */
	bool loaded;
	bool active;
	bool held;
};
struct standing standing_of(const struct tds_loaded *state, const struct tds_group *group,
			    const char *name); /* state NULL: not known */

/* list.c: the three lists. */
void list_paths(const struct avail *avail);
void list_text(const struct avail *avail, const struct items *items,
	       const struct tds_loaded *loaded); /* NULL: not known */
void list_json(const struct avail *avail, const struct items *items,
	       const struct tds_loaded *loaded);

/* excess.c: --excess and --prune. */
void excess_run(const struct avail *avail);

/* print.c: one line for what is wrong with the file NAMESUFFIX of the directory, and the status for it. */
void report(const struct avail *avail, const char *name, const char *suffix,
	    const struct tds_err *err);
void report_nomem(const struct avail *avail);
void print_path(const struct avail *avail, const char *name);
/* A JSON object for a package: File, Path, Version. NULL: out of memory. */
json_t *package_json(const struct avail *avail, const struct tds_group *group, const char *name);
/* The one document of -j; takes the reference, NULL is out of memory. */
void print_document(const struct avail *avail, json_t *groups);

#endif
