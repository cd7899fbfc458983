# SPDX-License-Identifier: MIT
"""The queue of a system within a program, and all that has an address there.

Messages are delivered by whichever thread of the program is in a call, one at a time and in the order in which
they were sent. A call within a handler delivers as well, but nothing to an actor that is in a handler itself.
"""
import itertools
import threading
import time
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple

from tdshost.actor import wakeups
from tdshost.words.address import ActorAddress
from tdshost.words.messages import ChildActorExited, DeadEnvelope, WakeupMessage

SYSTEM = ActorAddress('0.0')  # as everywhere

# To whom, by the details of the address; what; from whom.
Item = Tuple[str, Any, ActorAddress]


class Place:
    """What has an address: an actor, a program's end, the system itself."""

    busy = False  # in a handler: nothing may be delivered

    def take(self, message: Any, sender: ActorAddress) -> None:
        """Get a message."""
        raise NotImplementedError


class Exited:
    """In the queue of a parent: a child is gone, or never was. Nobody else can send that."""

    def __init__(self, child: ActorAddress) -> None:
        self.child = child


class Engine:
    """The queue, the places, the wakeups, and where dead letters go.

    Shape:   `lock` is held by who reads or changes anything here; all methods but `waiting` want it held.
    """

    def __init__(self) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.places: Dict[str, Place] = {}
        self.queue: Deque[Item] = deque()
        self.wakeups: wakeups.Heap = []  # the payloads are (details, payload)
        self.undertaker: Optional[ActorAddress] = None
        self.depth = 0                   # of calls of run() that are under way
        self._serial = itertools.count()

    def new_address(self, kind: str) -> ActorAddress:
        """An address that was never there before: /A~1, /A~2 ..."""
        return ActorAddress('/%s~%d' % (kind, next(self._serial)))

    def run(self, inbox: Optional[Deque[Any]] = None, end: Optional[float] = None) -> None:
        """Deliver what waits, and what comes of that, until nothing is left, inbox has something, or time is over.

        Source:  end is of time.monotonic(); None: no limit.
        Errors:  SystemExit, KeyboardInterrupt and the like, of a handler; the rest waits for the next call.
        """
        queue, places, heap = self.queue, self.places, self.wakeups
        aside: List[Item] = []  # for actors that called us
        self.depth += 1
        try:
            while True:
                if heap:
                    self.fire_wakeups()
                if not queue:
                    return
                details, message, sender = item = queue.popleft()
                place = places.get(details)
                if place is None:
                    self._take_dead(details, message)
                elif place.busy:
                    aside.append(item)
                else:
                    place.take(message, sender)
                if inbox or (end is not None and time.monotonic() >= end):
                    return
        finally:
            self.depth -= 1
            if aside:
                queue.extendleft(reversed(aside))

    def fire_wakeups(self) -> None:
        """Put those that are due into the queue."""
        for period, (details, payload) in wakeups.due(self.wakeups):
            if details in self.places:  # not of actors that are gone
                self.queue.append((details, WakeupMessage(period, payload), ActorAddress(details)))

    def _take_dead(self, details: str, message: Any) -> None:
        """A message to one that is gone, or never was."""
        if self.undertaker is not None and not isinstance(message, (DeadEnvelope, ChildActorExited, Exited)):
            letter = DeadEnvelope(ActorAddress(details), message)
            self.queue.append((self.undertaker.addressDetails, letter, SYSTEM))

    def waiting(self, end: float, alone: bool) -> bool:
        """Wait for what may come before a time: a wakeup, or another thread. False: nothing will.

        Source:  alone: other threads are not waited for.
        """
        due = self.wakeups[0][0] if self.wakeups else None
        until = end if due is None else min(due, end)
        now = time.monotonic()
        if now >= end or (until == end and (alone or threading.active_count() < 2)):
            return False
        self.lock.wait(max(0.0, until - now))
        return True
