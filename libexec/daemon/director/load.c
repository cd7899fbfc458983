/* SPDX-License-Identifier: MIT */
/*
 * The steps of a load, and of a return: found, verified, imported, its actors up. One that fails is undone: what was
 * active before is active again, and the first reason is told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "change.h"
#include "declaration.h"
#include "desired.h"
#include "floor.h"
#include "rules.h"
#include "tool/cli.h"

static enum change_state refuse_err(struct change *change, const struct tds_err *err)
{
	return change_refuse(change, tds_code_status(err->code), err->reason);
}

/* --- begin --- */

/* The declaration that counts now: DefineGroup's, where the request names the group; else GROUP.tli. */
static int read_declaration(struct change *change, struct tds_tli *tli, struct tds_err *err)
{
	const struct means *means = change->director->means;
	const struct tds_tli_watcher nobody = { 0 };
	const char *definition = change->given ? change->group->definition : NULL;
	int rc = definition ? tds_tli_parse(definition, strlen(definition), nobody, tli, err)
			    : means->declaration(means->ctx, change->group->name, tli, err);

	if (rc == 0)
		change->group->known = true;
	/* As the Director has it: a group that nobody declared is one without actors. */
	if (rc == TDS_E_MISSING && change->given)
		rc = tds_tli_parse("{}", 2, nobody, tli, err);
	return rc;
}

/* The package, and what would be loaded of it. Where the declaration is at fault the package is not named. */
static int find(struct change *change, struct tds_err *err)
{
	tds_auto(tli) struct tds_tli tli = { 0 };
	struct tds_err declared = { 0 };
	int rc_declared = read_declaration(change, &tli, &declared);
	int rc = choose_package(change, err);

	/* Where what is signed decides alone, the group must only be declared. */
	if (rc_declared == TDS_E_SYNTAX && change->director->settings->signed_tli_alone)
		rc_declared = 0;

	if (rc == 0 && rc_declared != 0) {
		candidate_fini(&change->found);
		*err = declared;
		rc = rc_declared;
	}
	if (rc != 0)
		return rc;
	change->group->known = true;
	/* What is wrong with its actors is said when the signature holds, not before. */
	change->incoming = source_new(change->group, change->found.file, change->found.path, &tli,
				      &change->incoming_err);
	return 0;
}

/* Is it the source that is active? Then there is nothing to verify, and nothing is loaded. */
static bool is_active_already(const struct change *change)
{
	const struct means *means = change->director->means;
	const struct source *active = change->group->active;

	if (active && *change->wanted)
		return strcmp(change->wanted, active->sha256) == 0;
	/* Of another name it would be another version, which its signed name would have to agree with. */
	return active && active->vouch && strcmp(change->found.file, active->file) == 0 &&
	       means->is_unchanged(means->ctx, &change->found, active->vouch);
}

static void on_verdict(void *ctx, const struct verdict *verdict)
{
	struct change *change = ctx;

	change->verification = NULL;
	change_happens(change, CHANGE_VERDICT, &(struct news){ .verdict = verdict });
}

enum change_state load_verify(struct change *change)
{
	struct director *director = change->director;
	const struct means *means = director->means;

	change->verification =
		means->verify(means->ctx, &change->found, change->group->name, on_verdict, change);
	if (!change->verification)
		return change_put_off(change, 1, "the verifier could not be started");
	director->engine->ops->prepare(director->engine);
	return CHANGE_VERIFYING;
}

static enum change_state return_begin(struct change *change)
{
	const struct means *means = change->director->means;
	const struct source *source = change->source;
	struct tds_err err;

	/* It has been unloaded, or loaded again by somebody else, while this waited for its turn. */
	if (!source || source->state != SOURCE_LOST)
		return CHANGE_ENDED;
	change->found.file = strdup(source->file);
	change->found.path = strdup(source->path);
	if (!change->found.file || !change->found.path)
		return change_put_off(change, 5, "out of memory");
	if (means->find_stored(means->ctx, source->sha256, &change->found.fd, &err) != 0)
		return err.code == TDS_E_MISSING
			       ? change_give_up(change, tds_code_status(err.code), err.reason)
			       : change_put_off(change, tds_code_status(err.code), err.reason);
	change->found.is_kept = true;
	return load_verify(change);
}

enum change_state load_begin(struct change *change)
{
	struct tds_err err = { 0 };

	if (change->kind == CHANGE_RETURN)
		return return_begin(change);
	if (desired_known(change->director, &err) != 0 || find(change, &err) != 0)
		return refuse_err(change, &err);
	/* Where the floors cannot be read, that refuses what is chosen, and nothing else. */
	(void)!floors_known(change->director, &err);
	return is_active_already(change) ? already_active(change) : load_verify(change);
}

/* --- the verdict --- */

