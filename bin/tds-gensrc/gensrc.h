/* SPDX-License-Identifier: MIT */
/* What the files of tds-gensrc share: its options, the members of the package, the Python that is asked. */
#ifndef TDS_GENSRC_H
#define TDS_GENSRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/dir.h"
#include "package/package.h"
#include "package/sig.h"
#include "tool/cli.h"

/*
 * Functions here that take struct opts report their failures themselves and return whether all went well; those
 * that take a struct tds_err leave that to the caller.
 */
struct opts {
	struct tds_cli cli;
	const char *group;
	const char *keyfile;
	const char *srcdir;
	const char *version; /* NULL: none */
	const char *deps;    /* files named by options; NULL: not given */
	const char *tli;
	const char *output;
	const char *names_from;
	const char *passphrase_file;
	const char *signer; /* the command that signs; NULL: the key in keyfile does */
	const char *python;
	enum tds_format format; /* where nobody asks for one, the key decides */
	bool format_given;
	bool check;
	time_t newest;            /* no member is younger: SOURCE_DATE_EPOCH */
	struct tds_names sources; /* the SOURCEs, those of -T too */
	int srcfd;                /* SRCDIR */
	char date[16];            /* the version that "date" stands for */
};

/* options.c: what is asked for */

/* Returns whether there is something to do. */
bool parse_opts(struct opts *o, int argc, char **argv);

/* Which of the Director's options (version: ...) an operand looks like, counted from 0; -1: none. */
int find_operand_option(const char *operand);

/* report.c: how it ended */

/* Report a failure, or a usage error. They return false. */
bool fail(struct opts *o, const char *subject, const struct tds_err *err);
bool fail_nomem(struct opts *o);
bool misuse(struct opts *o, const char *fmt, ...) TDS_PRINTF(2, 3);

/* srcdir.c: paths below SRCDIR */

/* SRCDIR/PATH, for messages. NULL: out of memory. Caller frees. */
char *below_srcdir(const struct opts *o, const char *path);

/* A path as the Director reads it: SRCDIR cut off, then expanded. NULL: out of memory. Caller frees. */
char *clean_path(const struct opts *o, const char *path);

/*
 * Read a file that deps: or tli: names: relative to the current folder or, where it is not there, as the Director
 * does it, relative to SRCDIR. Caller frees *text and *shown, which is where it was found.
 */
int read_named_file(const struct opts *o, const char *name, size_t max, char **text, size_t *len,
		    char **shown, struct tds_err *err);

/* members.c: the members of the package */

struct member {
	char *name;  /* in the archive */
	char *path;  /* relative to SRCDIR, or absolute */
	char *shown; /* as the user would open it */
};

struct members {
	struct member *v; /* sorted by name, each name once */
	size_t n;
	size_t room;
};

/* Takes name, path and shown over; NULL among them is out of memory, which is reported. */
bool members_add(struct opts *o, struct members *members, char *name, char *path, char *shown);

/* Sort by name, refuse two files of one name, and keep one where several names are of the same file. */
bool members_unify(struct opts *o, struct members *members);

/* Refuse a name, or a pattern of names, below TDS-INF/. */
bool check_not_inf(struct opts *o, const char *name, const char *shown);

/* Refuse the names that no reader takes: those libcommon knows, and a file with others below it. */
bool members_check(struct opts *o, const struct members *members);
void members_fini(struct members *members);

/* collect.c: find what the SOURCEs match and what the deps file names */
bool collect_members(struct opts *o, struct members *members);

/* deps.c: the packages and modules that a deps file names */
bool collect_deps(struct opts *o, struct members *members);

/* dists.c: what distributions have besides code */

struct search_path;

/*
 * Add the data of the distributions that give the module called top, as far as they are below folder, which is packed by
 * its own name, and their metadata. folder NULL: the module is a file in parent.
 */
bool add_data(struct opts *o, struct search_path *path, const char *top, const char *parent,
	      const char *folder, struct members *members);

/* Is a file a compiled library, by its name? Say that it is not packed. */
bool ends_in_so(const char *name);
void warn_of_library(struct opts *o, const char *path);

/* The distribution that has this name, where no module has it; NULL: none. */
const struct dist *find_dist(const struct search_path *path, const char *name);

/* python.c: the Python that is asked */

extern const char python_script[]; /* script.c */

/* A distribution, as its record has it. */
struct dist {
	const char *folder;      /* where its files are */
	struct tds_names called; /* names in the deps file that are its own */
	struct tds_names module; /* its top modules */
	bool named;              /* its libraries beside its modules were named in a warning */
	struct tds_names file;   /* below folder: its data, compiled libraries and metadata */
};

/* Where a Python looks for modules. */
struct search_path {
	struct tds_buf text;     /* which the names are in */
	struct tds_names suffix; /* file name suffixes of extension modules */
	struct tds_names folder;
	struct dist *dist; /* those that the deps file means, by a module's or by their own name */
	size_t ndist;
};

