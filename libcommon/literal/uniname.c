/* SPDX-License-Identifier: MIT */
/* Unicode names through libunistring. */
#include "uniname.h"

#include <string.h>

#include "unistring.h"

#define NAME_MAX_BYTES 256  /* UNINAME_MAX of its header, <uniname.h> */
#define NO_CHARACTER 0xffff /* UNINAME_INVALID */

/* As <uniname.h> declares it. */
typedef uint32_t name_character_fn(const char *name);

int tds_uniname_find(const char *name, size_t len, uint32_t *c)
{
	name_character_fn *name_character =
		(name_character_fn *)tds_unistring("unicode_name_character");
	char asked[NAME_MAX_BYTES];

	if (!name_character)
		return TDS_E_UNUSABLE;
	if (len >= sizeof(asked))
		return TDS_E_MISSING;
	memcpy(asked, name, len);
	asked[len] = '\0';
	*c = name_character(asked);
	return *c == NO_CHARACTER ? TDS_E_MISSING : TDS_OK;
}
