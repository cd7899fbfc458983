# SPDX-License-Identifier: MIT
"""What programs, outside of all actors, wait for and get."""
from datetime import timedelta
from typing import Any, Optional, Union

from tdshost.words.messages import ActorSystemMessage, PoisonMessage
from tdshost.words.status import Thespian_ActorStatus, Thespian_SystemStatus

Timeout = Union[timedelta, int, float, None]


def seconds_of(timeout: Timeout) -> Optional[float]:
    """A time to wait in seconds; None: for ever."""
    if timeout is None:
        return None
    return timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)


def passes(message: Any) -> bool:
    """Whether a program gets a message: of those of the system only a few."""
    if not isinstance(message, ActorSystemMessage):
        return True
    if isinstance(message, PoisonMessage):
        return passes(message.poisonMessage)
    return isinstance(message, (Thespian_ActorStatus, Thespian_SystemStatus))
