/* SPDX-License-Identifier: MIT */
/* Little-endian numbers in frames. */
#ifndef TDS_WIRE_H
#define TDS_WIRE_H

#include <stdint.h>

static inline void wire_put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static inline void wire_put64(unsigned char *p, uint64_t v)
{
	wire_put32(p, (uint32_t)v);
	wire_put32(p + 4, (uint32_t)(v >> 32));
}

static inline uint32_t wire_get32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t wire_get64(const unsigned char *p)
{
	return wire_get32(p) | (uint64_t)wire_get32(p + 4) << 32;
}

#endif
