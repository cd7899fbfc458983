/* SPDX-License-Identifier: MIT */
/* Which convention a system is in, by its configuration files. */
#include "conventioncfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "director/config.h"
#include "literal/pytext.h"

#define HOST_NAME_MAX_BYTES 256

/* A reading under way. */
struct reading {
	const struct tds_dir *dir;
	struct tds_convention *convention;
	const char *file; /* the last that was looked at */
	struct tds_err *err;
};

static int no_memory(struct reading *r)
{
	r->file = NULL;
	return tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

/* What a file says; zeroed, where it is not there. */
static int read_file(struct reading *r, const char *file, struct tds_config *config)
{
	r->file = file;
	int rc = tds_config_read(r->dir, file, config, r->err);
	return rc == TDS_E_MISSING ? 0 : rc;
}

/* --- the servers --- */

static int add_server(struct reading *r, const struct tds_bus_server *server)
{
	struct tds_convention *c = r->convention;
	struct tds_bus_server *more = reallocarray(c->servers, c->n + 1, sizeof(*more));

	if (!more)
		return no_memory(r);
	c->servers = more;
	c->servers[c->n++] = *server;
	return 0;
}

/* Lines of URLs; or the leader's host, on which the bus is then: the port is Thespian's. */
static int take_servers(struct reading *r, const struct tds_value *value)
{
	struct tds_bus_server server;
	int rc = 0;

	if (value->type == TDS_VALUE_STR && value->len > 0 &&
	    tds_bus_host_parse(value->text, value->len, TDS_BUS_PORT, &server)) {
		server.port = TDS_BUS_PORT;
		rc = add_server(r, &server);
	}
	for (size_t i = 0; rc == 0 && value->type == TDS_VALUE_LIST && i < value->n; i++)
		if (tds_bus_url_parse(value->items[i]->text, value->items[i]->len, &server))
			rc = add_server(r, &server);
	return rc;
}

/* convbus.cfg counts where there is one. */
static int read_servers(struct reading *r)
{
	static const char *const files[] = { TDS_CONVBUS_CFG, TDS_CONVLEADER_CFG };
	int rc = 0;

	for (size_t i = 0; rc == 0 && r->convention->n == 0 && i < 2; i++) {
		tds_auto(config) struct tds_config config = { 0 };

		rc = read_file(r, files[i], &config);
		if (rc == 0 && config.value)
			rc = take_servers(r, config.value);
	}
	r->convention->is_there = r->convention->n > 0;
	return rc;
}

/* TLS is for all or none of them: a certificate that is there is to be asked for, and one that is not cannot be. */
static int judge_servers(struct reading *r, const char *file)
{
	struct tds_convention *c = r->convention;

	r->file = file;
	for (size_t i = 0; i < c->n; i++) {
		struct tds_bus_server *server = &c->servers[i];

		if (server->tls && !c->tls)
			return tds_err_set(r->err, TDS_E_UNUSABLE,
					   "tls://%s needs a " TDS_CONVTLS_CFG
					   " that names the folder of the certificates",
					   server->host);
		if (!c->tls && !c->is_open && !tds_bus_is_loopback(server))
			return tds_err_set(r->err, TDS_E_UNUSABLE,
					   "%s is another machine, and there is no TLS: set up "
					   "by tds-admin convention (or " TDS_CONVOPEN_CFG
					   ": yes, where everybody on the way is trusted)",
					   server->host);
		server->tls = c->tls != NULL;
	}
	return 0;
}

/* --- the others --- */

static int read_text(struct reading *r, const char *file, char **text)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = read_file(r, file, &config);

	if (rc == 0 && config.value && !(*text = strdup(config.value->text)))
		rc = no_memory(r);
	return rc;
}

static int read_name(struct reading *r)
{
	int rc = read_text(r, TDS_CONVNAME_CFG, &r->convention->name);

	if (rc == 0 && !r->convention->name &&
	    !(r->convention->name = strdup(TDS_CONVNAME_DEFAULT)))
		rc = no_memory(r);
	return rc;
}

/* The host's name, whose dots are no part of a token. */
static int take_host_name(struct reading *r)
{
	char host[HOST_NAME_MAX_BYTES] = "";

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	for (char *dot; (dot = strchr(host, '.'));)
		*dot = '-';
	if (!tds_system_name_fits(host, strlen(host)))
		return tds_err_set(
			r->err, TDS_E_UNUSABLE,
			"is needed: the host's name, \"%s\", is not " TDS_SYSTEM_NAME_RULE, host);
	r->convention->system = strdup(host);
	return r->convention->system ? 0 : no_memory(r);
}

static int read_system(struct reading *r)
{
	int rc = read_text(r, TDS_CONVSYSTEM_CFG, &r->convention->system);

	return rc == 0 && !r->convention->system ? take_host_name(r) : rc;
}

static int read_open(struct reading *r)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = read_file(r, TDS_CONVOPEN_CFG, &config);

	r->convention->is_open = rc == 0 && config.value && config.value->boolean;
	return rc;
}

static int read_lost(struct reading *r)
{
	tds_auto(config) struct tds_config config = { 0 };
	int64_t seconds = TDS_CONVLOST_DEFAULT_S;
	int rc = read_file(r, TDS_CONVLOST_CFG, &config);

	if (rc == 0 && config.value)
		(void)tds_pytext_int(config.value->text, config.value->len, &seconds);
	r->convention->lost_s = (unsigned)seconds;
	return rc;
}

static const char *const roles[] = {
	[TDS_CONVENTION_BY_PLACE] = "",
	[TDS_CONVENTION_MEMBER] = "member",
	[TDS_CONVENTION_CANDIDATE] = "candidate",
	[TDS_CONVENTION_LEADER] = "leader",
};

const char *tds_convention_role_word(enum tds_convention_role role)
{
	return roles[role];
}

static int read_role(struct reading *r)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = read_file(r, TDS_CONVROLE_CFG, &config);

	for (size_t i = 0; rc == 0 && config.value && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i], config.value->text) == 0)
			r->convention->role = (enum tds_convention_role)i;
	return rc;
}

static int read_all(struct reading *r)
{
	int rc = read_servers(r);
	const char *bus = r->file;

	if (rc != 0 || !r->convention->is_there)
		return rc;
	rc = read_text(r, TDS_CONVTLS_CFG, &r->convention->tls);
	if (rc == 0)
		rc = read_open(r);
	if (rc == 0)
		rc = judge_servers(r, bus);
	if (rc == 0)
		rc = read_name(r);
	if (rc == 0)
		rc = read_system(r);
	if (rc == 0)
		rc = read_role(r);
	return rc == 0 ? read_lost(r) : rc;
}

int tds_convention_read(const struct tds_dir *dir, struct tds_convention *convention,
			const char **file, struct tds_err *err)
{
	struct tds_err own;
	struct reading r = { .dir = dir, .convention = convention, .err = err ? err : &own };

	*convention = (struct tds_convention){ 0 };
	int rc = read_all(&r);
	if (rc != 0) {
		rc = r.file ? tds_dir_err(dir, r.file, r.err) : rc;
		tds_convention_fini(convention);
	}
	if (file)
		*file = rc == 0 ? NULL : r.file;
	return rc;
}

void tds_convention_fini(struct tds_convention *convention)
{
	free(convention->servers);
	free(convention->name);
	free(convention->system);
	free(convention->tls);
	*convention = (struct tds_convention){ 0 };
}
