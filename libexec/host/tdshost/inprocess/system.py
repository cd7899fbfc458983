# SPDX-License-Identifier: MIT
"""The system within a program, as `ActorSystem` sees it: actors are made, found by name, and end here."""
import logging
import logging.config
import sys
import time
from typing import Any, Dict, Optional

from tdshost.inprocess.endpoint import Endpoint
from tdshost.inprocess.engine import SYSTEM, Engine, Exited, Place
from tdshost.inprocess.library import Library, ProgramClasses
from tdshost.inprocess.resident import Resident
from tdshost.source.classes import Failure, check, name_of
from tdshost.wire import failure, logs
from tdshost.wire.refusal import refusal
from tdshost.words.actor import ThespianGeneration
from tdshost.words.address import ActorAddress
from tdshost.words.arguments import withPossibleInitArgs
from tdshost.words.errors import ActorSystemFailure
from tdshost.words.messages import ActorExitRequest, ValidatedSource
from tdshost.words.status import Thespian_StatusReq, Thespian_SystemStatus

SHUTDOWN_SECONDS = 10

log = logging.getLogger('tds.host')


class _Self(Place):
    """The system itself as an address: it hears its authority, and tells its status."""

    def __init__(self, system: 'System') -> None:
        self._system = system

    def take(self, message: Any, sender: ActorAddress) -> None:
        """Obey, or answer; what else is said to the system leads nowhere."""
        if isinstance(message, ValidatedSource):
            self._system.library.answer(message, sender)
        elif isinstance(message, Thespian_StatusReq):
            self._system.engine.queue.append((sender.addressDetails, self._system.status(), SYSTEM))


