# SPDX-License-Identifier: MIT
"""The processes that fork: the fork server, warm source processes, source processes."""
