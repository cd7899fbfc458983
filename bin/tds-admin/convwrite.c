/* SPDX-License-Identifier: MIT */
/* What is written into the folder of a convention. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/tree.h"
#include "busconf.h"
#include "convfile.h"
#include "convfolder.h"

#define CA_DAYS 3650

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

char *conv_servers_text(const struct tds_bus_server *servers, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < n; i++) {
		bool is_ipv6 = strchr(servers[i].host, ':') != NULL;

		(void)fprintf(out, "%s://%s%s%s:%u\n", servers[i].tls ? "tls" : "nats",
			      is_ipv6 ? "[" : "", servers[i].host, is_ipv6 ? "]" : "",
			      (unsigned)servers[i].port);
	}
	bool whole = out && !ferror(out);
	if (out && fclose(out) == 0 && whole)
		return text;
	free(text);
	return NULL;
}

static int write_servers(const struct convfolder *folder, const struct tds_dir *to,
			 struct tds_err *err)
{
	tds_autofree char *text = conv_servers_text(folder->servers, folder->n_servers);

	return text ? conv_write(to, TDS_CONVBUS_CFG, text, 0644, CONV_OWN, err) : no_memory(err);
}

/* The name comes before the CA: a folder with a CA is whole. */
int convfolder_write_ca(struct convfolder *folder, struct tds_err *err)
{
	tds_autofree char *name = NULL;
	const struct tds_dir *dir = &folder->dir;

	if (asprintf(&name, "tds convention %s", folder->name) < 0) {
		name = NULL;
		return no_memory(err);
	}
	int rc = conv_write(dir, TDS_CONVNAME_CFG, folder->name, 0644, CONV_OWN, err);
	if (rc == 0)
		rc = write_servers(folder, dir, err);
	if (rc != 0 || !folder->is_new)
		return rc;
	const struct tds_cert_wish wish = { .name = name, .days = CA_DAYS };
	rc = tds_cert_make(&wish, NULL, &folder->ca, err);
	return rc == 0 ? conv_write_cert(dir, TDS_CONVENTION_CA, CONV_CA_KEY, &folder->ca, CONV_OWN,
					 err)
		       : rc;
}

/* --- certificates --- */

/* A certificate that is to be in a folder. */
struct wanted {
	const struct tds_convention_files *files;
	struct tds_cert_wish wish;
};

static int make_cert(const struct convfolder *folder, const struct tds_dir *dir,
		     const struct wanted *wanted, struct tds_err *err)
{
	tds_auto(cert) struct tds_cert made = { 0 };
	int rc = tds_cert_make(&wanted->wish, &folder->ca, &made, err);

	if (rc == TDS_E_UNUSABLE)
		return tds_err_prefix(err, "%s/" TDS_CONVENTION_CA, folder->dir.path);
	return rc == 0 ? conv_write_cert(dir, wanted->files->cert, wanted->files->key, &made,
					 CONV_OWN, err)
		       : rc;
}

/* Make it where it is not there, or is to be new; *state and *expires tell what has become of it. */
static int have_cert(const struct convfolder *folder, const struct tds_dir *dir,
		     const struct wanted *wanted, bool renew, enum conv_state *state,
		     int64_t *expires, struct tds_err *err)
{
	tds_autofree char *pem = NULL;
	bool there = faccessat(dir->fd, wanted->files->cert, F_OK, 0) == 0 &&
		     faccessat(dir->fd, wanted->files->key, F_OK, 0) == 0;
	int rc = there && !renew ? 0 : make_cert(folder, dir, wanted, err);

	*state = !there ? CONV_MADE : renew ? CONV_RENEWED : CONV_THERE;
	if (rc == 0)
		rc = conv_read(dir, wanted->files->cert, &pem, err);
	if (rc == 0 && (rc = tds_cert_expires(pem, expires, err)) != 0)
		tds_err_prefix(err, "%s/%s", dir->path, wanted->files->cert);
	return rc;
}

static int write_ca_copy(const struct convfolder *folder, const struct tds_dir *dir,
			 struct tds_err *err)
{
	return conv_write(dir, TDS_CONVENTION_CA, folder->ca.cert, 0644, CONV_OWN, err);
}

/* --- a system --- */

static int remove_file(const struct tds_dir *dir, const char *name, struct tds_err *err)
{
	return unlinkat(dir->fd, name, 0) == 0 || errno == ENOENT
		       ? 0
		       : tds_err_sys(err, TDS_E_WRITE, "%s/%s: cannot be removed", dir->path, name);
}

/* A system's certificate for one of its connections; *state and *expires as those of have_cert. */
static int have_system_cert(const struct convfolder *folder, const char *name,
			    const struct tds_dir *dir, enum tds_convention_account account,
			    bool renew, unsigned days, enum conv_state *state, int64_t *expires,
			    struct tds_err *err)
{
	char uri[TDS_CERT_URI_MAX];
	const struct wanted wanted = { tds_convention_files(account),
				       { .name = name, .uri = uri, .days = days } };

	(void)snprintf(uri, sizeof(uri), "%s%s", wanted.files->uri, name);
	return have_cert(folder, dir, &wanted, renew, state, expires, err);
}

