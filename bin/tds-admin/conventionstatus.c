/* SPDX-License-Identifier: MIT */
/* tds-admin convention status: what stands between a system and its convention, and what to do about it. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/when.h"
#include "convention.h"
#include "convention/cert.h"
#include "convention/conventioncfg.h"
#include "convfolder.h"
#include "convprobe.h"
#include "tool/document.h"

#define SOON_MS (INT64_C(30) * 24 * 60 * 60 * 1000) /* a certificate is to be renewed */
#define WAIT_S 5                /* for a server, each time, where --timeout says nothing */
#define PAYLOAD_LEAST (1 << 20) /* bytes of a message between systems */

enum grade { GOOD, ODD, BAD };

/* What was found. */
struct finding {
	const char *check; /* a word; constant */
	enum grade grade;
	char *text;
	const char *todo; /* what to do; constant; NULL: nothing */
};

#define FINDINGS_MAX 256 /* more servers than that are not looked at */

/* One look at it. */
struct look {
	struct admin *admin;
	struct tds_dir dir;
	struct tds_convention convention;
	enum tds_convention_role role;
	struct tds_convention_pems
		pems[TDS_CONVENTION_ACCOUNTS]; /* by account; zeroed where there are none */
	struct finding v[FINDINGS_MAX];
	size_t n;
};

static void tds_look_cleanup(struct look *look)
{
	for (size_t i = 0; i < look->n; i++)
		free(look->v[i].text);
	for (size_t i = 0; i < TDS_CONVENTION_ACCOUNTS; i++)
		tds_convention_pems_fini(&look->pems[i]);
	tds_convention_fini(&look->convention);
	tds_dir_close(&look->dir);
}

static void find(struct look *look, const char *check, enum grade grade, const char *todo,
		 const char *fmt, ...) TDS_PRINTF(5, 6);
static void find(struct look *look, const char *check, enum grade grade, const char *todo,
		 const char *fmt, ...)
{
	struct finding *finding = &look->v[look->n];
	va_list ap;

	if (look->n == FINDINGS_MAX)
		return;
	*finding = (struct finding){ .check = check, .grade = grade, .todo = todo };
	va_start(ap, fmt);
	if (vasprintf(&finding->text, fmt, ap) < 0)
		finding->text = NULL;
	va_end(ap);
	look->n++;
}

/* --- this machine --- */

static bool leads(const struct look *look)
{
	return look->role != TDS_CONVENTION_MEMBER;
}

static void look_at_settings(struct look *look)
{
	const struct tds_convention *c = &look->convention;

	find(look, "settings", GOOD, NULL, "system %s of the convention %s, a %s", c->system,
	     c->name, tds_convention_role_word(look->role));
}

static void tell_expiry(struct look *look, const char *name, const char *pem)
{
	int64_t expires = 0;
	time_t seconds;
	char day[32] = "?";
	struct tm utc;

	(void)!tds_cert_expires(pem, &expires, NULL);
	seconds = (time_t)(expires / 1000);
	if (gmtime_r(&seconds, &utc))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &utc);
	bool soon = expires - tds_when_now() < SOON_MS;
	find(look, "certificate", soon ? ODD : GOOD,
	     soon ? "tds-admin convention init --renew in the folder of the convention, and join "
		    "again"
		  : NULL,
	     "%s is good until %s", name, day);
}

/* Read and judged as the daemon does it. Without TLS there are none. */
static void look_at_pems(struct look *look)
{
	for (int i = TDS_CONVENTION_BUS; look->convention.tls && i < TDS_CONVENTION_ACCOUNTS; i++) {
		struct tds_err err;

		if (i == TDS_CONVENTION_STORE && !leads(look))
			break;
		if (tds_convention_pems_read(&look->dir, &look->convention,
					     (enum tds_convention_account)i, &look->pems[i],
					     &err) == 0)
			tell_expiry(look, tds_convention_files(i)->cert, look->pems[i].cert);
		else
			find(look, "certificate", BAD,
			     "have tds-admin convention join put it there, as root or the admin "
			     "process's user",
			     "%s", err.reason);
	}
}

/* Certificates have a beginning and an end, and the convention compares clocks: the kernel knows whether something sets this one. */
/* What speaks NATS is built where libnats is; all else of a convention can be set up without it. */
static void look_at_program(struct look *look)
{
	tds_autofree char *path = tds_cli_neighbour("../libexec/tds/tds-link");

	if (path && access(path, X_OK) != 0)
		find(look, "program", BAD, "install libnats, and tds anew, built where that is",
		     "tds-link is not there");
}

static void look_at_clock(struct look *look)
{
	struct timex state = { .modes = 0 };
	time_t now = time(NULL);
	char text[32] = "?";
	struct tm utc;

	if (gmtime_r(&now, &utc))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	bool is_set = adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
	find(look, "clock", is_set ? GOOD : ODD,
	     is_set ? NULL : "have it set, as by chrony or systemd-timesyncd", "%s, %s", text,
	     is_set ? "kept right" : "and nothing that the kernel knows of keeps it right");
}

