/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a tool, it makes one of its calls fail: TDS_FAULT=CALL:N:ERRNO lets the Nth CALL fail with that
 * number; CALL:N+:ERRNO each one from the Nth on. ERRNO 0: half of what was asked for is read or written; -SIGNAL: the
 * tool gets that signal before the call.
 * TDS_FAULT_LOG names a file that is made when the fault happens. Programs that the tool starts are left alone.
 *
 * In a daemon: TDS_FAULT_IN=NAME leaves every program alone until a process gives itself this name (prctl). It alone is
 * then the one to fail, not what it starts; and what is asked for is not a text but the file TDS_FAULT_WISH, a struct
 * wish, which is mapped, and may be changed at any time by who asks. TDS_FAULT_TRACE names a file that gets the stack of
 * each call that fails, for addr2line.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX 64
#define ALL "*" /* in place of a call: nothing fails, all are counted */

/* What is asked for, and what came of it. tests/cases/faultlib.py has the same layout. */
struct wish {
	char call[24]; /* empty: nothing is asked for, nothing is counted; written last */
	int64_t first;
	int64_t last;
	int64_t error;
	atomic_int_least64_t count; /* of this call */
	atomic_int_least64_t hits;  /* how many failed */
	struct {
		char name[24];
		int64_t n;
	} calls[CALLS_MAX]; /* of each, with ALL */
};

static struct wish own;
static struct wish *wish = &own;
static char mark[256];
static char victim[16]; /* the name that the process is to have; empty: it is this one */
static int trace = -1;
static pid_t armed; /* the process whose calls fail */

static void leave_environment(void)
{
	unsetenv("TDS_FAULT");
	unsetenv("TDS_FAULT_LOG");
	unsetenv("TDS_FAULT_IN");
	unsetenv("TDS_FAULT_WISH");
	unsetenv("TDS_FAULT_TRACE");
	unsetenv("LD_PRELOAD");
}

static void read_text(const char *text, const char *log)
{
	char name[sizeof(own.call)] = "";
	long first;
	int error;

	if (sscanf(text, "%23[a-z0-9_]:%ld+:%d", name, &first, &error) == 3)
		own.last = __LONG_MAX__;
	else if (sscanf(text, "%23[a-z0-9_]:%ld:%d", name, &first, &error) == 3)
		own.last = first;
	else
		abort();
	own.first = first;
	own.error = error;
	snprintf(mark, sizeof(mark), "%s", log);
	leave_environment();
	armed = getpid();
	strcpy(own.call, name);
}

/* Runs before main; until then nothing is counted. What was asked for is taken out of the environment. */
__attribute__((constructor)) static void read_wish(void)
{
	const char *text = getenv("TDS_FAULT");
	const char *log = getenv("TDS_FAULT_LOG");
	const char *in = getenv("TDS_FAULT_IN");

	if (in)
		snprintf(victim, sizeof(victim), "%s", in);
	else if (text && log)
		read_text(text, log);
}

/* The process has the name that was waited for. */
static void arm(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("TDS_FAULT_WISH"), O_RDWR | O_CLOEXEC);
	void *at = (void *)syscall(SYS_mmap, NULL, sizeof(*wish), PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);

	if (fd < 0 || at == MAP_FAILED)
		abort();
	syscall(SYS_close, fd);
	if (getenv("TDS_FAULT_TRACE"))
		trace = (int)syscall(SYS_openat, AT_FDCWD, getenv("TDS_FAULT_TRACE"),
				     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	leave_environment();
	wish = at;
	armed = getpid();
}

/* The name is taken away meanwhile: what writes the stack may itself ask for memory. */
static void write_stack(void)
{
	char name[sizeof(own.call)];
	void *at[24];

	strcpy(name, wish->call);
	wish->call[0] = '\0';
	backtrace_symbols_fd(at, backtrace(at, 24), trace);
	strcpy(wish->call, name);
}

static void count_call(const char *name)
{
	for (int i = 0; i < CALLS_MAX; i++) {
		if (!wish->calls[i].name[0])
			strcpy(wish->calls[i].name, name);
		if (strcmp(wish->calls[i].name, name) == 0) {
			wish->calls[i].n++;
			return;
		}
	}
	abort();
}

