/* SPDX-License-Identifier: MIT */
/*
 * Requests carry a number of this process's own in the subject of their answer, so that a late answer to one that is over is
 * nobody's. Records are what key-value buckets of NATS have: the last message of a subject, whose place in the stream is the
 * revision, and a header for one that was deleted. A record that was deleted is made anew by an update of that deletion.
 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "out.h"
#include "reply.h"

#define PATIENCE_MS 2000 /* then it is unknown what became of it */
#define PENDING_MAX 256  /* requests that wait for their answer */
#define BEAT_S 5         /* a watch that has nothing to tell tells that */
#define SILENCE_MS 12000 /* of a watch that is begun anew */
#define SUBJECT_MAX 512
#define BUCKET "KV_tds-"
#define RECORDS "$KV.tds-"

enum doing {
	NOTHING,
	MAKING,  /* the bucket */
	JUDGING, /* one that is there */
	WATCHING,
	GETTING,
	WRITING,
	LOOKING, /* whether what stands where a record is to be made is one that was deleted */
};

struct request {
	enum doing doing;
	uint64_t id;     /* of its answer's subject */
	uint64_t number; /* of the frame's, 0: nobody's */
	int64_t deadline_mono_ms;
	bool creates;
	char *key;
	char *data; /* of what is created: it may have to be sent twice */
	size_t len;
};

struct store {
	natsConnection *nc;
	bool is_up; /* the bucket is there */
	bool is_watched;
	char name[TDS_SYSTEM_NAME_MAX + 1];
	char inbox[64];
	uint64_t last_id;
	struct request requests[PENDING_MAX];
	natsSubscription *watch; /* NULL: none, or it is to be begun anew */
	int64_t watch_mono_ms;   /* it is silent from then on */
};

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- answers --- */

static void answer(uint64_t number, enum tds_link_result result, uint64_t revision,
		   const void *data, size_t len)
{
	out_frame(&(struct tds_linkframe){ .kind = TDS_LINK_ANSWER,
					   .number = number,
					   .code = (uint8_t)result,
					   .revision = revision,
					   .data = data,
					   .len = len },
		  false);
}

static void answer_why(uint64_t number, enum tds_link_result result, const char *why)
{
	answer(number, result, 0, why, strlen(why));
}

static void end(struct request *request)
{
	free(request->key);
	free(request->data);
	*request = (struct request){ 0 };
}

static struct request *begin(struct store *store, enum doing doing)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (store->requests[i].doing == NOTHING) {
			store->requests[i] = (struct request){ .doing = doing };
			return &store->requests[i];
		}
	return NULL;
}

/* --- asking the server --- */

/* Send it, and wait for its answer under a new id. False: it certainly did not leave. */
static bool send(struct store *store, struct request *request, natsMsg *msg)
{
	natsStatus s = natsConnection_PublishMsg(store->nc, msg);

	natsMsg_Destroy(msg);
	request->deadline_mono_ms = now_ms() + PATIENCE_MS;
	return s == NATS_OK;
}

static natsMsg *message(struct store *store, struct request *request, const char *subject,
			const void *data, size_t len)
{
	char reply[96];
	natsMsg *msg = NULL;

	request->id = ++store->last_id;
	(void)snprintf(reply, sizeof(reply), "%s.%llu", store->inbox,
		       (unsigned long long)request->id);
	return natsMsg_Create(&msg, subject, reply, data, (int)len) == NATS_OK ? msg : NULL;
}

/* What the administration of JetStream is asked: VERB.STREAM, with JSON. */
static bool ask_api(struct store *store, struct request *request, const char *verb,
		    const char *json)
{
	char subject[SUBJECT_MAX];

	(void)snprintf(subject, sizeof(subject), "$JS.API.%s." BUCKET "%s", verb, store->name);
	natsMsg *msg = message(store, request, subject, json, strlen(json));
	return msg && send(store, request, msg);
}

