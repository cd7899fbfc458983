# SPDX-License-Identifier: MIT
"""What applications look for from outside."""
import logging
import socket

from thespian.actors import *

from play import SECONDS, kind, program


class Quiet(Actor):
    """Does not understand anything but text."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, msg)


@program('simple tcp udp')
def ask_after_the_end(asys):
    actor = asys.createActor(Quiet)
    asys.shutdown()
    try:
        print(asys.ask(actor, 'there?', 1))
    except Exception as error:
        print('raised')


class Misfit(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            logging.info('no place for it', 30)
            logging.warning('%s and %s', 'one')
            self.send(sender, 'logged')


@program('tcp udp')
def log_arguments_that_do_not_fit(asys):
    actor = asys.createActor(Misfit)
    print(asys.ask(actor, 'go', SECONDS), asys.ask(actor, 'again', SECONDS))


class Confused(Actor):
    """Fails on everything that it does not know, an exit request too."""
    def receiveMessage(self, msg, sender):
        self.send(sender, msg.upper())


@program('tcp udp simple')
def confused_by_the_exit(asys):
    actor = asys.createActor(Confused)
    print(asys.ask(actor, 'text', SECONDS))
    print(asys.ask(actor, ActorExitRequest(), 1))
    print(asys.ask(actor, 'text', 2))


@program('tcp')
def the_port(asys):
    with socket.create_connection(('127.0.0.1', asys.capabilities['Admin Port']), SECONDS):
        print('connected')
    print(asys.ask(asys.createActor(Quiet), 'goes on', SECONDS))


@program('simple')
def modules_of_bases(asys):
    import importlib
    for base in ('multiprocTCPBase', 'multiprocUDPBase', 'multiprocQueueBase', 'simpleSystemBase'):
        print(base, hasattr(importlib.import_module('thespian.system.' + base), 'ActorSystemBase'))
    from thespian.system.logdirector import ThespianLogForwarder
    from thespian.system.timing import currentTime, toTimeDeltaOrNone
    print(kind(currentTime()), toTimeDeltaOrNone(None), toTimeDeltaOrNone(3))


@program('tcp udp simple')
def capability_at_once(asys):
    asys.updateCapability('Colour', 'green')
    print(asys.capabilities.get('Colour'))
