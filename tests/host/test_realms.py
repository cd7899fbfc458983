# SPDX-License-Identifier: MIT
"""What passes between sources: the allowed types whole, nothing else, and no code ever."""
import os
import pickle
import struct
import sys
import tempfile
import unittest
from collections import OrderedDict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from fakeadmin import HOST, HostTest

sys.path.insert(0, HOST)
sys.dont_write_bytecode = True
from tdshost.wire import realm  # noqa: E402
from thespian import actors  # noqa: E402
from thespian.actors import ActorAddress  # noqa: E402
from thespian.system.timing import ExpirationTimer  # noqa: E402
from thespian.troupe import UpdateTroupeSettings  # noqa: E402
sys.path.remove(HOST)

PASSES = [
    None, True, 0, -1, 2 ** 63, -2 ** 63, 10 ** 50, 1.5, -0.0, 1e300, 5e-324, float('inf'), float('-inf'), 1 + 2j,
    'x', '\ud800\0é', b'\0\xff', bytearray(b'ab'), [1, [2]], (1, (2,)), (), {}, {'a': 1}, {'~tuple': [1]},
    {'~x': 1, 'b': 2}, {1: 'x', (1, 2): {'y': 3}, None: 4}, set(), {1, 'a'}, frozenset([1]), range(1, 10, 3),
    date(2020, 1, 2), time(1, 2, 3, 4), datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
    datetime(2020, 1, 2, fold=1), timedelta(-1, 2, 3), timezone(timedelta(hours=2), 'X'),
    Decimal('1.10'), Fraction(1, 3), UUID(int=5), OrderedDict([(1, 2), ('a', [3])]), deque([1, (2,)], 5),
    ActorAddress('3.17'), [ActorAddress('3.17')],
]


class Tagged(unittest.TestCase):
    def test_round_trip(self):
        for value in PASSES:
            with self.subTest(value=value):
                again = realm.from_tagged(realm.to_tagged(value))
                self.assertIs(type(again), type(value))
                self.assertEqual(again, value)
                self.assertEqual(repr(again), repr(value))
        self.assertEqual(realm.from_tagged(realm.to_tagged(deque([1], 5))).maxlen, 5)
        self.assertNotEqual(*[realm.from_tagged(realm.to_tagged(float('nan')))] * 2)

    def test_all_messages(self):
        a = ActorAddress('1.2')
        for message in (actors.ActorSystemConventionUpdate(a, {'x': 1}), actors.LoadedSource('h', 'i'),
                        actors.UnloadedSource('h', 'i'), actors.ActorExitRequest(False), actors.ChildActorExited(a),
                        actors.PoisonMessage((1,), 'd'), actors.WakeupMessage(timedelta(1), {1}),
                        actors.WatchMessage([1]), actors.DeadEnvelope(a, b'x'), actors.ValidateSource('h', b'd', 'i'),
                        actors.ValidatedSource('h', b'd'), actors.Thespian_StatusReq(),
                        actors.Thespian_ActorStatus(a, 'c', a), actors.Thespian_SystemStatus(a),
                        ExpirationTimer(5), ExpirationTimer(), UpdateTroupeSettings(1, 2)):
            again = realm.from_tagged(realm.to_tagged(message))
            self.assertIs(type(again), type(message))
            self.assertEqual(vars(again), vars(message))
        self.assertFalse(realm.from_tagged(realm.to_tagged(actors.ActorExitRequest(False))).isRecursive)

    def test_what_does_not_pass(self):
        class Mine(str):
            pass

        class Message(actors.PoisonMessage):
            pass
        own = actors.PoisonMessage(1)
        own.extra = 2
        loop = []
        loop.append(loop)
        deep = []
        for _ in range(100000):
            deep = [deep]
        for value in (object(), Mine('x'), len, int, Message(1), own, loop, deep, [{1: (Mine('x'),)}], os,
                      ActorAddress('x'), ActorAddress(5)):
            with self.assertRaises(realm.NotPassed):
                realm.to_tagged(value)
        while deep:
            deep = deep[0]      # not freed recursively

    def test_bad_input_is_only_an_error(self):
        for text in (b'', b'{', b'nan', b'NaN', b'{"~nosuch":1}', b'{"~tuple":1}', b'{"~set":[[1]]}', b'{"~int":"x"}',
                     b'{"~bytes":"%%"}', b'{"~range":[1,2,0]}', b'{"~message":["Actor",{}]}',
                     b'{"~message":["PoisonMessage",{"__class__":1}]}', b'{"~message":["PoisonMessage",[]]}',
                     b'{"~message":[["x"],{}]}', b'{"~Fraction":[1,0]}', b'{"~timedelta":[1e300]}', b'{"~address":"x"}',
                     b'{"~date":"x"}', b'{"~datetime":["2020-01-01",0,7]}', b'{"~Decimal":"x"}', b'{"~UUID":"x"}',
                     b'{"~deque":[[1],-1]}', b'{"~dict":[[[],1]]}', b'[' * 100000, b'{"~tuple":' * 50000, b'\xff',
                     b'1' * 5000 if hasattr(sys, 'set_int_max_str_digits') else b'x', b'{"~complex":["a","b"]}'):
            with self.subTest(text=text[:40]):
                with self.assertRaises(ValueError):
                    realm.from_tagged(text)

    def test_literals_of_others_are_not_read(self):
        for enc in realm.LITERAL, realm.JSON:
            self.assertEqual(realm.decode(enc, b'1', 1, 0), 1)
            with self.assertRaises(ValueError):
                realm.decode(enc, b'1', 1, 2)

    def test_pickles_of_others_are_not_read(self):
        with self.assertRaises(ValueError):
            realm.decode(realm.PICKLE, pickle.dumps(1), 1, 2)
        with self.assertRaises(ValueError):
            realm.decode(realm.PICKLE, pickle.dumps(1), 1, 0)
        with self.assertRaises(ValueError):
            realm.decode(ord('?'), b'', 1, 1)


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


