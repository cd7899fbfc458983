/* SPDX-License-Identifier: MIT */
/*
 * What Unicode says of characters is libunistring's. Hardly a text asks for it, so no tool is linked to it and none
 * starts slower; it is there on every system that has apt or GnuTLS.
 */
#include "unistring.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

static void *library;

static void load(void)
{
	static const char *const sonames[] = { "libunistring.so.5", "libunistring.so.2" };

	for (size_t i = 0; !library && i < sizeof(sonames) / sizeof(sonames[0]); i++)
		library = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);
}

void *tds_unistring(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load);
	return library ? dlsym(library, name) : NULL;
}
