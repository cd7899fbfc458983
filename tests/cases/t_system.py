#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that use the actor system from outside: ActorSystem, and actors of the program's own classes.

Each program is a process of its own, with a runtime directory that no other test knows. Prints TAP.
"""
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from adminlib import SCALE, Admin, Client, Fault, parent_of, processes, until
from tap import BIN, LIMIT_S, done, folder, ok, skip

PYTHON = '/usr/bin/python3' if os.access('/usr/bin/python3', os.X_OK) else sys.executable

# The module of actors that programs bring.
ACTORS = r'''
import os, sys, time
from thespian.actors import *

STATE = []


class Own:
    def __init__(self, value):
        self.value = value


class Echo(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, Own):
            msg.value += 1
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


class Facts(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'keep':
            STATE.append(1)
        if msg == 'log':
            logging.warning('noted')
            self.send(sender, str(self.myAddress))
            return
        if isinstance(msg, str):
            self.send(sender, {'pid': os.getpid(), 'uid': os.getuid(), 'cwd': os.getcwd(), 'state': len(STATE),
                               'env': os.environ.get('TDS_TEST_SAID'), 'path': 'extra' in sys.path,
                               'fds': sorted(os.listdir('/proc/self/fd'), key=int)}.get(msg, 'none'))


class Mute(Actor):
    def receiveMessage(self, msg, sender):
        pass


class Failing(Actor):
    def __init__(self):
        raise ValueError('never made')


class Picky(Actor):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        return capabilities.get('Colour') == (requirements or {}).get('Colour', 'none')

    def receiveMessage(self, msg, sender):
        self.send(sender, 'picked')


class Family(Actor):
    """Of a list of names it is the first, its child the next; notes in the file how it exits."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.file, (self.name, *names), asker = msg
            if names:
                self.send(self.createActor(Family), (self.file, names, asker or sender))
            else:
                self.send(asker, 'made')
        elif isinstance(msg, (ActorExitRequest, ChildActorExited)):
            with open(self.file, 'a') as f:
                f.write('%s %s\n' % (self.name, type(msg).__name__))


