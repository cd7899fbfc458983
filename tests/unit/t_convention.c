/* SPDX-License-Identifier: MIT */
/*
 * Which convention a system is in: what its files say together, whose certificates count, and what the makers of
 * certificates promise.
 */
#include "unit.h"

#include <time.h>

#include "base/mem.h"
#include "convention/cert.h"
#include "convention/conventioncfg.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static struct tds_dir dir_of(const struct folder *folder)
{
	return (struct tds_dir){ .fd = folder->fd, .path = (char *)folder->path };
}

/* What is read, in one line: "SERVER... NAME SYSTEM ROLE LOST[ tls]", or the reason behind the folder. Caller frees. */
static char *read_convention(struct folder *folder, const char **file)
{
	tds_auto(convention) struct tds_convention c = { 0 };
	const struct tds_dir dir = dir_of(folder);
	struct tds_err err = { 0 };
	char *text = NULL;
	char servers[256] = "";
	size_t used = 0;

	if (tds_convention_read(&dir, &c, file, &err) != 0) {
		assert_memory_equal(err.reason, folder->path, strlen(folder->path));
		return strdup(err.reason + strlen(folder->path) + 1);
	}
	assert_null(*file);
	if (!c.is_there)
		return strdup("alone");
	for (size_t i = 0; i < c.n; i++) {
		int n = snprintf(servers + used, sizeof(servers) - used, "%s%s:%u ",
				 c.servers[i].tls ? "+" : "", c.servers[i].host,
				 (unsigned)c.servers[i].port);

		assert_in_range(n, 1, sizeof(servers) - used - 1);
		used += (size_t)n;
	}
	assert_true(asprintf(&text, "%s%s %s [%s] %u%s", servers, c.name, c.system,
			     tds_convention_role_word(c.role), c.lost_s, c.tls ? " tls" : "") > 0);
	return text;
}

static void says(struct folder *folder, const char *wanted_file, const char *wanted)
{
	const char *file;
	tds_autofree char *got = read_convention(folder, &file);

	assert_string_equal(got, wanted);
	assert_true((file == NULL) == (wanted_file == NULL));
	if (file)
		assert_string_equal(file, wanted_file);
}

static void config(void **state)
{
	struct folder *folder = *state;

	says(folder, NULL, "alone");
	put(folder, "convleader.cfg", 0644, "");
	put(folder, "convsystem.cfg", 0644, "a\n");
	says(folder, NULL, "alone");
	put(folder, "convleader.cfg", 0644,
	    "127.0.0.1:1900\n"); /* Thespian's port, not the bus's */
	says(folder, NULL, "127.0.0.1:4222 thespian a [] 15");
	put(folder, "convbus.cfg", 0644, "nats://localhost:4333\nnats://[::1]\n");
	says(folder, NULL, "localhost:4333 ::1:4222 thespian a [] 15");
	put(folder, "convname.cfg", 0644, "prod");
	put(folder, "convrole.cfg", 0644, "candidate");
	put(folder, "convlost.cfg", 0644, "3");
	says(folder, NULL, "localhost:4333 ::1:4222 prod a [candidate] 3");
	put(folder, "convlost.cfg", 0644, "x");
	says(folder, "convlost.cfg", "convlost.cfg:1:1: not an int");
}

static void without_tls(void **state)
{
	struct folder *folder = *state;
	const char *refusal = "convbus.cfg: 192.0.2.1 is another machine, and there is no TLS: set "
			      "up by tds-admin convention "
			      "(or convopen.cfg: yes, where everybody on the way is trusted)";

	put(folder, "convsystem.cfg", 0644, "a");
	put(folder, "convbus.cfg", 0644, "nats://127.9.9.9\nnats://192.0.2.1");
	says(folder, "convbus.cfg", refusal);
	put(folder, "convopen.cfg", 0644, "no");
	says(folder, "convbus.cfg", refusal);
	put(folder, "convopen.cfg", 0644, "yes");
	says(folder, NULL, "127.9.9.9:4222 192.0.2.1:4222 thespian a [] 15");
	put(folder, "convbus.cfg", 0644,
	    "tls://127.0.0.1"); /* whoever asks for it gets it, or nothing */
	says(folder, "convbus.cfg",
	     "convbus.cfg: tls://127.0.0.1 needs a convtls.cfg that names the folder of the "
	     "certificates");
	put(folder, "convtls.cfg", 0644, "/nowhere");
	put(folder, "convopen.cfg", 0644, "no");
	put(folder, "convbus.cfg", 0644, "nats://192.0.2.1");
	says(folder, NULL, "+192.0.2.1:4222 thespian a [] 15 tls");
}

static void loopback(void **state)
{
	static const char *const near[] = { "127.0.0.1", "127.255.0.3", "localhost", "::1",
					    "::ffff:127.0.0.1" };
	static const char *const far[] = {
		"128.0.0.1",      "0.0.0.0", "::", "localhost.example.com", "127.0.0.1.example.com",
		"::ffff:10.0.0.1"
	};
	struct tds_bus_server server;

	(void)state;
	for (size_t i = 0; i < COUNT(near); i++) {
		assert_true(tds_bus_host_parse(near[i], strlen(near[i]), 1, &server));
		assert_true(tds_bus_is_loopback(&server));
	}
	for (size_t i = 0; i < COUNT(far); i++) {
		assert_true(tds_bus_host_parse(far[i], strlen(far[i]), 1, &server));
		assert_false(tds_bus_is_loopback(&server));
	}
}

