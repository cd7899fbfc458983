/* SPDX-License-Identifier: MIT */
/*
 * The first filter is a list of what is allowed. All else is "not permitted", so that Python has a PermissionError; but for
 * calls that are newer than the list, which are as if the kernel did not have them, so that libraries do without.
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filter.h"
#include "base/io.h"
#include "base/mem.h"

/* clang warns of what libseccomp's own macros leave out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define SOCK_KIND 0xf /* of a socket's type, without SOCK_CLOEXEC and SOCK_NONBLOCK */

/* The numbers of calls that came after those which the lists know; they are the same everywhere. */
#define NEWER 450
#define NEWER_END 512

/* New namespaces; a child that is somebody else's, or traced. */
#define CLONE_ASTRAY                                                                   \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_PARENT | CLONE_PTRACE | CLONE_UNTRACED)
#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* clang-format off */
static const char *const always[] = {
	/* descriptors that are open, and files that Landlock lets be opened */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
	"close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2", "eventfd", "eventfd2", "memfd_create", "sendfile",
	"copy_file_range", "fsync", "fdatasync", "sync_file_range", "fallocate", "ftruncate", "fadvise64", "readahead", "flock",
	"stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fchdir", "umask",
	/* waiting */
	"poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
	"epoll_pwait2",
	/* sockets that it has */
	"recvfrom", "recvmsg", "recvmmsg", "shutdown", "getsockname", "getpeername",
	"getsockopt",
	/* memory */
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mlock", "munlock", "membarrier",
	/* threads, and processes that it has made */
	"futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "gettid", "sched_yield",
	"sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
	"getcpu", "exit", "exit_group", "wait4", "waitid", "arch_prctl", "pidfd_open",
	/* who it is, and what it may use */
	"getpid", "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid",
	"getgroups", "getrlimit", "setrlimit", "getrusage", "getpriority", "times", "sysinfo", "uname", "capget", "getrandom",
	/* time and signals */
	"time", "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "alarm", "pause", "getitimer",
	"setitimer", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete", "timerfd_create",
	"timerfd_settime", "timerfd_gettime", "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigsuspend", "rt_sigreturn", "sigaltstack", "signalfd", "signalfd4", "restart_syscall",
	/* more of the same for itself */
	"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", NULL,
};

/* They hide their arguments in memory; libraries have another way. */
static const char *const absent[] = { "clone3", "openat2", NULL };

/* Attributes are not supported here: what copies files then goes on without them. */
static const char *const unsupported[] = {
	"getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr", "setxattr", "lsetxattr", "fsetxattr",
	"removexattr", "lremovexattr", "fremovexattr", NULL,
};

static const char *const writing[] = {
	"mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
	"symlinkat", NULL,
};

static const char *const times[] = { "utime", "utimes", "utimensat", "futimesat", NULL };

static const char *const signals[] = {
	"tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", NULL,
};

static const char *const running[] = { "fork", "vfork", "execve", "setsid", "setpgid", NULL };
static const char *const listening[] = { "bind", "listen", "accept", "accept4", NULL };
static const char *const truncating[] = { "truncate", NULL };
static const char *const executing[] = { "execve", NULL };
static const char *const connecting[] = { "connect", NULL };
/* clang-format on */

/* By name: what a library or an architecture does not know has none of its own, and no rule. */
static void rule(struct tds_filter *f, uint32_t action, const char *name, unsigned n,
		 const struct scmp_arg_cmp *args)
{
	tds_filter_add(f, action, seccomp_syscall_resolve_name(name), n, args);
}

static void allow_if(struct tds_filter *f, const char *name, struct scmp_arg_cmp arg)
{
	rule(f, SCMP_ACT_ALLOW, name, 1, &arg);
}

