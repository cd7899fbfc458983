#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kill tds-gensrc at many moments: package and TLI are then the old or the new one, and nothing else is listed.

Prints TAP. 400 times under TDS_SCALE=20, a twentieth of that without.
"""
import os
import shutil
import signal
import subprocess
import time

from tap import BIN, KEYS, director, done, ok, run

COUNT = 20 * int(os.environ.get('TDS_SCALE', '1'))
WRITTEN = {'g-1.tls', 'g.tli'}


def prepare(base, name):
    """A source tree of some size, the same each time but for its name."""
    src = base / name
    (src / 'g').mkdir(parents=True)
    for i in range(20):
        (src / 'g' / ('m%d.py' % i)).write_text('NAME = %r\n' % name + ''.join('x%d = %d\n' % (k, k) for k in range(200)))
    (src / 'g.tli').write_text("{'AutoUnload': %r}\n" % (name == 'new'))


def command(d, src):
    return [str(BIN / 'tds-gensrc'), '-C', str(d), 'g', str(d.parent / 'key.pem'), str(src), 'version:1', 'g/*.py']


def written(d):
    return {n: (d / n).read_bytes() for n in WRITTEN if (d / n).exists()}


def kill(d, src, after):
    """Start it, kill it after so many seconds. Returns whether it had ended by itself."""
    p = subprocess.Popen(command(d, src), env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    p.send_signal(signal.SIGKILL)
    return p.wait() == 0


ENV = dict(os.environ, SOURCE_DATE_EPOCH='1700000000')


def main():
    with director('birch_tls.key') as d:
        shutil.copyfile(KEYS / 'birch.pem', d.parent / 'key.pem')
        states = {}
        for name in 'old', 'new':
            prepare(d.parent, name)
            began = time.monotonic()
            subprocess.run(command(d, d.parent / name), env=ENV, check=True, capture_output=True)
            seconds = time.monotonic() - began
            states[name] = written(d)
        ok(states['old'] != states['new'] and len(states['new']) == 2, 'old and new differ')
        torn, listed, ended, seen = [], [], 0, {name: set() for name in WRITTEN}
        for i in range(COUNT):
            for n in WRITTEN:
                (d / n).write_bytes(states['old'][n])
            ended += kill(d, d.parent / 'new', seconds * (0.1 + i / COUNT))
            now = written(d)
            for n in WRITTEN:
                which = [k for k in states if now.get(n) == states[k][n]]
                torn += [] if which else [(i, n)]
                seen[n].update(which)
            a = run('tds-avail', '-C', d, '-p')
            if (a.status, a.out.decode()) != (0, '%s/g-1.tls\n' % d):
                listed.append((i, a))
        ok(not torn, 'each file is the old or the new one after %d kills, %d too late' % (COUNT, ended), torn[:5])
        ok(not listed, 'nothing else is listed', listed[:2])
        ok(all('old' in s for s in seen.values()), 'some kills came early enough', seen)
        left = [n for n in os.listdir(d) if n.startswith('.tds-tmp-')]
        a = subprocess.run(command(d, d.parent / 'new'), env=ENV, capture_output=True)
        now = sorted(n for n in os.listdir(d) if n != '.tds')
        ok(a.returncode == 0 and now == ['birch_tls.key', 'g-1.tls', 'g.tli'],
           'the next run removes what was left', a, len(left), now)
    done()


if __name__ == '__main__':
    main()
