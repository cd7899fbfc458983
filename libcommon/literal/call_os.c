/* SPDX-License-Identifier: MIT */
/* What os and sys say: the environment, paths, and the machine. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "call.h"
#include "literal_env.h"

#define ARGUMENT(call, i) ((call)->arguments.v[i])
#define REFUSE(call, ...) TDS_EVAL_REFUSE((call)->e, __VA_ARGS__)
#define QUESTION 100 /* steps that a question to the system costs, beyond this process */

static int check_name(struct tds_eval *e, const struct tds_value *name)
{
	if (name->type == TDS_VALUE_STR)
		return 0;
	return tds_err_at(e->err, TDS_E_SYNTAX, name->line, name->column,
			  "the name of a variable is a str, not %s", tds_value_type_name(name));
}

int tds_call_environ_has(struct tds_eval *e, const struct tds_value *name, bool *has)
{
	const char *text = NULL;
	int rc = check_name(e, name);

	if (rc == 0)
		rc = tds_env_get(e->around, name, &text, e->err);
	*has = text != NULL;
	return rc;
}

int tds_call_environ_get(struct tds_eval *e, const struct tds_value *name, struct tds_value **value)
{
	const char *text = NULL;
	int rc = check_name(e, name);

	*value = NULL;
	if (rc == 0)
		rc = tds_env_get(e->around, name, &text, e->err);
	if (rc == 0 && !text)
		return tds_err_at(e->err, TDS_E_SYNTAX, name->line, name->column,
				  "the environment variable %s is not set", name->text);
	return rc == 0 ? tds_eval_make_str(e, text, strlen(text), value) : rc;
}

static int call_getenv(const struct tds_call *call, struct tds_value **result)
{
	const char *text = NULL;
	int rc = check_name(call->e, ARGUMENT(call, 0));

	if (rc == 0)
		rc = tds_env_get(call->e->around, ARGUMENT(call, 0), &text, call->e->err);
	if (rc != 0)
		return rc;
	if (text)
		return tds_eval_make_str(call->e, text, strlen(text), result);
	return ARGUMENT(call, 1) ? tds_eval_copy(call->e, ARGUMENT(call, 1), result)
				 : tds_eval_make(call->e, TDS_VALUE_NONE, result);
}

static int take_path(const struct tds_call *call, size_t i)
{
	const struct tds_value *path = ARGUMENT(call, i);

	if (path->type == TDS_VALUE_STR)
		return tds_eval_pay_bytes(call->e, 8 * path->len);
	return tds_err_at(call->e->err, TDS_E_SYNTAX, path->line, path->column,
			  "a part of a path is a str, not %s", tds_value_type_name(path));
}

static int take_text(const struct tds_call *call, struct tds_buf *text, struct tds_value **result)
{
	return tds_eval_make_text(call->e, TDS_VALUE_STR, text, result);
}

/* Add one more part to a path. */
static int join(const struct tds_call *call, struct tds_buf *path, bool first, const char *part,
		size_t len)
{
	int rc = 0;

	if (len > 0 && part[0] == '/')
		path->len = 0;
	else if (!first && path->len > 0 && path->data[path->len - 1] != '/')
		rc = tds_eval_add(call->e, path, "/", 1);
	return rc == 0 ? tds_eval_add(call->e, path, part, len) : rc;
}

static int call_join(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < call->arguments.n; i++) {
		rc = take_path(call, i);
		if (rc == 0)
			rc = join(call, &path, i == 0, ARGUMENT(call, i)->text,
				  ARGUMENT(call, i)->len);
	}
	return rc == 0 ? take_text(call, &path, result) : rc;
}

/* Where the last part of a path begins. */
static size_t base_offset(const struct tds_value *path)
{
	const char *slash = memrchr(path->text, '/', path->len);

	return slash ? (size_t)(slash - path->text) + 1 : 0;
}

