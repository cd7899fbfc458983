#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The example keeps its book in the group's data folder: as a service user, and where nothing else can be written.

Prints TAP.
"""
import contextlib
import os
import pwd
import subprocess

from adminlib import run_cases
from tap import ROOT, ok

IS_ROOT = os.geteuid() == 0


def pack(a, version):
    a.must(a.run('tds-gensrc', '-q', 'stock', a.key, ROOT / 'examples', 'version:%s' % version, 'stock/*.py'))


def count_of(a, op, **more):
    return a.asked('stock', dict(op=op, item='bolt', **more))


def keeps_its_book(a, journal):
    """A count outlives a new version, the admin process and a rollback, in this file."""
    first = count_of(a, 'add', count=7) == {'item': 'bolt', 'count': 7}
    a.must(a.load('stock-2.tls'))
    second = count_of(a, 'take', count=2) == {'item': 'bolt', 'count': 5}
    a.must(a.load('--rollback', 'stock'))
    third = count_of(a, 'count') == {'item': 'bolt', 'count': 5}
    a.must(a.admin('shutdown', '--grace=1'))
    a.must(a.load('-a'))
    return first and second and third and count_of(a, 'count')['count'] == 5 and a.active('stock') == '1' \
        and journal.read_text().splitlines() == ['["bolt", 7]', '["bolt", -2]']


def as_a_service_user(a):
    if not IS_ROOT:
        return ok(True, 'as a service user # SKIP only root runs actors as another user')
    a.base.chmod(0o755)
    (a.dir / 'actoruser.cfg').write_text('nobody\n')
    for version in '12':
        pack(a, version)
    a.must(a.load('stock-1.tls'))
    journal = a.dir / '.tds/data/stock/stock.journal'
    ok(keeps_its_book(a, journal), 'as a service user it keeps its book', count_of(a, 'list'))
    ok(journal.stat().st_uid == pwd.getpwnam('nobody').pw_uid, 'which is that user\'s')
    return None


@contextlib.contextmanager
def read_only(path):
    """Nothing can be written in it. False: that cannot be had here."""
    if not IS_ROOT:
        path.chmod(0o555)
        yield True
        path.chmod(0o755)
        return
    done = all(subprocess.run(['mount', *args, path], stderr=subprocess.DEVNULL).returncode == 0
               for args in (['--bind', path], ['-o', 'remount,bind,ro']))
    try:
        yield done
    finally:
        subprocess.run(['umount', '-l', path], stderr=subprocess.DEVNULL)


def in_a_read_only_directory(a):
    run = a.base / 'run'
    (a.dir / 'rundir.cfg').write_text('%s\n' % run)
    for version in '12':
        pack(a, version)
    with read_only(a.dir) as done:
        if not done:
            return ok(True, 'in a read-only director directory # SKIP nothing can be mounted here')
        a.rundir = run
        a.must(a.load('stock-1.tls'))
        ok(keeps_its_book(a, run / 'data/stock/stock.journal'), 'in a read-only director directory it keeps its book')
        a.must(a.admin('shutdown', '--grace=1'))
    return ok(not (a.dir / '.tds').exists() and not list(a.dir.glob('*.journal')), 'nothing is written there', list(a.dir.iterdir()))


def in_a_sandbox(a):
    (a.dir / 'sandbox.cfg').write_text('default\n')
    a.env['TDS_LANDLOCK_ABI'] = '2'  # Debian 12
    for version in '12':
        pack(a, version)
    a.must(a.load('stock-1.tls'))
    ok(keeps_its_book(a, a.dir / '.tds/data/stock/stock.journal'), 'in the sandbox that tds-admin setup sets up it keeps its book')


if __name__ == '__main__':
    run_cases(as_a_service_user, in_a_read_only_directory, in_a_sandbox)
