# SPDX-License-Identifier: MIT
"""What actors may rely on: messages, order, poison, exits, wakeups, watches, children, signals."""
import signal
import time
import unittest

from fakeadmin import HostTest

ECHO = '''
class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, msg)
'''

PARENT = '''
class Child(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        if msg == 'quit':
            import sys; sys.exit(3)
        if msg == 'raise':
            raise ValueError('no')
        self.send(sender, ('child', msg))
    def receiveMsg_ActorExitRequest(self, msg, sender):
        pass

class BadInit(Actor):
    def __init__(self):
        raise RuntimeError('never')

class A(ActorTypeDispatcher):
    def __init__(self):
        self.log, self.asker = [], None
    def receiveMsg_tuple(self, msg, sender):
        what = msg[0]
        self.asker = sender
        if what == 'create':
            self.child = self.createActor(msg[1], **(msg[2] if len(msg) > 2 else {}))
            self.send(sender, {'child': self.child})
        elif what == 'class':
            self.child = self.createActor(globals()[msg[1]])
            self.send(sender, {'child': self.child})
        elif what == 'tell':
            self.send(self.child, msg[1])
        elif what == 'log':
            self.send(sender, self.log)
    def receiveMsg_ChildActorExited(self, msg, sender):
        self.log.append(('exited', msg.childAddress == sender, str(msg.childAddress)))
        self.note()
    def receiveMsg_PoisonMessage(self, msg, sender):
        self.log.append(('poison', msg.poisonMessage, msg.details.strip().splitlines()[-1],
                         sender == self.myAddress))
        self.note()
    def receiveUnrecognizedMessage(self, msg, sender):
        self.log.append((type(msg).__name__, str(sender)))
    def receiveMsg_ActorExitRequest(self, msg, sender):
        self.log.append('exit')
    def note(self):
        if self.asker:
            self.send(self.asker, self.log)
'''


class Messages(HostTest):
    def test_values_and_names(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, (str(self), str(self.myAddress), self.globalName, __name__, A.__module__,
                           msg, str(sender)))
