#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Floors: nothing older than what was active is chosen for the user, whatever is deleted, shut down or killed.

Prints TAP.
"""
import json

from adminlib import run_cases
from t_daemon_faults import faulty
from tap import ok


def events(a, *names):
    return [(e['Event'], e.get('Version'), e.get('Message')) for e in a.events(*names)]


def floor_of(a, group='foo'):
    return json.loads((a.rundir / 'floor.json').read_text())['Groups'].get(group, {}).get('Version')


def floor(a):
    """What is older than what was active is chosen only where somebody says so."""
    one, two, three = a.group('foo', ['1', '2', '3'])
    a.must(a.load('-a'))
    ok(floor_of(a) == '3', 'the highest version that was active', floor_of(a))
    three.rename(a.base / three.name)
    why = 'is below the floor of group foo, version 3 (tds-load --allow-downgrade foo)'
    for args in ('-a',), ('foo',), ('foo.tli',):
        for dry in [], ['-n']:
            b = a.load(*dry, *args)
            ok(b.status == 1 and b.out == '' and ': foo-2.tls: %s\n' % why in b.err and a.active('foo') == '3', 'refused: %r' % (dry + [*args]), b)
    a.must(a.admin('shutdown', '--grace=1'))
    a.must(a.admin('start', '--fresh'))
    b = a.load('-a')
    ok(b.status == 1 and why in b.err and a.loaded('foo') == [], 'after shutdown and start --fresh, too', b)
    b = a.load('-n', '--allow-downgrade', 'foo')
    ok(b.status == 0 and b.out.startswith('Would load "foo" %s' % two), 'the option is foretold', b)
    b = a.load(one)
    ok(b.status == 0 and floor_of(a) == '3', 'a file that is named is not refused, and moves nothing', b)
    listed = a.admin('list', 'foo').out
    ok('floor 3' in listed, 'list says where it matters', listed)
    b = a.load('--allow-downgrade', '-a')
    ok(b.status == 0 and a.active('foo') == '2' and floor_of(a) == '2', 'where somebody says so, it is set', b, floor_of(a))
    ok(events(a, 'FloorLowered') == [('FloorLowered', '2', 'from version 3')], 'and said', events(a, 'FloorLowered'))
    ok(a.load('--allow-downgrade', '--hold', 'foo').status == 2, 'it does not go with others')


def floor_is_gone(a):
    """A floor.json that is deleted or damaged lets nothing pass that is chosen, and says what to do."""
    a.group('foo', ['1', '2'])
    a.must(a.load('foo-1.tls'))
    a.must(a.admin('shutdown', '--grace=1'))
    path = a.rundir / 'floor.json'
    path.unlink()
    why = 'the floor of group foo is lost, though it was active (tds-load --allow-downgrade foo)'
    said = 'tds-admin: %s: warning: %s\n' % (path, why)
    for word in 'start', 'status', 'check':
        b = a.admin(word)
        ok((said if word != 'check' else said.replace('warning: ', '')) in b.err and b.status == (word == 'check'), '%s says so' % word, b)
    for args in ('foo',), ('-n', 'foo'):
        b = a.load(*args)
        ok(b.status == 1 and why in b.err, 'deleted: %s' % args[0], b)
    a.must(a.admin('shutdown', '--grace=1'))
    path.write_text('{"Version": 1')
    b = a.admin('start')
    ok(b.status == 1 and str(path) in b.err and 'mend or remove it' in b.err, 'damaged: start says so', b)
    b = a.load('-a')
    ok(b.status == 4 and str(path) in b.err and a.loaded('foo') == [], 'and refuses', b)
    b = a.load('foo-1.tls')
    ok(b.status == 0 and path.read_text() == '{"Version": 1', 'but not a file that is named; nor is it written over', b)
    path.unlink()
    b = a.load('--allow-downgrade', 'foo')
    ok(b.status == 0 and a.active('foo') == '2' and floor_of(a) == '2', 'the way out', b)


def upgrade(a):
    """What a version without floors has left comes back by itself; a floor.json that is deleted later does not."""
    a.group('foo', ['1', '2'])
    a.must(a.load('foo'))
    a.must(a.admin('shutdown', '--grace=1'))
    path, desired = a.rundir / 'floor.json', a.rundir / 'desired.json'
    path.unlink()
    wanted = json.loads(desired.read_text())
    ok(wanted.pop('Floors') is True, 'desired.json says that floors are kept')
    desired.write_text(json.dumps(wanted))
    b = a.load('-n', '-a')
    ok(b.status == 0 and 'Would load "foo"' in b.out, 'foretold', b)
    b = a.load('-a')
    ok(b.status == 0 and a.active('foo') == '2' and floor_of(a) == '2', 'loaded without a word', b)
    a.must(a.admin('shutdown', '--grace=1'))
    path.unlink()
    ok([a.load(*args, '-a').status for args in (['-n'], [])] == [1, 1], 'deleted later, it is lost')


def killed(a):
    """The daemon dies before each rename, in turn: the floor is that of what is active, raised or set."""
    a.group('foo', ['1', '2'])
    wish, env = faulty(a)
    a.env.update(env)
    a.start()
    for before, after, operation in (('1', '2', ('LoadSource', {'Source': 'foo'})), ('2', '1', ('Hold', {'Group': 'foo', 'Version': '1'}))):
        bad, seen = [], set()
        turn, fired = 0, True
        while fired:
            turn += 1
            a.must(a.load('--hold', 'foo', before))
            a.must(a.load('--release', 'foo'))
            if after in a.loaded('foo'):
                a.must(a.load('--unload', a.hash_of('foo', after)))
            wish.ask('rename', turn, -9)
            with a.client() as c:
                c.ask(operation[0], **operation[1])
            fired = wish.end() > 0
            if fired:
                a.must(a.admin('start'))
            now = a.active('foo')
            seen.add(now)
            if floor_of(a) != now or a.groups()['foo'].get('Floor') != now:
                bad.append((turn, now, floor_of(a)))
        ok(not bad and seen == {'1', '2'} and turn > 3, 'killed at each write of a %s: the floor is what is active' % operation[0], seen, *bad)


if __name__ == '__main__':
    run_cases(floor, floor_is_gone, upgrade, killed)
