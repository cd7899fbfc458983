/* SPDX-License-Identifier: MIT */
/*
 * Removing a folder that somebody else has filled: with links, folders without rights, other file systems below it, and as
 * deep as it likes.
 */
#ifndef TDS_TREE_H
#define TDS_TREE_H

#include "err.h"

/*
 * Remove a folder and all that is in it.
 * Source:  name is a plain name in dirfd; what is in it is hostile, and may change meanwhile. No link is followed, and nothing
 *          that is not in the folder, or on another file system, is touched.
 * Errors:  TDS_E_MISSING: there is no folder of the name; TDS_E_WRITE: something of it is left, the reason naming the first
 *          such thing.
 */
int tds_tree_remove(int dirfd, const char *name, struct tds_err *err) TDS_MUST_CHECK;

#endif
