/* SPDX-License-Identifier: MIT */
/*
 * --excess and --prune: the packages beyond TLS_Keep_Limit, printed or deleted. Where a group's limit is not
 * known, none of its packages is touched; where it is not known what is loaded, none at all.
 */
#include "avail.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/eventfile.h"
#include "director/groups.h"
#include "director/prune.h"

struct run {
	const struct avail *avail;
	struct tds_loaded loaded;
	struct tds_identity *
		seen; /* of each file in avail->groups, as it was scanned; NULL: nothing is deleted */
	json_t *groups;  /* NULL without -j */
	json_t *deleted; /* paths, of the group at hand; NULL: none yet */
	bool removed;    /* anything */
};

static int see_all(struct run *run)
{
	const struct avail *avail = run->avail;

	run->seen = calloc(avail->groups.nfiles + 1, sizeof(*run->seen));
	if (!run->seen)
		return TDS_E_NOMEM;
	for (size_t g = 0; g < avail->nchosen; g++)
		for (size_t i = 0; i < avail->chosen[g]->n; i++) {
			const struct tds_file *file = &avail->chosen[g]->files[i];

			run->seen[file - avail->groups.files] =
				tds_prune_identify(&avail->dir, file->name);
		}
	return 0;
}

/* With -v: why a package stays that is beyond the limit. */
static void tell_kept(const struct run *run, const struct tds_file *file, const char *why)
{
	struct tds_cli *cli = &run->avail->opts->cli;
	tds_autofree char *path = tds_dir_join(&run->avail->dir, file->name);

	if (cli->verbose == 0 || !path)
		return;
	(void)fprintf(cli->err, "%s: ", cli->tool);
	tds_text_print(cli->err, path);
	(void)fprintf(cli->err, ": kept: %s\n", why);
}

static void note_deleted(struct run *run, const struct tds_file *file)
{
	tds_autofree char *path = tds_dir_join(&run->avail->dir, file->name);

	if (!run->deleted)
		run->deleted = json_array();
	if (path)
		(void)json_array_append_new(run->deleted, tds_cli_json_text(path));
}

/* Whoever asks the event log later where a package is finds it there. */
static void tell_deleted(struct run *run, const struct tds_group *group)
{
	if (!run->deleted)
		return;
	tds_eventfile_add(&run->avail->dir, "Pruned",
			  json_pack("{s:o?, s:o}", "Group", tds_cli_json_text(group->name), "Files",
				    run->deleted));
	run->deleted = NULL;
}

/* Delete one package, where that is what we are here for. Returns whether it is to be shown. */
static bool treat(struct run *run, const struct tds_file *file)
{
	struct tds_err err;
	bool removed;

	if (!run->seen)
		return true;
	if (tds_prune_remove(&run->avail->dir, file->name,
			     &run->seen[file - run->avail->groups.files], &removed, &err) != 0)
		report(run->avail, file->name, "", &err);
	else if (!removed)
		tell_kept(run, file, "it is gone, or another file by now");
	else
		note_deleted(run, file);
	run->removed |= removed;
	return removed;
}

static void show(const struct run *run, const struct tds_group *group, const struct tds_file *file,
		 json_t *packages)
{
	struct tds_cli *cli = &run->avail->opts->cli;

	if (packages) {
		if (json_array_append_new(packages, package_json(run->avail, group, file->name)) !=
		    0)
			report_nomem(run->avail);
	} else if (!run->seen || !cli->quiet) {
		print_path(run->avail, file->name);
	}
}

static void do_files(struct run *run, const struct tds_group *group, int64_t keep_limit,
		     json_t *packages)
{
	const struct tds_loaded nothing = { 0 };

	for (size_t i = 0; i < group->n; i++) {
		const struct tds_file *file = &group->files[i];

		if (!tds_prune_excess(group, i, keep_limit, &nothing))
			continue;
		if (!tds_prune_excess(group, i, keep_limit, &run->loaded))
			tell_kept(run, file, "it is loaded or held");
		else if (treat(run, file))
			show(run, group, file, packages);
	}
}

static void do_group(struct run *run, const struct tds_group *group)
{
	tds_auto(tli) struct tds_tli tli = { 0 };
	json_t *packages = run->groups ? json_array() : NULL;
	struct tds_err err;

	warn_of_tli(run->avail, group);
	if (read_tli(run->avail, group, &tli, &err) == 0)
		do_files(run, group, tli.keep_limit, packages);
	else
		report(run->avail, group->name, TDS_TLI_SUFFIX, &err);
	tell_deleted(run, group);
	if (run->groups &&
	    json_array_append_new(run->groups,
				  json_pack("{s:o, s:o}", "Name", tds_cli_json_text(group->name),
					    "Packages", packages)) != 0)
		report_nomem(run->avail);
}

/* With -j the document is printed whatever happened: it names what is deleted by now. */
static void do_all(struct run *run)
{
	const struct avail *avail = run->avail;
	struct tds_err err;

	if (avail->opts->cli.json)
		run->groups = json_array();
	for (size_t g = 0; g < avail->nchosen; g++)
		do_group(run, avail->chosen[g]);
	if (run->removed && tds_prune_sync(&avail->dir, &err) != 0)
		tds_cli_error(&avail->opts->cli, avail->dir.path, &err);
	if (avail->opts->cli.json)
		print_document(avail, run->groups);
}

void excess_run(const struct avail *avail)
{
	struct run run = { .avail = avail };
	struct tds_err err;

	if (avail->opts->mode == MODE_PRUNE && see_all(&run) != 0)
		report_nomem(avail);
	else if (tds_loaded_read(&avail->dir, &run.loaded, &err) != 0)
		tds_cli_error(&avail->opts->cli, NULL, &err);
	else
		do_all(&run);
	tds_loaded_fini(&run.loaded);
	free(run.seen);
}
