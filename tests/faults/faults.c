/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a tool, it makes one of its calls fail: TDS_FAULT=CALL:N:ERRNO lets the Nth CALL fail with that
 * number; CALL:N+:ERRNO each one from the Nth on. ERRNO 0: half of what was asked for is read or written; -SIGNAL: the
 * tool gets that signal before the call.
 * TDS_FAULT_LOG names a file that is made when the fault happens. Programs that the tool starts are left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* What was asked for; call is empty where nothing was. */
static char call[32];
static long first;
static long last;
static int error;
static char mark[256];
static atomic_long count;

/* Runs before main; until then nothing is counted. What was asked for is taken out of the environment. */
__attribute__((constructor)) static void read_wish(void)
{
	const char *wish = getenv("TDS_FAULT");
	const char *log = getenv("TDS_FAULT_LOG");
	char name[sizeof(call)] = "";

	if (!wish || !log)
		return;
	if (sscanf(wish, "%31[a-z_]:%ld+:%d", name, &first, &error) == 3)
		last = __LONG_MAX__;
	else if (sscanf(wish, "%31[a-z_]:%ld:%d", name, &first, &error) == 3)
		last = first;
	else
		abort();
	snprintf(mark, sizeof(mark), "%s", log);
	unsetenv("TDS_FAULT");
	unsetenv("TDS_FAULT_LOG");
	unsetenv("LD_PRELOAD");
	strcpy(call, name);
}

/* Is it this call's turn? The mark is made by system calls, which nothing here catches. */
static bool turn(const char *name)
{
	long n;

	if (strcmp(name, call) != 0)
		return false;
	n = atomic_fetch_add(&count, 1) + 1;
	if (n < first || n > last)
		return false;
	syscall(SYS_close, (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600));
	if (error < 0)
		(void)kill(getpid(), -error);
	errno = error;
	return true;
}

/* The function that would have been called without this library. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* clang-format off */
#define WRAP(type, name, as, failure, parameters, ...)                  \
	type name parameters;                                           \
	type name parameters                                            \
	{                                                               \
		return turn(as) ? (failure) : NEXT(name)(__VA_ARGS__);  \
	}

/* A call that moves len bytes, and so can also move fewer. */
#define WRAP_SIZED(name, as, parameters, ...)                           \
	ssize_t name parameters;                                        \
	ssize_t name parameters                                         \
	{                                                               \
		if (turn(as)) {                                         \
			if (error != 0)                                 \
				return -1;                              \
			len -= len / 2;                                 \
		}                                                       \
		return NEXT(name)(__VA_ARGS__);                         \
	}

/* A call with a mode behind flags, where it makes a file. */
#define WRAP_OPEN(name, parameters, ...)                                \
	int name parameters;                                            \
	int name parameters                                             \
	{                                                               \
		va_list more;                                           \
		mode_t mode;                                            \
		va_start(more, flags);                                  \
		mode = va_arg(more, mode_t);                            \
		va_end(more);                                           \
		return turn("open") ? -1 : NEXT(name)(__VA_ARGS__, mode); \
	}

WRAP_SIZED(read, "read", (int fd, void *buf, size_t len), fd, buf, len)
WRAP_SIZED(__read_chk, "read", (int fd, void *buf, size_t len, size_t room), fd, buf, len, room)
WRAP_SIZED(pread, "read", (int fd, void *buf, size_t len, off_t at), fd, buf, len, at)
WRAP_SIZED(pread64, "read", (int fd, void *buf, size_t len, off_t at), fd, buf, len, at)
WRAP_SIZED(__pread_chk, "read", (int fd, void *buf, size_t len, off_t at, size_t room), fd, buf, len, at, room)
WRAP_SIZED(__pread64_chk, "read", (int fd, void *buf, size_t len, off_t at, size_t room), fd, buf, len, at, room)
WRAP_SIZED(write, "write", (int fd, const void *buf, size_t len), fd, buf, len)
WRAP_SIZED(pwrite, "write", (int fd, const void *buf, size_t len, off_t at), fd, buf, len, at)
WRAP_SIZED(pwrite64, "write", (int fd, const void *buf, size_t len, off_t at), fd, buf, len, at)

WRAP_OPEN(open, (const char *path, int flags, ...), path, flags)
WRAP_OPEN(open64, (const char *path, int flags, ...), path, flags)
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), dir, path, flags)
WRAP_OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path, flags)
WRAP(int, __open_2, "open", -1, (const char *path, int flags), path, flags)
WRAP(int, __openat_2, "open", -1, (int dir, const char *path, int flags), dir, path, flags)
WRAP(FILE *, fopen, "open", NULL, (const char *path, const char *mode), path, mode)
WRAP(FILE *, fopen64, "open", NULL, (const char *path, const char *mode), path, mode)
WRAP(int, close, "close", (NEXT(close)(fd), errno = error, -1), (int fd), fd)
WRAP(int, fsync, "fsync", -1, (int fd), fd)
WRAP(int, fdatasync, "fsync", -1, (int fd), fd)
WRAP(int, rename, "rename", -1, (const char *from, const char *to), from, to)
WRAP(int, renameat, "rename", -1, (int fd, const char *from, int dir, const char *to), fd, from, dir, to)
WRAP(int, renameat2, "rename", -1, (int fd, const char *from, int dir, const char *to, unsigned int flags),
     fd, from, dir, to, flags)
WRAP(int, linkat, "rename", -1, (int fd, const char *from, int dir, const char *to, int flags), fd, from, dir, to, flags)
WRAP(int, fflush, "fflush", EOF, (FILE *stream), stream)
WRAP(int, memfd_create, "memfd_create", -1, (const char *name, unsigned int flags), name, flags)
WRAP(void *, mmap, "mmap", MAP_FAILED, (void *at, size_t len, int prot, int flags, int fd, off_t from),
     at, len, prot, flags, fd, from)
WRAP(void *, mmap64, "mmap", MAP_FAILED, (void *at, size_t len, int prot, int flags, int fd, off_t from),
     at, len, prot, flags, fd, from)

#ifdef TDS_FAULT_MALLOC
/* glibc's own names: dlsym may itself ask for memory. */
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *old, size_t len);

/*
 * OpenSSL 3.0 and libarchive 3.6 crash or exit by themselves in places where they run out of memory: only what the
 * tool, jansson and libc ask for fails.
 */
static bool memory_turn(const void *caller)
{
	Dl_info from;

	if (strcmp(call, "malloc") != 0 || !dladdr(caller, &from) || !from.dli_fname)
		return false;
	if (strstr(from.dli_fname, ".so") && !strstr(from.dli_fname, "/libjansson.") &&
	    !strstr(from.dli_fname, "/libc."))
		return false;
	return turn("malloc");
}

void *malloc(size_t len)
{
	return memory_turn(__builtin_return_address(0)) ? NULL : __libc_malloc(len);
}

void *calloc(size_t n, size_t len)
{
	return memory_turn(__builtin_return_address(0)) ? NULL : __libc_calloc(n, len);
}

void *realloc(void *old, size_t len)
{
	return memory_turn(__builtin_return_address(0)) ? NULL : __libc_realloc(old, len);
}
#endif
