/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* getrandom fails for so few bytes only where the kernel has none to give, and then nothing can be promised. */
void random_fill(void *data, size_t len)
{
	ssize_t n;

	do
		n = getrandom(data, len, 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len)
		abort();
}

void reference_new(char ref[REFERENCE_SIZE])
{
	uint64_t bits[2];

	random_fill(bits, sizeof(bits));
	(void)snprintf(ref, REFERENCE_SIZE, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
}
