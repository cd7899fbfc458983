/* SPDX-License-Identifier: MIT */
/*
 * The verdict of a verifier that may be anybody's. The first byte is how many descriptors come with it, and in its highest
 * bit whether the second is a sealed memory file of what stands behind "--"; the rest is the message. Whatever comes, done is called once; what is said to hold has all that a load goes by; no descriptor is left.
 *
 * The source itself is included: the process that would be started is played here.
 */
#include "fuzz.h"

#include <sys/socket.h>

#include "daemon/base/child.h"

static bool play_child(const struct child_plan *plan, struct child *child);
static int end_child(struct child *child);

#define child_start play_child
#define child_end end_child
#include "../../libexec/daemon/authority/verify.c"
#undef child_start
#undef child_end

#define FDS_MAX 4

static struct input message;
static struct input file; /* what is in the declaration */
static bool is_sealed;
static size_t nfds;
static int calls;
static bool lives;

/* Fill the memory files as the verifier would; the declaration is the one that may be left open. */
static void fill(int archive, int declaration)
{
	CHECK(tds_io_write(declaration, file.at, file.len) == 0);
	CHECK(tds_io_seal(archive) == 0 && (!is_sealed || tds_io_seal(declaration) == 0));
}

/* Send the verdict by the descriptor that the verifier has it by, with copies of that itself. */
static bool play_child(const struct child_plan *plan, struct child *child)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char *)(uintptr_t)message.at, .iov_len = message.len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int end = plan->fds[1].fd;

	CHECK(plan->fds[1].to == 3 && plan->fds[3].to == 6 && plan->fds[4].to == 7 &&
	      plan->nfds == 5);
	fill(plan->fds[3].fd, plan->fds[4].fd);
	if (nfds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int) * nfds) };
		for (size_t i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &end, sizeof(int));
	}
	CHECK(sendmsg(end, &msg, 0) == (ssize_t)message.len);
	lives = true;
	*child = (struct child){ .pid = 1, .pidfd = -1 };
	return true;
}

static int end_child(struct child *child)
{
	CHECK(lives && child->pid == 1);
	lives = false;
	child->pid = 0;
	return 0;
}

static bool is_digest(const char *text, size_t len)
{
	return text && strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static void on_done(void *ctx, const struct finding *finding)
{
	calls++;
	CHECK(!lives && ctx == &calls);
	CHECK((finding->status == 0) == !finding->error && finding->status <= 9);
	CHECK((finding->archive >= 0) == (finding->status == 0));
	if (finding->status != 0)
		return;
	CHECK(is_digest(finding->md5, 32) && is_digest(finding->sha256, 64) && finding->key);
	CHECK(!finding->signed_tli || finding->signed_tli->value);
	for (size_t i = 0; i < json_array_size(finding->warnings); i++)
		CHECK(json_is_string(json_array_get(finding->warnings, i)));
	CHECK(close(finding->archive) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	static char *const none[] = { NULL };
	const struct tds_dir dir = { .fd = 0, .path = (char *)(uintptr_t) "/" };

	if (!base && !(base = event_base_new()))
		abort();
	if (size == 0 || size > 60000)
		return 0;
	nfds = (data[0] & 0x7f) % (FDS_MAX + 1);
	is_sealed = data[0] & 0x80;
	message = (struct input){ (const char *)data + 1, size - 1 };
	const char *cut = memmem(message.at, message.len, "--", 2);
	file = cut ? (struct input){ cut + 2, (size_t)(message.at + message.len - cut) - 2 }
		   : (struct input){ "", 0 };
	message.len = cut ? (size_t)(cut - message.at) : message.len;
	int free_before = dup(0);
	CHECK(free_before >= 0 && close(free_before) == 0);
	calls = 0;
	const struct verifier_order order = {
		.program = "/verifier",
		.dir = &dir,
		.name = "p.tls",
		.group = "p",
		.store_fd = -1,
		.around = { .variables = none, .python = "", .version = "" }
	};
	CHECK(verifier_start(base, &order, on_done, &calls));
	CHECK(calls == 0);
	while (calls == 0)
		CHECK(event_base_loop(base, EVLOOP_ONCE) == 0);
	int free_after = dup(0);
	CHECK(calls == 1 && free_after == free_before && close(free_after) == 0);
	return 0;
}
