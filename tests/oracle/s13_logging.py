# SPDX-License-Identifier: MIT
"""Logging, and the decorators and helpers: troupes, transient actors, initializing messages, RunCommand."""
import logging
import os
import sys
import time
from datetime import timedelta

from thespian.actors import *
from thespian.initmsgs import initializing_messages
from thespian.runcommand import Command, CommandResult, RunCommand
from thespian.transient import transient, transient_idle
from thespian.troupe import UpdateTroupeSettings, troupe

from play import SECONDS, kind, program


class OfActors(logging.Filter):
    def filter(self, record):
        return 'actorAddress' in record.__dict__


def log_file():
    return os.path.join(os.environ['TDS_PLAY_FOLDER'], 'log')


def log_defs(level='INFO'):
    return {'version': 1, 'formatters': {'plain': {'format': '%(levelname)s %(name)s %(message)s'}},
            'filters': {'actors': {'()': OfActors}},
            'handlers': {'file': {'class': 'logging.FileHandler', 'filename': log_file(), 'formatter': 'plain',
                                  'filters': ['actors'], 'level': level}},
            'loggers': {'': {'handlers': ['file'], 'level': level}}}


def warnings_only():
    return log_defs('WARNING')


class Logs(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            logging.getLogger('its.name').debug('debug')
            logging.getLogger('its.name').info('info %s of %d', msg, 7)
            self.logger('own').warning('warning')
            try:
                1 / 0
            except ZeroDivisionError:
                logging.getLogger('its.name').exception('failed')
            self.send(sender, logging.getLogger().level)


def logged(asys, count):
    """The lines of the log without tracebacks, once there are so many."""
    end = time.monotonic() + SECONDS
    while True:
        text = open(log_file()).read() if os.path.exists(log_file()) else ''
        lines = [x for x in text.splitlines() if x.startswith(('DEBUG', 'INFO', 'WARNING', 'ERROR')) and
                 ('its.name' in x or 'own' in x)]
        if len(lines) >= count or time.monotonic() > end:
            return lines
        asys.listen(0.1)


@program('tcp udp', log_defs=log_defs)
def log_lines(asys):
    print(asys.ask(asys.createActor(Logs), 'here', SECONDS))
    for line in logged(asys, 3):
        print(line)


@program('tcp udp', log_defs=warnings_only)
def log_threshold(asys):
    print(asys.ask(asys.createActor(Logs), 'here', SECONDS))
    for line in logged(asys, 2):
        print(line)


@troupe(max_count=4, idle_count=2)
class Worker(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            time.sleep(0.05)
            self.send(sender, msg * msg)


@program('tcp udp simple')
def a_troupe(asys):
    actor = asys.createActor(Worker)
    for n in range(1, 9):
        asys.tell(actor, n)
    print(sorted(asys.listen(SECONDS) for _ in range(8)))
    print(asys.ask(actor, 'troupe:set_max_count=3', SECONDS))
    answer = asys.ask(actor, UpdateTroupeSettings(5, 1), SECONDS)
    print(kind(answer), answer.max_count, answer.idle_count)


@transient(timedelta(seconds=0.3))
class Short(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            self.send(sender, msg)


@transient_idle(timedelta(seconds=0.5))
class Idle(Short):
    pass


def lives(asys, actor):
    return asys.ask(actor, 'there?', 1)


@program('tcp udp')
def transient_actors(asys):
    for cls in (Short, Idle):
        actor = asys.createActor(cls)
        print(cls.__name__, lives(asys, actor))
        time.sleep(1.5)
        print(lives(asys, actor))


class Name:
    def __init__(self, name):
        self.name = name


@initializing_messages([('name', Name), ('number', int, True)], initdone='ready')
class Initialized(ActorTypeDispatcher):
    def ready(self):
        self.is_ready = True

    def receiveMsg_str(self, msg, sender):
        self.send(sender, (msg, self.name.name, self.number, self.is_ready))


@program('tcp udp simple')
def initialized(asys):
    actor = asys.createActor(Initialized)
    asys.tell(actor, 'first')
    asys.tell(actor, 7)
    print(asys.listen(0.3))
    asys.tell(actor, Name('given'))
    print(asys.listen(SECONDS))
    print(asys.ask(actor, 'second', SECONDS))


@program('tcp udp')
def commands(asys):
    actor = asys.createActor(RunCommand)
    for command in (Command(sys.executable, ['-c', 'print(3)']), Command('/bin/sh', ['-c', 'echo out; echo err >&2; exit 4']),
                    Command('/bin/cat', [], input_src='from here'), Command('/no/such/program', [])):
        result = asys.ask(actor, command, SECONDS)
        print(kind(result), bool(result), result.exitcode if result.exitcode in (0, 4) else 'other',
              result.stdout if result.exitcode in (0, 4) else '')


@program('tcp udp')
def command_that_takes_too_long(asys):
    result = asys.ask(asys.createActor(RunCommand), Command('/bin/sleep', ['30'], timeout=0.5), SECONDS)
    print(kind(result), bool(result), result.duration < timedelta(seconds=10))