class Chain(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            left, asker, addresses = msg[0], msg[1] or sender, msg[2] + [self.myAddress]
            if left:
                self.send(self.createActor(Chain), (left - 1, asker, addresses))
            else:
                self.send(asker, addresses)


class Undertaker(Actor):
    letters = []

    def receiveMessage(self, msg, sender):
        if msg == 'start':
            self.handleDeadLetters(True)
            self.send(sender, 'started')
        elif isinstance(msg, DeadEnvelope):
            self.letters.append(msg.deadMessage)
        elif msg == 'letters?':
            self.send(sender, list(self.letters))


class Maker(Actor):
    """Told a class that there is not: tells who asked what becomes of a message to it."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.asker = sender
            self.send(self.createActor(msg), 'hello')
        elif isinstance(msg, PoisonMessage):
            self.send(self.asker, (msg.poisonMessage, msg.details))


class Talker(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            for n in range(msg[0]):
                self.send(msg[1], (msg[2], n))


class Inside(Actor):
    """Uses the actor system as a program would."""
    def receiveMessage(self, msg, sender):
        if msg == 'root':
            from thespian.system.logdirector import ThespianLogForwarder
            self.send(sender, isinstance(logging.root, ThespianLogForwarder))
        elif isinstance(msg, str):
            own = ActorSystem()
            self.send(sender, own.ask(own.createActor(Echo, globalName='found'), msg, 10))


class Logging(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, str):
            return
        logging.getLogger('some.place').info('info %s', msg)
        logging.getLogger('some.place').debug('debug %s', msg)
        logging.warning('warning %s', msg)
        self.logger().error('error %s', msg)
        if msg == 'x':
            logging.error('does not fit', 30)
        print('printed %s' % msg)
        self.send(sender, str(self.myAddress))
'''

HEAD = 'import os, sys, time, threading\nfrom thespian.actors import *\nfrom shop import *\n'


class Lab:
    """A folder with the module `shop`, a runtime directory, and the programs that run there."""

    def __init__(self, base):
        self.base = base
        self.run_dir = base / 'run'
        self.run_dir.mkdir(mode=0o700)
        (base / 'shop.py').write_text(ACTORS)
        self.mark = 'tds-system-%d-%s' % (os.getpid(), base.name)
        path = subprocess.run([str(BIN / 'tds-admin'), 'config', '--python-path'], capture_output=True, check=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'THESPIAN'))}
        self.env.update(XDG_RUNTIME_DIR=str(self.run_dir), PYTHONPATH=path.stdout.decode().strip(),
                        PYTHONDONTWRITEBYTECODE='1', TDS_TEST_MARK=self.mark, LC_ALL='C.UTF-8')
        for tool in 'ASAN', 'UBSAN', 'LSAN':
            self.env[tool + '_OPTIONS'] = '%s:log_path=%s' % (self.env.get(tool + '_OPTIONS', ''), base / 'sanitizer')

    def start(self, text, env=None, **more):
        more = dict({'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}, **more)
        return subprocess.Popen([PYTHON, '-B', '-c', HEAD + text], cwd=self.base, env=dict(self.env, **(env or {})),
                                text=True, **more)

    def run(self, text, env=None, **more):
        """What a program prints: one Python literal a line. Errors: Fault where it fails."""
        # Files: actors that outlive the program would hold a pipe open.
        with tempfile.TemporaryFile('w+') as out, tempfile.TemporaryFile('w+') as err:
            p = self.start(text, env, **dict(more, stdout=out, stderr=err))
            p.stdin.close()
            try:
                status = p.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                p.kill()
                status = 'no end'
            out.seek(0)
            err.seek(0)
            if status:
                raise Fault('%s: it printed %r and %r' % (status, out.read(), err.read()))
            return [eval(line, {}) for line in out.read().splitlines()]

    def processes(self):
        return processes(self.mark, str(self.base))

    def stop(self):
        """What is wrong at the end: processes that are left, findings of a sanitizer."""
        with contextlib.suppress(Fault):
            until('no process is left', lambda: not self.processes(), 5)
        left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return ['left: %r' % left] * bool(left) + [p.read_text() for p in self.base.glob('sanitizer.*')]


def case(fn):
    with folder() as base:
        os.chmod(base, 0o755)
        lab = Lab(base)
        try:
            fn(lab)
        except (Fault, OSError, subprocess.SubprocessError) as e:
            ok(False, fn.__name__, repr(e))
        finally:
            wrong = lab.stop()
            ok(not wrong, '%s: nothing is left' % fn.__name__, *wrong)


# --- talking ------------------------------------------------------------------------------------------

def talk(lab):
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1901})
e = s.createActor(Echo)
print(repr(s.ask(e, 'one', 5)))
print(repr(s.ask(e, Own(4), 5).value))
s.tell(e, 2); s.tell(e, 3)
print(repr((s.listen(5), s.listen(5), s.listen(0.05))))
print(repr((s.ask(e, 'later', 0), s.listen(5))))
print(repr(s.ask(s.createActor('shop.Mute'), 1, 0.1)))
print(repr(len(s.ask(e, b'x' * 20000000, 20))))
for bad in None, 'address':
    try: s.tell(bad, 1)
    except ValueError: print(repr('ValueError'))
try: s.tell(e, lambda: 0)
except Exception as x: print(repr('pickle' in str(x)))
assert str(s.systemAddress) == 'ActorAddr-/ActorSys'
print(repr(type(s.ask(s.systemAddress, Thespian_StatusReq(), 5)).__name__))
print(repr(s.ask(e, Thespian_StatusReq(), 5).actorClass))
s.shutdown()
print(repr((s.ask(e, 1, 20), s.listen(20))))
try: s.createActor(Echo)
except ActorSystemFailure: print(repr('over'))
''')
    ok(got[:5] == ['one', 5, (2, 3, None), (None, 'later'), None], 'ask, tell and listen', got)
    ok(got[5] == 20000000, 'a large message there and back', got)
    ok(got[6:9] == ['ValueError', 'ValueError', True], 'what is no address or cannot be pickled is refused at once', got)
    ok(got[9:] == ['Thespian_SystemStatus', 'shop.Echo', (None, None), 'over'], 'status; and nothing works after shutdown', got)


def creation_errors(lab):
    got = lab.run('''
s = ActorSystem('tdsLocalBase', {'Colour': 'red'})
def attempt(*args, **kw):
    try:
        a = s.createActor(*args, **kw)
        print(repr(('address', s.ask(a, 'x', 300))))
    except Exception as x:
        print(repr((type(x).__name__, str(x))))
attempt('no.such.Module')
attempt('shop.Nothing')
attempt('Echo')
attempt(Picky)
attempt(Picky, {'Colour': 'red'})
attempt(Echo, sourceHash='00')
attempt(Failing)
attempt('no.such.Module', globalName='taken')
s.createActor(Echo, globalName='taken')
attempt('no.such.Module', globalName='taken')
s.shutdown()
''')
    ok(got[3][1] == 'No compatible ActorSystem could be found for Actor shop.Picky', 'its text', got[3])
    kinds = [g[0] for g in got]
    ok(kinds == ['ImportError', 'InvalidActorSpecification', 'InvalidActorSpecification', 'NoCompatibleSystemForActor',
                 'address', 'InvalidActorSourceHash', 'address', 'ImportError', 'address'], 'each fault has its exception', got)
    ok(got[0][1].startswith('no.such.Module: '), 'with the name in it', got[0])
    ok(got[4][1] == 'picked', 'requirements are heard', got)
    ok(got[6] == ('address', None), 'an actor whose constructor failed is dead, and found so at once', got)
    ok(got[8][1] == 'x', 'who has the name is not asked for the class', got)


def threads(lab):
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1902})
wrong = []
def work(n):
    with s.private() as c:
        a = c.createActor(Echo)
        for i in range(30):
            if c.ask(a, (n, i), 20) != (n, i):
                wrong.append((n, i))
ts = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
print(repr(wrong))
a = s.createActor(Echo)
got = []
def share():
    for i in range(20):
        got.append(s.ask(a, i, 20))
ts = [threading.Thread(target=share) for n in range(5)]
[t.start() for t in ts]; [t.join() for t in ts]
print(repr((len(got), got.count(None))))
s.shutdown()
''')
    ok(got[0] == [], 'answers do not mix between private contexts', got)
    ok(got[1] == (100, 0), 'threads that share an address all get answers', got)


def program_with_threads(lab):
    got = lab.run('''
sys.path.append('extra')
stop = threading.Event()
t = threading.Thread(target=stop.wait); t.start()
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1903})
a = s.createActor(Facts)
print(repr((s.ask(a, 'path', 20), s.ask(a, 'cwd', 20) == os.getcwd(), s.ask(s.createActor(Echo), Own(1), 20).value)))
s.shutdown(); stop.set()
''')
    ok(got == [(True, True, 2)], 'a program that has threads is not forked, but has its search path heard', got)


def surroundings(lab):
    got = lab.run('''
sys.path.append('extra')
held = open('/dev/null'); r, w = os.pipe()
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1904})
a, b = s.createActor(Facts), s.createActor(Facts)
print(repr([s.ask(a, what, 10) for what in ('path', 'env')] + [s.ask(a, 'cwd', 10) == os.getcwd()]))
print(repr((s.ask(a, 'keep', 10), s.ask(a, 'state', 10), s.ask(b, 'state', 10), STATE)))
print(repr(len({s.ask(a, 'pid', 10), s.ask(b, 'pid', 10), os.getpid()})))
os.close(w)
print(repr(os.read(r, 1)))
mine = ['a list']
e = s.createActor(Echo)
s.tell(e, mine); mine.append('more')
print(repr(s.listen(10)))
s.shutdown()
''', {'TDS_TEST_SAID': 'hello'})
    ok(got[0] == [True, 'hello', True], 'search path, environment and folder are those of the program', got)
    ok(got[1] == ('none', 1, 0, []) and got[2] == 3, 'each actor has its own process and its own globals', got)
    ok(got[3] == b'', 'no descriptor of the program is kept open', got)
    ok(got[4] == ['a list'], 'a message is a copy', got)


# --- systems ------------------------------------------------------------------------------------------

def singleton(lab):
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1905})
a = s.createActor(Echo, globalName='g')
print(repr(ActorSystem().createActor(Echo, globalName='g') == a))
u = ActorSystem('simpleSystemBase', {'Admin Port': 1906}, transientUnique=True)
f = lambda x: x.ask(x.createActor(Facts, globalName='f'), 'pid', 10)
print(repr((f(u) == f(s), ActorSystem().ask(a, 1, 10), u.capabilities['Thespian ActorSystem Name'])))
u.shutdown()
print(repr(s.ask(a, 2, 10)))
s.updateCapability('Later', [1]); s.updateCapability('Admin Port')
print(repr((s.capabilities['Later'], 'Admin Port' in s.capabilities)))
s.shutdown()
print(repr(os.path.exists(os.environ['XDG_RUNTIME_DIR'] + '/tds/1905')))
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1905, 'New': 1})
print(repr((s.ask(a, 3, 10), s.capabilities['New'])))
s.shutdown()
try: ActorSystem('noSuchBase')
except ImportError as x: print(repr(str(x)))
try: ActorSystem('multiprocTCPBase', {'Admin Port': 1907, 'Convention Address.IPv4': '192.0.2.1:1900'})
except ActorSystemStartupFailure: print(repr('another host'))
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1907, 'Convention Address.IPv4': ('127.0.0.1', 1907)}); s.shutdown()
''')
    ok(got[0] is True, 'ActorSystem() is the one that there is', got)
    ok(got[1] == (False, 1, 'simpleSystem') and got[2] == 2, 'transientUnique is another, and ends alone', got)
    ok(got.pop(3) == ([1], False), 'what a program changes in the capabilities it sees at once', got)
    ok(got[3] is False, 'what the system had on disk is gone after shutdown', got)
    ok(got[4] == (None, 1), 'a new one begins afresh', got)
    ok('thespian.system.noSuchBase' in got[5], 'an unknown base is an ImportError', got)
    ok(got[6] == 'another host', 'a convention of another host fails', got)


def side_by_side(lab):
    got = lab.run('''
systems = [ActorSystem('multiprocTCPBase', {'Admin Port': 2000 + n}, transientUnique=True) for n in range(5)]
actors = [s.createActor(Facts) for s in systems]
pids = {s.ask(a, 'pid', 20) for s, a in zip(systems, actors)}
systems[2].shutdown()
print(repr((len(pids), [s.ask(a, 'state', 20) for s, a in zip(systems, actors) if s is not systems[2]])))
for s in systems: s.shutdown()
print(repr(os.listdir(os.environ['XDG_RUNTIME_DIR'] + '/tds')))
''')
    ok(got == [(5, [0, 0, 0, 0]), []], 'systems on several ports know nothing of each other', got)


def two_programs(lab):
    first = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1908, 'Said': 'by the first'})
s.createActor(Echo, globalName='shared')
print(repr(os.getpid()))
''')
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1908, 'Said': 'by the second'})
a = s.createActor('shop.Mute', globalName='shared')
print(repr((s.ask(a, Own(1), 10).value, s.capabilities['Said'])))
s.shutdown()
''')
    ok(len(first) == 1 and got == [(2, 'by the first')], 'actors outlive their program, and another finds them', first, got)


def together(lab):
    text = '''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1909})
a = s.createActor(Echo, globalName='one')
print(repr((str(a), s.ask(a, os.getpid(), 20) == os.getpid())), flush=True)
sys.stdin.readline()
'''
    programs = [lab.start(text) for _ in range(5)]
    lines = [p.stdout.readline() for p in programs]
    for p in programs:
        p.stdin.close()
        p.wait(LIMIT_S)
    ok(len(set(lines)) == 1 and 'True' in lines[0], 'programs that start at once find one system, and one actor of a name',
       lines, [p.returncode for p in programs])
    lab.run("ActorSystem('multiprocTCPBase', {'Admin Port': 1909}).shutdown()")


def ends_with_program(lab):
    lab.run('''
s = ActorSystem('multiprocQueueBase')
s.createActor(Echo)
''')
    until('its system is gone', lambda: not lab.processes())
    ok(True, 'a multiprocQueueBase ends with its program')


def own_systems(lab):
    text = '''
class Mine(Actor):
    def receiveMessage(self, msg, sender): self.send(sender, %r)
Mine.__name__ = %r; globals()[%r] = Mine
s = ActorSystem(%s)
print(s.ask(s.createActor(Mine), 1, 20), flush=True)
sys.stdin.readline()
'''
    for base in '', repr('simpleSystemBase'), repr('multiprocQueueBase'):
        programs = [lab.start(text % (n, n, n, base)) for n in ('One', 'Two')]
        lines = [p.stdout.readline() for p in programs]
        for p in programs:
            p.communicate('\n', timeout=LIMIT_S)
        ok(lines == ['One\n', 'Two\n'], 'ActorSystem(%s) is of its program alone' % base, lines)
    until('their systems are gone', lambda: not lab.processes())
    ok(not os.listdir(lab.run_dir / 'tds'), 'and gone with it')


def never_made(lab):
    got = lab.run('''
s = ActorSystem('multiprocQueueBase')
for name in 'shop.Nothing', 'Nodot': print(repr(s.ask(s.createActor(Maker), name, 10)))
s.shutdown()
''')
    ok(got == [('hello', 'Child Aborted')] * 2, 'what was sent to an actor of no class comes back', got)


def systems_within_actors(lab):
    text = '''
s = ActorSystem(%s)
print(repr((s.ask(s.createActor(Inside), 'x', 20), s.ask(s.createActor(Inside), 'root', 20))))
print(repr('found' in s.ask(s.systemAddress, Thespian_StatusReq(), 10).globalActors))
%s
'''
    thread = 'threading.Thread(target=time.sleep, args=(0.1,)).start()\n'
    for base, begin in (("'multiprocTCPBase', {'Admin Port': 1909}", ''), ("'multiprocQueueBase'", ''),
                        ("'multiprocTCPBase', {'Admin Port': 1909}", thread)):
        got = lab.run(begin + text % (base, 's.shutdown()'))
        ok(got == [('x', True), True], 'ActorSystem() in an actor is the actor\'s: %s%s' % (base, begin and ', a program with threads'), got)
    lab.run(text % ("'multiprocQueueBase'", ''))
    until('the program\'s own system is gone', lambda: not lab.processes())
    ok(True, 'an actor that uses its system does not keep it alive')


def startup_methods(lab):
    (lab.base / 'born.py').write_text('import os\nPID = os.getpid()\n')
    (lab.base / 'program.py').write_text(HEAD + '''
import born

class Told(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, (len(STATE), os.getpid() == born.PID, sys.argv[1], __name__ != '__main__'))

if __name__ == '__main__':
    STATE.append('changed by the program')
    given = {'Process Startup Method': sys.argv[1]} if sys.argv[1] else {}
    s = ActorSystem('multiprocQueueBase', given)
    print(repr([s.ask(s.createActor(Told), 'x', 20), s.ask(s.createActor(Inside), 'home', 20)]))
    s.shutdown()
''')
    wanted = {'': (1, False, '', False), 'fork': (1, False, 'fork', False), 'no such': (1, False, 'no such', False),
              'forkserver': (0, False, 'forkserver', True), 'spawn': (0, True, 'spawn', True)}
    for method, facts in wanted.items():
        p = subprocess.run([PYTHON, '-B', 'program.py', method], cwd=lab.base, env=lab.env, capture_output=True, text=True,
                           timeout=LIMIT_S)
        ok(p.stdout == '%r\n' % [facts, 'home'], 'Process Startup Method %r' % method, p.stdout, p.stderr)


# --- life and death -----------------------------------------------------------------------------------

def exits(lab):
    notes = lab.base / 'exits'
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1910})
f = s.createActor(Family)
print(repr(s.ask(f, (%r, ['top', 'middle', 'low'], None), 10)))
s.tell(f, ActorExitRequest())
u = s.createActor(Undertaker)
s.ask(u, 'start', 10)
t = time.monotonic()
while s.ask(f, 'dead?', 5) is not None or time.monotonic() - t > 4.5: t = time.monotonic()
print(repr(s.ask(f, 'again', 300)))
print(repr('again' in s.ask(u, 'letters?', 10)))
s.shutdown()
''' % str(notes))
    ok(got == ['made', None, True], 'asking the dead ends at once, and makes a dead letter', got)
    lines = notes.read_text().splitlines()
    ok(lines == ['top ActorExitRequest', 'middle ActorExitRequest', 'low ActorExitRequest', 'middle ChildActorExited',
                 'top ChildActorExited'], 'handlers run from the top, exits complete from below, each told once', lines)


def chain(lab):
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1911})
a = s.ask(s.createActor(Chain), (20, None, []), 50)
print(repr(len({str(x) for x in a})))
s.shutdown()
''')
    ok(got == [21], 'twenty levels deep', got)


def burst(lab):
    n = 500 * SCALE
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1912})
talkers = [s.createActor(Talker) for _ in range(10)]
class Nothing: pass
me = s._endpoint().address
for i, t in enumerate(talkers): s.tell(t, (%d, me, i))
last, count = {}, 0
while count < %d:
    m = s.listen(30)
    if m is None or last.get(m[0], -1) + 1 != m[1]: break
    last[m[0]] = m[1]; count += 1
print(repr(count))
s.shutdown()
''' % (n, 10 * n))
    ok(got == [10 * n], 'a burst of ten senders arrives whole and in the order of each', got)


def killed(lab):
    p = lab.start('''
s = ActorSystem('multiprocQueueBase')
a = s.createActor(Echo); s.ask(a, 1, 10)
print('up', flush=True); sys.stdin.readline()
''')
    p.stdout.readline()
    p.kill()
    p.communicate()
    until('its processes are gone', lambda: not lab.processes())
    ok(True, 'a program that is killed takes its own system with it')
    p = lab.start('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1914})
a = s.createActor(Chain); s.ask(a, (3, None, []), 20)
print('up', flush=True); sys.stdin.readline()
try: print(repr(s.ask(a, 1, 10)))
except ActorSystemFailure: print('failure')
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1914}, transientUnique=True)
print(s.ask(s.createActor(Echo), 1, 20))
s.shutdown()
''')
    p.stdout.readline()
    with Client(str(lab.run_dir / 'tds/1914/.tds/admin.sock')) as c:
        daemon = c.ask('Status')['Pid']
    os.kill(daemon, signal.SIGKILL)
    until('all but the program are gone', lambda: set(lab.processes()) <= {p.pid})
    out, err = p.communicate('\n', timeout=LIMIT_S)
    ok(out.splitlines() == ['failure', '1'], 'a daemon that is killed takes every actor with it; the program starts another', out, err)


FORKER = '''
import os, subprocess
from shop import *


class Forker(Actor):
    """Starts a program, and a copy of itself, that both leave it; tells their pids and its own parent's."""
    def receiveMessage(self, msg, sender):
        if msg != 'fork':
            return
        started = subprocess.Popen(['sleep', '600'], start_new_session=True)
        bare = subprocess.Popen(['sleep', '601'], start_new_session=True, env={})  # nothing tells whose it is
        r, w = os.pipe()
        if os.fork() == 0:
            os.setsid()
            pid = os.fork()
            if pid == 0:
                while True:
                    time.sleep(600)
            os.write(w, b'%d' % pid)
            os._exit(0)
        self.send(sender, (started.pid, int(os.read(r, 20)), bare.pid, os.getppid()))
'''


def left_by_actors(lab):
    """What actors of a program have started ends with the system, however that ends."""
    (lab.base / 'forker.py').write_text(FORKER)
    for what in 'guardian', 'daemon', 'parent', 'all':
        p = lab.start('''
import forker
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1920})
print(repr(s.ask(s.createActor(forker.Forker), 'fork', 20)), flush=True)
sys.stdin.read()
os._exit(0)
''', stderr=subprocess.DEVNULL)
        *started, bare, parent = eval(p.stdout.readline())
        admin = {pid for pid, line in lab.processes().items() if line.startswith('tds-daemon')}
        guardian = next(pid for pid in admin if parent_of(pid) not in admin)
        victims = {'guardian': [guardian], 'daemon': list(admin - {guardian}), 'parent': [parent],
                   'all': [parent, *admin]}[what]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        if what in ('guardian', 'daemon'):
            until('all but the program is gone', lambda: set(lab.processes()) == {p.pid} and
                  parent_of(bare) is None)
            ok(True, 'what its actors started goes with the %s' % what)
        p.stdin.close()  # what is left has the other end of its output, too
        p.wait(LIMIT_S)
        p.stdout.close()
        if what in ('parent', 'all'):
            until('they have lost their parent', lambda: all(parent_of(pid) != parent for pid in started))
            ok(set(started) <= set(lab.processes()), 'the parent is killed too: what its actors started is left', what)
            lab.run("s = ActorSystem('multiprocTCPBase', {'Admin Port': 1920})\ns.shutdown()\n")
            with contextlib.suppress(ProcessLookupError):
                os.kill(bare, signal.SIGKILL)  # whose parent was killed: nobody can know it any more
            ok(not set(started) & set(lab.processes()), 'and gone with the next system\'s end', what, lab.processes())


def logs(lab):
    p = lab.start('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1915}, logDefs={'version': 1,
    'formatters': {'f': {'format': '%(levelname)s|%(name)s|%(actorAddress)s|%(message)s'}},
    'handlers': {'h': {'class': 'logging.FileHandler', 'filename': 'log', 'formatter': 'f', 'level': 'INFO'}},
    'root': {'handlers': ['h']}})
print(s.ask(s.createActor(Logging), 'x', 10))
s.shutdown()
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1916})
s.ask(s.createActor(Logging), 'y', 10)
s.shutdown()
''')
    out, err = p.communicate(timeout=LIMIT_S)
    lines = out.splitlines()
    address = lines[1] if len(lines) > 1 else ''
    written = (lab.base / 'log').read_text().splitlines()
    frame = ['INFO|root|ActorAddr-/ActorSys|Actor System started', 'INFO|root|ActorAddr-/ActorSys|Actor System shut down']
    ok([written[0], written[-1]] == frame, 'the log begins with the start of the system and ends with its end', written)
    ok(written[1:-1] == ['INFO|some.place|%s|info x' % address, 'WARNING|root|%s|warning x' % address,
                         'ERROR|root|%s|error x' % address,
                         'ERROR|root|%s|does not fit 30' % address], 'records go through logDefs, with the address', written, err)
    ok(lines[0] == 'printed x' and lines[2:] == ['printed y'], 'what actors print goes where the program prints', out)
    ok('warning y' in err and 'error y' in err and 'info y' not in err, 'without logDefs warnings go to standard error', err)


