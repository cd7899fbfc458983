/* SPDX-License-Identifier: MIT */
#include "fake_means.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/desired.h"
#include "literal/repr.h"
#include "package/version.h"

/* A package on its way to the store. */
struct stored {
	struct fake_means *means;
};

static unsigned number_of(const char *hash)
{
	return hash ? (unsigned)strtoul(hash + strlen(hash) - 8, NULL, 16) : 0;
}

static int open_something(void)
{
	int fd = dup(STDERR_FILENO);

	assert(fd >= 0);
	return fd;
}

/* --- packages --- */

static bool is_newer(const struct fake_package *p, const struct fake_package *than)
{
	return !than || tds_version_cmp(p->group, p->file, than->file) > 0;
}

/* The package of this file name, or the newest of this group. */
static const struct fake_package *look_up(const struct fake_means *means, const char *target,
					  const char *group)
{
	const struct fake_package *found = NULL;

	for (const struct fake_package *p = means->packages; p->number; p++) {
		if (p->deleted)
			continue;
		if (strcmp(p->file, target) == 0)
			return p;
		if (group && strcmp(p->group, group) == 0 && strcmp(target, group) == 0 &&
		    is_newer(p, found))
			found = p;
	}
	return found;
}

static struct fake_declaration *declared(struct fake_means *means, const char *group)
{
	struct fake_declaration *d = means->declarations;

	while (*d->group && strcmp(d->group, group) != 0)
		d++;
	return d;
}

