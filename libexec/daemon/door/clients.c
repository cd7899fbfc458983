/* SPDX-License-Identifier: MIT */
/* Connections, and what they ask. One that misbehaves harms only itself. */
#include "clients.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/base/budget.h"
#include "base/release.h"
#include "hangups.h"
#include "listener.h"
#include "places.h"
#include "tool/cli.h"
#include "turns.h"

/* The connection ends; the client may stay for a change that it asked for. */
static void disconnect(struct client *client)
{
	struct clients *clients = client->clients;

	/* A question that nobody waits for need not be asked; a Tell is delivered all the same. */
	if (client->ticket && client->asking)
		director_forget(clients->door->director, client->ticket);
	client->ticket = 0;
	if (client->deadline)
		event_free(client->deadline);
	client->deadline = NULL;
	hangups_remove(clients->hangups, bufferevent_getfd(client->bev));
	turns_leave(clients->turns, client);
	places_unbuffer(client);
	bufferevent_free(client->bev);
	client->bev = NULL;
	clients->n--;
}

static void client_free(struct client *client)
{
	if (client->bev)
		disconnect(client);
	*client->self = client->next;
	if (client->next)
		client->next->self = client->self;
	places_leave(client);
	free(client);
}

void client_free_if_over(struct client *client)
{
	if (!client->bev && !client->asker.pending && !client->serving)
		client_free(client);
}

/* A change goes on without the client that asked; only the struct stays until it calls back. */
static void client_close(struct client *client)
{
	client->ending = true;
	if (client->bev)
		disconnect(client);
	client_free_if_over(client);
}

void client_cut(struct client *client)
{
	client->ending = true;
	disconnect(client);
}

/* One line; text NULL: out of memory. False: it could not be put on its way. */
static bool write_line(struct bufferevent *bev, const char *text)
{
	/* That the socket could not be watched for room is told only to who enables it again. */
	return text && bufferevent_write(bev, text, strlen(text)) == 0 &&
	       bufferevent_write(bev, "\n", 1) == 0 && bufferevent_enable(bev, EV_WRITE) == 0;
}

void client_reply(struct client *client, json_t *doc)
{
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (client->ending || write_line(client->bev, text))
		return;
	client_cut(client);
}

void client_answer(struct client *client, json_t *doc)
{
	(void)json_object_set_new(doc, "Protocol", json_integer(tds_release_protocol));
	client_reply(client, doc);
}

static void end_after_output(struct client *client)
{
	client->ending = true;
	if (client->bev)
		(void)bufferevent_disable(client->bev, EV_READ);
}

/* One that will say no more, as a pipe into socat, goes when it has all its answers. May free it. */
static void leave_if_silent(struct client *client)
{
	if (!client->silent || client->watching || client->asker.notify || client->leaving)
		return;
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		client_close(client);
	else
		end_after_output(client);
}

/*
 * Of a user whose clients leave too much unread, or unfinished, all together, those go that have most of it. That is told when
 * they are gone: who is told may be one to go.
 */
static void cut_gluttons(struct clients *clients, struct user *user, const struct client *but)
{
	for (struct client *c; (c = places_glutton(clients, user, but));) {
		client_close(c);
		places_over_budget(
			clients, user->uid, &user->budget.refusals,
			"its clients leave as many bytes unread, or unfinished, as budget.cfg "
			"lets them have: one was cut off");
	}
}

void clients_cut_gluttons(struct clients *clients)
{
	for (struct user *user = clients->users, *next; user; user = next) {
		next = user->next;
		cut_gluttons(clients, user, NULL);
	}
}

static void take_line(struct client *client, const char *line, size_t len)
{
	json_error_t why;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);

	client->busy = true;
	client->clients->dispatch(&client->asker, request, why.text);
	json_decref(request);
}

/* False: no line is there. */
static bool serve_line(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->bev);
	size_t len;
	tds_autofree char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

	if (line && len > 0) {
		take_line(client, line, len);
	} else if (!line && evbuffer_get_length(in) > CLIENT_LINE_MAX) {
		client_answer(client, failure_json("Error", 2, "a request of more than 1 MiB"));
		end_after_output(client);
	}
	return line != NULL;
}

bool client_is_behind(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev)) > CLIENT_UNREAD_MAX;
}

/*
 * A client that piles up more than is read ahead is not read until it is served: libevent would call in each turn.
 * False: it cannot be heard any more.
 */
