#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A storm of restarts: declared actors that end at random, under loads, unloads, asks and kills. The daemon stays.

Prints TAP. A minute where the tools are sanitized, a quarter elsewhere; ten times that from TDS_SCALE 20 on.
"""
import os
import random
import signal
import socket
import threading
import time

from adminlib import SCALE, parent_of, run_cases, sanitized, until
from tap import ok

SECONDS = (60 if sanitized() else 15) * (10 if SCALE >= 20 else 1)
SEED = int(os.environ.get('TDS_TEST_SEED', '0')) or int.from_bytes(os.urandom(4), 'big')
GROUPS = 'abc'
VERSIONS = '123'

SOURCE = r'''
import os, random, signal, sys, time
from thespian.actors import *


class A(Actor):
    """Ends as it is told to, and now and then by itself: at its OnLoad message, at its exit, or in the middle."""

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            if random.random() < 0.2:
                time.sleep(random.random() * 0.05)
        elif isinstance(msg, tuple) and msg[0] == 'end':
            self.end(msg[1])
        elif isinstance(msg, tuple) and msg[0] == 'echo':
            self.send(sender, (VERSION,) + msg[1:])
        elif msg == 'load' and random.random() < 0.2:
            time.sleep(random.random() * 0.05)
        elif msg == 'load' and random.random() < 0.05:
            raise ValueError('not today')
        elif msg == 'load' and random.random() < 0.2:
            self.wakeupAfter(random.random() * 0.05, random.choice(('exit', 'request', 'kill')))
        elif isinstance(msg, WakeupMessage):
            self.end(msg.payload)

    def end(self, how):
        if how == 'exit':
            sys.exit(3)
        elif how == 'request':
            self.send(self.myAddress, ActorExitRequest())
        elif how == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == 'child':
            self.createActor(B, globalName='child of %s' % VERSION)


class B(A):
    pass


class C(A):
    pass
'''


def declaration(group):
    """One of the groups is swapped with the new actors up first."""
    return dict({'Activate': 'ready-first'} if group == 'a' else {}, AutoUnload=2, Actors={
        'm.a.A': {'OnLoad': {'Role': group + 'A', 'GlobalName': group + 'A', 'Message': 'load'}},
        'm.a.B': {'OnLoad': {'Role': group + 'B', 'GlobalName': group + 'B', 'Message': 'load'},
                  'OnDeactivate': {'Message': 'rest'}, 'OnReactivate': {'Message': 'load'}},
        'm.a.C': {'OnLoad': {'Role': group + 'C', 'Message': 'load'}, 'Health': {'Message': ('echo',), 'Timeout': 5}}})


class Storm:
    """Threads that each do one kind of harm until the time is over; what must not happen is in `wrong`."""

    def __init__(self, a):
        self.a = a
        self.end = time.monotonic() + SECONDS
        self.wrong = []
        self.counts = {}

    def run(self, *kinds):
        threads = [threading.Thread(target=self.loop, args=(kind, random.Random(SEED + i)))
                   for i, kind in enumerate(kinds)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def loop(self, kind, rng):
        while time.monotonic() < self.end and not self.wrong:
            try:
                with self.a.client(120) as c:
                    while time.monotonic() < self.end:
                        kind(self, c, rng)
                        self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
            except (OSError, Exception) as e:
                self.wrong.append('%s: %r' % (kind.__name__, e))

    def ask(self, c, op, **fields):
        answer = c.ask(op, **fields)
        if answer is None:
            raise OSError('the daemon ended the connection')
        return answer


def target(rng):
    return rng.choice(('%sA', '@%sA', '@%sB', '%sB', '%sC')) % rng.choice(GROUPS)


def asks(storm, c, rng):
    storm.ask(c, 'Ask', Target=target(rng), Literal="('echo',)", Timeout=1)


def ends(storm, c, rng):
    how = rng.choice(('exit', 'request', 'request', 'kill', 'child'))
    storm.ask(c, 'Tell', Target=target(rng), Literal=repr(('end', how)), Timeout=1)
    time.sleep(rng.random() * 0.02)


def loads(storm, c, rng):
    group = rng.choice(GROUPS)
    if rng.random() < 0.7:
        storm.ask(c, 'LoadSource', Source='%s-%s.tls' % (group, rng.choice(VERSIONS)), Retry=True, Wait=20)
        return
    sources = storm.ask(c, 'RetrieveAll', Group=group)['Groups'].get(group, {'Sources': {}})['Sources']
    if sources:
        storm.ask(c, 'UnloadSource', SourceHash=rng.choice(sorted(sources)))


def kills(storm, c, rng):
    """An actor or, now and then, a source's own process."""
    groups = storm.ask(c, 'RetrieveAll')['Groups'].values()
    pids = [run['Pid'] for g in groups for runs in g['Running'].values() for run in runs if run.get('Pid')]
    time.sleep(rng.random() * 0.05)
    if pids:
        pid = rng.choice(pids)
        victim = parent_of(pid) if rng.random() < 0.1 else pid
        daemon = storm.daemon
        if victim and victim not in (daemon, parent_of(daemon), 1) and parent_of(victim) not in (None, 1):
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass


def watches(storm, c, rng):
    """Comes, looks for a while, and goes in one of three ways."""
    with storm.a.client(120) as w:
        w.ask('Watch', Output=True)
        if rng.random() < 0.5:
            w.sock.shutdown(socket.SHUT_WR)
        time.sleep(rng.random() * 0.05)


def storm(a):
    for g in GROUPS:
        a.group(g, VERSIONS, declaration(g), source=SOURCE)
    a.load('-a')
    s = Storm(a)
    s.daemon = a.pid
    s.run(asks, asks, ends, loads, loads, kills, watches)
    ok(not s.wrong, 'nobody is cut off in %d s (seed %d; %s)' % (SECONDS, SEED, s.counts), *s.wrong[:5])
    ok(a.pid == s.daemon, 'the daemon is the same')
    for g in GROUPS:
        for h in a.groups().get(g, {'Sources': {}})['Sources']:
            a.ask('UnloadSource', SourceHash=h)
        until('group %s has a version that takes its messages' % g, lambda: a.load('--retry', g).status == 0)
        until('%s answers' % g, lambda: a.asked('@%sB' % g, ('echo',), 2) == ('3',))
    until('no stray is left', lambda: not a.strays())


if __name__ == '__main__':
    run_cases(storm)
