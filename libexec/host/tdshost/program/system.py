# SPDX-License-Identifier: MIT
"""The actor system as a program sees it: how it is found or started, and what may be asked of it.

Each ActorSystem and each private context is an endpoint: a link of its own, with an address in the realm
of the user's programs.
"""
import os
import time
from typing import Any, Dict, Optional

from tdshost.program import launch, place
from tdshost.program.endpoint import Endpoint
from tdshost.source import usersource
from tdshost.source.classes import name_of
from tdshost.wire import failure, realm
from tdshost.wire.fields import pack_requirements, read_capabilities
from tdshost.wire.link import wire_text
from tdshost.wire.refusal import refusal
from tdshost.words.address import ActorAddress
from tdshost.words.errors import ActorSystemFailure, ActorSystemStartupFailure, InvalidActorAddress

CREATE_SECONDS = 50
SHUTDOWN_SECONDS = 10
RETRY_SECONDS = 11   # while another system is shutting down in the same place

SYSTEM = ActorAddress('0.0')


class System:
    """A system that this program uses: where it is, and how to get endpoints of it.

    Source:  own: the name of one that nobody else joins, or empty; move_in is called in the process of the
             program's actors; home: where the actor lives that calls, whose system is not started by it.
    """

    def __init__(self, base: Optional[str], given: dict, log_defs: Any, own: str,
                 move_in: launch.MoveIn, home: Optional[place.Place] = None) -> None:
        _check_convention(given)
        self.base = base
        self.given = given
        self.log_defs = log_defs
        self._move_in = move_in
        self._may_start = home is None
        self.place = home or place.find(given, own, base == 'multiprocTCPBase')
        self._request = {'As': 'program', 'Private': bool(own), 'Within': home is not None,
                         'Capabilities': _literals(dict(
                             given, **{'Thespian ActorSystem Name': base or 'tdsLocalBase'}))}
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
                if not self._may_start:
                    raise ActorSystemStartupFailure('the actor system has ended') from None
                if time.monotonic() < end:
                    self.place.start()
                    started = True
            except place.Refused as refused:
                if refused.status != 8 or refused.kind in (place.OTHER_PROTOCOL, place.DENIED):
                    if started:
                        self.place.stop()
                    raise ActorSystemStartupFailure(str(refused)) from None
                time.sleep(0.01)
            if time.monotonic() >= end:
                raise InvalidActorAddress(SYSTEM, 'not a valid or useable ActorSystem Admin')
        self.capabilities = read_capabilities(joined['Capabilities'])
        endpoint = Endpoint(sock, joined)
        if not joined['Parent'] and self._may_start:
            self._start_source()
        return endpoint

    def _start_source(self) -> None:
        launch.start_source(self.place, self.log_defs, self._move_in,
                            launch.method_named(self.capabilities.get('Process Startup Method')))

    def main_endpoint(self) -> Endpoint:
        """The one of the program; in a process that the program forked another one."""
        if self.endpoint.pid != os.getpid():
            self.endpoint = self.join()
        return self.endpoint

    def create(self, endpoint: Endpoint, actor_class: Any, requirements: Any, name: Optional[str],
               source_hash: Optional[str]) -> ActorAddress:
        """Create an actor. Errors: as in the table of the specification."""
        spec = name_of(actor_class)
        op = {'op': 'create', 'class': wire_text(spec, 4096), 'requirements': pack_requirements(requirements),
              'name': None if name is None else wire_text(str(name), 4096),
              'hash': None if source_hash is None else wire_text(str(source_hash), 4096)}
        for _ in range(2):
            answer = endpoint.request(op, CREATE_SECONDS)
            if answer['op'] == 'created':
                return ActorAddress(answer['address'])
            if answer.get('kind') != failure.PARENT:
                break
            self._start_source()
        raise refusal(answer.get('kind'), spec, answer.get('error'), source_hash)

    def update_capability(self, endpoint: Endpoint, name: Any, value: Any) -> None:
        """Set a capability. Errors: NotPassed where the value has no literal form."""
        endpoint.control({'op': 'capability', 'name': wire_text(str(name), 4096),
                          'value': None if value is None else realm.to_literal(value)})
        if value is None:
            self.capabilities.pop(name, None)
        else:
            self.capabilities[name] = value

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


def _check_convention(given: dict) -> None:
    """Errors: ActorSystemStartupFailure where the capabilities name a convention that is not this machine's."""
    convention = given.get('Convention Address.IPv4')
    if convention and not place.is_this_host(convention):
        raise ActorSystemStartupFailure('the convention of %s: tds runs the actors of one machine'
                                        % (convention,))


def _literals(capabilities: dict) -> Dict[str, str]:
    """The text of each value; what has no literal form is left out."""
    texts = {}
    for name, value in capabilities.items():
        try:
            texts[wire_text(str(name), 4096)] = realm.to_literal(value)
        except realm.NotPassed:
            pass
    return texts
