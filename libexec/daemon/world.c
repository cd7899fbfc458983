/* SPDX-License-Identifier: MIT */
/* The Director's means, made of the rooms beside it: the library, the verifier's client, and what is kept on disk. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/user.h"
#include "daemon/authority/identity.h"
#include "daemon/authority/trust.h"
#include "daemon/keep/logger.h"
#include "daemon/keep/state.h"
#include "daemon/keep/store.h"
#include "daemon/base/settings.h"
#include "director/rundir.h"
#include "granting.h"
#include "surroundings.h"
#include "tool/cli.h"

/* What a verdict rested on: the file, and the files that decide what is trusted. */
struct vouch {
	struct identity file;
	struct trust trust;
	char key[]; /* path of the key that validated it */
};

/* A package on its way into the store. */
struct stored {
	struct store_entry entry; /* none: it is kept already, or begun says why not */
	struct tds_err begun;
	bool is_kept;    /* it is there already */
	int write_errno; /* why the verifier could not write it; 0: it has */
};

struct verification {
	struct world *world;
	struct verifier *process;
	struct identity file;
	struct stored *package;
	verdict_fn *done;
	void *ctx;
};

static int group_of(void *ctx, const char *target, char **group, struct tds_err *err)
{
	struct world *world = ctx;

	return library_group_of(&world->library, target, group, err);
}

static int find(void *ctx, const char *target, const char *group, struct candidate *found,
		struct tds_err *err)
{
	struct world *world = ctx;

	return library_find(&world->library, target, group, found, err);
}

static int declaration(void *ctx, const char *group, struct tds_tli *tli, struct tds_err *err)
{
	struct world *world = ctx;

	return library_declaration(&world->library, group, tli, err);
}

/* --- who asks --- */

static const struct tds_rights *narrowed(void *ctx, const char *group)
{
	const struct world *world = ctx;

	return settings_narrowed(world->settings, group);
}

static const char *uid_key(uid_t uid, char key[12])
{
	(void)snprintf(key, 12, "%u", (unsigned)uid);
	return key;
}

static const char *user_name(void *ctx, uid_t uid)
{
	const struct world *world = ctx;
	char key[12];

	return json_string_value(json_object_get(world->users, uid_key(uid, key)));
}

static void know_user(struct world *world, uid_t uid)
{
	tds_auto(user) struct tds_user user = { 0 };
	char key[12];

	if (tds_user_find(uid_key(uid, key), &user, NULL) == 0 && user.name)
		(void)json_object_set_new(world->users, key, tds_cli_json_text(user.name));
}

/* Asked of the system when settings are read, not when somebody comes: it may take long to answer. */
void world_know_users(struct world *world)
{
	const struct settings *s = world->settings;

	json_decref(world->users);
	world->users = json_object();
	know_user(world, 0);
	know_user(world, geteuid());
	for (size_t i = 0; i < s->nguests; i++)
		know_user(world, s->guests[i]);
	for (size_t i = 0; i < s->nusers; i++)
		know_user(world, s->users[i].uid);
}

static json_t *groups(void *ctx)
{
	struct world *world = ctx;

	return library_groups(&world->library);
}

static bool is_unchanged(void *ctx, const struct candidate *found, const void *opaque)
{
	const struct world *world = ctx;
	const struct vouch *vouch = opaque;
	struct identity file = identity_of(found->fd);
	struct trust trust = trust_now(world->dir, vouch->key);

	return identity_is_same(&vouch->file, &file) && trust_is_same(&vouch->trust, &trust);
}

/* --- the verifier --- */

static void stored_free(struct stored *package)
{
	if (package)
		store_drop(&package->entry);
	free(package);
}

static void verification_free(struct verification *v)
{
	stored_free(v->package);
	free(v);
}

static struct vouch *vouch_new(const struct world *world, const struct identity *file,
			       const char *key)
{
	struct vouch *vouch = malloc(sizeof(*vouch) + strlen(key) + 1);

	if (!vouch)
		return NULL;
	vouch->file = *file;
	vouch->trust = trust_now(world->dir, key);
	(void)strcpy(vouch->key, key);
	return vouch;
}

