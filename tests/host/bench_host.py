# SPDX-License-Identifier: MIT
"""Figures of the Python host: memory of an idle actor, time to create one, messages.

Prints, tests nothing. Run: python3 tests/host/bench_host.py. The fake admin is Python, so rates are
lower bounds; those in brackets do not depend on it.
"""
import os
import select
import socket
import struct
import sys
import time

from fakeadmin import Admin

SOURCE = '''
import time
from thespian.actors import *

class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'burst':
            self.n = msg[1]
            if msg[2] is None:
                self.c = self.createActor(Count)
                self.send(self.c, ('who', sender))
                return
            start = time.perf_counter()
            for n in range(msg[1]):
                self.send(msg[2], n)
            self.send(msg[2], ('end', sender, time.perf_counter() - start))
        elif isinstance(msg, tuple) and msg[0] == 'pingpong':
            self.left, self.total, self.asker = msg[1], msg[1], sender
            self.peer = self.createActor(Echo)
            self.send(self.peer, 0)
        elif isinstance(msg, int):
            if self.left == self.total - 50:
                self.start = time.perf_counter()
            self.left -= 1
            if self.left:
                self.send(self.peer, msg)
            else:
                self.send(self.asker, (time.perf_counter() - self.start) / (self.total - 50))
        else:
            self.send(sender, msg)

class Echo(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, msg)

class Count(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'who':
            self.n = 0
            self.send(sender, self.myAddress)
            self.send(msg[1], {'ActorAddress': self.myAddress})
        elif isinstance(msg, tuple):
            self.send(msg[1], (self.n, msg[2]))
        else:
            self.n += 1
'''


def rollup(pid):
    """Private memory of a process in KiB."""
    total = 0
    with open('/proc/%d/smaps_rollup' % pid) as stream:
        for line in stream:
            if line.startswith('Private_'):
                total += int(line.split()[1])
    return total


def median(values):
    return sorted(values)[len(values) // 2]


def bare_fork():
    """Median ms of a fork of this Python with a socket pair that answers, and its private KiB."""
    times, memory = [], 0
    for _ in range(50):
        start = time.perf_counter()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            theirs.send(theirs.recv(10))
            theirs.recv(1)
            os._exit(0)
        ours.send(b'x')
        ours.recv(10)
        times.append((time.perf_counter() - start) * 1000)
        memory = rollup(pid)
        ours.close()
        theirs.close()
        os.waitpid(pid, 0)
    return median(times), memory, min(times)


def bare_bounce(rounds=20000):
    """Microseconds of a round trip of 60 bytes between two bare Pythons."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        data = theirs.recv(100)
        while data:
            theirs.send(data)
            data = theirs.recv(100)
        os._exit(0)
    theirs.close()
    data = b'x' * 60
    start = time.perf_counter()
    for _ in range(rounds):
        ours.send(data)
        ours.recv(100)
    took = (time.perf_counter() - start) / rounds * 1e6
    ours.close()
    os.waitpid(pid, 0)
    return took


def create_and_ask(admin, parent):
    """Milliseconds from the order to spawn an actor to its first answer; the actor then ends."""
    ident, admin.next_id = admin.next_id, admin.next_id + 1
    ours, theirs = socket.socketpair()
    start = time.perf_counter()
    parent.wire.op([theirs.detach()], op='spawn', id=ident, requirements=None, name=None, parent=None,
                   **{'class': 'mod.A'})
    ours.recv(1000)     # up
    ours.send(struct.pack('<IBQIB', 18, ord('M'), 5, 0, ord('l')) + b"'hi'")
    ours.recv(1000)
    took = (time.perf_counter() - start) * 1000
    ours.close()
    gone = False
    while not gone:
        select.select([parent.wire], [], [])
        gone = any(b'"gone"' in body for _, body in parent.wire.read())
    return took


def main():
    bare = bare_fork()
    print('bare fork with a socket pair that answers: %.2f ms, %d KiB private (best %.2f ms)' % bare)
    bounce = bare_bounce()
    print('bare bounce of 60 bytes: %.1f us' % bounce)
    admin = Admin()
    try:
        start = time.perf_counter()
        parent = admin.parent({'mod.py': SOURCE})
        admin.do_import(parent, 'mod.A')
        print('parent started, source imported: %.1f ms' % ((time.perf_counter() - start) * 1000))
        admin.from_zygote()
        start = time.perf_counter()
        forked = admin.parent({'mod.py': SOURCE}, hash_='f' * 32, way='zygote')
        admin.do_import(forked, 'mod.A')
        actor = admin.spawn(forked, 'mod.A')
        admin.ask(actor, 'hi')
        print('the same, forked from a waiting host, with an actor that has answered: %.1f ms'
              % ((time.perf_counter() - start) * 1000))
        times = [create_and_ask(admin, parent) for _ in range(200)]
        print('actor created and answering, one after the other: median %.2f ms (%.1f bare forks), best %.2f ms'
              % (median(times), median(times) / bare[0], min(times)))
        admin.spawn(parent, 'mod.A')
        actors = [admin.spawn(parent, 'mod.A') for _ in range(20)]
        actor = actors[10]
        for one in actors:
            admin.ask(one, 'hi')
        print('idle actor: %d KiB private (the parent: %d KiB)' % (rollup(actor.pid), rollup(parent.pid)))
        start = time.perf_counter()
        actors = [admin.spawn(parent, 'mod.A', wait=False) for _ in range(200)]
        refs = [admin.tell(one, 'hi') for one in actors]
        admin.pump(lambda: all(admin.answers.get(ref) for ref in refs))
        print('200 actors created and answering: %.0f ms' % ((time.perf_counter() - start) * 1000))
        ref = admin.new_ref()
        start = time.perf_counter()
        for n in range(2000):
            admin.tell(actor, 'hi', ref=ref)
            admin.pump(lambda: len(admin.answers.get(ref, ())) > n)
        print('ask from outside, through the Python admin: %.0f us' % ((time.perf_counter() - start) / 2000 * 1e6))
        for after, name in ((None, 'through the Python admin'), (10, 'over a direct link')):
            admin.direct_after = after
            actor = admin.spawn(parent, 'mod.A')
            took = admin.ask(actor, ('pingpong', 5000)) * 1e6
            print('actor to actor and back, %s: %.1f us (%.1f bare bounces)' % (name, took, took / bounce))
            target = admin.ask(actor, ('burst', 0, None))['ActorAddress']
            start = time.perf_counter()
            reads = admin.actors[actor.id].wire.reads
            count, sending = burst(admin, actor, target)
            took = time.perf_counter() - start
            print('burst of %d, %s: %.0f a second; send() took [%.1f us]; %d reads'
                  % (count, name, count / took, sending / count * 1e6,
                     admin.actors[actor.id].wire.reads - reads))
    finally:
        admin.close()
    return 0


def burst(admin, actor, target):
    """Have 10,000 messages sent; (how many arrived, seconds in send)."""
    ref = admin.new_ref()
    admin.tell(actor, ('burst', 10000, target), ref=ref)
    admin.pump(lambda: admin.answers.get(ref))
    return admin.answers[ref][0][1]


if __name__ == '__main__':
    sys.exit(main())
