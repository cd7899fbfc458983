# SPDX-License-Identifier: MIT
"""The wakeups that an actor asked for."""
import heapq
import math
import time
from datetime import timedelta
from typing import Any, Iterator, List, Optional, Tuple

FOREVER = 1 << 40     # seconds; a wakeup this far away never comes
POLL_MAX = 1 << 20    # seconds that one poll waits at most


def seconds_of(period: Any) -> float:
    """The seconds of a period. Errors: TypeError where it is no time."""
    if isinstance(period, timedelta):
        return period.total_seconds()
    if isinstance(period, (int, float)):
        return float(min(period, FOREVER)) if period == period else float(FOREVER)
    raise TypeError('timePeriod must be a timedelta or a number of seconds, not %s'
                    % type(period).__name__)


class Wakeups:
    """What is due when.

    Shape:   `heap` holds (due, order, period, payload), due by time.monotonic().
    """

    def __init__(self) -> None:
        self.heap: List[Tuple[float, int, Any, Any]] = []
        self._serial = 0

    def add(self, seconds: float, period: Any, payload: Any) -> None:
        """Note a wakeup."""
        self._serial += 1
        heapq.heappush(self.heap, (time.monotonic() + max(seconds, 0.0), self._serial, period, payload))

    def patience(self) -> Optional[int]:
        """How long a poll may wait: milliseconds until the next wakeup, rounded up; None: for ever."""
        if not self.heap:
            return None
        return max(0, math.ceil(min(self.heap[0][0] - time.monotonic(), POLL_MAX) * 1000))

    def due(self) -> Iterator[Tuple[Any, Any]]:
        """Take those that are due now, (period, payload); those asked for meanwhile come in later rounds."""
        now = time.monotonic()
        while self.heap and self.heap[0][0] <= now:
            _, _, period, payload = heapq.heappop(self.heap)
            yield period, payload
