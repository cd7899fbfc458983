# SPDX-License-Identifier: MIT
"""The host's own modules, under a name of their own so that they meet no module of an actor.

Nothing in here is for actors; what actors import is the package `thespian` beside it, a face of these rooms.
From below to above, each knowing only those before it: words, wire, source, actor, forkserver and
inprocess, program.
`logger` is a program of its own.
"""