''')
        text = 'ActorAddr-1.1'
        name = '{{0123456789abcdef0123456789abcdef}}mod'
        ref = self.admin.tell(actor, ['x', (1, None)])
        self.admin.pump(lambda: self.admin.answers.get(ref))
        self.assertEqual(self.admin.answers[ref], [
            ('l', ('{A:A @ %s}' % text, text, None, name, name, ['x', (1, None)], 'ActorAddr-0.%d' % ref))])

    def test_literals_come_as_they_were_written(self):
        actor = self.actor(ECHO)
        for value in ('x', '', "it's", 'a"b', 'back\\slash', 'l\nf', 'é€\U0001f600', '\ud800', 0, 7, -7, 10**40, 1.5, 1e300,
                      float('inf'), 2j, True, None, b'\0x', (), (1,), [], {}, {1: {2}}, set(), '{}', "''", '07'):
            with self.subTest(value=value):
                text = repr(value).replace('inf', '1e999')
                ref = self.admin.new_ref()
                actor.wire.op(op='ask', ref=ref, enc='l', text=text)
                self.admin.pump(lambda: self.admin.answers.get(ref))
                self.assertEqual(self.admin.answers[ref], [('l', value)])

    def test_literals_that_are_none_are_dropped(self):
        actor = self.actor(ECHO)
        for text in ('', ' ', 'x', '1 1', '"', "'a' 'b' c", '__import__("os")', '(' * 1000, '-' * 100000 + '1', '007', '1\0'):
            actor.wire.op(op='ask', ref=77, enc='l', text=text)
        self.assertEqual(self.admin.ask(actor, 'still here'), 'still here')
        self.assertNotIn(77, self.admin.answers)

    def test_json(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, dict) and isinstance(msg.get('to'), ActorAddress):
            self.send(msg['to'], 'by address')
        else:
            self.send(sender, (msg, isinstance(msg, ActorAddress)))
''')
        self.assertEqual(self.admin.ask(actor, '[1,{"a":null}]', 'j'), ([1, {'a': None}], False))
        self.assertEqual(self.admin.ask(actor, '{"ActorAddress":"3.17"}', 'j'), ({'ActorAddress': '3.17'}, True))
        actor.wire.op(op='ask', ref=1, enc='j', text='{"to":{"ActorAddress":"0.99"}}')
        self.admin.pump(lambda: self.admin.answers.get(99))

    def test_message_frames_from_the_outside(self):
        import struct
        actor = self.actor(ECHO)
        actor.wire.frame('M', struct.pack('<QIB', 4711, 0, ord('l')) + b"('a', 1)")
        self.admin.pump(lambda: self.admin.answers.get(4711))
        self.assertEqual(self.admin.answers[4711], [('l', ('a', 1))])

    def test_order_of_2000_and_to_itself(self):
        actor = self.actor('''
class A(Actor):
    got = None
    def receiveMessage(self, msg, sender):
        if msg == 'start':
            self.asker, self.got = sender, []
            peer = self.createActor(B)
            for n in range(2000):
                self.send(peer, n)
            for n in range(5):
                self.send(self.myAddress, ('me', n))
        elif isinstance(msg, tuple):
            self.got.append(msg[1])
        elif isinstance(msg, list):
            self.send(self.asker, (msg == list(range(2000)), self.got))

class B(Actor):
    def __init__(self):
        self.got = []
    def receiveMessage(self, msg, sender):
        self.got.append(msg)
        if len(self.got) == 2000:
            self.send(sender, self.got)
''')
        self.assertEqual(self.admin.ask(actor, 'start'), (True, [0, 1, 2, 3, 4]))

    def test_large_messages(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker = sender
            self.send(self.createActor(B), b'x' * msg[0])
        elif isinstance(msg, int):
            self.send(self.asker, msg)
        else:
            self.send(self.asker, len(msg))
class B(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, len(msg) if len(msg) < 10**6 else msg)
''')
        for size in (65400, 65536, 70000, 20000000):
            self.assertEqual(self.admin.ask(actor, (size,)), size)

    def test_too_large_is_poison(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.send(self.asker, (len(msg.poisonMessage), msg.details, sender == self.peer))
        else:
            self.asker, self.peer = sender, self.createActor(A)
            self.send(self.peer, 'x' * 2000)
''', maxmessage=1000)
        size, details, same = self.admin.ask(actor, 'go')
        self.assertEqual((size, same), (2000, True))
        self.assertIn('too large', details)

    def test_send_to_what_is_no_address(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        errors = []
        for bad in (None, 'x', 7, ActorAddress('x'), ActorAddress('1.-1')):
            try:
                self.send(bad, 1)
            except InvalidActorAddress as error:
                errors.append((str(error), error.actorAddress is bad))
        self.send(sender, errors)
''')
        errors = self.admin.ask(actor, 1)
        self.assertEqual(len(errors), 5)
        self.assertEqual(errors[0], ('None is not a valid ActorAddress for sending messages to', True))

    def test_unpicklable_is_poison_from_the_target(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.send(self.asker, (callable(msg.poisonMessage), 'Traceback' in msg.details, sender == self.peer))
        else:
            self.asker, self.peer = sender, self.createActor(A) if msg else self.myAddress
            self.send(self.peer, lambda: 0)
''')
        self.assertEqual(self.admin.ask(actor, 1), (True, True, True))
        self.assertEqual(self.admin.ask(actor, 0), (True, True, True))

    def test_to_the_outside_only_literals(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.send(self.asker, msg.details)
        elif msg == 'address':
            self.send(sender, [self.myAddress])
        elif msg == 'swallowed':
            self.send(sender, WakeupMessage(1))
            self.send(sender, 'after')
        else:
            self.asker = sender
            self.send(sender, object())
''')
        self.assertEqual(self.admin.ask(actor, 'address'), [{'ActorAddress': actor.text}])
        self.assertEqual(self.admin.ask(actor, 'swallowed'), 'after')
        self.assertIn('object', self.admin.ask(actor, 'object'))

    def test_dispatch(self):
        actor = self.actor('''
class Base(ActorTypeDispatcher):
    def receiveMsg_int(self, msg, sender):
        self.send(sender, ['base int', msg])
    def receiveMsg_object(self, msg, sender):
        self.send(sender, 'object')
class A(Base):
    def receiveMsg_bool(self, msg, sender):
        return self.SUPER
    def receiveMsg_int(self, msg, sender):
        if msg > 5:
            return self.SUPER
        self.send(sender, ['int', msg])
    def receiveMsg_NoneType(self, msg, sender):
        self.send(sender, 'none')
''')
        for value, answer in ((3, ['int', 3]), (9, ['base int', 9]), (True, ['int', True]), (None, 'none'),
                              ('x', 'object')):
            self.assertEqual(self.admin.ask(actor, value), answer)

    def test_status_without_the_actors_code(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, Thespian_ActorStatus):
            import io
            from thespian.system.messages.status import formatStatus
            text = io.StringIO()
            formatStatus(msg, tofd=text)
            self.send(self.asker, (msg.actorClass, msg.actorAddress == self.peer, msg.sourceHash,
                                   msg.parentAddress == self.myAddress, 'Child' in text.getvalue()))
        else:
            self.asker, self.peer = sender, self.createActor(B)
            self.send(self.peer, Thespian_StatusReq())
class B(Actor):
    pass
''')
        self.assertEqual(self.admin.ask(actor, 1), ('mod.B', True, '0123456789abcdef' * 2, True, False))


