/* SPDX-License-Identifier: MIT */
/* What processes of a realm print, line by line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

static void emit_line(struct output *o)
{
	struct local *engine = o->realm->engine;

	if (!o->actor) {
		free(o->realm->last_line);
		o->realm->last_line = strndup(o->line, o->len);
	}
	engine->events->output(engine->ctx, &o->realm->pub, o->actor ? &o->actor->pub : NULL,
			       o->line, o->len);
	free(o->line);
	o->line = NULL;
	o->len = 0;
}

/* Returns whether there may be more. */
static bool read_output(struct output *o)
{
	char buf[LINE_MAX_BYTES];
	ssize_t n = read(o->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (!o->line && !(o->line = malloc(LINE_MAX_BYTES)))
			return false;
		if (buf[i] != '\n')
			o->line[o->len++] = buf[i];
		if (buf[i] == '\n' || o->len == LINE_MAX_BYTES)
			emit_line(o);
	}
	if (n == 0 && o->readable)
		(void)event_del(o->readable);
	return n == sizeof(buf);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)read_output(arg);
}

struct output *output_new(struct realm *realm, struct actor *actor, int fd)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o) {
		(void)close(fd);
		return NULL;
	}
	*o = (struct output){ .fd = fd, .realm = realm, .actor = actor };
	o->readable = event_new(realm->engine->base, fd, EV_READ | EV_PERSIST, on_output, o);
	if (!o->readable || evutil_make_socket_nonblocking(fd) != 0 ||
	    event_add(o->readable, NULL) != 0) {
		output_free(o);
		return NULL;
	}
	return o;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	/* A flood ends at some time: the writer is gone, and the pipe holds only so much. */
	for (int i = 0; i < 64 && read_output(o); i++)
		continue;
	if (o->len > 0)
		emit_line(o);
	if (o->readable)
		event_free(o->readable);
	(void)close(o->fd);
	free(o->line);
	free(o);
}
