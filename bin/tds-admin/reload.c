/* SPDX-License-Identifier: MIT */
/* tds-admin reload. */
#include <string.h>

#include "admin.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "director/config.h"
#include "tool/client.h"

const char admin_reload_help[] =
	"usage: tds-admin [options] reload\n"
	"Have the admin process read again what counts at a reload, and open its logs anew.\n"
	"What cannot be read stays as it is, and is named: status 1. What waits for a restart is "
	"named in a warning.\n";

/* A refusal a line, and what waits for a restart as warnings. */
static void print_outcome(struct admin *admin, const json_t *answer)
{
	struct tds_err err;
	const json_t *what;
	size_t i;

	json_array_foreach(json_object_get(answer, "Refused"), i, what)
	{
		tds_err_set(&err, TDS_E_REFUSED, "%s", json_string_value(what));
		tds_cli_error(&admin->cli, NULL, &err);
	}
	json_array_foreach(json_object_get(answer, "Changed"), i,
			   what) if (strcmp(tds_json_string(what, "Counts"),
					    tds_config_counts_words(TDS_COUNTS_AT_RESTART)) == 0)
		tds_cli_warn(&admin->cli, tds_json_string(what, "File"),
			     "has changed, and counts at a restart");
}

void admin_reload(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(client) struct tds_client client = { .fd = -1 };
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "reload takes no operand");
		return;
	}
	int rc = admin_open_dir(admin, &dir, &err);
	if (rc == 0)
		rc = tds_client_open(&dir, &client, &err);
	if (rc == 0)
		rc = tds_client_ask(&client, json_pack("{s:s}", "DirectorOp", "Reload"), &answer,
				    &err);
	if (json_object_get(answer, "Refused"))
		print_outcome(admin, answer);
	else if (rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	if (admin->cli.json && answer)
		tds_cli_print_document(&admin->cli, answer);
	else
		json_decref(answer);
}