static int call_basename(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *path = ARGUMENT(call, 0);
	int rc = take_path(call, 0);

	if (rc != 0)
		return rc;
	size_t at = base_offset(path);
	return tds_eval_make_str(call->e, path->text + at, path->len - at, result);
}

/* Slashes at its end are cut off, unless it is nothing else. */
static int call_dirname(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *path = ARGUMENT(call, 0);
	int rc = take_path(call, 0);

	if (rc != 0)
		return rc;
	size_t len = base_offset(path);
	size_t cut = len;
	while (cut > 0 && path->text[cut - 1] == '/')
		cut--;
	return tds_eval_make_str(call->e, path->text, cut ? cut : len, result);
}

/* The suffix begins at the last dot of the last part, unless only dots are before it. */
static int call_splitext(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *path = ARGUMENT(call, 0);
	tds_auto(value) struct tds_value *root = NULL;
	tds_auto(value) struct tds_value *suffix = NULL;
	int rc = take_path(call, 0);

	if (rc != 0)
		return rc;
	size_t base = base_offset(path);
	const char *dot = memrchr(path->text + base, '.', path->len - base);
	size_t at = dot ? (size_t)(dot - path->text) : path->len;
	if (strspn(path->text + base, ".") >= at - base)
		at = path->len;
	rc = tds_eval_make_str(call->e, path->text, at, &root);
	if (rc == 0)
		rc = tds_eval_make_str(call->e, path->text + at, path->len - at, &suffix);
	if (rc == 0)
		rc = tds_eval_make(call->e, TDS_VALUE_TUPLE, result);
	if (rc == 0)
		rc = tds_eval_append(call->e, *result, tds_steal(&root));
	return rc == 0 ? tds_eval_append(call->e, *result, tds_steal(&suffix)) : rc;
}

/* Take one part off the end of an absolute path; from root on it has parts. */
static void go_up(struct tds_buf *path, size_t root)
{
	while (path->len > root && path->data[path->len - 1] != '/')
		path->len--;
	while (path->len > root && path->data[path->len - 1] == '/')
		path->len--;
}

/* An absolute path without empty parts, "." and ".."; two slashes at its beginning stay two. */
static int normalize(const struct tds_call *call, const struct tds_buf *from, struct tds_buf *path)
{
	size_t slashes = strspn(from->data, "/");
	size_t root = slashes == 2 ? 2 : 1;
	const char *end = from->data + from->len;
	int rc = tds_eval_add(call->e, path, "//", root);

	for (const char *p = from->data; rc == 0 && p < end; p++) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t len = (size_t)((slash ? slash : end) - p);

		if (len == 2 && memcmp(p, "..", 2) == 0)
			go_up(path, root);
		else if (len > 0 && !(len == 1 && *p == '.')) {
			if (path->len > root)
				rc = tds_eval_add(call->e, path, "/", 1);
			if (rc == 0)
				rc = tds_eval_add(call->e, path, p, len);
		}
		p += len;
	}
	return rc;
}

static int call_abspath(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf whole = { 0 };
	tds_auto(buf) struct tds_buf path = { 0 };
	const struct tds_value *part = ARGUMENT(call, 0);
	int rc = take_path(call, 0);

	if (rc == 0 && part->text[0] != '/' && call->e->around)
		return REFUSE(call, "a relative path has no working folder in a package");
	if (rc == 0 && part->text[0] != '/')
		rc = tds_env_getcwd(&whole, call->e->err);
	if (rc == 0)
		rc = join(call, &whole, false, part->text, part->len);
	if (rc == 0)
		rc = normalize(call, &whole, &path);
	return rc == 0 ? take_text(call, &path, result) : rc;
}

