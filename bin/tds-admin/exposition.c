/* SPDX-License-Identifier: MIT */
/* The text format of Prometheus. */
#include "exposition.h"

#include <stdint.h>

#include "base/jsontext.h"

json_t *exposition_family(const char *name, const char *type, const char *help)
{
	return json_pack("{s:s, s:s, s:s, s:[]}", "Name", name, "Type", type, "Help", help,
			 "Samples");
}

static json_t *find_sample(const json_t *samples, const json_t *labels)
{
	json_t *sample;
	size_t i;

	json_array_foreach(samples, i, sample)
	{
		if (json_equal(json_object_get(sample, "Labels"), labels))
			return sample;
	}
	return NULL;
}

static json_t *sum(const json_t *one, const json_t *two)
{
	if (json_is_integer(one) && json_is_integer(two))
		return json_integer(json_integer_value(one) + json_integer_value(two));
	return json_real(json_number_value(one) + json_number_value(two));
}

void exposition_add(json_t *family, json_t *labels, json_t *value)
{
	json_t *samples = json_object_get(family, "Samples");
	json_t *before = labels && value ? find_sample(samples, labels) : NULL;

	if (before)
		(void)json_object_set_new(before, "Value",
					  sum(json_object_get(before, "Value"), value));
	else if (labels && value)
		(void)json_array_append_new(
			samples, json_pack("{s:O, s:O}", "Labels", labels, "Value", value));
	json_decref(labels);
	json_decref(value);
}

int exposition_is_empty(const json_t *family)
{
	return json_array_size(json_object_get(family, "Samples")) == 0;
}

/* Only these three have to be escaped; all else is UTF-8 as it is. */
static void print_label_value(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			(void)fputc('\\', out);
		if (*text == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(*text, out);
	}
}

static void print_labels(FILE *out, const json_t *labels)
{
	const char *before = "{";
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)labels, name, value)
	{
		(void)fprintf(out, "%s%s=\"", before, name);
		print_label_value(out, json_string_value(value));
		(void)fputc('"', out);
		before = ",";
	}
	if (*before == ',')
		(void)fputc('}', out);
}

static void print_value(FILE *out, const json_t *value)
{
	if (json_is_integer(value))
		(void)fprintf(out, " %lld\n", (long long)json_integer_value(value));
	else
		(void)fprintf(out, " %.3f\n", json_real_value(value));
}

static void print_family(FILE *out, const json_t *family)
{
	const char *name = tds_json_string(family, "Name");
	const json_t *sample;
	size_t i;

	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, tds_json_string(family, "Help"),
		      name, tds_json_string(family, "Type"));
	json_array_foreach(json_object_get(family, "Samples"), i, sample)
	{
		(void)fputs(name, out);
		print_labels(out, json_object_get(sample, "Labels"));
		print_value(out, json_object_get(sample, "Value"));
	}
}

void exposition_print(FILE *out, const json_t *families)
{
	const json_t *family;
	size_t i;

	json_array_foreach(families, i, family) print_family(out, family);
}
