# SPDX-License-Identifier: MIT
"""What actors and programs import: Actor, ActorTypeDispatcher, the messages, addresses and exceptions.

Nothing here knows how actors run. An attached actor has `_myRef`, the host's object for it, and the
public methods hand over to that; before it is attached they raise AttributeError.
"""
import inspect
import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Callable, Iterable, Optional, Union

from thespian.system.messages import ActorSystemMessage
from thespian.system.messages.status import (Thespian_ActorStatus, Thespian_StatusReq,
                                             Thespian_SystemStatus)

ThespianGeneration = (3, 10)

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


# --- exceptions ---------------------------------------------------------------------------------

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


# --- addresses ----------------------------------------------------------------------------------

class ActorAddress:
    """Names one actor. Comparable, picklable, not hashable; programs get them, never make them.

    Shape:  the details are the text "REALM.ID", in which ID alone already is unique.
    """

    __slots__ = ('_details',)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, aaddr: Any) -> None:
        self._details = aaddr

    @property
    def addressDetails(self) -> Any:
        """What the address was made of."""
        return self._details

    @property
    def actorAddressString(self) -> str:
        """The details as text."""
        return self._details if isinstance(self._details, str) else str(self._details)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ActorAddress) and self._details == other._details

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __str__(self) -> str:
        return 'ActorAddr-%s' % ('/ActorSys' if self._details == '0.0' else self._details,)

    __repr__ = __str__

    def __reduce__(self) -> tuple:
        return ActorAddress, (self._details,)


# --- messages -----------------------------------------------------------------------------------

class _ByFields(ActorSystemMessage):
    """A message that equals another of its class with the same fields; not hashable."""

    __hash__ = None  # type: ignore[assignment]
    _compared: Optional[str] = None  # the one attribute that is compared, or None for all of them

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, type(self)):
            return False
        if self._compared:
            return getattr(self, self._compared) == getattr(other, self._compared)
        return self.__dict__ == other.__dict__

    def __ne__(self, other: Any) -> bool:
        return not self == other


class ActorSystemConventionUpdate(_ByFields):
    """Another actor system came or went."""

    def __init__(self, adminAddress: Any, capabilities: Optional[dict] = None, added: bool = True) -> None:
        self.remoteAdminAddress = adminAddress
        self.remoteCapabilities = {} if capabilities is None else capabilities
        self.remoteAdded = added

    def __str__(self) -> str:
        return ('ActorSystemConventionUpdate(remoteAdminAddress=%s, remoteAdded=%s, remoteCapabilities=%s)'
                % (self.remoteAdminAddress, self.remoteAdded, self.remoteCapabilities))


class _SourceChange(ActorSystemMessage):
    """A source was loaded or unloaded. Two are equal if their texts are."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, sourceHash: str, sourceInfo: Any) -> None:
        self.sourceHash = sourceHash
        self.sourceInfo = sourceInfo

    def __str__(self) -> str:
        return '%s(sourceHash=%s, sourceInfo=%s)' % (type(self).__name__, self.sourceHash, self.sourceInfo)

    def __eq__(self, other: Any) -> bool:
        return str(self) == str(other)

    def __ne__(self, other: Any) -> bool:
        return not self == other


class LoadedSource(_SourceChange):
    """A source can now be used."""


class UnloadedSource(_SourceChange):
    """A source can no longer be used."""


class ActorExitRequest(ActorSystemMessage):
    """Tells an actor to exit, and its children unless not recursive. All are equal."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, recursive: bool = True) -> None:
        self._recursive = recursive

    @property
    def isRecursive(self) -> bool:
        """Whether the children are to exit too."""
        return self._recursive

    def notRecursive(self) -> None:
        """Leave the children alive."""
        self._recursive = False

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ActorExitRequest)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __str__(self) -> str:
        return 'ActorExitRequest'


class ChildActorExited(_ByFields):
    """A child of the receiver is gone, or never came up."""

    def __init__(self, exitedChildAddress: Any) -> None:
        self.childAddress = exitedChildAddress

    def __str__(self) -> str:
        return 'ChildActorExited:%s' % (self.childAddress,)


class PoisonMessage(_ByFields):
    """A message that its receiver failed on, or that could not be sent, back at its sender."""

    _compared = 'poisonMessage'

    def __init__(self, poison: Any, details: Optional[str] = None) -> None:
        self.poisonMessage = poison
        self.details = details

    def __str__(self) -> str:
        return 'Poison<%s>%s' % (self.poisonMessage, '' if self.details is None else ': %s' % self.details)


