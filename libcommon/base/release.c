/* SPDX-License-Identifier: MIT */
/* The version and the protocol of this tds. */
#include "release.h"

const char tds_release_version[] = TDS_VERSION;
const int tds_release_protocol = TDS_PROTOCOL;
