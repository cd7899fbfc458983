/* SPDX-License-Identifier: MIT */
/* What nobody can guess, from the kernel. */
#ifndef TDS_DAEMON_RANDOM_H
#define TDS_DAEMON_RANDOM_H

#include <stddef.h>

#define REFERENCE_SIZE 33 /* 128 bits in hexadecimal, and the NUL */

/* At most 256 bytes, which the kernel gives whole. */
void random_fill(void *data, size_t len);

/* A name for one question, by which its answer is known: told to who is asked, and shown to nobody else. */
void reference_new(char ref[REFERENCE_SIZE]);

#endif
