# SPDX-License-Identifier: MIT
"""Where a program finds its actor system: the director directory, the tools, the admin's socket.

A system is found by THESPIAN_DIRECTOR_DIR; else it is the user's own for an `Admin Port`, or the
program's, in a folder that nobody else can write.
"""
import contextlib
import json
import os
import shutil
import socket
import stat
import time
from typing import Any, Callable, Dict, Optional, Tuple

from tdshost.program.rundir import NotRunning, open_rundir
from tdshost.wire.protocol import PROTOCOL
from tdshost.words.errors import ActorSystemStartupFailure

HOST = os.path.abspath(__file__).rsplit(os.sep, 3)[0]  # the folder that holds tdshost and thespian

ANSWER_MAX = 1 << 20
ANSWER_SECONDS = 60

DENIED = 'denied'  # the kind of a refusal: this user may not, now or later
OTHER_PROTOCOL = 'protocol'  # the kind of a refusal: the admin and this program do not understand each other


class Refused(Exception):
    """The admin answered that it will not: status, text, and of some refusals the kind."""

    def __init__(self, status: int, text: str, kind: Optional[str] = None) -> None:
        super().__init__(text)
        self.status = status
        self.kind = kind


class Place:
    """A director directory.

    Source:  transient: it is the user's own, made for programs and gone with the system; port: what that then has
             open, 0: nothing.
    """

    def __init__(self, path: str, transient: bool, port: int = 0) -> None:
        self.path = path
        self.transient = transient
        self._port = port

    # --- the admin's socket

    def connect(self) -> socket.socket:
        """A connection to the admin. Errors: NotRunning, ActorSystemStartupFailure."""
        folder = open_rundir(self.path)
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:  # by descriptor: the path may be too long for the address of a socket
                sock.connect('/proc/self/fd/%d/admin.sock' % folder)
            except OSError:
                sock.close()
                raise NotRunning from None
            return sock
        finally:
            os.close(folder)

    def join(self, **request: Any) -> Tuple[socket.socket, dict]:
        """Ask to join as `As` says; the connection is a link then. Errors: NotRunning, Refused."""
        sock = self.connect()
        try:
            sock.settimeout(ANSWER_SECONDS)
            try:
                sock.sendall(json.dumps(dict(request, DirectorOp='Join', Protocol=PROTOCOL)).encode('ascii') + b'\n')
            except BrokenPipeError:
                pass  # it was refused already, and says why
            answer = json.loads(_line(sock))
            if answer.get('Protocol') != PROTOCOL and answer.get('Kind') != OTHER_PROTOCOL:
                raise Refused(8, 'the admin process is of another tds, whose protocol is %s; that of this program is %d '
                              '(tds-admin restart, or start the program again)' % (answer.get('Protocol'), PROTOCOL), OTHER_PROTOCOL)
            if not answer.get('Success'):
                raise Refused(answer.get('Status', 1), answer.get('Message', 'refused'), answer.get('Kind'))
            return sock, answer
        except (OSError, EOFError):
            sock.close()
            raise NotRunning from None
        except BaseException:
            sock.close()
            raise

    # --- the daemon

    def start(self) -> None:
        """Have the admin started, unless it runs. Errors: ActorSystemStartupFailure."""
        if self.transient:
            try:
                os.mkdir(self.path, 0o700)
            except FileExistsError:
                _check_private(self.path)
            self._say_port()
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        try:
            pid = self._admin(write_end, '-q', 'start', *(['--transient'] if self.transient else []))
            os.close(write_end)
            write_end = -1
            with os.fdopen(read_end, 'rb', closefd=False) as stream:
                text = stream.read(65536)
            status = wait_for(pid)
        except OSError as error:
            raise ActorSystemStartupFailure('tds-admin cannot be started: %s' % error) from None
        finally:
            os.close(read_end)
            if write_end >= 0:
                os.close(write_end)
        if status and not (self.transient and not os.path.isdir(self.path)):
            raise ActorSystemStartupFailure(text.decode('utf-8', 'replace').strip()
                                            or 'tds-admin start ended with %d' % status)

    def _say_port(self) -> None:
        """Which port the system is to have open, if any; what another system has left says nothing. Errors: OSError."""
        path = os.path.join(self.path, 'adminport.cfg')
        if self._port:
            with open('%s.%d' % (path, os.getpid()), 'w', encoding='ascii') as stream:
                stream.write('%d\n' % self._port)
            os.rename(stream.name, path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def stop(self) -> None:
        """End the system that start() began, for which this program turned out to have no use."""
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            wait_for(self._admin(null, 'shutdown'))
        except OSError:
            pass  # who refused us knows why
        finally:
            os.close(null)

    def _admin(self, errors: int, *arguments: str) -> int:
        """Start tds-admin, which prints to the descriptor errors alone. Returns its pid. Errors: OSError."""
        tool = find_tool('tds-admin')
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            return os.posix_spawn(tool, [tool, '-C', self.path, *arguments], os.environ, file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2)])
        finally:
            os.close(null)

    def is_gone(self) -> bool:
        """Is the system over, with what it had on disk?"""
        if self.transient:
            return not os.path.exists(os.path.join(self.path, '.tds'))
        try:
            self.connect().close()
        except NotRunning:
            return True
        return False