RELAY = '''
from thespian.actors import *
class Own:
    pass
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.send(self.asker, ('poison', msg.details, sender == self.peer))
        elif isinstance(msg, dict) and 'peer' in msg:
            self.asker, self.peer = sender, ActorAddress(msg['peer'])
            self.send(self.peer, Own() if msg['what'] == 'own' else lambda: 1 if msg['what'] == 'code' else msg['what'])
        elif isinstance(msg, dict) and 'pass' in msg:
            self.asker, self.peer = sender, ActorAddress(msg['pass'])
            self.send(self.peer, msg['what'])
        elif isinstance(msg, dict) and 'create' in msg:
            self.asker = sender
            self.peer = self.createActor('mod.A', sourceHash=msg['create'])
            self.send(self.peer, ('from', self.myAddress))
        elif isinstance(msg, tuple) and msg[0] == 'from':
            self.send(sender, ('back', __name__, sender))
        elif isinstance(msg, tuple) and msg[0] == 'back':
            self.send(self.asker, (msg[1], msg[2] == self.myAddress, sender == self.peer))
        elif isinstance(msg, ChildActorExited):
            self.send(self.asker, ('exited', msg.childAddress == self.peer))
        elif hasattr(self, 'asker') and str(sender).startswith('ActorAddr-') and sender != self.asker:
            self.send(self.asker, ('got', repr(msg)))
        else:
            self.send(sender, msg)
'''


class Across(HostTest):
    def setUp(self):
        super().setUp()
        files = {'mod.py': RELAY}
        self.one = self.admin.spawn(self.admin.parent(files, '1' * 32, way='zygote'), 'mod.A')
        self.two = self.admin.spawn(self.admin.parent(files, '2' * 32, way='zygote'), 'mod.A')

    def test_plain_values_there_and_back(self):
        value = {'a': [1, (2, None)], 3: b'x'}
        self.assertEqual(self.admin.ask(self.one, {'pass': self.two.text, 'what': value}), ('got', repr(value)))

    def test_own_classes_and_code_are_poison(self):
        for what, name in (('own', '}}mod.Own'), ('code', 'function')):
            answer = self.admin.ask(self.one, {'peer': self.two.text, 'what': what})
            self.assertEqual((answer[0], answer[2]), ('poison', True))
            self.assertIn(name, answer[1])
            self.assertIn('does not pass to another source', answer[1])

    def test_a_payload_that_would_run_code_does_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'made')
            evil = pickle.dumps(Payload(path))
            self.two.wire.frame('M', struct.pack('<QIB', self.one.id, self.one.realm, ord('p')) + evil)
            self.two.wire.frame('M', struct.pack('<QIB', 5, 0, ord('p')) + evil)
            self.two.wire.frame('D', struct.pack('<QIQIB', 9, 9, self.one.id, self.one.realm, ord('p')) + evil)
            self.two.wire.frame('M', struct.pack('<QIB', self.one.id, self.one.realm, ord('t'))
                                + b'{"~message":["Popen",{"args":"x"}]}')
            self.assertEqual(self.admin.ask(self.two, 'alive'), 'alive')
            self.assertFalse(os.path.exists(path))
            self.assertEqual(sum('cannot be read' in o['text'] for o in self.admin.logs(self.two)), 3)
            # the control: within its realm the same bytes do run
            self.two.wire.frame('M', struct.pack('<QIB', 9, self.two.realm, ord('p')) + evil)
            self.admin.ask(self.two, 'alive')
            self.assertTrue(os.path.exists(path))

    def test_an_actor_of_another_source(self):
        self.assertEqual(self.admin.ask(self.one, {'create': '2' * 32}), ('{{%s}}mod' % ('2' * 32), True, True))
        self.assertEqual(self.admin.ask(self.one, {'create': '3' * 32}), ('exited', True))

    def test_requirements_of_another_realm(self):
        from tdshost.wire.fields import pack_requirements, unpack_requirements
        self.assertIsNone(pack_requirements(None))
        for value in ({'a': 1}, {'x': Decimal(1)}, {'y': ActorAddress('1.2')}):
            self.assertEqual(unpack_requirements(pack_requirements(value), False), value)
        own = pack_requirements({'x': Payload('/nonexistent/x')})
        self.assertEqual(own[:2], 'p:')
        for refused in own, 'l:' + '[' + '0,' * 40000 + ']':
            with self.assertRaises(ValueError):
                unpack_requirements(refused, False)
        spawned = self.admin.spawn(self.one.parent, 'mod.A', requirements=own)
        self.assertTrue(spawned.dead)
        self.assertEqual(self.admin.until('spawn-failed')[2]['kind'], 'capability')


