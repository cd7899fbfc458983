# SPDX-License-Identifier: MIT
"""The parent of one source's actors: holds the verified archive and its imports, forks the actors.

Before it has said which source, the admin may also have it fork parents, so that a load does not wait
for a Python to start.
"""
import _signal
import fcntl
import gc
import json
import logging
import marshal
import os
import select
import signal
import socket
import sys
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

from tdshost import forkhooks, logs, process, sourceloader
from tdshost.actorhost import ActorHost, read_capabilities, unpack_requirements
from tdshost.link import Closed, Link, ProtocolError, control_frame, wait_writable, wire_text
from tdshost.process import pending_signals, waker
from tdshost.realm import parse_address
from thespian.actors import Actor

CONTROL_FD = 3
ARCHIVE_FD = 4
ORDER_FD = 5  # of a fresh interpreter: what to run, as JSON
LOGGER_FD = 6  # and, of a guest, where its records go
MAXMESSAGE = 256 << 20
REHEARSALS = 24
SPARE_MS = 1000  # a spare child that nobody needed for so long goes
ORDER_MAX = 1 << 16  # bytes of an order to a spare child

log = logging.getLogger('tds.host')


class Failure(Exception):
    """Why a class cannot be had: kind ('import', 'class' or 'capability'), error, traceback."""

    def __init__(self, kind: str, error: str, trace: Optional[str] = None) -> None:
        super().__init__(error)
        self.kind = kind
        self.trace = trace

    def op(self, name: str, /, **fields: Any) -> dict:
        """The control op that says so."""
        return dict(fields, op=name, kind=self.kind, error=wire_text(str(self)),
                    traceback=None if self.trace is None else wire_text(self.trace))


class Realm:
    """What the admin said about the source, and its classes.

    Errors:  KeyError, TypeError, ValueError for a hello that says it wrong; what Source raises.
    """

    def __init__(self, hello: dict, archive_fd: Optional[int]) -> None:
        self.hello = hello
        self.guest = bool(hello.get('guest'))  # all that asks for actors here is of this realm
        self.settings = {'realm': int(hello['realm']), 'hash': str(hello['hash']),
                         'maxmessage': int(hello.get('maxmessage') or MAXMESSAGE),
                         'capabilities': read_capabilities(hello.get('capabilities'))}
        self.source = None if archive_fd is None else \
            sourceloader.Source(archive_fd, self.settings['hash'])
        self._classes: Dict[str, Tuple[str, type]] = {}
        logs.install(int(hello.get('log', logging.WARNING)))
        if self.source is not None:
            sourceloader.install(self.source)

    def find(self, name: str) -> Tuple[str, type]:
        """The class that a name means, and its plain dotted name. Errors: Failure."""
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = self._find(name)
        return found

    def _find(self, name: str) -> Tuple[str, type]:
        if self.source is not None and self.source.plain(name) in self.source.modules:
            return self._only_actor(self.source.plain(name))
        module_name, dot, class_name = name.rpartition('.')
        if not (dot and module_name and class_name):
            raise Failure('class', '%s does not name a module and a class' % name)
        module = self._import(module_name)
        found = getattr(module, class_name, None)
        if not isinstance(found, type):
            raise Failure('class', 'module %s has no class %s' % (module_name, class_name))
        return name, found

    def _only_actor(self, name: str) -> Tuple[str, type]:
        """Of a module: the one Actor class that is defined in it."""
        module = self._import(name)
        found = [value for value in vars(module).values() if isinstance(value, type)
                 and issubclass(value, Actor) and value.__module__ == module.__name__]
        found = list(dict.fromkeys(found))
        if len(found) != 1:
            names = ', '.join(sorted(kind.__name__ for kind in found))
            raise Failure('class', 'module %s defines %s' % (
                name, 'several actor classes: ' + names if names else 'no actor class'))
        return '%s.%s' % (name, found[0].__name__), found[0]

    def _import(self, name: str) -> Any:
        try:
            return sourceloader.load_module(self.source, name)
        except BaseException as error:  # SystemExit too: it is the module that ends, not we
            text = logs.describe(error, 0, self.source.prefix if self.source else None)
            raise Failure('import', logs.last_line(text), text) from None

    def is_plain(self, spawn: dict) -> bool:
        """Whether no code of the source runs here for an order: no import, no check, nothing unpickled."""
        found = self._classes.get(str(spawn['class']))
        return found is not None and spawn.get('requirements') is None \
            and getattr(found[1], 'actorSystemCapabilityCheck', None) is Actor.actorSystemCapabilityCheck

    def check(self, actor_class: type, requirements: Any) -> None:
        """Whether the class agrees to the system's capabilities. Errors: Failure."""
        check = getattr(actor_class, 'actorSystemCapabilityCheck', None)
        try:
            fits = check is None or check(dict(self.settings['capabilities']), requirements or {})
        except Exception as error:
            raise Failure('capability', 'the capability check failed: %r' % (error,)) from None
        if not fits:
            raise Failure('capability', 'the system has not the capabilities that the actor needs')

    def actor(self, spawn: dict) -> Tuple[dict, type]:
        """The admin's order with everything filled in, and the class to run.

        Errors:  Failure; KeyError, TypeError, ValueError for an order that is wrong in itself.
        """
        parent = spawn.get('parent')
        own = self.guest or (parent is not None and parse_address(parent)[0] == self.settings['realm'])
        first, end = spawn.get('ids') or (0, 0)
        order = {'id': int(spawn['id']), 'name': spawn.get('name'), 'parent': parent,
                 'ids': (int(first), int(end))}
        order['class'], actor_class = self.find(str(spawn['class']))
        try:
            order['requirements'] = unpack_requirements(spawn.get('requirements'), own)
        except Exception as error:
            raise Failure('capability', 'the requirements cannot be read: %r' % (error,)) from None
        self.check(actor_class, order['requirements'])
        return order, actor_class


