#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds, releases and rollbacks by the tools: what is kept by refresh, restart, shutdown and prune; and a crash at any point.

Prints TAP. TDS_FAULTS names the library that lets the daemon die where it writes.
"""
from adminlib import SCALE, run_cases, until
from t_daemon_faults import faulty
from tap import ok


def echoes(a, version):
    return a.asked('foo', ('echo',)) == (version,)


def is_at(a, version, held):
    """Is this version active and, where held, held, as everything says that can say it?"""
    listed = a.groups()['foo'].get('Held') or {}
    sources = [s for s in a.state()['Sources'] if s['Group'] == 'foo' and s['Active']]
    return (echoes(a, version) and a.active('foo') == version and a.desired('foo')[0] == listed.get('Version')
            == (version if held else None) and ['HeldMs' in s for s in sources] == [held])


def survives(a):
    """A rollback stays, whatever comes; it needs no file, and the keys of now."""
    one, two = a.group('foo', ['1', '2'])
    for path in one, two:
        a.must(a.load(path))
    b = a.load('--rollback', 'foo')
    ok(b == (0, 'Rolled back "foo" %s: %s\n' % (one, a.hash_of('foo', '1')), '') and is_at(a, '1', True), 'back, and held', b)
    one.unlink()
    b = a.load('-a')
    ok(b.status == 0 and is_at(a, '1', True), 'a refresh keeps it', b)
    old = a.pid
    a.kill_daemon()
    until('another daemon', lambda: a.admin('status').status == 0 and a.pid != old)
    ok(is_at(a, '1', True), 'a restart keeps it')
    a.must(a.admin('shutdown', '--grace=1'))
    b = a.load('-a')
    ok(b.status == 0 and is_at(a, '1', True), 'a shutdown and a boot keep it, without its file', b)
    a.must(a.admin('shutdown', '--grace=1'))
    key = a.dir / 'birch_tls.key'
    key.rename(a.base / 'key')
    b = a.load('-a')
    ok(b.status == 7 and a.loaded('foo') == [], 'it is verified anew: without its key 7, and nothing else in its place', b)
    (a.base / 'key').rename(key)
    ok(a.load('foo').status == 0 and is_at(a, '1', True), 'its name means what it is held at')
    b = a.load('--release', 'foo')
    ok(b == (0, 'Released "foo"\n', '') and is_at(a, '1', False), 'released', b)
    b = a.load('-a')
    ok(b.status == 0 and is_at(a, '2', False), 'the next refresh has the newest', b)


def refused(a):
    one, two, three = a.group('foo', ['1', '2', '3'])
    a.must(a.load(two))
    for what, status, why in ((('--rollback', 'foo'), 4, 'foo: no version before foo-2.tls was active'),
                              (('--hold', 'foo', '7'), 4, 'foo: there is no foo-7.tls'),
                              (('--hold', 'bar'), 4, 'bar: no such group'), (('--release', 'bar'), 4, 'bar: no such group')):
        b = a.load(*what)
        ok(b == (status, '', 'tds-load: %s\n' % why) and is_at(a, '2', False), '%s: %d, nothing changed' % (' '.join(what), status), b)
    a.must(a.load(one))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    one.unlink()
    a.must(a.load(two))
    b = a.load('--rollback', 'foo')
    ok(b == (4, '', 'tds-load: foo: foo-1.tls is neither in the store nor in the director directory\n') and is_at(a, '2', False),
       'a rollback without the package: 4, nothing changed', b)
    b = a.load('--hold', 'foo')
    ok(b.status == 0 and is_at(a, '2', True), 'held where it is', b)
    why = 'group foo is held at version 2 (tds-load --release foo)'
    for what in ('foo',), ('foo.tli',), (three,), ('--unload', a.hash_of('foo', '2')):
        b = a.load(*what)
        ok(b.status == 1 and why in b.err and is_at(a, '2', True), '%s: 1, it is held' % what[-1], b)


def auto_unload(a):
    """Where each load unloads what was active before and deletes its file, there is a way back all the same."""
    for version in '123':
        a.group('foo', [version], {'AutoUnload': True, 'TLS_Keep_Limit': 1,
                                   'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': 'load'}}}})
        a.must(a.load('foo'))
    names = sorted(p.name for p in a.dir.glob('*.tls'))
    ok(names == ['foo-3.tls'] and a.loaded('foo') == ['3'], 'one version is there', names)
    b = a.load('--rollback', 'foo')
    ok(b.status == 0 and is_at(a, '2', True) and a.loaded('foo') == ['2'], 'the one before is back', b)
    ok(not a.wrong_in_store(), 'the store has what is wanted', a.wrong_in_store())
    a.must(a.admin('shutdown', '--grace=1'))
    kept = sorted(p.suffix for p in (a.dir / '.tds/store').iterdir())
    ok(kept == ['.tli', '.tli', '.tls', '.tls'], 'a shutdown leaves two', kept)


def prune(a):
    """What is held is not deleted, by the daemon nor by tds-avail, whether or not the admin runs."""
    a.group('foo', ['1', '2', '3'], {'TLS_Keep_Limit': 1, 'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': 'load'}}}})
    a.must(a.load('--hold', 'foo', '1'))
    left = lambda: sorted(p.name for p in a.dir.glob('*.tls'))  # noqa: E731
    ok(left() == ['foo-1.tls', 'foo-3.tls'], 'the load deletes what is neither new nor held', left())
    a.pack('foo', '2')
    a.must(a.admin('shutdown', '--grace=1'))
    desired = a.dir / '.tds/desired.json'
    text = desired.read_text()
    for bad in '{', text + '}':
        desired.write_text(bad)
        b = a.run('tds-avail', '--prune')
        ok(b.status == 5 and str(desired) in b.err and len(left()) == 3, 'where it cannot be read nothing is deleted: 5', b)
    desired.write_text(text)
    b = a.run('tds-avail', '--prune')
    ok(b.status == 0 and left() == ['foo-1.tls', 'foo-3.tls'], 'what it names stays', b, left())


def damaged(a):
    a.group('foo', ['1', '2'])
    a.must(a.load('--hold', 'foo', '1'))
    a.must(a.admin('shutdown', '--grace=1'))
    desired = a.dir / '.tds/desired.json'
    text = desired.read_text()
    for bad in '', text.replace('foo-1.tls', '../foo-1.tls'):
        desired.write_text(bad)
        b = a.admin('start')
        ok(b.status == 1 and str(desired) in b.err, 'a damaged desired.json is named by start', b)
        b = a.load('-a')
        ok(b.status == 4 and str(desired) in b.err and a.loaded('foo') == [], 'and a refresh refuses rather than guesses', b)
        store = sorted(p.suffix for p in (a.dir / '.tds/store').iterdir())
        ok(store == ['.tli', '.tls'], 'the store keeps what it has', store)
        desired.write_text(text)
        b = a.load('-a')
        ok(b.status == 0 and is_at(a, '1', True), 'mended, it counts at once', b)
        a.must(a.admin('shutdown', '--grace=1'))
    desired.write_text('{')
    b = a.admin('start', '--fresh')
    ok(b.status == 0 and (a.dir / '.tds/desired.json.old').read_text() == '{', 'start --fresh moves it aside', b)
    b = a.load('-a')
    ok(b.status == 0 and is_at(a, '2', False), 'and begins anew', b)


def killed(a):
    """The daemon dies before each rename and sync, in turn: what comes back is as before, or as it was to be."""
    a.group('foo', ['1', '2'])
    wish, env = faulty(a)
    a.env.update(env)
    a.start()
    for operation, before, after in ((('Rollback', {}), ('2', False), ('1', True)),
                                     (('Hold', {'Version': '1'}), ('2', False), ('1', True)),
                                     (('Hold', {}), ('2', False), ('2', True)),
                                     (('Release', {}), ('2', True), ('2', False))):
        bad, seen = [], set()
        for call in ('rename', 'fsync') if SCALE >= 20 else ('rename',):
            turn, fired = 0, True
            while fired:
                turn += 1
                a.must(a.load('--release', 'foo'))
                for version in '12':
                    a.must(a.load('foo-%s.tls' % version))
                if before[1]:
                    a.must(a.load('--hold', 'foo'))
                wish.ask(call, turn, -9)
                with a.client() as c:
                    b = c.ask(operation[0], Group='foo', **operation[1])
                fired = wish.end() > 0
                if not fired and not (b['Success'] and is_at(a, *after)):
                    bad.append((call, turn, 'done, but it is not'))
                if fired:
                    a.must(a.admin('start'))
                now = next((at for at in (before, after) if is_at(a, *at)), None)
                seen.add(now)
                if now is None or a.wrong_in_store() or a.leftovers():
                    bad.append((call, turn, b, a.active('foo'), a.desired('foo'), a.wrong_in_store()))
        ok(not bad and seen == {before, after}, 'killed at each write of %s: all or nothing' % operation[0], seen, *bad)


if __name__ == '__main__':
    run_cases(survives, refused, auto_unload, prune, damaged, killed)
