# SPDX-License-Identifier: MIT
"""The links of one actor: the one to the admin, those to other actors, and what it watches besides."""
import logging
import os
import select
import threading
from typing import Any, Callable, Deque, Dict, Iterable, List, Optional, Set, Tuple, Union

from tdshost.wire import realm
from tdshost.wire.link import (INLINE_MAX, Closed, Event, Link, ProtocolError, direct_file_frame,
                               direct_message_frame, file_frame, message_frame, wait_writable)
from tdshost.wire.process import sealed_file, waker

Watch = Tuple[Any, Dict[int, Any]]  # a poll object, and what is watched by descriptor

log = logging.getLogger('tds.host')


class Direct:
    """A link to one other actor, made by the admin for two that talk much.

    Shape:   whatever sender its frames name, and whatever it may do by them: the link says who it is, the admin the rest.
    """

    def __init__(self, link: Link, peer_realm: int, peer_id: int, commands: bool) -> None:
        self.link = link
        self.mark = realm.COMMANDS if commands else 0  # what stands for that in each of its messages
        self.realm = peer_realm
        self.id = peer_id
        self.address = realm.make_address(peer_realm, peer_id)


class Links:
    """All that the actor reads, and where it writes.

    Owner:   link_fd becomes the admin's link, which is ours.
    Shape:   messages that come are appended to `queue`; a control op goes to `obey`, with its descriptors.
    """

    def __init__(self, link_fd: int, address: Tuple[int, int], max_message: int, queue: Deque[Event],
                 obey: Callable[[dict, List[int]], None]) -> None:
        self.admin = Link(link_fd, self.wait_blocked)
        self.thread = threading.get_ident()
        self._realm, self._id = address
        self._max_message = max_message
        self._queue = queue
        self._obey = obey
        self.directs: Dict[int, Direct] = {}        # by the peer's id
        self._readable: Dict[int, Direct] = {}      # those that are read, by descriptor
        self.ways: Dict[int, Link] = {}             # those that are written, by the peer's id
        self._poll = select.poll()
        self._poll.register(self.admin.fd, select.POLLIN)
        self._poll.register(waker.read_fd, select.POLLIN)
        self._unwatched: Watch = (self._poll, {})
        self.watch: Optional[Watch] = None
        self._beside = -1                           # what the actor's own loop waits for, and whether it is ready
        self.beside_ready = False

    # --- input

    def take_input(self, timeout: Optional[int]) -> List[Any]:
        """Wait up to timeout ms, read what is there, and return which of the watched are ready."""
        ready: List[Any] = []
        poll, watched = self.watch or self._unwatched
        for fd, event in poll.poll(timeout):
            if fd == self.admin.fd:
                self._read()
            elif fd == waker.read_fd:
                waker.drain()
            elif fd in self._readable:
                self._read_direct(self._readable[fd])
            elif fd == self._beside:
                self.beside_ready = True
            elif fd in watched:
                if event & select.POLLNVAL:
                    poll.unregister(fd)
                else:
                    ready.append(watched[fd])
        return ready

    def take(self) -> None:
        """Wait for input of the links alone, while the actor's code waits for an answer of the admin."""
        for fd, _ in self._poll.poll():
            if fd == self.admin.fd:
                self._read()
            elif fd == waker.read_fd:
                waker.drain()
            elif fd in self._readable:
                self._read_direct(self._readable[fd])

    def wait_blocked(self, link: Link) -> None:
        """Wait until a full link may take more; meanwhile take input, in the actor's main thread."""
        if threading.get_ident() != self.thread:
            wait_writable(link)
            return
        if link.fd < 0:
            return  # closed, while we waited
        readable = {self.admin.fd, *self._readable}
        poll = select.poll()
        for fd in readable:
            poll.register(fd, select.POLLIN)
        poll.register(link.fd, select.POLLOUT | (select.POLLIN if link.fd in readable else 0))
        for fd, event in poll.poll(50):
            if event & ~select.POLLOUT and fd in readable:
                if fd == self.admin.fd:
                    self._read()
                elif fd in self._readable:
                    self._read_direct(self._readable[fd])

    def _read(self) -> None:
        """Read once from the admin's link. Errors: Closed, ProtocolError."""
        for event in self.admin.receive() or ():
            if event[0] != 'C':
                self._queue.append(event)
                continue
            self._obey(event[1], event[2])

    # --- direct links

    def open(self, peer_realm: int, peer_id: int, commands: bool, fd: int) -> None:
        """Take a link to another actor, which may command us or not. It may write there now, but we only when it, too,
        has its end."""
        if peer_id in self.directs:
            raise ValueError('a second link')
        self.directs[peer_id] = Direct(Link(fd, self.wait_blocked, self._max_message), peer_realm, peer_id,
                                       commands)
        self.admin.send_control({'op': 'linked', 'to': peer_id})

    def switch(self, peer_id: int) -> None:
        """Write there from now on, and mark in the old way where that ends.

        Should the admin's link be full just now, the mark follows the frame that is being sent.
        """
        direct = self.directs.get(peer_id)
        if direct is not None:
            self.ways[peer_id] = direct.link
            self.admin.send_control({'op': 'switched', 'to': peer_id})

    def start_reading(self, peer_id: int) -> None:
        """All that a peer sent through the admin is here: now its direct link may be read."""
        direct = self.directs.get(peer_id)
        if direct is not None:
            self._readable[direct.link.fd] = direct
            for poll in self._polls():
                poll.register(direct.link.fd, select.POLLIN)

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
            self._queue.append(('M', direct.id, direct.realm, enc & ~realm.COMMANDS | direct.mark, payload))
        return events is not None

    def _close_direct(self, direct: Direct) -> None:
        fd = direct.link.fd
        self.ways.pop(direct.id, None)
        if self.directs.pop(direct.id, None) is None:
            return
        if self._readable.pop(fd, None) is not None:
            for poll in self._polls():
                poll.unregister(fd)
        direct.link.shut()
        direct.link.close()

    def drain(self, peer_id: int) -> None:
        """Read what a peer that is gone has left in its link, so that its end comes after its messages.

        A process that it forked may hold its end too, and would write for ever.
        """
        direct = self.directs.get(peer_id)
        if direct is not None:
            direct.link.shut()
            while self._read_direct(direct):
                pass
            self._close_direct(direct)

    # --- what the actor watches

    def _polls(self) -> List[Any]:
        """The poll objects that the links are in."""
        polls = [self._poll]
        if self._unwatched[0] is not self._poll:
            polls.append(self._unwatched[0])
        if self.watch is not None:
            polls.append(self.watch[0])
        return polls

    def _own(self) -> Set[int]:
        own = {self.admin.fd, waker.read_fd, *self._readable}
        return own if self._beside < 0 else own | {self._beside}

    def set_beside(self, fd: int) -> None:
        """Have beside_ready said when this can be read, in take_input alone; -1: nothing.

        While the actor's code waits for the admin it is not looked at: it would be ready again and again.
        """
        self._beside = fd
        self._unwatched = (_poll_of(self._own()), {})
        self.watch = None

    def set_watch(self, filenos: Any) -> None:
        """Watch these besides the links, instead of others; what is no open descriptor is left out."""
        own = self._own()
        poll = _poll_of(own)
        watched = {}
        for item in filenos:
            try:
                fd = item if isinstance(item, int) else item.fileno()
                if fd not in own:
                    poll.register(fd, select.POLLIN)
                    watched[fd] = item
            except (AttributeError, TypeError, ValueError, OverflowError, OSError):
                pass
        self.watch = (poll, watched)

    # --- output

    def ship(self, ident: int, enc: int, payload: bytes) -> None:
        """Send an encoded message, over a direct link where there is one. Errors: Closed, OSError."""
        if len(payload) <= INLINE_MAX:
            way = self.ways.get(ident)
            if way is not None:  # what _ship_frame does as well, for those that talk much
                try:
                    way.send_frame(direct_message_frame(self._id, self._realm, enc, payload))
                    return
                except Closed:
                    self.ways.pop(ident, None)
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
            way = self.ways.get(ident)
            if way is not None:
                try:
                    way.send_frame(make_direct(self._id, self._realm, enc, body), fds)
                    return
                except Closed:  # the peer is gone: the admin knows what becomes of messages to it
                    self.ways.pop(ident, None)
            if self.admin.send_frame(make(ident, enc, body), fds, ident, self.ways):
                return


def _poll_of(fds: Iterable[int]) -> Any:
    """A poll object that waits for these to be readable."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return poll
