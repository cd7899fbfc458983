# SPDX-License-Identifier: MIT
"""What all actors derive from, and the decorator of their classes.

An attached actor has `_myRef`, the host's object for it, and the public methods hand over to that; before
it is attached they raise AttributeError.
"""
import logging
from datetime import timedelta
from typing import Any, Callable, Optional, Union

from tdshost.words import ACTORS
from tdshost.words.address import ActorAddress

__name__ = ACTORS  # what is defined here is that module's: pickles, texts and programs go by it

ThespianGeneration = (3, 10)


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
