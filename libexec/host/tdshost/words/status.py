# SPDX-License-Identifier: MIT
"""Status of an actor or of the system: the request, the two answers, and their text form.

An answer is a plain object; its public attributes are what programs read.
"""
from typing import Any, Callable, List, Optional, TextIO, Tuple

from tdshost.words.messages import ActorSystemMessage

__name__ = 'thespian.system.messages.status'  # what is defined here is that module's


class Thespian_StatusReq(ActorSystemMessage):
    """Asks an actor, or the system, for its status. The actor's own code never sees it."""


class _Status(ActorSystemMessage):
    """What both answers have in common. Lists hold (from, to, text) and (address, timer) tuples."""

    def __init__(self) -> None:
        self.pendingMessages: List[Tuple[Any, Any, str]] = []
        self.receivedMessages: List[Tuple[Any, Any, str]] = []
        self.pendingWakeups: List[Tuple[Any, Any]] = []
        self.childActors: List[Any] = []
        self.miscKeyVals: dict = {}
        self.governer: Any = None

    def addChild(self, childAddress: Any) -> None:
        self.childActors.append(childAddress)

    def addPendingMessage(self, fromActor: Any, toActor: Any, msgstr: Any) -> None:
        self.pendingMessages.append((fromActor, toActor, str(msgstr)))

    def addReceivedMessage(self, fromActor: Any, toActor: Any, msgstr: Any) -> None:
        self.receivedMessages.append((fromActor, toActor, str(msgstr)))

    def addWakeups(self, wakeups: List[Tuple[Any, Any]]) -> None:
        self.pendingWakeups.extend(wakeups)

    def addKeyVal(self, key: Any, value: Any) -> None:
        self.miscKeyVals[key] = value


class Thespian_ActorStatus(_Status):
    """The status of one actor."""

    def __init__(self, address: Any, actorClass: Any, adminAddress: Any, parentAddress: Any = None,
                 sourceHash: Optional[str] = None, exiting: Any = None) -> None:
        super().__init__()
        self.actorAddress = address
        self.actorClass = str(actorClass)
        self.adminAddress = adminAddress
        self.parentAddress = parentAddress
        self.sourceHash = sourceHash
        self.exiting = exiting


class Thespian_SystemStatus(_Status):
    """The status of the actor system. loadedSources holds (hash, info); globalActors name: address."""

    def __init__(self, address: Any, conventionLeader: Any = None, capabilities: Optional[dict] = None,
                 inShutdown: bool = False) -> None:
        super().__init__()
        self.adminAddress = address
        self.conventionLeader = conventionLeader
        self.conventionRegisterTime: Any = None
        self.conventionAttendees: List[Tuple[Any, Any]] = []
        self.capabilities = {} if capabilities is None else capabilities
        self.inShutdown = inShutdown
        self.loadedSources: List[Tuple[str, str]] = []
        self.sourceAuthority: Any = None
        self.globalActors: dict = {}
        self.deadLetterHandler: Any = None
        self.deadLetterAddresses: List[Any] = []
        self.notifyAddresses: List[Any] = []


def formatStatus(response: Any, showAddress: Callable[[Any], str] = str,
                 tofd: Optional[TextIO] = None) -> None:
    """Write the text of a status answer to tofd, or to standard output."""
    if isinstance(response, Thespian_SystemStatus):
        lines = _system_lines(response, showAddress)
    elif isinstance(response, Thespian_ActorStatus):
        lines = _actor_lines(response, showAddress)
    else:
        lines = ['No status: %s' % (response,)]
    if isinstance(response, _Status):
        lines += _common_lines(response, showAddress)
    print('\n'.join(lines), file=tofd)


def _system_lines(status: Thespian_SystemStatus, show: Callable[[Any], str]) -> List[str]:
    lines = ['Actor system %s%s' % (show(status.adminAddress),
                                    ', shutting down' if status.inShutdown else '')]
    lines += ['  Capability %s: %r' % (name, status.capabilities[name])
              for name in sorted(status.capabilities, key=str)]
    lines += ['  Global actor %s: %s' % (name, show(address))
              for name, address in status.globalActors.items()]
    lines += ['  Loaded source %s: %s' % tuple(source[:2]) for source in status.loadedSources]
    for title, address in (('Source authority', status.sourceAuthority),
                           ('Dead letter handler', status.deadLetterHandler)):
        lines.append('  %s: %s' % (title, 'none' if address is None else show(address)))
    return lines


def _actor_lines(status: Thespian_ActorStatus, show: Callable[[Any], str]) -> List[str]:
    parent = 'none' if status.parentAddress is None else show(status.parentAddress)
    return ['Actor %s%s' % (show(status.actorAddress), ', exiting' if status.exiting else ''),
            '  Class: %s' % status.actorClass,
            '  Source: %s' % (status.sourceHash or 'none'),
            '  Parent: %s' % parent]


def _common_lines(status: _Status, show: Callable[[Any], str]) -> List[str]:
    lines = ['  Child: %s' % show(child) for child in status.childActors]
    for title, messages in (('Pending', status.pendingMessages), ('Received', status.receivedMessages)):
        lines += ['  %s: %s to %s: %s' % (title, show(sender), show(target), text)
                  for sender, target, text in messages]
    lines += ['  Wakeup for %s: %s' % (show(address), timer) for address, timer in status.pendingWakeups]
    lines += ['  %s: %s' % item for item in status.miscKeyVals.items()]
    return lines
