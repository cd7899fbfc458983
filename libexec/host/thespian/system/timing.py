# SPDX-License-Identifier: MIT
"""Periods of time as the actor system takes them, and a timer."""
from tdshost.words.timing import (EQUAL, ExpirationTimer, ExpirationTimerView, currentTime, timedelta,
                                  timePeriodSeconds, toTimeDeltaOrNone, unexpired)

__all__ = ['EQUAL', 'ExpirationTimer', 'ExpirationTimerView', 'currentTime', 'timePeriodSeconds', 'timedelta',
           'toTimeDeltaOrNone', 'unexpired']
