/* SPDX-License-Identifier: MIT */
/* The daemon's configuration. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/actoruser.h"
#include "director/logconfig.h"
#include "director/strictmodes.h"
#include "director/tli.h"
#include "literal/pytext.h"
#include "literal/repr.h"
#include "settingsparts.h"

#define MAX_MESSAGE_DEFAULT (256LL << 20)
#define PIDS_MAX_DEFAULT 2048 /* a thousand actors with a second thread each */
#define LOG_LEVEL_DEFAULT 20  /* INFO, where nothing configures logging */

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
	int rc = settings_value(dir, "actorlimits.cfg", &dict, err);

	if (rc != 0 || !dict)
		return rc;
	s->limits = calloc(dict->n ? dict->n : 1, sizeof(*s->limits));
	if (!s->limits)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < dict->n; i++) {
		const struct tds_value *limit = dict->items[2 * i + 1];
		uint64_t value = 0;

		/* What it may be was looked at when it was parsed. */
		(void)tds_parse_uint(limit->text, limit->len, UINT64_MAX - 1, &value);
		if (limit->type == TDS_VALUE_NONE)
			value = RLIM_INFINITY;
		if (strcmp(dict->items[2 * i]->text, "pids") == 0)
			s->pids_max = value;
		else if (strcmp(dict->items[2 * i]->text, "memory") == 0)
			s->memory_max = limit->type == TDS_VALUE_NONE ? UINT64_MAX : value;
		else
			s->limits[s->nlimits++] = (struct actor_limit){
				.resource = resource_of(dict->items[2 * i]->text),
				.value = (rlim_t)value,
			};
	}
	return 0;
}

static uint64_t *budget_of(struct budget_limits *limits, const char *name)
{
	const struct {
		const char *name;
		uint64_t *value;
	} known[] = {
		{ "Actors", &limits->actors },         { "Bytes", &limits->bytes },
		{ "Clients", &limits->clients },       { "Descriptors", &limits->descriptors },
		{ "Operations", &limits->operations },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].value;
	return NULL;
}

static int read_budget(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *dict = NULL;
	int rc = settings_value(dir, "budget.cfg", &dict, err);

	for (size_t i = 0; rc == 0 && dict && i < dict->n; i++) {
		const struct tds_value *limit = dict->items[2 * i + 1];
		uint64_t *to = budget_of(&s->budget, dict->items[2 * i]->text);

		if (limit->type == TDS_VALUE_NONE)
			*to = BUDGET_NONE;
		else
			(void)tds_parse_uint(limit->text, limit->len, UINT32_MAX, to);
	}
	if (s->budget.operations == 0)
		s->budget.operations = 1;
	return rc;
}

