/* SPDX-License-Identifier: MIT */
/* The verifier's client: what comes of a package, where its bytes go, and what is taken for a verdict. */
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "daemon/authority/verify.h"
#include "literal/repr.h"

#define KEYS "tests/vectors/keys"
#define PACKAGE "tests/vectors/tls/grain-large-v2.tls"
#define NAME "grain-large-v2.tls"
#define GROUP "grain"
#define NOBODY 65534   /* whoever it is, if this is run by root */
#define UNDER_WAY 40   /* descriptors, more than the verifier may have */
#define UNREACHABLE 77 /* exit status: the verifier is in a folder of others */
#define MD5 "00112233445566778899aabbccddeeff"
#define SHA256 MD5 MD5

/* A copy of what done was told. */
struct result {
	struct event_base *base;
	int status;
	char error[256];
	char sha256[65];
	int archive;
	int write_errno;
	size_t warnings;
	char declared[64]; /* what the package declares, as a literal; empty: nothing */
};

static char verifier[4096];

static void on_done(void *ctx, const struct finding *finding)
{
	struct result *result = ctx;

	result->status = finding->status;
	(void)snprintf(result->error, sizeof(result->error), "%s",
		       finding->error ? finding->error : "");
	(void)snprintf(result->sha256, sizeof(result->sha256), "%s",
		       finding->sha256 ? finding->sha256 : "");
	result->archive = finding->archive;
	result->write_errno = finding->write_errno;
	result->warnings = json_array_size(finding->warnings);
	if (finding->signed_tli) {
		tds_autofree char *literal = tds_value_repr(finding->signed_tli->value);

		(void)snprintf(result->declared, sizeof(result->declared), "%s", literal);
	}
	assert_int_equal(finding->status == 0, finding->error == NULL);
	(void)event_base_loopbreak(result->base);
}

static struct verifier_order verifier_order(const char *program, const struct tds_dir *dir, int fd,
					    const char *name, int store)
{
	static char colour[] = "COLOUR=red";
	static char *const variables[] = { colour, NULL };

	return (struct verifier_order){ .program = program,
					.dir = dir,
					.fd = fd,
					.name = name,
					.group = GROUP,
					.store_fd = store,
					.around = { .variables = variables,
						    .python = "/usr/bin/python3",
						    .version = "3 11 2 0 final" } };
}

/* The archive is closed: whether there is one stays. */
static struct result verify(const char *program, int fd, const char *name, int store)
{
	struct result result = { .base = event_base_new(), .status = -1 };
	struct tds_dir dir;
	struct tds_err err = { 0 };

	assert_non_null(result.base);
	assert_fine(tds_dir_open(KEYS, &dir, &err), &err);
	const struct verifier_order order = verifier_order(program, &dir, fd, name, store);
	assert_non_null(verifier_start(result.base, &order, on_done, &result));
	assert_int_equal(result.status, -1);
	(void)event_base_dispatch(result.base);
	tds_dir_close(&dir);
	if (result.archive >= 0)
		(void)close(result.archive);
	event_base_free(result.base);
	return result;
}

