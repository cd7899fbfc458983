/* SPDX-License-Identifier: MIT */
/* A service of a manager: where its files are on this machine, and whose they are. */
#ifndef TDS_BOOTSERVICE_H
#define TDS_BOOTSERVICE_H

#include "admin.h"
#include "bootmanager.h"

/* Those of a service that is not found yet are NULL. */
struct boot_service {
	struct admin *admin;
	const struct boot_manager *manager;
	char *name;
	char *folder;  /* where the manager's files are, below ROOT */
	char *path;    /* of its first file */
	char *at;      /* the folder of its files */
	char *scanned; /* the folder that is scanned, below ROOT; NULL: none */
	char *link;    /* in that */
};

/*
 * Find all that is NULL, of admin, manager and name.
 * Owner:   caller frees with boot_service_fini, also on error.
 * Errors:  TDS_E_UNUSABLE: nobody knows where the user's files are; TDS_E_NOMEM.
 */
int boot_service_find(struct boot_service *service, struct tds_err *err) TDS_MUST_CHECK;
void boot_service_fini(struct boot_service *service);
#define tds_boot_service_cleanup boot_service_fini

/* The name of one of its files, in service->at. Caller frees; NULL: out of memory. */
char *boot_service_file(const struct boot_service *service, const struct boot_file *file);

/* Whose it is, by its first file. A link is nothing that bootstart writes. */
enum boot_whose { BOOT_NOBODYS, BOOT_OURS, BOOT_OTHERS };
enum boot_whose boot_service_whose(const struct boot_service *service);

/* The folder of its files as the manager sees it, to which no ROOT belongs. */
const char *boot_service_target(const struct boot_service *service);

/* The link is ours where it leads there. */
bool boot_service_is_linked(const struct boot_service *service);

#endif
