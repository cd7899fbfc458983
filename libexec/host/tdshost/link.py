# SPDX-License-Identifier: MIT
"""One link: frames over a stream socket, whole in both directions, with descriptors.

Knows the grammar of frames and of their bodies; knows nothing of what they mean.
"""
import errno
import json
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, List, Sequence, Tuple

from tdshost.process import read_sealed

FRAME_MAX = 1 << 20
INLINE_MAX = 65536  # a larger payload travels as a sealed memory file

_HEAD = struct.Struct('<IB')
_TO = struct.Struct('<IBQB')          # to the admin: length, type, to, enc
_TO_FILE = struct.Struct('<IBQBQ')
_PASS = struct.Struct('<IBQIB')       # over a direct link: length, type, from, realm, enc
_PASS_FILE = struct.Struct('<IBQIBQ')
_FROM = struct.Struct('<QIB')         # in: from, realm, enc
_FROM_FILE = struct.Struct('<QIBQ')
_DEAD = struct.Struct('<QIQIB')       # in: dead target, its realm, from, realm of from, enc
_DEAD_FILE = struct.Struct('<QIQIBQ')
_BACK = struct.Struct('<QB')          # in: to, enc
_BACK_FILE = struct.Struct('<QBQ')

_CONTROL = ord('C')
_BODIES = {ord('M'): _FROM, ord('D'): _DEAD, ord('R'): _BACK}
_FILES = {ord('F'): ('M', _FROM_FILE), ord('E'): ('D', _DEAD_FILE), ord('S'): ('R', _BACK_FILE)}
_FDS_WITH = {'spawn': 2, 'direct': 1, 'parent': 2}  # descriptors that a control frame brings

_SPACE = socket.CMSG_SPACE(8 * 4)
_FLAGS = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC

# What receive() gives: ('C', op, descriptors), or the letter of 'M', 'D' or 'R', then the fields of
# its body in the order of the format, then the payload (bytes or a mapped file).
Event = Tuple[Any, ...]


def wire_text(text: str, limit: int = 65536) -> str:
    """Text as every reader of JSON takes it: no lone surrogate, no NUL; of too long a text the end."""
    if len(text) > limit:
        text = '...' + text[-limit:]
    return text.encode('utf-8', 'backslashreplace').decode('utf-8').replace('\0', '\\x00')


class ProtocolError(Exception):
    """The other end broke the grammar; the link cannot be used any more."""


class Closed(Exception):
    """The other end is gone."""


