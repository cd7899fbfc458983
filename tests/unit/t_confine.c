/* SPDX-License-Identifier: MIT */
/*
 * What the verifier, the remover and the link process are held to, tried from within: a process puts their own filter on itself, then tries
 * each thing that whoever took it over would try. That the real ones have it on is in t_confined.py.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/confine.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/tree.h"

/* What a process that is tried has open. */
enum { VERDICT = 70, OTHER_SOCKET, FOLDER, A_FILE };

#define UNCONFINED 199 /* no number of an attempt */

typedef int confine_fn(const struct tds_bounds *bounds, int fd, struct tds_err *err);

static const struct tds_bounds bounds = {
	.cpu_s = 50, .memory = RLIM_INFINITY, .file = 1 << 20, .descriptors = 128
};

struct attempt {
	const char *name;
	long args[6];
	long call;
};

static char path[64];
static char one[] = "x";
static struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };
static struct iovec piece = { .iov_base = one, .iov_len = 1 };
static struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
static char *no_words[] = { NULL };

#define P(pointer) ((long)(intptr_t)(pointer))
#define TRY(call_, ...)                                                  \
	{                                                                \
		.name = #call_, .args = __VA_ARGS__, .call = SYS_##call_ \
	}

/* Nothing of this is for either of the two. */
static const struct attempt forbidden[] = {
	TRY(openat, { AT_FDCWD, P("/etc/made"), O_WRONLY | O_CREAT, 0600 }),
	TRY(openat, { AT_FDCWD, P(path), O_RDWR }),
	TRY(socket, { AF_UNIX, SOCK_STREAM }),
	TRY(socket, { AF_INET, SOCK_STREAM }),
	TRY(socketpair, { AF_UNIX, SOCK_STREAM, 0, P(path) }),
	TRY(connect, { OTHER_SOCKET, P(&address), sizeof(address) }),
	TRY(bind, { OTHER_SOCKET, P(&address), sizeof(address) }),
	TRY(listen, { OTHER_SOCKET, 1 }),
	TRY(sendto, { OTHER_SOCKET, P(one), 1 }),
	TRY(sendmsg, { OTHER_SOCKET, P(&message) }),
	TRY(recvmsg, { OTHER_SOCKET, P(&message), MSG_DONTWAIT }),
	TRY(clone, { SIGCHLD }),
	TRY(clone3, { P(path), 64 }),
	TRY(unshare, { CLONE_NEWUSER }),
	TRY(setns, { FOLDER }),
	TRY(execve, { P("/bin/true"), P(no_words), P(no_words) }),
	TRY(execveat, { A_FILE, P(""), P(no_words), P(no_words), AT_EMPTY_PATH }),
	TRY(ptrace, { PTRACE_ATTACH, 1 }),
	TRY(process_vm_readv, { 1, P(&piece), 1, P(&piece), 1 }),
	TRY(kill, { 1, 0 }),
	TRY(tgkill, { 1, 1, 0 }),
	TRY(pidfd_open, { 1 }),
	TRY(pidfd_getfd, { OTHER_SOCKET, 1 }),
	TRY(pidfd_send_signal, { OTHER_SOCKET, 0 }),
	TRY(mount, { P("none"), P("/mnt"), P("tmpfs") }),
	TRY(umount2, { P("/mnt") }),
	TRY(pivot_root, { P("/"), P("/") }),
	TRY(chroot, { P("/") }),
	TRY(chdir, { P("/") }),
	TRY(setuid, { 0 }),
	TRY(setresuid, { 0, 0, 0 }),
	TRY(capset, { P(path), P(path) }),
	TRY(prctl, { 1 }),
	TRY(seccomp, { 1, 0, P(path) }),
	TRY(prlimit64, { 0, RLIMIT_NPROC, P(path), 0 }),
	TRY(bpf, { 0, P(path), 8 }),
	TRY(perf_event_open, { P(path), 0, -1, -1 }),
	TRY(io_uring_setup, { 1, P(path) }),
	TRY(userfaultfd, { 0 }),
	TRY(keyctl, { 0 }),
	TRY(add_key, { P("user"), P("tds"), P(one), 1, -3 }),
	TRY(ioctl, { VERDICT, 0x5412, P(one) }), /* TIOCSTI */
	TRY(mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 }),
	TRY(mprotect, { 0, 4096, PROT_READ | PROT_EXEC }),
	TRY(shmget, { 0, 4096, 0600 }),
	TRY(msgget, { 0, 0600 }),
	TRY(mq_open, { P("tds"), O_CREAT | O_RDWR, 0600 }),
	TRY(inotify_init1, { 0 }),
	TRY(memfd_secret, { 0 }),
	TRY(settimeofday, { P(path) }),
	TRY(sethostname, { P(one), 1 }),
	TRY(reboot, { 0 }),
	TRY(init_module, { P(path), 1, P(one) }),
	TRY(linkat, { AT_FDCWD, P(path), AT_FDCWD, P("/etc/made") }),
	TRY(symlinkat, { P("/etc"), AT_FDCWD, P("/etc/made") }),
	TRY(mkdirat, { AT_FDCWD, P("/etc/made"), 0700 }),
	TRY(mknodat, { AT_FDCWD, P("/etc/made"), 0600 }),
	TRY(fchownat, { AT_FDCWD, P(path) }),
	TRY(setxattr, { P(path), P("user.x"), P(one), 1 }),
	TRY(truncate, { P(path) }),
};

