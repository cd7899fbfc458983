/* SPDX-License-Identifier: MIT */
/*
 * Where processes of sources come from. The fork server is the host's first process: it never has a source, and forks
 * those that have, in a few milliseconds and with shared memory, while a Python takes fifty to start. One is kept warm,
 * for the source that is loaded next.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "local.h"

/* Link and, where it is piped, output: our ends go to the realm, the host's to the caller. */
static bool open_channels(struct realm *realm, int *host_end, int *out_end)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	*host_end = ends[1];
	if (!link_init(&realm->link, realm->engine->base, ends[0],
		       realm->engine->hooks->source_link, realm)) {
		(void)close(ends[0]);
		return false;
	}
	return !traits(realm)->piped || output_open(realm, out_end);
}

/* Nobody would tell when it is gone. */
static void end_unwatched(struct realm *realm)
{
	if (realm->pid > 0) {
		(void)kill(realm->pid, SIGKILL);
		(void)waitpid(realm->pid, NULL, 0);
	}
	realm_process_over(realm);
}

/* NULL: no process could be started. */
static struct realm *start(struct local *engine)
{
	struct realm *realm = realm_alloc(engine, REALM_FORK_SERVER);
	tds_autofd int host_end = -1;
	tds_autofd int out_end = -1;
	pid_t pid = -1;
	int pidfd = -1;

	if (!realm)
		return NULL;
	if (open_channels(realm, &host_end, &out_end))
		pid = host_start(engine->config, host_end, out_end, &pidfd);
	if (pid > 0 && realm_watch_process(realm, pid, pidfd))
		return realm;
	end_unwatched(realm);
	return NULL;
}

static bool is_there(struct local *engine)
{
	if (!engine->fork_server)
		engine->fork_server = start(engine);
	return engine->fork_server != NULL;
}

static struct realm *forker_of(const struct realm *realm)
{
	switch (traits(realm)->maker) {
	case MADE_BY_FORK_SERVER:
		return realm->engine->fork_server;
	case MADE_BY_HOME:
		return realm->home;
	default:
		return NULL;
	}
}

/* Have its process forked; parent-started or parent-failed tells. False: out of descriptors. */
static bool ask(struct realm *realm)
{
	bool piped = traits(realm)->piped;
	int host_end = -1;
	int out_end = -1;
	struct frame *frame =
		open_channels(realm, &host_end, &out_end)
			? frame_control(json_pack("{s:s, s:I, s:b}", "op", "parent", "ref",
						  (json_int_t)realm->number, "output", piped))
			: NULL;

	if (!frame) {
		tds_close_fd(&host_end);
		tds_close_fd(&out_end);
		return false;
	}
	frame_add_fd(frame, host_end);
	if (piped)
		frame_add_fd(frame, out_end);
	realm->process = PROCESS_ASKED;
	realm->link.corked = true;
	link_send(&forker_of(realm)->link, frame);
	return true;
}

/* A process that is told its source later. NULL: out of descriptors. */
static struct realm *warm_up(struct local *engine)
{
	struct realm *realm = realm_alloc(engine, REALM_WARM);

	if (!realm)
		return NULL;
	realm_number(realm);
	if (ask(realm))
		return realm;
	realm_process_over(realm);
	return NULL;
}

void forkserver_prepare(struct local *engine)
{
	if (is_there(engine) && !engine->warm)
		engine->warm = warm_up(engine);
}

/* It has not heard of a source: it is not there any more. */
static struct realm *give_up(struct realm *realm, const struct engine_load *load)
{
	(void)close(load->archive);
	json_decref(load->names);
	if (realm)
		realm_abandon(realm, FAILURE_PROCESS, "");
	return NULL;
}

