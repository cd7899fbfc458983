# SPDX-License-Identifier: MIT
"""What messages look like on a link, within a realm, between realms, and to the outside.

Within a realm: pickle. Between realms: JSON with tags, which can name nothing but the types listed
here. To and from the outside: text of a Python literal, or plain JSON. Only the first can import.
"""
import ast
import base64
import json
import math
import pickle
from collections import OrderedDict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable, Dict, Tuple
from uuid import UUID

from tdshost.words import messages, status, timing
from tdshost.words.address import ActorAddress

PICKLE = ord('p')
LITERAL = ord('l')
JSON = ord('j')
TAGGED = ord('t')
POISON = ord('x')

COMMANDS = 0x80  # in the byte of an encoding, from the admin: the sender may command the receiver

Buffer = Any  # bytes, or something with the same buffer protocol (a mapped file)

_MAX_INT = 1 << 63


class NotPassed(ValueError):
    """The value has no form in which it could pass; the text says which part of it and why."""


# --- addresses ----------------------------------------------------------------------------------

def make_address(realm: int, ident: int) -> ActorAddress:
    """The address of an actor."""
    return ActorAddress('%d.%d' % (realm, ident))


def parse_address(details: Any) -> Tuple[int, int]:
    """(realm, id) of the details of an address. Errors: ValueError where they are not of the form."""
    if not isinstance(details, str):
        raise ValueError('no address')
    realm, dot, ident = details.partition('.')
    if not (dot and realm.isdecimal() and ident.isdecimal() and details.isascii()):
        raise ValueError('no address')
    return int(realm), int(ident)


# --- between realms: tagged JSON ------------------------------------------------------------------

_FIELDS: Dict[str, Tuple[str, ...]] = {
    'ActorSystemConventionUpdate': ('remoteAdminAddress', 'remoteCapabilities', 'remoteAdded'),
    'LoadedSource': ('sourceHash', 'sourceInfo'),
    'UnloadedSource': ('sourceHash', 'sourceInfo'),
    'ActorExitRequest': ('_recursive',),
    'ChildActorExited': ('childAddress',),
    'PoisonMessage': ('poisonMessage', 'details'),
    'WakeupMessage': ('delayPeriod', 'payload'),
    'WatchMessage': ('ready',),
    'DeadEnvelope': ('deadAddress', 'deadMessage'),
    'ValidateSource': ('sourceHash', 'sourceData', 'sourceInfo'),
    'ValidatedSource': ('sourceHash', 'sourceZip', 'sourceInfo'),
    'Thespian_StatusReq': (),
    'Thespian_ActorStatus': (
        'pendingMessages', 'receivedMessages', 'pendingWakeups', 'childActors', 'miscKeyVals', 'governer',
        'actorAddress', 'actorClass', 'adminAddress', 'parentAddress', 'sourceHash', 'exiting'),
    'Thespian_SystemStatus': (
        'pendingMessages', 'receivedMessages', 'pendingWakeups', 'childActors', 'miscKeyVals', 'governer',
        'adminAddress', 'conventionLeader', 'conventionRegisterTime', 'conventionAttendees',
        'capabilities', 'inShutdown', 'loadedSources', 'sourceAuthority', 'globalActors',
        'deadLetterHandler', 'deadLetterAddresses', 'notifyAddresses'),
    'ExpirationTimer': ('duration', '_end'),  # in the status of an actor that waits for a wakeup
    'UpdateTroupeSettings': ('max_count', 'idle_count'),
}
_MESSAGES: Dict[str, type] = {name: getattr(room, name) for room in (messages, status, timing)
                              for name in _FIELDS if hasattr(room, name)}


def _pack_int(value: int) -> Any:
    return value if -_MAX_INT <= value < _MAX_INT else {'~int': '%x' % value}


def _pack_float(value: float) -> Any:
    return value if math.isfinite(value) else {'~float': repr(value)}


def _pack_dict(value: dict) -> Any:
    if all(type(key) is str and not key.startswith('~') for key in value):
        return {key: _pack(item) for key, item in value.items()}
    return {'~dict': [[_pack(key), _pack(item)] for key, item in value.items()]}


def _pack_datetime(value: datetime) -> Any:
    return {'~datetime': [value.replace(tzinfo=None).isoformat(), value.fold, _pack_tz(value.tzinfo)]}


def _pack_tz(zone: Any) -> Any:
    if zone is None:
        return None
    if type(zone) is not timezone:
        raise NotPassed('a time zone of type %s does not pass to another source' % _type_name(zone))
    return _pack(zone)


def _pack_message(value: Any) -> Any:
    name = type(value).__name__
    state = value.__dict__
    extra = set(state) - set(_FIELDS[name])
    if extra:
        raise NotPassed('a %s with an attribute %r of its own does not pass to another source'
                        % (name, sorted(extra, key=str)[0]))
    return {'~message': [name, {field: _pack(item) for field, item in state.items()}]}