/* And these are not for the verifier. */
static const struct attempt for_the_remover[] = {
	TRY(openat, { AT_FDCWD, P("/etc/passwd"), O_RDONLY }),
	TRY(openat, { FOLDER, P("file"), O_RDONLY }),
	TRY(openat2, { AT_FDCWD, P(path), P(path), sizeof(struct open_how) }),
#ifdef SYS_newfstatat
	TRY(newfstatat, { AT_FDCWD, P("/etc/passwd"), P(path) }),
#else /* 32 bits */
	TRY(fstatat64, { AT_FDCWD, P("/etc/passwd"), P(path) }),
#endif
	TRY(unlinkat, { AT_FDCWD, P(path) }),
	TRY(renameat2, { AT_FDCWD, P(path), AT_FDCWD, P("/etc/made") }),
	TRY(fchmodat, { AT_FDCWD, P(path), 0600 }),
	TRY(getdents64, { FOLDER, P(path), sizeof(path) }),
	TRY(fcntl, { A_FILE, F_DUPFD, 80 }),
};

/* In the child: the number of the first attempt that is not refused by a filter, n where all are. */
static size_t try_all(const struct attempt *attempts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct attempt *a = &attempts[i];
		pid_t me = getpid();
		long rc = syscall(a->call, a->args[0], a->args[1], a->args[2], a->args[3],
				  a->args[4], a->args[5]);

		if (getpid() != me)
			_exit(0); /* it was a fork */
		if (rc != -1 || errno != EPERM)
			return i;
	}
	return n;
}

