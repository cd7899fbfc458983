# SPDX-License-Identifier: MIT
"""Periods of time as the actor system takes them, and a timer."""
from tdshost.words.timing import EQUAL, ExpirationTimer, ExpirationTimerView, timedelta, timePeriodSeconds

__all__ = ['EQUAL', 'ExpirationTimer', 'ExpirationTimerView', 'timePeriodSeconds', 'timedelta']
