#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signals: only SIGTERM and SIGINT end an admin, in order; SIGHUP is a reload; all others do nothing to any of its processes.

Prints TAP.
"""
import contextlib
import os
import resource
import signal

from adminlib import ACTOR, parent_of, run_cases, status_of, until
from tap import ok

S = signal
FAULTS = {S.SIGSEGV, S.SIGBUS, S.SIGFPE, S.SIGILL, S.SIGTRAP, S.SIGSYS, S.SIGABRT}
JOBS = {S.SIGTSTP, S.SIGTTIN, S.SIGTTOU}
STOPS = {S.SIGKILL, S.SIGSTOP} | JOBS
ENDS = {S.SIGTERM, S.SIGINT}
HARMLESS = set(range(1, S.NSIG)) - FAULTS - STOPS - ENDS
ADMIN = HARMLESS | JOBS
LIBRARY = {32, 33}  # of the C library; no Python program can catch them
ACTORS = (HARMLESS | {S.SIGINT}) - LIBRARY - {S.SIGQUIT}
PARENTS = ACTORS | {S.SIGQUIT}

FAMILY = ACTOR + r'''
class P(A):
    """Has a child, and starts programs."""

    def do_have(self, sender):
        self.kid = self.createActor(B)
        self.send(sender, 'has it')

    def do_kid(self, sender):
        self.asker = sender
        self.send(self.kid, ('pid',))

    def do_pid(self, sender):
        self.send(sender, os.getpid())

    def do_child(self, sender):
        out = subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout
        lines = dict(line.split(':', 1) for line in out.splitlines())
        self.send(sender, {k: int(lines[k], 16) for k in ('SigIgn', 'SigBlk', 'SigCgt')})

    def do_write(self, sender, path):
        try:
            with open(path, 'wb') as f:
                f.write(b'x' * 100000)
            self.send(sender, 'written')
        except OSError as error:
            self.send(sender, error.errno)

    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            self.send(self.asker, msg)
        else:
            super().receiveMessage(msg, sender)
'''
ONE = {'Actors': {'m.a.P': {'OnLoad': {'Role': 'foo', 'Message': 'on'}}}}


def family(a):
    a.group('foo', ['1'], ONE, source=FAMILY)


def send(pids, signals):
    """Each signal to each process, and until all are delivered."""
    for pid in pids:
        for signum in signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            until('%d takes its signals' % pid, lambda: not any(int(status_of(pid)[k], 16) for k in ('SigPnd', 'ShdPnd')))


def gone(before, a):
    now = a.processes()
    return {pid: name for pid, name in before.items() if pid not in now}


def nobody_ends(a):
    (a.dir / 'thesplog.cfg').write_text("{'version': 1}")
    family(a)
    a.must(a.load('foo'))
    ok(a.asked('foo', ('have',)) == 'has it', 'an actor has a child')
    actors = [a.asked('foo', ('pid',)), a.asked('foo', ('kid',))]
    daemon, source = a.pid, parent_of(actors[0])
    first, guardian = parent_of(source), parent_of(daemon)
    logger = next(p for p, line in a.processes().items() if '/logger.py ' in line)
    (a.dir / 'foo-2.tls').write_bytes(b'none')  # it is refused, when a parent was made for it
    ok(a.load('foo-2.tls').status not in (0, 8), 'a load is refused')
    idle = until('a parent is there for the next load',
                 lambda: [p for p in a.processes() if p != source and parent_of(p) == first])
    whole = {'daemon': ([daemon], ADMIN), 'guardian': ([guardian], ADMIN),
             'first process of the host': ([first], PARENTS), "source's parent": ([source], PARENTS),
             'parent for the next load': (idle, PARENTS), 'logger': ([logger], PARENTS | ENDS),
             'actor': (actors[:1], ACTORS), 'child actor': (actors[1:], ACTORS)}
    ok(parent_of(first) == daemon and idle, 'all are found', whole)
    kept = {p: name for name, (pids, _) in whole.items() for p in pids}
    a.notes.take()
    for name, (pids, signals) in whole.items():
        send(pids, signals)
        left = gone(kept, a)
        ok(not left and a.asked('foo', ('echo', 1)) == ('1', 1), 'signals do nothing to: %s' % name, left)
        for pid in left:
            del kept[pid]
    now = [a.asked('foo', ('pid',)), a.asked('foo', ('kid',)), a.pid]
    ok(now == actors + [daemon] and not [n for n in a.notes.take() if 'made' in n], 'all are the same processes', now)
    a.group('bar', ['1'])
    ok(a.load('bar').status == 0 and a.asked('bar', ('echo',)) == ('1',), 'the next load works')
    os.kill(actors[1], S.SIGQUIT)
    a.notes.wait_for('1', 'B', 'ActorExitRequest')
    a.notes.wait_for('1', 'P', 'ChildActorExited')
    ok(True, 'SIGQUIT asks an actor to exit')


def in_order(a):
    """SIGTERM and SIGINT, once or as often as one likes, to either: actors are asked, and the status is 0."""
    family(a)
    for which in 'daemon', 'guardian':
        for signum in S.SIGTERM, S.SIGINT:
            for often in False, True:
                p = a.start_tool('tds-admin', 'start', '--foreground')
                until('it runs', lambda: a.admin('status').status == 0)
                a.must(a.load('foo'))
                a.notes.take()
                daemon = a.pid
                pid = daemon if which == 'daemon' else p.pid
                os.kill(pid, signum)
                with contextlib.suppress(ProcessLookupError):
                    while often and p.poll() is None:
                        os.kill(daemon, signum)
                        os.kill(p.pid, signum)
                b = a.end_tool(p)
                told = [n for n in a.notes.take() if n[-1] == 'ActorExitRequest']
                left = a.processes()
                ok((b.status, told) == (0, [('1', 'P', 'ActorExitRequest')]) and not left,
                   '%s to the %s%s: an end in order' % (signum.name, which, ', again and again' if often else ''),
                   b, told, left)


def at_once(a):
    """Asked to end before it is ready: it never dies of that."""
    bad = []
    for _ in range(5):
        p = a.start_tool('tds-admin', 'start', '--foreground')
        found = []
        while p.poll() is None and not (found := children(p.pid)):
            pass  # without a pause, to be early
        for pid in found:
            os.kill(pid, S.SIGTERM)
        b = a.end_tool(p)
        bad += [b] if b.status != 0 else []
    ok(not bad, 'SIGTERM at the very beginning: an end in order', *bad)


def children(pid):
    try:
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def before_handlers(a):
    """Signals that come before a Python has its handlers wait for them; those that only answer have none."""
    (a.dir / 'thesplog.cfg').write_text("{'version': 1}")
    family(a)
    tools = a.base / 'tools'
    tools.mkdir()
    gate = a.base / 'gate'
    os.mkfifo(gate)
    opened = os.open(gate, os.O_RDWR)  # until both have read: what is in it when nobody has it open is lost
    (tools / 'python3').write_text('#!/bin/sh\nPATH=%s\ncase $* in *--try|*version_info*) exec python3 "$@";; esac\n: >%s/began.$$\nread -r x <%s\n'
                                   'exec python3 "$@"\n' % (os.environ['PATH'], a.base, gate))
    (tools / 'python3').chmod(0o755)
    p = a.start_tool('tds-load', 'foo', env={'PATH': '%s:%s' % (tools, os.environ['PATH'])})
    began = until('the logger and the host begin', lambda: len(found := list(a.base.glob('began.*'))) == 2 and found)
    pids = [int(f.suffix[1:]) for f in began]
    for pid in pids:
        for signum in PARENTS:
            os.kill(pid, signum)
    os.write(opened, b'\n\n')
    b = a.end_tool(p)
    os.close(opened)
    alive = [pid for pid in pids if pid in a.processes()]
    ok(b.status == 0 and alive == pids and a.asked('foo', ('echo',)) == ('1',), 'signals wait until they can be taken',
       b, alive, pids, a.admin('log'))


def inherited(a):
    """What the one who starts it has ignored and blocked is neither the admin's nor the actors' own."""
    family(a)

    def odd():
        for signum in PARENTS:
            S.signal(signum, S.SIG_IGN)
        S.signal(S.SIGTERM, S.SIG_IGN)
        S.pthread_sigmask(S.SIG_BLOCK, S.valid_signals())
    p = a.start_tool('tds-admin', 'start', '--foreground', preexec_fn=odd)
    until('it runs', lambda: a.admin('status').status == 0)
    a.must(a.load('foo'))
    got = a.asked('foo', ('child',))
    ok(got == {'SigIgn': 0, 'SigBlk': 0, 'SigCgt': 0}, 'a program of an actor has all signals at their defaults', got)
    os.kill(p.pid, S.SIGTERM)
    b = a.end_tool(p)
    ok(b.status == 0 and not a.processes(), 'it ends as ever', b, a.processes())


def too_large(a):
    """Files that must not grow: an error for who writes, and no more."""
    (a.dir / 'actorlimits.cfg').write_text("{'fsize': 50000}\n")
    family(a)
    a.must(a.load('foo'))
    pid, daemon = a.asked('foo', ('pid',)), a.pid
    ok(a.asked('foo', ('write', str(a.base / 'file'))) == 27 and a.asked('foo', ('pid',)) == pid, 'an actor gets EFBIG')
    guardian = parent_of(daemon)
    before = a.state()
    for p in daemon, guardian:
        resource.prlimit(p, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    a.group('bar', ['1'])
    b = a.load('bar')
    ok(b.status == 5 and 'too large' in b.err, 'a load whose state cannot be written says so: 5, as on a full disk', b)
    ok(a.pid == daemon and a.asked('foo', ('echo',)) == ('1',) and a.state() == before, 'and harms nothing', a.loaded('bar'))
    for p in daemon, guardian:
        resource.prlimit(p, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    b = a.load('bar')
    ok(b.status == 0 and a.pid == daemon and a.loaded('bar') == ['1'], 'then all goes on', b)


if __name__ == '__main__':
    run_cases(nobody_ends, in_order, at_once, before_handlers, inherited, too_large)
