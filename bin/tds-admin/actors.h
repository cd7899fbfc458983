/* SPDX-License-Identifier: MIT */
/* All actors, as the admin process answers. */
#ifndef TDS_ADMIN_ACTORS_H
#define TDS_ADMIN_ACTORS_H

#include <jansson.h>

#include "base/jsontext.h"

/* The request that has all groups and all actors answered. A new reference; NULL: out of memory. */
static inline json_t *actors_request(void)
{
	return json_pack("{s:s, s:b}", "DirectorOp", "RetrieveAll", "Actors", 1);
}

/* The address that an actor has under this key, borrowed; "": none. */
static inline const char *actors_address(const json_t *actor, const char *key)
{
	return tds_json_string(json_object_get(actor, key), "ActorAddress");
}

#endif
