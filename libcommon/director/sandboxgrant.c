/* SPDX-License-Identifier: MIT */
/* Comparing what is asked for with what is allowed, and what comes of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sandbox.h"

/*
 * What net needs to look up names, then what default has. resolv.conf is often a link into one of the folders below /run, where
 * it is replaced now and then. Of /etc/ssl only what is public: its private keys are no package's, whoever it runs as.
 */
static const char *const reads[] = {
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/run/NetworkManager",
	"/run/resolvconf",
	"/run/systemd/resolve",
#define OF_DEFAULT 10
	"/usr",
	"/usr/share/zoneinfo",
	"/etc/localtime",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	NULL,
#define OF_STRICT 15
};
_Static_assert(sizeof(reads) / sizeof(reads[0]) == OF_STRICT + 1, "strict has nothing");

const char *const *tds_profile_reads(enum tds_profile profile)
{
	static const size_t from[TDS_PROFILES] = {
		[TDS_PROFILE_STRICT] = OF_STRICT,
		[TDS_PROFILE_DEFAULT] = OF_DEFAULT,
	};

	return reads + from[profile];
}

/* Is path the folder, or below it? Both absolute. */
static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strcmp(folder, "/") == 0 ||
	       (strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/'));
}

/* --- is it allowed? --- */

/* Is the path below one of the folders? resolved: it is one without links, and those of the folders are followed, too. */
static bool is_below_any(const char *path, char **folders, size_t n, bool resolved)
{
	for (size_t i = 0; i < n; i++) {
		tds_autofree char *real = resolved ? realpath(folders[i], NULL) : NULL;

		if (is_below(path, real ? real : folders[i]))
			return true;
	}
	return false;
}

static bool is_systems_own(const char *path, enum tds_profile profile)
{
	const char *const *folder = tds_profile_reads(profile);

	while (*folder && !is_below(path, *folder))
		folder++;
	return *folder != NULL;
}

static bool allows_path(const struct tds_sandbox *allowed, size_t list, const char *path,
			bool resolved)
{
	bool read = list == TDS_SANDBOX_READ;

	return allowed->profile == TDS_PROFILE_TRUSTED ||
	       is_below_any(path, allowed->lists[list], allowed->nlist[list], resolved) ||
	       (read && (is_below_any(path, allowed->lists[TDS_SANDBOX_WRITE],
				      allowed->nlist[TDS_SANDBOX_WRITE], resolved) ||
			 is_systems_own(path, allowed->profile)));
}

static bool allows_variable(const struct tds_sandbox *allowed, const char *name)
{
	for (size_t i = 0; i < allowed->nlist[TDS_SANDBOX_ENV]; i++)
		if (tds_text_fits_variable(allowed->lists[TDS_SANDBOX_ENV][i], name, strlen(name)))
			return true;
	return allowed->profile == TDS_PROFILE_TRUSTED;
}

static bool allows_any_port(const struct tds_sandbox *allowed, size_t which)
{
	enum tds_profile least =
		which == TDS_SANDBOX_CONNECT ? TDS_PROFILE_NET : TDS_PROFILE_TRUSTED;

	return allowed->ports[which].any || allowed->profile >= least;
}

static bool allows_port(const struct tds_sandbox *allowed, size_t which, uint16_t port)
{
	for (size_t i = 0; i < allowed->ports[which].n; i++)
		if (allowed->ports[which].numbers[i] == port)
			return true;
	return allows_any_port(allowed, which);
}

/* The profile net is default with any connection. */
static bool allows_profile(const struct tds_sandbox *allowed, enum tds_profile profile)
{
	return profile <= allowed->profile ||
	       (profile == TDS_PROFILE_NET && allowed->profile == TDS_PROFILE_DEFAULT &&
		allowed->ports[TDS_SANDBOX_CONNECT].any);
}

static int refuse_item(size_t list, const char *item, struct tds_err *err)
{
	return tds_err_set(err, TDS_E_REFUSED, "%s %s",
			   tds_sandbox_list_name((enum tds_sandbox_list)list), item);
}

static int check_lists(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		       struct tds_err *err)
{
	for (size_t list = 0; list < TDS_SANDBOX_LISTS; list++)
		for (size_t i = 0; i < asked->nlist[list]; i++) {
			const char *item = asked->lists[list][i];

			if (!(list == TDS_SANDBOX_ENV ? allows_variable(allowed, item)
						      : allows_path(allowed, list, item, false)))
				return refuse_item(list, item, err);
		}
	return 0;
}