/* --- certificates --- */

static struct tds_cert make(const char *uri, const struct tds_cert *ca, unsigned days)
{
	const struct tds_cert_wish wish = { .name = "x", .uri = uri, .days = days };
	struct tds_cert made;
	struct tds_err err;

	assert_int_equal(tds_cert_make(&wish, ca, &made, &err), 0);
	return made;
}

static void judged(const struct tds_cert *cert, const char *ca, const char *uri, int64_t wall_ms,
		   const char *wanted)
{
	struct tds_err err = { 0 };
	int rc = tds_cert_judge(cert, ca, uri, wall_ms, &err);

	assert_string_equal(rc == 0 ? "" : err.reason, wanted);
}

static void certificates(void **state)
{
	tds_auto(cert) struct tds_cert ca = make(NULL, NULL, 10);
	tds_auto(cert) struct tds_cert other = make(NULL, NULL, 10);
	tds_auto(cert) struct tds_cert a = make("tds:a", &ca, 5);
	tds_auto(cert) struct tds_cert late = make("tds:a", &ca, 500);
	const struct tds_cert mixed = { .cert = a.cert, .key = late.key };
	int64_t now = (int64_t)time(NULL) * 1000;
	int64_t end_of_ca, end;
	struct tds_err err;

	(void)state;
	judged(&a, ca.cert, "tds:a", now, "");
	judged(&a, ca.cert, "tds:b", now, "it is not that of tds:b");
	judged(&a, ca.cert, "tds:", now, "it is not that of tds:");
	judged(&a, other.cert, "tds:a", now,
	       "it does not count: unable to get local issuer certificate");
	judged(&a, ca.cert, "tds:a", now + 6 * DAY_MS,
	       "it does not count: certificate has expired");
	judged(&a, ca.cert, "tds:a", now - DAY_MS,
	       "it does not count: certificate is not yet valid");
	judged(&mixed, ca.cert, "tds:a", now, "its key is another one's");
	judged(&a, "", "tds:a", now, "the CA is not a PEM certificate");
	assert_int_equal(tds_cert_expires(late.cert, &end, &err), 0);
	assert_int_equal(tds_cert_expires(ca.cert, &end_of_ca, &err), 0);
	assert_true(end == end_of_ca && end > now + 9 * DAY_MS);
	assert_int_equal(tds_cert_expires("x", &end, &err), TDS_E_UNUSABLE);
}

/* What the CA has signed for a server or a system signs nothing, and a server's is no system's. */
static void purposes(void **state)
{
	const struct tds_bus_server host = { .host = "localhost" };
	const struct tds_cert_wish server = { .name = "s", .hosts = &host, .n = 1, .days = 5 };
	tds_auto(cert) struct tds_cert ca = make(NULL, NULL, 10);
	tds_auto(cert) struct tds_cert a = make("tds:a", &ca, 5);
	tds_auto(cert) struct tds_cert made = { 0 };
	struct tds_err err;
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	assert_int_equal(tds_cert_make(&server, &a, &made, &err), TDS_E_UNUSABLE);
	assert_int_equal(tds_cert_make(&server, &ca, &made, &err), 0);
	judged(&made, ca.cert, NULL, now, "");
	judged(&made, ca.cert, "tds:a", now, "it is not that of tds:a");
}

/* --- the TLS folder --- */

static void pems_say(struct folder *folder, const char *wanted)
{
	tds_auto(convention_pems) struct tds_convention_pems pems = { 0 };
	struct tds_convention c = { .tls = folder->path, .system = (char *)"a" };
	const struct tds_dir dir = dir_of(folder);
	struct tds_err err = { 0 };
	int rc = tds_convention_pems_read(&dir, &c, TDS_CONVENTION_BUS, &pems, &err);

	assert_string_equal(rc == 0 ? "/" : err.reason + strlen(folder->path), wanted);
	assert_true((rc == 0) == (pems.key != NULL));
}

static void tls_folder(void **state)
{
	struct folder *folder = *state;
	tds_auto(cert) struct tds_cert ca = make(NULL, NULL, 10);
	tds_auto(cert) struct tds_cert a = make("tds:a", &ca, 5);
	tds_auto(cert) struct tds_cert b = make("tds:b", &ca, 5);

	pems_say(folder, "/ca.pem: cannot be opened: No such file or directory");
	put(folder, "ca.pem", 0644, ca.cert);
	put(folder, "system.pem", 0644, a.cert);
	put(folder, "system.key", 0640, a.key);
	pems_say(folder, "/system.key: others may read it: its mode is to be 0600");
	put(folder, "system.key", 0600, a.key);
	pems_say(folder, "/");
	put(folder, "system.pem", 0666, a.cert);
	pems_say(folder, "/system.pem: others may write it");
	put(folder, "system.pem", 0644, b.cert);
	pems_say(folder, "/system.pem: its key is another one's");
	put(folder, "system.key", 0600, b.key);
	pems_say(folder, "/system.pem: it is not that of tds:a");
	put(folder, "system.key", 0600, "");
	pems_say(folder, "/system.pem: its key is not a PEM key without a passphrase");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(config, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(without_tls, folder_make, folder_remove),
		cmocka_unit_test(loopback),
		cmocka_unit_test(certificates),
		cmocka_unit_test(purposes),
		cmocka_unit_test_setup_teardown(tls_folder, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
