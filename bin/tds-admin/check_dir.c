/* SPDX-License-Identifier: MIT */
/* The check of a whole director directory: each file in it, and what they mean for each other. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "director/groups.h"
#include "director/sandboxcfg.h"
#include "director/strictmodes.h"
#include "judge.h"
#include "package/keyring.h"
#include "package/version.h"

struct entry {
	char *name; /* in the directory */
	enum kind kind;
	struct report report;
};

struct inventory {
	const struct tds_dir *dir;
	struct tds_strict strict; /* all of it is only warned of */
	struct report report;     /* of the directory itself */
	struct entry *v;          /* sorted by name */
	size_t n;
	struct tds_groups groups;
};

static void tds_inventory_cleanup(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++) {
		report_fini(&inventory->v[i].report);
		free(inventory->v[i].name);
	}
	free(inventory->v);
	report_fini(&inventory->report);
	tds_groups_fini(&inventory->groups);
}

static int add_entry(struct inventory *inventory, const char *name)
{
	/* Grows at powers of two. */
	if ((inventory->n & (inventory->n - 1)) == 0) {
		struct entry *more = reallocarray(inventory->v, inventory->n ? 2 * inventory->n : 1,
						  sizeof(*more));

		if (!more)
			return TDS_E_NOMEM;
		inventory->v = more;
	}
	struct entry *entry = &inventory->v[inventory->n];
	tds_autofree char *path = tds_dir_join(inventory->dir, name);
	*entry = (struct entry){ .name = strdup(name), .kind = kind_of(name) };
	if (!path || !entry->name) {
		free(entry->name);
		return TDS_E_NOMEM;
	}
	report_init(&entry->report, path);
	entry->report.quiet = entry->kind == KIND_OTHER || entry->kind == KIND_PACKAGE;
	inventory->n++;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int read_entries(struct inventory *inventory, struct tds_err *err)
{
	tds_autofd int fd = openat(inventory->dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!names)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	(void)tds_steal_fd(&fd);
	while (rc == 0 && (errno = 0, entry = readdir(names)))
		if (entry->d_name[0] != '.')
			rc = add_entry(inventory, entry->d_name);
	if (rc != 0)
		tds_err_set(err, rc, "out of memory");
	else if (errno != 0)
		rc = tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	(void)closedir(names);
	if (inventory->n > 1)
		qsort(inventory->v, inventory->n, sizeof(*inventory->v), compare_entries);
	return rc;
}

static struct report *find_report(struct inventory *inventory, const char *name)
{
	struct entry asked = { .name = (char *)name };
	struct entry *found =
		bsearch(&asked, inventory->v, inventory->n, sizeof(asked), compare_entries);

	return found ? &found->report : NULL;
}

/*
 * A package counts for the longest group that its name fits: each shorter one is one that the
 * reader may think of.
 */
static void check_package(struct inventory *inventory, struct entry *entry)
{
	const struct tds_group *owner = tds_groups_owner(&inventory->groups, entry->name);

	if (!owner) {
		report_warn(&entry->report, 0, 0, "belongs to no declared group");
		return;
	}
	tds_autofree char *shorter = strdup(owner->name);
	if (!shorter)
		tds_err_set(&entry->report.err, TDS_E_NOMEM, "out of memory");
	for (char *dash; shorter && (dash = strrchr(shorter, '-'));) {
		*dash = '\0';
		const struct tds_group *other = tds_groups_find(&inventory->groups, shorter);
		if (other && tds_group_fits(other->name, entry->name, NULL))
			report_warn(&entry->report, 0, 0,
				    "belongs to group %s, though it fits group %s too", owner->name,
				    other->name);
	}
}

/* A private key is for the machine that builds packages. */
static void look_for_private_key(struct inventory *inventory, struct entry *entry)
{
	tds_autofree char *text = NULL;
	struct tds_err err;
	size_t len;
	int rc =
		tds_io_slurp(inventory->dir->fd, entry->name, TDS_KEY_MAX_BYTES, &text, &len, &err);

	if (rc == TDS_E_NOMEM)
		entry->report.err = err;
	if (rc == 0 && memmem(text, len, "PRIVATE KEY-----", 16))
		report_warn(&entry->report, 0, 0,
			    "holds a private key, which does not belong here");
}

static void check_other(struct inventory *inventory, struct entry *entry)
{
	if (tds_text_has_suffix(entry->name, ".cfg"))
		report_warn(&entry->report, 0, 0, "is not a configuration file that is known");
	if (tds_text_has_suffix(entry->name, ".key") || tds_text_has_suffix(entry->name, ".pem"))
		look_for_private_key(inventory, entry);
}

static void check_declaration(struct entry *entry)
{
	tds_autofree char *group =
		strndup(entry->name, strlen(entry->name) - strlen(TDS_TLI_SUFFIX));

	if (!group)
		tds_err_set(&entry->report.err, TDS_E_NOMEM, "out of memory");
	else if (!tds_group_name_ok(group))
		report_refuse(&entry->report, "declares no group: the name is not allowed");
}

static void check_allow_has_key(struct inventory *inventory, struct entry *entry)
{
	tds_autofree char *key = NULL;
	size_t stem = strlen(entry->name) - strlen(".allow");

	if (asprintf(&key, "%.*s.key", (int)stem, entry->name) < 0) {
		key = NULL;
		tds_err_set(&entry->report.err, TDS_E_NOMEM, "out of memory");
	} else if (!find_report(inventory, key)) {
		report_warn(&entry->report, 0, 0, "there is no %s beside it", key);
	}
}

static enum tds_strict_kind strict_kind(const struct entry *entry)
{
	switch (entry->kind) {
	case KIND_TLI:
		return TDS_STRICT_DECLARATION;
	case KIND_KEY:
	case KIND_ALLOW:
		return TDS_STRICT_KEY;
	default:
		return tds_strictmodes_kind(entry->name);
	}
}

/* As whoever starts, loads or verifies judges it; one that is none of these is judged as they are. */
static void check_modes(struct inventory *inventory, struct entry *entry)
{
	char why[TDS_STRICT_WHY_MAX];
	struct stat st;

	if (fstatat(inventory->dir->fd, entry->name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
	    !tds_strict_judge_name(&inventory->strict, strict_kind(entry), inventory->dir->fd,
				   entry->name, why))
		report_warn(&entry->report, 0, 0, "%s", why);
}

static void check_entry(struct inventory *inventory, struct entry *entry)
{
	struct report *report = &entry->report;

	check_modes(inventory, entry);
	switch (entry->kind) {
	case KIND_PACKAGE:
		check_package(inventory, entry);
		return;
	case KIND_OTHER:
		check_other(inventory, entry);
		return;
	case KIND_KEY:
		return; /* the ring reads it, when the limits of all keys have been checked */
	case KIND_TLI:
		check_declaration(entry);
		break;
	case KIND_ALLOW:
		check_allow_has_key(inventory, entry);
		break;
	default:
		break;
	}
	check_file(report, inventory->dir, report->file, entry->kind);
}

static bool is_refused(struct inventory *inventory, const char *name)
{
	const struct report *report = find_report(inventory, name);

	return report && report->err.code != TDS_OK;
}

/* What the ring says of a key, but for what is said of its .allow file already. */
static void take_key(struct inventory *inventory, const struct tds_key *key)
{
	const char *name = tds_text_base(key->path);
	struct report *report = find_report(inventory, name);
	tds_autofree char *allow = NULL;

	if (!report)
		return;
	if (asprintf(&allow, "%.*s.allow", (int)(strlen(name) - strlen(".key")), name) < 0) {
		allow = NULL;
		tds_err_set(&report->err, TDS_E_NOMEM, "out of memory");
		return;
	}
	if (!key->pub && !(key->allow_fault && is_refused(inventory, allow)))
		report->err = key->fault;
	if (key->warning[0])
		report_warn(report, 0, 0, "%s", key->warning);
}

static void read_ring(struct inventory *inventory)
{
	tds_auto(keyring) struct tds_keyring ring = { 0 };
	struct tds_err err;

	tds_crypto_init_lean();
	int rc = tds_keyring_read(inventory->dir, &inventory->strict, &ring, &err);

	for (size_t i = 0; i < ring.n; i++)
		take_key(inventory, &ring.v[i]);
	/* Of limits that cannot be understood their own files say it, with the place. */
	if (rc == TDS_E_NOMEM || (rc != 0 && !is_refused(inventory, "minkeybits.cfg") &&
				  !is_refused(inventory, "revoked.cfg")))
		inventory->report.err = err;
}

/* Nothing of OpenSSL is touched where there is no key. */
static void check_keys(struct inventory *inventory)
{
	bool any = false;

	for (size_t i = 0; i < inventory->n; i++)
		any |= inventory->v[i].kind == KIND_KEY;
	if (any)
		read_ring(inventory);
	for (size_t i = 0; any && i < inventory->n; i++) {
		struct entry *entry = &inventory->v[i];

		/* A private key in the place of the public one is what the ring has refused. */
		if (entry->kind == KIND_KEY && !strstr(entry->report.err.reason, "private key"))
			look_for_private_key(inventory, entry);
	}
}

static int compare_folded(const void *a, const void *b)
{
	const struct tds_group *x = *(const struct tds_group *const *)a;
	const struct tds_group *y = *(const struct tds_group *const *)b;
	int order = strcasecmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* On a file system or to a reader that takes capitals for small letters they would be one. */
static void check_folding(struct inventory *inventory)
{
	const struct tds_groups *groups = &inventory->groups;
	tds_autofree const struct tds_group **sorted =
		calloc(groups->n + 1, sizeof(struct tds_group *));

	if (!sorted) {
		tds_err_set(&inventory->report.err, TDS_E_NOMEM, "out of memory");
		return;
	}
	for (size_t i = 0; i < groups->n; i++)
		sorted[i] = &groups->v[i];
	qsort(sorted, groups->n, sizeof(struct tds_group *), compare_folded);
	for (size_t i = 1; i < groups->n; i++) {
		tds_autofree char *file = NULL;

		if (strcasecmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		if (asprintf(&file, "%s" TDS_TLI_SUFFIX, sorted[i]->name) < 0) {
			file = NULL;
			tds_err_set(&inventory->report.err, TDS_E_NOMEM, "out of memory");
			continue;
		}
		struct report *report = find_report(inventory, file);
		if (report)
			report_warn(report, 0, 0,
				    "the name differs from that of group %s by capitals only",
				    sorted[i - 1]->name);
	}
}

static void check_declared_names(struct inventory *inventory)
{
	tds_autofree struct report **reports = calloc(inventory->n + 1, sizeof(struct report *));
	size_t n = 0;

	if (!reports) {
		tds_err_set(&inventory->report.err, TDS_E_NOMEM, "out of memory");
		return;
	}
	for (size_t i = 0; i < inventory->n; i++)
		if (inventory->v[i].kind == KIND_TLI)
			reports[n++] = &inventory->v[i].report;
	check_names(reports, n, "Role", "role");
	check_names(reports, n, "GlobalName", "global name");
}

static int take_stock(struct inventory *inventory, struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	tds_strictmodes_read_lax(inventory->dir, &inventory->strict);
	if (!tds_strict_judge_dir(&inventory->strict, inventory->dir->fd, why))
		report_warn(&inventory->report, 0, 0, "%s", why);
	if (!judge_sandbox(inventory->dir))
		report_warn(&inventory->report, 0, 0, TDS_SANDBOX_CFG " " JUDGE_NO_SANDBOX);
	int rc = read_entries(inventory, err);
	return rc == 0 ? tds_groups_scan(inventory->dir, &inventory->groups, err) : rc;
}

void check_dir(struct admin *admin, const struct tds_dir *dir)
{
	tds_auto(inventory) struct inventory inventory = { .dir = dir };
	struct tds_err err;

	report_init(&inventory.report, dir->path);
	inventory.report.quiet = true;
	if (take_stock(&inventory, &err) != 0) {
		tds_cli_error(&admin->cli, dir->path, &err);
		return;
	}
	for (size_t i = 0; i < inventory.n; i++)
		check_entry(&inventory, &inventory.v[i]);
	check_keys(&inventory);
	check_folding(&inventory);
	check_declared_names(&inventory);
	judge_actors(&inventory.report, dir);
	judge_way(admin, dir);
	report_print_found(admin, &inventory.report);
	for (size_t i = 0; i < inventory.n; i++)
		report_print_found(admin, &inventory.v[i].report);
	check_rundir(admin, dir);
}
