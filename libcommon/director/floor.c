/* SPDX-License-Identifier: MIT */
/* Floors of groups, as floor.json has them. */
#include "floor.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "package/version.h"

bool tds_floor_fits(const json_t *document)
{
	json_t *groups = json_object_get(document, "Groups");
	const char *name;
	json_t *floor;

	json_object_foreach(groups, name, floor)
	{
		const json_t *version = json_object_get(floor, "Version");

		if (!tds_group_name_ok(name) || !tds_json_is_text(version) ||
		    !json_is_integer(json_object_get(floor, "SinceMs")))
			return false;
	}
	return json_is_object(groups) &&
	       json_integer_value(json_object_get(document, "Version")) == 1;
}

const json_t *tds_floor_of(const json_t *document, const char *group)
{
	return json_object_get(json_object_get(document, "Groups"), group);
}

/* The name of a package of that version. Caller frees; NULL: out of memory. */
static char *file_of(const json_t *floor, const char *group)
{
	return tds_group_file(group, tds_json_string(floor, "Version"));
}

int tds_floor_compare(const json_t *floor, const char *group, const char *file)
{
	tds_autofree char *its = file_of(floor, group);

	return its ? tds_version_cmp(group, file, its) : -1;
}

bool tds_floor_is_lower(const json_t *floor, const json_t *before, const char *group)
{
	tds_autofree char *file = file_of(floor, group);

	return file && tds_floor_compare(before, group, file) < 0;
}

const json_t *tds_floor_or_last(const json_t *floor, const json_t *was_active, const char *group)
{
	size_t n = json_array_size(was_active);
	const json_t *last = n > 0 ? json_array_get(was_active, n - 1) : NULL;
	bool is_higher = last && (!floor || tds_floor_is_lower(floor, last, group));

	return is_higher ? last : floor;
}

bool tds_floor_is_lost(const json_t *floor, const json_t *was_active)
{
	return !floor && json_array_size(was_active) > 0;
}

int tds_floor_check(const json_t *floor, const json_t *was_active, const char *group,
		    const char *file, struct tds_err *err)
{
	const char *version = tds_json_string(floor, "Version");

	if (tds_floor_is_lost(floor, was_active))
		return tds_err_set(err, TDS_E_REFUSED,
				   "the floor of group %s is lost, though it was active "
				   "(tds-load --allow-downgrade %s)",
				   group, group);
	if (!floor || !file || tds_floor_compare(floor, group, file) >= 0)
		return 0;
	return tds_err_set(err, TDS_E_REFUSED,
			   "is below the floor of group %s, %s%s (tds-load --allow-downgrade %s)",
			   group, *version ? "version " : "the package without one", version,
			   group);
}
