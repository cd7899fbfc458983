# SPDX-License-Identifier: MIT
"""Figures of running actors: each beside what it must beat.

That is real Thespian where PYTHONPATH leads to it, else its figures as they were measured on 2 cores; and forks of a
bare Python process, and two of those that bounce bytes.
"""
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import time

from adminlib import admin, cpu_ticks, parent_of, rss_kib
from figures import at_least, at_most, no_more_than, within
from memory import private_kib

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = (HERE / 'actorsource.py').read_text()
TLI = {'Actors': {'m.a.Director': {'OnLoad': {'Role': 'bench', 'Message': 'load'}}}}
# Medians of Thespian 4.0.1 on multiprocTCPBase, Python 3.11.
MEASURED = {'each_ms': 4, 'many_s': 1.67, 'asks_per_s': 1360, 'bounce_per_s': 2850, 'burst_per_s': 400, 'private_kib': 3.9 * 1024,
            'load_ms': 170}
FRAME = 38  # bytes of the message 'bounce' on a link


def python(program, *args):
    """The JSON that a program of this folder prints; None where it says that it cannot."""
    env = {'PATH': os.environ['PATH'], 'PYTHONPATH': os.environ.get('PYTHONPATH', '')}
    p = subprocess.run(['python3', '-B', str(HERE / program), *map(str, args)], env=env, capture_output=True, timeout=300)
    if p.returncode not in (0, 3):
        sys.exit('bench: %s: %s' % (program, p.stderr.decode()[-2000:]))
    return json.loads(p.stdout) if p.returncode == 0 else None


def thespian_figures():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    found = python('thespianside.py', port)
    print('# beside real Thespian, %s' % ('run here' if found else 'as measured before'), flush=True)
    print('# the machine had %.1f other things to do in the last minute; with one and more times prove nothing'
          % os.getloadavg()[0], flush=True)
    # Whatever slows Thespian down just now does not help us: of the two figures the better one is the mark.
    return {k: (max if k.endswith('per_s') else min)(v, (found or {}).get(k, v)) for k, v in MEASURED.items()}


def ask(a, *what):
    answer = a.asked('bench', what, 100)
    if answer is None:
        sys.exit('bench: no answer to %r' % (what,))
    return answer


def creation(a, theirs):
    bare = python('bare.py', 'fork', 50)
    each, many = [], []
    for _ in range(3):
        each += ask(a, 'each', 50)
        many.append(ask(a, 'many', 200))
    fork = statistics.median(bare['times']) * 1000
    ours = statistics.median(each) * 1000
    within('an actor created and answering | a bare fork, answering', ours, fork, 1.5)
    within('an actor created and answering | Thespian', ours, theirs['each_ms'], 1.5)
    within('200 actors created and answering | Thespian', statistics.median(many) * 1000, theirs['many_s'] * 1000, 300)
    kib = statistics.median(map(private_kib, ask(a, 'keep', 50)))
    within('private memory of an idle actor | a bare fork', kib, statistics.median(bare['kib']), 1536, 'KiB')
    within('private memory of an idle actor | Thespian', kib, theirs['private_kib'], 1536, 'KiB')


def messages(a, theirs):
    n = 3000
    ours, bare, asks = [], [], []
    for _ in range(5):
        ours.append(ask(a, 'bounce', n) / n * 1000)
        bare.append(python('bare.py', 'bounce', n, FRAME)['seconds'] / n * 1000)
        with a.client() as c:
            began = time.monotonic()
            for _ in range(n):
                c.ask('Ask', Target='bench', Literal="'quick'")
            asks.append(n / (time.monotonic() - began))
    at_least('asks from outside | Thespian', statistics.median(asks), theirs['asks_per_s'], 5)
    ours, bare = statistics.median(ours), statistics.median(bare)
    at_least('messages between two actors | Thespian', 2000 / ours, theirs['bounce_per_s'], 5)
    at_most('there and back between two actors | two bare Pythons', ours, bare, 2)


