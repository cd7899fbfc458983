# SPDX-License-Identifier: MIT
"""The helpers for actors: troupe, transient, initializing_messages, RunCommand, timers, small functions."""
import io
import os
import signal
import sys
import tempfile
import time
import unittest
from datetime import timedelta
from unittest import mock

from fakeadmin import HOST, WAIT, HostTest

sys.path.append(HOST)

from thespian.actors import *  # noqa: E402  pylint: disable=all
from thespian.initmsgs import initializing_messages  # noqa: E402
from thespian.runcommand import (Command, CommandAbort, CommandLog, CommandOutput,  # noqa: E402
                                 CommandResult, CommandStarted, RunCommand)
from thespian.system.messages.status import formatStatus  # noqa: E402
from thespian.system.timing import ExpirationTimer, timePeriodSeconds  # noqa: E402
from thespian.system.utilis import fmap, thesplog, withPossibleInitArgs  # noqa: E402
from thespian.transient import transient, transient_idle  # noqa: E402
from thespian.troupe import UpdateTroupeSettings  # noqa: E402

TROUPE = '''
import os
from thespian.troupe import *

class Bee(ActorTypeDispatcher):
    def receiveMsg_tuple(self, msg, sender):
        getattr(self, msg[0])(sender, *msg[1:])
    def hold(self, sender, fifo):
        self.send(sender, os.getpid())
        with open(fifo, 'rb', 0) as stream:
            stream.read(1)
    def fail(self, sender):
        self.troupe_work_in_progress = True
        raise ValueError('no honey')
    def die(self, sender, path, times):
        with open(path, 'ab', 0) as stream:
            stream.write(b'.')
        if os.path.getsize(path) <= times:
            os._exit(1)
        self.send(sender, 'alive')
    def pid(self, sender):
        self.send(sender, os.getpid())
    def receiveMsg_object(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, ('got', msg))

class Settings(ActorTypeDispatcher):
    """Makes a troupe and hands it settings."""
    def receiveMsg_tuple(self, msg, sender):
        self.asker = sender
        if msg[0] == 'create':
            self.troupe = self.createActor(msg[1], sourceHash=msg[2])
            self.send(sender, self.troupe)
        else:
            self.send(self.troupe, UpdateTroupeSettings(*msg))
    def receiveMsg_UpdateTroupeSettings(self, msg, sender):
        self.send(self.asker, (msg.max_count, msg.idle_count))
    def receiveMsg_PoisonMessage(self, msg, sender):
        self.send(self.asker, msg.details)

@troupe(max_count=2)
class Hive(Bee):
    pass

@troupe(3, 1)
class Swarm(Bee):
    pass

@troupe(max_count=1)
class One(Bee):
    pass

class Logged(One):
    def receiveMessage(self, msg, sender):
        return super().receiveMessage(msg, sender)

@troupe(max_count=1)
class Again(One):
    """One whose work is not done when that of its base class is."""
    def receiveMessage(self, msg, sender):
        super().receiveMessage(msg, sender)
        if isinstance(msg, WakeupMessage):
            self.send(self.asker, 'really done')
            self.troupe_work_in_progress = False
        elif not isinstance(msg, ActorSystemMessage):
            self.asker = sender
            self.wakeupAfter(0.01)
            self.troupe_work_in_progress = True

@troupe(max_count=2)
class Steps(ActorTypeDispatcher):
    """Work that takes a message of another actor, the answer, to be done."""
    def receiveMsg_str(self, msg, sender):
        self.asker = sender
        self.send(self.createActor(Bee), msg.encode())
        self.troupe_work_in_progress = True
    def receiveMsg_tuple(self, msg, sender):
        self.send(self.asker, (os.getpid(), msg[1].decode()))
        self.troupe_work_in_progress = False
'''


