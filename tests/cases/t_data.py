#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Data folders: whose they are, who may come between, and how they go. Prints TAP."""
import os
import pwd

from adminlib import ACTOR, run_cases, until
from tap import ok

KEEPER = ACTOR.replace('    def do_spin', '''    def do_write(self, sender, name, text):
        with open(os.path.join(os.environ['TDS_DATA_DIR'], name), 'a+') as f:
            f.write(text)
            f.seek(0)
            self.send(sender, f.read())

    def do_where(self, sender):
        self.send(sender, (os.environ.get('TDS_DATA_DIR'), os.getuid()))

    def do_spin''')
IS_ROOT = os.geteuid() == 0


def modes(path):
    st = os.lstat(path)
    return st.st_uid, oct(st.st_mode & 0o7777)


def where(a, group='foo'):
    return a.asked(group, ('where',))


def same_for_all_versions(a):
    a.env['TDS_DATA_DIR'] = '/nowhere'
    a.group('foo', ['1', '2'], source=KEEPER)
    a.group('grüße & co', ['1'], source=KEEPER)
    a.must(a.load('foo-1.tls'))
    folder = a.dir / '.tds/data/foo'
    ok(where(a) == (str(folder), os.geteuid()) and modes(folder) == (os.geteuid(), '0o700'), 'its path is in the environment', where(a))
    ok(a.asked('foo', ('write', 'book', 'one ')) == 'one ', 'what an actor keeps')
    a.must(a.load('foo-2.tls'))
    ok(a.asked('foo', ('write', 'book', 'two')) == 'one two', 'the next version has')
    a.must(a.load('grüße & co'))
    ok(where(a, 'grüße & co')[0] == str(a.dir / '.tds/data/grüße & co'), 'any name of a group', where(a, 'grüße & co'))
    a.must(a.admin('shutdown', '--grace=1'))
    a.must(a.load('foo'))
    ok(a.asked('foo', ('write', 'book', '!')) == 'one two!', 'and so it is after a shutdown')


def in_interpreters_of_their_own(a):
    """A source with threads has each actor in a fresh interpreter."""
    a.group('foo', ['1'], source=KEEPER, head='import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n')
    a.must(a.load('foo'))
    ok(where(a)[0] == str(a.dir / '.tds/data/foo'), 'an actor in an interpreter of its own has it', where(a))


def of_another_user(a):
    if not IS_ROOT:
        return ok(True, 'actors of another user # SKIP only root has such')
    a.base.chmod(0o755)
    nobody = pwd.getpwnam('nobody').pw_uid
    (a.dir / 'actoruser.cfg').write_text('nobody\n')
    a.group('foo', ['1'], source=KEEPER)
    a.must(a.load('foo'))
    folder = a.dir / '.tds/data/foo'
    ok(where(a) == (str(folder), nobody) and modes(folder) == (nobody, '0o700') and modes(folder.parent) == (0, '0o711'),
       'the folder is the actors\' own', where(a), modes(folder), modes(folder.parent))
    ok(a.asked('foo', ('write', 'book', 'x')) == 'x', 'who can write in it')
    (a.dir / 'actoruser.cfg').write_text('daemon\n')
    b = a.admin('restart')
    ok(b.status == 1 and 'data/foo: belongs to uid %d' % nobody in b.err, 'a restart as a third user says so: 1', b)
    b = a.admin('list')
    ok('not running -- m.a.A (foo)  (never started)\n' in b.out, 'and the actor never ran since', b)
    a.must(a.admin('shutdown', '--grace=1'))
    b = a.load('foo')
    ok(b.status == 4 and 'data/foo: belongs to uid %d, and actors run as uid' % nobody in b.err and a.loaded('foo') == [],
       'actors of a third user do not get it: 4', b)
    a.must(a.admin('shutdown', '--grace=1'))
    os.chown(folder, 0, 0)
    b = a.load('foo')
    ok(b.status == 4 and 'data/foo: belongs to uid 0, and actors run as uid 1 (chown -R 1:1 hands it over)' in b.err and modes(folder)[0] == 0,
       'nor one in which actors of root\'s own have kept something', b)
    a.must(a.admin('shutdown', '--grace=1'))
    (folder / 'book').unlink()
    b = a.load('foo')
    ok(b.status == 0 and modes(folder)[0] == pwd.getpwnam('daemon').pw_uid, 'one that a crash left to the admin is handed over', b)
    return None


