#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trust that is closed: strict modes where things start and load, as the tools and the admin process ask for them.

Prints TAP.
"""
import os

from adminlib import run_cases
from tap import ok


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


if __name__ == '__main__':
    run_cases(strict, lax)
