/* SPDX-License-Identifier: MIT */
/*
 * The pattern is cut at its slashes into parts, and the tree is walked once: each folder carries the set of parts
 * that may match in it. So no folder is read twice, however many "**" there are.
 */
#include "glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

/* One character, as Python's surrogateescape sees it: a byte that is not UTF-8 is one of its own. */
static uint32_t next_char(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	size_t n = tds_text_utf8_len(*text, strnlen(*text, 4));

	*text += n ? n : 1;
	switch (n) {
	case 0:
		return 0xdc00U + s[0];
	case 1:
		return s[0];
	case 2:
		return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
	case 3:
		return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
	default:
		return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 |
		       (uint32_t)(s[2] & 0x3f) << 6 | (s[3] & 0x3f);
	}
}

/* The ']' that ends the set which begins at set; NULL: there is none, so its '[' is a plain character. */
static const char *set_end(const char *set)
{
	if (*set == '!')
		set++;
	if (*set == ']')
		set++;
	return strchr(set, ']');
}

/* Is c in the set between '[' and end? */
static bool in_set(const char *set, const char *end, uint32_t c)
{
	bool negated = *set == '!';
	bool first = true;
	bool found = false;

	if (negated)
		set++;
	while (set < end) {
		uint32_t low = next_char(&set);
		uint32_t high = low;

		if (*set == '-' && set + 1 < end) {
			set++;
			high = next_char(&set);
		}
		if (low > high)
			continue;
		/* fnmatch drops empty ranges before it looks for the '!', so one can come first late: "[b-a!x]". */
		if (first && !negated && low == '!') {
			negated = true;
			found |= high != low && (c == '-' || c == high);
		} else {
			found |= low <= c && c <= high;
		}
		first = false;
	}
	return found != negated;
}

/* Match one character of the name against what stands at *pattern, which is no '*'; both move on. */
static bool match_one(const char **pattern, const char **name)
{
	uint32_t c = next_char(name);
	uint32_t p = next_char(pattern);
	const char *end = p == '[' ? set_end(*pattern) : NULL;

	if (end) {
		const char *set = *pattern;

		*pattern = end + 1;
		return in_set(set, end, c);
	}
	return p == '?' || p == c;
}

bool tds_fnmatch(const char *pattern, const char *name)
{
	const char *star = NULL;  /* behind the last '*' */
	const char *taken = NULL; /* what follows there is tried from here on */

	while (*name) {
		const char *p = pattern;
		const char *n = name;

		if (*pattern == '*') {
			star = ++pattern;
			taken = name;
		} else if (*pattern && match_one(&p, &n)) {
			pattern = p;
			name = n;
		} else if (star) {
			next_char(&taken);
			pattern = star;
			name = taken;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

enum part_kind {
	LITERAL,
	MAGIC,
	ANY_DEPTH, /* "**" */
};

struct part {
	const char *text;
	enum part_kind kind;
};

struct search {
	int root;
	struct part part[TDS_GLOB_MAX_PARTS];
	size_t parts;
	bool folders_only; /* the pattern ends in '/' */
	size_t linked;     /* folders entered so far whose path has a link in it */
	struct tds_matches *matches;
	size_t room; /* in matches->v */
	struct tds_err *err;
};

/* A folder on the way down. */
struct level {
	const struct level *up;
	const char *path; /* "" for the root */
	dev_t dev;
	ino_t ino;
	bool linked;                    /* there is a link in path */
	bool state[TDS_GLOB_MAX_PARTS]; /* part i may match a name in it */
};

/* A name in a folder, and what it is. */
struct name {
	char *text;
	unsigned char type; /* DT_... */
};

struct names {
	struct name *v;
	size_t n;
	size_t room;
};

static void names_cleanup(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i].text);
	free(names->v);
}

static int no_memory(struct search *s)
{
	return tds_err_set(s->err, TDS_E_NOMEM, "out of memory");
}

static int cannot_read(struct search *s, const char *path)
{
	return tds_err_sys(s->err, TDS_E_UNUSABLE, "%s: cannot be read", *path ? path : ".");
}

/* Make room for one more in an array of n elements of size bytes. */
static void *grow(void *v, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return v;
	size_t more = *room ? 2 * *room : 64;

	v = reallocarray(v, more, size);
	if (v)
		*room = more;
	return v;
}

static char *join(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0)
		return NULL;
	return path;
}

