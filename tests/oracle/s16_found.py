# SPDX-License-Identifier: MIT
"""What applications look for from outside."""
import logging
import os
import socket

from thespian.actors import *

from play import ANY, SECONDS, kind, program, raised


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
