#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fifty at a time of tds-gensrc, tds-avail --prune and tds-verify on one directory: no false error, no wrong result.

Prints TAP. For 30 s under TDS_SCALE=20, a twentieth of that without.
"""
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import threading
import time

from tap import BIN, CRASH, KEYS, director, done, ok, run

SECONDS = 1.5 * int(os.environ.get('TDS_SCALE', '1'))
AT_A_TIME = 50
GROUPS = 'a', 'b', 'a-b'
VERSIONS = range(1, 8)
LIMIT = 3
GONE = re.compile(r'(tds-verify: \S+/(a|b|a-b)-\d\.tls|tds-verify: (a|b|a-b)): .*')


def start(*argv):
    p = subprocess.run([str(BIN / argv[0]), *map(str, argv[1:])], capture_output=True, timeout=60,
                       env=dict(os.environ, SOURCE_DATE_EPOCH='1700000000'))
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def pack(d, rng):
    group, version = rng.choice(GROUPS), rng.choice(VERSIONS)
    status, out, err = start('tds-gensrc', '-q', '-j', '--no-check', '-C', d, group, d.parent / 'key.pem',
                             d.parent / 'src' / str(version), 'version:%d' % version, 'm/*.py', '--tli',
                             d.parent / 'src/any.tli')
    return status == 0 and not err, (status, out, err)


def prune(d, rng):
    status, out, err = start('tds-avail', '-C', d, '--prune', rng.choice(GROUPS))
    return status == 0, (status, out, err)


def verify(d, rng):
    """A package may be pruned before it is opened (4), but is never half."""
    group, version = rng.choice(GROUPS), rng.choice(VERSIONS)
    path = '%s/%s-%d.tls' % (d, group, version)
    status, out, err = start('tds-verify', '--strict', '-q', '-C', d, '-x', 'm/v.py', path)
    if status == 4:
        return not out and len(err.splitlines()) == 1, (status, out, err)
    return status == 0 and out == 'V = %d\n' % version and not err, (status, out, err)


def listing(d, _):
    status, out, err = start('tds-avail', '-C', d, '-p')
    names = re.fullmatch(r'(%s/(a|b|a-b)-\d\.tls\n)*' % re.escape(str(d)), out)
    return status == 0 and names and not err, (status, out, err)


def main():
    counts, bad, lock = {}, [], threading.Lock()
    with director('birch_tls.key') as d:
        shutil.copyfile(KEYS / 'birch.pem', d.parent / 'key.pem')
        (d.parent / 'key.pem').chmod(0o600)
        for version in VERSIONS:
            src = d.parent / 'src' / str(version)
            (src / 'm').mkdir(parents=True)
            (src / 'm/v.py').write_text('V = %d\n' % version)
            (src / 'm/data.py').write_text('X = %r\n' % os.urandom(20000).hex())
        (d.parent / 'src/any.tli').write_text("{'TLS_Keep_Limit': %d}\n" % LIMIT)
        for group in GROUPS:
            shutil.copyfile(d.parent / 'src/any.tli', d / (group + '.tli'))
        end = time.monotonic() + SECONDS

        def work(seed):
            rng = random.Random(seed)
            while time.monotonic() < end:
                what = rng.choice((pack, pack, prune, verify, verify, listing))
                good, why = what(d, rng)
                with lock:
                    counts[what.__name__] = counts.get(what.__name__, 0) + 1
                    if not good or CRASH.search(why[2]):
                        bad.append((what.__name__, why))

        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(work, range(AT_A_TIME)))
        ok(not bad, 'each run ends well: %s' % sorted(counts.items()), len(bad), *bad[:5])
        a = run('tds-avail', '-C', d, '--prune')
        left = {g: [n for n in os.listdir(d) if re.fullmatch(re.escape(g) + r'-\d\.tls', n)] for g in GROUPS}
        ok(a.status == 0 and all(0 < len(v) <= LIMIT for v in left.values()), 'the limit is kept in the end', a, left)
        names = [n for v in left.values() for n in v]
        a = run('tds-verify', '--strict', '-q', '-C', d, *(d / n for n in names))
        ok(a.status == 0, 'all that is left verifies', a)
        start('tds-gensrc', '--no-check', '-C', d, 'a', d.parent / 'key.pem', d.parent / 'src/1', 'm/*.py')
        ok(not [n for n in os.listdir(d) if n.startswith('.tds-tmp-')], 'nothing temporary is left', os.listdir(d))
    done()


if __name__ == '__main__':
    main()
