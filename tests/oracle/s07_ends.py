# SPDX-License-Identifier: MIT
"""Exit requests, children that exit, wakeups, watches."""
import os
import socket
import time
from datetime import timedelta

from thespian.actors import *

from play import ANY, PROCESSES, SECONDS, kind, program


class Noting(Actor):
    """A family that notes, in a file, who hears what when it exits."""
    name = 'none'

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.file, self.name, children, asker = msg
            asker = asker or sender
            for child in children:
                self.send(self.createActor(Noting), (self.file, child, [], None))
            self.send(sender, 'ready')
        elif isinstance(msg, (ActorExitRequest, ChildActorExited)):
            with open(self.file, 'a') as f:
                f.write('%s %s\n' % (self.name, kind(msg)))


def noted(path):
    with open(path) as f:
        return f.read().splitlines()


@program('tcp udp simple')
def exit_order(asys):
    """A parent hears of the request first; its children have exited before it does."""
    path = os.path.join(os.environ['TDS_PLAY_FOLDER'], 'noted')
    parent = asys.createActor(Noting)
    print(asys.ask(parent, (path, 'parent', ['child'], None), SECONDS))
    time.sleep(0.5)
    asys.tell(parent, ActorExitRequest())
    end = time.monotonic() + SECONDS
    while len(set(noted(path) if os.path.exists(path) else [])) < 3 and time.monotonic() < end:
        asys.listen(0.1)
    print(list(dict.fromkeys(noted(path))))


class Keeper(Actor):
    """Exits, but leaves its child alone."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, self.createActor(Child))
        elif isinstance(msg, ActorExitRequest):
            msg.notRecursive()


class Child(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, 'alive')


@program('tcp udp')
def not_recursive(asys):
    keeper = asys.createActor(Keeper)
    child = asys.ask(keeper, 'make', SECONDS)
    asys.tell(keeper, ActorExitRequest())
    print(asys.ask(child, 'there?', SECONDS))
    asys.tell(child, ActorExitRequest())


class Recreates(Actor):
    """Makes its child again when it has exited, as supervisors do."""
    def receiveMessage(self, msg, sender):
        if msg == 'start':
            self.child = self.createActor(Child)
            self.send(sender, 'started')
        elif msg == 'stop':
            self.asker = sender
            self.send(self.child, ActorExitRequest())
        elif isinstance(msg, ChildActorExited) and msg.childAddress == self.child:
            self.child = self.createActor(Child)
            self.send(self.child, 'there?')
        elif msg == 'alive':
            self.send(self.asker, 'made again')


@program(ANY)
def made_again(asys):
    actor = asys.createActor(Recreates)
    print(asys.ask(actor, 'start', SECONDS), asys.ask(actor, 'stop', SECONDS))


class Wakes(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, list):
            self.asker = sender
            for period, payload in msg:
                self.wakeupAfter(period, payload)
        elif isinstance(msg, WakeupMessage):
            self.send(self.asker, (msg.delayPeriod, msg.payload, sender == self.myAddress))


@program(ANY)
def wakeups(asys):
    actor = asys.createActor(Wakes)
    print(asys.ask(actor, [(timedelta(seconds=0.4), 'late'), (0.1, ['early'])], SECONDS))
    print(asys.listen(SECONDS))
    print(asys.ask(actor, [(0, 'at once')], SECONDS))


@program(PROCESSES)
def wakeup_of_the_past(asys):
    print(asys.ask(asys.createActor(Wakes), [(-1, 'long ago')], SECONDS))


class Watches(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'watch':
            self.asker = sender
            self.mine, self.other = socket.socketpair()
            self.send(self.myAddress, 'write')
            return ThespianWatch([self.mine])
        if msg == 'write':
            self.other.send(b'data')
            return ThespianWatch([self.mine.fileno()])
        if isinstance(msg, WatchMessage):
            self.send(self.asker, (msg.ready == [self.mine.fileno()], self.mine.recv(10), sender == self.myAddress))


@program('tcp udp')
def watches(asys):
    print(asys.capabilities.get('Thespian Watch Supported'))
    print(asys.ask(asys.createActor(Watches), 'watch', SECONDS))


class Unwatches(Actor):
    """What is returned later counts, also where it is nothing."""
    def receiveMessage(self, msg, sender):
        if msg == 'watch':
            self.read_end, write_end = os.pipe()
            os.write(write_end, b'x')
            self.send(self.myAddress, 'forget')
            return ThespianWatch([self.read_end, 999, -1])
        if isinstance(msg, WatchMessage):
            self.ready = True
        if msg == 'seen?':
            self.send(sender, hasattr(self, 'ready'))


@program('tcp')
def a_watch_that_is_replaced(asys):
    actor = asys.createActor(Unwatches)
    asys.tell(actor, 'watch')
    asys.tell(actor, 'forget')
    print(kind(asys.ask(actor, 'seen?', SECONDS)))


class Dropped(Actor):
    """What it sent itself after the exit request does not come."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker = sender
            self.send(self.myAddress, ActorExitRequest())
            self.send(self.myAddress, 'after')
        elif isinstance(msg, ActorExitRequest):
            self.send(self.asker, 'exiting')
        elif msg == 'after':
            self.send(self.asker, 'not dropped')


@program(ANY)
def nothing_after_the_exit(asys):
    print(asys.ask(asys.createActor(Dropped), 'go', SECONDS), asys.listen(0.7))