class Poison(HostTest):
    SOURCE = '''
class A(Actor):
    tries = 0
    def receiveMessage(self, msg, sender):
        if isinstance(msg, list) and msg[0] == 'once':
            self.tries += 1
            msg.append('changed')
            if self.tries % 2:
                raise ValueError('first')
            self.send(sender, msg)
        elif isinstance(msg, PoisonMessage):
            if msg.poisonMessage == ['wake']:
                self.send(self.asker, 'woken')
            raise KeyError('poison')
        elif isinstance(msg, WakeupMessage):
            raise ValueError('wake')
        elif msg == 'wakeup':
            self.asker = sender
            self.wakeupAfter(0, 'payload')
        elif msg == 'fine':
            self.send(sender, 'fine')
        else:
            self.tries += 1
            raise ValueError('always %d' % self.tries)
'''

    def test_second_attempt_sees_the_changes_of_the_first(self):
        actor = self.actor(self.SOURCE)
        self.assertEqual(self.admin.ask(actor, ['once']), ['once', 'changed', 'changed'])
        self.assertEqual([(o['level'], 'ValueError: first' in o['text']) for o in self.admin.logs(actor)],
                         [(30, True)])

    def test_poison(self):
        actor = self.actor(self.SOURCE)
        kind, answer = self.admin.ask(actor, 'bad')
        self.assertEqual((kind, answer['PoisonMessage']), ('x', 'bad'))
        self.assertTrue(answer['Details'].startswith('Traceback'))
        self.assertEqual(answer['Details'].strip().splitlines()[-1], 'ValueError: always 2')
        self.assertIn("raise ValueError('always", answer['Details'])    # the line of the source
        self.assertNotIn('actorhost.py', answer['Details'])
        self.assertEqual([o['level'] for o in self.admin.logs(actor)], [30, 40])
        self.assertEqual(self.admin.ask(actor, 'fine'), 'fine')

    def test_wakeups_poison_comes_to_itself_and_is_not_answered(self):
        actor = self.actor(self.SOURCE)
        self.admin.tell(actor, 'wakeup')
        self.assertEqual(self.admin.ask(actor, 'fine'), 'fine')
        self.admin.pump(lambda: len(self.admin.logs(actor)) >= 4)
        self.assertEqual([o['level'] for o in self.admin.logs(actor)], [30, 40, 30, 40])

    def test_message_of_the_admin_tells_how_it_ended(self):
        actor = self.actor(self.SOURCE)
        self.assertEqual(self.admin.message(actor, 'fine')['ok'], True)
        done = self.admin.message(actor, 'bad')
        self.assertEqual((done['ok'], done['error']), (False, 'mod.py:25: ValueError: always 2'))
        self.assertTrue(done['traceback'].startswith('Traceback'))
        self.assertEqual(self.admin.message(actor, ['once'])['ok'], True)
        actor.wire.op(op='message', ref='5', enc='l', text='os.x')
        event = self.admin.until('done', since=len(self.admin.seen))
        self.assertFalse(event[2]['ok'])


