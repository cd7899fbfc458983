/* SPDX-License-Identifier: MIT */
/* Tell and Ask: messages of clients to actors, and the answers. */
#include "asks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "clients.h"
#include "daemon/base/charge.h"
#include "literal/literal.h"
#include "places.h"
#include "tool/cli.h"

#define TIMEOUT_S_DEFAULT 5

/* Literal text as it is, or Message as JSON. The text is the caller's to free. */
static char *message_text(const json_t *request, struct payload *payload, struct tds_err *err)
{
	const char *literal = json_string_value(json_object_get(request, "Literal"));
	const json_t *message = json_object_get(request, "Message");
	tds_auto(value) struct tds_value *value = NULL;
	char *text;

	if ((literal != NULL) == (message != NULL)) {
		tds_err_set(err, TDS_E_USAGE, "either Literal or Message is wanted");
		return NULL;
	}
	if (literal && tds_literal_parse(literal, strlen(literal), false, &value, err) != 0)
		return NULL;
	text = literal ? strdup(literal) : tds_json_text(message, JSON_COMPACT | JSON_ENCODE_ANY);
	*payload = (struct payload){ .encoding = literal ? ENCODING_LITERAL : ENCODING_JSON,
				     .data = text,
				     .len = text ? strlen(text) : 0 };
	if (!text)
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return text;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	director_forget(client->asker.door->director, client->ticket);
	asker_answer(&client->asker, client->asking
					     ? failure_json("Answer", 9, "no answer in time")
					     : failure_json("Told", 9, "nobody took it in time"));
}

/* The seconds that it may take. False: it is no number of them. */
static bool get_timeout(const json_t *timeout, struct timeval *tv)
{
	double seconds = timeout ? json_number_value(timeout) : TIMEOUT_S_DEFAULT;

	if ((timeout && !json_is_number(timeout)) || !(seconds >= 0 && seconds <= 86400))
		return false;
	tv->tv_sec = (time_t)seconds;
	tv->tv_usec = (suseconds_t)((seconds - (double)tv->tv_sec) * 1e6);
	return true;
}

/* False: refused already. */
static bool start_timer(struct client *client, const struct request *row, const json_t *request)
{
	struct timeval tv;

	if (!get_timeout(json_object_get(request, "Timeout"), &tv)) {
		asker_refuse(&client->asker, row, 2, "Timeout is not a number of seconds");
		return false;
	}
	if (!client->deadline)
		client->deadline = evtimer_new(client->clients->base, on_timeout, client);
	if (client->deadline && evtimer_add(client->deadline, &tv) == 0)
		return true;
	asker_refuse(&client->asker, row, 5, "out of memory");
	return false;
}

/* What it tells counts for its user until it is taken. NULL: refused already. */
static struct charge *charge_for(struct client *client, const struct request *row, size_t bytes)
{
	struct charge *charge;

	if (!places_may_tell(client)) {
		asker_refuse(&client->asker, row, 1,
			     "too much that this user told actors is not taken yet");
		return NULL;
	}
	charge = charge_new(client->user->told, bytes);
	if (!charge)
		asker_refuse(&client->asker, row, 5, "out of memory");
	return charge;
}

/* What came of it, as far as that is known. */
static void answer_delivery(struct client *client, const struct request *row, const json_t *request,
			    enum delivery delivery)
{
	char why[ABSENCE_MAX];

	switch (delivery) {
	case DELIVERY_DONE:
		if (!client->asking)
			asker_answer(&client->asker, success_json("Told"));
		break;
	case DELIVERY_PARKED:
		break;
	case DELIVERY_NONE:
		asker_refuse(&client->asker, row, 1,
			     director_absence(client->asker.door->director,
					      request_text(request, "Target"),
					      request_text(request, "Group"), why));
		break;
	case DELIVERY_UNREAD:
		asker_refuse(&client->asker, row, 1,
			     "the actor does not read: too much waits for it");
		break;
	case DELIVERY_FULL:
		asker_refuse(&client->asker, row, 1,
			     "too many messages wait for a source that is changed");
		break;
	}
}

