/* SPDX-License-Identifier: MIT */
/* nats-server.conf and the drop-in, as text. */
#include "busconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Names of files are relative to where the server runs, see the drop-in. What stands here for NATS is what tds-convention(7)
 * promises: a certificate is the user, and a user says and hears what its name allows, nothing else.
 */
static const char head[] =
	"# Written by tds-admin convention init, and anew each time: what you change here is "
	"lost.\n"
	"server_name: \"tds-bus\"\n"
	"listen: \"%s%s%s:%u\"\n"
	"ping_interval: \"2s\"\n"
	"ping_max: 2\n"
	"max_payload: 1048576\n"
	"max_subscriptions: 1024\n"
	"tls {\n"
	"  cert_file: \"server.pem\"\n"
	"  key_file: \"server.key\"\n"
	"  ca_file: \"ca.pem\"\n"
	"  verify_and_map: true\n"
	"  timeout: 5\n"
	"}\n"
	"jetstream {\n"
	"  store_dir: \"/var/lib/nats\"\n"
	"  max_memory_store: 67108864\n"
	"  max_file_store: 1073741824\n"
	"}\n"
	"accounts {\n"
	"  # Each system speaks for itself alone, to one other or to all; here is no JetStream.\n"
	"  BUS {\n"
	"    users: [\n";
static const char user[] =
	"      { user: \"" TDS_CERT_URI "%s\", permissions: {\n"
	"        publish: { allow: [\"tds.m.%s.>\"] },\n"
	"        subscribe: { allow: [\"tds.m.*.%s.>\", \"tds.m.*.all.>\"] } } }\n";
static const char middle[] = "    ]\n"
			     "  }\n"
			     "  # What leader and candidates keep, over a second connection with a "
			     "certificate of its own.\n"
			     "  STORE {\n"
			     "    jetstream: enabled\n"
			     "    users: [\n";
static const char store_user[] = "      { user: \"" TDS_CERT_STORE_URI "%s\" }\n";
static const char tail[] = "    ]\n"
			   "  }\n"
			   "}\n";

/* On loopback alone where no other machine is to come. */
static const char *listen_host(const struct convfolder *folder)
{
	for (size_t i = 0; i < folder->n_servers; i++)
		if (!tds_bus_is_loopback(&folder->servers[i]))
			return "0.0.0.0";
	return folder->servers[0].host;
}

static void print_server(FILE *out, const struct convfolder *folder)
{
	const char *host = listen_host(folder);
	bool is_ipv6 = strchr(host, ':') != NULL;

	(void)fprintf(out, head, is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
		      (unsigned)folder->servers[0].port);
	for (size_t i = 0; i < folder->n; i++) {
		const char *name = folder->systems[i].name;

		(void)fprintf(out, user, name, name, name);
	}
	(void)fputs(middle, out);
	for (size_t i = 0; i < folder->n; i++)
		if (folder->systems[i].is_candidate)
			(void)fprintf(out, store_user, folder->systems[i].name);
	(void)fputs(tail, out);
}

char *busconf_server(const struct convfolder *folder)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	print_server(out, folder);
	bool whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return text;
	free(text);
	return NULL;
}

/* A configuration that is not understood never reaches the server that runs: reload tries it before. */
char *busconf_unit(void)
{
	return strdup("# Written by tds-admin convention init, for "
		      "/etc/systemd/system/nats-server.service.d/tds.conf\n"
		      "[Unit]\n"
		      "StartLimitIntervalSec=0\n"
		      "\n"
		      "[Service]\n"
		      "WorkingDirectory=" BUSCONF_PLACE "\n"
		      "ExecStart=\n"
		      "ExecStart=/usr/sbin/nats-server -c nats-server.conf\n"
		      "ExecReload=\n"
		      "ExecReload=/usr/sbin/nats-server -t -c nats-server.conf\n"
		      "ExecReload=/bin/kill -s HUP $MAINPID\n"
		      "StateDirectory=nats\n"
		      "StateDirectoryMode=0700\n"
		      "LimitNOFILE=65536\n"
		      "Restart=always\n"
		      "RestartSec=1\n");
}
