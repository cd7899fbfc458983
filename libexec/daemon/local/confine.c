/* SPDX-License-Identifier: MIT */
/* The rules and filters of a sandbox. The interpreter's own files are added by the interpreter, which alone knows them. */
#include "confine.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "director/sandboxkernel.h"
#include "filter.h"
#include "frames.h"

#define READ (TDS_LANDLOCK_READ_FILE | TDS_LANDLOCK_READ_DIR)
#define DNS 53 /* of what names are looked up by, which is UDP */

struct work {
	const struct tds_sandbox *sandbox;
	const struct actor_home *home;
	int abi;
	int rules;
	struct tds_err *err;
};

/* Everything but making devices, and starting what is written. */
static uint64_t writing(const struct work *w)
{
	return tds_landlock_rights(w->abi) &
	       ~(TDS_LANDLOCK_MAKE_CHAR | TDS_LANDLOCK_MAKE_BLOCK | TDS_LANDLOCK_EXECUTE);
}

static int no_rule(struct work *w, const char *path)
{
	return tds_err_sys(w->err, TDS_E_WRITE, "%s cannot be put under rules", path);
}

/* What the system may have, or not. */
static int allow_if_there(struct work *w, const char *path, uint64_t rights)
{
	tds_autofd int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0 || tds_landlock_allow(w->rules, fd, rights & tds_landlock_rights(w->abi)))
		return 0;
	return no_rule(w, path);
}

/* A path that was granted has no links in it: one that has them now is another. */
static int allow_granted(struct work *w, const char *path, uint64_t rights)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	tds_autofd int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0)
		return tds_err_sys(w->err, TDS_E_REFUSED, "%s", path);
	return tds_landlock_allow(w->rules, fd, rights) ? 0 : no_rule(w, path);
}

/* It is the admin's own, in a folder that nobody else may write. */
static int allow_data(struct work *w, const char *path)
{
	tds_autofd int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);

	return fd >= 0 && tds_landlock_allow(w->rules, fd, writing(w)) ? 0 : no_rule(w, path);
}

static int allow_list(struct work *w, enum tds_sandbox_list list, uint64_t rights)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->sandbox->nlist[list]; i++)
		rc = allow_granted(w, w->sandbox->lists[list][i], rights);
	return rc;
}

static int allow_devices(struct work *w)
{
	static const char *const readable[] = { "/dev/random", "/dev/urandom", "/dev/zero", NULL };
	int rc = allow_if_there(w, "/dev/null",
				TDS_LANDLOCK_READ_FILE | TDS_LANDLOCK_WRITE_FILE |
					TDS_LANDLOCK_TRUNCATE);

	for (const char *const *path = readable; rc == 0 && *path; path++)
		rc = allow_if_there(w, *path, TDS_LANDLOCK_READ_FILE);
	return rc;
}

/* What they have of their own, and may write. */
static bool has_home(const struct work *w)
{
	return w->home->data && w->sandbox->profile != TDS_PROFILE_STRICT;
}

static int allow_home(struct work *w)
{
	int rc = has_home(w) ? allow_data(w, w->home->data) : 0;

	return rc == 0 && has_home(w) && w->home->tmp ? allow_data(w, w->home->tmp) : rc;
}

static int allow_files(struct work *w)
{
	const char *const *path = tds_profile_reads(w->sandbox->profile);
	int rc = allow_devices(w);

	for (; rc == 0 && *path; path++)
		rc = allow_if_there(w, *path, READ);
	if (rc == 0)
		rc = allow_home(w);
	if (rc == 0)
		rc = allow_list(w, TDS_SANDBOX_READ, READ);
	if (rc == 0)
		rc = allow_list(w, TDS_SANDBOX_WRITE, writing(w));
	if (rc == 0)
		rc = allow_list(w, TDS_SANDBOX_RUN, TDS_LANDLOCK_EXECUTE | TDS_LANDLOCK_READ_FILE);
	return rc;
}

static int allow_ports(struct work *w, enum tds_sandbox_ports which, uint64_t right)
{
	const struct tds_ports *ports = &w->sandbox->ports[which];

	for (size_t i = 0; tds_sandbox_holds_ports(w->sandbox, which) && i < ports->n; i++)
		if (!tds_landlock_allow_port(w->rules, ports->numbers[i], right))
			return no_rule(w, tds_sandbox_ports_name(which));
	return 0;
}

static bool connects_anywhere(const struct tds_sandbox *s)
{
	return s->profile >= TDS_PROFILE_NET || s->ports[TDS_SANDBOX_CONNECT].any;
}

/* What of TCP is held to ports: where all is allowed nothing is, and where none is the filter does it too. */
static uint64_t held_tcp(const struct work *w)
{
	if (w->abi < TDS_LANDLOCK_HOLDS_TCP)
		return 0;
	return (w->sandbox->ports[TDS_SANDBOX_LISTEN].any ? 0 : TDS_LANDLOCK_BIND) |
	       (connects_anywhere(w->sandbox) ? 0 : TDS_LANDLOCK_CONNECT);
}

