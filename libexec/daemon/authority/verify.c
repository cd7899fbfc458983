/* SPDX-License-Identifier: MIT */
/* Starting the verifier, and its verdict, which is taken only as the verifier documents it. */
#include "verify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/base/child.h"

#define VERDICT_MAX 4096
#define STATUS_MOST 9 /* of exit statuses */

/* Memory files that the verifier fills and seals, for a good verdict. */
enum { FILE_ARCHIVE, FILE_DECLARATION, FILES };

struct verifier {
	const char *program; /* borrowed */
	struct child child;
	int fd;
	int files[FILES];
	struct event *readable;
	struct event *deadline;
	verify_done_fn *done;
	void *ctx;
};

void verifier_cancel(struct verifier *v)
{
	if (!v)
		return;
	(void)child_end(&v->child);
	if (v->readable)
		event_free(v->readable);
	if (v->deadline)
		event_free(v->deadline);
	tds_close_fd(&v->fd);
	for (size_t i = 0; i < FILES; i++)
		tds_close_fd(&v->files[i]);
	free(v);
}

static void finish(struct verifier *v, const struct finding *verdict)
{
	verify_done_fn *done = v->done;
	void *ctx = v->ctx;

	verifier_cancel(v);
	done(ctx, verdict);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, &(struct finding){ .status = tds_code_status(TDS_E_TIMEOUT),
				       .error = "the verifier took too long",
				       .is_none = true,
				       .archive = -1 });
}

/* The verdict, a new reference; NULL: there is none. Descriptors that come with it are closed unseen. */
static json_t *receive(int fd)
{
	char text[VERDICT_MAX];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	return n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
}

