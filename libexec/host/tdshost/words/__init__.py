# SPDX-License-Identifier: MIT
"""What actors and programs say: messages, addresses, exceptions, and the base of actors.

The lowest room: nothing here knows how actors run. What is public has the name of the module of `thespian`
that gives it.
"""

ACTORS = 'thespian.actors'  # one object, so that a pickle that names several classes has it once
