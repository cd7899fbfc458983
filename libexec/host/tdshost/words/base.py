# SPDX-License-Identifier: MIT
"""What names the base of an actor system, besides its name."""


class SystemBase:
    """A base of actor systems. It does nothing: which one a system has, ActorSystem is told by the class."""

    name = ''