/* --- a server --- */

static const char *todo_of(enum probe_end end)
{
	static const char *const todo[] = {
		[PROBE_LET_IN] = NULL,
		[PROBE_UNREACHABLE] = "on its machine, systemctl status nats-server; and see that "
				      "a firewall lets the port through",
		[PROBE_SILENT] = "on its machine, systemctl restart nats-server",
		[PROBE_NO_NATS] = "see who has the port there, or name another in convbus.cfg",
		[PROBE_NO_TLS] = "install the server's configuration, as tds-admin convention init "
				 "tells",
		[PROBE_UNTRUSTED] = "give the server the certificate of this convention, for this "
				    "name (init --bus), and see that both clocks are right",
		[PROBE_NOT_BELIEVED] = "copy server/nats-server.conf of the convention's folder to "
				       "the server, and there systemctl reload nats-server; or "
				       "join again, where this system has an older certificate",
	};

	return todo[end];
}

#define TODO_CONFIGURATION                                                                      \
	"install the server's configuration anew, as tds-admin convention init tells: this is " \
	"not it"

/* What this system is to be able to, and what nobody is: each is tried. None of the messages has a subject that somebody hears. */
static const struct attempt {
	const char *what;
	bool hears; /* else it publishes */
	bool wanted;
	const char *before; /* of the subject, this system's name */
	const char *after;  /* NULL: it has no name in it */
} attempts[] = {
	{ "speak for itself", false, true, "tds.m.", ".status" },
	{ "hear what is for it", true, true, "tds.m.*.", ".>" },
	{ "hear what is for all", true, true, "tds.m.*.all.>", NULL },
	{ "speak for another", false, false, "tds.m.all.", ".status" },
	{ "hear what is for others", true, false, "tds.m.*.*.>", NULL },
	{ "hear everything", true, false, ">", NULL },
	{ "ask JetStream, where all systems are", false, false, "$JS.API.INFO", NULL },
};

static int try(const struct attempt *attempt, const char *name, struct probe *probe, bool *may,
	       struct tds_err *err)
{
	tds_autofree char *subject = NULL;

	if (asprintf(&subject, "%s%s%s", attempt->before, attempt->after ? name : "",
		     attempt->after ? attempt->after : "") < 0) {
		subject = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	return attempt->hears ? probe_may_hear(probe, subject, may, err)
			      : probe_may_publish(probe, subject, may, err);
}

static void look_at_permissions(struct look *look, struct probe *probe, const char *url)
{
	size_t good = 0;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct tds_err err = { 0 };
		bool may = false;

		if (try(&attempts[i], look->convention.system, probe, &may, &err) != 0) {
			find(look, "permissions", BAD, NULL, "%s: %s", url, err.reason);
			return;
		}
		if (may != attempts[i].wanted)
			find(look, "permissions", BAD, TODO_CONFIGURATION, "%s lets it%s %s", url,
			     may ? "" : " not", attempts[i].what);
		good += may == attempts[i].wanted;
	}
	if (good == sizeof(attempts) / sizeof(attempts[0]))
		find(look, "permissions", GOOD, NULL, "%s lets it speak for itself alone", url);
}

/* A log-in, over which probe is then; NULL: what ended it was found. */
static struct probe *log_in(struct look *look, const struct tds_bus_server *server,
			    enum tds_convention_account account, const char *url)
{
	struct tds_convention_pems *pems = look->convention.tls ? &look->pems[account] : NULL;
	const char *check = account == TDS_CONVENTION_BUS ? "server" : "store";
	struct probe *probe = NULL;
	struct tds_err err = { 0 };
	double wait_s = look->admin->timeout_s > 0 ? look->admin->timeout_s : WAIT_S;
	enum probe_end end = probe_open(server, pems, (int64_t)(wait_s * 1000) + 1, &probe, &err);

	if (end == PROBE_LET_IN)
		return probe;
	find(look, check, BAD, todo_of(end), "%s: %s", url, err.reason);
	probe_free(probe);
	return NULL;
}

/* False: there is no getting in. */
static bool look_at_bus(struct look *look, const struct tds_bus_server *server, const char *url)
{
	struct probe *probe = log_in(look, server, TDS_CONVENTION_BUS, url);

	if (!probe)
		return false;
	find(look, "server", GOOD, NULL, "%s: nats-server %.60s lets it in", url,
	     probe_version(probe));
	if (probe_max_payload(probe) < PAYLOAD_LEAST)
		find(look, "server", BAD, TODO_CONFIGURATION,
		     "%s takes messages of %lld bytes at most", url, probe_max_payload(probe));
	if (look->convention.tls)
		look_at_permissions(look, probe, url);
	else
		find(look, "permissions", ODD, "set it up by tds-admin convention init",
		     "%s lets whoever reaches it say and hear everything", url);
	probe_free(probe);
	return true;
}

