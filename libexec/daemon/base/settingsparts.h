/* SPDX-License-Identifier: MIT */
/* What the files that read the daemon's configuration share. */
#ifndef TDS_DAEMON_SETTINGSPARTS_H
#define TDS_DAEMON_SETTINGSPARTS_H

#include "literal/value.h"
#include "settings.h"

/* The value of a configuration file; *value NULL: there is no such file. Caller frees it. Errors: as settings_read. */
int settings_value(const struct tds_dir *dir, const char *name, struct tds_value **value,
		   struct tds_err *err) TDS_MUST_CHECK;

/* Parts of the settings (settingsmay.c). Errors: as settings_read. */
int settings_read_adminusers(const struct tds_dir *dir, struct settings *s,
			     struct tds_err *err) TDS_MUST_CHECK;
int settings_read_may(const struct tds_dir *dir, struct settings *s,
		      struct tds_err *err) TDS_MUST_CHECK;

/* And of settingsusers.c, each of one file. Errors: the same. */
int settings_read_actoruser(const struct tds_dir *dir, struct settings *s,
			    struct tds_err *err) TDS_MUST_CHECK;
int settings_read_uidrange(const struct tds_dir *dir, struct settings *s,
			   struct tds_err *err) TDS_MUST_CHECK;
int settings_read_env_names(const struct tds_dir *dir, struct settings *s,
			    struct tds_err *err) TDS_MUST_CHECK;
int settings_read_guests(const struct tds_dir *dir, struct settings *s,
			 struct tds_err *err) TDS_MUST_CHECK;

#endif
