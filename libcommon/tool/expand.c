/* SPDX-License-Identifier: MIT */
/* os.path.expanduser and os.path.expandvars, rule by rule. */
#include "expand.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Borrowed until the next call of getpw... or setenv; NULL: no such user. */
static const char *home_of(const char *user)
{
	const struct passwd *pw;

	if (*user) {
		pw = getpwnam(user);
	} else {
		const char *home = getenv("HOME");

		if (home)
			return home;
		pw = getpwuid(getuid());
	}
	return pw ? pw->pw_dir : NULL;
}

char *tds_expand_user(const char *path)
{
	char *expanded = NULL;

	if (path[0] != '~')
		return strdup(path);
	size_t user_len = strcspn(path + 1, "/");
	const char *rest = path + 1 + user_len;
	tds_autofree char *user = strndup(path + 1, user_len);
	if (!user)
		return NULL;
	const char *home = home_of(user);
	if (!home)
		return strdup(path);
	size_t len = strlen(home);
	while (len > 0 && home[len - 1] == '/')
		len--;
	if (len == 0 && *rest == '\0')
		return strdup("/");
	if (asprintf(&expanded, "%.*s%s", (int)len, home, rest) < 0)
		return NULL;
	return expanded;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The length of the $NAME or ${NAME} at text, which begins with '$'; 0: it is none. *name is what it names. */
static size_t variable(const char *text, const char **name, size_t *name_len)
{
	if (text[1] == '{') {
		*name = text + 2;
		*name_len = strcspn(*name, "}");
		return (*name)[*name_len] ? *name_len + 3 : 0;
	}
	*name = text + 1;
	*name_len = 0;
	while (is_word((*name)[*name_len]))
		++*name_len;
	return *name_len ? *name_len + 1 : 0;
}

/* NULL: not set. "=" is in no name, and an empty one is never set. */
static const char *value_of(const char *name, size_t len)
{
	if (len == 0 || memchr(name, '=', len))
		return NULL;
	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

char *tds_expand_vars(const char *path)
{
	char *expanded = NULL;
	size_t size;
	FILE *out = open_memstream(&expanded, &size);

	if (!out)
		return NULL;
	while (*path) {
		const char *name = NULL;
		size_t name_len = 0;
		size_t len = *path == '$' ? variable(path, &name, &name_len) : 0;
		const char *value = len ? value_of(name, name_len) : NULL;

		len = len ? len : 1;
		(void)fwrite(value ? value : path, 1, value ? strlen(value) : len, out);
		path += len;
	}
	if (fclose(out) != 0) {
		free(expanded);
		return NULL;
	}
	return expanded;
}
