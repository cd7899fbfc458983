# SPDX-License-Identifier: MIT
"""The actor system as a program sees it: how it is found or started, and what may be asked of it.

Each ActorSystem and each private context is an endpoint: a link of its own, with an address in the realm
of the user's programs.
"""
import os
import time
from typing import Any, Callable, Dict, Optional

from tdshost.program import launch, place
from tdshost.program.endpoint import Endpoint
from tdshost.source import usersource
from tdshost.wire import failure, realm
from tdshost.wire.fields import pack_requirements, read_capabilities
from tdshost.wire.link import wire_text
from tdshost.words.address import ActorAddress
from tdshost.words.errors import (ActorSystemFailure, ActorSystemStartupFailure, InvalidActorAddress,
                                  InvalidActorSourceHash, InvalidActorSpecification,
                                  NoCompatibleSystemForActor)

CREATE_SECONDS = 50
SHUTDOWN_SECONDS = 10
RETRY_SECONDS = 11   # while another system is shutting down in the same place

BASES = {None: True, 'tdsLocalBase': False, 'multiprocTCPBase': False, 'multiprocUDPBase': False,
         'simpleSystemBase': True, 'multiprocQueueBase': True}  # True: one of each program alone

SYSTEM = ActorAddress('0.0')


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
                if refused.status != 8 or refused.kind == place.OTHER_PROTOCOL or str(refused) == 'not allowed':
                    if started:
                        self.place.stop()
                    raise ActorSystemStartupFailure(str(refused)) from None
                time.sleep(0.01)
            if time.monotonic() >= end:
                raise InvalidActorAddress(SYSTEM, 'not a valid or useable ActorSystem Admin')
        self.capabilities = read_capabilities(joined['Capabilities'])
        endpoint = Endpoint(sock, joined)
        if not joined['Parent']:
            launch.start_source(self.place, self.log_defs, forget)
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
            launch.start_source(self.place, self.log_defs, forget)
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


_RAISED: Dict[str, Callable[[str, Any, Any], Exception]] = {
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
