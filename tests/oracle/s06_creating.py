# SPDX-License-Identifier: MIT
"""Creating actors: by class and by name, what cannot be made, global names, parents."""
from thespian.actors import *

from play import ANY, SECONDS, program, raised


class Known(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, 'known')


class Picky(Known):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        return capabilities.get('Colour') == 'red' or (requirements or {}).get('any', False)


class Raises(Known):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        raise ValueError('no check')


class Broken(Actor):
    def __init__(self):
        raise ValueError('never made')


@program(ANY)
def from_outside(asys):
    for wanted in ('s06_creating.Known', 'no_such_module.Known', 's06_creating.Unknown', 'Known', Picky, Raises):
        print(wanted if isinstance(wanted, str) else wanted.__name__, raised(asys.createActor, wanted))
    print(raised(asys.createActor, Picky, {'any': True}))
    print(raised(asys.createActor, Known, sourceHash='0' * 32))


@program('tcp udp queue', Colour='red')
def capabilities_given(asys):
    print(raised(asys.createActor, Picky), asys.capabilities.get('Colour'))


class Maker(Actor):
    """Makes what it is told, and says what it hears of it: each thing once."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker = sender
            self.heard = []
            self.child = self.createActor(*msg)
            self.send(self.child, 'hello')
        elif isinstance(msg, ChildActorExited):
            self.say('exited', msg.childAddress == self.child)
        elif isinstance(msg, PoisonMessage):
            self.say('poison', msg.poisonMessage, msg.details)
        elif isinstance(msg, str):
            self.say('answer', msg)

    def say(self, *what):
        if what not in self.heard:
            self.heard.append(what)
            self.send(self.asker, what)


def heard(asys, *what):
    answers = [asys.ask(asys.createActor(Maker), what, SECONDS)]
    answers += iter(lambda: asys.listen(0.4), None)
    print(what[0], sorted(map(str, answers)))


@program('tcp udp queue')
def from_inside(asys):
    heard(asys, 's06_creating.Known')
    heard(asys, 'no_such_module.Known')
    heard(asys, 's06_creating.Picky')
    heard(asys, 's06_creating.Picky', {'any': True})


@program('tcp udp')
def nothing_of_that_name(asys):
    heard(asys, 's06_creating.Unknown')


@program('tcp udp')
def failing_child(asys):
    heard(asys, 's06_creating.Broken')


@program(ANY)
def global_names(asys):
    first = asys.createActor(Known, globalName='one')
    print(asys.createActor(Known, globalName='one') == first)
    print(asys.createActor(Known, globalName='two') == first)
    print(asys.createActor('no_such_module.Nothing', globalName='one') == first)
    print(asys.ask(first, 'there?', SECONDS))


class Namer(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, self.createActor(Known, globalName=msg))


@program(ANY)
def global_names_from_inside(asys):
    """Each that creates a name gets the same actor, which does not end with who made it."""
    a, b = asys.createActor(Namer), asys.createActor(Namer)
    first = asys.ask(a, 'shared', SECONDS)
    print(asys.ask(b, 'shared', SECONDS) == first, asys.createActor(Known, globalName='shared') == first)
    asys.ask(a, ActorExitRequest(), 0.5)
    print(asys.ask(first, 'there?', SECONDS))


@program(ANY)
def free_again(asys):
    first = asys.createActor(Known, globalName='name')
    asys.ask(first, ActorExitRequest(), 1)
    second = asys.createActor(Known, globalName='name')
    print(asys.ask(second, 'there?', SECONDS))


class Chain(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            left, asker = msg
            if left:
                self.send(self.createActor(Chain), (left - 1, asker or sender))
            else:
                self.send(asker, 'end of the chain')


@program(ANY)
def chain(asys):
    print(asys.ask(asys.createActor(Chain), (5, None), SECONDS))


class Host:
    class Nested(Known):
        pass


@program('tcp udp')
def nested_class(asys):
    print(raised(asys.createActor, Host.Nested))
