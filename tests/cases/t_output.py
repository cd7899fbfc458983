#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What actors print: all of a source to one socket, and each line is told as whose it is.

Prints TAP.
"""
from adminlib import ACTOR, run_cases, until
from tap import ok

SOURCE = ACTOR.replace('    def __init__(self):', '''    def __init__(self):
        print(type(self).__name__, 'is made')''').replace('    def do_spin', r'''    def do_print(self, sender, text):
        os.write(1, text.encode())
        self.send(sender, 'printed')

    def do_run(self, sender, script):
        self.send(sender, subprocess.run(['sh', '-c', script]).returncode)

    def do_die(self, sender, text):
        os.write(2, text.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def do_flood(self, sender):
        self.send(sender, 'begun')
        while True:
            os.write(1, b'flood %s\n' % (b'x' * 3000))

    def do_send_descriptors(self, sender):
        s = socket.socket(fileno=os.dup(1))
        for _ in range(5):
            socket.send_fds(s, [b'with descriptors\n'], [0, 0])
        self.send(sender, 'sent')

    def do_spin''')
BOTH = {'Actors': {'m.a.%s' % k: {'OnLoad': {'Role': 'foo' + k}} for k in 'AB'}}


def load(a):
    a.group('foo', ['1'], BOTH, source=SOURCE)
    a.group('bar', ['1'])
    a.must(a.load('-a'))


def lines(a):
    """(role, text) of what was printed."""
    found = [line.split(' ', 5) for line in (a.dir / '.tds/actors.log').read_text().splitlines()]
    return [(f[2], f[5]) for f in found if f[1] == 'foo' and len(f) == 6]


def printed(a, *wanted):
    """The lines, once the last one wanted is there."""
    return until('it is printed', lambda: (got := lines(a)) and wanted[-1] in got and got)


def whose(a):
    load(a)
    got = printed(a, ('fooA', 'A is made'), ('fooB', 'B is made'))
    ok({('fooA', 'A is made'), ('fooB', 'B is made')} <= set(got), 'what is printed when it is made is the actor\'s', got)
    for role, text in ('fooA', 'one '), ('fooB', 'other\n'), ('fooA', 'two\n\nthree\n'):
        a.asked(role, ('print', text))
    got = printed(a, ('fooA', 'three'))
    ok(got[-4:] == [('fooB', 'other'), ('fooA', 'one two'), ('fooA', ''), ('fooA', 'three')],
       'unfinished lines of two do not mix', got)
    a.ask('Tell', Target='fooB', Literal=repr(('run', 'echo of a program; sh -c "echo of its child; until [ -e go ]; do sleep 0.01; done"')))
    got = printed(a, ('fooB', 'of its child'))
    ok(got[-2:] == [('fooB', 'of a program'), ('fooB', 'of its child')], 'what a program prints is of the actor that runs it', got)
    (a.dir / 'go').touch()
    script = '(while [ -e go ]; do sleep 0.01; done; echo of nobody) & :'
    ok(a.asked('fooB', ('run', script)) == 0, 'a program runs')
    (a.dir / 'go').unlink()
    got = printed(a, ('-', 'of nobody'))
    ok(got[-1] == ('-', 'of nobody'), 'of one that lost its parents the source\'s', got)
    a.asked('fooA', ('print', 'x' * 10000 + '\nend\n'))
    got = printed(a, ('fooA', 'end'))
    ok([len(text) for _, text in got[-4:]] == [4096, 4096, 10000 - 8192, 3], 'a long line is cut', [len(t) for _, t in got])
    a.ask('Tell', Target='fooB', Literal=repr(('die', 'last words')))
    got = printed(a, ('fooB', 'last words'))
    ok(('fooB', 'last words') in got, 'the last that it wrote is its own, without an end of line')


def surplus(a):
    load(a)
    before = a.pid
    ok(a.asked('fooA', ('send_descriptors',)) == 'sent', 'descriptors are sent to where lines are expected')
    got = printed(a, ('fooA', 'with descriptors'))
    ok(got.count(('fooA', 'with descriptors')) >= 1 and a.pid == before, 'their lines count', got)
    ok(a.asked('fooA', ('flood',)) == 'begun', 'one prints without end')
    for role in ('fooB', 'bar') * 20:
        if a.asked(role, ('echo', role), 60) != ('1', role):
            ok(False, 'others go on', role)
            break
    else:
        ok(True, 'others go on')
    b = a.load('--unload', a.hash_of('foo', '1'))
    ok(b.status == 0 and not a.strays(), 'it ends when it has to', b)


if __name__ == '__main__':
    run_cases(whose, surplus)