class WakeupMessage(_ByFields):
    """The time asked for with wakeupAfter has passed."""

    def __init__(self, delayPeriod: Union[timedelta, int, float, None], payload: Any = None) -> None:
        self.delayPeriod = delayPeriod
        self.payload = payload

    def __str__(self) -> str:
        return 'WakeupMessage(%s, %s)' % (self.delayPeriod, self.payload)


class ThespianWatch:
    """Returned from receiveMessage: tell me when one of these can be read. Not a message."""

    def __init__(self, filenos: Iterable[Any]) -> None:
        self.filenos = filenos


class WatchMessage(_ByFields):
    """Those of the watched that can be read, or are at their end."""

    def __init__(self, ready: list) -> None:
        self.ready = ready


class DeadEnvelope(_ByFields):
    """A message whose target is dead, for the one actor that handles dead letters."""

    def __init__(self, origTgt: Any, origMsg: Any) -> None:
        self.deadAddress = origTgt
        self.deadMessage = origMsg

    def __str__(self) -> str:
        return 'DeadEnvelope(%s)->%s' % (self.deadMessage, self.deadAddress)


class ValidateSource(_ByFields):
    """To the source authority: is this source to be believed, and what is in it?"""

    _compared = 'sourceHash'

    def __init__(self, sourceHash: str, sourceData: bytes, sourceInfo: Any = None) -> None:
        self.sourceHash = sourceHash
        self.sourceData = sourceData
        self.sourceInfo = sourceInfo


class ValidatedSource(_ByFields):
    """The source authority's answer; sourceZip None or empty: refused."""

    _compared = 'sourceHash'

    def __init__(self, sourceHash: str, sourceZip: Optional[bytes], sourceInfo: Any = None) -> None:
        self.sourceHash = sourceHash
        self.sourceZip = sourceZip
        self.sourceInfo = sourceInfo


# --- actors -------------------------------------------------------------------------------------

class Actor:
    """Base of all actors. A subclass defines receiveMessage; the host calls it, one message at a time."""

    def receiveMessage(self, msg: Any, sender: ActorAddress) -> Any:
        """Handle one message. What it returns is ignored, unless it is a ThespianWatch."""
        raise AssertionError('%s does not define receiveMessage' % type(self).__name__)

    @staticmethod
    def actorSystemCapabilityCheck(capabilities: dict, requirements: Optional[dict]) -> bool:
        """Whether an actor of this class can live in a system of these capabilities."""
        return True

    def __str__(self) -> str:
        try:
            return '{A:%s @ %s}' % (type(self).__name__, self.myAddress)
        except AttributeError:
            return '{A:%s}' % type(self).__name__

    @property
    def myAddress(self) -> ActorAddress:
        """The address of this actor."""
        return self._myRef.address

    @property
    def globalName(self) -> Optional[str]:
        """The global name it was created with, or None."""
        return self._myRef.global_name

    def createActor(self, actorClass: Union[type, str], targetActorRequirements: Any = None,
                    globalName: Optional[str] = None, sourceHash: Optional[str] = None) -> ActorAddress:
        """Create an actor and return its address at once; failure comes as ChildActorExited."""
        return self._myRef.create_actor(actorClass, targetActorRequirements, globalName, sourceHash)

    def send(self, targetAddr: ActorAddress, msg: Any) -> None:
        """Send a message. Errors: InvalidActorAddress; all else comes back as PoisonMessage."""
        self._myRef.send(targetAddr, msg)

    def wakeupAfter(self, timePeriod: Union[timedelta, int, float, None], payload: Any = None) -> None:
        """Ask for a WakeupMessage after timePeriod (timedelta or seconds; None: never)."""
        self._myRef.wakeup_after(timePeriod, payload)

    def handleDeadLetters(self, startHandling: bool = True) -> None:
        """Become, or cease to be, the one handler of dead letters."""
        self._myRef.handle_dead_letters(startHandling)

    def registerSourceAuthority(self) -> None:
        """Become the one actor that is asked to validate sources."""
        self._myRef.register_source_authority()

    def loadActorSource(self, fname: Any) -> str:
        """Load a source, by path or readable object, and return its hash at once."""
        return self._myRef.load_actor_source(fname)

    def unloadActorSource(self, sourceHash: str) -> None:
        """Let no new actors be made from a source."""
        self._myRef.unload_actor_source(sourceHash)

    def notifyOnSourceAvailability(self, enable: bool = True) -> None:
        """Ask for LoadedSource and UnloadedSource messages."""
        self._myRef.notify_on_source_availability(enable)

    def notifyOnSystemRegistrationChanges(self, startHandling: bool = True) -> None:
        """Ask for ActorSystemConventionUpdate messages."""
        self._myRef.notify_on_system_changes(startHandling)

    def updateCapability(self, capabilityName: str, capabilityValue: Any = None) -> None:
        """Set a capability of the system, or remove it (None)."""
        self._myRef.update_capability(capabilityName, capabilityValue)

    def preRegisterRemoteSystem(self, remoteAddress: Any, remoteCapabilities: dict) -> None:
        """Expect another system at an address ("host:port")."""
        self._myRef.pre_register_remote_system(remoteAddress, remoteCapabilities)

    def deRegisterRemoteSystem(self, remoteAddress: Any) -> None:
        """Expect it no longer."""
        self._myRef.de_register_remote_system(remoteAddress)

    def actorSystemShutdown(self) -> None:
        """Ask for the end of the whole system; returns at once."""
        self._myRef.actor_system_shutdown()

    def logger(self, name: Optional[str] = None) -> logging.LoggerAdapter:
        """A logger whose records carry this actor's address as actorAddress."""
        return logging.LoggerAdapter(logging.getLogger(name), {'actorAddress': self.myAddress})