static bool pace(struct client *client)
{
	bool full = evbuffer_get_length(bufferevent_get_input(client->bev)) > CLIENT_LINE_MAX;

	if (full && (client->busy || client_is_behind(client)))
		return bufferevent_disable(client->bev, EV_READ) == 0;
	return client->silent || bufferevent_enable(client->bev, EV_READ) == 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool may_serve(const struct client *client)
{
	return !client->busy && !client->ending && !client_is_behind(client);
}

/*
 * Take what it asks, as far as it is its turn: a request may be a change, which costs as much as a thousand questions, so the
 * time counts as well. False: no more is there.
 */
static bool take_lines(struct client *client)
{
	uint64_t left = client->user->budget.limits->operations;
	int64_t begin_us = now_us();
	int64_t now = begin_us;
	int64_t end_us = begin_us + turns_part_us(client);
	bool more = true;

	for (; more && left > 0 && now <= end_us && may_serve(client); left--) {
		more = serve_line(client);
		now = now_us();
	}
	turns_took(client->clients->turns, client, now - begin_us);
	return more;
}

/* Requests are taken one after the other, as long as each is answered at once and the answers are read. May free the client. */
static void take_turn(struct client *client)
{
	client->serving = true;
	bool more = take_lines(client);
	if (!more && !client->ending)
		leave_if_silent(client);
	client->serving = false;
	if (more && client->bev && may_serve(client))
		turns_wait(client->clients->turns, client);
	bool lost = !client->ending && client->bev && !pace(client);
	if (client->joined || lost)
		client_close(client);
	else
		client_free_if_over(client);
}

/* A request that is answered at once comes back here from within: the loop goes on then. May free the client. */
static void client_serve(struct client *client)
{
	if (!client->serving && turns_may(client->clients->turns, client))
		take_turn(client);
}

/* The next request may come. */
static void be_done(struct client *client)
{
	client->busy = false;
	client->served = true;
	if (client->deadline)
		(void)event_del(client->deadline);
	client->ticket = 0;
}

static void on_answer(struct asker *asker, json_t *doc)
{
	struct client *client = client_of(asker);

	client_answer(client, doc);
	if (client->bev)
		cut_gluttons(client->clients, client->user, client);
	if (client->ending) {
		client_free_if_over(client);
		return;
	}
	be_done(client);
	client_serve(client);
}

/* A notification comes between the answers to what is asked meanwhile. */
static void on_stay(struct asker *asker)
{
	be_done(client_of(asker));
}

/* A user of adminusers.cfg; NULL: another. */
static struct admin_user *user_of(const struct clients *clients, uid_t uid)
{
	return settings_user(clients->door->settings->configured, uid);
}

static struct tds_asking on_asking(struct asker *asker)
{
	const struct client *client = client_of(asker);
	const struct clients *clients = client->clients;
	const struct admin_user *user = user_of(clients, client->uid);
	bool own = places_own(clients, client->uid);

	return (struct tds_asking){ .kind = own    ? TDS_ASKER_OWN
					    : user ? TDS_ASKER_USER
						   : TDS_ASKER_FOREIGN,
				    .rights[TDS_RIGHTS_USER] = user ? user->rights : NULL };
}

static void on_identify(struct asker *asker, struct requester *by)
{
	const struct client *client = client_of(asker);
	struct admin_user *user = user_of(client->clients, client->uid);

	by->by = director_user_json(asker->door->director, client->uid);
	by->refused_mono_ms = user ? &user->refused_mono_ms : NULL;
}

static const struct asker_ops client_ops = {
	.answer = on_answer, .stay = on_stay, .asking = on_asking, .identify = on_identify
};

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;

	(void)bev;
	cut_gluttons(client->clients, client->user, client);
	client_serve(client);
}

/* All is written: what a client that was behind has asked meanwhile is taken up. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (client->ending)
		client_close(client);
	else
		client_serve(client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (what & BEV_EVENT_ERROR) {
		client_close(client);
	} else if (what & BEV_EVENT_EOF) {
		client->silent = true;
		client_serve(client);
	}
}

/*
 * The client has closed its socket. What it sent before is still read, except behind a request that is not answered yet, or
 * behind answers that it did not read.
 */
static void on_hangup(void *arg)
{
	struct client *client = arg;

	if (client->busy || client->silent || client->ending || client_is_behind(client))
		client_close(client);
}

