#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes of an admin are killed in any order: nothing outlives it, and what was loaded comes back.

Prints TAP. 200 rounds under TDS_SCALE=20, a twentieth of that without; TDS_SEED gives a run again.
"""
import contextlib
import json
import os
import random
import signal
import time

from adminlib import ACTOR, SCALE, parent_of, run_cases, run_state, until
from tap import ok

ROUNDS = 10 * SCALE
SEED = int(os.environ.get('TDS_SEED', '1'))


def tli(group):
    return {'Actors': {k: {'OnLoad': {'Role': group + k[-1], 'GlobalName': group + k[-1], 'Message': 'on'}}
                       for k in ('m.a.A', 'm.a.B')}}


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def whole(a):
    """What is wrong with the state of a running admin."""
    groups, state = a.groups(), a.state()['Sources']
    wrong = []
    said = {(g, s['SHA256'], h == v['ActiveHash']) for g, v in groups.items() for h, s in v['Sources'].items()}
    kept = {(s['Group'], s['SHA256'], s['Active']) for s in state}
    if said != kept:
        wrong.append('it says %s, loaded.json %s' % (said, kept))
    if a.wrong_in_store():
        wrong.append('the store has wrong %s' % a.wrong_in_store())
    for g, v in groups.items():
        if not v['Loaded']:
            continue
        if not v['ActiveHash']:
            wrong.append('%s: nothing is active' % g)
            continue
        version = v['Sources'][v['ActiveHash']]['Version']
        for target in (g + 'A', '@%sB' % g):
            answer = a.asked(target, ('echo',), 2)  # one that was killed took its request with it
            if answer != (version,):
                wrong.append('%s answers %r instead of %s' % (target, answer, version))
    return wrong + a.leftovers() + sorted(a.strays().values())


def settled(a):
    """What stays wrong although the admin had time to bring it back: a restart may wait 30 s, and a quarter more."""
    end = time.monotonic() + 45
    while (wrong := whole(a)) and time.monotonic() < end:
        time.sleep(0.005)
    return wrong


def family(a):
    """The daemon, its guardian, all of their processes, its children, and other hosts; nothing where there are none."""
    daemon, everyone = a.pid, a.processes()
    guardian = parent_of(daemon)
    parents = [p for p in everyone if parent_of(p) == daemon]
    actors = [p for p in everyone if p not in (daemon, guardian) and p not in parents]
    return parents and actors and (daemon, guardian, everyone, parents, actors)


def rounds(a):
    rng = random.Random(SEED)
    for g in 'ab':
        a.group(g, ['1', '2', '3'], tli(g))
    a.must(a.load('-a'))
    bad = []
    for n in range(ROUNDS):
        before = {g: a.state_of(g) for g in 'ab'}
        # Where the round before killed the first host, all may only now be on its way back.
        daemon, guardian, everyone, parents, actors = until('hosts are there', lambda: family(a))
        busy = rng.choice((None, 'load', 'unload'))
        tool = None
        if busy == 'load':
            tool = a.start_tool('tds-load', '--no-start', '%s-%d.tls' % (rng.choice('ab'), rng.randint(1, 3)))
        elif busy == 'unload':
            g = rng.choice('ab')
            versions = a.loaded(g)  # none where all are on their way back
            tool = a.start_tool('tds-load', '--no-start', '--unload', a.hash_of(g, rng.choice(versions))) if versions else None
        if tool:
            time.sleep(rng.random() * 0.15)  # how far it gets is left to chance
        what = rng.choice(('daemon', 'guardian', 'both', 'parent', 'actor', 'actor', 'some'))
        victims = {'daemon': [daemon], 'guardian': [guardian], 'both': [guardian, daemon],
                   'parent': [rng.choice(parents)], 'actor': [rng.choice(actors)] if actors else [],
                   'some': rng.sample(list(everyone), rng.randint(1, len(everyone)))}[what]
        for pid in victims:
            kill(pid)
        ended = daemon in victims or guardian in victims
        if ended:
            old = set(everyone) - ({guardian} - set(victims))
            # Nobody starts it again where its guardian is dead: then what is new has to go as well.
            alone = guardian in victims
            with contextlib.suppress(Exception):
                until('all is gone', lambda: not (set(a.processes()) - ({tool.pid} if tool else set()) if alone
                                                  else old & set(a.processes())))
        answer = a.end_tool(tool) if tool else None
        if ended:
            left = a.processes() if alone else {p: c for p, c in a.processes().items() if p in old}
            if left:
                bad.append('round %d, %s: left %s' % (n, what, left))
            b = a.admin('start')
            if b.status != 0:
                bad.append('round %d, %s: start: %r' % (n, what, b))
            after = {g: a.state_of(g) for g in 'ab'}
            if not tool and after != before:
                bad.append('round %d, %s: was %s, came back as %s' % (n, what, before, after))
        wrong = settled(a)
        if wrong:
            bad.append('round %d, %s while %s (%s): %s' % (n, what, busy, answer, wrong))
        for g in 'ab':
            if not a.loaded(g):
                a.load(g)
        if len(bad) > 5:
            break
    ok(not bad, '%d rounds of kill -9, seed %d: all comes back, nothing is half done' % (ROUNDS, SEED), *bad[:6])
    b = a.admin('shutdown')
    ok(b.status == 0 and not a.processes() and not a.leftovers() and not os.path.exists(a.socket_path),
       'afterwards nothing is left', b, a.processes(), a.leftovers())


def comes_back(a):
    a.group('foo', ['1', '2', '3'], tli('foo'))
    for v in '2', '3', '1':
        a.must(a.load('foo-%s.tls' % v))
    a.must(a.load('foo-2.tls'))
    for name in 'foo-1.tls', 'foo-2.tls', 'foo-3.tls':
        os.unlink(a.dir / name)
    a.notes.take()
    a.crash()
    b = a.admin('start')
    ok(b.status == 0 and a.state_of('foo') == {'1': False, '2': True, '3': False},
       'what was loaded and active comes back, from the store', b, a.state())
    ok(a.asked('fooA', ('echo',)) == ('2',), 'it answers')
    notes = [n[:4] for n in a.notes.take() if n[2] == 'got']
    ok(('2', 'A', 'got', 'on') in notes, 'OnLoad runs as after a restart', notes)
    a.must(a.load('--unload', a.hash_of('foo', '2')))
    ok(a.active('foo') == '3', 'the highest version that came back is activated')


def what_does_not_come_back(a):
    a.group('foo', ['1'], tli('foo'))
    a.group('bar', ['1'], tli('bar'))
    a.must(a.load('-a'))
    a.crash()
    (a.dir / '.tds/store' / (next(s for s in a.state()['Sources'] if s['Group'] == 'foo')['SHA256'] + '.tls')).write_bytes(b'x')
    b = a.admin('start')
    ok(b.status == 1 and 'foo' in b.err and a.active('bar') == '1' and a.active('foo') is None,
       'a package of the store that does not verify is left out; start says so: 1', b)
    ok({s['Group'] for s in a.state()['Sources']} == {'bar'}, 'and is forgotten')
    a.crash()
    os.unlink(a.dir / 'birch_tls.key')
    b = a.admin('start')
    ok(b.status == 1 and 'tds-admin: bar-1.tls: ' in b.err and a.loaded('bar') == [], 'today\'s keys decide', b)


def damaged_state(a):
    a.group('foo', ['1'], tli('foo'))
    for text in 'x', '', '[]', '{"Version":1}', '{"Version":2,"Sources":[]}', '{"Version":1,"Sources":[{"Group":1}]}', \
                '{"Version":1,"Sources":[{}]}', '{"Version":1,"Sources":[1]}':
        (a.dir / '.tds').mkdir(mode=0o711, exist_ok=True)
        (a.dir / '.tds/loaded.json').write_text(text)
        b = a.admin('start')
        with contextlib.suppress(Exception):
            until('all is gone', lambda: not a.processes(), 5)
        ok(b.status in (1, 4, 5) and b.err.startswith('tds-admin: %s/.tds/loaded.json:' % a.dir) and not a.processes(), 'a damaged loaded.json: start refuses: %s' % text, b)
        ok((a.dir / '.tds/loaded.json').read_text() == text, 'and leaves it')
        if b.status == 0:
            a.admin('shutdown')
    ok(' (start --fresh begins anew)' in b.err, 'and says how to go on', b)
    (a.dir / '.tds/loaded.json').write_text('x')
    b = a.admin('start', '--fresh')
    ok(b.status == 0 and a.loaded('foo') == [], 'start --fresh begins anew', b)
    kept = [p.name for p in (a.dir / '.tds').iterdir() if p.is_file() and p.read_bytes() == b'x']
    ok(len(kept) == 1 and kept != ['loaded.json'], 'and moves it aside', kept)


def definitions_as_loaded(a):
    """Sources keep the definition that they were loaded with, and defined groups theirs, also after a crash."""
    a.group('foo', ['1'], "{'Actors': {'m.a.A': {'OnLoad': {'Role': 'fooA', 'Message': ['first', 2.5]}}}}")
    a.group('bar', ['1'])
    a.must(a.load('foo'))
    os.unlink(a.dir / 'bar.tli')
    defined = {'m.a.B': {'OnLoad': {'Role': 'barB', 'Message': 'defined'}}}
    ok(a.ask('DefineGroup', Group='bar', Actors=defined)['Success'], 'a group is defined')
    ok(a.ask('LoadSource', Source='bar-1.tls', Group='bar')['Success'], 'and loaded')
    a.tli('foo', {'Actors': {'m.a.C': {'OnLoad': {'Role': 'other', 'Message': 'second'}}}})
    a.notes.take()
    a.crash()
    b = a.admin('start')
    ok(b.status == 0, 'start brings both back', b)
    messages = [n[1:] for n in a.notes.take() if n[2] == 'got']
    ok(sorted(messages, key=repr) == [('A', 'got', ['first', 2.5]), ('B', 'got', 'defined')],
       'with the definitions that they were loaded with, not those of now', messages)
    ok(a.asked('fooA', ('echo',)) and a.asked('barB', ('echo',)) and not a.asked('other', ('echo',)), 'and their roles')
    a.must(a.load('--unload', a.hash_of('bar', '1')))
    a.ask('LoadSource', Source='bar-1.tls', Group='bar')
    ok(a.asked('barB', ('echo',)) == ('1',), 'a defined group is still defined')
    os.kill(a.actors_of('foo', '1')[0]['Pid'], signal.SIGKILL)
    stored = next((a.dir / '.tds/store').glob('*.tli'))
    for path, text in (stored, "{'Actors': }"), (stored, "{'Actors': 3}"), (a.dir / '.tds/groups.json', '{'), \
                      (a.dir / '.tds/groups.json', '{"Version":1,"Groups":{"bar":"{1"}}'):
        a.crash()
        good = path.read_text()
        path.write_text(text)
        b = a.admin('start')
        ok(b.status in (1, 4) and '%s' % path in b.err, 'a damaged one: start refuses and names it: %s' % text, b)
        until('nothing runs', lambda: not a.processes())
        path.write_text(good)
        a.start()
    a.crash()
    stored.unlink()
    b = a.admin('start')
    ok(b.status == 1 and stored.name in b.err and len(a.state()['Sources']) == 1, 'one that is missing: all else comes back', b)


def crash_while_it_comes_back(a):
    """What had not come back yet when the next crash came is not forgotten."""
    flag = a.base / 'flag'
    slow = 'import os, time\nopen(%r, "w").close()\nwhile os.path.exists(%r): time.sleep(0.01)\n' % (str(a.base / 'there'), str(flag))
    a.group('bar', ['1'], tli('bar'))
    a.group('foo', ['1'], tli('foo'), head=slow)
    a.group('zoo', ['1'], tli('zoo'))
    a.must(a.load('-a'))
    flag.write_text('')
    os.unlink(a.base / 'there')
    before = a.state()['Sources']
    a.crash()
    start = a.start_tool('tds-admin', 'start')
    until('a source is imported', (a.base / 'there').exists)
    ok(sorted(s['SHA256'] for s in a.state()['Sources']) == sorted(s['SHA256'] for s in before), 'all is still written down')
    for pid, line in a.processes().items():
        if line.startswith('tds-daemon'):
            os.kill(pid, signal.SIGKILL)
    a.end_tool(start)
    until('all is gone', lambda: not a.processes(), 5)
    flag.unlink()
    b = a.admin('start')
    ok(b.status == 0 and all(a.active(g) == '1' for g in ('foo', 'bar', 'zoo')), 'and comes back after the second crash', b)


def something_is_active(a):
    """Of what comes back the highest is active where the one that was is not there."""
    a.group('foo', ['1', '2', '3'], tli('foo'))
    for v in '2', '1', '3':
        a.must(a.load('foo-%s.tls' % v))
    a.crash()
    path = a.dir / '.tds/loaded.json'
    state = json.loads(path.read_text())
    state['Sources'] = [s for s in state['Sources'] if s['Version'] != '3']  # as in the middle of its unload
    path.write_text(json.dumps(state))
    b = a.admin('start')
    ok(b.status == 0 and a.state_of('foo') == {'1': False, '2': True} and a.asked('fooA', ('echo',)) == ('2',),
       'a crash in the middle of an unload: the highest of the others is active', b, a.state_of('foo'))
    stored = a.dir / '.tds/store' / (a.groups()['foo']['Sources'][a.hash_of('foo', '2')]['SHA256'] + '.tls')
    a.crash()
    stored.write_bytes(stored.read_bytes()[:-1] + b'?')
    b = a.admin('start')
    ok(b.status == 1 and a.state_of('foo') == {'1': True} and a.asked('fooA', ('echo',)) == ('1',),
       'the same where the one that was active does not verify any more', b, a.state_of('foo'))


def leftovers_do_not_block(a):
    (a.dir / '.tds').mkdir(mode=0o711)
    (a.dir / '.tds/lock').write_text('4711\n')
    (a.dir / '.tds/admin.sock').write_text('')
    (a.dir / '.tds/.tds-tmp-loaded.json-abc').write_text('half')
    (a.dir / '.tds/store').mkdir(mode=0o700)
    (a.dir / '.tds/store' / ('0' * 64 + '.tls')).write_text('nobody\'s')
    b = a.admin('start')
    ok(b.status == 0 and a.ask('Status')['Success'], 'a dead one\'s leftovers do not block', b)
    ok(not list((a.dir / '.tds/store').iterdir()), 'what nobody has is swept out of the store')


def daemonised_by_guardian(a):
    """A child that made itself a daemon dies with the admin, whichever way that goes."""
    a.group('foo', ['1'], tli('foo'), source=ACTOR.replace("    def do_spin", '''    def do_daemon(self, sender):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                subprocess.Popen(['sleep', '600'], start_new_session=True)
                note('daemon', os.getpid())
                while True:
                    signal.pause()
            os._exit(0)

    def do_spin'''))
    for what in 'daemon', 'guardian', 'both', 'shutdown':
        a.must(a.load('foo'))
        a.ask('Tell', Target='fooA', Literal="('daemon',)")
        a.notes.wait(lambda notes: [n for n in notes if n[1] == 'daemon'])
        a.notes.take()
        old = set(a.processes())
        if what == 'daemon':
            old -= {parent_of(a.pid)}
            kill(a.pid)
        elif what == 'guardian':
            kill(parent_of(a.pid))
        elif what == 'both':
            both = a.pid, parent_of(a.pid)
            os.kill(both[1], signal.SIGSTOP)  # it sees the daemon's end no more
            kill(both[0])
            kill(both[1])
            until('only they are left', lambda: len(a.processes()) <= 2)
            a.start()
            a.must(a.load('--unload', a.hash_of('foo', '1')))
            ok(not a.strays(), 'killed with its guardian: the next start kills what is left', a.strays())
            continue
        else:
            a.admin('shutdown', '--grace=1')
        with contextlib.suppress(Exception):
            until('all is gone', lambda: not old & set(a.processes()), 5)
        left = {p: c for p, c in a.processes().items() if what != 'daemon' or p in old}
        ok(not left, 'a child that made itself a daemon goes with it: %s' % what, left)
        a.start()
        a.load('--unload', *[h for h in a.groups().get('foo', {'Sources': {}})['Sources']])


def an_end_is_the_end_of_a_process(a):
    """The actors of a source whose process was killed: of each it is told when it is gone, not before."""
    a.group('foo', ['1'], tli('foo'), source=ACTOR.replace('    def do_spin', '''    def do_stay(self, sender):
        import ctypes
        self.much = b'x' * (150 << 20)  # takes a while to be given back
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # no death signal
        self.send(sender, 'stays')

    def do_spin'''))
    a.must(a.load('foo'))
    pids = {name: a.asked(name, ('pid',)) for name in ('fooA', 'fooB')}
    ok(all(a.asked(name, ('stay',), 60) == 'stays' for name in pids), 'two have no death signal')
    with a.watch() as w:
        kill(parent_of(pids['fooA']))
        for _ in pids:
            w.event(lambda e: e.get('Event') == 'ActorExited')
    live = [pid for pid in pids.values() if run_state(pid) not in 'ZX']
    ok(not live, 'when the end of the last is told both processes are gone', live)
    until('it comes back', lambda: a.asked('fooA', ('echo',), 2) == ('1',))


if __name__ == '__main__':
    run_cases(comes_back, what_does_not_come_back, definitions_as_loaded, something_is_active,
              crash_while_it_comes_back, damaged_state, leftovers_do_not_block, daemonised_by_guardian,
              an_end_is_the_end_of_a_process,
              rounds)
