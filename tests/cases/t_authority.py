#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sources that actors bring themselves: a Source Authority of their own, notices, pending creations, unloading.

Prints TAP. Each case has an admin of its own.
"""
import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile

from adminlib import ACTOR, Admin, parent_of, run_cases, until
from tap import HOST, LIMIT_S, ok

# Keeps what it is told of sources, and does what a tuple tells it to.
SOURCES = ACTOR + r'''

class S(A):
    accept = 'later'
    asked = None

    def told(self, me, msg):
        note(me, type(msg).__name__, msg.childAddress == getattr(self, 'child', None)
             if isinstance(msg, ChildActorExited) else getattr(msg, 'details', None))

    def receiveMessage(self, msg, sender):
        if isinstance(msg, (LoadedSource, UnloadedSource)):
            note(type(self).__name__, type(msg).__name__, msg.sourceHash, str(msg.sourceInfo).rpartition('/')[2])
        elif isinstance(msg, ValidateSource):
            self.asked = msg, sender
            note('S', 'asked', msg.sourceHash, msg.sourceData[:3], str(msg.sourceInfo).rpartition('/')[2])
            if self.accept != 'later':
                self.do_answer(None, self.accept)
        else:
            super().receiveMessage(msg, sender)

    def do_authority(self, sender, accept):
        self.accept = accept
        self.registerSourceAuthority()
        self.send(sender, True)

    def do_answer(self, sender, accept):
        msg, system = self.asked
        data = {'yes': msg.sourceData[3:], 'no': None, 'junk': b'no archive'}[accept]
        self.send(system, ValidatedSource(msg.sourceHash, data, 'info of ' + msg.sourceHash[:4]))

    def do_watch(self, sender, on):
        self.notifyOnSourceAvailability(on)
        self.send(sender, True)

    def do_load(self, sender, path):
        self.send(sender, self.loadActorSource(path))

    def do_load_file(self, sender, path):
        stream = open(path, 'rb')
        got = self.loadActorSource(stream)
        self.send(sender, (got, stream.closed))

    def do_load_none(self, sender):
        try:
            self.loadActorSource('/nonexistent')
        except OSError:
            self.send(sender, 'OSError')

    def do_unload(self, sender, hash_):
        self.unloadActorSource(hash_)
        self.send(sender, True)

    def do_create(self, sender, name, hash_, *first):
        """Create, tell it something at once, and answer when that came back."""
        self.child = self.createActor(name, sourceHash=hash_)
        if first:
            self.send(self.child, (sender,) + first)
        note(type(self).__name__, 'created')

    def do_tell(self, sender, *what):
        self.send(self.child, (sender,) + what)

    def do_raw(self, sender, op, data):
        self.child = self.createActor(R)
        self.send(self.child, ('raw', op, data))


class W(S):
    pass


class R(A):
    def do_raw(self, sender, op, data=None):
        fds = ()
        if data is not None:
            fds = (os.memfd_create('x', os.MFD_ALLOW_SEALING),)
            os.write(fds[0], data)
        self._myRef.link.send_control(op, fds)
        note('R', 'sent')
'''
USER = r'''
import os
from thespian.actors import *
from side import WORD
class U(ActorTypeDispatcher):
    def receiveMsg_tuple(self, msg, sender):
        if msg[1:] == ('child',):
            self.send(self.createActor('user.U'), (msg[0], 'from a child'))
        elif msg[1:] == ('exit',):
            self.send(self.myAddress, ActorExitRequest())
        else:
            self.send(msg[0], (WORD, __name__, os.getppid()) + msg[1:])
'''


def bring(a: Admin, name, word='hey'):
    """A file that holds a source; returns its path and hash."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, 'w') as z:
        z.writestr('user.py', USER)
        z.writestr('side.py', 'WORD = %r\n' % word)
    path = a.base / name
    path.write_bytes(b'###' + data.getvalue())
    path.chmod(0o644)
    return str(path), hashlib.md5(path.read_bytes()).hexdigest()


def groups(a, *names):
    for name in names:
        a.group(name, ['1'], {'Actors': {'m.a.S': {'OnLoad': {'Role': name}},
                                         'm.a.W': {'OnLoad': {'Role': name + '-w'}}},
                             'May': ['sources', 'create', 'unload:' + name]}, source=SOURCES)
        a.must(a.load(name))
    a.notes.take()


def tell(a, target, *message):
    a.ask('Tell', Target=target, Literal=repr(message))


