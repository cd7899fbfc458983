/* SPDX-License-Identifier: MIT */
/* JSON as a Python literal. */
#include "define.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "director/tli.h"
#include "literal/literal.h"
#include "literal/repr.h"

static void write_literal(FILE *out, const json_t *value);

static void write_object(FILE *out, const json_t *object)
{
	const char *key;
	json_t *value;
	const char *comma = "";

	(void)fputc('{', out);
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		json_t *text = json_string(key);

		(void)fputs(comma, out);
		write_literal(out, text);
		(void)fputs(": ", out);
		write_literal(out, value);
		json_decref(text);
		comma = ", ";
	}
	(void)fputc('}', out);
}

static void write_array(FILE *out, const json_t *array)
{
	const json_t *value;
	size_t i;

	(void)fputc('[', out);
	json_array_foreach(array, i, value)
	{
		(void)fputs(i ? ", " : "", out);
		write_literal(out, value);
	}
	(void)fputc(']', out);
}

/* Strings and numbers are written alike in both languages, but for escapes of surrogates: so none are used. */
static void write_literal(FILE *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(out, value);
		break;
	case JSON_ARRAY:
		write_array(out, value);
		break;
	case JSON_TRUE:
		(void)fputs("True", out);
		break;
	case JSON_FALSE:
		(void)fputs("False", out);
		break;
	case JSON_NULL:
		(void)fputs("None", out);
		break;
	default:
		(void)json_dumpf(value, out, JSON_ENCODE_ANY);
		break;
	}
}

/* As JSON has it, where no text is given. */
static bool write_declaration(const json_t *request, char **text)
{
	json_t *declaration = json_object();
	const char *key;
	size_t len;

	for (size_t i = 0; (key = tds_tli_key(i)); i++)
		(void)json_object_set(declaration, key, json_object_get(request, key));
	*text = NULL;
	FILE *out = open_memstream(text, &len);
	if (out)
		write_literal(out, declaration);
	json_decref(declaration);
	return out && fclose(out) == 0;
}

/* A literal alone: what a TLI file may ask of the environment is not for whoever sends a message. */
static int copy_declaration(const char *literal, char **text, struct tds_err *err)
{
	tds_auto(value) struct tds_value *value = NULL;
	int rc = tds_literal_parse(literal, strlen(literal), false, &value, err);

	if (rc != 0)
		return tds_err_set(err, rc == TDS_E_NOMEM ? rc : TDS_E_USAGE, "%s", err->reason);
	*text = tds_value_repr(value);
	return *text ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int define_text(const json_t *request, char **text, struct tds_err *err)
{
	const char *literal = json_string_value(json_object_get(request, "Literal"));
	struct tds_tli tli = { 0 };

	int rc = 0;

	if (literal)
		rc = copy_declaration(literal, text, err);
	else if (!write_declaration(request, text))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc != 0)
		return rc;
	rc = tds_tli_parse(*text, strlen(*text), (struct tds_tli_watcher){ 0 }, &tli, err);
	if (rc == 0) {
		tds_tli_fini(&tli);
		return 0;
	}
	free(*text);
	*text = NULL;
	return tds_err_set(err, rc == TDS_E_NOMEM ? rc : TDS_E_USAGE, "%s", err->reason);
}
