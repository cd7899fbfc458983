/* SPDX-License-Identifier: MIT */
/* Connections, how many there may be, and what they are told unasked. One that misbehaves harms only itself. */
#include "requests.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "actorlog.h"
#include "cli.h"
#include "mem.h"

static void client_free(struct client *client)
{
	*client->self = client->next;
	if (client->next)
		client->next->self = client->self;
	client->clients->n--;
	/* A question that nobody waits for need not be asked; a Tell is delivered all the same. */
	if (client->ticket && client->asking)
		director_forget(client->clients->director, client->ticket);
	if (client->deadline)
		event_free(client->deadline);
	bufferevent_free(client->bev);
	free(client);
}

/* A job that was asked for goes on without the one who asked; the struct stays until it calls back. */
static void client_close(struct client *client)
{
	client->ending = true;
	(void)bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	if (client->refs == 0)
		client_free(client);
}

void client_reply(struct client *client, json_t *doc)
{
	tds_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (!text || client->ending)
		return;
	(void)bufferevent_write(client->bev, text, strlen(text));
	(void)bufferevent_write(client->bev, "\n", 1);
}

void client_finish(struct client *client, json_t *doc)
{
	client_reply(client, doc);
	client->busy = false;
	client->served = true;
	if (client->deadline)
		(void)event_del(client->deadline);
	client->ticket = 0;
}

void client_finish_later(struct client *client, json_t *doc)
{
	client->refs--;
	if (!client->ending) {
		client_finish(client, doc);
		client_serve(client);
		return;
	}
	json_decref(doc);
	if (client->refs == 0)
		client_free(client);
}

static void end_after_output(struct client *client)
{
	client->ending = true;
	(void)bufferevent_disable(client->bev, EV_READ);
}

/* One that will say no more, as a pipe into socat, goes when it has all its answers. May free it. */
static void leave_if_silent(struct client *client)
{
	if (!client->silent || client->watching || client->notify || client->leaving)
		return;
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		client_close(client);
	else
		end_after_output(client);
}

void client_serve(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->bev);

	while (!client->busy && !client->ending) {
		size_t len;
		tds_autofree char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (!line) {
			if (evbuffer_get_length(in) <= CLIENT_LINE_MAX) {
				leave_if_silent(client);
				return;
			}
			client_reply(client,
				     failure_json("Error", 2, "a request of more than 1 MiB"));
			end_after_output(client);
			return;
		}
		if (len > 0)
			client_dispatch(client, line, len);
	}
	if (client->joined)
		client_close(client);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_serve(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (client->ending && client->refs == 0)
		client_free(client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;
	struct pollfd end = { .fd = bufferevent_getfd(bev) };

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	/* A hangup is the end of both directions; else it still reads. */
	if (!(what & BEV_EVENT_ERROR) && poll(&end, 1, 0) == 0) {
		client->silent = true;
		client_serve(client);
	} else {
		client_close(client);
	}
}

static bool may_use(const struct clients *clients, uid_t uid)
{
	const struct clients_settings *s = clients->settings;

	if (uid == 0 || uid == s->uid)
		return true;
	for (size_t i = 0; i < s->nusers; i++)
		if (s->users[i] == uid)
			return true;
	return false;
}

/* Room for one more: the oldest that never completed a request makes it. False: there is none. */
static bool make_room(struct clients *clients, uid_t uid)
{
	struct client *oldest = NULL;
	size_t of_uid = 0;

	for (struct client *c = clients->first; c; c = c->next) {
		of_uid += c->uid == uid;
		if (!c->served && c->refs == 0)
			oldest = c;
	}
	if (uid != 0 && uid != clients->settings->uid && of_uid >= CLIENTS_PER_UID_MAX)
		return false;
	if (clients->n < CLIENTS_MAX)
		return true;
	if (oldest)
		client_free(oldest);
	return oldest != NULL;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct clients *clients = arg;
	int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	static const char refusal[] = "{\"DirectorResponse\":\"Error\",\"Success\":false,"
				      "\"Status\":8,\"Message\":\"not allowed\"}\n";

	(void)what;
	if (s < 0)
		return;
	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    !(may_use(clients, peer.uid) || director_takes_guests(clients->director, peer.uid)) ||
	    !make_room(clients, peer.uid)) {
		(void)send(s, refusal, strlen(refusal), MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)close(s);
		return;
	}
	struct client *client = calloc(1, sizeof(*client));
	struct bufferevent *bev =
		client ? bufferevent_socket_new(clients->base, s, BEV_OPT_CLOSE_ON_FREE) : NULL;
	if (!bev) {
		free(client);
		(void)close(s);
		return;
	}
	*client = (struct client){ .clients = clients,
				   .bev = bev,
				   .uid = peer.uid,
				   .guest = !may_use(clients, peer.uid),
				   .next = clients->first,
				   .self = &clients->first };
	if (client->next)
		client->next->self = &client->next;
	clients->first = client;
	clients->n++;
	bufferevent_setcb(bev, on_read, on_written, on_event, client);
	bufferevent_setwatermark(bev, EV_READ, 0, CLIENT_LINE_MAX + 1);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* --- what the Director tells --- */

/* One that does not read what it asked to be told is cut off. */
static void stream(struct client *client, json_t *doc)
{
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) > CLIENT_UNREAD_MAX) {
		json_decref(doc);
		client->watching = client->following = false;
		client_close(client);
		return;
	}
	client_reply(client, doc);
}

