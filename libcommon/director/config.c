/* SPDX-License-Identifier: MIT */
/* The configuration files: the one table of them, and what each of them goes through before its kind is asked. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "configkinds.h"
#include "literal/pytext.h"

#define SIZE_MAX_BYTES (INT64_C(1) << 40)
#define LOG_LEAST_BYTES (1 << 20) /* its longest line has room then */

/* clang-format off */
#define NEVER(name, but, instead)    .file = { name, TDS_COUNTS_NEVER, but, instead }
#define AT_RELOAD(name)              .file = { name, TDS_COUNTS_AT_RELOAD, NULL, NULL }
#define AT_RESTART(name)             .file = { name, TDS_COUNTS_AT_RESTART, NULL, NULL }
#define AT_VERIFICATION(name)        .file = { name, TDS_COUNTS_AT_VERIFICATION, NULL, NULL }
#define AT_USE(name)                 .file = { name, TDS_COUNTS_AT_USE, NULL, NULL }

/* tds.cfg(5) has a section for each. */
static const struct config_rule rules[] = {
	/* those of Thespian's Director */
	{ NEVER("thespbase.cfg", "tdsLocalBase",
		"it has no effect: actors run in the local engine"), config_base },
	{ NEVER("oldthespbase.cfg", "", "it has no effect: there is no other system to shut down"), config_old_base },
	{ AT_RESTART("adminport.cfg"), config_number, .least = 1, .most = 65535 },
	{ AT_RESTART("convleader.cfg"), config_leader },
	{ AT_RESTART("othercaps.cfg"), config_capabilities },
	{ AT_RELOAD("thesplog.cfg"), config_logging },
	{ AT_RELOAD("thesplogd.cfg"), config_optional_path },
	{ NEVER("thesplogf.cfg", NULL, "it has no effect: there is no such log"), config_path },
	{ NEVER("thesplogs.cfg", NULL, "it has no effect: there is no such log"),
	  config_number, .least = 1, .most = SIZE_MAX_BYTES },
	/* our own */
	{ AT_RELOAD("actorenv.cfg"), config_variables },
	{ AT_RESTART("actorlimits.cfg"), config_limits },
	{ AT_RESTART("actoruser.cfg"), config_user },
	{ AT_USE("adminuser.cfg"), config_adminuser },
	{ AT_RELOAD("adminusers.cfg"), config_adminusers },
	{ AT_RELOAD("autorefresh.cfg"), config_switch },
	{ AT_RELOAD("budget.cfg"), config_budget },
	{ AT_RELOAD("guests.cfg"), config_users },
	{ AT_RELOAD("logkeep.cfg"), config_number, .least = 0, .most = 1000 },
	{ AT_RELOAD("logsize.cfg"), config_number, .least = LOG_LEAST_BYTES, .most = SIZE_MAX_BYTES },
	{ AT_RESTART("convbus.cfg"), config_bus },
	{ AT_RESTART("convlost.cfg"), config_number, .least = 3, .most = 3600 },
	{ AT_RESTART("convname.cfg"), config_system_name },
	{ AT_RESTART("convopen.cfg"), config_switch },
	{ AT_RESTART("convrole.cfg"), config_role },
	{ AT_RESTART("convsystem.cfg"), config_system_name },
	{ AT_RESTART("convtls.cfg"), config_path },
	{ AT_RESTART("datadir.cfg"), config_path },
	{ AT_RELOAD("maxmessage.cfg"), config_number, .least = 1, .most = SIZE_MAX_BYTES },
	{ AT_RELOAD("may.cfg"), config_may },
	{ AT_VERIFICATION("minkeybits.cfg"), config_bits, .as_bytes = true },
	{ AT_RESTART("newprivs.cfg"), config_switch },
	{ AT_VERIFICATION("revoked.cfg"), config_digests, .as_bytes = true },
	{ AT_USE("rundir.cfg"), config_path },
	{ AT_USE("strictmodes.cfg"), config_switch },
	{ AT_VERIFICATION("strictnames.cfg"), config_switch },
	{ AT_RELOAD("sandbox.cfg"), config_sandbox },
	{ AT_RELOAD("signedtli.cfg"), config_switch },
	{ AT_RESTART("uidrange.cfg"), config_uidrange },
};
/* clang-format on */