def accepted(a):
    groups(a, 'foo')
    path, h = bring(a, 'x.src')
    ok(a.asked('foo', ('authority', 'yes')), 'an actor becomes the authority')
    ok(a.asked('foo-w', ('watch', True)), 'another watches')
    package = a.hash_of('foo', '1')
    a.notes.wait_for('1', 'W', 'LoadedSource', package, 'foo-1.tls')
    ok(True, 'it is told of the package that is there')
    ok(a.asked('foo', ('load', path)) == h, 'the hash is the MD5 of the bytes, and known at once')
    a.notes.wait_for('1', 'S', 'asked', h, b'###', 'x.src')
    a.notes.wait_for('1', 'W', 'LoadedSource', h, 'info of ' + h[:4])
    ok(True, 'the authority is asked, and who watches is told')
    got = a.asked('foo', ('create', 'user.U', h, 1))
    ok(got and got[:2] == ('hey', '{{%s}}user' % h) and got[3:] == (1,), 'an actor of it runs', got)
    ok(a.asked('foo', ('tell', 'child')) == ('hey', '{{%s}}user' % h, got[2], 'from a child'),
       'and creates another from the same source', got)
    ok(a.asked('foo', ('load_file', path)) == (h, True), 'a file object is read and closed')
    ok(a.asked('foo', ('load_none',)) == 'OSError', 'a file that is not there is an OSError')
    a.asked('foo-w', ('watch', True))
    ok([n for n in a.notes.take() if n[2] == 'asked' or n[2] == 'LoadedSource'] ==
       [('1', 'W', 'LoadedSource', package, 'foo-1.tls'), ('1', 'S', 'asked', h, b'###', 'x.src'),
        ('1', 'W', 'LoadedSource', h, 'info of ' + h[:4])], 'and nothing is told or asked twice')
    a.asked('foo', ('unload', h))
    a.notes.wait_for('1', 'W', 'UnloadedSource', h, 'info of ' + h[:4])
    ok(a.asked('foo', ('tell', 'child'))[3:] == ('from a child',), 'unloaded, it still runs, and creates')
    tell(a, 'foo-w', 'create', 'user.U', h, 1)
    a.notes.wait_for('1', 'W', 'PoisonMessage', 'Child Aborted')
    a.notes.wait_for('1', 'W', 'ChildActorExited', True)
    ok(True, 'but nobody else creates from it any more')
    a.asked('foo-w', ('watch', False))
    a.asked('foo', ('load', path))
    ok(a.asked('foo-w', ('create', 'user.U', h, 5))[3:] == (5,), 'loaded again, it is there again')
    ok(not [n for n in a.notes.take() if n[2:4] == ('LoadedSource', h)], 'who watches no more is not told')
    a.must(a.load('--unload', package))
    ok(not a.strays(), 'with the package its sources go', a.strays())


def pending(a):
    groups(a, 'foo')
    path, h = bring(a, 'x.src')
    tell(a, 'foo', 'create', 'user.U', h, 1)
    a.notes.wait_for('1', 'S', 'ChildActorExited', True)
    a.asked('foo', ('load', path))
    tell(a, 'foo', 'create', 'user.U', h, 1)
    a.notes.wait(lambda notes: notes.count(('1', 'S', 'ChildActorExited', True)) == 2)
    ok(True, 'without an authority there is no source')
    a.notes.take()
    a.asked('foo-w', ('authority', 'later'))
    a.asked('foo', ('authority', 'later'))
    a.asked('foo', ('load', path))
    a.notes.wait_for('1', 'S', 'asked', h, b'###', 'x.src')
    with a.client() as one, a.client() as two:
        for client, n in ((one, 1), (two, 2)):
            client.send(DirectorOp='Ask', Target='foo', Literal=repr(('create', 'user.U', h, n)), Timeout=30)
            a.notes.wait(lambda notes: notes.count(('1', 'S', 'created')) == n)
        ok(True, 'the creator goes on while the source is pending')
        tell(a, 'foo-w', 'create', 'user.U', h, 3)
        a.notes.wait_for('1', 'W', 'created')
        ok(not [n for n in a.notes.take() if n[2] == 'ChildActorExited'], 'and so does what it created')
        tell(a, 'foo', 'answer', 'yes')
        got = eval(one.line()['Literal'])[3:], eval(two.line()['Literal'])[3:]
    ok(got == ((1,), (2,)), 'once it is valid they run, and get what was sent to them before', got)
    path, h = bring(a, 'y.src', 'ho')
    for answer in 'no', 'junk':
        a.asked('foo', ('load', path))
        tell(a, 'foo', 'create', 'user.U', h, 4)
        tell(a, 'foo', 'answer', answer)
        a.notes.wait_for('1', 'S', 'PoisonMessage', 'Child Aborted')
        a.notes.wait_for('1', 'S', 'ChildActorExited', True)
        ok(len([n for n in a.notes.take() if n[2] == 'ChildActorExited']) == 1,
           'answered %s, what waited for it is told, once' % answer)
    a.asked('foo', ('load', path))
    tell(a, 'foo', 'create', 'user.U', h, 4)
    a.notes.wait_for('1', 'S', 'created')
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(not a.strays(), 'a package may go while a source of it is pending', a.strays())


