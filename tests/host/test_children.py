# SPDX-License-Identifier: MIT
"""Processes that actors start, and the modules of the source in them."""
import unittest

from fakeadmin import HostTest

HASH = '0123456789abcdef0123456789abcdef'

MAIN = '''
import os, subprocess, sys
from thespian.actors import *
from pkg import work

class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, getattr(work, msg[0])(*msg[1:]))
'''

WORK = '''
import os, sys
from thespian.actors import Actor
from . import data

def double(n):
    return 2 * n + data.NONE, double.__module__, sys.modules[double.__module__].__loader__.source.hash

def pool(method):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as executor:
        return list(executor.map(double, [1, 2]))

def nest(method):
    """A process that starts another one."""
    import multiprocessing
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=inner, args=(method, queue))
    process.start()
    answer = queue.get(timeout=60)
    process.join()
    return answer, process.exitcode

def inner(method, queue):
    import multiprocessing
    context = multiprocessing.get_context(method)
    more = context.Queue()
    process = context.Process(target=put, args=(more,))
    process.start()
    queue.put(more.get(timeout=60))
    process.join()

def put(queue):
    queue.put(double(20)[0])

def module(*arguments):
    import subprocess
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr[-500:], done.returncode

def forged():
    """How processes end that are to import the right bytes, from their place, and from a file that is not sealed."""
    import multiprocessing
    codes = []
    place, _, source_hash = os.environ['TDS_SOURCE'].partition(' ')
    with open(place, 'rb') as archive:
        fd = os.memfd_create('forged')
        os.write(fd, archive.read())
    for other in place, '/proc/%d/fd/%d' % (os.getpid(), fd):
        os.environ['TDS_SOURCE'] = '%s %s' % (other, source_hash)
        process = multiprocessing.get_context('spawn').Process(target=double, args=(1,))
        process.start()
        process.join(60)
        codes.append(process.exitcode)
    return codes
'''

TOOL = '''
import sys
from thespian.actors import Actor
from pkg import data
import pkgutil
if __name__ == '__main__':
    print('tool', data.NONE, pkgutil.get_data('pkg', 'x.txt').decode(), sys.argv[1:], Actor.__name__)
'''

PACKAGE = {'main.py': MAIN, 'pkg/__init__.py': '', 'pkg/work.py': WORK, 'pkg/data.py': 'NONE = 0', 'pkg/tool.py': TOOL, 'pkg/x.txt': 'text'}


class Children(HostTest):

    def start(self, **more):
        members = dict(PACKAGE, **{name.replace('__', '/') + '.py': text for name, text in more.items()})
        return self.admin.spawn(self.admin.parent(members, way='zygote'), 'main.A')

    def check_pool(self, method):
        actor = self.start()
        name = '{{%s}}pkg.work' % HASH
        self.assertEqual(self.admin.ask(actor, ('pool', method)), [(2, name, HASH), (4, name, HASH)])
        self.assertEqual(self.admin.ask(actor, ('nest', method)), (40, 0))

    def test_spawn(self):
        self.check_pool('spawn')

    def test_forkserver(self):
        self.check_pool('forkserver')

    def test_module_of_the_package(self):
        actor = self.start()
        self.assertEqual(self.admin.ask(actor, ('module', '-m', 'pkg.tool', 'a')), ("tool 0 text ['a'] Actor\n", '', 0))

    def test_names_of_python(self):
        """A package that would hide a module of Python does not keep one from starting."""
        actor = self.start(json='def loads(text): raise SystemExit')
        self.assertEqual(self.admin.ask(actor, ('module', '-c', 'import json; print(json.loads("5"))')), ('5\n', '', 0))

    def test_only_sealed_bytes(self):
        self.assertEqual(self.admin.ask(self.start(), ('forged',)), [0, 1])


if __name__ == '__main__':
    unittest.main()
