#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packages across: those of tds-gensrc in the real Director, and its own here. Prints TAP.

Each kind of key and of format, both ways: verified, listed, extracted, refused once a byte is another, loaded, and their
actors told and asked. Needs the real Thespian (see tests/oracle/compare.py); what it once packed and said is recorded in
tests/vectors as well, and held against in t_vectors.py and t_sessions.py.
"""
import contextlib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys

import tap
from adminlib import Admin, Fault, until

sys.path.insert(0, str(tap.ROOT / 'tests/oracle'))
import compare  # noqa: E402
import play  # noqa: E402

KEYS = ('birch',) if 'asan' in str(tap.BIN) else ('alder', 'birch', 'cedar', 'dogwood', 'sorrel', 'yarrow')
FORMATS = ('ThespianDirectorFMT1', 'ViceroyFMT2')
SOURCE = {
    'm/__init__.py': '',
    'm/a.py': '''
import os
from thespian.actors import Actor, ActorSystemMessage
from m import told


class A(Actor):
    def receiveMessage(self, message, sender):
        if message == ('load', 1.5):
            told.tell('loaded')
        elif not isinstance(message, ActorSystemMessage):
            self.send(sender, ('answer', message))
''',
    'm/told.py': '''
import os


def tell(text):
    with open(os.path.join(os.environ['THESPIAN_DIRECTOR_DIR'], 'told'), 'a') as f:
        f.write(text + '\\n')
''',
    'm/b.py': '''
import asyncio
from m import told
from m.tdsasync import AsyncActor


class B(AsyncActor):
    async def receiveMessage(self, message, sender):
        if message == 'load':
            await asyncio.sleep(0.1)
            told.tell('loaded, by and by')
''',
    'm/tdsasync.py': (tap.ROOT / 'libexec/host/tdsasync.py').read_text(),  # as tdsasync(7) says
    'm/sub/__init__.py': 'TEXT = "\\u00e4\\u2260"\n',
}
TLI = """{'Actors': {'m.a.A': {'OnLoad': {'Role': 'chief', 'Message': ('load', 1.5)}},
            'm.b.B': {'OnLoad': {'Role': 'second', 'Message': 'load'}}},
 'AutoUnload': True}
