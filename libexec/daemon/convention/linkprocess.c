/* SPDX-License-Identifier: MIT */
/* tds-link as its parent sees it: a socket pair of frames, a pipe for its last words. */
#include "linkprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/mem.h"
#include "base/wire.h"
#include "convention/linkconfig.h"
#include "daemon/base/child.h"

#define FD_FRAMES 3 /* its descriptor */
#define WORDS_MAX 512
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 10000
#define STEADY_MS 60000 /* alive for this long: the next end is a first one */
#define FAREWELL_MS 500

struct linkprocess {
	struct event_base *base;
	struct clock *clock;
	const struct linkprocess_settings *settings;
	struct bufferevent *bev; /* NULL: it does not run */
	struct child child;
	struct event *exited;
	int words; /* what it says on standard error; -1: none */
	struct timer again;
	int64_t started_mono_ms;
	int64_t delay_ms;
	char why[WORDS_MAX]; /* it is killed; "": it is not */
};

static void start(void *ctx);

/* --- its end --- */

/* Its last line; "": there is none. */
static void read_words(struct linkprocess *p, char text[WORDS_MAX])
{
	ssize_t n = p->words >= 0 ? read(p->words, text, WORDS_MAX - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void close_process(struct linkprocess *p)
{
	if (p->bev)
		bufferevent_free(p->bev);
	if (p->exited)
		event_free(p->exited);
	p->bev = NULL;
	p->exited = NULL;
	(void)child_end(&p->child);
	tds_close_fd(&p->words);
}

static void start_again(struct linkprocess *p)
{
	if (p->delay_ms == 0 || p->clock->mono_ms(p->clock) - p->started_mono_ms >= STEADY_MS)
		p->delay_ms = DELAY_FIRST_MS;
	else if (p->delay_ms < DELAY_MAX_MS)
		p->delay_ms = p->delay_ms * 2 < DELAY_MAX_MS ? p->delay_ms * 2 : DELAY_MAX_MS;
	timer_start(p->clock, &p->again, p->delay_ms, start, p);
}

static void end(struct linkprocess *p, const char *why)
{
	char words[WORDS_MAX];

	read_words(p, words);
	close_process(p);
	start_again(p);
	p->settings->ended(p->settings->ctx, *p->why ? p->why : *words ? words : why);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, "tds-link has ended");
}

/* What ends it is told when it has ended, by its pidfd. */
static void put_down(struct linkprocess *p, const char *why)
{
	if (!*p->why)
		(void)snprintf(p->why, sizeof(p->why), "tds-link was ended: %.400s", why);
	(void)bufferevent_disable(p->bev, EV_READ | EV_WRITE);
	(void)kill(p->child.pid, SIGKILL);
}

/* --- frames --- */

/* The first frame that is whole, on one piece. 0: none is. */
static long next_frame(struct evbuffer *in, struct tds_linkframe *frame, struct tds_err *err)
{
	size_t len = evbuffer_get_length(in);
	unsigned char head[4];

	if (evbuffer_copyout(in, head, sizeof(head)) < (ssize_t)sizeof(head))
		return 0;
	size_t whole = sizeof(head) + (size_t)wire_get32(head);
	if (whole > len && whole <= sizeof(head) + TDS_LINKFRAME_MAX)
		return 0;
	/* Of one that may not be, as much as there is says so. */
	size_t n = whole < len ? whole : len;
	return tds_linkframe_read(evbuffer_pullup(in, (ev_ssize_t)n), n, false, frame, err);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct linkprocess *p = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct tds_linkframe frame;
	struct tds_err err = { 0 };
	long n;

	while ((n = next_frame(in, &frame, &err)) > 0) {
		p->settings->heard(p->settings->ctx, &frame);
		(void)evbuffer_drain(in, (size_t)n);
	}
	if (n < 0)
		put_down(p, err.reason);
}

/* Its socket may end a moment before it does, and it may have something to say of that. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
}

bool linkprocess_say(struct linkprocess *p, const struct tds_linkframe *frame)
{
	unsigned char head[TDS_LINKFRAME_FRONT_MAX];
	size_t n = tds_linkframe_front(head, frame);

	if (!p->bev || n == 0 || !(bufferevent_get_enabled(p->bev) & EV_WRITE))
		return false;
	struct evbuffer *out = bufferevent_get_output(p->bev);
	if (evbuffer_get_length(out) > LINKPROCESS_UNREAD_MAX ||
	    evbuffer_expand(out, n + frame->len) != 0)
		return false;
	(void)evbuffer_add(out, head, n);
	(void)evbuffer_add(out, frame->data, frame->len);
	return true;
}

/* --- its start --- */

static void wipe(const void *data, size_t len, void *text)
{
	(void)data;
	(void)len;
	tds_linkconfig_text_free(text);
}

/* The first frame, which has keys: its one copy here is wiped when it is said. Takes the text. */
static bool say_config(struct linkprocess *p, char *text)
{
	const struct tds_linkframe frame = { .kind = TDS_LINK_CONFIG,
					     .data = text,
					     .len = text ? strlen(text) : 0 };
	struct evbuffer *out = bufferevent_get_output(p->bev);
	unsigned char head[TDS_LINKFRAME_FRONT_MAX];
	size_t n = text ? tds_linkframe_front(head, &frame) : 0;

	if (n > 0 && evbuffer_add(out, head, n) == 0 &&
	    evbuffer_add_reference(out, text, frame.len, wipe, text) == 0)
		return true;
	tds_linkconfig_text_free(text);
	return false;
}

/* Certificates of the accounts that it needs: what is read is wiped when it was said. */
static int configure(struct linkprocess *p, struct tds_err *err)
{
	const struct linkprocess_settings *s = p->settings;
	tds_auto(convention_pems) struct tds_convention_pems bus = { 0 };
	tds_auto(convention_pems) struct tds_convention_pems store = { 0 };
	const bool tls = s->convention->tls != NULL;
	int rc = 0;

	if (tls)
		rc = tds_convention_pems_read(s->dir, s->convention, TDS_CONVENTION_BUS, &bus, err);
	if (rc == 0 && tls && s->wants_store)
		rc = tds_convention_pems_read(s->dir, s->convention, TDS_CONVENTION_STORE, &store,
					      err);
	if (rc != 0)
		return rc;
	char *text = tds_linkconfig_text(s->convention, tls ? &bus : NULL, tls ? &store : NULL,
					 s->wants_store);
	return say_config(p, text) ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static bool start_child(struct linkprocess *p, int frames, int words)
{
	char *argv[] = { (char *)(uintptr_t)p->settings->program, NULL };
	const struct child_plan plan = {
		.argv = argv,
		.fds = { { words, STDERR_FILENO }, { frames, FD_FRAMES } },
		.nfds = 2,
		.complain_to = STDERR_FILENO,
		.no_new_privs = true,
	};

	return child_start(&plan, &p->child);
}

static int open_ends(struct linkprocess *p, int *frames, int *words, struct tds_err *err)
{
	int ends[2];
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "a pipe");
	p->words = pipes[0];
	*words = pipes[1];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "a socket");
	*frames = ends[1];
	if (evutil_make_socket_nonblocking(ends[0]) == 0)
		p->bev = bufferevent_socket_new(p->base, ends[0], BEV_OPT_CLOSE_ON_FREE);
	if (p->bev)
		return 0;
	(void)close(ends[0]);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int open_process(struct linkprocess *p, struct tds_err *err)
{
	tds_autofd int frames = -1;
	tds_autofd int words = -1;
	int rc = open_ends(p, &frames, &words, err);

	if (rc != 0)
		return rc;
	bufferevent_setcb(p->bev, on_readable, NULL, on_event, p);
	rc = bufferevent_enable(p->bev, EV_READ | EV_WRITE) == 0
		     ? configure(p, err)
		     : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc != 0)
		return rc;
	if (!start_child(p, frames, words))
		return tds_err_sys(err, TDS_E_UNUSABLE, "tds-link cannot be started");
	p->exited = event_new(p->base, p->child.pidfd, EV_READ, on_exited, p);
	return p->exited && event_add(p->exited, NULL) == 0
		       ? 0
		       : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static void start(void *ctx)
{
	struct linkprocess *p = ctx;
	struct tds_err err = { 0 };

	p->started_mono_ms = p->clock->mono_ms(p->clock);
	p->why[0] = '\0';
	if (open_process(p, &err) != 0)
		end(p, err.reason);
}

struct linkprocess *linkprocess_new(struct event_base *base, struct clock *clock,
				    const struct linkprocess_settings *settings)
{
	struct linkprocess *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct linkprocess){ .base = base,
				   .clock = clock,
				   .settings = settings,
				   .child = { .pidfd = -1 },
				   .words = -1 };
	timer_start(clock, &p->again, 0, start, p);
	return p;
}

void linkprocess_flush(struct linkprocess *p)
{
	struct evbuffer *out = p->bev ? bufferevent_get_output(p->bev) : NULL;
	int64_t deadline_mono_ms = clock_now_mono_ms() + FAREWELL_MS;

	if (!out)
		return;
	evutil_socket_t fd = bufferevent_getfd(p->bev);
	(void)bufferevent_disable(p->bev, EV_READ | EV_WRITE);
	(void)evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) > 0 && evbuffer_write(out, fd) >= 0)
		;
	/* It has read all when it ends, which it does when it reads the end. */
	(void)shutdown(fd, SHUT_WR);
	int64_t left = deadline_mono_ms - clock_now_mono_ms();
	struct pollfd ended = { .fd = p->child.pidfd, .events = POLLIN };
	(void)poll(&ended, 1, left > 0 ? (int)left : 0);
}

void linkprocess_free(struct linkprocess *p)
{
	if (!p)
		return;
	timer_stop(&p->again);
	close_process(p);
	free(p);
}

pid_t linkprocess_pid(const struct linkprocess *p)
{
	return p->child.pid;
}
