/* SPDX-License-Identifier: MIT */
/* The audit log: appending to the chain. */
#include "audit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "director/rundir.h"

#define LINE_MAX_BYTES (64 << 10) /* none that is written is longer: a few paths and a message */

static int open_log(const struct audit *audit)
{
	return openat(audit->rundir, TDS_AUDIT_NAME,
		      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

static void set_head(struct audit *audit, const char *line, size_t len)
{
	unsigned char sha256[TDS_SHA256_LEN];
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_SHA256);

	if (!digest)
		return;
	tds_digest_update(digest, line, len);
	if (tds_digest_final(digest, sha256))
		tds_digest_hex(sha256, sizeof(sha256), audit->head);
	tds_digest_free(digest);
}

/* The length of the whole lines of what is there; the rest was being written when a crash came. */
static size_t whole_lines(const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len);

	return end ? (size_t)(end + 1 - text) : 0;
}

void audit_open(struct audit *audit, int rundir)
{
	*audit = (struct audit){ .rundir = rundir };
	tds_autofd int fd = open_log(audit);
	tds_autofree char *tail = malloc(LINE_MAX_BYTES);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > LINE_MAX_BYTES ? size - LINE_MAX_BYTES : 0;
	ssize_t n = size > 0 && tail ? pread(fd, tail, LINE_MAX_BYTES, from) : 0;

	if (n <= 0)
		return;
	size_t len = whole_lines(tail, (size_t)n);
	if ((len < (size_t)n && ftruncate(fd, from + (off_t)len) != 0) || len == 0)
		return;
	size_t before = whole_lines(tail, len - 1);
	set_head(audit, tail + before, len - before);
}

/* The line with its end; caller frees. NULL: out of memory. */
static char *text_of(struct audit *audit, json_t *line)
{
	char *text = NULL;

	if (line && json_object_set_new(line, "Before", json_string(audit->head)) == 0)
		text = tds_json_text(line, JSON_COMPACT);
	json_decref(line);
	char *whole = text ? realloc(text, strlen(text) + 2) : NULL;
	if (!whole)
		free(text);
	return whole ? strcat(whole, "\n") : NULL;
}

void audit_add(struct audit *audit, json_t *line)
{
	tds_autofree char *text = text_of(audit, line);
	tds_autofd int fd = open_log(audit);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (!text || end < 0)
		return;
	if (tds_io_write(fd, text, strlen(text)) == 0)
		set_head(audit, text, strlen(text));
	else if (ftruncate(fd, end) != 0)
		audit_open(audit, audit->rundir);
}
