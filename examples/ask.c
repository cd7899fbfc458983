/* SPDX-License-Identifier: MIT */
/*
 * Ask a role, a global name or an address something, as tds-admin ask does; or have each change told, as tds-admin watch.
 *
 *	cc -o ask ask.c $(pkg-config --cflags --libs tds)
 *	./ask stock "{'op': 'list'}"
 *	./ask --watch
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tds/client.h>

static int fail(const struct tds_connection *admin, int status)
{
	fprintf(stderr, "ask: %s\n", tds_reason(admin));
	return status;
}

/* The answer of an actor, as Python writes it. */
static int ask(struct tds_connection *admin, const char *target, const char *literal)
{
	json_t *request = json_pack("{s:s, s:s, s:s, s:i}", "DirectorOp", "Ask", "Target", target,
				    "Literal", literal, "Timeout", 10);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	char *answer = NULL;
	int status = text ? tds_ask(admin, text, &answer) : TDS_STATUS_NOT_WRITTEN;
	json_t *said = answer ? json_loads(answer, JSON_ALLOW_NUL, NULL) : NULL;

	if (status == TDS_STATUS_OK)
		printf("%s\n", json_string_value(json_object_get(said, "Literal")));
	json_decref(said);
	free(answer);
	free(text);
	json_decref(request);
	return status == TDS_STATUS_OK ? status : fail(admin, status);
}

/* A line of JSON for each thing that happens, until the admin process ends. */
static int watch(struct tds_connection *admin)
{
	char *line = NULL;
	int status = tds_ask(admin, "{\"DirectorOp\":\"Watch\"}", &line);

	while (status == TDS_STATUS_OK) {
		printf("%s\n", line);
		fflush(stdout);
		free(line);
		status = tds_next(admin, &line);
	}
	return fail(admin, status);
}

int main(int argc, char **argv)
{
	int watching = argc == 2 && strcmp(argv[1], "--watch") == 0;
	struct tds_connection *admin = NULL;

	if (argc != 3 && !watching) {
		fputs("usage: ask TARGET LITERAL\n       ask --watch\n", stderr);
		return TDS_STATUS_WRONG;
	}
	int status = tds_connect(NULL, &admin);
	if (status != TDS_STATUS_OK)
		status = fail(admin, status);
	else
		status = watching ? watch(admin) : ask(admin, argv[1], argv[2]);
	tds_disconnect(admin);
	return status;
}
