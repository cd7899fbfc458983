# SPDX-License-Identifier: MIT
"""Orders of those that may not command an actor: actors of another source, and programs of another user.

Their messages are as any other's. But they cannot have it exit, they do not speak for the system, and what they are told
of its state names no other actor.
"""
import logging
import time
from typing import Any, Callable, Dict

from tdshost.actor.reference import Reference
from tdshost.wire import realm
from tdshost.words.address import ActorAddress
from tdshost.words.messages import (ActorExitRequest, ActorSystemConventionUpdate, ChildActorExited, DeadEnvelope,
                                    LoadedSource, UnloadedSource, ValidateSource, WakeupMessage, WatchMessage)
from tdshost.words.status import Thespian_ActorStatus, Thespian_StatusReq, Thespian_SystemStatus

QUIET_S = 60  # after an actor has logged that it drops a message, nothing more is logged of those that it drops

log = logging.getLogger('tds.host')

_told = [-QUIET_S]  # when a dropped message was logged last, by time.monotonic(): a process has one actor


def _exit(actor: Any, message: ActorExitRequest, sender: ActorAddress) -> None:
    """The admin makes a dead letter of the request."""
    actor.link.send_control({'op': 'unheeded', 'from': realm.parse_address(sender.addressDetails)[1],
                             'recursive': bool(message.isRecursive)})


def _status(actor: Any, message: Thespian_StatusReq, sender: ActorAddress) -> None:
    actor.send(sender, Thespian_ActorStatus(actor.address, actor.class_name, actor.system, exiting=actor.exiting))


def _drop(actor: Any, message: Any, sender: ActorAddress) -> None:
    now = time.monotonic()
    if now - _told[0] >= QUIET_S:
        _told[0] = now
        log.warning('a %s from %s is dropped: from another source only the system sends it',
                    type(message).__name__, sender)


_ORDERS: Dict[type, Callable[..., None]] = {ActorExitRequest: _exit, Thespian_StatusReq: _status}
_ORDERS.update((kind, _drop) for kind in (ActorSystemConventionUpdate, ChildActorExited, DeadEnvelope, LoadedSource,
                                          UnloadedSource, ValidateSource, WakeupMessage, WatchMessage,
                                          Thespian_SystemStatus))


def hear(actor: Reference, message: Any, sender: ActorAddress) -> None:
    """Deliver a message of one that may not command the actor, unless it is an order."""
    order = _ORDERS.get(type(message))
    if order is not None:
        order(actor, message, sender)
        return
    actor.commanded = False
    try:
        actor.deliver(message, sender)
    finally:
        actor.commanded = True
