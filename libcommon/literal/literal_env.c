/* SPDX-License-Identifier: MIT */
/* The closed list of os and sys that a literal may name, and what each of them is. */
#include "literal_env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
	const char *name;
	enum tds_env_use use;
	enum tds_value_type type; /* of constants */
	const char *text;
} list[] = {
	{ "os.getenv", TDS_ENV_GET, 0, NULL },
	{ "os.environ.get", TDS_ENV_GET, 0, NULL },
	{ "os.environ", TDS_ENV_SUBSCRIPT, 0, NULL },
	{ "os.path.join", TDS_ENV_JOIN, 0, NULL },
	{ "os.getcwd", TDS_ENV_GETCWD, 0, NULL },
	{ "os.sep", TDS_ENV_CONSTANT, TDS_VALUE_STR, "/" },
	{ "os.linesep", TDS_ENV_CONSTANT, TDS_VALUE_STR, "\n" },
	{ "os.name", TDS_ENV_CONSTANT, TDS_VALUE_STR, "posix" },
	{ "sys.platform", TDS_ENV_CONSTANT, TDS_VALUE_STR, "linux" },
	{ "sys.maxsize", TDS_ENV_CONSTANT, TDS_VALUE_INT,
	  sizeof(void *) == 8 ? "9223372036854775807" : "2147483647" },
};

#define LIST_LENGTH (sizeof(list) / sizeof(list[0]))

enum tds_env_use tds_env_use(const char *name)
{
	for (size_t i = 0; i < LIST_LENGTH; i++)
		if (strcmp(list[i].name, name) == 0)
			return list[i].use;
	return TDS_ENV_NOTHING;
}

bool tds_env_constant(const char *name, struct tds_value *value)
{
	size_t i = 0;

	while (i < LIST_LENGTH - 1 && strcmp(list[i].name, name) != 0)
		i++;
	value->type = list[i].type;
	return tds_value_set_text(value, list[i].text, strlen(list[i].text));
}

int tds_env_get(const struct tds_value *name, const char **text, struct tds_err *err)
{
	*text = NULL;
	/*
	 * No variable has such a name, but getenv would find one for "A=B" or the part before a
	 * NUL.
	 */
	if (name->len == 0 || memchr(name->text, '\0', name->len) ||
	    memchr(name->text, '=', name->len))
		return 0;
	*text = getenv(name->text);
	if (*text && !tds_text_is_utf8(*text, strlen(*text)))
		return tds_err_set(err, TDS_E_SYNTAX, "the environment variable %s is not UTF-8",
				   name->text);
	return 0;
}

bool tds_env_join(struct tds_buf *path, bool first, const struct tds_value *part)
{
	if (part->len > 0 && part->text[0] == '/')
		path->len = 0;
	else if (!first && path->len > 0 && path->data[path->len - 1] != '/' &&
		 !tds_buf_add(path, "/", 1))
		return false;
	return tds_buf_add(path, part->text, part->len);
}

int tds_env_getcwd(struct tds_buf *path, struct tds_err *err)
{
	tds_autofree char *cwd = getcwd(NULL, 0);

	if (!cwd)
		return tds_err_sys(err, errno == ENOMEM ? TDS_E_NOMEM : TDS_E_SYNTAX,
				   "os.getcwd()");
	if (!tds_text_is_utf8(cwd, strlen(cwd)))
		return tds_err_set(err, TDS_E_SYNTAX,
				   "os.getcwd(): the name of the working folder is not UTF-8");
	return tds_buf_add(path, cwd, strlen(cwd)) ? 0
						   : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}