/* A candidate has a second certificate; who is none any more loses it. */
static int write_store(const struct convfolder *folder, const struct conv_system *system,
		       const struct tds_dir *dir, bool renew, unsigned days, struct tds_err *err)
{
	const struct tds_convention_files *files = tds_convention_files(TDS_CONVENTION_STORE);
	enum conv_state state;
	int64_t expires;

	if (system->is_candidate)
		return have_system_cert(folder, system->name, dir, TDS_CONVENTION_STORE, renew,
					days, &state, &expires, err);
	int rc = remove_file(dir, files->key, err);
	return rc == 0 ? remove_file(dir, files->cert, err) : rc;
}

static int write_settings(const struct convfolder *folder, const struct conv_system *system,
			  const struct tds_dir *dir, struct tds_err *err)
{
	const char *role = tds_convention_role_word(system->is_candidate ? TDS_CONVENTION_CANDIDATE
									 : TDS_CONVENTION_MEMBER);
	int rc = write_servers(folder, dir, err);

	if (rc == 0)
		rc = conv_write(dir, TDS_CONVNAME_CFG, folder->name, 0644, CONV_OWN, err);
	if (rc == 0)
		rc = conv_write(dir, TDS_CONVSYSTEM_CFG, system->name, 0644, CONV_OWN, err);
	return rc == 0 ? conv_write(dir, TDS_CONVROLE_CFG, role, 0644, CONV_OWN, err) : rc;
}

/* Open the folder of a system. */
static int open_system(const struct convfolder *folder, const char *name, struct tds_dir *dir,
		       struct tds_err *err)
{
	tds_auto(dir) struct tds_dir systems = { .fd = -1 };
	int rc = conv_folder(&folder->dir, CONV_SYSTEMS, 0700, &systems, err);

	return rc == 0 ? conv_folder(&systems, name, 0700, dir, err) : rc;
}

int convfolder_write_system(struct convfolder *folder, struct conv_system *system, bool renew,
			    unsigned days, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	int rc = open_system(folder, system->name, &dir, err);

	if (rc == 0)
		rc = write_ca_copy(folder, &dir, err);
	if (rc == 0)
		rc = have_system_cert(folder, system->name, &dir, TDS_CONVENTION_BUS, renew, days,
				      &system->state, &system->expires_wall_ms, err);
	if (rc == 0)
		rc = write_store(folder, system, &dir, renew, days, err);
	return rc == 0 ? write_settings(folder, system, &dir, err) : rc;
}

/* --- the server --- */

static int write_texts(const struct convfolder *folder, const struct tds_dir *dir,
		       struct tds_err *err)
{
	tds_autofree char *server = busconf_server(folder);
	tds_autofree char *unit = busconf_unit();

	if (!server || !unit)
		return no_memory(err);
	int rc = conv_write(dir, "tds.conf", unit, 0644, CONV_OWN, err);
	return rc == 0 ? conv_write(dir, "nats-server.conf", server, 0644, CONV_OWN, err) : rc;
}

int convfolder_write_server(struct convfolder *folder, bool renew, unsigned days,
			    struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	static const struct tds_convention_files files = { .cert = "server.pem",
							   .key = "server.key" };
	const struct wanted wanted = { &files,
				       { .name = "tds bus",
					 .hosts = folder->servers,
					 .n = folder->n_servers,
					 .days = days } };
	int rc = conv_folder(&folder->dir, CONV_SERVER, 0700, &dir, err);

	if (rc == 0)
		rc = write_ca_copy(folder, &dir, err);
	if (rc == 0)
		rc = have_cert(folder, &dir, &wanted, renew, &folder->server_state,
			       &folder->server_expires_wall_ms, err);
	return rc == 0 ? write_texts(folder, &dir, err) : rc;
}

/* --- removing --- */

/* The certificate, which is no secret, tells how long the name is not to be given again. */
static int keep_aside(const struct convfolder *folder, const struct conv_system *system,
		      struct tds_err *err)
{
	tds_auto(dir) struct tds_dir removed = { .fd = -1 };
	tds_auto(dir) struct tds_dir own = { .fd = -1 };
	tds_autofree char *pem = NULL;
	tds_autofree char *name = NULL;
	int rc = conv_folder(&folder->dir, CONV_REMOVED, 0700, &removed, err);

	if (rc == 0 && asprintf(&name, "%s.pem", system->name) < 0) {
		name = NULL;
		rc = no_memory(err);
	}
	if (rc == 0)
		rc = open_system(folder, system->name, &own, err);
	if (rc == 0)
		rc = conv_read(&own, tds_convention_files(TDS_CONVENTION_BUS)->cert, &pem, err);
	return rc == 0 ? conv_write(&removed, name, pem, 0644, CONV_OWN, err) : rc;
}

static void forget(struct convfolder *folder, struct conv_system *system)
{
	size_t at = (size_t)(system - folder->systems);

	free(system->name);
	memmove(system, system + 1, (folder->n - at - 1) * sizeof(*system));
	folder->n--;
}

int convfolder_remove(struct convfolder *folder, struct conv_system *system, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir systems = { .fd = -1 };
	int rc = keep_aside(folder, system, err);

	if (rc == 0)
		rc = conv_folder(&folder->dir, CONV_SYSTEMS, 0700, &systems, err);
	if (rc == 0 && (rc = tds_tree_remove(systems.fd, system->name, err)) != 0)
		return tds_err_prefix(err, "%s/%s", systems.path, system->name);
	if (rc == 0)
		forget(folder, system);
	return rc;
}
