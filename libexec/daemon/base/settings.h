/* SPDX-License-Identifier: MIT */
/* What the configuration files of the director directory say to the daemon, read at its start, and in part again. */
#ifndef TDS_DAEMON_SETTINGS_H
#define TDS_DAEMON_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/dir.h"
#include "base/err.h"
#include "budget.h"
#include "director/sandboxcfg.h"
#include "director/grants.h"
#include "director/uids.h"

struct actor_limit {
	int resource; /* RLIMIT_... */
	rlim_t value;
};

/* How far each log may grow, and how much of it is kept. */
struct log_limits {
	int64_t size;  /* logsize.cfg, bytes of a file; at least 1 MiB */
	unsigned keep; /* logkeep.cfg, how many older files there may be besides */
};

#define LOG_LIMITS_DEFAULT                 \
	{                                  \
		.size = 4 << 20, .keep = 4 \
	}

/* Of names and values together: an op that has them all must be one frame, however much of it is escaped. */
#define CAPABILITIES_MAX_BYTES (128 << 10)

struct log_settings {
	char *config; /* thesplog.cfg, as the text of a literal; NULL: there is none */
	char *dir;    /* thesplogd.cfg, absolute; NULL: there is none */
	int level;    /* the least of records that hosts send */
};

/* A user of adminusers.cfg, who may use the socket besides the admin's uid and root. */
struct admin_user {
	uid_t uid;
	struct tds_rights *rights;
	int64_t refused_mono_ms; /* when it was told of last that it may not have something; 0: never */
};

enum actors_as {
	ACTORS_AS_ADMIN, /* the user of the admin process */
	ACTORS_AS_USER,  /* the one that actoruser.cfg names */
	ACTORS_DYNAMIC,  /* a uid for each group */
};

struct settings {
	int64_t max_message; /* maxmessage.cfg, bytes */
	struct admin_user *users;
	size_t nusers;
	bool narrows; /* there is a may.cfg */
	struct tds_grants may;
	uid_t *guests; /* guests.cfg: whose programs may join; NULL: those of the admin's uid */
	size_t nguests;
	enum actors_as actors; /* actoruser.cfg */
	uid_t actor_uid;       /* of actors that have none of their group's */
	gid_t actor_gid;
	char *actor_name;         /* of that uid; NULL: nobody has given it one */
	char *actor_home;         /* the same */
	struct tds_uidrange uids; /* uidrange.cfg */
	char **env_names; /* actorenv.cfg: variables that actors have besides, ends with NULL; NULL: there is no such file */
	struct actor_limit *limits; /* actorlimits.cfg */
	size_t nlimits;
	uint64_t
		pids_max; /* its pids: processes and threads of a source; RLIM_INFINITY: no limit */
	uint64_t memory_max;         /* its memory: bytes of a source; UINT64_MAX: no limit */
	struct budget_limits budget; /* budget.cfg, of each source and of each user's programs */
	bool new_privs;              /* newprivs.cfg */
	struct tds_sandbox_policy sandbox; /* sandbox.cfg */
	bool signed_tli_alone;             /* signedtli.cfg */
	bool auto_refresh;                 /* autorefresh.cfg */
	char *data_dir;                    /* datadir.cfg, absolute; NULL: there is none */
	json_t *capabilities; /* the system's, name -> text of a literal; othercaps.cfg has a part in them */
	uint16_t
		admin_port; /* adminport.cfg; 0: there is none, though the capability has a number */
	struct log_settings log;
	struct log_limits logs;
};

/*
 * Owner:   caller frees with settings_fini, on success only.
 * Errors:  TDS_E_UNUSABLE, the reason naming file, line and column; TDS_E_NOMEM.
 */
int settings_read(const struct tds_dir *dir, struct settings *settings,
		  struct tds_err *err) TDS_MUST_CHECK;
void settings_fini(struct settings *settings);

/* The user of adminusers.cfg; NULL: it is none of them. */
struct admin_user *settings_user(const struct settings *settings, uid_t uid);

/* What may.cfg lets actors of a group have at most. */
const struct tds_rights *settings_narrowed(const struct settings *settings, const char *group);
void log_settings_fini(struct log_settings *log);

/*
 * Read again what counts at a reload. What cannot be read stays as it is. told is called for each set of files that are read
 * together: files ends in NULL; err says why they are as before, NULL: they are in force. What settings pointed to may be
 * gone afterwards.
 */
#define SETTINGS_FILES_MAX 4 /* with the NULL */
typedef void settings_read_fn(void *ctx, const char *const files[], const struct tds_err *err);
void settings_reload(const struct tds_dir *dir, struct settings *settings, settings_read_fn *told,
		     void *ctx);

#endif
