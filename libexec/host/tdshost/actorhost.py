# SPDX-License-Identifier: MIT
"""One actor: its link, its queue, wakeups, watches, children, and how it ends.

An ActorHost is what the actor's `_myRef` names. It lives in a process of its own and takes one event
after the other; what arrives while the actor is blocked in send is kept and taken afterwards.
"""
import base64
import copy
import functools
import heapq
import json
import logging
import math
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from datetime import timedelta
from typing import Any, Callable, Deque, Dict, List, NoReturn, Optional, Set, Tuple, Union

from tdshost import logs, realm, usersource
from tdshost.link import (INLINE_MAX, Closed, Event, Link, ProtocolError, control_frame,
                          direct_file_frame, direct_message_frame, file_frame, message_frame,
                          wait_writable, wire_text)
from tdshost.process import EXIT_SIGNALS, pending_signals, sealed_file, waker
from thespian.actors import (ActorAddress, ActorExitRequest, ActorSystemMessage,
                             ChildActorExited, DeadEnvelope, InvalidActorAddress, PoisonMessage,
                             Thespian_ActorStatus, Thespian_StatusReq, Thespian_SystemStatus, ThespianGeneration,
                             ThespianWatch, ValidatedSource, WakeupMessage, WatchMessage)
from thespian.system.timing import ExpirationTimer
from thespian.system.utilis import withPossibleInitArgs

IDS_LOW = 25          # with fewer ids left for children, more are asked for
FOREVER = 1 << 40     # seconds; a wakeup this far away never comes
POLL_MAX = 1 << 20    # seconds that one poll waits at most

UP = control_frame(b'{"op":"up"}')
LEAVING = control_frame(b'{"op":"leaving"}')  # the parent actor is told before the process has ended

Watch = Tuple[Any, Dict[int, Any]]  # a poll object, and what is watched by descriptor

log = logging.getLogger('tds.host')

_parse_address = functools.lru_cache(maxsize=64)(realm.parse_address)


class Direct:
    """A link to one other actor, made by the admin for two that talk much.

    Shape:   whatever sender its frames name: the link says who it is.
    """

    def __init__(self, link: Link, peer_realm: int, peer_id: int) -> None:
        self.link = link
        self.realm = peer_realm
        self.id = peer_id
        self.address = realm.make_address(peer_realm, peer_id)