/* names: those in the deps file, each ended by NUL. */
int python_ask_path(const struct opts *o, const struct tds_buf *names, struct search_path *path,
		    struct tds_err *err);
void search_path_fini(struct search_path *path);

/* A source that does not compile. */
struct fault {
	size_t member;
	unsigned line; /* 0: no place */
	unsigned column;
	char *text;
};

/* A Python that compiles what it is fed, while we go on. */
struct checker {
	const char *program;
	pid_t pid; /* 0: none */
	int fd;
	bool ready;             /* it has said so */
	struct tds_buf answers; /* the beginning of the next one */
	size_t *asked;          /* members, in the order in which they were fed */
	size_t nasked;
	size_t room;
	size_t nanswered;
	struct fault *faults;
	size_t nfaults;
};
#define CHECKER_NONE ((struct checker){ .fd = -1 })

/*
 * Start it; feed it sources; wait for its last answer.
 * Errors: TDS_E_UNUSABLE: there is no such program, or it is no Python of use; TDS_E_REFUSED: it died over member
 *         asked[nanswered].
 */
int checker_start(const struct opts *o, struct checker *c, struct tds_err *err);
int checker_feed(struct checker *c, size_t member, const void *source, size_t len,
		 struct tds_err *err);
int checker_finish(struct checker *c, struct tds_err *err);
void checker_fini(struct checker *c);

/* key.c: the private key */

/* Read it, asking for its passphrase where it has one. From here on this process leaves no core behind. */
bool read_key(struct opts *o, struct tds_privkey **key);

/* sign.c: who signs */

struct signer {
	struct tds_privkey *key; /* NULL: the command has it */
	struct tds_pubkey *pub;
};

/* The key in KEYFILE; it decides the format, or must fit the one that is asked for. Caller closes in any case. */
bool signer_open(struct opts *o, struct signer *signer);
void signer_close(struct signer *signer); /* also a zeroed one */

struct archive_bytes;
struct signature {
	unsigned char bytes[TDS_SIG_MAX];
	size_t len;
};

/* Sign it, and see that the public half validates that: nothing is written before. */
bool sign_archive(struct opts *o, const struct signer *signer, const struct archive_bytes *archive,
		  struct signature *sig);

/* pack.c: the archive, and the package around it */

struct archive_bytes {
	unsigned char *zip; /* owned */
	size_t len;
	size_t end; /* offset of the end record */
};

bool ends_in_py(const char *name);

struct place;

/* Read each member once; those bytes are checked and packed, and behind them the declaration. */
bool pack_members(struct opts *o, const struct members *members, const struct place *place,
		  struct archive_bytes *archive);

/* What a package is on disk. */
struct verified {
	uint64_t size;
	unsigned char md5[TDS_MD5_LEN];
	unsigned char sha256[TDS_SHA256_LEN];
};

/* Read the package back from fd and verify it, under its name, with the public half of the key. */
int verify_package(const struct opts *o, int fd, const char *name, const struct tds_pubkey *key,
		   struct verified *verified, struct tds_err *err);

/* place.c: where the package goes */

struct place {
	struct tds_dir director; /* fd -1: it is not there, and not needed */
	struct tds_dir other;    /* the folder of -o; fd -1: none */
	char *name;              /* GROUP-VERSION.tls */
	char *path;              /* the same, as it is printed */
	char *tli_name;          /* GROUP.tli */
	char *tli;               /* the declaration's text; NULL: there is none */
	size_t tli_len;
	bool installs_tli; /* in the director directory */
	bool packs_tli;    /* into the package */
	bool declared; /* the package has its group where it goes, or goes where there are none */
};
#define PLACE_NONE ((struct place){ .director = { .fd = -1 }, .other = { .fd = -1 } })

/*
 * Open SRCDIR, the director directory and the folder of -o, find out what the files are called there, and clear
 * away what a crash has left.
 */
bool open_places(struct opts *o, struct place *place);

/* Read and check the declaration that is to be installed or packed, if there is one. */
bool read_tli(struct opts *o, struct place *place);

/*
 * Refuse a name that would belong to another group, now that it is known whether GROUP.tli is installed.
 */
bool check_owner(struct opts *o, struct place *place);

/*
 * Write the package beside its place and verify it there, and the declaration beside its own; then give both their
 * names, the declaration first. Where one cannot be written neither changes.
 */
bool write_files(struct opts *o, const struct place *place, const struct archive_bytes *archive,
		 const struct signature *sig, const struct tds_pubkey *key,
		 struct verified *verified);

void place_fini(struct place *place);

/* Print that the package is written. */
void report_package(struct opts *o, const struct place *place, size_t members,
		    const struct verified *verified);

#endif