class Exits(HostTest):
    def test_exit_request(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            self.send(ActorAddress('0.50'), ('exit', msg.isRecursive, str(sender)))
            raise ValueError('does not stop it')
''')
        actor.wire.op(op='exit', recursive=True)
        self.admin.until_dead(actor)
        self.assertEqual(self.admin.answers[50], [('l', ('exit', True, 'ActorAddr-/ActorSys'))])

    def test_parents_hear_first_and_children_end_first(self):
        source = '''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            self.depth, self.asker = msg, ActorAddress('0.60')
            if msg:
                for n in range(2):
                    self.send(self.createActor(A), msg - 1)
            self.send(self.asker, 'up')
        elif isinstance(msg, ActorExitRequest):
            self.send(self.asker, ('told', self.depth))
        elif isinstance(msg, ChildActorExited):
            self.send(self.asker, ('child gone', self.depth))
        else:
            self.send(self.asker, 'must not be delivered')
'''
        actor = self.actor(source)
        self.admin.tell(actor, 2)
        self.admin.pump(lambda: len(self.admin.answers.get(60, ())) == 7)
        del self.admin.answers[60][:]
        mark = len(self.admin.seen)
        actor.wire.op(op='exit', recursive=True)
        self.admin.tell(actor, 'late')
        self.admin.until_dead(actor)
        self.assertTrue(all(one.dead for one in self.admin.actors.values()))
        self.assertEqual([e[1] for e in self.admin.seen[mark:] if e[0] == 'exit'][-1], actor.id)
        said = [answer for _, answer in self.admin.answers[60]]
        self.assertEqual(said[0], ('told', 2))
        self.assertEqual(said[-1], ('child gone', 2))
        self.assertEqual(len(said), 7 + 6)
        self.assertNotIn('must not be delivered', said)

    def test_not_recursive_leaves_the_children(self):
        actor = self.actor(PARENT)
        child = self.child(self.admin.ask(actor, ('create', 'mod.Child')))
        actor.wire.op(op='exit', recursive=False)
        self.admin.until_dead(actor)
        self.assertEqual(self.admin.ask(child, 'x'), ('child', 'x'))

    def child(self, answer):
        return self.admin.actors[int(answer['child']['ActorAddress'].split('.')[1])]

    def test_a_child_exits_exactly_once(self):
        actor = self.actor(PARENT)
        for how in ('quit', 'kill', 'term'):
            with self.subTest(how):
                child = self.child(self.admin.ask(actor, ('create', 'mod.Child')))
                self.admin.pump(lambda: child.up and child.started)
                if how == 'quit':
                    self.admin.tell(child, 'quit')
                else:
                    self.admin.kill(child, signal.SIGKILL if how == 'kill' else signal.SIGTERM)
                self.admin.until_dead(child)
        answer = self.admin.ask(actor, ('log',))
        self.assertEqual(len(answer), 3)
        self.assertTrue(all(one[:2] == ('exited', True) for one in answer))

    def test_children_that_never_start(self):
        actor = self.actor(PARENT + '''
@requireCapability('Nowhere')
class Picky(Actor):
    pass
''')
        for name, kind in (('nosuch.Thing', 'import'), ('mod.NoSuch', 'class'), ('nodot', 'class'),
                           ('mod.Picky', 'capability'), ('mod', 'class')):
            with self.subTest(name):
                mark = len(self.admin.seen)
                ref = self.admin.tell(actor, ('create', name))
                self.admin.tell(actor, ('tell', 'msg'), ref=ref)
                event = self.admin.until('spawn-failed', since=mark)
                self.assertEqual(event[2]['kind'], kind)
                self.admin.pump(lambda: len(self.admin.answers.get(ref, ())) >= 2)
        log = self.admin.ask(actor, ('log',))
        self.assertEqual(sum(one[0] == 'exited' and one[1] for one in log), 5)
        self.assertTrue(all(one[1:] == ('msg', 'Child Aborted', True) for one in log if one[0] == 'poison'))

    def test_failing_init(self):
        actor = self.actor(PARENT)
        mark = len(self.admin.seen)
        self.admin.tell(actor, ('create', 'mod.BadInit'))
        failed = self.admin.until('failed', since=mark)[2]
        self.assertEqual((failed['kind'], failed['error']), ('init', 'mod.py:15: RuntimeError: never'))
        self.assertIn("raise RuntimeError('never')", failed['traceback'])
        log = next(e[2] for e in self.admin.seen if e[0] == 'log')
        self.assertEqual((log['name'], log['level'], log['text'].splitlines()[0]),
                         ('BadInit', 40, 'instantiation exception'))
        self.admin.until('exit', since=mark)

    def test_host_calls_in_init_fail_it(self):
        actor = self.actor('''
class A(Actor):
    def __init__(self):
        self.send(self.myAddress, 1)
''')
        self.assertTrue(actor.dead)
        self.assertIn('_myRef', self.admin.until('failed')[2]['error'])

    def test_signals(self):
        source = '''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            self.send(self.asker, ('exit', sender == self.myAddress))
        else:
            self.asker = sender
            self.send(sender, msg)
'''
        parent = self.admin.parent({'mod.py': 'from thespian.actors import *\n' + source})
        for signum in (signal.SIGTERM, signal.SIGQUIT, signal.SIGABRT):
            actor = self.admin.spawn(parent, 'mod.A')
            ref = self.admin.tell(actor, 'hi')
            self.admin.pump(lambda: self.admin.answers.get(ref))
            for harmless in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGALRM, signal.SIGUSR1):
                self.admin.kill(actor, harmless)
            self.assertEqual(self.admin.ask(actor, 'alive'), 'alive')
            self.admin.answers[ref].clear()
            self.admin.tell(actor, 'hi', ref=ref)
            self.admin.pump(lambda: self.admin.answers.get(ref))
            self.admin.kill(actor, signum)
            self.admin.until_dead(actor)
            self.assertEqual(self.admin.answers[ref][-1], ('l', ('exit', True)))

    def test_sys_exit_and_interrupt_end_only_it(self):
        actor = self.actor(PARENT)
        child = self.child(self.admin.ask(actor, ('create', 'mod.Child')))
        mark = len(self.admin.seen)
        self.admin.tell(child, 'quit')
        self.admin.until_dead(child)
        self.assertEqual(self.admin.until('gone', since=mark)[2]['status'], 3)
        self.assertEqual(len(self.admin.ask(actor, ('log',))), 1)


class Children(HostTest):
    def test_by_class_and_by_name(self):
        actor = self.actor(PARENT)
        for ask in (('class', 'Child'), ('create', 'mod.Child')):
            address = self.admin.ask(actor, ask)['child']['ActorAddress']
            child = self.admin.actors[int(address.split('.')[1])]
            self.admin.tell(actor, ('tell', 'hello'))
            self.admin.pump(lambda: child.up)
            self.assertEqual(child.creator, actor)

    def test_global_names(self):
        actor = self.actor(PARENT)
        first = self.admin.ask(actor, ('create', 'mod.Child', {'globalName': 'the one'}))
        again = self.admin.ask(actor, ('create', 'no.such.Thing', {'globalName': 'the one'}))
        self.assertEqual(first, again)
        child = self.admin.names['the one']
        self.admin.kill(child, signal.SIGKILL)
        self.admin.until_dead(child)
        log = self.admin.ask(actor, ('log',))
        self.assertEqual([(one[0], one[1]) for one in log], [('exited', False)])    # from the system

    def test_arguments_of_init(self):
        parent = self.admin.parent({'mod.py': '''
from thespian.actors import *
class Say(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, self.got)
class Both(Say):
    def __init__(self, requirements=1, capabilities=2, globalName='default'):
        self.got = (requirements, capabilities['Cap'], globalName, self.__class__.__name__)
class Neither(Say):
    def __init__(self, *, capabilities='kept', **kw):
        self.got = (capabilities, kw)
class Needs(Say):
    def __init__(self, other):
        pass
'''})
        both = self.admin.spawn(parent, 'mod.Both', requirements="l:{'a': (1, 2)}", name='n')
        self.assertEqual(self.admin.ask(both, 1), ({'a': (1, 2)}, 'yes', 'default', 'Both'))
        self.assertEqual(self.admin.ask(self.admin.spawn(parent, 'mod.Neither'), 1), ('kept', {}))
        self.assertTrue(self.admin.spawn(parent, 'mod.Needs').dead)

    def test_many_ids(self):
        self.admin.ids_size = 7
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'many':
            self.asker, self.left = sender, 40
            made = [self.createActor(B) for n in range(40)]
            assert len(set(map(str, made))) == 40
            for one in made:
                self.send(one, 'hi')
        elif msg == 'hi':
            self.left -= 1
            if not self.left:
                self.send(self.asker, 'all')
class B(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'hi':
            self.send(sender, msg)
''')
        self.assertEqual(self.admin.ask(actor, 'many'), 'all')

    def test_capabilities_change(self):
        actor = self.actor('''
@requireCapability('Cap', 'yes')
class A(Actor):
    def __init__(self, capabilities):
        self.capabilities = capabilities
    def receiveMessage(self, msg, sender):
        if msg == 'python':
            import sys
            self.send(sender, self.capabilities['Python Version'] == tuple(sys.version_info))
        elif msg == 'update':
            self.updateCapability('New', (1, 2))
''')
        self.assertTrue(self.admin.ask(actor, 'python'))
        self.admin.tell(actor, 'update')
        self.assertEqual(self.admin.until('capability')[2]['value'], '(1, 2)')
        actor.wire.op(op='capabilities', capabilities={'Cap': "'yes'", 'x': '(1,)', 'bad': 'os.getcwd()'})
        self.assertTrue(self.admin.ask(actor, 'python'))
        actor.wire.op(op='capabilities', capabilities={'Cap': "'no'"})
        self.admin.until_dead(actor)

    def test_dead_letters(self):
        actor = self.actor('''
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, DeadEnvelope):
            self.send(self.asker, (str(msg.deadAddress), msg.deadMessage, str(sender)))
        elif isinstance(msg, tuple):
            self.asker = sender
            self.handleDeadLetters(msg[0])
            self.child = self.createActor(A)
            self.send(self.child, ActorExitRequest())
        elif isinstance(msg, ChildActorExited):
            self.send(self.child, {'late': 1})
''')
        answer = self.admin.ask(actor, (True,))
        self.assertEqual(answer[1:], ({'late': 1}, 'ActorAddr-/ActorSys'))


