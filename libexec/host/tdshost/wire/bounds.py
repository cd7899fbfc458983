# SPDX-License-Identifier: MIT
"""How much may pass between realms: counted before anything is built, and when it is written.

So that 1 MiB stays far below a second and 64 MiB: a reader of JSON makes of a byte some tens at most, and what could take
long has a bound: how deep values lie, how many there are, how long numbers are, and how many keys have one hash.
"""
import re
import sys
import threading
from collections import Counter
from itertools import accumulate
from typing import Any, Sequence

DEPTH_MAX = 800         # lists and objects within each other
VALUES_MAX = 4 << 20    # about as many values has a message
INT_BITS = 16384        # of an int: somewhat more digits than Python reads by itself
DECIMAL_CHARS = 8192
SAME_HASH_MAX = 16      # keys of one set or dictionary
NESTED_MAX = 64         # keys of a message that have sets in them, and the hash of another


# --- bounds of the whole text -------------------------------------------------------------------

_STRING = re.compile('"[^"]*"?')  # without escapes; the last one may have no end
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}'))
_STEPS = {ord('['): 1, ord('{'): 1, ord(']'): -1, ord('}'): -1}


def _is_depth_bounded() -> bool:
    """Does the interpreter itself stop a reader of JSON in time? Since 3.12 it counts what C does by itself, up to more."""
    return sys.version_info < (3, 12) and sys.getrecursionlimit() <= 1000


def _structure(text: str) -> str:
    """What is left of a JSON text without its strings."""
    return _STRING.sub('', text.replace('\\\\', '').replace('\\"', ''))


def _depth(text: str) -> int:
    brackets = _structure(text).encode('ascii').translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def check_size(text: str) -> None:
    """Errors: ValueError where the text says too much. What cannot is not looked through."""
    if len(text) > DEPTH_MAX and not _is_depth_bounded() and text.count('[') + text.count('{') > DEPTH_MAX \
            and _depth(text) > DEPTH_MAX:
        raise ValueError('the value is nested too deeply')
    if len(text) > VALUES_MAX and sum(map(text.count, '[{,')) > VALUES_MAX \
            and sum(map(_structure(text).count, '[{,')) > VALUES_MAX:
        raise ValueError('more than %d values are too many' % VALUES_MAX)


# --- keys ---------------------------------------------------------------------------------------

class _Nested(threading.local):
    """How many keys of the message at hand have sets in them, and the hash of another key."""

    count = 0


nested = _Nested()


def _has_set(key: Any) -> bool:
    return type(key) is frozenset or type(key) is tuple and any(map(_has_set, key))


def check_keys(keys: Sequence[Any]) -> None:
    """Errors: ValueError where too many have one hash; TypeError where one has none.

    Keys of one hash are compared with each other; where they are sets, that compares their items again, and so on.
    """
    alike = len(keys) - len(set(map(hash, keys)))
    if not alike:
        return
    if max(Counter(map(hash, keys)).values()) > SAME_HASH_MAX:
        raise ValueError('more than %d keys have the same hash' % SAME_HASH_MAX)
    if any(map(_has_set, keys)):
        nested.count += alike
        if nested.count > NESTED_MAX:
            raise ValueError('more than %d keys with sets in them have the same hash' % NESTED_MAX)
