# SPDX-License-Identifier: MIT
"""One address of the program itself: what it says, and what comes for it."""
import time
from collections import deque
from typing import Any, Callable, Deque, Optional

from tdshost.inprocess.engine import Engine, Place
from tdshost.words.address import ActorAddress
from tdshost.words.errors import ActorSystemFailure
from tdshost.words.outside import Timeout, passes, seconds_of


class Endpoint(Place):
    """An address of the program. While it is in a call of one, the actors run.

    Source:  settle is called after each call, when no handler is under way.
    Shape:   main: the program's own one, that of a thread otherwise, which waits for other threads too.
    """

    def __init__(self, engine: Engine, main: bool, settle: Callable[[], None]) -> None:
        self.engine = engine
        self.address = engine.new_address('E')
        self.inbox: Deque[Any] = deque()
        self.ended = False
        self._main = main
        self._settle = settle
        engine.places[self.address.addressDetails] = self

    def close(self) -> None:
        """End it; what waits here is lost."""
        with self.engine.lock:
            self.ended = True
            self.engine.places.pop(self.address.addressDetails, None)

    def take(self, message: Any, sender: ActorAddress) -> None:
        """Keep a message for the program, if it is one of those that it gets."""
        if passes(message):
            self.inbox.append(message)
            self.engine.lock.notify_all()

    def tell(self, target: Any, message: Any) -> None:
        """Send a message, and let the actors run until nothing is left. Errors: ValueError; ActorSystemFailure."""
        with self.engine.lock:
            if self.ended:
                raise ActorSystemFailure('the actor system has ended')
            self._say(target, message)
            self.engine.run()
            self._settle()

    def ask(self, target: Any, message: Any, timeout: Timeout) -> Any:
        """Send a message, and wait for the next one that comes, from whomever. None once the system has ended."""
        with self.engine.lock:
            if self.ended:
                return None
            return self._await(timeout, self._say(target, message))

    def listen(self, timeout: Timeout) -> Any:
        """The next message, or None: time is over, or nothing can come."""
        with self.engine.lock:
            return self._await(timeout)

    def _say(self, target: Any, message: Any) -> str:
        if not isinstance(target, ActorAddress):
            raise ValueError('%s is not an ActorAddress' % (target,))
        details = target.addressDetails
        self.engine.fire_wakeups()  # those of the time since the last call come first
        self.engine.queue.append((details, message, self.address))
        return details

    def _await(self, timeout: Timeout, target: Optional[str] = None) -> Any:
        """The next message. Without a time limit as much as can come now; a wakeup that is not due waits."""
        engine, inbox = self.engine, self.inbox
        seconds = seconds_of(timeout)
        end = None if seconds is None else time.monotonic() + seconds
        while seconds is None or seconds > 0:
            engine.run(inbox, end)
            if inbox or end is None or self.ended or (target is not None and target not in engine.places):
                break
            if not engine.waiting(end, self._main):
                break
        message = inbox.popleft() if inbox else None
        self._settle()
        return message
