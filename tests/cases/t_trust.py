#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trust that is closed: strict modes where things start and load, as the tools and the admin process ask for them.

Prints TAP.
"""
import hashlib
import json
import os
import shutil
import subprocess

from adminlib import ACTOR, run_cases, until
from forge import Member, archive, package
from tap import KEYS, ok


def others_write(path, yes=True):
    mode = path.stat().st_mode & 0o7777
    path.chmod(mode | 0o002 if yes else mode & ~0o002)


def strict(a):
    """A directory, configuration file or declaration that others may write: 4; a key: left out."""
    a.group('foo', ['1', '2'])
    a.group('bar', ['1'])
    config = a.dir / 'logkeep.cfg'
    config.write_text('3\n')
    for path in config, a.dir, a.base:
        others_write(path)
        b = a.admin('start')
        ok(b == (4, '', 'tds-admin: %s: others may write %s\n' % ((a.dir, a.base) if path == a.base else (path, 'it')))
           and not a.rundir.exists(), 'no start with %s: 4' % path.name, b)
        others_write(path, False)
    a.start()
    others_write(config)
    b = a.admin('reload')
    ok(b.status == 1 and '%s: others may write it' % config in b.err, 'a reload leaves it as it was', b)
    others_write(config, False)
    others_write(a.dir / 'foo.tli')
    b = a.load('-a')
    ok(b.status == 4 and 'tds-load: foo: foo.tli: others may write it' in b.err and a.loaded('foo') == [] and a.active('bar') == '1',
       'a declaration: its group alone, 4', b)
    b = a.load('-n', 'foo')
    ok(b == (4, '', 'tds-load: foo: foo.tli: others may write it\n'), 'and foretold', b)
    others_write(a.dir / 'foo.tli', False)
    others_write(a.dir)
    for ask, why in ((lambda: a.load('foo').err, 'tds-load: %s: others may write it\n' % a.dir),
                     (lambda: a.ask('LoadSource', Source='foo').get('Message'), '%s: others may write it' % a.dir)):
        got = ask()
        ok(got == why and a.loaded('foo') == [], 'the directory, where the admin runs', got)
    others_write(a.dir, False)
    key = a.dir / 'birch_tls.key'
    others_write(key)
    b = a.load('foo')
    ok(b.status == 7 and a.loaded('foo') == [], 'a key is left out: 7', b)
    others_write(key, False)
    b = a.load('foo')
    ok(b.status == 0 and a.active('foo') == '2', 'all is well again', b)
    for tool, args in (('tds-avail', ['-p']), ('tds-admin', ['check']), ('tds-admin', ['config', '-j'])):
        others_write(config)
        b = a.run(tool, *args)
        ok(b.status == 0 and '%s: warning: others may write it' % config in b.err, '%s warns' % tool, b)
        others_write(config, False)


def lax(a):
    """strictmodes.cfg, root's own, makes warnings of it."""
    if os.geteuid() != 0:
        return
    a.group('foo', ['1'])
    switch = a.dir / 'strictmodes.cfg'
    switch.write_text('no\n')
    for path in a.dir / 'foo.tli', a.dir / 'birch_tls.key', a.dir:
        others_write(path)
    b = a.admin('start')
    ok(b == (0, '', 'tds-admin: %s: warning: others may write it\n' % a.dir), 'start warns', b)
    b = a.load('foo')
    ok(b.status == 0 and a.active('foo') == '1' and 'birch_tls.key: others may write it' in b.err, 'so does a load', b)
    os.chown(switch, 12345, 0)
    b = a.load('foo')
    ok(b == (4, '', 'tds-load: %s: belongs to uid 12345, and counts only where it is root\'s\n' % switch), 'it counts where it is root\'s', b)


# --- names that are not signed

def unsigned_names(a):
    """A package as the Director makes them is warned of when it becomes active, and refused where strictnames.cfg says so."""
    a.tli('foo', {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}})
    source = ("VERSION = 'x'\n" + ACTOR).encode()
    path = a.dir / 'foo-1.tls'
    path.write_bytes(package(*archive(Member(b'm/__init__.py', b''), Member(b'm/a.py', source)), str(a.key)))
    warning = "tds-load: foo: warning: has no signed group and version: its name could be another's\n"
    b = a.load('-a')
    ok(b.status == 0 and b.err == warning, 'the load warns', b)
    for args in ['-a'], ['foo', '-q'], ['-a', '-q']:
        path.touch()  # it is verified anew
        b = a.load(*args)
        ok(b == (0, b.out, ''), 'not where nothing changes, nor with -q: %r' % args, b)
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    (a.dir / 'strictnames.cfg').write_text('yes\n')
    b = a.load('foo')
    ok(b.status == 6 and 'which strictnames.cfg demands' in b.err and a.loaded('foo') == [], 'refused: 6', b)
    (a.dir / 'birch_tls.allow').write_text('f*\n-unsigned-names\n')
    b = a.load('foo')
    ok(b.status == 0 and b.err == '' and a.active('foo') == '1', 'its key vouches for it', b)