def burst(a, theirs):
    rates, daemon = [], a.pid
    for _ in range(5):
        seen, took = ask(a, 'burst', 10000)
        if seen != 10000:
            sys.exit('bench: of 10000 messages %d arrived' % seen)
        rates.append(seen / took)
    at_least('10,000 messages in a burst, all arriving | Thespian', statistics.median(rates), theirs['burst_per_s'], 100)
    within('the daemon after the burst | its limit', rss_kib(daemon) / 1024, 8, 8, 'MiB')


def thousand(a, theirs):
    ask(a, 'many', 1000 - 2)
    pid = a.pid
    watched = [pid, parent_of(pid)] + [p for p in a.processes() if parent_of(p) == pid]
    time.sleep(0.5)
    before = sum(map(cpu_ticks, watched))
    time.sleep(3)
    used = sum(map(cpu_ticks, watched)) - before
    within('the daemon with 1,000 actors | its limit', rss_kib(pid) / 1024, 8, 8, 'MiB')
    within('CPU in 3 s of the idle daemon, guardian and parents | a tick', used * 10, 10, 0)


def sandboxed(a, theirs):
    """What a sandbox costs: the same source under a profile and trusted, in turns.

    What else the machine does only adds, and more than what is looked for: so the least counts, of rounds that are short enough
    for some to be left alone.
    """
    for profile in 'default', 'trusted':
        tli = {'Actors': {'m.a.Director': {'OnLoad': {'Role': profile, 'Message': 'load'}}}, 'Sandbox': profile}
        a.group(profile, ['1'], tli, source=SOURCE)
        a.must(a.load(profile))
    each, rounds = {'default': [], 'trusted': []}, {'default': [], 'trusted': []}
    for _ in range(100):
        for profile in each:
            each[profile] += a.asked(profile, ('each', 4), 100)
            rounds[profile].append(a.asked(profile, ('bounce', 50), 100) / 50)
    held, free = (min(each[p]) * 1000 for p in ('default', 'trusted'))
    no_more_than('an actor created and answering, sandboxed | trusted', held, free, 0.3)
    held, free = (min(rounds[p]) for p in ('default', 'trusted'))
    at_most('there and back between two actors, sandboxed | trusted', held * 1e6, free * 1e6, 1.05, 'us')


def runs(n, command):
    """The median of n timed runs in ms; command gets the number of its run."""
    times = []
    for i in range(n):
        times.append(command(i))
    return statistics.median(times[1:]) * 1000


def timed(a, *args):
    began = time.monotonic()
    a.must(a.load('--no-start', *args))
    return time.monotonic() - began


def loading(a, theirs):
    a.tli('bench', TLI)
    packed = [a.pack('bench', 'v%d' % i, source=SOURCE) for i in range(12)]

    def load(i):
        time.sleep(0.5)  # nobody loads without pause: what the last load left to do is done
        return timed(a, packed[i].name)

    within('tds-load of a new version, OnLoad handled | Thespian', runs(12, load), theirs['load_ms'], 30)


def refreshing(a, theirs):
    for g in range(100):
        a.group('g%03d' % g, ['1'], {'Actors': {}})
    a.must(a.load('-a'))
    within('tds-load -a, 100 groups, nothing to do | its limit', runs(12, lambda i: timed(a, '-a')), 20, 20)


def actors(base):
    """All of the above, each with an admin process of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    theirs = thespian_figures()
    for section in (creation, messages, sandboxed, burst, thousand, loading, refreshing):
        only = os.environ.get('BENCH_ONLY')
        if only and section.__name__ not in only.split():
            continue
        with admin() as a:
            a.start()
            if section not in (sandboxed, loading, refreshing):
                a.group('bench', ['1'], TLI, source=SOURCE)
                a.must(a.load('bench'))
            section(a, theirs)
