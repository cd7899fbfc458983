/* SPDX-License-Identifier: MIT */
/* The three calls of Landlock. The C library has none of them, and the headers may be older than the kernel. */
#include "landlock.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

#define VERSION_FLAG 1U
#define RULE_PATH 1
#define RULE_PORT 2
#define NEWEST 7 /* that is known here; a later one is taken for it */

#define OF_FILES                                                                   \
	(TDS_LANDLOCK_EXECUTE | TDS_LANDLOCK_WRITE_FILE | TDS_LANDLOCK_READ_FILE | \
	 TDS_LANDLOCK_TRUNCATE)
#define SCOPES 3U /* abstract sockets, signals */

struct ruleset {
	uint64_t files;
	uint64_t tcp;
	uint64_t scopes;
};

struct path_rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t rights;
	uint64_t port;
};

/* How many rights on files a version knows, and how much of the struct. */
static const struct {
	unsigned rights;
	size_t size;
} versions[NEWEST + 1] = {
	[0] = { 0, 0 },   [1] = { 13, 8 }, /* files */
	[2] = { 14, 8 },                   /* linking and renaming between folders */
	[3] = { 15, 8 },                   /* truncating */
	[4] = { 15, 16 },                  /* TCP */
	[5] = { 16, 16 },                  /* ioctl of devices */
	[6] = { 16, 24 },                  /* scopes */
	[7] = { 16, 24 },
};

/* A number that is none lowers nothing. */
static int pretended(int abi)
{
	const char *text = getenv("TDS_LANDLOCK_ABI");
	uint64_t least;

	if (text && tds_parse_uint(text, 1, NEWEST, &least) && !text[1] && (int)least < abi)
		return (int)least;
	return abi;
}

int tds_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);

	return abi < 0 ? 0 : pretended(abi > NEWEST ? NEWEST : (int)abi);
}

uint64_t tds_landlock_rights(int abi)
{
	return (UINT64_C(1) << versions[abi].rights) - 1;
}

int tds_landlock_new(int abi, uint64_t tcp)
{
	const struct ruleset set = { .files = tds_landlock_rights(abi),
				     .tcp = tcp,
				     .scopes = SCOPES };

	return (int)syscall(SYS_landlock_create_ruleset, &set, versions[abi].size, 0);
}

bool tds_landlock_allow(int rules, int fd, uint64_t rights)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	const struct path_rule rule = { S_ISDIR(st.st_mode) ? rights : rights & OF_FILES, fd };
	return syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0) == 0;
}

bool tds_landlock_allow_port(int rules, uint16_t port, uint64_t rights)
{
	const struct port_rule rule = { rights, port };

	return syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0) == 0;
}

bool tds_landlock_hold(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