static int open_package(void)
{
	int fd = open(PACKAGE, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void what_was_verified_is_what_is_written(void **state)
{
	const struct folder *folder = *state;
	tds_autofd int fd = open_package();
	size_t len;
	size_t kept_len;

	put(folder, "kept", 0600, "");
	tds_autofd int store = openat(folder->fd, "kept", O_RDWR | O_CLOEXEC);
	struct result result = verify(verifier, fd, NAME, store);
	assert_string_equal(result.error, "");
	assert_int_equal(result.status, 0);
	assert_int_equal(strlen(result.sha256), 64);
	assert_true(result.archive >= 0);
	assert_int_equal(result.write_errno, 0);
	tds_autofree char *package = get(AT_FDCWD, PACKAGE, &len);
	tds_autofree char *kept = get(folder->fd, "kept", &kept_len);
	assert_int_equal(kept_len, len);
	assert_memory_equal(kept, package, len);
}

static void holds_though_there_is_no_room_for_it(void **state)
{
	tds_autofd int fd = open_package();
	tds_autofd int full = open("/dev/full", O_RDWR | O_CLOEXEC);

	(void)state;
	struct result result = verify(verifier, fd, NAME, full);
	assert_int_equal(result.status, 0);
	assert_true(result.archive >= 0);
	assert_int_equal(result.write_errno, ENOSPC);
}

static void nobody_need_want_its_bytes(void **state)
{
	tds_autofd int fd = open_package();

	(void)state;
	struct result result = verify(verifier, fd, NAME, -1);
	assert_int_equal(result.status, 0);
	assert_int_equal(result.write_errno, 0);
}

static void what_does_not_hold_is_not_written(void **state)
{
	const struct folder *folder = *state;
	size_t len;
	tds_autofree char *package = get(AT_FDCWD, PACKAGE, &len);

	package[len - 1] ^= 1;
	put_bytes(folder, NAME, 0644, package, len);
	put(folder, "kept", 0600, "");
	tds_autofd int fd = openat(folder->fd, NAME, O_RDONLY | O_CLOEXEC);
	tds_autofd int store = openat(folder->fd, "kept", O_RDWR | O_CLOEXEC);
	struct result result = verify(verifier, fd, NAME, store);
	assert_int_equal(result.status, 7);
	assert_int_equal(result.archive, -1);
	assert_file(folder, "kept", "");
}

static void a_verifier_that_is_not_there_gives_no_verdict(void **state)
{
	tds_autofd int fd = open_package();

	(void)state;
	struct result result = verify("/nothing/here", fd, NAME, -1);
	assert_int_equal(result.status, 5);
	assert_string_equal(result.error, "/nothing/here: No such file or directory");
}

/*
 * A verifier that a package has taken over: it says what the first line of the package's name is, and declares the rest of the
 * name. Nobody asked for the descriptors that it sends.
 */
static const char fake[] =
	"#!/usr/bin/env -S python3 -I\n"
	"import fcntl, os, socket, sys\n"
	"said, _, declared = sys.argv[2].partition('\\n')\n"
	"os.write(7, declared.encode())\n"
	"for file, word in (6, 'loose'), (7, 'unsealed'):\n"
	"    if word not in said:\n"
	"        fcntl.fcntl(file, fcntl.F_ADD_SEALS, 15)\n"
	"with socket.socket(fileno=3) as s, open('/dev/null') as a, open('/dev/null') as b:\n"
	"    socket.send_fds(s, [said.encode()], [a.fileno(), b.fileno()])\n";

#define GOOD "{\"ok\":true,\"md5\":\"" MD5 "\",\"sha256\":\"" SHA256 "\",\"key\":\"k\""

static const struct {
	const char *text;
	int status;
	const char *declared; /* NULL: nothing */
} said[] = {
	{ GOOD "}", 0, NULL },
	{ GOOD ",\"warnings\":[3]}", 0, NULL },
	{ GOOD ",\"loose\":1}", 7, NULL },
	{ GOOD ",\"declared\":true}\n{'May': ['load']}", 0, "{'May': ['load']}" },
	{ GOOD ",\"declared\":false}\n{'May': ['load']}", 0, NULL },
	{ GOOD ",\"declared\":true}\n", 7, NULL },
	{ GOOD ",\"declared\":true,\"unsealed\":1}\n{'May': ['load']}", 7, NULL },
	{ GOOD ",\"declared\":true}\n{'Sandbox': 3}", 7, NULL },
	/* What is evaluated asks nothing of the admin any more. */
	{ GOOD ",\"declared\":true}\n{'Actors': {}, 'Secret': os.getenv('PATH')}", 7, NULL },
	{ "{\"ok\":false,\"status\":6,\"error\":\"no\"}", 6, NULL },
	{ "", 7, NULL },
	{ "[]", 7, NULL },
	{ "{\"ok\":true}", 7, NULL },
	{ "{\"ok\":true,\"md5\":\"" MD5 "\",\"sha256\":\"" MD5 "\",\"key\":\"k\"}", 7, NULL },
	{ "{\"ok\":true,\"md5\":\"" MD5 "\",\"sha256\":\"../../112233445566778899aabbccdd" MD5
	  "\",\"key\":\"k\"}",
	  7, NULL },
	{ "{\"ok\":true,\"md5\":\"../00112233445566778899aabbccdde\",\"sha256\":\"" SHA256
	  "\",\"key\":\"k\"}",
	  7, NULL },
	{ "{\"ok\":true,\"md5\":\"" MD5 "\",\"sha256\":\"" SHA256 "\"}", 7, NULL },
	{ "{\"ok\":false,\"status\":0,\"error\":\"no\"}", 7, NULL },
	{ "{\"ok\":false,\"status\":256,\"error\":\"no\"}", 7, NULL },
	{ "{\"ok\":false,\"status\":4}", 7, NULL },
};

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void only_a_verdict_is_taken_for_one(void **state)
{
	const struct folder *folder = *state;
	tds_autofd int fd = open_package();
	char program[64];

	put(folder, "fake", 0755, fake);
	(void)snprintf(program, sizeof(program), "%s/fake", folder->path);
	size_t before = open_descriptors();
	for (size_t i = 0; i < COUNT(said); i++) {
		struct result result = verify(program, fd, said[i].text, -1);

		if (result.status != said[i].status || result.warnings > 0)
			fail_msg("%s: %d, %s", said[i].text, result.status, result.error);
		assert_int_equal(result.archive >= 0, said[i].status == 0);
		assert_string_equal(result.declared, said[i].declared ? said[i].declared : "");
		assert_int_equal(open_descriptors(), before);
	}
}

/* Of this process's user, who has none of root's rights. Returns the exit status of the process that it is done in. */
static int verify_with_descriptors_under_way(int package)
{
	static char byte = 'x';
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	const struct msghdr msg = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control.space) };
	int ends[2];

	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 1;
	if (access(verifier, X_OK) != 0)
		return UNREACHABLE;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
		return 1;
	memcpy(CMSG_DATA(&control.header), &package, sizeof(int));
	for (int i = 0; i < UNDER_WAY; i++)
		if (sendmsg(ends[0], &msg, 0) != 1)
			return 1;
	return verify(verifier, package, NAME, -1).status;
}

