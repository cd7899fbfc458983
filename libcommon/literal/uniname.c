/* SPDX-License-Identifier: MIT */
/*
 * Unicode names through libunistring. Hardly a text asks for one, so no tool is linked to it and
 * none starts slower; it is there on every system that has apt or GnuTLS.
 */
#include "uniname.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define NAME_MAX_BYTES 256  /* UNINAME_MAX of its header, <uniname.h> */
#define NO_CHARACTER 0xffff /* UNINAME_INVALID */

/* As <uniname.h> declares it. */
typedef uint32_t name_character_fn(const char *name);

static name_character_fn *name_character;

static void load(void)
{
	static const char *const sonames[] = { "libunistring.so.5", "libunistring.so.2" };
	void *library = NULL;

	for (size_t i = 0; !library && i < sizeof(sonames) / sizeof(sonames[0]); i++)
		library = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);
	if (library)
		name_character = (name_character_fn *)dlsym(library, "unicode_name_character");
}

int tds_uniname_find(const char *name, size_t len, uint32_t *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char asked[NAME_MAX_BYTES];

	(void)pthread_once(&once, load);
	if (!name_character)
		return TDS_E_UNUSABLE;
	if (len >= sizeof(asked))
		return TDS_E_MISSING;
	memcpy(asked, name, len);
	asked[len] = '\0';
	*c = name_character(asked);
	return *c == NO_CHARACTER ? TDS_E_MISSING : TDS_OK;
}
