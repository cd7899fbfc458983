/* SPDX-License-Identifier: MIT */
/* The logger's process, and the socket to it: JSON Lines, records one way, complaints the other. */
#include "logger.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/base/child.h"
#include "daemon/base/clock.h"
#include "tool/document.h"

#define REPORT_MAX_BYTES 4096
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 30000
#define STEADY_MS 60000 /* alive for this long: the next end is a first one */
#define FAREWELL_MS 1000
#define FD_FILTERS 3      /* its descriptor */
#define LOGGER_UNUSABLE 3 /* its exit status where it cannot use its configuration */

struct logger {
	struct event_base *base;
	const struct logger_settings *settings;
	struct bufferevent *bev; /* NULL: it does not run */
	struct child child;
	struct event *exited;
	struct event *again;
	int64_t started_mono_ms;
	unsigned delay_ms;
	json_int_t lost;                  /* records, since the last that it got */
	json_int_t orders;                /* to be configured, that it got */
	logger_configured_fn *configured; /* of the last of them; NULL: nobody waits */
	void *configured_ctx;
};

static void start(struct logger *logger);

static void send_line(struct logger *logger, json_t *doc)
{
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (text && bufferevent_write(logger->bev, text, strlen(text)) == 0)
		(void)bufferevent_write(logger->bev, "\n", 1);
}

/* What came of the last order, however it is known. */
static void tell_configured(struct logger *logger, const char *why)
{
	logger_configured_fn *done = logger->configured;

	logger->configured = NULL;
	if (done)
		done(logger->configured_ctx, why);
}

/*
 * {"configured": N, "error": TEXT or null}. One that is configured anew right after its start may fail at the first order, and
 * end. False: it is a line for people.
 */
static bool take_answer(struct logger *logger, const char *line, size_t len)
{
	json_t *answer = line[0] == '{' ? json_loadb(line, len, 0, NULL) : NULL;
	const json_t *order = json_object_get(answer, "configured");
	const char *why = json_string_value(json_object_get(answer, "error"));
	bool is_answer = json_is_integer(order);

	if (is_answer && (why || json_integer_value(order) == logger->orders))
		tell_configured(logger, why);
	json_decref(answer);
	return is_answer;
}

static void report_lines(struct logger *logger, bool all)
{
	const struct logger_settings *s = logger->settings;
	struct evbuffer *in = bufferevent_get_input(logger->bev);
	char *line;
	size_t len;

	while ((line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF))) {
		if (!take_answer(logger, line, len))
			s->report(s->ctx, line, len);
		free(line);
	}
	len = evbuffer_get_length(in);
	if (len > REPORT_MAX_BYTES || (all && len > 0)) {
		s->report(s->ctx, (char *)evbuffer_pullup(in, -1), len);
		(void)evbuffer_drain(in, len);
	}
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	report_lines(arg, false);
}

/* The end of the process is what its pidfd says. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct logger *logger = arg;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		(void)kill(logger->child.pid, SIGKILL);
}

/* Returns what waitpid says of it. */
static int close_process(struct logger *logger)
{
	if (logger->bev) {
		report_lines(logger, true);
		bufferevent_free(logger->bev);
	}
	if (logger->exited)
		event_free(logger->exited);
	logger->bev = NULL;
	logger->exited = NULL;
	return child_end(&logger->child);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

static void start_again(struct logger *logger)
{
	struct timeval tv;

	if (clock_now_mono_ms() - logger->started_mono_ms >= STEADY_MS || logger->delay_ms == 0)
		logger->delay_ms = DELAY_FIRST_MS;
	else if (logger->delay_ms < DELAY_MAX_MS)
		logger->delay_ms *= 2;
	tv = (struct timeval){ .tv_sec = logger->delay_ms / 1000,
			       .tv_usec = (suseconds_t)(logger->delay_ms % 1000) * 1000 };
	(void)evtimer_add(logger->again, &tv);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	static const char gone[] = "the logger has ended, and is started again";
	static const char unusable[] = "there is no logger until a reload";
	struct logger *logger = arg;

	(void)fd;
	(void)what;
	int status = close_process(logger);
	bool is_unusable = WIFEXITED(status) && WEXITSTATUS(status) == LOGGER_UNUSABLE;
	const char *text = is_unusable ? unusable : gone;
	logger->settings->report(logger->settings->ctx, text, strlen(text));
	tell_configured(logger, "the logger has ended");
	/* What is wrong with its configuration would be wrong again. */
	if (!is_unusable)
		start_again(logger);
}

/* The socket is its standard input; what it prints goes where the daemon's messages go. */
static bool start_process(struct logger *logger, int end)
{
	const struct logger_settings *s = logger->settings;
	char first[16];
	char *argv[] = { (char *)(uintptr_t)s->python,
			 (char[]){ "-I" },
			 (char[]){ "-B" },
			 (char *)(uintptr_t)s->program,
			 (char[]){ "--held" },
			 first,
			 NULL };
	const struct child_plan plan = {
		.argv = argv,
		.fds = { { end, STDIN_FILENO },
			 { STDOUT_FILENO, STDOUT_FILENO },
			 { STDERR_FILENO, STDERR_FILENO },
			 { s->filters, FD_FILTERS } },
		.nfds = 4,
		.complain_to = STDIN_FILENO,
	};

	(void)snprintf(first, sizeof(first), "%u", s->first);
	return child_start(&plan, &logger->child);
}

static bool open_process(struct logger *logger)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	tds_autofd int end = ends[1];
	if (evutil_make_socket_nonblocking(ends[0]) != 0 ||
	    !(logger->bev = bufferevent_socket_new(logger->base, ends[0], BEV_OPT_CLOSE_ON_FREE))) {
		(void)close(ends[0]);
		return false;
	}
	if (!start_process(logger, end))
		return false;
	logger->exited = event_new(logger->base, logger->child.pidfd, EV_READ, on_exited, logger);
	return logger->exited && event_add(logger->exited, NULL) == 0;
}

