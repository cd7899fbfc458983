/* SPDX-License-Identifier: MIT */
/* loaded.json, groups.json and desired.json: written whole, and read only as they are written. */
#include "state.h"

#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/text.h"
#include "director/desired.h"
#include "director/floor.h"
#include "director/groups.h"
#include "director/rundir.h"
#include "director/rundoc.h"
#include "director/tli.h"
#include "director/uids.h"
#include "store.h"

/* Write a JSON document as a file of the run directory, whole; takes the reference. */
static int write_document(int rundir, const char *name, json_t *doc, mode_t mode,
			  struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_INDENT(1)) : NULL;

	json_decref(doc);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (strlen(text) >= TDS_LOADED_MAX_BYTES)
		return tds_err_set(err, TDS_E_WRITE, "%s: would be too large", name);
	int rc = tds_outfile_open(rundir, name, &out, err);
	if (rc == 0 &&
	    (tds_io_write(out.fd, text, strlen(text)) != 0 || tds_io_write(out.fd, "\n", 1) != 0))
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0)
		rc = tds_outfile_commit(&out, mode, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s", name);
}

int state_save(int rundir, json_t *sources, struct tds_err *err)
{
	return write_document(rundir, TDS_LOADED_NAME,
			      json_pack("{s:i, s:o}", "Version", 1, "Sources", sources), 0644, err);
}

/* A document of nothing but what each group has. */
static int write_groups(int rundir, const char *name, json_t *groups, mode_t mode,
			struct tds_err *err)
{
	return write_document(rundir, name, json_pack("{s:i, s:o}", "Version", 1, "Groups", groups),
			      mode, err);
}

int groups_save(int rundir, json_t *groups, struct tds_err *err)
{
	return write_groups(rundir, TDS_GROUPS_NAME, groups, 0600, err);
}

int desired_write(int rundir, json_t *groups, struct tds_err *err)
{
	return write_document(
		rundir, TDS_DESIRED_NAME,
		json_pack("{s:i, s:b, s:o}", "Version", 1, "Floors", true, "Groups", groups), 0644,
		err);
}

int uids_save(int rundir, json_t *groups, struct tds_err *err)
{
	return write_groups(rundir, TDS_UIDS_NAME, groups, 0644, err);
}

int floors_write(int rundir, json_t *groups, struct tds_err *err)
{
	return write_groups(rundir, TDS_FLOOR_NAME, groups, 0644, err);
}

int membership_save(int rundir, const char *epoch, uint64_t term, struct tds_err *err)
{
	return write_document(rundir, TDS_MEMBERSHIP_NAME,
			      json_pack("{s:i, s:s, s:I}", "Version", 1, "Epoch", epoch, "Term",
					(json_int_t)term),
			      0644, err);
}

/* A document that was written here, and fits (rundoc.h). NULL with err->code TDS_OK: there is none. */
static json_t *read_document(int rundir, const char *name, bool (*fits)(const json_t *document),
			     struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;

	*err = (struct tds_err){ 0 };
	tds_autofd int fd = -1;
	int rc = tds_own_open(rundir, name, O_RDONLY, 0, &fd, err);
	if (rc == 0 && (rc = tds_io_slurp_fd(fd, TDS_LOADED_MAX_BYTES, &text, &len, err)) != 0)
		tds_err_prefix(err, "%s", name);
	if (rc == TDS_E_MISSING)
		*err = (struct tds_err){ 0 };
	if (rc != 0)
		return NULL;
	json_t *doc = tds_rundoc_parse(text, len, fits, err);
	if (!doc)
		tds_err_name(err, name);
	return doc;
}

/* Each definition that is there can be read. One that is missing is a source that does not come back. */
static int check_definitions(int rundir, const json_t *sources, struct tds_err *err)
{
	const json_t *source;
	size_t i;

	json_array_foreach(sources, i, source)
	{
		struct tds_tli tli = { 0 };
		int rc = store_definition(
			rundir, json_string_value(json_object_get(source, "SHA256")), &tli, err);

		if (rc == 0)
			tds_tli_fini(&tli);
		else if (rc != TDS_E_MISSING)
			return tds_err_set(err, TDS_E_UNUSABLE, "%s", err->reason);
	}
	*err = (struct tds_err){ 0 };
	return 0;
}

json_t *state_read(int rundir, struct tds_err *err)
{
	json_t *doc = read_document(rundir, TDS_LOADED_NAME, tds_rundoc_fits_loaded, err);

	if (!doc || check_definitions(rundir, json_object_get(doc, "Sources"), err) == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *groups_read(int rundir, struct tds_err *err)
{
	json_t *doc = read_document(rundir, TDS_GROUPS_NAME, NULL, err);

	if (!doc || tds_rundoc_judge_groups(doc, err) == 0)
		return doc;
	tds_err_name(err, TDS_GROUPS_NAME);
	json_decref(doc);
	return NULL;
}

json_t *desired_read(int rundir, struct tds_err *err)
{
	return read_document(rundir, TDS_DESIRED_NAME, tds_desired_fits, err);
}

json_t *floors_read(int rundir, struct tds_err *err)
{
	return read_document(rundir, TDS_FLOOR_NAME, tds_floor_fits, err);
}

json_t *membership_read(int rundir, struct tds_err *err)
{
	return read_document(rundir, TDS_MEMBERSHIP_NAME, tds_rundoc_fits_membership, err);
}
