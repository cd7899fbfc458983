/* SPDX-License-Identifier: MIT */
/* Answers in the words that all requests share. */
#include "asker.h"

#include "tool/cli.h"

json_t *failure_json(const char *response, int status, const char *why)
{
	return json_pack("{s:s, s:b, s:i, s:o?}", "DirectorResponse", response, "Success", 0,
			 "Status", status, "Message", tds_cli_json_text(why));
}

json_t *success_json(const char *response)
{
	return json_pack("{s:s, s:b}", "DirectorResponse", response, "Success", 1);
}

json_t *notification_json(void)
{
	return success_json("NotificationOfUpdate");
}

json_t *later_json(const char *response)
{
	json_t *doc = failure_json(response, 8, "the admin process is restarting");

	(void)json_object_set_new(doc, "Restarting", json_true());
	return doc;
}

/* What fails while it restarts may fail of that. */
static json_t *unless_restarting(json_t *doc)
{
	const char *response = json_string_value(json_object_get(doc, "DirectorResponse"));

	if (!response || json_is_true(json_object_get(doc, "Success")))
		return doc;
	json_t *later = later_json(response);
	json_decref(doc);
	return later;
}

void asker_answer(struct asker *asker, json_t *doc)
{
	asker->pending = false;
	asker->ops->answer(asker,
			   asker->door->state == DOOR_RESTARTING ? unless_restarting(doc) : doc);
}

void asker_refuse(struct asker *asker, const struct request *row, int status, const char *why)
{
	asker_answer(asker, failure_json(row->response, status, why));
}

void asker_identify(struct asker *asker, struct who *who)
{
	*who = (struct who){ .asking = asker->ops->asking(asker) };
	asker->ops->identify(asker, &who->by);
	who->by.asking = &who->asking;
}

bool asker_check(struct asker *asker, const struct request *row, enum tds_asked what,
		 const char *group)
{
	struct who who;
	struct tds_err err;

	asker_identify(asker, &who);
	int rc = director_check(asker->door->director, &who.by, what, group, &err);
	who_fini(&who);
	if (rc != 0)
		asker_refuse(asker, row, tds_code_status(err.code), err.reason);
	return rc == 0;
}

const char *request_text(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text && *text ? text : NULL;
}
