# SPDX-License-Identifier: MIT
"""The status of one actor."""
import time

from tdshost.actor.reference import Reference
from tdshost.wire import realm
from tdshost.words.status import Thespian_ActorStatus
from tdshost.words.timing import ExpirationTimer


def actor_status(actor: Reference) -> Thespian_ActorStatus:
    """What an actor answers to one that asks for its status."""
    status = Thespian_ActorStatus(actor.address, actor.class_name, actor.system, actor.parent_address,
                                  actor.source_hash or None, actor.exiting)
    for child in actor.children.addresses:
        status.addChild(child)
    now = time.monotonic()
    status.addWakeups([(actor.address, ExpirationTimer(due - now)) for due, _, _, _ in sorted(actor.wakeups)])
    for event in actor.queue:
        if event[0] == 'M':
            status.addReceivedMessage(realm.make_address(event[2], event[1]), actor.address,
                                      '%d bytes' % len(event[4]))
    return status
