# SPDX-License-Identifier: MIT
"""The classes of actors: by which names they go, in a source or without one, and whether they can live here."""
from typing import Any, Dict, Optional, Tuple

from tdshost.source import sourceloader
from tdshost.wire import failure, logs
from tdshost.wire.link import wire_text
from tdshost.words.actor import Actor


class Failure(Exception):
    """Why a class cannot be had: kind (of wire.failure: IMPORT, CLASS or CAPABILITY), error, traceback."""

    def __init__(self, kind: str, error: str, trace: Optional[str] = None) -> None:
        super().__init__(error)
        self.kind = kind
        self.trace = trace

    def op(self, name: str, /, **fields: Any) -> dict:
        """The control op that says so."""
        return dict(fields, op=name, kind=self.kind, error=wire_text(str(self)),
                    traceback=None if self.trace is None else wire_text(self.trace))


class Classes:
    """The classes of one source, or of none: by their names.

    Shape:   a class that `find` found stays found, whatever becomes of its module.
    """

    @staticmethod
    def is_class(found: Any) -> bool:
        """Whether what a name leads to is taken for a class."""
        return isinstance(found, type)

    def __init__(self, source: Optional[sourceloader.Source]) -> None:
        self.source = source
        self.known: Dict[str, Tuple[str, type]] = {}

    def find(self, name: str) -> Tuple[str, type]:
        """The class that a name means, and its plain dotted name. Errors: Failure."""
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = self.look_up(name)
        return found

    def look_up(self, name: str) -> Tuple[str, type]:
        """As find, but looked up now. Errors: Failure."""
        if self.source is not None and self.source.plain(name) in self.source.modules:
            return self._only_actor(self.source.plain(name))
        module_name, dot, class_name = name.rpartition('.')
        if not (dot and module_name and class_name):
            raise Failure(failure.CLASS, '%s does not name a module and a class' % name)
        module = self._import(module_name)
        found = getattr(module, class_name, None)
        if not self.is_class(found):
            raise Failure(failure.CLASS, 'module %s has no class %s' % (module_name, class_name))
        return name, found

    def _only_actor(self, name: str) -> Tuple[str, type]:
        """Of a module: the one Actor class that is defined in it."""
        module = self._import(name)
        found = [value for value in vars(module).values() if isinstance(value, type)
                 and issubclass(value, Actor) and value.__module__ == module.__name__]
        found = list(dict.fromkeys(found))
        if len(found) != 1:
            names = ', '.join(sorted(kind.__name__ for kind in found))
            raise Failure(failure.CLASS, 'module %s defines %s' % (
                name, 'several actor classes: ' + names if names else 'no actor class'))
        return '%s.%s' % (name, found[0].__name__), found[0]

    def _import(self, name: str) -> Any:
        try:
            return sourceloader.load_module(self.source, name)
        except BaseException as error:  # SystemExit too: it is the module that ends, not we
            own = self.source.prefix if self.source else None
            text = logs.describe(error, 0, own)
            raise Failure(failure.IMPORT, logs.reason(text, own), text) from error


def check(actor_class: Any, capabilities: dict, requirements: Any) -> None:
    """Whether the class agrees to the system's capabilities. Errors: Failure."""
    agrees = getattr(actor_class, 'actorSystemCapabilityCheck', None)
    try:
        fits = agrees is None or agrees(dict(capabilities), requirements or {})
    except Exception as error:
        raise Failure(failure.CAPABILITY, 'the capability check failed: %r' % (error,)) from None
    if not fits:
        raise Failure(failure.CAPABILITY, 'the system has not the capabilities that the actor needs')


def name_of(actor_class: Any) -> str:
    """The dotted name that means a class; what is text already is such a name."""
    if isinstance(actor_class, str):
        return actor_class
    return '%s.%s' % (getattr(actor_class, '__module__', None), getattr(actor_class, '__name__', None))