class ActorHost:
    """The process of one actor, from construction to exit.

    Source:  `spawn` is the admin's order, with defaults filled in by the parent; `settings` what the
             admin said to the parent about the realm.
    Owner:   link_fd becomes the host's.
    """

    def __init__(self, link_fd: int, spawn: dict, settings: dict) -> None:
        self.realm: int = settings['realm']
        self.id: int = spawn['id']
        self.address = realm.make_address(self.realm, self.id)
        self.system = realm.make_address(0, 0)
        self.parent_address = None if spawn['parent'] is None else _address(spawn['parent'])
        self.global_name: Optional[str] = spawn['name']
        self.source_hash: str = settings['hash']
        self.prefix = '{{%s}}' % self.source_hash
        self.max_message: int = settings['maxmessage']
        self.class_name: str = spawn['class']
        self.requirements = spawn['requirements']
        self.capabilities: dict = dict(settings['capabilities'])
        self.children: List[ActorAddress] = []
        self.instance: Any = None

        self.link = Link(link_fd, self._wait_blocked)
        self._thread = threading.get_ident()
        self._queue: Deque[Event] = deque()
        self._directs: Dict[int, Direct] = {}       # by the peer's id
        self._readable: Dict[int, Direct] = {}      # those that are read, by descriptor
        self._ways: Dict[int, Link] = {}            # those that are written, by the peer's id
        self._poll = select.poll()
        self._poll.register(self.link.fd, select.POLLIN)
        self._poll.register(waker.read_fd, select.POLLIN)
        self._unwatched: Watch = (self._poll, {})
        self._watch: Optional[Watch] = None
        self._wakeups: List[Tuple[float, int, Any, Any]] = []  # heap: due, order, period, payload
        self._serial = 0
        self._ids: Deque[range] = deque([range(*spawn['ids'])])
        self._ids_asked = False
        self._named: Dict[int, Optional[ActorAddress]] = {}    # answers that createActor waits for
        self._exiting = False
        self._told: List[ActorAddress] = []                    # children that were told to exit
        self._refused: Set[int] = set()                        # ids of children that cannot be made

    # --- life

    def run(self, actor_class: type) -> NoReturn:
        """Construct the actor, run it to its end, and end the process."""
        code = 70
        try:
            logs.send_to(self._send_log)
            os.register_at_fork(after_in_child=_forked)
            if self._construct(actor_class):
                self.link.send_frame(UP)
                self._loop()
            code = 1
        except Closed:
            code = 0  # the admin has gone, or wants nothing more of us
        except ProtocolError as error:
            sys.stderr.write('tds host: actor %s: the admin sent %s\n' % (self.address, error))
        except SystemExit as error:
            code = _exit_code(error)
        except BaseException:
            traceback.print_exc()
        self._end(code)

    def rehearse(self, actor_class: type, admin: socket.socket) -> None:
        """Do what most actors do, with the other end of the link in hand, then close the link."""
        self._construct(actor_class)
        self.link.send_frame(UP)
        for enc, sender in ((realm.PICKLE, 7), (realm.TAGGED, 7), (realm.LITERAL, 0)):
            payload = realm.encode(('rehearsal', [1.5, None]), self.realm, {realm.PICKLE: self.realm,
                                   realm.TAGGED: self.realm + 1, realm.LITERAL: 0}[enc])[1]
            admin.send(direct_message_frame(9, self.realm if enc == realm.PICKLE else sender, enc, payload))
        ask = json.dumps({'op': 'ask', 'ref': 9, 'enc': 'l', 'text': "{'rehearsal': (True, None, 1)}"}).encode()
        admin.send(control_frame(ask))
        self._take_input(0)
        while self._queue:
            self._take(self._queue.popleft())
        admin.recv(65536)
        self._patience()
        self.link.close()

    def _construct(self, actor_class: type) -> bool:
        """Make the actor, with those of the two arguments that it takes; False if that failed."""
        offered = {'capabilities': self.capabilities, 'requirements': self.requirements}
        try:
            self.instance = withPossibleInitArgs(**offered).create(actor_class)
            self.instance._myRef = self
            return True
        except BaseException as error:
            text = logs.describe(error, skip=2)
            logging.getLogger(actor_class.__name__).error('instantiation exception\n%s', text.rstrip('\n'))
            self._send_control({'op': 'failed', 'kind': 'init', 'error': wire_text(logs.last_line(text)),
                                'traceback': wire_text(text)})
            return False

    def _end(self, code: int) -> NoReturn:
        """End the process, without the exit functions that the parent's imports may have registered."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass
        os._exit(code)

    def _loop(self) -> None:
        """Take events for ever; ends by an exception, or by _end."""
        queue = self._queue
        while True:
            ready = self._take_input(0 if queue else self._patience())
            if pending_signals:
                self._take_signals()
            if ready and self._watch is not None:
                self._deliver(WatchMessage(ready), self.address)
            # What this round's handlers send to the actor itself waits for the next round, so that an
            # actor that keeps itself busy still reads its link.
            for _ in range(len(queue)):
                if self._wakeups:
                    self._fire_wakeups()
                self._take(queue.popleft())
            if self._wakeups:
                self._fire_wakeups()

    # --- input

    def _patience(self) -> Optional[int]:
        """How long a poll may wait: milliseconds until the next wakeup, rounded up; None: for ever."""
        if not self._wakeups:
            return None
        return max(0, math.ceil(min(self._wakeups[0][0] - time.monotonic(), POLL_MAX) * 1000))

    def _take_input(self, timeout: Optional[int]) -> List[Any]:
        """Wait up to timeout ms, read what is there, and return which of the watched are ready."""
        ready: List[Any] = []
        poll, watched = self._watch or self._unwatched
        for fd, event in poll.poll(timeout):
            if fd == self.link.fd:
                self._read()
            elif fd == waker.read_fd:
                waker.drain()
            elif fd in self._readable:
                self._read_direct(self._readable[fd])
            elif fd in watched:
                if event & select.POLLNVAL:
                    poll.unregister(fd)
                else:
                    ready.append(watched[fd])
        return ready

    def _take_links(self) -> None:
        """Wait for input of the links alone, while the actor's code waits for an answer of the admin."""
        for fd, _ in self._poll.poll():
            if fd == self.link.fd:
                self._read()
            elif fd == waker.read_fd:
                waker.drain()
            elif fd in self._readable:
                self._read_direct(self._readable[fd])

    def _wait_blocked(self, link: Link) -> None:
        """Wait until a full link may take more; meanwhile take input, in the actor's main thread."""
        if threading.get_ident() != self._thread:
            wait_writable(link)
            return
        if link.fd < 0:
            return  # closed, while we waited
        readable = {self.link.fd, *self._readable}
        poll = select.poll()
        for fd in readable:
            poll.register(fd, select.POLLIN)
        poll.register(link.fd, select.POLLOUT | (select.POLLIN if link.fd in readable else 0))
        for fd, event in poll.poll(50):
            if event & ~select.POLLOUT and fd in readable:
                if fd == self.link.fd:
                    self._read()
                elif fd in self._readable:
                    self._read_direct(self._readable[fd])

    def _read(self) -> None:
        """Read once from the admin's link. Errors: Closed, ProtocolError."""
        for event in self.link.receive() or ():
            if event[0] != 'C':
                self._queue.append(event)
                continue
            op, fds = event[1], event[2]
            act = self._OPS.get(op['op'])
            if act is None:
                continue  # what a later admin may say
            try:
                act(self, op, fds)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ProtocolError('a bad %s: %r' % (op['op'], error)) from None

    def _take_signals(self) -> None:
        while pending_signals:
            signum = pending_signals.pop(0)
            if signum in EXIT_SIGNALS:
                self._queue.append(('O', ActorExitRequest(), self.address, None))
            elif signum == signal.SIGUSR1:
                log.info('status: %d children, %d messages waiting, %d wakeups', len(self.children),
                         len(self._queue), len(self._wakeups))

    # --- what the admin says: some of it at once, the rest in turn with messages

    def _op_ids(self, op: dict, fds: List[int]) -> None:
        first, end = op['ids']
        self._ids.append(range(int(first), int(end)))
        self._ids_asked = False

    def _op_named(self, op: dict, fds: List[int]) -> None:
        if op['ref'] in self._named:
            self._named[op['ref']] = _address(op['address'])

    def _op_exited(self, op: dict, fds: List[int]) -> None:
        address = _address(op['address'])
        if op.get('refused'):
            self._refused.add(realm.parse_address(op['address'])[1])
        self._queue.append(('X', address, self.system if op.get('system') else address))

    def _op_exit(self, op: dict, fds: List[int]) -> None:
        self._queue.append(('O', ActorExitRequest(bool(op.get('recursive', True))), self.system, None))

    def _op_ask(self, op: dict, fds: List[int]) -> None:
        text = op['text'].encode('utf-8', 'surrogatepass')
        self._queue.append(('M', int(op['ref']), 0, ord(op['enc']), text))

    def _op_message(self, op: dict, fds: List[int]) -> None:
        text = op['text'].encode('utf-8', 'surrogatepass')
        self._queue.append(('T', int(op['ref']), ord(op['enc']), text))

    def _op_capabilities(self, op: dict, fds: List[int]) -> None:
        self._queue.append(('K', read_capabilities(op['capabilities'])))

    def _op_validate(self, op: dict, fds: List[int]) -> None:
        if not fds:
            log.error('source %s cannot be validated: no descriptor is left to take it', op['hash'])
            return
        fd = fds.pop()
        try:
            self._queue.append(('O', usersource.question(op, fd), self.system, None))
        finally:
            os.close(fd)

    def _op_source(self, op: dict, fds: List[int]) -> None:
        self._queue.append(('O', usersource.notice(op), self.system, None))

    def _op_status(self, op: dict, fds: List[int]) -> None:
        self._queue.append(('O', system_status(op), self.system, None))

    def _op_direct(self, op: dict, fds: List[int]) -> None:
        if fds:
            self._open_direct(*realm.parse_address(op['address']), fds.pop())

    def _op_linked(self, op: dict, fds: List[int]) -> None:
        self._switch(int(op['from']))

    def _op_switched(self, op: dict, fds: List[int]) -> None:
        self._start_reading(int(op['from']))

    def _op_unlinked(self, op: dict, fds: List[int]) -> None:
        self._drain_direct(int(op['from']))

    _OPS: Dict[str, Callable[..., None]] = {
        'ids': _op_ids, 'named': _op_named, 'exited': _op_exited, 'exit': _op_exit, 'ask': _op_ask,
        'message': _op_message, 'capabilities': _op_capabilities, 'direct': _op_direct,
        'linked': _op_linked, 'switched': _op_switched, 'unlinked': _op_unlinked, 'status': _op_status,
        'validate': _op_validate, 'source': _op_source,
    }

    # --- direct links

    def _open_direct(self, peer_realm: int, peer_id: int, fd: int) -> None:
        """Take a link to another actor. It may write there now, but we only when it, too, has its end."""
        if peer_id in self._directs:
            raise ValueError('a second link')
        self._directs[peer_id] = Direct(Link(fd, self._wait_blocked, self.max_message), peer_realm, peer_id)
        self._send_control({'op': 'linked', 'to': peer_id})

    def _switch(self, peer_id: int) -> None:
        """Write there from now on, and mark in the old way where that ends.

        Should the admin's link be full just now, the mark follows the frame that is being sent.
        """
        direct = self._directs.get(peer_id)
        if direct is not None:
            self._ways[peer_id] = direct.link
            self._send_control({'op': 'switched', 'to': peer_id})

    def _start_reading(self, peer_id: int) -> None:
        """All that a peer sent through the admin is here: now its direct link may be read."""
        direct = self._directs.get(peer_id)
        if direct is not None:
            self._readable[direct.link.fd] = direct
            self._poll.register(direct.link.fd, select.POLLIN)
            if self._watch is not None:
                self._watch[0].register(direct.link.fd, select.POLLIN)

    def _read_direct(self, direct: Direct) -> bool:
        """Read once from a direct link; False if nothing was there or it is over."""
        try:
            events = direct.link.receive()
        except Closed:
            self._close_direct(direct)
            return False
        except ProtocolError as error:
            log.error('the link to %d.%d is given up: the other end sent %s', direct.realm, direct.id, error)
            self._close_direct(direct)
            return False
        for _, _, _, enc, payload in events or ():
            self._queue.append(('M', direct.id, direct.realm, enc, payload))
        return events is not None

    def _close_direct(self, direct: Direct) -> None:
        fd = direct.link.fd
        self._ways.pop(direct.id, None)
        if self._directs.pop(direct.id, None) is None:
            return
        if self._readable.pop(fd, None) is not None:
            self._poll.unregister(fd)
            if self._watch is not None:
                self._watch[0].unregister(fd)
        direct.link.shut()
        direct.link.close()

    def _drain_direct(self, peer_id: int) -> None:
        """Read what a peer that is gone has left in its link, so that its end comes after its messages.

        A process that it forked may hold its end too, and would write for ever.
        """
        direct = self._directs.get(peer_id)
        if direct is not None:
            direct.link.shut()
            while self._read_direct(direct):
                pass
            self._close_direct(direct)

    # --- events

    def _take(self, event: Event) -> None:
        """Deal with one event of the queue."""
        kind = event[0]
        if kind == 'M':
            self._take_message(*event[1:])
        elif kind == 'O':                                # an object of this process
            self._deliver(event[1], event[2], event[3])
        elif kind == 'T':                                # of which the admin wants to know the end
            self._take_tracked(*event[1:])
        elif kind == 'X':
            self._take_exited(event[1], event[2])
        elif kind == 'D':
            self._take_dead_letter(*event[1:])
        elif kind == 'R':
            self._take_returned(*event[1:])
        elif kind == 'K':
            self._take_capabilities(event[1])

    def _take_message(self, sender: int, sender_realm: int, enc: int, payload: Any) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, sender_realm)
        except Exception as error:  # a pickle of the own realm may raise anything
            log.warning('a message from %d.%d cannot be read and is dropped: %s', sender_realm, sender,
                        logs.last_line(logs.describe(error)))
            return
        direct = self._directs.get(sender)
        self._deliver(message, realm.make_address(sender_realm, sender) if direct is None else direct.address)

    def _take_tracked(self, ref: int, enc: int, payload: bytes) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, 0)
        except ValueError as error:
            self._done(ref, str(error))
            return
        self._deliver(message, self.system, ref)

    def _take_exited(self, child: ActorAddress, sender: ActorAddress) -> None:
        if child in self.children:
            self.children.remove(child)
        self._refused.discard(realm.parse_address(child.addressDetails)[1])
        self._deliver(ChildActorExited(child), sender)
        if self._exiting and not self.children:
            self.link.send_frame(LEAVING)
            self._end(0)

    def _take_dead_letter(self, target: int, target_realm: int, sender: int, sender_realm: int, enc: int,
                          payload: Any) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, sender_realm)
        except Exception:
            message = '(a message of %d bytes, within another source)' % len(payload)
        self._deliver(DeadEnvelope(realm.make_address(target_realm, target), message), self.system)

    def _take_returned(self, target: int, enc: int, payload: Any) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, self.realm)
        except Exception as error:
            log.warning('a message to %d came back and cannot be read: %r', target, error)
            return
        self._deliver(PoisonMessage(message, 'Child Aborted'), self.address)

    def _take_capabilities(self, capabilities: dict) -> None:
        """Take the system's new capabilities; exit if the actor's class does not want to live with them."""
        self.capabilities.clear()
        self.capabilities.update(capabilities)
        check = getattr(self.instance, 'actorSystemCapabilityCheck', None)
        try:
            fits = check is None or check(dict(capabilities), self.requirements)
        except Exception:
            fits = False
        if not fits:
            self._queue.append(('O', ActorExitRequest(), self.address, None))

    # --- delivery

    def _deliver(self, message: Any, sender: ActorAddress, ref: Optional[int] = None) -> None:
        """Give a message to the actor, twice if the first attempt raises; poison for its sender if both do.

        Shape:   with ref the admin is told how it ended, instead of poison.
        """
        if isinstance(message, ActorExitRequest):
            self._exit_requested(message, sender, ref)
            return
        if self._exiting and not isinstance(message, ChildActorExited):
            if ref is not None:
                self._done(ref, 'the actor is exiting')
            return
        if isinstance(message, Thespian_StatusReq):
            self.send(sender, self._status())
        else:
            failure = self._attempt(message, sender)
            if failure is not None:
                log.warning('%s failed on a message, once more: %s', self.class_name, failure.rstrip('\n'))
                failure = self._attempt(_copy(message), sender)
            if failure is not None:
                log.error('%s failed on a message twice: %s', self.class_name, failure.rstrip('\n'))
                if ref is not None:
                    self._done(ref, logs.last_line(failure), failure)
                elif not isinstance(message, PoisonMessage):
                    self._poison(message, failure, sender)
                return
        if ref is not None:
            self._done(ref)

    def _call(self, message: Any, sender: ActorAddress) -> None:
        """One call of receiveMessage. What it returns, or that it raises, replaces the watch."""
        result = None
        try:
            result = self.instance.receiveMessage(message, sender)
        finally:
            if result is not None or self._watch is not None:
                self._watch = self._make_watch(result.filenos) if isinstance(result, ThespianWatch) else None

    def _attempt(self, message: Any, sender: ActorAddress) -> Optional[str]:
        """One call, and the text of the exception it ended with, if any."""
        try:
            self._call(message, sender)
        except Exception as error:
            return self._describe(error)
        return None

    def _describe(self, error: BaseException) -> str:
        return logs.describe(error, 2, self.prefix)

    def _poison(self, message: Any, failure: str, sender: ActorAddress) -> None:
        """Send the poison of a message back; where that does not pass it is only logged."""
        poison = PoisonMessage(message, failure)
        if sender == self.address:
            self._queue.append(('O', poison, self.address, None))
            return
        try:
            target_realm, target = realm.parse_address(sender.addressDetails)
            if target:
                self._ship(target, *realm.encode(poison, self.realm, target_realm))
        except Closed:
            raise
        except Exception as error:
            log.warning('no poison for %s: %s', sender, error)

    def _done(self, ref: int, error: Optional[str] = None, trace: Optional[str] = None) -> None:
        op: Dict[str, Any] = {'op': 'done', 'ref': ref, 'ok': error is None}
        if error is not None:
            op['error'] = wire_text(error)
            op['traceback'] = None if trace is None else wire_text(trace)
        self._send_control(op)

    def _make_watch(self, filenos: Any) -> Watch:
        """A poll object for the links and the watched; what is no open descriptor is left out."""
        poll = select.poll()
        own = {self.link.fd, waker.read_fd, *self._readable}
        for fd in own:
            poll.register(fd, select.POLLIN)
        watched = {}
        for item in filenos:
            try:
                fd = item if isinstance(item, int) else item.fileno()
                if fd not in own:
                    poll.register(fd, select.POLLIN)
                    watched[fd] = item
            except (AttributeError, TypeError, ValueError, OverflowError, OSError):
                pass
        return poll, watched

    def _fire_wakeups(self) -> None:
        """Deliver the wakeups that are due now; those that their handlers ask for come in later rounds."""
        now = time.monotonic()
        while self._wakeups and self._wakeups[0][0] <= now:
            _, _, period, payload = heapq.heappop(self._wakeups)
            self._deliver(WakeupMessage(period, payload), self.address)

    def _exit_requested(self, message: ActorExitRequest, sender: ActorAddress, ref: Optional[int]) -> None:
        """The actor's code first, then its children; without any, or if it leaves them, the end."""
        failure = None
        try:
            self._call(message, sender)
        except Exception as error:
            failure = error
        last = not (message.isRecursive and self.children)
        if ref is not None:
            self._done(ref)
        if last:
            self.link.send_frame(LEAVING)
        if failure is not None:
            log.warning('%s failed on ActorExitRequest: %s', self.class_name,
                        self._describe(failure).rstrip('\n'))
        if last:
            self._end(0)
        self._exiting = True
        self._watch = None
        self._wakeups.clear()
        for child in self.children:
            if child not in self._told:
                self._told.append(child)
                self.send(child, ActorExitRequest(True))

    def _status(self) -> Thespian_ActorStatus:
        status = Thespian_ActorStatus(self.address, self.class_name, self.system, self.parent_address,
                                      self.source_hash, self._exiting)
        for child in self.children:
            status.addChild(child)
        now = time.monotonic()
        status.addWakeups([(self.address, ExpirationTimer(due - now)) for due, _, _, _ in sorted(self._wakeups)])
        for event in self._queue:
            if event[0] == 'M':
                status.addReceivedMessage(realm.make_address(event[2], event[1]), self.address,
                                          '%d bytes' % len(event[4]))
        return status

    # --- what the actor's methods ask for

    def send(self, target: ActorAddress, message: Any) -> None:
        """Send a message; blocks while the link is full. What cannot be sent comes back as poison.

        Errors:  InvalidActorAddress.
        """
        try:
            if not isinstance(target, ActorAddress):
                raise ValueError
            target_realm, ident = _parse_address(target.addressDetails)
        except (ValueError, TypeError):
            raise InvalidActorAddress(target, 'not a valid ActorAddress for sending messages to') from None
        if not target_realm and not ident and type(message) is ValidatedSource:
            self._answer_source(message)
            return
        if not target_realm and not ident and isinstance(message, Thespian_StatusReq):
            self._send_control({'op': 'status'})
            return
        if not target_realm and (not ident or isinstance(message, ActorSystemMessage)
                                 and not isinstance(message, PoisonMessage)):
            return  # programs outside get no messages of the system, and the system itself none at all
        try:
            enc, payload = realm.encode(message, self.realm, target_realm)
            if len(payload) > self.max_message:
                raise realm.NotPassed('a message of %d bytes is too large (at most %d)'
                                      % (len(payload), self.max_message))
            if ident == self.id:
                if not self._exiting:
                    self._queue.append(('M', ident, self.realm, enc, payload))
                return
            if ident in self._refused:
                self._queue.append(('O', PoisonMessage(message, 'Child Aborted'), self.address, None))
                return
            self._ship(ident, enc, payload)
        except Closed:
            raise SystemExit(0) from None
        except realm.NotPassed as error:
            self._queue.append(('O', PoisonMessage(message, str(error)), target, None))
        except Exception:
            self._queue.append(('O', PoisonMessage(message, traceback.format_exc()), target, None))

    def _answer_source(self, message: ValidatedSource) -> None:
        try:
            usersource.answer(self.link.send_control, message)
        except ValueError as error:
            log.error('%s', error)

    def _ship(self, ident: int, enc: int, payload: bytes) -> None:
        """Send an encoded message, over a direct link where there is one. Errors: Closed, OSError."""
        if len(payload) <= INLINE_MAX:
            way = self._ways.get(ident)
            if way is not None:  # what _ship_frame does as well, for those that talk much
                try:
                    way.send_frame(direct_message_frame(self.id, self.realm, enc, payload))
                    return
                except Closed:
                    self._ways.pop(ident, None)
            self._ship_frame(ident, message_frame, direct_message_frame, enc, payload)
            return
        fd = sealed_file(payload)
        try:
            self._ship_frame(ident, file_frame, direct_file_frame, enc, len(payload), (fd,))
        finally:
            os.close(fd)

    def _ship_frame(self, ident: int, make: Callable[..., bytes], make_direct: Callable[..., bytes], enc: int,
                    body: Union[bytes, int], fds: Tuple[int, ...] = ()) -> None:
        while True:
            way = self._ways.get(ident)
            if way is not None:
                try:
                    way.send_frame(make_direct(self.id, self.realm, enc, body), fds)
                    return
                except Closed:  # the peer is gone: the admin knows what becomes of messages to it
                    self._ways.pop(ident, None)
            if self.link.send_frame(make(ident, enc, body), fds, ident, self._ways):
                return

    def _send_control(self, op: dict) -> None:
        self.link.send_control(op)

    def _send_log(self, op: dict) -> None:
        self.link.send_control(op)

    def create_actor(self, actor_class: Union[type, str], requirements: Any, global_name: Optional[str],
                     source_hash: Optional[str]) -> ActorAddress:
        """Ask for a new actor. Its address is known at once, unless it has a name or another source."""
        ident = self._next_id()
        address = realm.make_address(self.realm, ident)
        if self._exiting:
            return address  # of nothing
        op = {'op': 'create', 'id': ident, 'class': wire_text(self._class_spec(actor_class), 4096),
              'requirements': pack_requirements(requirements), 'name': None, 'hash': None}
        if global_name is None and source_hash in (None, self.source_hash):
            self._send_control(op)
            self.children.append(address)
            return address
        op.update(ref=ident, hash=source_hash and wire_text(str(source_hash), 4096),
                  name=global_name if global_name is None else wire_text(str(global_name), 4096))
        self._named[ident] = None
        self._send_control(op)
        address = self._await_named(ident)
        if global_name is None:
            self.children.append(address)
        return address

    def _await_named(self, ref: int) -> ActorAddress:
        while self._named[ref] is None:
            if threading.get_ident() == self._thread:
                self._take_links()
            else:
                time.sleep(0.002)  # the loop's thread takes the answer
        return self._named.pop(ref)  # type: ignore[return-value]

    def _class_spec(self, actor_class: Any) -> str:
        """The dotted name of a class, by which the parent finds it, without the prefix of the source."""
        if isinstance(actor_class, str):
            return actor_class
        name = '%s.%s' % (getattr(actor_class, '__module__', None), getattr(actor_class, '__name__', None))
        return name[len(self.prefix):] if name.startswith(self.prefix) else name

    def _next_id(self) -> int:
        """An id of the blocks that the admin gave; asks for more in time, and waits if it must."""
        while True:
            left = sum(map(len, self._ids))
            if left < IDS_LOW and not self._ids_asked:
                self._ids_asked = True
                self._send_control({'op': 'ids'})
            if left:
                break
            self._take_links()
        while not self._ids[0]:
            self._ids.popleft()
        block = self._ids[0]
        self._ids[0] = block[1:]
        return block[0]

    def wakeup_after(self, period: Any, payload: Any) -> None:
        """Note a wakeup. Errors: TypeError where period is no time."""
        if period is None:
            return
        if isinstance(period, timedelta):
            seconds = period.total_seconds()
        elif isinstance(period, (int, float)):
            seconds = float(min(period, FOREVER)) if period == period else float(FOREVER)
        else:
            raise TypeError('timePeriod must be a timedelta or a number of seconds, not %s'
                            % type(period).__name__)
        if not self._exiting:
            self._serial += 1
            heapq.heappush(self._wakeups, (time.monotonic() + max(seconds, 0.0), self._serial, period, payload))

    def handle_dead_letters(self, on: bool) -> None:
        """Register, or deregister, as the handler of dead letters."""
        self._send_control({'op': 'deadletters', 'on': bool(on)})

    def actor_system_shutdown(self) -> None:
        """Ask the admin to end the system."""
        self._send_control({'op': 'shutdown'})

    def update_capability(self, name: str, value: Any) -> None:
        """Set a capability of the system. Errors: NotPassed where the value has no literal form."""
        self._send_control({'op': 'capability', 'name': wire_text(str(name), 4096),
                            'value': None if value is None else realm.to_literal(value)})

    def notify_on_system_changes(self, on: bool) -> None:
        """Nothing: on one machine no other system comes or goes."""

    def pre_register_remote_system(self, address: Any, capabilities: dict) -> None:
        """Nothing: there are no other systems."""

    def de_register_remote_system(self, address: Any) -> None:
        """Nothing: there are no other systems."""

    def register_source_authority(self) -> None:
        """Become the one that says which sources of this zone (see tds-protocol(7)) are valid."""
        self._send_control({'op': 'authority'})

    def load_actor_source(self, given: Any) -> str:
        """Bring a source. Errors: as of usersource.load."""
        return usersource.load(self.link.send_control, given, self.max_message)

    def unload_actor_source(self, source_hash: str) -> None:
        """Give a source up."""
        usersource.unload(self.link.send_control, source_hash)

    def notify_on_source_availability(self, on: bool) -> None:
        """Be told which sources there are, and which come and go."""
        self._send_control({'op': 'sources', 'on': bool(on)})


