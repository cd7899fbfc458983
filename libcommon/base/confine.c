/* SPDX-License-Identifier: MIT */
/*
 * The filters of our own small processes. What a library may want only sometimes, and does well without, is not allowed:
 * the library gets EPERM, and so does whoever took the process over.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "filter.h"
#include "landlock.h"
#include "mem.h"

/* clang warns of what libseccomp's own macros leave out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Folders are moved on the way. */
#define REMOVING                                                                      \
	(TDS_LANDLOCK_READ_DIR | TDS_LANDLOCK_REMOVE_DIR | TDS_LANDLOCK_REMOVE_FILE | \
	 TDS_LANDLOCK_MAKE_DIR | TDS_LANDLOCK_REFER)

/* Memory that runs is mapped before, and never after. */
#define NOT_TO_RUN(arg) SCMP_A##arg##_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)

/* What fstat is where a time_t has 32 bits. */
#define STATS_OPEN TDS_ALLOW_IF(statx, SCMP_A2_32(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH))

/* What every process does that computes and ends. */
#define COMPUTES                                                                               \
	TDS_ALLOW(brk), TDS_ALLOW_IF(mmap, NOT_TO_RUN(2)), TDS_ALLOW_IF(mmap2, NOT_TO_RUN(2)), \
		TDS_ALLOW_IF(mprotect, NOT_TO_RUN(2)), TDS_ALLOW(munmap), TDS_ALLOW(mremap),   \
		TDS_ALLOW(madvise), TDS_ALLOW(futex), TDS_ALLOW(rt_sigreturn),                 \
		TDS_ALLOW(rt_sigprocmask), TDS_ALLOW(getpid), TDS_ALLOW(gettid),               \
		TDS_ALLOW(getrandom), TDS_ALLOW(clock_gettime), TDS_ALLOW(clock_gettime64),    \
		TDS_ALLOW(futex_time64), TDS_ALLOW(sysinfo), STATS_OPEN, TDS_ALLOW(uname),     \
		TDS_ALLOW(sched_getaffinity), TDS_ALLOW(restart_syscall), TDS_ALLOW(exit),     \
		TDS_ALLOW(exit_group)

static int bound(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -1;
	if (limit.rlim_max > most)
		limit = (struct rlimit){ most, most };
	return setrlimit(resource, &limit);
}

/* A sanitizer looks for leaks at the end, by a process that traces this one, and files of /proc: nothing of that can be kept. */
#ifdef __SANITIZE_ADDRESS__
#define IS_TRACED true
#else
#define IS_TRACED false
#endif

/* No process, where it has no threads, which count as such; and nobody of the same user who looks into the memory. */
static bool be_alone(bool has_threads)
{
	return IS_TRACED || (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			     (has_threads || bound(RLIMIT_NPROC, 0) == 0));
}

/* No core either; and what the caller says. */
static int set_bounds(const struct tds_bounds *bounds, bool has_threads, struct tds_err *err)
{
	if (!be_alone(has_threads) || bound(RLIMIT_CORE, 0) != 0 ||
	    bound(RLIMIT_CPU, bounds->cpu_s) != 0 || bound(RLIMIT_AS, bounds->memory) != 0 ||
	    bound(RLIMIT_FSIZE, bounds->file) != 0 ||
	    bound(RLIMIT_NOFILE, bounds->descriptors) != 0)
		return tds_err_sys(err, TDS_E_REFUSED, "its limits cannot be set");
	return 0;
}

