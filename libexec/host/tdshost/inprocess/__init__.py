# SPDX-License-Identifier: MIT
"""An actor system within a program, without any process of its own: actors run when the program calls it."""
