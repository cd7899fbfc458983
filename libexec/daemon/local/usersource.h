/* SPDX-License-Identifier: MIT */
/*
 * Sources that actors and programs bring themselves, and the Source Authorities of their own that accept them.
 *
 * A zone is whose code it is: the number of the realm of a package, or of a user's programs. The realms of the sources
 * that come from there are of the same zone. An authority answers for its zone alone: what it accepts runs as that
 * zone's code runs, and is found from that zone alone. It is never asked about a package, and makes none.
 */
#ifndef TDS_DAEMON_USERSOURCE_H
#define TDS_DAEMON_USERSOURCE_H

#include "local.h"

/*
 * Ask the zone's authority about a source, unless it is there already, or the zone may bring none; the link of from has
 * its bytes. False: it breaks the grammar.
 */
bool usersource_load(const struct sender *from, const json_t *op);

/*
 * Let no more actors be created from a source of its zone; those that run go on. To unload a package is the Director's
 * affair. False: it breaks the grammar.
 */
bool usersource_unload(const struct sender *from, const json_t *op);

/* Let an actor be the authority of its zone. False: out of memory. */
bool usersource_register(struct actor *actor);

/* The realm in which code of realm by creates actors of a source; they wait there while it is pending. NULL: none. */
struct realm *usersource_realm(struct realm *by, const char *md5);

/* What an op of an actor or a program waits for before it is done. */
enum asks {
	ASKS_NOTHING, /* it is not answered, and does not wait */
	ASKS, /* it is, now or later: for who asks to read the answers to what was before it */
	ASKS_FORKER, /* the same, and for room where it goes: the process that an actor is to be forked from */
};

/* link_may_ask, for an op from code of realm by. */
enum link_verdict usersource_may_ask(struct link *asker, struct realm *by, enum asks asks,
				     const json_t *op);

/* Hooks: those that watch sources are told of a package; a zone ends with the realm that it is named after. */
void usersource_realm_opened(struct realm *realm);
void usersource_realm_closed(struct realm *realm, enum realm_state before);

/* Does an actor of a source run that came from there? */
bool usersource_busy(const struct realm *origin);
void usersource_free(struct local *engine);

/* What there is for code of by: [[hash, info], ...]; and the actor that is asked about its sources, NULL: none. */
json_t *usersource_list(const struct realm *by);
struct actor *usersource_authority(const struct realm *by);

/* What actors ask for: validated, sources. */
bool usersource_op_validated(struct actor *actor, const json_t *op);
bool usersource_op_watch(struct actor *actor, const json_t *op);

#endif