def forked_ahead(lab):
    got = lab.run('''
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1917}, logDefs={'version': 1,
    'formatters': {'f': {'format': '%(actorAddress)s|%(message)s'}},
    'handlers': {'h': {'class': 'logging.FileHandler', 'filename': 'log', 'formatter': 'f'}},
    'root': {'handlers': ['h']}})
first = s.createActor(Facts)
with open('/proc/%d/stat' % s.ask(first, 'pid', 20)) as f:
    parent = int(f.read().rpartition(')')[2].split()[1])
found = None
for _ in range(100):
    with open('/proc/%d/task/%d/children' % (parent, parent)) as f:
        before = f.read().split()
    actor = s.createActor(Facts)
    if str(s.ask(actor, 'pid', 20)) in before:
        found = actor
        break
print(repr(found is not None))
print(repr([[s.ask(a, 'cwd', 20), len(s.ask(a, 'fds', 20)), s.ask(a, 'state', 20)] for a in (first, actor)]))
print(repr(s.ask(actor, 'log', 20)))
s.shutdown()
''')
    ok(got[0], 'the next actor is forked before it is asked for', got)
    ok(got[1][0] == got[1][1], 'and is no other than one that is forked then', got)
    written = (lab.base / 'log').read_text().splitlines()
    ok(written == ['%s|noted' % got[2]], 'its records go where those of others go', written)


