/* SPDX-License-Identifier: MIT */
/*
 * The convention as the configuration files of a director directory say it (tds.cfg(5)), and what of TLS is in the folder
 * that they name. It resolves no name but for the role, connects to nothing, and does not know who else is in the convention.
 */
#ifndef TDS_CONVENTIONCFG_H
#define TDS_CONVENTIONCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dir.h"
#include "base/err.h"
#include "director/bus.h"

#define TDS_CONVLEADER_CFG "convleader.cfg"
#define TDS_CONVBUS_CFG "convbus.cfg"
#define TDS_CONVNAME_CFG "convname.cfg"
#define TDS_CONVSYSTEM_CFG "convsystem.cfg"
#define TDS_CONVTLS_CFG "convtls.cfg"
#define TDS_CONVOPEN_CFG "convopen.cfg"
#define TDS_CONVROLE_CFG "convrole.cfg"
#define TDS_CONVLOST_CFG "convlost.cfg"

#define TDS_CONVNAME_DEFAULT "thespian"
#define TDS_CONVLOST_DEFAULT_S 15

enum tds_convention_role {
	TDS_CONVENTION_BY_PLACE, /* convrole.cfg is not there: tds_convention_role finds it */
	TDS_CONVENTION_MEMBER,
	TDS_CONVENTION_CANDIDATE,
	TDS_CONVENTION_LEADER, /* a candidate that takes the lease where nobody has it */
};

/* A zeroed one is that of a system alone. */
struct tds_convention {
	bool is_there; /* there is a convleader.cfg or convbus.cfg that names something; else all is zero */
	struct tds_bus_server
		*servers; /* any of them will do; tls of all or none is what is to be */
	size_t n;
	char *name;   /* of the convention */
	char *system; /* this system's own name */
	char *tls;    /* folder; NULL: without TLS */
	enum tds_convention_role role;
	unsigned lost_s; /* seconds of silence after which a system is lost */
	bool is_open;    /* convopen.cfg: without TLS off loopback */
};

/*
 * Read them all, and hold them against each other: TLS is used wherever convtls.cfg is there; without it a server must be
 * on loopback, unless convopen.cfg says yes.
 * Owner:   caller frees with tds_convention_fini, on success only.
 * Errors:  TDS_E_UNUSABLE, TDS_E_SYNTAX, TDS_E_NOMEM; the reason names the file by its path. *file, where file is not
 *          NULL, is then its name (a constant of above), NULL for no memory.
 */
int tds_convention_read(const struct tds_dir *dir, struct tds_convention *convention,
			const char **file, struct tds_err *err) TDS_MUST_CHECK;

void tds_convention_fini(struct tds_convention *convention);
#define tds_convention_cleanup tds_convention_fini

/*
 * The role, never BY_PLACE: where convrole.cfg does not say it, a candidate where one of the servers is on an address of this
 * machine that is not loopback, else a member. That asks the resolver, and may take as long as that does.
 */
enum tds_convention_role tds_convention_role(const struct tds_convention *convention);
const char *tds_convention_role_word(enum tds_convention_role role);

/* The two connections to the bus, each with a certificate of its own (tds-convention(7)). */
enum tds_convention_account {
	TDS_CONVENTION_BUS,   /* of every system */
	TDS_CONVENTION_STORE, /* of leader and candidates */
	TDS_CONVENTION_ACCOUNTS,
};

/* The certificate's files in the TLS folder, where the CA's is TDS_CONVENTION_CA. */
struct tds_convention_files {
	const char *cert; /* "system.pem" */
	const char *key;
	const char *uri; /* what stands in the certificate before the system's name */
};
#define TDS_CONVENTION_CA "ca.pem"

const struct tds_convention_files *tds_convention_files(enum tds_convention_account account);

/* PEM texts, for the memory of the process that connects. */
struct tds_convention_pems {
	char *ca;
	char *cert;
	char *key; /* wiped by fini */
};

/*
 * Read what the connection needs, and judge it: who may read the key and write the others, whether key and certificate belong
 * together, whose certificate it is, whether the CA has signed it, and whether it has expired.
 * Source:  dir, whose strict modes count, is that of the convention, which has a TLS folder.
 * Owner:   caller frees with tds_convention_pems_fini, on success only.
 * Errors:  TDS_E_MISSING: a file is not there; TDS_E_UNUSABLE, TDS_E_NOMEM; the reason names the file.
 */
int tds_convention_pems_read(const struct tds_dir *dir, const struct tds_convention *convention,
			     enum tds_convention_account account, struct tds_convention_pems *pems,
			     struct tds_err *err) TDS_MUST_CHECK;

void tds_convention_pems_fini(struct tds_convention_pems *pems);
#define tds_convention_pems_cleanup tds_convention_pems_fini

#endif
