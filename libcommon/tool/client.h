/* SPDX-License-Identifier: MIT */
/* Talking to the admin process: JSON Lines over admin.sock in the run directory. */
#ifndef TDS_CLIENT_H
#define TDS_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/dir.h"
#include "base/err.h"
#include "cli.h"

/* What a refresh says of a package that it leaves alone. */
#define TDS_UNDONE "its last load was undone; name it, or use --retry"

struct tds_client {
	int fd;   /* -1: not connected */
	char *in; /* what came behind the last line */
	size_t len;
	size_t room;
	bool any_protocol; /* what is asked is the same in every protocol: Status, Restart, Shutdown */
};

/*
 * Connect to the admin of a director directory.
 * Errors:  TDS_E_NO_ADMIN: nobody listens there, or the run directory is not to be believed; TDS_E_UNUSABLE (rundir.cfg,
 *          adminuser.cfg), TDS_E_NOMEM.
 */
int tds_client_open(const struct tds_dir *dir, struct tds_client *client,
		    struct tds_err *err) TDS_MUST_CHECK;
void tds_client_close(struct tds_client *client);

/* The lock of the run directory, which the guardian holds, and lets go of last. */
enum tds_lock {
	TDS_LOCK_FREE,
	TDS_LOCK_HELD,
	TDS_LOCK_HIDDEN, /* it is not for us to see */
};
enum tds_lock tds_client_lock(const struct tds_dir *dir);

/* Nobody listens because the daemon has died, and its guardian is about to start it again? */
bool tds_client_is_restarting(const struct tds_dir *dir);

/* What an admin says of itself. */
enum tds_client_state {
	TDS_CLIENT_READY,
	TDS_CLIENT_RESTORING, /* what was loaded when a crash came is on its way back */
	TDS_CLIENT_STOPPING,
	TDS_CLIENT_REFUSING, /* it answers, but not us */
	TDS_CLIENT_OTHER, /* its protocol is another: it understands only to be restarted, or shut down */
};

/*
 * Connect, and ask the admin for its Status: that somebody listens is no answer, for it may be dying.
 * Shape:   *status is the answer, a new reference, and *state what it means; of TDS_CLIENT_OTHER err says which protocol it is.
 *          wait_ms: how long it may take.
 * Errors:  those of tds_client_open; TDS_E_NO_ADMIN where no answer comes, TDS_E_NOMEM. On error *status is NULL and
 *          the client closed.
 */
int tds_client_probe(const struct tds_dir *dir, struct tds_client *client, int wait_ms,
		     enum tds_client_state *state, json_t **status,
		     struct tds_err *err) TDS_MUST_CHECK;
#define tds_client_cleanup tds_client_close

/* Send one request, which says what protocol it is of; takes the reference. Errors: TDS_E_NO_ADMIN, TDS_E_NOMEM. */
int tds_client_send(struct tds_client *client, json_t *request, struct tds_err *err) TDS_MUST_CHECK;

/*
 * The next line that the admin sends.
 * Shape:   *answer is a JSON object, a new reference.
 * Errors:  TDS_E_NO_ADMIN where the connection ends or what comes is no JSON; TDS_E_PROTOCOL where it is an answer of
 *          another protocol, unless any will do; TDS_E_NOMEM.
 */
int tds_client_receive(struct tds_client *client, json_t **answer,
		       struct tds_err *err) TDS_MUST_CHECK;

/* The code of a refusal that comes to this exit status, as an answer or a verdict in JSON names it. */
enum tds_code tds_status_code(json_int_t status);

/*
 * A request and its answer. An answer without Success is an error: Message is the reason.
 * Errors:  TDS_E_REFUSED and the others whose statuses the protocol names; those of send and receive.
 */
int tds_client_ask(struct tds_client *client, json_t *request, json_t **answer,
		   struct tds_err *err) TDS_MUST_CHECK;

/*
 * With -v: warn where another version runs than this one, which works as long as the protocol is the same.
 * Errors:  those of tds_client_ask.
 */
int tds_client_compare(struct tds_client *client, struct tds_cli *cli,
		       struct tds_err *err) TDS_MUST_CHECK;

#endif