/* NULL: the reason is in err. */
static struct engine_source *load_source(struct source *source, int archive, struct tds_err *err)
{
	const struct means *means = source->director->means;
	struct engine *engine = source->director->engine;
	tds_auto(actor_home) struct actor_home home = ACTOR_HOME_NONE;

	if (means->home(means->ctx, source->group->name, &home, err) != 0) {
		(void)close(archive);
		return NULL;
	}
	const struct engine_load load = { .md5 = source->md5,
					  .archive = archive,
					  .names = declaration_names(source),
					  .info = source->path,
					  .home = &home,
					  .sandbox = source->sandbox,
					  .owner = source };

	return engine->ops->load(engine, &load, err);
}

static enum change_state load_into_engine(struct change *change, int archive)
{
	struct source *source = change->source;
	struct clock *clock = change->director->clock;
	struct tds_err err;

	source->loaded_wall_ms = clock->wall_ms(clock);
	source->loaded = load_source(source, archive, &err);
	if (source->loaded)
		return CHANGE_IMPORTING;
	change->source = NULL;
	change_blame(change, tds_code_status(err.code), err.reason);
	if (change->kind == CHANGE_RETURN)
		source_lose(source, err.reason);
	else
		(void)source_drop(source, change, "Undone", err.reason, &(struct tds_err){ 0 });
	return CHANGE_ENDED;
}

/* Before anything is changed: what it asks for, and is not allowed, refuses the load. */
static int grant_sandbox(struct change *change, struct source *source, struct tds_err *err)
{
	const struct means *means = change->director->means;
	struct tds_sandbox *granted = NULL;
	tds_autofree char *note = NULL;
	int rc = means->sandbox(means->ctx, source->group->name,
				declaration_signed(source, "Sandbox"),
				declaration_defined(source, "Sandbox"), &granted, &note, err);

	if (rc != 0)
		return rc;
	tds_sandbox_unref(source->sandbox);
	source->sandbox = granted;
	if (note)
		change_warn(change, "Sandbox", note);
	return 0;
}

static void take_verdict(struct source *source, const struct verdict *verdict)
{
	if (verdict->key) {
		free(source->key);
		source->key = strdup(verdict->key);
	}
	if (verdict->version) {
		free(source->version);
		source->version = strdup(verdict->version);
	}
	tds_tli_fini(&source->signed_tli);
	if (verdict->signed_tli)
		source->signed_tli = tds_tli_steal(verdict->signed_tli);
	declaration_read_may(source);
	(void)snprintf(source->key_sha256, sizeof(source->key_sha256), "%s",
		       verdict->key_sha256 ? verdict->key_sha256 : "");
	(void)snprintf(source->key_file_sha256, sizeof(source->key_file_sha256), "%s",
		       verdict->key_file_sha256 ? verdict->key_file_sha256 : "");
	source->revoked = NULL;
	source->expelled = source->dismissed = source->unfit = false;
	free(source->vouch);
	source->vouch = verdict->vouch;
	(void)snprintf(source->md5, sizeof(source->md5), "%s", verdict->md5);
	(void)snprintf(source->sha256, sizeof(source->sha256), "%s", verdict->sha256);
}

static enum change_state load_new(struct change *change, const struct verdict *verdict)
{
	const struct means *means = change->director->means;
	struct tds_err err = { 0 };
	tds_autofd int archive = verdict->archive;
	int rc = signed_apply(change, verdict->signed_tli, &err);
	struct source *source = change->incoming;

	if (rc == 0 && !source) {
		err = change->incoming_err;
		rc = (int)err.code;
	}
	if (rc == 0)
		rc = declaration_check_names(source, &err);

	if (source)
		take_verdict(source, verdict);
	else
		free(verdict->vouch);
	if (rc == 0 && !(source->key && source->version))
		rc = tds_err_set(&err, TDS_E_NOMEM, "out of memory");
	if (rc == 0)
		rc = grant_sandbox(change, source, &err);
	if (rc == 0)
		rc = means->keep(means->ctx, verdict->package, verdict->sha256, &source->tli, &err);
	else
		means->discard(means->ctx, verdict->package);
	if (rc != 0)
		return refuse_err(change, &err);
	change->incoming = NULL;
	change->source = source;
	source_add(source);
	return load_into_engine(change, tds_steal_fd(&archive));
}

/* What this machine allows may have changed since. */
static enum change_state load_lost(struct change *change, struct source *lost, int archive)
{
	struct tds_err err;

	if (grant_sandbox(change, lost, &err) != 0) {
		(void)close(archive);
		return change_fail(change, tds_code_status(err.code), err.reason);
	}
	timer_stop(&lost->retry);
	change->source = lost;
	return load_into_engine(change, archive);
}

