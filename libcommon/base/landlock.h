/* SPDX-License-Identifier: MIT */
/*
 * Landlock, as far as the kernel has it: rules for a process that it puts on itself and never gets rid of. Which rules are
 * wanted, and why, is the caller's.
 */
#ifndef TDS_LANDLOCK_H
#define TDS_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Rights on files, as the kernel has them. */
#define TDS_LANDLOCK_EXECUTE (UINT64_C(1) << 0)
#define TDS_LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define TDS_LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define TDS_LANDLOCK_READ_DIR (UINT64_C(1) << 3)
#define TDS_LANDLOCK_REMOVE_DIR (UINT64_C(1) << 4)
#define TDS_LANDLOCK_REMOVE_FILE (UINT64_C(1) << 5)
#define TDS_LANDLOCK_MAKE_CHAR (UINT64_C(1) << 6)
#define TDS_LANDLOCK_MAKE_DIR (UINT64_C(1) << 7)
#define TDS_LANDLOCK_MAKE_BLOCK (UINT64_C(1) << 11)
#define TDS_LANDLOCK_REFER (UINT64_C(1) << 13)
#define TDS_LANDLOCK_TRUNCATE (UINT64_C(1) << 14)
/* On TCP ports. */
#define TDS_LANDLOCK_BIND (UINT64_C(1) << 0)
#define TDS_LANDLOCK_CONNECT (UINT64_C(1) << 1)

/* The version from which on a kernel holds what is named. */
enum {
	TDS_LANDLOCK_FILES = 1,
	TDS_LANDLOCK_HOLDS_REFER = 2, /* before it nothing is moved to another folder at all */
	TDS_LANDLOCK_HOLDS_TRUNCATE = 3,
	TDS_LANDLOCK_HOLDS_TCP = 4,
	TDS_LANDLOCK_HOLDS_SIGNALS = 6,
};

/* The version that the kernel has, 0: none. TDS_LANDLOCK_ABI=N in the environment lowers it, for tests. */
int tds_landlock_abi(void);

/* All rights on files that this version knows. */
uint64_t tds_landlock_rights(int abi);

/*
 * A set of rules in which nothing is allowed of what this version holds: files; of TCP what tcp names; abstract sockets and
 * signals to processes outside. Returns a descriptor, -1 with errno.
 */
int tds_landlock_new(int abi, uint64_t tcp);

/*
 * Allow rights below a folder, or on a file, which fd (O_PATH is enough) holds open; what only folders have is left out for
 * a file. False with errno.
 */
bool tds_landlock_allow(int rules, int fd, uint64_t rights);
bool tds_landlock_allow_port(int rules, uint16_t port, uint64_t rights);

/* Be held to the rules, this thread and what it starts, for good. The thread has no_new_privs already. False with errno. */
bool tds_landlock_hold(int rules);

#endif
