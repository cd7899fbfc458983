/* SPDX-License-Identifier: MIT */
/*
 * Looking at packages: size, time and MD5 of each. Most of the time goes into the file system and into reading
 * what the cache does not know, so it is shared out among threads.
 */
#include "avail.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "director/cache.h"
#include "director/groups.h"

#define BLOCK_BYTES (128 << 10)
#define THREADS_MAX 4
#define THREAD_WORTH 64 /* packages; for fewer, a thread costs more than it saves */

size_t wanted(const struct avail *avail, const struct tds_group *group)
{
	return avail->opts->latest && group->n > 1 ? 1 : group->n;
}

int read_tli(const struct avail *avail, const struct tds_group *group, struct tds_tli *tli,
	     struct tds_err *err)
{
	const struct tds_tli_watcher nobody = { 0 };
	tds_autofree char *name = NULL;

	if (asprintf(&name, "%s" TDS_TLI_SUFFIX, group->name) < 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_tli_read(avail->dir.fd, name, nobody, tli, err);
}

void warn_of_tli(const struct avail *avail, const struct tds_group *group)
{
	tds_autofree char *name = NULL;

	if (asprintf(&name, "%s" TDS_TLI_SUFFIX, group->name) < 0)
		name = NULL;
	else
		tds_strictly_warn_of(&avail->opts->cli, &avail->dir, &avail->strict,
				     TDS_STRICT_DECLARATION, name);
}

/* What all threads share. */
struct work {
	const struct avail *avail;
	struct items *items;
	struct tds_cache *cache;  /* NULL: not used */
	pthread_mutex_t entering; /* into the cache */
	atomic_size_t next;       /* of the declarations, then of the items */
};

/* What a thread needs for each package again. */
struct tools {
	unsigned char *block;
	struct tds_digest *md5; /* NULL: not needed so far */
};

/* Faults are few, and a reason takes half a kilobyte: it is kept apart. */
static struct tds_err *keep_reason(const struct tds_err *err)
{
	struct tds_err *kept = malloc(sizeof(*kept));

