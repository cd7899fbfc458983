# SPDX-License-Identifier: MIT
"""Capabilities, and dead letters."""
from thespian.actors import *

from play import ANY, SECONDS, kind, program, raised


@requireCapability('Fruit')
class NeedsFruit(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, 'here')


@requireCapability('Fruit', 'apple')
@requireCapability('Number')
class NeedsBoth(NeedsFruit):
    pass


@program(ANY)
def required(asys):
    print(raised(asys.createActor, NeedsFruit), raised(asys.createActor, NeedsBoth))
    for given in ({'Fruit': 'apple', 'Number': 1}, {'Fruit': 'pear', 'Number': 1}, {'Fruit': 'apple', 'Number': 0},
                  {'Fruit': None}):
        print(bool(NeedsBoth.actorSystemCapabilityCheck(given, {})), bool(NeedsFruit.actorSystemCapabilityCheck(given, {})))


@program(ANY, Fruit='apple', Number=1)
def required_and_given(asys):
    print(asys.ask(asys.createActor(NeedsBoth), 'there?', SECONDS))


@program(ANY)
def always_there(asys):
    for name in ('Thespian ActorSystem Name', 'Thespian ActorSystem Version', 'Thespian Generation',
                 'Python Version', 'Thespian Version', 'Thespian Watch Supported'):
        print(name, name in asys.capabilities)
    print(asys.capabilities['Thespian ActorSystem Name'], asys.capabilities['Thespian Generation'],
          kind(asys.capabilities['Python Version']), kind(asys.capabilities['Thespian Version']))


@program('tcp')
def set_and_taken_away(asys):
    """An actor whose system no longer fits is gone."""
    print(raised(asys.createActor, NeedsFruit))
    asys.updateCapability('Fruit', 'plum')
    for _ in range(50):
        if raised(asys.createActor, NeedsFruit) == 'nothing':
            break
        asys.listen(0.1)
    actor = asys.createActor(NeedsFruit)
    print(asys.ask(actor, 'there?', SECONDS))
    asys.updateCapability('Fruit')
    print(any(asys.ask(actor, 'there?', 0.5) is None for _ in range(20)))
    print(raised(asys.createActor, NeedsFruit))


class Undertaker(Actor):
    def __init__(self):
        self.letters = []

    def receiveMessage(self, msg, sender):
        if msg == 'handle':
            self.handleDeadLetters(True)
            self.send(sender, 'handling')
        elif msg == 'stop':
            self.handleDeadLetters(False)
            self.send(sender, 'stopped')
        elif isinstance(msg, DeadEnvelope):
            self.letters.append(msg.deadMessage)
        elif msg == 'letters?':
            self.send(sender, self.letters)


class Mortal(Actor):
    def receiveMessage(self, msg, sender):
        pass


def dead_one(asys):
    actor = asys.createActor(Mortal)
    asys.ask(actor, ActorExitRequest(), 1)
    return actor


def letters(asys, actor):
    asys.listen(0.5)
    return asys.ask(actor, 'letters?', SECONDS)


@program('tcp simple')
def dead_letters(asys):
    handler, dead = asys.createActor(Undertaker), dead_one(asys)
    asys.tell(dead, 'before')
    asys.listen(0.3)
    print(asys.ask(handler, 'handle', SECONDS))
    asys.tell(dead, 'letter')
    print(letters(asys, handler))
    print(asys.ask(handler, 'stop', SECONDS))
    asys.tell(dead, 'after')
    print(letters(asys, handler))


@program('tcp simple')
def one_handler(asys):
    """Who comes last handles them; another that stops changes nothing."""
    first, second, dead = asys.createActor(Undertaker), asys.createActor(Undertaker), dead_one(asys)
    asys.ask(first, 'handle', SECONDS)
    asys.ask(second, 'handle', SECONDS)
    asys.listen(0.3)
    asys.tell(dead, 'one')
    asys.listen(1)
    asys.ask(first, 'stop', SECONDS)
    asys.tell(dead, 'two')
    print(letters(asys, first), letters(asys, second))


@program('tcp udp simple')
def asking_the_dead(asys):
    print(asys.ask(dead_one(asys), 'there?', 3))


class Envelope(Actor):
    """Handles the dead letters of an actor of its own."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker, self.child = sender, self.createActor(Mortal)
            self.handleDeadLetters()
            self.send(self.child, ActorExitRequest())
        elif isinstance(msg, ChildActorExited):
            self.send(msg.childAddress, 'late')
        elif isinstance(msg, DeadEnvelope):
            self.send(self.asker, (msg.deadMessage, msg.deadAddress == self.child, sender == self.child))


@program('tcp simple')
def envelopes(asys):
    print(asys.ask(asys.createActor(Envelope), 'go', SECONDS))
