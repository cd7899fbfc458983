/* SPDX-License-Identifier: MIT */
/* Writing the members of a verified archive into a folder. */
#ifndef TDS_EXTRACT_H
#define TDS_EXTRACT_H

#include "base/err.h"
#include "zip.h"

/*
 * Unpack all members below the folder path, which is made where it is missing, with the folders
 * above it. Files get mode 0644 or 0755, folders 0755. No symbolic link below path is followed, and
 * no existing file is overwritten. What was extracted before an error stays, each file whole.
 * Errors:  TDS_E_WRITE, the reason naming the member; TDS_E_ARCHIVE, TDS_E_NOMEM.
 */
int tds_extract(const struct tds_zip *zip, const char *path, struct tds_err *err) TDS_MUST_CHECK;

#endif