class Time(HostTest):
    def test_order_of_wakeups(self):
        actor = self.actor('''
from datetime import timedelta
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, WakeupMessage):
            self.got.append((msg.payload, repr(msg.delayPeriod), sender == self.myAddress))
            if msg.payload == 'end':
                self.send(self.asker, self.got)
        elif msg == 'go':
            self.asker, self.got = sender, []
            self.wakeupAfter(0.06, 'end')
            self.wakeupAfter(0.04, 'd')
            self.wakeupAfter(timedelta(milliseconds=20), 'c')
            self.wakeupAfter(0, 'a')
            self.wakeupAfter(-1, 'b')
            self.wakeupAfter(None, 'never')
            self.wakeupAfter(1e30, 'never')
            try:
                self.wakeupAfter('x')
            except TypeError:
                self.got.append('TypeError')
''')
        got = self.admin.ask(actor, 'go')
        self.assertEqual(got, ['TypeError', ('a', '0', True), ('b', '-1', True),
                               ('c', 'datetime.timedelta(microseconds=20000)', True), ('d', '0.04', True),
                               ('end', '0.06', True)])

    def test_busy_with_itself_it_still_reads(self):
        actor = self.actor('''
class A(Actor):
    busy = True
    def receiveMessage(self, msg, sender):
        if msg == 'spin':
            self.send(self.myAddress, 'spin')
        elif isinstance(msg, WakeupMessage):
            self.wakeupAfter(0)
        elif msg == 'start':
            self.wakeupAfter(0)
            self.send(self.myAddress, 'spin')
        else:
            self.send(sender, msg)
''')
        self.admin.tell(actor, 'start')
        for n in range(20):
            self.assertEqual(self.admin.ask(actor, ('n', n)), ('n', n))

    def test_watch(self):
        actor = self.actor('''
import os
class A(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'watch':
            self.asker, (self.r, self.w) = sender, os.pipe()
            os.write(self.w, b'x')
            self.stream = os.fdopen(self.r, 'rb', 0)
            return ThespianWatch([self.stream, 9999, -3, 'junk'])
        if isinstance(msg, WatchMessage):
            self.send(self.asker, (msg.ready == [self.stream], self.stream.read(1), sender == self.myAddress))
            if self.w is not None:
                os.close(self.w)
                self.w = None
                return ThespianWatch([self.stream])
            return None
''')
        ref = self.admin.tell(actor, 'watch')
        self.admin.pump(lambda: len(self.admin.answers.get(ref, ())) == 2)
        self.assertEqual([a for _, a in self.admin.answers[ref]], [(True, b'x', True), (True, b'', True)])

    def test_a_watch_ends_with_the_next_return(self):
        actor = self.actor('''
import os
class A(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'watch':
            self.r, self.w = os.pipe()
            return ThespianWatch([self.r])
        if msg == 'write':
            os.write(self.w, b'x')
        self.send(sender, type(msg).__name__)
''')
        self.admin.tell(actor, 'watch')
        self.assertEqual(self.admin.ask(actor, 'write'), 'str')
        self.assertEqual(self.admin.ask(actor, 'other'), 'str')


