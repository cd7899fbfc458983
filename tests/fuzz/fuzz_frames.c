/* SPDX-License-Identifier: MIT */
/*
 * What the processes of a user send the engine once they have joined: their parent, two programs, and the actors and
 * sources that these ask for. An input is a line, whose first byte says who joins and how, with a Join request of the
 * last program behind it; then steps, of four bytes and what is sent.
 *
 *   who    low 4 bits: the link, in the order in which they began; then a descriptor that goes with it (enum companion),
 *          STEP_FRAMED: the bytes are a type and a body, and get their length here; STEP_HOLD: the next step comes behind
 *   what   low 6 bits: how often it is sent; STEP_CLOSE: the link ends behind it; STEP_DEAF: it is not read any more
 *   u16    length
 *
 * All that the engine says is held against the grammar. When the links have ended nothing may be left: neither realms
 * nor programs, sources, names or descriptors.
 *
 * The file is long because it is the other end of all of the links, and of the Director, at once.
 */
#include "fuzz.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "daemon/base/loop.h"
#include "daemon/guardian/ward.h"
#include "daemon/local/program.h"
#include "base/wire.h"

#define LINKS_MAX 16
#define CHILDREN_MAX 8
#define STEPS_MAX 64
#define FDS_AHEAD 4
#define SEALED_BYTES 5
#define ROUNDS_MAX 100 /* of the loop, until all is over */
#define PATIENCE_S 10  /* for each, if nothing happens */

enum {
	JOIN_PARENT = 1,
	JOIN_ONE = 2,
	JOIN_TWO = 4,
	JOIN_TRANSIENT = 8,
	JOIN_FOREIGN = 16,
	JOIN_STOPS = 32
};
enum { STEP_LINK = 15, STEP_FRAMED = 64, STEP_HOLD = 128 };
enum { STEP_TIMES = 63, STEP_CLOSE = 64, STEP_DEAF = 128 };
enum companion { NO_FD, SEALED_FD, OPEN_FD, PROCESS_FD };

/* What is at the other end of a link of the engine's. */
struct peer {
	int fd;
	bool joins;  /* a line comes before the frames */
	bool parent; /* of actors: gets no messages */
	bool deaf;
	unsigned char *in;
	size_t len;
	int fds[FDS_AHEAD]; /* that came, and whose frames did not */
	unsigned nfds;
};

static struct event_base *base;
static struct event *too_long;
static struct engine *engine;
static struct settings settings = { .max_message = 100000, .budget = BUDGET_DEFAULTS };
static struct engine_config config = { .settings = &settings, .dir = "/", .grace_ms = 0 };
static struct peer peers[LINKS_MAX];
static unsigned npeers;
static int sealed_fd = -1;
static int open_fd = -1;
static int breeder = -1; /* a byte there makes a process */
static pid_t breeder_pid;
static int children[CHILDREN_MAX]; /* pidfds */
static unsigned nchildren;
static uint64_t asked_by; /* the Director answers it */
static bool stop_asked;

/* --- in place of what would reach beyond this program --- */

/* Whoever runs this is no guardian. */
void ward_tell_strays(void)
{
}

/* Nothing that has joined may have the daemon start a process of its own. */
pid_t host_start(const struct engine_config *how, int link, int out, int *pidfd)
{
	(void)how, (void)link, (void)out, (void)pidfd;
	abort();
}

/* --- the engine's events: what they borrow is looked at --- */

static size_t looked;

static void look(const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		looked += ((const unsigned char *)data)[i];
}

static void on_imported(void *ctx, struct engine_source *source, const json_t *classes,
			const char *error)
{
	/* Neither programs nor what they bring are packages. */
	(void)ctx, (void)source, (void)classes, (void)error;
	abort();
}

static void on_source(void *ctx, struct engine_source *source)
{
	(void)ctx;
	CHECK(source->of_program && !source->owner);
}

static void on_actor(void *ctx, struct engine_actor *actor)
{
	(void)ctx;
	CHECK(!actor->owner && actor->source->of_program);
	look(actor->address, strlen(actor->address));
}

static void on_failed(void *ctx, struct engine_actor *actor, const char *error)
{
	on_actor(ctx, actor);
	look(error, strlen(error));
}