/* What then returns, in a process that is confined. */
static int confined(confine_fn *confine, int fd, int (*then)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct tds_err err = { 0 };
		int rc = confine(&bounds, fd, &err);

		if (rc != 0)
			(void)fprintf(stderr, "# %s\n", err.reason);
		_exit(rc == 0 ? then() : UNCONFINED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : UNCONFINED;
}

static int confine_remover(const struct tds_bounds *b, int fd, struct tds_err *err)
{
	return tds_confine_remover(b, fd, "tree", err);
}

static int try_forbidden(void)
{
	return (int)try_all(forbidden, COUNT(forbidden));
}

static int try_those_of_the_remover(void)
{
	return (int)try_all(for_the_remover, COUNT(for_the_remover));
}

static void assert_refused(confine_fn *confine, int fd, int (*try)(void),
			   const struct attempt *attempts, size_t n)
{
	size_t reached = (size_t)confined(confine, fd, try);

#ifdef __SANITIZE_ADDRESS__
	skip(); /* its leak detector could do nothing any more */
#endif
	if (reached < n)
		fail_msg("%s, number %zu, is not refused", attempts[reached].name, reached);
	assert_int_equal(reached, n);
}

static void the_verifier_gets_nothing_new(void **state)
{
	(void)state;
	assert_refused(tds_confine_verifier, VERDICT, try_forbidden, forbidden, COUNT(forbidden));
	assert_refused(tds_confine_verifier, VERDICT, try_those_of_the_remover, for_the_remover,
		       COUNT(for_the_remover));
}

static void the_remover_only_removes(void **state)
{
	(void)state;
	assert_refused(confine_remover, FOLDER, try_forbidden, forbidden, COUNT(forbidden));
}

/* 0: all of it works. */
static int do_as_the_verifier(void)
{
	char text[8];
	tds_autofd int memory = tds_io_memfd("tried");
	bool works = memory >= 0 && read(A_FILE, text, sizeof(text)) == 5 &&
		     write(memory, text, 5) == 5 && tds_io_seal(memory) == 0 &&
		     sendmsg(VERDICT, &message, MSG_NOSIGNAL) == 1;

	return works ? 0 : 1;
}

static void the_verifier_can_work(void **state)
{
	char got[2];

	(void)state;
	assert_int_equal(confined(tds_confine_verifier, VERDICT, do_as_the_verifier), 0);
	assert_int_equal(read(OTHER_SOCKET, got, sizeof(got)), 1);
}

/* --- the link process --- */

#define ITS_PORT 9
#define ANOTHER_PORT 10

static bool held_tcp; /* by this kernel, which cannot be asked from within */

static int confine_link(const struct tds_bounds *b, int fd, struct tds_err *err)
{
	const uint16_t port = ITS_PORT;

	(void)fd;
	return tds_confine_link(b, &port, 1, err);
}

/* It connects over TCP, which is held elsewhere, and of a clone3 it is told that there is none. */
static bool is_for_the_link(const struct attempt *a)
{
	return a->call == SYS_connect || a->call == SYS_sendto || a->call == SYS_clone3 ||
	       (a->call == SYS_socket && a->args[0] == AF_INET);
}

static int try_those_not_for_the_link(void)
{
	for (size_t i = 0; i < COUNT(forbidden); i++)
		if (!is_for_the_link(&forbidden[i]) && try_all(&forbidden[i], 1) != 1)
			return (int)i;
	return COUNT(forbidden);
}

static const struct attempt not_for_the_link[] = {
	TRY(openat, { AT_FDCWD, P("/etc/passwd"), O_RDONLY }),
	TRY(socket, { AF_INET, SOCK_DGRAM }),
	TRY(socket, { AF_INET, SOCK_RAW, 1 }),
	TRY(socket, { AF_INET6, SOCK_STREAM, 262 }), /* MPTCP, of which Landlock may not know */
	TRY(socket, { AF_NETLINK, SOCK_RAW }),
	TRY(accept4, { OTHER_SOCKET }),
	TRY(fcntl, { A_FILE, F_DUPFD, 80 }),
	TRY(clone, { CLONE_VM | SIGCHLD }),
};

static int try_more_not_for_the_link(void)
{
	return (int)try_all(not_for_the_link, COUNT(not_for_the_link));
}

static int connected(uint16_t port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	tds_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return UNCONFINED;
	return connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ? 0 : errno;
}

static void *in_a_thread(void *error)
{
	*(int *)error = connected(ANOTHER_PORT);
	return error;
}

/* 0: its own port may be tried, another one not, nor by a thread of it. */
static int connect_as_the_link(void)
{
	int other = held_tcp ? EACCES : ECONNREFUSED;
	pthread_t thread;
	int error = 0;

	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 1;
	if (connected(ITS_PORT) != ECONNREFUSED || connected(ANOTHER_PORT) != other)
		return 2;
	if (pthread_create(&thread, NULL, in_a_thread, &error) != 0 ||
	    pthread_join(thread, NULL) != 0)
		return 3;
	return error == other ? 0 : 4;
}

static void the_link_only_connects(void **state)
{
	(void)state;
	held_tcp = tds_landlock_abi() >= TDS_LANDLOCK_HOLDS_TCP;
	assert_refused(confine_link, VERDICT, try_those_not_for_the_link, forbidden,
		       COUNT(forbidden));
	assert_refused(confine_link, VERDICT, try_more_not_for_the_link, not_for_the_link,
		       COUNT(not_for_the_link));
	assert_int_equal(confined(confine_link, VERDICT, connect_as_the_link), 0);
}

static int remove_the_tree(void)
{
	struct tds_err err = { 0 };

	return -tds_tree_remove(FOLDER, "tree", &err);
}

static void the_remover_can_work(void **state)
{
	const struct folder *folder = *state;

	put(folder, "stays", 0600, "x");
	assert_int_equal(mkdirat(folder->fd, "tree", 0700), 0);
	assert_int_equal(mkdirat(folder->fd, "tree/a", 0500), 0);
	put(folder, "tree/file", 0400, "x");
	assert_int_equal(confined(confine_remover, FOLDER, remove_the_tree), 0);
	assert_int_equal(faccessat(folder->fd, "tree", F_OK, 0), -1);
	assert_int_equal(faccessat(folder->fd, "stays", F_OK, 0), 0);
}

/* The number of what is let through of what no filter can see: the flags of an openat2, and which folder it is. */
static int reach_beside_the_tree(void)
{
	struct open_how how = { .flags = O_RDONLY };
	bool opened = syscall(SYS_openat2, FOLDER, "stays", &how, sizeof(how)) >= 0;
	bool listed = openat(FOLDER, ".", O_RDONLY | O_DIRECTORY) >= 0;
	bool read = openat(FOLDER, "tree/file", O_RDONLY) >= 0;
	bool moved = renameat(FOLDER, "tree/file", FOLDER, "moved") == 0;
	bool removed = unlinkat(FOLDER, "stays", 0) == 0;
	bool removes = unlinkat(FOLDER, "tree/file", 0) == 0;

	return opened * 1 + listed * 2 + read * 4 + moved * 8 + removed * 16 + !removes * 32;
}

static void the_remover_is_held_to_its_folder(void **state)
{
	const struct folder *folder = *state;

#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	if (tds_landlock_abi() < TDS_LANDLOCK_HOLDS_REFER)
		skip();
	put(folder, "stays", 0600, "x");
	assert_int_equal(mkdirat(folder->fd, "tree", 0700), 0);
	put(folder, "tree/file", 0600, "x");
	assert_int_equal(confined(confine_remover, FOLDER, reach_beside_the_tree), 0);
}

static int set_up(void **state)
{
	int ends[2];

	if (folder_make(state) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return -1;
	const struct folder *folder = *state;
	put(folder, "a file", 0600, "12345");
	(void)snprintf(path, sizeof(path), "%s/a file", folder->path);
	tds_autofd int file = openat(folder->fd, "a file", O_RDONLY);
	bool done = dup2(ends[0], VERDICT) >= 0 && dup2(ends[1], OTHER_SOCKET) >= 0 &&
		    dup2(folder->fd, FOLDER) >= 0 && dup2(file, A_FILE) >= 0;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return done ? 0 : -1;
}

static int tear_down(void **state)
{
	for (int fd = VERDICT; fd <= A_FILE; fd++)
		(void)close(fd);
	return folder_remove(state);
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(the_verifier_gets_nothing_new),     EACH(the_verifier_can_work),
		EACH(the_remover_only_removes),          EACH(the_remover_can_work),
		EACH(the_remover_is_held_to_its_folder), EACH(the_link_only_connects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
