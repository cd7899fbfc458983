/* SPDX-License-Identifier: MIT */
/* Who may ask for what: the table, and what it comes to with the lists of rights that somebody has. */
#include "asking.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define N TDS_MAY_NO
#define Y TDS_MAY_YES
#define R TDS_MAY_BY_RIGHT
#define G TDS_MAY_AS_GUEST
#define _ TDS_MAY_NOT_TRY
#define REQUEST(name, right, ...) { name, true, TDS_RIGHT_##right, { __VA_ARGS__ } }
#define BY_LINK(name, right, ...) { name, false, TDS_RIGHT_##right, { __VA_ARGS__ } }

/* The columns: own user and root, users of adminusers.cfg, programs of the own user, of other users, actors of packages. */
static const struct tds_asked_row rows[] = {
	[TDS_ASKED_DEFINE]       = REQUEST("DefineGroup", DEFINE,         Y, R, Y, N, R),
	[TDS_ASKED_LOAD]         = REQUEST("LoadSource", LOAD,            Y, R, Y, N, R),
	[TDS_ASKED_UNLOAD]       = REQUEST("UnloadSource", UNLOAD,        Y, R, Y, N, R),
	[TDS_ASKED_REFRESH]      = REQUEST("Refresh", LOAD,               Y, R, Y, N, R),
	[TDS_ASKED_HOLD]         = REQUEST("Hold", HOLD,                  Y, R, Y, N, R),
	[TDS_ASKED_RELEASE]      = REQUEST("Release", HOLD,               Y, R, Y, N, R),
	[TDS_ASKED_ROLLBACK]     = REQUEST("Rollback", HOLD,              Y, R, Y, N, R),
	[TDS_ASKED_FORGET]       = REQUEST("Forget", FORGET,              Y, R, Y, N, R),
	[TDS_ASKED_ALL]          = REQUEST("RetrieveAll", LIST,           Y, R, Y, Y, Y),
	[TDS_ASKED_ROLE]         = REQUEST("RetrieveRole", LIST,          Y, R, Y, Y, Y),
	[TDS_ASKED_NOTIFICATION] = REQUEST("RequestNotification", LIST,   Y, R, Y, Y, Y),
	[TDS_ASKED_STATUS]       = REQUEST("Status", NONE,                Y, Y, Y, Y, Y),
	[TDS_ASKED_MEMBERS]      = REQUEST("Members", LIST,               Y, R, Y, Y, Y),
	[TDS_ASKED_TELL]         = REQUEST("Tell", TELL,                  Y, R, _, _, _),
	[TDS_ASKED_ASK]          = REQUEST("Ask", ASK,                    Y, R, _, _, _),
	[TDS_ASKED_WATCH]        = REQUEST("Watch", WATCH,                Y, R, _, _, _),
	[TDS_ASKED_RELOAD]       = REQUEST("Reload", RELOAD,              Y, R, _, _, _),
	[TDS_ASKED_RESTART]      = REQUEST("Restart", RESTART,            Y, R, _, _, _),
	[TDS_ASKED_RESTART_AS]   = REQUEST("Restart with Program", NONE,  Y, N, _, _, _),
	[TDS_ASKED_SHUTDOWN]     = REQUEST("Shutdown", SHUTDOWN,          Y, R, _, _, _),
	[TDS_ASKED_JOIN]         = REQUEST("Join", NONE,                  G, G, G, G, _),

	[TDS_ASKED_SEND]             = BY_LINK("send messages", NONE,                    _, _, Y, Y, Y),
	[TDS_ASKED_CREATE]           = BY_LINK("create actors", NONE,                    _, _, Y, Y, Y),
	[TDS_ASKED_CREATE_OTHER]     = BY_LINK("create actors of other packages", CREATE, _, _, Y, N, R),
	[TDS_ASKED_NAME]             = BY_LINK("give a global name", NONE,               _, _, Y, Y, Y),
	[TDS_ASKED_NAME_DECLARED]    = BY_LINK("give one that another group declares", NONE, _, _, N, N, N),
	[TDS_ASKED_SOURCES_TOLD]     = BY_LINK("be told of sources", NONE,               _, _, Y, Y, Y),
	[TDS_ASKED_SOURCES_OWN]      = BY_LINK("bring sources of its own", SOURCES,      _, _, Y, Y, R),
	[TDS_ASKED_UNLOAD_SOURCE]    = BY_LINK("unload a package's source", UNLOAD,      _, _, Y, N, R),
	[TDS_ASKED_CAPABILITY]       = BY_LINK("set capabilities of its own", NONE,      _, _, Y, N, Y),
	[TDS_ASKED_CAPABILITY_OTHER] = BY_LINK("set other capabilities", CAPABILITIES,   _, _, Y, N, R),
	[TDS_ASKED_DEAD_LETTERS]     = BY_LINK("be sent dead letters", DEADLETTERS,      _, _, Y, N, R),
	[TDS_ASKED_LOG]              = BY_LINK("log", NONE,                              _, _, Y, Y, Y),
	[TDS_ASKED_SYSTEM_STATUS]    = BY_LINK("ask for the system's status", NONE,      _, _, Y, Y, Y),
	[TDS_ASKED_SYSTEM_END]       = BY_LINK("end the system", SHUTDOWN,               _, _, Y, N, R),
	[TDS_ASKED_EXIT]             = BY_LINK("ask its own actors to exit", NONE,       _, _, Y, Y, Y),
	[TDS_ASKED_EXIT_OTHER]       = BY_LINK("ask any other actor to exit", NONE,      _, _, Y, N, N),
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == TDS_ASKED, "a row for all that can be asked");

