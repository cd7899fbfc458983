# SPDX-License-Identifier: MIT
"""A system within the program: no base, or simpleSystemBase. Actors live in the program and run when it calls."""
import importlib
import io
import os
import subprocess
import sys
import threading
import time
import types
import unittest
import zipfile
from datetime import timedelta
from unittest import mock

from fakeadmin import HOST, PYTHON, WAIT

sys.path.append(HOST)

from thespian.actors import *  # noqa: E402  pylint: disable=all
from thespian.runcommand import Command, RunCommand  # noqa: E402
from thespian.transient import transient  # noqa: E402
from thespian.troupe import troupe  # noqa: E402

SEEN = []  # what actors of this file noted: they share it with the tests


def helper():
    return 'real'


class Echo(ActorTypeDispatcher):
    def receiveMsg_object(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


class Mute(Actor):
    def receiveMessage(self, msg, sender):
        pass


class Noting(Actor):
    """Notes the class of all that it gets; creates a child of what it gets as a class, and says its address."""

    def receiveMessage(self, msg, sender):
        SEEN.append((type(self).__name__, type(msg).__name__, sender == self.myAddress))
        if isinstance(msg, tuple):
            child = self.createActor(msg[0], **msg[1] if len(msg) > 1 else {})
            self.send(child, 'welcome')
            self.send(sender, child)
        elif isinstance(msg, PoisonMessage):
            SEEN.append((msg.poisonMessage, msg.details.strip().splitlines()[-1]))


class Failing(Actor):
    attempts = 0

    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorExitRequest):
            Failing.attempts += 1
        raise ValueError(msg)


class BadInit(Actor):
    def __init__(self):
        raise KeyError('never')