static bool ask_record(struct store *store, struct request *request)
{
	char json[SUBJECT_MAX];

	(void)snprintf(json, sizeof(json), "{\"last_by_subj\":\"" RECORDS "%s.%s\"}", store->name,
		       request->key);
	return ask_api(store, request, "STREAM.MSG.GET", json);
}

/* Write where the last revision is this one; 0: where there is none. */
static bool write_record(struct store *store, struct request *request, uint64_t revision,
			 bool deletes, const void *data, size_t len)
{
	char subject[SUBJECT_MAX];
	char text[24];

	(void)snprintf(subject, sizeof(subject), RECORDS "%s.%s", store->name, request->key);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)revision);
	natsMsg *msg = message(store, request, subject, data, len);
	if (!msg)
		return false;
	if (natsMsgHeader_Set(msg, "Nats-Expected-Last-Subject-Sequence", text) != NATS_OK ||
	    (deletes && natsMsgHeader_Set(msg, "KV-Operation", "DEL") != NATS_OK)) {
		natsMsg_Destroy(msg);
		return false;
	}
	request->doing = WRITING;
	return send(store, request, msg);
}

/* --- the bucket, and the watch --- */

/* Without AllowRollup, or one header on a record would erase them all. */
static void make_bucket(struct store *store)
{
	struct request *request = begin(store, MAKING);
	char json[SUBJECT_MAX];

	(void)snprintf(json, sizeof(json),
		       "{\"name\":\"" BUCKET "%s\",\"subjects\":[\"" RECORDS "%s.>\"],"
		       "\"max_msgs_per_subject\":1,\"storage\":\"file\",\"discard\":\"new\","
		       "\"retention\":\"limits\",\"num_replicas\":1,\"deny_delete\":true,"
		       "\"allow_rollup_hdrs\":false}",
		       store->name, store->name);
	if (request && !ask_api(store, request, "STREAM.CREATE", json))
		end(request);
}

static void begin_watch(struct store *store)
{
	static enum tds_link_side side = TDS_LINK_STORE;
	struct request *request;
	natsInbox *inbox = NULL;
	char json[SUBJECT_MAX];

	natsSubscription_Destroy(store->watch);
	store->watch = NULL;
	store->watch_mono_ms = now_ms() + PATIENCE_MS;
	if (natsInbox_Create(&inbox) != NATS_OK)
		return;
	request = begin(store, WATCHING);
	(void)snprintf(json, sizeof(json),
		       "{\"stream_name\":\"" BUCKET "%s\",\"config\":{\"deliver_subject\":\"%s\","
		       "\"deliver_policy\":\"last_per_subject\",\"ack_policy\":\"none\","
		       "\"replay_policy\":\"instant\",\"filter_subject\":\"" RECORDS "%s.>\","
		       "\"idle_heartbeat\":%d000000000}}",
		       store->name, inbox, store->name, BEAT_S);
	if (request && natsConnection_Subscribe(&store->watch, store->nc, inbox, side_on_message,
						&side) == NATS_OK)
		(void)ask_api(store, request, "CONSUMER.CREATE", json);
	natsInbox_Destroy(inbox);
}

static void set_up(struct store *store)
{
	store->is_up = true;
	out_state(TDS_LINK_STORE, TDS_LINK_UP, "");
	if (store->is_watched)
		begin_watch(store);
}

static void judge_bucket(struct store *store, const struct reply *reply)
{
	if (reply->result == REPLY_DONE && !reply->allows_rollup)
		set_up(store);
	else if (reply->result == REPLY_DONE)
		out_state(TDS_LINK_STORE, TDS_LINK_REFUSED,
			  "the bucket lets one message erase it (allow_rollup_hdrs)");
	else
		out_state(TDS_LINK_STORE, TDS_LINK_REFUSED, reply->text);
}

/* --- what the server answers --- */

