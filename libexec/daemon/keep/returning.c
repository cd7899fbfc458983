/* SPDX-License-Identifier: MIT */
/* restoring.json. */
#include "returning.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/own.h"
#include "director/rundir.h"

#define MAX_BYTES (1 << 20)
#define NEW TDS_RETURNING_NAME ".new"

/* One that is not whole is as good as none. */
static void write_down(const struct returning *returning)
{
	tds_autofree char *text = tds_json_text(returning->deaths, JSON_INDENT(1));

	if (json_object_size(returning->deaths) == 0) {
		(void)unlinkat(returning->rundir, TDS_RETURNING_NAME, 0);
		return;
	}
	tds_autofd int fd = openat(returning->rundir, NEW,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0 && text && tds_io_write(fd, text, strlen(text)) == 0)
		(void)renameat(returning->rundir, NEW, returning->rundir, TDS_RETURNING_NAME);
}

void returning_open(struct returning *returning, int rundir, const json_t *state)
{
	tds_autofree char *text = NULL;
	const json_t *source;
	size_t len;
	size_t i;

	*returning = (struct returning){ .rundir = rundir, .deaths = json_object() };
	tds_autofd int fd = -1;
	if (tds_own_open(rundir, TDS_RETURNING_NAME, O_RDONLY, 0, &fd, NULL) != 0 ||
	    tds_io_slurp_fd(fd, MAX_BYTES, &text, &len, NULL) != 0)
		return;
	json_t *left = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	json_array_foreach(json_object_get(state, "Sources"), i, source)
	{
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));
		json_t *deaths = sha256 ? json_object_get(left, sha256) : NULL;

		if (json_integer_value(deaths) > 0)
			(void)json_object_set(returning->deaths, sha256, deaths);
	}
	json_decref(left);
	write_down(returning);
}

void returning_close(struct returning *returning)
{
	json_decref(returning->deaths);
	*returning = (struct returning){ 0 };
}

unsigned returning_deaths(const struct returning *returning, const char *sha256)
{
	json_int_t n = json_integer_value(json_object_get(returning->deaths, sha256));

	return n > 0 && n < 1000 ? (unsigned)n : 0;
}

bool returning_is_empty(const struct returning *returning)
{
	return json_object_size(returning->deaths) == 0;
}

void returning_begin(struct returning *returning, const char *sha256)
{
	unsigned n = returning_deaths(returning, sha256) + 1;

	(void)json_object_set_new(returning->deaths, sha256, json_integer(n));
	write_down(returning);
}

void returning_end(struct returning *returning, const char *sha256)
{
	if (json_object_del(returning->deaths, sha256) == 0)
		write_down(returning);
}