class Waking(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker = sender
            self.wakeupAfter(*msg)
        elif isinstance(msg, WakeupMessage):
            self.send(self.asker, (msg.delayPeriod, msg.payload))


class Undertaker(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'on':
            self.handleDeadLetters()
        elif isinstance(msg, DeadEnvelope):
            SEEN.append((msg.deadMessage, msg.deadAddress))


class Within(unittest.TestCase):
    """Each test has a system of its own."""

    def setUp(self):
        SEEN.clear()
        self.system = ActorSystem(logDefs=False)
        self.addCleanup(lambda: ActorSystem(logDefs=False).shutdown())
        self.ask, self.create = self.system.ask, self.system.createActor
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)


class Messages(Within):
    def test_classes_of_anywhere(self):
        class Local(Echo):
            pass
        module = types.ModuleType('made_at_run_time')
        exec('from thespian.actors import *\nclass Made(Actor):\n'
             '    def receiveMessage(self, msg, sender): self.send(sender, (msg, __name__))', module.__dict__)
        self.assertEqual(self.ask(self.create(Local), 1), 1)
        self.assertEqual(self.ask(self.create(module.Made), 2), (2, 'made_at_run_time'))
        self.assertEqual(self.ask(self.create('thespian.actors.ActorTypeDispatcher'), 3), None)

    def test_messages_are_the_very_objects(self):
        echo = self.create(Echo)
        for thing in (lambda: 1, threading.Lock(), (n for n in 'x'), sys.stdin, ['a'], self):
            self.assertIs(self.ask(echo, thing), thing)

    def test_globals_are_the_programs_and_can_be_patched(self):
        class Helped(Actor):
            def receiveMessage(self, msg, sender):
                self.send(sender, (helper(), os.getpid()))
        helped = self.create(Helped)
        with mock.patch(__name__ + '.helper', return_value='patched'):
            self.assertEqual(self.ask(helped, 1), ('patched', os.getpid()))
        self.assertEqual(self.ask(helped, 1)[0], 'real')

    def test_a_mock_stands_for_a_class(self):
        double = mock.MagicMock()
        with mock.patch(__name__ + '.Mute', double):
            self.system.tell(self.create(__name__ + '.Mute'), 'hello')
        self.assertEqual(double.return_value.receiveMessage.call_args[0][0], 'hello')

    def test_order_and_a_queue_that_is_empty_after_tell(self):
        class Relay(Actor):
            def receiveMessage(self, msg, sender):
                if isinstance(msg, int):
                    SEEN.append(msg)
                    if msg < 1000:
                        self.send(self.myAddress, msg + 1)
        self.system.tell(self.create(Relay), 0)
        self.assertEqual(SEEN, list(range(1001)))

    def test_ask_listen_and_time(self):
        echo, mute, waking = self.create(Echo), self.create(Mute), self.create(Waking)
        began = time.monotonic()
        self.assertIsNone(self.ask(mute, 1, 50))
        self.assertIsNone(self.system.listen())
        self.assertIsNone(self.system.listen(50))
        self.assertIsNone(self.ask(echo, 'kept', 0))
        self.assertEqual(self.system.listen(), 'kept')
        self.assertIsNone(self.ask(waking, (8, 'never'), timedelta(milliseconds=20)))
        self.system.tell(mute, ActorExitRequest())
        self.assertIsNone(self.ask(mute, 'dead', 50))
        self.assertLess(time.monotonic() - began, WAIT)

    def test_wakeups_fire_within_calls(self):
        waking = self.create(Waking)
        self.assertIsNone(self.ask(waking, (0.03, 'a')))
        self.assertEqual(self.system.listen(WAIT), (0.03, 'a'))
        self.assertEqual(self.ask(waking, (timedelta(0), 'b')), (timedelta(0), 'b'))
        self.system.tell(waking, (0.001, 'c'))
        time.sleep(0.002)
        self.assertEqual(self.system.listen(), (0.001, 'c'))
        self.assertIsNone(self.ask(waking, (None, 'd'), 1))

    def test_no_addresses(self):
        for what in (self.system.tell, self.system.ask):
            with self.assertRaises(ValueError):
                what('no address', 1)

    def test_one_message_at_a_time(self):
        class Asking(Actor):
            depth = 0

            def receiveMessage(self, msg, sender):
                if isinstance(msg, ActorSystemMessage):
                    return
                self.depth += 1
                SEEN.append((msg, self.depth))
                if msg == 'outer':
                    self.send(self.myAddress, 'inner')
                    SEEN.append(ActorSystem().ask(self.createActor(Echo), 'nested'))
                    self.send(sender, 'answer')
                self.depth -= 1
        self.assertEqual(self.ask(self.create(Asking), 'outer'), 'answer')
        self.system.listen()
        self.assertEqual(SEEN, [('outer', 1), 'nested', ('inner', 1)])

    def test_threads_have_addresses_of_their_own(self):
        echo, wrong = self.create(Echo), []

        def work(number):
            with self.system.private() as mine:
                wrong.extend(n for n in range(200) if mine.ask(echo, (number, n), WAIT) != (number, n))
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(wrong, [])


class Rules(Within):
    def test_poison_after_a_second_attempt(self):
        Failing.attempts, message = 0, ['m']
        poison = self.ask(self.create(Failing), message)
        self.assertIs(poison.poisonMessage, message)
        self.assertEqual(Failing.attempts, 2)
        self.assertTrue(poison.details.startswith('Traceback') and poison.details.strip().endswith("['m']"))

    def test_exit_goes_down_and_its_news_up(self):
        top = self.create(Noting)
        middle = self.ask(top, (Noting,))
        self.ask(middle, (type('Low', (Noting,), {}),))
        SEEN.clear()
        self.system.tell(top, ActorExitRequest())
        self.assertEqual([seen[:2] for seen in SEEN], [
            ('Noting', 'ActorExitRequest'), ('Noting', 'ActorExitRequest'), ('Low', 'ActorExitRequest'),
            ('Noting', 'ChildActorExited'), ('Noting', 'ChildActorExited')])
        began = time.monotonic()
        self.assertIsNone(self.ask(top, 1, 50))
        self.assertLess(time.monotonic() - began, 25)

    def test_an_orphan_lives_on(self):
        top = self.create(Noting)
        child = self.ask(top, (Echo,))
        self.system.tell(top, ActorExitRequest(recursive=False))
        self.system.listen()  # what the child answered to a parent that is gone
        self.assertEqual(self.ask(child, 1), 1)
        self.assertIsNone(self.ask(child, Thespian_StatusReq()).parentAddress)

    def test_one_that_does_not_know_the_exit_goes_without_a_word(self):
        logging.disable(logging.NOTSET)
        failing = self.create(Failing)
        with self.assertLogs(level='INFO') as logs:
            logging.info('this alone')
            self.system.tell(failing, ActorExitRequest())
        self.assertEqual(len(logs.records), 1)

    def test_children_that_cannot_be_made(self):
        parent = self.create(Noting)
        self.ask(parent, ('json.NoSuchClass',))
        self.assertEqual([seen[:2] for seen in SEEN], [
            ('Noting', 'tuple'), ('Noting', 'ChildActorExited'), ('Noting', 'PoisonMessage'),
            ('welcome', 'Child Aborted')])
        SEEN.clear()
        undertaker = self.create(Undertaker)
        self.system.tell(undertaker, 'on')
        child = self.ask(parent, (BadInit,))
        self.system.listen()
        self.assertIn(('welcome', child), SEEN)
        self.assertIn(('Noting', 'ChildActorExited', False), SEEN)
        answer = self.ask(parent, ('no.such.module',))
        self.assertIsInstance(answer, PoisonMessage)
        self.assertIn('ModuleNotFoundError', answer.details)

    def test_what_the_program_cannot_make(self):
        @requireCapability('Never')
        class Picky(Mute):
            pass
        for what, error in (('no.such.Module', ImportError), ('json.NoSuchClass', InvalidActorSpecification),
                            ('Nodot', InvalidActorSpecification), (42, InvalidActorSpecification),
                            (Picky, NoCompatibleSystemForActor), (BadInit, KeyError)):
            with self.subTest(what=what), self.assertRaises(error):
                self.create(what)
        with self.assertRaises(InvalidActorSourceHash):
            self.create('json.X', sourceHash='0' * 32)

    def test_nobody_else_says_that_a_child_is_gone(self):
        parent = self.create(Noting)
        child = self.ask(parent, (Noting,))
        self.system.tell(parent, ChildActorExited(child))
        SEEN.clear()
        self.system.tell(parent, ActorExitRequest())
        self.assertEqual(SEEN.count(('Noting', 'ActorExitRequest', False)), 2)

    def test_dead_letters_have_one_handler(self):
        first, second, dead = self.create(Undertaker), self.create(Undertaker), self.create(Mute)
        self.system.tell(first, 'on')
        self.system.tell(second, 'on')
        self.system.tell(dead, ActorExitRequest())
        self.system.tell(dead, 'late')
        self.assertEqual(SEEN, [('late', dead)])
        self.system.tell(second, ActorExitRequest())
        self.system.tell(dead, 'later')
        self.assertEqual(len(SEEN), 1)
        self.assertIsNone(self.ask(self.system.systemAddress, Thespian_StatusReq()).deadLetterHandler)

    def test_what_is_no_dead_letter(self):
        class Leaving(Noting):
            def receiveMessage(self, msg, sender):
                if isinstance(msg, ChildActorExited):
                    self.send(self.myAddress, 'to itself')
                elif isinstance(msg, tuple):
                    self.wakeupAfter(0.1)
                    self.send(sender, self.createActor(*msg))
        self.system.tell(self.create(Undertaker), 'on')
        leaving = self.create(Leaving)
        self.ask(leaving, (Echo, None, 'named'))
        self.ask(leaving, (Echo,))
        self.system.tell(leaving, ActorExitRequest())
        self.system.tell(self.create(Echo, globalName='named'), ActorExitRequest())  # its maker is dead
        self.system.listen(0.3)
        self.assertEqual(SEEN, [])

    def test_global_names(self):
        named = self.create(Echo, globalName='it')
        self.assertEqual(self.create('no.such.Module', globalName='it'), named)
        maker = self.create(Noting)
        kept = self.ask(maker, (Echo, {'globalName': 'kept'}))
        self.system.tell(maker, ActorExitRequest())
        self.assertEqual(self.create(Echo, globalName='kept'), kept)
        self.system.tell(named, ActorExitRequest())
        self.assertNotEqual(self.create(Echo, globalName='it'), named)

    def test_capabilities(self):
        class Coloured(Noting):
            @staticmethod
            def actorSystemCapabilityCheck(capabilities, requirements):
                return capabilities.get('Colour') == 'red'
        self.system.updateCapability('Colour', 'red')
        self.assertEqual(self.system.capabilities['Colour'], 'red')
        self.create(Coloured)
        again = ActorSystem('simpleSystemBase', {'Colour': 'blue'})
        self.assertEqual(again.capabilities['Colour'], 'red')
        again.updateCapability('Colour')
        self.assertEqual(SEEN, [('Coloured', 'ActorExitRequest', True)])
        self.assertIs(self.system.capabilities['Thespian Watch Supported'], False)

    def test_status(self):
        parent = self.create(Noting)
        child = self.ask(parent, (Echo,))
        self.system.listen()
        status = self.ask(parent, Thespian_StatusReq())
        self.assertEqual((status.childActors, status.actorClass), ([child], __name__ + '.Noting'))
        self.assertIn(parent, self.ask(self.system.systemAddress, Thespian_StatusReq()).childActors)

    def test_troupe_transient_and_commands(self):
        @troupe(max_count=3)
        class Bees(Actor):
            def receiveMessage(self, msg, sender):
                if isinstance(msg, int):
                    self.send(sender, (msg, str(self.myAddress)))

        @transient(timedelta(milliseconds=20))
        class Fly(Echo):
            pass
        bees = self.create(Bees)
        for n in range(6):
            self.ask(bees, n, 0)
        answers = [self.system.listen(WAIT) for _ in range(6)]
        self.assertEqual([n for n, _ in answers], list(range(6)))
        self.assertEqual(len({bee for _, bee in answers}), 3)
        fly = self.create(Fly)
        self.assertEqual(self.ask(fly, 1), 1)
        self.system.listen(1)
        self.assertIsNone(self.ask(fly, 2))
        result = self.ask(self.create(RunCommand), Command('echo', ['hello']), WAIT)
        self.assertEqual(result.stdout.strip(), 'hello')


class Sources(Within):
    class Authority(Actor):
        def receiveMessage(self, msg, sender):
            if msg == 'on':
                self.registerSourceAuthority()
                self.notifyOnSourceAvailability(True)
            elif isinstance(msg, ValidateSource):
                self.send(sender, ValidatedSource(msg.sourceHash, msg.sourceData[3:], 'fine'))
            elif isinstance(msg, (LoadedSource, UnloadedSource)):
                SEEN.append((type(msg).__name__, msg.sourceInfo))

    def load(self, text):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, 'w') as archive:
            archive.writestr('inn/__init__.py', '')
            archive.writestr('inn/cook.py', text)
            archive.writestr('inn/pan.py', 'SIZE = 7')
        self.zipped = zipped.getvalue()
        return self.system.loadActorSource(io.BytesIO(b'xyz' + self.zipped))

    COOK = '''
from thespian.actors import *
class Cook(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'child':
            self.send(self.createActor('inn.cook.Cook'), sender)
        elif isinstance(msg, ActorAddress):
            self.send(msg, 'from the child')
        elif isinstance(msg, str):
            from inn import pan
            self.send(sender, (%d, pan.SIZE, __name__))
'''

    def test_two_versions_side_by_side(self):
        self.assertRaises(InvalidActorSourceHash, self.create, 'inn.cook.Cook', sourceHash=self.load('early'))
        self.system.tell(self.create(self.Authority), 'on')
        hashes = [self.load(self.COOK % n) for n in (1, 2)]
        self.assertEqual(SEEN, [('LoadedSource', 'fine')] * 2)
        cooks = [self.create('inn.cook.Cook', sourceHash=h) for h in hashes]
        self.assertEqual([self.ask(cook, 'x') for cook in cooks],
                         [(n, 7, '{{%s}}inn.cook' % h) for n, h in zip((1, 2), hashes)])
        self.assertEqual(self.ask(cooks[0], 'child'), 'from the child')
        self.assertRaises(ImportError, self.create, 'inn.cook.Cook')
        for each in hashes:
            self.system.unloadActorSource(each)
        self.assertEqual(SEEN[2:], [('UnloadedSource', 'fine')] * 2)
        self.assertRaises(InvalidActorSourceHash, self.create, 'inn.cook.Cook', sourceHash=hashes[0])
        self.assertFalse([name for name in sys.modules if name.startswith('{{')])

    def test_nobody_else_says_what_is_valid(self):
        class Silent(Actor):
            def receiveMessage(self, msg, sender):
                if msg == 'on':
                    self.registerSourceAuthority()

        class Other(Actor):
            def receiveMessage(self, msg, sender):
                if isinstance(msg, tuple):
                    self.send(msg[0], ValidatedSource(msg[1], msg[2]))
        self.system.tell(self.create(Silent), 'on')
        given = self.load(self.COOK % 1)
        self.system.tell(self.create(Other), (self.system.systemAddress, given, self.zipped))
        self.assertRaises(InvalidActorSourceHash, self.create, 'inn.cook.Cook', sourceHash=given)
        self.assertEqual(self.ask(self.system.systemAddress, Thespian_StatusReq()).loadedSources, [])

    def test_what_is_refused_or_no_archive(self):
        self.system.tell(self.create(self.Authority), 'on')
        for data in (b'xyz', b'xyzno archive'):
            given = self.system.loadActorSource(io.BytesIO(data))
            self.assertRaises(InvalidActorSourceHash, self.create, 'inn.cook.Cook', sourceHash=given)