class ActorTypeDispatcher(Actor):
    """An actor with a method for each type of message: receiveMsg_TYPE(msg, sender)."""

    SUPER = 0x53555052  # returned by a handler: not mine, go on with the next base

    def receiveMessage(self, msg: Any, sender: ActorAddress) -> Any:
        """Find the handler by the message's classes, then by the actor's.

        Shape:  for each class of the message, most derived first, each class of the actor that has the
                handler (its own or an inherited one, so one handler may be called more than once) is
                tried until one returns something other than SUPER.
        """
        for kind in type(msg).__mro__:
            name = 'receiveMsg_' + kind.__name__
            if not hasattr(self, name):
                continue
            for level in type(self).__mro__:
                handler = getattr(level, name, None)
                if handler is not None:
                    result = handler(self, msg, sender)
                    if not _is_super(result):
                        return result
        unrecognized = getattr(self, 'receiveUnrecognizedMessage', None)
        return unrecognized(msg, sender) if unrecognized else None


def _is_super(result: Any) -> bool:
    """Whether a handler returned SUPER; only ints are compared, so that no foreign == is called."""
    return type(result) is int and result == ActorTypeDispatcher.SUPER


def requireCapability(cap: str, value: Any = None) -> Callable[[type], type]:
    """Class decorator: the system must have the capability (true, or equal to value where given).

    Shape:  adds to the check that the class has, so decorators and the class's own check all must hold.
    """
    def decorate(cls: type) -> type:
        inner = getattr(cls, 'actorSystemCapabilityCheck', None)

        def check(capabilities: dict, requirements: Optional[dict]) -> bool:
            have = capabilities.get(cap, False)
            if not (have if value is None else have == value):
                return False
            return inner(capabilities, requirements) if inner else True

        cls.actorSystemCapabilityCheck = staticmethod(check)  # type: ignore[attr-defined]
        return cls
    return decorate


# --- outside ------------------------------------------------------------------------------------

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

    Shape:   capabilities and logDefs count for the one that starts it. Without THESPIAN_DIRECTOR_DIR
             it is the program's own for no base, simpleSystemBase and multiprocQueueBase; else
             shared by Admin Port.
    Errors:  ImportError for an unknown systemBase; ActorSystemStartupFailure; InvalidActorAddress where
             another one there does not end.
    """

    def __init__(self, systemBase: Optional[str] = None, capabilities: Optional[dict] = None,
                 logDefs: Any = None, transientUnique: bool = False) -> None:
        from tdshost import outside  # it needs what is defined here
        self._system = outside.open_system(systemBase, capabilities, logDefs, transientUnique)

    @property
    def systemAddress(self) -> ActorAddress:
        """The address of the system itself, which can be asked for its status."""
        return ActorAddress('0.0')

    @property
    def capabilities(self) -> dict:
        """The capabilities of the system, as they were when the program found it."""
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

    def updateCapability(self, capabilityName: str, capabilityValue: Any = None) -> None:
        """Set a capability of the system, or remove it (None). Returns when it is on its way."""
        self._system.update_capability(self._endpoint(), capabilityName, capabilityValue)

    def loadActorSource(self, fname: Any) -> str:
        """Load a source, by path or readable object, and return its hash at once."""
        return self._system.load_source(self._endpoint(), fname)

    def unloadActorSource(self, sourceHash: str) -> None:
        """Let no new actors be made from a source."""
        self._system.unload_source(self._endpoint(), sourceHash)

    def systemUpdate(self, *args: Any) -> None:
        """Nothing: what tests of Thespian itself use."""
