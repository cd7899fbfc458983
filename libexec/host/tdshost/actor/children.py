# SPDX-License-Identifier: MIT
"""The children of an actor: how they are asked for, and which there are."""
import threading
import time
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Set, Union

from tdshost.actor.links import Links
from tdshost.source.classes import name_of
from tdshost.wire import realm
from tdshost.wire.fields import pack_requirements
from tdshost.wire.link import wire_text
from tdshost.words.address import ActorAddress

IDS_LOW = 25          # with fewer ids left for children, more are asked for


class Children:
    """Those that an actor created and that have not ended, and the ids for more."""

    def __init__(self, links: Links, own_realm: int, source_hash: str) -> None:
        self.addresses: List[ActorAddress] = []
        self.told: List[ActorAddress] = []                     # those that were told to exit
        self.refused: Set[int] = set()                         # ids of those that cannot be made
        self._links = links
        self._realm = own_realm
        self._source_hash = source_hash
        self._prefix = '{{%s}}' % source_hash
        self._ids: Deque[int] = deque()
        self._ids_asked = False
        self._named: Dict[int, Optional[ActorAddress]] = {}    # answers that create waits for

    def create(self, actor_class: Union[type, str], requirements: Any, global_name: Optional[str],
               source_hash: Optional[str]) -> ActorAddress:
        """Ask for a new actor. Its address is known at once, unless it has a name or another source."""
        ident = self.next_id()
        address = realm.make_address(self._realm, ident)
        op = {'op': 'create', 'id': ident, 'class': wire_text(self._class_spec(actor_class), 4096),
              'requirements': pack_requirements(requirements), 'name': None, 'hash': None}
        if global_name is None and source_hash in (None, self._source_hash):
            self._links.admin.send_control(op)
            self.addresses.append(address)
            return address
        op.update(ref=ident, hash=source_hash and wire_text(str(source_hash), 4096),
                  name=global_name if global_name is None else wire_text(str(global_name), 4096))
        self._named[ident] = None
        self._links.admin.send_control(op)
        address = self._await_named(ident)
        if global_name is None:
            self.addresses.append(address)
        return address

    def _await_named(self, ref: int) -> ActorAddress:
        while self._named[ref] is None:
            self._wait()
        return self._named.pop(ref)  # type: ignore[return-value]

    def _wait(self) -> None:
        """Something that the admin says may have come."""
        if threading.get_ident() == self._links.thread:
            self._links.take()
        else:
            time.sleep(0.002)  # the loop's thread takes the answer

    def _class_spec(self, actor_class: Any) -> str:
        """The dotted name of a class, by which the source process finds it, without the prefix of the source."""
        name = name_of(actor_class)
        return name[len(self._prefix):] if name.startswith(self._prefix) else name

    def next_id(self) -> int:
        """An id of those that the admin gave; asks for more in time, and waits if it must, as for the first."""
        while True:
            if len(self._ids) < IDS_LOW and not self._ids_asked:
                self._ids_asked = True
                self._links.admin.send_control({'op': 'ids'})
            if self._ids:
                return self._ids.popleft()
            self._wait()

    def add_ids(self, ids: List[int]) -> None:
        """More ids, which the admin gave."""
        self._ids.extend(ids)
        self._ids_asked = False

    def awaits(self, ref: int) -> bool:
        """Whether create waits for this answer."""
        return ref in self._named

    def name(self, ref: int, address: ActorAddress) -> None:
        """The address of one with a name or of another source, which the admin made known."""
        self._named[ref] = address

    def ended(self, child: ActorAddress) -> None:
        """One is gone, or never was."""
        if child in self.addresses:
            self.addresses.remove(child)
        self.refused.discard(realm.parse_address(child.addressDetails)[1])
