# SPDX-License-Identifier: MIT
"""Status of an actor or of the system: the request, the two answers, and their text form."""
from tdshost.words.messages import ActorSystemMessage
from tdshost.words.status import (Thespian_ActorStatus, Thespian_StatusReq, Thespian_SystemStatus,
                                  formatStatus)

__all__ = ['ActorSystemMessage', 'Thespian_ActorStatus', 'Thespian_StatusReq', 'Thespian_SystemStatus',
           'formatStatus']