static int make_rules(struct work *w)
{
	w->rules = tds_landlock_new(w->abi, held_tcp(w));
	if (w->rules < 0)
		return tds_err_sys(w->err, TDS_E_WRITE, "no rules for files can be made");
	int rc = allow_files(w);
	if (rc == 0)
		rc = allow_ports(w, TDS_SANDBOX_CONNECT, TDS_LANDLOCK_CONNECT);
	return rc == 0 ? allow_ports(w, TDS_SANDBOX_LISTEN, TDS_LANDLOCK_BIND) : rc;
}

/* --- the filters --- */

static bool has_port(const struct tds_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->numbers[i] == port)
			return true;
	return ports->any;
}

/* Landlock does not hold UDP to ports: it is there where names are looked up. */
static unsigned filter_of(const struct work *w)
{
	bool own_uid = w->home->uid != (uid_t)-1;
	bool writes = has_home(w) || w->sandbox->nlist[TDS_SANDBOX_WRITE] > 0;
	const struct tds_sandbox *s = w->sandbox;
	const struct tds_ports *connect = &s->ports[TDS_SANDBOX_CONNECT];
	const struct tds_ports *listen = &s->ports[TDS_SANDBOX_LISTEN];
	bool anywhere = connects_anywhere(s);
	bool truncates = writes && w->abi >= TDS_LANDLOCK_HOLDS_TRUNCATE;
	bool signals = own_uid || w->abi >= TDS_LANDLOCK_HOLDS_SIGNALS;

	return (writes ? FILTER_WRITES : 0u) | (writes && own_uid ? FILTER_MODES : 0u) |
	       (truncates ? FILTER_TRUNCATES : 0u) | (signals ? FILTER_SIGNALS : 0u) |
	       (anywhere || connect->n > 0 ? FILTER_CONNECTS : 0u) |
	       (tds_sandbox_holds_ports(s, TDS_SANDBOX_CONNECT) ? FILTER_PORTS : 0u) |
	       (anywhere || has_port(connect, DNS) ? FILTER_DATAGRAMS : 0u) |
	       (listen->any || listen->n > 0 ? FILTER_LISTENS : 0u) |
	       (s->nlist[TDS_SANDBOX_RUN] > 0 ? FILTER_RUNS : 0u);
}

/* --- what goes to the process --- */

/* NULL: out of memory. */
static json_t *environment(const struct tds_sandbox *s)
{
	json_t *env = json_object();

	for (size_t i = 0; env && i < s->nlist[TDS_SANDBOX_ENV]; i++) {
		const char *name = s->lists[TDS_SANDBOX_ENV][i];
		const char *value = getenv(name);

		if (value && json_object_set_new(env, name, frame_bytes(value)) != 0) {
			json_decref(env);
			env = NULL;
		}
	}
	return env;
}

static bool is_nothing(const struct tds_sandbox *s)
{
	return s->profile == TDS_PROFILE_TRUSTED && s->nlist[TDS_SANDBOX_ENV] == 0 &&
	       s->limits[TDS_SANDBOX_MEMORY] == 0 && s->limits[TDS_SANDBOX_FILES] == 0;
}

static json_t *op_of(const struct work *w, unsigned first)
{
	const struct tds_sandbox *s = w->sandbox;
	bool held = s->profile != TDS_PROFILE_TRUSTED;

	return json_pack("{s:s, s:b, s:i, s:b, s:b, s:b, s:I, s:I, s:o}", "op", "confine", "held",
			 held, "first", (int)first, "runs", s->nlist[TDS_SANDBOX_RUN] > 0, "writes",
			 held && has_home(w), "tmp", w->home->tmp != NULL, "memory",
			 (json_int_t)s->limits[TDS_SANDBOX_MEMORY], "files",
			 (json_int_t)s->limits[TDS_SANDBOX_FILES], "env", environment(s));
}

/* Rules and filters. */
static int hold(struct work *w, struct filters *filters)
{
	int rc = make_rules(w);

	return rc == 0 ? filters_make(filter_of(w), filters, w->err) : rc;
}

int confinement_make(const struct tds_sandbox *sandbox, const struct actor_home *home,
		     struct confinement *confinement, struct tds_err *err)
{
	struct work w = {
		.sandbox = sandbox, .home = home, .abi = tds_landlock_abi(), .rules = -1, .err = err
	};
	struct filters filters = { .fd = -1 };

	*confinement = (struct confinement)CONFINEMENT_NONE;
	if (!sandbox || is_nothing(sandbox))
		return 0;
	int rc = sandbox->profile != TDS_PROFILE_TRUSTED ? hold(&w, &filters) : 0;
	if (rc == 0 && !(confinement->op = op_of(&w, filters.first)))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	confinement->rules = w.rules;
	confinement->filters = filters.fd;
	if (rc != 0)
		confinement_fini(confinement);
	return rc;
}

void confinement_fini(struct confinement *confinement)
{
	json_decref(confinement->op);
	tds_close_fd(&confinement->rules);
	tds_close_fd(&confinement->filters);
	*confinement = (struct confinement)CONFINEMENT_NONE;
}
