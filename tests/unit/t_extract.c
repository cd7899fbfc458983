/* SPDX-License-Identifier: MIT */
/*
 * Extraction: all of an archive below one folder, nothing beside it, no file that was there
 * changed.
 */
#include "unit.h"

#include "archive/extract.h"
#include "makezip.h"

static int extract(const struct folder *f, const struct member *m, size_t n, const char *to,
		   struct tds_err *err)
{
	static const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	struct tds_zip zip;
	struct made z;
	char path[128];

	*err = (struct tds_err){ 0 };
	make_zip(&z, m, n, "");
	assert_fine(tds_zip_open(z.data, z.len, &limits, &zip, err), err);
	(void)snprintf(path, sizeof(path), "%s/%s", f->path, to);
	int rc = tds_extract(&zip, path, err);
	tds_zip_close(&zip);
	return rc;
}

static mode_t mode_of(const struct folder *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static const struct member tree[] = {
	{ .name = "a.py", .data = "A" },
	{ .name = "deep/er/b.py", .data = "B", .attributes = 0104755u << 16 },
	{ .name = "deep/", .attributes = 047777u << 16 },
	{ .name = "c", .data = "C", .attributes = 0107777u << 16 },
	{ .name = "deep/er/empty" },
	{ .name = "a.py", .data = "A" },
	{ .name = "none/", .attributes = 0x10 },
	{ .name = "d", .data = "D", .attributes = 0100066u << 16 },
};

static void everything(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;
	mode_t mask = umask(027);

	assert_fine(extract(f, tree, COUNT(tree), "made/here", &err), &err);
	umask(mask);
	assert_file(f, "made/here/a.py", "A");
	assert_file(f, "made/here/deep/er/b.py", "B");
	assert_file(f, "made/here/deep/er/empty", "");
	assert_int_equal(mode_of(f, "made/here/a.py"), S_IFREG | 0644);
	assert_int_equal(mode_of(f, "made/here/deep/er/b.py"), S_IFREG | 0755);
	assert_int_equal(mode_of(f, "made/here/c"), S_IFREG | 0755);
	assert_int_equal(mode_of(f, "made/here/d"), S_IFREG | 0644);
	assert_int_equal(mode_of(f, "made/here/none"), S_IFDIR | 0750); /* folders by the umask */
	assert_int_equal(mode_of(f, "made/here/deep"), S_IFDIR | 0750);
	assert_names(f, "made");
	/* Again: the first file is there already. */
	assert_failed(extract(f, tree, COUNT(tree), "made/here", &err), &err, TDS_E_WRITE,
		      "member a.py: exists, and is not overwritten");
}

static void existing_files(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;

	put(f, "c", 0600, "mine");
	assert_failed(extract(f, tree, COUNT(tree), ".", &err), &err, TDS_E_WRITE,
		      "member c: exists, and is not overwritten");
	assert_file(f, "c", "mine");
	assert_int_equal(mode_of(f, "c"), S_IFREG | 0600);
	assert_names(f, "a.py c deep"); /* what came before is whole, nothing temporary is left */
	assert_int_equal(unlinkat(f->fd, "c", 0), 0);
	assert_int_equal(unlinkat(f->fd, "a.py", 0), 0);
	/* A folder, a dangling link and a FIFO are in the way too. */
	assert_int_equal(mkdirat(f->fd, "a.py", 0755), 0);
	assert_failed(extract(f, tree, 1, ".", &err), &err, TDS_E_WRITE,
		      "member a.py: exists, and is not overwritten");
	assert_int_equal(unlinkat(f->fd, "a.py", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("nowhere", f->fd, "a.py"), 0);
	assert_failed(extract(f, tree, 1, ".", &err), &err, TDS_E_WRITE,
		      "member a.py: exists, and is not overwritten");
	assert_int_equal(unlinkat(f->fd, "a.py", 0), 0);
	assert_int_equal(mkfifoat(f->fd, "a.py", 0644), 0);
	assert_failed(extract(f, tree, 1, ".", &err), &err, TDS_E_WRITE,
		      "member a.py: exists, and is not overwritten");
	assert_names(f, "a.py deep");
}

static void planted_links(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;

	assert_int_equal(mkdirat(f->fd, "outside", 0755), 0);
	assert_int_equal(mkdirat(f->fd, "out", 0755), 0);
	assert_int_equal(symlinkat("../outside", f->fd, "out/deep"), 0);
	assert_int_equal(extract(f, tree, COUNT(tree), "out", &err), TDS_E_WRITE);
	assert_string_equal(err.reason, "member deep/er/b.py: Not a directory");
	assert_int_equal(unlinkat(f->fd, "outside", AT_REMOVEDIR), 0); /* for nothing is in it */
	assert_int_equal(unlinkat(f->fd, "out/deep", 0), 0);
	assert_int_equal(unlinkat(f->fd, "out/a.py", 0), 0);
	/* The folder itself is the user's, and may be a link. */
	assert_int_equal(symlinkat("out", f->fd, "link"), 0);
	assert_fine(extract(f, tree, 1, "link", &err), &err);
	assert_file(f, "out/a.py", "A");
}

static void impossible_folders(void **state)
{
	const struct folder *f = *state;
	static char long_name[300];
	const struct member too_long = { .name = long_name, .data = "x" };
	struct tds_err err;
	struct tds_zip zip = { 0 };
	char reason[128];

	put(f, "file", 0644, "");
	(void)snprintf(reason, sizeof(reason), "%s/file/x: Not a directory", f->path);
	assert_failed(extract(f, tree, 1, "file/x", &err), &err, TDS_E_WRITE, reason);
	assert_failed(tds_extract(&zip, "", &err), &err, TDS_E_WRITE, "No such file or directory");
	memset(long_name, 'n', sizeof(long_name) - 1);
	assert_int_equal(extract(f, &too_long, 1, "out", &err), TDS_E_WRITE);
	assert_non_null(strstr(err.reason, "File name too long"));
	assert_names(f, "file out");
}

/* What a killed run left is removed by the next one, in each folder that it writes in. */
static void leftovers(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;

	assert_true(mkdirat(f->fd, "deep", 0755) == 0 && mkdirat(f->fd, "deep/er", 0755) == 0);
	put(f, TDS_IO_TEMP_PREFIX "1", 0600, "half");
	put(f, "deep/er/" TDS_IO_TEMP_PREFIX "2", 0600, "half");
	assert_fine(extract(f, tree, COUNT(tree), ".", &err), &err);
	assert_names(f, "a.py c d deep none");
	assert_int_equal(faccessat(f->fd, "deep/er/" TDS_IO_TEMP_PREFIX "2", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest extraction[] = {
		IN_FOLDER(everything),         IN_FOLDER(existing_files), IN_FOLDER(planted_links),
		IN_FOLDER(impossible_folders), IN_FOLDER(leftovers),
	};

	return cmocka_run_group_tests(extraction, NULL, NULL);
}
