/* SPDX-License-Identifier: MIT */
/* What a load is of: the package file, its group, and the declaration that defines it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "job.h"

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name);
	size_t s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static int open_file(struct director *director, struct job *job, struct tds_err *err)
{
	const struct tds_dir *dir = director->settings->dir;
	bool whole = job->target[0] == '/';
	int rc = tds_io_open(whole ? AT_FDCWD : dir->fd, job->target, false, &job->fd, NULL, err);

	if (rc != 0)
		return rc;
	job->file = strdup(tds_text_base(job->target));
	job->path = whole ? strdup(job->target) : tds_dir_join(dir, job->target);
	return job->file && job->path ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* A package file, in the director directory or elsewhere, whose name belongs to a declared group. */
static int resolve_file(struct director *director, struct job *job, const struct tds_groups *groups,
			struct tds_err *err)
{
	const struct tds_group *owner = tds_groups_owner(groups, tds_text_base(job->target));

	if (!owner)
		return tds_err_set(err, TDS_E_MISSING, "belongs to no declared group");
	job->group = group_get(director, owner->name);
	return open_file(director, job, err);
}

/* A file for a group that the request names: the file's name must be one of that group's all the same. */
static int resolve_given(struct director *director, struct job *job, struct tds_err *err)
{
	job->group = job->given;
	if (!tds_group_fits(job->group->name, tds_text_base(job->target), NULL))
		return tds_err_set(err, TDS_E_MISSING, "is not the name of a package of group %s",
				   job->group->name);
	return open_file(director, job, err);
}

int job_read_declaration(struct director *director, struct job *job, struct tds_err *err)
{
	const struct tds_tli_watcher nobody = { 0 };
	tds_autofree char *name = NULL;
	const char *definition = job->given ? job->group->definition : NULL;
	int rc;

	if (asprintf(&name, "%s.tli", job->group->name) < 0) {
		name = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (definition)
		rc = tds_tli_parse(definition, strlen(definition), nobody, &job->tli, err);
	else
		rc = tds_tli_read(director->settings->dir->fd, name, nobody, &job->tli, err);
	/* As the Director has it: a group that nobody declared is one without actors. */
	if (rc == TDS_E_MISSING && job->given)
		rc = tds_tli_parse("{}", 2, nobody, &job->tli, err);
	if (rc == 0)
		job->group->known = true;
	else if (!definition && err->line)
		rc = tds_err_prefix(err, "%s:%u:%u", name, err->line, err->column);
	else if (!definition)
		rc = tds_err_prefix(err, "%s", name);
	return rc;
}

static int resolve_group(struct director *director, struct job *job,
			 const struct tds_groups *groups, struct tds_err *err)
{
	const struct tds_dir *dir = director->settings->dir;
	tds_autofree char *name = strdup(tds_text_base(job->target));

	if (name && ends_in(name, ".tli"))
		name[strlen(name) - 4] = '\0';
	const struct tds_group *group = name ? tds_groups_find(groups, name) : NULL;
	if (!group)
		return tds_err_set(err, TDS_E_MISSING, "no such group");
	job->group = group_get(director, group->name);
	if (job->group && group->n == 0) {
		/* Known from now on all the same. */
		int rc = job_read_declaration(director, job, err);
		return rc != 0 ? rc : tds_err_set(err, TDS_E_MISSING, "the group has no package");
	}
	job->file = strdup(group->files[0].name);
	job->path = tds_dir_join(dir, group->files[0].name);
	return tds_io_open(dir->fd, group->files[0].name, false, &job->fd, NULL, err);
}

int job_resolve(struct director *director, struct job *job, struct tds_err *err)
{
	const struct tds_groups *groups;

	if (job->given)
		return resolve_given(director, job, err);
	int rc = listing_read(&director->listing, director->settings->dir, &groups, err);
	if (rc != 0)
		return rc;
	if (ends_in(job->target, ".tls") && !tds_groups_find(groups, job->target))
		rc = resolve_file(director, job, groups, err);
	else
		rc = resolve_group(director, job, groups, err);
	if (rc == 0 && (!job->group || !job->file || !job->path))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

/* What was loaded before: package and definition are in the store, under the digest that is the job's target. */
int job_resolve_stored(struct director *director, struct job *job, struct tds_err *err)
{
	if (!job->group || !job->file || !job->path)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	job->fd = store_open(director->settings->rundir, job->target);
	if (job->fd < 0)
		return tds_err_sys(err, TDS_E_MISSING, "its package is not in the store");
	job->group->known = true;
	return store_definition(director->settings->rundir, job->target, &job->tli, err);
}
