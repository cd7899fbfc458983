# SPDX-License-Identifier: MIT
"""A process that forks: the fork server, a warm source process, or the source process of one source.

The source process holds the verified archive and its imports, and forks the actors. Before it has said
which source, the admin may also have it fork others like itself, so that a load does not wait for a
Python to start: what the first of them forks are warm source processes.
"""
import _signal
import contextlib
import gc
import logging
import os
import select
import signal
import socket
import sys
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

from tdshost.actor.host import ActorHost
from tdshost.forkserver import forkhooks, interpreter
from tdshost.forkserver.classes import Realm
from tdshost.forkserver.interpreter import ARCHIVE_FD
from tdshost.forkserver.sandbox import Sandbox
from tdshost.forkserver.spare import Spare
from tdshost.source.classes import Failure
from tdshost.wire import logs, process
from tdshost.wire.fields import read_capabilities
from tdshost.wire.link import Closed, Link, ProtocolError, control_frame, wait_writable, wire_text
from tdshost.wire.process import pending_signals, waker
from tdshost.wire.protocol import PROTOCOL

log = logging.getLogger('tds.host')


class SourceProcess:
    """What such a process does, from its link to its end.

    Owner:   control_fd becomes the process's.
    """

    def __init__(self, host: str, control_fd: int, forked: bool = False, program: Any = None) -> None:
        self.host = host
        self.link = Link(control_fd, wait_writable)
        self.realm: Optional[Realm] = None
        self._forked = forked
        self._program = program  # a Program, if this is the source process of a user's own actors
        self._archive_fd: Optional[int] = None
        self._sandbox: Optional[Sandbox] = None
        self._children: Dict[int, Optional[int]] = {}  # ids by pid; None: another source process
        self._pids: Dict[int, int] = {}  # of actors that were not reaped yet, by id
        self._leaving = False
        self._spare: Optional[Spare] = None
        self._spawning = False  # an actor was forked since we last had nothing to do: more may follow
        waker.open()
        self._poll = select.poll()
        self._poll.register(self.link.fd, select.POLLIN)
        self._poll.register(waker.read_fd, select.POLLIN)

    def run(self) -> NoReturn:
        """Obey the admin until it is gone, or said bye and no child is left."""
        code = 0
        try:
            while True:
                ready = self._poll.poll(0 if self._spawning else self._spare.left_ms() if self._spare else None)
                if not ready:
                    self._while_idle()
                elif self._spare is not None and not self._spare.left_ms():
                    self._drop_spare()
                for fd, _ in ready:
                    if fd == waker.read_fd:
                        waker.drain()
                        self._take_signals()
                    else:
                        for _, op, fds in self._events():
                            self._obey(op, fds)
        except Closed:
            pass
        except ProtocolError as error:
            sys.stderr.write('tds host: the admin sent %s\n' % error)
            code = 70
        sys.stderr.flush()
        if self._program is not None:
            self._program.end()
        os._exit(code)  # what is left of children has this process's death as a signal

    def _events(self) -> List[Tuple[Any, ...]]:
        events = self.link.receive() or []
        if any(event[0] != 'C' for event in events):
            raise ProtocolError('a message to a source process')
        return events

    def _obey(self, op: dict, fds: List[int]) -> None:
        act = self._OPS.get(op['op'])
        try:
            if act is not None:
                act(self, op, fds)
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError('a bad %s: %r' % (op['op'], error)) from None
        finally:
            for fd in fds:
                os.close(fd)

    def _take_signals(self) -> None:
        while pending_signals:
            signum = pending_signals.pop(0)
            if signum == signal.SIGCHLD:
                self._reap()
            elif signum == signal.SIGTERM:
                raise Closed  # of what asks an actor to exit, this alone is for us

    def _reap(self) -> None:
        """Take the exits of all children, those of actors that are gone themselves included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                if self._leaving and not self._children:
                    raise Closed  # what is left made itself a daemon; it goes to the guardian, who ends it
                return
            if self._spare is not None and pid == self._spare.pid:
                self._spare = None
            elif pid in self._children:
                ident = self._children.pop(pid)
                if ident is not None:
                    del self._pids[ident]
                self.link.send_control({'op': 'gone', 'id': ident, 'pid': pid,
                                        'status': os.waitstatus_to_exitcode(status)})
        if self._leaving:
            raise Closed

    # --- what the admin says

    def _refuse(self, why: str) -> NoReturn:
        """Nothing of this source can be imported."""
        self.link.send_control(Failure('import', why).op('import-failed', name=None))
        raise Closed from None

    def _become(self, op: dict, fds: List[int]) -> None:
        """Be who the source is to be, with the environment that its actors have; before anything else of it is known."""
        if self.realm is not None:
            raise ValueError('after hello')
        variables = [str(text).encode('latin-1').partition(b'=') for text in op['env']]  # a character is a byte
        os.environb.clear()
        os.environb.update({name: value for name, _, value in variables})
        if op['user'] is None:
            return
        uid, gid = map(int, op['user'])
        try:
            if not process.become(uid, gid, os.getppid()):
                raise Closed
        except OSError as error:
            self._refuse('its user cannot be had: %s' % error)
        # What lies in a folder that is root's alone was found until now.
        for path, mode in (os.__file__, os.R_OK), (os.environ.get('TDS_DATA_DIR', '.'), os.W_OK):
            if not os.access(path, mode):
                self._refuse('uid %d cannot use %s: a folder above it lets nobody else through' % (uid, path))

    def _confine(self, op: dict, fds: List[int]) -> None:
        """Before the source is known, so that nothing of it is read without."""
        if self.realm is not None:
            raise ValueError('after hello')
        self._sandbox = Sandbox(op)
        try:
            self._sandbox.enter(fds, self.host)
        except OSError as error:
            self._refuse('the sandbox cannot be entered: %s' % error)

    def _hello(self, op: dict, fds: List[int]) -> None:
        if self.realm is not None:
            raise ValueError('a second hello')
        admin = op.get('admin')
        if not self._forked and admin is not None and os.getppid() != admin:
            raise Closed
        if op.get('protocol', PROTOCOL) != PROTOCOL:
            self._refuse('another tds is installed than runs: its protocol is %d, that of the admin process %s '
                         '(tds-admin restart)' % (PROTOCOL, op['protocol']))
        # What becomes of actors' own processes is a source's concern; the fork server leaves it to the admin.
        process.prctl(process.PR_SET_CHILD_SUBREAPER, 1)
        if fds:
            self._archive_fd = fds.pop()
        elif not self._forked and process.is_open(ARCHIVE_FD):
            self._archive_fd = ARCHIVE_FD
        try:
            self.realm = Realm(op, self._archive_fd)
        except (KeyError, TypeError):
            raise
        except Exception as error:  # an archive that is none
            self._refuse('the archive cannot be read: %s' % error)
        logs.send_to(self.link.send_control)
        gc.freeze()

    def _import(self, op: dict, fds: List[int]) -> None:
        self._drop_spare()
        classes = {}
        for name in op['names']:
            try:
                classes[name] = self._known().find(str(name))[0]
            except Failure as failure:
                self.link.send_control(failure.op('import-failed', name=name))
                return
        gc.freeze()
        self.link.send_control({'op': 'imported', 'classes': classes})

    def _capabilities(self, op: dict, fds: List[int]) -> None:
        self._drop_spare()
        self._known().settings['capabilities'] = read_capabilities(op['capabilities'])
        self._known().hello['capabilities'] = op['capabilities']

    def _bye(self, op: dict, fds: List[int]) -> None:
        self._leaving = True
        self._drop_spare()
        self._reap()

    def _parent(self, op: dict, fds: List[int]) -> None:
        """Fork another source process; only while no code of a source is in this process, its user's own apart."""
        if self.realm is not None and self.realm.source is not None:
            raise ValueError('this process has its source')
        self._drop_spare()
        try:
            if not fds:
                raise OSError('no descriptor is left to take its link')
            if process.thread_count() > 1:
                raise OSError('the program\'s modules have started threads')
            pid = self._fork()
        except OSError as error:
            self.link.send_control({'op': 'parent-failed', 'ref': op.get('ref'),
                                    'error': wire_text('no process for the source: %s' % error)})
            return
        if pid == 0:
            logs.send_to(None)
            _take_output(fds)
            os.setsid()
            SourceProcess(self.host, fds[0], True, self._program).run()
        self._announce(pid, op.get('ref'))

    def _spawn(self, op: dict, fds: List[int]) -> None:
        ident = int(op['id'])
        try:
            if not fds:
                raise OSError('no descriptor is left to take its link')
            if not self._known().is_plain(op):
                self._drop_spare()
            order, actor_class = self._known().actor(op)
            pid = self._use_spare(order, fds)
            if not pid and not self._may_fork():
                pid = interpreter.start(self.host, self._known(), op, fds, self._archive_fd, self._program,
                                        self._sandbox)
            if not pid:
                pid = self._fork()
                if pid == 0:
                    self._prepare_actor()
                    self._live(order, actor_class, fds)
        except Failure as failure:
            self.link.send_control(failure.op('spawn-failed', id=ident))
            return
        except OSError as error:
            self.link.send_control(Failure('process', 'no process for the actor: %s' % error)
                                   .op('spawn-failed', id=ident))
            return
        self._spawning = True
        self._children[pid] = ident
        self._pids[ident] = pid
        # JSON already: its encoder would take memory that was just shared with the child.
        self.link.send_frame(control_frame(b'{"op":"spawned","id":%d,"pid":%d}' % (ident, pid)))

    def _kill(self, op: dict, fds: List[int]) -> None:
        """End an actor; `gone` tells when that is done."""
        pid = self._pids.get(int(op['id']))
        if pid is not None:
            with contextlib.suppress(PermissionError):  # the admin kills those of a confined source itself
                os.kill(pid, signal.SIGKILL)  # it is not reaped yet: the number means it

    _OPS: Dict[str, Callable[..., None]] = {
        'become': _become, 'confine': _confine, 'hello': _hello, 'import': _import, 'spawn': _spawn, 'bye': _bye,
        'parent': _parent, 'capabilities': _capabilities, 'kill': _kill,
    }

    def _known(self) -> Realm:
        if self.realm is None:
            raise ValueError('before hello')
        return self.realm

    # --- processes

    def _fork(self) -> int:
        """Fork; in the child leave the source process's things behind.

        Shape:   0 in the child.
        Errors:  OSError.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        mypid = os.getpid()
        blocked = process.hold_signals()  # until the child has a pipe of its own for them
        try:
            pid = os.fork()
            if pid == 0:
                self._leave(mypid)
        finally:
            process.release_signals(blocked)
        return pid

    def _leave(self, mypid: int) -> None:
        """In the child: have no more to do with the source process's link, archive and signals."""
        try:
            if not process.die_with(mypid):
                os._exit(0)
            pending_signals.clear()
            self.link.close()
            if self._archive_fd is not None:
                os.close(self._archive_fd)
            waker.open()
            gc.enable()
        except BaseException as error:
            _fail_early(error)

    def _may_fork(self) -> bool:
        """Whether an actor can be a copy of this process; else it has an interpreter of its own."""
        return process.thread_count() == 1 and (self._program is None or self._program.forks)

    def _prepare_actor(self) -> None:
        """In a child that is, or will be, an actor: what is the source process's alone."""
        try:
            if self._sandbox is not None:
                self._sandbox.seal()
        except BaseException as error:
            _fail_early(error)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)  # without the enums of `signal`: saves pages
        forkhooks.restore()

    def _live(self, order: dict, actor_class: type, fds: List[int]) -> NoReturn:
        """In the child: be the actor. fds: its link. What it prints goes where we print."""
        try:
            settings = self._known().settings
            if self._program is not None:
                self._program.begin_actor('%d.%d' % (settings['realm'], order['id']))
            host = ActorHost(fds[0], order, settings)
        except BaseException as error:
            _fail_early(error)
        host.run(actor_class)

    # --- the spare child

    def _while_idle(self) -> None:
        """Fork a child ahead where actors were made just now; end one that nobody needed."""
        wanted, self._spawning = self._spawning and not self._leaving, False
        if not wanted:
            self._drop_spare()
        elif self._spare is None and self._may_fork():
            self._make_spare()

    def _make_spare(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                pid = self._fork()
            except OSError:
                ours.close()
                return
            if pid == 0:
                self._be_spare(ours, theirs)
            self._spare = Spare(pid, ours)
            if self._sandbox is not None:
                self.link.send_frame(control_frame(b'{"op":"spare","pid":%d}' % pid))

    def _be_spare(self, ours: socket.socket, theirs: socket.socket) -> NoReturn:
        try:
            ours.close()
            self._prepare_actor()
            order, fds = Spare.wait(theirs)
            actor_class = self._known().find(order['class'])[1]
        except Closed:
            os._exit(0)
        except BaseException as error:
            _fail_early(error)
        self._live(order, actor_class, fds)

    def _use_spare(self, order: dict, fds: List[int]) -> int:
        """Make the spare child the actor: its pid; 0: there is none."""
        spare = self._spare
        if spare is None:
            return 0
        self._spare = None
        if spare.take(order, fds):
            return spare.pid
        spare.drop()
        return 0

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare.drop()
            self._spare = None

    def _announce(self, pid: int, ref: Any) -> None:
        """Tell the admin of a new source process, with a pidfd that can only mean this one: it is not reaped yet."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.link.send_control({'op': 'parent-failed', 'ref': ref,
                                    'error': wire_text('no process: %s' % error)})
            return
        self._children[pid] = None
        try:
            self.link.send_control({'op': 'parent-started', 'ref': ref, 'pid': pid}, (pidfd,))
        finally:
            os.close(pidfd)


def _take_output(fds: List[int]) -> None:
    """Make the socket, where one came with the link, the standard output and error."""
    if len(fds) > 1:
        os.dup2(fds[1], 1)
        os.dup2(fds[1], 2)
        os.close(fds[1])


def _fail_early(error: BaseException) -> NoReturn:
    """In a child that has no link yet: end with a line on what it has as output."""
    os.write(2, ('tds host: %r\n' % (error,)).encode('utf-8', 'replace'))
    os._exit(70)
