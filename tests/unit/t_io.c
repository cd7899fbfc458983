/* SPDX-License-Identifier: MIT */
/*
 * Whole reads and writes; files that appear complete or not at all, whatever becomes of their
 * writer.
 */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void opening(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };
	struct stat st;
	int fd = -1;

	put(f, "file", 0644, "text");
	assert_int_equal(symlinkat("file", f->fd, "link"), 0);
	assert_int_equal(symlinkat("nowhere", f->fd, "lost"), 0);
	assert_int_equal(symlinkat("loop", f->fd, "loop"), 0);
	assert_int_equal(mkdirat(f->fd, "folder", 0755), 0);
	assert_int_equal(mkfifoat(f->fd, "fifo", 0644), 0);
	assert_fine(tds_io_open(f->fd, "link", false, &fd, &st, &err), &err);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	fd = -1;
	assert_failed(tds_io_open(f->fd, "none", true, &fd, NULL, &err), &err, TDS_E_MISSING,
		      "cannot be opened: No such file or directory");
	assert_failed(tds_io_open(f->fd, "lost", true, &fd, NULL, &err), &err, TDS_E_MISSING,
		      "cannot be opened: No such file or directory");
	assert_failed(tds_io_open(f->fd, "file/x", true, &fd, NULL, &err), &err, TDS_E_MISSING,
		      "cannot be opened: Not a directory");
	assert_failed(tds_io_open(f->fd, "loop", true, &fd, NULL, &err), &err, TDS_E_UNUSABLE,
		      "cannot be opened: Too many levels of symbolic links");
	assert_failed(tds_io_open(f->fd, "folder", true, &fd, NULL, &err), &err, TDS_E_UNUSABLE,
		      "is a folder");
	/* A planted FIFO holds nobody up. */
	assert_failed(tds_io_open(f->fd, "fifo", false, &fd, NULL, &err), &err, TDS_E_UNUSABLE,
		      "is not a regular file");
	assert_int_equal(fd, -1);
}

/* A reader who comes before the writer waits for it. */
static void a_fifo_has_a_writer(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };
	char *data = NULL;
	size_t len;
	int fd = -1;
	int started[2];

	assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
	assert_int_equal(pipe(started), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char c;
		int out;

		close(started[1]);
		(void)!read(started[0], &c, 1); /* the parent is about to open it */
		out = openat(f->fd, "fifo", O_WRONLY);
		_exit(tds_io_write(out, "late", 4) == 0 ? 0 : 1);
	}
	close(started[0]);
	close(started[1]);
	assert_fine(tds_io_open(f->fd, "fifo", true, &fd, NULL, &err), &err);
	assert_fine(tds_io_slurp_fd(fd, 100, &data, &len, &err), &err);
	assert_string_equal(data, "late");
	free(data);
	close(fd);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void slurping(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };
	char *data = NULL;
	size_t len;

	put_bytes(f, "file", 0644, "a\0b", 3);
	assert_fine(tds_io_slurp(f->fd, "file", 3, &data, &len, &err), &err);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);
	free(data);
	data = NULL;
	assert_failed(tds_io_slurp(f->fd, "file", 2, &data, &len, &err), &err, TDS_E_UNUSABLE,
		      "is larger than 2 bytes");
	put(f, "empty", 0644, "");
	assert_fine(tds_io_slurp(f->fd, "empty", 0, &data, &len, &err), &err);
	assert_int_equal(len, 0);
	assert_string_equal(data, "");
	free(data);
	data = NULL;
	/* A file whose size says 0. */
	assert_fine(tds_io_slurp(AT_FDCWD, "/proc/self/status", 1 << 20, &data, &len, &err), &err);
	assert_true(len > 100 && data[len - 1] == '\n');
	free(data);
	data = NULL;
	assert_failed(tds_io_slurp(AT_FDCWD, "/proc/self/status", 10, &data, &len, &err), &err,
		      TDS_E_UNUSABLE, "is larger than 10 bytes");
	assert_null(data);
}

/* Around every size at which the buffer grows, and the limit. */
static void slurping_pipes(void **state)
{
	static const size_t sizes[] = { 0,     1,      65534,  65535,  65536,
					65537, 131071, 131072, 131073, 200000 };
	const struct folder *f = *state;
	char *bytes = malloc(200000);
	char *data;
	size_t len;

	memset(bytes, 'x', 200000);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t max = sizes[i] ? sizes[i] - 1 : 0; max <= sizes[i] + 1; max++) {
			struct tds_err err = { 0 };
			int fd;

			put_bytes(f, "file", 0600, bytes, sizes[i]);
			fd = openat(f->fd, "file", O_RDONLY);
			int rc = tds_io_slurp_fd(fd, max, &data, &len, &err);
			close(fd);
			assert_int_equal(rc, sizes[i] <= max ? 0 : TDS_E_UNUSABLE);
			if (rc == 0) {
				assert_int_equal(len, sizes[i]);
				assert_memory_equal(data, bytes, len);
				assert_int_equal(data[len], '\0');
				free(data);
			}
		}
	}
	free(bytes);
}