static const enum tds_link_result results[] = {
	[REPLY_DONE] = TDS_LINK_DONE,        [REPLY_CONFLICT] = TDS_LINK_CONFLICT,
	[REPLY_MISSING] = TDS_LINK_MISSING,  [REPLY_OTHERWISE] = TDS_LINK_DENIED,
	[REPLY_DENIED] = TDS_LINK_DENIED,    [REPLY_NOBODY] = TDS_LINK_DENIED,
	[REPLY_NONSENSE] = TDS_LINK_UNKNOWN,
};

static void give(struct request *request, const struct reply *reply)
{
	if (reply->result == REPLY_DONE)
		answer(request->number, TDS_LINK_DONE, reply->revision, reply->data, reply->len);
	else
		answer_why(request->number, results[reply->result], reply->text);
	end(request);
}

/* What was to be made has something in its place: only what was deleted makes room. */
static void look(struct store *store, struct request *request)
{
	request->doing = LOOKING;
	if (!ask_record(store, request)) {
		answer_why(request->number, TDS_LINK_CONFLICT, "there is one");
		end(request);
	}
}

static void make_again(struct store *store, struct request *request, const struct reply *reply)
{
	request->creates = false;
	if (reply->result == REPLY_MISSING && reply->revision != 0 &&
	    write_record(store, request, reply->revision, false, request->data, request->len))
		return;
	answer_why(request->number, TDS_LINK_CONFLICT, "there is one");
	end(request);
}

static void settle(struct store *store, struct request *request, const struct reply *reply)
{
	switch (request->doing) {
	case MAKING:
		if (reply->result == REPLY_OTHERWISE) {
			request->doing = JUDGING;
			if (ask_api(store, request, "STREAM.INFO", ""))
				return;
			break;
		}
		judge_bucket(store, reply);
		break;
	case JUDGING:
		judge_bucket(store, reply);
		break;
	case WATCHING:
		if (reply->result != REPLY_DONE)
			out_trouble(TDS_LINK_STORE, TDS_LINK_OTHER, reply->text);
		else
			store->watch_mono_ms = now_ms() + SILENCE_MS;
		break;
	case WRITING:
		if (request->creates && reply->result == REPLY_CONFLICT)
			look(store, request);
		else
			give(request, reply);
		return;
	case LOOKING:
		make_again(store, request, reply);
		return;
	default:
		give(request, reply);
		return;
	}
	end(request);
}

static void take_answer(struct store *store, natsMsg *msg, const char *digits)
{
	uint64_t id;

	if (!tds_parse_uint(digits, strlen(digits), UINT64_MAX, &id))
		id = 0;
	for (size_t i = 0; i < PENDING_MAX && id; i++) {
		struct request *request = &store->requests[i];

		if (request->doing == NOTHING || request->id != id)
			continue;
		struct reply reply = reply_read(msg);
		if (reply.result == REPLY_NONSENSE)
			out_trouble(TDS_LINK_STORE, TDS_LINK_FOREIGN, reply.text);
		settle(store, request, &reply);
		reply_fini(&reply);
		return;
	}
}

static void take_change(struct store *store, natsMsg *msg)
{
	struct tds_linkframe frame;
	char records[SUBJECT_MAX];

	(void)snprintf(records, sizeof(records), RECORDS "%s.", store->name);
	store->watch_mono_ms = now_ms() + SILENCE_MS;
	switch (reply_read_change(msg, records, &frame)) {
	case REPLY_BEAT:
		break;
	case REPLY_CHANGE:
		out_frame(&frame, false);
		break;
	case REPLY_FOREIGN:
		out_trouble(TDS_LINK_STORE, TDS_LINK_FOREIGN, "a change that is none");
		break;
	}
}

void store_take(struct store *store, natsMsg *msg)
{
	const char *subject = natsMsg_GetSubject(msg);
	size_t n = strlen(store->inbox);

	if (strncmp(subject, store->inbox, n) == 0 && subject[n] == '.')
		take_answer(store, msg, subject + n + 1);
	else
		take_change(store, msg);
}

