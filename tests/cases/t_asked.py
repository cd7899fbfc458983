#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nobody speaks for another: a forger of answers that even knows where they go, a killer, and a guesser of addresses.

Prints TAP. 10,000 tries of each kind, and 100,000 guesses, under TDS_SCALE=20; a twentieth of that without.
"""
import subprocess
import sys

from adminlib import SCALE, run_cases, until
from tap import HOST, ok

TRIES = 500 * SCALE
GUESSES = 5000 * SCALE

# Does what a tuple tells it to.
TOLD = r"""
import os, random
from thespian.actors import *


class Told(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            getattr(self, 'do_%s' % msg[0])(sender, *msg[1:])


class A(Told):
    made = True
"""

# ('forge', where, ref): to that address, and to as many that it guesses, go answers and poison; and the ends of OnLoad
# messages, of that ref and of others, go to the admin. Then it says so.
FORGER = TOLD + r"""

    def do_forge(self, sender, where, ref):
        link = self._myRef.link
        for n in range(%d):
            for to in where, ActorAddress('0.%%d' %% n), ActorAddress('0.%%d' %% random.getrandbits(63)):
                self.send(to, ('forged', n))
                self.send(to, PoisonMessage('forged', 'by another'))
            for guessed in ref, str(n), '%%032x' %% n, '%%032x' %% random.getrandbits(128):
                link.send_control({'op': 'done', 'ref': guessed, 'ok': n %% 2 == 0, 'error': 'forged'})
        self.send(sender, ('forged',))
""" % TRIES

# It gives away all that it knows of a question, and answers it when the forger is done.
GIVER = TOLD + r"""

    def give(self, msg, sender):
        self.question, self.asker = msg, sender
        self.send(self.createActor(A, globalName='forger'), ('forge', sender, self._myRef._ref or '?'))

    def do_ask(self, sender):
        self.give('ask', sender)

    def do_well(self, sender):
        self.give('well', sender)

    def do_load(self, sender):
        self.give('load', sender)
        self.finish = self._myRef.finish_later(None, sender)

    def do_forged(self, sender):
        if self.question == 'load':
            self.finish(ValueError('truly') if VERSION == 'failing' else None)
        else:
            self.send(self.asker, PoisonMessage('well', 'truly') if VERSION == 'unhealthy' else ('truly', VERSION))
"""
DECLARATION = {'Health': {'Message': ('well',), 'Timeout': 30},
               'Actors': {'m.a.A': {'OnLoad': {'Role': 'giver', 'Message': ('load',)}}}}


def strays(a):
    return a.ask('Status')['StrayAnswers']


def forger(a):
    a.group('forger', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'forger', 'GlobalName': 'forger'}}}}, source=FORGER)
    a.group('giver', ['good', 'failing', 'unhealthy'], DECLARATION, source=GIVER)
    a.must(a.load('forger'))
    ok(strays(a) == 0, 'at first nothing is stray', strays(a))
    b = a.load('giver-good.tls')
    ok(b.status == 0 and a.active('giver') == 'good', 'a good version is loaded, whatever the forger says of it', b)
    # Of its OnLoad message all four; of the health check the answers to the address that was given away, and the ends.
    seen, least = strays(a), TRIES * (4 + 2 + 4)
    ok(seen >= least, 'what it says is counted', seen, least)
    b = a.load('giver-failing.tls')
    ok(b.status == 1 and 'ValueError: truly' in b.err and a.active('giver') == 'good', 'one that fails, fails', b)
    b = a.load('giver-unhealthy.tls')
    ok(b.status == 1 and 'failed its health check' in b.err and a.active('giver') == 'good', 'one that is not well, is not', b)
    before = strays(a)
    for n in range(2):
        answer = a.asked('giver', ('ask',), 60)
        ok(answer == ('truly', 'good'), 'an operator gets the answer of who was asked', answer)
    ok(strays(a) >= before + 2 * TRIES * (2 + 4), 'and the others are counted', before, strays(a))


# Who was asked may hand it to an actor of its own source: a troupe's worker, or any other that it knows.
HELPED = TOLD + r"""
from thespian.troupe import troupe


@troupe(max_count=2)
class T(A):
    def do_well(self, sender):
        self.send(sender, ('well', os.getpid()))


class L(A):
    def do_well(self, sender):
        self.send(self.createActor(L), ('worker', sender))

    def do_worker(self, sender, asker):
        self.send(asker, ('well', os.getpid()))
"""


def helpers(a):
    for name in 'T', 'L':
        a.group('helped', [name], {'Health': {'Message': ('well',), 'Timeout': 30},
                                   'Actors': {'m.a.%s' % name: {'OnLoad': {'Role': 'helped'}}}}, source=HELPED)
        b = a.load('helped-%s.tls' % name)
        pid = next(r['Pid'] for r in a.actors_of('helped', name))
        answer = a.asked('helped', ('well',))
        ok(b.status == 0 and answer[0] == 'well' and answer[1] != pid, '%s: a worker answers for its leader' % name, b, answer)
        a.must(a.load('--unload', a.hash_of('helped', name)))
    ok(strays(a) == 0, 'none of that is stray', strays(a))


# ('big', n) is answered with n bytes, ('raw', enc, payload) by such a frame.
ANSWERER = TOLD + r"""
    def do_big(self, sender, n):
        self.send(sender, 'x' * (n - 2))

    def do_raw(self, sender, enc, payload):
        from tdshost.wire import link
        self._myRef.link.send_frame(link.message_frame(int(str(sender).rpartition('.')[2]), ord(enc), payload))
"""


def answers(a):
    a.group('answerer', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'answerer'}}}}, source=ANSWERER)
    a.must(a.load('answerer'))
    most = 1 << 20
    for n in most, most + 1, 50 * most:
        r = a.ask('Ask', Target='answerer', Literal=repr(('big', n)), Timeout=60)
        if n <= most:
            ok(r['Success'] and r['Message'] == 'x' * (n - 2), 'an answer of %d bytes' % n, str(r)[:200])
        else:
            ok(r['Success'] is False and r['Status'] == 1 and str(n) in r['Message'] and 'Literal' not in r,
               'one of %d is told' % n, str(r)[:200])
    for enc, payload in ('p', b'cos\nsystem\n.'), ('t', b'{"~set":[[]]}'), ('j', b'1'), ('\0', b''):
        r = a.ask('Ask', Target='answerer', Literal=repr(('raw', enc, payload)), Timeout=60)
        ok(r['Success'] is False and r['Status'] == 1 and 'Literal' not in r, 'what is no literal is none: %r' % enc, r)
    for payload in b"'\x1b[2J'", b"'a'\nroot: all is well", b"'\xc2\x9b2J'", b"'a'\0", b'system("x")', b'', b'\xff':
        b = a.admin('ask', 'answerer', repr(('raw', 'l', payload)))
        ok(b.status == 1 and b.out == '' and 'no Python literal: ' in b.err, 'nor is what only says that it is: %r' % payload, b)
    b = a.admin('ask', 'answerer', repr(('raw', 'l', "'\u00fc\\x1b'".encode())))
    ok(b.out == "'\u00fc\\x1b'\n", 'and what is one is printed as it is', b)
    b = a.admin('ask', 'answerer', repr(('big', most + 1)))
    ok(b.status == 1 and b.out == '' and str(most + 1) in b.err, 'tds-admin ask says so', b)


# It notes what it hears of whom, and chats.
VICTIM = TOLD + r"""
    heard = ()

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            super().receiveMessage(msg, sender)
        else:
            self.heard += (type(msg).__name__,)

    def do_chat(self, sender, n):
        self.send(sender, ('chat', n))

    def do_heard(self, sender):
        self.send(sender, (os.getpid(), self.heard))

    def do_child(self, sender):
        self.child = self.createActor(A)
        self.send(sender, self.child)
"""

# ('kill', name, n): n of each order to who has the name, between chats, so that they get a link of their own.
KILLER = TOLD + r"""
from tdshost.wire import link, realm
SYSTEMS = (ActorSystemConventionUpdate, ChildActorExited, LoadedSource, UnloadedSource, DeadEnvelope, WakeupMessage,
           WatchMessage, ValidateSource, Thespian_SystemStatus)


class K(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, Thespian_ActorStatus):
            self.status = msg
        else:
            super().receiveMessage(msg, sender)

    def do_kill(self, sender, name, n):
        self.asker, self.left, self.status = sender, n, None
        self.victim = self.createActor(A, globalName=name)
        self.do_chat(None, 0)

    def do_chat(self, sender, _):
        if self.left == 0:
            self.send(self.asker, (os.getpid(), self.status.childActors, len(self._myRef.links.ways)))
            return
        self.left -= 1
        for kind in SYSTEMS:
            self.send(self.victim, kind(*[self.victim, 1][:kind.__init__.__code__.co_argcount - 1]))
        self.send(self.victim, ActorExitRequest(self.left % 2 == 0))
        self.send(self.victim, Thespian_StatusReq())
        self.send(self.victim, ('chat', self.left))

    def do_mark(self, sender, way):
        # The mark of who may command, set by itself, over the link of the two, or that to the admin.
        known = int(str(self.victim).rpartition('.')[2])
        enc, payload = realm.TAGGED | 0x80, realm.to_tagged(ActorExitRequest())
        links = self._myRef.links
        if way == 'direct':
            links.ways[known].send_frame(link.direct_message_frame(known, int(str(self.victim)[10:].partition('.')[0]),
                                                                   enc, payload))
            self.send(sender, 'marked')
        else:
            links.admin.send_frame(link.message_frame(known, enc, payload))
"""

LETTERS = TOLD + r"""
    letters = 0

    def do_load(self, sender):
        self.handleDeadLetters()

    def receiveMessage(self, msg, sender):
        if isinstance(msg, DeadEnvelope) and type(msg.deadMessage) is ActorExitRequest:
            self.letters += 1
        else:
            super().receiveMessage(msg, sender)

    def do_letters(self, sender):
        self.send(sender, self.letters)
        self.letters = 0
"""

PROGRAM = """
from thespian.actors import *
system = ActorSystem('multiprocTCPBase')
system.tell(system.createActor('thespian.actors.Actor', globalName='victim'), ActorExitRequest())
"""


def declared(name, module='m.a.A'):
    return {'Actors': {module: {'OnLoad': {'Role': name, 'GlobalName': name, 'Message': ('load',)}}}}


def a_killer(a):
    a.group('victim', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'victim', 'GlobalName': 'victim'}}}}, source=VICTIM)
    a.group('killer', ['1'], {'Actors': {'m.a.K': {'OnLoad': {'Role': 'killer'}}}}, source=KILLER)
    a.group('letters', ['1'], dict(declared('letters'), May=['deadletters']), source=LETTERS)
    a.must(a.load('victim', 'killer', 'letters'))


def killer(a):
    a_killer(a)
    pid, heard = a.asked('victim', ('heard',))
    a.asked('victim', ('child',))
    for n in 20, TRIES:
        _, children, ways = a.asked('killer', ('kill', 'victim', n), 20 * SCALE)
        got, letters = a.asked('victim', ('heard',)), a.asked('letters', ('letters',))
        ok(got == (pid, ()), '%d of each order: it lives, and none was taken for the system\'s' % n, got, pid)
        ok(letters == n if n == 20 else 0 < letters <= n, 'the exit requests are dead letters', letters)
        ok(children == [] and (ways == 1 or n == 20), 'its status names no child; and it had a link of its own', children, ways)
    until('the last of the letters have come', lambda: a.asked('letters', ('letters',)) == 0)
    before = a.actors_of('killer', '1')[0]['Pid']
    a.asked('killer', ('mark', 'direct'))
    a.ask('Tell', Target='killer', Literal=repr(('mark', 'admin')))
    until('who marks its messages itself is killed', lambda: a.actors_of('killer', '1')[0].get('Pid') not in (None, before))
    got = a.asked('victim', ('heard',))
    ok(got == (pid, ()) and a.asked('letters', ('letters',)) == 1, 'its own mark is none', got, pid)
    p = subprocess.run([sys.executable, '-c', PROGRAM], capture_output=True, text=True, timeout=60,
                       env=dict(a.env, THESPIAN_DIRECTOR_DIR=str(a.dir), PYTHONPATH=str(HOST)))
    ok(p.returncode == 0, 'a program of the admin\'s user asks it to exit', p)
    until('it exits', lambda: (a.asked('victim', ('heard',)) or (pid,))[0] != pid)
    ok(a.asked('letters', ('letters',)) == 0, 'which is no dead letter')


# It obeys who is of its own source, and who made it.
FAMILY = TOLD + r"""

class P(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ChildActorExited):
            self.send(self.asker, 'exited')
        else:
            super().receiveMessage(msg, sender)

    def do_end(self, sender, how):
        self.asker, child = sender, self.createActor(A)
        if how == 'parent':
            self.send(child, ActorExitRequest())
        else:
            self.send(self.createActor(A), ('tell', child))

    def do_forged(self, sender, how):
        self.asker = sender
        self.send(self.createActor(A), ('pretend', self.myAddress))
"""
TELL = r"""
    def do_tell(self, sender, child):
        self.send(child, ActorExitRequest())

    def do_pretend(self, sender, other):
        self.send(other, ChildActorExited(self.myAddress))
"""


def family(a):
    a.group('family', ['1'], {'Actors': {'m.a.P': {'OnLoad': {'Role': 'family'}}}},
            source=FAMILY.replace('\n\nclass P(', TELL + '\n\nclass P('))
    a.must(a.load('family'))
    for what, how in ('end', 'parent'), ('end', 'sibling'), ('forged', ''):
        ok(a.asked('family', (what, how)) == 'exited', 'within a source all is as ever: %s %s' % (what, how))


# ('guess', n, known): so many addresses, random ones and those near to the ones it knows, get an exit request and a chat.
GUESSER = TOLD + r"""
    hits = 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            super().receiveMessage(msg, sender)
        elif not isinstance(msg, PoisonMessage):
            self.hits += 1

    def do_chat(self, sender, n):
        self.hits += 1

    def do_guess(self, sender, n, realms, known):
        own = int(str(self.myAddress).rpartition('.')[2])
        for i in range(n):
            near = random.choice([own, *known]) + random.choice((-1, 1)) * (1 + i // 8)
            ident = (i, near, random.getrandbits(63))[i % 3]
            if ident not in (0, 1, own, *known):
                target = ActorAddress('%d.%d' % (1 + i % realms, ident & (1 << 63) - 1))
                self.send(target, ('chat', i))
                self.send(target, ActorExitRequest())
                self.send(target, Thespian_StatusReq())
        self.send(sender, self.hits)

    def do_hits(self, sender):
        self.send(sender, self.hits)
"""


def running(a):
    return sorted(r['Pid'] for g in a.groups().values() for actors in g['Running'].values() for r in actors)


def guesser(a):
    a_killer(a)
    a.group('guesser', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'guesser'}}}}, source=GUESSER)
    a.must(a.load('guesser'))
    pids = running(a)
    # It knows two actors of others; the victim's child, which has an id of the victim's block, it does not.
    known = [int(a.actors_of(g, '1')[0]['ActorAddress']['ActorAddress'].partition('.')[2]) for g in ('victim', 'killer')]
    hits = a.asked('guesser', ('guess', GUESSES, 8, known), 110)
    a.asked('victim', ('chat', 1))
    hits = hits, a.asked('guesser', ('hits',))
    ok(hits == (0, 0), '%d guesses: no hit' % GUESSES, hits)
    ok(running(a) == pids and a.asked('victim', ('heard',))[1] == (), 'and nobody exits', pids, running(a))


run_cases(forger, helpers, answers, killer, family, guesser)
