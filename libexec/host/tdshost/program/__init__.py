# SPDX-License-Identifier: MIT
"""A user's program: where its system is, its addresses there, and the source process of its own actors."""