class Systems(Within):
    def test_one_while_it_lives(self):
        class Inside(Actor):
            def receiveMessage(self, msg, sender):
                if not isinstance(msg, ActorSystemMessage):
                    self.send(sender, ActorSystem().createActor(Echo, globalName='shared'))
        echo = self.create(Echo, globalName='shared')
        self.assertEqual(self.ask(self.create(Inside), 1), echo)
        self.assertEqual(ActorSystem('simpleSystemBase').ask(echo, 2), 2)
        other = ActorSystem('simpleSystemBase', logDefs=False, transientUnique=True)
        self.assertNotEqual(other.createActor(Echo, globalName='shared'), None)
        other.shutdown()
        self.assertEqual(self.ask(echo, 3), 3)
        self.ask(echo, 'kept', 0)
        self.system.tell(self.create(Mute), 1)
        self.system.shutdown()
        self.assertIsNone(self.ask(echo, 4))
        self.assertIsNone(self.system.listen())
        self.assertRaises(ActorSystemFailure, self.create, Echo)
        self.system.shutdown()
        self.assertIsNone(ActorSystem(logDefs=False).ask(echo, 5))

    def test_shutdown_tells_the_actors(self):
        top = self.create(Noting)
        self.ask(top, (Noting,))
        SEEN.clear()
        self.system.shutdown()
        self.assertEqual([seen[1] for seen in SEEN], ['ActorExitRequest'] * 2 + ['ChildActorExited'])

    def test_an_actor_ends_it_and_still_answers(self):
        class Last(Actor):
            def receiveMessage(self, msg, sender):
                if msg == 'end':
                    self.actorSystemShutdown()
                    self.send(sender, 'done')
        last = self.create(Last)
        self.assertEqual(self.ask(last, 'end'), 'done')
        self.assertIsNone(self.ask(last, 'end'))

    def test_an_exit_hits_the_program_and_the_rest_goes_on(self):
        class Leaving(Actor):
            def receiveMessage(self, msg, sender):
                if msg == 'leave':
                    raise SystemExit(3)
        echo, leaving = self.create(Echo), self.create(Leaving)
        self.ask(echo, 'kept', 0)
        self.assertRaises(SystemExit, self.system.tell, leaving, 'leave')
        self.assertEqual(self.system.listen(), 'kept')


