# SPDX-License-Identifier: MIT
"""The wakeups that an actor asked for: a heap of (due, order, period, payload), due by time.monotonic().

A list and functions, no object: each actor would pay for the memory of its class.
"""
import heapq
import itertools
import math
import time
from datetime import timedelta
from typing import Any, Iterator, List, Optional, Tuple

FOREVER = 1 << 40     # seconds; a wakeup this far away never comes
POLL_MAX = 1 << 20    # seconds that one poll waits at most

Heap = List[Tuple[float, int, Any, Any]]

_order = itertools.count()


def seconds_of(period: Any) -> float:
    """The seconds of a period. Errors: TypeError where it is no time."""
    if isinstance(period, timedelta):
        return period.total_seconds()
    if isinstance(period, (int, float)):
        return float(min(period, FOREVER)) if period == period else float(FOREVER)
    raise TypeError('timePeriod must be a timedelta or a number of seconds, not %s'
                    % type(period).__name__)


def add(heap: Heap, seconds: float, period: Any, payload: Any) -> None:
    """Note a wakeup."""
    heapq.heappush(heap, (time.monotonic() + max(seconds, 0.0), next(_order), period, payload))


def patience(heap: Heap, due: Optional[float] = None) -> Optional[int]:
    """How long a poll may wait: milliseconds until the next wakeup, or until due, rounded up; None: for ever."""
    if heap and (due is None or heap[0][0] < due):
        due = heap[0][0]
    if due is None:
        return None
    return max(0, math.ceil(min(due - time.monotonic(), POLL_MAX) * 1000))


def due(heap: Heap) -> Iterator[Tuple[Any, Any]]:
    """Take those that are due now, (period, payload); those asked for meanwhile come in later rounds."""
    now = time.monotonic()
    while heap and heap[0][0] <= now:
        _, _, period, payload = heapq.heappop(heap)
        yield period, payload