HEARS = '''
import os
from thespian.actors import *
from thespian.troupe import troupe
class A(Actor):
    heard = ()
    def receiveMessage(self, msg, sender):
        if msg == 'heard?':
            self.send(sender, self.heard)
        else:
            self.heard += (type(msg).__name__,)
@troupe(max_count=2)
class T(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, msg)
'''
ADDRESS = ActorAddress('9.9')
SYSTEMS = [actors.ActorSystemConventionUpdate(ADDRESS), actors.LoadedSource('h', 'i'), actors.UnloadedSource('h', 'i'),
           actors.ChildActorExited(ADDRESS), actors.WakeupMessage(1), actors.WatchMessage([1]), actors.DeadEnvelope(ADDRESS, 1),
           actors.ValidateSource('h', b'd'), actors.Thespian_SystemStatus(ADDRESS)]


class Orders(HostTest):
    """One of another source commands only where the admin says that it may."""

    def setUp(self):
        super().setUp()
        parent = self.admin.parent({'mod.py': HEARS}, '1' * 32, way='zygote')
        self.actor, self.troupe = self.admin.spawn(parent, 'mod.A'), self.admin.spawn(parent, 'mod.T')

    def tell(self, actor, message, mark=0, head=struct.pack('<QI', 5, 77)):
        actor.wire.frame('M', head + bytes([realm.TAGGED | mark]) + realm.to_tagged(message))

    def test_what_only_the_system_says(self):
        for message in SYSTEMS:
            self.tell(self.actor, message)
        self.assertEqual(self.admin.ask(self.actor, 'heard?'), ())
        self.assertEqual(['5' in o['text'] for o in self.admin.logs(self.actor)], [True])  # said once, not each time
        for message in SYSTEMS:
            self.tell(self.actor, message, realm.COMMANDS)
        names = tuple(type(message).__name__ for message in SYSTEMS)
        self.assertEqual(self.admin.ask(self.actor, 'heard?'), names)
        for message in SYSTEMS:  # within a realm it is as with Thespian: who sends what is the source's own affair
            payload = pickle.dumps(message, 4)
            self.actor.wire.frame('M', struct.pack('<QIB', 5, self.actor.realm, realm.PICKLE) + payload)
        self.assertEqual(self.admin.ask(self.actor, 'heard?'), names * 2)

    def test_exit_requests(self):
        for recursive in True, False:
            mark = len(self.admin.seen)
            self.tell(self.actor, actors.ActorExitRequest(recursive))
            self.assertEqual(self.admin.until('unheeded', since=mark)[2], {'op': 'unheeded', 'from': 5, 'recursive': recursive})
        self.assertEqual(self.admin.ask(self.actor, 'heard?'), ())
        self.tell(self.actor, actors.ActorExitRequest(), realm.COMMANDS)
        self.admin.until_dead(self.actor)

    def test_settings_of_a_troupe(self):
        self.assertEqual(self.admin.ask(self.troupe, 1), 1)
        for message in 'troupe:set_max_count=9', UpdateTroupeSettings(9, 9):
            self.tell(self.troupe, message)
        self.assertIn('Max=2', self.admin.ask(self.troupe, 'troupe:status?'))
        self.tell(self.troupe, UpdateTroupeSettings(9, 9), realm.COMMANDS)
        self.assertIn('Max=9', self.admin.ask(self.troupe, 'troupe:status?'))


if __name__ == '__main__':
    unittest.main()
