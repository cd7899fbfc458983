/* SPDX-License-Identifier: MIT */
/* The clients' side of admin.sock. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/release.h"
#include "director/rundir.h"

#define LINE_MAX_BYTES (64 << 20)

static int connect_in(int rundir)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* By descriptor: the path may be longer than a socket address. */
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/" TDS_RUNDIR_SOCKET,
		       rundir);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* The guardian says so in the lock, which it holds; who may not read that sees an admin that does not run. */
static bool is_restarting(int rundir)
{
	static const char mark[] = TDS_RUNDIR_RESTARTING;
	char text[sizeof(mark)];
	tds_autofd int lock =
		openat(rundir, TDS_RUNDIR_LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return lock >= 0 && read(lock, text, sizeof(text)) == sizeof(mark) - 1 &&
	       memcmp(text, mark, sizeof(mark) - 1) == 0 && flock(lock, LOCK_SH | LOCK_NB) != 0 &&
	       errno == EWOULDBLOCK;
}

enum tds_lock tds_client_lock(const struct tds_dir *dir)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	int rc = tds_rundir_open(dir, &rundir, NULL);
	tds_autofd int lock = rc == 0 ? openat(rundir.fd, TDS_RUNDIR_LOCK,
					       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
				      : -1;

	if (lock < 0)
		return rc == TDS_E_MISSING || (rc == 0 && errno == ENOENT) ? TDS_LOCK_FREE
									   : TDS_LOCK_HIDDEN;
	return flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK ? TDS_LOCK_HELD
									   : TDS_LOCK_FREE;
}

bool tds_client_is_restarting(const struct tds_dir *dir)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };

	return tds_rundir_open(dir, &rundir, NULL) == 0 && is_restarting(rundir.fd);
}

int tds_client_open(const struct tds_dir *dir, struct tds_client *client, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };

	*client = (struct tds_client){ .fd = -1 };
	int rc = tds_rundir_open(dir, &rundir, err);
	if (rc == TDS_E_MISSING)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is not running");
	if (rc != 0)
		return rc;
	client->fd = connect_in(rundir.fd);
	if (client->fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is %s",
				   is_restarting(rundir.fd) ? "restarting" : "not running");
	return client->fd < 0
		       ? tds_err_sys(err, TDS_E_NO_ADMIN, "the admin process cannot be reached")
		       : 0;
}

void tds_client_close(struct tds_client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	free(client->in);
	*client = (struct tds_client){ .fd = -1 };
}

