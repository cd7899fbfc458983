# SPDX-License-Identifier: MIT
"""The source process of a user's own actors: forked from the user's program, it joins the admin.

So its actors have the modules, the search path, the folder and the environment of the program that
began the system, and run as nobody but its user. Where the program has threads it must not be forked, and
where it asked for `spawn` or `forkserver` it is not: a fresh interpreter gets its search path.
"""
import gc
import io
import os
import pickle
import signal
import sys
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, Tuple

from tdshost.forkserver.sourceprocess import SourceProcess
from tdshost.program import place
from tdshost.program.logdefs import Logger, record_sender, start_logger, threshold
from tdshost.wire import failure, logs, process
from tdshost.words.errors import ActorSystemStartupFailure

MoveIn = Callable[[place.Place], None]


class Method(NamedTuple):
    """How the processes of a program's actors begin.

    forked: as a copy of the program; else with a fresh interpreter, `main` being what multiprocessing's own
    processes are told of the program's main module. each: a fresh one for each actor.
    """

    forked: bool = True
    each: bool = False
    main: Dict[str, str] = {}


def method_named(name: Any) -> Method:
    """What the capability Process Startup Method asks for. A program that has threads must not be forked."""
    if name not in ('spawn', 'forkserver'):
        return Method(process.thread_count() == 1)
    from multiprocessing import spawn  # who asks for this has it
    main = {key: value for key, value in spawn.get_preparation_data('').items() if key.startswith('init_main')}
    return Method(False, name == 'spawn', main)


READY = b'ready'
LOGGER_SECONDS = 1  # that the logger may take to write what it still has


def start_source(where: place.Place, log_defs: Any, move_in: MoveIn, method: Method) -> None:
    """Start a source process and wait until it has joined; one of the same user that is there already will do.

    Source:  move_in is called in the new process: its system is the one at a place, not one of its own.
    Errors:  ActorSystemStartupFailure.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        if method.forked:
            pid = _fork(where, log_defs, write_end, move_in)
        else:
            pid = _start_interpreter(where, log_defs, write_end, method)
        os.close(write_end)
        write_end = -1
        place.wait_for(pid)
        said = os.read(read_end, 65536)  # one write, or the end
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)
    if said != READY:
        raise ActorSystemStartupFailure('no process for the actors: %s'
                                        % (said.decode('utf-8', 'replace') or 'it ended'))


def _fork(where: place.Place, log_defs: Any, tell_fd: int, move_in: MoveIn) -> int:
    blocked = process.hold_signals()  # the program's handlers are not for the child
    try:
        pid = os.fork()
    except OSError:
        process.release_signals(blocked)
        raise
    if pid:
        process.release_signals(blocked)
        return pid
    try:
        os.setsid()
        if os.fork() == 0:
            _become_source(where, log_defs, tell_fd, move_in, Method())
    finally:
        os._exit(0)


class _Pickler(pickle.Pickler):
    """Streams go by what they lead to: logDefs may name some."""

    def persistent_id(self, item: Any) -> Any:
        if isinstance(item, io.IOBase):
            return 'stderr' if item in (sys.stderr, sys.__stderr__) else 'stdout'
        return None


class _Unpickler(pickle.Unpickler):
    """The other end of _Pickler."""

    def persistent_load(self, name: Any) -> Any:
        return getattr(sys, name)


def _dump(value: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()


def _start_interpreter(where: place.Place, log_defs: Any, tell_fd: int, method: Method) -> int:
    order = process.sealed_file(_dump((sys.path, sys.argv, where.path, where.transient, tuple(method)))
                                + _dump(log_defs))
    try:
        low = [process.above(order, 10), process.above(tell_fd, 10)]
        try:
            return os.posix_spawn(
                sys.executable, [sys.executable, '-s', '-B', place.HOST, '--program'], os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, low[0], 3), (os.POSIX_SPAWN_DUP2, low[1], 4)],
                setsid=True, setsigmask=process.ALL_SIGNALS)
        finally:
            for fd in low:
                os.close(fd)
    finally:
        os.close(order)


def run_interpreter(move_in: MoveIn) -> NoReturn:
    """The main function of a fresh interpreter: descriptor 3 has what the program said, 4 waits for word."""
    with os.fdopen(3, 'rb') as stream:
        stream.seek(0)
        # Our own program's, over a descriptor that only it had.
        sys.path[:], sys.argv[:], path, transient, method = _Unpickler(stream).load()
        import_main(method[-1])
        log_defs = _Unpickler(stream).load()  # may name classes that only the path leads to
    os.set_inheritable(4, False)
    if os.fork():
        os._exit(0)
    _become_source(place.Place(path, transient), log_defs, 4, move_in, Method(*method))


def import_main(main: Dict[str, str]) -> None:
    """Import the program's main module, as multiprocessing does: under a name that is not __main__'s."""
    if main:
        from multiprocessing import spawn
        spawn.prepare(main)


def _become_source(where: place.Place, log_defs: Any, tell_fd: int, move_in: MoveIn,
                   method: Method) -> NoReturn:
    """In the new process: leave what is the program's behind, join, and be its source process to the end."""
    try:
        move_in(where)
        _leave_program([tell_fd])
        logger = start_logger(log_defs, tell_fd) if log_defs else None
        try:
            sock, answer = where.join(As='parent', Log=threshold(log_defs))
        except place.Refused as refused:
            os.write(tell_fd, READY if refused.kind == failure.PARENT else str(refused).encode())
            os._exit(0)
        if answer.get('Mark'):
            process.bear_mark(str(answer['Mark']))
        os.write(tell_fd, READY)
        os.close(tell_fd)
        gc.freeze()
        program = Program((where.path, where.transient), logger, method)
        SourceProcess(place.HOST, sock.detach(), True, program).run()
    except BaseException as error:
        try:
            os.write(tell_fd, ('%s: %s' % (type(error).__name__, error)).encode('utf-8', 'replace'))
        except OSError:
            pass
    finally:
        os._exit(70)