/* Is it this call's turn? The mark is made by system calls, which nothing here catches. */
static bool turn(const char *name)
{
	int64_t n;

	if (!wish->call[0] || armed != (pid_t)syscall(SYS_getpid))
		return false;
	if (strcmp(wish->call, ALL) == 0)
		count_call(name);
	if (strcmp(name, wish->call) != 0)
		return false;
	n = atomic_fetch_add(&wish->count, 1) + 1;
	if (n < wish->first || n > wish->last)
		return false;
	atomic_fetch_add(&wish->hits, 1);
	if (mark[0])
		syscall(SYS_close,
			(int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600));
	if (trace >= 0)
		write_stack();
	if (wish->error < 0)
		(void)kill(getpid(), (int)-wish->error);
	errno = (int)wish->error;
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
			if (wish->error != 0)                                 \
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
WRAP(int, close, "close", (NEXT(close)(fd), errno = (int)wish->error, -1), (int fd), fd)
WRAP(int, fsync, "fsync", -1, (int fd), fd)
WRAP(int, fdatasync, "fsync", -1, (int fd), fd)
WRAP(int, rename, "rename", -1, (const char *from, const char *to), from, to)
WRAP(int, renameat, "rename", -1, (int fd, const char *from, int dir, const char *to), fd, from, dir, to)
WRAP(int, renameat2, "rename", -1, (int fd, const char *from, int dir, const char *to, unsigned int flags),
     fd, from, dir, to, flags)
WRAP(int, linkat, "rename", -1, (int fd, const char *from, int dir, const char *to, int flags), fd, from, dir, to, flags)
WRAP(int, fflush, "fflush", EOF, (FILE *stream), stream)
WRAP(int, memfd_create, "memfd_create", -1, (const char *name, unsigned int flags), name, flags)
WRAP(int, ftruncate, "ftruncate", -1, (int fd, off_t len), fd, len)
WRAP(int, ftruncate64, "ftruncate", -1, (int fd, off_t len), fd, len)
WRAP(int, unlinkat, "unlink", -1, (int dir, const char *name, int flags), dir, name, flags)
WRAP(int, mkdirat, "mkdir", -1, (int dir, const char *name, mode_t mode), dir, name, mode)
WRAP(int, fchmod, "fchmod", -1, (int fd, mode_t mode), fd, mode)
WRAP(int, fstat, "stat", -1, (int fd, struct stat *st), fd, st)
WRAP(int, fstat64, "stat", -1, (int fd, struct stat64 *st), fd, st)
WRAP(int, fstatat, "stat", -1, (int dir, const char *name, struct stat *st, int flags), dir, name, st, flags)
WRAP(int, fstatat64, "stat", -1, (int dir, const char *name, struct stat64 *st, int flags), dir, name, st, flags)
WRAP(DIR *, opendir, "opendir", NULL, (const char *path), path)
WRAP(DIR *, fdopendir, "opendir", NULL, (int fd), fd)
WRAP(int, dup, "dup", -1, (int fd), fd)
WRAP(pid_t, fork, "fork", -1, (void),)
WRAP(pid_t, waitpid, "wait", -1, (pid_t pid, int *status, int options), pid, status, options)
WRAP(int, waitid, "wait", -1, (idtype_t type, id_t id, siginfo_t *info, int options), type, id, info, options)
WRAP(int, socketpair, "socketpair", -1, (int domain, int type, int protocol, int ends[2]), domain, type, protocol, ends)
WRAP(int, pipe2, "pipe", -1, (int ends[2], int flags), ends, flags)
WRAP(int, accept4, "accept", -1, (int fd, struct sockaddr *at, socklen_t *len, int flags), fd, at, len, flags)
WRAP(ssize_t, recvmsg, "recvmsg", -1, (int fd, struct msghdr *msg, int flags), fd, msg, flags)
WRAP(ssize_t, sendmsg, "sendmsg", -1, (int fd, const struct msghdr *msg, int flags), fd, msg, flags)
WRAP_SIZED(recv, "recv", (int fd, void *buf, size_t len, int flags), fd, buf, len, flags)
WRAP_SIZED(__recv_chk, "recv", (int fd, void *buf, size_t len, size_t room, int flags), fd, buf, len, room, flags)
WRAP_SIZED(send, "send", (int fd, const void *buf, size_t len, int flags), fd, buf, len, flags)
WRAP(ssize_t, readv, "readv", -1, (int fd, const struct iovec *v, int n), fd, v, n)
WRAP(ssize_t, writev, "writev", -1, (int fd, const struct iovec *v, int n), fd, v, n)
WRAP(int, getsockopt, "getsockopt", -1, (int fd, int level, int name, void *value, socklen_t *len), fd, level, name, value, len)
WRAP(int, setsockopt, "setsockopt", -1, (int fd, int level, int name, const void *value, socklen_t len),
     fd, level, name, value, len)
WRAP(int, epoll_wait, "epoll_wait", -1, (int fd, struct epoll_event *events, int n, int ms), fd, events, n, ms)
WRAP(int, inotify_init1, "inotify_init", -1, (int flags), flags)
WRAP(int, inotify_add_watch, "inotify_add", -1, (int fd, const char *path, uint32_t mask), fd, path, mask)
WRAP(void *, mmap, "mmap", MAP_FAILED, (void *at, size_t len, int prot, int flags, int fd, off_t from),
     at, len, prot, flags, fd, from)
WRAP(void *, mmap64, "mmap", MAP_FAILED, (void *at, size_t len, int prot, int flags, int fd, off_t from),
     at, len, prot, flags, fd, from)

/* A third argument that is a number or a pointer, or nothing. */
int fcntl(int fd, int op, ...);
int fcntl(int fd, int op, ...)
{
	va_list more;
	void *argument;

	va_start(more, op);
	argument = va_arg(more, void *);
	va_end(more);
	return turn("fcntl") ? -1 : NEXT(fcntl)(fd, op, argument);
}

int fcntl64(int fd, int op, ...) __attribute__((alias("fcntl")));

long syscall(long number, ...);
long syscall(long number, ...)
{
	static __typeof__(&syscall) next;
	va_list more;
	long a[6];

	va_start(more, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(more, long);
	va_end(more);
	if (number == SYS_pidfd_open && turn("pidfd_open"))
		return -1;
	if (!next)
		next = NEXT(syscall);
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Only what is new to the kernel asks for memory: the other operations cannot fail. */
int epoll_ctl(int fd, int op, int of, struct epoll_event *event)
{
	return op == EPOLL_CTL_ADD && turn("epoll_ctl") ? -1 : NEXT(epoll_ctl)(fd, op, of, event);
}

int prctl(int option, ...);
int prctl(int option, ...)
{
	va_list more;
	unsigned long a[4];

	va_start(more, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(more, unsigned long);
	va_end(more);
	int rc = NEXT(prctl)(option, a[0], a[1], a[2], a[3]);
	if (option == PR_SET_NAME && victim[0] && strcmp((const char *)a[0], victim) == 0)
		arm();
	return rc;
}

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

	bool all = strcmp(wish->call, ALL) == 0;

	if ((!all && strcmp(wish->call, "malloc") != 0) || !dladdr(caller, &from) || !from.dli_fname)
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
