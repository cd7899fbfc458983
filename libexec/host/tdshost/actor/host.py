# SPDX-License-Identifier: MIT
"""One actor: its life, its loop, and how it gets what comes.

It lives in a process of its own and takes one event after the other; what arrives while the actor is
blocked in send is kept and taken afterwards.
"""
import copy
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any, Callable, Dict, NoReturn, Optional

from tdshost.actor import ops, orders, wakeups
from tdshost.actor.life import Life
from tdshost.actor.reference import Reference
from tdshost.actor.status import actor_status
from tdshost.wire import logs, realm
from tdshost.wire.link import (Closed, Event, ProtocolError, control_frame, direct_message_frame,
                               wire_text)
from tdshost.wire.process import EXIT_SIGNALS, pending_signals
from tdshost.words.arguments import withPossibleInitArgs
from tdshost.words.messages import (ActorExitRequest, DeadEnvelope, PoisonMessage, WakeupMessage,
                                    WatchMessage)
from tdshost.words.status import Thespian_ActorStatus

UP = control_frame(b'{"op":"up"}')
LEAVING = control_frame(b'{"op":"leaving"}')  # the parent actor is told before the process has ended

log = logging.getLogger('tds.host')


class ActorHost(Reference, Life):
    """The process of one actor, from construction to exit.

    Source:  as of Reference.
    Owner:   link_fd becomes the host's.
    """

    obey = ops.obey

    # --- life

    def run(self, actor_class: type) -> NoReturn:
        """Construct the actor, run it to its end, and end the process."""
        code = 70
        try:
            logs.send_to(self.link.send_control)
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
        self.links.take_input(0)
        while self.queue:
            self._take(self.queue.popleft())
        admin.recv(65536)
        wakeups.patience(self.wakeups)
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
            self.link.send_control({'op': 'failed', 'kind': 'init', 'error': wire_text(logs.reason(text, self.source_prefix)),
                                    'traceback': wire_text(text)})
            return False

    def _end(self, code: int) -> NoReturn:
        """End the process, without the exit functions that the source process's imports may have registered."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass
        os._exit(code)

    def _loop(self) -> None:
        """Take events for ever; ends by an exception, or by _end."""
        queue = self.queue
        heap = self.wakeups
        while True:
            ready = self.links.take_input(0 if queue else self._patience())
            if self.beside is not None:
                self._run_beside()
            if pending_signals:
                self._take_signals()
            if ready and self.links.watch is not None:
                self.deliver(WatchMessage(ready), self.address)
            # What this round's handlers send to the actor itself waits for the next round, so that an
            # actor that keeps itself busy still reads its link.
            for _ in range(len(queue)):
                if heap:
                    self._fire_wakeups()
                self._take(queue.popleft())
            if heap:
                self._fire_wakeups()

    def _patience(self) -> Optional[int]:
        return wakeups.patience(self.wakeups, None if self.beside is None else self.beside.due)

    def _run_beside(self) -> None:
        """Let the actor's own loop run, if something is ready for it, or it is time."""
        due = self.beside.due
        if self.links.beside_ready or due is not None and due <= time.monotonic():
            self.links.beside_ready = False
            self.beside.run()

    def _take_signals(self) -> None:
        while pending_signals:
            signum = pending_signals.pop(0)
            if signum in EXIT_SIGNALS:
                self.queue.append(('O', ActorExitRequest(), self.address, None))
            elif signum == signal.SIGUSR1:
                log.info('status: %d children, %d messages waiting, %d wakeups', len(self.children.addresses),
                         len(self.queue), len(self.wakeups))

    # --- events

    def _take(self, event: Event) -> None:
        """Deal with one event of the queue."""
        act = self._EVENTS.get(event[0])
        if act is not None:
            act(self, *event[1:])

    def _take_message(self, sender: int, sender_realm: int, enc: int, payload: Any) -> None:
        try:
            message = realm.decode(enc & ~realm.COMMANDS, payload, self.realm, sender_realm)
        except Exception as error:  # a pickle of the own realm may raise anything
            log.warning('a message from %d.%d cannot be read and is dropped: %s', sender_realm, sender,
                        logs.last_line(logs.describe(error)))
            return
        direct = self.links.directs.get(sender)
        address = realm.make_address(sender_realm, sender) if direct is None else direct.address
        if enc & realm.COMMANDS or sender_realm == self.realm:
            self.deliver(message, address)
        else:
            orders.hear(self, message, address)

    def _take_tracked(self, ref: str, enc: int, payload: bytes) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, 0)
        except ValueError as error:
            self.done(ref, str(error))
            return
        self.deliver(message, self.system, ref)

    def _take_dead_letter(self, target: int, target_realm: int, sender: int, sender_realm: int, enc: int,
                          payload: Any) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, sender_realm)
        except Exception:
            message = '(a message of %d bytes, within another source)' % len(payload)
        self.deliver(DeadEnvelope(realm.make_address(target_realm, target), message), self.system)

    def _take_returned(self, target: int, enc: int, payload: Any) -> None:
        try:
            message = realm.decode(enc, payload, self.realm, self.realm)
        except Exception as error:
            log.warning('a message to %d came back and cannot be read: %r', target, error)
            return
        self.deliver(PoisonMessage(message, 'Child Aborted'), self.address)

    def _take_capabilities(self, capabilities: dict) -> None:
        """Take the system's new capabilities; exit if the actor's class does not want to live with them."""
        self.capabilities.clear()
        self.capabilities.update(capabilities)
        if not self.fits(capabilities):
            self.queue.append(('O', ActorExitRequest(), self.address, None))

    def _fire_wakeups(self) -> None:
        """Deliver the wakeups that are due now; those that their handlers ask for come in later rounds."""
        for period, payload in wakeups.due(self.wakeups):
            self.deliver(WakeupMessage(period, payload), self.address)

    # --- what Life asks for

    def done(self, ref: str, error: Optional[str] = None, trace: Optional[str] = None) -> None:
        """Tell the admin."""
        op: Dict[str, Any] = {'op': 'done', 'ref': ref, 'ok': error is None}
        if error is not None:
            op['error'] = wire_text(error)
            op['traceback'] = None if trace is None else wire_text(trace)
        self.link.send_control(op)

    def leave(self) -> None:
        """End the process; the parent actor is told before."""
        self.link.send_frame(LEAVING)
        self._end(0)

    def status(self) -> Thespian_ActorStatus:
        """What the actor answers to one that asks for its status."""
        return actor_status(self)

    def watch(self, filenos: Any) -> None:
        """Watch descriptors, or none any more."""
        if filenos is None:
            self.links.watch = None
        else:
            self.links.set_watch(filenos)

    def again(self, message: Any) -> Any:
        """A copy of the message as its first attempt left it; itself where it cannot be copied."""
        try:
            return copy.deepcopy(message)
        except Exception:
            return message

    def wakeups_over(self) -> None:
        """Forget them."""
        self.wakeups.clear()

    # what an event is, by its letter; those of one letter have the fields that Link.receive or an op gives them
    _EVENTS: Dict[str, Callable[..., None]] = {
        'M': _take_message,
        'O': Life.deliver,                               # an object of this process
        'T': _take_tracked,                              # of which the admin wants to know the end
        'X': Life.child_exited, 'D': _take_dead_letter, 'R': _take_returned, 'K': _take_capabilities,
    }


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