# --- revocation

STUBBORN = ACTOR.replace('''    def told(self, me, msg):''', '''    def told(self, me, msg):
        if isinstance(msg, ActorExitRequest):
            time.sleep(60)''')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def revoked_package(a):
    """What runs of it ends, also where its actors do not want to; the version before is active; it never comes back."""
    one, two = a.group('foo', ['1'])[0], a.pack('foo', '2', STUBBORN)
    for path in one, two:
        a.must(a.load(path))
    pid = a.actors_of('foo', '2')[0]['Pid']
    with a.watch() as w:
        (a.dir / 'revoked.cfg').write_text(sha256(two).upper() + '  foo-2.tls\n')
        got = w.event(lambda e: e.get('Event') == 'Revoked')
        w.event(lambda e: e.get('Event') == 'Activated')
    ok(got['Version'] == '2' and got['Message'] == 'is revoked' and 'By' not in got and not os.path.exists('/proc/%d' % pid),
       'what runs of it is gone', got)
    ok(a.active('foo') == '1' and a.loaded('foo') == ['1'] and a.asked('foo', ('echo',)) == ('1',), 'the version before is active')
    b = a.load('foo')
    ok(b == (7, '', 'tds-load: foo: foo-2.tls: is revoked\n') and a.active('foo') == '1', 'it is not loaded again: 7', b)
    audit = [e['Event'] for e in a.events(log='audit.log')]
    ok(audit[-3:] == ['Revoked', 'Activated', 'Refused'] and a.admin('log', '--audit').status == 0, 'all of it is audited', audit)


def revoked_key(a):
    """All that it has validated ends, by the digest of its file too; keys that are only gone end nothing."""
    one, two = a.group('foo', ['1', '2'])
    for path in one, two:
        a.must(a.load(path))
    key = a.dir / 'birch_tls.key'
    digest = next(iter(a.groups()['foo']['Sources'].values()))['KeySHA256']
    ok(all(s['KeySHA256'] == digest for s in a.state()['Sources']), 'the state says which key it was', a.state())
    key.rename(a.base / 'key')
    b = a.load(two)
    ok(b.status == 7 and a.loaded('foo') == ['1', '2'] and a.active('foo') == '2', 'a key that is gone stops loads, and ends nothing', b)
    (a.base / 'key').rename(key)
    with a.watch() as w:
        (a.dir / 'new').write_text('%s  %s\n' % (sha256(key), key.name))
        (a.dir / 'new').rename(a.dir / 'revoked.cfg')
        for _ in range(2):
            w.event(lambda e: e.get('Event') == 'Revoked' and e['Message'] == 'its key is revoked')
    until('nothing is loaded', lambda: a.loaded('foo') == [])
    ok(a.state()['Sources'] == [], 'nothing of it is loaded')


def revoked_while_away(a):
    """What is revoked while the admin process is dead does not come back; what still verifies does."""
    one, two = a.group('foo', ['1', '2'])
    for path in one, two:
        a.must(a.load(path))
    a.crash()
    (a.dir / 'revoked.cfg').write_text(sha256(two) + '\n')
    b = a.admin('start')
    ok(b.status == 1 and b.err == 'tds-admin: foo-2.tls: is revoked\n', 'start names it', b)
    ok(a.loaded('foo') == ['1'] and a.active('foo') == '1', 'the version before is active', a.loaded('foo'))


def not_understood(a):
    """A file that is not understood, or that others may write, refuses loads and ends nothing."""
    one, two = a.group('foo', ['1', '2'])
    a.must(a.load(one))
    config = a.dir / 'revoked.cfg'
    with a.watch() as w:
        config.write_text('%s\nnonsense\n' % sha256(one))
        got = w.event(lambda e: e.get('Event') == 'NotUnderstood')
        ok(got['File'] == 'revoked.cfg' and got['Message'] == 'revoked.cfg:2:1: not a SHA-256 digest', 'it is said', got)
        b = a.load(two)
        ok(b.status == 7 and a.loaded('foo') == ['1'], 'loads are refused, and nothing ends', b)
        (a.dir / 'new').write_text(sha256(one) + '\n')
        others_write(a.dir / 'new')
        (a.dir / 'new').rename(config)
        # One that is looked at while it is written may be told of twice.
        got = w.event(lambda e: e.get('Event') == 'NotUnderstood' and 'digest' not in e['Message'])
        ok('others may write it' in got['Message'], 'one that others may write', got)
        b = a.load(two)
        ok(b.status == 4 and a.loaded('foo') == ['1'], 'loads are refused, and nothing ends', b)
        others_write(config, False)
        w.event(lambda e: e.get('Event') == 'Revoked')
    ok(a.loaded('foo') == [], 'in the right hands it counts')


