# SPDX-License-Identifier: MIT
"""One address of a program: its link to the admin, and what may be sent and received over it.

Any thread may use it; one of those that wait reads for all.
"""
import os
import select
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from tdshost.wire import realm
from tdshost.wire.fields import system_status
from tdshost.wire.link import INLINE_MAX, Closed, Link, ProtocolError, file_frame, message_frame
from tdshost.wire.process import sealed_file
from tdshost.words.address import ActorAddress
from tdshost.words.errors import ActorSystemFailure, ActorSystemRequestTimeout
from tdshost.words.messages import ActorExitRequest
from tdshost.words.outside import Timeout, passes, seconds_of
from tdshost.words.status import Thespian_StatusReq

TELL_SECONDS = 60
DEAD_MAX = 4096      # dead actors that are remembered
EXIT_MOMENT = 0.002  # for an exit to come about: programs go on to ask those whom it concerns

_NOTHING = object()


class Endpoint:
    """One address of this program.

    Owner:   sock becomes the endpoint's.
    Errors:  of all methods but ask and listen: ActorSystemFailure where the system has ended.
    """

    def __init__(self, sock: Any, joined: dict) -> None:
        self.pid = os.getpid()
        self.address = ActorAddress(joined['Address'])
        self.realm = realm.parse_address(joined['Address'])[0]
        self.max_message: int = joined['MaxMessage']
        self._link = Link(sock.detach(), self._wait_blocked)
        self._inbox: Deque[Any] = deque()
        self._answers: Dict[int, dict] = {}
        self._dead: Deque[int] = deque(maxlen=DEAD_MAX)
        self._changed = threading.Condition()
        self._reading = False
        self._ended = False
        self._refs = 0

    def close(self) -> None:
        """End it; what waits here is lost."""
        with self._changed:
            self._ended = True
            reading = self._reading
            self._changed.notify_all()
        if not reading:  # else who reads does that
            self._link.close()

    # --- input

    def _pump(self, found: Callable[[], bool], seconds: Optional[float]) -> bool:
        """Read until something is found, or time is over. Errors: ActorSystemFailure."""
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not found():
                if self._ended:
                    raise ActorSystemFailure('the actor system has ended')
                left = None if end is None else end - time.monotonic()
                if left is not None and left < 0:
                    left = 0
                if self._reading:
                    if not self._changed.wait(left):
                        return found()
                    continue
                if not self._read_turn(left) and left == 0:
                    return found()
        return True

    def _read_turn(self, left: Optional[float]) -> bool:
        """Be the one that reads, once; the lock is let go meanwhile. Returns whether something came."""
        self._reading = True
        self._changed.release()
        events: List[Any] = []
        ended = False
        try:
            poll = select.poll()
            poll.register(self._link.fd, select.POLLIN)
            if poll.poll(None if left is None else min(left, 1e6) * 1000):
                events = self._link.receive() or []
        except (Closed, ProtocolError, OSError):
            ended = True
        finally:
            if ended or self._ended:
                self._ended = True
                self._link.close()  # without our lock: who sends has the link's, and wants ours to see the end
            self._changed.acquire()
            self._reading = False
            for event in events:
                self._note(event)
            self._changed.notify_all()
        return bool(events)

    def _note(self, event: Any) -> None:
        if event[0] == 'M':
            self._inbox.append(event[1:])
        elif event[0] == 'C':
            op = event[1]
            if op['op'] == 'dead':
                self._dead.append(int(op['id']))
            elif op['op'] == 'status':
                self._inbox.append(op)
            elif 'ref' in op:
                self._answers[op['ref']] = op

    def _wait_blocked(self, link: Link) -> None:
        """Wait for room in the link; read meanwhile, lest two that wait for each other wait for ever."""
        with self._changed:
            reads = not self._reading and not self._ended
            if reads:
                self._read_turn(0)
            if self._ended:
                raise OSError
        fd = link.fd
        if fd < 0:
            raise OSError  # closed by another thread
        poll = select.poll()
        poll.register(fd, select.POLLOUT | (select.POLLIN if reads else 0))
        poll.poll(50)

    # --- output

    def tell(self, target: Any, message: Any) -> None:
        """Send a message. Errors: ValueError for no address; what pickling raises; NotPassed."""
        if not isinstance(target, ActorAddress):
            raise ValueError('%s is not an ActorAddress' % (target,))
        to_realm, ident = realm.parse_address(target.addressDetails)
        if not ident:
            if isinstance(message, Thespian_StatusReq):
                self.control({'op': 'status'})
            return  # nothing else can be said to the system itself
        enc, payload = realm.encode(message, self.realm, to_realm)
        if len(payload) > self.max_message:
            raise realm.NotPassed('a message of %d bytes is too large (at most %d)'
                                  % (len(payload), self.max_message))
        self._await_room()
        if len(payload) <= INLINE_MAX:
            self._send(message_frame(ident, enc, payload))
        else:
            fd = sealed_file(payload)
            try:
                self._send(file_frame(ident, enc, len(payload)), (fd,))
            finally:
                os.close(fd)
        if isinstance(message, ActorExitRequest):
            time.sleep(EXIT_MOMENT)

    def _await_room(self) -> None:
        """Wait until a frame goes out whole: half of one could not be taken back. Errors: as tell."""
        end = time.monotonic() + TELL_SECONDS
        fd = self._link.fd
        if fd < 0:
            return  # closed: sending says so
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        while not self._ended and not poll.poll(0):
            if time.monotonic() > end:
                raise ActorSystemRequestTimeout('the message was not taken within %d s' % TELL_SECONDS)
            try:
                self._wait_blocked(self._link)
            except OSError:
                break

    def _send(self, frame: bytes, fds: Tuple[int, ...] = ()) -> None:
        try:
            if self._ended:
                raise Closed
            self._link.send_frame(frame, fds)
        except (Closed, OSError):
            raise ActorSystemFailure('the actor system has ended') from None

    def control(self, op: dict, fds: Tuple[int, ...] = ()) -> None:
        """Send an op, maybe with descriptors."""
        try:
            if self._ended:
                raise Closed
            self._link.send_control(op, fds)
        except (Closed, OSError):
            raise ActorSystemFailure('the actor system has ended') from None

    def request(self, op: dict, seconds: float) -> dict:
        """Send an op and wait for its answer. Errors: ActorSystemRequestTimeout."""
        with self._changed:
            self._refs += 1
            ref = self._refs
        self.control(dict(op, ref=ref))
        if not self._pump(lambda: ref in self._answers, seconds):
            raise ActorSystemRequestTimeout('no answer within %d s' % seconds)
        return self._answers.pop(ref)

    # --- messages

    def listen(self, timeout: Timeout) -> Any:
        """The next message, or None: time is over, or the system has ended."""
        return self._until_ended(lambda: self._await(timeout, None))

    def _until_ended(self, wait: Callable[[], Any]) -> Any:
        """What comes of a wait; None where the system has ended, now or before."""
        try:
            return wait()
        except ActorSystemFailure:
            if not self._ended:
                raise
            return None

    def _await(self, timeout: Timeout, target: Optional[int]) -> Any:
        """The next message, or None: time is over, or target is dead."""
        seconds = seconds_of(timeout)
        end = None if seconds is None else time.monotonic() + seconds

        def found() -> bool:
            return bool(self._inbox) or target in self._dead
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not self._pump(found, left):
                return None
            try:
                item = self._inbox.popleft()
            except IndexError:
                if target in self._dead:
                    return None
                continue  # another thread was faster
            message = self._decoded(item)
            if message is not _NOTHING:
                return message

    def _decoded(self, item: Any) -> Any:
        if isinstance(item, dict):
            return system_status(item)
        _, sender_realm, enc, payload = item
        try:
            message = realm.decode(enc & ~realm.COMMANDS, payload, self.realm, sender_realm)
        except Exception:  # of a class that is not known here
            return _NOTHING
        return message if passes(message) else _NOTHING

    def ask(self, target: Any, message: Any, timeout: Timeout) -> Any:
        """Send a message, and wait for the next one that comes, from whomever; None where the system has ended."""
        def asked() -> Any:
            self.tell(target, message)
            seconds = seconds_of(timeout)
            if seconds is not None and seconds <= 0:
                return None
            return self._await(timeout, realm.parse_address(target.addressDetails)[1])
        return self._until_ended(asked)

    def wait_end(self, seconds: float) -> bool:
        """Wait until the system has ended."""
        try:
            self._pump(lambda: False, seconds)
        except ActorSystemFailure:
            return True
        return self._ended