static bool may_use(const struct clients *clients, uid_t uid)
{
	return places_own(clients, uid) || user_of(clients, uid);
}

/* False: out of memory, and fd is still the caller's. */
static bool client_new(struct clients *clients, int fd, uid_t uid)
{
	struct client *client = calloc(1, sizeof(*client));
	bool heard = client && hangups_add(clients->hangups, fd, client);
	struct bufferevent *bev =
		heard ? bufferevent_socket_new(clients->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;

	if (!bev) {
		if (heard)
			hangups_remove(clients->hangups, fd);
		free(client);
		return false;
	}
	*client = (struct client){ .asker = { .ops = &client_ops,
					      .door = clients->door,
					      .guest = !may_use(clients, uid) },
				   .clients = clients,
				   .bev = bev,
				   .uid = uid,
				   .next = clients->first,
				   .self = &clients->first };
	if (!places_take(client)) {
		hangups_remove(clients->hangups, fd);
		bufferevent_free(bev);
		free(client);
		return true; /* the connection is closed */
	}
	if (client->next)
		client->next->self = &client->next;
	clients->first = client;
	clients->n++;
	bufferevent_setcb(bev, on_read, on_written, on_event, client);
	bufferevent_setwatermark(bev, EV_READ, 0, CLIENT_LINE_MAX + 1);
	if (bufferevent_enable(bev, EV_READ | EV_WRITE) != 0)
		client_close(client); /* nobody would hear it */
	return true;
}

static const char *refusal(bool scarce)
{
	return scarce ? "no descriptor is left" : "too many clients";
}

/* Whoever is displaced is told why, if it has nothing else to read. */
static void displace(struct client *client, bool scarce)
{
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		listener_tell(bufferevent_getfd(client->bev), refusal(scarce), NULL);
	client_close(client);
}

static void on_accepted(void *ctx, int fd, bool scarce)
{
	struct clients *clients = ctx;
	struct engine *engine = clients->door->settings->engine;
	struct client *displaced = NULL;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    !(may_use(clients, peer.uid) || engine->ops->admits(engine, peer.uid))) {
		listener_refuse(fd, DOOR_NOT_ALLOWED, LISTENER_DENIED);
		return;
	}
	if (!places_find(clients, peer.uid, scarce, &displaced)) {
		places_over_budget(clients, peer.uid, &clients->refusals, refusal(scarce));
		listener_refuse(fd, refusal(scarce), NULL);
		return;
	}
	if (displaced)
		displace(displaced, scarce);
	if (!client_new(clients, fd, peer.uid))
		listener_refuse(fd, "no memory is left", NULL);
}

/* One that may only join from now on gets no more of what it was told; one that may not even that goes when it is answered. */
void clients_reloaded(struct clients *clients)
{
	struct engine *engine = clients->door->settings->engine;

	for (struct client *c = clients->first, *next; c; c = next) {
		bool may = may_use(clients, c->uid);
		bool told = c->watching || c->asker.notify;

		next = c->next;
		c->asker.guest = !may;
		if (!may && (told || (!c->busy && !engine->ops->admits(engine, c->uid))))
			client_close(c);
	}
}

size_t clients_count(const struct clients *clients)
{
	return clients->n;
}

struct clients *clients_new(struct door *door, struct event_base *base, int listener,
			    dispatch_fn *dispatch)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (!clients) {
		(void)close(listener);
		return NULL;
	}
	*clients = (struct clients){ .door = door, .base = base, .dispatch = dispatch };
	clients->listener = listener_new(base, listener, on_accepted, clients);
	clients->hangups = hangups_new(base, on_hangup);
	clients->turns = turns_new(base, take_turn);
	if (clients->listener && clients->hangups && clients->turns)
		return clients;
	clients_free(clients);
	return NULL;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	while (clients->first) {
		struct bufferevent *bev = clients->first->bev;
		struct evbuffer *out = bev ? bufferevent_get_output(bev) : NULL;

		/* The answer to a shutdown, say, is still worth a try. */
		if (out) {
			(void)evbuffer_unfreeze(out, 1);
			(void)evbuffer_write(out, bufferevent_getfd(bev));
		}
		client_free(clients->first);
	}
	places_free(clients);
	listener_free(clients->listener);
	hangups_free(clients->hangups);
	turns_free(clients->turns);
	free(clients);
}
