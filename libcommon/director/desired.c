/* SPDX-License-Identifier: MIT */
/* What is wanted of groups, as desired.json has it. */
#include "desired.h"

#include <string.h>

#include "base/text.h"
#include "package/version.h"

static const char *text_of(const json_t *package, const char *key)
{
	return json_string_value(json_object_get(package, key));
}

static bool is_package(const json_t *package)
{
	return text_of(package, "Version") && tds_text_is_hex(text_of(package, "MD5"), 32) &&
	       tds_text_is_hex(text_of(package, "SHA256"), 64);
}

static bool is_held(const json_t *held, const char *group)
{
	const char *file = text_of(held, "File");

	return is_package(held) && file && !strchr(file, '/') &&
	       tds_group_fits(group, file, NULL) && text_of(held, "Path") &&
	       json_is_integer(json_object_get(held, "SinceMs"));
}

static bool are_packages(const json_t *packages)
{
	const json_t *package;
	size_t i;

	json_array_foreach(packages, i, package)
	{
		if (!is_package(package))
			return false;
	}
	return json_is_array(packages);
}

bool tds_desired_fits(const json_t *document)
{
	json_t *groups = json_object_get(document, "Groups");
	const char *name;
	json_t *group;

	json_object_foreach(groups, name, group)
	{
		const json_t *held = json_object_get(group, "Held");
		const json_t *was_active = json_object_get(group, "WasActive");

		if (!tds_group_name_ok(name) || (held && !is_held(held, name)) ||
		    (was_active && !are_packages(was_active)))
			return false;
	}
	return json_is_object(groups) &&
	       json_integer_value(json_object_get(document, "Version")) == 1;
}

bool tds_desired_keeps_floors(const json_t *document)
{
	return !document || json_is_true(json_object_get(document, "Floors"));
}

const json_t *tds_desired_held(const json_t *document, const char *group)
{
	return json_object_get(json_object_get(json_object_get(document, "Groups"), group), "Held");
}

int tds_desired_refuse(const json_t *held, const char *group, struct tds_err *err)
{
	const char *version = text_of(held, "Version");

	return tds_err_set(err, TDS_E_REFUSED, "group %s is held at %s%s (tds-load --release %s)",
			   group, *version ? "version " : text_of(held, "File"), version, group);
}

static bool is_of(const json_t *package, const char *sha256)
{
	const char *its = text_of(package, "SHA256");

	return its && strcmp(its, sha256) == 0;
}

bool tds_desired_group_stores(const json_t *held, const json_t *was_active, const char *sha256)
{
	size_t n = json_array_size(was_active);

	for (size_t i = n; i-- > 0 && n - i <= TDS_DESIRED_STORED;)
		if (is_of(json_array_get(was_active, i), sha256))
			return true;
	return is_of(held, sha256);
}

bool tds_desired_stores(const json_t *document, const char *sha256)
{
	const char *name;
	json_t *group;

	json_object_foreach(json_object_get(document, "Groups"), name, group)
	{
		if (tds_desired_group_stores(json_object_get(group, "Held"),
					     json_object_get(group, "WasActive"), sha256))
			return true;
	}
	return false;
}
