#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The helpers for actors in a package that is loaded, and the package's data files and sources.

Prints TAP. What each helper does in detail is tested in tests/host/.
"""
from adminlib import run_cases, until
from tap import ok

ACTORS = r'''
import inspect, os, pkgutil, traceback
from datetime import timedelta
from thespian.actors import *
from thespian.initmsgs import initializing_messages
from thespian.runcommand import Command, CommandResult
from thespian.transient import transient, transient_idle
from thespian.troupe import troupe


class Echo(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, (os.getpid(), msg))


@troupe(max_count=2)
class Hive(Echo):
    pass


class Maker(ActorTypeDispatcher):
    """Makes an actor for each request; answers what happens to it."""
    def receiveMsg_tuple(self, msg, sender):
        self.asker, (what, *messages) = sender, msg
        child = self.createActor(__name__ + '.' + what)
        for message in messages:
            self.send(child, message)
        self.got = []
    def receiveMsg_list(self, msg, sender):
        """A command, for a RunCommand that is named as a class of a module outside of the package."""
        import thespian.runcommand
        self.asker = sender
        self.send(self.createActor(thespian.runcommand.RunCommand), Command(*msg, logtag='tag'))
    def receiveMsg_CommandResult(self, msg, sender):
        self.send(self.asker, (bool(msg), msg.exitcode, msg.stdout, msg.stderr))
    def receiveMsg_ChildActorExited(self, msg, sender):
        self.send(self.asker, self.got + ['exited'])
    def receiveMsg_object(self, msg, sender):
        self.got.append(msg)
        if msg == 'done':
            self.send(self.asker, self.got)


class Answers(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


@transient(timedelta(milliseconds=20))
class Short(Answers):
    pass


@transient_idle(0.02)
class Idle(Answers):
    pass


@initializing_messages([('number', int, True), ('text', str)], 'ready')
class Init(Answers):
    def ready(self):
        self.send(self.number_sender, '%d %s' % (self.number, self.text))


class Files(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorSystemMessage):
            return
        try:
            raise ValueError('here')  # the line
        except ValueError:
            text = traceback.format_exc()
        self.send(sender, (pkgutil.get_data('m', 'data.txt'), '# the line' in text,
                           inspect.getsource(Hive).splitlines()[0]))
'''


def helpers(a):
    a.tli('lib', {'Actors': {'m.a.' + name: {'OnLoad': {'Role': name.lower()}} for name in ('Hive', 'Maker')}})
    a.pack('lib', 1, ACTORS)
    b = a.load('lib')
    ok(b.status == 0, 'a package that uses every helper loads', b)

    answers = [a.asked('hive', n) for n in range(3)]
    ok([n for _, n in answers] == [0, 1, 2], 'a troupe answers as one actor', answers)
    until('one worker is idle', lambda: ' idle], Pending=0' in a.asked('hive', 'troupe:status?'))
    b = a.asked('hive', 'troupe:set_max_count=5')
    ok(b == 'Set troupe max_count to 5', 'it can be told how large it may be', b)

    for name in 'Short', 'Idle':
        b = a.asked('maker', (name, 1))
        ok(b == [1, 'exited'], 'a transient actor exits by itself: %s' % name, b)
    b = a.asked('maker', ('Init', 'before', {'kept'}, 3, 'done'))
    ok(b == ['3 before', {'kept'}, 'done'], 'messages wait until those that initialize have come', b)

    b = a.asked('maker', ['cat', ['/nonexistent/file']])
    ok(b and b[:3] == (False, 1, '') and 'nonexistent' in b[3], 'a command fails', b)
    b = a.asked('maker', ['printf', ['%s-%s', 'a', 'b']])
    ok(b == (True, 0, 'a-b', ''), 'a command runs', b)
    b = a.admin('log')
    ok('tag ERR> ' in b.out or 'tag ERR> ' in b.err, 'what it printed on standard error is in the log', b)


def files(a):
    a.tli('lib', {'Actors': {'m.a.Files': {'OnLoad': {'Role': 'files'}}}})
    src = a.base / 'src'
    (src / 'm').mkdir(parents=True)
    for name, text in (('__init__.py', ''), ('a.py', ACTORS), ('data.txt', 'data')):
        (src / 'm' / name).write_text(text)
    a.must(a.run('tds-gensrc', '-q', 'lib', a.key, src, '--release=1', 'm/*'))
    a.must(a.load('lib'))
    b = a.asked('files', 1)
    ok(b == (b'data', True, '@troupe(max_count=2)'), 'data files and sources of a package can be read', b)


if __name__ == '__main__':
    run_cases(helpers, files)