static void on_finding(void *ctx, const struct finding *finding)
{
	struct verification *v = ctx;
	bool good = finding->status == 0;
	struct verdict verdict = { .status = finding->status,
				   .error = finding->error,
				   .is_none = finding->is_none,
				   .md5 = finding->md5,
				   .sha256 = finding->sha256,
				   .version = finding->version,
				   .key = finding->key,
				   .key_sha256 = finding->key_sha256,
				   .key_file_sha256 = finding->key_file_sha256,
				   .warnings = finding->warnings,
				   .signed_tli = finding->signed_tli,
				   .archive = finding->archive };

	if (good) {
		v->package->write_errno = finding->write_errno;
		verdict.package = tds_steal(&v->package);
		verdict.vouch = vouch_new(v->world, &v->file, finding->key ? finding->key : "");
	}
	v->done(v->ctx, &verdict);
	verification_free(v);
}

static struct verification *verify(void *ctx, const struct candidate *found, const char *group,
				   verdict_fn *done, void *done_ctx)
{
	struct world *world = ctx;
	struct verification *v = calloc(1, sizeof(*v));
	struct stored *package = calloc(1, sizeof(*package));
	tds_auto(surroundings) struct surroundings around = { 0 };
	int store_fd = -1;

	if (!v || !package || !surroundings_make(world, group, &around)) {
		free(v);
		free(package);
		return NULL;
	}
	/* That there is no room for it is said when it is to be kept: a package that does not hold is refused for that. */
	if (!found->is_kept && store_begin(world->rundir, &package->entry, &package->begun) == 0)
		store_fd = package->entry.file.fd;
	package->is_kept = found->is_kept;
	*v = (struct verification){ .world = world,
				    .file = identity_of(found->fd),
				    .package = package,
				    .done = done,
				    .ctx = done_ctx };
	const struct verifier_order order = { .program = world->verifier,
					      .dir = world->dir,
					      .fd = found->fd,
					      .name = found->file,
					      .group = group,
					      .store_fd = store_fd,
					      .around = around.told };
	v->process = verifier_start(world->base, &order, on_finding, v);
	if (v->process)
		return v;
	verification_free(v);
	return NULL;
}

static void cancel(struct verification *v)
{
	if (!v)
		return;
	verifier_cancel(v->process);
	verification_free(v);
}

/* --- what is kept --- */

static int find_stored(void *ctx, const char *sha256, int *fd, struct tds_err *err)
{
	const struct world *world = ctx;

	*fd = store_open(world->rundir, sha256);
	if (*fd >= 0)
		return 0;
	return tds_err_sys(err, errno == ENOENT ? TDS_E_MISSING : TDS_E_UNUSABLE,
			   errno == ENOENT ? "its package is not in the store"
					   : "its package cannot be opened");
}

static char *path_of(void *ctx, const char *file)
{
	const struct world *world = ctx;

	return tds_dir_join(world->dir, file);
}

static int stored_declaration(void *ctx, const char *sha256, struct tds_tli *tli,
			      struct tds_err *err)
{
	const struct world *world = ctx;

	return store_definition(world->rundir, sha256, tli, err);
}

static int keep(void *ctx, struct stored *package, const char *sha256, const struct tds_tli *tli,
		struct tds_err *err)
{
	const struct world *world = ctx;
	int rc = package->begun.code;

	*err = package->begun;
	if (package->is_kept)
		rc = store_redefine(world->rundir, sha256, tli, err);
	else if (rc == 0)
		rc = store_commit(&package->entry, sha256, tli, package->write_errno, err);
	stored_free(package);
	return rc;
}

static void discard(void *ctx, struct stored *package)
{
	(void)ctx;
	stored_free(package);
}

static void forget(void *ctx, const char *sha256)
{
	const struct world *world = ctx;

	store_remove(world->rundir, sha256);
}

static int save_sources(void *ctx, json_t *sources, struct tds_err *err)
{
	const struct world *world = ctx;

	return state_save(world->rundir, sources, err);
}

static int save_groups(void *ctx, json_t *definitions, struct tds_err *err)
{
	const struct world *world = ctx;

	return groups_save(world->rundir, definitions, err);
}

static int give_home(void *ctx, const char *group, struct actor_home *home, struct tds_err *err)
{
	struct world *world = ctx;

	return homes_give(&world->homes, group, home, err);
}

