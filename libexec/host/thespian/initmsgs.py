# SPDX-License-Identifier: MIT
"""The decorator `initializing_messages`: an actor that begins when certain messages have come.

Not to be combined with troupe; with transient or transient_idle it stands above them.
"""
import functools
import logging
from traceback import format_exc
from typing import Any, Callable, Optional, Sequence

from thespian.actors import ActorAddress, ActorSystemMessage, PoisonMessage


def initializing_messages(initset: Sequence[tuple], initdone: Optional[str] = None,
                          init_passthru: bool = False) -> Callable[[type], type]:
    """Class decorator: keep messages back until one of each of these types has come.

    Source:  initset holds (attribute, type) or (attribute, type, True): the last message of the
             type becomes that attribute, with True its sender becomes attribute + '_sender'.
    Shape:   then the method named initdone is called, and what was kept is delivered in order.
             Messages of the system are delivered at once, with init_passthru all are.
    """
    def decorate(actor_class: type) -> type:
        own = actor_class.receiveMessage  # type: ignore[attr-defined]
        # a name of its own, so that a class and its base can both be decorated
        name = '_kept_for_%s' % actor_class.__name__

        @functools.wraps(own)
        def receiveMessage(self: Any, message: Any, sender: ActorAddress) -> Any:
            kept = self.__dict__.setdefault(name, [])
            if kept is None:
                return own(self, message, sender)
            passed = _store(self, initset, message, sender)
            result = None
            if init_passthru or isinstance(message, ActorSystemMessage):
                passed = True
                result = own(self, message, sender)
            if all(hasattr(self, entry[0]) for entry in initset):
                if initdone:
                    _call(self, initdone)
                # Not before: where initdone raises, the next message tries again.
                self.__dict__[name] = None
                for each in kept:
                    result = _deliver(self, own, *each)
                if not passed:
                    result = own(self, message, sender)
            elif not passed:
                kept.append((message, sender))
            return result

        actor_class.receiveMessage = receiveMessage  # type: ignore[attr-defined]
        return actor_class
    return decorate


def _store(actor: Any, initset: Sequence[tuple], message: Any, sender: ActorAddress) -> bool:
    """Store a message as the attributes that it is for; False if it is for none."""
    stored = False
    for attribute, kind, *with_sender in initset:
        if isinstance(message, kind):
            stored = True
            setattr(actor, attribute, message)
            if with_sender and with_sender[0]:
                setattr(actor, attribute + '_sender', sender)
    return stored


def _call(actor: Any, name: str) -> None:
    method = getattr(actor, name, None)
    if method is None:
        logging.warning('%s has no method %s, to be called when it is initialized',
                        type(actor).__name__, name)
    else:
        method()


def _deliver(actor: Any, own: Callable[..., Any], message: Any, sender: ActorAddress) -> Any:
    """Deliver a message that was kept as the actor system would have: one retry, then poison.

    Raised further, an exception would count as one of the message that completed the set.
    """
    try:
        return own(actor, message, sender)
    except Exception:
        logging.warning('%s failed on a message, once more', type(actor).__name__, exc_info=True)
    try:
        return own(actor, message, sender)
    except Exception:
        logging.error('%s failed on a message twice', type(actor).__name__, exc_info=True)
        actor.send(sender, PoisonMessage(message, format_exc()))
    return None
