# SPDX-License-Identifier: MIT
"""Addresses: equal where they mean the same actor, in messages, in pickles."""
import pickle

from thespian.actors import *

from play import ANY, SECONDS, kind, program, raised


class Self(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'who':
            self.send(sender, self.myAddress)
        elif msg == 'text':
            self.send(sender, (str(self.myAddress).startswith('ActorAddr-'),
                               str(self) == '{A:Self @ %s}' % self.myAddress))
        elif msg == 'pickled':
            self.send(sender, pickle.loads(pickle.dumps(self.myAddress)) == self.myAddress)


@program(ANY)
def same(asys):
    actor, other = asys.createActor(Self), asys.createActor(Self)
    told = asys.ask(actor, 'who', SECONDS)
    print(told == actor, told != actor, told == other, told in [other, actor], raised(hash, told))
    print(asys.ask(actor, 'text', SECONDS), asys.ask(actor, 'pickled', SECONDS))
    print(asys.ask(told, 'who', SECONDS) == actor)
    print(actor == None, actor == 'x', actor != 3)


class Family(Actor):
    """Compares what createActor gave with the sender of what the child sends, and with what a third one saw."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker = sender
            self.child = self.createActor(Self)
            self.send(self.createActor(Third), (self.child, self.myAddress))
            self.send(self.child, 'who')
        elif isinstance(msg, ActorAddress):
            self.send(self.asker, ('child', msg == self.child, sender == self.child))
        elif isinstance(msg, tuple):
            self.send(self.asker, ('third', msg[1] == self.child, msg[0]))


class Third(Actor):
    """Asks an actor that may not be up yet who it is."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.named, self.asker = msg
            self.send(self.named, 'who')
        elif isinstance(msg, ActorAddress):
            self.send(self.asker, (msg == self.named and sender == self.named, self.named))


@program(ANY)
def before_it_is_up(asys):
    """An address may be sent before its actor is there."""
    actor = asys.createActor(Family)
    asys.tell(actor, 'go')
    for answer in sorted(asys.listen(SECONDS) for _ in range(2)):
        print(answer)


class Relay(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(msg[0], msg[1:] if len(msg) > 2 else (msg[1], sender))
        elif isinstance(msg, str):
            self.send(sender, msg)


@program(ANY)
def passed_on(asys):
    """The sender of what a program sends is an address too, to which anybody may answer."""
    first, last = asys.createActor(Relay), asys.createActor(Answers)
    asys.tell(first, (last, 'hello'))
    print(asys.listen(SECONDS))


class Answers(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(msg[1], 'answer to ' + msg[0])


@program(ANY)
def many(asys):
    """All addresses of a system differ."""
    actors = [asys.createActor(Self) for _ in range(6)]
    print(len(set(map(str, actors))), [actors.index(a) for a in actors])
    print(kind(actors[0]) in ('ActorAddress',), isinstance(actors[0], ActorAddress))