"""
TOLD = {'loaded', 'loaded, by and by'}
FILES = ('m/*.py', 'm/sub/*.py')


class Real:
    """The real Director, with a director directory and a source folder below base."""

    def __init__(self, base, path):
        self.dir, self.src, self.path = base / 'director', base / 'src', path
        self.dir.mkdir(mode=0o755, exist_ok=True)
        for name, text in SOURCE.items():
            (self.src / name).parent.mkdir(parents=True, exist_ok=True)
            (self.src / name).write_text(text, 'utf-8')
        (self.src / 'foo.tli').write_text(TLI)
        (self.dir / 'adminport.cfg').write_text('%d\n' % play.free_port())

    def __call__(self, *args):
        """Run a command of it: (status, standard output)."""
        env = dict(os.environ, PYTHONPATH=self.path, THESPIAN_DIRECTOR_DIR=str(self.dir), TMPDIR=str(self.dir.parent),
                   PYTHONDONTWRITEBYTECODE='1')
        with open(self.dir.parent / 'said', 'w+', encoding='utf-8') as said:  # no pipe: its processes stay, and have it too
            p = subprocess.run([sys.executable, '-m', 'thespian.director', *map(str, args)], cwd=self.src, env=env,
                               stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.DEVNULL, timeout=tap.LIMIT_S,
                               check=False)
            said.seek(0)
            return p.returncode, said.read()


def key_of(name, folder):
    """The private key of that name, as tools want it."""
    path = folder / (name + '.pem')
    shutil.copyfile(tap.KEYS / path.name, path)
    path.chmod(0o600)
    return path


def members(text):
    """What a listing names, with its size."""
    return sorted(tuple(line.split()) for line in text.splitlines())


def altered(path):
    """The same package with one byte of its end another."""
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    other = path.with_name('foo-altered.tls')
    other.write_bytes(data)
    return other


@contextlib.contextmanager
def place(key, path):
    """The real one in a folder of its own, with a public key in its director directory, and its private key."""
    with tap.folder() as base:
        real = Real(base, path)
        shutil.copyfile(tap.KEYS / (key + '_tls.key'), real.dir / (key + '_tls.key'))
        yield real, key_of(key, base)


def verified(what, real, package, other, more=()):
    """Both sides say the same of a package, of its members (more: besides the sources), and of an altered one."""
    theirs, ours = real('tlsinfo', package), tap.run('tds-verify', '-C', real.dir, package)
    tap.ok(theirs[0] == 0 and ours.status == 0 and theirs[1] == ours.out.decode(), what + ' is verified', theirs, ours)
    theirs, ours = real('tlsinfo', package, 'contents'), tap.run('tds-verify', '-C', real.dir, '-t', '-v', package)
    tap.ok(theirs[0] == 0 and members(theirs[1]) == members(ours.out.decode()) and
           {name for _, name in members(theirs[1])} == {*SOURCE, *more}, what + ' has the members', theirs, ours)
    theirs, ours = real('tlsinfo', package, 'm/a.py'), tap.run('tds-verify', '-C', real.dir, '-x', 'm/a.py', package)
    tap.ok(theirs[1].strip() == ours.out.decode().strip() == SOURCE['m/a.py'].strip(), what + ' gives its files', theirs, ours)
    theirs, ours = real('tlsinfo', other), tap.run('tds-verify', '-C', real.dir, other)
    tap.ok(theirs[0] == 7 and ours.status == 7, what + ' is refused where it is altered', theirs, ours)


def packed(path):
    for key, form in itertools.chain(((k, FORMATS[0]) for k in KEYS), (('birch', f) for f in FORMATS[1:])):
        with place(key, path) as (real, private):
            a = tap.run('tds-gensrc', '-q', '-C', real.dir, 'foo', private, real.src, 'version:1.0', '--format=' + form,
                        'tli:foo.tli', *FILES, cwd=real.src)
            package = real.dir / 'foo-1.0.tls'
            tap.ok(a.status == 0, 'tds-gensrc packs with %s, %s' % (key, form), a)
            verified('a package of ours, %s, %s,' % (key, form), real, package, altered(package),
                     ['TDS-INF/foo.tli'] if form == FORMATS[0] else [])
            got = real('gensrc', 'foo', private, '.', 'version:2.0', 'fmt:' + form, 'tli:foo.tli', *FILES)
            package = real.dir / 'foo-2.0.tls'
            tap.ok(got[0] == 0 and package.exists(), 'the real gensrc packs with %s, %s' % (key, form), got)
            verified('a package of theirs, %s, %s,' % (key, form), real, package, altered(package))


def told(folder):
    """What actors have noted."""
    path = folder / 'told'
    return set(path.read_text().splitlines()) if path.exists() else set()


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def ours_there(path):
    """A package of ours, in a real Director that runs."""
    with place('birch', path) as (real, private):
        a = tap.run('tds-gensrc', '-q', '-C', real.dir, 'foo', private, real.src, 'version:1.0', 'tli:foo.tli', *FILES)
        tap.ok(a.status == 0, 'packed', a)
        name = md5(real.dir / 'foo-1.0.tls')
        try:
            tap.ok(real('start')[0] == 0, 'the real Director starts')
            got = real('load', 'foo')
            tap.ok(got[0] == 0 and name in got[1], 'it loads a package of ours, by the hash that ours has', got)
            tap.ok(until('its actors are told', lambda: told(real.dir) == TOLD), 'its actors take their OnLoad messages')
            got = real('list', 'foo')
            tap.ok('Source hash %s  [ACTIVE]' % name in got[1] and 'm.a.A (chief)' in got[1], 'and is listed', got)
            ed25519_there(real)
            got = real('list', 'foo')
            tap.ok('Source hash %s  [ACTIVE]' % name in got[1] and got[1].count('Source hash') == 1, 'what runs goes on', got)
        finally:
            real('shutdown')


def ed25519_there(real):
    """A package of an Ed25519 key is none to a Director that runs, though it has the key; it says "Loaded" of anything."""
    data = tap.ROOT / 'tests/unit/data'
    private = real.dir.parent / 'ed.pem'
    shutil.copyfile(data / 'rfc8032.pem', private)
    private.chmod(0o600)
    shutil.copyfile(data / 'rfc8032_tls.key', real.dir / 'ed_tls.key')
    a = tap.run('tds-gensrc', '-q', '-C', real.dir, 'foo', private, real.src, 'version:3.0', 'tli:foo.tli', *FILES)
    tap.ok(a.status == 0, 'packed by an Ed25519 key', a)
    got = real('tlsinfo', real.dir / 'foo-3.0.tls')
    tap.ok(got[0] != 0 and 'Validated' not in got[1], 'it does not verify there', got)
    real('load', 'foo')
    (real.dir / 'ed_tls.key').unlink()


def theirs_here(path):
    """A package of theirs, in an admin of ours."""
    with tap.folder() as base:
        a = Admin(base)
        try:
            real = Real(base, path)
            got = real('gensrc', 'foo', a.key, '.', 'version:1.0', 'tli:foo.tli', *FILES)
            tap.ok(got[0] == 0, 'the real gensrc packs', got)
            (a.dir / 'adminport.cfg').unlink()
            a.env['THESPIAN_DIRECTOR_DIR'] = str(a.dir)
            a.start()
            answer = a.load('foo')
            name = md5(a.dir / 'foo-1.0.tls')
            tap.ok(answer.status == 0 and name in answer.out, 'tds-load loads a package of theirs', answer)
            tap.ok(told(a.dir) == TOLD, 'its actors have taken their OnLoad messages', told(a.dir))
            tap.ok(a.asked('chief', {'x': [1]}) == ('answer', {'x': [1]}), 'and answers')
            answer = a.admin('list', 'foo')
            tap.ok(name in answer.out and 'm.a.A (chief)' in answer.out, 'and is listed', answer)
        finally:
            a.stop()


def main():
    path = compare.real_path()
    if path is None:
        tap.skip('the real Director', 'Thespian is not there: what is recorded is held against elsewhere')
    for case in (packed, ours_there, theirs_here) if path else ():
        try:
            case(path)
        except (Fault, OSError, subprocess.TimeoutExpired) as error:
            tap.ok(False, case.__name__ + ' goes through', error)
    tap.done()


if __name__ == '__main__':
    main()
