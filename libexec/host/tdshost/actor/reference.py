# SPDX-License-Identifier: MIT
"""What an actor's `_myRef` names: who the actor is, and what its methods ask for."""
import functools
import logging
import traceback
from collections import deque
from typing import Any, Callable, Deque, List, Optional, Union

from tdshost.actor import wakeups
from tdshost.actor.children import Children
from tdshost.actor.links import Links
from tdshost.source import usersource
from tdshost.wire import realm
from tdshost.wire.fields import address_of
from tdshost.wire.link import Closed, Event, wire_text
from tdshost.words.address import ActorAddress
from tdshost.words.errors import InvalidActorAddress
from tdshost.words.messages import ActorSystemMessage, PoisonMessage, ValidatedSource
from tdshost.words.status import Thespian_StatusReq

log = logging.getLogger('tds.host')

_parse_address = functools.lru_cache(maxsize=64)(realm.parse_address)


class Reference:
    """One actor as it sees itself: its address, its links, its queue, its children, its wakeups.

    Source:  `spawn` is the admin's order, with defaults filled in by the source process; `settings` what
             the admin said to that about the realm.
    Owner:   link_fd becomes the reference's.
    """

    obey: Callable[[dict, List[int]], None]  # what the admin says; a method of who runs the actor

    def __init__(self, link_fd: int, spawn: dict, settings: dict) -> None:
        self.realm: int = settings['realm']
        self.id: int = spawn['id']
        self.address = realm.make_address(self.realm, self.id)
        self.system = realm.make_address(0, 0)
        self.parent_address = None if spawn['parent'] is None else address_of(spawn['parent'])
        self.global_name: Optional[str] = spawn['name']
        self.source_hash: str = settings['hash']
        self.source_prefix = '{{%s}}' % self.source_hash
        self.max_message: int = settings['maxmessage']
        self.class_name: str = spawn['class']
        self.requirements = spawn['requirements']
        self.capabilities: dict = dict(settings['capabilities'])
        self.queue: Deque[Event] = deque()
        self.links = Links(link_fd, (self.realm, self.id), self.max_message, self.queue, self.obey)
        self.link = self.links.admin
        self.children = Children(self.links, self.realm, self.source_hash)
        self.wakeups: wakeups.Heap = []
        self.beside: Any = None
        self.exiting = False
        self.commanded = True  # whether the message at hand is from who may command the actor
        self.instance: Any = None

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
            self.link.send_control({'op': 'status'})
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
                if not self.exiting:
                    self.queue.append(('M', ident, self.realm, enc, payload))
                return
            if ident in self.children.refused:
                self.queue.append(('O', PoisonMessage(message, 'Child Aborted'), self.address, None))
                return
            self.links.ship(ident, enc, payload)
        except Closed:
            raise SystemExit(0) from None
        except realm.NotPassed as error:
            self.queue.append(('O', PoisonMessage(message, str(error)), target, None))
        except Exception:
            self.queue.append(('O', PoisonMessage(message, traceback.format_exc()), target, None))

    def poison(self, message: Any, failure: str, sender: ActorAddress) -> None:
        """Send the poison of a message back; where that does not pass it is only logged."""
        poison = PoisonMessage(message, failure)
        if sender == self.address:
            self.queue.append(('O', poison, self.address, None))
            return
        try:
            target_realm, target = realm.parse_address(sender.addressDetails)
            if target:
                self.links.ship(target, *realm.encode(poison, self.realm, target_realm))
        except Closed:
            raise
        except Exception as error:
            log.warning('no poison for %s: %s', sender, error)

    def _answer_source(self, message: ValidatedSource) -> None:
        try:
            usersource.answer(self.link.send_control, message)
        except ValueError as error:
            log.error('%s', error)

    def create_actor(self, actor_class: Union[type, str], requirements: Any, global_name: Optional[str],
                     source_hash: Optional[str]) -> ActorAddress:
        """Ask for a new actor. Its address is known at once, unless it has a name or another source."""
        if self.exiting:
            return realm.make_address(self.realm, self.children.next_id())  # of nothing
        return self.children.create(actor_class, requirements, global_name, source_hash)

    def wakeup_after(self, period: Any, payload: Any) -> None:
        """Note a wakeup. Errors: TypeError where period is no time."""
        if period is None:
            return
        seconds = wakeups.seconds_of(period)
        if not self.exiting:
            wakeups.add(self.wakeups, seconds, period, payload)

    def run_beside(self, beside: Any) -> None:
        """Run a loop of the actor's own in turn with its messages; None: no more.

        Shape:   it has fileno(), which can be read when something is ready for it; due, the time.monotonic() at
                 which it wants to run in any case, or None; and run(), which does not wait.
        """
        self.beside = beside
        self.links.set_beside(-1 if beside is None else beside.fileno())

    def handle_dead_letters(self, on: bool) -> None:
        """Register, or deregister, as the handler of dead letters."""
        self.link.send_control({'op': 'deadletters', 'on': bool(on)})

    def actor_system_shutdown(self) -> None:
        """Ask the admin to end the system."""
        self.link.send_control({'op': 'shutdown'})

    def update_capability(self, name: str, value: Any) -> None:
        """Set a capability of the system. Errors: NotPassed where the value has no literal form."""
        self.link.send_control({'op': 'capability', 'name': wire_text(str(name), 4096),
                            'value': None if value is None else realm.to_literal(value)})

    def notify_on_system_changes(self, on: bool) -> None:
        """Nothing: on one machine no other system comes or goes."""

    def pre_register_remote_system(self, address: Any, capabilities: dict) -> None:
        """Nothing: there are no other systems."""

    def de_register_remote_system(self, address: Any) -> None:
        """Nothing: there are no other systems."""

    def register_source_authority(self) -> None:
        """Become the one that says which sources of this zone (see tds-protocol(7)) are valid."""
        self.link.send_control({'op': 'authority'})

    def load_actor_source(self, given: Any) -> str:
        """Bring a source. Errors: as of usersource.load."""
        return usersource.load(self.link.send_control, given, self.max_message)

    def unload_actor_source(self, source_hash: str) -> None:
        """Give a source up."""
        usersource.unload(self.link.send_control, source_hash)

    def notify_on_source_availability(self, on: bool) -> None:
        """Be told which sources there are, and which come and go."""
        self.link.send_control({'op': 'sources', 'on': bool(on)})