def elsewhere(a):
    """datadir.cfg: what is there must be ours alone, and no link."""
    place, other = a.base / 'place', a.base / 'other'
    other.mkdir()
    (a.dir / 'datadir.cfg').write_text('%s\n' % place)
    a.group('foo', ['1'], source=KEEPER)
    a.must(a.load('foo'))
    ok(where(a)[0] == str(place / 'foo') and not (a.dir / '.tds/data').exists(), 'another place, which is made', where(a))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    place.chmod(0o777)
    b = a.load('foo')
    ok(b.status == 4 and 'others may write it' in b.err and a.loaded('foo') == [], 'one that others may write: 4', b)
    place.chmod(0o711)
    (place / 'foo').rmdir()
    (place / 'foo').symlink_to(other)
    b = a.load('foo')
    ok(b.status == 4 and str(place / 'foo') in b.err and not list(other.iterdir()), 'a link in its place is not followed: 4', b)
    b = a.admin('forget', 'foo')
    ok(b.status == 0 and other.exists(), 'nor removed with what it leads to', b)
    (place / 'foo').unlink()
    place.rmdir()
    place.symlink_to(other)
    b = a.load('foo')
    ok(b.status == 4 and not list(other.iterdir()), 'nor is one in the place of all', b)
    place.unlink()
    (a.dir / 'datadir.cfg').write_text('%s/none/x\n' % a.base)
    a.must(a.admin('shutdown'))
    b = a.load('foo')
    ok(b.status == 5 and a.loaded('foo') == [], 'where none can be made nothing is loaded: 5', b)


def forgotten(a):
    a.group('foo', ['1', '2'], source=KEEPER)
    b = a.admin('forget', 'foo')
    ok(b.status == 8, 'without an admin: 8', b)
    a.start()
    for group in 'foo', 'bar', '.tds-away-1', '../store', 'x/y':
        b = a.admin('forget', group)
        ok(b.status == 4 and not b.out, 'nothing is kept of %s: 4' % group, b)
    ok(not (a.dir / '.tds/data').exists(), 'and nothing is made')
    b = a.admin('forget', 'fo')
    ok(b == (4, '', 'tds-admin: fo: no such group (did you mean "foo"?)\n'), 'a group that is nearly right', b)
    for version in '12':
        a.must(a.load('foo-%s.tls' % version))
    outside, folder = a.base / 'outside', a.dir / '.tds/data/foo'
    outside.mkdir()
    (outside / 'file').write_text('stays')
    (folder / 'in' / 'deeper').mkdir(parents=True)
    for path in folder / 'link', folder / 'in/link', folder / 'in/deeper/link':
        path.symlink_to(outside)
    (folder / 'in/deeper').chmod(0)
    b = a.admin('forget', 'foo')
    ok(b == (1, '', 'tds-admin: foo: group foo is loaded\n') and folder.exists(), 'while it is loaded: 1', b)
    for version in '12':
        a.must(a.load('--unload', a.hash_of('foo', version)))
    b = a.admin('forget', 'foo')
    ok(b == (0, '', '') and not list((a.dir / '.tds/data').iterdir()), 'nothing is left of it', b)
    ok((outside / 'file').read_text() == 'stays', 'and nothing else is touched')
    ok(a.desired('foo') == (None, []), 'nor is it remembered what was active', a.desired('foo'))
    b = a.admin('forget', 'foo')
    ok(b.status == 4, 'twice: 4', b)
    (a.dir / '.tds/data/.tds-away-1/in').mkdir(parents=True)
    a.crash()
    a.start()
    until('what was cut off goes', lambda: not list((a.dir / '.tds/data').iterdir()))
    ok(True, 'a removal that was cut off goes on at the next start')
    a.must(a.load('--hold', 'foo', '1'))
    a.must(a.admin('shutdown', '--grace=1'))
    a.start()
    b = a.admin('forget', 'foo')
    ok(b.status == 0 and a.desired('foo') == ('1', []), 'a hold stays', b, a.desired('foo'))
    ok(a.load('foo').status == 0 and a.active('foo') == '1' and folder.exists(), 'and what it is held at can be loaded')


def transient(a):
    (a.dir / 'datadir.cfg').write_text('%s\n' % (a.base / 'place'))
    a.group('foo', ['1'], source=KEEPER)
    a.start('--transient')
    a.must(a.load('foo'))
    folder = a.dir / '.tds/data/foo'
    ok(where(a)[0] == str(folder) and not (a.base / 'place').exists(), 'one that leaves nothing behind has it in its run directory', where(a))
    (folder / 'a/b/c/d').mkdir(parents=True)
    (folder / 'a/link').symlink_to(a.base)
    a.must(a.admin('shutdown', '--grace=1'))
    until('its run directory goes', lambda: not (a.dir / '.tds').exists())
    ok((a.base / 'birch.pem').exists(), 'and leaves what a link leads to')


if __name__ == '__main__':
    run_cases(same_for_all_versions, in_interpreters_of_their_own, of_another_user, elsewhere, forgotten, transient)
