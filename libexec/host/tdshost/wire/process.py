# SPDX-License-Identifier: MIT
"""What the host asks of the kernel that Python does not offer, or offers in more than one step.

Death signal, subreaper, the number of threads, descriptors, sealed memory files, signals for actors.
"""
import _signal
import ctypes
import errno
import fcntl
import mmap
import os
import signal
from typing import Any, Callable, Iterable, List

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
MARK = 'TDS_ADMIN_RUN'
SIGKILL = int(signal.SIGKILL)
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
SEAL_TRIES = 20
COPIED_MAX = 1 << 20  # of received memory files larger ones are mapped, not copied

# How an actor takes signals: these ask it to exit; these are left as they are (job control, faults, what
# Python ignores, so that a write fails instead, and SIGCHLD, so that actors can wait for processes of their
# own); all others do nothing.
EXIT_SIGNALS = frozenset((signal.SIGTERM, signal.SIGQUIT, signal.SIGABRT))
LEFT_SIGNALS = frozenset((signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGPIPE, signal.SIGCHLD,
                          signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP,
                          signal.SIGSYS, signal.SIGXFSZ))
ALL_SIGNALS = tuple(int(signum) for signum in signal.valid_signals())

pending_signals: List[int] = []  # signals that arrived and that the loop has not looked at


def note_signal(signum: int, frame: object) -> None:
    """The one signal handler: remembers the signal and ends the loop's wait."""
    pending_signals.append(signum)
    waker.wake()  # besides Python's own wakeup descriptor, which an actor may have taken (asyncio does)


def forget_signal(signum: int, frame: object) -> None:
    """The handler where a signal does nothing. One that is ignored would be so in started programs, too."""


class Waker:
    """A pipe that signals write to, so that a poll sees them; none is lost between check and poll."""

    def __init__(self) -> None:
        self.read_fd = -1
        self.write_fd = -1

    def open(self) -> None:
        """Make the pipe anew (closing an inherited one) and let signals write to it."""
        old = (self.read_fd, self.write_fd)
        self.read_fd, self.write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.write_fd, warn_on_full_buffer=False)
        for fd in old:
            if fd >= 0:
                os.close(fd)
        if pending_signals:
            self.wake()  # what came before has its byte in the old one

    def forget(self) -> None:
        """Of a process that was forked: the numbers are another's."""
        self.read_fd = self.write_fd = -1

    def wake(self) -> None:
        """Make the next poll return."""
        try:
            os.write(self.write_fd, b'!')
        except OSError:
            pass  # full: the poll returns anyway; closed by the actor: nothing to be done

    def drain(self) -> None:
        """Take what was written."""
        try:
            while len(os.read(self.read_fd, 512)) == 512:
                pass
        except BlockingIOError:
            pass


waker = Waker()


def hold_signals() -> Iterable[int]:
    """Block all, so that none comes between a fork and the time when it can be taken. Returns what was blocked.

    With `_signal`, whose numbers are no enums: an actor is forked in between, and pays for each page.
    """
    return _signal.pthread_sigmask(_signal.SIG_BLOCK, ALL_SIGNALS)


def release_signals(blocked: Iterable[int] = ()) -> None:
    """Let all come but these; those that waited are handled before this returns."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)


def catch_signals(handler: Callable[[int, Any], None] = note_signal) -> None:
    """Install the handler for all signals that are not left; actors inherit this through fork."""
    for signum in range(1, signal.NSIG):
        if signum not in LEFT_SIGNALS:
            try:
                signal.signal(signum, handler)
            except (OSError, ValueError, RuntimeError):
                pass  # the C library keeps a few for itself


_prctl = None


def prctl(option: int, value: int, more: int = 0) -> None:
    """prctl(2) with one argument, or two. Errors: OSError."""
    global _prctl
    if _prctl is None:
        _prctl = ctypes.PyDLL(None).prctl  # the plainest call that there is: each actor makes it
        _prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if _prctl(option, value, more, 0, 0) != 0:
        raise OSError('prctl %d failed' % option)


def die_with(parent: int) -> bool:
    """Be killed when the parent dies; False if it has died already."""
    prctl(PR_SET_PDEATHSIG, SIGKILL)
    return os.getppid() == parent


def become(uid: int, gid: int, parent: int) -> bool:
    """Be this user for good, in no other group; False if the parent has died meanwhile.

    Who changes its user loses its death signal, and is closed to its own user: what actors start could not read the
    archive that this process has open. What was secret of root's was never here. Errors: OSError.
    """
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or os.getgroups():
        raise OSError(errno.EPERM, 'uid %d is had, but not alone' % uid)
    prctl(PR_SET_DUMPABLE, 1)
    return die_with(parent)


def bear_mark(mark: str) -> None:
    """Let this process, and all that it forks or starts, be known as the admin's: it kills what is left at its end.

    Those that it starts have the mark in their environment, those that it forks in the name of a mapped file: what
    the kernel shows of their environment is that of the program which they are copies of. Errors: OSError.
    """
    os.environ[MARK] = mark
    fd = os.memfd_create('%s=%s' % (MARK, mark), os.MFD_CLOEXEC)
    try:
        call = ctypes.CDLL(None, use_errno=True).mmap  # Python's own keeps a descriptor
        call.restype = ctypes.c_void_p
        call.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
        if call(None, mmap.PAGESIZE, 0, mmap.MAP_PRIVATE, fd, 0) == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), 'the mark cannot be mapped')
    finally:
        os.close(fd)


def above(fd: int, least: int) -> int:
    """A copy of a descriptor with at least this number. Errors: OSError."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, least)


def is_open(fd: int) -> bool:
    """Whether a number is that of a descriptor."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def thread_count() -> int:
    """How many threads this process has, those that Python does not know of included."""
    return os.stat('/proc/self/task').st_nlink - 2  # a folder for each


def sealed_file(data: bytes) -> int:
    """A memory file of these bytes that nobody can change any more. Errors: OSError. Owner: caller closes."""
    fd = os.memfd_create('message', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
        _seal(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _seal(fd: int) -> None:
    """Seal a memory file against any change.

    The kernel may hold a page of it for a moment of its own, to move it, say, and then seals nothing: it says so when it
    has waited a seventh of a second itself, and by the next time it may hold another.

    Errors:  OSError.
    """
    for left in reversed(range(SEAL_TRIES)):
        try:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS | fcntl.F_SEAL_SEAL)
            return
        except OSError as error:
            if error.errno != errno.EBUSY or not left:
                raise


def map_sealed(fd: int) -> mmap.mmap:
    """Map a sealed memory file for reading; fd stays the caller's (Python keeps a copy of it, though).

    Errors:  ValueError where it is not sealed (it could shrink under us: SIGBUS) or empty; OSError.
    """
    if fcntl.fcntl(fd, fcntl.F_GET_SEALS) & SEALS != SEALS:
        raise ValueError('the memory file is not sealed')
    return mmap.mmap(fd, os.fstat(fd).st_size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)


def read_sealed(fd: int) -> Any:
    """The contents of a sealed memory file; fd stays the caller's.

    Shape:   bytes of a small one, a mapping of a large one, unless no descriptor is left for that.
    Errors:  as map_sealed.
    """
    try:
        mapped = map_sealed(fd)
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        return os.pread(fd, os.fstat(fd).st_size, 0)
    if len(mapped) > COPIED_MAX:
        return mapped
    with mapped:
        return mapped[:]