static int group_of(void *ctx, const char *target, char **group, struct tds_err *err)
{
	struct fake_means *means = ctx;
	const struct fake_package *p = look_up(means, target, target);
	const char *name = p ? p->group : *declared(means, target)->group ? target : NULL;

	if (!name)
		return tds_err_set(err, TDS_E_MISSING, "no such group");
	*group = strdup(name);
	return *group ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int find(void *ctx, const char *target, const char *group, struct candidate *found,
		struct tds_err *err)
{
	const struct fake_package *p = look_up(ctx, tds_text_base(target), group);
	char path[64];

	if (!p)
		return tds_err_set(err, TDS_E_MISSING, "no package");
	(void)snprintf(path, sizeof(path), "/dir/%s", p->file);
	*found = (struct candidate){ .file = strdup(p->file),
				     .path = strdup(path),
				     .fd = open_something() };
	return 0;
}

static int declaration(void *ctx, const char *group, struct tds_tli *tli, struct tds_err *err)
{
	const struct fake_declaration *d = declared(ctx, group);

	if (!*d->group)
		return tds_err_set(err, TDS_E_MISSING, "no declaration");
	return tds_tli_parse(d->text, strlen(d->text), (struct tds_tli_watcher){ 0 }, tli, err);
}

static const struct tds_rights *narrowed(void *ctx, const char *group)
{
	const struct fake_means *means = ctx;

	(void)group;
	return means->narrowed;
}

static const char *user_name(void *ctx, uid_t uid)
{
	(void)ctx;
	return uid == 0 ? "root" : NULL;
}

static json_t *groups(void *ctx)
{
	const struct fake_means *means = ctx;
	json_t *names = means->fail_list ? NULL : json_array();

	for (const struct fake_declaration *d = means->declarations; names && *d->group; d++)
		(void)json_array_append_new(names, json_string(d->group));
	return names;
}

static bool is_unchanged(void *ctx, const struct candidate *found, const void *vouch)
{
	const struct fake_means *means = ctx;

	return !means->changed && strcmp(found->file, vouch) == 0;
}

/* --- the verifier --- */

static struct verification *verify(void *ctx, const struct candidate *found, const char *group,
				   verdict_fn *done, void *done_ctx)
{
	struct fake_means *means = ctx;
	struct verification **last = &means->verifications;
	struct verification *v = calloc(1, sizeof(*v));
	const struct fake_package *p = means->packages;

	(void)group;
	while (p->number && strcmp(p->file, found->file) != 0)
		p++;
	assert(v && p->number && found->fd >= 0);
	if (means->fail_verify) {
		free(v);
		return NULL;
	}
	*v = (struct verification){ .means = means, .package = p, .done = done, .ctx = done_ctx };
	while (*last)
		last = &(*last)->next;
	*last = v;
	fake_trace_add(means->trace, "verify %u", p->number);
	return v;
}

static void unlink_verification(struct verification *v)
{
	struct verification **p = &v->means->verifications;

	while (*p != v)
		p = &(*p)->next;
	*p = v->next;
}

static void cancel(struct verification *v)
{
	if (!v)
		return;
	fake_trace_add(v->means->trace, "cancel %u", v->package->number);
	unlink_verification(v);
	free(v);
}

struct verification *fake_verification(const struct fake_means *means, unsigned number)
{
	struct verification *v = means->verifications;

	while (v && v->package->number != number)
		v = v->next;
	return v;
}

static struct stored *package_of(struct fake_means *means)
{
	struct stored *package = calloc(1, sizeof(*package));

	assert(package);
	package->means = means;
	means->packages_out++;
	return package;
}

void fake_verdict(struct verification *v, int status, const char *error)
{
	const struct fake_package *p = v->package;
	char md5[33];
	char sha256[65];
	char key[65];
	char key_file[65];
	struct verdict verdict = { .status = status == FAKE_NONE ? 7 : status,
				   .error = error,
				   .is_none = status == FAKE_NONE,
				   .archive = -1 };

	char version[32] = "";

	unlink_verification(v);
	if (*p->version)
		(void)snprintf(version, sizeof(version), "%s", p->version);
	else if (strchr(p->file, '-'))
		(void)snprintf(version, sizeof(version), "%.*s",
			       (int)(strlen(p->file) - strlen(p->group) - 5),
			       strchr(p->file, '-') + 1);
	(void)snprintf(md5, sizeof(md5), "%032x", p->md5 ? p->md5 : p->number);
	(void)snprintf(sha256, sizeof(sha256), "%064x", p->number);
	tds_auto(tli) struct tds_tli declared = { 0 };
	if (status == 0 && p->declared) {
		int rc = tds_tli_parse_literal(p->declared, strlen(p->declared), &declared, NULL);

		assert(rc == 0);
		verdict.signed_tli = &declared;
	}
	if (status == 0) {
		verdict.md5 = md5;
		verdict.sha256 = sha256;
		verdict.version = p->unsigned_version ? NULL : version;
		verdict.key = "/dir/a.cert";
		(void)snprintf(key, sizeof(key), "%064x", 0x100 + p->key);
		(void)snprintf(key_file, sizeof(key_file), "%064x", 0x200 + p->key);
		verdict.key_sha256 = key;
		verdict.key_file_sha256 = key_file;
		verdict.archive = open_something();
		verdict.package = package_of(v->means);
		verdict.vouch = strdup(p->file);
	}
	v->done(v->ctx, &verdict);
	free(v);
}

/* --- what is kept --- */

static struct fake_stored *stored(struct fake_means *means, const char *sha256)
{
	struct fake_stored *s = means->stored;

	while (s < means->stored + FAKE_MAX && strcmp(s->sha256, sha256) != 0)
		s++;
	return s < means->stored + FAKE_MAX ? s : NULL;
}

static int find_stored(void *ctx, const char *sha256, int *fd, struct tds_err *err)
{
	const struct fake_means *means = ctx;

	if (means->fail_open)
		return tds_err_set(err, TDS_E_UNUSABLE, "too many open files");
	if (!stored(ctx, sha256))
		return tds_err_set(err, TDS_E_MISSING, "its package is not in the store");
	*fd = open_something();
	return 0;
}

static int stored_declaration(void *ctx, const char *sha256, struct tds_tli *tli,
			      struct tds_err *err)
{
	const struct fake_stored *s = stored(ctx, sha256);

	if (!s)
		return tds_err_set(err, TDS_E_MISSING, "its definition is not in the store");
	return tds_tli_parse(s->text, strlen(s->text), (struct tds_tli_watcher){ 0 }, tli, err);
}

static void discard(void *ctx, struct stored *package)
{
	(void)ctx;
	if (package)
		package->means->packages_out--;
	free(package);
}

/* What was declared for the package's group. */
static char *text_for(struct fake_means *means, unsigned number)
{
	const struct fake_package *p = means->packages;

	while (p->number != number)
		p++;
	return strdup(declared(means, p->group)->text);
}

static int keep(void *ctx, struct stored *package, const char *sha256, const struct tds_tli *tli,
		struct tds_err *err)
{
	struct fake_means *means = ctx;
	struct fake_stored *s = stored(means, sha256);
	tds_autofree char *text = means->same_declarations ? text_for(means, number_of(sha256))
							   : tds_value_repr(tli->value);

	discard(ctx, package);
	if (means->fail_keep)
		return tds_err_set(err, TDS_E_WRITE, "no space left");
	if (!s)
		s = stored(means, "");
	assert(s && text);
	(void)snprintf(s->sha256, sizeof(s->sha256), "%s", sha256);
	free(s->text);
	s->text = tds_steal(&text);
	fake_trace_add(means->trace, "keep %u", number_of(sha256));
	return 0;
}

static void forget(void *ctx, const char *sha256)
{
	struct fake_means *means = ctx;
	struct fake_stored *s = stored(means, sha256);

	if (means->frozen)
		return;
	if (s) {
		free(s->text);
		*s = (struct fake_stored){ 0 };
	}
	fake_trace_add(means->trace, "forget %u", number_of(sha256));
}

static int save(struct fake_means *means, bool fails, json_t **to, json_t *what,
		struct tds_err *err)
{
	if (means->frozen || fails) {
		json_decref(what);
		return tds_err_set(err, TDS_E_WRITE, "no space left");
	}
	json_decref(*to);
	*to = what;
	return 0;
}

static int save_sources(void *ctx, json_t *sources, struct tds_err *err)
{
	struct fake_means *means = ctx;
	int rc = save(means, means->fail_save, &means->sources, sources, err);

	means->saves++;
	means->save_failed = rc != 0;
	if (means->trace) {
		tds_autofree char *disk = rc == 0 ? fake_disk(means) : NULL;

		fake_trace_add(means->trace, "save %s", disk ? disk : "fails");
	}
	return rc;
}

static int save_groups(void *ctx, json_t *defined, struct tds_err *err)
{
	struct fake_means *means = ctx;

	return save(means, means->fail_groups, &means->defined, defined, err);
}

static void event(void *ctx, json_t *event)
{
	const char *why = json_string_value(json_object_get(event, "Message"));

	fake_trace_add(((struct fake_means *)ctx)->trace, "event %s %u%s%s",
		       json_string_value(json_object_get(event, "Event")),
		       number_of(json_string_value(json_object_get(event, "MD5"))), why ? ": " : "",
		       why ? why : "");
	json_decref(event);
}

static int save_desired(void *ctx, json_t *wanted, struct tds_err *err)
{
	struct fake_means *means = ctx;

	bool fails = means->fail_desired || means->fail_save;

	fake_trace_add(means->trace, "want%s", fails ? " fails" : "");
	means->is_old = means->is_old && fails;
	return save(means, fails, &means->wanted, wanted, err);
}

/* Everything is allowed that is asked for; what a declaration does not say is trusted. */
static int sandbox(void *ctx, const char *group, const struct tds_value *signed_value,
		   const struct tds_value *defined, struct tds_sandbox **granted, char **note,
		   struct tds_err *err)
{
	const struct tds_value *asked = signed_value ? signed_value : defined;

	(void)ctx;
	(void)group;
	*note = NULL;
	*granted = asked ? NULL : tds_sandbox_of(TDS_PROFILE_TRUSTED);
	return asked ? tds_sandbox_read(asked, granted, err) : 0;
}

static int save_floors(void *ctx, json_t *floors, struct tds_err *err)
{
	struct fake_means *means = ctx;
	bool fails = means->fail_floors || means->fail_save;

	fake_trace_add(means->trace, "floor%s", fails ? " fails" : "");
	return save(means, fails, &means->floors, floors, err);
}

static int floors(void *ctx, json_t **document, struct tds_err *err)
{
	const struct fake_means *means = ctx;

	if (means->damaged_floors)
		return tds_err_set(err, TDS_E_UNUSABLE, "floor.json: is damaged");
	*document = means->floors ? json_pack("{s:i, s:O}", "Version", 1, "Groups", means->floors)
				  : NULL;
	return 0;
}

static int home(void *ctx, const char *group, struct actor_home *home, struct tds_err *err)
{
	struct fake_means *means = ctx;

	if (means->fail_data)
		return tds_err_set(err, TDS_E_WRITE, "data/%s: no space left", group);
	(void)snprintf(means->data, sizeof(means->data), "%s", group);
	*home = (struct actor_home)ACTOR_HOME_NONE;
	return asprintf(&home->data, "/data/%s", group) < 0 ? TDS_E_NOMEM : 0;
}

static int remove_home(void *ctx, const char *group, void (*done)(void *ctx, const char *error),
		       void *done_ctx, struct tds_err *err)
{
	struct fake_means *means = ctx;

	if (strcmp(means->data, group) != 0)
		return tds_err_set(err, TDS_E_MISSING, "nothing is kept of this group");
	means->data[0] = '\0';
	means->removed = done;
	means->removed_ctx = done_ctx;
	fake_trace_add(means->trace, "remove %s", group);
	return 0;
}

static json_t *desired_json(const struct fake_means *means)
{
	return means->wanted ? json_pack("{s:i, s:b, s:O}", "Version", 1, "Floors", !means->is_old,
					 "Groups", means->wanted)
			     : NULL;
}

static int desired(void *ctx, json_t **document, struct tds_err *err)
{
	const struct fake_means *means = ctx;

	if (means->damaged)
		return tds_err_set(err, TDS_E_UNUSABLE, "desired.json: is damaged");
	*document = desired_json(means);
	return 0;
}

static char *path_of(void *ctx, const char *file)
{
	char *path = NULL;

	(void)ctx;
	return asprintf(&path, "/dir/%s", file) < 0 ? NULL : path;
}

static void audit_anyway(void *ctx, json_t *line)
{
	const char *error = json_string_value(json_object_get(line, "Message"));
	const char *sha256 = json_string_value(json_object_get(line, "SHA256"));

	fake_trace_add(((struct fake_means *)ctx)->trace, "audit %s %u%s%s",
		       json_string_value(json_object_get(line, "Event")), number_of(sha256),
		       error ? ": " : "", error ? error : "");
	json_decref(line);
}

static int audit(void *ctx, json_t *line, struct tds_err *err)
{
	struct fake_means *means = ctx;

	if (means->fail_audit) {
		json_decref(line);
		return tds_err_set(err, TDS_E_WRITE, "audit.log: no space left");
	}
	audit_anyway(ctx, line);
	return 0;
}

static int prune(void *ctx, const char *group, int64_t keep_limit, json_t *deleted,
		 struct tds_err *err)
{
	struct fake_means *means = ctx;

	fake_trace_add(means->trace, "prune %s %d", group, (int)keep_limit);
	if (means->prunes)
		(void)json_array_append_new(deleted, json_string(means->prunes));
	return means->fail_prune ? tds_err_set(err, TDS_E_WRITE, "read-only") : 0;
}

static void record(void *ctx, const char *address, const json_t *what)
{
	(void)what;
	fake_trace_add(((struct fake_means *)ctx)->trace, "record %s", address);
}

char *fake_disk(const struct fake_means *means)
{
	const json_t *s;
	char text[256] = "";
	size_t i;

	json_array_foreach(means->sources, i, s)
	{
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u%s",
			       i ? " " : "",
			       number_of(json_string_value(json_object_get(s, "SHA256"))),
			       json_is_true(json_object_get(s, "Active")) ? "*" : "");
	}
	return strdup(text);
}

