/* SPDX-License-Identifier: MIT */
/*
 * The kinds of values that configuration files hold: a parser for each. They know no file but by the rule that the work
 * under way has. For config.c alone.
 */
#ifndef TDS_CONFIGKINDS_H
#define TDS_CONFIGKINDS_H

#include "config.h"

struct config_work;

/* What a file of a name holds. */
struct config_rule {
	struct tds_config_file file;
	int (*parse)(struct config_work *w);
	int64_t least; /* of a number */
	int64_t most;
	bool as_bytes; /* parsed as it is, before anything else looks at it */
};

/* A file that is being parsed. */
struct config_work {
	const struct config_rule *rule;
	const char *raw; /* as it is */
	size_t raw_len;
	const char *text; /* without the blanks around it, with LF only */
	size_t len;
	unsigned line; /* where that begins in the file */
	unsigned column;
	struct tds_tli_watcher watcher;
	struct tds_value *value; /* what comes of it */
	struct tds_err *err;
};

/* The place of text + at in the file. */
void config_find_place(const struct config_work *w, size_t at, unsigned *line, unsigned *column);

/* Errors, which they return: TDS_E_SYNTAX at text + at; TDS_E_NOMEM. */
int config_refuse(struct config_work *w, size_t at, const char *fmt, ...) TDS_PRINTF(3, 4);
int config_no_memory(struct config_work *w);

/* Each sets value, or returns an error. */
int config_base(struct config_work *w);
int config_old_base(struct config_work *w); /* a base, or nothing */
int config_number(struct config_work *w);   /* within the rule's bounds */
int config_leader(
	struct config_work *w); /* HOST or HOST:PORT, a list as that of config_bus, or nothing */
int config_bus(struct config_work *w);         /* a list of URLs (bus.h) */
int config_system_name(struct config_work *w); /* of a system, or of a convention */
int config_role(struct config_work *w);
int config_path(struct config_work *w);          /* absolute */
int config_optional_path(struct config_work *w); /* the same, or nothing */
int config_capabilities(struct config_work *w);
int config_logging(struct config_work *w);
int config_limits(struct config_work *w);
int config_budget(struct config_work *w);
int config_users(struct config_work *w);      /* a list */
int config_adminusers(struct config_work *w); /* the same, each with rights */
int config_may(struct config_work *w);        /* patterns of groups, each with rights */
int config_user(struct config_work *w);       /* one */
int config_adminuser(struct config_work *w); /* the same, with a word for who takes it for a list */
int config_sandbox(struct config_work *w);   /* a profile, or a dictionary (sandboxcfg.h) */
int config_variables(struct config_work *w); /* a list of names */
int config_uidrange(struct config_work *w);
int config_switch(struct config_work *w);  /* yes or no */
int config_bits(struct config_work *w);    /* as the key ring reads it */
int config_digests(struct config_work *w); /* the same */

#endif
