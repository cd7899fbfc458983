#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An answer counts only from who was asked: a forger that even knows where the answers go, and what they are called.

Prints TAP. 10,000 tries of each kind under TDS_SCALE=20; a twentieth of that without.
"""
from adminlib import SCALE, run_cases
from tap import ok

TRIES = 500 * SCALE

# Does what a tuple tells it to.
TOLD = r"""
import os, random
from thespian.actors import *


class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            getattr(self, 'do_%s' % msg[0])(sender, *msg[1:])
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


run_cases(forger, helpers)