class Troupes(HostTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fifo = os.path.join(folder.name, 'fifo')
        self.file = os.path.join(folder.name, 'file')
        os.mkfifo(self.fifo)
        self.gate = os.open(self.fifo, os.O_RDWR)
        self.addCleanup(os.close, self.gate)

    def answer(self, ref):
        self.admin.pump(lambda: self.admin.answers.get(ref))
        return self.admin.answers[ref][0]

    def status(self, actor, *parts):
        """Ask until the status has these parts."""
        end = time.monotonic() + WAIT
        while True:
            text = self.admin.ask(actor, 'troupe:status?')
            if all(part in text for part in parts):
                return
            self.assertLess(time.monotonic(), end, text)

    def test_so_many_at_once_and_the_rest_waits(self):
        hive = self.actor(TROUPE, 'mod.Hive')
        refs = [self.admin.tell(hive, ('hold', self.fifo)) for _ in range(3)]
        pids = [self.answer(ref)[1] for ref in refs[:2]]
        self.status(hive, 'Idle=2, Max=2, Troupers [', 'busy, ', 'busy], Pending=1')
        os.write(self.gate, b'..')
        self.assertIn(self.answer(refs[2])[1], pids)
        self.assertEqual(len(set(pids) | {hive.pid}), 3)
        os.write(self.gate, b'.')
        for value in ('x', '', 0, None, 'troupe:curtain', [7]):
            self.assertEqual(self.admin.ask(hive, value), ('got', value))

    def test_text_changes_the_settings(self):
        hive = self.actor(TROUPE, 'mod.Hive')
        for text, answer in (('max_count=9', 'Set troupe max_count to 9'), ('idle_count=4', 'Set troupe idle_count to 4'),
                             ('idle_count=0', 'Set troupe idle_count to 0'), ('max_count=1', 'Set troupe max_count to 1')):
            self.assertEqual(self.admin.ask(hive, 'troupe:set_' + text), answer)
        for text in ('max_count=nine', 'max_count=0', 'idle_count=-1', 'max_count=', 'idle_count=1=2'):
            answer = self.admin.ask(hive, 'troupe:set_' + text)
            self.assertEqual(answer.partition(' based')[0], 'Error changing %s for troupe' % text.partition('=')[0])
        self.status(hive, 'Idle=0, Max=1, Troupers [], Pending=0')

    def test_more_workers_begin_at_once_and_fewer_are_fewer_at_once(self):
        one = self.actor(TROUPE, 'mod.One')
        refs = [self.admin.tell(one, ('hold', self.fifo)) for _ in range(2)]
        self.answer(refs[0])
        self.admin.ask(one, 'troupe:set_max_count=2')
        self.answer(refs[1])
        os.write(self.gate, b'..')
        self.status(one, 'idle, ', 'idle]')
        self.admin.ask(one, 'troupe:set_max_count=1')
        for _ in range(2):
            self.admin.tell(one, ('hold', self.fifo))
        self.status(one, 'busy', 'idle', 'Pending=1')
        os.write(self.gate, b'..')

    def test_settings_from_this_and_from_another_source(self):
        self.admin.parent({'mod.py': 'from thespian.actors import *\n' + TROUPE}, 'f' * 32)
        driver = self.actor(TROUPE, 'mod.Settings')
        for source in (None, 'f' * 32):
            self.admin.ask(driver, ('create', 'mod.Hive', source))
            self.assertEqual(self.admin.ask(driver, (5, None)), (5, 2))
            self.assertEqual(self.admin.ask(driver, (0, 1)), (5, 1))

    def test_workers_beyond_the_idle_count_leave(self):
        swarm = self.actor(TROUPE, 'mod.Swarm')
        for ref in [self.admin.tell(swarm, ('hold', self.fifo)) for _ in range(3)]:
            self.answer(ref)
        mark = len(self.admin.seen)
        os.write(self.gate, b'...')
        self.status(swarm, '1, Max=3', 'idle', 'extra')
        self.admin.pump(lambda: sum(event[0] == 'exit' for event in self.admin.seen[mark:]) == 2)
        self.status(swarm, 'idle], Pending=0')
        self.assertNotIn(',', self.admin.ask(swarm, 'troupe:status?').partition('[')[2].partition(']')[0])

    def test_failing_work_is_poison_for_its_sender_and_the_worker_goes_on(self):
        one = self.actor(TROUPE, 'mod.One')
        pid = self.admin.ask(one, ('pid',))
        for _ in range(2):
            kind, poison = self.admin.ask(one, ('fail',))
            self.assertEqual((kind, poison['PoisonMessage']), ('x', ('fail',)))
            self.assertIn('no honey', poison['Details'])
        for _ in range(2):
            self.assertEqual(self.admin.ask(one, ('pid',)), pid)

    def test_the_work_of_a_dead_worker_is_done_by_another(self):
        one = self.actor(TROUPE, 'mod.One')
        self.assertEqual(self.admin.ask(one, ('die', self.file, 2)), 'alive')
        os.unlink(self.file)
        kind, poison = self.admin.ask(one, ('die', self.file, 99))
        self.assertEqual((kind, poison['PoisonMessage'][0]), ('x', 'die'))
        self.assertEqual(os.path.getsize(self.file), 3)
        self.assertEqual(self.admin.ask(one, 'still'), ('got', 'still'))

    def test_workers_that_cannot_be_made(self):
        actor = self.actor(TROUPE + """
@troupe()
class Sometimes(Bee):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        return not os.path.exists(%r)
""" % self.file, 'mod.Sometimes')
        open(self.file, 'wb').close()
        mark = len(self.admin.seen)
        self.assertEqual(self.admin.ask(actor, 'x'), ('x', {'PoisonMessage': 'x', 'Details': 'Child Aborted'}))
        self.assertEqual(sum(event[0] == 'spawn-failed' for event in self.admin.seen[mark:]), 3)
        os.unlink(self.file)
        self.assertEqual(self.admin.ask(actor, 'y'), ('got', 'y'))

    def test_work_of_several_messages(self):
        steps = self.actor(TROUPE, 'mod.Steps')
        refs = [self.admin.tell(steps, 'w%d' % n) for n in range(6)]
        answers = [self.answer(ref)[1] for ref in refs]
        self.assertEqual([text for _, text in answers], ['w%d' % n for n in range(6)])
        self.assertEqual(len({pid for pid, _ in answers}), 2)

    def test_the_manager_takes_its_workers_with_it(self):
        hive = self.actor(TROUPE, 'mod.Hive')
        self.admin.ask(hive, 'x')
        hive.wire.op(op='exit')
        self.admin.pump(lambda: all(actor.dead for actor in self.admin.actors.values()))

    def test_classes_derived_from_a_troupe(self):
        logged = self.actor(TROUPE, 'mod.Logged')
        self.assertEqual([self.admin.ask(logged, n) for n in range(3)], [('got', n) for n in range(3)])
        self.status(logged, 'Max=1', 'idle], Pending=0')
        again = self.admin.spawn(logged.parent, 'mod.Again')
        refs = [self.admin.tell(again, n) for n in range(3)]
        self.admin.pump(lambda: all(len(self.admin.answers.get(ref, ())) == 2 for ref in refs))
        self.assertEqual([self.admin.answers[ref] for ref in refs],
                         [[('l', ('got', n)), ('l', 'really done')] for n in range(3)])


class TroupeMessages(unittest.TestCase):
    def test_settings_that_are_none(self):
        for bad, error in ((-1, AssertionError), ('nine', TypeError)):
            self.assertRaises(error, UpdateTroupeSettings, bad)
            self.assertRaises(error, UpdateTroupeSettings, 1, bad)


class Alone:
    """An actor without a system: notes what its methods are asked for."""

    myAddress = ActorAddress('1.1')
    other = ActorAddress('1.2')

    def __init__(self):
        self.sent, self.wakes, self.got = [], [], []

    def send(self, target, message):
        self.sent.append((target, message))

    def wakeupAfter(self, period, payload=None):
        self.wakes.append(period)

    def receiveMessage(self, message, sender):
        self.got.append(message)
        return 'result'

    def exits(self):
        return [type(message) for _, message in self.sent] == [ActorExitRequest]


class Transients(HostTest):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        patch = mock.patch('time.monotonic', lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)

    def at(self, now, actor, message):
        self.now = now
        self.assertEqual(actor.receiveMessage(message, Alone.other), 'result')
        self.assertIs(actor.got[-1], message)

    def test_transient(self):
        for first in ('message', ActorExitRequest()):
            actor = transient(timedelta(seconds=5))(type('A', (Alone,), {}))()
            self.at(100, actor, first)
            self.at(104, actor, 'more')
            self.at(104, actor, WakeupMessage(1))
            self.assertEqual((actor.wakes, actor.sent), ([timedelta(seconds=5)], []))
            self.at(105, actor, WakeupMessage(5))
            self.at(106, actor, WakeupMessage(5))
            self.assertTrue(actor.exits())

    def test_transient_idle(self):
        actor = transient_idle(5)(type('A', (Alone,), {}))()
        self.at(100, actor, 'message')
        self.at(103, actor, 'more')
        self.at(104, actor, WakeupMessage(1))             # the actor's own
        self.assertEqual(actor.wakes, [5])
        self.at(105, actor, WakeupMessage(5))
        self.assertEqual([timePeriodSeconds(wake) for wake in actor.wakes], [5, 3])
        self.at(107, actor, ChildActorExited(None))       # does not count
        self.at(108, actor, WakeupMessage(3))
        self.assertTrue(actor.exits())

    def test_defaults(self):
        for decorator in (transient(), transient_idle()):
            actor = decorator(type('A', (Alone,), {}))()
            self.at(100, actor, 1)
            self.assertEqual(actor.wakes, [timedelta(seconds=10)])


class TransientActors(HostTest):
    def test_they_exit(self):
        for number, decorator in enumerate(('transient', 'transient_idle')):
            actor = self.actor('''
from thespian.transient import *
@%s(0.05)
class A(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)
''' % decorator, hash_='%032d' % number)
            self.assertEqual(self.admin.ask(actor, 1), 1)
            self.admin.until_dead(actor)


class Init(unittest.TestCase):
    def make(self, *args, **members):
        return initializing_messages(*args)(type('A', (Alone,), members))

    def test_until_all_are_there(self):
        kind = self.make([('number', int, True), ('text', str)], 'ready',
                         ready=lambda self: self.got.append((self.number, self.number_sender, self.text)))
        actor, second = kind(), kind()
        for each in (actor, second):
            for message in ([1], 5, WakeupMessage(1), [2], 6):
                each.receiveMessage(message, Alone.other)
            self.assertEqual(each.got, [WakeupMessage(1)])
        actor.receiveMessage('t', Alone.myAddress)
        self.assertEqual(actor.got, [WakeupMessage(1), (6, Alone.other, 't'), [1], [2]])
        self.assertFalse(hasattr(actor, 'text_sender'))
        self.assertEqual(actor.receiveMessage(7, Alone.other), 'result')
        self.assertEqual((actor.got[-1], actor.number, second.got), (7, 6, [WakeupMessage(1)]))

    def test_all_pass(self):
        actor = self.make([('a', int), ('b', str)], None, True)()
        for message in (1, [2], 'x', [3]):
            self.assertEqual(actor.receiveMessage(message, Alone.other), 'result')
        self.assertEqual((actor.got, actor.a, actor.b), ([1, [2], 'x', [3]], 1, 'x'))

    def test_a_kept_message_that_fails_is_poison_for_its_own_sender(self):
        def receive(self, message, sender):
            self.got.append(message)
            if message == ['bad']:
                raise ValueError(message)
        actor = self.make([('a', int)], receiveMessage=receive)()
        with self.assertLogs(level='WARNING'):
            for message, sender in ((['bad'], Alone.other), (['good'], Alone.other), (1, Alone.myAddress)):
                actor.receiveMessage(message, sender)
        self.assertEqual(actor.got, [['bad'], ['bad'], ['good']])
        self.assertEqual(actor.sent, [(Alone.other, PoisonMessage(['bad']))])
        self.assertIn('ValueError', actor.sent[0][1].details)

    def test_an_initdone_that_fails_or_is_missing(self):
        calls = []
        actor = self.make([('a', int)], 'ready', ready=lambda self: calls.append(1) or 1 / (len(calls) - 1))()
        actor.receiveMessage([1], Alone.other)
        self.assertRaises(ZeroDivisionError, actor.receiveMessage, 1, Alone.other)
        actor.receiveMessage([2], Alone.other)
        self.assertEqual((actor.got, len(calls)), ([[1], [2]], 2))
        with self.assertLogs(level='WARNING'):
            self.make([('a', int)], 'nosuch')().receiveMessage(1, Alone.other)

    def test_with_transient(self):
        kind = self.make([('a', int)])
        actor = initializing_messages([('a', int)])(transient(5)(type('A', (Alone,), {})))()
        actor.receiveMessage(1, Alone.other)
        self.assertEqual(actor.wakes, [])
        actor.receiveMessage('x', Alone.other)
        self.assertEqual((actor.wakes, actor.got), ([5], ['x']))


RUN = '''
from thespian.runcommand import *
class Other(RunCommand):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, msg)
class A(ActorTypeDispatcher):
    """Sends what it is told to a RunCommand and notes what comes back."""
    command = None
    def receiveMsg_list(self, msg, sender):
        self.asker, self.left, self.notes = sender, len(msg), []
        self.command = self.command or self.createActor(Other)
        for args, named in msg:
            for name in ('logger', 'output_updates'):
                if named.get(name):
                    named[name] = self.myAddress
            self.send(self.command, Command(*args, **named))
    def receiveMsg_str(self, msg, sender):
        if sender == self.command:
            self.note(('other', msg))
        elif msg == 'abort':
            self.send(self.command, CommandAbort())
        elif msg == 'exit':
            self.send(self.command, ActorExitRequest())
        else:
            self.send(self.command, msg)
    def note(self, what):
        self.notes.append(what)
        if self.left == 0 and what[0] == 'result' or what[0] == 'other':
            self.send(self.asker, self.notes)
    def receiveMsg_CommandStarted(self, msg, sender):
        self.note(('started', msg.pid > 1))
        self.send(self.asker, 'started')
    def receiveMsg_CommandOutput(self, msg, sender):
        self.note(('output', msg.output, msg.command.exe))
        self.send(self.asker, 'output')
    def receiveMsg_CommandError(self, msg, sender):
        self.note(('error', msg.error_output, msg.command.exe))
    def receiveMsg_CommandLog(self, msg, sender):
        self.note((msg.level, msg.message))
    def receiveMsg_CommandResult(self, msg, sender):
        self.left -= 1
        self.note(('result', msg.exitcode, msg.stdout, msg.stderr, bool(msg)))
'''


class Commands(HostTest):
    def setUp(self):
        super().setUp()
        self.driver = self.actor(RUN)

    def run_all(self, *commands):
        """What came back of commands, each a shell script or (args, named)."""
        return self.admin.ask(self.driver, [
            ((('sh', ['-c', each]), {'logger': False}) if isinstance(each, str) else each) for each in commands])

    def begin(self, script, *more):
        """Start a shell script that says something, and others after it; where the answers will come."""
        quiet = {'logger': False, 'output_updates': True, 'report_on_start': True}
        ref = self.admin.tell(self.driver, [(('sh', ['-c', script]), quiet)]
                              + [(('sh', ['-c', each]), {'logger': False}) for each in more])
        self.answer(ref, 2)
        return ref

    def answer(self, ref, count=3):
        """The answer of this number; the first two are 'started' and 'output'."""
        self.admin.pump(lambda: len(self.admin.answers.get(ref, ())) >= count)
        return self.admin.answers[ref][count - 1][1]

    def exit_codes(self, ref):
        return [note[1] for note in self.answer(ref) if note[0] == 'result']

    def test_one_after_the_other(self):
        self.assertEqual(self.run_all('echo one; echo err >&2', 'echo two; exit 3', 'kill -9 $$',
                                      (('nosuchprogram', []), {'logger': False}), (('sh', [3]), {'logger': False})),
                         [('result', 0, 'one\n', 'err\n', True), ('result', 3, 'two\n', '', False),
                          ('result', -9, '', '', False),
                          ('result', 2, '', "[Errno 2] No such file or directory: 'nosuchprogram'\n", False),
                          ('result', 22, '', 'expected str, bytes or os.PathLike object, not int\n', False)])

    def test_input_environment_shell(self):
        big = 'é' * 100000
        quiet = {'logger': False, 'max_bufsize': 0}
        self.assertEqual(self.run_all(
            (('cat', []), dict(quiet, input_src=big)), (('cat', []), dict(quiet, input_src=b'a\xffb\n')), 'cat',
            (('echo $X $0', ['arg']), dict(quiet, use_shell=True, env={'X': 'x'}))),
            [('result', 0, big, '', True), ('result', 0, 'a\\xffb\n', '', True), ('result', 0, '', '', True),
             ('result', 0, 'x arg\n', '', True)])

    def test_output_while_it_comes_and_other_messages_meanwhile(self):
        ref = self.begin('echo one; exec sleep 1000')
        self.admin.tell(self.driver, 'hello')
        notes = [('started', True), ('output', b'one\n', 'sh'), ('other', 'hello')]
        self.assertEqual(self.answer(ref), notes)
        self.admin.tell(self.driver, 'abort')
        self.assertEqual(self.answer(ref, 4), notes + [('result', -15, 'one\n', '', False)])

    def test_too_much_output_loses_its_middle(self):
        self.assertEqual(self.run_all((('sh', ['-c', 'i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; printf 0123456789 >&2']),
                                       {'logger': False, 'max_bufsize': 10})),
                         [('result', 0, ('0\n1\n2', '\n2999\n'[-5:]), '0123456789', True)])

    def test_what_it_leaves_behind_is_not_waited_for(self):
        self.assertEqual(self.run_all('echo here; (exec sleep 1000) & echo $! >&2')[0][:3], ('result', 0, 'here\n'))

    def test_closed_outputs_are_not_its_end(self):
        self.assertEqual(self.run_all('exec >&- 2>&-; exit 5'), [('result', 5, '', '', False)])

    def test_timeout(self):
        self.assertEqual(self.run_all((('sh', ['-c', 'echo x; exec sleep 1000']), {'logger': False, 'timeout': 0.2})),
                         [('result', -15, 'x\n', '', False)])

    def test_abort_when_nothing_runs_and_of_the_one_that_runs(self):
        self.run_all('true')
        self.admin.tell(self.driver, 'abort')
        ref = self.begin('trap "" TERM; echo deaf; exec sleep 1000', 'echo next')
        self.admin.tell(self.driver, 'abort')
        self.assertEqual(self.exit_codes(ref), [-9, 0])

    def test_exit(self):
        ref = self.begin('trap "" TERM; echo deaf; exec sleep 1000', 'echo next')
        self.admin.tell(self.driver, 'exit')
        self.assertEqual(self.exit_codes(ref), [-3, -9])

    def test_log_to_an_actor(self):
        lines = 'for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo s3cret $n%; done; echo bad >&2; exit 1'
        notes = self.run_all((('sh', ['-c', lines]), {'logger': True, 'omit_string': 's3cret', 'logtag': 'tag'}), 'true')
        self.assertNotIn('s3cret', repr([note for note in notes if note[0] != 'result']))
        self.assertEqual([note for note in notes if note[0] in ('info', 'error')][1:],
                         [('info', 'tag OUT| ... %d%%' % n) for n in (1, 2, 3, 4, 5)] + [('info', 'tag OUT| ...')]
                         + [('info', 'tag OUT| ... %d%%' % n) for n in (8, 9, 10, 11, 12)]
                         + [('error', 'tag ERR> bad'), ('error', 'tag ERROR exit code: 1')])

    def test_log(self):
        self.run_all((('sh', ['-c', 'echo 100%; echo no >&2; exit 1']), {'error_ok': True}))
        logs = [event[2] for event in self.admin.seen if event[0] == 'log']
        self.assertEqual([(log['level'], log['text']) for log in logs],
                         [(20, 'sh CMD: sh -c echo 100%; echo no >&2; exit 1'), (20, 'sh OUT| 100%'), (20, 'sh ERR> no'),
                          (20, 'sh ERROR exit code: 1')])


class CommandsBlocking(unittest.TestCase):
    """Where the system cannot watch, and what needs no system."""

    def run_all(self, *commands):
        actor = RunCommand({})
        sent = []
        actor.send = lambda target, message: sent.append(message)
        for command in commands:
            self.assertIsNone(actor.receiveMessage(command, Alone.other))
        return sent

    def test_commands(self):
        started, output, first, second, third = self.run_all(
            Command('cat', [], input_src='in', logger=False, report_on_start=True, output_updates=ActorAddress('1.3')),
            Command('sleep', ['1000'], timeout=timedelta(milliseconds=50), logger=False),
            Command('nosuchprogram', [], logger=False))
        self.assertEqual((type(started), type(output), output.output), (CommandStarted, CommandOutput, b'in'))
        self.assertEqual((first.exitcode, first.stdout, second.exitcode, third.exitcode), (0, 'in', -signal.SIGTERM, 2))
        self.assertLess(second.duration, timedelta(seconds=20))

    def test_a_wakeup_of_an_earlier_deadline_does_nothing(self):
        actor, sent, wakes = RunCommand({'Thespian Watch Supported': True}), [], []
        actor.send = lambda target, message: sent.append(message.exitcode)
        actor.wakeupAfter = lambda period, payload: wakes.append((period, payload))
        for message in (Command('sleep', ['1000'], timeout=500, logger=False), CommandAbort()):
            self.assertIsInstance(actor.receiveMessage(message, Alone.other), ThespianWatch)
        self.assertEqual([period for period, _ in wakes], [500, 2])
        actor.receiveMessage(WakeupMessage(*wakes[0]), Alone.other)
        actor.receiveMessage(ActorExitRequest(), Alone.other)
        self.assertEqual((len(wakes), sent), (2, [-signal.SIGTERM]))

    def test_the_result(self):
        command = Command('x', [], timeout=1.5)
        self.assertEqual((command.timeout, command.logtag), (timedelta(seconds=1.5), 'x'))
        self.assertEqual([CommandResult(command, *rest).errorstr for rest in ((0,), (1,), (1, '', 'e'), (0, '', 'w'))],
                         ['', 'FAILED', 'e', 'w'])
        self.assertEqual([str(CommandResult(command, *rest)) for rest in ((0,), (3, '', 'e'), (-9, '', ('a', 'b')))],
                         ['CommandResult success', 'CommandResult FAILED, exit code 3: e',
                          'CommandResult FAILED, exit code -9: a [...] b'])
        self.assertEqual([CommandLog('info', *args).message for args in (('100%',), ('%d', 3))], ['100%', '3'])


class Small(unittest.TestCase):
    def test_timers(self):
        now = 50.0
        with mock.patch('time.monotonic', lambda: now):
            long, same, short, zero, never = map(ExpirationTimer, (1.0, timedelta(seconds=1), 0.9, 0, None))
            ordered = (zero, short, long, never)
            for n, one in enumerate(ordered):
                for m, other in enumerate(ordered):
                    self.assertEqual((one < other, one <= other, one == other, one != other, one > other, one >= other),
                                     (n < m, n <= m, n == m, n != m, n > m, n >= m))
            self.assertTrue(long == same == timedelta(seconds=1) and never == ExpirationTimer() and long != 'x')
            now = 50.25
            with long as view:
                self.assertEqual((view.expired(), view.remainingSeconds(), view.remaining()),
                                 (False, 0.75, timedelta(seconds=0.75)))
            self.assertEqual((never.view().expired(), never.view().remaining(), never.view().remaining(9)), (False, None, 9))
            self.assertEqual(list(map(str, (long, zero, never))), ['Expires_in_0:00:00.750000', 'Expired_for_0:00:00.250000', 'Forever'])
            now = 60.0
            self.assertTrue(long == short == zero and long and long != never and not never)
            self.assertEqual(long.view().remainingSeconds(), 0)
        self.assertEqual([timePeriodSeconds(p) for p in (timedelta(minutes=1), 2, 0.5)], [60, 2, 0.5])
        self.assertRaises(TypeError, timePeriodSeconds, '1')

    def test_fmap(self):
        self.assertEqual(fmap(str, [1, (2, {3: [4]}), range(2), map(abs, [-5])]), ['1', ('2', {'3': ['4']}), ['0', '1'], ['5']])
        own = type('Own', (), {'fmap': lambda self, func: func(7)})()
        self.assertEqual(fmap(str, (own,)), ('7',))

    def test_possible_arguments(self):
        class Some:
            def __init__(self, a, c=3, *, b=4, **more):
                self.args = (a, c, b, more)

        class Nothing:
            pass
        given = withPossibleInitArgs(a=1, b=2, d=5)
        self.assertEqual(given.create(Some).args, (1, 3, 4, {}))
        self.assertIsInstance(given.create(Nothing), Nothing)

    def test_thesplog(self):
        with self.assertLogs('thespian.system', 'INFO') as logs:
            thesplog('x %s', 1)
            thesplog('y', level=logging.ERROR)
        self.assertEqual([record.levelname for record in logs.records], ['INFO', 'ERROR'])

    def test_status_as_text(self):
        status = Thespian_ActorStatus(Alone.myAddress, 'm.A', None, None, 'hash')
        status.addChild(Alone.other)
        status.addWakeups([(Alone.myAddress, ExpirationTimer())])
        status.addReceivedMessage(Alone.other, Alone.myAddress, 5)
        status.addKeyVal('k', 1)
        for answer in (status, Thespian_SystemStatus(Alone.myAddress, capabilities={'Cap': 1}), 'odd'):
            out = io.StringIO()
            with mock.patch('sys.stdout', out):
                formatStatus(answer, showAddress=lambda address: '<%s>' % address)
            self.assertIn({'odd': 'odd'}.get(answer, '<ActorAddr-1.1>') if answer == 'odd' else '<ActorAddr-1.1>', out.getvalue())

    def test_require_capability(self):
        @requireCapability('a')
        @requireCapability('b', 'B')
        class Needs:
            @staticmethod
            def actorSystemCapabilityCheck(capabilities, requirements):
                return requirements == 'r'
        check = Needs.actorSystemCapabilityCheck
        self.assertTrue(check({'a': 1, 'b': 'B'}, 'r'))
        for capabilities, requirements in (({'a': 1, 'b': 'B'}, None), ({'a': 0, 'b': 'B'}, 'r'), ({'b': 'B'}, 'r'),
                                           ({'a': 1, 'b': 1}, 'r'), ({'a': 1}, 'r')):
            self.assertFalse(check(capabilities, requirements))

    def test_the_star(self):
        names = {}
        exec('from thespian.actors import *', names)
        for name in ('contextmanager', 'logging', 'inspect', 'ThespianGeneration', 'Actor', 'ActorSystem', 'ExternalContext'):
            self.assertIn(name, names)
        self.assertEqual(ThespianGeneration, (3, 10))


if __name__ == '__main__':
    unittest.main()