const char *tds_config_counts_words(enum tds_config_counts counts)
{
	static const char *const words[] = {
		[TDS_COUNTS_NEVER] = "never",
		[TDS_COUNTS_AT_RELOAD] = "at reload",
		[TDS_COUNTS_AT_RESTART] = "at restart",
		[TDS_COUNTS_AT_VERIFICATION] = "at each verification",
		[TDS_COUNTS_AT_USE] = "at each use",
	};

	return words[counts];
}

#define RULES (sizeof(rules) / sizeof(rules[0]))

static const struct config_rule *find_rule(const char *name)
{
	for (size_t i = 0; i < RULES; i++)
		if (strcmp(rules[i].file.name, name) == 0)
			return &rules[i];
	return NULL;
}

const struct tds_config_file *tds_config_file(size_t i)
{
	return i < RULES ? &rules[i].file : NULL;
}

const struct tds_config_file *tds_config_find(const char *name)
{
	const struct config_rule *rule = find_rule(name);

	return rule ? &rule->file : NULL;
}

const char *tds_config_instead(const struct tds_config_file *file, const struct tds_value *value)
{
	bool as_it_is =
		file->but && value->type == TDS_VALUE_STR && strcmp(value->text, file->but) == 0;

	return as_it_is ? NULL : file->instead;
}

/* CR LF and CR become LF, as where Python reads a text file. */
static char *unify_lines(const char *text, size_t *len)
{
	char *copy = malloc(*len + 1);
	char *out = copy;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < *len; i++) {
		if (text[i] == '\n' && i > 0 && text[i - 1] == '\r')
			continue;
		*out++ = text[i] == '\r' ? '\n' : text[i];
	}
	*out = '\0';
	*len = (size_t)(out - copy);
	return copy;
}

/* All of it must be UTF-8 without NUL. */
static int check_encoding(struct config_work *w)
{
	for (size_t i = 0, n; i < w->len; i += n) {
		n = tds_text_utf8_len(w->text + i, w->len - i);
		if (n == 0 || w->text[i] == '\0')
			return config_refuse(w, i, n ? "NUL byte" : "byte that is not UTF-8");
	}
	return 0;
}

/* The file without the blanks around it. */
static int strip(struct config_work *w, const char *unified, struct tds_config *config)
{
	const char *begin = tds_pytext_strip(unified, &w->len);

	if (w->len > 0)
		config_find_place(w, (size_t)(begin - unified), &w->line, &w->column);
	w->text = config->text = strndup(begin, w->len);
	return w->text ? 0 : config_no_memory(w);
}

int tds_config_parse(const char *name, const char *text, size_t len, struct tds_tli_watcher watcher,
		     struct tds_config *config, struct tds_err *err)
{
	const struct config_rule *rule = find_rule(name);
	struct tds_err own;
	struct config_work w = {
		.rule = rule,
		.raw = text,
		.raw_len = len,
		.len = len,
		.line = 1,
		.column = 1,
		.watcher = watcher,
		.err = err ? err : &own,
	};
	tds_autofree char *unified = unify_lines(text, &w.len);

	*config = (struct tds_config){ 0 };
	if (!unified)
		return config_no_memory(&w);
	w.text = unified;
	int rc = rule->as_bytes ? rule->parse(&w) : check_encoding(&w);
	if (rc == 0)
		rc = strip(&w, unified, config);
	if (rc == 0 && !rule->as_bytes)
		rc = rule->parse(&w);
	config->value = w.value;
	if (rc != 0)
		tds_config_fini(config);
	return rc;
}

int tds_config_read(const struct tds_dir *dir, const char *name, struct tds_config *config,
		    struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;

	*config = (struct tds_config){ 0 };
	int rc = tds_io_slurp(dir->fd, name, TDS_CONFIG_MAX_BYTES, &text, &len, err);
	return rc == 0 ? tds_config_parse(name, text, len, (struct tds_tli_watcher){ 0 }, config,
					  err)
		       : rc;
}

void tds_config_effects(const struct tds_dir *dir,
			void (*tell)(void *ctx, const struct tds_config_file *file,
				     const char *instead),
			void *ctx)
{
	for (size_t i = 0; i < RULES; i++) {
		const struct tds_config_file *file = &rules[i].file;
		tds_auto(config) struct tds_config config = { 0 };

		if (!file->instead || tds_config_read(dir, file->name, &config, NULL) != 0)
			continue;
		const char *instead = tds_config_instead(file, config.value);
		if (instead)
			tell(ctx, file, instead);
	}
}

void tds_config_fini(struct tds_config *config)
{
	free(config->text);
	tds_value_free(config->value);
	*config = (struct tds_config){ 0 };
}
