# SPDX-License-Identifier: MIT
"""An actor in an interpreter of its own, where the source process has threads and must not fork."""
import base64
import gc
import json
import os
import sys
from typing import Any, Callable, List, NoReturn, Optional

from tdshost.actor.host import ActorHost
from tdshost.forkserver import forkhooks
from tdshost.forkserver.classes import Realm
from tdshost.forkserver.sandbox import Sandbox, restrict
from tdshost.source.classes import Failure
from tdshost.wire import process
from tdshost.wire.link import Link, wait_writable
from tdshost.wire.process import waker

CONTROL_FD = 3
ARCHIVE_FD = 4
ORDER_FD = 5  # of a fresh interpreter: what to run, as JSON
LOGGER_FD = 6  # and, of a program's, where its records go


def start(host: str, known: Realm, spawn: dict, fds: List[int], archive_fd: Optional[int],
          program: Any, sandbox: Optional[Sandbox] = None) -> int:
    """Start an actor in an interpreter of its own: this process has threads, it must not fork.

    Source:  host is the folder of the host; program as SourceProcess has it.
    Errors:  OSError.
    """
    order = {'hello': known.hello, 'spawn': spawn, 'parent': os.getpid(),
             'archive': archive_fd is not None}
    if program is not None:
        order['program'] = program.facts()
    if sandbox is not None:
        order['filter'] = base64.b64encode(sandbox.second).decode('ascii')
    order_fd = process.sealed_file(json.dumps(order).encode('ascii'))
    moved: List[int] = []
    try:
        sources = {CONTROL_FD: fds[0], ORDER_FD: order_fd,
                   ARCHIVE_FD: order_fd if archive_fd is None else archive_fd}
        if program is not None and program.logger is not None:
            sources[LOGGER_FD] = program.logger.sock.fileno()
        for fd in sources.values():  # beyond all targets, so that none is overwritten before it is copied
            moved.append(process.above(fd, 10))
        actions = [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in zip(moved, sources)]
        return os.posix_spawn(sys.executable, [sys.executable, '-I', host, '--actor'],
                              os.environ, file_actions=actions, setsigmask=process.ALL_SIGNALS)
    finally:
        for fd in moved + [order_fd]:
            os.close(fd)


def run_actor(program_at: Callable[[dict, int], Any]) -> NoReturn:
    """The main function of an interpreter that a source process started for one actor.

    Source:  program_at makes what SourceProcess has as `program`, from its facts() and the descriptor of its logger.
    """
    with os.fdopen(ORDER_FD, 'rb') as stream:
        stream.seek(0)
        order = json.load(stream)
    if not process.die_with(order['parent']):
        os._exit(0)
    process.catch_signals()
    waker.open()
    process.release_signals()  # blocked by who started us: without handlers they would end us
    if 'filter' in order:
        restrict(base64.b64decode(order['filter']))
    link = Link(os.dup(CONTROL_FD), wait_writable)
    try:
        os.set_inheritable(CONTROL_FD, False)
        program = program_at(order['program'], LOGGER_FD) if 'program' in order else None
        known = Realm(order['hello'], ARCHIVE_FD if order['archive'] else None)
        os.close(ARCHIVE_FD)
        spawn, actor_class = known.actor(order['spawn'])
    except Failure as failure:
        link.send_control(failure.op('failed'))
        os._exit(1)
    link.close()
    forkhooks.restore()
    gc.enable()
    if program is not None:
        program.begin_actor('%d.%d' % (known.settings['realm'], spawn['id']))
    ActorHost(CONTROL_FD, spawn, known.settings).run(actor_class)
