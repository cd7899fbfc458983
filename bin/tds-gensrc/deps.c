/* SPDX-License-Identifier: MIT */
/*
 * The packages and modules that a deps file names, found on the search path of a Python as an import would find
 * them, but by looking at names alone: nothing of them runs.
 */
#include "gensrc.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define DEPS_MAX_BYTES (1 << 20)

/* A line of the deps file. */
struct dep {
	const char *name; /* dotted */
	unsigned line;
	unsigned column;
};

/* What an import would find in one folder. */
enum kind {
	NOTHING,
	PACKAGE,
	MODULE,   /* a .py file */
	COMPILED, /* a module, but no .py file */
	PORTION, /* a folder that is a part of a package without __init__, if there is nothing better behind it */
};

/* Where a name was found. */
struct found {
	enum kind kind;
	struct tds_names folders; /* PACKAGE: one; PORTION: all */
	char *file;               /* MODULE */
};

static void found_fini(struct found *found)
{
	tds_names_fini(&found->folders);
	free(found->file);
	*found = (struct found){ 0 };
}

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static char *join(const char *folder, const char *name, const char *suffix)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s%s", folder, name, suffix) < 0)
		return NULL;
	return path;
}

static bool is_kind(const char *path, mode_t kind)
{
	struct stat st;

	return path && stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static bool is_file(const char *folder, const char *name, const char *suffix)
{
	tds_autofree char *path = join(folder, name, suffix);

	return is_kind(path, S_IFREG);
}

static bool is_compiled(const struct search_path *path, const char *folder, const char *name)
{
	for (size_t i = 0; i < path->suffix.n; i++)
		if (is_file(folder, name, path->suffix.v[i]))
			return true;
	return is_file(folder, name, ".pyc");
}

/* In the order of Python's FileFinder; but a .py file goes before the extension module that was made of it. */
static enum kind look_in(const struct search_path *path, const char *folder, const char *name)
{
	tds_autofree char *below = join(folder, name, "");
	bool is_folder = is_kind(below, S_IFDIR);

	if (is_folder &&
	    (is_file(below, "__init__", ".py") || is_compiled(path, below, "__init__")))
		return PACKAGE;
	if (is_file(folder, name, ".py"))
		return MODULE;
	if (is_compiled(path, folder, name))
		return COMPILED;
	return is_folder ? PORTION : NOTHING;
}

static int keep_folder(struct tds_names *folders, char *folder, struct tds_err *err)
{
	void *more = folder ? reallocarray(folders->v, folders->n + 1, sizeof(char *)) : NULL;

	if (!more) {
		free(folder);
		return no_memory(err);
	}
	folders->v = more;
	folders->v[folders->n++] = folder;
	return 0;
}

/* Look for one name in folders; found must be empty. */
static int look_for(const struct search_path *path, const struct tds_names *folders,
		    const char *name, struct found *found, struct tds_err *err)
{
	for (size_t i = 0; i < folders->n; i++) {
		enum kind kind = look_in(path, folders->v[i], name);

		if (kind == NOTHING)
			continue;
		if (kind != PORTION)
			tds_names_fini(&found->folders);
		found->kind = kind;
		if (kind == MODULE) {
			found->file = join(folders->v[i], name, ".py");
			return found->file ? 0 : no_memory(err);
		}
		if (kind != COMPILED &&
		    keep_folder(&found->folders, join(folders->v[i], name, ""), err) != 0)
			return err->code;
		if (kind != PORTION)
			return 0;
	}
	return 0;
}

/* Find a dotted name, part by part. */
static int find_dep(const struct search_path *path, const struct dep *dep, struct found *found,
		    struct tds_err *err)
{
	tds_autofree char *copy = strdup(dep->name);
	const struct tds_names *folders = &path->folder;
	char *rest = copy;
	char *part;
	int rc = 0;

	if (!copy)
		return no_memory(err);
	while (rc == 0 && (part = strsep(&rest, "."))) {
		struct found next = { 0 };

		if (*part && !strchr(part, '/'))
			rc = look_for(path, folders, part, &next, err);
		found_fini(found);
		*found = next;
		folders = &found->folders;
	}
	return rc;
}

static bool add_file(struct opts *o, struct members *members, const char *path, const char *name)
{
	if (o->cli.verbose)
		(void)fprintf(o->cli.err, "%s: dependency %s\n", o->cli.tool, path);
	return members_add(o, members, strdup(name), strdup(path), strdup(path));
}

/* Add one name below a dependency's folder. path + top is its name in the archive. */
static bool add_entry(struct opts *o, struct members *members, const FTSENT *entry, size_t top)
{
	struct tds_err err;

	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
		errno = entry->fts_errno;
		tds_err_sys(&err, TDS_E_UNUSABLE, "cannot be read");
		return fail(o, entry->fts_path, &err);
	}
	/* As with os.walk, links to folders are not followed; what a link to a file leads to is packed. */
	bool file = entry->fts_info == FTS_F || entry->fts_info == FTS_DEFAULT ||
		    entry->fts_info == FTS_SLNONE ||
		    (entry->fts_info == FTS_SL && !is_kind(entry->fts_path, S_IFDIR));
	if (file && ends_in_so(entry->fts_name))
		warn_of_library(o, entry->fts_path);
	return !file || !ends_in_py(entry->fts_name) ||
	       add_file(o, members, entry->fts_path, entry->fts_path + top);
}

