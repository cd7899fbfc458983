# SPDX-License-Identifier: MIT
"""The decorators `transient` and `transient_idle`: actors that exit by themselves after a time.

The time begins with the first message; an actor that gets none stays. The actor's own
receiveMessage sees every message, the WakeupMessages of the decorator too.
"""
import functools
import time
from datetime import timedelta
from typing import Any, Callable, Union

from thespian.actors import ActorExitRequest, ActorSystemMessage, WakeupMessage
from thespian.system.timing import timePeriodSeconds

Period = Union[timedelta, int, float]


def transient(exit_delay: Period = timedelta(seconds=10)) -> Callable[[type], type]:
    """Class decorator: exit this long after the first message, of whatever kind."""
    return functools.partial(_decorate, exit_delay, False)


def transient_idle(exit_delay: Period = timedelta(seconds=10)) -> Callable[[type], type]:
    """Class decorator: exit when for this long no message came but those of the actor system."""
    return functools.partial(_decorate, exit_delay, True)


class _Exit:
    """When an actor is to exit. Times are of time.monotonic()."""

    def __init__(self, delay: Period) -> None:
        self.delay = delay
        self.due = 0.0    # when to exit
        self.wake = 0.0   # when the wakeup comes that looks at it; 0: none is on its way
        self.told = False

    def postpone(self) -> None:
        """Exit the whole delay from now."""
        self.due = time.monotonic() + timePeriodSeconds(self.delay)

    def look(self, actor: Any) -> None:
        """Tell the actor to exit if it is time, else see to it that this is asked again."""
        now = time.monotonic()
        if self.told or now < self.wake:
            return
        if self.wake and now >= self.due:
            self.told = True
            actor.send(actor.myAddress, ActorExitRequest())
            return
        # the first wakeup has the delay as the program gave it
        actor.wakeupAfter(timedelta(seconds=self.due - now) if self.wake else self.delay)
        self.wake = self.due


def _decorate(delay: Period, idle: bool, actor_class: type) -> type:
    """Wrap the class's receiveMessage."""
    own = actor_class.receiveMessage  # type: ignore[attr-defined]
    name = '_transient_idle_exit' if idle else '_transient_exit'

    @functools.wraps(own)
    def receiveMessage(self: Any, message: Any, sender: Any) -> Any:
        leave = getattr(self, name, None)
        if leave is None:
            leave = _Exit(delay)
            setattr(self, name, leave)
            leave.postpone()
            leave.look(self)
        elif isinstance(message, WakeupMessage):
            leave.look(self)
        elif idle and not isinstance(message, ActorSystemMessage):
            leave.postpone()
        return own(self, message, sender)

    actor_class.receiveMessage = receiveMessage  # type: ignore[attr-defined]
    return actor_class
