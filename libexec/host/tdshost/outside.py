# SPDX-License-Identifier: MIT
"""The actor system as a program sees it: its connections to the admin, and what it may ask over them.

Each ActorSystem and each private context is an endpoint: a link of its own, with an address in the realm
of the user's guests. Any thread may use it; one of those that wait reads for all.
"""
import os
import select
import threading
import time
from collections import deque
from datetime import timedelta
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple, Union

from tdshost import failure, guest, place, realm, usersource
from tdshost.actorhost import pack_requirements, read_capabilities, system_status
from tdshost.link import (INLINE_MAX, Closed, Link, ProtocolError, file_frame, message_frame, wire_text)
from tdshost.process import sealed_file
from thespian.actors import (ActorAddress, ActorExitRequest, ActorSystemFailure, ActorSystemMessage,
                             ActorSystemRequestTimeout, ActorSystemStartupFailure, InvalidActorAddress,
                             InvalidActorSourceHash, InvalidActorSpecification,
                             NoCompatibleSystemForActor, PoisonMessage, Thespian_ActorStatus,
                             Thespian_StatusReq, Thespian_SystemStatus)

CREATE_SECONDS = 50
TELL_SECONDS = 60
SHUTDOWN_SECONDS = 10
RETRY_SECONDS = 11   # while another system is shutting down in the same place
DEAD_MAX = 4096      # dead actors that are remembered
EXIT_MOMENT = 0.002  # for an exit to come about: programs go on to ask those whom it concerns

BASES = {None: True, 'tdsLocalBase': False, 'multiprocTCPBase': False, 'multiprocUDPBase': False,
         'simpleSystemBase': True, 'multiprocQueueBase': True}  # True: one of each program alone

SYSTEM = ActorAddress('0.0')

Timeout = Union[timedelta, int, float, None]


def seconds_of(timeout: Timeout) -> Optional[float]:
    """A time to wait in seconds; None: for ever."""
    if timeout is None:
        return None
    return timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)


def _passes(message: Any) -> bool:
    """Whether a program gets a message: of those of the system only a few."""
    if isinstance(message, PoisonMessage):
        return _passes(message.poisonMessage)
    return not isinstance(message, ActorSystemMessage) or \
        isinstance(message, (Thespian_ActorStatus, Thespian_SystemStatus))