# --- beside a Director, and hostile -------------------------------------------------------------------

TLI = {'Actors': {'m.a.A': {'OnLoad': {'Role': 'cook', 'GlobalName': 'Kitchen'}}}}


@contextlib.contextmanager
def director(lab):
    (lab.base / 'd').mkdir()
    a = Admin(lab.base / 'd')
    try:
        yield a, {'THESPIAN_DIRECTOR_DIR': str(a.dir), 'TDS_TEST_MARK': a.mark}
    finally:
        wrong = a.stop()
        a.notes.close()
        ok(not wrong, 'the Director leaves nothing', *wrong)


def beside_director(lab):
    with director(lab) as (a, env):
        a.group('inn', ['1'], TLI)
        a.must(a.load('inn'))
        got = lab.run('''
s = ActorSystem()
k = s.createActor('shop.Echo', globalName='Kitchen')
print(repr(s.ask(k, ('echo', 5), 20)))
print(repr(type(s.ask(s.createActor(Echo), Own(1), 20)).__name__))
try: print(repr(s.tell(k, Own(1))))
except ValueError as x: print(repr('does not pass' in str(x)))
s.createActor(Echo, globalName='Cellar')
''', env)
        ok(got[0] == ('1', 5), 'a global name leads to the actor of the package', got)
        ok(got[1:] == ['Own', True], 'an own class passes among the user\'s own actors alone', got)
        a.tli('cellar', {'Actors': {'m.a.A': {'OnLoad': {'Role': 'butler', 'GlobalName': 'Cellar'}}}})
        a.pack('cellar', '1')
        a.must(a.load('cellar'))
        ok(a.asked('@Cellar', ('echo', 1)) == ('1', 1), 'a guest keeps no name from a group')
        a.must(a.admin('shutdown'))
        (a.dir / 'guests.cfg').write_text('nobody\n')
        a.start()
        got = lab.run('''
try: ActorSystem()
except ActorSystemStartupFailure as x: print(repr(str(x)))
''', env)
        ok(got == ['programs of this user are not allowed: guests.cfg names who may'], 'guests.cfg says who may', got)
        a.must(a.admin('shutdown'))
        lab.run('''
try: ActorSystem()
except ActorSystemStartupFailure: pass
''', env)
        ok(a.admin('status').status != 0 and not lab.processes(), 'who is refused leaves no system that it started')