# --- what parent and actor share ------------------------------------------------------------------

def pack_requirements(requirements: Any) -> Optional[str]:
    """Requirements as the text that the admin hands on: a literal, tagged JSON, or (own realm) a pickle."""
    if requirements is None:
        return None
    try:
        return 'l:' + realm.to_literal(requirements)
    except realm.NotPassed:
        pass
    try:
        return 't:' + realm.to_tagged(requirements).decode('ascii')
    except realm.NotPassed:
        pass
    try:
        return 'p:' + base64.b64encode(pickle.dumps(requirements, 4)).decode('ascii')
    except Exception:
        return 'x:'  # nothing that the parent could read; the creation fails


def unpack_requirements(text: Optional[str], same_realm: bool) -> Any:
    """What pack_requirements packed. Errors: ValueError; a trusted pickle may raise anything."""
    if text is None:
        return None
    form, data = text[:2], text[2:]
    if form == 'l:':
        return realm.from_literal(data)
    if form == 't:':
        return realm.from_tagged(data.encode('utf-8'))
    if form == 'p:' and same_realm:
        return pickle.loads(base64.b64decode(data))
    raise ValueError('requirements that cannot be read')


def read_capabilities(given: Any) -> dict:
    """The capabilities that the admin gives, an object of the texts of literals, and our own.

    Shape:   one whose text is no literal (any actor may set one) is left out.
    Errors:  AttributeError, TypeError.
    """
    capabilities = {}
    for name, text in (given or {}).items():
        try:
            capabilities[name] = realm.from_literal(text)
        except ValueError:
            pass
    capabilities.update({'Thespian ActorSystem Version': 2, 'Thespian Watch Supported': True,
                         'Python Version': tuple(sys.version_info),
                         'Thespian Generation': ThespianGeneration})
    return capabilities


def system_status(op: dict) -> Thespian_SystemStatus:
    """What the admin says of the system. Errors: KeyError, TypeError, AttributeError, ValueError."""
    status = Thespian_SystemStatus(realm.make_address(0, 0), None, read_capabilities(op['capabilities']),
                                   bool(op['shutdown']))
    status.globalActors = {name: _address(text) for name, text in op['names'].items()}
    status.loadedSources = [(str(source), str(info)) for source, info in op['sources']]
    if op.get('authority') is not None:
        status.sourceAuthority = _address(op['authority'])
    if op.get('deadletters') is not None:
        status.deadLetterHandler = _address(op['deadletters'])
    return status


def _copy(message: Any) -> Any:
    """A copy of a message as its first attempt left it; itself where it cannot be copied."""
    try:
        return copy.deepcopy(message)
    except Exception:
        return message


def _address(details: Any) -> ActorAddress:
    """The address of its text. Errors: ValueError."""
    return realm.make_address(*realm.parse_address(details))


def _forked() -> None:
    """In a process that the actor forked by itself: records go to standard error, not into our link."""
    logs.send_to(None)


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xff
    sys.stderr.write('%s\n' % (error.code,))
    return 1