static void send_message(struct client *client, const struct request *row, const json_t *request,
			 bool asking)
{
	struct director *director = client->asker.door->director;
	struct payload payload;
	struct tds_err err = { 0 };
	tds_autofree char *text = message_text(request, &payload, &err);

	if (!text) {
		asker_refuse(&client->asker, row, 2, err.reason);
		return;
	}
	tds_auto(charge) struct charge *charge = charge_for(client, row, payload.len);
	if (!charge)
		return;
	payload.charge = charge;
	client->ticket = director_ticket(director);
	client->asking = asking;
	client->asked = 0;
	answer_delivery(client, row, request,
			director_send(director, request_text(request, "Target"),
				      request_text(request, "Group"), client->uid, client->ticket,
				      asking, &payload));
}

void answer_tell(struct asker *asker, const struct request *row, const json_t *request)
{
	struct client *client = client_of(asker);

	if (start_timer(client, row, request))
		send_message(client, row, request, false);
}

void answer_ask(struct asker *asker, const struct request *row, const json_t *request)
{
	struct client *client = client_of(asker);

	if (start_timer(client, row, request))
		send_message(client, row, request, true);
}

static struct client *find_client(const struct clients *clients, uint64_t ticket)
{
	for (struct client *c = clients->first; c; c = c->next)
		if (c->ticket == ticket && !c->ending)
			return c;
	return NULL;
}

void asks_delivered(struct clients *clients, uint64_t ticket, const char *error)
{
	struct client *client = find_client(clients, ticket);

	if (!client || (client->asking && !error))
		return; /* the answer is still to come */
	asker_answer(&client->asker,
		     error ? failure_json(client->asking ? "Answer" : "Told", 1, error)
			   : success_json("Told"));
}

/* Of one line, as a host writes it, so that no terminal of an operator's acts on it? */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)text[0];
		const unsigned char next = (unsigned char)text[1];

		if (c < ' ' || c == 0x7f || (c == 0xc2 && next < 0xa0))
			return false;
	}
	return true;
}

/* Message too, where it says exactly the same. */
static json_t *literal_json(const char *text, size_t len)
{
	tds_auto(value) struct tds_value *value = NULL;
	struct tds_err err = { 0 };

	if (!is_plain(text))
		tds_err_set(&err, TDS_E_SYNTAX, "it has control characters");
	else if (tds_literal_parse(text, len, false, &value, &err) == 0)
		return json_pack("{s:s, s:b, s:o, s:o*}", "DirectorResponse", "Answer", "Success",
				 1, "Literal", tds_cli_json_text(text), "Message",
				 tds_value_plain_json(value));
	tds_err_prefix(&err, "the actor's answer is no Python literal");
	return failure_json("Answer", tds_code_status(err.code), err.reason);
}

static json_t *poison_json(const char *text)
{
	return json_pack("{s:s, s:b, s:i, s:s, s:o}", "DirectorResponse", "Answer", "Success", 0,
			 "Status", 1, "Message", "the actor failed on it (PoisonMessage)",
			 "Literal", tds_cli_json_text(text));
}

static json_t *answer_json(const struct payload *payload)
{
	char why[128];

	if (payload->len > CLIENT_LINE_MAX) {
		(void)snprintf(why, sizeof(why),
			       "the actor's answer has %zu bytes: at most %d are taken",
			       payload->len, CLIENT_LINE_MAX);
		return failure_json("Answer", 1, why);
	}
	tds_autofree char *text = strndup(payload->data, payload->len);
	json_t *doc =
		!text                                   ? NULL
		: payload->encoding == ENCODING_LITERAL ? literal_json(text, payload->len)
		: payload->encoding == ENCODING_POISON
			? poison_json(text)
			: failure_json("Answer", 1, "the actor's answer is no Python literal");
	return doc ? doc : failure_json("Answer", 5, "out of memory");
}

void asks_asked(const struct clients *clients, uint64_t ticket, uint32_t source)
{
	struct client *client = find_client(clients, ticket);

	if (client)
		client->asked = source;
}

enum answered asks_answer(const struct clients *clients, uint32_t source, uint64_t endpoint,
			  const struct payload *payload)
{
	struct client *client = find_client(clients, endpoint);

	if (!client || !client->asking)
		return ANSWER_TO_NOBODY;
	if (client->asked != source)
		return ANSWER_STRAY;
	asker_answer(&client->asker, answer_json(payload));
	return ANSWER_TAKEN;
}