EVIL = r"""
from thespian.actors import *
import os, pickle
class Evil:
    def __init__(self, path): self.path = path
    def __reduce__(self): return os.mkdir, (self.path,)
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'attack':
            from tdshost.wire.link import message_frame
            from tdshost.wire.realm import parse_address
            self._myRef.link.send_frame(message_frame(parse_address(sender.addressDetails)[1], ord('p'),
                                                       pickle.dumps(Evil(msg[1]))))
        self.send(sender, 'alive')
"""


def payload(lab):
    with director(lab) as (a, env):
        a.tli('inn', TLI)
        a.pack('inn', '1', EVIL)
        a.must(a.load('inn'))
        text = '''
import pickle
from tdshost.wire.link import message_frame
from tdshost.wire.realm import parse_address
class Evil:
    def __reduce__(self): return os.mkdir, (%r,)
s = ActorSystem()
k = s.createActor('shop.Echo', globalName='Kitchen')
def attack(a):
    frame = message_frame(parse_address(a.addressDetails)[1], ord('p'), pickle.dumps(Evil()))
    s._endpoint()._send(frame)
attack(k)
print(repr(s.ask(k, 'x', 20)))
print(repr(s.ask(k, ('attack', %r), 20)))
e = s.createActor(Echo); attack(e); s.ask(e, 1, 20)
''' % tuple(str(lab.base / n) for n in ('ran', 'back'))
        got = lab.run(text.replace('attack(e); ', ''), env)
        made = (lab.base / 'ran').exists() or (lab.base / 'back').exists()
        ok(got == ['alive', 'alive'] and not made, 'a payload is not run, from a program or to it', got)
        lab.run(text, env)
        ok((lab.base / 'ran').exists(), 'the same bytes do run where both are of the user')


