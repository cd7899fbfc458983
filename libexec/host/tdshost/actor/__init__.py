# SPDX-License-Identifier: MIT
"""One actor in a process of its own: its links, its queue, its life."""
