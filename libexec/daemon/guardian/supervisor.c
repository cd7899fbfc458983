/* SPDX-License-Identifier: MIT */
/* What a supervisor is told: datagrams, and a newline. */
#include "supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/base/clock.h"

#define NOTIFY_SOCKET "NOTIFY_SOCKET"
#define WATCHDOG_USEC "WATCHDOG_USEC"
#define WATCHDOG_PID "WATCHDOG_PID"

/* More than the guardian lets the daemon be silent for: who does not hear of us in that time has lost the guardian. */
#define MORE_TIME "EXTEND_TIMEOUT_USEC=30000000\n"

#define MESSAGE_MAX (SUPERVISOR_STATUS_MAX + 100)

/* A number of the environment; 0: it has none. */
static uint64_t number(const char *name, uint64_t max)
{
	const char *text = getenv(name);
	uint64_t value = 0;

	return text && tds_parse_uint(text, strlen(text), max, &value) ? value : 0;
}

static bool parse_address(struct supervisor *supervisor, const char *path)
{
	struct sockaddr_un *to = &supervisor->to;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to->sun_path))
		return false;
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, path, strlen(path));
	if (path[0] == '@')
		to->sun_path[0] = '\0';
	supervisor->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	return true;
}

void supervisor_open(struct supervisor *supervisor, enum supervisor_state state, int ready)
{
	*supervisor = (struct supervisor){ .socket = -1, .ready = ready, .state = state };
	if (!parse_address(supervisor, getenv(NOTIFY_SOCKET)))
		return;
	supervisor->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t pid = number(WATCHDOG_PID, UINT32_MAX);
	if (pid == 0 || pid == (uint64_t)getpid())
		supervisor->watchdog_ms =
			(unsigned)(number(WATCHDOG_USEC, (uint64_t)UINT32_MAX * 1000) / 1000);
}

void supervisor_close(struct supervisor *supervisor)
{
	tds_close_fd(&supervisor->socket);
	tds_close_fd(&supervisor->ready);
}

/* False: the supervisor does not take it just now. */
static bool send_text(const struct supervisor *supervisor, const char *text)
{
	return supervisor->socket < 0 ||
	       sendto(supervisor->socket, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		      (const struct sockaddr *)&supervisor->to, supervisor->to_len) >= 0;
}

/* Of a reload with the time, by which systemd tells it from one before. */
static void print_word(enum supervisor_state state, FILE *out)
{
	static const char *const words[] = {
		[SUPERVISOR_STARTING] = "",
		[SUPERVISOR_READY] = "READY=1\n",
		[SUPERVISOR_RELOADING] = "RELOADING=1\n",
		[SUPERVISOR_STOPPING] = "STOPPING=1\n",
	};

	(void)fputs(words[state], out);
	if (state == SUPERVISOR_RELOADING)
		(void)fprintf(out, "MONOTONIC_USEC=%jd\n", (intmax_t)clock_now_mono_ms() * 1000);
}

static void tell_what_is_due(struct supervisor *supervisor)
{
	char text[MESSAGE_MAX] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (!out)
		return;
	if (supervisor->word_due)
		print_word(supervisor->state, out);
	(void)fprintf(out, "STATUS=%s\n", supervisor->status);
	if (fclose(out) != 0 || !send_text(supervisor, text))
		return;
	supervisor->word_due = supervisor->status_due = false;
}

static void tell_ready(struct supervisor *supervisor)
{
	if (supervisor->ready >= 0)
		(void)!write(supervisor->ready, "\n", 1);
	tds_close_fd(&supervisor->ready);
}

void supervisor_tell(struct supervisor *supervisor, enum supervisor_state state, const char *status)
{
	bool turns = state != supervisor->state;

	if (supervisor->state == SUPERVISOR_STOPPING && turns)
		return;
	if (state == SUPERVISOR_READY)
		tell_ready(supervisor);
	supervisor->state = state;
	supervisor->word_due |= turns;
	supervisor->status_due |= strcmp(status, supervisor->status) != 0;
	(void)snprintf(supervisor->status, sizeof(supervisor->status), "%s", status);
	if (supervisor->word_due || supervisor->status_due)
		tell_what_is_due(supervisor);
}

void supervisor_beat(struct supervisor *supervisor)
{
	char text[MESSAGE_MAX] = "";

	if (supervisor->word_due || supervisor->status_due)
		tell_what_is_due(supervisor);
	if (supervisor->watchdog_ms > 0)
		(void)strcat(text, "WATCHDOG=1\n");
	if (supervisor->state != SUPERVISOR_READY)
		(void)strcat(text, MORE_TIME);
	if (text[0])
		(void)send_text(supervisor, text);
}

void supervisor_hide(const struct supervisor *supervisor)
{
	static const char *const names[] = { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID };

	(void)close(supervisor->socket);
	(void)close(supervisor->ready);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *value = getenv(names[i]);
		char *variable = value ? value - strlen(names[i]) - 1 : NULL;

		(void)unsetenv(names[i]);
		if (variable)
			explicit_bzero(variable, strlen(variable));
	}
}
