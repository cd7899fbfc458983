/* SPDX-License-Identifier: MIT */
/* The audit log: appending to the chain. */
#include "audit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/own.h"
#include "director/rundir.h"

#define LINE_MAX_BYTES (64 << 10) /* none that is written is longer: a few paths and a message */

static void set_head(struct audit *audit, const char *line, size_t len)
{
	unsigned char sha256[TDS_SHA256_LEN];

	if (tds_digest_of(TDS_DIGEST_SHA256, line, len, sha256))
		tds_digest_hex(sha256, sizeof(sha256), audit->head);
}

/* The length of the whole lines of what is there; the rest was being written when a crash came. */
static size_t whole_lines(const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len);

	return end ? (size_t)(end + 1 - text) : 0;
}

/* The last line of a file is the head. False: it has none, or there is no such file. */
static bool read_head(struct audit *audit, const char *name)
{
	struct tds_err err;
	tds_autofd int fd = -1;
	(void)!tds_own_open(audit->file.rundir, name, O_RDWR | O_APPEND, 0, &fd, &err);
	tds_autofree char *tail = malloc(LINE_MAX_BYTES);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > LINE_MAX_BYTES ? size - LINE_MAX_BYTES : 0;
	ssize_t n = size > 0 && tail ? pread(fd, tail, LINE_MAX_BYTES, from) : 0;

	if (n <= 0)
		return false;
	size_t len = whole_lines(tail, (size_t)n);
	if ((len < (size_t)n && ftruncate(fd, from + (off_t)len) != 0) || len == 0)
		return false;
	size_t before = whole_lines(tail, len - 1);
	set_head(audit, tail + before, len - before);
	return true;
}

void audit_open(struct audit *audit, int rundir, const struct log_limits *limits)
{
	*audit = (struct audit){ .backlog = { .max = AUDIT_KEPT_MAX_BYTES } };
	logfile_init(&audit->file, rundir, TDS_AUDIT_NAME, limits);
	/* A crash may have come between the last line of a file and the first of the next. */
	if (!read_head(audit, TDS_AUDIT_NAME))
		(void)read_head(audit, TDS_AUDIT_NAME ".1");
}

void audit_close(struct audit *audit)
{
	audit_flush(audit);
	logfile_close(&audit->file);
	backlog_fini(&audit->backlog);
}

void audit_reopen(struct audit *audit)
{
	logfile_reopen(&audit->file);
}

/* The line with its end; caller frees. NULL: out of memory. */
static char *text_of(const struct audit *audit, json_t *line)
{
	char *text = NULL;

	backlog_tell_lost(&audit->backlog, line);
	if (json_object_set_new(line, "Before", json_string(audit->head)) == 0)
		text = tds_json_text(line, JSON_COMPACT);
	char *whole = text ? realloc(text, strlen(text) + 2) : NULL;
	if (!whole)
		free(text);
	return whole ? strcat(whole, "\n") : NULL;
}

static int write_line(struct audit *audit, json_t *line, struct tds_err *err)
{
	tds_autofree char *text = text_of(audit, line);
	bool is_first;

	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	size_t len = strlen(text);
	int rc = logfile_prepare(&audit->file, len, &is_first, err);
	if (rc == 0)
		rc = logfile_add(&audit->file, text, len, err);
	if (rc != 0)
		return rc;
	set_head(audit, text, len);
	audit->backlog.lost = 0;
	return 0;
}

/* What waits, in its order. */
static int write_kept(struct audit *audit, struct tds_err *err)
{
	for (json_t *line; (line = backlog_first(&audit->backlog));) {
		int rc = write_line(audit, line, err);

		if (rc != 0)
			return rc;
		backlog_written(&audit->backlog);
	}
	return 0;
}

void audit_flush(struct audit *audit)
{
	struct tds_err err;

	(void)write_kept(audit, &err);
}

/* The line stays the caller's. */
static int add(struct audit *audit, json_t *line, struct tds_err *err)
{
	int rc = line ? write_kept(audit, err) : tds_err_set(err, TDS_E_NOMEM, "out of memory");

	return rc == 0 ? write_line(audit, line, err) : rc;
}

int audit_add(struct audit *audit, json_t *line, struct tds_err *err)
{
	int rc = add(audit, line, err);

	json_decref(line);
	return rc;
}

void audit_keep(struct audit *audit, json_t *line)
{
	struct tds_err err;

	if (add(audit, line, &err) != 0)
		backlog_add(&audit->backlog, line);
	json_decref(line);
}
