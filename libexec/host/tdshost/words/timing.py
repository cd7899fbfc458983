# SPDX-License-Identifier: MIT
"""Periods of time as the actor system takes them, and a timer.

A period is a timedelta or a number of seconds.
"""
import functools
import math
import time
from datetime import timedelta
from typing import Any, Iterator, Optional, Union

__name__ = 'thespian.system.timing'  # what is defined here is that module's

EQUAL = 0.001  # seconds; timers that expire this close together are equal


def timePeriodSeconds(basis: Union[timedelta, int, float]) -> Union[int, float]:
    """The seconds of a period. Errors: TypeError where it is none."""
    if isinstance(basis, timedelta):
        return basis.total_seconds()
    if isinstance(basis, (int, float)):
        return basis
    raise TypeError('Cannot determine time from a %s argument' % type(basis))


def toTimeDeltaOrNone(period: Union[timedelta, int, float, None]) -> Optional[timedelta]:
    """A period as a timedelta; None stays None. Errors: TypeError for what is no period."""
    if period is None or isinstance(period, timedelta):
        return period
    return timedelta(seconds=timePeriodSeconds(period))


def currentTime() -> float:
    """The time that timers go by, in seconds of a clock that only goes forward."""
    return time.monotonic()


@functools.total_ordering
class ExpirationTimer:
    """Expires when a period has passed since it was made; None: never. True once it has expired.

    Shape:   ordered by what is left: all expired ones are equal, those that never expire come last.
             A timedelta may stand for a timer. As a context manager it gives a view.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, duration: Union[timedelta, int, float, None] = None) -> None:
        self.duration = duration
        self._end = None if duration is None else time.monotonic() + timePeriodSeconds(duration)

    def view(self, curtime: Optional[float] = None) -> 'ExpirationTimerView':
        """What it says now, or said at a time of time.monotonic()."""
        return ExpirationTimerView(self, curtime)

    def __enter__(self) -> 'ExpirationTimerView':
        return self.view()

    def __exit__(self, *unused: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return self.view().expired()

    def __str__(self) -> str:
        if self._end is None:
            return 'Forever'
        left = self._end - time.monotonic()
        return '%s_%s' % ('Expires_in' if left > 0 else 'Expired_for', timedelta(seconds=abs(left)))

    def __eq__(self, other: Any) -> bool:
        ends = self._ends(other)
        return bool(ends) and (ends[0] == ends[1] or abs(ends[0] - ends[1]) < EQUAL)

    def __lt__(self, other: Any) -> bool:
        ends = self._ends(other)
        return ends[0] < ends[1] and self != other if ends else NotImplemented

    def _ends(self, other: Any) -> tuple:
        """When this and another expire, not before now; empty where the other is no timer."""
        if isinstance(other, timedelta):
            other = ExpirationTimer(other)
        if not isinstance(other, ExpirationTimer):
            return ()
        now = time.monotonic()
        return tuple(math.inf if timer._end is None else max(timer._end, now)
                     for timer in (self, other))


def unexpired(timer: ExpirationTimer) -> Iterator['ExpirationTimerView']:
    """Views of a timer, one a turn of the loop, as long as it has not expired."""
    while True:
        view = timer.view()
        if view.expired():
            return
        yield view


class ExpirationTimerView:
    """What a timer says at one moment, so that several questions get answers that agree."""

    def __init__(self, timer: ExpirationTimer, now: Optional[float] = None) -> None:
        self.duration = timer.duration
        self._left = math.inf if timer._end is None else \
            max(0.0, timer._end - (time.monotonic() if now is None else now))

    def expired(self) -> bool:
        """Whether the period has passed."""
        return self._left == 0

    def remaining(self, forever: Any = None) -> Any:
        """What is left as a timedelta; forever if it never expires."""
        return forever if self._left == math.inf else timedelta(seconds=self._left)

    def remainingSeconds(self, forever: Any = None) -> Any:
        """What is left in seconds; forever if it never expires."""
        return forever if self._left == math.inf else self._left

    def __bool__(self) -> bool:
        return self.expired()
