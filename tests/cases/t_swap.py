#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Swaps under load: a client asks a role and a global name without pause; nothing is lost, nothing done twice.

Prints TAP. 200 swaps under TDS_SCALE=20, a twentieth of that without.
"""
import collections
import os
import threading
import time

from adminlib import ACTOR, SCALE, run_cases, until
from tap import ok

SWAPS = 10 * SCALE
WORKER = ACTOR + r'''

class W(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'job':
            note('job', msg[1])
            self.send(sender, (VERSION, msg[1]))
        elif isinstance(msg, tuple) and msg[0] == 'health':
            if VERSION.endswith('9'):
                raise ValueError('ill')
            self.send(sender, 'well')
'''
TLI = {'Actors': {'m.a.W': {'OnLoad': {'Role': 'foo', 'GlobalName': 'Foo', 'Message': 'on'},
                            'OnDeactivate': {'Message': 'off'}, 'Health': {'Message': ('health',), 'Timeout': 20}}},
       'Activate': 'ready-first', 'AutoUnload': True}


def swaps(a, ill):
    a.group('foo', ['0'], TLI, source=WORKER)
    a.must(a.load('foo'))
    versions = [n for n in range(1, 10 * SWAPS) if ill or n % 10 != 9][:SWAPS]
    asked, failed, slow = [], [], []
    stop = threading.Event()

    def client(target, name):
        with a.client() as c:
            n = 0
            while not stop.is_set():
                n += 1
                job = '%s%d' % (name, n)
                began = time.monotonic()
                r = c.ask('Ask', Target=target, Literal=repr(('job', job)), Timeout=20)
                slow.append(time.monotonic() - began)
                asked.append(job)
                if not r.get('Success') or eval(r['Literal'])[1] != job:
                    failed.append((job, r))
                stop.wait(0.005)

    threads = [threading.Thread(target=client, args=args) for args in (('foo', 'r'), ('@Foo', 'n'))]
    for t in threads:
        t.start()
    wrong, refused = [], 0
    try:
        for n in versions:
            path = a.pack('foo', n, source=WORKER)
            b = a.load(path)
            if ill and n % 10 == 9:
                refused += b.status == 1
                wrong += [] if b.status == 1 and a.active('foo') != str(n) else [(n, b)]
            else:
                wrong += [] if b.status == 0 and a.active('foo') == str(n) else [(n, b)]
            os.unlink(path)
    finally:
        stop.set()
        for t in threads:
            t.join()
    until('the old ones are unloaded', lambda: len(a.loaded('foo')) == 1, 20)
    done_jobs = collections.Counter(n[2] for n in a.notes.take() if n[1] == 'job')
    what = '%d swaps%s, %d requests' % (SWAPS, ', of which %d fail their health check' % refused if ill else '', len(asked))
    ok(not wrong, what + ': each load says what is true', *wrong[:5])
    ok(not failed, what + ': none is lost', len(failed), *failed[:5])
    ok(set(done_jobs) == set(asked) and set(done_jobs.values()) == {1}, what + ': none is done twice',
       [j for j, k in done_jobs.items() if k > 1][:5], list(set(asked) - set(done_jobs))[:5])
    ok(len(asked) > SWAPS, what + ': slowest %.2f s' % max(slow))
    until('no process is left of the old ones', lambda: not a.strays(), 20)


def swaps_of_well_ones(a):
    swaps(a, False)


def swaps_of_some_ill_ones(a):
    swaps(a, True)


if __name__ == '__main__':
    run_cases(swaps_of_well_ones, swaps_of_some_ill_ones)
