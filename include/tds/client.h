/* SPDX-License-Identifier: MIT */
/*
 * A client of the admin process of tds, in C: requests and answers are JSON, as tds-protocol(7) has them. Finding the socket,
 * telling whether it may be believed, and reading whole lines is done here; making JSON and looking into it is yours.
 *
 *	cc program.c $(pkg-config --cflags --libs tds)
 *
 * What fails is told by an exit status of the tools, which tds_ask, too, has from the admin: TDS_STATUS_OK, or one of enum tds_status.
 * A connection is for one thread at a time. Nothing is printed, no signal comes of a connection that ends.
 */
#ifndef TDS_CLIENT_API_H
#define TDS_CLIENT_API_H

#ifdef __cplusplus
extern "C" {
#endif

enum tds_status {
	TDS_STATUS_OK = 0,
	TDS_STATUS_REFUSED =
		1, /* refused, or failed in the running system: no such role, not loaded, no answer */
	TDS_STATUS_WRONG = 2, /* the request is no JSON object, or a field of it is wrong */
	TDS_STATUS_NOT_THERE =
		4, /* something that is named is not there or cannot be used: the directory, a group */
	TDS_STATUS_NOT_WRITTEN =
		5, /* a file of the admin process could not be written; or no memory here */
	TDS_STATUS_DAMAGED =
		6, /* a package's signature holds, and what is inside is damaged, unsafe or another */
	TDS_STATUS_UNTRUSTED = 7, /* no key validates a package */
	TDS_STATUS_NO_ADMIN =
		8, /* the admin process does not run, cannot be reached, does not let us in, or has ended */
	TDS_STATUS_TIMED_OUT = 9 /* as the Timeout of the request said */
};

struct tds_connection; /* opaque */

/*
 * Connect to the admin process of a director directory; it is not started.
 * Source:  directory NULL: $THESPIAN_DIRECTOR_DIR, else /opt/thespian/director. Its run directory is believed where it
 *          belongs to root, this user, the directory's owner or the user of adminuser.cfg, and nobody else may write it.
 * Owner:   caller ends *connection by tds_disconnect, also where this fails: then it has the reason. NULL: no memory.
 * Errors:  TDS_STATUS_NOT_THERE, TDS_STATUS_NO_ADMIN, TDS_STATUS_NOT_WRITTEN.
 */
int tds_connect(const char *directory, struct tds_connection **connection);
void tds_disconnect(struct tds_connection *connection); /* takes NULL too */

/*
 * Send a request and wait for its answer, as long as that takes: Ask and LoadSource have a Timeout of their own.
 * Shape:   request is a JSON object in UTF-8, NUL-terminated; its Protocol is set here. *answer is a JSON object on one line
 *          without newline, NUL-terminated (a NUL in a text is escaped). answer NULL: it is not wanted.
 * Owner:   caller frees *answer with free(). It is also there where the admin says no; NULL: there was no answer.
 * Errors:  what Status of the answer says; TDS_STATUS_WRONG, TDS_STATUS_NO_ADMIN, TDS_STATUS_NOT_WRITTEN. After TDS_STATUS_NO_ADMIN connect anew.
 */
int tds_ask(struct tds_connection *connection, const char *request, char **answer);

/*
 * Wait for what comes next unasked: after the answer to Watch, each thing that happens.
 * Shape, owner: *line as the answer of tds_ask.
 * Errors:  TDS_STATUS_NO_ADMIN, TDS_STATUS_NOT_WRITTEN.
 */
int tds_next(struct tds_connection *connection, char **line);

/* The descriptor, for poll(2). A line that has come already is not seen there: ask tds_has_next first. -1: not connected. */
int tds_descriptor(const struct tds_connection *connection);
int tds_has_next(const struct tds_connection *connection); /* 1: tds_next does not wait */

/* What the last call that failed said, for people: one line, valid until the next call. Takes NULL too. */
const char *tds_reason(const struct tds_connection *connection);

#ifdef __cplusplus
}
#endif

#endif