class Link:
    """One end of a link.

    Owner:   the link owns its descriptor, and those received that were not handed out.
    Threads: any thread may send; only the one that owns the loop may receive. `wait` is called while a
             send is blocked; in the loop's thread it has to take input, so that no cycle of full links
             can come to stand.
    """

    def __init__(self, fd: int, wait: Callable[['Link'], None]) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
        self.sock.setblocking(False)
        self.fd = fd
        self.wait = wait
        self._rest = b''
        self._fds: Deque[int] = deque()
        self._lock = threading.Lock()
        self._holder = 0
        self._later: List[bytes] = []

    def close(self) -> None:
        """Close the link and what was received with it."""
        self.sock.close()
        while self._fds:
            os.close(self._fds.popleft())

    # --- input

    def receive(self) -> List[Event]:
        """What one read brings: the frames that are whole, maybe none.

        Errors:  Closed; ProtocolError.
        """
        try:
            data, ancillary, _, _ = self.sock.recvmsg(65536, _SPACE, _FLAGS)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            raise Closed from None
        if ancillary:
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    self._fds.extend(struct.unpack('%di' % (len(content) // 4), content))
        if not data:
            raise Closed
        if self._rest:
            data = self._rest + data
        return self._split(data)

    def _split(self, data: bytes) -> List[Event]:
        events: List[Event] = []
        at, end = 0, len(data)
        while end - at >= 5:
            size, kind = _HEAD.unpack_from(data, at)
            if not 1 <= size <= FRAME_MAX:
                raise ProtocolError('a frame of %d bytes' % size)
            if end - at < 4 + size:
                break
            body = _BODIES.get(kind)
            start, at = at + 5, at + 4 + size
            if body is not None:
                if at - start < body.size:
                    raise ProtocolError('a short frame of type %r' % chr(kind))
                events.append((chr(kind),) + body.unpack_from(data, start) + (data[start + body.size:at],))
            elif kind == _CONTROL:
                events.append(self._control(data[start:at]))
            elif kind in _FILES:
                events.append(self._file(kind, data[start:at]))
            else:
                raise ProtocolError('a frame of unknown type %d' % kind)
        self._rest = data[at:] if at < end else b''
        return events

    def _control(self, body: bytes) -> Event:
        try:
            op = json.loads(body)
        except (ValueError, RecursionError):
            raise ProtocolError('a control frame that is no JSON') from None
        if not isinstance(op, dict) or not isinstance(op.get('op'), str):
            raise ProtocolError('a control frame without op')
        count = _FDS_WITH.get(op['op'], 0)
        if op['op'] == 'hello' and op.get('archive') is True:
            count = 1
        if len(self._fds) < count:
            raise ProtocolError('%s without its descriptors' % op['op'])
        return 'C', op, [self._fds.popleft() for _ in range(count)]

    def _file(self, kind: int, body: bytes) -> Event:
        letter, form = _FILES[kind]
        if len(body) != form.size or not self._fds:
            raise ProtocolError('a bad frame of type %r' % chr(kind))
        fields = form.unpack(body)
        fd = self._fds.popleft()
        try:
            payload: Any = read_sealed(fd)
        except (OSError, ValueError) as error:
            raise ProtocolError('a bad memory file: %s' % error) from None
        finally:
            os.close(fd)
        if len(payload) != fields[-1]:
            raise ProtocolError('a memory file of another size')
        return (letter,) + fields[:-1] + (payload,)

    # --- output

    def send_control(self, op: dict, fds: Sequence[int] = ()) -> None:
        """Send a control frame. Errors: Closed."""
        body = json.dumps(op, allow_nan=False, separators=(',', ':')).encode('ascii')
        self.send_frame(control_frame(body), fds)

    def send_frame(self, frame: bytes, fds: Sequence[int] = ()) -> None:
        """Send a whole frame, in turn with other threads. Errors: Closed."""
        if not self._lock.acquire(False):
            if self._holder == threading.get_ident():  # a signal handler, or what took input while we wait
                self._later.append(frame)
                return
            while not self._lock.acquire(True, 0.01):
                self.wait(self)
        self._holder = threading.get_ident()
        try:
            self._send(frame, fds)
            while self._later:
                self._send(self._later.pop(0), ())
        finally:
            self._holder = 0
            self._lock.release()

    def _send(self, frame: bytes, fds: Sequence[int]) -> None:
        sock = self.sock
        try:
            while fds:
                try:
                    sent = sock.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                   struct.pack('%di' % len(fds), *fds))])
                    break
                except BlockingIOError:
                    self.wait(self)
                except OSError as error:
                    if error.errno != errno.ETOOMANYREFS:  # too many descriptors under way
                        raise
                    self.wait(self)
                    time.sleep(0.001)
            else:
                try:
                    sent = sock.send(frame)
                except BlockingIOError:
                    sent = 0
            if sent < len(frame):
                rest = memoryview(frame)[sent:]
                while rest:
                    self.wait(self)
                    try:
                        rest = rest[sock.send(rest):]
                    except BlockingIOError:
                        pass
        except OSError:
            raise Closed from None


def control_frame(body: bytes) -> bytes:
    """The frame of a control op in JSON."""
    return _HEAD.pack(1 + len(body), _CONTROL) + body


def message_frame(to: int, enc: int, payload: bytes) -> bytes:
    """The frame of a message of at most INLINE_MAX bytes, for the admin to pass on."""
    return _TO.pack(10 + len(payload), 77, to, enc) + payload  # 77: 'M'


def file_frame(to: int, enc: int, size: int) -> bytes:
    """The frame of a message that is in a memory file, to be sent with its descriptor."""
    return _TO_FILE.pack(18, 70, to, enc, size)  # 70: 'F'


def direct_message_frame(sender: int, realm: int, enc: int, payload: bytes) -> bytes:
    """As message_frame, for a direct link: in the form in which the admin would have passed it on."""
    return _PASS.pack(14 + len(payload), 77, sender, realm, enc) + payload


def direct_file_frame(sender: int, realm: int, enc: int, size: int) -> bytes:
    """As file_frame, for a direct link."""
    return _PASS_FILE.pack(22, 70, sender, realm, enc, size)


def wait_writable(link: Link) -> None:
    """The wait of a link that nobody reads meanwhile: until it can be written, or a moment passed."""
    poll = select.poll()
    poll.register(link.fd, select.POLLOUT)
    poll.poll(50)
