# SPDX-License-Identifier: MIT
"""One link: frames over a stream socket, whole in both directions, with descriptors.

Knows the grammar of frames and of their bodies; knows nothing of what they mean.
"""
import errno
import json
import logging
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from typing import Any, Callable, Container, Deque, List, Optional, Sequence, Tuple

from tdshost.wire.process import read_sealed

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
_MESSAGE = ord('M')
_BODIES = {ord('D'): _DEAD, ord('R'): _BACK}
_FILES = {ord('F'): ('M', _FROM_FILE), ord('E'): ('D', _DEAD_FILE), ord('S'): ('R', _BACK_FILE)}
_FDS_WITH = {'spawn': 1, 'direct': 1, 'parent': 2, 'validate': 1}  # descriptors that a control frame brings
_MAY_LOSE = frozenset(_FDS_WITH)  # those that are taken without, where the process could have no more
_FDS_MAX = 16  # that an actor may have sent ahead of their frames

_SPACE = socket.CMSG_SPACE(8 * 4)
_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)  # no enumerations: their operators are slow
_CTRUNC = int(socket.MSG_CTRUNC)

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
    """One end of a link, to the admin or, with max_message, to an actor that is not trusted.

    Shape:   max_message in bytes; the admin has looked at what it sends.
    Owner:   the link owns its descriptor, and those received that were not handed out.
    Threads: any thread may send; only the one that owns the loop may receive. `wait` is called while a
             send is blocked; in the loop's thread it has to take input, so that no cycle of full links
             can come to stand.
    """

    def __init__(self, fd: int, wait: Callable[['Link'], None], max_message: Optional[int] = None) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
        self.sock.setblocking(False)
        self.fd = fd
        self.wait = wait
        self.max_message = max_message
        self._rest = b''
        self._fds: Deque[int] = deque()
        self._lock = threading.Lock()
        self._holder = 0
        self._lost = 0  # descriptors that came while the process could have no more
        self._later: List[Tuple[bytes, List[int]]] = []

    def shut(self) -> None:
        """Let nobody write any more, in this process or another; what is there can still be read."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is so already

    def close(self) -> None:
        """Close the link and what was received with it. Where others may be sending, shut it first."""
        nested = self._holder == threading.get_ident()
        if not nested:
            self._lock.acquire()  # another thread may be sending, and the number be given away
        self.fd = -1
        self.sock.close()
        if not nested:
            self._lock.release()
        while self._fds:
            os.close(self._fds.popleft())

    # --- input

    def receive(self) -> Optional[List[Event]]:
        """What one read brings: the frames that are whole, maybe none. None: nothing was there.

        Errors:  Closed; ProtocolError.
        """
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(65536, _SPACE, _FLAGS)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            raise Closed from None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = struct.unpack('%di' % (len(content) // 4), content)
                if flags & _CTRUNC:  # half of what a frame needs is of no use
                    for fd in fds:
                        os.close(fd)
                else:
                    self._fds.extend(fds)
        if flags & _CTRUNC:
            self._lost += 1
        if not data:
            raise Closed
        if self._rest:
            data = self._rest + data
        elif len(data) >= 18 and not self._fds and _HEAD.unpack_from(data) == (len(data) - 4, _MESSAGE):
            # Most often it is one message. FRAME_MAX holds: no more was read.
            return [('M', *_FROM.unpack_from(data, 5), data[18:])]
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
            start, at = at + 5, at + 4 + size
            if kind == _MESSAGE:
                if size < 14:
                    raise ProtocolError('a short message')
                events.append(('M', *_FROM.unpack_from(data, start), data[start + 13:at]))
            elif kind in _FILES and (self.max_message is None or chr(kind) == 'F'):
                events.extend(self._file(kind, data[start:at]))
            elif self.max_message is not None:
                raise ProtocolError('a frame of type %d' % kind)
            elif kind == _CONTROL:
                events.append(self._control(data[start:at]))
            elif kind in _BODIES:
                body = _BODIES[kind]
                if at - start < body.size:
                    raise ProtocolError('a short frame of type %r' % chr(kind))
                events.append((chr(kind),) + body.unpack_from(data, start) + (data[start + body.size:at],))
            else:
                raise ProtocolError('a frame of unknown type %d' % kind)
        if self.max_message is not None and len(self._fds) > _FDS_MAX:
            raise ProtocolError('descriptors without frames')
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
        if op['op'] == 'confine' and op.get('held') is True:
            count = 2
        if op.get('output') is False:
            count -= 1
        if op['op'] in _MAY_LOSE and not self._fds and self._lost:
            self._lost -= 1
            count = 0  # then not
        if len(self._fds) < count:
            raise ProtocolError('%s without its descriptors' % op['op'])
        return 'C', op, [self._fds.popleft() for _ in range(count)]

    def _file(self, kind: int, body: bytes) -> List[Event]:
        letter, form = _FILES[kind]
        if len(body) == form.size and not self._fds and self._lost:
            self._lost -= 1
            logging.getLogger('tds.host').error('a large message is lost: no descriptor is left to take it')
            return []
        if len(body) != form.size or not self._fds:
            raise ProtocolError('a bad frame of type %r' % chr(kind))
        fields = form.unpack(body)
        if self.max_message is not None and fields[-1] > self.max_message:
            raise ProtocolError('a message of %d bytes' % fields[-1])
        fd = self._fds.popleft()
        try:
            payload: Any = read_sealed(fd)
        except (OSError, ValueError) as error:
            raise ProtocolError('a bad memory file: %s' % error) from None
        finally:
            os.close(fd)
        if len(payload) != fields[-1]:
            raise ProtocolError('a memory file of another size')
        return [(letter,) + fields[:-1] + (payload,)]

    # --- output

    def send_control(self, op: dict, fds: Sequence[int] = ()) -> None:
        """Send a control frame. Errors: Closed."""
        body = json.dumps(op, allow_nan=False, separators=(',', ':')).encode('ascii')
        self.send_frame(control_frame(body), fds)

    def send_frame(self, frame: bytes, fds: Sequence[int] = (), to: int = 0,
                   unless_in: Container[int] = ()) -> bool:
        """Send a whole frame, in turn with other threads; not, and False, if `to` has another way by then.

        Errors:  Closed.
        """
        if not self._lock.acquire(False):
            if self._holder == threading.get_ident():  # a signal handler, or what took input while we wait
                if to in unless_in:
                    return False
                self._later.append((frame, [os.dup(fd) for fd in fds]))
                return True
            while not self._lock.acquire(True, 0.01):
                self.wait(self)
        self._holder = threading.get_ident()
        try:
            if to in unless_in:
                return False
            self._send(frame, fds)
            while self._later:
                self._send_later(*self._later.pop(0))
            return True
        finally:
            self._holder = 0
            self._lock.release()

    def _send_later(self, frame: bytes, fds: List[int]) -> None:
        try:
            self._send(frame, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _send(self, frame: bytes, fds: Sequence[int]) -> None:
        sock = self.sock
        sent = 0
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
                    pass
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
    if link.fd >= 0:
        poll.register(link.fd, select.POLLOUT)
        poll.poll(50)