static void allow_values(struct tds_filter *f, const char *name, unsigned at,
			 const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		allow_if(f, name, SCMP_CMP64(at, SCMP_CMP_EQ, values[i]));
}
#define ALLOW_VALUES(f, name, at, ...)                                     \
	allow_values((f), (name), (at), (const uint64_t[]){ __VA_ARGS__ }, \
		     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void all(struct tds_filter *f, uint32_t action, const char *const *names)
{
	for (; *names; names++)
		rule(f, action, *names, 0, NULL);
}

/* --- the first --- */

/* What needs no look at arguments, by what is asked for. */
static const struct {
	unsigned wanted; /* 0: always */
	const char *const *names;
} plain[] = {
	{ 0, always },
	{ FILTER_WRITES, writing },
	{ FILTER_MODES, times },
	{ FILTER_TRUNCATES, truncating },
	{ FILTER_SIGNALS, signals },
	{ FILTER_CONNECTS, connecting },
	{ FILTER_LISTENS, listening },
	{ FILTER_RUNS, running },
	/* Of the interpreter alone, by Landlock: a source that has threads starts one for each actor. */
	{ 0, executing },
};
#define PLAIN (sizeof(plain) / sizeof(plain[0]))

static void hide(struct tds_filter *f)
{
	all(f, SCMP_ACT_ERRNO(ENOTSUP), unsupported);
	all(f, SCMP_ACT_ERRNO(ENOSYS), absent);
	for (int number = NEWER; number < NEWER_END; number++)
		tds_filter_add(f, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
}

/*
 * A file that runs as its owner, or with its group, whoever starts it, would be a way out of the sandbox for somebody else's
 * process: none is made so.
 */
static struct scmp_arg_cmp as_who_starts_it(unsigned mode)
{
	return SCMP_CMP64(mode, SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0);
}

/* Only what makes a file has a mode. */
#define MAKES ((uint64_t)O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

/* Allow an opening whose flags, of these, have this value; its mode comes behind its flags. */
static void allow_flags(struct tds_filter *f, const char *name, unsigned flags, uint64_t these,
			uint64_t value)
{
	rule(f, SCMP_ACT_ALLOW, name, 2,
	     (const struct scmp_arg_cmp[]){ SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, these, value),
					    as_who_starts_it(flags + 1) });
	allow_if(f, name, SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, these | MAKES, value));
}

/*
 * Before version 3 Landlock does not hold truncation: of a file that is opened for reading alone it is done without a look
 * at the rights.
 */
static void allow_opening(struct tds_filter *f, const char *name, unsigned flags, bool held)
{
	if (held) {
		allow_if(f, name, as_who_starts_it(flags + 1));
		allow_if(f, name, SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, MAKES, 0));
		return;
	}
	allow_flags(f, name, flags, O_TRUNC, 0);
	allow_flags(f, name, flags, O_ACCMODE, O_WRONLY);
	allow_flags(f, name, flags, O_ACCMODE, O_RDWR);
}

/* Calls that set a mode. */
static void allow_modes(struct tds_filter *f, unsigned allowed)
{
	static const struct {
		const char *name;
		unsigned wanted;
		unsigned mode;
	} setting[] = {
		{ "creat", FILTER_WRITES, 1 },   { "mknod", FILTER_WRITES, 1 },
		{ "mknodat", FILTER_WRITES, 2 }, { "chmod", FILTER_MODES, 1 },
		{ "fchmod", FILTER_MODES, 1 },   { "fchmodat", FILTER_MODES, 2 },
	};

	for (size_t i = 0; i < sizeof(setting) / sizeof(setting[0]); i++)
		if (allowed & setting[i].wanted)
			allow_if(f, setting[i].name, as_who_starts_it(setting[i].mode));
}