static void begin(const struct folder *f, const char *name, struct tds_outfile *out,
		  const char *text)
{
	struct tds_err err = { 0 };

	assert_fine(tds_outfile_open(f->fd, name, out, &err), &err);
	assert_int_equal(strncmp(out->temp, TDS_IO_TEMP_PREFIX, strlen(TDS_IO_TEMP_PREFIX)), 0);
	assert_int_equal(tds_io_write(out->fd, text, strlen(text)), 0);
}

static void writing(void **state)
{
	const struct folder *f = *state;
	struct tds_outfile out;
	struct tds_err err = { 0 };
	struct stat st;
	mode_t mask = umask(077);

	put(f, "old", 0600, "old");
	begin(f, "old", &out, "new");
	assert_file(f, "old", "old");
	assert_fine(tds_outfile_commit(&out, 0754, &err), &err);
	umask(mask);
	assert_file(f, "old", "new");
	assert_int_equal(fstatat(f->fd, "old", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0754);
	assert_names(f, "old");
	/* Both cleanups of one that is done, and of one that never began. */
	tds_outfile_discard(&out);
	tds_outfile_discard(&out);
	out = (struct tds_outfile){ 0 };
	tds_outfile_discard(&out);
	assert_true(fcntl(0, F_GETFD) >= 0);
	begin(f, "other", &out, "never");
	tds_outfile_discard(&out);
	assert_names(f, "old");
}

static void pairs(void **state)
{
	const struct folder *f = *state;
	struct tds_outfile one;
	struct tds_outfile two;
	const struct tds_outfile *failed;
	struct tds_err err = { 0 };

	put(f, "one", 0600, "old");
	begin(f, "one", &one, "new");
	begin(f, "two", &two, "new");
	assert_fine(tds_outfile_commit_pair(&one, &two, 0644, &failed, &err), &err);
	assert_file(f, "one", "new");
	assert_file(f, "two", "new");
	assert_names(f, "one two");
	/* Where one has no place, the other stays as it was, or away. */
	assert_int_equal(mkdirat(f->fd, "folder", 0700), 0);
	begin(f, "one", &one, "newer");
	begin(f, "folder", &two, "newer");
	assert_failed(tds_outfile_commit_pair(&one, &two, 0644, &failed, &err), &err, TDS_E_WRITE,
		      "cannot be written: Is a directory");
	assert_ptr_equal(failed, &two);
	begin(f, "folder", &one, "newer");
	begin(f, "two", &two, "newer");
	assert_failed(tds_outfile_commit_pair(&one, &two, 0644, &failed, &err), &err, TDS_E_WRITE,
		      "cannot be written: Is a directory");
	assert_ptr_equal(failed, &one);
	begin(f, "three", &one, "newer");
	begin(f, "folder", &two, "newer");
	assert_failed(tds_outfile_commit_pair(&one, &two, 0644, &failed, &err), &err, TDS_E_WRITE,
		      "cannot be written: Is a directory");
	assert_file(f, "one", "new");
	assert_file(f, "two", "new");
	assert_names(f, "folder one two");
}

static void a_new_file_replaces_none(void **state)
{
	const struct folder *f = *state;
	struct tds_outfile out;
	struct tds_err err = { 0 };

	put(f, "old", 0600, "old");
	assert_int_equal(symlinkat("nowhere", f->fd, "link"), 0);
	begin(f, "old", &out, "new");
	assert_failed(tds_outfile_commit_new(&out, 0644, &err), &err, TDS_E_WRITE,
		      "exists, and is not overwritten");
	begin(f, "link", &out, "new");
	assert_failed(tds_outfile_commit_new(&out, 0644, &err), &err, TDS_E_WRITE,
		      "exists, and is not overwritten");
	assert_file(f, "old", "old");
	begin(f, "fresh", &out, "new");
	assert_fine(tds_outfile_commit_new(&out, 0644, &err), &err);
	assert_names(f, "fresh link old");
	begin(f, "link", &out, "through?");
	assert_fine(tds_outfile_commit(&out, 0644, &err), &err);
	assert_names(f, "fresh link old"); /* the link itself is replaced */
}

static void impossible_files(void **state)
{
	const struct folder *f = *state;
	struct tds_outfile out;
	struct tds_err err = { 0 };
	int gone = open(f->path, O_RDONLY | O_DIRECTORY);

	assert_int_equal(mkdirat(f->fd, "folder", 0755), 0);
	begin(f, "folder", &out, "x");
	assert_failed(tds_outfile_commit(&out, 0644, &err), &err, TDS_E_WRITE,
		      "cannot be written: Is a directory");
	begin(f, "", &out, "x");
	assert_failed(tds_outfile_commit(&out, 0644, &err), &err, TDS_E_WRITE,
		      "cannot be written: No such file or directory");
	assert_names(f, "folder");
	close(gone);
	assert_failed(tds_outfile_open(gone, "x", &out, &err), &err, TDS_E_WRITE,
		      "cannot be created: Bad file descriptor");
	tds_outfile_discard(&out);
}

/* Run writer in a child that is killed when it has begun its file. */
static void die_while_writing(const struct folder *f)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct tds_outfile out;

		if (tds_outfile_open(f->fd, "victim", &out, NULL) != 0 ||
		    tds_io_write(out.fd, "half", 4) != 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void sweeping(void **state)
{
	const struct folder *f = *state;
	struct tds_outfile live;
	struct tds_err err = { 0 };

	put(f, "package.tls", 0644, "");
	put(f, ".tds-other", 0644, "");
	begin(f, "kept", &live, "kept");
	die_while_writing(f);
	die_while_writing(f);
	tds_io_sweep(f->fd);
	char expected[128];
	(void)snprintf(expected, sizeof(expected), ".tds-other %s package.tls", live.temp);
	assert_names(f, expected);
	assert_fine(tds_outfile_commit_new(&live, 0644, &err), &err);
	tds_io_sweep(f->fd);
	assert_names(f, ".tds-other kept package.tls");
}

/* What bears the prefix but is none of ours does no harm, and what it leads to stays. */
static void sweeping_what_was_planted(void **state)
{
	const struct folder *f = *state;

	put(f, "precious", 0644, "precious");
	assert_int_equal(symlinkat("precious", f->fd, TDS_IO_TEMP_PREFIX "link"), 0);
	assert_int_equal(mkdirat(f->fd, TDS_IO_TEMP_PREFIX "folder", 0755), 0);
	assert_int_equal(mkfifoat(f->fd, TDS_IO_TEMP_PREFIX "fifo", 0644), 0);
	tds_io_sweep(f->fd);
	assert_file(f, "precious", "precious");
	assert_names(f, TDS_IO_TEMP_PREFIX "folder " TDS_IO_TEMP_PREFIX "link precious");
	tds_io_sweep(-1);
}

static void write_until_told(const struct folder *f, int stop)
{
	char c;

	for (unsigned n = 0; read(stop, &c, 1) < 0; n++) {
		struct tds_outfile out;
		char name[16];

		(void)snprintf(name, sizeof(name), "f%u", n % 20);
		if (tds_outfile_open(f->fd, name, &out, NULL) != 0 ||
		    tds_io_write(out.fd, "x", 1) != 0 || tds_outfile_commit(&out, 0644, NULL) != 0)
			_exit(1);
	}
	_exit(0);
}

/* A sweep beside writers that live takes nothing from them. */
static void sweeping_beside_writers(void **state)
{
	const struct folder *f = *state;
	pid_t children[3];
	int stop[2];

	assert_int_equal(pipe2(stop, O_NONBLOCK), 0);
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			close(stop[1]);
			write_until_told(f, stop[0]);
		}
	}
	for (int i = 0; i < 3000; i++)
		tds_io_sweep(f->fd);
	close(stop[0]);
	close(stop[1]);
	for (size_t i = 0; i < COUNT(children); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

static unsigned busy; /* how often the kernel is to hold a page of what is to be sealed */

/* In place of the library's. A third argument that is a number or a pointer, or nothing. */
int fcntl(int fd, int op, ...)
{
	va_list more;
	void *argument;

	va_start(more, op);
	argument = va_arg(more, void *);
	va_end(more);
	if (op == F_ADD_SEALS && busy > 0) {
		busy--;
		errno = EBUSY;
		return -1;
	}
	return (int)syscall(SYS_fcntl, fd, op, argument);
}

/* A moment in which a page is held is waited for; a page that is held for ever, or another error, is told. */
static void sealing_what_is_held(void **state)
{
	int fd = tds_io_memfd("test");

	(void)state;
	busy = 1000;
	assert_int_equal(tds_io_seal(fd), -1);
	assert_int_equal(errno, EBUSY);
	assert_false(tds_io_is_sealed(fd));
	busy = 3;
	assert_int_equal(tds_io_seal(fd), 0);
	assert_int_equal(busy, 0);
	assert_true(tds_io_is_sealed(fd));
	assert_int_equal(tds_io_seal(fd), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
}

static void sealing(void **state)
{
	int fd = tds_io_memfd("test");

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, "text", 4), 0);
	assert_int_equal(tds_io_seal(fd), 0);
	assert_int_equal(pwrite(fd, "X", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_ptr_equal(mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest io[] = {
		IN_FOLDER(opening),
		IN_FOLDER(a_fifo_has_a_writer),
		IN_FOLDER(slurping),
		IN_FOLDER(slurping_pipes),
		IN_FOLDER(writing),
		IN_FOLDER(pairs),
		IN_FOLDER(a_new_file_replaces_none),
		IN_FOLDER(impossible_files),
		IN_FOLDER(sweeping),
		IN_FOLDER(sweeping_what_was_planted),
		IN_FOLDER(sweeping_beside_writers),
		cmocka_unit_test(sealing),
		cmocka_unit_test(sealing_what_is_held),
	};

	return cmocka_run_group_tests(io, NULL, NULL);
}
