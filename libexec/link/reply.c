/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Of the server's errors.json. */
static const struct {
	json_int_t code;
	enum reply_result result;
} errors[] = {
	{ 10037, REPLY_MISSING },   /* no message found */
	{ 10058, REPLY_OTHERWISE }, /* stream name already in use */
	{ 10071, REPLY_CONFLICT },  /* wrong last sequence */
};

static void read_error(const json_t *error, struct reply *reply)
{
	json_int_t code = json_integer_value(json_object_get(error, "err_code"));
	const char *text = json_string_value(json_object_get(error, "description"));

	reply->result = REPLY_DENIED;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			reply->result = errors[i].result;
	(void)snprintf(reply->text, sizeof(reply->text), "%s (%lld)", text ? text : "refused",
		       (long long)code);
}

/* Does a block of headers say that this was a deletion? It holds lines of "Name: value". */
static bool says_deletion(const char *headers, size_t len)
{
	static const char *const said[] = { "KV-Operation: DEL\r\n", "KV-Operation: PURGE\r\n" };

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (memmem(headers, len, said[i], strlen(said[i])))
			return true;
	return false;
}

/* Decoded, NUL behind; caller frees. NULL: it is none, or there is no memory. */
static char *decode(const json_t *base64, size_t *len)
{
	const char *text = json_string_value(base64);
	size_t n = json_string_length(base64);
	char *bytes = text && n % 4 == 0 ? malloc(n / 4 * 3 + 1) : NULL;
	int got =
		bytes ? EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)n)
		      : -1;

	if (got < 0) {
		free(bytes);
		return NULL;
	}
	/* It counts what stands for nothing. */
	for (size_t i = n; i > 0 && i + 2 > n && text[i - 1] == '='; i--)
		got--;
	*len = got < 0 ? 0 : (size_t)got;
	bytes[*len] = '\0';
	return bytes;
}

static void read_message(const json_t *message, struct reply *reply)
{
	const json_t *hdrs = json_object_get(message, "hdrs");
	const json_t *data = json_object_get(message, "data");
	size_t len = 0;
	char *headers = hdrs ? decode(hdrs, &len) : NULL;

	if (headers && says_deletion(headers, len)) {
		reply->result = REPLY_MISSING;
	} else {
		/* An empty record has no data. */
		reply->data = data ? decode(data, &reply->len) : calloc(1, 1);
		reply->result = reply->data && (headers || !hdrs) && reply->revision
					? REPLY_DONE
					: REPLY_NONSENSE;
	}
	free(headers);
}

static uint64_t positive(const json_t *number)
{
	return json_integer_value(number) > 0 ? (uint64_t)json_integer_value(number) : 0;
}

static void read_object(const json_t *doc, struct reply *reply)
{
	const json_t *error = json_object_get(doc, "error");
	const json_t *message = json_object_get(doc, "message");
	const json_t *config = json_object_get(doc, "config");
	const json_t *of = message ? message : doc;

	reply->revision = positive(json_object_get(of, "seq"));
	if (error)
		read_error(error, reply);
	else if (message)
		read_message(message, reply);
	else if (reply->revision || config || json_is_string(json_object_get(doc, "name")))
		reply->result = REPLY_DONE;
	/* What does not say that it does is what has it off. */
	reply->allows_rollup = json_is_true(json_object_get(config, "allow_rollup_hdrs"));
}

struct reply reply_read(natsMsg *msg)
{
	struct reply reply = { .result = REPLY_NONSENSE, .text = "an answer that is none" };

	if (natsMsg_IsNoResponders(msg)) {
		reply.result = REPLY_NOBODY;
		(void)snprintf(reply.text, sizeof(reply.text), "no JetStream answers");
		return reply;
	}
	json_t *doc = json_loadb(natsMsg_GetData(msg) ? natsMsg_GetData(msg) : "",
				 (size_t)natsMsg_GetDataLength(msg), JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(doc))
		read_object(doc, &reply);
	json_decref(doc);
	return reply;
}

void reply_fini(struct reply *reply)
{
	free(reply->data);
	reply->data = NULL;
}

/* It says nothing but that the server is there. */
static bool is_beat(natsMsg *msg)
{
	const char *status = NULL;

	return natsMsgHeader_Get(msg, "Status", &status) == NATS_OK && strcmp(status, "100") == 0;
}

static bool is_deletion(natsMsg *msg)
{
	const char *operation = NULL;

	return natsMsgHeader_Get(msg, "KV-Operation", &operation) == NATS_OK &&
	       (strcmp(operation, "DEL") == 0 || strcmp(operation, "PURGE") == 0);
}

/*
 * A change's place in the stream, 0: it has none. It is in the subject for its acknowledgement, which nobody sends:
 * $JS.ACK.STREAM.CONSUMER.DELIVERED.PLACE and three more, newer with DOMAIN.ACCOUNT before STREAM and one more.
 */
static uint64_t place_of(natsMsg *msg)
{
	const char *at = natsMsg_GetReply(msg);
	size_t points = 0;
	uint64_t place;

	for (const char *p = at; p && *p; p++)
		points += *p == '.';
	if (points < 8)
		return 0;
	for (int skip = points == 8 ? 5 : 7; skip > 0; skip--)
		at = strchr(at, '.') + 1;
	return tds_parse_uint(at, strcspn(at, "."), UINT64_MAX, &place) ? place : 0;
}

enum reply_change reply_read_change(natsMsg *msg, const char *records, struct tds_linkframe *frame)
{
	const char *subject = natsMsg_GetSubject(msg);
	size_t n = strlen(records);
	uint64_t place = place_of(msg);
	bool deletes = is_deletion(msg);

	if (is_beat(msg))
		return REPLY_BEAT;
	if (strncmp(subject, records, n) != 0 || place == 0)
		return REPLY_FOREIGN;
	*frame = (struct tds_linkframe){
		.kind = TDS_LINK_CHANGED,
		.revision = place,
		.code = deletes ? TDS_LINK_DELETED : TDS_LINK_PUT,
		.name = subject + n,
		.name_len = strlen(subject + n),
		.data = natsMsg_GetData(msg),
		.len = deletes ? 0 : (size_t)natsMsg_GetDataLength(msg),
	};
	return REPLY_CHANGE;
}
