#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Actors whose handlers are coroutines, in the admin process: tdsasync as the host has it and as a package carries it,
what the admin is told of their messages, and how their loop takes turns with what else a host does.

What they do is the same on Thespian: tests/oracle/s18_async.py. Prints TAP; each case has an admin of its own.
"""
import subprocess
import sys

from adminlib import SCALE, run_cases
from tap import HOST, ROOT, ok

SOURCE = r'''
import asyncio, os, socket, sys
from thespian.actors import *


def note(*what):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(repr((VERSION,) + what).encode(), os.environ['TDS_TEST_NOTES'])


class A(AsyncActor):
    count = 0

    async def receiveMessage(self, message, sender):
        if message == 'load':
            await asyncio.sleep(0.2)
            note('loaded')
        elif message == 'fail':
            await asyncio.sleep(0.01)
            raise ValueError('told to fail')
        elif message == 'where':
            self.send(sender, AsyncActor.__module__)
        elif message == 'wait':
            self.waiting = asyncio.ensure_future(asyncio.sleep(1000))
            self.send(sender, 'waiting')
        elif message == 'status':
            status = await self.ask(self.createActor(Looks), self.myAddress, 20)
            self.send(sender, status)
        elif isinstance(message, tuple):
            self.asker, self.wanted = sender, message[1]
            self.send(self.createActor(Talks), (self.myAddress, message[1]))
        elif isinstance(message, int):
            self.count += message == self.count
            await asyncio.sleep(0)
            if self.count == self.wanted:
                self.send(self.asker, self.count)


class Looks(Actor):
    """Says how many wakeups another one waits for."""
    def receiveMessage(self, message, sender):
        if isinstance(message, ActorAddress):
            self.asker = sender
            self.send(message, Thespian_StatusReq())
        elif isinstance(message, Thespian_ActorStatus):
            self.send(self.asker, len(message.pendingWakeups))


class Talks(Actor):
    def receiveMessage(self, message, sender):
        if isinstance(message, tuple):
            for n in range(message[1]):
                self.send(message[0], n)
'''
FROM_HOST = 'from tdsasync import AsyncActor\n'
FROM_PACKAGE = 'from m.tdsasync import AsyncActor\n'


def declared(message):
    return {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': message}}}}


def carried(a):
    """The host has it; a package may carry its own."""
    a.start()
    for number, head, more, where in ((1, FROM_HOST, {}, 'tdsasync'),
                                      (2, FROM_PACKAGE, {'tdsasync': (HOST / 'tdsasync.py').read_text()}, 'm.tdsasync')):
        path, = a.group('foo', [number], declared('load'), source=SOURCE, head=head, **more)
        a.must(a.load('foo'))
        got = a.asked('foo', 'where')
        ok(got and got[got.find('}}') + 2 if '}}' in got else 0:] == where and ('}}' in got) == (number == 2),
           'tdsasync of %s' % ('the package' if more else 'the host'), got)
        path.unlink()


def packed_as_a_dependency(a):
    """As tdsasync(7) says: the folder of the host is on the search path of gensrc, and a list names the module."""
    src = a.base / 'src'
    src.mkdir()
    (src / 'a.py').write_text("VERSION = '1'\n" + FROM_HOST + SOURCE)
    (src / 'deps').write_text('tdsasync\n')
    a.tli('foo', {'Actors': {'a.A': {'OnLoad': {'Role': 'foo'}}}})
    folder = a.must(a.admin('config', '--python-path')).out.strip()
    a.must(a.run('tds-gensrc', '-q', 'foo', a.key, src, '--deps=%s' % (src / 'deps'), '*.py', env={'PYTHONPATH': folder}))
    a.start()
    a.must(a.load('foo'))
    got = a.asked('foo', 'where')
    ok(got and got.endswith('}}tdsasync'), 'a package that was made with deps: carries it', got)


def taken(a):
    """A message of the declaration is taken when its coroutine has ended, and fails when that does."""
    a.group('foo', [1], declared('load'), source=SOURCE, head=FROM_HOST)
    a.start()
    a.must(a.load('foo'))
    ok(a.notes.take() == [('1', 'loaded')], 'the load has waited for the handler')
    a.group('foo', [2], declared('fail'), source=SOURCE, head=FROM_HOST)
    answer = a.load('foo')
    ok(answer.status == 1 and 'ValueError: told to fail' in answer.err, 'a coroutine that fails undoes the load', answer)
    ok(a.active('foo') == '1', 'and the source before is active', a.active('foo'))


def turns(a):
    """The host runs the loop by itself: no wakeups, and messages of other actors, over a link of their own, besides."""
    a.group('foo', [1], declared(None), source=SOURCE, head=FROM_HOST)
    a.start()
    a.must(a.load('foo'))
    ok(a.asked('foo', 'wait') == 'waiting', 'something waits in the loop')
    ok(a.asked('foo', 'status') == 0, 'and no wakeup does')
    many = 3000 * SCALE
    ok(a.asked('foo', ('talk', many)) == many, 'what another actor sends in a row comes in its order, beside that')
    ok(a.asked('foo', 'status') == 0, 'and nothing else is left')
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(a.loaded('foo') == [], 'an actor whose loop waits exits')


def in_a_program(a):
    """A program finds the module where it finds thespian; it has no system but that of the directory."""
    a.start()
    (a.base / 'mine.py').write_text("VERSION = 'program'\n" + FROM_HOST + SOURCE)
    program = 'from mine import *\ns = ActorSystem()\nprint(s.ask(s.createActor(A), "wait", 20))\n'
    env = dict(a.env, PYTHONPATH=str(HOST), THESPIAN_DIRECTOR_DIR=str(a.dir))
    with open(a.base / 'printed', 'w+', encoding='utf-8') as printed:  # no pipe: the actors stay, and have it too
        p = subprocess.run([sys.executable, '-c', program], cwd=a.base, env=env, stdout=printed, stderr=printed, check=False)
        printed.seek(0)
        ok((p.returncode, printed.read()) == (0, 'waiting\n'), 'a program brings such actors', p)


def the_example(a):
    """examples/gather.py: of four that answer after 0, 0.25, 0.5 and 0.75 s the last is too slow."""
    p = subprocess.run([sys.executable, str(ROOT / 'examples/gather.py'), '4'], env=dict(a.env, PYTHONPATH=str(HOST)),
                       capture_output=True, encoding='utf-8', check=False)
    ok(p.stdout == '3 read, 1 too slow\n', 'the example', p)


if __name__ == '__main__':
    run_cases(carried, packed_as_a_dependency, taken, turns, in_a_program, the_example)