static int grant_sandbox(void *ctx, const char *group, const struct tds_value *signed_value,
			 const struct tds_value *defined, struct tds_sandbox **granted, char **note,
			 struct tds_err *err)
{
	const struct world *world = ctx;

	return granting_decide(world->sandbox, group, signed_value, defined, granted, note, err);
}

static int remove_home(void *ctx, const char *group, removal_done_fn *done, void *done_ctx,
		       struct tds_err *err)
{
	struct world *world = ctx;

	return homes_take(&world->homes, group, done, done_ctx, err);
}

static int save_desired(void *ctx, json_t *wanted, struct tds_err *err)
{
	const struct world *world = ctx;

	return desired_write(world->rundir, wanted, err);
}

/* What is damaged in the run directory is named with its path, and what to do. */
static int name_rundir(const struct world *world, struct tds_err *err)
{
	tds_autofree char *path = NULL;
	struct tds_err why = *err;

	return tds_rundir_path(world->dir, &path, err) == 0
		       ? tds_err_set(err, why.code, "%s/%s (mend or remove it)", path, why.reason)
		       : err->code;
}

static int desired(void *ctx, json_t **document, struct tds_err *err)
{
	const struct world *world = ctx;

	*document = desired_read(world->rundir, err);
	return err->code == TDS_OK ? 0 : name_rundir(world, err);
}

static int save_floors(void *ctx, json_t *groups, struct tds_err *err)
{
	const struct world *world = ctx;

	return floors_write(world->rundir, groups, err);
}

static int floors(void *ctx, json_t **document, struct tds_err *err)
{
	const struct world *world = ctx;

	*document = floors_read(world->rundir, err);
	return err->code == TDS_OK ? 0 : name_rundir(world, err);
}

static void returning(void *ctx, const char *sha256, bool under_way)
{
	struct world *world = ctx;

	if (under_way)
		returning_begin(&world->returning, sha256);
	else
		returning_end(&world->returning, sha256);
}

static void event(void *ctx, json_t *event)
{
	struct world *world = ctx;

	events_add(&world->events, event);
}

static int add_audit(void *ctx, json_t *line, struct tds_err *err)
{
	struct world *world = ctx;

	return audit_add(&world->audit, line, err);
}

static void audit_anyway(void *ctx, json_t *line)
{
	struct world *world = ctx;

	audit_keep(&world->audit, line);
}

void world_note(struct world *world, json_t *event)
{
	audit_keep(&world->audit, json_copy(event));
	events_add(&world->events, event);
}

static int prune(void *ctx, const char *group, int64_t keep_limit, json_t *deleted,
		 struct tds_err *err)
{
	struct world *world = ctx;

	return library_prune(&world->library, group, keep_limit, deleted, err);
}

static void record(void *ctx, const char *address, const json_t *record)
{
	const struct world *world = ctx;

	logger_record(world->logger, address, record);
}

void world_open(struct world *world)
{
	world->library.dir = world->dir;
	audit_open(&world->audit, world->rundir, world->logs);
	events_open(&world->events, world->rundir, world->logs);
	world->means = (struct means){ .group_of = group_of,
				       .find = find,
				       .declaration = declaration,
				       .narrowed = narrowed,
				       .user_name = user_name,
				       .groups = groups,
				       .is_unchanged = is_unchanged,
				       .verify = verify,
				       .cancel = cancel,
				       .find_stored = find_stored,
				       .path_of = path_of,
				       .stored_declaration = stored_declaration,
				       .keep = keep,
				       .discard = discard,
				       .forget = forget,
				       .save_sources = save_sources,
				       .save_groups = save_groups,
				       .home = give_home,
				       .sandbox = grant_sandbox,
				       .remove_home = remove_home,
				       .save_desired = save_desired,
				       .desired = desired,
				       .save_floors = save_floors,
				       .floors = floors,
				       .returning = returning,
				       .event = event,
				       .audit = add_audit,
				       .audit_anyway = audit_anyway,
				       .prune = prune,
				       .record = record,
				       .ctx = world };
}

void world_close(struct world *world)
{
	json_decref(world->users);
	audit_close(&world->audit);
	events_close(&world->events);
	homes_close(&world->homes);
	library_fini(&world->library);
	returning_close(&world->returning);
}