class Endpoint:
    """One address of this program.

    Owner:   sock becomes the endpoint's.
    Errors:  of all methods: ActorSystemFailure where the system has ended.
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

    def listen(self, timeout: Timeout, target: Optional[int] = None) -> Any:
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
            message = realm.decode(enc, payload, self.realm, sender_realm)
        except Exception:  # of a class that is not known here
            return _NOTHING
        return message if _passes(message) else _NOTHING

    def ask(self, target: Any, message: Any, timeout: Timeout) -> Any:
        """Send a message, and wait for the next one that comes, from whomever."""
        self.tell(target, message)
        seconds = seconds_of(timeout)
        if seconds is not None and seconds <= 0:
            return None
        return self.listen(timeout, realm.parse_address(target.addressDetails)[1])

    def wait_end(self, seconds: float) -> bool:
        """Wait until the system has ended."""
        try:
            self._pump(lambda: False, seconds)
        except ActorSystemFailure:
            return True
        return self._ended


_NOTHING = object()


class System:
    """A system that this program uses: where it is, and how to get endpoints of it."""

    def __init__(self, base: Optional[str], capabilities: Optional[dict], log_defs: Any,
                 unique: bool) -> None:
        self.base = base
        self.given = dict(capabilities or {})
        self.log_defs = log_defs
        private = BASES[base]
        self.place = place.find(self.given, 'own-%d-%d' % (os.getpid(), next_serial())
                                if private else '')
        self._request = {'As': 'program', 'Private': private,
                         'Capabilities': _literals(dict(
                             self.given, **{'Thespian ActorSystem Name': base or 'tdsLocalBase'}))}
        self.over = False
        self.capabilities: dict = {}
        self.endpoint = self.join()

    def join(self) -> Endpoint:
        """A new endpoint, of a system that is started if need be. Errors: ActorSystemStartupFailure..."""
        if self.over:
            raise ActorSystemFailure('the actor system was shut down')
        end = time.monotonic() + RETRY_SECONDS
        started = False
        while True:
            try:
                sock, joined = self.place.join(**self._request)
                break
            except place.NotRunning:
                if time.monotonic() < end:
                    self.place.start()
                    started = True
            except place.Refused as refused:
                if refused.status != 8 or str(refused) == 'not allowed':
                    if started:
                        self.place.stop()
                    raise ActorSystemStartupFailure(str(refused)) from None
                time.sleep(0.01)
            if time.monotonic() >= end:
                raise InvalidActorAddress(SYSTEM, 'not a valid or useable ActorSystem Admin')
        self.capabilities = read_capabilities(joined['Capabilities'])
        endpoint = Endpoint(sock, joined)
        if not joined['Parent']:
            guest.start_parent(self.place, self.log_defs)
        return endpoint

    def main_endpoint(self) -> Endpoint:
        """The one of the program; in a process that the program forked another one."""
        if self.endpoint.pid != os.getpid():
            self.endpoint = self.join()
        return self.endpoint

    def create(self, endpoint: Endpoint, actor_class: Any, requirements: Any, name: Optional[str],
               source_hash: Optional[str]) -> ActorAddress:
        """Create an actor. Errors: as in the table of the specification."""
        spec = actor_class if isinstance(actor_class, str) else \
            '%s.%s' % (getattr(actor_class, '__module__', None), getattr(actor_class, '__name__', None))
        op = {'op': 'create', 'class': wire_text(spec, 4096), 'requirements': pack_requirements(requirements),
              'name': None if name is None else wire_text(str(name), 4096),
              'hash': None if source_hash is None else wire_text(str(source_hash), 4096)}
        for _ in range(2):
            answer = endpoint.request(op, CREATE_SECONDS)
            if answer['op'] == 'created':
                return ActorAddress(answer['address'])
            if answer.get('kind') != failure.PARENT:
                break
            guest.start_parent(self.place, self.log_defs)
        raise _refusal(answer.get('kind'), spec, answer.get('error'), source_hash)

    def update_capability(self, endpoint: Endpoint, name: Any, value: Any) -> None:
        """Set a capability. Errors: NotPassed where the value has no literal form."""
        endpoint.control({'op': 'capability', 'name': wire_text(str(name), 4096),
                          'value': None if value is None else realm.to_literal(value)})

    def load_source(self, endpoint: Endpoint, given: Any) -> str:
        """Bring a source. Errors: as of usersource.load."""
        return usersource.load(endpoint.control, given, endpoint.max_message)

    def unload_source(self, endpoint: Endpoint, source_hash: str) -> None:
        """Give a source up."""
        usersource.unload(endpoint.control, source_hash)

    def shutdown(self) -> None:
        """End the system and wait for its end."""
        if self.over:
            return
        endpoint = self.main_endpoint()
        self.over = True
        end = time.monotonic() + SHUTDOWN_SECONDS
        try:
            endpoint.control({'op': 'shutdown'})
            endpoint.wait_end(SHUTDOWN_SECONDS)
        except ActorSystemFailure:
            pass
        endpoint.close()
        place.wait_until(self.place.is_gone, max(0.0, end - time.monotonic()))


_RAISED: Dict[Optional[str], Callable[[str, Any, Any], Exception]] = {
    'ImportError': lambda spec, error, source_hash: ImportError('%s: %s' % (spec, error)),
    'InvalidActorSpecification': lambda spec, error, source_hash: InvalidActorSpecification(spec, error),
    'NoCompatibleSystemForActor': lambda spec, error, source_hash:
        NoCompatibleSystemForActor(spec, 'No compatible ActorSystem could be found'),
    'InvalidActorSourceHash': lambda spec, error, source_hash: InvalidActorSourceHash(source_hash),
    'ActorSystemFailure': lambda spec, error, source_hash:
        ActorSystemFailure('%s cannot be started: %s' % (spec, error)),
}


def _refusal(kind: Any, spec: str, error: Any, source_hash: Any) -> Exception:
    raised = failure.RAISES.get(kind) or 'ActorSystemFailure'
    return _RAISED[raised](spec, error, source_hash)


def _literals(capabilities: dict) -> Dict[str, str]:
    """The text of each value; what has no literal form is left out."""
    texts = {}
    for name, value in capabilities.items():
        try:
            texts[wire_text(str(name), 4096)] = realm.to_literal(value)
        except realm.NotPassed:
            pass
    return texts


_serial = 0


def next_serial() -> int:
    """1, 2, 3 ... in this process."""
    global _serial
    _serial += 1
    return _serial


_single: Optional[System] = None


def open_system(base: Optional[str], capabilities: Optional[dict], log_defs: Any, unique: bool) -> System:
    """The system that ActorSystem(...) means: the program's one, or another.

    Errors:  ImportError for a base that is not known; ActorSystemStartupFailure; InvalidActorAddress.
    """
    global _single
    if base not in BASES:
        raise ImportError('No module named thespian.system.%s' % base, name='thespian.system.%s' % base)
    if not unique and _single is not None and not _single.over and base in (None, _single.base):
        return _single
    convention = (capabilities or {}).get('Convention Address.IPv4')
    if convention and not place.is_this_host(convention):
        raise ActorSystemStartupFailure('the convention of %s: tds runs the actors of one machine'
                                        % (convention,))
    system = System(base, capabilities, log_defs, unique)
    if not unique:
        _single = system
    return system


def forget() -> None:
    """In a process that is no longer the program: it has no system of its own."""
    global _single
    _single = None