static bool changes_active(const char *what)
{
	return what && (strcmp(what, "Loaded") == 0 || strcmp(what, "Unloaded") == 0 ||
			strcmp(what, "Activated") == 0);
}

static void on_change(void *ctx, json_t *event)
{
	struct clients *clients = ctx;
	bool active = changes_active(json_string_value(json_object_get(event, "Event")));

	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->notify && active) {
			c->notify = false;
			client_reply(c, json_pack("{s:s, s:b}", "DirectorResponse",
						  "NotificationOfUpdate", "Success", 1));
		}
		if (c->watching && !c->ending)
			stream(c, json_incref(event));
	}
}

static void on_output(void *ctx, const char *who, const char *text, size_t len)
{
	struct clients *clients = ctx;
	tds_autofree char *line = strndup(text, len);

	actorlog_add(clients->settings->log, who, text, len);
	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->following && !c->ending && line)
			stream(c,
			       json_pack("{s:s, s:o?, s:o?}", "Event", "Output", "From",
					 tds_cli_json_text(who), "Text", tds_cli_json_text(line)));
	}
}

struct clients *clients_new(struct event_base *base, int listener, struct director *director,
			    const struct clients_settings *settings)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (!clients)
		return NULL;
	*clients = (struct clients){
		.base = base, .listener = listener, .director = director, .settings = settings
	};
	clients->accept = event_new(base, listener, EV_READ | EV_PERSIST, on_accept, clients);
	if (!clients->accept || evutil_make_socket_nonblocking(listener) != 0 ||
	    event_add(clients->accept, NULL) != 0) {
		clients_free(clients);
		return NULL;
	}
	director_watch(director, &(struct director_watch){ .change = on_change,
							   .output = on_output,
							   .answer = clients_answer,
							   .delivered = clients_delivered,
							   .ctx = clients });
	return clients;
}

void clients_farewell(struct clients *clients, int status, const char *why)
{
	for (struct client *c = clients->first; c; c = c->next)
		if (c->leaving && status == 0)
			client_reply(c, json_pack("{s:s, s:b, s:i}", "DirectorResponse", "ShutDown",
						  "Success", 1, "Status", 0));
		else if (c->leaving)
			client_reply(c, failure_json("ShutDown", status, why));
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	while (clients->first) {
		/* The answer to a shutdown, say, is still worth a try. */
		struct evbuffer *out = bufferevent_get_output(clients->first->bev);

		(void)evbuffer_unfreeze(out, 1);
		(void)evbuffer_write(out, bufferevent_getfd(clients->first->bev));
		client_free(clients->first);
	}
	if (clients->accept)
		event_free(clients->accept);
	(void)close(clients->listener);
	free(clients);
}