def not_understood_while_away(a):
    """After a crash it refuses the return of what was loaded, which is not forgotten, and comes back once it is mended."""
    for path in a.group('foo', ['1', '2']):
        a.must(a.load(path))
    a.crash()
    config = a.dir / 'revoked.cfg'
    config.write_text('nonsense\n')
    b = a.admin('start')
    ok(b.status == 1 and 'no key is trusted' in b.err, 'start says so', b)
    said = 'tds-admin: warning: %s:1:1: not a SHA-256 digest: no package is loaded before that is mended\n' % config
    ok(said in b.err and said == a.admin('status').err, 'so does status, and that nothing is loaded', b, a.admin('status'))
    ok(sorted(a.state_of('foo').items()) == [('1', False), ('2', True)] and a.active('foo') is None, 'nothing is forgotten', a.state())
    config.unlink()
    until('it is back', lambda: a.active('foo') == '2' and a.asked('foo', ('echo',)) == ('2',))
    ok(a.loaded('foo') == ['1', '2'], 'mended, all is back')


def by_looking(a):
    """A file that is a link to one elsewhere, of which the kernel tells nothing, is looked at."""
    one, = a.group('foo', ['1'])
    other = a.base / 'elsewhere'
    other.write_text('# none\n')
    (a.dir / 'revoked.cfg').symlink_to(other)
    a.must(a.load(one))
    with a.watch() as w:
        other.write_text(sha256(one) + '\n')
        w.event(lambda e: e.get('Event') == 'Revoked')
    ok(a.loaded('foo') == [], 'it ends')


# --- keys

def keys(a):
    """What tds-admin keys says of each key, with and without an admin process, and whatever is wrong with it."""
    for name in 'cedar', 'alder':
        shutil.copyfile(KEYS / (name + '_tls.key'), a.dir / (name + '_tls.key'))
        (a.dir / (name + '_tls.key')).chmod(0o644)
    (a.dir / 'junk_tls.key').write_text('junk')
    der = hashlib.sha256(subprocess.run(['openssl', 'pkey', '-pubin', '-in', a.dir / 'birch_tls.key', '-outform', 'DER'],
                                        check=True, stdout=subprocess.PIPE).stdout).hexdigest()
    one, = a.group('foo', ['1'])
    (a.dir / 'birch_tls.allow').write_text('f*\nbar\n-unsigned-names\n')

    def known():
        b = a.admin('keys', '-j')
        return {os.path.basename(k['File']): k for k in json.loads(b.out)['Keys']} if b.status == 0 else b
    got = known()
    birch = got['birch_tls.key']
    ok(list(got) == ['alder_tls.key', 'birch_tls.key', 'cedar_tls.key', 'junk_tls.key'] and (birch['SHA256'], birch['FileSHA256'])
       == (der, sha256(a.dir / 'birch_tls.key')) and (birch['Kind'], birch['Bits']) == ('RSA', 2048), 'which keys there are', got)
    ok(birch['Groups'] == ['f*', 'bar'] and birch['UnsignedNames'] and 'LastValidated' not in birch and 'Groups' not in got['cedar_tls.key'],
       'what they sign for', got)
    ok('short' in got['alder_tls.key']['Warnings'][0] and not got['junk_tls.key']['Counts'] and 'PEM' in got['junk_tls.key']['Reason'],
       'what is odd, and what is none', got)
    a.must(a.load('foo'))
    last = known()['birch_tls.key']['LastValidated']
    ok((last['Path'], last['Version'], last['SHA256']) == (str(one), '1', sha256(one)), 'what it validated', last)
    when = a.events('Loaded')[0]['Time']
    a.must(a.admin('shutdown', '--grace=1'))
    ok(known()['birch_tls.key']['LastValidated']['Time'] == when, 'and when, without an admin process too')
    (a.dir / 'revoked.cfg').write_text(der + '\n')
    others_write(a.dir / 'cedar_tls.key')
    got = known()
    ok([(k['Counts'], k['Revoked'], k.get('Reason')) for k in (got['birch_tls.key'], got['cedar_tls.key'])]
       == [(False, True, 'is revoked'), (False, False, 'others may write it')] and got['birch_tls.key']['LastValidated']['Time'] == when,
       'revoked, and left out', got)
    b = a.admin('keys')
    ok(b.status == 0 and 'birch_tls.key  RSA 2048 %s\n  does not count: is revoked\n  last validated foo-1.tls, %s\n' % (der, when) in b.out
       and 'alder_tls.key  RSA 1024' in b.out and '  signs for all groups\n' in b.out, 'as text', b)
    (a.dir / 'revoked.cfg').write_text('x\n')
    b = a.admin('keys')
    ok(b.status == 7 and b.out == '' and 'revoked.cfg:1:1: not a SHA-256 digest' in b.err, 'where nothing can be trusted that is said', b)


if __name__ == '__main__':
    run_cases(strict, lax, unsigned_names, revoked_package, revoked_key, revoked_while_away, not_understood, not_understood_while_away, by_looking, keys)
