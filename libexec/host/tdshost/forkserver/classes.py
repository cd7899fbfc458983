# SPDX-License-Identifier: MIT
"""What the admin said about a source, and the classes of actors in it."""
import logging
from typing import Any, Dict, Optional, Tuple

from tdshost.source import sourceloader
from tdshost.wire import logs
from tdshost.wire.fields import read_capabilities, unpack_requirements
from tdshost.wire.link import wire_text
from tdshost.wire.realm import parse_address
from tdshost.words.actor import Actor

MAXMESSAGE = 256 << 20


class Failure(Exception):
    """Why a class cannot be had: kind ('import', 'class' or 'capability'), error, traceback."""

    def __init__(self, kind: str, error: str, trace: Optional[str] = None) -> None:
        super().__init__(error)
        self.kind = kind
        self.trace = trace

    def op(self, name: str, /, **fields: Any) -> dict:
        """The control op that says so."""
        return dict(fields, op=name, kind=self.kind, error=wire_text(str(self)),
                    traceback=None if self.trace is None else wire_text(self.trace))


class Realm:
    """What the admin said about the source, and its classes.

    Errors:  KeyError, TypeError, ValueError for a hello that says it wrong; what Source raises.
    """

    def __init__(self, hello: dict, archive_fd: Optional[int]) -> None:
        self.hello = hello
        self.program = bool(hello.get('guest'))  # all that asks for actors here is of this realm
        self.settings = {'realm': int(hello['realm']), 'hash': str(hello['hash']),
                         'maxmessage': int(hello.get('maxmessage') or MAXMESSAGE),
                         'capabilities': read_capabilities(hello.get('capabilities'))}
        self.source = None if archive_fd is None else \
            sourceloader.Source(archive_fd, self.settings['hash'])
        self._classes: Dict[str, Tuple[str, type]] = {}
        logs.install(int(hello.get('log', logging.WARNING)))
        if self.source is not None:
            sourceloader.install(self.source)

    def find(self, name: str) -> Tuple[str, type]:
        """The class that a name means, and its plain dotted name. Errors: Failure."""
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = self._find(name)
        return found

    def _find(self, name: str) -> Tuple[str, type]:
        if self.source is not None and self.source.plain(name) in self.source.modules:
            return self._only_actor(self.source.plain(name))
        module_name, dot, class_name = name.rpartition('.')
        if not (dot and module_name and class_name):
            raise Failure('class', '%s does not name a module and a class' % name)
        module = self._import(module_name)
        found = getattr(module, class_name, None)
        if not isinstance(found, type):
            raise Failure('class', 'module %s has no class %s' % (module_name, class_name))
        return name, found

    def _only_actor(self, name: str) -> Tuple[str, type]:
        """Of a module: the one Actor class that is defined in it."""
        module = self._import(name)
        found = [value for value in vars(module).values() if isinstance(value, type)
                 and issubclass(value, Actor) and value.__module__ == module.__name__]
        found = list(dict.fromkeys(found))
        if len(found) != 1:
            names = ', '.join(sorted(kind.__name__ for kind in found))
            raise Failure('class', 'module %s defines %s' % (
                name, 'several actor classes: ' + names if names else 'no actor class'))
        return '%s.%s' % (name, found[0].__name__), found[0]

    def _import(self, name: str) -> Any:
        try:
            return sourceloader.load_module(self.source, name)
        except BaseException as error:  # SystemExit too: it is the module that ends, not we
            text = logs.describe(error, 0, self.source.prefix if self.source else None)
            raise Failure('import', logs.last_line(text), text) from None

    def is_plain(self, spawn: dict) -> bool:
        """Whether no code of the source runs here for an order: no import, no check, nothing unpickled."""
        found = self._classes.get(str(spawn['class']))
        return found is not None and spawn.get('requirements') is None \
            and getattr(found[1], 'actorSystemCapabilityCheck', None) is Actor.actorSystemCapabilityCheck

    def check(self, actor_class: type, requirements: Any) -> None:
        """Whether the class agrees to the system's capabilities. Errors: Failure."""
        check = getattr(actor_class, 'actorSystemCapabilityCheck', None)
        try:
            fits = check is None or check(dict(self.settings['capabilities']), requirements or {})
        except Exception as error:
            raise Failure('capability', 'the capability check failed: %r' % (error,)) from None
        if not fits:
            raise Failure('capability', 'the system has not the capabilities that the actor needs')

    def actor(self, spawn: dict) -> Tuple[dict, type]:
        """The admin's order with everything filled in, and the class to run.

        Errors:  Failure; KeyError, TypeError, ValueError for an order that is wrong in itself.
        """
        parent = spawn.get('parent')
        own = self.program or (parent is not None and parse_address(parent)[0] == self.settings['realm'])
        first, end = spawn.get('ids') or (0, 0)
        order = {'id': int(spawn['id']), 'name': spawn.get('name'), 'parent': parent,
                 'ids': (int(first), int(end))}
        order['class'], actor_class = self.find(str(spawn['class']))
        try:
            order['requirements'] = unpack_requirements(spawn.get('requirements'), own)
        except Exception as error:
            raise Failure('capability', 'the requirements cannot be read: %r' % (error,)) from None
        self.check(actor_class, order['requirements'])
        return order, actor_class
