# SPDX-License-Identifier: MIT
"""What the admin said about a source, and the classes of actors in it."""
import logging
from typing import Optional, Tuple

from tdshost.source import children, sourceloader
from tdshost.source.classes import Classes, Failure, check
from tdshost.wire import failure, logs
from tdshost.wire.fields import read_capabilities, unpack_requirements
from tdshost.wire.realm import parse_address
from tdshost.words.actor import Actor

MAXMESSAGE = 256 << 20


class Realm(Classes):
    """What the admin said about the source, and its classes.

    Errors:  KeyError, TypeError, ValueError for a hello that says it wrong; what Source raises.
    """

    def __init__(self, hello: dict, archive_fd: Optional[int]) -> None:
        self.hello = hello
        self.program = bool(hello.get('guest'))  # all that asks for actors here is of this realm
        self.settings = {'realm': int(hello['realm']), 'hash': str(hello['hash']),
                         'maxmessage': int(hello.get('maxmessage') or MAXMESSAGE),
                         'capabilities': read_capabilities(hello.get('capabilities'))}
        super().__init__(None if archive_fd is None else
                         sourceloader.Source(archive_fd, self.settings['hash']))
        logs.install(int(hello.get('log', logging.WARNING)))
        if self.source is not None and archive_fd is not None:
            sourceloader.install(self.source)
            if not hello.get('confined'):  # there are no other interpreters
                children.announce(self.source, archive_fd)

    def is_plain(self, spawn: dict) -> bool:
        """Whether no code of the source runs here for an order: no import, no check, nothing unpickled."""
        found = self.known.get(str(spawn['class']))
        return found is not None and spawn.get('requirements') is None \
            and getattr(found[1], 'actorSystemCapabilityCheck', None) is Actor.actorSystemCapabilityCheck

    def actor(self, spawn: dict) -> Tuple[dict, type]:
        """The admin's order with everything filled in, and the class to run.

        Errors:  Failure; KeyError, TypeError, ValueError for an order that is wrong in itself.
        """
        parent = spawn.get('parent')
        own = self.program or (parent is not None and parse_address(parent)[0] == self.settings['realm'])
        order = {'id': int(spawn['id']), 'name': spawn.get('name'), 'parent': parent}
        order['class'], actor_class = self.find(str(spawn['class']))
        try:
            order['requirements'] = unpack_requirements(spawn.get('requirements'), own)
        except Exception as error:
            raise Failure(failure.CAPABILITY, 'the requirements cannot be read: %r' % (error,)) from None
        check(actor_class, self.settings['capabilities'], order['requirements'])
        return order, actor_class