def declared_name(lab):
    with director(lab) as (a, env):
        a.tli('inn', {'Actors': {'m.a.A': {'OnLoad': {'Role': 'cook', 'GlobalName': 'Kitchen'}}}})
        a.pack('inn', '1', 'class A:\n    pass\nfrom thespian.actors import *\nclass A(Actor):\n    def receiveMessage(self, m, s):\n        import sys; sys.exit(1)\n')
        a.must(a.load('inn'))
        got = lab.run('''
s = ActorSystem()
def take():
    try: return s.createActor('shop.Echo', globalName='Kitchen')
    except InvalidActorSpecification as x: return str(x)
k = take()
s.tell(k, 'exit')
found = set()
end = time.monotonic() + 30
while time.monotonic() < end and len(found) < 2:
    t = take()
    found.add(t if isinstance(t, str) else 'address of ' + str(t).split('-')[1].split('.')[0])
    if not isinstance(t, str): s.tell(t, 'exit')
print(repr(sorted(found)))
''', env)
        ok(len(got[0]) == 2 and 'belongs to a group' in got[0][0] and len(got[0][1]) < 20,
           'while the group\'s actor is down its name is not to be had', got)


def other_user(lab):
    if os.geteuid() != 0:
        skip('guests of another user', 'not root')
        return
    user = {'user': 65534, 'group': 65534, 'extra_groups': []}
    with director(lab) as (a, env):
        a.start()
        refused = lab.run('''
try: ActorSystem()
except ActorSystemStartupFailure as x: print(repr(str(x)))
''', env, **user)
        ok(refused == ['not allowed: adminusers.cfg names who may'], 'another user may not join', refused)
        a.must(a.admin('shutdown'))
        (a.dir / 'guests.cfg').write_text('65534\n')
        a.start()
        got = lab.run('''
s = ActorSystem()
f = s.createActor(Facts)
print(repr(s.ask(f, 'uid', 20)))
s.updateCapability('Bad', 1)
s._endpoint().control({'op': 'shutdown'})
print(repr(s.ask(f, 'uid', 20)))
s.tell(f, ActorExitRequest())
''', env, **user)
        ok(got == [65534, 65534], 'where guests.cfg names it, as that user alone; it cannot end the system', got)
        ok(a.ask('Status')['Success'] is True, 'the system runs on')
        until('its processes end with its program', lambda: not [p for p in a.processes() if owner(p) == 65534])
        ok(True, 'without programs and actors the parent of guests ends too')


