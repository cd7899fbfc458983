#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Root's admin process drops root: what it refuses, as whom actors run, and what they have of the admin's.

Prints TAP; needs root.
"""
import os

from adminlib import run_cases
from tap import done, ok

UNTOLD = ('%s/actoruser.cfg: root\'s admin process is to be told as whom actors run: '
          '"dynamic" (a uid for each group) or "root"')


def untold(a):
    """Root's admin process does not start before it is told as whom actors run, and makes nothing."""
    said = UNTOLD % a.dir
    (a.dir / 'actoruser.cfg').unlink()
    b = a.admin('start')
    ok(b == (4, '', 'tds-admin: %s\n' % said), 'start without a word', b)
    b = a.admin('start', '--foreground')
    ok(b == (4, '', 'tds-admin: %s\n' % said), 'and in the foreground', b)
    ok(not a.rundir.exists(), 'nothing is made', os.listdir(a.dir))
    b = a.admin('start', '--transient')
    ok(b.status == 0, 'a program\'s own system is the program\'s user\'s, root too', b)
    a.must(a.admin('shutdown'))
    a.dir.mkdir(exist_ok=True)
    a.actors('root')
    a.start()
    (a.dir / 'actoruser.cfg').unlink()
    b = a.admin('start')
    ok(b == (0, '', ''), 'where it runs nothing happens', b)
    b = a.admin('restart')
    ok(b.status == 4 and said in b.err and a.pid, 'a restart is refused before anything ends', b)


if __name__ == '__main__':
    if os.geteuid() != 0:
        ok(True, 'root drops root # skip not root')
        done()
    run_cases(untold)