/* Add the .py files below a folder, named from its own name on. */
static bool add_folder(struct opts *o, struct members *members, char *folder)
{
	char *const roots[] = { folder, NULL };
	size_t top = (size_t)(strrchr(folder, '/') - folder) + 1;
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	int errnum = fts ? 0 : errno;
	FTSENT *entry;
	bool ok = true;

	while (fts && ok && (errno = 0, entry = fts_read(fts)))
		ok = add_entry(o, members, entry, top);
	if (fts && ok)
		errnum = errno; /* of the last fts_read */
	if (fts)
		(void)fts_close(fts);
	if (errnum != 0) {
		struct tds_err err;

		errno = errnum;
		tds_err_sys(&err, TDS_E_UNUSABLE, "cannot be read");
		(void)fail(o, folder, &err);
	}
	return ok && errnum == 0;
}

/* How many folders above a path, which a dotted name has led to, the search path's folder is: cut it there. */
static char *parent_of(const char *path, const char *dotted)
{
	char *parent = strdup(path);

	for (const char *p = dotted; parent && p; p = strchr(p + 1, '.')) {
		char *slash = strrchr(parent, '/');

		if (slash)
			*slash = '\0';
	}
	return parent;
}

/* What was found, with the data that was installed with it. */
static bool add_found(struct opts *o, struct search_path *path, const struct dep *dep,
		      const struct found *found, struct members *members)
{
	size_t n = found->kind == MODULE ? 1 : found->folders.n;
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		char *at = found->kind == MODULE ? found->file : found->folders.v[i];
		tds_autofree char *parent = parent_of(at, dep->name);

		if (!parent)
			return fail_nomem(o);
		ok = found->kind == MODULE ? add_file(o, members, at, strrchr(at, '/') + 1)
					   : add_folder(o, members, at);
		ok = ok && add_data(o, path, dep->name, parent, found->kind == MODULE ? NULL : at,
				    members);
	}
	return ok;
}

/* Nothing, or nothing that can be packed, has the name: the reason. */
static int not_found(const struct opts *o, const struct search_path *path, const struct dep *dep,
		     enum kind kind, struct tds_err *err)
{
	const struct dist *dist = find_dist(path, dep->name);
	tds_auto(buf) struct tds_buf names = { 0 };

