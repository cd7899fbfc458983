/* SPDX-License-Identifier: MIT */
/* The value of one file of the daemon's configuration. */
#include "settingsparts.h"

#include "base/mem.h"
#include "director/config.h"

int settings_value(const struct tds_dir *dir, const char *name, struct tds_value **value,
		   struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, name, &config, err);

	*value = tds_steal(&config.value);
	if (rc == 0 || rc == TDS_E_MISSING)
		return 0;
	if (err->line)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s/%s:%u:%u: %s", dir->path, name,
				   err->line, err->column, err->reason);
	return tds_err_set(err, TDS_E_UNUSABLE, "%s/%s: %s", dir->path, name, err->reason);
}