static void on_done(void *ctx, struct engine_actor *actor, const char *ref, const char *error)
{
	look(ref, strlen(ref));
	on_actor(ctx, actor);
	if (error)
		look(error, strlen(error));
}

static bool on_answer(void *ctx, const struct engine_source *from, uint64_t endpoint,
		      const struct payload *payload)
{
	(void)ctx;
	CHECK(from->number != 0);
	CHECK(payload->len <= (size_t)settings.max_message);
	look(payload->data, payload->len);
	return endpoint % 2 == 0;
}

static void on_undelivered(void *ctx, uint64_t endpoint)
{
	(void)ctx, (void)endpoint;
}

static void on_output(void *ctx, struct engine_source *source, struct engine_actor *actor,
		      int level, const char *text, size_t len)
{
	(void)ctx;
	CHECK(level >= 0);
	CHECK(source->of_program && (!actor || actor->source == source));
	look(text, len);
}

static void on_director_asked(void *ctx, const struct engine_asker *from,
			      const struct payload *payload)
{
	(void)ctx;
	CHECK(from->kind == (settings.nguests == 0 ? TDS_ASKER_PROGRAM : TDS_ASKER_FOREIGN) &&
	      from->source->of_program);
	look(payload->data, payload->len);
	asked_by = from->id;
}

static void on_logged(void *ctx, struct engine_actor *actor, const json_t *record)
{
	const char *text = json_string_value(json_object_get(record, "text"));

	on_actor(ctx, actor);
	CHECK(text);
	look(text, strlen(text));
}

static void on_shutdown(void *ctx, const struct engine_asker *asker)
{
	(void)ctx;
	CHECK(!asker || asker->kind == TDS_ASKER_PROGRAM);
	stop_asked = true;
}

static void on_unload(void *ctx, struct engine_source *source, const struct engine_asker *asker)
{
	(void)asker;
	on_source(ctx, source);
}

static bool on_declares(void *ctx, const struct engine_source *source, const char *name)
{
	(void)ctx;
	CHECK(source->of_program);
	return name[0] == 'g';
}

/* Only what the table has not said already. */
static bool on_may(void *ctx, const struct engine_asker *asker, enum tds_asked what,
		   const struct engine_source *of)
{
	(void)ctx, (void)of;
	CHECK(tds_asked_row(what)->may[asker->kind] == TDS_MAY_NO);
	look(asker->address, strlen(asker->address));
	return false;
}

static void on_refused(void *ctx, struct engine_source *source, struct engine_actor *actor,
		       uint64_t times, const char *why)
{
	(void)ctx, (void)actor;
	CHECK(source && times > 0 && why);
}

static const struct engine_events events = {
	.imported = on_imported,
	.source_gone = on_source,
	.actor_up = on_actor,
	.actor_failed = on_failed,
	.actor_exited = on_actor,
	.message_done = on_done,
	.answer = on_answer,
	.undelivered = on_undelivered,
	.output = on_output,
	.director_asked = on_director_asked,
	.logged = on_logged,
	.shutdown_asked = on_shutdown,
	.unload_asked = on_unload,
	.refused = on_refused,
	.declares = on_declares,
	.may = on_may,
};

/* --- processes, which are no child of the target, and have none of its descriptors --- */

static void breed(int fd)
{
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	while (read(fd, &byte, 1) == 1) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				(void)pause();
		}
		if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
			break;
	}
	_exit(0);
}

/* A pidfd, which is this file's; -1: there is none to be had. */
static int new_process(void)
{
	pid_t pid = -1;

	if (nchildren == CHILDREN_MAX)
		return -1;
	CHECK(write(breeder, "", 1) == 1);
	/* The fuzzer's own alarm interrupts. */
	CHECK(TEMP_FAILURE_RETRY(read(breeder, &pid, sizeof(pid))) == sizeof(pid));
	if (pid < 0)
		return -1; /* the machine has no room for one */
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(fd >= 0);
	children[nchildren++] = fd;
	return fd;
}