	if (kind == COMPILED)
		return tds_err_at(err, TDS_E_MISSING, dep->line, dep->column, "%s: has no .py file",
				  dep->name);
	if (!dist || dist->module.n == 0)
		return tds_err_at(err, TDS_E_MISSING, dep->line, dep->column,
				  "%s: not on the search path of %s", dep->name, o->python);
	for (size_t i = 0; i < dist->module.n; i++)
		if (!tds_buf_add(&names, i ? ", " : "", i ? 2 : 0) ||
		    !tds_buf_add(&names, dist->module.v[i], strlen(dist->module.v[i])))
			return no_memory(err);
	return tds_err_at(err, TDS_E_MISSING, dep->line, dep->column,
			  "%s: is a distribution, and no module; did you mean its %s %s?",
			  dep->name, dist->module.n == 1 ? "module" : "modules", names.data);
}

static bool add_dep(struct opts *o, struct search_path *path, const struct dep *dep,
		    const char *deps, struct members *members)
{
	struct found found = { 0 };
	struct tds_err err = { 0 };
	bool ok = find_dep(path, dep, &found, &err) == 0;

	if (ok && (found.kind == NOTHING || found.kind == COMPILED))
		ok = not_found(o, path, dep, found.kind, &err) == 0;
	ok = ok ? add_found(o, path, dep, &found, members) : fail(o, deps, &err);
	found_fini(&found);
	return ok;
}

/* Cut the next line that names something out of *text. Returns false at the end. */
static bool next_dep(char **text, unsigned *line, struct dep *dep)
{
	char *start;

	while ((start = strsep(text, "\n"))) {
		char *name = start + strspn(start, " \t\r\v\f");
		size_t len = strlen(name);

		++*line;
		while (len > 0 && strchr(" \t\r\v\f", name[len - 1]))
			name[--len] = '\0';
		if (*name && *name != '#') {
			*dep = (struct dep){ .name = name,
					     .line = *line,
					     .column = (unsigned)(name - start) + 1 };
			return true;
		}
	}
	return false;
}

/* What the lines name, one after the other: the Python is asked once, for all of them. */
static int read_deps(char *text, struct dep **deps, size_t *n, struct tds_buf *names,
		     struct tds_err *err)
{
	unsigned line = 0;
	struct dep dep;

	while (next_dep(&text, &line, &dep)) {
		void *more = reallocarray(*deps, *n + 1, sizeof(dep));

		if (!more || !tds_buf_add(names, dep.name, strlen(dep.name) + 1))
			return no_memory(err);
		*deps = more;
		(*deps)[(*n)++] = dep;
	}
	return 0;
}

static bool add_deps(struct opts *o, char *text, const char *shown, struct members *members)
{
	struct search_path path = { 0 };
	tds_auto(buf) struct tds_buf names = { 0 };
	tds_autofree struct dep *deps = NULL;
	struct tds_err err = { 0 };
	size_t n = 0;
	bool ok = read_deps(text, &deps, &n, &names, &err) == 0 || fail(o, shown, &err);

	if (ok && n > 0 && python_ask_path(o, &names, &path, &err) != 0)
		ok = fail(o, o->python, &err);
	for (size_t i = 0; i < n && ok; i++)
		ok = add_dep(o, &path, &deps[i], shown, members);
	search_path_fini(&path);
	return ok;
}

bool collect_deps(struct opts *o, struct members *members)
{
	tds_autofree char *text = NULL;
	tds_autofree char *shown = NULL;
	struct tds_err err = { 0 };
	size_t len = 0;
	int rc = read_named_file(o, o->deps, DEPS_MAX_BYTES, &text, &len, &shown, &err);

	if (rc == 0 && memchr(text, '\0', len))
		rc = tds_err_set(&err, TDS_E_UNUSABLE, "holds a NUL byte");
	if (rc != 0)
		return fail(o, shown ? shown : o->deps, &err);
	return add_deps(o, text, shown ? shown : o->deps, members);
}
