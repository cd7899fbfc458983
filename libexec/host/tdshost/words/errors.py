# SPDX-License-Identifier: MIT
"""The exceptions of the actor system."""
from typing import Any, Optional

from tdshost.words import ACTORS

__name__ = ACTORS  # what is defined here is that module's: pickles, texts and programs go by it


class ActorSystemException(Exception):
    """Base of all that the actor system raises."""


class InvalidActorAddress(ActorSystemException):
    """Something that is no address of an actor was used as one."""

    def __init__(self, addr: Any, desc: str, *args: Any) -> None:
        self.actorAddress = addr
        super().__init__('%s is %s' % (addr, desc), *args)


class ActorSystemFailure(ActorSystemException):
    """A request of a program to the actor system failed."""


class ActorSystemStartupFailure(ActorSystemFailure):
    """The actor system could not be started or reached."""


class ActorSystemRequestTimeout(ActorSystemFailure):
    """The actor system did not do what was asked in time."""


class NoCompatibleSystemForActor(ActorSystemException):
    """The capabilities of no system suit the actor."""

    def __init__(self, actorClass: Any, msg: str, *args: Any) -> None:
        super().__init__('%s for Actor %s' % (msg, actorClass), *args)


class InvalidActorSourceHash(ActorSystemException):
    """The source hash names no loaded source."""

    def __init__(self, badHash: Any) -> None:
        super().__init__('Source hash %s does not match any loaded sources.' % badHash)


class InvalidActorSpecification(ActorSystemException):
    """What should name a class of actors does not."""

    def __init__(self, spec: Any, reason: Optional[str] = None) -> None:
        super().__init__('Invalid Actor Specification: %s%s' % (spec, ' (%s)' % reason if reason else ''))