/* A source that is loaded already is only made active, where it is not; one that was lost comes back now. */
static enum change_state load_known(struct change *change, struct source *known,
				    const struct verdict *verdict)
{
	change->director->means->discard(change->director->means->ctx, verdict->package);
	take_verdict(known, verdict);
	if (known->state == SOURCE_LOST)
		return load_lost(change, known, verdict->archive);
	change->source = known;
	if (verdict->archive >= 0)
		(void)close(verdict->archive);
	if (change->group->active == known)
		return already_active(change);
	rest_active(change);
	return return_to(change, known);
}

/*
 * May what the verdict is about be loaded? A key validates it, or did when the verifier looked. Errors: TDS_E_REFUSED,
 * TDS_E_MISSING, TDS_E_UNTRUSTED.
 */
static int check_objections(struct change *change, const struct source *known,
			    const struct verdict *verdict, struct tds_err *err)
{
	const char *sha256 = verdict->sha256;
	const struct group *group = change->group;
	const char *revoked = revoked_why(change->director, sha256, verdict->key_sha256,
					  verdict->key_file_sha256);
	bool is_named = change->kind == CHANGE_LOAD && change->purpose == LOAD_NAMED;

	if (revoked)
		return tds_err_set(err, TDS_E_UNTRUSTED, "%s", revoked);
	if (known && strcmp(known->sha256, sha256) != 0)
		return tds_err_set(err, TDS_E_REFUSED,
				   "another source of the same source hash is loaded");
	if (known && known->group != group)
		return tds_err_set(err, TDS_E_REFUSED, "it is loaded in another group");
	if (*change->wanted && strcmp(change->wanted, sha256) != 0)
		return tds_err_set(err, TDS_E_MISSING, "is another package by now (its SHA-256)");
	if (is_named && group->held && !group_is_held_at(group, sha256))
		return group_refuse_held(group, err);
	if (change->is_chosen && !change->downgrades && !(known && known == group->active) &&
	    floor_check(group, change->found.file, err) != 0)
		return err->code;
	change->left_alone = !known && !change->retry && strcmp(group->undone, sha256) == 0;
	if (change->left_alone)
		return tds_err_set(err, TDS_E_REFUSED, TDS_UNDONE);
	(void)snprintf(change->wanted, sizeof(change->wanted), "%s", sha256);
	return 0;
}

static void drop_verdict(const struct change *change, const struct verdict *verdict)
{
	if (verdict->archive >= 0)
		(void)close(verdict->archive);
	change->director->means->discard(change->director->means->ctx, verdict->package);
	free(verdict->vouch);
}

enum change_state load_judge(struct change *change, const struct news *news)
{
	const struct verdict *verdict = news->verdict;
	const char *error = verdict->error;
	int status = verdict->status;
	struct source *known = status == 0 ? source_find(change->director, verdict->md5) : NULL;
	struct tds_err err;

	change->warnings = json_deep_copy(verdict->warnings);
	change->package =
		json_pack("{s:s*, s:s*, s:o*}", "MD5", verdict->md5, "SHA256", verdict->sha256,
			  "Key", verdict->key ? tds_cli_json_text(verdict->key) : NULL);
	if (status == 0 && check_objections(change, known, verdict, &err) != 0) {
		status = tds_code_status(err.code);
		error = err.reason;
	}
	if (status != 0) {
		drop_verdict(change, verdict);
		error = error ? error : "no verdict";
		return verdict->is_none ? change_put_off(change, status, error)
					: change_fail(change, status, error);
	}
	return known ? load_known(change, known, verdict) : load_new(change, verdict);
}

/* --- imported, up --- */

enum change_state load_imported(struct change *change, const struct news *news)
{
	struct source *source = change->source;

	change_release_slot(change);
	if (news->error)
		return change_undo(change, 1, news->error);
	if (!declaration_classes(source, news->classes))
		return change_undo(change, 1, "the host found no class");
	if (!declaration_is_ready_first(source) && !comes_back_inactive(change))
		rest_active(change);
	launch_start(change, source);
	return CHANGE_STARTING;
}

enum change_state load_up(struct change *change, const struct news *news)
{
	(void)news;
	if (comes_back_inactive(change))
		return keep_inactive(change);
	rest_active(change);
	return activate(change);
}

enum change_state load_failed(struct change *change, const struct news *news)
{
	return change_undo(change, 1, news->error);
}

enum change_state load_overdue(struct change *change, const struct news *news)
{
	char why[TDS_ERR_REASON_MAX] = "its import did not end in time";

	(void)news;
	if (change->state == CHANGE_VERIFYING)
		(void)strcpy(why, "it was not verified in time");
	else if (change->state != CHANGE_IMPORTING)
		launch_overdue(change, why);
	change->director->means->cancel(tds_steal(&change->verification));
	return change_undo(change, 9, why);
}

enum change_state load_revoked(struct change *change, const struct news *news)
{
	return change_undo(change, 7, news->error);
}