def _leave_program(keep: List[int]) -> None:
    """Be detached from the program, whose objects are all still there.

    Its descriptors lead nowhere from now on, instead of being closed: a file object that still has the
    number would close somebody else's one day.
    """
    sys.settrace(None)
    sys.setprofile(None)
    gc.disable()
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    for name in os.listdir('/proc/self/fd'):
        fd = int(name)
        if fd > 2 and fd != null and fd not in keep:
            try:
                os.fstat(fd)
                os.dup2(null, fd, inheritable=False)
            except OSError:
                pass
    os.close(null)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):
            pass
    process.waker.forget()
    process.catch_signals()
    signal.signal(signal.SIGCHLD, process.note_signal)
    process.release_signals()
    process.prctl(process.PR_SET_CHILD_SUBREAPER, 1)


class Program:
    """What a program's source process does besides: logging as configured there, and leaving nothing alive.

    Source:  home: what the Place of its system is made of.
    """

    def __init__(self, home: Tuple[str, bool], logger: Optional[Logger], method: Method) -> None:
        self.home = home
        self.method = method
        self.logger = logger

    def facts(self) -> dict:
        """What another interpreter needs to be like this one."""
        return {'path': sys.path, 'argv': sys.argv, 'home': self.home, 'main': self.method.main,
                'logger': self.logger is not None}

    @classmethod
    def again(cls, facts: dict, logger_fd: int, move_in: MoveIn) -> 'Program':
        """In the other interpreter, with what facts() said. Errors: what the program's main module raises."""
        sys.path[:], sys.argv[:] = facts['path'], facts['argv']
        move_in(place.Place(*facts['home']))
        import_main(facts['main'])
        return cls(facts['home'], Logger.at(logger_fd) if facts['logger'] else None, Method(False))

    @property
    def forks(self) -> bool:
        """Whether its actors are forked, where they may be."""
        return not self.method.each

    def begin_actor(self, address: str) -> None:
        """In the process of an actor: its records go to the logger process."""
        logs.handler.record_sink = record_sender(self.logger, 'ActorAddr-' + address)

    def end(self) -> None:
        """Kill what is left of actors and of what they started, then let the logger write the rest."""
        spared = 0
        if self.logger is not None:
            self.logger.sock.close()
            spared = self.logger.pid
        _kill_children(spared)
        if spared and not place.wait_until(lambda: _reaped(spared), LOGGER_SECONDS):
            _kill_children(0)


def _children() -> List[int]:
    try:
        with open('/proc/thread-self/children', encoding='ascii') as stream:
            return [int(pid) for pid in stream.read().split()]
    except OSError:
        return []


def _kill_children(spared: int) -> None:
    """Kill all children; those of theirs become ours, and are killed in the next turn."""
    while True:
        children = [pid for pid in _children() if pid != spared]
        if not children:
            return
        for act in (lambda pid: os.kill(pid, signal.SIGKILL)), (lambda pid: os.waitpid(pid, 0)):
            for pid in children:
                try:
                    act(pid)
                except OSError:
                    pass


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
