/* SPDX-License-Identifier: MIT */
/* The surroundings of an expression. */
#include "literal_env.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static int add(struct tds_buf *buf, const char *text, const char *what, struct tds_err *err)
{
	if (!tds_text_is_utf8(text, strlen(text)))
		return tds_err_set(err, TDS_E_SYNTAX, "%s is not UTF-8", what);
	return tds_buf_add(buf, text, strlen(text))
		       ? 0
		       : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* As getenv has it, of variables that are handed in. */
static const char *find_variable(char *const *variables, const char *name)
{
	size_t n = strlen(name);

	for (; *variables; variables++)
		if (strncmp(*variables, name, n) == 0 && (*variables)[n] == '=')
			return *variables + n + 1;
	return NULL;
}

int tds_env_get(const struct tds_surroundings *around, const struct tds_value *name,
		const char **text, struct tds_err *err)
{
	*text = NULL;
	/*
	 * No variable has such a name, but getenv would find one for "A=B" or the part before a
	 * NUL.
	 */
	if (name->len == 0 || memchr(name->text, '\0', name->len) ||
	    memchr(name->text, '=', name->len))
		return 0;
	*text = around && around->variables ? find_variable(around->variables, name->text)
					    : getenv(name->text);
	if (*text && !tds_text_is_utf8(*text, strlen(*text)))
		return tds_err_set(err, TDS_E_SYNTAX, "the environment variable %s is not UTF-8",
				   name->text);
	return 0;
}

int tds_env_getcwd(struct tds_buf *path, struct tds_err *err)
{
	tds_autofree char *cwd = getcwd(NULL, 0);

	if (!cwd)
		return tds_err_sys(err, errno == ENOMEM ? TDS_E_NOMEM : TDS_E_SYNTAX,
				   "os.getcwd()");
	return add(path, cwd, "os.getcwd(): the name of the working folder", err);
}

int tds_env_home(const char *user, struct tds_buf *path, bool *found, struct tds_err *err)
{
	const char *home = *user ? NULL : getenv("HOME");
	struct passwd *entry = home ? NULL : *user ? getpwnam(user) : getpwuid(getuid());

	if (entry)
		home = entry->pw_dir;
	*found = home != NULL;
	return home ? add(path, home, "the name of the home folder", err) : 0;
}

bool tds_env_exists(const struct tds_value *path, enum tds_env_file kind)
{
	struct stat st;

	if (memchr(path->text, '\0', path->len) || stat(path->text, &st) != 0)
		return false;
	return kind == TDS_ENV_ANY ||
	       (kind == TDS_ENV_FOLDER ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode));
}

void tds_env_uname(const char *texts[TDS_ENV_UNAME])
{
	static struct utsname name;

	(void)uname(&name);
	texts[0] = name.sysname;
	texts[1] = name.nodename;
	texts[2] = name.release;
	texts[3] = name.version;
	texts[4] = name.machine;
}

long tds_env_cpu_count(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

int tds_env_python(struct tds_buf *path, bool *found, struct tds_err *err)
{
	const char *folders = getenv("PATH");
	int rc = 0;

	*found = false;
	for (size_t n; rc == 0 && !*found && folders && *folders;
	     folders += n + (folders[n] == ':')) {
		tds_autofree char *name = NULL;

		n = strcspn(folders, ":");
		if (n == 0 || *folders != '/')
			continue;
		if (asprintf(&name, "%.*s/python3", (int)n, folders) < 0) {
			name = NULL;
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		}
		*found = access(name, X_OK) == 0;
		if (*found)
			rc = add(path, name, "the path of python3", err);
	}
	return rc;
}
