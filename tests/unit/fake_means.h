/* SPDX-License-Identifier: MIT */
/*
 * The Director's means in memory: packages and declarations that the test put there, verdicts that it gives, and a disk
 * that does what it is told.
 */
#ifndef TDS_TESTS_FAKE_MEANS_H
#define TDS_TESTS_FAKE_MEANS_H

#include "daemon/director/means.h"
#include "fake_trace.h"

#define FAKE_MAX 16 /* packages, declarations, what is stored */

/* A package; its MD5 and SHA-256 are its number, in hexadecimal. */
struct fake_package {
	unsigned number; /* 0: none */
	char file[32];
	char group[16];
	unsigned md5; /* where it is not the number: of the same name as another */
	bool deleted; /* the file is gone */
	bool unsigned_version;
	char version[16];     /* that is signed; empty: that of its name */
	const char *declared; /* the declaration that is signed with it; NULL: none */
	unsigned
		key; /* that validates it: its SHA-256 is 0x100 more, that of its file 0x200 more */
};

struct verification {
	struct fake_means *means;
	struct verification *next; /* oldest first */
	const struct fake_package *package;
	verdict_fn *done;
	void *ctx;
};

struct fake_declaration {
	char group[16]; /* empty: none */
	char *text;
};

struct fake_stored {
	char sha256[65]; /* empty: nothing */
	char *text;      /* the declaration */
};

struct fake_means {
	struct means means;
	struct fake_package packages[FAKE_MAX];
	struct fake_declaration declarations[FAKE_MAX];
	struct fake_stored stored[FAKE_MAX];
	struct verification *verifications;
	json_t *sources; /* as loaded.json has it; NULL: none */
	json_t *defined; /* as groups.json has it */
	json_t *wanted;  /* as desired.json has it; NULL: there is none */
	bool is_old;     /* desired.json was written by a version that kept no floors */
	json_t *floors;  /* as floor.json has it */
	char data[16];   /* the group whose data folder there is: that of the last load */
	void (*removed)(void *ctx,
			const char *error); /* to be called by the test; NULL: nothing is */
	void *removed_ctx;
	bool frozen;              /* whoever writes now is dead already */
	struct fake_trace *trace; /* borrowed; NULL: none */
	unsigned saves;
	bool save_failed;       /* the last time: what is on disk is old */
	int packages_out;       /* what verdicts brought, and nobody has kept or discarded */
	bool same_declarations; /* they never change: what is kept is what was declared */
	const struct tds_rights *narrowed; /* what may.cfg leaves a group */
	const char *prunes;                /* the path that the next prune deletes; NULL: none */
	/* faults */
	bool fail_save;
	bool fail_groups;
	bool fail_desired;
	bool fail_data;
	bool fail_floors;
	bool damaged; /* desired.json cannot be read */
	bool damaged_floors;
	bool fail_verify;
	bool fail_open; /* a stored package, for want of a descriptor */
	bool fail_keep;
	bool fail_audit; /* of what may be refused for it */
	bool fail_prune;
	bool fail_list;
	bool changed; /* files are not what they were: no verdict of before holds */
};

void fake_means_init(struct fake_means *means);
void fake_means_fini(struct fake_means *means);

struct fake_package *fake_package(struct fake_means *means, unsigned number, const char *group,
				  const char *file);
void fake_declare(struct fake_means *means, const char *group, const char *text);

/* The oldest that is under way, of this package; NULL: none. */
struct verification *fake_verification(const struct fake_means *means, unsigned number);

/* status 0: a key validates it; FAKE_NONE: the verifier ended without a verdict. */
#define FAKE_NONE (-1)
void fake_verdict(struct verification *verification, int status, const char *error);

/* What a crash left in the store goes, where loaded.json does not name it. */
void fake_sweep(struct fake_means *means);

/* loaded.json as a crash leaves it: "1 2* 3", by number, the active ones marked. Caller frees. */
char *fake_disk(const struct fake_means *means);

#endif
