/* SPDX-License-Identifier: MIT */
/* The systems of the convention, as whoever made the door knows them. */
#include "systems.h"

void answer_members(struct asker *asker, const struct request *row, const json_t *request)
{
	const struct door_settings *settings = asker->door->settings;
	json_t *members = settings->members(settings->ctx);

	(void)request;
	if (!members)
		asker_refuse(asker, row, 4, "this system is in no convention");
	else
		asker_answer(asker, json_pack("{s:s, s:b, s:o}", "DirectorResponse", row->response,
					      "Success", 1, "Members", members));
}
