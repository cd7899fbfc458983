/* SPDX-License-Identifier: MIT */
/*
 * The folder that tds-admin convention init keeps, of a convention's CA, the server of its bus, and each of its systems:
 *
 *	ca.pem ca.key convname.cfg convbus.cfg
 *	server/         ca.pem server.pem server.key nats-server.conf tds.conf
 *	systems/NAME/   ca.pem system.pem system.key, of a candidate store.pem store.key; convname.cfg convbus.cfg
 *	                convsystem.cfg convrole.cfg
 *	removed/        NAME.pem, the certificate that a removed system had
 *
 * A system is there when its convrole.cfg is, which is written last.
 */
#ifndef TDS_ADMIN_CONVFOLDER_H
#define TDS_ADMIN_CONVFOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dir.h"
#include "convention/cert.h"
#include "convention/conventioncfg.h"

/* What is in it, besides what a system has. */
#define CONV_CA_KEY "ca.key"
#define CONV_SERVER "server"
#define CONV_SYSTEMS "systems"
#define CONV_REMOVED "removed"

#define CONV_DAYS 730 /* that a certificate is good for, where nothing else is said */

/* What has become of a certificate. */
enum conv_state { CONV_THERE, CONV_MADE, CONV_RENEWED };
const char *conv_state_word(enum conv_state state); /* "There" */

/* A system. */
struct conv_system {
	char *name;
	bool is_candidate;
	enum conv_state state;
	int64_t expires_wall_ms;
};

struct convfolder {
	struct tds_dir dir; /* locked while it is open */
	bool is_made; /* it was not there before; closed while there is nothing in it, it goes again */
	bool is_new; /* it had no CA */
	char *name;  /* of the convention */
	struct tds_bus_server *servers;
	size_t n_servers;
	struct tds_cert ca;
	struct conv_system *systems; /* by name */
	size_t n;
	enum conv_state server_state;
	int64_t server_expires_wall_ms;
};

/*
 * Open the folder, and read what is there; where make is true it is made where it is missing.
 * Owner:   caller closes with convfolder_close, whatever comes of it.
 * Errors:  TDS_E_MISSING; TDS_E_REFUSED: another process is at work in it; TDS_E_UNUSABLE, TDS_E_SYNTAX, TDS_E_WRITE, TDS_E_NOMEM. The
 *          reason names the file.
 */
int convfolder_open(const char *path, bool make, struct convfolder *folder,
		    struct tds_err *err) TDS_MUST_CHECK;
void convfolder_close(struct convfolder *folder);
#define tds_convfolder_cleanup convfolder_close

/* Borrowed; NULL: there is none of that name. */
struct conv_system *convfolder_find(const struct convfolder *folder, const char *name);

/*
 * Add a system, of which nothing is written yet.
 * Errors:  TDS_E_REFUSED: one of that name was removed, whose certificate would count again; TDS_E_NOMEM.
 */
int convfolder_add(struct convfolder *folder, const char *name, struct tds_err *err) TDS_MUST_CHECK;

/* Write CA, name and servers, where that is new. Errors of these four: TDS_E_WRITE, TDS_E_UNUSABLE, TDS_E_NOMEM. */
int convfolder_write_ca(struct convfolder *folder, struct tds_err *err) TDS_MUST_CHECK;

/* Write a system's folder; its certificates are made where they are missing, or renew is true. */
int convfolder_write_system(struct convfolder *folder, struct conv_system *system, bool renew,
			    unsigned days, struct tds_err *err) TDS_MUST_CHECK;

/* Write the server's folder, in the same way. */
int convfolder_write_server(struct convfolder *folder, bool renew, unsigned days,
			    struct tds_err *err) TDS_MUST_CHECK;

/* Remove a system's folder, and keep its certificate aside: its name is not given again. The system is no more in folder. */
int convfolder_remove(struct convfolder *folder, struct conv_system *system,
		      struct tds_err *err) TDS_MUST_CHECK;

/* The URLs of servers, as in convbus.cfg, a line each. Caller frees; NULL: out of memory. */
char *conv_servers_text(const struct tds_bus_server *servers, size_t n);

#endif
