/* SPDX-License-Identifier: MIT */
/*
 * Characters by their Unicode names. The names are libunistring's, which is loaded at the first
 * question only.
 */
#ifndef TDS_UNINAME_H
#define TDS_UNINAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The character of a name, in any case ("bullet"). Aliases ("LINE FEED") and CJK ideographs are
 * not known.
 * Errors: TDS_E_MISSING (no such name), TDS_E_UNUSABLE (libunistring is not installed).
 */
int tds_uniname_find(const char *name, size_t len, uint32_t *c) TDS_MUST_CHECK;

#endif
