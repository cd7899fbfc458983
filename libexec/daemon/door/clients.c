/* SPDX-License-Identifier: MIT */
/* Connections, how many there may be, and what they are told unasked. One that misbehaves harms only itself. */
#include "clients.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/base/clock.h"
#include "daemon/base/budget.h"
#include "base/release.h"
#include "hangups.h"
#include "listener.h"
#include "tool/cli.h"

static bool is_own(const struct clients *clients, uid_t uid)
{
	return uid == 0 || uid == clients->door->settings->uid;
}

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
	free(client);
}

static void free_if_over(struct client *client)
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
	free_if_over(client);
}

/* One line; text NULL: out of memory. False: it could not be put on its way. */
static bool write_line(struct bufferevent *bev, const char *text)
{
	/* That the socket could not be watched for room is told only to who enables it again. */
	return text && bufferevent_write(bev, text, strlen(text)) == 0 &&
	       bufferevent_write(bev, "\n", 1) == 0 && bufferevent_enable(bev, EV_WRITE) == 0;
}

/* A client that cannot be told, for want of memory, is not left to wait: its connection ends. It is still there then. */
static void client_reply(struct client *client, json_t *doc)
{
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (client->ending || write_line(client->bev, text))
		return;
	client->ending = true;
	disconnect(client);
}

/* An answer, which says what protocol it is of; what is told unasked, to who watches, does not. */
static void client_answer(struct client *client, json_t *doc)
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

/* One that does not read is served again when it has read all that it was answered. */
static bool is_behind(const struct client *client)
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

	if (full && (client->busy || is_behind(client)))
		return bufferevent_disable(client->bev, EV_READ) == 0;
	return client->silent || bufferevent_enable(client->bev, EV_READ) == 0;
}

/* Requests are taken one after the other, as long as each is answered at once and the answers are read. May free the client. */
static void client_serve(struct client *client)
{
	bool more = true;

	/* A request that is answered at once comes back here from within: the loop goes on then. */
	if (client->serving)
		return;
	client->serving = true;
	while (more && !client->busy && !client->ending && !is_behind(client))
		more = serve_line(client);
	if (!more && !client->ending)
		leave_if_silent(client);
	client->serving = false;
	bool lost = !client->ending && client->bev && !pace(client);
	if (client->joined || lost)
		client_close(client);
	else
		free_if_over(client);
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
	if (client->ending) {
		free_if_over(client);
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

static void on_identify(struct asker *asker, struct who *who)
{
	const struct client *client = client_of(asker);
	const struct clients *clients = client->clients;
	struct admin_user *user = user_of(clients, client->uid);
	bool own = is_own(clients, client->uid);

	who->by.by = director_user_json(asker->door->director, client->uid);
	who->by.refused_mono_ms = user ? &user->refused_mono_ms : NULL;
	who->asking.kind = own ? TDS_ASKER_OWN : user ? TDS_ASKER_USER : TDS_ASKER_FOREIGN;
	who->asking.rights[TDS_RIGHTS_USER] = user ? user->rights : NULL;
}

static const struct asker_ops client_ops = { .answer = on_answer,
					     .stay = on_stay,
					     .identify = on_identify };

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_serve(arg);
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

	if (client->busy || client->silent || client->ending || is_behind(client))
		client_close(client);
}

static bool may_use(const struct clients *clients, uid_t uid)
{
	return is_own(clients, uid) || user_of(clients, uid);
}

/*
 * Room for one more client: the oldest that never completed a request makes it. Users other than
 * root and the admin's own never take what is kept for these, nor displace them.
 */
static bool make_room(struct clients *clients, uid_t uid)
{
	bool own = is_own(clients, uid);
	struct client *oldest = NULL;
	size_t others = 0;
	size_t of_uid = 0;

	for (struct client *c = clients->first; c; c = c->next) {
		bool other = !is_own(clients, c->uid);

		of_uid += c->uid == uid;
		others += other;
		if (!c->served && c->bev && !c->asker.pending && (own || other))
			oldest = c;
	}
	if (!own && of_uid >= clients->door->settings->per_user)
		return false;
	if (clients->n < CLIENTS_MAX && (own || others < CLIENTS_MAX - CLIENTS_KEPT))
		return true;
	if (oldest)
		client_close(oldest);
	return oldest != NULL;
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

static void refuse_for_room(struct clients *clients, int fd, uid_t uid)
{
	const struct door_settings *settings = clients->door->settings;

	if (budget_may_tell(&clients->told_mono_ms, clock_now_mono_ms()))
		settings->over_budget(settings->ctx, uid);
	listener_refuse(fd, "too many clients", NULL);
}

static void on_accepted(void *ctx, int fd)
{
	struct clients *clients = ctx;
	struct engine *engine = clients->door->settings->engine;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    !(may_use(clients, peer.uid) || engine->ops->admits(engine, peer.uid)))
		listener_refuse(fd, DOOR_NOT_ALLOWED, LISTENER_DENIED);
	else if (!make_room(clients, peer.uid))
		refuse_for_room(clients, fd, peer.uid);
	else if (!client_new(clients, fd, peer.uid))
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

/* --- what the Director tells --- */

/* One that does not read what it asked to be told is cut off. */
static void stream(struct client *client, json_t *doc)
{
	if (is_behind(client)) {
		json_decref(doc);
		client->watching = client->following = false;
		client->ending = true;
		disconnect(client);
		return;
	}
	client_reply(client, doc);
}

void clients_changed(struct clients *clients, json_t *event, bool active)
{
	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->asker.notify && active) {
			c->asker.notify = false;
			client_answer(c, notification_json());
		}
		if (c->watching && !c->ending)
			stream(c, json_incref(event));
		free_if_over(c);
	}
}

static const char *or_dash(const char *word)
{
	return word ? word : "-";
}

/* A new reference; NULL: out of memory. */
static json_t *output_event(const struct line *line)
{
	tds_autofree char *text = strndup(line->text, line->len);
	tds_autofree char *who = NULL;

	if (asprintf(&who, "%s %s %s", or_dash(line->group), or_dash(line->role),
		     or_dash(line->address)) < 0)
		who = NULL;
	if (!text || !who)
		return NULL;
	json_t *event = json_pack("{s:s, s:o?, s:o?}", "Event", "Output", "From",
				  tds_cli_json_text(who), "Text", tds_cli_json_text(text));
	if (event && line->level > 0)
		(void)json_object_set_new(event, "Level", json_integer(line->level));
	return event;
}

void clients_output(struct clients *clients, const struct line *line)
{
	json_t *event = NULL;

	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->following && !c->ending && (event || (event = output_event(line))))
			stream(c, json_incref(event));
		free_if_over(c);
	}
	json_decref(event);
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
	if (clients->listener && clients->hangups)
		return clients;
	clients_free(clients);
	return NULL;
}

void clients_farewell(struct clients *clients, int status, const char *why)
{
	for (struct client *c = clients->first; c; c = c->next)
		if (clients->door->state == DOOR_RESTARTING && c->busy && !c->ending)
			client_answer(c, later_json("Error"));
		else if (c->leaving && status == 0)
			client_answer(c, json_pack("{s:s, s:b, s:i}", "DirectorResponse",
						   "ShutDown", "Success", 1, "Status", 0));
		else if (c->leaving)
			client_answer(c, failure_json("ShutDown", status, why));
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
	listener_free(clients->listener);
	hangups_free(clients->hangups);
	free(clients);
}
