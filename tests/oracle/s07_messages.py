# SPDX-License-Identifier: MIT
"""Messages: order, copies, sizes, what does not pass, poison."""
import threading

from thespian.actors import *

from play import ANY, PROCESSES, SECONDS, kind, program, raised


class Counter(Actor):
    def __init__(self):
        self.seen = []

    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            self.seen.append(msg)
        elif isinstance(msg, str):
            self.send(sender, (len(self.seen), self.seen == sorted(self.seen)))


class Sender(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            target, count = msg
            for n in range(count):
                self.send(target, n)
            self.send(sender, 'sent')


@program(ANY)
def order(asys):
    counter = asys.createActor(Counter)
    for n in range(300):
        asys.tell(counter, n)
    print(asys.ask(counter, 'seen?', SECONDS))


class Family(Actor):
    """Sends before its child can be up."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker, child = sender, self.createActor(Counter)
            for n in range(200):
                self.send(child, n)
            self.send(child, 'seen?')
        elif isinstance(msg, tuple):
            self.send(self.asker, msg)


@program(ANY)
def order_before_it_is_up(asys):
    print(asys.ask(asys.createActor(Family), 'go', SECONDS))


class Box:
    def __init__(self, value):
        self.value = value


class Changer(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, Box):
            msg.value.append('changed')
            self.send(sender, msg)
        elif isinstance(msg, (bytes, list)):
            self.send(sender, msg)


@program(PROCESSES)
def copies(asys):
    box = Box(['mine'])
    answer = asys.ask(asys.createActor(Changer), box, SECONDS)
    print(box.value, answer.value, kind(answer))


@program(ANY)
def sizes(asys):
    actor = asys.createActor(Changer)
    for size in (0, 1, 32000):
        print(size, asys.ask(actor, b'x' * size, SECONDS) == b'x' * size)


@program('tcp queue simple')
def large(asys):
    actor = asys.createActor(Changer)
    for size in (65535, 65536, 1000000):
        print(size, asys.ask(actor, b'x' * size, SECONDS) == b'x' * size)
    print(len(asys.ask(actor, list(range(100000)), SECONDS)))


class Poisoned(Actor):
    """Sends itself what cannot be sent, and says what comes back."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorAddress):
            self.asker, self.target = sender, msg
            self.send(msg, threading.Lock())
        elif isinstance(msg, PoisonMessage):
            self.send(self.asker, (kind(msg.poisonMessage), kind(msg.details), sender == self.target))


@program(PROCESSES)
def unpicklable(asys):
    actor = asys.createActor(Changer)
    print(asys.ask(asys.createActor(Poisoned), actor, SECONDS))
    print(raised(asys.tell, actor, threading.Lock()) in ('TypeError', 'PicklingError'))


class Own(ActorSystemMessage):
    pass


class Systematic(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, Own):
            self.send(sender, 'own')
        elif isinstance(msg, str):
            self.send(sender, {'own': Own(), 'poison': PoisonMessage('inside'), 'wakeup': WakeupMessage(1),
                               'poisoned': PoisonMessage(Own())}[msg])
            self.send(sender, 'and then')


@program(ANY)
def messages_of_the_system(asys):
    """Of those, a program is told only some."""
    actor = asys.createActor(Systematic)
    print(asys.ask(actor, Own(), SECONDS))
    for what in ('own', 'poison', 'wakeup', 'poisoned'):
        answers = [asys.ask(actor, what, SECONDS)] + list(iter(lambda: asys.listen(0.3), None))
        print(what, [a if isinstance(a, str) else kind(a) for a in answers])


class ToItself(Actor):
    def __init__(self):
        self.seen = []

    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker = sender
            self.send(self.myAddress, 'later')
            self.seen.append('first')
        elif msg == 'later':
            self.seen.append('second')
            self.send(self.asker, (self.seen, sender == self.myAddress))


@program(ANY)
def to_itself(asys):
    print(asys.ask(asys.createActor(ToItself), 'go', SECONDS))


class Fails(Actor):
    tries = 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, list):
            self.tries += 1
            msg.append(self.tries)
            if self.tries < msg[0]:
                raise ValueError('attempt %d' % self.tries)
            self.send(sender, msg)
        elif isinstance(msg, str):
            self.send(sender, self.tries)


@program(ANY)
def one_retry(asys):
    """What raises is tried once more, with what the first attempt made of the message; then it is poison."""
    actor = asys.createActor(Fails)
    print(asys.ask(actor, [2], SECONDS))
    print(asys.ask(actor, 'tries?', SECONDS))
    poison = asys.ask(asys.createActor(Fails), [9], SECONDS)
    print(kind(poison), poison.poisonMessage, poison.details.startswith('Traceback'),
          poison.details.strip().endswith('ValueError: attempt 2'))
    print(asys.ask(actor, 'tries?', SECONDS))


class Asks(Actor):
    """Is poisoned by its child."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker, self.child = sender, self.createActor(Fails)
            self.send(self.child, [9])
        elif isinstance(msg, PoisonMessage):
            self.send(self.asker, (msg.poisonMessage, sender == self.child))


@program(ANY)
def poison_inside(asys):
    print(asys.ask(asys.createActor(Asks), 'go', SECONDS))


class Sour(Actor):
    count = 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.count += 1
            raise ValueError('not that')
        if isinstance(msg, str):
            self.send(sender, self.count)


@program(ANY)
def poison_is_not_answered(asys):
    actor = asys.createActor(Sour)
    asys.tell(actor, PoisonMessage('x'))
    print(asys.listen(0.5), asys.ask(actor, 'count?', SECONDS))
