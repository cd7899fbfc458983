# SPDX-License-Identifier: MIT
"""What actors and programs import: Actor, ActorTypeDispatcher, the messages, addresses and exceptions.

The face of tdshost.words; what is made here besides is the actor system as programs see it.
"""
import inspect
import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Optional, Union

from tdshost.words.actor import Actor, ActorTypeDispatcher, ThespianGeneration, requireCapability
from tdshost.words.address import ActorAddress
from tdshost.words.errors import (ActorSystemException, ActorSystemFailure, ActorSystemRequestTimeout,
                                  ActorSystemStartupFailure, InvalidActorAddress, InvalidActorSourceHash,
                                  InvalidActorSpecification, NoCompatibleSystemForActor)
from tdshost.words.messages import (ActorExitRequest, ActorSystemConventionUpdate, ActorSystemMessage,
                                    ChildActorExited, DeadEnvelope, LoadedSource, PoisonMessage,
                                    ThespianWatch, UnloadedSource, ValidatedSource, ValidateSource,
                                    WakeupMessage, WatchMessage)
from thespian.system.messages.status import (Thespian_ActorStatus, Thespian_StatusReq,
                                             Thespian_SystemStatus)

# `from thespian.actors import *` also gives these three modules' names, which programs lean on.
__all__ = [
    'contextmanager', 'inspect', 'logging', 'ThespianGeneration',
    'ActorSystemException', 'InvalidActorAddress', 'ActorSystemFailure', 'ActorSystemStartupFailure',
    'ActorSystemRequestTimeout', 'NoCompatibleSystemForActor', 'InvalidActorSourceHash',
    'InvalidActorSpecification', 'ActorAddress', 'Actor', 'ActorTypeDispatcher', 'ActorSystemMessage',
    'ActorSystemConventionUpdate', 'LoadedSource', 'UnloadedSource', 'ActorExitRequest',
    'ChildActorExited', 'PoisonMessage', 'WakeupMessage', 'ThespianWatch', 'WatchMessage',
    'DeadEnvelope', 'ValidateSource', 'ValidatedSource', 'ActorSystem', 'ExternalContext',
    'requireCapability', 'Thespian_StatusReq', 'Thespian_SystemStatus', 'Thespian_ActorStatus',
]


class _Outside:
    """What a program may ask for at one address of its own."""

    _system: Any
    _own: Any = None

    def _endpoint(self) -> Any:
        return self._own if self._own is not None else self._system.main_endpoint()

    def createActor(self, actorClass: Union[type, str], targetActorRequirements: Any = None,
                    globalName: Optional[str] = None, sourceHash: Optional[str] = None) -> ActorAddress:
        """Create an actor, and return its address when it is up, or when its constructor failed.

        Errors:  ImportError, InvalidActorSpecification, NoCompatibleSystemForActor,
                 InvalidActorSourceHash, ActorSystemFailure, ActorSystemRequestTimeout.
        """
        return self._system.create(self._endpoint(), actorClass, targetActorRequirements, globalName,
                                   sourceHash)

    def tell(self, actorAddr: ActorAddress, msg: Any) -> None:
        """Send a message. Errors: ValueError for no address; what pickling raises; ActorSystemFailure."""
        self._endpoint().tell(actorAddr, msg)

    def ask(self, actorAddr: ActorAddress, msg: Any,
            timeout: Union[timedelta, int, float, None] = None) -> Any:
        """Send a message and wait for the next one that comes, from whomever. Errors: as tell.

        Shape:   None where time is over or the actor is dead; timeout None: no limit.
        """
        return self._endpoint().ask(actorAddr, msg, timeout)

    def listen(self, timeout: Union[timedelta, int, float, None] = None) -> Any:
        """The next message, or None where time is over."""
        return self._endpoint().listen(timeout)

    def updateCapability(self, capabilityName: str, capabilityValue: Any = None) -> None:
        """Set a capability of the system, or remove it (None). Returns when it is on its way."""
        self._system.update_capability(self._endpoint(), capabilityName, capabilityValue)

    def loadActorSource(self, fname: Any) -> str:
        """Load a source, by path or readable object, and return its hash at once."""
        return self._system.load_source(self._endpoint(), fname)

    def unloadActorSource(self, sourceHash: str) -> None:
        """Let no new actors be made from a source."""
        self._system.unload_source(self._endpoint(), sourceHash)


class ExternalContext(_Outside):
    """An address of its own within a program, for a thread say: no answers meant for another come here."""

    def __init__(self, system: Any) -> None:
        self._system = system
        self._own = system.join()

    def exit_context(self) -> None:
        """End it."""
        self._own.close()


class ActorSystem(_Outside):
    """The actor system as programs see it, started if it does not run yet.

    Source:  systemBase: its name, an ActorSystemBase, or None.
    Shape:   capabilities and logDefs count for the one that starts it. It is within the program for
             simpleSystemBase, and for no base where THESPIAN_DIRECTOR_DIR is not set; else that of the
             director directory; else the program's own for multiprocQueueBase, and shared by Admin Port.
    Errors:  ImportError for an unknown systemBase; ActorSystemStartupFailure; InvalidActorAddress where
             another one there does not end.
    """

    def __init__(self, systemBase: Any = None, capabilities: Optional[dict] = None,
                 logDefs: Any = None, transientUnique: bool = False) -> None:
        from tdshost.program.opening import open_system  # actors import this file, and have no use for that one
        self._system = open_system(systemBase, capabilities, logDefs, transientUnique)

    @property
    def systemAddress(self) -> ActorAddress:
        """The address of the system itself, which can be asked for its status."""
        return ActorAddress('0.0')

    @property
    def capabilities(self) -> dict:
        """The capabilities of the system, as the program found it, and what it has changed since."""
        return self._system.capabilities

    @contextmanager
    def private(self) -> Any:
        """A context with an address of its own."""
        context = ExternalContext(self._system)
        try:
            yield context
        finally:
            context.exit_context()

    def shutdown(self) -> None:
        """End the system and all its actors; the object is of no use afterwards."""
        self._system.shutdown()

    def systemUpdate(self, *args: Any) -> None:
        """Nothing: what tests of Thespian itself use."""
