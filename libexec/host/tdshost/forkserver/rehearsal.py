# SPDX-License-Identifier: MIT
"""An actor's life, lived in the fork server before any actor is forked."""
import socket
from typing import Any

from tdshost.actor.host import ActorHost
from tdshost.forkserver.classes import MAXMESSAGE
from tdshost.wire.fields import read_capabilities
from tdshost.words.actor import Actor

REHEARSALS = 24


class _Rehearsed(Actor):
    """Answers what it gets."""

    def receiveMessage(self, msg: Any, sender: Any) -> None:
        self.send(sender, msg)


def rehearse() -> None:
    """Live an actor's life some times, in this process, before any actor is forked.

    What Python changes in a function's memory when it is first used (specialized code, caches, lazily
    made types) is then shared with every actor, instead of being copied in each: some 1 MiB.
    """
    name = '%s._Rehearsed' % __name__
    settings = {'realm': 1, 'hash': '0' * 32, 'maxmessage': MAXMESSAGE, 'capabilities': read_capabilities({})}
    spawn = {'id': 1, 'class': name, 'name': None, 'parent': None, 'requirements': None}
    for _ in range(REHEARSALS):
        ours, theirs = socket.socketpair()
        with ours:
            host = ActorHost(theirs.detach(), spawn, settings)
            host.rehearse(_Rehearsed, ours)