static const char *text_of(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

/* It becomes the name of a file. */
static const char *digest_of(const json_t *doc, const char *key, size_t len)
{
	const char *text = text_of(doc, key);

	return tds_text_is_hex(text, 2 * len) ? text : NULL;
}

static const json_t *warnings_of(const json_t *doc)
{
	const json_t *warnings = json_object_get(doc, "warnings");
	const json_t *warning;
	size_t i;

	json_array_foreach(warnings, i, warning) if (!json_is_string(warning)) return NULL;
	return json_array_size(warnings) > 0 ? warnings : NULL;
}

/*
 * The declaration as the verifier has evaluated it. Only a literal is taken for one, since nothing is asked here any more, and
 * only when nobody can change it any more.
 */
static bool read_declaration(const json_t *doc, int file, struct tds_tli *tli)
{
	tds_autofree char *text = NULL;
	size_t len;
	struct tds_err err;

	if (!json_is_true(json_object_get(doc, "declared")))
		return true;
	return tds_io_is_sealed(file) && lseek(file, 0, SEEK_SET) == 0 &&
	       tds_io_slurp_fd(file, TDS_LITERAL_MAX_BYTES, &text, &len, &err) == 0 &&
	       tds_tli_parse_literal(text, len, tli, &err) == 0;
}

/* What the verifier says, in doc, which outlives the result. Whatever is not as it should be is no verdict. */
static struct finding read_verdict(const json_t *doc, const int files[FILES], struct tds_tli *tli)
{
	struct finding verdict = { .version = text_of(doc, "version"),
				   .md5 = digest_of(doc, "md5", TDS_MD5_LEN),
				   .sha256 = digest_of(doc, "sha256", TDS_SHA256_LEN),
				   .key = text_of(doc, "key"),
				   .key_sha256 = digest_of(doc, "keysha256", TDS_SHA256_LEN),
				   .key_file_sha256 =
					   digest_of(doc, "keyfilesha256", TDS_SHA256_LEN),
				   .warnings = warnings_of(doc),
				   .archive = files[FILE_ARCHIVE],
				   .write_errno =
					   (int)json_integer_value(json_object_get(doc, "errno")) };
	json_int_t status = json_integer_value(json_object_get(doc, "status"));
	const char *error = text_of(doc, "error");

	if (json_is_true(json_object_get(doc, "ok")) && verdict.md5 && verdict.sha256 &&
	    verdict.key && tds_io_is_sealed(verdict.archive) &&
	    read_declaration(doc, files[FILE_DECLARATION], tli)) {
		verdict.signed_tli = tli->value ? tli : NULL;
		return verdict;
	}
	if (json_is_false(json_object_get(doc, "ok")) && status > 0 && status <= STATUS_MOST &&
	    error)
		return (struct finding){ .status = (int)status,
					 .error = error,
					 .is_none = json_is_true(json_object_get(doc, "undecided")),
					 .md5 = verdict.md5,
					 .sha256 = verdict.sha256,
					 .key = verdict.key,
					 .archive = -1 };
	return (struct finding){ .status = tds_code_status(TDS_E_UNTRUSTED),
				 .error = "the verifier ended without a verdict",
				 .is_none = true,
				 .archive = -1 };
}

/* Where there is no program to give one, that is no word on the package. */
static void blame_program(const struct verifier *v, struct finding *verdict, struct tds_err *err)
{
	if (access(v->program, X_OK) == 0)
		return;
	verdict->status = tds_code_status(tds_err_sys(err, TDS_E_WRITE, "%s", v->program));
	verdict->error = err->reason;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct verifier *v = arg;
	json_t *doc = receive(fd);
	tds_auto(tli) struct tds_tli tli = { 0 };
	struct finding verdict = read_verdict(doc, v->files, &tli);
	struct tds_err err;

	(void)what;
	if (verdict.is_none)
		blame_program(v, &verdict, &err);
	if (verdict.archive >= 0)
		verdict.archive = tds_steal_fd(&v->files[FILE_ARCHIVE]);
	finish(v, &verdict);
	json_decref(doc);
}

static bool make_files(struct verifier *v)
{
	v->files[FILE_ARCHIVE] = tds_io_memfd("tds-archive");
	v->files[FILE_DECLARATION] = tds_io_memfd("tds-declaration");
	return v->files[FILE_ARCHIVE] >= 0 && v->files[FILE_DECLARATION] >= 0;
}

static bool start_process(struct verifier *v, const struct verifier_order *order)
{
	const char *const argv[] = {
		order->program,       order->dir->path,      order->name, order->group,
		order->around.python, order->around.version, NULL
	};
	int ends[2];

	if (!make_files(v) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	tds_autofd int end = ends[1];
	v->fd = ends[0];
	const struct child_plan plan = {
		.argv = (char *const *)(uintptr_t)argv,
		.envp = order->around.variables,
		.fds = { { order->fd, 0 },
			 { end, 3 },
			 { order->dir->fd, 4 },
			 { v->files[FILE_ARCHIVE], 6 },
			 { v->files[FILE_DECLARATION], 7 },
			 { order->store_fd, 5 } },
		.nfds = order->store_fd >= 0 ? 6 : 5,
		.complain_to = STDERR_FILENO,
	};
	return child_start(&plan, &v->child);
}

struct verifier *verifier_start(struct event_base *base, const struct verifier_order *order,
				verify_done_fn *done, void *ctx)
{
	struct verifier *v = calloc(1, sizeof(*v));
	const struct timeval deadline = { .tv_sec = VERIFY_SECONDS };

	if (!v)
		return NULL;
	*v = (struct verifier){ .program = order->program,
				.fd = -1,
				.files = { -1, -1 },
				.child = { .pidfd = -1 },
				.done = done,
				.ctx = ctx };
	if (start_process(v, order) &&
	    (v->readable = event_new(base, v->fd, EV_READ, on_readable, v)) &&
	    (v->deadline = evtimer_new(base, on_deadline, v)) &&
	    event_add(v->readable, NULL) == 0 && evtimer_add(v->deadline, &deadline) == 0)
		return v;
	verifier_cancel(v);
	return NULL;
}
