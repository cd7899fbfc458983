# SPDX-License-Identifier: MIT
"""The base of all messages that the actor system itself sends or understands."""
from tdshost.words.messages import ActorSystemMessage

__all__ = ['ActorSystemMessage']