class System:
    """One system: what a program asks of it, and what its actors do."""

    def __init__(self, base: Optional[str], capabilities: Optional[dict], log_defs: Any) -> None:
        self.base = base
        self.over = False
        self.stopping = False  # an actor asked for the end
        self.capabilities: dict = dict(capabilities or {}, **{
            'Thespian ActorSystem Name': 'simpleSystem', 'Thespian ActorSystem Version': 2,
            'Thespian Watch Supported': False, 'Python Version': tuple(sys.version_info),
            'Thespian Generation': ThespianGeneration, 'Thespian Version': str(int(time.time() * 1000)),
            'AllowRemoteActorSources': 'No'})
        self.engine = Engine()
        self.library = Library(self.engine)
        self.names: Dict[str, ActorAddress] = {}
        self.engine.places[SYSTEM.addressDetails] = _Self(self)
        self._main = self._endpoint(True)
        _configure_logging(log_defs)
        logging.getLogger().info(logs.STARTED)

    # --- what a program asks for

    def main_endpoint(self) -> Endpoint:
        """The address of the program."""
        return self._main

    def join(self) -> Endpoint:
        """A further address. Errors: ActorSystemFailure where the system has ended."""
        with self.engine.lock:
            self._check_alive()
            return self._endpoint(False)

    def _endpoint(self, main: bool) -> Endpoint:
        return Endpoint(self.engine, main, self._settle)

    def create(self, endpoint: Endpoint, actor_class: Any, requirements: Any, name: Optional[str],
               source_hash: Optional[str]) -> ActorAddress:
        """Create an actor. Errors: those of failure kinds; ImportError; what its constructor raises."""
        with self.engine.lock:
            self._check_alive()
            if name and name in self.names:
                return self.names[name]
            address = self.engine.new_address('A')
            try:
                self._make(address, actor_class, requirements, name, self._source(source_hash))
            except Failure as error:
                cause = error.__cause__
                if isinstance(cause, ImportError):
                    raise cause from None  # the very one, so that it leads to where it was raised
                raise refusal(error.kind, name_of(actor_class), str(error), source_hash) from cause
            return address

    def update_capability(self, endpoint: Endpoint, name: Any, value: Any) -> None:
        """Set a capability, or remove it (None); actors that cannot live with that exit."""
        with self.engine.lock:
            self.set_capability(name, value)
            self.engine.run()
            self._settle()

    def load_source(self, endpoint: Endpoint, given: Any) -> str:
        """Bring a source, and let the authority look at it. Errors: OSError, and what read() raises."""
        with self.engine.lock:
            source_hash = self.library.load(given)
            self.engine.run()
            self._settle()
            return source_hash

    def unload_source(self, endpoint: Endpoint, source_hash: Any) -> None:
        """Give a source up."""
        with self.engine.lock:
            self.library.unload(source_hash)
            self.engine.run()
            self._settle()

    def shutdown(self) -> None:
        """Tell all actors to exit, let them, and end."""
        with self.engine.lock:
            if self.over:
                return
            self.over = True
            actors = [place for place in self.engine.places.values() if isinstance(place, Resident)]
            for actor in actors:
                if actor.parent_address is None:
                    self.engine.queue.append((actor.details, ActorExitRequest(), SYSTEM))
            try:
                self.engine.run(None, time.monotonic() + SHUTDOWN_SECONDS)
            finally:
                self._forget_all()
                logging.getLogger().info(logs.ENDED)

    def _forget_all(self) -> None:
        for place in self.engine.places.values():
            if isinstance(place, Endpoint):
                place.ended = True
                place.inbox.clear()
        for source_hash in list(self.library.loaded):
            self.library.unload(source_hash)
        for held in (self.engine.places, self.engine.queue, self.engine.wakeups, self.names):
            held.clear()
        self.engine.lock.notify_all()

    def _settle(self) -> None:
        """After a call: what an actor asked for that ends all of them."""
        if self.stopping and not self.engine.depth:
            self.shutdown()

    def _check_alive(self) -> None:
        if self.over:
            raise ActorSystemFailure('the actor system has ended')

    # --- actors

    def create_child(self, parent: Resident, actor_class: Any, requirements: Any, name: Optional[str],
                     source_hash: Optional[str]) -> ActorAddress:
        """Create an actor for an actor. Errors: ImportError; all else comes to the parent as ChildActorExited."""
        if name and name in self.names:
            return self.names[name]
        address = self.engine.new_address('A')
        if not name:
            parent.children.addresses.append(address)
        try:
            source = parent.source if source_hash is None else self._source(source_hash)
            child = self._make(address, actor_class, requirements, name, source)
            child.heir = parent.address
            if not name:
                child.parent_address = parent.address
        except Failure as error:
            if isinstance(error.__cause__, ImportError):
                parent.children.ended(address)
                raise error.__cause__ from None
            log.warning('%s cannot be made: %s', actor_class, error)
            parent.children.refused.add(address.addressDetails)
            self._tell_exited(parent.address, address, address)
        except Exception as error:
            logging.getLogger(getattr(actor_class, '__name__', str(actor_class))).error(
                'instantiation exception\n%s', logs.describe(error, 3).rstrip('\n'))
            self._tell_exited(parent.address, address, address)
        return address

    def _tell_exited(self, parent: ActorAddress, child: ActorAddress, sender: ActorAddress) -> None:
        self.engine.queue.append((parent.addressDetails, Exited(child), sender))

    def _make(self, address: ActorAddress, actor_class: Any, requirements: Any, name: Optional[str],
              source: Any) -> Resident:
        """Make an actor. Errors: Failure; what its constructor raises."""
        if isinstance(actor_class, str):
            actor_class = ProgramClasses(source).look_up(actor_class)[1]
        elif not callable(actor_class):
            raise Failure(failure.CLASS, 'it is no class')
        check(actor_class, self.capabilities, requirements)
        actor = Resident(self, address, actor_class, requirements, source, name)
        offered = {'capabilities': actor.capabilities, 'requirements': requirements}
        actor.instance = withPossibleInitArgs(**offered).create(actor_class)
        if actor.instance is None:
            raise Failure(failure.CLASS, 'it makes no actor')
        actor.instance._myRef = actor
        self.engine.places[actor.details] = actor
        if name:
            self.names[name] = address
        return actor

    def _source(self, source_hash: Optional[str]) -> Any:
        """A valid source; one that the authority still looks at is waited for. Errors: Failure."""
        if source_hash is None:
            return None
        if source_hash in self.library.pending:
            self.engine.run()
        if source_hash not in self.library.loaded:
            raise Failure(failure.HASH, 'no such source is loaded')
        return self.library.loaded[source_hash].source

    def gone(self, actor: Resident) -> None:
        """An actor has ended: whom it concerns is told, its children that are left have no parent any more."""
        self.engine.places.pop(actor.details, None)
        for child in actor.children.addresses:
            orphan = self.engine.places.get(child.addressDetails)
            if isinstance(orphan, Resident):
                orphan.parent_address = orphan.heir = None
        if actor.global_name and self.names.get(actor.global_name) == actor.address:
            del self.names[actor.global_name]
        actor.handle_dead_letters(False)
        self.library.forget(actor.address)
        if actor.heir is not None:
            sender = actor.address if actor.parent_address is not None else SYSTEM
            self._tell_exited(actor.heir, actor.address, sender)

    # --- the system's own facts

    def set_capability(self, name: Any, value: Any) -> None:
        """Set a capability, or remove it (None); actors that cannot live with that are told to exit."""
        before = dict(self.capabilities)
        if value is None:
            self.capabilities.pop(name, None)
        else:
            self.capabilities[name] = value
        if self.capabilities != before:
            for place in self.engine.places.values():
                if isinstance(place, Resident):
                    place.recheck(self.capabilities)

    def status(self) -> Thespian_SystemStatus:
        """What the system answers to one that asks for its status."""
        status = Thespian_SystemStatus(SYSTEM, None, dict(self.capabilities), self.over)
        status.globalActors = dict(self.names)
        status.loadedSources = [(source_hash, loaded.info) for source_hash, loaded in self.library.loaded.items()]
        status.sourceAuthority = self.library.authority
        status.deadLetterHandler = self.engine.undertaker
        for place in self.engine.places.values():
            if isinstance(place, Resident) and place.parent_address is None:
                status.addChild(place.address)
        return status


def _configure_logging(log_defs: Any) -> None:
    """As logDefs say; without, records go to standard error unless the program decided otherwise; False: nothing."""
    if log_defs:
        logging.config.dictConfig(log_defs)
    elif log_defs is None and not logging.root.handlers:
        logging.basicConfig(format='%(asctime)s %(levelname)s %(name)s: %(message)s')
