# SPDX-License-Identifier: MIT
"""What messages look like on a link, within a realm, between realms, and to the outside.

Within a realm: pickle. Between realms: JSON with tags (tagged.py). To and from the outside: text of a Python literal, or
plain JSON. Only the first can import.
"""
import ast
import json
import math
import pickle
from typing import Any, Callable, Dict, Tuple

from tdshost.wire.tagged import (NotPassed, from_tagged, make_address, no_constant, parse_address,  # noqa: F401
                                 to_tagged, type_name)
from tdshost.words import messages
from tdshost.words.address import ActorAddress

PICKLE = ord('p')
LITERAL = ord('l')
JSON = ord('j')
TAGGED = ord('t')
POISON = ord('x')

COMMANDS = 0x80  # in the byte of an encoding, from the admin: the sender may command the receiver

Buffer = Any  # bytes, or something with the same buffer protocol (a mapped file)

# --- to and from the outside: literals and JSON -----------------------------------------------------

def to_literal(value: Any) -> str:
    """The text of the Python literal that says the same; addresses as {'ActorAddress': 'R.ID'}.

    Errors:  NotPassed where there is none.
    """
    try:
        return _literal(value)
    except RecursionError:
        raise NotPassed('the value is nested too deeply, or contains itself') from None
    except ValueError as error:
        raise NotPassed(str(error)) from None


def _literal_float(value: float) -> str:
    if math.isinf(value):
        return '1e999' if value > 0 else '-1e999'
    if math.isnan(value):
        raise NotPassed('nan has no literal form')
    return repr(value)


def _literal_complex(value: complex) -> str:
    if not (math.isfinite(value.real) and math.isfinite(value.imag)):
        raise NotPassed('%r has no literal form' % value)
    return repr(value)


def _literal_tuple(value: tuple) -> str:
    return '(%s%s)' % (', '.join(map(_literal, value)), ',' if len(value) == 1 else '')


_LITERAL: Dict[type, Callable[[Any], str]] = {
    type(None): repr, bool: repr, int: repr, str: repr, bytes: repr,
    float: _literal_float,
    complex: _literal_complex,
    list: lambda v: '[%s]' % ', '.join(map(_literal, v)),
    tuple: _literal_tuple,
    set: lambda v: '{%s}' % ', '.join(map(_literal, v)) if v else 'set()',
    dict: lambda v: '{%s}' % ', '.join('%s: %s' % (_literal(k), _literal(i)) for k, i in v.items()),
    ActorAddress: lambda v: "{'ActorAddress': '%d.%d'}" % parse_address(v.addressDetails),
}


def _literal(value: Any) -> str:
    form = _LITERAL.get(type(value))
    if form is None:
        raise NotPassed('a value of type %s has no literal form' % type_name(value))
    return form(value)


def _addresses(value: Any) -> Any:
    """A value with each {'ActorAddress': 'R.ID'} in it made an address."""
    kind = type(value)
    if kind is dict:
        if len(value) == 1 and 'ActorAddress' in value:
            try:
                return make_address(*parse_address(value['ActorAddress']))
            except ValueError:
                return value
        return {key: _addresses(item) for key, item in value.items()}
    if kind in (list, tuple):
        return kind(map(_addresses, value))
    return value


def from_literal(text: str) -> Any:
    """The value of the text of a Python literal, never evaluated. Errors: ValueError."""
    # The most frequent ones without the parser, which is slow and whose memory every actor would pay.
    if text.isascii() and len(text) < 20 and text.isdecimal() and (text[0] != '0' or text == '0'):
        return int(text)
    if len(text) > 1 and text[0] in '"\'' and text[-1] == text[0] and text.isprintable() \
            and '\\' not in text and text[0] not in text[1:-1]:
        return text[1:-1]
    try:
        return _addresses(ast.literal_eval(text))
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError('not a Python literal: %s' % error) from None


def from_json(text: str) -> Any:
    """The value of a JSON text. Errors: ValueError."""
    try:
        return _addresses(json.loads(text, parse_constant=no_constant))
    except RecursionError:
        raise ValueError('nested too deeply') from None


# --- the choice among them --------------------------------------------------------------------------

def encode(value: Any, own_realm: int, realm: int) -> Tuple[int, bytes]:
    """(enc, payload) of a message to an actor of a realm; realm 0 is the outside.

    Errors:  NotPassed; within the realm whatever pickle raises.
    """
    if realm == own_realm:
        return PICKLE, pickle.dumps(value, 4)
    if realm:
        return TAGGED, to_tagged(value)
    if type(value) is messages.PoisonMessage:
        try:
            poison = to_literal(value.poisonMessage)
        except NotPassed:
            poison = repr(type_name(value.poisonMessage))
        return POISON, ("{'PoisonMessage': %s, 'Details': %s}"
                        % (poison, to_literal(value.details))).encode('utf-8')
    return LITERAL, to_literal(value).encode('utf-8')


def decode(enc: int, data: Buffer, own_realm: int, realm: int) -> Any:
    """The message that a payload holds, from an actor of a realm.

    Source:  only a pickle of the own realm is trusted; of another one nothing but tagged JSON is read, which alone has
             bounds.
    Errors:  ValueError for payloads that are not trusted; for pickles whatever unpickling raises.
    """
    if enc == PICKLE:
        if realm != own_realm:
            raise ValueError('a pickle from another source is not read')
        return pickle.loads(data)
    if enc == TAGGED:
        return from_tagged(data)
    if realm not in (0, own_realm):
        raise ValueError('from another source only tagged JSON is read')
    if enc == LITERAL:
        return from_literal(str(data, 'utf-8'))
    if enc == JSON:
        return from_json(str(data, 'utf-8'))
    raise ValueError('unknown encoding %d' % enc)