static bool is_in_state(const struct fake_means *means, const char *sha256)
{
	const json_t *s;
	size_t i;

	json_array_foreach(means->sources, i, s)
	{
		if (strcmp(json_string_value(json_object_get(s, "SHA256")), sha256) == 0)
			return true;
	}
	return false;
}

void fake_sweep(struct fake_means *means)
{
	json_t *wanted = desired_json(means);

	for (struct fake_stored *s = means->stored; s < means->stored + FAKE_MAX; s++)
		if (*s->sha256 && !is_in_state(means, s->sha256) &&
		    !tds_desired_stores(wanted, s->sha256))
			forget(means, s->sha256);
	json_decref(wanted);
}

/* --- life --- */

void fake_means_init(struct fake_means *means)
{
	*means = (struct fake_means){ 0 };
	means->means = (struct means){ .group_of = group_of,
				       .find = find,
				       .declaration = declaration,
				       .narrowed = narrowed,
				       .user_name = user_name,
				       .groups = groups,
				       .is_unchanged = is_unchanged,
				       .verify = verify,
				       .cancel = cancel,
				       .find_stored = find_stored,
				       .stored_declaration = stored_declaration,
				       .keep = keep,
				       .discard = discard,
				       .forget = forget,
				       .save_sources = save_sources,
				       .save_groups = save_groups,
				       .home = home,
				       .sandbox = sandbox,
				       .remove_home = remove_home,
				       .save_desired = save_desired,
				       .desired = desired,
				       .save_floors = save_floors,
				       .floors = floors,
				       .path_of = path_of,
				       .event = event,
				       .audit = audit,
				       .audit_anyway = audit_anyway,
				       .prune = prune,
				       .record = record,
				       .ctx = means };
}

void fake_means_fini(struct fake_means *means)
{
	json_decref(means->sources);
	json_decref(means->defined);
	json_decref(means->wanted);
	json_decref(means->floors);
	for (size_t i = 0; i < FAKE_MAX; i++) {
		free(means->declarations[i].text);
		free(means->stored[i].text);
	}
}

struct fake_package *fake_package(struct fake_means *means, unsigned number, const char *group,
				  const char *file)
{
	struct fake_package *p = means->packages;

	while (p->number)
		p++;
	assert(p < means->packages + FAKE_MAX - 1);
	p->number = number;
	(void)snprintf(p->group, sizeof(p->group), "%s", group);
	(void)snprintf(p->file, sizeof(p->file), "%s", file);
	return p;
}

void fake_declare(struct fake_means *means, const char *group, const char *text)
{
	struct fake_declaration *d = declared(means, group);

	assert(d < means->declarations + FAKE_MAX - 1);
	(void)snprintf(d->group, sizeof(d->group), "%s", group);
	free(d->text);
	d->text = strdup(text);
}