/* Only who may lead has the certificate for it. */
static void look_at_store(struct look *look, const struct tds_bus_server *server, const char *url)
{
	struct probe *probe = log_in(look, server, TDS_CONVENTION_STORE, url);
	bool answered = false;
	struct tds_err err = { 0 };

	if (!probe)
		return;
	int rc = probe_has_jetstream(probe)
			 ? probe_is_answered(probe, "$JS.API.INFO", &answered, &err)
			 : 0;
	if (answered)
		find(look, "store", GOOD, NULL, "%s: JetStream answers", url);
	else
		find(look, "store", BAD, TODO_CONFIGURATION, "%s: %s", url,
		     rc != 0 ? err.reason : "JetStream does not answer");
	probe_free(probe);
}

static void look_at_servers(struct look *look)
{
	const struct tds_convention *c = &look->convention;

	for (size_t i = 0; i < c->n; i++) {
		tds_autofree char *url = conv_servers_text(&c->servers[i], 1);

		if (!url)
			continue;
		url[strcspn(url, "\n")] = '\0';
		bool in = (!c->tls || look->pems[TDS_CONVENTION_BUS].key) &&
			  look_at_bus(look, &c->servers[i], url);
		if (in && leads(look) && (!c->tls || look->pems[TDS_CONVENTION_STORE].key))
			look_at_store(look, &c->servers[i], url);
	}
}

/* --- telling --- */

static json_t *findings_json(const struct look *look)
{
	static const char *const words[] = { [GOOD] = "Good", [ODD] = "Odd", [BAD] = "Bad" };
	json_t *list = json_array();
	bool whole = list != NULL;

	for (size_t i = 0; whole && i < look->n; i++) {
		const struct finding *f = &look->v[i];
		json_t *item = json_pack("{s:s, s:s, s:o}", "Check", f->check, "State",
					 words[f->grade], "Text", tds_document_text(f->text));

		whole = item &&
			(!f->todo || json_object_set_new(item, "Do", json_string(f->todo)) == 0);
		whole = json_array_append_new(list, item) == 0 && whole;
	}
	if (whole)
		return list;
	json_decref(list);
	return NULL;
}

static void tell_finding(struct tds_cli *cli, const struct finding *f)
{
	const char *todo = f->todo ? f->todo : "";
	const char *dash = f->todo ? ": " : "";
	struct tds_err err;

	switch (f->grade) {
	case GOOD:
		if (!cli->json && !cli->quiet)
			(void)fprintf(cli->out, "%s: %s\n", f->check, f->text);
		break;
	case ODD:
		tds_cli_warn(cli, f->check, "%s%s%s", f->text, dash, todo);
		break;
	case BAD:
		tds_err_set(&err, TDS_E_REFUSED, "%s%s%s", f->text, dash, todo);
		tds_cli_error(cli, f->check, &err);
		break;
	}
}

/* What is good and what is not stand in the order in which it was looked at, also where both go to one file. */
static void tell(struct look *look)
{
	struct tds_cli *cli = &look->admin->cli;
	const struct tds_convention *c = &look->convention;

	for (size_t i = 0; i < look->n; i++)
		if (look->v[i].text) {
			tell_finding(cli, &look->v[i]);
			(void)fflush(cli->out);
		}
	if (cli->json)
		tds_cli_print_document(cli, json_pack("{s:o, s:s, s:s, s:s, s:o}", "Directory",
						      tds_document_text(look->dir.path), "Name",
						      c->name, "System", c->system, "Role",
						      tds_convention_role_word(look->role),
						      "Checks", findings_json(look)));
}

static int open_convention(struct look *look, struct tds_err *err)
{
	int rc = admin_open_dir(look->admin, &look->dir, err);

	if (rc == 0)
		rc = tds_convention_read(&look->dir, &look->convention, NULL, err);
	if (rc == 0 && !look->convention.is_there)
		rc = tds_err_set(err, TDS_E_MISSING,
				 "%s is in no convention: there is neither " TDS_CONVBUS_CFG
				 " nor " TDS_CONVLEADER_CFG,
				 look->dir.path);
	return rc;
}

/* A server that hangs up while something is said to it is a finding, and not the end. */
static void look_at_all(struct look *look)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	(void)sigaction(SIGPIPE, &ignore, &before);
	look->role = tds_convention_role(&look->convention);
	look_at_program(look);
	look_at_settings(look);
	look_at_pems(look);
	look_at_clock(look);
	look_at_servers(look);
	(void)sigaction(SIGPIPE, &before, NULL);
}

void convention_status(struct admin *admin, int argc, char **argv)
{
	tds_auto(look) struct look look = { .admin = admin, .dir = { .fd = -1 } };
	struct tds_err err = { 0 };

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "convention status takes no operand");
		return;
	}
	if (open_convention(&look, &err) != 0) {
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	look_at_all(&look);
	tell(&look);
}
