#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Director's rules, as tds(7) has them: load, undo, names, AutoUnload, refresh, unload, restart, shutdown.

Prints TAP. Each case has an admin of its own.
"""
import hashlib
import os
import re
import signal
import subprocess
import time

from adminlib import ACTOR, parent_of, run_cases, run_state, until
from tap import ok


def declared(name='m.a.A', **more):
    return {'Actors': {name: more}}


def got(notes):
    """(version, class, message) of what was received."""
    return [(n[0], n[1], n[3]) for n in notes if n[2] == 'got']


def settled(a, group, *versions):
    """What is noted once the actors of these versions have handled all that they were sent."""
    for version in versions:
        for run in a.actors_of(group, version):
            if run['ActorAddress']:
                a.asked(run['ActorAddress']['ActorAddress'], ('pid',))
    return a.notes.take()


# 1. Load

def newest_and_named(a):
    a.group('foo', ['9', '10', '1'])
    b = a.load('foo')
    ok(b.status == 0 and a.active('foo') == '10', 'a group loads its newest source', b)
    h = a.hash_of('foo', '10')
    ok(b.out == 'Loaded "foo" %s: %s\n' % (a.dir / 'foo-10.tls', h) and not b.err, 'it says what it loaded', b)
    ok(a.asked('foo', ('echo', 1)) == ('10', 1), 'its actor runs')
    pid = a.asked('foo', ('pid',))
    a.notes.take()
    b = a.load('foo')
    ok(b.status == 0 and b.out == 'Loaded "foo" %s: %s\n' % (a.dir / 'foo-10.tls', h), 'a second load says the same', b)
    b = a.load('-q', 'foo')
    ok(b.status == 0 and not b.out and not b.err, 'quietly it says nothing where nothing changed', b)
    ok(a.asked('foo', ('pid',)) == pid and not a.notes.take(), 'and nothing happens')
    b = a.load('foo-9.tls')
    ok(b.status == 0 and a.active('foo') == '9' and a.loaded('foo') == ['10', '9'], 'a file loads that file', b)
    a.load('foo')
    ok(a.active('foo') == '10', 'what is loaded but not active is activated', a.loaded('foo'))
    b = a.load('-q', 'foo-1.tls')
    ok(b == (0, '', '') and a.active('foo') == '1', 'nor of a change that is done', b)
    b = a.load('foo.tli')
    ok(b.status == 0 and a.active('foo') == '10', 'a TLI file stands for its group', b)


def from_elsewhere(a):
    a.group('foo', ['1'])
    (a.base / 'else').mkdir()
    there = a.pack('foo', '7', to=a.base / 'else/foo-7.tls')
    b = a.load(there)
    ok(b.status == 0 and a.active('foo') == '7' and str(there) in b.out, 'a file from elsewhere is loaded', b)
    with a.client() as c:
        c.ask('Shutdown')
        c.line()
    b = a.run('tds-load', '-C', 'director', '--allow-downgrade', 'foo', cwd=a.base)
    ok(b.status == 0 and a.asked('foo', ('echo',)) == ('1',), 'a director directory may be named relatively', b)
    b = a.load('./foo-7.tls', cwd=a.base / 'else')
    ok(b.status == 0 and str(there) in b.out, 'a relative name means the caller\'s folder', b)
    os.rename(there, a.base / 'else/bar-7.tls')
    b = a.load(a.base / 'else/bar-7.tls')
    ok(b.status == 4 and 'group' in b.err and not b.out, 'not if its name belongs to no declared group', b)


def tli_read_afresh(a):
    def tli(n):
        return declared(OnLoad={'Role': 'r%d' % n, 'Message': 'on%d' % n}, OnDeactivate={'Message': 'off%d' % n})
    a.group('foo', ['1'], tli(1))
    a.must(a.load('foo'))
    a.group('foo', ['2'], tli(2))
    a.must(a.load('foo'))
    notes = got(settled(a, 'foo', '1', '2'))
    ok(('2', 'A', 'on2') in notes, 'the TLI is read afresh', notes)
    ok(('1', 'A', 'off1') in notes and ('1', 'A', 'off2') not in notes, 'a loaded source keeps its definition', notes)
    ok(a.asked('r2', ('echo',)) == ('2',) and a.asked('r1', ('echo',)) is None, 'roles are those of the active source')
    a.tli('foo', '{"Actors": os.system("true")}\n')
    b = a.load('foo-1.tls')
    ok(b.status == 1 and 'foo.tli:1:' in b.err and a.active('foo') == '2', 'a TLI that is not allowed refuses', b)


# 2. The signature first; what can be known before is found out before

def refusals_change_nothing(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'GlobalName': 'Foo'}, OnDeactivate={'Message': 'off'}))
    a.must(a.load('foo'))
    pid = a.asked('foo', ('pid',))
    before = (a.dir / '.tds/loaded.json').read_bytes()
    a.notes.take()
    good = (a.dir / 'foo-1.tls').read_bytes()

    def refused(name, status, what, *words):
        b = a.load(name)
        ok(b.status == status and not b.out and len(b.err.splitlines()) == 1 and all(w in b.err for w in words),
           '%s: status %d' % (what, status), b)
        ok((a.dir / '.tds/loaded.json').read_bytes() == before and a.active('foo') == '1' and
           a.asked('@Foo', ('pid',)) == pid and got(a.notes.take()) == [], '%s: nothing changed' % what)

    (a.dir / 'foo-2.tls').write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused('foo-2.tls', 7, 'an altered package', 'foo-2.tls')
    (a.dir / 'foo-2.tls').write_bytes(b'')
    refused('foo', 7, 'an empty file')
    (a.dir / 'foo-2.tls').write_bytes(good)
    refused('foo-2.tls', 6, 'a package under another version')
    a.pack('foo', '2', source='import nowhere_at_all\n' + ACTOR)
    refused('foo-2.tls', 1, 'an import that fails', 'nowhere_at_all')
    a.pack('foo', '2', source='def f(:\n')
    refused('foo-2.tls', 1, 'a syntax error', 'SyntaxError')
    a.pack('foo', '2', source='raise SystemExit(7)\n')
    refused('foo-2.tls', 1, 'a module that exits', 'SystemExit')
    a.pack('foo', '2', source='import os\nos._exit(0)\n')
    refused('foo-2.tls', 1, 'a module that ends its process')
    a.pack('foo', '2', source='class Z:\n    pass\n')
    refused('foo-2.tls', 1, 'a class that is not there', 'm.a')
    os.unlink(a.dir / 'foo-2.tls')
    refused('foo-2.tls', 4, 'a file that is not there', 'foo-2.tls')
    refused('bar', 4, 'an unknown group', 'bar')
    os.mkfifo(a.dir / 'foo-2.tls')
    b = a.load('foo-2.tls')
    ok(b.status in (4, 7), 'a FIFO is no package', b)
    os.unlink(a.dir / 'foo-2.tls')
    a.tli('empty', {'Actors': {}})
    refused('empty', 4, 'a group without packages', 'empty')


def names_of_other_groups(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'boss', 'GlobalName': 'Boss'}))
    a.must(a.load('foo'))
    for what in {'Role': 'boss'}, {'GlobalName': 'Boss'}:
        a.group('bar', ['1'], declared(OnLoad=what))
        b = a.load('bar')
        ok(b.status == 1 and 'foo' in b.err and a.loaded('bar') == [], 'a %s of another group is refused' % list(what), b)
    ok(a.asked('@Boss', ('echo',)) == ('1',) == a.asked('boss', ('echo',)), 'and stays where it is')
    a.group('bar', ['1'], declared(OnLoad={'Role': 'Boss', 'GlobalName': 'boss'}))
    ok(a.load('bar').status == 0, 'a role and a global name are two things')


# 3. The order of a load

def order_of_load(a):
    def tli(n):
        return {'Actors': {'m.a.%s' % c: {'OnLoad': {'Role': c, 'Message': 'on%s%s' % (c, n)},
                                          'OnDeactivate': {'Message': 'off%s%s' % (c, n)}} for c in 'CAB'}}
    a.group('foo', ['1'], tli(1))
    with_watch = a.start().watch()
    a.must(a.load('foo'))
    notes = [n[1:4] for n in a.notes.take() if n[2] in ('made', 'got')]
    order = [(n[0], n[1]) for n in notes]
    ok(order == [('C', 'made'), ('C', 'got'), ('A', 'made'), ('A', 'got'), ('B', 'made'), ('B', 'got')] or
       order == [('C', 'made'), ('A', 'made'), ('B', 'made'), ('C', 'got'), ('A', 'got'), ('B', 'got')],
       'actors are made and told in the order of the TLI', notes)
    event = with_watch.event(lambda e: e.get('Event') == 'Loaded')
    ok(event['Group'] == 'foo' and event['SourceHash'] == a.hash_of('foo', '1'), 'and then it is told', event)
    with_watch.close()
    a.group('foo', ['2'], tli(2))
    a.must(a.load('foo'))
    notes = settled(a, 'foo', '1', '2')
    ok(sorted(got(notes)) == sorted([('1', c, 'off%s1' % c) for c in 'CAB'] + [('2', c, 'on%s2' % c) for c in 'CAB']),
       'the old ones are told to deactivate, the new ones to load, each once', notes)


def messages_that_count(a):
    none = {'x0': None, 'x1': '', 'x2': (), 'x3': [], 'x4': {}, 'x5': b''}
    some = {'y0': 0, 'y1': False, 'y2': 0.0, 'y3': 'm', 'y4': (1, [2, {'k': b'v'}], None, 1.5, {3}), 'y5': 10 ** 30}
    classes = ''.join('class %s(A):\n    pass\n' % n for n in (*none, *some, 'z'))
    tli = {'Actors': {'m.a.%s' % n: {'OnLoad': {'Message': m}} for n, m in {**none, **some}.items()}}
    tli['Actors']['m.a.z'] = {}
    a.group('foo', ['1'], tli, source=ACTOR + classes)
    a.must(a.load('foo'))
    notes = {n: m for _, n, m in got(settled(a, 'foo', '1'))}
    ok(notes == some and [type(m) for m in notes.values()] == [type(m) for m in some.values()],
       'messages are sent unless absent, None or empty; 0 is one', notes)


# 4. Global names

def long_messages(a):
    """An OnLoad message of any length that a host can be sent is taken; a longer one is refused before anything is run."""
    for n, good in (((500 << 10) - 2, True), ((500 << 10) - 1, False)):
        a.tli('foo', {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': '"' * n}}}})
        a.pack('foo', n, source=ACTOR.replace("note(me, 'got', msg)", "note(me, 'got', len(msg))"))
        a.notes.take()
        b = a.load('foo')
        if good:
            ok(b.status == 0 and (str(n), 'A', 'got', n) in a.notes.take(), 'OnLoad of 500 KiB', b)
        else:
            ok(b.status == 1 and 'm.a.A: its OnLoad message is longer than' in b.err and not a.notes.take(), 'one byte more: refused', b)


def global_names_move(a):
    def tli(message):
        return {'Actors': {'m.a.A': {'OnLoad': {'GlobalName': 'N', 'Role': 'r'}},
                           'm.a.B': {'OnLoad': {'Message': message}}}}
    a.group('foo', ['1'], tli('x'))
    a.must(a.load('foo'))
    old = a.actors_of('foo', '1')[0]
    address = old['ActorAddress']['ActorAddress']
    a.group('foo', ['2'], tli('x'))
    a.must(a.load('foo'))
    ok(a.asked('@N', ('echo',)) == ('2',) == a.asked('r', ('echo',)), 'name and role move to the new actor')
    ok(a.asked(address, ('pid',)) == old['Pid'], 'the old one lives on, unnamed')
    a.must(a.load('--unload', a.hash_of('foo', '2')))
    ok(a.asked('@N', ('pid',)) == old['Pid'] == a.asked('r', ('pid',)), 'unloading moves them back to the very actor')
    a.group('foo', ['3'], tli(('raise', 'not today')))
    b = a.load('foo')
    ok(b.status == 1, 'a load that fails', b)
    ok(a.asked('@N', ('pid',)) == old['Pid'] == a.asked('r', ('pid',)), 'an undo leaves them there')
    a.group('foo', ['4'], tli('x'))
    a.must(a.load('foo'))
    a.must(a.load('foo-1.tls'))
    ok(a.asked('@N', ('pid',)) == old['Pid'], 'activating the old one again moves them too')


def name_in_use_by_actor(a):
    """A name that an actor of another group was given at run time is taken by the group that declares it."""
    maker = ACTOR + ("class M(A):\n    def do_make(self, sender, name):\n"
                     "        self.send(sender, str(self.createActor(B, globalName=name)))\n")
    a.group('foo', ['1'], declared('m.a.M', OnLoad={'Role': 'foo'}), source=maker)
    a.must(a.load('foo'))
    a.asked('foo', ('make', 'N'))
    pid = a.asked('@N', ('pid',))
    a.group('bar', ['1'], declared(OnLoad={'GlobalName': 'N'}))
    b = a.load('bar')
    ok(b.status == 0 and a.asked('@N', ('pid',)) != pid, 'a global name that another group\'s actor was given stops no load', b)
    other = a.asked('foo', ('make', 'N2'))
    ok(other.startswith('ActorAddr-') and a.asked('@N2', ('pid',)), 'a name that nobody declares is given', other)
    a.tli('bar', declared(OnLoad={'GlobalName': 'N2'}))
    a.must(a.load(a.pack('bar', '2')))
    mine = a.asked('@N2', ('pid',))
    a.asked('foo', ('make', 'N2'))
    ok(a.asked('@N2', ('pid',)) == mine, 'and not once a group does')


# 5 and 6. Taken, and undone

def undone(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'},
                                   OnDeactivate={'Message': 'off'}, OnReactivate={'Message': 'again'}))
    a.must(a.load('foo'))
    pid = a.asked('foo', ('pid',))
    a.notes.take()

    def fails(what, status, word, tli, *options, source=ACTOR, deactivates=True):
        a.group('foo', ['2'], tli, source=source)
        b = a.load(*options, 'foo')
        ok(b.status == status and word in b.err and not b.out and len(b.err.splitlines()) == 1,
           '%s: %d, and the reason' % (what, status), b)
        ok(a.active('foo') == '1' and a.loaded('foo') == ['1'] and a.state_of('foo') == {'1': True} and
           a.asked('@Foo', ('pid',)) == pid, '%s: the source before is active again' % what, a.state())
        until('its processes go', lambda: not a.strays(), 10)
        notes = [m for v, _, m in got(settled(a, 'foo', '1')) if v == '1']
        ok(notes == (['off', 'again'] if deactivates else []), '%s: it was told' % what, notes)

    fails('an OnLoad that fails twice', 1, 'ValueError: no way', declared(OnLoad={'Message': ('raise', 'no way')}))
    fails('an actor that exits at OnLoad', 1, 'exit', declared(OnLoad={'Message': ('exit',)}))
    fails('a constructor that fails', 1, 'ZeroDivisionError', declared('m.a.D'),
          source=ACTOR + 'class D(A):\n    def __init__(self):\n        1 / 0\n')
    fails('a constructor that exits', 1, '', declared('m.a.D'),
          source=ACTOR + 'class D(A):\n    def __init__(self):\n        os._exit(0)\n')
    fails('a constructor that hangs', 9, 'time', declared('m.a.D'), '--wait=1',
          source=ACTOR + 'class D(A):\n    def __init__(self):\n        time.sleep(99)\n')
    fails('an import that hangs', 9, 'time', declared('m.a.A'), '--wait=1', source='import time\ntime.sleep(99)\n' + ACTOR,
          deactivates=False)
    fails('a health check that fails', 1, 'health',
          declared(OnLoad={'Message': 'on'}, Health={'Message': ('raise', 'ill'), 'Timeout': 20}))
    fails('a health check without answer', 1, 'health',
          declared(OnLoad={'Message': 'on'}, Health={'Message': 'silent', 'Timeout': 0.3}))
    fails('a health check beyond the wait', 9, 'time',
          declared(OnLoad={'Message': 'on'}, Health={'Message': 'silent', 'Timeout': 30}), '--wait=1')
    fails('the second actor of two', 1, 'ValueError',
          {'Actors': {'m.a.A': {'OnLoad': {'Message': 'on'}}, 'm.a.B': {'OnLoad': {'Message': ('raise',)}}}})
    fails('ready first', 1, 'ValueError', {'Actors': {'m.a.A': {'OnLoad': {'Message': ('raise',)}}},
                                           'Activate': 'ready-first'}, deactivates=False)
    b = a.load('-a')
    ok(b.status == 1 and 'undone' in b.err and got(a.notes.take()) == [], 'refresh does not try it again, and says so', b)
    b = a.load('-a', '--retry')
    ok(b.status == 1 and 'ValueError' in b.err, 'with --retry it does', b)
    a.notes.take()
    a.group('foo', ['2'], declared(OnLoad={'Message': ('once',)}, Health={'Message': ('echo', 1), 'Timeout': 20}),
            head='# another package\n')
    b = a.load('-a')
    ok(b.status == 0 and a.active('foo') == '2', 'a new package is tried; one failure of two is none', b)


def undone_first(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'Message': ('raise', 'never')}))
    b = a.load('foo')
    ok(b.status == 1 and 'never' in b.err and a.loaded('foo') == [], 'a first load that fails leaves nothing', b)
    until('its processes go', lambda: not a.strays(), 10)
    ok(a.state()['Sources'] == [] and not list((a.dir / '.tds/store').iterdir()), 'nothing is in the state or store')
    a.tli('foo', declared(OnLoad={'Role': 'foo', 'Message': 'ok'}))
    ok(a.load('-a').status == 1 and a.load('foo').status == 0, 'named, it is tried again')


def long_onload_is_taken(a):
    a.group('foo', ['1'], declared(OnLoad={'Message': ('hang',)}))
    began = time.monotonic()
    b = a.load('foo')
    took = time.monotonic() - began
    ok(b.status == 0 and took > 4.9, 'a handler that runs 5 s without failing has taken its message', took, b)
    ok('warning' in b.err.lower(), 'a warning says so', b)
    began = time.monotonic()
    b = a.load('--unload', a.hash_of('foo', '1'))
    took = time.monotonic() - began
    ok(b.status == 0 and took > 2 and a.loaded('foo') == [], 'it is killed after the grace time', took, b)


# 7. AutoUnload

def auto_unload(a):
    def loads(value, *versions):
        for v in versions:
            a.group('foo', [v], dict(declared(OnDeactivate={'Message': 'off'}),
                                     **({} if value is None else {'AutoUnload': value})))
            a.must(a.load('foo-%s.tls' % v))

    def left(*versions):
        return until('AutoUnload is done', lambda: a.loaded('foo') == sorted(versions), 10)

    loads(None, '1', '2', '3')
    ok(left('1', '2', '3'), 'without AutoUnload all stay')
    loads(2, '4')
    ok(left('1', '2', '3', '4'), 'the definition of what is replaced decides: not yet')
    a.notes.take()
    loads(True, '5')
    ok(left('3', '4', '5') and a.active('foo') == '5', 'N: all but the N newest others')
    notes = got(settled(a, 'foo', '4'))
    ok([m for v, _, m in notes if v != '5'] == ['off'] and ('4', 'A', 'off') in notes,
       'only what was active is told to deactivate', notes)
    loads(0, '6')
    ok(left('6'), 'True: every other one')
    loads(-1, '7')
    ok(left('7'), '0: every other one')
    loads(False, '8')
    ok(left('8'), 'a negative number: every other one')
    loads(None, '9')
    ok(left('8', '9'), 'False: none')
    until('their processes go', lambda: not a.strays(), 10)
    ok(not a.wrong_in_store(), 'the store holds what is loaded', a.wrong_in_store())


def full_store(a):
    """A package that there is no room for is not loaded, and leaves nothing; what is loaded comes back without any room."""
    run = a.dir / '.tds'
    run.mkdir(mode=0o711)
    if os.geteuid() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=512k,mode=711', 'tmpfs', run]).returncode:
        run.rmdir()
        return ok(True, 'no room in the store # SKIP no file system can be mounted here')
    try:
        a.start()
        a.group('foo', ['1'], data='X = %r\n' % os.urandom(1 << 16).hex())
        a.must(a.load('foo'))
        kept = sorted(p.name for p in (run / 'store').iterdir())
        a.pack('foo', '2', data='X = %r\n' % os.urandom(1 << 19).hex())
        b = a.load('foo')
        ok(b.status == 5 and re.search(r'store/[0-9a-f]{64}\.tls: No space left on device', b.err),
           'no room in the store: 5, and the reason', b)
        left = sorted(p.name for p in (run / 'store').iterdir())
        ok(left == kept and a.active('foo') == '1', 'nothing is left of it there', left)
        (a.dir / 'foo-2.tls').write_bytes(b'no package' + b' ' * (1 << 20))
        ok(a.load('foo').status == 7, 'what does not hold is refused for that')
        (run / 'filler').write_bytes(bytes(os.statvfs(run).f_bavail * os.statvfs(run).f_frsize))
        a.crash()
        a.admin('start')
        ok(a.active('foo') == '1', 'what is in the store comes back all the same')
    finally:
        a.admin('shutdown')
        subprocess.run(['umount', '-l', run], check=True)


def either_hash(a):
    """What a crash has left is known by both of its hashes, before the admin process that brings it back is there."""
    a.start()
    package, = a.group('foo', ['1'])
    a.must(a.load('foo'))
    a.crash()
    b = a.load('--unload', hashlib.sha256(package.read_bytes()).hexdigest())
    ok(b == (0, '', '') and a.loaded('foo') == [], 'unloaded by its SHA-256', b)


def unchanged(a):
    """The very file that was loaded need not be verified again; one that only looks like it is."""
    a.start()
    package, = a.group('foo', ['1'])
    until('the file is older than the grain of its times', lambda: time.time() - os.stat(package).st_ctime > 2.1)
    a.must(a.load('foo'))
    whole, times = package.read_bytes(), os.stat(package)
    b = a.load('foo')
    ok(b.status == 0, 'the same file is what is active', b)
    package.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    os.utime(package, ns=(times.st_atime_ns, times.st_mtime_ns))
    b = a.load('foo')
    ok(b.status == 7, 'another of the same size and time is verified', b)
    package.write_bytes(whole)
    b = a.load('foo')
    ok(b.status == 0, 'the old bytes again are what is active', b)


def auto_unload_is_done(a):
    """A load is answered when what it unloads has gone, with the files that are superfluous then."""
    tli = dict(declared(OnLoad={'Role': 'foo'}), AutoUnload=True, TLS_Keep_Limit=1)
    a.group('foo', ['1', '2'], tli)
    a.must(a.load('foo-1.tls'))
    with a.client() as c:
        c.ask('Tell', Target='foo', Literal="('hang',)")
    a.notes.wait_for('1', 'A', 'got', ('hang',))
    with a.client() as u, a.client() as d:
        u.send(DirectorOp='LoadSource', Source='foo-2.tls', Wait=2)
        until('the new one is active', lambda: a.active('foo') == '2')
        d.send(DirectorOp='LoadSource', Source='foo-2.tls')
        ok(a.asked('foo', ('echo',)) == ('2',) and a.loaded('foo') == ['1', '2'], 'the new one answers while the old one goes')
        r = u.line()
        left = a.loaded('foo'), sorted(p.name for p in a.dir.glob('*.tls'))
        ok(r['Success'] and left == (['2'], ['foo-2.tls']), 'then it is gone, and its file, in spite of a deadline', r, left)
        ok(d.line()['Success'], 'and the next load has its turn')


def auto_unload_at_activation(a):
    """What is loaded already and becomes active is loaded too, as far as AutoUnload goes."""
    a.group('foo', ['1', '2'])
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo-2.tls'))
    a.group('foo', ['3'], dict(declared(), AutoUnload=1))
    a.must(a.load('foo-3.tls'))
    a.must(a.load('foo-2.tls'))
    ok(a.active('foo') == '2' and a.loaded('foo') == ['2', '3'], 'the definition of what is replaced decides', a.loaded('foo'))
    a.must(a.load('foo-3.tls'))
    ok(a.active('foo') == '3' and a.loaded('foo') == ['2', '3'], 'and that of no other', a.loaded('foo'))


# 8. Refresh

def refresh(a):
    for g in 'abc':
        a.group(g, ['1', '2'])
    b = a.load('-a')
    ok(b.status == 0 and [a.active(g) for g in 'abc'] == ['2'] * 3 and len(b.out.splitlines()) == 3,
       'refresh loads the newest of every group', b)
    pids = [a.asked(g, ('pid',)) for g in 'abc']
    b = a.load('-a', '-q')
    ok(b.status == 0 and not b.out and not b.err and [a.asked(g, ('pid',)) for g in 'abc'] == pids,
       'where that is active nothing happens', b)
    good = (a.dir / 'b-2.tls').read_bytes()
    (a.dir / 'b-3.tls').write_bytes(good)
    a.pack('c', '3')
    a.tli('d', 'not a literal\n')
    (a.dir / 'd-1.tls').write_bytes(good)
    a.tli('e', {'Actors': {}})
    b = a.load('-a')
    ok(b.status == 6 and [a.active(g) for g in 'abc'] == ['2', '2', '3'] and 'b' in b.err and 'd.tli' in b.err,
       'one group\'s failure does not stop the others; the worst status counts', b)
    b = a.load('--all', 'a')
    ok(b.status == 2, '--all goes with no name', b)


# 9. Unload

def unload(a):
    tli = declared(OnLoad={'Role': 'foo', 'Message': 'on'}, OnDeactivate={'Message': 'off'},
                   OnReactivate={'Message': 'again'})
    a.group('foo', ['1', '2', '10'], tli)
    for v in '10', '1', '2':
        a.must(a.load('foo-%s.tls' % v))
    pids = {v: a.actors_of('foo', v)[0]['Pid'] for v in ('1', '2', '10')}
    hashes = {v: a.hash_of('foo', v) for v in pids}
    settled(a, 'foo', '1', '2', '10')
    b = a.load('--unload', hashes['1'])
    notes = a.notes.take()
    ok(b.status == 0 and a.active('foo') == '2' and a.loaded('foo') == ['10', '2'] and
       [n[2] for n in notes] == ['ActorExitRequest'], 'unloading what is not active re-activates and tells nothing', b, notes)
    b = a.load('--unload', hashes['2'])
    notes = settled(a, 'foo', '10')
    ok(b.status == 0 and a.active('foo') == '10' and a.asked('foo', ('pid',)) == pids['10'],
       'unloading the active one activates the highest version', b)
    ok([n[2:4] for n in notes if n[0] == '2'] == [('got', 'off'), ('ActorExitRequest',)],
       'its actors are told to deactivate, then to exit', notes)
    ok([n[3] for n in notes if n[0] == '10'] == ['again'], 'those of the other get OnReactivate', notes)
    a.must(a.load('foo-2.tls'))
    os.kill(pids['10'], signal.SIGKILL)
    until('it is gone', lambda: a.actors_of('foo', '10')[0]['ActorAddress'] is None, 10)
    settled(a, 'foo', '2')
    a.must(a.load('--unload', hashes['2']))
    notes = settled(a, 'foo', '10')
    ok([n[2:4] for n in notes if n[0] == '10' and n[2] == 'got'] == [('got', 'on')],
       'one that is gone is started anew with OnLoad', notes)
    b = a.load('--unload', 'f' * 32)
    ok(b.status == 4 and len(b.err.splitlines()) == 1, 'an unknown hash: 4', b)
    b = a.load('--unload', hashes['10'], hashes['10'])
    ok(b.status == 4 and a.loaded('foo') == [] == a.state()['Sources'], 'the last of a group leaves nothing', b)
    until('no process is left of it', lambda: not a.strays(), 10)


def goes_at_reactivation(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'Message': 'on'}, OnReactivate={'Message': ('exit',)}))
    a.must(a.load('foo'))
    a.group('foo', ['2'], declared(OnLoad={'Role': 'foo', 'Message': 'on'}))
    a.must(a.load('foo'))
    pid = a.actors_of('foo', '1')[0]['Pid']
    settled(a, 'foo', '1', '2')
    a.must(a.load('--unload', a.hash_of('foo', '2')))
    new = until('it is started anew', lambda: a.asked('foo', ('pid',), 0.5) not in (None, pid), 20)
    notes = got(settled(a, 'foo', '1'))
    ok(new and ('1', 'A', 'on') in notes, 'one that goes at re-activation is started anew with OnLoad', notes)


# 10. Restart

def restart(a):
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'}))
    a.must(a.load('foo'))
    at = [time.monotonic()]
    pid = a.asked('foo', ('pid',))
    for n in range(5):
        a.notes.take()
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        a.notes.wait(lambda notes: ('1', 'A', 'got', 'on') in notes)
        at.append(time.monotonic() - began)
        pid = until('the name is back', lambda: a.asked('@Foo', ('pid',)))
    gaps = at[1:]
    least = [0, .1, .2, .4, .8]
    ok(all(low <= gap for low, gap in zip(least, gaps)), 'at once, then after a delay that doubles', gaps)
    ok(a.asked('foo', ('pid',)) == pid, 'role and name are the new one\'s')
    b = a.admin('list')
    ok(b.status == 0 and '5' in b.out and 'again' in b.out, 'list says so', b)
    b = a.admin('status')
    ok(b.status == 0 and 'foo: m.a.A (foo), ' in b.out and 'started again 5 times' in b.out, 'status says so', b)
    while True:
        os.kill(a.asked('foo', ('pid',)), signal.SIGKILL)
        until('it is seen', lambda: a.ask('Status')['Restarted'][0]['Restarts'] > n + 1)
        n += 1
        said = a.ask('Status')['Restarted'][0]
        b = a.admin('status'), a.admin('list')
        if said.get('NextStart') and all(' next at 20' in x.out for x in b):
            break
        until('it is back', lambda: a.asked('foo', ('pid',)))
    ok(said['Group'] == 'foo' and said['ActorAddress'] is None, 'and when the next start is, as list does', said, b)
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(a.loaded('foo') == [] and a.ask('Status')['Restarted'] == [], 'what waits for a restart is unloaded as any')


SLOW_END = '''
class Slow:
    """A standard output that the process cannot end before while the file is there."""

    def write(self, text):
        return len(text)

    def flush(self):
        while os.path.exists(%r):
            time.sleep(0.005)
'''


def leaves_while_the_next_loads(a):
    """One that has taken its OnLoad message exits while the next is at its own, slowly or at once."""
    flag, ending = a.base / 'flag', a.base / 'ending'
    source = ACTOR.replace('    def do_spin', '''    def do_slow(self, sender):
        sys.stdout = Slow()
        self.send(self.myAddress, ActorExitRequest())

    def do_go(self, sender):
        self.send(self.myAddress, ActorExitRequest())

    def do_wait(self, sender):
        while os.path.exists(%r):
            time.sleep(0.005)

    def do_spin''' % str(flag))
    a.group('foo', ['1', '2', '3'], {'Actors': {
        'm.a.A': {'OnLoad': {'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'}},
        'm.a.B': {'OnLoad': {'Role': 'second', 'Message': ('wait',)}}}}, source=source, head='import time, os\n' + SLOW_END % str(ending))
    daemon = a.start().pid
    for version, how in ('1', 'slow'), ('2', 'go'), ('3', 'slow'):
        flag.touch()
        ending.touch()
        load = a.start_tool('tds-load', 'foo-%s.tls' % version)
        a.notes.wait_for(version, 'B', 'got', ('wait',))
        first = a.actors_of('foo', version)[0]
        a.ask('Tell', Target=first['ActorAddress']['ActorAddress'], Literal=repr((how,)))
        a.notes.wait_for(version, 'A', 'ActorExitRequest')
        if how == 'go':
            until('it is gone', lambda: a.actors_of('foo', version)[0]['ActorAddress'] is None)
        flag.unlink()
        b = a.end_tool(load)
        ok(b.status == 0 and a.active('foo') == version, 'its load goes on: %s' % how, b)
        if how == 'slow':
            ok(a.asked('@Foo', ('echo',), 0.2) is None, 'its name is not its own any more')
        ending.unlink()
        until('it is started again', lambda: (a.asked('@Foo', ('pid',), 1) or first['Pid']) != first['Pid'])
        ok(a.asked('foo', ('echo',)) == (version,) and a.pid == daemon, 'and it is started again, with its names')


def no_restart_of_inactive(a):
    a.group('foo', ['1', '2'])
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo-2.tls'))
    pid = a.actors_of('foo', '1')[0]['Pid']
    with a.watch() as w:
        os.kill(pid, signal.SIGKILL)
        w.event(lambda e: e.get('Event') == 'ActorExited')
        a.asked('foo', ('echo',))
        ok(a.actors_of('foo', '1')[0]['ActorAddress'] is None, 'an actor that is not active is not started again')


def parent_killed(a):
    """The actors of an active source are started again, whatever took them away."""
    a.group('foo', ['1'], declared(OnLoad={'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'}))
    a.must(a.load('foo'))
    pid = a.asked('foo', ('pid',))
    a.notes.take()
    os.kill(parent_of(pid), signal.SIGKILL)
    a.notes.wait(lambda notes: ('1', 'A', 'got', 'on') in notes, 20)
    until('it is active again', lambda: a.active('foo') == '1', 20)
    ok(a.asked('@Foo', ('echo',)) == ('1',) and a.state_of('foo') == {'1': True},
       'the parent of a source is killed: its actors come back', a.state())


def parent_killed_in_a_load(a):
    """What was active dies while the next one is on its way."""
    slow = ACTOR.replace("def __init__(self):", "def __init__(self):\n        note('slow')\n        time.sleep(0.7)")
    for number, (message, first) in enumerate([('x', False), ('x', True), (('raise', 'no'), False), (('raise', 'no'), True)]):
        group = 'foo%d' % number
        tli = dict(declared(OnLoad={'Role': group, 'Message': 'on'}), AutoUnload=True)
        a.group(group, ['1'], tli, head='# %s\n' % group)
        a.must(a.load(group))
        pid = a.asked(group, ('pid',))
        parent = parent_of(pid)
        tli = dict(declared(OnLoad={'Role': group, 'Message': message}), **({'Activate': 'ready-first'} if first else {}))
        a.group(group, ['2'], tli, source=slow, head='# %s\n' % group)
        p = a.start_tool('tds-load', group)
        a.notes.wait_for('2', 'slow')
        os.kill(parent, signal.SIGKILL)
        b = a.end_tool(p)
        a.notes.take()
        good = b.status == 0 and a.active(group) == '2' if message == 'x' else b.status == 1 and a.active(group) in ('1', None)
        ok(good and a.ask('Status')['Success'], 'the parent of what is active dies in a load: %s %s' % (message, first), b)
        a.tli(group, declared())
        b = a.load(group + '-1.tls')
        ok(b.status == 0 and a.active(group) == '1', 'and another load goes well', b)


def crash_loop(a):
    """An actor that always exits costs little, and can still be unloaded."""
    loop = ACTOR + 'class L(A):\n    def do_die(self, sender):\n        os._exit(1)\n'
    a.group('foo', ['1'], declared('m.a.L', OnLoad={'Role': 'foo'}), source=loop)
    a.must(a.load('foo'))
    for n in range(1, 7):
        with a.client() as c:
            until('it runs', lambda: c.ask('Tell', Target='foo', Literal="('die',)")['Success'])
        until('it went', lambda: a.actors_of('foo', '1')[0].get('Restarts', 0) >= n, 10)
    b = a.admin('ask', 'foo', '1'), a.admin('ask', '@foo', '1')
    ok([x.status for x in b] == [1, 1] and re.search('foo: its actor is not running, and is started again in [12] s$', b[0].err.strip())
       and 'no such role' in b[1].err, 'a question to it says when there will be one', b)
    b = a.admin('role', 'foo')
    ok(b.status == 1, 'a role whose actor is down has no address', b)
    ok(a.admin('list').status == 0, 'list goes on', a.admin('list'))
    b = a.load('--unload', a.hash_of('foo', '1'))
    ok(b.status == 0 and a.loaded('foo') == [], 'a source whose actor waits for its restart is unloaded', b)


# 11. TLS_Keep_Limit

def in_the_gap(a):
    """What is asked by role or global name while the one who has it changes is held, and goes to who comes."""
    slow = ACTOR.replace("        note(me, type(msg).__name__)\n", '''        note(me, type(msg).__name__)
        if isinstance(msg, ActorExitRequest):
            while os.path.exists(os.environ['TDS_TEST_NOTES'] + '.hold'):
                time.sleep(0.01)
''')
    more = {'Role': 'foo', 'GlobalName': 'name', 'Message': 'load'}
    a.group('foo', ['1', '2'], {'Actors': {'m.a.A': {'OnLoad': more}}}, source=slow)
    hold = a.base / 'notes.hold'
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo-2.tls'))
    first = a.actors_of('foo', '1')[0]['Pid']
    for gone in False, True:
        if gone:  # and the actor that is to come back must be started first
            a.must(a.load('foo-2.tls'))
            os.kill(first, signal.SIGKILL)
            until('it is gone', lambda: not a.actors_of('foo', '1')[0].get('Pid'))
        hold.write_text('')
        a.notes.take()
        old = a.actors_of('foo', '2')[0]['ActorAddress']['ActorAddress']
        with a.client() as u, a.client() as c1, a.client() as c2, a.client() as c3, a.client() as late:
            u.send(DirectorOp='UnloadSource', SourceHash=a.hash_of('foo', '2'))
            a.notes.wait_for('2', 'A', 'ActorExitRequest')
            c1.send(DirectorOp='Ask', Target='foo', Literal="('echo', 1)", Timeout=60)
            c2.send(DirectorOp='Ask', Target='@name', Literal="('echo', 2)", Timeout=60)
            c3.send(DirectorOp='Tell', Target='foo', Literal="'told'", Timeout=60)
            late = late.ask('Ask', Target='foo', Literal="('echo',)", Timeout=0.05)
            ok(late['Status'] == 9, 'one that is held waits as long as its asker', late)
            to_old = a.ask('Ask', Target=old, Literal="('echo',)", Timeout=60)
            ok(to_old['Status'] == 1, 'one to the address of an actor that exits fails at once', to_old)
            hold.unlink()
            answers = [c.line() for c in (c1, c2, c3)]
            ok([r.get('Literal') for r in answers] == ["('1', 1)", "('1', 2)", None] and answers[2]['Success'],
               'what is asked and told while its source is unloaded goes to the one before', answers)
            a.notes.wait_for('1', 'A', 'got', 'told')
            ok(u.line()['Success'], 'which is active then')
            notes = a.notes.take()
            ok(gone == (('1', 'A', 'got', 'load') in notes), 'and was started anew where it was gone', notes)
    hold.write_text('')
    with a.client() as u, a.client() as c:
        u.send(DirectorOp='UnloadSource', SourceHash=a.hash_of('foo', '1'))
        a.notes.wait_for('1', 'A', 'ActorExitRequest')
        c.send(DirectorOp='Ask', Target='foo', Literal="('echo', 1)", Timeout=60)
        until('it is held', lambda: a.ask('Status')['Clients'] >= 3)
        hold.unlink()
        ok(c.line()['Status'] == 1 and u.line()['Success'], 'where nothing comes back it fails')
    ok(a.ask('Ask', Target='foo', Literal='1')['Status'] == 1, 'and so does one that comes later')


def held_in_a_swap(a):
    """The same in a swap whose old actor exits when it is deactivated, and at a restart."""
    source = ACTOR.replace("        if isinstance(msg, tuple) and msg and hasattr", '''        if msg == 'wait':
            while os.path.exists(os.environ['TDS_TEST_NOTES'] + '.hold'):
                time.sleep(0.01)
        if msg == 'leave':
            sys.exit(0)
        if isinstance(msg, tuple) and msg and hasattr''')
    a.group('foo', ['1', '2'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': 'wait'}, 'OnDeactivate': {'Message': 'leave'}}}},
            source=source)
    hold = a.base / 'notes.hold'
    a.must(a.load('foo-1.tls'))
    hold.write_text('')
    with a.client() as u, a.client() as c:
        u.send(DirectorOp='LoadSource', Source='foo-2.tls')
        until('the old one is gone', lambda: not a.actors_of('foo', '1')[0].get('Pid'))
        c.send(DirectorOp='Ask', Target='foo', Literal="('echo', 1)", Timeout=60)
        until('the new one is at it', lambda: ('2', 'A', 'got', 'wait') in a.notes.all)
        hold.unlink()
        ok(c.line().get('Literal') == "('2', 1)" and u.line()['Success'], 'a swap loses no request either')
    a.notes.take()
    a.ask('Tell', Target='foo', Literal="'leave'")
    answers = []
    until('it answers', lambda: answers.append(a.ask('Ask', Target='foo', Literal="('echo',)", Timeout=0.5)) or answers[-1]['Success'])
    notes = [n[3] for n in a.notes.take() if n[2] == 'got']
    ok(notes == ['leave', 'wait'], 'an actor that is started again gets its OnLoad message', notes)


def ask_of_the_dead(a):
    """An Ask that nobody will get ends at once; one that was delivered waits."""
    a.group('foo', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': 'load'}}}}, source=ACTOR.replace(
        "    def do_spin", '''    def do_stop(self, sender):
        os.kill(os.getpid(), signal.SIGSTOP)

    def do_spin'''))
    a.must(a.load('foo'))
    actor = a.actors_of('foo', '1')[0]
    address, pid = actor['ActorAddress']['ActorAddress'], actor['Pid']
    ask = dict(Literal="('quiet',)", Timeout=60)
    with a.client() as c:
        c.send(DirectorOp='Tell', Target=address, Literal="('stop',)")
        c.line()
        until('it stops', lambda: run_state(pid) == 'T')
        # What its socket cannot take waits in the admin, and is known to be lost.
        full = "'%s'" % ('x' * 60000)
        for _ in range(30):
            ok(c.ask('Tell', Target=address, Literal=full)['Success'], 'told') if _ == 29 else c.ask('Tell', Target=address, Literal=full)
        with a.client() as asker:
            asker.send(DirectorOp='Ask', Target=address, **ask)
            a.ask('Status')
            os.kill(pid, signal.SIGKILL)
            r = asker.line()
            ok(r['Status'] == 1, 'an Ask that never reached the actor ends when that does', r)
        until('it is gone', lambda: a.actors_of('foo', '1')[0].get('Pid') not in (pid, None))
        r = c.ask('Ask', Target=address, **ask)
        ok(r['Status'] == 1, 'an Ask of a dead actor ends at once', r)
        r = c.ask('Ask', Target='foo', Literal="('quiet',)", Timeout=0.3)
        ok(r['Status'] == 9, 'one that was delivered waits for its time', r)


def keep_limit(a):
    a.group('foo', ['1', '2', '3', '4'], dict(declared(), TLS_Keep_Limit=2))
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo'))
    left = sorted(p.name for p in a.dir.glob('*.tls'))
    ok(left == ['foo-1.tls', 'foo-3.tls', 'foo-4.tls'], 'files beyond the limit go, but not what is loaded', left)


# 12. Shutdown

def shutdown(a):
    a.group('foo', ['1'], {'Actors': {'m.a.%s' % c: {'OnLoad': {'Role': c}, 'OnDeactivate': {'Message': 'off'}} for c in 'ABC'}})
    a.must(a.load('foo'))
    a.notes.take()
    b = a.admin('shutdown')
    notes = a.notes.take()
    ok(b.status == 0 and sorted(n[1:] for n in notes) == [(c, 'ActorExitRequest') for c in 'ABC'],
       'every actor gets an ActorExitRequest and no OnDeactivate', b, notes)
    ok(not a.processes() and not os.path.exists(a.socket_path), 'shutdown returns when all is gone', a.processes())
    a.start()
    ok(a.loaded('foo') == [], 'the next start is empty')
    a.must(a.load('foo'))
    with a.client() as c:
        c.ask('Tell', Target='A', Literal="('hang',)")
    a.notes.wait_for('1', 'A', 'got', ('hang',))
    began = time.monotonic()
    b = a.admin('shutdown', '--grace=3.5')  # longer than where it is not given
    took = time.monotonic() - began
    ok(b.status == 0 and took > 3.4 and not a.processes(), 'one that does not go is killed after the grace time', took, b)


# Extensions: Health, and Activate

def ready_first(a):
    tli = dict(declared(OnLoad={'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'}, OnDeactivate={'Message': 'off'},
                        Health={'Message': ('echo', 'well'), 'Timeout': 20}), Activate='ready-first')
    a.group('foo', ['1'], tli)
    a.must(a.load('foo'))
    a.notes.take()
    a.group('foo', ['2'], tli, source=ACTOR.replace("def __init__(self):", "def __init__(self):\n        note('asked')"))
    a.must(a.load('foo'))
    notes = [n[:4] for n in settled(a, 'foo', '1', '2') if n[2:3] == ('got',)]
    ok(notes == [('2', 'A', 'got', 'on'), ('1', 'A', 'got', 'off')], 'the new are ready before the old are told', notes)


def health_of_all(a):
    """Any answer but poison counts."""
    a.group('foo', ['1'], dict(declared(OnLoad={'Role': 'foo'}), Health={'Message': ('echo',), 'Timeout': 20}))
    ok(a.load('foo').status == 0, 'a health check of the whole group')


def a_module_is_its_class(a):
    one = "from thespian.actors import Actor\nfrom m.a import A\n\n\nclass Only(A):\n    pass\n"
    a.group('foo', ['1'], declared('m.one', OnLoad={'Role': 'foo'}), one=one, two=one + "class Other(Only):\n    pass\n")
    ok(a.load('foo').status == 0 and a.asked('foo', ('echo',)) == ('1',), 'a module stands for its one actor class')
    a.tli('bar', declared('m.two', OnLoad={'Role': 'bar'}))
    a.pack('bar', '1', one=one, two=one + "class Other(Only):\n    pass\n")
    b = a.load('bar')
    ok(b.status == 1 and 'm.two' in b.err, 'not where it defines two', b)


if __name__ == '__main__':
    run_cases(newest_and_named, from_elsewhere, tli_read_afresh, refusals_change_nothing,
              names_of_other_groups, order_of_load, messages_that_count, long_messages, global_names_move,
              name_in_use_by_actor, undone, undone_first, long_onload_is_taken, auto_unload,
              full_store, either_hash, unchanged, auto_unload_is_done, auto_unload_at_activation, refresh,
              unload, goes_at_reactivation, restart, leaves_while_the_next_loads, no_restart_of_inactive, parent_killed,
              parent_killed_in_a_load, crash_loop, in_the_gap, held_in_a_swap, ask_of_the_dead,
              keep_limit, shutdown, ready_first, health_of_all, a_module_is_its_class)
