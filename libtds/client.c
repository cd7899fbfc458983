/* SPDX-License-Identifier: MIT */
/*
 * The client's side of admin.sock for programs of others: what the tools use, with texts for JSON and exit statuses for codes.
 * The functions of include/tds/client.h are all that libtds.a lets be seen.
 */
#include "tds/client.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "tool/cli.h"
#include "tool/client.h"

#define NO_MEMORY "out of memory"

struct tds_connection {
	struct tds_client client;
	char reason[TDS_ERR_REASON_MAX]; /* empty: nothing has failed */
};

/* The status of a failure, whose reason is kept: as it is said, or else in the words of its code. */
static int failed(struct tds_connection *c, int rc, const struct tds_err *err)
{
	(void)snprintf(c->reason, sizeof(c->reason), "%s",
		       err->reason[0] ? err->reason : tds_code_words((enum tds_code)rc));
	return tds_code_status((enum tds_code)rc);
}

static int connect_to(struct tds_connection *c, const char *directory)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	struct tds_err err = { 0 };
	int rc = tds_dir_open(directory, &dir, &err);

	if (rc == 0)
		rc = tds_client_open(&dir, &c->client, &err);
	return rc == 0 ? TDS_STATUS_OK : failed(c, rc, &err);
}

int tds_connect(const char *directory, struct tds_connection **connection)
{
	struct tds_connection *c = *connection = calloc(1, sizeof(*c));

	if (!c)
		return TDS_STATUS_NOT_WRITTEN;
	c->client.fd = -1;
	return connect_to(c, directory ? directory : tds_cli_default_dir());
}

void tds_disconnect(struct tds_connection *connection)
{
	if (connection)
		tds_client_close(&connection->client);
	free(connection);
}

/* The text of a document, whose reference is taken; into *text, or nowhere. */
static int hand_out(struct tds_connection *c, json_t *document, char **text)
{
	struct tds_err err = { 0 };
	bool made = !text || (*text = tds_json_text(document, JSON_COMPACT));

	json_decref(document);
	return made ? TDS_STATUS_OK : failed(c, tds_err_set(&err, TDS_E_NOMEM, NO_MEMORY), &err);
}

int tds_ask(struct tds_connection *connection, const char *request, char **answer)
{
	json_t *question = json_loads(request, JSON_ALLOW_NUL, NULL);
	json_t *said = NULL;
	struct tds_err err = { 0 };
	int rc;

	if (answer)
		*answer = NULL;
	if (!json_is_object(question)) {
		json_decref(question);
		rc = tds_err_set(&err, TDS_E_USAGE, "the request is no JSON object");
		return failed(connection, rc, &err);
	}
	rc = tds_client_ask(&connection->client, question, &said, &err);
	int status = rc == 0 ? TDS_STATUS_OK : failed(connection, rc, &err);
	int handed = said ? hand_out(connection, said, answer) : TDS_STATUS_OK;
	return handed != TDS_STATUS_OK ? handed : status;
}

int tds_next(struct tds_connection *connection, char **line)
{
	json_t *said = NULL;
	struct tds_err err = { 0 };
	int rc = tds_client_receive(&connection->client, &said, &err);

	*line = NULL;
	return rc == 0 ? hand_out(connection, said, line) : failed(connection, rc, &err);
}

int tds_descriptor(const struct tds_connection *connection)
{
	return connection->client.fd;
}

int tds_has_next(const struct tds_connection *connection)
{
	const struct tds_client *client = &connection->client;

	return client->len > 0 && memchr(client->in, '\n', client->len);
}

const char *tds_reason(const struct tds_connection *connection)
{
	return connection ? connection->reason : NO_MEMORY;
}