PROGRAM = '''
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, (msg, __name__, input()) if msg == 'ask' else msg)

s = ActorSystem()
print(s.ask(s.createActor(A), 'hello'))
s.shutdown()
'''


def run_python(*arguments, text='', **env):
    """Run a program with the host's package, and nothing that says where a system is."""
    env = dict({k: v for k, v in os.environ.items() if k != 'THESPIAN_DIRECTOR_DIR'}, PYTHONPATH=HOST, **env)
    return subprocess.run([PYTHON, '-B', *arguments], input=text, capture_output=True, text=True,
                          timeout=WAIT, env=env)


class Programs(unittest.TestCase):
    """Where a program comes from matters nothing, and no process is started."""

    def test_standard_input_command_and_prompt(self):
        for arguments, text in ((['-'], PROGRAM), (['-c', PROGRAM], ''), (['-i', '-q'], PROGRAM)):
            with self.subTest(arguments=arguments):
                p = run_python(*arguments, text=text)
                self.assertIn('hello\n', p.stdout, p.stderr)

    def test_input_and_debugger(self):
        p = run_python('-c', PROGRAM.replace("'hello'", "'ask'"), text='typed\n')
        self.assertEqual(p.stdout, "('ask', '__main__', 'typed')\n", p.stderr)
        p = run_python('-c', PROGRAM.replace('        if not', '        breakpoint()\n        if not'),
                            text='p msg\nc\nc\n')
        self.assertIn("'hello'\n", p.stdout, p.stderr)

    def test_no_process_and_nothing_on_disk(self):
        text = PROGRAM + '''
import os, threading
print(os.path.exists(os.environ['XDG_RUNTIME_DIR'] + '/tds'), threading.active_count())
try: os.waitpid(-1, 0)
except ChildProcessError: print('no child')
'''
        p = run_python('-c', text, XDG_RUNTIME_DIR=os.path.abspath('.'))
        self.assertEqual(p.stdout, 'hello\nFalse 1\nno child\n', p.stderr)

    def test_log_definitions(self):
        defs = {'version': 1, 'disable_existing_loggers': False, 'root': {'level': 'INFO', 'handlers': ['h']},
                'formatters': {'f': {'format': '%(levelname)s %(message)s'}},
                'handlers': {'h': {'class': 'logging.StreamHandler', 'formatter': 'f'}}}
        p = run_python('-c', PROGRAM.replace('ActorSystem()', 'ActorSystem(logDefs=%r)' % defs))
        self.assertEqual(p.stderr, 'INFO Actor System started\nINFO Actor System shut down\n')