/* TCP fast open connects by sending. A look at the flags costs each message a little, so they are looked at only where needed. */
static void allow_sending(struct tds_filter *f, unsigned allowed)
{
	bool anywhere = (allowed & FILTER_CONNECTS) && !(allowed & FILTER_PORTS);
	bool connects = anywhere || !(allowed & (FILTER_CONNECTS | FILTER_LISTENS));
	static const struct {
		const char *name;
		unsigned flags;
	} sending[] = { { "sendto", 3 }, { "sendmsg", 2 }, { "sendmmsg", 3 } };

	for (size_t i = 0; i < sizeof(sending) / sizeof(sending[0]); i++)
		rule(f, SCMP_ACT_ALLOW, sending[i].name, connects ? 0 : 1,
		     (const struct scmp_arg_cmp[]){
			     SCMP_CMP64(sending[i].flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0) });
}

/* No owner and no signal for a descriptor, no lease. And no device is told anything: TIOCSTI types. */
static void allow_controls(struct tds_filter *f)
{
	ALLOW_VALUES(f, "fcntl", 1, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		     F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		     F_ADD_SEALS, F_GET_SEALS, F_GETPIPE_SZ, F_SETPIPE_SZ);
	ALLOW_VALUES(f, "ioctl", 1, TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX);
	ALLOW_VALUES(f, "prctl", 0, PR_SET_NAME, PR_GET_NAME, PR_GET_PDEATHSIG, PR_GET_DUMPABLE,
		     PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_CHILD_SUBREAPER,
		     PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_SET_SECCOMP, PR_SET_VMA);
	/* What its processes leave behind stays its own, where it is found. */
	rule(f, SCMP_ACT_ALLOW, "prctl", 2,
	     (const struct scmp_arg_cmp[]){ SCMP_A0(SCMP_CMP_EQ, PR_SET_CHILD_SUBREAPER),
					    SCMP_A1(SCMP_CMP_EQ, 1) });
	/* It keeps dying with its parent. */
	rule(f, SCMP_ACT_ALLOW, "prctl", 2,
	     (const struct scmp_arg_cmp[]){ SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG),
					    SCMP_A1(SCMP_CMP_EQ, SIGKILL) });
}

/* Of what is of a process by its number: its own, which is 0. */
static void allow_own(struct tds_filter *f, bool signals_are_held)
{
	static const char *const by_pid[] = { "prlimit64", "sched_setaffinity", NULL };

	for (const char *const *name = by_pid; *name; name++)
		allow_if(f, *name, SCMP_A0(SCMP_CMP_EQ, 0));
	rule(f, SCMP_ACT_ALLOW, "setpriority", 2,
	     (const struct scmp_arg_cmp[]){ SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, 0) });
	/* A filter that is put on before the fork cannot know the actor's number: 0 is its group, the processes of the source. */
	if (signals_are_held)
		rule(f, SCMP_ACT_ALLOW, "kill", 0, NULL);
	else
		allow_if(f, "kill", SCMP_A0(SCMP_CMP_EQ, 0));
}

static void allow_kind(struct tds_filter *f, const char *name, uint64_t family, uint64_t kind,
		       uint64_t protocol)
{
	rule(f, SCMP_ACT_ALLOW, name, 3,
	     (const struct scmp_arg_cmp[]){ SCMP_A0(SCMP_CMP_EQ, family),
					    SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_KIND, kind),
					    SCMP_A2(SCMP_CMP_EQ, protocol) });
}

/* By number: the headers of the protocols contradict each other. */
enum { TCP = 6, UDP = 17, IP = 0, IPV6 = 41 };

/* Other protocols that are streams, such as MPTCP, Landlock does not hold to ports. */
static void allow_inet(struct tds_filter *f, uint64_t family, unsigned allowed)
{
	allow_kind(f, "socket", family, SOCK_STREAM, 0);
	allow_kind(f, "socket", family, SOCK_STREAM, TCP);
	if (!(allowed & FILTER_DATAGRAMS))
		return;
	allow_kind(f, "socket", family, SOCK_DGRAM, 0);
	allow_kind(f, "socket", family, SOCK_DGRAM, UDP);
}

