# SPDX-License-Identifier: MIT
"""What another source sends is read within bounds: 1 s and 64 MiB for 1 MiB, whatever it says, and nothing but its values.

Each hostile text is read in a process of its own, under limits of memory and of time of the processor.
"""
import json
import os
import random
import resource
import sys
import unittest
from collections import OrderedDict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from fakeadmin import HOST

sys.path.insert(0, HOST)
sys.dont_write_bytecode = True
from tdshost.wire import bounds, tagged  # noqa: E402
from thespian import actors  # noqa: E402
from thespian.actors import ActorAddress  # noqa: E402
sys.path.remove(HOST)

SCALE = int(os.environ.get('TDS_SCALE', '1'))
MIB = 1 << 20
SECONDS = 1
ROOM = 64 * MIB
P = 2 ** 61 - 1  # numbers that differ by it have one hash


def setUpModule():
    if hasattr(sys, 'set_int_max_str_digits'):
        sys.set_int_max_str_digits(0)  # as actors may do


def seconds_of(text):
    """Of the processor, to read it; raises what does not end well."""
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            with open('/proc/self/statm') as f:
                now = int(f.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, now + ROOM))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            sys.setrecursionlimit(10 ** 6)  # as actors may do
            code = 0 if read(text) else 3
        finally:
            os._exit(code)
    _, status, used = os.wait4(pid, 0)
    if status != 0:
        raise AssertionError('status %s: %.60s' % (os.waitstatus_to_exitcode(status), text))
    return used.ru_utime + used.ru_stime


def read(text):
    """Read it; whether that is well: it is refused, or (checked where it is short) the writer would have made it, too."""
    try:
        value = tagged.from_tagged(text.encode())
    except ValueError as error:
        return 'MemoryError' not in str(error)
    if len(text) > 10000:
        return True
    again = tagged.to_tagged(value)
    return shape(tagged.from_tagged(again)) == shape(value)


def ints(numbers):
    return ','.join('%d' % n if -2 ** 63 <= n < 2 ** 63 else '{"~int":"%x"}' % n for n in numbers)


