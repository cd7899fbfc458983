# SPDX-License-Identifier: MIT
"""What passes between realms: JSON with tags, which can name nothing but the types listed here.

What comes is another realm's, and hostile until checked: the reader constructs what the writer makes and nothing else, within
the bounds of bounds.py, which are the writer's too.
"""
import base64
import json
import math
import re
import sys
from collections import OrderedDict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable, Dict, List, Tuple
from uuid import UUID

from tdshost.wire.bounds import DECIMAL_CHARS, INT_BITS, check_keys, check_size, nested
from tdshost.words import messages, status, timing
from tdshost.words.address import ActorAddress

_MAX_INT = 1 << 63
_ADDRESS_CHARS = 31     # of two numbers, of 32 bits and 64


class NotPassed(ValueError):
    """The value has no form in which it could pass; the text says which part of it and why."""


def type_name(value: Any) -> str:
    """What people call the type of a value."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == 'builtins' else \
        '%s.%s' % (kind.__module__, kind.__qualname__)


# --- addresses ----------------------------------------------------------------------------------

def make_address(realm: int, ident: int) -> ActorAddress:
    """The address of an actor."""
    return ActorAddress('%d.%d' % (realm, ident))


def parse_address(details: Any) -> Tuple[int, int]:
    """(realm, id) of the details of an address. Errors: ValueError where they are not of the form."""
    if not isinstance(details, str) or len(details) > _ADDRESS_CHARS:
        raise ValueError('no address')
    realm, dot, ident = details.partition('.')
    if not (dot and realm.isdecimal() and ident.isdecimal() and details.isascii()):
        raise ValueError('no address')
    return int(realm), int(ident)


# --- values to JSON -----------------------------------------------------------------------------

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
    if -_MAX_INT <= value < _MAX_INT:
        return value
    if value.bit_length() > INT_BITS:
        raise NotPassed('an int of more than %d bits does not pass to another source' % INT_BITS)
    return {'~int': '%x' % value}


def _pack_decimal(value: Decimal) -> Any:
    text = str(value)
    if len(text) > DECIMAL_CHARS:
        raise NotPassed('a Decimal of more than %d digits does not pass to another source' % DECIMAL_CHARS)
    return {'~Decimal': text}


def _pack_items(items: List[Any]) -> List[Any]:
    """Each of them packed; many that JSON has itself are not looked at one by one."""
    if len(items) > 16:
        kinds = set(map(type, items))
        if kinds == {str} or kinds == {int} and -_MAX_INT <= min(items) and max(items) < _MAX_INT:
            return items
    return [_pack(item) for item in items]


def _pack_set(tag: str, value: Any) -> Any:
    items = list(value)
    check_keys(items)
    return {tag: _pack_items(items)}


def _pack_pairs(tag: str, value: dict) -> Any:
    keys = list(value)
    check_keys(keys)
    return {tag: list(zip(_pack_items(keys), _pack_items(list(value.values()))))}


def _pack_float(value: float) -> Any:
    return value if math.isfinite(value) else {'~float': repr(value)}


def _pack_dict(value: dict) -> Any:
    if all(type(key) is str and not key.startswith('~') for key in value):
        return {key: _pack(item) for key, item in value.items()}
    return _pack_pairs('~dict', value)


def _pack_datetime(value: datetime) -> Any:
    return {'~datetime': [value.replace(tzinfo=None).isoformat(), value.fold, _pack_tz(value.tzinfo)]}


def _pack_tz(zone: Any) -> Any:
    if zone is None:
        return None
    if type(zone) is not timezone:
        raise NotPassed('a time zone of type %s does not pass to another source' % type_name(zone))
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
    list: _pack_items,
    dict: _pack_dict,
    tuple: lambda v: {'~tuple': _pack_items(list(v))},
    set: lambda v: _pack_set('~set', v),
    frozenset: lambda v: _pack_set('~frozenset', v),
    bytes: lambda v: {'~bytes': base64.b64encode(v).decode('ascii')},
    bytearray: lambda v: {'~bytearray': base64.b64encode(v).decode('ascii')},
    complex: lambda v: {'~complex': [_pack_float(v.real), _pack_float(v.imag)]},
    range: lambda v: {'~range': [_pack_int(v.start), _pack_int(v.stop), _pack_int(v.step)]},
    datetime: _pack_datetime,
    date: lambda v: {'~date': v.isoformat()},
    time: lambda v: {'~time': [v.replace(tzinfo=None).isoformat(), v.fold, _pack_tz(v.tzinfo)]},
    timedelta: lambda v: {'~timedelta': [v.days, v.seconds, v.microseconds]},
    timezone: lambda v: {'~timezone': [_pack(arg) for arg in v.__getinitargs__()]},
    Decimal: _pack_decimal,
    Fraction: lambda v: {'~Fraction': [_pack_int(v.numerator), _pack_int(v.denominator)]},
    UUID: lambda v: {'~UUID': v.hex},
    OrderedDict: lambda v: _pack_pairs('~OrderedDict', v),
    deque: lambda v: {'~deque': [_pack_items(list(v)), v.maxlen]},
    ActorAddress: lambda v: {'~address': '%d.%d' % parse_address(v.addressDetails)},
}
_PACK.update((kind, _pack_message) for kind in _MESSAGES.values())


def _pack(value: Any) -> Any:
    pack = _PACK.get(type(value))  # the exact type: a subclass is a type of its source
    if pack is None:
        raise NotPassed('a value of type %s does not pass to another source' % type_name(value))
    return pack(value)


_WRITER = json.JSONEncoder(allow_nan=False, separators=(',', ':'), check_circular=False)


def to_tagged(value: Any) -> bytes:
    """The form in which a value passes to another realm. Errors: NotPassed."""
    nested.count = 0
    try:
        text = _WRITER.encode(_pack(value))
        check_size(text)
        return text.encode('ascii')
    except RecursionError:
        raise NotPassed('the value is nested too deeply, or contains itself') from None
    except ValueError as error:
        raise NotPassed(str(error)) from None


# --- JSON to values -----------------------------------------------------------------------------
#
# A maker gets what stood behind its tag, which may be any value that could be made, and takes those types alone that the
# writer would have put there.

_HEX = re.compile('-?[0-9a-f]{1,%d}' % (INT_BITS // 4)).fullmatch
_UUID_HEX = re.compile('[0-9a-f]{32}').fullmatch
_FLOATS = {'inf': math.inf, '-inf': -math.inf, 'nan': math.nan}
_INT_DIGITS = 4300  # of a plain one, where Python does not bound them itself


def _of(wanted: type, value: Any) -> Any:
    if type(value) is not wanted:
        raise ValueError('%s where %s belongs' % (type_name(value), wanted.__name__))
    return value


def _several(wanted: type, arg: Any, count: int) -> List[Any]:
    """So many of one type."""
    if len(_of(list, arg)) != count:
        raise ValueError('%d values where %d belong' % (len(arg), count))
    for item in arg:
        _of(wanted, item)
    return arg


def _make_int(arg: Any) -> int:
    if not _HEX(_of(str, arg)):
        raise ValueError('no such int')
    return int(arg, 16)


def _make_tuple(arg: Any) -> tuple:
    if type(arg) is list:  # as _of, which takes longer, and this is what is made most
        return tuple(arg)
    raise ValueError('no list')


def _keys(arg: Any) -> List[Any]:
    check_keys(_of(list, arg))
    return arg


def _pairs(arg: Any) -> List[Any]:
    if not (set(map(type, _of(list, arg))) <= {list} and set(map(len, arg)) <= {2}):
        raise ValueError('no pairs')
    check_keys([pair[0] for pair in arg])
    return arg


def _make_bytes(arg: Any) -> bytes:
    return base64.b64decode(_of(str, arg), validate=True)


def _zoned(arg: Any) -> Tuple[str, int, Any]:
    text, fold, zone = _of(list, arg)
    if type(fold) is not int or fold not in (0, 1) or zone is not None and type(zone) is not timezone:
        raise ValueError('no such fold or zone')
    return _of(str, text), fold, zone


def _make_datetime(arg: Any) -> datetime:
    text, fold, zone = _zoned(arg)
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _make_time(arg: Any) -> time:
    text, fold, zone = _zoned(arg)
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _make_timezone(arg: Any) -> timezone:
    offset, *name = _of(list, arg)
    if len(name) > 1:
        raise ValueError('no such timezone')
    return timezone(_of(timedelta, offset), *[_of(str, text) for text in name])


def _make_decimal(arg: Any) -> Decimal:
    if len(_of(str, arg)) > DECIMAL_CHARS:
        raise ValueError('a Decimal of %d digits' % len(arg))
    return Decimal(arg)


def _make_uuid(arg: Any) -> UUID:
    if not _UUID_HEX(_of(str, arg)):
        raise ValueError('no UUID')
    return UUID(hex=arg)


def _make_deque(arg: Any) -> deque:
    items, most = _of(list, arg)
    if most is not None and not len(_of(list, items)) <= _of(int, most):
        raise ValueError('more than a deque may have')
    return deque(_of(list, items), most)


def _make_message(arg: Any) -> Any:
    name, state = _of(list, arg)
    known = _FIELDS[_of(str, name)]
    message = object.__new__(_MESSAGES[name])
    for field, item in _of(dict, state).items():
        if field not in known:
            raise ValueError('unknown field %r of %s' % (field, name))
        message.__dict__[field] = item
    return message


_MAKE: Dict[str, Callable[[Any], Any]] = {
    '~int': _make_int,
    '~float': _FLOATS.__getitem__,
    '~dict': lambda a: dict(_pairs(a)),
    '~tuple': _make_tuple,
    '~set': lambda a: set(_keys(a)),
    '~frozenset': lambda a: frozenset(_keys(a)),
    '~bytes': _make_bytes,
    '~bytearray': lambda a: bytearray(_make_bytes(a)),
    '~complex': lambda a: complex(*_several(float, a, 2)),
    '~range': lambda a: range(*_several(int, a, 3)),
    '~datetime': _make_datetime,
    '~date': lambda a: date.fromisoformat(_of(str, a)),
    '~time': _make_time,
    '~timedelta': lambda a: timedelta(*_several(int, a, 3)),
    '~timezone': _make_timezone,
    '~Decimal': _make_decimal,
    '~Fraction': lambda a: Fraction(*_several(int, a, 2)),
    '~UUID': _make_uuid,
    '~OrderedDict': lambda a: OrderedDict(_pairs(a)),
    '~deque': _make_deque,
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


def no_constant(name: str) -> Any:
    """For readers of JSON: NaN and Infinity, which Python takes, are not JSON. Errors: ValueError, always."""
    raise ValueError('%s is not allowed' % name)


def _short_int(digits: str) -> int:
    if len(digits) > _INT_DIGITS:
        raise ValueError('an int of %d digits' % len(digits))
    return int(digits)


_READER = json.JSONDecoder(object_hook=_untag, parse_constant=no_constant)
_CAREFUL_READER = json.JSONDecoder(object_hook=_untag, parse_constant=no_constant, parse_int=_short_int)


def _reader(text: str) -> json.JSONDecoder:
    """The quick one, where Python bounds the digits of an int, or the text is too short for many."""
    if len(text) <= _INT_DIGITS or 0 < getattr(sys, 'get_int_max_str_digits', int)() <= _INT_DIGITS:
        return _READER
    return _CAREFUL_READER


def from_tagged(data: Any) -> Any:
    """The value that to_tagged made data from. Nothing is imported or called but the types above.

    Source:  data: bytes, or something with the same buffer protocol; another realm's, and not trusted.
    Errors:  ValueError for whatever is wrong with data.
    """
    nested.count = 0
    try:
        text = str(data, 'ascii')
        check_size(text)
        return _reader(text).decode(text)
    except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ValueError('%s: %s' % (type(error).__name__, error)) from None