def owner(pid):
    try:
        return os.stat('/proc/%d' % pid).st_uid
    except OSError:
        return -1


def joined(path, more=b'', **request):
    c = Client(path)
    answer = c.ask('Join', **request)
    c.raw(more)
    return c, answer


def as_parent(path):
    """A connection that is the parent of this user's guests, once the one before is forgotten."""
    def try_it():
        c, answer = joined(path, As='parent')
        if answer['Success']:
            return c
        c.close()
        return None
    c = until('the parent before is forgotten', try_it)
    if not c.rest:  # it came with the answer
        c.sock.recv(65536)
    return c


def hostile(lab):
    with director(lab) as (a, env):
        a.start()
        path = a.socket_path
        for what, request in (('nobody', {}), ('a god', {'As': 'god'}), ('a list', {'As': []})):
            c, answer = joined(path, **request)
            ok(answer['Success'] is False and answer['Status'] == 2, 'joining as %s is refused' % what, answer)
            ok(c.ask('Status')['Success'], 'and the connection goes on')
            c.close()
        with Client(path) as c:
            c.raw(b'{"DirectorOp":"Join","As":"program"}\n{"DirectorOp":"Status"}\n')
            answer = c.line()
            ok(answer['Success'] is False, 'a Join with something behind it is refused', answer)
        frames = (bytes(5), b'\xff' * 5, struct.pack('<IB', 1, ord('Z')), struct.pack('<IB', 3, ord('C')) + b'{}',
                  struct.pack('<IB', 5, ord('C')) + b'null', struct.pack('<IBQ', 9, ord('M'), 1),
                  struct.pack('<IBQBQ', 18, ord('F'), 1, ord('p'), 10), struct.pack('<IB', 16, ord('C')) + b'{"op":"create"}',
                  b'\xff' + os.urandom(4096))
        for as_ in 'program', 'parent':
            for frame in frames[:7] if as_ == 'parent' else frames:
                if as_ == 'parent':
                    c = as_parent(path)
                    c.raw(frame)
                else:
                    c, answer = joined(path, frame, As=as_)
                with contextlib.suppress(ConnectionResetError):
                    while c.sock.recv(65536):
                        pass
                c.close()
                until('the admin is well', lambda: a.ask('Status')['Success'])
        ok(True, 'bad frames end the link and nothing else')
        c = as_parent(path)
        d, answer = joined(path, As='parent')
        ok(answer['Success'] is False and answer['Kind'] == 'parent', 'a user has one parent process', answer)
        c.close()
        d.close()
        # A pid is a word for people: nobody is killed for it, and one that is none ends the link.
        victim = subprocess.Popen(['sleep', '60'])
        for pid in victim.pid, -1:
            c = as_parent(path)
            e, answer = joined(path, As='program')
            op = b'{"op":"create","ref":1,"class":"x.Y"}'
            e.raw(struct.pack('<IB', 1 + len(op), ord('C')) + op)
            op = b'{"op":"spawned","id":%d,"pid":%d}' % (int(answer['Address'].split('.')[1]) + 1, pid)
            c.raw(struct.pack('<IB', 1 + len(op), ord('C')) + op)
            if pid > 0:
                c.sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while c.sock.recv(65536):
                    pass
            c.close()
            e.close()
            until('the admin is well', lambda: a.ask('Status')['Success'])
        ok(victim.poll() is None, 'a process that is said to be an actor is not killed with it')
        victim.kill()
        victim.wait()
        got = lab.run("s = ActorSystem(); print(repr(s.ask(s.createActor(Echo), 1, 20)))", env)
        ok(got == [1], 'after all that a program works', got)


