/* SPDX-License-Identifier: MIT */
/*
 * Both doors, as clients and actors find them that send what they like. Each part of an input, up to a line of "--", is
 * what a client sends on a connection of its own, which behind a first "~" it closes at once; or, behind "!" or "?", a
 * message to the actor "Director", from one that may change what is loaded, or from one that may not. Between parts all that is on its way goes well, in a world
 * in memory. What is answered is lines of the protocol, whole, no more of them than were asked for; who goes leaves
 * nothing behind.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../unit/fake_world.h"
#include "base/mem.h"
#include "daemon/door/asker.h"
#include "daemon/door/clients.h"
#include "fuzz.h"

#define PEERS_MAX 8
#define ACTOR_ID 5
#define QUIET_TURNS 3 /* of the loop in which nothing happens: nothing will */

/* The other end of a connection. */
struct peer {
	int fd;
	struct input to_send;
	struct evbuffer *got;
	bool leaves;  /* when it has sent all, whatever is still to be answered */
	size_t asked; /* lines with a request */
	bool follows; /* may be told more than it asked for */
};

static struct event_base *base;
static json_t *capabilities;

/* --- what an engine in memory has not --- */

static json_t *op_capabilities(const struct engine *engine)
{
	(void)engine;
	return capabilities;
}

static bool op_admits(const struct engine *engine, uid_t uid)
{
	(void)engine;
	(void)uid;
	return false;
}

static int op_join(struct engine *engine, int fd, const struct ucred *peer, const json_t *request,
		   const char **kind, struct tds_err *err)
{
	(void)engine;
	(void)peer;
	(void)request;
	CHECK(fcntl(fd, F_GETFD) >= 0);
	*kind = "Refused";
	return tds_err_set(err, TDS_E_REFUSED, "no programs");
}

/* Only answers to actors come this way. */
static void op_post(struct engine *engine, uint64_t from, uint64_t to,
		    const struct payload *payload)
{
	json_t *doc = json_loadb(payload->data, payload->len, JSON_REJECT_DUPLICATES, NULL);

	(void)engine;
	CHECK(from == DIRECTOR_ID && to == ACTOR_ID && payload->encoding == ENCODING_TAGGED);
	CHECK(json_is_string(json_object_get(doc, "DirectorResponse")));
	json_decref(doc);
}

static void on_shutdown(void *ctx, int64_t grace_ms, json_t *by)
{
	(void)ctx;
	(void)by;
	CHECK(grace_ms >= -1 && grace_ms <= 86400 * 1000);
}

static void on_describe(void *ctx, json_t *status)
{
	(void)ctx;
	CHECK(json_object_set_new(status, "Ready", json_true()) == 0);
}

static void on_over_budget(void *ctx, uid_t uid, uint64_t times, const char *why)
{
	(void)ctx, (void)uid, (void)times, (void)why;
}

static void on_output(void *ctx, const struct line *line)
{
	(void)ctx;
	(void)line;
}

/* --- connections --- */

/* An address of the kernel's own choice, which is no file. */
static int listen_somewhere(struct sockaddr_un *addr, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(addr->sun_family);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)addr, *len) == 0);
	*len = sizeof(*addr);
	CHECK(getsockname(fd, (struct sockaddr *)addr, len) == 0 && listen(fd, PEERS_MAX) == 0);
	return fd;
}

static size_t count_lines(struct input part)
{
	size_t n = 0;

	while (part.len > 0)
		n += input_line(&part).len > 0;
	return n;
}

static void connect_peer(struct peer *peer, const struct sockaddr_un *addr, socklen_t len,
			 struct input part)
{
	bool leaves = part.at[0] == '~';

	*peer = (struct peer){
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.to_send = { part.at + leaves, part.len - leaves },
		.got = evbuffer_new(),
		.leaves = leaves,
		.asked = count_lines(part),
		/* However its name is written: with \u, say. */
		.follows = memmem(part.at, part.len, "Watch", 5) ||
			   memchr(part.at, '\\', part.len) ||
			   memmem(part.at, part.len, "Shutdown", 8) ||
			   memmem(part.at, part.len, "RequestNotification", 19),
	};
	CHECK(peer->fd >= 0 && peer->got);
	CHECK(connect(peer->fd, (const struct sockaddr *)addr, len) == 0);
}

/* Send what there is room for, and read what has come. False: there was neither. */
static bool move(struct peer *peer)
{
	ssize_t sent = 0;

	if (peer->fd < 0)
		return false;
	if (peer->to_send.len > 0) {
		sent = send(peer->fd, peer->to_send.at, peer->to_send.len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EPIPE)
			sent = (ssize_t)peer->to_send.len;
		if (sent > 0)
			peer->to_send = (struct input){ peer->to_send.at + sent,
							peer->to_send.len - (size_t)sent };
		if (peer->to_send.len == 0 && peer->leaves) {
			tds_close_fd(&peer->fd);
			return true;
		}
		if (peer->to_send.len == 0)
			(void)shutdown(peer->fd, SHUT_WR);
	}
	return sent > 0 || evbuffer_read(peer->got, peer->fd, -1) > 0;
}