class Spare:
    """A child that was forked ahead and waits for the order to be an actor.

    Shape:   good for an actor only as long as no code of the source has run in the parent since.
    Owner:   sock is ours; its end is the child's.
    """

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self._sock = sock

    def take(self, order: dict, fds: List[int]) -> bool:
        """Give it the order; False: it is not there any more, or the order is too large."""
        data = marshal.dumps(order)
        try:
            return len(data) < ORDER_MAX and socket.send_fds(self._sock, [data], fds) == len(data)
        except OSError:
            return False
        finally:
            self._sock.close()

    def drop(self) -> None:
        """End it, and wait for that."""
        self._sock.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    @staticmethod
    def wait(sock: socket.socket) -> Tuple[dict, List[int]]:
        """In the child: wait for the order. Errors: Closed."""
        data, fds, _, _ = socket.recv_fds(sock, ORDER_MAX, 2, socket.MSG_CMSG_CLOEXEC)
        if not data:
            raise Closed
        sock.close()
        return marshal.loads(data), fds


class Parent:
    """The process of a parent, or of one that does not know its source yet.

    Owner:   control_fd becomes the parent's.
    """

    def __init__(self, program: str, control_fd: int, forked: bool = False, guest: Any = None) -> None:
        self.program = program
        self.link = Link(control_fd, wait_writable)
        self.realm: Optional[Realm] = None
        self._forked = forked
        self._guest = guest  # a Guest, if this is the parent of a user's own actors
        self._archive_fd: Optional[int] = None
        self._children: Dict[int, Optional[int]] = {}  # ids by pid; None: another parent
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
                ready = self._poll.poll(0 if self._spawning else SPARE_MS if self._spare else None)
                if not ready:
                    self._while_idle()
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
        if self._guest is not None:
            self._guest.end()
        os._exit(code)  # what is left of children has this process's death as a signal

    def _events(self) -> List[Tuple[Any, ...]]:
        events = self.link.receive() or []
        if any(event[0] != 'C' for event in events):
            raise ProtocolError('a message to a parent')
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
            elif signum in process.EXIT_SIGNALS:
                raise Closed

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

    def _hello(self, op: dict, fds: List[int]) -> None:
        if self.realm is not None:
            raise ValueError('a second hello')
        admin = op.get('admin')
        if not self._forked and admin is not None and os.getppid() != admin:
            raise Closed
        # What becomes of actors' own processes is a source's concern; a parent of parents leaves it to the admin.
        process.prctl(process.PR_SET_CHILD_SUBREAPER, 1)
        if fds:
            self._archive_fd = fds.pop()
        elif not self._forked and _is_open(ARCHIVE_FD):
            self._archive_fd = ARCHIVE_FD
        try:
            self.realm = Realm(op, self._archive_fd)
        except (KeyError, TypeError):
            raise
        except Exception as error:  # an archive that is none
            self.link.send_control(Failure('import', 'the archive cannot be read: %s' % error)
                                   .op('import-failed', name=None))
            raise Closed from None
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
        """Fork another parent; only while no code of a source is in this process, its user's own apart."""
        if self.realm is not None and self.realm.source is not None:
            raise ValueError('this parent has its source')
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
            Parent(self.program, fds[0], True, self._guest).run()
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
            if not pid and process.thread_count() > 1:
                pid = self._start_interpreter(op, fds)
            if not pid:
                pid = self._fork()
                if pid == 0:
                    _prepare_actor()
                    self._become(order, actor_class, fds)
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
            os.kill(pid, signal.SIGKILL)  # it is not reaped yet: the number means it

    _OPS: Dict[str, Callable[..., None]] = {
        'hello': _hello, 'import': _import, 'spawn': _spawn, 'bye': _bye, 'parent': _parent,
        'capabilities': _capabilities, 'kill': _kill,
    }

    def _known(self) -> Realm:
        if self.realm is None:
            raise ValueError('before hello')
        return self.realm

    # --- processes

    def _fork(self) -> int:
        """Fork; in the child leave the parent's things behind.

        Shape:   0 in the child.
        Errors:  OSError.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        mypid = os.getpid()
        pid = os.fork()
        if pid:
            return pid
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
        return 0

    def _become(self, order: dict, actor_class: type, fds: List[int]) -> NoReturn:
        """In the child: be the actor. fds: its link. What it prints goes where we print."""
        try:
            settings = self._known().settings
            if self._guest is not None:
                self._guest.begin_actor('%d.%d' % (settings['realm'], order['id']))
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
        elif self._spare is None and process.thread_count() == 1:
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

    def _be_spare(self, ours: socket.socket, theirs: socket.socket) -> NoReturn:
        try:
            ours.close()
            _prepare_actor()
            order, fds = Spare.wait(theirs)
            actor_class = self._known().find(order['class'])[1]
        except Closed:
            os._exit(0)
        except BaseException as error:
            _fail_early(error)
        self._become(order, actor_class, fds)

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

    def _start_interpreter(self, spawn: dict, fds: List[int]) -> int:
        """Start an actor in an interpreter of its own: this process has threads, it must not fork.

        Errors:  OSError.
        """
        order = {'hello': self._known().hello, 'spawn': spawn, 'parent': os.getpid(),
                 'archive': self._archive_fd is not None}
        if self._guest is not None:
            order.update(path=sys.path, logger=self._guest.logger is not None)
        order_fd = process.sealed_file(json.dumps(order).encode('ascii'))
        moved: List[int] = []
        try:
            sources = {CONTROL_FD: fds[0], ORDER_FD: order_fd,
                       ARCHIVE_FD: order_fd if self._archive_fd is None else self._archive_fd}
            if self._guest is not None and self._guest.logger is not None:
                sources[LOGGER_FD] = self._guest.logger.sock.fileno()
            for fd in sources.values():  # beyond all targets, so that none is overwritten before it is copied
                moved.append(_above(fd, 10))
            actions = [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in zip(moved, sources)]
            return os.posix_spawn(sys.executable, [sys.executable, '-I', self.program, '--actor'],
                                  os.environ, file_actions=actions)
        finally:
            for fd in moved + [order_fd]:
                os.close(fd)

    def _announce(self, pid: int, ref: Any) -> None:
        """Tell the admin of a new parent, with a pidfd that can only mean this one: it is not reaped yet."""
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


def _prepare_actor() -> None:
    """In a child that is, or will be, an actor: what is the parent's alone."""
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)  # without the enums of `signal`: saves pages
    forkhooks.restore()