/* "~" or "~user" at the beginning becomes that home; where there is none, the path stays as it is. */
static int call_expanduser(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *path = ARGUMENT(call, 0);
	tds_auto(buf) struct tds_buf text = { 0 };
	char user[256];
	bool found = false;
	int rc = take_path(call, 0);

	if (rc == 0)
		rc = tds_eval_pay(call->e, QUESTION);
	if (rc != 0)
		return rc;
	const char *slash = memchr(path->text, '/', path->len);
	size_t n = slash ? (size_t)(slash - path->text) : path->len;
	if (path->text[0] == '~' && memchr(path->text, '\0', n))
		return REFUSE(call, "the name of a user holds a NUL");
	if (path->text[0] == '~' && n < sizeof(user)) {
		memcpy(user, path->text + 1, n - 1);
		user[n - 1] = '\0';
		rc = tds_env_home(user, &text, &found, call->e->err);
	}
	if (rc != 0)
		return rc;
	if (!found)
		return tds_eval_make_str(call->e, path->text, path->len, result);
	while (text.len > 0 && text.data[text.len - 1] == '/')
		text.len--;
	rc = tds_eval_add(call->e, &text, path->text + n, path->len - n);
	if (rc == 0 && text.len == 0)
		rc = tds_eval_add(call->e, &text, "/", 1);
	return rc == 0 ? take_text(call, &text, result) : rc;
}

static int exists(const struct tds_call *call, enum tds_env_file kind, struct tds_value **result)
{
	int rc = take_path(call, 0);

	if (rc == 0)
		rc = tds_eval_pay(call->e, QUESTION);
	return rc == 0 ? tds_eval_make_bool(call->e, tds_env_exists(ARGUMENT(call, 0), kind),
					    result)
		       : rc;
}

static int call_exists(const struct tds_call *call, struct tds_value **result)
{
	return exists(call, TDS_ENV_ANY, result);
}

static int call_isdir(const struct tds_call *call, struct tds_value **result)
{
	return exists(call, TDS_ENV_FOLDER, result);
}

static int call_isfile(const struct tds_call *call, struct tds_value **result)
{
	return exists(call, TDS_ENV_REGULAR, result);
}

static int call_getcwd(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	int rc = tds_env_getcwd(&path, call->e->err);

	return rc == 0 ? take_text(call, &path, result) : rc;
}

static int call_cpu_count(const struct tds_call *call, struct tds_value **result)
{
	return tds_eval_make_int(call->e, tds_env_cpu_count(), result);
}

static int append_str(struct tds_eval *e, struct tds_value *into, const char *text)
{
	struct tds_value *item = NULL;
	size_t len = strlen(text);

	if (!tds_text_is_utf8(text, len))
		return TDS_EVAL_REFUSE(e, "a name of the machine is not UTF-8");
	int rc = tds_eval_make_str(e, text, len, &item);
	return rc == 0 ? tds_eval_append(e, into, item) : rc;
}

static int call_uname(const struct tds_call *call, struct tds_value **result)
{
	const char *texts[TDS_ENV_UNAME];
	int rc = tds_eval_make(call->e, TDS_VALUE_TUPLE, result);

	tds_env_uname(texts);
	for (size_t i = 0; rc == 0 && i < TDS_ENV_UNAME; i++)
		rc = append_str(call->e, *result, texts[i]);
	return rc;
}

const struct tds_function tds_call_os[] = {
	{ "os.getenv", call_getenv, 1, 2, false, { "key", "default" } },
	{ "os.environ.get", call_getenv, 1, 2, false, { "key", "default" } },
	{ "os.getcwd", call_getcwd, 0, 0, false, { NULL } },
	{ "os.uname", call_uname, 0, 0, false, { NULL } },
	{ "os.cpu_count", call_cpu_count, 0, 0, false, { NULL } },
	{ "os.path.join", call_join, 1, TDS_CALL_ANY, false, { NULL } },
	{ "os.path.dirname", call_dirname, 1, 1, false, { "p" } },
	{ "os.path.basename", call_basename, 1, 1, false, { "p" } },
	{ "os.path.splitext", call_splitext, 1, 1, false, { "p" } },
	{ "os.path.abspath", call_abspath, 1, 1, false, { "path" } },
	{ "os.path.expanduser", call_expanduser, 1, 1, false, { "path" } },
	{ "os.path.exists", call_exists, 1, 1, false, { "path" } },
	{ "os.path.isdir", call_isdir, 1, 1, false, { "s" } },
	{ "os.path.isfile", call_isfile, 1, 1, false, { "path" } },
	{ NULL, NULL, 0, 0, false, { NULL } },
};

