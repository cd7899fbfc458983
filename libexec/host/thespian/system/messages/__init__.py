# SPDX-License-Identifier: MIT
"""The base of all messages that the actor system itself sends or understands.

It stands here so that `thespian.actors` and `status` beside this can both be imported first.
"""


class ActorSystemMessage:
    """Base of the system's messages; programs test for it with isinstance and derive from it."""
