/* SPDX-License-Identifier: MIT */
/* How programs join, and the process that their actors are forked from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/release.h"
#include "daemon/guardian/leftovers.h"
#include "program.h"

#define ENDPOINTS_MAX 4096       /* of the admin's own user */
#define ENDPOINTS_FOREIGN_MAX 64 /* of any other */

bool program_allowed(const struct local *engine, uid_t uid)
{
	const struct settings *s = engine->config->settings;

	for (size_t i = 0; i < s->nguests; i++)
		if (s->guests[i] == uid)
			return true;
	return !s->guests && uid == geteuid();
}

/* NULL: out of memory. Else it is counted for the caller. */
static struct realm *make_realm(struct local *engine, uid_t uid)
{
	struct realm *realm = realm_alloc(engine, REALM_PROGRAM);
	struct program *program = realm ? calloc(1, sizeof(*program)) : NULL;

	if (!realm)
		return NULL;
	realm->process = PROCESS_NONE;
	realm_number(realm);
	realm->pub.of_program = true;
	realm->pub.uid = uid;
	realm->foreign = uid != geteuid();
	realm->program = program;
	if (!program) {
		realm_unref(realm);
		return NULL;
	}
	program->uid = uid;
	return realm;
}

/* The realm of a user's programs, made where there is none, and counted for the caller. NULL: out of memory. */
static struct realm *realm_of(struct local *engine, uid_t uid)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		if (r->kind == REALM_PROGRAM && r->program->uid == uid &&
		    r->state != REALM_STOPPING) {
			realm_ref(r);
			return r;
		}
	return make_realm(engine, uid);
}

/* The answer to a Join, before the connection becomes a link. A new connection has room for it. */
static int answer(int fd, json_t *doc, struct tds_err *err)
{
	(void)json_object_set_new(doc, "Protocol", json_integer(tds_release_protocol));
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(doc);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	text[len] = '\n';
	if (send(fd, text, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len + 1)
		return tds_err_set(err, TDS_E_REFUSED, "the answer cannot be sent");
	return 0;
}

static int join_process(struct realm *realm, int fd, pid_t pid, const json_t *request,
			const char **kind, struct tds_err *err)
{
	struct local *engine = realm->engine;
	json_int_t level = json_integer_value(json_object_get(request, "Log"));

	if (realm->process != PROCESS_NONE) {
		*kind = failure_name(FAILURE_PARENT);
		return tds_err_set(err, TDS_E_REFUSED, "this user has a parent process here");
	}
	int rc = answer(fd,
			json_pack("{s:s, s:b, s:s*}", "DirectorResponse", "Joined", "Success", 1,
				  "Mark", getenv(LEFTOVERS_MARK)),
			err);
	if (rc != 0)
		return rc;
	if (!link_init(&realm->link, engine->base, fd, engine->hooks->source_link, realm))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	realm->pid = pid;
	realm->process = PROCESS_RUNS;
	realm_ref(realm);
	realm_greet(realm, -1, (int)level);
	return 0;
}

/* What the program that began the system says about it counts; who comes later finds it said. */
static void settle(struct local *engine, const json_t *request)
{
	const char *name;
	json_t *value;

	if (engine->settled || !engine->config->transient)
		return;
	engine->settled = true;
	engine->ends_with_programs = json_is_true(json_object_get(request, "Private"));
	json_object_foreach(json_object_get(request, "Capabilities"), name,
			    value) if (json_is_string(value))
		set_capability(engine, name, json_string_value(value));
}

static json_t *welcome(const struct endpoint *endpoint)
{
	const struct realm *realm = endpoint->realm;
	struct local *engine = realm->engine;
	char address[ENGINE_ADDRESS_MAX];

	(void)snprintf(address, sizeof(address), "%u.%ju", realm->number,
		       (uintmax_t)endpoint->bearer.id);
	return json_pack("{s:s, s:b, s:s, s:b, s:I, s:O}", "DirectorResponse", "Joined", "Success",
			 1, "Address", address, "Parent", realm->process == PROCESS_RUNS,
			 "MaxMessage", (json_int_t)realm_tell_max_message(engine), "Capabilities",
			 engine->capabilities);
}

static int join_program(struct realm *realm, int fd, const json_t *request, struct tds_err *err)
{
	struct endpoint *endpoint = program_endpoint_new(realm);

	if (!endpoint)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	endpoint->within = json_is_true(json_object_get(request, "Within"));
	settle(realm->engine, request);
	int rc = answer(fd, welcome(endpoint), err);
	if (rc == 0 &&
	    !link_init(&endpoint->link, realm->engine->base, fd, &program_link, endpoint))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc != 0) {
		program_endpoint_free(endpoint);
		return rc;
	}
	link_charge(&endpoint->link, &realm->budget);
	realm->budget.descriptors++;
	return 0;
}

static int join(struct realm *realm, int fd, const struct ucred *peer, const json_t *request,
		const char **kind, struct tds_err *err)
{
	const char *as = json_string_value(json_object_get(request, "As"));
	size_t most = realm->foreign ? ENDPOINTS_FOREIGN_MAX : ENDPOINTS_MAX;

	if (realm->program->nendpoints >= most || !budget_has_descriptor(&realm->budget, fd))
		return tds_err_set(err, TDS_E_REFUSED, "too many programs of this user");
	int rc = strcmp(as, "parent") == 0 ? join_process(realm, fd, peer->pid, request, kind, err)
					   : join_program(realm, fd, request, err);
	if (rc == 0 && realm->state == REALM_LOADING)
		realm->state = REALM_OPEN;
	return rc;
}

/* The frames to come are of this protocol. Who does not say which it speaks has to know. */
static bool speaks_alike(const json_t *request)
{
	const json_t *protocol = json_object_get(request, "Protocol");

	return !protocol || json_integer_value(protocol) == tds_release_protocol;
}

int program_join(struct local *engine, int fd, const struct ucred *peer, const json_t *request,
		 const char **kind, struct tds_err *err)
{
	const char *as = json_string_value(json_object_get(request, "As"));

	if (!as || (strcmp(as, "parent") != 0 && strcmp(as, "program") != 0))
		return tds_err_set(err, TDS_E_USAGE, "As is neither parent nor program");
	if (!speaks_alike(request)) {
		*kind = "protocol";
		return tds_err_set(
			err, TDS_E_NO_ADMIN,
			"the program is of a tds whose protocol is %" JSON_INTEGER_FORMAT
			", the admin process of tds %s, whose protocol is %d (tds-admin restart, "
			"or start the program again)",
			json_integer_value(json_object_get(request, "Protocol")),
			tds_release_version, tds_release_protocol);
	}
	if (!program_allowed(engine, peer->uid))
		return tds_err_set(
			err, TDS_E_REFUSED,
			"programs of this user are not allowed: guests.cfg names who may");
	if (engine->stopping)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the system is shutting down");
	struct realm *realm = realm_of(engine, peer->uid);
	if (!realm)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = join(realm, fd, peer, request, kind, err);
	realm_unref(realm);
	return rc;
}