class Flow(HostTest):
    """Full links: nothing is lost, nobody stands still for ever."""

    def test_blocked_sender_takes_its_input(self):
        actor = self.actor('''
class A(Actor):
    got = 0
    def receiveMessage(self, msg, sender):
        if msg == 'flood':
            for n in range(5000):
                self.send(sender, n)
            self.send(sender, 'flooded')
        elif msg == 'count':
            self.got += 1
        else:
            self.send(sender, self.got)
''')
        actor.wire.paused = True
        ref = self.admin.tell(actor, 'flood')
        import struct
        payload = struct.pack('<QIB', 5, 0, ord('l')) + b"'count'"
        for _ in range(20000):      # more than fits: gets through only if the blocked actor reads
            actor.wire.frame('M', payload)
        self.admin.pump(lambda: not actor.wire.outbox)
        actor.wire.paused = False
        self.admin.pump(lambda: self.admin.answers.get(ref, [None])[-1] == ('l', 'flooded'))
        self.assertEqual([a for _, a in self.admin.answers[ref][:-1]], list(range(5000)))
        self.assertEqual(self.admin.ask(actor, 'how many'), 20000)

    def test_two_that_flood_each_other_and_a_burst(self):
        actor = self.actor('''
class A(Actor):
    got = 0
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker, peer = sender, self.createActor(A)
            self.send(peer, 'flood')
            for n in range(10000):
                self.send(peer, n)
        elif msg == 'flood':
            for n in range(10000):
                self.send(sender, n)
        elif isinstance(msg, int):
            assert msg == self.got
            self.got += 1
            if self.got == 10000:
                if hasattr(self, 'asker'):
                    self.done()
                else:
                    self.send(sender, 'all')
        elif msg == 'all':
            self.peer_done = True
            self.done()
    peer_done = False
    def done(self):
        if self.peer_done and self.got == 10000:
            self.send(self.asker, 'both')
''')
        for direct in (None, 30):
            with self.subTest(direct=direct):
                self.admin.direct_after = direct
                one = self.admin.spawn(actor.parent, 'mod.A')
                self.assertEqual(self.admin.ask(one, 'go', wait=60), 'both')
        self.assertTrue(self.admin.directs_made)

    def test_direct_links_keep_order_until_the_end(self):
        actor = self.actor('''
class A(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        self.asker, self.got = sender, []
        self.send(self.createActor(B), 3000)
    def receiveMsg_int(self, msg, sender):
        self.got.append(msg)
    def receiveMsg_bytes(self, msg, sender):
        self.got.append(len(msg))
    def receiveMsg_ChildActorExited(self, msg, sender):
        self.send(self.asker, self.got == list(range(3000)) + [100000])
class B(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            for n in range(msg):
                self.send(sender, n)
            self.send(sender, b'x' * 100000)
            self.send(self.myAddress, ActorExitRequest())
''')
        self.admin.direct_after = 100
        self.assertTrue(self.admin.ask(actor, 'go', wait=60))
        self.assertTrue(self.admin.directs_made)

    def test_threads_may_send_and_log(self):
        actor = self.actor('''
import threading, logging
class A(Actor):
    def receiveMessage(self, msg, sender):
        def work(k):
            for n in range(200):
                logging.info('thread %d', k)
                self.send(sender, k)
        threads = [threading.Thread(target=work, args=(k,)) for k in range(20)]
        for one in threads: one.start()
        for one in threads: one.join()
        self.send(sender, 'end')
''')
        ref = self.admin.tell(actor, 1)
        self.admin.pump(lambda: self.admin.answers.get(ref, [None])[-1] == ('l', 'end'), 60)
        self.assertEqual(len(self.admin.answers[ref]), 4001)
        self.assertEqual(len(self.admin.logs(actor)), 4000)