def unread(lab):
    """Who asks without end and reads no answer is not read on; when it reads, each answer comes."""
    op = b'{"op":"status"}'
    data = (struct.pack('<IB', 1 + len(op), ord('C')) + op) * 50000
    with director(lab) as (a, env):
        a.start()
        c, answer = joined(a.socket_path, As='program')
        c.sock.setblocking(False)
        waits = select.poll()
        waits.register(c.sock, select.POLLOUT)
        sent, rest, answers = 0, b'', 0
        while sent < len(data) and waits.poll(1000):
            sent += c.sock.send(data[sent:sent + 65536])
        ok(sent < len(data), 'who reads no answer is held back', sent)
        c.sock.setblocking(True)
        writer = threading.Thread(target=c.raw, args=(data[sent:],))
        writer.start()
        while answers < 50000:
            rest += c.sock.recv(65536)
            at = 0
            while len(rest) - at >= 4 and len(rest) - at >= 4 + struct.unpack_from('<I', rest, at)[0]:
                at += 4 + struct.unpack_from('<I', rest, at)[0]
                answers += 1
            rest = rest[at:]
        writer.join()
        c.close()
        ok(True, 'and gets all of them when it reads')


def control(**op):
    body = json.dumps(op).encode()
    return struct.pack('<IB', 1 + len(body), ord('C')) + body


def op_of(c, holds, fds=None):
    """The next control op that holds; descriptors that come meanwhile are added to fds."""
    while True:
        while len(c.rest) >= 4 and len(c.rest) >= 4 + struct.unpack_from('<I', c.rest)[0]:
            size = 4 + struct.unpack_from('<I', c.rest)[0]
            kind, body, c.rest = c.rest[4:5], c.rest[5:size], c.rest[size:]
            op = json.loads(body) if kind == b'C' else {}
            if holds(op):
                return op
        data, more, _, _ = socket.recv_fds(c.sock, 65536, 16)
        if not data:
            raise Fault('the link ended')
        c.rest += data
        if fds is not None:
            fds += more


def outlived(lab):
    """Actors that outlast their parent process end by themselves; those of the next parent are others."""
    with director(lab) as (a, env):
        a.start()
        program, _ = joined(a.socket_path, As='program')
        first = as_parent(a.socket_path)
        old = subprocess.Popen(['sleep', '60'])
        program.raw(control(op='create', ref=1, **{'class': 'm.X'}))
        spawn = op_of(first, lambda op: op.get('op') == 'spawn')
        first.raw(control(op='spawned', id=spawn['id'], pid=old.pid))
        first.close()
        second = as_parent(a.socket_path)
        program.raw(control(op='create', ref=2, **{'class': 'm.Y'}))
        fds = []
        spawn = op_of(second, lambda op: op.get('op') == 'spawn', fds)
        new = socket.socket(fileno=fds[-1])
        old.kill()
        old.wait()
        answer = op_of(program, lambda op: op.get('ref') == 1)
        new.sendall(control(op='up'))
        answer = op_of(program, lambda op: op.get('ref') == 2)
        ok(answer['op'] == 'created', 'the end of the one is not the end of the other', answer)
        program.raw(struct.pack('<IBQB', 12, ord('M'), int(spawn['id']), ord('l')) + b'1,')
        new.settimeout(LIMIT_S)
        ok(b'1,' in new.recv(65536), 'which gets what is sent to it')
        for c in new, second, program:
            c.close()


CASES = [talk, payload, creation_errors, threads, program_with_threads, surroundings, singleton, side_by_side, two_programs, together,
         own_systems, never_made, systems_within_actors, startup_methods, ends_with_program, exits, chain, burst, killed, left_by_actors, logs, forked_ahead, beside_director, declared_name, other_user,
         hostile, unread, outlived]


def main():
    only = os.environ.get('TDS_TEST_ONLY', '').split()
    for c in CASES:
        if not only or c.__name__ in only:
            case(c)
    done()


if __name__ == '__main__':
    main()