/* Allow rights below the folder of this name; NULL: on the folder itself. What is not there needs no rule. */
static bool allow_folder(int rules, int folder, const char *name, uint64_t rights)
{
	tds_autofd int fd =
		openat(folder, name ? name : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || tds_landlock_allow(rules, fd, rights);
}

/*
 * Let this process open no file but what is below the folder of this name, for removing it; name NULL: none at all.
 * A kernel that has no rules for files, or cannot tell moving from making, leaves it to the filter.
 */
static int hold_files(int folder, const char *name, struct tds_err *err)
{
	int abi = tds_landlock_abi();

	if (IS_TRACED || abi < (name ? TDS_LANDLOCK_HOLDS_REFER : TDS_LANDLOCK_FILES))
		return 0;
	tds_autofd int rules = tds_landlock_new(
		abi, abi < TDS_LANDLOCK_HOLDS_TCP ? 0 : TDS_LANDLOCK_BIND | TDS_LANDLOCK_CONNECT);
	if (rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    (name && (!allow_folder(rules, folder, NULL, TDS_LANDLOCK_REMOVE_DIR) ||
		      !allow_folder(rules, folder, name, REMOVING))) ||
	    !tds_landlock_hold(rules))
		return tds_err_sys(err, TDS_E_REFUSED, "the system takes no rules for files");
	return 0;
}

static int hold_calls(const struct tds_filter_rule *rules, size_t n, struct tds_err *err)
{
	return IS_TRACED ? 0 : tds_filter_hold(rules, n, err);
}

int tds_confine_verifier(const struct tds_bounds *bounds, int verdict, struct tds_err *err)
{
	const struct tds_filter_rule rules[] = {
		COMPUTES,
		TDS_ALLOW(read),
		TDS_ALLOW(pread64),
		TDS_ALLOW(write),
		TDS_ALLOW(lseek),
		TDS_ALLOW(_llseek),
		TDS_ALLOW(close),
		TDS_ALLOW(fstat),
		TDS_ALLOW(fstat64),
		TDS_ALLOW_IF(newfstatat, SCMP_A3_32(SCMP_CMP_EQ, AT_EMPTY_PATH)),
		TDS_ALLOW(fsync),
		TDS_ALLOW(memfd_create),
		TDS_ALLOW_IF(fcntl, SCMP_A1_32(SCMP_CMP_EQ, F_ADD_SEALS)),
		TDS_ALLOW_IF(fcntl64, SCMP_A1_32(SCMP_CMP_EQ, F_ADD_SEALS)),
		TDS_ALLOW_IF(sendmsg, SCMP_A0_32(SCMP_CMP_EQ, (unsigned)verdict)),
	};
	int rc = set_bounds(bounds, false, err);

	if (rc == 0)
		rc = hold_files(-1, NULL, err);
	return rc == 0 ? hold_calls(rules, COUNT(rules), err) : rc;
}

int tds_confine_remover(const struct tds_bounds *bounds, int folder, const char *name,
			struct tds_err *err)
{
	/* Of an openat2 no filter sees the flags. */
	static const struct tds_filter_rule rules[] = {
		COMPUTES,
		TDS_ALLOW_IF(openat, SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC,
						O_RDONLY)),
		TDS_ALLOW(openat2),
		TDS_ALLOW(close),
		TDS_ALLOW(fstat),
		TDS_ALLOW(fstat64),
		TDS_ALLOW(newfstatat),
		TDS_ALLOW(statx),
		TDS_ALLOW(fstatat64),
		TDS_ALLOW_IF(fcntl, SCMP_A1_32(SCMP_CMP_EQ, F_GETFL)),
		TDS_ALLOW_IF(fcntl, SCMP_A1_32(SCMP_CMP_EQ, F_SETFD)),
		TDS_ALLOW_IF(fcntl64, SCMP_A1_32(SCMP_CMP_EQ, F_GETFL)),
		TDS_ALLOW_IF(fcntl64, SCMP_A1_32(SCMP_CMP_EQ, F_SETFD)),
		TDS_ALLOW(getdents64),
		TDS_ALLOW(unlinkat),
		TDS_ALLOW(renameat),
		TDS_ALLOW(renameat2),
		TDS_ALLOW(chmod),
		TDS_ALLOW(fchmodat),
		TDS_ALLOW_IF(write, SCMP_A0_32(SCMP_CMP_EQ, 1)),
		TDS_ALLOW_IF(write, SCMP_A0_32(SCMP_CMP_EQ, 2)),
	};
	int rc = set_bounds(bounds, false, err);

	if (rc == 0)
		rc = hold_files(folder, name, err);
	return rc == 0 ? hold_calls(rules, COUNT(rules), err) : rc;
}

