#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What thespian-compat(7) says under "If your program": each of its words is what a program gets, and what it advises helps.

Prints TAP. Programs have a runtime directory of their own.
"""
import os
import re
import subprocess
import sys

import tap
from adminlib import run_cases
from tap import HOST, ok

PAGE = tap.ROOT / 'man/thespian-compat.7'

ACTORS = r'''
import threading
from thespian.actors import *

STATE = ['begun']


class Echo(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'state':
            self.send(sender, STATE[-1])
        elif msg == 'code':
            self.send(sender, 'old code')
        elif msg == 'system':
            self.send(sender, ActorExitRequest())
        elif not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


class Early(Actor):
    def __init__(self):
        self.send(self.myAddress, 1)


class Own:
    pass


class Box:
    class Nested(Echo):
        pass


def error(function, *args, **named):
    try:
        return function(*args, **named)
    except Exception as e:
        return '%s: %s' % (type(e).__name__, e)
'''

WITH_A_BASE = r'''
from acts import *
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1905})
a = s.createActor(Echo)
STATE.append('changed')
print(error(ActorSystem, 'otherBase'))
print(error(s.createActor, Box.Nested))
print(error(ActorSystem, 'multiprocTCPBase', {'Convention Address.IPv4': '192.0.2.1:1900'}, transientUnique=True))
print(error(s.ask, a, threading.Lock(), 5))
print(s.ask(a, 'state', 20), s.ask(a, 'system', 0.3), s.ask(s.createActor(Early), 'there?', 5))
'''
LATER = r'''
from acts import *
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1905})
print(s.ask(s.createActor(Echo), 'code', 20))
s.shutdown()
s = ActorSystem('multiprocTCPBase', {'Admin Port': 1905})
a = s.createActor(Echo)
print(s.ask(a, 'code', 20))
s.shutdown()
print(s.ask(a, 'code', 1))
'''
WITHOUT = r'''
from acts import *
s = ActorSystem()
lock = threading.Lock()
print(s.ask(s.createActor(Echo), lock, 5) is lock, s.ask(s.createActor(Box.Nested), 'nested', 5))
STATE.append('changed')
print(s.ask(s.createActor(Echo), 'state', 5))
'''
JOINED = r'''
from acts import *
s = ActorSystem()
a = s.createActor('m.a.P', globalName='packaged')
print(error(s.ask, a, Own(), 5))
print(error(s.ask, a, 'x' * 3000000, 5))
print(s.ask(a, 'own', 1))
print(s.ask(a, 'stdout', 20))
'''
PACKAGED = r'''
from thespian.actors import *


class P(Actor):
    poison = None

    def receiveMessage(self, msg, sender):
        if msg == 'own':
            self.send(sender, P)
        elif msg == 'poison':
            self.send(sender, self.poison)
        elif msg == 'stdout':
            try:
                open('/dev/stdout', 'w')
            except OSError as e:
                self.send(sender, str(e))
        elif isinstance(msg, PoisonMessage):
            self.poison = msg.details
'''


def page():
    """The section, as plain text in one line."""
    text = PAGE.read_text('utf-8').partition('.Sh IF YOUR PROGRAM')[2].partition('.Sh FILES')[0]
    return ' '.join(re.sub(r'(?m)^\.\w+ ?|\b(?:Dq|Ns|Ar) ', '', text).split())


def said(phrase, given):
    """A program gets these words, and the page has them."""
    ok(phrase in given and phrase in page(), 'said: ' + phrase, given)


def ran(a, program, **env):
    """The lines that a program prints."""
    (a.base / 'acts.py').write_text(ACTORS)
    run = a.base / 'run'
    run.mkdir(mode=0o700, exist_ok=True)
    full = {**a.env, 'PYTHONPATH': str(HOST), 'XDG_RUNTIME_DIR': str(run), 'PYTHONDONTWRITEBYTECODE': '1', **env}
    with open(a.base / 'printed', 'w+', encoding='utf-8') as printed:  # no pipe: what the program leaves has it too
        subprocess.run([sys.executable, '-c', program], cwd=a.base, env=full, stdout=printed, stderr=printed,
                       timeout=tap.LIMIT_S, check=False)
        printed.seek(0)
        return printed.read().splitlines()


def symptoms(a):
    alone = ran(a, 'import sys\nsys.path = [p for p in sys.path if "site-packages" not in p]\nimport thespian\n',
                PYTHONPATH='', PYTHONNOUSERSITE='1')
    said("No module named 'thespian'", alone[-1])
    lines = ran(a, WITH_A_BASE + 's.shutdown()\n')  # what actors log is anywhere between
    for phrase in ('No module named thespian.system.', 'has no class', 'tds runs the actors of one machine', 'cannot pickle',
                   "object has no attribute '_myRef'"):
        said(phrase, ' '.join(lines))
    ok('begun None None' in lines, 'globals are those of the start; no answer to what is not passed on, or never made', lines)


def old_code(a):
    ran(a, WITH_A_BASE)
    acts = ACTORS.replace('old code', 'new code')
    program = 'open("acts.py", "w").write(%r)\n' % acts + LATER
    lines = ran(a, program)
    ok(lines == ['old code', 'new code', 'None'], 'old code runs until shutdown; then nobody answers', lines)


def without_a_base(a):
    ok(ran(a, WITHOUT) == ['True nested', 'changed'], 'locks pass, classes are of anywhere, globals are seen')


def folders(a):
    ran(a, 'import os\nos.mkdir("run/tds")\nos.chmod("run/tds", 0o755)\n')
    said('is not a folder that belongs to this user alone', ' '.join(ran(a, WITH_A_BASE)))


def packages(a):
    a.tli('foo', {'Actors': {'m.a.P': {'OnLoad': {'Role': 'p', 'GlobalName': 'packaged'}}}})
    a.pack('foo', 1, source=PACKAGED)
    (a.dir / 'maxmessage.cfg').write_text('1048576\n')
    a.start()
    a.must(a.load('foo'))
    lines = ran(a, JOINED, THESPIAN_DIRECTOR_DIR=str(a.dir))
    said('does not pass to another source', lines[0])
    said('is too large (at most', lines[1])
    ok(lines[2] == 'None', 'no answer where it does not pass', lines)
    said("No such device or address: '/dev/stdout'", lines[3])
    a.ask('Ask', Target='p', Literal="'own'", Timeout=1)
    said('has no literal form', a.asked('p', 'poison'))


if __name__ == '__main__':
    os.umask(0o022)
    run_cases(symptoms, old_code, without_a_base, folders, packages)
