/* SPDX-License-Identifier: MIT */
/* What a server of the bus says to one who logs in and tries a few things. */
#include "convprobe.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "convtls.h"

#define LINE_MAX_BYTES (32 << 10) /* of a server's line: what it says of itself is the longest */
#define MESSAGE_MAX_BYTES (1 << 20)
#define INBOX "_INBOX.tds-status"

struct probe {
	struct convtls *tls;
	json_t *info; /* what the server said of itself */
	int64_t wait_ms;
	int64_t end_mono_ms;           /* when what is under way is to be done */
	size_t len;                    /* of what was read and not yet taken */
	bool refused;                  /* the server has said -ERR since it was last asked */
	bool heard;                    /* a message has come since then */
	char said[TDS_ERR_REASON_MAX]; /* the words of that -ERR */
	char data[LINE_MAX_BYTES];
};

/* --- lines --- */

static int no_nats(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_REFUSED, "what listens there speaks no NATS");
}

static int64_t mono_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void begin(struct probe *p)
{
	p->end_mono_ms = mono_ms() + p->wait_ms;
	p->refused = p->heard = false;
}

/* A server that never stops speaking, or does it byte by byte, is waited for no longer than a silent one. */
static int read_more(struct probe *p, struct tds_err *err)
{
	if (mono_ms() > p->end_mono_ms)
		return tds_err_set(err, TDS_E_TIMEOUT, "no answer in time");
	if (p->len == sizeof(p->data))
		return no_nats(err);
	ssize_t n = convtls_read(p->tls, p->data + p->len, sizeof(p->data) - p->len, err);
	if (n < 0)
		return err->code;
	p->len += (size_t)n;
	return 0;
}

static void take(struct probe *p, size_t n)
{
	p->len -= n;
	memmove(p->data, p->data + n, p->len);
}

/* One line without its end, of which a NUL is no part. Caller frees. */
static int read_line(struct probe *p, char **line, struct tds_err *err)
{
	const char *end;
	int rc = 0;

	while (!(end = memchr(p->data, '\n', p->len)) && rc == 0)
		rc = read_more(p, err);
	if (rc != 0)
		return rc;
	size_t n = (size_t)(end - p->data);
	if (memchr(p->data, '\0', n))
		return no_nats(err);
	*line = strndup(p->data, n > 0 && end[-1] == '\r' ? n - 1 : n);
	take(p, n + 1);
	return *line ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* The bytes of a message, whose number is the last word of its line. */
static int skip_message(struct probe *p, const char *line, struct tds_err *err)
{
	const char *number = strrchr(line, ' ');
	uint64_t left;
	int rc = 0;

	if (!number || !tds_parse_uint(number + 1, strlen(number + 1), MESSAGE_MAX_BYTES, &left))
		return no_nats(err);
	for (left += 2; rc == 0 && left > 0;) { /* a line's end is behind it */
		size_t n = left < p->len ? (size_t)left : p->len;

		take(p, n);
		left -= n;
		if (left > 0)
			rc = read_more(p, err);
	}
	p->heard = true;
	return rc;
}

static int say(struct probe *p, struct tds_err *err, const char *fmt, ...) TDS_PRINTF(3, 4);
static int say(struct probe *p, struct tds_err *err, const char *fmt, ...)
{
	tds_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	return convtls_write(p->tls, text, (size_t)n, err);
}

/* --- what the server says --- */

static bool begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && (line[n] == '\0' || line[n] == ' ');
}

/* Take one line. *is_pong: it was the answer to a PING. */
static int take_line(struct probe *p, bool *is_pong, struct tds_err *err)
{
	tds_autofree char *line = NULL;
	int rc = read_line(p, &line, err);

	*is_pong = rc == 0 && begins(line, "PONG");
	if (rc != 0 || *is_pong || begins(line, "+OK") || begins(line, "INFO"))
		return rc;
	if (begins(line, "PING"))
		return say(p, err, "PONG\r\n");
	if (begins(line, "MSG") || begins(line, "HMSG"))
		return skip_message(p, line, err);
	if (!begins(line, "-ERR"))
		return no_nats(err);
	p->refused = true;
	const char *words = line + strlen("-ERR");
	(void)snprintf(p->said, sizeof(p->said), "%.400s", words + strspn(words, " "));
	return 0;
}

/* Until the server has done all that was said before. */
static int settle(struct probe *p, struct tds_err *err)
{
	bool is_pong = false;
	int rc = say(p, err, "PING\r\n");

	while (rc == 0 && !is_pong)
		rc = take_line(p, &is_pong, err);
	return rc;
}

