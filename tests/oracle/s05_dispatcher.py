# SPDX-License-Identifier: MIT
"""Methods of actors, and the dispatcher by types."""
from thespian.actors import *

from play import ANY, SECONDS, kind, program, raised


class Methods(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'addresses':
            self.send(sender, [raised(self.send, bad, 1) for bad in (None, 'ActorAddr-x', 7)])
        elif msg == 'text':
            try:
                self.send('nobody', 1)
            except InvalidActorAddress as error:
                self.send(sender, str(error))
        elif msg == 'name':
            self.send(sender, self.globalName or 'none')
        elif msg == 'returns':
            self.send(sender, [self.send(sender, 'first'), self.wakeupAfter(1000), self.handleDeadLetters(False),
                               self.notifyOnSystemRegistrationChanges(False)])
        elif msg == 'times':
            self.send(sender, [raised(self.wakeupAfter, bad) for bad in ('1', [], None)])


@program(ANY)
def methods(asys):
    actor = asys.createActor(Methods)
    print(asys.ask(actor, 'addresses', SECONDS))
    print(asys.ask(actor, 'text', SECONDS))
    print(asys.ask(actor, 'name', SECONDS), asys.ask(asys.createActor(Methods, globalName='its name'), 'name', SECONDS))
    print(asys.ask(actor, 'returns', SECONDS), asys.listen(SECONDS))


@program('tcp udp queue')
def wrong_times(asys):
    print(asys.ask(asys.createActor(Methods), 'times', SECONDS))


class Thing:
    pass


class Special(Thing):
    pass


class Types(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, 'str ' + msg)

    def receiveMsg_int(self, msg, sender):
        self.send(sender, 'int %r' % msg)

    def receiveMsg_NoneType(self, msg, sender):
        self.send(sender, 'none')

    def receiveMsg_Thing(self, msg, sender):
        self.send(sender, 'thing ' + kind(msg))

    def receiveMsg_dict(self, msg, sender):
        return self.SUPER

    def receiveMsg_object(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, 'object ' + kind(msg))


@program(ANY)
def types(asys):
    actor = asys.createActor(Types)
    for message in ('text', 3, True, None, Thing(), Special(), {}, [1], (2,), 1.5):
        print(asys.ask(actor, message, SECONDS))


class Grand(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, 'grand ' + msg)
        return self.SUPER

    def receiveUnrecognizedMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, 'unrecognized ' + kind(msg))


class Middle(Grand):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, 'middle ' + msg)
        return self.SUPER


class Lowest(Middle):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, 'lowest ' + msg)
        return self.SUPER if msg == 'up' else None


class Inherits(Middle):
    pass


def all_of(asys, actor, message):
    print(asys.ask(actor, message, SECONDS))
    for answer in iter(lambda: asys.listen(0.5), None):
        print(answer)


@program(ANY)
def super_of_each_level(asys):
    actor = asys.createActor(Lowest)
    all_of(asys, actor, 'up')
    all_of(asys, actor, 'stay')
    all_of(asys, actor, 3)


@program(ANY)
def super_where_it_is_inherited(asys):
    """A handler is called once for each class that has it, inherited or not."""
    all_of(asys, asys.createActor(Inherits), 'up')


class Mixin:
    def receiveMsg_str(self, msg, sender):
        self.send(sender, 'mixin ' + msg)
        return ActorTypeDispatcher.SUPER


class Both(Mixin, Middle):
    pass


@program(ANY)
def mixed_in(asys):
    all_of(asys, asys.createActor(Both), 'up')


class Returns(ActorTypeDispatcher):
    def receiveMsg_str(self, msg, sender):
        self.send(sender, self.receiveMessage(3, sender))

    def receiveMsg_int(self, msg, sender):
        return 'handled'


@program(ANY)
def what_the_dispatcher_returns(asys):
    print(asys.ask(asys.createActor(Returns), 'go', SECONDS))
