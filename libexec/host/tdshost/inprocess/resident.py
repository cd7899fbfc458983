# SPDX-License-Identifier: MIT
"""An actor that lives in the program."""
import time
from typing import Any, List, Optional, Set

from tdshost.actor import wakeups
from tdshost.actor.life import Life
from tdshost.inprocess.engine import SYSTEM, Exited, Place
from tdshost.source.classes import name_of
from tdshost.words.address import ActorAddress
from tdshost.words.errors import InvalidActorAddress
from tdshost.words.messages import ActorExitRequest, PoisonMessage
from tdshost.words.status import Thespian_ActorStatus
from tdshost.words.timing import ExpirationTimer


class Children:
    """Those that an actor created and that have not ended."""

    def __init__(self) -> None:
        self.addresses: List[ActorAddress] = []
        self.told: List[ActorAddress] = []
        self.refused: Set[str] = set()  # the details of those that cannot be made

    def ended(self, child: ActorAddress) -> None:
        """One is gone, or never was."""
        if child in self.addresses:
            self.addresses.remove(child)
        self.refused.discard(child.addressDetails)


class Resident(Life, Place):
    """One actor, and what its `_myRef` names. Messages are the very objects, in both directions.

    Source:  system is the System that it lives in; source: the one that its class is of, if any.
    """

    def __init__(self, system: Any, address: ActorAddress, actor_class: Any, requirements: Any,
                 source: Any, global_name: Optional[str]) -> None:
        self.home = system
        self.engine = system.engine
        self.address = address
        self.system = SYSTEM
        self.details: str = address.addressDetails
        self.class_name = name_of(actor_class)
        self.requirements = requirements
        self.capabilities: dict = dict(system.capabilities)
        self.source = source
        self.source_prefix = source.prefix if source is not None else ''
        self.global_name = global_name
        self.parent_address: Optional[ActorAddress] = None
        self.heir: Optional[ActorAddress] = None  # who is told of its end
        self.children = Children()
        self.exiting = False
        self.instance: Any = None

    # --- what Life asks for

    def take(self, message: Any, sender: ActorAddress) -> None:
        """Handle a message."""
        self.busy = True
        try:
            if isinstance(message, Exited):
                self.child_exited(message.child, sender)
            else:
                self.deliver(message, sender)
        finally:
            self.busy = False

    def send(self, target: ActorAddress, message: Any) -> None:
        """Send a message. Errors: InvalidActorAddress."""
        details = target.addressDetails if isinstance(target, ActorAddress) else None
        if not isinstance(details, str):
            raise InvalidActorAddress(target, 'not a valid ActorAddress for sending messages to')
        if details in self.children.refused:
            self.engine.queue.append((self.details, PoisonMessage(message, 'Child Aborted'), self.address))
        elif not (self.exiting and details == self.details):
            self.engine.queue.append((details, message, self.address))

    def poison(self, message: Any, failure: str, sender: ActorAddress) -> None:
        """Send the poison of a message back."""
        self.engine.queue.append((sender.addressDetails, PoisonMessage(message, failure), self.address))

    def status(self) -> Thespian_ActorStatus:
        """What the actor answers to one that asks for its status."""
        status = Thespian_ActorStatus(self.address, self.class_name, self.system, self.parent_address,
                                      None if self.source is None else self.source.hash, self.exiting)
        for child in self.children.addresses:
            status.addChild(child)
        now = time.monotonic()
        status.addWakeups([(self.address, ExpirationTimer(due - now))
                           for due, _, _, (details, _) in sorted(self.engine.wakeups)
                           if details == self.details])
        for details, message, sender in self.engine.queue:
            if details == self.details:
                status.addReceivedMessage(sender, self.address, message)
        return status

    def wakeups_over(self) -> None:
        """What comes of them is dropped: the actor is exiting."""

    def leave(self) -> None:
        """Be gone."""
        self.home.gone(self)

    def recheck(self, capabilities: dict) -> None:
        """Take the system's new capabilities; exit if the actor's class does not want to live with them."""
        self.capabilities.clear()
        self.capabilities.update(capabilities)
        if not self.fits(capabilities):
            self.engine.queue.append((self.details, ActorExitRequest(), self.address))

    # --- what the actor's methods ask for

    def create_actor(self, actor_class: Any, requirements: Any, global_name: Optional[str],
                     source_hash: Optional[str]) -> ActorAddress:
        """Create an actor now. Errors: ImportError; all else comes as ChildActorExited."""
        if self.exiting:
            return self.engine.new_address('A')  # of nothing
        return self.home.create_child(self, actor_class, requirements, global_name, source_hash)

    def wakeup_after(self, period: Any, payload: Any) -> None:
        """Note a wakeup. Errors: TypeError where period is no time."""
        if period is not None:
            seconds = wakeups.seconds_of(period)
            if not self.exiting:
                wakeups.add(self.engine.wakeups, seconds, period, (self.details, payload))

    def handle_dead_letters(self, on: bool) -> None:
        """Register, or deregister, as the handler of dead letters."""
        if on:
            self.engine.undertaker = self.address
        elif self.engine.undertaker == self.address:
            self.engine.undertaker = None

    def actor_system_shutdown(self) -> None:
        """Ask for the end of the system, when the program's call is over."""
        self.home.stopping = True

    def update_capability(self, name: str, value: Any) -> None:
        """Set a capability of the system, or remove it (None)."""
        self.home.set_capability(name, value)

    def register_source_authority(self) -> None:
        """Become the one that says which sources are valid."""
        self.home.library.authority = self.address

    def load_actor_source(self, given: Any) -> str:
        """Bring a source. Errors: OSError."""
        return self.home.library.load(given)

    def unload_actor_source(self, source_hash: str) -> None:
        """Give a source up."""
        self.home.library.unload(source_hash)

    def notify_on_source_availability(self, on: bool) -> None:
        """Be told which sources there are, and which come and go."""
        self.home.library.watch(self.address, on)

    def notify_on_system_changes(self, on: bool) -> None:
        """Nothing: there are no other systems."""

    def pre_register_remote_system(self, address: Any, capabilities: dict) -> None:
        """Nothing: there are no other systems."""

    def de_register_remote_system(self, address: Any) -> None:
        """Nothing: there are no other systems."""