/* --- the beginning --- */

static int read_info(struct probe *p, struct tds_err *err)
{
	tds_autofree char *line = NULL;
	int rc = read_line(p, &line, err);

	if (rc == 0 && begins(line, "INFO"))
		p->info = json_loads(line + strlen("INFO"), JSON_REJECT_DUPLICATES, NULL);
	return rc == 0 && !json_is_object(p->info) ? no_nats(err) : rc;
}

/* Whatever is read before TLS is not the server's word in it. */
static enum probe_end secure(struct probe *p, const struct tds_bus_server *server,
			     const struct tds_convention_pems *pems, struct tds_err *err)
{
	if (!json_is_true(json_object_get(p->info, "tls_required"))) {
		tds_err_set(err, TDS_E_REFUSED, "the server speaks no TLS");
		return PROBE_NO_TLS;
	}
	p->len = 0;
	switch (convtls_secure(p->tls, server, pems, err)) {
	case CONVTLS_UNTRUSTED:
		return PROBE_UNTRUSTED;
	case CONVTLS_FAILED:
		return err->code == TDS_E_TIMEOUT ? PROBE_SILENT : PROBE_NOT_BELIEVED;
	case CONVTLS_DONE:
		break;
	}
	return PROBE_LET_IN;
}

/* The server's verdict on a certificate may come with the first answer. Its words come before it hangs up. */
static enum probe_end log_in(struct probe *p, struct tds_err *err)
{
	int rc = say(p, err,
		     "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"tds-admin\","
		     "\"lang\":\"c\",\"version\":\"" TDS_VERSION "\"}\r\n");

	if (rc == 0)
		rc = settle(p, err);
	if (p->refused)
		tds_err_set(err, TDS_E_REFUSED, "%s", p->said);
	return rc == 0 && !p->refused ? PROBE_LET_IN
	       : rc == TDS_E_TIMEOUT  ? PROBE_SILENT
				      : PROBE_NOT_BELIEVED;
}

enum probe_end probe_open(const struct tds_bus_server *server,
			  const struct tds_convention_pems *pems, int64_t wait_ms,
			  struct probe **probe, struct tds_err *err)
{
	struct probe *p = *probe = calloc(1, sizeof(*p));

	if (!p) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return PROBE_UNREACHABLE;
	}
	p->wait_ms = wait_ms;
	if (convtls_connect(server, wait_ms, &p->tls, err) != 0)
		return PROBE_UNREACHABLE;
	begin(p);
	if (read_info(p, err) != 0)
		return err->code == TDS_E_TIMEOUT ? PROBE_SILENT : PROBE_NO_NATS;
	enum probe_end end = pems ? secure(p, server, pems, err) : PROBE_LET_IN;
	return end == PROBE_LET_IN ? log_in(p, err) : end;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	convtls_free(probe->tls);
	json_decref(probe->info);
	free(probe);
}

const char *probe_version(const struct probe *probe)
{
	return tds_json_string(probe->info, "version");
}

bool probe_has_jetstream(const struct probe *probe)
{
	return json_is_true(json_object_get(probe->info, "jetstream"));
}

long long probe_max_payload(const struct probe *probe)
{
	return json_integer_value(json_object_get(probe->info, "max_payload"));
}

/* --- trying --- */

int probe_may_publish(struct probe *probe, const char *subject, bool *may, struct tds_err *err)
{
	begin(probe);
	int rc = say(probe, err, "PUB %s 0\r\n\r\n", subject);
	if (rc == 0)
		rc = settle(probe, err);
	*may = !probe->refused;
	return rc;
}

int probe_may_hear(struct probe *probe, const char *subject, bool *may, struct tds_err *err)
{
	begin(probe);
	int rc = say(probe, err, "SUB %s 1\r\nUNSUB 1\r\n", subject);
	if (rc == 0)
		rc = settle(probe, err);
	*may = !probe->refused;
	return rc;
}

int probe_is_answered(struct probe *probe, const char *subject, bool *answered, struct tds_err *err)
{
	bool is_pong;

	begin(probe);
	int rc = say(probe, err, "SUB " INBOX " 2\r\nPUB %s " INBOX " 0\r\n\r\n", subject);
	if (rc == 0)
		rc = settle(probe, err);
	while (rc == 0 && !probe->heard && !probe->refused)
		rc = take_line(probe, &is_pong, err);
	*answered = rc == 0 && probe->heard;
	return rc == TDS_E_TIMEOUT ? 0 : rc;
}