/* --- what is asked --- */

/* It becomes the end of a subject, and stands in JSON. */
static bool key_fits(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (key[i] == '\0' || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789_-",
					      key[i]))
			return false;
	return len > 0;
}

static bool carry_out(struct store *store, struct request *request,
		      const struct tds_linkframe *frame)
{
	switch (frame->kind) {
	case TDS_LINK_GET:
		return ask_record(store, request);
	case TDS_LINK_CREATE:
		request->creates = true;
		request->len = frame->len;
		request->data = malloc(frame->len + 1);
		if (!request->data)
			return false;
		memcpy(request->data, frame->data, frame->len);
		return write_record(store, request, 0, false, frame->data, frame->len);
	default:
		return write_record(store, request, frame->revision, frame->kind == TDS_LINK_DELETE,
				    frame->data, frame->len);
	}
}

void store_ask(struct store *store, const struct tds_linkframe *frame)
{
	if (frame->kind == TDS_LINK_WATCH) {
		bool begins = store && store->is_up && !store->is_watched;

		if (store)
			store->is_watched = true;
		if (begins)
			begin_watch(store);
		return;
	}
	struct request *request = store && store->is_up && key_fits(frame->name, frame->name_len)
					  ? begin(store, GETTING)
					  : NULL;
	if (!request) {
		answer_why(frame->number, TDS_LINK_DENIED,
			   "there is no store, no such name, or too much is asked at once");
		return;
	}
	request->number = frame->number;
	request->key = strndup(frame->name, frame->name_len);
	if (request->key && carry_out(store, request, frame))
		return;
	answer_why(frame->number, TDS_LINK_DENIED, "it was not sent");
	end(request);
}

/* --- the connection, and time --- */

struct store *store_new(natsConnection *nc, const char *name)
{
	static enum tds_link_side side = TDS_LINK_STORE;
	struct store *store = calloc(1, sizeof(*store));
	natsSubscription *sub;
	natsInbox *inbox = NULL;
	char all[80];

	if (!store || natsInbox_Create(&inbox) != NATS_OK) {
		free(store);
		return NULL;
	}
	store->nc = nc;
	(void)snprintf(store->name, sizeof(store->name), "%s", name);
	(void)snprintf(store->inbox, sizeof(store->inbox), "%s", inbox);
	natsInbox_Destroy(inbox);
	(void)snprintf(all, sizeof(all), "%s.*", store->inbox);
	if (natsConnection_Subscribe(&sub, nc, all, side_on_message, &side) == NATS_OK)
		return store;
	free(store);
	return NULL;
}

void store_up(struct store *store)
{
	make_bucket(store);
}

/* What waits may have been done. */
static void give_up(struct request *request, const char *why)
{
	if (request->number)
		answer_why(request->number, TDS_LINK_UNKNOWN, why);
	end(request);
}

void store_down(struct store *store, const char *why)
{
	store->is_up = false;
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (store->requests[i].doing != NOTHING)
			give_up(&store->requests[i], why);
}

static void tick_request(struct store *store, struct request *request)
{
	enum doing doing = request->doing;

	give_up(request, "no answer in time");
	/* JetStream may only be starting. */
	if (doing == MAKING || doing == JUDGING)
		make_bucket(store);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

int store_tick(struct store *store)
{
	int64_t now = now_ms();
	int64_t next = -1;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct request *request = &store->requests[i];

		if (request->doing != NOTHING && request->deadline_mono_ms <= now)
			tick_request(store, request);
		if (request->doing != NOTHING)
			next = sooner(next, request->deadline_mono_ms);
	}
	if (store->is_up && store->is_watched) {
		if (store->watch_mono_ms <= now)
			begin_watch(store);
		next = sooner(next, store->watch_mono_ms);
	}
	return next < 0 ? -1 : next > now ? (int)(next - now) : 0;
}
