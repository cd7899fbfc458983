/* SPDX-License-Identifier: MIT */
/* "~" and "$NAME" in paths, as Python's os.path.expanduser and os.path.expandvars read them. */
#ifndef TDS_EXPAND_H
#define TDS_EXPAND_H

/*
 * Replace "~" or "~USER" at the beginning, up to the first slash, by the home folder ($HOME first, for "~");
 * an unknown user stays. Owner: caller frees. NULL: out of memory.
 */
char *tds_expand_user(const char *path);

/*
 * Replace $NAME and ${NAME} by the environment's value, once; unknown ones stay. Owner: caller frees. NULL: out
 * of memory.
 */
char *tds_expand_vars(const char *path);

#endif
