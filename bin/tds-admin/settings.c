/* SPDX-License-Identifier: MIT */
/* The daemon's configuration. */
#include "settings.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "io.h"
#include "logconfig.h"
#include "mem.h"
#include "pytext.h"
#include "repr.h"
#include "text.h"

#define MAX_MESSAGE_DEFAULT (256LL << 20)
#define PIDS_MAX_DEFAULT 2048              /* a thousand actors with a second thread each */
#define CAPABILITIES_MAX_BYTES (256 << 10) /* as a literal: escaped, they fit into a frame */
#define LOG_LEVEL_DEFAULT 20               /* INFO, where nothing configures logging */

/* The value of a configuration file; *value NULL: there is no such file. Caller frees it. */
static int read_value(const struct tds_dir *dir, const char *name, struct tds_value **value,
		      struct tds_err *err)
{
	tds_autofree char *text = NULL;
	struct tds_config config = { 0 };
	size_t len;

	*value = NULL;
	int rc = tds_io_slurp(dir->fd, name, TDS_CONFIG_MAX_BYTES, &text, &len, err);
	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0)
		rc = tds_config_parse(name, text, len, (struct tds_tli_watcher){ 0 }, &config, err);
	if (rc == 0)
		*value = tds_steal(&config.value);
	tds_config_fini(&config);
	if (rc == 0)
		return 0;
	if (err->line)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s/%s:%u:%u: %s", dir->path, name,
				   err->line, err->column, err->reason);
	return tds_err_set(err, TDS_E_UNUSABLE, "%s/%s: %s", dir->path, name, err->reason);
}

/* A user by name or number; gid NULL: not wanted. */
static int find_user(const char *file, const char *name, uid_t *uid, gid_t *gid,
		     struct tds_err *err)
{
	uint64_t number;
	const struct passwd *user;

	if (tds_parse_uint(name, strlen(name), UINT32_MAX - 1, &number)) {
		user = gid ? getpwuid((uid_t)number) : NULL;
		*uid = (uid_t)number;
		if (gid)
			*gid = user ? user->pw_gid : (gid_t)number;
		return 0;
	}
	user = getpwnam(name);
	if (!user)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s: no such user: %s", file, name);
	*uid = user->pw_uid;
	if (gid)
		*gid = user->pw_gid;
	return 0;
}

static int read_users(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *list = NULL;
	int rc = read_value(dir, "adminusers.cfg", &list, err);

	if (rc != 0 || !list)
		return rc;
	s->users = calloc(list->n ? list->n : 1, sizeof(*s->users));
	if (!s->users)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (; s->nusers < list->n && rc == 0; s->nusers++)
		rc = find_user("adminusers.cfg", list->items[s->nusers]->text, &s->users[s->nusers],
			       NULL, err);
	return rc;
}