const char *const *tds_call_fields(const struct tds_function *function)
{
	static const char *const uname_fields[] = { "sysname", "nodename", "release",
						    "version", "machine",  NULL };

	return function->call == call_uname ? uname_fields : NULL;
}

bool tds_call_asks_files(const struct tds_function *function)
{
	return function->call == call_getcwd || function->call == call_expanduser ||
	       function->call == call_exists || function->call == call_isdir ||
	       function->call == call_isfile;
}

static int make_slash(struct tds_eval *e, struct tds_value **value)
{
	return tds_eval_make_str(e, "/", 1, value);
}

static int make_newline(struct tds_eval *e, struct tds_value **value)
{
	return tds_eval_make_str(e, "\n", 1, value);
}

static int make_posix(struct tds_eval *e, struct tds_value **value)
{
	return tds_eval_make_str(e, "posix", 5, value);
}

static int make_linux(struct tds_eval *e, struct tds_value **value)
{
	return tds_eval_make_str(e, "linux", 5, value);
}

static int make_maxsize(struct tds_eval *e, struct tds_value **value)
{
	return tds_eval_make_int(e, (long long)(SIZE_MAX / 2), value);
}

static int make_executable(struct tds_eval *e, struct tds_value **value)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	const char *told = e->around ? e->around->python : NULL;
	bool found;
	int rc = tds_eval_pay(e, QUESTION);

	if (rc == 0 && told)
		return tds_eval_make_str(e, told, strlen(told), value);
	if (rc == 0)
		rc = tds_env_python(&path, &found, e->err);
	return rc == 0 ? tds_eval_make_text(e, TDS_VALUE_STR, &path, value) : rc;
}

static int append_int(struct tds_eval *e, struct tds_value *into, int number)
{
	struct tds_value *item = NULL;
	int rc = tds_eval_make_int(e, number, &item);

	return rc == 0 ? tds_eval_append(e, into, item) : rc;
}

static int find_version(struct tds_eval *e, struct tds_env_version *version)
{
	if (!e->around || !e->around->version)
		return tds_env_python_version(version, e->err);
	return tds_env_version_read(e->around->version, version)
		       ? 0
		       : TDS_EVAL_REFUSE(e, "sys.version_info: python3 has not told it yet");
}

static int make_version(struct tds_eval *e, struct tds_value **value)
{
	struct tds_env_version version;
	int rc = find_version(e, &version);

	if (rc == 0)
		rc = tds_eval_make(e, TDS_VALUE_TUPLE, value);
	for (size_t i = 0; rc == 0 && i < 3; i++)
		rc = append_int(e, *value, version.number[i]);
	if (rc == 0)
		rc = append_str(e, *value, version.level);
	return rc == 0 ? append_int(e, *value, version.number[3]) : rc;
}

static const char *const version_fields[] = { "major",        "minor",  "micro",
					      "releaselevel", "serial", NULL };

const struct tds_constant tds_call_constants[] = {
	{ "os.sep", make_slash, NULL },
	{ "os.linesep", make_newline, NULL },
	{ "os.name", make_posix, NULL },
	{ "sys.platform", make_linux, NULL },
	{ "sys.maxsize", make_maxsize, NULL },
	{ "sys.executable", make_executable, NULL },
	{ "sys.version_info", make_version, version_fields },
	{ NULL, NULL, NULL },
};