static void end_processes(void)
{
	while (nchildren > 0) {
		int fd = children[--nchildren];

		(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		(void)close(fd);
	}
}

/* A realm that does not end, and nothing to wait for. */
static void on_too_long(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	abort();
}

static void begin(void)
{
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	breeder_pid = fork();
	CHECK(breeder_pid >= 0);
	if (breeder_pid == 0) {
		(void)close(ends[0]);
		breed(ends[1]);
	}
	(void)close(ends[1]);
	breeder = ends[0];
	base = event_base_new();
	sealed_fd = tds_io_memfd("sealed");
	too_long = base ? evtimer_new(base, on_too_long, NULL) : NULL;
	CHECK(too_long && sealed_fd >= 0 && tds_io_write(sealed_fd, "12345", SEALED_BYTES) == 0 &&
	      tds_io_seal(sealed_fd) == 0);
	open_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(open_fd >= 0);
}

/* --- what the engine says --- */

static bool add_peer(int fd, bool joins, bool parent)
{
	if (npeers == LINKS_MAX)
		return false;
	CHECK(evutil_make_socket_nonblocking(fd) == 0);
	peers[npeers++] = (struct peer){ .fd = fd, .joins = joins, .parent = parent };
	return true;
}

static void end_peer(struct peer *peer)
{
	for (unsigned i = 0; i < peer->nfds; i++)
		(void)close(peer->fds[i]);
	if (peer->fd >= 0)
		(void)close(peer->fd);
	free(peer->in);
	*peer = (struct peer){ .fd = -1 };
}

/* The descriptor of the frame at hand. */
static int take_fd(struct peer *peer)
{
	CHECK(peer->nfds > 0);
	int fd = peer->fds[0];
	memmove(peer->fds, peer->fds + 1, --peer->nfds * sizeof(int));
	return fd;
}

static void check_control(struct peer *peer, const unsigned char *body, size_t len)
{
	json_t *op = json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL);
	const char *name = json_string_value(json_object_get(op, "op"));

	CHECK(name);
	bool spawns = strcmp(name, "spawn") == 0;
	bool begins = strcmp(name, "parent") == 0;
	bool greets = strcmp(name, "hello") == 0 && json_is_true(json_object_get(op, "archive"));
	CHECK(peer->parent || (!spawns && !begins && !greets));
	if (spawns || begins) {
		int fd = take_fd(peer);

		if (!add_peer(fd, false, begins))
			(void)close(fd);
	} else if (greets || strcmp(name, "direct") == 0 || strcmp(name, "validate") == 0) {
		(void)close(take_fd(peer));
	}
	json_decref(op);
}

static void check_frame(struct peer *peer, enum frame_type type, const unsigned char *body,
			size_t len)
{
	size_t head = type == FRAME_DEAD || type == FRAME_DEAD_FD           ? 25
		      : type == FRAME_RETURNED || type == FRAME_RETURNED_FD ? 9
									    : 13;

	CHECK(type == FRAME_CONTROL || !peer->parent);
	switch (type) {
	case FRAME_CONTROL:
		check_control(peer, body, len);
		break;
	case FRAME_MESSAGE:
	case FRAME_DEAD:
	case FRAME_RETURNED:
		CHECK(len >= head && len <= head + LINK_INLINE_MAX);
		break;
	case FRAME_MESSAGE_FD:
	case FRAME_DEAD_FD:
	case FRAME_RETURNED_FD:
		CHECK(len == head + 8 && wire_get64(body + head) == SEALED_BYTES);
		(void)close(take_fd(peer));
		break;
	default:
		abort();
	}
}

/* The answer to a Join, which is behind the peer when it is whole. */
static size_t check_answer(struct peer *peer)
{
	const unsigned char *end = memchr(peer->in, '\n', peer->len);
	size_t len = end ? (size_t)(end - peer->in) : 0;

	if (!end)
		return 0;
	json_t *doc = json_loadb((const char *)peer->in, len, JSON_ALLOW_NUL, NULL);
	CHECK(json_is_true(json_object_get(doc, "Success")));
	json_decref(doc);
	peer->joins = false;
	return len + 1;
}