def _line(sock: socket.socket) -> bytes:
    """One line, and not a byte of what follows. Errors: OSError, EOFError."""
    data = b''
    while not data.endswith(b'\n'):
        piece = sock.recv(65536, socket.MSG_PEEK)
        if not piece or len(data) > ANSWER_MAX:
            raise EOFError
        data += sock.recv(piece.find(b'\n') + 1 or len(piece))
    return data


def wait_for(pid: int) -> int:
    """The exit status of a child; 0 where somebody else in the program has reaped it."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0


def find_tool(name: str) -> str:
    """The path of a tool: as installed, as built in the source tree, else by PATH.

    Errors:  ActorSystemStartupFailure.
    """
    for back in ('../../../bin', '../../build/bin'):
        path = os.path.normpath(os.path.join(HOST, back, name))
        if os.access(path, os.X_OK):
            return path
    path = shutil.which(name) or ''
    if not path:
        raise ActorSystemStartupFailure('%s is not found: neither beside %s nor by PATH' % (name, HOST))
    return path


def _check_private(path: str) -> None:
    """Errors: ActorSystemStartupFailure unless path is a folder of this user that nobody else can write."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise ActorSystemStartupFailure('%s is not a folder that belongs to this user alone' % path)


def _private_folder(path: str) -> str:
    """Make a folder of this user, or find it made. Errors: ActorSystemStartupFailure."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise ActorSystemStartupFailure('%s: %s' % (path, error)) from None
    _check_private(path)
    return path


def _user_folder() -> str:
    runtime = os.environ.get('XDG_RUNTIME_DIR')
    if runtime and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.geteuid():
        return _private_folder(os.path.join(runtime, 'tds'))
    return _private_folder(os.path.join(os.environ.get('TMPDIR') or '/tmp', 'tds-%d' % os.geteuid()))


def find(capabilities: Dict[str, Any], unique: str = '', listens: bool = False) -> Place:
    """The system that a program means.

    Source:  unique: it wants one of its own, under this name; listens: its port is to be open.
    Errors:  ActorSystemStartupFailure.
    """
    directory = os.environ.get('THESPIAN_DIRECTOR_DIR')
    if directory:
        return Place(os.path.abspath(directory), False)
    try:
        port = int(capabilities.get('Admin Port', 1900))
    except (TypeError, ValueError):
        raise ActorSystemStartupFailure('the Admin Port is no number: %r'
                                        % (capabilities['Admin Port'],)) from None
    return Place(os.path.join(_user_folder(), unique or str(port)), True,
                 port if listens and 0 < port < 65536 else 0)


def is_this_host(address: Any) -> bool:
    """Does a Convention Address ('host', 'host:port', ('host', port)) mean this machine?"""
    host = address[0] if isinstance(address, tuple) and address else address
    if not isinstance(host, str):
        return not host
    host = host.partition(':')[0]
    if not host:
        return True
    try:
        for info in socket.getaddrinfo(host, 0, socket.AF_INET, socket.SOCK_DGRAM):
            with socket.socket(*info[:3]) as sock:
                try:
                    sock.bind(info[4])  # only an address of this machine can be bound
                    return True
                except OSError:
                    pass
    except OSError:
        pass
    return False


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """For what the kernel tells nobody: ask again and again."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
