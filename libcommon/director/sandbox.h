/* SPDX-License-Identifier: MIT */
/*
 * What a sandbox lets the actors of a package do: read from a declaration's 'Sandbox' or from sandbox.cfg, compared, put into
 * words. How a process is held to it is not known here.
 */
#ifndef TDS_SANDBOX_H
#define TDS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "literal/value.h"

/* What there is without asking for more; each is more than the one before. */
enum tds_profile {
	TDS_PROFILE_STRICT,  /* the interpreter's files and its own archive */
	TDS_PROFILE_DEFAULT, /* and the group's data folder, and reading what is the system's own */
	TDS_PROFILE_NET,     /* and outgoing connections */
	TDS_PROFILE_TRUSTED, /* an ordinary process of its user */
};
#define TDS_PROFILES 4

enum tds_sandbox_list {
	TDS_SANDBOX_READ,  /* folders and files, absolute; what is below a folder too */
	TDS_SANDBOX_WRITE, /* the same; they may be read as well */
	TDS_SANDBOX_RUN,   /* programs; of what a machine allows also folders of them */
	TDS_SANDBOX_ENV, /* names of variables; of what a machine allows also with '*' at the end */
};
#define TDS_SANDBOX_LISTS 4

enum tds_sandbox_ports { TDS_SANDBOX_CONNECT, TDS_SANDBOX_LISTEN };
#define TDS_SANDBOX_PORTS 2

enum tds_sandbox_limit {
	TDS_SANDBOX_MEMORY,    /* bytes of address space of each process */
	TDS_SANDBOX_PROCESSES, /* and threads, of the whole source */
	TDS_SANDBOX_FILES,     /* open descriptors of each process */
};
#define TDS_SANDBOX_LIMITS 3

#define TDS_SANDBOX_MAX_ITEMS 256 /* of a list */

struct tds_ports {
	bool any;
	uint16_t *numbers; /* 1 to 65535 */
	size_t n;
};

/* Never altered once it is made. Paths have no '.', '..' and no double slashes. */
struct tds_sandbox {
	unsigned refs;
	unsigned line; /* where it is written */
	unsigned column;
	enum tds_profile profile; /* that it begins with; a dictionary without 'Profile': default */
	char **lists[TDS_SANDBOX_LISTS];
	size_t nlist[TDS_SANDBOX_LISTS];
	struct tds_ports ports[TDS_SANDBOX_PORTS];
	uint64_t limits[TDS_SANDBOX_LIMITS]; /* 0: none is named */
	char *words; /* "net", or "default, Connect 443, Memory 1073741824" */
};

const char *tds_profile_name(enum tds_profile profile);
const char *tds_sandbox_list_name(enum tds_sandbox_list list); /* "Read" */
const char *tds_sandbox_ports_name(enum tds_sandbox_ports ports);
const char *tds_sandbox_limit_name(enum tds_sandbox_limit limit);

/*
 * Read the value of 'Sandbox': the name of a profile, or a dictionary.
 * Source:  value is untrusted.
 * Owner:   caller gives *sandbox back with tds_sandbox_unref, on success only.
 * Errors:  TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_sandbox_read(const struct tds_value *value, struct tds_sandbox **sandbox,
		     struct tds_err *err) TDS_MUST_CHECK;

/* The profile of this name, and nothing more. NULL: out of memory. */
struct tds_sandbox *tds_sandbox_of(enum tds_profile profile);

/* Its words, made of the rest. Caller frees; NULL: out of memory. */
char *tds_sandbox_words(const struct tds_sandbox *sandbox);

struct tds_sandbox *tds_sandbox_ref(struct tds_sandbox *sandbox);
void tds_sandbox_unref(struct tds_sandbox *sandbox); /* accepts NULL */
static inline void tds_sandbox_cleanup(struct tds_sandbox **sandbox)
{
	tds_sandbox_unref(*sandbox);
}

/* Is nothing asked for that is not allowed? Errors: TDS_E_REFUSED, the reason being the first that is: "Connect 443". */
int tds_sandbox_within(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		       struct tds_err *err) TDS_MUST_CHECK;

/*
 * What is granted where asked is within allowed: as it is asked for, its paths without links in them, with the limits of both.
 * Source:  the file system is looked at: a path that leads out of what is allowed, by a link, is not allowed either.
 * Owner:   as tds_sandbox_read.
 * Errors:  TDS_E_REFUSED: not allowed, or a path that is not there; TDS_E_NOMEM.
 */
int tds_sandbox_grant(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		      struct tds_sandbox **granted, struct tds_err *err) TDS_MUST_CHECK;

/* The folders and files that a profile lets be read by itself, but for the interpreter's own; ends with NULL. */
const char *const *tds_profile_reads(enum tds_profile profile);

#endif