static int resource_of(const char *name)
{
	static const struct {
		const char *name;
		int resource;
	} known[] = {
		{ "as", RLIMIT_AS },
		{ "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },
		{ "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK },
		{ "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE },
		{ "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },
		{ "rss", RLIMIT_RSS },
		{ "rtprio", RLIMIT_RTPRIO },
		{ "rttime", RLIMIT_RTTIME },
		{ "sigpending", RLIMIT_SIGPENDING },
		{ "stack", RLIMIT_STACK },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].resource;
	return -1;
}

static int read_limits(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *dict = NULL;
	int rc = read_value(dir, "actorlimits.cfg", &dict, err);

	if (rc != 0 || !dict)
		return rc;
	s->limits = calloc(dict->n ? dict->n : 1, sizeof(*s->limits));
	if (!s->limits)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < dict->n; i++) {
		const struct tds_value *limit = dict->items[2 * i + 1];
		uint64_t value = 0;

		if (limit->type == TDS_VALUE_INT &&
		    !tds_parse_uint(limit->text, limit->len, UINT64_MAX - 1, &value))
			return tds_err_set(err, TDS_E_UNUSABLE,
					   "actorlimits.cfg:%u:%u: too large a limit", limit->line,
					   limit->column);
		if (limit->type == TDS_VALUE_NONE)
			value = RLIM_INFINITY;
		if (strcmp(dict->items[2 * i]->text, "pids") == 0)
			s->pids_max = value;
		else
			s->limits[s->nlimits++] = (struct actor_limit){
				.resource = resource_of(dict->items[2 * i]->text),
				.value = (rlim_t)value,
			};
	}
	return 0;
}

static int read_single_values(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *user = NULL;
	tds_auto(value) struct tds_value *max = NULL;
	tds_auto(value) struct tds_value *privs = NULL;
	int rc = read_value(dir, "actoruser.cfg", &user, err);

	if (rc == 0 && user)
		rc = find_user("actoruser.cfg", user->text, &s->actor_uid, &s->actor_gid, err);
	if (rc == 0)
		rc = read_value(dir, "maxmessage.cfg", &max, err);
	if (rc == 0 && max && !tds_pytext_int(max->text, max->len, &s->max_message))
		rc = tds_err_set(err, TDS_E_UNUSABLE, "maxmessage.cfg: not a number");
	if (rc == 0)
		rc = read_value(dir, "newprivs.cfg", &privs, err);
	s->new_privs = privs && privs->boolean;
	return rc;
}

/* What the Director gives a system, and what othercaps.cfg adds. */
static int read_capabilities(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *port = NULL;
	tds_auto(value) struct tds_value *leader = NULL;
	tds_auto(value) struct tds_value *others = NULL;
	tds_autofree char *more = NULL;
	tds_autofree char *convention = NULL;
	int rc = read_value(dir, "adminport.cfg", &port, err);

	if (rc == 0)
		rc = read_value(dir, "convleader.cfg", &leader, err);
	if (rc == 0)
		rc = read_value(dir, "othercaps.cfg", &others, err);
	if (rc != 0)
		return rc;
	more = others && others->n > 0 ? tds_value_repr(others) : strdup("{}");
	convention = leader && leader->len > 0 ? tds_value_repr(leader) : NULL;
	/* The Director's own are put in last. more is "{...}": its braces are cut off. */
	if (!more || (leader && leader->len > 0 && !convention) ||
	    asprintf(&s->capabilities,
		     "{'Thespian ActorSystem Name': 'tdsLocalBase', %.*s%s'Admin Port': %s, "
		     "'DirectorFmt': [1]%s%s}",
		     (int)strlen(more) - 2, more + 1, strlen(more) > 2 ? ", " : "",
		     port ? port->text : "1900", convention ? ", 'Convention Address.IPv4': " : "",
		     convention ? convention : "") < 0) {
		s->capabilities = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (strlen(s->capabilities) > CAPABILITIES_MAX_BYTES)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s/othercaps.cfg: more than %d bytes",
				   dir->path, CAPABILITIES_MAX_BYTES);
	return 0;
}

static int read_logging(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *config = NULL;
	tds_auto(value) struct tds_value *folder = NULL;
	int rc = read_value(dir, "thesplog.cfg", &config, err);

	if (rc == 0)
		rc = read_value(dir, "thesplogd.cfg", &folder, err);
	if (rc != 0 || !config)
		return rc;
	s->log_level = tds_logconfig_level(config);
	s->log_config = tds_value_repr(config);
	if (folder && folder->len > 0)
		s->log_dir = strdup(folder->text);
	if (!s->log_config || (folder && folder->len > 0 && !s->log_dir))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return 0;
}

int settings_read(const struct tds_dir *dir, struct settings *settings, struct tds_err *err)
{
	*settings = (struct settings){ .max_message = MAX_MESSAGE_DEFAULT,
				       .actor_uid = (uid_t)-1,
				       .pids_max = PIDS_MAX_DEFAULT,
				       .log_level = LOG_LEVEL_DEFAULT };
	int rc = read_single_values(dir, settings, err);

	if (rc == 0)
		rc = read_users(dir, settings, err);
	if (rc == 0)
		rc = read_limits(dir, settings, err);
	if (rc == 0)
		rc = read_capabilities(dir, settings, err);
	if (rc == 0)
		rc = read_logging(dir, settings, err);
	if (rc != 0)
		settings_fini(settings);
	return rc;
}

void settings_fini(struct settings *settings)
{
	free(settings->users);
	free(settings->limits);
	free(settings->capabilities);
	free(settings->log_config);
	free(settings->log_dir);
	*settings = (struct settings){ 0 };
}