/* Files are not opened at all; without rules for TCP the filter alone says what sockets there are. */
static int hold_ports(const uint16_t *ports, size_t n, struct tds_err *err)
{
	int abi = tds_landlock_abi();
	bool has_tcp = abi >= TDS_LANDLOCK_HOLDS_TCP;

	if (IS_TRACED || abi < TDS_LANDLOCK_FILES)
		return 0;
	tds_autofd int rules =
		tds_landlock_new(abi, has_tcp ? TDS_LANDLOCK_BIND | TDS_LANDLOCK_CONNECT : 0);
	bool held = rules >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	for (size_t i = 0; has_tcp && held && i < n; i++)
		held = tds_landlock_allow_port(rules, ports[i], TDS_LANDLOCK_CONNECT);
	return held && tds_landlock_hold(rules)
		       ? 0
		       : tds_err_sys(err, TDS_E_REFUSED, "the system takes no rules for ports");
}

/* SOCK_STREAM whatever flags it has, and of the protocols that begin with these bits TCP alone is one of it. */
#define A_THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)
#define OF_TCP(family)                                                 \
	TDS_ALLOW_IF(socket, SCMP_A0_32(SCMP_CMP_EQ, (family)),        \
		     SCMP_A1_32(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM), \
		     SCMP_A2_32(SCMP_CMP_MASKED_EQ, (unsigned)~IPPROTO_TCP, 0))

int tds_confine_link(const struct tds_bounds *bounds, const uint16_t *ports, size_t n,
		     struct tds_err *err)
{
	static const struct tds_filter_rule rules[] = {
		COMPUTES,
		/* The C library falls back to clone, whose flags a filter sees. */
		TDS_REFUSE(clone3, ENOSYS),
		TDS_ALLOW_IF(clone, SCMP_A0(SCMP_CMP_MASKED_EQ, A_THREAD, A_THREAD)),
		TDS_ALLOW(set_robust_list),
		TDS_ALLOW(rseq),
		TDS_ALLOW(clock_nanosleep),
		TDS_ALLOW(nanosleep),
		OF_TCP(AF_INET),
		OF_TCP(AF_INET6),
		TDS_ALLOW(connect),
		TDS_ALLOW(getsockname),
		TDS_ALLOW(getpeername),
		TDS_ALLOW(getsockopt),
		TDS_ALLOW(setsockopt),
		TDS_ALLOW(shutdown),
		TDS_ALLOW(sendto),
		TDS_ALLOW(recvfrom),
		TDS_ALLOW(read),
		TDS_ALLOW(write),
		TDS_ALLOW(poll),
		TDS_ALLOW(ppoll),
		TDS_ALLOW(select),
		TDS_ALLOW(_newselect),
		TDS_ALLOW(pselect6),
		TDS_ALLOW(close),
		TDS_ALLOW_IF(fcntl, SCMP_A1_32(SCMP_CMP_EQ, F_GETFL)),
		TDS_ALLOW_IF(fcntl, SCMP_A1_32(SCMP_CMP_EQ, F_SETFL)),
		TDS_ALLOW_IF(fcntl64, SCMP_A1_32(SCMP_CMP_EQ, F_GETFL)),
		TDS_ALLOW_IF(fcntl64, SCMP_A1_32(SCMP_CMP_EQ, F_SETFL)),
	};
	int rc = set_bounds(bounds, true, err);

	if (rc == 0)
		rc = hold_ports(ports, n, err);
	return rc == 0 ? hold_calls(rules, COUNT(rules), err) : rc;
}
