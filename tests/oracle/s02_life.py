# SPDX-License-Identifier: MIT
"""Construction, one message at a time, processes, signals, ends."""
import os
import signal
import sys

from thespian.actors import *

from play import ANY, PROCESSES, SECONDS, kind, program, raised

SHARED = []


class Plain(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, 'got ' + msg)


class TakesCapabilities(Actor):
    def __init__(self, capabilities):
        self.seen = kind(capabilities), 'Thespian Generation' in capabilities

    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, self.seen)


class TakesBoth(TakesCapabilities):
    def __init__(self, requirements, capabilities='none'):
        self.seen = requirements, kind(capabilities)


class TakesOthers(TakesCapabilities):
    def __init__(self, globalName='none', *, capabilities='none', **other):
        self.seen = globalName, capabilities, other


class Needs(TakesCapabilities):
    def __init__(self, something):
        self.seen = something


@program(ANY)
def arguments(asys):
    print(asys.ask(asys.createActor(TakesCapabilities), 'seen?', SECONDS))
    print(asys.ask(asys.createActor(TakesBoth), 'seen?', SECONDS))
    print(asys.ask(asys.createActor(TakesBoth, {'fast': True}), 'seen?', SECONDS))
    print(asys.ask(asys.createActor(TakesOthers, globalName='name'), 'seen?', SECONDS))


class Early(Actor):
    def __init__(self):
        self.seen = [raised(lambda: self.myAddress), raised(self.createActor, Plain), raised(self.wakeupAfter, 1),
                     raised(self.handleDeadLetters), raised(self.send, ActorAddress('x'), 1)]

    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, self.seen)


@program(ANY)
def too_early(asys):
    """In __init__ an actor has no system yet."""
    print(asys.ask(asys.createActor(Early), 'seen?', SECONDS))


class Returning(Actor):
    count = 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            self.count += msg
            return self.count
        if isinstance(msg, str):
            self.send(sender, self.count)


@program(ANY)
def returned_values(asys):
    actor = asys.createActor(Returning)
    asys.tell(actor, 3)
    asys.tell(actor, 4)
    print(asys.ask(actor, 'sum?', SECONDS), asys.listen(0.2))


class Silent(Actor):
    pass


@program(ANY)
def base_class(asys):
    """An actor that does not say what it does with messages cannot take one."""
    answer = asys.ask(asys.createActor(Silent), 'hello', SECONDS)
    print(kind(answer), answer.poisonMessage)


class Sharing(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            SHARED.append(msg)
        elif isinstance(msg, str):
            self.send(sender, list(SHARED))


@program(ANY)
def globals_of_modules(asys):
    a, b = asys.createActor(Sharing), asys.createActor(Sharing)
    asys.tell(a, 1)
    asys.tell(b, 2)
    print(asys.ask(a, 'seen?', SECONDS), asys.ask(b, 'seen?', SECONDS), SHARED)


class Process(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, getattr(os, msg)())


@program(PROCESSES)
def processes(asys):
    pids = [asys.ask(asys.createActor(Process), 'getpid', SECONDS) for _ in range(3)] + [os.getpid()]
    print(len(set(pids)))
    print(asys.ask(asys.createActor(Process), 'getcwd', SECONDS) == os.getcwd())


class Parent(Actor):
    """Makes a child that is told how to end, and tells who asked what it hears of it."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker = sender
            self.child = self.createActor(Ending)
            self.send(self.child, msg)
        elif isinstance(msg, ChildActorExited):
            self.send(self.asker, (kind(msg), msg.childAddress == self.child))
        elif isinstance(msg, PoisonMessage):
            self.send(self.asker, kind(msg))


class Ending(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            {'exit': lambda: sys.exit(3), 'kill': lambda: os.kill(os.getpid(), msg[1]), 'ask': lambda:
             self.send(self.myAddress, ActorExitRequest())}[msg[0]]()


def how_it_ends(asys, *how):
    print(*how[:1], asys.ask(asys.createActor(Parent), how, SECONDS))


@program(PROCESSES)
def ends(asys):
    how_it_ends(asys, 'exit')
    how_it_ends(asys, 'kill', signal.SIGKILL)
    how_it_ends(asys, 'kill', signal.SIGTERM)


@program(ANY)
def asked_to_end(asys):
    how_it_ends(asys, 'ask')


class Signalled(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR2):
                os.kill(os.getpid(), number)
            self.send(sender, 'alive')


@program('tcp udp')
def ignored_signals(asys):
    actor = asys.createActor(Signalled)
    print(asys.ask(actor, 'go', SECONDS), asys.ask(actor, 'once more', SECONDS))


class Terminated(Actor):
    """SIGTERM is an exit request, which the actor hears of."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.asker = sender
            os.kill(os.getpid(), signal.SIGTERM)
        elif isinstance(msg, ActorExitRequest):
            self.send(self.asker, (kind(msg), sender == self.myAddress))


@program('tcp udp')
def sigterm(asys):
    print(asys.ask(asys.createActor(Terminated), 'go', SECONDS))


class Broken(Actor):
    def __init__(self):
        raise ValueError('never made')


@program('tcp udp')
def failed_construction(asys):
    actor = asys.createActor(Broken)
    print(kind(actor), asys.ask(actor, 'there?', 2), raised(asys.createActor, Needs))