static int add_name(struct search *s, struct names *names, const char *text, unsigned char type)
{
	void *v = grow(names->v, names->n, &names->room, sizeof(*names->v));
	char *copy = strdup(text);

	if (v)
		names->v = v;
	if (!v || !copy) {
		free(copy);
		return no_memory(s);
	}
	names->v[names->n++] = (struct name){ .text = copy, .type = type };
	return 0;
}

/* Takes path over. */
static int add_match(struct search *s, char *path, bool folder)
{
	struct tds_matches *m = s->matches;
	void *v = grow(m->v, m->n, &s->room, sizeof(*m->v));

	if (v)
		m->v = v;
	if (!v || m->n == TDS_GLOB_MAX_MATCHES) {
		free(path);
		return v ? tds_err_set(s->err, TDS_E_UNUSABLE, "matches more than %d names",
				       TDS_GLOB_MAX_MATCHES)
			 : no_memory(s);
	}
	m->v[m->n++] = (struct tds_match){ .path = path, .folder = folder };
	return 0;
}

/* Read the names in a folder, all of them before the first is looked at: so few descriptors are open at a time. */
static int list_names(struct search *s, const char *path, struct names *names)
{
	int fd = openat(s->root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		rc = cannot_read(s, path);
		tds_close_fd(&fd);
		return rc;
	}
	while (errno = 0, rc == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = add_name(s, names, entry->d_name, entry->d_type);
	if (rc == 0 && errno != 0)
		rc = cannot_read(s, path);
	(void)closedir(dir);
	return rc;
}

/* Does a part before i ask for the same name? */
static bool is_looked_up(const struct search *s, const struct level *level, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (level->state[k] && strcmp(s->part[k].text, s->part[i].text) == 0)
			return true;
	return false;
}

/* The failures of fstatat that say that nothing can be there, as against those that leave it open. */
static bool is_absence(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == ENAMETOOLONG;
}

/* The names that can match where no part needs the whole list: those of the literal parts, where they are there. */
static int look_up_names(struct search *s, const struct level *level, struct names *names)
{
	for (size_t i = 0; i < s->parts; i++) {
		struct stat st;

		if (!level->state[i] || is_looked_up(s, level, i))
			continue;
		tds_autofree char *path = join(level->path, s->part[i].text);
		if (!path)
			return no_memory(s);
		if (fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (is_absence(errno))
				continue;
			return cannot_read(s, level->path);
		}
		int rc = add_name(s, names, s->part[i].text, IFTODT(st.st_mode));
		if (rc != 0)
			return rc;
	}
	return 0;
}

static bool needs_list(const struct search *s, const struct level *level)
{
	for (size_t i = 0; i < s->parts; i++)
		if (level->state[i] && s->part[i].kind != LITERAL)
			return true;
	return false;
}

static bool part_matches(const struct part *part, const char *name)
{
	if (part->kind == LITERAL)
		return strcmp(part->text, name) == 0;
	if (name[0] == '.' && part->text[0] != '.')
		return false;
	return tds_fnmatch(part->text, name);
}

/* Is the folder that st tells of one of those above? Then "**" would never come to an end in it. */
static bool is_above(const struct level *level, const struct stat *st)
{
	for (; level; level = level->up)
		if (level->dev == st->st_dev && level->ino == st->st_ino)
			return true;
	return false;
}

/* Let part i match in next, and what follows it where it may match nothing. Returns whether the pattern is at its end. */
static bool enter_state(const struct search *s, struct level *next, size_t i)
{
	next->state[i] = true;
	if (s->part[i].kind != ANY_DEPTH)
		return false;
	if (i + 1 < s->parts)
		next->state[i + 1] = true;
	return i + 1 == s->parts;
}

static int walk(struct search *s, struct level *level);

/* Match one name in a folder: note it, go into it, or neither. */
static int visit(struct search *s, const struct level *level, const struct name *name)
{
	struct level next = { .up = level, .linked = level->linked };
	tds_autofree char *path = join(level->path, name->text);
	bool folder = name->type == DT_DIR;
	bool again = false; /* a link to a folder that it is in */
	bool match = false;
	bool enter = false;
	int unknown = 0; /* why it is unknown whether it is a folder */
	struct stat st;
	int rc = 0;

	if (!path)
		return no_memory(s);
	if (name->type == DT_LNK || name->type == DT_UNKNOWN) {
		folder = fstatat(s->root, path, &st, 0) == 0;
		unknown = folder || is_absence(errno) ? 0 : errno;
		folder = folder && S_ISDIR(st.st_mode);
		again = folder && is_above(level, &st);
		next.linked |= name->type == DT_LNK;
	}
	for (size_t i = 0; i < s->parts; i++) {
		bool last = i + 1 == s->parts;

		if (!level->state[i])
			continue;
		if (s->part[i].kind == ANY_DEPTH ? name->text[0] == '.'
						 : !part_matches(&s->part[i], name->text))
			continue;
		match |= last;
		/* "**" asks of each name whether it is a folder, other parts only of those that are meant. */
		if (unknown && !last && s->part[i].kind != ANY_DEPTH) {
			errno = unknown;
			return cannot_read(s, path);
		}
		if (!folder || (s->part[i].kind == ANY_DEPTH ? again : last))
			continue;
		match |= enter_state(s, &next, s->part[i].kind == ANY_DEPTH ? i : i + 1);
		enter = true;
	}
	next.path = path;
	if (enter)
		rc = walk(s, &next);
	if (rc == 0 && match && (folder || !s->folders_only))
		rc = add_match(s, tds_steal(&path), folder);
	return rc;
}

static int walk(struct search *s, struct level *level)
{
	__attribute__((cleanup(names_cleanup))) struct names names = { 0 };
	struct stat st;
	int rc;

	if (fstatat(s->root, *level->path ? level->path : ".", &st, 0) != 0)
		return cannot_read(s, level->path);
	level->dev = st.st_dev;
	level->ino = st.st_ino;
	if (level->linked && ++s->linked > TDS_GLOB_MAX_LINKED)
		return tds_err_set(s->err, TDS_E_UNUSABLE,
				   "leads through links to more than %d folders",
				   TDS_GLOB_MAX_LINKED);
	rc = needs_list(s, level) ? list_names(s, level->path, &names)
				  : look_up_names(s, level, &names);
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = visit(s, level, &names.v[i]);
	return rc;
}

/* Cut the pattern, which is written to, into its parts. */
static int cut_pattern(struct search *s, char *pattern)
{
	char *rest = pattern;
	char *text;

	s->folders_only = false;
	while ((text = strsep(&rest, "/"))) {
		bool any_depth = strcmp(text, "**") == 0;

		s->folders_only = *text == '\0' || strcmp(text, ".") == 0;
		/* "**" twice in a row says no more than once. */
		if (s->folders_only ||
		    (any_depth && s->parts && s->part[s->parts - 1].kind == ANY_DEPTH))
			continue;
		if (s->parts == TDS_GLOB_MAX_PARTS)
			return tds_err_set(s->err, TDS_E_UNUSABLE, "has more than %d parts",
					   TDS_GLOB_MAX_PARTS);
		s->part[s->parts++] = (struct part){
			.text = text,
			.kind = any_depth              ? ANY_DEPTH
				: strpbrk(text, "*?[") ? MAGIC
						       : LITERAL,
		};
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tds_match *)a)->path, ((const struct tds_match *)b)->path);
}

int tds_glob(int dirfd, const char *pattern, struct tds_matches *matches, struct tds_err *err)
{
	struct search s = { .root = dirfd, .matches = matches, .err = err };
	struct level top = { .path = "" };
	tds_autofree char *text = strdup(pattern);

	*matches = (struct tds_matches){ 0 };
	if (!text)
		return no_memory(&s);
	int rc = cut_pattern(&s, text);
	if (rc == 0 && s.parts > 0) {
		(void)enter_state(&s, &top, 0);
		rc = walk(&s, &top);
	}
	if (rc != 0)
		tds_matches_fini(matches);
	else if (matches->n > 0)
		qsort(matches->v, matches->n, sizeof(*matches->v), by_path);
	return rc;
}

void tds_matches_fini(struct tds_matches *matches)
{
	for (size_t i = 0; i < matches->n; i++)
		free(matches->v[i].path);
	free(matches->v);
	*matches = (struct tds_matches){ 0 };
}