#undef N
#undef Y
#undef R
#undef G
#undef _
/* clang-format on */

const struct tds_asked_row *tds_asked_row(enum tds_asked what)
{
	return &rows[what];
}

const char *tds_asker_words(enum tds_asker asker)
{
	static const char *const words[TDS_ASKERS] = {
		[TDS_ASKER_OWN] = "own user, root",  [TDS_ASKER_USER] = "adminusers.cfg",
		[TDS_ASKER_PROGRAM] = "own program", [TDS_ASKER_FOREIGN] = "other program",
		[TDS_ASKER_ACTOR] = "actor",
	};

	return words[asker];
}

const char *tds_may_words(enum tds_may may)
{
	static const char *const words[] = {
		[TDS_MAY_NO] = "no",          [TDS_MAY_YES] = "yes",
		[TDS_MAY_BY_RIGHT] = "right", [TDS_MAY_AS_GUEST] = "guests.cfg",
		[TDS_MAY_NOT_TRY] = "-",
	};

	return words[may];
}

bool tds_asking_copy(const struct tds_asking *asking, struct tds_asking *copy)
{
	*copy = (struct tds_asking){ .kind = asking->kind };
	copy->group = asking->group ? strdup(asking->group) : NULL;
	for (size_t f = 0; f < TDS_RIGHTS_FILES; f++)
		copy->rights[f] = tds_rights_ref(asking->rights[f]);
	return !asking->group || copy->group;
}

void tds_asking_fini(struct tds_asking *copy)
{
	for (size_t f = 0; f < TDS_RIGHTS_FILES; f++)
		tds_rights_free((struct tds_rights *)(uintptr_t)copy->rights[f]);
	free((char *)(uintptr_t)copy->group);
	*copy = (struct tds_asking){ 0 };
}

/* The lists that count for this kind of asker, as bits 1 << file. */
static unsigned files_of(enum tds_asker kind)
{
	static const unsigned files[TDS_ASKERS] = {
		[TDS_ASKER_USER] = 1 << TDS_RIGHTS_USER,
		[TDS_ASKER_ACTOR] =
			1 << TDS_RIGHTS_SIGNED | 1 << TDS_RIGHTS_DECLARED | 1 << TDS_RIGHTS_MACHINE,
	};

	return files[kind];
}

