/* SPDX-License-Identifier: MIT */
/* The first frame to tds-link. */
#include "linkconfig.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --- */

static json_t *side_json(const struct tds_convention_pems *pems)
{
	return pems ? json_pack("{s:s, s:s, s:s}", "CA", pems->ca, "Certificate", pems->cert, "Key",
				pems->key)
		    : json_object();
}

/* nats://HOST:PORT, an IPv6 address in brackets; what tds_bus_url_parse reads. */
static json_t *server_json(const struct tds_bus_server *server, bool tls)
{
	bool is_ipv6 = strchr(server->host, ':') != NULL;

	return json_sprintf("%s://%s%s%s:%u", tls ? "tls" : "nats", is_ipv6 ? "[" : "",
			    server->host, is_ipv6 ? "]" : "", (unsigned)server->port);
}

char *tds_linkconfig_text(const struct tds_convention *convention,
			  const struct tds_convention_pems *bus,
			  const struct tds_convention_pems *store, bool wants_store)
{
	json_t *servers = json_array();
	bool whole = true;

	for (size_t i = 0; i < convention->n && i < TDS_LINKCONFIG_SERVERS_MAX; i++)
		whole &= json_array_append_new(servers, server_json(&convention->servers[i],
								    convention->tls != NULL)) == 0;
	json_t *doc =
		json_pack("{s:o, s:s, s:s, s:o}", "Servers", servers, "Name", convention->name,
			  "System", convention->system, "Bus", side_json(bus));
	if (wants_store)
		whole &= doc && json_object_set_new(doc, "Store", side_json(store)) == 0;
	char *text = doc && whole ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	return text;
}

void tds_linkconfig_text_free(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

/* --- reading --- */

static int wrong(struct tds_err *err, const char *what)
{
	return tds_err_set(err, TDS_E_SYNTAX, "its configuration has no %s that can be used", what);
}

static int read_servers(const json_t *servers, struct tds_linkconfig *config, struct tds_err *err)
{
	size_t n = json_array_size(servers);

	if (n == 0 || n > TDS_LINKCONFIG_SERVERS_MAX)
		return wrong(err, "Servers");
	for (size_t i = 0; i < n; i++) {
		const char *url = json_string_value(json_array_get(servers, i));

		if (!url || !tds_bus_url_parse(url, strlen(url), &config->servers[i]) ||
		    config->servers[i].tls != config->servers[0].tls)
			return wrong(err, "Servers");
	}
	config->n = n;
	config->tls = config->servers[0].tls;
	return 0;
}

static int read_name(const json_t *doc, const char *key, char name[TDS_SYSTEM_NAME_MAX + 1],
		     struct tds_err *err)
{
	const char *text = json_string_value(json_object_get(doc, key));

	if (!text || !tds_system_name_fits(text, strlen(text)))
		return wrong(err, key);
	memcpy(name, text, strlen(text) + 1);
	return 0;
}

static int read_pem(const json_t *side, const char *key, char **pem, struct tds_err *err)
{
	const char *text = json_string_value(json_object_get(side, key));

	if (!text)
		return wrong(err, key);
	*pem = strdup(text);
	return *pem ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* With TLS it has three PEM texts, without it nothing. */
static int read_side(const json_t *side, bool tls, struct tds_linkconfig_side *into,
		     struct tds_err *err)
{
	int rc = 0;

	into->wanted = side != NULL;
	if (!side)
		return 0;
	if (!json_is_object(side) || (!tls && json_object_size(side) > 0))
		return wrong(err, "Bus or Store");
	if (tls && (rc = read_pem(side, "CA", &into->pems.ca, err)) == 0 &&
	    (rc = read_pem(side, "Certificate", &into->pems.cert, err)) == 0)
		rc = read_pem(side, "Key", &into->pems.key, err);
	return rc;
}

static int read_all(const json_t *doc, struct tds_linkconfig *config, struct tds_err *err)
{
	int rc = read_servers(json_object_get(doc, "Servers"), config, err);

	if (rc == 0)
		rc = read_name(doc, "Name", config->name, err);
	if (rc == 0)
		rc = read_name(doc, "System", config->system, err);
	if (rc == 0)
		rc = read_side(json_object_get(doc, "Bus"), config->tls, &config->bus, err);
	if (rc == 0)
		rc = read_side(json_object_get(doc, "Store"), config->tls, &config->store, err);
	return rc == 0 && !config->bus.wanted ? wrong(err, "Bus") : rc;
}

int tds_linkconfig_read(const void *data, size_t len, struct tds_linkconfig *config,
			struct tds_err *err)
{
	json_t *doc = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);

	*config = (struct tds_linkconfig){ 0 };
	int rc = json_is_object(doc)
			 ? read_all(doc, config, err)
			 : tds_err_set(err, TDS_E_SYNTAX, "its configuration is no JSON object");
	json_decref(doc);
	if (rc != 0)
		tds_linkconfig_fini(config);
	return rc;
}

void tds_linkconfig_fini(struct tds_linkconfig *config)
{
	tds_convention_pems_fini(&config->bus.pems);
	tds_convention_pems_fini(&config->store.pems);
}