class Names(unittest.TestCase):
    """What programs import by its place in Thespian."""

    def test_bases(self):
        for base in 'simpleSystemBase', 'multiprocTCPBase', 'multiprocUDPBase', 'multiprocQueueBase':
            module = importlib.import_module('thespian.system.' + base)
            self.assertEqual(module.ActorSystemBase.name, base)
        from thespian.system.simpleSystemBase import ActorSystemBase
        system = ActorSystem(ActorSystemBase, logDefs=False, transientUnique=True)
        self.assertEqual(system.capabilities['Thespian ActorSystem Name'], 'simpleSystem')
        system.shutdown()

    def test_helpers(self):
        from thespian.system import logdirector, timing, utilis
        self.assertEqual([timing.toTimeDeltaOrNone(each) for each in (None, 1.5, timedelta(2))],
                         [None, timedelta(seconds=1.5), timedelta(2)])
        self.assertRaises(TypeError, timing.toTimeDeltaOrNone, 'x')
        self.assertLessEqual(timing.currentTime(), timing.currentTime())
        self.assertEqual(utilis.timePeriodSeconds(timedelta(minutes=1)), 60)
        self.assertEqual(len(list(zip(range(3), timing.unexpired(timing.ExpirationTimer(None))))), 3)
        self.assertEqual(list(timing.unexpired(timing.ExpirationTimer(0))), [])
        self.assertNotIsInstance(logging.root, logdirector.ThespianLogForwarder)
        with self.assertLogs('thespian.system', logging.INFO) as logs:
            utilis.thesplog('%s told', 'once', level=logging.WARNING)
        self.assertEqual(logs.output, ['WARNING:thespian.system:once told'])


SHELL = """capabilities
start
create thespian.actors.ActorTypeDispatcher it
tell @it hello
ask 0 hello
tell @other x
ask 3 x
start noSuchBase
start multiprocTCPBase [
address 4.2
frobnicate
shutdown
status
exit
never seen
"""

SAID = """capabilities: no system: start one
simpleSystem runs
ActorAddr-/A~1 [0]
no answer
tell: no actor has the global name other
ask: no address has the number 3
start: No module named thespian.system.noSuchBase
start: [ is no dictionary
0: ActorAddr-/A~1
1: ActorAddr-4.2
frobnicate: no such command; help names them
ended
status: no system: start one
"""


class Shell(unittest.TestCase):
    def test_commands(self):
        p = run_python('-m', 'thespian.shell', text=SHELL)
        self.assertEqual((p.stdout, p.stderr, p.returncode), (SAID, '', 0))
        p = run_python('-m', 'thespian.shell', text='start\nstatus\ncapabilities')
        self.assertIn('  Capability Thespian Watch Supported: False\n', p.stdout)
        self.assertIn("\nThespian ActorSystem Name: 'simpleSystem'\n", p.stdout)


if __name__ == '__main__':
    unittest.main()