static void order(struct logger *logger)
{
	send_line(logger, json_pack("{s:s, s:o, s:I}", "config", logger->settings->config, "folder",
				    tds_document_text(logger->settings->folder), "order",
				    ++logger->orders));
}

static void start(struct logger *logger)
{
	static const char failed[] = "the logger cannot be started";

	logger->started_mono_ms = clock_now_mono_ms();
	if (!open_process(logger)) {
		(void)close_process(logger);
		logger->settings->report(logger->settings->ctx, failed, strlen(failed));
		start_again(logger);
		return;
	}
	bufferevent_setcb(logger->bev, on_readable, NULL, on_event, logger);
	(void)bufferevent_enable(logger->bev, EV_READ | EV_WRITE);
	order(logger);
}

struct logger *logger_new(struct event_base *base, const struct logger_settings *settings)
{
	struct logger *logger = calloc(1, sizeof(*logger));

	if (!logger)
		return NULL;
	*logger = (struct logger){ .base = base, .settings = settings, .child = { .pidfd = -1 } };
	logger->again = evtimer_new(base, on_again, logger);
	if (!logger->again) {
		free(logger);
		return NULL;
	}
	start(logger);
	return logger;
}

void logger_configure(struct logger *logger, logger_configured_fn *done, void *ctx)
{
	logger->configured = done;
	logger->configured_ctx = ctx;
	if (logger->bev) {
		order(logger);
		return;
	}
	/* It waits to be started again, perhaps since it could not do as it was told before. */
	(void)evtimer_del(logger->again);
	start(logger);
}

void logger_forget(struct logger *logger)
{
	if (logger)
		logger->configured = NULL;
}

void logger_record(struct logger *logger, const char *address, const json_t *record)
{
	if (!logger)
		return;
	if (!logger->bev ||
	    evbuffer_get_length(bufferevent_get_output(logger->bev)) > LOGGER_UNREAD_MAX) {
		logger->lost++;
		return;
	}
	if (logger->lost > 0)
		send_line(logger, json_pack("{s:I}", "lost", logger->lost));
	logger->lost = 0;
	send_line(logger, json_pack("{s:s, s:O}", "address", address, "record",
				    (json_t *)(uintptr_t)record));
}

/* Blocking, for as long as a moment: all else has ended. */
static void say_farewell(struct logger *logger)
{
	struct evbuffer *out = bufferevent_get_output(logger->bev);
	struct pollfd end = { .fd = logger->child.pidfd, .events = POLLIN };
	evutil_socket_t fd = bufferevent_getfd(logger->bev);
	int64_t deadline = clock_now_mono_ms() + FAREWELL_MS;

	(void)bufferevent_disable(logger->bev, EV_READ | EV_WRITE);
	(void)evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) > 0 && clock_now_mono_ms() < deadline) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		if (poll(&room, 1, (int)(deadline - clock_now_mono_ms())) <= 0 ||
		    (evbuffer_write(out, fd) < 0 && errno != EAGAIN))
			break;
	}
	(void)shutdown(fd, SHUT_WR);
	int64_t left = deadline - clock_now_mono_ms();
	(void)poll(&end, 1, left > 0 ? (int)left : 0);
}

void logger_free(struct logger *logger)
{
	if (!logger)
		return;
	if (logger->bev)
		say_farewell(logger);
	(void)close_process(logger);
	event_free(logger->again);
	free(logger);
}