/* Of pairs no datagrams: those can be sent to any path. */
static void allow_sockets(struct tds_filter *f, unsigned allowed)
{
	static const uint64_t options[] = { SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER,
					    SO_SNDBUF,    SO_RCVBUF,    SO_PASSCRED,
					    SO_RCVTIMEO,  SO_SNDTIMEO,  SO_OOBINLINE };

	allow_kind(f, "socketpair", AF_UNIX, SOCK_STREAM, 0);
	allow_kind(f, "socketpair", AF_UNIX, SOCK_SEQPACKET, 0);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		rule(f, SCMP_ACT_ALLOW, "setsockopt", 2,
		     (const struct scmp_arg_cmp[]){ SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
						    SCMP_A2(SCMP_CMP_EQ, options[i]) });
	if (allowed & FILTER_LOCAL) {
		allow_kind(f, "socket", AF_UNIX, SOCK_STREAM, 0);
		allow_kind(f, "socket", AF_UNIX, SOCK_DGRAM, 0);
	}
	if (!(allowed & (FILTER_CONNECTS | FILTER_LISTENS)))
		return;
	allow_inet(f, AF_INET, allowed);
	allow_inet(f, AF_INET6, allowed);
	ALLOW_VALUES(f, "setsockopt", 1, TCP, IP, IPV6);
}

/* Threads, and processes that stay one's own. The newer call hides its flags in memory: libraries fall back. */
static void allow_forking(struct tds_filter *f)
{
	allow_if(f, "clone", SCMP_CMP64(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_ASTRAY, 0));
}

static void fill_first(struct tds_filter *f, unsigned allowed)
{
	for (size_t i = 0; i < PLAIN; i++)
		if ((plain[i].wanted & allowed) == plain[i].wanted)
			all(f, SCMP_ACT_ALLOW, plain[i].names);
	allow_opening(f, "open", 1, allowed & FILTER_TRUNCATES);
	allow_opening(f, "openat", 2, allowed & FILTER_TRUNCATES);
	allow_controls(f);
	allow_own(f, allowed & FILTER_SIGNALS);
	allow_sockets(f, allowed);
	allow_modes(f, allowed);
	allow_sending(f, allowed);
	allow_forking(f);
}

/* --- the second --- */

static void fill_second(struct tds_filter *f)
{
	static const char *const processes[] = { "fork", "vfork", "execve", "execveat", NULL };

	all(f, SCMP_ACT_ERRNO(EPERM), processes);
	rule(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	rule(f, SCMP_ACT_ERRNO(EPERM), "clone", 1,
	     (const struct scmp_arg_cmp[]){
		     SCMP_CMP64(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0) });
}

/* --- both --- */

/* Write it behind what is in the file. */
static void add_to(struct tds_filter *f, int fd)
{
	if (f->error != 0)
		return;
	/* A tree of numbers instead of a list; an older library makes the list. */
	(void)seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	f->error = -seccomp_export_bpf(f->ctx, fd);
}

static int no_filter(int error, struct tds_err *err)
{
	errno = error;
	return tds_err_sys(err, TDS_E_WRITE, "the filter of system calls cannot be made");
}

int filters_make(unsigned allowed, struct filters *filters, struct tds_err *err)
{
	tds_autofd int fd = tds_io_memfd("tds-filters");

	if (fd < 0)
		return no_filter(errno, err);
	tds_auto(filter) struct tds_filter first = tds_filter_new(SCMP_ACT_ERRNO(EPERM));
	tds_auto(filter) struct tds_filter second = tds_filter_new(SCMP_ACT_ALLOW);
	fill_first(&first, allowed);
	hide(&first);
	add_to(&first, fd);
	off_t len = lseek(fd, 0, SEEK_CUR);
	if (!(allowed & FILTER_RUNS))
		fill_second(&second);
	add_to(&second, fd);
	if (first.error || second.error || len < 0 || tds_io_seal(fd) != 0)
		return no_filter(first.error    ? first.error
				 : second.error ? second.error
						: errno,
				 err);
	*filters = (struct filters){ .fd = tds_steal_fd(&fd), .first = (unsigned)len };
	return 0;
}