def many(text):
    return '[%s]' % ','.join([text] * ((MIB - 3) // (len(text) + 1)))


def cut(texts):
    """As many of them as 1 MiB has, in a list."""
    kept, size = [], 40
    for text in texts:
        size += len(text) + 1
        if size > MIB:
            break
        kept.append(text)
    return '[%s]' % ','.join(kept)


def nested_sets(width, depth, number=0):
    """The text of width^depth ints in sets in sets, of which all of one depth have one hash, and most items in common."""
    if depth == 0:
        return '{"~int":"%x"}' % (number * P)
    inner = [nested_sets(width, depth - 1, n) for n in (*range(width - 1), width - 1 + number)]
    return '{"~frozenset":[%s]}' % ','.join(inner)


LONG = ['{"~int":"%x"}' % random.Random(n).getrandbits(2 * MIB - 300) for n in (1, 2)]
BIG = [n * P for n in range(1, 40000)]
HOSTILE = {
    'a tuple of a range': '{"~tuple":{"~range":[0,1000000000,1]}}',
    'a set of a range': '{"~set":{"~range":[0,1000000000,1]}}',
    'a deque of a range': '{"~deque":[{"~range":[0,1000000000,1]},null]}',
    'a Fraction of a text': '{"~Fraction":["1e1000000000"]}',
    'a Fraction of a Decimal': '{"~Fraction":[{"~Decimal":"1E+1000000000"}]}',
    'a Fraction of long ints': '{"~Fraction":[%s,%s]}' % tuple(LONG),
    'an int of a million digits': '1' * (MIB - 1),
    'an address of a million digits': '{"~address":"1.%s"}' % ('1' * (MIB - 20)),
    'ints with one hash': '{"~set":%s}' % cut(ints([n]) for n in BIG),
    'UUIDs with one hash': '{"~frozenset":%s}' % cut('{"~UUID":"%032x"}' % n for n in BIG),
    'Fractions with one hash': '{"~set":%s}' % cut('{"~Fraction":[%s,1]}' % ints([n]) for n in BIG),
    'Decimals with one hash': '{"~set":%s}' % cut('{"~Decimal":"%d"}' % n for n in BIG),
    'tuples with one hash': '{"~set":%s}' % cut('{"~tuple":[%s]}' % ints(-1 - (n >> bit & 1) for bit in range(14))
                                               for n in range(1 << 14)),
    'keys with one hash': '{"~dict":%s}' % cut('[%s,0]' % ints([n]) for n in BIG),
    'sets in sets with one hash': nested_sets(31, 3),
    'some sets in sets with one hash': '{"~set":%s}' % cut(nested_sets(16, 3, n) for n in range(9)),
    'deep lists': '[' * (MIB // 2) + ']' * (MIB // 2),
    'deep tuples': '{"~tuple":[' * (MIB // 16) + ']}' * (MIB // 16),
    'a text without an end, of quotes': '[' * 801 + '"' + '\\"' * (MIB // 2 - 500),
}
MANY = ('[]', '{}', '[0]', '{"":0}', '[[],[]]', '{"~set":[]}', '{"~set":[0]}', '{"~deque":[[],null]}', '{"~OrderedDict":[]}',
        '{"~OrderedDict":[[0,0]]}', '{"~dict":[[0,0]]}', '{"~tuple":[]}', '{"~frozenset":[0]}', '{"~UUID":"%032d"}' % 7,
        '{"~Fraction":[1,3]}', '{"~Decimal":"1"}', '{"~timedelta":[0,0,1]}', '{"~date":"2020-01-02"}',
        '{"~range":[0,9,1]}', '{"~address":"1.2"}', '{"~bytearray":""}', '{"~complex":[1.0,1.0]}', '1', '1.5', '""', '"\\u1234"',
        '{"~datetime":["2020-01-02T00:00:00",0,null]}', '{"~message":["PoisonMessage",{"details":0}]}',
        '{"~int":"%x"}' % 2 ** 64, '{"~timezone":[{"~timedelta":[0,1,0]}]}', '{"~message":["Thespian_StatusReq",{}]}')


class Hostile(unittest.TestCase):
    def test_each_of_a_kind(self):
        for name, text in HOSTILE.items():
            with self.subTest(name):
                self.assertLessEqual(len(text), MIB)
                seconds_of(text)

    def test_as_many_as_there_is_room_for(self):
        for text in MANY:
            with self.subTest(text):
                tagged.from_tagged(text.encode())  # it is none that is refused
                seconds_of(many(text))
        with self.subTest('keys, each another one'):
            seconds_of(cut('{"%x":0}' % n for n in range(MIB)))

    def test_more_than_may_pass(self):
        lists = '[%s]' % ','.join(['0'] * (bounds.VALUES_MAX + 1))
        self.assertRaisesRegex(ValueError, 'too many', tagged.from_tagged, lists.encode())
        text = ',[{' * bounds.VALUES_MAX  # in a text it is none
        self.assertEqual(tagged.from_tagged(tagged.to_tagged(text)), text)

    def test_generated(self):
        rng = random.Random(7)
        texts = [tagged.to_tagged(value(rng, 3)).decode() for _ in range(200)]
        pieces = [piece for text in texts + list(HOSTILE.values())[:6] for piece in parts(json.loads(text))]
        bad = []
        for _ in range(15 * SCALE):
            batch = [json.dumps(mutated(rng, json.loads(rng.choice(texts)), pieces)) for _ in range(200)]
            batch += [spoiled(rng, text) for text in batch]
            bad += [text for text in batch if not read(text)]
        self.assertEqual(bad, [])


# --- generated values and texts ---

def scalar(rng):
    zone = timezone(timedelta(minutes=rng.randint(-1439, 1439)))
    return rng.choice((
        lambda: None, lambda: rng.random() < .5, lambda: rng.randint(-3, 3), lambda: rng.getrandbits(64) - 2 ** 63,
        lambda: rng.getrandbits(rng.choice((70, 500, bounds.INT_BITS))) * rng.choice((1, -1)), rng.random,
        lambda: rng.choice((1e300, -0.0, 5e-324, float('inf'))), lambda: ''.join(map(chr, rng.choices(range(0x11000), k=5))),
        lambda: rng.choice(('~', '~int', 'x', '\ud800')), lambda: rng.getrandbits(40).to_bytes(5, 'big'),
        lambda: complex(rng.random(), -1), lambda: range(rng.randint(-9, 9), rng.getrandbits(70), rng.choice((-3, 1, 2 ** 65))),
        lambda: datetime(rng.randint(1, 9999), 2, 3, 4, 5, 6, rng.choice((0, 7)), rng.choice((None, zone)), fold=rng.randint(0, 1)),
        lambda: date(rng.randint(1, 9999), 1, 31), lambda: time(1, 2, 3, rng.randint(0, 999999), rng.choice((None, zone))),
        lambda: timedelta(rng.randint(-999, 999), rng.randint(0, 99999), rng.randint(0, 999)), lambda: zone,
        lambda: Decimal(rng.getrandbits(99)).scaleb(rng.randint(-99, 99)), lambda: Decimal(rng.choice(('NaN', '-Infinity', 'sNaN1'))),
        lambda: Fraction(rng.getrandbits(70), 1 + rng.getrandbits(9)), lambda: UUID(int=rng.getrandbits(128))))()


def key(rng, depth):
    made = rng.choice((tuple, frozenset, None)) if depth else None
    found = scalar(rng) if made is None else made(key(rng, depth - 1) for _ in range(rng.randint(0, 3)))
    try:
        hash(found)
    except TypeError:  # a NaN that signals
        return 0
    return found


def value(rng, depth):
    if depth == 0 or rng.random() < .2:
        return scalar(rng)
    items = [value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    pairs = [(key(rng, 2), item) for item in items]
    return rng.choice((
        lambda: items, lambda: tuple(items), lambda: dict(pairs), lambda: {str(k): i for k, i in pairs}, lambda: {k for k, _ in pairs},
        lambda: frozenset(k for k, _ in pairs), lambda: OrderedDict(pairs), lambda: deque(items, rng.choice((None, 4, 99))),
        lambda: bytearray(b'ab'), lambda: ActorAddress('%d.%d' % (rng.getrandbits(32), rng.getrandbits(64))),
        lambda: actors.PoisonMessage(items, 'x'), lambda: actors.WakeupMessage(timedelta(1), items),
        lambda: actors.ValidateSource('h', b'x', items), lambda: {'~dict': items}))()


def parts(tree):
    """Each value in a tree of JSON."""
    yield tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from parts(item)


def mutated(rng, tree, pieces):
    """The tree with some of it replaced by pieces of others, doubled, or under another tag."""
    if rng.random() < .1:
        return rng.choice(pieces)
    if isinstance(tree, list):
        tree = [mutated(rng, item, pieces) for item in tree]
        return tree * 2 if rng.random() < .1 else tree
    if isinstance(tree, dict):
        tags = ['~' + tag for tag in 'int float dict tuple set range Fraction deque message timedelta datetime UUID'.split()]
        return {rng.choice(tags) if k.startswith('~') and rng.random() < .2 else k: mutated(rng, item, pieces)
                for k, item in tree.items()}
    return tree


def spoiled(rng, text):
    """The text with a character replaced, taken out or doubled."""
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(('', text[at] * 2, rng.choice('[]{}",:~0-9e\\x'))) + text[at + 1:]


class RoundTrip(unittest.TestCase):
    def test_generated(self):
        rng = random.Random(3)
        for _ in range(1500 * SCALE):
            sent = value(rng, 4)
            got = tagged.from_tagged(tagged.to_tagged(sent))
            self.assertIs(type(got), type(sent))
            self.assertEqual(shape(got), shape(sent))

    def test_what_the_writer_refuses_is_what_the_reader_does(self):
        collisions = {n * P for n in range(bounds.SAME_HASH_MAX + 1)}
        nested = [{frozenset([-1, n]), frozenset([-2, n])} for n in range(5, 6 + bounds.NESTED_MAX)]
        deep = 0
        for _ in range(bounds.DEPTH_MAX + 1):
            deep = [deep]
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(10000)
        try:
            for sent in (2 ** bounds.INT_BITS, Decimal('1' * (bounds.DECIMAL_CHARS + 1)), collisions, dict.fromkeys(collisions),
                         nested, deep, Fraction(1, 2 ** bounds.INT_BITS), ActorAddress('1.' + '1' * 40)):
                with self.assertRaises(tagged.NotPassed):
                    tagged.to_tagged(sent)
            for sent in (2 ** bounds.INT_BITS - 1, Decimal('1' * bounds.DECIMAL_CHARS), collisions - {0}, nested[1:], deep[0],
                         {2.0 ** n for n in range(900)}, {(x, y) for x in range(-9, 9) for y in range(-9, 9)}):
                self.assertEqual(tagged.from_tagged(tagged.to_tagged(sent)), sent)
        finally:
            sys.setrecursionlimit(before)


def shape(found):
    """What repr says of it, with the items of sets in one order and messages by their fields."""
    if isinstance(found, (set, frozenset)):
        return type(found), sorted(map(repr, map(shape, found)))
    if isinstance(found, dict):
        return type(found), [(shape(k), shape(i)) for k, i in found.items()]
    if isinstance(found, (list, tuple, deque)):
        return type(found), [shape(item) for item in found], getattr(found, 'maxlen', None)
    if hasattr(found, '__dict__') and not isinstance(found, ActorAddress):
        return type(found), shape(vars(found))
    return repr(found)


if __name__ == '__main__':
    unittest.main()