/* The kernel counts descriptors that a user has sent and nobody has received: others' shall not keep a verdict from coming. */
static void descriptors_under_way(void **state)
{
	tds_autofd int fd = open_package();
	int status;

	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(verify_with_descriptors_under_way(fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == UNREACHABLE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void one_that_is_given_up_tells_nobody(void **state)
{
	struct result result = { .base = event_base_new(), .status = -1 };
	tds_auto(dir) struct tds_dir dir;
	struct tds_err err = { 0 };
	tds_autofd int fd = open_package();

	(void)state;
	assert_fine(tds_dir_open(KEYS, &dir, &err), &err);
	size_t before = open_descriptors();
	const struct verifier_order order = verifier_order(verifier, &dir, fd, NAME, -1);
	struct verifier *v = verifier_start(result.base, &order, on_done, &result);
	assert_non_null(v);
	verifier_cancel(v);
	verifier_cancel(NULL);
	assert_int_equal(event_base_loop(result.base, EVLOOP_NONBLOCK), 1);
	assert_int_equal(result.status, -1);
	assert_int_equal(open_descriptors(), before);
	event_base_free(result.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_was_verified_is_what_is_written),
		cmocka_unit_test(holds_though_there_is_no_room_for_it),
		cmocka_unit_test(nobody_need_want_its_bytes),
		IN_FOLDER(what_does_not_hold_is_not_written),
		cmocka_unit_test(a_verifier_that_is_not_there_gives_no_verdict),
		IN_FOLDER(only_a_verdict_is_taken_for_one),
		cmocka_unit_test(descriptors_under_way),
		cmocka_unit_test(one_that_is_given_up_tells_nobody),
	};
	const char *bin = getenv("TDS_BIN");

	(void)snprintf(verifier, sizeof(verifier), "%s/../libexec/tds/tds-verifier",
		       bin ? bin : "build/bin");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
