# SPDX-License-Identifier: MIT
"""Programs without a base: the actors live in the program."""
import os
import threading
import types
from unittest import mock

from thespian.actors import *

from play import SECONDS, program

SEEN = []


class Same(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            SEEN.append(msg)
            self.send(sender, msg)


@program('simple')
def the_very_objects(asys):
    actor = asys.createActor(Same)
    for thing in (threading.Lock(), lambda: 7, (n for n in [1]), object(), [1]):
        print(asys.ask(actor, thing, SECONDS) is thing, SEEN.pop() is thing)


@program('simple')
def classes_of_anywhere(asys):
    class Local(Actor):
        def receiveMessage(self, msg, sender):
            if isinstance(msg, str):
                self.send(sender, 'local ' + msg)

    print(asys.ask(asys.createActor(Local), 'class', SECONDS))
    module = types.ModuleType('made_now')
    exec('from thespian.actors import *\nclass Made(Actor):\n    def receiveMessage(self, m, s):\n'
         '        if isinstance(m, str): self.send(s, "made " + m)\n', module.__dict__)
    print(asys.ask(asys.createActor(module.Made), 'now', SECONDS))


class Reads(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'pid':
            self.send(sender, os.getpid())
        elif msg == 'input':
            self.send(sender, input('? '))


@program('simple')
def in_the_program(asys):
    actor = asys.createActor(Reads)
    print(asys.ask(actor, 'pid', SECONDS) == os.getpid())
    with mock.patch('builtins.input', return_value='patched'):
        print(asys.ask(actor, 'input', SECONDS))


class Uses(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.send(sender, ActorSystem().createActor(Reads, globalName='known'))


@program('simple')
def the_system_in_an_actor(asys):
    made = asys.ask(asys.createActor(Uses), 'go', SECONDS)
    print(asys.createActor(Reads, globalName='known') == made, asys.ask(made, 'pid', SECONDS) == os.getpid())


class Later(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'go':
            self.asker = sender
            self.wakeupAfter(0.1, 'now')
        elif isinstance(msg, WakeupMessage):
            self.send(self.asker, msg.payload)


@program('simple')
def nothing_to_come(asys):
    print(asys.listen(0.1))
    actor = asys.createActor(Later)
    print(asys.ask(actor, 'go', 0), asys.listen(SECONDS))


class Chatty(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            SEEN.append(msg)
            if msg:
                self.send(self.myAddress, msg - 1)


@program('simple')
def tell_runs_the_queue(asys):
    asys.tell(asys.createActor(Chatty), 5)
    print(SEEN)


@program('simple')
def other_capabilities_later(asys):
    again = ActorSystem('simpleSystemBase', {'Later': 1})
    print('Later' in again.capabilities, ActorSystem().capabilities.get('Later'))