static void check_input(struct peer *peer)
{
	size_t at = peer->joins ? check_answer(peer) : 0;

	while (!peer->joins && peer->len - at >= FRAME_HEAD) {
		size_t len = wire_get32(peer->in + at);

		CHECK(len > 0 && len <= FRAME_MAX);
		if (peer->len - at < 4 + len)
			break;
		check_frame(peer, (enum frame_type)peer->in[at + 4], peer->in + at + FRAME_HEAD,
			    len - 1);
		at += 4 + len;
	}
	peer->len -= at;
	memmove(peer->in, peer->in + at, peer->len);
	/* A descriptor belongs to the frame that it comes with. */
	CHECK(peer->nfds == 0 || peer->len > 0);
}

static void take_fds(struct peer *peer, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		CHECK(c->cmsg_type == SCM_RIGHTS && peer->nfds + n <= FDS_AHEAD);
		memcpy(peer->fds + peer->nfds, CMSG_DATA(c), n * sizeof(int));
		peer->nfds += n;
	}
	CHECK(!(msg->msg_flags & MSG_CTRUNC));
}

/* False: there is nothing more for now. */
static bool hear(struct peer *peer)
{
	static unsigned char data[64 << 10];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_AHEAD * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = peer->fd < 0 || peer->deaf
			    ? 0
			    : recvmsg(peer->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return false;
	take_fds(peer, &msg);
	peer->in = realloc(peer->in, peer->len + (size_t)n);
	CHECK(peer->in);
	memcpy(peer->in + peer->len, data, (size_t)n);
	peer->len += (size_t)n;
	check_input(peer);
	return true;
}

/* Until nobody has anything to say. */
static void go_on(void)
{
	for (bool more = true; more;) {
		more = false;
		CHECK(loop_once(base, EVLOOP_NONBLOCK) >= 0);
		for (unsigned i = 0; i < npeers; i++)
			while (hear(&peers[i]))
				more = true;
		if (asked_by)
			engine->ops->post(engine, DIRECTOR_ID, asked_by,
					  &(struct payload){ .encoding = ENCODING_LITERAL,
							     .data = "1",
							     .len = 1 });
		more |= asked_by != 0;
		asked_by = 0;
	}
}

/* --- what they say --- */

static void join_as(const json_t *request, bool parent)
{
	struct ucred who = { .pid = breeder_pid,
			     .uid = settings.nguests > 0 ? settings.guests[0] : geteuid(),
			     .gid = getegid() };
	const char *kind = NULL;
	struct tds_err err = { 0 };
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	CHECK(add_peer(ends[1], true, parent));
	if (engine->ops->join(engine, ends[0], &who, request, &kind, &err) == 0)
		return;
	CHECK(err.code != TDS_OK && err.reason[0]);
	(void)close(ends[0]);
	end_peer(&peers[--npeers]);
}

static void join_all(unsigned char how, struct input request)
{
	json_t *parent = json_pack("{s:s, s:i}", "As", "parent", "Log", 20);
	json_t *program = json_pack("{s:s}", "As", "program");
	json_t *any = json_loadb(request.at, request.len, 0, NULL);
	const char *as = json_string_value(json_object_get(any, "As"));

	if (how & JOIN_PARENT)
		join_as(parent, true);
	if (how & JOIN_ONE)
		join_as(program, false);
	if (how & JOIN_TWO)
		join_as(program, false);
	if (any)
		join_as(any, as && strcmp(as, "parent") == 0);
	json_decref(parent);
	json_decref(program);
	json_decref(any);
}

static int companion(enum companion kind)
{
	switch (kind) {
	case SEALED_FD:
		return sealed_fd;
	case OPEN_FD:
		return open_fd;
	case PROCESS_FD:
		return new_process();
	default:
		return -1;
	}
}

/* As much as there is room for. */
static size_t say_some(const struct peer *peer, struct input what, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char *)(uintptr_t)what.at, .iov_len = what.len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	ssize_t n = sendmsg(peer->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? 0 : (size_t)n;
}

/* Where the engine does not read on the rest is not said. */
static void say(const struct peer *peer, struct input what, int fd)
{
	for (int patience = 3; what.len > 0 && patience > 0;) {
		size_t n = say_some(peer, what, fd);

		if (n == 0) {
			patience--;
			go_on();
			continue;
		}
		what.at += n;
		what.len -= n;
		fd = -1;
	}
}

static void step(unsigned char who, unsigned char what, struct input body)
{
	struct peer *peer = &peers[who & STEP_LINK];
	unsigned char *data = malloc(4 + body.len);

	CHECK(data);
	wire_put32(data, (uint32_t)body.len);
	memcpy(data + 4, body.at, body.len);
	size_t skipped = who & STEP_FRAMED ? 0 : 4;
	struct input all = { (char *)data + skipped, 4 + body.len - skipped };
	peer->deaf = what & STEP_DEAF;
	int fd = companion((enum companion)(who >> 4 & 3));
	for (int i = 0; i < (what & STEP_TIMES) + 1 && peer->fd >= 0; i++)
		say(peer, all, fd);
	free(data);
	if (what & STEP_CLOSE)
		end_peer(peer);
	if (!(who & STEP_HOLD))
		go_on();
}

static void play(struct input rest)
{
	for (int i = 0; i < STEPS_MAX && rest.len >= 4; i++) {
		const unsigned char *head = (const unsigned char *)rest.at;
		size_t len = head[2] | (size_t)head[3] << 8;

		rest.at += 4;
		rest.len -= 4;
		len = len < rest.len ? len : rest.len;
		if ((head[0] & STEP_LINK) < npeers)
			step(head[0], head[1], (struct input){ rest.at, len });
		rest.at += len;
		rest.len -= len;
	}
}

/* --- the end --- */

/* What a host says of its actors' pids may be anybody's: they are not waited for here. */
static void be_impatient(const struct local *local)
{
	/* Nor is an authority, which may take minutes: with the end of the system nobody waits for it. */
	if (local->user_sources)
		engine->ops->stop(engine);
	for (const struct realm *r = local->realms; r; r = r->next)
		if (r->process == PROCESS_NONE && r->exited)
			event_active(r->exited, EV_TIMEOUT, 0);
}

static void check_over(struct local *local)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	for (unsigned i = 0; i < npeers; i++)
		end_peer(&peers[i]);
	go_on();
	end_processes();
	for (int i = 0; local->realms && i < ROUNDS_MAX; i++) {
		be_impatient(local);
		CHECK(evtimer_add(too_long, &patience) == 0);
		CHECK(loop_once(base, 0) >= 0);
		(void)event_del(too_long);
		go_on();
	}
	CHECK(!local->realms && !local->fork_server && !local->warm);
	CHECK(!local->user_sources && !local->authorities && local->ndirects == 0);
	CHECK(!local->registry.by_id && !local->registry.by_name && local->dead_letters == 0);
	CHECK(!engine->ops->busy(engine));
}

