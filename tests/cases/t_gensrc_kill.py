#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kill tds-gensrc at many moments: package and TLI are then the old or the new ones, and nothing else is listed.

Between the two the new TLI stands beside the old package, and never the other way round. Prints TAP. 400 times under
TDS_SCALE=20, a twentieth of that without; and at each call that writes. TDS_FAULTS names the library for that.
"""
import itertools
import os
import shutil
import signal
import subprocess
import time

from tap import BIN, KEYS, ROOT, director, done, ok, run

COUNT = 20 * int(os.environ.get('TDS_SCALE', '1'))
WRITTEN = ('g.tli', 'g-1.tls')
LIBRARY = os.environ.get('TDS_FAULTS', str(ROOT / 'build/plain/tests/faults.so'))


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
    return {n: (d / n).read_bytes() for n in WRITTEN if (d / n).is_file()}


def put(d, state):
    for n in WRITTEN:
        if (d / n).is_dir():
            (d / n).rmdir()
        (d / n).unlink(missing_ok=True)
        if n in state:
            (d / n).write_bytes(state[n])


def pair(d, states):
    """Which declaration and which package are there."""
    now = written(d)
    return tuple(next((k for k in states if now.get(n) == states[k].get(n)), 'torn') for n in WRITTEN)


def at_each_call(d, states):
    """Kill it before each call that writes, syncs or renames, and see what is there."""
    seen, calls = set(), []
    for call in 'write', 'fsync', 'rename':
        for turn in itertools.count(1):
            put(d, states['old'])
            mark = d.parent / 'mark'
            env = dict(ENV, LD_PRELOAD=LIBRARY, TDS_FAULT='%s:%d:%d' % (call, turn, -signal.SIGKILL), TDS_FAULT_LOG=str(mark),
                       ASAN_OPTIONS='verify_asan_link_order=0:' + os.environ.get('ASAN_OPTIONS', ''))
            p = subprocess.run(command(d, d.parent / 'new'), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seen.add(pair(d, states))
            if not mark.exists():
                break
            mark.unlink()
            calls.append((call, turn, p.returncode, pair(d, states)))
    ok(seen == {('old', 'old'), ('new', 'old'), ('new', 'new')} and all(c[2] == -signal.SIGKILL for c in calls),
       'killed at each of %d calls: both old, both new, or the new TLI alone' % len(calls), seen, calls)
    ok([c[3] for c in calls if c[0] == 'rename'] == [('old', 'old'), ('new', 'old')], 'the new TLI is alone for one call', calls)
    # Up to the first name that changes all is on the disk: only the folder is synced after it.
    ok([c[3] for c in calls if c[0] == 'fsync'] == [('old', 'old')] * 2 + [('new', 'new')] * 2, 'both are synced before', calls)


def not_written(d, states):
    """An error at the one leaves the other as it was."""
    got = {}
    for name, state, folder in (('the package cannot be written', 'old', 'g-1.tls'), ('the TLI cannot be written', 'old', 'g.tli'),
                                ('the first package cannot be written', 'none', 'g-1.tls')):
        put(d, states[state])
        (d / folder).unlink(missing_ok=True)
        (d / folder).mkdir()
        a = subprocess.run(command(d, d.parent / 'new'), env=ENV, capture_output=True)
        other = next(n for n in WRITTEN if n != folder)
        now = (d / other).read_bytes() if (d / other).exists() else None
        left = sorted(n for n in os.listdir(d) if n.startswith('.tds-tmp-'))
        ok(a.returncode == 5 and b'/%s: ' % folder.encode() in a.stderr and now == states[state].get(other) and not left,
           '%s: the other is as it was' % name, a, now, left)
    put(d, states['old'])


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
        torn, listed, ended, seen = [], [], 0, set()
        for i in range(COUNT):
            put(d, states['old'])
            ended += kill(d, d.parent / 'new', seconds * (0.1 + i / COUNT))
            now = pair(d, states)
            torn += [] if now in (('old', 'old'), ('new', 'old'), ('new', 'new')) else [(i, now)]
            seen.add(now)
            a = run('tds-avail', '-C', d, '-p')
            if (a.status, a.out.decode()) != (0, '%s/g-1.tls\n' % d):
                listed.append((i, a))
        ok(not torn, 'both are old or new, or the TLI alone is new, after %d kills, %d too late' % (COUNT, ended), torn[:5])
        ok(not listed, 'nothing else is listed', listed[:2])
        ok(('old', 'old') in seen, 'some kills came early enough', seen)
        at_each_call(d, states)
        left = [n for n in os.listdir(d) if n.startswith('.tds-tmp-')]
        a = subprocess.run(command(d, d.parent / 'new'), env=ENV, capture_output=True)
        now = sorted(n for n in os.listdir(d) if n != '.tds')
        ok(a.returncode == 0 and now == ['birch_tls.key', 'g-1.tls', 'g.tli'],
           'the next run removes what was left', a, len(left), now)
        not_written(d, dict(states, none={}))
    done()


if __name__ == '__main__':
    main()