typedef bool grants_fn(const struct tds_rights *rights, enum tds_right right, const char *group);

/* The first of the lists that count which does not grant it; TDS_RIGHTS_FILES: each of them does. */
static enum tds_rights_file missing_in(const struct tds_asking *asking, enum tds_right right,
				       const char *group, grants_fn *grants)
{
	unsigned files = files_of(asking->kind);
	unsigned f = 0;

	while (f < TDS_RIGHTS_FILES &&
	       (!(files & 1U << f) || grants(asking->rights[f], right, group)))
		f++;
	return (enum tds_rights_file)f;
}

static bool may(const struct tds_asking *asking, enum tds_asked what, const char *group,
		grants_fn *grants)
{
	const struct tds_asked_row *row = &rows[what];

	switch (row->may[asking->kind]) {
	case TDS_MAY_YES:
	case TDS_MAY_AS_GUEST: /* whoever decides about guests does that besides */
		return true;
	case TDS_MAY_BY_RIGHT:
		return missing_in(asking, row->right, group, grants) == TDS_RIGHTS_FILES;
	case TDS_MAY_NO:
	case TDS_MAY_NOT_TRY:
		break;
	}
	return false;
}

bool tds_asking_may(const struct tds_asking *asking, enum tds_asked what, const char *group)
{
	return may(asking, what, group, tds_rights_grant);
}

static bool grants_any(const struct tds_rights *rights, enum tds_right right, const char *group)
{
	(void)group;
	return tds_rights_grant_any(rights, right);
}

bool tds_asking_may_any(const struct tds_asking *asking, enum tds_asked what)
{
	return may(asking, what, NULL, grants_any);
}

/* --- why not --- */

/* Where no list would help. */
static const char *why_never(enum tds_asker kind, enum tds_asked what)
{
	if (what == TDS_ASKED_NAME_DECLARED)
		return "the name belongs to the group whose GROUP.tli declares it";
	if (what == TDS_ASKED_EXIT_OTHER)
		return "that is for its parent, its own realm and programs of the admin's user";
	if (kind == TDS_ASKER_USER)
		return "that is for root and the admin's own user (adminuser.cfg)";
	if (kind == TDS_ASKER_FOREIGN)
		return "programs of other users may not; adminusers.cfg lets their users "
		       "ask by the socket";
	return "nobody may";
}

void tds_asking_why(const struct tds_asking *asking, enum tds_asked what, const char *group,
		    char text[TDS_ASKING_WHY_MAX])
{
	static const char *const lacks[TDS_RIGHTS_FILES][2] = {
		[TDS_RIGHTS_SIGNED] = { "May in the signed declaration of its package has no",
					" (put it into GROUP.tli and pack anew)" },
		[TDS_RIGHTS_DECLARED] = { "May in its GROUP.tli has no", "" },
		[TDS_RIGHTS_MACHINE] = { "may.cfg does not leave its group", "" },
		[TDS_RIGHTS_USER] = { "adminusers.cfg does not give this user", "" },
	};
	const struct tds_asked_row *row = &rows[what];
	const struct tds_right_word *word = tds_right_word(row->right);
	bool of_group = word->of_groups && group;
	enum tds_rights_file file = missing_in(asking, row->right, group, tds_rights_grant);

	if (row->may[asking->kind] != TDS_MAY_BY_RIGHT || file == TDS_RIGHTS_FILES)
		(void)snprintf(text, TDS_ASKING_WHY_MAX, "not allowed (%s): %s", row->name,
			       why_never(asking->kind, what));
	else
		(void)snprintf(text, TDS_ASKING_WHY_MAX, "not allowed (%s): %s '%s%s%.255s'%s",
			       row->name, lacks[file][0], word->word, of_group ? ":" : "",
			       of_group ? group : "", lacks[file][1]);
}