class Logs(HostTest):
    def test_records(self):
        actor = self.actor('''
import logging
early = logging.getLogger('early.one')
class A(Actor):
    def receiveMessage(self, msg, sender):
        logging.info('%s and %s', 1, [2])
        early.warning('nul \\0 and \\ud800')
        logging.debug('below the level')
        try:
            1 / 0
        except ZeroDivisionError:
            self.logger('mine').exception('oops')
        answers = [logging.getLogger().level]
        for call in (logging.getLogger().addHandler, logging.getLogger().removeHandler):
            try:
                call(logging.NullHandler())
            except NotImplementedError:
                answers.append('no')
        logging.getLogger('early').setLevel(logging.ERROR)
        early.warning('raised')
        print('printed', flush=False)
        self.send(sender, answers)
''')
        self.assertEqual(self.admin.ask(actor, 1), [20, 'no', 'no'])
        logs = self.admin.logs(actor)
        self.assertEqual([(o['level'], o['name']) for o in logs],
                         [(20, 'root'), (30, 'early.one'), (40, 'mine')])
        self.assertEqual(logs[0]['text'], '1 and [2]')
        self.assertEqual(logs[1]['text'], 'nul \\x00 and \\ud800')
        self.assertTrue(logs[2]['text'].startswith('oops\nTraceback'))
        self.assertTrue(logs[2]['text'].endswith('ZeroDivisionError: division by zero'))
        self.assertLess(abs(logs[0]['time'] - time.time()), 100)
        self.admin.pump(lambda: b'printed\n' in self.admin.output[actor.pipe])

    def test_a_forked_child_of_the_actor_does_not_write_to_its_link(self):
        actor = self.actor('''
import logging, os
class A(Actor):
    def receiveMessage(self, msg, sender):
        pid = os.fork()
        if not pid:
            logging.warning('from the child')
            os._exit(0)
        os.waitpid(pid, 0)
        self.send(sender, 'ok')
''')
        self.assertEqual(self.admin.ask(actor, 1), 'ok')
        self.assertEqual(self.admin.logs(actor), [])
        self.admin.pump(lambda: b'from the child' in self.admin.output[actor.pipe])


if __name__ == '__main__':
    unittest.main()
