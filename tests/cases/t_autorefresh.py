#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""autorefresh.cfg: what comes into the director directory is loaded once it is whole, whoever wrote it and however. Prints TAP."""
import os
import shutil
import signal
import time

from adminlib import run_cases, until
from tap import ok

STALL_S = 1  # longer than it is waited for more of what comes together


def begin(a, *groups):
    (a.dir / 'autorefresh.cfg').write_text('yes\n')
    for group in groups:
        a.group(group, ['1'])
    a.start()


def elsewhere(a, group, version):
    """A package that is not in the director directory."""
    (a.base / 'made').mkdir(exist_ok=True)
    return a.pack(group, version, to=a.base / 'made' / ('%s-%d.tls' % (group, version)))


def comes(a, group, version, what):
    until(what, lambda: a.active(group) == version)
    ok(True, what)


def ways(a):
    """Renamed into place, written there, linked, declared afterwards; and nothing is loaded by the start itself."""
    begin(a, 'foo')
    ok(a.loaded('foo') == [], 'a start loads nothing')
    out = a.must(a.admin('status')).out
    ok('\npackages are loaded as they come (autorefresh.cfg)\n' in out, 'status says that they are', out)
    shutil.copy(elsewhere(a, 'foo', 2), a.dir / '.foo-2')
    os.rename(a.dir / '.foo-2', a.dir / 'foo-2.tls')
    comes(a, 'foo', '2', 'renamed')
    os.link(elsewhere(a, 'foo', 3), a.dir / 'foo-3.tls')
    comes(a, 'foo', '3', 'linked')
    os.symlink(elsewhere(a, 'foo', 4), a.dir / 'foo-4.tls')
    comes(a, 'foo', '4', 'linked by name')
    a.group('late', ['1'])
    comes(a, 'late', '1', 'a new group')


def whole(a):
    """One that is written slowly is not looked at before it is whole, and what comes meanwhile waits for it."""
    begin(a, 'foo', 'bar')
    data = elsewhere(a, 'foo', 2).read_bytes()
    with open(a.dir / 'foo-2.tls', 'wb') as f:
        for i in range(0, len(data), len(data) // 3):
            f.write(data[i:i + len(data) // 3])
            f.flush()
            if i == 0:
                a.pack('bar', 2)
                time.sleep(STALL_S)
        ok(a.loaded('foo') == [] and a.ask('Status')['Success'], 'nothing of it is loaded while it is written')
    comes(a, 'foo', '2', 'it is loaded when it is closed')
    comes(a, 'bar', '2', 'and what came meanwhile')
    ok(a.events('Refused') == [], 'nothing was refused', a.events('Refused'))


def refused(a):
    """What is refused is told, harms nothing, and is not in the way of what comes later."""
    begin(a, 'foo', 'bar')
    a.pack('foo', 2)
    comes(a, 'foo', '2', 'a good one')
    (a.dir / 'foo-3.tls').write_bytes(b'nothing of the kind')
    until('it is refused', lambda: [e.get('Path', '')[-9:] for e in a.events('Refused')] == ['foo-3.tls'])
    ok(a.active('foo') == '2', 'a bad one changes nothing')
    a.pack('bar', 2)
    comes(a, 'bar', '2', 'another group')
    a.pack('foo', 3)
    comes(a, 'foo', '3', 'it is mended')


def reload(a):
    """A reload turns it on and off; and after a death what came meanwhile is not missed."""
    a.group('foo', ['1'])
    a.start()
    a.must(a.load('foo'))
    (a.dir / 'autorefresh.cfg').write_text('yes\n')
    a.must(a.admin('reload'))
    a.pack('foo', 2)
    comes(a, 'foo', '2', 'on')
    daemon = a.pid
    os.kill(daemon, signal.SIGSTOP)
    a.pack('foo', 3)
    os.kill(daemon, signal.SIGKILL)
    until('another one is up', lambda: a.admin('status').status == 0)
    comes(a, 'foo', '3', 'what came before it died')
    (a.dir / 'autorefresh.cfg').write_text('no\n')
    a.must(a.admin('reload'))
    ok(a.ask('Status')['AutoRefresh'] is False, 'off')


if __name__ == '__main__':
    run_cases(ways, whole, refused, reload)
