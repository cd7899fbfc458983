/* SPDX-License-Identifier: MIT */
/* The environment of actors. */
#include "actorenv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

extern char **environ;

/* Names, and beginnings of names: those that end in '*'. */

/* What all actors have, where the admin has it. */
static const char *const common[] = {
	"PATH", "LANG", "LC_*", "TZ", "TMPDIR", "TDS_ADMIN_RUN", NULL
};

/* What says something of the user or the group, and is set for each. */
static const char *const own[] = { "HOME",         "USER", "LOGNAME", "THESPIAN_DIRECTOR_DIR",
				   "TDS_DATA_DIR", NULL };

/*
 * What tells an interpreter or a loader what to load, and what a supervisor has said to the admin process alone: systemd, then
 * upstart, OpenRC, supervisord, s6, runit, dinit and launchd.
 */
static const char *const withheld[] = { "PYTHON*",
					"LD_*",
					"TDS_SOURCE",
					"NOTIFY_SOCKET",
					"WATCHDOG_*",
					"LISTEN_*",
					"INVOCATION_ID",
					"JOURNAL_STREAM",
					"MAINPID",
					"MANAGERPID",
					"MANAGERPIDFDID",
					"SYSTEMD_*",
					"RUNTIME_DIRECTORY",
					"STATE_DIRECTORY",
					"CACHE_DIRECTORY",
					"LOGS_DIRECTORY",
					"CONFIGURATION_DIRECTORY",
					"CREDENTIALS_DIRECTORY",
					"MEMORY_PRESSURE_*",
					"MONITOR_*",
					"SERVICE_RESULT",
					"EXIT_CODE",
					"EXIT_STATUS",
					"FDSTORE",
					"UPSTART_*",
					"RC_*",
					"EINFO_*",
					"SVCNAME",
					"SUPERVISOR_*",
					"S6_*",
					"SVDIR",
					"SVWAIT",
					"DINIT_*",
					"XPC_*",
					NULL };

/* --- names --- */

/* Is the variable ("NAME=VALUE", or a name) one of these? */
static bool is_one_of(const char *variable, const char *const *names)
{
	size_t len = strcspn(variable, "=");

	for (; names && *names; names++)
		if (tds_text_fits_variable(*names, variable, len))
			return true;
	return false;
}

static bool is_given(const struct actorenv *asked, const char *variable)
{
	const char *const *named = (const char *const *)asked->settings->env_names;

	if (is_one_of(variable, own) || (asked->home && asked->home->tmp &&
					 is_one_of(variable, (const char *[]){ "TMPDIR", NULL })))
		return false;
	if (is_one_of(variable, common) || is_one_of(variable, named))
		return true;
	return asked->trusted && !named && !is_one_of(variable, withheld);
}

/* --- the list --- */

struct list {
	char **variables; /* NULL: out of memory */
	size_t n;
	size_t room;
	size_t bytes;
};

static void add(struct list *list, char *variable)
{
	size_t len = variable ? strlen(variable) + 1 : 0;

	if (variable && list->variables && list->bytes + len > ACTORENV_MAX_BYTES) {
		free(variable);
		return;
	}
	if (!variable || !list->variables || list->n + 1 >= list->room) {
		free(variable);
		actorenv_free(list->variables);
		list->variables = NULL;
		return;
	}
	list->variables[list->n++] = variable;
	list->bytes += len;
}

static void set(struct list *list, const char *name, const char *value)
{
	char *variable = NULL;

	if (value)
		add(list, asprintf(&variable, "%s=%s", name, value) < 0 ? NULL : variable);
}

/* The user and the folders come first, so that they always fit. */
static void add_own(struct list *list, const struct actorenv *asked)
{
	const struct settings *s = asked->settings;
	const struct actor_home *home = asked->home;
	bool has_uid = home && home->uid != (uid_t)-1;
	char number[16];

	(void)snprintf(number, sizeof(number), "%u",
		       (unsigned)(has_uid ? home->uid : s->actor_uid));
	const char *name = has_uid || !s->actor_name ? number : s->actor_name;
	set(list, "HOME", has_uid ? home->data : s->actor_home ? s->actor_home : "/");
	set(list, "USER", name);
	set(list, "LOGNAME", name);
	set(list, "THESPIAN_DIRECTOR_DIR", asked->dir);
	set(list, "TDS_DATA_DIR", home ? home->data : NULL);
	set(list, "TMPDIR", home ? home->tmp : NULL);
}

char **actorenv_new(const struct actorenv *asked)
{
	struct list list = { .room = sizeof(own) / sizeof(own[0]) + 2 };
	size_t n = 0;

	while (environ && environ[n])
		n++;
	list.room += n;
	list.variables = calloc(list.room, sizeof(*list.variables));
	add_own(&list, asked);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < n; i++)
			if (is_one_of(environ[i], common) == (round == 0) &&
			    is_given(asked, environ[i]))
				add(&list, strdup(environ[i]));
	return list.variables;
}

void actorenv_free(char **variables)
{
	for (char **v = variables; v && *v; v++)
		free(*v);
	free(variables);
}