static void settle(struct fake *f, struct peer *peers, size_t n)
{
	for (int quiet = 0; quiet < QUIET_TURNS; quiet++) {
		bool moved = fake_step(f);

		CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		for (size_t i = 0; i < n; i++)
			moved |= move(&peers[i]);
		if (moved)
			quiet = -1;
	}
}

static bool is_told(const json_t *doc)
{
	const char *response = json_string_value(json_object_get(doc, "DirectorResponse"));

	return response && json_is_boolean(json_object_get(doc, "Success"));
}

static void check_told(struct peer *peer)
{
	size_t answers = 0;
	size_t len;

	for (;;) {
		tds_autofree char *line = evbuffer_readln(peer->got, &len, EVBUFFER_EOL_LF);

		if (!line)
			break;
		json_t *doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
		CHECK(is_told(doc) || json_is_string(json_object_get(doc, "Event")));
		json_decref(doc);
		answers++;
	}
	CHECK(peer->leaves || evbuffer_get_length(peer->got) == 0);
	CHECK(peer->follows || answers <= peer->asked);
}

/* --- */

static void make_world(struct fake *f, struct engine_ops *ops)
{
	static const char *const files[] = { "foo-1.tls", "foo-2.tls", "bar-1.tls" };

	fake_open(f, false);
	f->settings.slots = 2;
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fake_package(&f->means, i + 1, i < 2 ? "foo" : "bar", files[i]);
	fake_declare(&f->means, "foo",
		     "{'Actors': {'a.A': {'OnLoad': {'Role': 'r', 'GlobalName': 'n'}}}}");
	fake_declare(&f->means, "bar", "{'Actors': {'b.B': {'OnLoad': {'Role': 's'}}}}");
	*ops = *f->engine->engine.ops;
	ops->capabilities = op_capabilities;
	ops->admits = op_admits;
	ops->join = op_join;
	ops->post = op_post;
	f->engine->engine.ops = ops;
}

static void ask_director(const struct fake *f, bool may_change, struct input part)
{
	static struct engine_source source;
	const struct engine_asker from = {
		.kind = may_change ? TDS_ASKER_PROGRAM : TDS_ASKER_FOREIGN,
		.source = &source,
		.id = ACTOR_ID,
		.address = "1.5",
	};

	f->engine->events->director_asked(f->engine->ctx, &from,
					  &(struct payload){ .encoding = ENCODING_LITERAL,
							     .data = part.at,
							     .len = part.len });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake world;
	struct input rest = { (const char *)data, size };
	struct engine_ops ops;
	struct sockaddr_un addr;
	socklen_t addr_len;
	struct peer peers[PEERS_MAX];
	size_t npeers = 0;

	if (!base) {
		base = event_base_new();
		capabilities = json_pack("{s:s}", "Thespian ActorSystem Name", "'tds'");
		CHECK(base && capabilities);
		(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	}
	make_world(&world, &ops);
	static const struct settings configured = { .budget = BUDGET_DEFAULTS };
	struct door_settings settings = { .uid = getuid(),
					  .configured = &configured,
					  .engine = &world.engine->engine,
					  .shutdown = on_shutdown,
					  .describe = on_describe,
					  .over_budget = on_over_budget,
					  .output = on_output };
	struct door *door =
		door_open(base, listen_somewhere(&addr, &addr_len), world.director, &settings);
	CHECK(door);
	while (rest.len > 0) {
		struct input part = input_part(&rest);

		part.len += part.at + part.len < rest.at; /* the end of its last line */
		if (part.len > 0 && (part.at[0] == '!' || part.at[0] == '?'))
			ask_director(&world, part.at[0] == '!',
				     (struct input){ part.at + 1, part.len - 1 });
		else if (part.len > 0 && npeers < PEERS_MAX)
			connect_peer(&peers[npeers++], &addr, addr_len, part);
		settle(&world, peers, npeers);
	}
	fake_run_ms(&world, 100 * 1000);
	settle(&world, peers, npeers);
	door_farewell(door, 0, NULL);
	settle(&world, peers, npeers);
	for (size_t i = 0; i < npeers; i++) {
		check_told(&peers[i]);
		evbuffer_free(peers[i].got);
		tds_close_fd(&peers[i].fd);
	}
	settle(&world, peers, 0);
	CHECK(clients_count(door->clients) == 0);
	door_close(door);
	fake_close(&world);
	return 0;
}
