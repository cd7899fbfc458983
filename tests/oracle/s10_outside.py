# SPDX-License-Identifier: MIT
"""The actor system as a program sees it."""
import threading
import time
from datetime import timedelta

from thespian.actors import *

from play import ANY, PROCESSES, SECONDS, kind, program, raised


class Echo(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'after':
            self.asker = sender
            self.wakeupAfter(msg[1], msg[2])
        elif isinstance(msg, WakeupMessage):
            self.send(self.asker, msg.payload)
        elif isinstance(msg, tuple):
            for item in msg:
                self.send(sender, item)
        elif not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


@program(ANY)
def ask_tell_listen(asys):
    actor = asys.createActor(Echo)
    print(asys.tell(actor, 'told'), asys.listen(SECONDS), asys.listen(0.1))
    print(asys.ask(actor, ('a', 'b', 'c'), SECONDS), asys.listen(SECONDS), asys.listen(timedelta(seconds=SECONDS)))
    print(asys.ask(actor, 'last', timedelta(seconds=SECONDS)), asys.ask(actor, 0, SECONDS))


@program(ANY)
def time_is_over(asys):
    """An answer that comes too late is there for the next call."""
    actor = asys.createActor(Echo)
    print(asys.ask(actor, ('after', 0.5, 'late'), 0.05))
    print(asys.listen(SECONDS))


@program(PROCESSES)
def no_time_at_all(asys):
    actor = asys.createActor(Echo)
    print(asys.ask(actor, 'first', 0), asys.listen(SECONDS))


@program(ANY)
def no_addresses(asys):
    print([raised(asys.tell, bad, 1) for bad in (None, 'x', 3)], [raised(asys.ask, bad, 1, 1) for bad in (None, 'x')])


@program('tcp udp')
def private_contexts(asys):
    """Answers go to who asked."""
    actor = asys.createActor(Echo)
    with asys.private() as one, asys.private() as two:
        one.tell(actor, 'for one')
        two.tell(actor, 'for two')
        asys.tell(actor, 'for all')
        print(two.listen(SECONDS), one.listen(SECONDS), asys.listen(SECONDS), one.listen(0.1))
        print([raised(getattr, one, name) for name in ('createActor', 'tell', 'ask', 'listen', 'updateCapability',
                                                       'loadActorSource', 'unloadActorSource')])
        print(one.ask(two.createActor(Echo), 'made by two', SECONDS))


@program('tcp udp')
def threads(asys):
    actor, answers = asys.createActor(Echo), []

    def talk(n):
        with asys.private() as mine:
            answers.append(all(mine.ask(actor, (n, k)[1] * 100 + n, SECONDS) == k * 100 + n for k in range(20)))

    running = [threading.Thread(target=talk, args=(n,)) for n in range(5)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print(answers)


@program(ANY)
def one_of_a_kind(asys):
    first, second = asys.createActor(Echo), ActorSystem().createActor(Echo, globalName='second')
    print(ActorSystem().ask(first, 'the same', SECONDS), asys.createActor(Echo, globalName='second') == second)


@program('tcp udp')
def again_after_the_end(asys):
    base, port = asys.capabilities['Thespian ActorSystem Name'], asys.capabilities['Admin Port']
    asys.createActor(Echo)
    asys.shutdown()
    fresh = ActorSystem(base, {'Admin Port': port})
    print(fresh.ask(fresh.createActor(Echo), 'fresh', SECONDS))


@program('tcp udp simple')
def after_the_end(asys):
    actor = asys.createActor(Echo)
    asys.shutdown()
    print(raised(asys.createActor, Echo) != 'nothing')


@program('simple')
def unknown_base(asys):
    print(raised(ActorSystem, 'noSuchBase', transientUnique=True) in ('ImportError', 'ModuleNotFoundError'))


class Ender(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'end':
            self.actorSystemShutdown()
            self.send(sender, 'ending')


@program('tcp udp')
def ended_from_inside(asys):
    print(asys.ask(asys.createActor(Ender), 'end', SECONDS))


@program('tcp udp')
def status(asys):
    from thespian.system.messages.status import Thespian_ActorStatus, Thespian_StatusReq, formatStatus
    actor = asys.createActor(Echo)
    answer = asys.ask(actor, Thespian_StatusReq(), SECONDS)
    print(kind(answer), isinstance(answer, Thespian_ActorStatus), answer.actorAddress == actor)
    print('Echo' in str(answer.actorClass), answer.childActors, answer.sourceHash, bool(answer.exiting))


class Asks(Actor):
    """A wakeup comes only between messages."""
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker, self.seen = sender, []
            self.wakeupAfter(0.05, 'wakeup')
            time.sleep(0.3)
            self.seen.append('done')
        elif isinstance(msg, WakeupMessage):
            self.send(self.asker, self.seen + [msg.payload])


@program(PROCESSES)
def one_at_a_time(asys):
    print(asys.ask(asys.createActor(Asks), 'go', SECONDS))
