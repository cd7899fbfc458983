#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The daemon's descriptors: as many as the hard limit has, and where they run out one request fails and nobody else.

Prints TAP.
"""
import os
import resource

from adminlib import ACTOR, run_cases, shows
from tap import ok

FEW = 160
MANY_ACTORS = 150
MANY = '''
for i in range(%d):
    globals()['A%%d' %% i] = type('A%%d' %% i, (A,), {})
'''

# An actor that creates many children, and counts how many answer and how many never were.
HOG = r'''
from thespian.actors import *


class A(Actor):
    def __init__(self):
        self.children, self.up, self.exited, self.asker, self.wanted = [], 0, 0, None, 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ChildActorExited):
            self.exited += 1
        elif msg == 'here':
            self.up += 1
        elif isinstance(msg, tuple) and msg[0] == 'hog':
            self.asker, self.wanted, self.up, self.exited = sender, msg[1], 0, 0
            self.children = [self.createActor(Child) for _ in range(msg[1])]
            for child in self.children:
                self.send(child, 'are you there?')
        elif msg == 'drop':
            self.asker, self.exited = sender, 0
            self.wanted = self.up
            self.up = 0
            for child in self.children:
                self.send(child, ActorExitRequest())
        elif isinstance(msg, tuple) and msg[0] == 'much':
            self.much, self.boss, other = [], sender, self.createActor(Child)
            for i in range(msg[1]):
                self.send(other, (i, msg[1], b'x' * 1000))
        elif isinstance(msg, tuple) and msg[0] == 'one':
            self.much.append(msg[1])
            if len(self.much) == msg[2]:
                self.send(self.boss, self.much)
        elif isinstance(msg, tuple) and msg[0] == 'echo':
            self.send(sender, (VERSION,) + msg[1:])
        if self.asker and self.up + self.exited >= self.wanted:
            self.send(self.asker, (self.up, self.exited))
            self.asker = None


class Child(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'are you there?':
            self.send(sender, 'here')
        elif isinstance(msg, tuple):
            self.send(sender, ('one',) + msg[:2])
'''


def limited(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def start(a, soft, hard):
    a.must(a.admin('start', preexec_fn=limited(soft, hard)))


def declare_many(a, group, n):
    actors = {'m.a.A%d' % i: {'OnLoad': {'Role': '%s%d' % (group, i), 'Message': 'load'}} for i in range(n)}
    a.group(group, ['1'], {'Actors': actors}, source=ACTOR + MANY % n)


def too_many_declared(a):
    declare_many(a, 'big', MANY_ACTORS)
    declare_many(a, 'small', 3)
    a.group('bar', ['1'])
    start(a, FEW, FEW)
    a.must(a.load('bar'))
    daemon = a.pid
    b = a.load('big')
    ok(b.status == 1 and 'no descriptor' in b.err and 'm.a.A' in b.err,
       'a declaration of more actors than there are descriptors is refused, and says why', b)
    ok(a.pid == daemon and a.asked('bar', ('echo',)) == ('1',), 'others do not notice')
    ok(a.loaded('big') == [] and not a.strays(), 'the load is undone', a.groups().get('big'), a.strays())
    ok(a.load('small').status == 0 and a.asked('small2', ('echo',)) == ('1',), 'what has room is loaded')
    ok(a.load('big').status == 1 and a.pid == daemon, 'again the same')


def soft_limit_is_raised(a):
    declare_many(a, 'big', MANY_ACTORS)
    start(a, FEW, 4096)
    b = a.load('big')
    ok(b.status == 0 and a.asked('big%d' % (MANY_ACTORS - 1), ('echo',)) == ('1',), 'the soft limit of who started it is not the daemon\'s', b)
    with open('/proc/%d/limits' % a.actors_of('big', '1')[0]['Pid']) as f:
        line = next(x for x in f if x.startswith('Max open files')).split()
    ok(line[3:5] == [str(FEW), '4096'], 'actors have it as it was', line)


def one_that_takes_all(a):
    a.group('hog', ['1'], source=HOG)
    a.group('bar', ['1'], source=HOG)
    a.group('late', ['1', '2'])
    start(a, 400, 400)
    a.must(a.load('hog', 'bar'))
    daemon = a.pid
    pids = [a.actors_of(g, '1')[0]['Pid'] for g in ('hog', 'bar')]
    for turn in range(2):
        got = a.asked('hog', ('hog', 500), 60)
        ok(got and sum(got) == 500 and got[0] > 100 and got[1] > 50,
           'of 500 children those have room that can, and their parent is told of each other one', got)
        ok(a.asked('hog', ('echo', 1)) == ('1', 1) and a.asked('bar', ('echo',)) == ('1',) and a.pid == daemon and
           pids == [a.actors_of(g, '1')[0]['Pid'] for g in ('hog', 'bar')], 'it lives on, and so does its neighbour')
        ok(a.asked('bar', ('hog', 20), 60) == (20, 0) and a.asked('bar', 'drop', 60) == (0, 20),
           'a neighbour makes its children all the same')
        b = a.load('late-%d.tls' % (turn + 1))
        ok(b.status == 0 and a.asked('late', ('echo',)) == (str(turn + 1),), 'and a source is loaded', b)
        dropped = a.asked('hog', 'drop', 60)
        ok(dropped == (0, got[0]), 'when they have gone there is room again', dropped, got)


def one_each(a):
    a.group('hog', ['1'], source=HOG)
    a.must(a.load('hog'))
    shown = shows(a.pid, 'how many descriptors an idle actor takes')
    before = len(os.listdir('/proc/%d/fd' % a.pid)) if shown else 0
    got = a.asked('hog', ('hog', 100), 60)
    now = len(os.listdir('/proc/%d/fd' % a.pid)) if shown else 0
    ok(got == (100, 0) and now - before <= 105, 'an idle actor takes one descriptor of the daemon', got, before, now)


def none_for_a_message(a):
    """A large message needs a descriptor; without one it is lost, and the actor lives."""
    a.group('foo', ['1'])
    a.start()
    a.must(a.load('foo'))
    actor = a.actors_of('foo', '1')[0]['Pid']
    daemon = a.pid
    with a.client() as c:
        c.ask('Status')
        limits = resource.prlimit(daemon, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon, resource.RLIMIT_NOFILE, (3, limits[1]))
        answer = c.ask('Ask', Target='foo', Literal=repr(('echo', 'x' * 100000)))
        resource.prlimit(daemon, resource.RLIMIT_NOFILE, limits)
        ok(answer['Success'] is False, 'who asks is told that it never came', answer)
    ok(a.asked('foo', ('echo', 1)) == ('1', 1) and a.actors_of('foo', '1')[0]['Pid'] == actor, 'the actor lives on')


def budgets(a):
    a.group('hog', ['1'], source=HOG)
    a.group('bar', ['1'], source=HOG)
    for name, n, room in ('Actors', 30, 10), ('Descriptors', 30, 10):
        (a.dir / 'budget.cfg').write_text("{'%s': %d}" % (name, room + 1))
        a.start()
        a.must(a.load('-a'))
        got = a.asked('hog', ('hog', n), 60)
        ok(got == (room, n - room), '%s of a source: more are refused' % name, got)
        ok(a.asked('bar', ('hog', room), 60) == (room, 0), 'others have their own')
        a.must(a.admin('shutdown'))
    (a.dir / 'budget.cfg').write_text("{'Operations': 1, 'Bytes': 1}")
    a.start()
    a.must(a.load('-a'))
    ok(a.asked('hog', ('hog', 50), 60) == (50, 0) and a.asked('bar', ('hog', 50), 60) == (50, 0) and
       a.asked('hog', ('much', 2000), 60) == list(range(2000)), 'who has little of the rest waits, and loses nothing')
    a.must(a.admin('shutdown'))
    (a.dir / 'budget.cfg').write_text("{'Actors': 5, 'Actor': 1}")
    b = a.admin('start')
    ok(b.status == 1 and 'budget.cfg:1:15: no such limit' in b.err, 'a name that is not known is', b)


if __name__ == '__main__':
    run_cases(one_each, too_many_declared, soft_limit_is_raised, one_that_takes_all, none_for_a_message, budgets)