static int read_data_dir(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *path = NULL;
	int rc = settings_value(dir, "datadir.cfg", &path, err);

	if (rc == 0 && path && !(s->data_dir = strdup(path->text)))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

static int read_max_message(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *max = NULL;
	int rc = settings_value(dir, "maxmessage.cfg", &max, err);

	if (rc == 0 && max && !tds_pytext_int(max->text, max->len, &s->max_message))
		rc = tds_err_set(err, TDS_E_UNUSABLE, "maxmessage.cfg: not a number");
	return rc;
}

/* Yes or no; no where there is no such file. */
static int read_flag(const struct tds_dir *dir, const char *file, bool *flag, struct tds_err *err)
{
	tds_auto(value) struct tds_value *value = NULL;
	int rc = settings_value(dir, file, &value, err);

	*flag = value && value->boolean;
	return rc;
}

static int read_new_privs(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	return read_flag(dir, "newprivs.cfg", &s->new_privs, err);
}

static int read_sandbox(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *value = NULL;
	int rc = settings_value(dir, TDS_SANDBOX_CFG, &value, err);

	return rc == 0 ? tds_sandbox_policy_read(value, &s->sandbox, err) : rc;
}

static int read_signed_tli(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	return read_flag(dir, TDS_TLI_SIGNED_CFG, &s->signed_tli_alone, err);
}

static int read_auto_refresh(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	return read_flag(dir, "autorefresh.cfg", &s->auto_refresh, err);
}

static int add_capability(struct settings *s, const char *name, const char *literal,
			  struct tds_err *err)
{
	if (!literal || json_object_set_new(s->capabilities, name, json_string(literal)) != 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return 0;
}

static int add_others(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *others = NULL;
	size_t size = 0;
	int rc = settings_value(dir, "othercaps.cfg", &others, err);

	for (size_t i = 0; others && rc == 0 && i < others->n; i++) {
		const char *name = others->items[2 * i]->text;
		tds_autofree char *literal = tds_value_repr(others->items[2 * i + 1]);

		size += strlen(name) + (literal ? strlen(literal) : 0);
		if (size > CAPABILITIES_MAX_BYTES)
			return tds_err_set(err, TDS_E_UNUSABLE,
					   "%s/othercaps.cfg: more than %d bytes", dir->path,
					   CAPABILITIES_MAX_BYTES);
		rc = add_capability(s, name, literal, err);
	}
	return rc;
}

/* What othercaps.cfg says, and what the Director gives a system, which counts. */
static int read_capabilities(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *port = NULL;
	tds_auto(value) struct tds_value *leader = NULL;
	int64_t number = 0;
	int rc = settings_value(dir, "adminport.cfg", &port, err);

	s->capabilities = json_object();
	if (rc == 0 && port && tds_pytext_int(port->text, port->len, &number))
		s->admin_port = (uint16_t)number; /* its range was checked when it was read */
	if (rc == 0)
		rc = settings_value(dir, "convleader.cfg", &leader, err);
	if (rc == 0)
		rc = add_others(dir, s, err);
	if (rc == 0)
		rc = add_capability(s, "Admin Port", port ? port->text : "1900", err);
	if (rc == 0)
		rc = add_capability(s, "DirectorFmt", "[1]", err);
	if (rc == 0 && leader && leader->type == TDS_VALUE_STR && leader->len > 0) {
		tds_autofree char *literal = tds_value_repr(leader);

		rc = add_capability(s, "Convention Address.IPv4", literal, err);
	}
	return rc;
}

static int read_logging(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *config = NULL;
	tds_auto(value) struct tds_value *folder = NULL;
	int rc = settings_value(dir, "thesplog.cfg", &config, err);

	if (rc == 0)
		rc = settings_value(dir, "thesplogd.cfg", &folder, err);
	if (rc != 0 || !config)
		return rc;
	s->log.level = tds_logconfig_level(config);
	s->log.config = tds_value_repr(config);
	if (folder && folder->len > 0)
		s->log.dir = strdup(folder->text);
	if (!s->log.config || (folder && folder->len > 0 && !s->log.dir))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return 0;
}

/* How far logs may grow. */
static int read_log_limits(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *size = NULL;
	tds_auto(value) struct tds_value *keep = NULL;
	int64_t n = s->logs.keep;
	int rc = settings_value(dir, "logsize.cfg", &size, err);

	if (rc == 0)
		rc = settings_value(dir, "logkeep.cfg", &keep, err);
	/* What they may be was looked at when they were parsed. */
	if (size)
		(void)tds_pytext_int(size->text, size->len, &s->logs.size);
	if (keep)
		(void)tds_pytext_int(keep->text, keep->len, &n);
	s->logs.keep = (unsigned)n;
	return rc;
}

/* --- what is in force becomes what was read, and the other way round --- */

#define SWAP(a, b)                              \
	do {                                    \
		const __typeof__(a) kept = (a); \
		(a) = (b);                      \
		(b) = kept;                     \
	} while (0)

static void swap_max_message(struct settings *a, struct settings *b)
{
	SWAP(a->max_message, b->max_message);
}

static void swap_env_names(struct settings *a, struct settings *b)
{
	SWAP(a->env_names, b->env_names);
}

static void swap_adminusers(struct settings *a, struct settings *b)
{
	SWAP(a->users, b->users);
	SWAP(a->nusers, b->nusers);
}

static void swap_may(struct settings *a, struct settings *b)
{
	SWAP(a->narrows, b->narrows);
	SWAP(a->may, b->may);
}

static void swap_guests(struct settings *a, struct settings *b)
{
	SWAP(a->guests, b->guests);
	SWAP(a->nguests, b->nguests);
}

static void swap_budget(struct settings *a, struct settings *b)
{
	SWAP(a->budget, b->budget);
}

static void swap_sandbox(struct settings *a, struct settings *b)
{
	SWAP(a->sandbox, b->sandbox);
}

static void swap_signed_tli(struct settings *a, struct settings *b)
{
	SWAP(a->signed_tli_alone, b->signed_tli_alone);
}

static void swap_auto_refresh(struct settings *a, struct settings *b)
{
	SWAP(a->auto_refresh, b->auto_refresh);
}

static void swap_logging(struct settings *a, struct settings *b)
{
	SWAP(a->log, b->log);
}

static void swap_log_limits(struct settings *a, struct settings *b)
{
	SWAP(a->logs, b->logs);
}

/* The files that are read together; swap NULL: they count at a restart, as director/config.c has it too. */
static const struct part {
	const char *files[SETTINGS_FILES_MAX];
	int (*read)(const struct tds_dir *dir, struct settings *s, struct tds_err *err);
	void (*swap)(struct settings *a, struct settings *b);
} parts[] = {
	{ { TDS_ACTORUSER_CFG }, settings_read_actoruser, NULL },
	{ { TDS_UIDRANGE_CFG }, settings_read_uidrange, NULL },
	{ { "actorenv.cfg" }, settings_read_env_names, swap_env_names },
	{ { "maxmessage.cfg" }, read_max_message, swap_max_message },
	{ { "newprivs.cfg" }, read_new_privs, NULL },
	{ { "datadir.cfg" }, read_data_dir, NULL },
	{ { TDS_SANDBOX_CFG }, read_sandbox, swap_sandbox },
	{ { TDS_TLI_SIGNED_CFG }, read_signed_tli, swap_signed_tli },
	{ { "autorefresh.cfg" }, read_auto_refresh, swap_auto_refresh },
	{ { "adminusers.cfg" }, settings_read_adminusers, swap_adminusers },
	{ { "may.cfg" }, settings_read_may, swap_may },
	{ { "guests.cfg" }, settings_read_guests, swap_guests },
	{ { "actorlimits.cfg" }, read_limits, NULL },
	{ { "budget.cfg" }, read_budget, swap_budget },
	{ { "adminport.cfg", "convleader.cfg", "othercaps.cfg" }, read_capabilities, NULL },
	{ { "thesplog.cfg", "thesplogd.cfg" }, read_logging, swap_logging },
	{ { "logsize.cfg", "logkeep.cfg" }, read_log_limits, swap_log_limits },
};

static const struct settings defaults = { .max_message = MAX_MESSAGE_DEFAULT,
					  .uids = TDS_UIDRANGE_DEFAULT,
					  .pids_max = PIDS_MAX_DEFAULT,
					  .memory_max = UINT64_MAX,
					  .budget = BUDGET_DEFAULTS,
					  .logs = LOG_LIMITS_DEFAULT,
					  .log = { .level = LOG_LEVEL_DEFAULT } };

/* Who may write a file that says as whom actors run, say, is that user. */
static int read_part(const struct tds_dir *dir, const struct tds_strict *strict,
		     const struct part *part, struct settings *settings, struct tds_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && part->files[i]; i++)
		rc = tds_strictmodes_demand_file(dir, strict, TDS_STRICT_CONFIG, part->files[i],
						 (struct tds_strict_watcher){ 0 }, err);
	return rc == 0 ? part->read(dir, settings, err) : rc;
}

int settings_read(const struct tds_dir *dir, struct settings *settings, struct tds_err *err)
{
	struct tds_strict strict;
	int rc = tds_strictmodes_read(dir, &strict, err);

	*settings = defaults;
	/* Where the directory is exposed no key is believed: nothing of what is to come back would. */
	if (rc == 0)
		rc = tds_strictmodes_demand_dir(dir, &strict, (struct tds_strict_watcher){ 0 },
						err);
	for (size_t i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = read_part(dir, &strict, &parts[i], settings, err);
	if (rc != 0)
		settings_fini(settings);
	return rc;
}

void settings_reload(const struct tds_dir *dir, struct settings *settings, settings_read_fn *told,
		     void *ctx)
{
	struct tds_strict strict;
	struct tds_err unknown = { 0 };
	int known = tds_strictmodes_read(dir, &strict, &unknown);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct settings fresh = defaults;
		struct tds_err err = unknown;

		if (!parts[i].swap)
			continue;
		int rc = known == 0 ? read_part(dir, &strict, &parts[i], &fresh, &err) : known;
		if (rc == 0)
			parts[i].swap(settings, &fresh);
		told(ctx, parts[i].files, rc == 0 ? NULL : &err);
		settings_fini(&fresh);
	}
}

void log_settings_fini(struct log_settings *log)
{
	free(log->config);
	free(log->dir);
	*log = (struct log_settings){ 0 };
}

void settings_fini(struct settings *settings)
{
	for (size_t i = 0; i < settings->nusers; i++)
		tds_rights_free(settings->users[i].rights);
	free(settings->users);
	tds_grants_fini(&settings->may);
	free(settings->guests);
	free(settings->limits);
	json_decref(settings->capabilities);
	log_settings_fini(&settings->log);
	tds_sandbox_policy_fini(&settings->sandbox);
	free(settings->data_dir);
	free(settings->actor_name);
	free(settings->actor_home);
	for (char **name = settings->env_names; name && *name; name++)
		free(*name);
	free(settings->env_names);
	*settings = (struct settings){ 0 };
}