def _fail_early(error: BaseException) -> NoReturn:
    """In a child that has no link yet: end with a line on what it has as output."""
    os.write(2, ('tds host: %r\n' % (error,)).encode('utf-8', 'replace'))
    os._exit(70)


def _above(fd: int, least: int) -> int:
    """A copy of a descriptor with at least this number. Errors: OSError."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, least)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


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
    spawn = {'id': 1, 'class': name, 'name': None, 'parent': None, 'ids': (2, 100), 'requirements': None}
    for _ in range(REHEARSALS):
        ours, theirs = socket.socketpair()
        with ours:
            host = ActorHost(theirs.detach(), spawn, settings)
            host.rehearse(_Rehearsed, ours)


def run_actor() -> NoReturn:
    """The main function of an interpreter that a parent started for one actor."""
    with os.fdopen(ORDER_FD, 'rb') as stream:
        stream.seek(0)
        order = json.load(stream)
    if not process.die_with(order['parent']):
        os._exit(0)
    process.catch_signals()
    waker.open()
    link = Link(os.dup(CONTROL_FD), wait_writable)
    try:
        os.set_inheritable(CONTROL_FD, False)
        if 'path' in order:
            sys.path[:] = order['path']
        known = Realm(order['hello'], ARCHIVE_FD if order['archive'] else None)
        os.close(ARCHIVE_FD)
        spawn, actor_class = known.actor(order['spawn'])
    except Failure as failure:
        link.send_control(failure.op('failed'))
        os._exit(1)
    link.close()
    forkhooks.restore()
    gc.enable()
    if 'path' in order:  # a user's, whose program may have a logger
        from tdshost import guest
        guest.Guest(guest.Logger.at(LOGGER_FD) if order.get('logger') else None).begin_actor(
            '%d.%d' % (known.settings['realm'], spawn['id']))
    ActorHost(CONTROL_FD, spawn, known.settings).run(actor_class)


def main(program: str, arguments: List[str]) -> int:
    """Run as a parent, or with --actor as one actor. Never returns but for a wrong command line."""
    if arguments not in ([], ['--actor']):
        sys.stderr.write('usage: python3 -I %s (started by tds-admin)\n' % program)
        return 2
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', errors='backslashreplace', line_buffering=True)
    if arguments:
        run_actor()
    process.catch_signals()
    signal.signal(signal.SIGCHLD, process.note_signal)
    os.set_inheritable(CONTROL_FD, False)
    if _is_open(ARCHIVE_FD):
        os.set_inheritable(ARCHIVE_FD, False)
    waker.open()
    rehearse()
    gc.collect()
    gc.freeze()
    Parent(program, CONTROL_FD).run()