static uint64_t next_id; /* an input must know those that it gets */

/* Ids that count up from 2: the registry takes them from the end of what it asks for. */
ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	memset(buf, 0, len);
	if (len == sizeof(to_local(engine)->registry.random))
		for (size_t i = IDS_AT_A_TIME; i-- > 0;)
			((uint64_t *)buf)[i] = next_id++ << 1;
	return (ssize_t)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uid_t guest;
	struct input rest = { (const char *)data, size };
	struct input joining = input_line(&rest);
	unsigned char how = joining.len > 0 ? (unsigned char)joining.at[0] : 0;

	if (!base)
		begin();
	int lowest = fcntl(open_fd, F_DUPFD_CLOEXEC, 0);
	(void)close(lowest);
	guest = geteuid() + 1;
	settings.guests = how & JOIN_FOREIGN ? &guest : NULL;
	settings.nguests = how & JOIN_FOREIGN ? 1 : 0;
	config.transient = how & JOIN_TRANSIENT;
	npeers = 0;
	next_id = 2;
	stop_asked = false;
	engine = local_engine_open(base, &config, &events, NULL);
	CHECK(engine);
	if (joining.len > 0)
		join_all(how, (struct input){ joining.at + 1, joining.len - 1 });
	go_on();
	play(rest);
	if (stop_asked && (how & JOIN_STOPS))
		engine->ops->stop(engine);
	check_over(to_local(engine));
	engine->ops->close(engine);
	/* The lowest free descriptor is the one that it was. */
	int again = fcntl(open_fd, F_DUPFD_CLOEXEC, 0);
	CHECK(again == lowest);
	(void)close(again);
	return 0;
}
