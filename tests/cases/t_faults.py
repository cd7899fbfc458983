#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let each call that can fail do so once, in each tool, and hold the tool to its word. Prints TAP.

For each scenario and each kind of fault the Nth call fails, for N = 1, 2, 3, ... until there is none any more. Every
run must end with a documented status, say why where that is not 0, leave no half file and nothing temporary, and
where it is 0 do and print exactly what it does without a fault. TDS_FAULTS names the library that is preloaded.
"""
import errno
import itertools
import os
import shutil

from forge import Member, archive, package
from tap import KEYS, ROOT, director, done, folder, ok, run, tree

LIBRARY = os.environ.get('TDS_FAULTS', str(ROOT / 'build/plain/tests/faults.so'))
SANITIZED = 'asan' in os.environ.get('TDS_BIN', '')
FULL = int(os.environ.get('TDS_SCALE', '1')) >= 20
SHORT = 0
# A call that is interrupted or does a part must be taken up again: the user never hears of it.
UNHEARD = (errno.EINTR, SHORT)
FAULTS = [('read', errno.EIO), ('read', errno.EINTR), ('read', SHORT), ('write', errno.ENOSPC), ('write', errno.EINTR),
          ('write', SHORT), ('open', errno.EMFILE), ('open', errno.EACCES), ('close', errno.EIO), ('fsync', errno.EIO),
          ('rename', errno.EXDEV), ('fflush', errno.ENOSPC), ('memfd_create', errno.ENFILE), ('mmap', errno.ENOMEM)]
FAULTS += [] if SANITIZED else [('malloc', errno.ENOMEM)]  # the sanitizer's malloc is its own


def turns():
    """Which calls fail: all; but without the long counts only some of those after the first fifty."""
    return itertools.count(1) if FULL else itertools.chain(range(1, 51), itertools.count(51, 23))


def prepare(d):
    """A director directory with a key, a group of two packages and a limit of one, and sources beside it."""
    src = d.parent / 'src'
    (src / 'g').mkdir(parents=True)
    (src / 'g/__init__.py').write_text('A = 1\n')
    (src / 'g/actor.py').write_text('class Actor: pass\n' * 50)
    (src / 'g.tli').write_text("{'TLS_Keep_Limit': 1}\n")
    if os.geteuid() == 0:
        (d / 'actoruser.cfg').write_text('dynamic\n')  # glibc's own search for a user fails with a crash
    shutil.copyfile(KEYS / 'birch.pem', d.parent / 'key.pem')
    (d / 'g.tli').write_text("{'TLS_Keep_Limit': 1, 'AutoUnload': True}\n")
    (d.parent / 'odd.tli').write_text("{'Odd': f'{1+2:>5}' + '%s' % [2**70] if 1 < 2 else None, 'Odder': {}}\n")  # has warnings
    for version in (1, 2):
        made = archive(Member(b'g/__init__.py', b'V = %d\n' % version), Member(b'g/data', bytes(range(256)) * 300))
        (d / ('g-%d.tls' % version)).write_bytes(package(*made, KEYS / 'birch.pem'))
    for path in d.parent.rglob('*'):
        os.utime(path, (1700000000, 1700000000))


SCENARIOS = {
    'verify': ('tds-verify', '-C', 'director', 'director/g-1.tls', 'g'),
    'list': ('tds-verify', '-C', 'director', '-t', 'director/g-1.tls'),
    'member': ('tds-verify', '-C', 'director', '-x', 'g/data', 'director/g-1.tls'),
    'extract': ('tds-verify', '-C', 'director', '-d', 'out', 'director/g-1.tls'),
    'restore': ('tds-verify', '-C', 'director', '-o', 'out.zip', 'director/g-1.tls'),
    'avail': ('tds-avail', '-C', 'director'),
    'avail as JSON': ('tds-avail', '-C', 'director', '-j'),
    'avail --verify': ('tds-avail', '-C', 'director', '--verify'),
    'prune': ('tds-avail', '-C', 'director', '--prune'),
    'check': ('tds-admin', '-C', 'director', 'check'),
    'check as JSON': ('tds-admin', '-C', 'director', 'check', '-j', 'odd.tli', 'director/g.tli'),
    'pack': ('tds-gensrc', '-C', 'director', 'g', 'key.pem', 'src', 'version:2', 'g/*.py'),
}


class World:
    """A scenario, what it does where nothing fails, and what is there before it."""

    def __init__(self, name, model):
        self.tool, *self.args = SCENARIOS[name]
        self.model = model
        self.before = self.contents(model)
        with self.copy() as base:
            self.answer = self.start(base)
            self.after = self.contents(base)

    def copy(self):
        return Copy(self.model)

    def start(self, base, **env):
        return run(self.tool, *self.args, cwd=base, env={'SOURCE_DATE_EPOCH': '1700000000', **env})

    @staticmethod
    def contents(base):
        """What is there, but the cache, which may be old, new or gone."""
        return {k: v for k, v in tree(base).items() if not k.startswith('director/.tds')}

    def fault(self, call, turn, error):
        """Run with a fault. Returns what is wrong, None where all is well, False where the fault did not happen."""
        with self.copy() as base:
            mark = base.parent / (base.name + '.mark')
            a = self.start(base, LD_PRELOAD=LIBRARY, TDS_FAULT='%s:%d:%d' % (call, turn, error), TDS_FAULT_LOG=str(mark),
                           ASAN_OPTIONS='verify_asan_link_order=0:' + os.environ.get('ASAN_OPTIONS', ''))
            if not mark.exists():
                return False
            mark.unlink()
            return self.wrong(a, self.contents(base), error)

    def wrong(self, a, now, error):
        if a.status not in (0, 1, 2, 4, 5, 6, 7):
            return 'an undocumented end', a
        # A list may lack what could not be read, where a warning says so.
        told = self.tool == 'tds-avail' and ': warning: ' in a.err
        if a.status == 0 and (now != self.after or a.out != self.answer.out and not told):
            return 'says 0, and did not do all of it', a, sorted(set(now.items()) ^ set(self.after.items()))
        if a.status != 0 and not any(line.startswith(self.tool + ': ') for line in a.err.splitlines()):
            return 'fails without a word', a
        if a.status != 0 and error in UNHEARD:
            return 'is stopped by a call that only had to be repeated', a
        odd = {k: v for k, v in now.items() if v not in (self.before.get(k), self.after.get(k))}
        gone = {k for k in self.before if k in self.after and k not in now}
        if odd or gone:
            return 'leaves what is neither the old nor the new', a, odd, gone
        changed = {k for k, v in self.after.items() if v != self.before.get(k)}
        done = {k for k in changed if now.get(k) == self.after[k]}
        if self.tool == 'tds-gensrc' and done and done != changed:
            return 'changes only a part', a, done
        return None


class Copy:
    """A copy of a folder, gone afterwards."""

    def __init__(self, model):
        self.model, self.folder = model, folder()

    def __enter__(self):
        base = self.folder.__enter__() / 'base'
        return shutil.copytree(self.model, base)

    def __exit__(self, *why):
        return self.folder.__exit__(*why)


def main():
    with director('birch_tls.key') as d:
        prepare(d)
        for name in SCENARIOS:
            world = World(name, d.parent)
            if not ok(world.answer.status == 0, name + ' without a fault', world.answer):
                continue
            for call, error in FAULTS:
                faults, found = 0, None
                for turn in turns():
                    found = world.fault(call, turn, error)
                    if found is not None:
                        break
                    faults += 1
                what = '%s: %s, %s, %d times' % (name, call, errno.errorcode.get(error, 'short'), faults)
                ok(not found, what, 'the %dth' % turn, *(found or ()))
    done()


if __name__ == '__main__':
    main()