static int check_ports(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		       struct tds_err *err)
{
	for (size_t which = 0; which < TDS_SANDBOX_PORTS; which++) {
		const struct tds_ports *ports = &asked->ports[which];
		const char *name = tds_sandbox_ports_name((enum tds_sandbox_ports)which);

		if (ports->any && !allows_any_port(allowed, which))
			return tds_err_set(err, TDS_E_REFUSED, "%s any", name);
		for (size_t i = 0; i < ports->n; i++)
			if (!allows_port(allowed, which, ports->numbers[i]))
				return tds_err_set(err, TDS_E_REFUSED, "%s %u", name,
						   ports->numbers[i]);
	}
	return 0;
}

int tds_sandbox_within(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		       struct tds_err *err)
{
	if (!allows_profile(allowed, asked->profile))
		return tds_err_set(err, TDS_E_REFUSED, "%s", tds_profile_name(asked->profile));
	int rc = check_lists(asked, allowed, err);
	if (rc == 0)
		rc = check_ports(asked, allowed, err);
	for (size_t i = 0; rc == 0 && i < TDS_SANDBOX_LIMITS; i++)
		if (allowed->limits[i] && asked->limits[i] > allowed->limits[i])
			rc = tds_err_set(err, TDS_E_REFUSED, "%s %" PRIu64,
					 tds_sandbox_limit_name((enum tds_sandbox_limit)i),
					 asked->limits[i]);
	return rc;
}

/* --- what is granted --- */

/* A path as it is without links, which must not lead out of what is allowed. NULL: the reason is in err. */
static char *resolve(const struct tds_sandbox *allowed, size_t list, const char *path,
		     struct tds_err *err)
{
	tds_autofree char *real = realpath(path, NULL);

	if (!real)
		(void)tds_err_sys(err, TDS_E_REFUSED, "%s %s",
				  tds_sandbox_list_name((enum tds_sandbox_list)list), path);
	else if (!allows_path(allowed, list, real, true))
		(void)tds_err_set(err, TDS_E_REFUSED, "%s %s, which is %s,",
				  tds_sandbox_list_name((enum tds_sandbox_list)list), path, real);
	else
		return tds_steal(&real);
	return NULL;
}

static int grant_list(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		      size_t list, struct tds_sandbox *granted, struct tds_err *err)
{
	char **items = calloc(asked->nlist[list] + 1, sizeof(*items));

	if (!(granted->lists[list] = items))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < asked->nlist[list]; i++) {
		const char *item = asked->lists[list][i];

		items[i] =
			list == TDS_SANDBOX_ENV ? strdup(item) : resolve(allowed, list, item, err);
		if (!items[i])
			return list == TDS_SANDBOX_ENV
				       ? tds_err_set(err, TDS_E_NOMEM, "out of memory")
				       : (int)err->code;
		granted->nlist[list]++;
	}
	return 0;
}

static int grant_ports(const struct tds_ports *asked, struct tds_ports *granted,
		       struct tds_err *err)
{
	*granted = (struct tds_ports){ .any = asked->any };
	if (!(granted->numbers = calloc(asked->n + 1, sizeof(*granted->numbers))))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	granted->n = asked->n;
	for (size_t i = 0; i < asked->n; i++)
		granted->numbers[i] = asked->numbers[i];
	return 0;
}

int tds_sandbox_grant(const struct tds_sandbox *asked, const struct tds_sandbox *allowed,
		      struct tds_sandbox **granted, struct tds_err *err)
{
	tds_auto(sandbox) struct tds_sandbox *s = tds_sandbox_of(asked->profile);
	int rc = tds_sandbox_within(asked, allowed, err);

	*granted = NULL;
	if (rc == 0 && !s)
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < TDS_SANDBOX_LISTS; i++)
		rc = grant_list(asked, allowed, i, s, err);
	for (size_t i = 0; rc == 0 && i < TDS_SANDBOX_PORTS; i++)
		rc = grant_ports(&asked->ports[i], &s->ports[i], err);
	if (rc != 0)
		return rc;
	s->line = asked->line;
	s->column = asked->column;
	for (size_t i = 0; i < TDS_SANDBOX_LIMITS; i++)
		s->limits[i] = asked->limits[i] ? asked->limits[i] : allowed->limits[i];
	free(s->words);
	if (!(s->words = tds_sandbox_words(s)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	*granted = tds_steal(&s);
	return 0;
}
