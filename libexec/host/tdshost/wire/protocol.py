# SPDX-License-Identifier: MIT
"""The number of the protocol that this host speaks: that of libcommon/base/release.h, where it is explained."""
PROTOCOL = 1
