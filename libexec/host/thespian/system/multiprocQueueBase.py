# SPDX-License-Identifier: MIT
"""The base of a system of processes, of its program alone; programs name it to ActorSystem as text, or by the class here."""
from tdshost.words.base import SystemBase

__all__ = ['ActorSystemBase']


class ActorSystemBase(SystemBase):
    """Names this base."""

    name = 'multiprocQueueBase'