struct realm *forkserver_load(struct local *engine, const struct engine_load *load,
			      struct tds_err *err)
{
	forkserver_prepare(engine);
	struct realm *realm = engine->warm;
	engine->warm = NULL;
	if (!realm) {
		tds_err_set(err, TDS_E_REFUSED, "no process could be started");
		return give_up(NULL, load);
	}
	realm->sandbox = load->sandbox ? tds_sandbox_ref(load->sandbox) : NULL;
	if (!actor_home_copy(load->home, &realm->own)) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return give_up(realm, load);
	}
	if (!realm_move_in(realm, err) || !realm_confine(realm, err) || !limits_hold(realm, err))
		return give_up(realm, load);
	realm->kind = REALM_PACKAGE;
	realm->pub.owner = load->owner;
	realm->info = strdup(load->info);
	(void)snprintf(realm->md5, sizeof(realm->md5), "%s", load->md5);
	realm_greet(realm, load->archive, engine->config->settings->log.level);
	link_control(&realm->link, json_pack("{s:s, s:o}", "op", "import", "names", load->names));
	return realm;
}

/* --- what becomes of those that were asked for --- */

/* A realm whose process it was asked to fork; ref 0: any. NULL: none, or gone meanwhile. */
struct realm *forkserver_asked(const struct realm *forker, json_int_t ref)
{
	struct realm *realm = forker->engine->realms;

	while (realm && !((realm->process == PROCESS_ASKED || realm->process == PROCESS_DOOMED) &&
			  forker_of(realm) == forker && (ref == 0 || realm->number == ref)))
		realm = realm->next;
	return realm;
}

void forkserver_never_started(struct realm *realm)
{
	if (traits(realm)->derived)
		realm_abandon(realm, FAILURE_PROCESS,
			      realm->last_line ? realm->last_line : "no process could be started");
	else
		realm_process_over(realm);
}

void forkserver_lost(struct realm *forker)
{
	for (struct realm *realm; (realm = forkserver_asked(forker, 0));)
		forkserver_never_started(realm);
}

/* There is a process of a derived realm: what waited for it goes on. */
static void begin_derived(struct realm *realm)
{
	struct tds_err err;

	if (!realm_move_in(realm, &err) || !realm_confine(realm, &err)) {
		realm_abandon(realm, FAILURE_PROCESS, err.reason);
		return;
	}
	realm_greet(realm, tds_steal_fd(&realm->archive),
		    realm->engine->config->settings->log.level);
	link_control(&realm->link, json_pack("{s:s, s:[]}", "op", "import", "names"));
	realm_ref(realm);
	for (struct actor *a = realm->actors, *next; a; a = next) {
		next = a->next;
		if (!actor_begin(a))
			actor_gone(a);
	}
	realm_unref(realm);
}

/* Nobody would tell when it is gone; the process that forked it reaps it. */
static void end_unheard(struct realm *realm)
{
	realm_kill(realm);
	realm->process = PROCESS_ASKED;
	forkserver_never_started(realm);
}

void forkserver_started(struct realm *realm, pid_t pid, int pidfd)
{
	bool doomed = realm->process == PROCESS_DOOMED;

	if (!realm_watch_process(realm, pid, pidfd)) {
		end_unheard(realm);
		return;
	}
	if (doomed)
		realm_kill(realm);
	limits_begin(realm);
	link_uncork(&realm->link);
	if (traits(realm)->derived && realm->state != REALM_STOPPING)
		begin_derived(realm);
}

/* --- realms of sources that users bring --- */

struct realm *forkserver_derive(struct realm *by, const char *md5)
{
	struct realm *home = realm_origin(by);
	struct realm *realm = realm_alloc(
		by->engine, home->pub.of_program ? REALM_DERIVED_OF_PROGRAM : REALM_DERIVED);

	if (!realm)
		return NULL;
	realm->state = REALM_PENDING;
	realm->home = home;
	realm_ref(home);
	realm->pub.origin = &home->pub;
	realm->pub.of_program = home->pub.of_program;
	realm_number(realm);
	(void)snprintf(realm->md5, sizeof(realm->md5), "%s", md5);
	return realm;
}

bool forkserver_begin(struct realm *realm, int archive)
{
	bool can_fork = realm->kind == REALM_DERIVED ? is_there(realm->engine)
						     : realm->home->process == PROCESS_RUNS;

	realm->archive = fcntl(archive, F_DUPFD_CLOEXEC, 3);
	realm->state = REALM_OPEN;
	if (can_fork && realm->archive >= 0 && ask(realm))
		return true; /* forkserver_started goes on */
	realm_abandon(realm, FAILURE_PROCESS, "no process could be started");
	return false;
}
