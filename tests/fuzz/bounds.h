/* SPDX-License-Identifier: MIT */
/*
 * What one input may cost: the processor's time, and memory at its most. Sanitized programs count what is allocated;
 * others are asked for the most that they ever had.
 */
#ifndef TDS_FUZZ_BOUNDS_H
#define TDS_FUZZ_BOUNDS_H

#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BOUNDS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BOUNDS_SANITIZED 1
#endif

#ifdef BOUNDS_SANITIZED
#define BOUNDS_SLOWER 20 /* a sanitized program is that much slower, at most */

/* As <sanitizer/allocator_interface.h> declares them. */
int __sanitizer_install_malloc_and_free_hooks(void (*made)(const volatile void *, size_t),
					      void (*freed)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static size_t bounds_now;
static size_t bounds_most;

static void bounds_made(const volatile void *p, size_t size)
{
	(void)p;
	bounds_now += size;
	if (bounds_now > bounds_most)
		bounds_most = bounds_now;
}

static void bounds_freed(const volatile void *p)
{
	size_t size = p ? __sanitizer_get_allocated_size(p) : 0;

	bounds_now -= size < bounds_now ? size : bounds_now;
}

/* From here on bounds_bytes tells the most. */
static inline void bounds_begin(void)
{
	static int hooked;

	if (!hooked)
		hooked = __sanitizer_install_malloc_and_free_hooks(bounds_made, bounds_freed);
	bounds_now = bounds_most = 0;
}

static inline size_t bounds_bytes(void)
{
	return bounds_most;
}
#else
#include <stdint.h>
#define BOUNDS_SLOWER \
	(SIZE_MAX >> 16 >> 16 ? 1 : 4) /* what long numbers cost where a word is half as long */

static inline void bounds_begin(void)
{
}

static inline size_t bounds_bytes(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss << 10;
}
#endif

/* The processor's time of this process so far, as if it were not sanitized. */
static inline long bounds_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (now.tv_sec * 1000 + now.tv_nsec / 1000000) / BOUNDS_SLOWER;
}

#endif
