#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many at once: starts, loads, refreshes and prunes; and what a daemon costs that has nothing to do.

Prints TAP. 50 at a time under TDS_SCALE=20; 1,000 actors then, a twentieth of that without.
"""
import concurrent.futures
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess

from adminlib import ACTOR, SCALE, cpu_ticks, parent_of, rss_kib, run_cases, sanitized, shows, until
from tap import BIN, CRASH, ok, skip

AT_A_TIME = 10 if SCALE == 1 else 50
ACTORS = 50 * SCALE
# Two loads and unloads each: 10,000 take some minutes, which a soak has, and a check has not.
FLAT_TURNS = 25 * SCALE if SCALE < 20 or sanitized() else 5000


def daemons(a):
    return [p for p, c in a.processes().items() if c.startswith('tds-daemon')]


def starts(a):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: a.admin('start'), range(20)))
    ok(all(b == (0, '', '') for b in answers), '20 starts at once: 0 each', *[b for b in answers if b.status != 0][:3])
    ok(len(daemons(a)) == 2, 'one daemon, and its guardian', a.processes())
    for n in range(5):
        b, c = a.admin('shutdown'), a.admin('start')
        ok(b.status == 0 and c.status == 0, 'shutdown and at once start', b, c)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: a.admin(('shutdown', 'start')[n % 2]), range(20)))
    b = a.admin('start')
    ok(b.status == 0 and len(daemons(a)) == 2, 'after ten of each, in any order, one daemon', b, a.processes())


def together(a):
    for g in 'abc':
        a.group(g, ['1', '2', '3', '4'], {'Actors': {'m.a.A': {'OnLoad': {'Role': g, 'GlobalName': g}}}, 'AutoUnload': 1})
    rng = random.Random(2)
    bad = []

    def one(n):
        what = rng.choice(('all', 'all', 'group', 'file', 'prune', 'list', 'unload'))
        g = rng.choice('abc')
        if what == 'all':
            b = a.load('-a')
        elif what == 'group':
            b = a.load(g)
        elif what == 'file':
            b = a.load('%s-%d.tls' % (g, rng.randint(2, 4)))
        elif what == 'prune':
            b = a.run('tds-avail', '--prune')
        elif what == 'list':
            b = a.admin('list')
        else:
            b = a.load('--unload', *(s['MD5'] for s in a.state()['Sources'][:1])) if a.base.joinpath(
                'director/.tds/loaded.json').exists() else a.load('--no-start', '--unload', 'x')
        fine = {'unload': (0, 2, 4, 8), 'list': (0, 8)}.get(what, (0,))
        if b.status not in fine or CRASH.search(b.err):
            bad.append((what, b))

    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for _ in pool.map(one, range(4 * AT_A_TIME)):
            pass
    ok(not bad, '%d at a time: each ends well' % AT_A_TIME, *bad[:5])
    ok(len(daemons(a)) == 2, 'one daemon', a.processes())
    a.must(a.load('-a'))
    until('AutoUnload is done', lambda: all(len(a.loaded(g)) <= 2 for g in 'abc'))
    ok([a.active(g) for g in 'abc'] == ['4'] * 3, 'the newest are active')
    ok([a.asked(g, ('echo',)) for g in 'abc'] == [('4',)] * 3 == [a.asked('@' + g, ('echo',)) for g in 'abc'], 'and answer')
    kept = {(s['Group'], s['Version'], s['Active']) for s in a.state()['Sources']}
    said = {(g, s['Version'], h == v['ActiveHash']) for g, v in a.groups().items() for h, s in v['Sources'].items()}
    ok(kept == said, 'loaded.json says what is so', kept, said)
    until('no other process is left', lambda: not a.strays())


def costs_nothing(w, pids):
    """Does a second pass of which none of these takes a tick, and in which who watches is told nothing?"""
    before = [cpu_ticks(p) for p in pids]
    w.sock.settimeout(1)
    with contextlib.suppress(socket.timeout):
        w.line()
        return False
    return [cpu_ticks(p) for p in pids] == before


def idle(a):
    tli = {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}}
    kids = ("class P(A):\n    def do_make(self, sender, n):\n        self.asker, self.left = sender, n\n"
            "        for i in range(n):\n            self.send(self.createActor(A), ('echo', i))\n\n"
            "    def receiveMessage(self, msg, sender):\n        if isinstance(msg, tuple) and len(msg) == 2 and msg[0] == VERSION:\n"
            "            self.left -= 1\n            if not self.left:\n                self.send(self.asker, 'all')\n"
            "        else:\n            super().receiveMessage(msg, sender)\n")
    quiet = ACTOR.replace("note(type(self).__name__, 'made', os.getpid())", 'pass')
    tli['Actors'] = {'m.a.P': tli['Actors']['m.a.A']}
    a.group('foo', ['1'], tli, source=quiet + kids)
    a.must(a.load('foo'))
    ok(a.asked('foo', ('make', ACTORS), 100) == 'all', '%d actors are made and answer' % ACTORS)
    pid = a.pid
    guardian, parents = parent_of(pid), [p for p in a.processes() if parent_of(p) == pid]
    with a.watch() as w:
        # What is still on its way settles first.
        ok(until('it is quiet', lambda: costs_nothing(w, (pid, guardian, *parents))), 'a second without requests costs no CPU')
    size = rss_kib(pid)
    ok(sanitized() or size < 8 * 1024, 'the daemon is smaller than 8 MiB', size)
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(not a.strays(), 'unload ends them', a.strays())
    if shows(pid, 'its descriptors are closed'):
        until('its descriptors are closed', lambda: len(os.listdir('/proc/%d/fd' % pid)) < 40)


def flat(a):
    """Loads and unloads without end leave nothing behind in the daemon."""
    a.group('foo', ['1', '2'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'}}}})
    a.start()
    pid = a.pid
    sizes = []
    shown = shows(pid, 'descriptors stay flat')
    with a.client() as c:
        for n in range(FLAT_TURNS):
            for v in '12':
                r = c.ask('LoadSource', Source='foo-%s.tls' % v)
                c.ask('Tell', Target='foo', Literal="'x'")
                if not r['Success']:
                    ok(False, 'a load in a row', r)
                    return
            for h in list(c.ask('RetrieveAll')['Groups']['foo']['Sources']):
                c.ask('UnloadSource', SourceHash=h)
            sizes.append((rss_kib(pid), len(os.listdir('/proc/%d/fd' % pid)) if shown else 0))
    # Memory is compared from where what is remembered of actors that are gone has its full size.
    ok(sizes[-1][1] <= sizes[0][1] and (sanitized() or sizes[-1][0] <= sizes[len(sizes) // 2][0] + 512),
       'descriptors and memory stay flat', sizes[::SCALE])


def first_process(a):
    """Parents of sources are forked by one process; without it they end, and everything comes back."""
    for g in 'ab':
        a.group(g, ['1'])
        a.must(a.load(g))
    pid = a.pid
    first, = (p for p in a.processes() if parent_of(p) == pid)
    actors = [a.asked(g, ('pid',)) for g in 'ab']
    ok(all(parent_of(parent_of(p)) == first for p in actors), 'it is the parent of the parents')
    with a.watch() as w:
        os.kill(first, signal.SIGKILL)
        until('its actors are gone', lambda: not any(os.path.exists('/proc/%d' % p) for p in actors), 5)
        for _ in 'ab':
            w.event(lambda e: e['Event'] == 'Loaded')
    ok([a.asked(g, ('echo',)) for g in 'ab'] == [('1',)] * 2, 'sources are there again', a.groups())
    until('no other process is left', lambda: not a.strays())
    ok(a.pid == pid, 'the daemon goes on')


VALGRIND = ['valgrind', '--trace-children=yes', '--trace-children-skip=*python3*', '--leak-check=full', '--show-leak-kinds=definite,indirect,possible',
            '--errors-for-leak-kinds=definite,indirect,possible', '--error-exitcode=99']


def tools_under_valgrind(a):
    """Each tool that ends by itself, with an input that it likes and one that it does not."""
    if SCALE == 1 or not shutil.which('valgrind') or sanitized():
        skip('valgrind finds nothing in the tools', 'a long count')
        return
    path, = a.group('foo', ['1'])
    (a.dir / 'foo-2.tls').write_bytes(path.read_bytes()[:-9])
    (a.base / 'src').mkdir()
    (a.base / 'src/x.py').write_text('A = 1\n')
    pack = ['--no-check', 'foo', a.key, a.base / 'src', 'version:3']
    for tool, *args in (('tds-verify', path), ('tds-verify', '-t', path), ('tds-verify', a.dir / 'foo-2.tls'), ('tds-avail',),
                        ('tds-avail', '--verify'), ('tds-admin', 'check'), ('tds-gensrc', *pack, '*.py'),
                        ('tds-gensrc', *pack, 'nothing'), ('tds-load', '-n', '-a'), ('tds-load', '--no-start', 'foo')):
        p = subprocess.run([*VALGRIND, '-q', str(BIN / tool), '-C', str(a.dir), *map(str, args)], env=a.env,
                           capture_output=True)
        ok(0 <= p.returncode <= 9, 'valgrind finds nothing in %s' % ' '.join([tool, *(os.path.basename(str(x)) for x in args)]),
           p.stderr.decode())


def under_valgrind(a):
    if SCALE == 1 or not shutil.which('valgrind') or sanitized():
        skip('valgrind finds nothing at shutdown', 'a long count')
        return
    a.group('foo', ['1', '2'])
    log = a.base / 'valgrind'
    p = subprocess.Popen([*VALGRIND, '--log-file=%s.%%p' % log, str(BIN / 'tds-admin'), '-C', str(a.dir), 'start', '--foreground'], env=a.env)
    until('it answers', lambda: a.admin('status').status == 0)
    # It knows no pidfd, so that no actor can be started: refusals and clients only.
    (a.dir / 'foo-2.tls').write_bytes(b'no package')
    for name in 'foo', 'foo-2.tls', 'nothing':
        a.load('--no-start', name)
    with a.watch(), a.client() as c:
        for line in b'x', b'{}', b'{"DirectorOp":"Ask","Target":"foo","Literal":"1"}', b'{"DirectorOp":"RetrieveAll"}':
            c.raw(line + b'\n')
            c.line()
    a.admin('shutdown')
    p.wait(60)
    texts = [f.read_text() for f in a.base.glob('valgrind.*')]
    errors = [t for t in texts if 'ERROR SUMMARY: 0 errors' not in t and 'ERROR SUMMARY' in t]
    ok(p.returncode == 0 and texts and not errors, 'valgrind finds nothing at shutdown', p.returncode, *errors)


if __name__ == '__main__':
    run_cases(starts, together, idle, flat, first_process, tools_under_valgrind, under_valgrind)