def zones(a):
    """What a package accepts is its own affair."""
    groups(a, 'foo', 'bar')
    path, h = bring(a, 'x.src')
    a.asked('foo', ('authority', 'yes'))
    a.asked('bar', ('authority', 'no'))
    a.asked('bar-w', ('watch', True))
    a.asked('foo', ('load', path))
    ok(a.asked('foo', ('create', 'user.U', h, 1))[3:] == (1,), 'each package has its own authority')
    a.asked('bar', ('load', path))
    a.notes.wait(lambda notes: len([n for n in notes if n[2] == 'asked']) == 2)
    tell(a, 'bar', 'create', 'user.U', h, 1)
    a.notes.wait_for('1', 'S', 'ChildActorExited', True)
    ok(True, 'another package can neither find nor accept what it has accepted')
    told = [n[3] for n in a.notes.take() if n[2] == 'LoadedSource']
    ok(sorted(told) == sorted([a.hash_of('foo', '1'), a.hash_of('bar', '1')]), 'nor is it told', told)
    tell(a, 'bar', 'create', 'm.a.B', a.hash_of('foo', '1'))
    a.notes.wait(lambda notes: [n for n in notes if n[1:3] == ('B', 'made')])
    ok(True, 'a package\'s own classes are for all')
    a.asked('foo', ('unload', a.hash_of('bar', '1')))
    ok(a.loaded('bar') == ['1'], 'it cannot unload another package')
    with a.watch() as events:
        tell(a, 'bar', 'unload', a.hash_of('bar', '1'))
        events.event(lambda e: e['Event'] == 'Unloaded' and e['Group'] == 'bar')
    ok(a.loaded('bar') == [] and a.loaded('foo') == ['1'], 'but itself')


def killed(a):
    """The process of a package is killed: what it brought goes with it, and it comes back."""
    groups(a, 'foo')
    path, h = bring(a, 'x.src')
    a.asked('foo', ('authority', 'yes'))
    a.asked('foo', ('load', path))
    brought = a.asked('foo', ('create', 'user.U', h, 1))[2]  # the process of the source
    actor = a.asked('foo', ('pid',))
    own = parent_of(actor)
    ok(brought != own, 'a source of its own runs in a process of its own')
    os.kill(own, signal.SIGKILL)
    until('the package comes back', lambda: a.asked('foo', ('pid',), 2) not in (None, actor))
    ok(parent_of(a.asked('foo', ('pid',))) != own, 'killed, it comes back')
    until('what it brought is gone', lambda: not os.path.exists('/proc/%d' % brought))
    ok(not a.strays(), 'and what it brought is gone', a.strays())


def too_much(a):
    (a.dir / 'maxmessage.cfg').write_text('100000\n')
    groups(a, 'foo')
    a.asked('foo', ('authority', 'yes'))
    for n in 1, 2:
        path, h = bring(a, 'x%d.src' % n, os.urandom(20000).hex())
        a.asked('foo', ('load', path))
        ok(a.asked('foo', ('create', 'user.U', h, n))[3:] == (n,), 'there is room for %d' % n)
    path, h = bring(a, 'x3.src', os.urandom(20000).hex())
    a.asked('foo', ('load', path))
    tell(a, 'foo', 'create', 'user.U', h, 3)
    a.notes.wait_for('1', 'S', 'ChildActorExited', True)
    ok(True, 'all together may be as large as a message')