int tds_client_send(struct tds_client *client, json_t *request, struct tds_err *err)
{
	bool said =
		json_object_set_new(request, "Protocol", json_integer(tds_release_protocol)) == 0;
	tds_autofree char *text = said ? tds_json_text(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(request);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	text[len] = '\n'; /* in place of the NUL */
	for (size_t at = 0; at <= len;) {
		ssize_t n = send(client->fd, text + at, len + 1 - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tds_err_sys(err, TDS_E_NO_ADMIN,
					   "the admin process cannot be reached");
		at += (size_t)n;
	}
	return 0;
}

static int read_more(struct tds_client *client, struct tds_err *err)
{
	if (client->room - client->len < 4096) {
		size_t room = client->room ? 2 * client->room : 16384;
		char *more = room <= LINE_MAX_BYTES ? realloc(client->in, room) : NULL;

		if (!more)
			return tds_err_set(err, TDS_E_NOMEM, "no memory for the admin's answer");
		client->in = more;
		client->room = room;
	}
	ssize_t n = recv(client->fd, client->in + client->len, client->room - client->len, 0);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process ended the connection");
	client->len += (size_t)n;
	return 0;
}

/* An answer of another protocol might mean anything. What is told unasked, after such an answer, has no number. */
static int check_protocol(const json_t *answer, struct tds_err *err)
{
	const json_t *number = json_object_get(answer, "Protocol");
	json_int_t protocol = json_integer_value(number);
	const char *version = json_string_value(json_object_get(answer, "Version"));

	if (protocol == tds_release_protocol ||
	    (!number && !json_object_get(answer, "DirectorResponse")))
		return 0;
	return tds_err_set(err, TDS_E_PROTOCOL,
			   "the admin process is tds %s with protocol %lld, this is tds %s with "
			   "protocol %d: %stds-admin restart",
			   version ? version : "of another version", (long long)protocol,
			   tds_release_version, tds_release_protocol,
			   protocol > tds_release_protocol ? "use the tools of that version, or "
							   : "");
}

static int receive_line(struct tds_client *client, json_t **answer, struct tds_err *err)
{
	size_t seen = 0;
	char *end;

	*answer = NULL;
	while (!(end = client->len > seen ? memchr(client->in + seen, '\n', client->len - seen)
					  : NULL)) {
		seen = client->len;
		int rc = read_more(client, err);
		if (rc != 0)
			return rc;
	}
	*answer = json_loadb(client->in, (size_t)(end - client->in), JSON_ALLOW_NUL, NULL);
	client->len -= (size_t)(end + 1 - client->in);
	memmove(client->in, end + 1, client->len);
	return *answer ? 0
		       : tds_err_set(err, TDS_E_NO_ADMIN,
				     "the admin process answers what is no JSON");
}

int tds_client_receive(struct tds_client *client, json_t **answer, struct tds_err *err)
{
	int rc = receive_line(client, answer, err);

	if (rc == 0 && !client->any_protocol && (rc = check_protocol(*answer, err)) != 0) {
		json_decref(*answer);
		*answer = NULL;
	}
	return rc;
}

enum tds_code tds_status_code(json_int_t status)
{
	switch (status) {
	case 2:
		return TDS_E_USAGE;
	case 4:
		return TDS_E_MISSING;
	case 5:
		return TDS_E_WRITE;
	case 6:
		return TDS_E_ARCHIVE;
	case 7:
		return TDS_E_UNTRUSTED;
	case 8:
		return TDS_E_NO_ADMIN;
	case 9:
		return TDS_E_TIMEOUT;
	default:
		return TDS_E_REFUSED;
	}
}

int tds_client_ask(struct tds_client *client, json_t *request, json_t **answer, struct tds_err *err)
{
	int rc = tds_client_send(client, request, err);

	/* Who is not let in may find the connection closed, with the reason in it. */
	if (rc == 0 || rc == TDS_E_NO_ADMIN)
		rc = tds_client_receive(client, answer, err);
	if (rc == 0 && !json_is_true(json_object_get(*answer, "Success"))) {
		const char *why = json_string_value(json_object_get(*answer, "Message"));

		rc = tds_err_set(
			err,
			tds_status_code(json_integer_value(json_object_get(*answer, "Status"))),
			"%s", why ? why : "refused");
	}
	return rc;
}

int tds_client_compare(struct tds_client *client, struct tds_cli *cli, struct tds_err *err)
{
	json_t *status = NULL;

	if (!cli->verbose)
		return 0;
	int rc = tds_client_ask(client, json_pack("{s:s}", "DirectorOp", "Status"), &status, err);
	const char *version = json_string_value(json_object_get(status, "Version"));
	if (rc == 0 && version && strcmp(version, tds_release_version) != 0)
		tds_cli_warn(cli, NULL,
			     "tds %s runs, and %s is installed: tds-admin restart takes over",
			     version, tds_release_version);
	json_decref(status);
	return rc;
}

/* How long a call on the connection may wait; 0: for ever. */
static void limit(const struct tds_client *client, int wait_ms)
{
	struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };

	(void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

int tds_client_probe(const struct tds_dir *dir, struct tds_client *client, int wait_ms,
		     enum tds_client_state *state, json_t **status, struct tds_err *err)
{
	int rc = tds_client_open(dir, client, err);

	*status = NULL;
	if (rc != 0)
		return rc;
	limit(client, wait_ms);
	client->any_protocol = true;
	rc = tds_client_ask(client, json_pack("{s:s}", "DirectorOp", "Status"), status, err);
	client->any_protocol = false;
	limit(client, 0);
	if (rc != 0 && !*status) {
		tds_client_close(client);
		return rc;
	}
	*state = check_protocol(*status, err) != 0                    ? TDS_CLIENT_OTHER
		 : rc != 0                                            ? TDS_CLIENT_REFUSING
		 : json_is_true(json_object_get(*status, "Stopping")) ? TDS_CLIENT_STOPPING
		 : json_is_false(json_object_get(*status, "Ready"))   ? TDS_CLIENT_RESTORING
								      : TDS_CLIENT_READY;
	return 0;
}