_PACK: Dict[type, Callable[[Any], Any]] = {
    type(None): lambda v: v, bool: lambda v: v, str: lambda v: v,
    int: _pack_int,
    float: _pack_float,
    list: lambda v: [_pack(item) for item in v],
    dict: _pack_dict,
    tuple: lambda v: {'~tuple': [_pack(item) for item in v]},
    set: lambda v: {'~set': [_pack(item) for item in v]},
    frozenset: lambda v: {'~frozenset': [_pack(item) for item in v]},
    bytes: lambda v: {'~bytes': base64.b64encode(v).decode('ascii')},
    bytearray: lambda v: {'~bytearray': base64.b64encode(v).decode('ascii')},
    complex: lambda v: {'~complex': [_pack_float(v.real), _pack_float(v.imag)]},
    range: lambda v: {'~range': [_pack_int(v.start), _pack_int(v.stop), _pack_int(v.step)]},
    datetime: _pack_datetime,
    date: lambda v: {'~date': v.isoformat()},
    time: lambda v: {'~time': [v.replace(tzinfo=None).isoformat(), v.fold, _pack_tz(v.tzinfo)]},
    timedelta: lambda v: {'~timedelta': [v.days, v.seconds, v.microseconds]},
    timezone: lambda v: {'~timezone': [_pack(arg) for arg in v.__getinitargs__()]},
    Decimal: lambda v: {'~Decimal': str(v)},
    Fraction: lambda v: {'~Fraction': [_pack_int(v.numerator), _pack_int(v.denominator)]},
    UUID: lambda v: {'~UUID': v.hex},
    OrderedDict: lambda v: {'~OrderedDict': [[_pack(k), _pack(item)] for k, item in v.items()]},
    deque: lambda v: {'~deque': [[_pack(item) for item in v], v.maxlen]},
    ActorAddress: lambda v: {'~address': '%d.%d' % parse_address(v.addressDetails)},
}
_PACK.update((kind, _pack_message) for kind in _MESSAGES.values())


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == 'builtins' else \
        '%s.%s' % (kind.__module__, kind.__qualname__)


def _pack(value: Any) -> Any:
    pack = _PACK.get(type(value))  # the exact type: a subclass is a type of its source
    if pack is None:
        raise NotPassed('a value of type %s does not pass to another source' % _type_name(value))
    return pack(value)


def to_tagged(value: Any) -> bytes:
    """The form in which a value passes to another realm. Errors: NotPassed."""
    try:
        return json.dumps(_pack(value), allow_nan=False, separators=(',', ':')).encode('ascii')
    except RecursionError:
        raise NotPassed('the value is nested too deeply, or contains itself') from None
    except ValueError as error:
        raise NotPassed(str(error)) from None


def _make_message(arg: Any) -> Any:
    name, state = arg
    known = _FIELDS[name]
    message = object.__new__(_MESSAGES[name])
    for field, item in state.items():
        if field not in known:
            raise ValueError('unknown field %r of %s' % (field, name))
        message.__dict__[field] = item
    return message


def _make_datetime(arg: Any) -> datetime:
    text, fold, zone = arg
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _make_time(arg: Any) -> time:
    text, fold, zone = arg
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


_MAKE: Dict[str, Callable[[Any], Any]] = {
    '~int': lambda a: int(a, 16),
    '~float': float,
    '~dict': dict,
    '~tuple': tuple,
    '~set': set,
    '~frozenset': frozenset,
    '~bytes': lambda a: base64.b64decode(a, validate=True),
    '~bytearray': lambda a: bytearray(base64.b64decode(a, validate=True)),
    '~complex': lambda a: complex(*a),
    '~range': lambda a: range(*a),
    '~datetime': _make_datetime,
    '~date': date.fromisoformat,
    '~time': _make_time,
    '~timedelta': lambda a: timedelta(*a),
    '~timezone': lambda a: timezone(*a),
    '~Decimal': Decimal,
    '~Fraction': lambda a: Fraction(*a),
    '~UUID': lambda a: UUID(hex=a),
    '~OrderedDict': OrderedDict,
    '~deque': lambda a: deque(*a),
    '~address': lambda a: make_address(*parse_address(a)),
    '~message': _make_message,
}


def _untag(item: Dict[str, Any]) -> Any:
    """Hook of the JSON reader: the value of an object with a tag, any other object as it is."""
    if len(item) == 1:
        (tag, arg), = item.items()
        if tag.startswith('~'):
            return _MAKE[tag](arg)
    return item


def _no_constant(name: str) -> Any:
    raise ValueError('%s is not allowed' % name)


def from_tagged(data: Buffer) -> Any:
    """The value that to_tagged made data from. Nothing is imported or called but the types above.

    Errors:  ValueError for whatever is wrong with data, which is another realm's and not trusted.
    """
    try:
        return json.loads(str(data, 'ascii'), object_hook=_untag, parse_constant=_no_constant)
    except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ValueError('%s: %s' % (type(error).__name__, error)) from None


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
        raise NotPassed('a value of type %s has no literal form' % _type_name(value))
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
        return _addresses(json.loads(text, parse_constant=_no_constant))
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
            poison = repr(_type_name(value.poisonMessage))
        return POISON, ("{'PoisonMessage': %s, 'Details': %s}"
                        % (poison, to_literal(value.details))).encode('utf-8')
    return LITERAL, to_literal(value).encode('utf-8')


def decode(enc: int, data: Buffer, own_realm: int, realm: int) -> Any:
    """The message that a payload holds, from an actor of a realm.

    Source:  only a pickle of the own realm is trusted.
    Errors:  ValueError for payloads that are not trusted; for pickles whatever unpickling raises.
    """
    if enc == PICKLE:
        if realm != own_realm:
            raise ValueError('a pickle from another source is not read')
        return pickle.loads(data)
    if enc == TAGGED:
        return from_tagged(data)
    if enc == LITERAL:
        return from_literal(str(data, 'utf-8'))
    if enc == JSON:
        return from_json(str(data, 'utf-8'))
    raise ValueError('unknown encoding %d' % enc)
