# SPDX-License-Identifier: MIT
"""The messages of the actor system, all but those of its status."""
from datetime import timedelta
from typing import Any, Iterable, Optional, Union

from tdshost.words import ACTORS

__name__ = ACTORS  # what is defined here is that module's: pickles, texts and programs go by it


class ActorSystemMessage:
    """Base of the system's messages; programs test for it with isinstance and derive from it."""

    __module__ = 'thespian.system.messages'


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


class UpdateTroupeSettings:
    """To a manager: change these, None or 0 leaves one as it is. The answer has those now in force.

    Errors:  AssertionError for a count below 0, TypeError for what is no number.
    """

    __module__ = 'thespian.troupe'

    def __init__(self, max_count: Optional[int] = None, idle_count: Optional[int] = None) -> None:
        for count in (max_count, idle_count):
            if count and not count > 0:
                raise AssertionError('a troupe cannot have %s workers' % (count,))
        self.max_count = max_count
        self.idle_count = idle_count