	if (kept)
		*kept = *err;
	return kept;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	       memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

static void note_stat(struct item *item, const struct stat *st)
{
	item->size = st->st_size;
	item->mtime_wall_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* Readying libcrypto takes longer than all the rest where the cache knows everything. */
static bool ready(struct tools *tools)
{
	if (!tools->block)
		tools->block = malloc(BLOCK_BYTES);
	if (!tools->md5)
		tools->md5 = tds_digest_new(TDS_DIGEST_MD5);
	return tools->block && tools->md5;
}

static int hash(int fd, struct tools *tools, unsigned char md5[TDS_MD5_LEN], struct tds_err *err)
{
	ssize_t n;

	if (!ready(tools))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	tds_digest_restart(tools->md5);
	do {
		n = tds_io_read(fd, tools->block, BLOCK_BYTES);
		if (n < 0)
			return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
		tds_digest_update(tools->md5, tools->block, (size_t)n);
	} while (n == BLOCK_BYTES);
	if (!tds_digest_final(tools->md5, md5))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return 0;
}

/* Root's cache must not show others what they cannot read. */
static bool readable(int dirfd, const char *name, const struct stat *st)
{
	return (st->st_mode & S_IROTH) || faccessat(dirfd, name, R_OK, AT_EACCESS) == 0;
}

static bool ask_cache(const struct work *work, struct item *item)
{
	int dirfd = work->avail->dir.fd;
	struct stat st;

	if (!work->cache || fstatat(dirfd, item->name, &st, 0) != 0 ||
	    !readable(dirfd, item->name, &st) || !tds_cache_get(work->cache, &st, item->md5))
		return false;
	note_stat(item, &st);
	return true;
}

/* A file that changed while it was read has no sum worth remembering. */
static void tell_cache(struct work *work, int fd, const struct stat *before,
		       const struct item *item)
{
	struct stat after;

	if (!work->cache || fstat(fd, &after) != 0 || !same_file(before, &after))
		return;
	(void)pthread_mutex_lock(&work->entering);
	tds_cache_put(work->cache, before, item->md5);
	(void)pthread_mutex_unlock(&work->entering);
}

static void read_file(struct work *work, struct tools *tools, struct item *item)
{
	int dirfd = work->avail->dir.fd;
	struct stat st;
	struct tds_err err;
	tds_autofd int fd = -1;
	int rc = tds_io_open(dirfd, item->name, false, &fd, &st, &err);

	/* Gone since the directory was read: as if it had never been there. A link that leads nowhere still is. */
	if (rc == TDS_E_MISSING && fstatat(dirfd, item->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		item->state = ITEM_GONE;
		return;
	}
	if (rc == 0) {
		note_stat(item, &st);
		rc = hash(fd, tools, item->md5, &err);
	}
	if (rc == 0) {
		tell_cache(work, fd, &st, item);
	} else {
		item->state = ITEM_FAULT;
		item->why = keep_reason(&err);
	}
}

static void read_decl(const struct avail *avail, const struct tds_group *group, struct decl *decl)
{
	struct tds_err err;

	decl->rc = read_tli(avail, group, &decl->tli, &err);
	if (decl->rc != 0)
		decl->why = keep_reason(&err);
}

static void do_one(struct work *work, struct tools *tools, size_t i)
{
	struct items *items = work->items;

	if (i < items->ndecl)
		read_decl(work->avail, work->avail->chosen[i], &items->decl[i]);
	else if (!ask_cache(work, &items->v[i - items->ndecl]))
		read_file(work, tools, &items->v[i - items->ndecl]);
}

static void *work_on(void *ctx)
{
	struct work *work = ctx;
	struct tools tools = { 0 };
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->items->ndecl + work->items->n)
		do_one(work, &tools, i);
	free(tools.block);
	tds_digest_free(tools.md5);
	return NULL;
}

/* This thread works too; where none can be started it does all. */
static void work_off(struct work *work)
{
	pthread_t thread[THREADS_MAX - 1];
	long cpus = work->items->n < THREAD_WORTH ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
	size_t started = 0;

	while (started < THREADS_MAX - 1 && (long)started + 1 < cpus &&
	       pthread_create(&thread[started], NULL, work_on, work) == 0)
		started++;
	(void)work_on(work);
	while (started > 0)
		(void)pthread_join(thread[--started], NULL);
}

static int collect(const struct avail *avail, struct items *items)
{
	size_t n = 0;

	for (size_t g = 0; g < avail->nchosen; g++)
		n += wanted(avail, avail->chosen[g]);
	items->v = calloc(n + 1, sizeof(*items->v));
	items->decl = calloc(avail->nchosen + 1, sizeof(*items->decl));
	if (!items->v || !items->decl)
		return TDS_E_NOMEM;
	/* In the text they are good for warnings alone. */
	if (avail->opts->cli.json || !avail->opts->cli.quiet)
		items->ndecl = avail->nchosen;
	for (size_t g = 0; g < avail->nchosen; g++)
		for (size_t i = 0; i < wanted(avail, avail->chosen[g]); i++)
			items->v[items->n++] = (struct item){
				.group = avail->chosen[g],
				.name = avail->chosen[g]->files[i].name,
			};
	return 0;
}

int items_look(const struct avail *avail, struct items *items, struct tds_err *err)
{
	const struct opts *opts = avail->opts;
	struct work work = { .avail = avail,
			     .items = items,
			     .entering = PTHREAD_MUTEX_INITIALIZER };

	*items = (struct items){ 0 };
	if (collect(avail, items) != 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t g = 0; g < items->ndecl; g++)
		warn_of_tli(avail, avail->chosen[g]);
	tds_crypto_init_lean();
	work.cache = tds_cache_open(&avail->dir, opts->cache_home);
	work_off(&work);
	tds_cache_save(work.cache, avail->all && !opts->latest);
	tds_cache_free(work.cache);
	return opts->verify ? items_verify(avail, items, err) : 0;
}

void items_fini(struct items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		free(items->v[i].why);
		json_decref(items->v[i].verdict);
	}
	for (size_t i = 0; i < items->ndecl; i++) {
		tds_tli_fini(&items->decl[i].tli);
		free(items->decl[i].why);
	}
	free(items->v);
	free(items->decl);
	*items = (struct items){ 0 };
}
