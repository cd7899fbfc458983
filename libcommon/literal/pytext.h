/* SPDX-License-Identifier: MIT */
/*
 * Text as Python's str.strip() and int() read it; the Director reads its configuration with them.
 */
#ifndef TDS_PYTEXT_H
#define TDS_PYTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the character at text where Python's str.strip cuts it off, else 0. text ends in NUL. */
size_t tds_pytext_blank(const char *text);

/* The digit that begins at *p in any script, or -1; *p moves behind it. */
int tds_pytext_digit(const char **p, const char *end);

/*
 * Where text, UTF-8 with a NUL behind it, begins without the blanks at both ends; *len becomes its
 * length.
 */
const char *tds_pytext_strip(const char *text, size_t *len);

/*
 * The int that int() reads: blanks around it, a sign, underscores between digits, digits of any
 * script. One beyond 64 bits is the nearest that fits. text as above. false: it is none.
 */
bool tds_pytext_int(const char *text, size_t len, int64_t *value);

#endif