def broken(a):
    """What breaks the grammar ends the actor, and nothing else."""
    groups(a, 'foo')
    h = '0' * 32
    for op, data in (({'op': 'load', 'hash': h, 'info': ''}, None), ({'op': 'load', 'hash': h, 'info': ''}, b'unsealed'),
                     ({'op': 'load', 'hash': '/etc', 'info': ''}, b'x'), ({'op': 'load', 'info': ''}, b'x'),
                     ({'op': 'validated', 'hash': h, 'info': '', 'archive': True}, None),
                     ({'op': 'validated', 'hash': h, 'info': '', 'archive': True}, b'unsealed'),
                     ({'op': 'validated', 'archive': False}, None), ({'op': 'unload', 'hash': 1}, None), ({'op': 'capability'}, None)):
        tell(a, 'foo', 'raw', op, data)
        a.notes.wait_for('1', 'S', 'ChildActorExited', True)
        a.notes.take()
        ok(a.asked('foo', ('echo', 1)) == ('1', 1), 'the actor is ended: %s, %s' % (op, data))
    for op in {'op': 'validated', 'hash': h, 'info': 'nobody asked', 'archive': False}, {'op': 'unload', 'hash': h}, {'op': 'sources'}:
        tell(a, 'foo', 'raw', op, None)
        a.notes.wait_for('1', 'R', 'sent')
        ok(a.asked('foo', ('echo', 1)) == ('1', 1) and not [n for n in a.notes.take() if n[2] == 'ChildActorExited'], 'no harm in %s' % op)


PROGRAM = r'''
import sys, threading
from thespian.actors import *
from program import Authority

threading.Thread(target=sys.stdin.read, daemon=True).start() if sys.argv[3] == 'threads' else None
system = ActorSystem('multiprocTCPBase', {'Admin Port': int(sys.argv[1])})
try:
    authority = system.createActor(Authority)
    try:
        system.createActor('user.U', sourceHash='f' * 32)
    except InvalidActorSourceHash as error:
        print(error)
    print(system.ask(authority, 'register', 20))
    h = system.loadActorSource(sys.argv[2])
    user = system.createActor('user.U', sourceHash=h)
    status = system.ask(system.systemAddress, Thespian_StatusReq(), 20)
    print(status.loadedSources == [(h, sys.argv[2])], status.sourceAuthority == authority)
    system.unloadActorSource(h)
    print(system.ask(user, (system.ask(authority, "me", 20), "unloaded"), 0.01))
    print(system.ask(authority, 'heard', 20)[3:])
    for path in sys.argv[2], open(sys.argv[2], 'rb'):
        h = system.loadActorSource(path)
    print(system.ask(authority, ('create', 'user.U', h), 20)[3:])
    system.unloadActorSource(h)
    try:
        system.createActor('user.U', sourceHash=h)
    except InvalidActorSourceHash as error:
        print(h in str(error))
    try:
        system.createActor('user.U')
    except ImportError:
        print('ImportError')
finally:
    system.shutdown()
'''
AUTHORITY = r'''
from thespian.actors import *
class Authority(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        if msg == 'register':
            self.registerSourceAuthority()
        if msg == 'heard' and not hasattr(self, 'heard'):
            self.waiting = sender
        else:
            self.send(sender, self.heard if msg == 'heard' else self.myAddress if msg == 'me' else 'registered')
    def receiveMsg_ValidateSource(self, msg, sender):
        self.send(sender, ValidatedSource(msg.sourceHash, msg.sourceData[3:], msg.sourceInfo))
    def receiveMsg_tuple(self, msg, sender):
        if msg[0] == 'create':
            child = self.createActor(msg[1], sourceHash=msg[2])
            self.send(child, (self.myAddress, 'by an actor'))
            self.unloadActorSource(msg[2])
            self.waiting = sender
        else:
            self.heard = msg
            if hasattr(self, 'waiting'):
                self.send(self.waiting, msg)
'''


def program(a):
    """A program's own authority: what it accepts runs in processes of the program's user."""
    path, h = bring(a, 'x.src')
    (a.base / 'program.py').write_text(AUTHORITY)
    (a.base / 'main.py').write_text(PROGRAM)
    (a.base / 'run').mkdir(mode=0o700)
    env = dict(a.env, XDG_RUNTIME_DIR=str(a.base / 'run'), PYTHONPATH='%s:%s' % (HOST, a.base))
    for threads in 'no', 'threads':
        p = subprocess.run([sys.executable, str(a.base / 'main.py'), '12345', path, threads], env=env, cwd=a.base,
                           stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=LIMIT_S)
        lines = p.stdout.decode().splitlines()
        ok(lines == ['Source hash %s does not match any loaded sources.' % ('f' * 32), 'registered', 'True True', 'None', "('unloaded',)",
                     "('by an actor',)", 'True', 'ImportError'], 'from outside, threads: %s' % threads, p)


if __name__ == '__main__':
    run_cases(accepted, pending, zones, killed, too_much, broken, program)
