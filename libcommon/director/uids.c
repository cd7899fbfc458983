/* SPDX-License-Identifier: MIT */
/* The range of uids, and uids.json. */
#include "uids.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/text.h"
#include "package/version.h"
#include "rundoc.h"

#define MAX_BYTES (4 << 20)
#define LEAST 1000            /* below are those of the system */
#define MOST (UINT32_MAX - 2) /* the last one stands for none */
/* The verifier's, nobody's, and what stands for none in 16 bits. */
#define TAKEN_FIRST 65533
#define TAKEN_LAST 65535

bool tds_uidrange_parse(const char *text, size_t len, struct tds_uidrange *range)
{
	const char *dash = memchr(text, '-', len);
	size_t before = dash ? (size_t)(dash - text) : 0;
	uint64_t first;
	uint64_t last;

	if (!dash || !tds_parse_uint(text, before, MOST, &first) ||
	    !tds_parse_uint(dash + 1, len - before - 1, MOST, &last))
		return false;
	*range = (struct tds_uidrange){ (uid_t)first, (uid_t)last };
	return first >= LEAST && first <= last && (first > TAKEN_LAST || last < TAKEN_FIRST);
}

/* False: the uid is in use already, or out of memory. */
static bool use(json_t *used, json_int_t uid)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, uid);
	return !json_object_get(used, text) && json_object_set_new(used, text, json_true()) == 0;
}

/* A uid of two groups would be none between them. */
bool tds_uids_fit(const json_t *document)
{
	json_t *groups = json_object_get(document, "Groups");
	json_t *used = json_object();
	bool good = json_is_object(groups);
	const char *name;
	json_t *uid;

	json_object_foreach(groups, name, uid)
	{
		good = good && tds_group_name_ok(name) && json_is_integer(uid) &&
		       json_integer_value(uid) >= LEAST && json_integer_value(uid) <= MOST &&
		       use(used, json_integer_value(uid));
	}
	json_decref(used);
	return good;
}

int tds_uids_read(int rundir, json_t **groups, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	tds_autofd int fd = -1;
	size_t len;
	int rc = tds_own_open(rundir, TDS_UIDS_NAME, O_RDONLY, 0, &fd, err);

	if (rc == TDS_E_MISSING) {
		*groups = json_object();
		return *groups ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (rc != 0)
		return rc;
	if (tds_io_slurp_fd(fd, MAX_BYTES, &text, &len, err) != 0)
		return tds_err_prefix(err, TDS_UIDS_NAME);
	json_t *document = tds_rundoc_parse(text, len, tds_uids_fit, err);
	if (!document)
		return tds_err_name(err, TDS_UIDS_NAME);
	*groups = json_incref(json_object_get(document, "Groups"));
	json_decref(document);
	return 0;
}
