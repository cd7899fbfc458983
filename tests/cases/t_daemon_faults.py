#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let each call of the daemon that can fail do so once, while it loads, asks, unloads and restores. Prints TAP.

For each of these and each kind of fault the Nth call fails, for N = 1, 2, 3, ... as far as there are any. Whatever fails:
the daemon lives, or a start that could not be said so; its answer is true, compared with what it lists, what it wrote and
what actors say; other groups answer; and the same done again without a fault succeeds. Without the long counts (TDS_SCALE
below 20) the first of each kind is tried and a twentieth of the others, chosen by TDS_SEED, which is printed.

The library (TDS_FAULTS) is in the daemon from its start; what it is to do is in a file that both have mapped.
"""
import collections
import contextlib
import errno
import mmap
import os
import random
import signal
import socket
import struct

from adminlib import ACTOR, Fault, parent_of, run_cases, shows, until
from tap import ROOT, ok

LIBRARY = os.environ.get('TDS_FAULTS', str(ROOT / 'build/plain/tests/faults.so'))
SANITIZED = 'asan' in os.environ.get('TDS_BIN', '')
FULL = int(os.environ.get('TDS_SCALE', '1')) >= 20
SEED = int(os.environ.get('TDS_SEED', random.randrange(1 << 32) if FULL else 1))
SHARE = 1 if FULL else 20
SLOW_SHARE = 1 if FULL else 200 if SANITIZED else 20  # of what takes a second each
DAEMON = 'tds-daemon'
SHORT = 0
ANSWER_S = 30  # what an actor may take to answer
HANG_S = ANSWER_S + 10  # what nothing may take
WAIT_S = 20  # what a load may take
LOST_S = 1  # the same where it may never do so
SPARE = collections.Counter({'socket': 2, 'pipe': 2, 'anon_inode': 1})  # a source process for the next load
E = errno
FAULTS = {
    'accept': (E.EMFILE, E.EINTR), 'close': (E.EIO,), 'dup': (E.EMFILE,), 'epoll_ctl': (E.ENOMEM, E.ENOSPC), 'epoll_wait': (E.EINTR,),
    'fchmod': (E.EIO,), 'fcntl': (E.EMFILE,), 'fork': (E.EAGAIN, E.ENOMEM), 'fsync': (E.EIO, E.ENOSPC), 'ftruncate': (E.ENOSPC,),
    'getsockopt': (E.ENOMEM,), 'inotify_add': (E.ENOSPC,), 'inotify_init': (E.EMFILE,), 'malloc': (E.ENOMEM,), 'memfd_create': (E.EMFILE, E.ENOMEM),
    'mkdir': (E.ENOSPC,), 'mmap': (E.ENOMEM,), 'open': (E.EMFILE, E.EIO), 'opendir': (E.EMFILE,), 'pidfd_open': (E.EMFILE, E.ENOMEM),
    'pipe': (E.EMFILE,), 'read': (E.EIO, E.EINTR, SHORT), 'readv': (E.EINTR, E.ENOMEM), 'recv': (E.EINTR, E.ENOMEM, SHORT),
    'recvmsg': (E.EINTR, E.ENOMEM), 'rename': (E.ENOSPC, E.EIO), 'send': (E.EINTR, E.ENOMEM, SHORT), 'sendmsg': (E.EINTR, E.ENOMEM, E.EAGAIN),
    'setsockopt': (E.ENOMEM,), 'socketpair': (E.EMFILE, E.ENOMEM), 'stat': (E.EIO,), 'unlink': (E.EIO,), 'wait': (E.EINTR,),
    'write': (E.ENOSPC, E.EIO, E.EINTR, SHORT), 'writev': (E.EINTR, E.ENOMEM),
}


# An actor that takes something of each part of its budget, and gives it back.
SPENDER = ACTOR + r'''

def do_spend(self, sender, told):
    self.spent.append(self.createActor(B))
    self.spent.append(self.createActor(C, globalName='spent'))
    self.updateCapability('spent', 'x' * 1000)
    for child in self.spent:
        self.send(child, ('quiet', 'x' * 100000))
    self.do_return()
    self.send(sender, 'spent')

def do_return(self, *sender):
    self.updateCapability('spent', None)
    for child in self.spent:
        self.send(child, ActorExitRequest())
    for asked in sender:
        self.send(asked, 'returned')

A.spent, A.do_spend, A.do_return = [], do_spend, do_return
'''


class Wish:
    """struct wish of tests/faults/faults.c."""

    HEAD = struct.Struct('=24sqqqqq')
    CALL = struct.Struct('=24sq')
    CALLS = 64

    def __init__(self, path):
        size = self.HEAD.size + self.CALLS * self.CALL.size
        path.write_bytes(bytes(size))
        with open(path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), size)

    def ask(self, call, turn=0, error=0):
        """The name is written last: it is what the daemon goes by."""
        self.map[:24] = bytes(24)
        self.map[24:] = struct.pack('=qqq', turn, turn, error).ljust(len(self.map) - 24, b'\0')
        self.map[:24] = call.encode().ljust(24, b'\0')

    def end(self):
        """Nothing fails any more. Returns how often it did."""
        self.map[:1] = b'\0'
        return self.HEAD.unpack_from(self.map)[5]

    def counted(self):
        found = (self.CALL.unpack_from(self.map, self.HEAD.size + i * self.CALL.size) for i in range(self.CALLS))
        return {name.rstrip(b'\0').decode(): n for name, n in found if n}


def faulty(a):
    """What is asked of the library, and the variables by which a daemon of this admin has it in it."""
    path = a.base / 'wish'
    return Wish(path), {'LD_PRELOAD': LIBRARY, 'TDS_FAULT_IN': DAEMON, 'TDS_FAULT_WISH': str(path),
                        'ASAN_OPTIONS': 'verify_asan_link_order=0:' + a.env['ASAN_OPTIONS']}


class Wrong(Exception):
    """What is wrong after a fault."""


def must(holds, *what):
    if not holds:
        raise Wrong(*what)


class World:
    """An admin with a group to work on and one that nothing is done to."""

    def __init__(self, a):
        self.a = a
        self.wish, self.env = faulty(a)
        a.group('foo', ['1'], source=SPENDER)
        a.group('other', ['1'])
        a.must(self.start())
        self.measure()

    def measure(self):
        """How many descriptors there are where only the other group is loaded, and another one was."""
        self.settle('foo', 'other')
        self.settle('other')
        until('gone', lambda: not self.a.strays())
        self.shown = shows(self.pid, 'no descriptor is left')
        self.fds = self.descriptors()

    # --- how things stand

    def start(self):
        return self.a.admin('start', env=self.env)

    def request(self, op, **fields):
        """The answer; None: the connection ended without one."""
        try:
            with self.a.client(HANG_S) as c:
                return c.ask(op, **fields)
        except socket.timeout:
            raise Wrong('no answer and no end', op)
        except OSError:
            return None

    def is_up(self):
        try:
            return self.a.ask('Status')
        except OSError:
            return None

    def descriptors(self):
        """What there is of each kind."""
        at, found = '/proc/%d/fd' % self.pid, collections.Counter()
        if not self.shown:
            return found
        for fd in os.listdir(at):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found[os.readlink('%s/%s' % (at, fd)).partition(':[')[0]] += 1
        return found

    def echo(self, group, seconds=ANSWER_S):
        return self.request('Ask', Target=group, Literal="('echo',)", Timeout=seconds)

    def budget(self):
        """What is taken of the budget of the group that is worked on, and what clients told actors that is under way."""
        status = self.a.ask('Status')
        return [b for b in status['Budgets'] if b.get('Group') == 'foo'], [b['BytesTold'] for b in status['ClientBudgets']]

    def answers(self, group):
        return (self.echo(group) or {}).get('Literal') == "('1',)"

    def settle(self, *groups):
        """Have these loaded, and no other, by a daemon that runs."""
        if not self.is_up():
            self.a.must(self.start())
        self.pid = self.a.pid
        for group in 'foo', 'other':
            is_there = self.a.loaded(group) == ['1']
            if is_there and group not in groups:
                self.unload(group)
            if not is_there and group in groups:
                self.load(group)

    def load(self, group='foo'):
        return self.request('LoadSource', Source=group, Retry=True, Wait=WAIT_S)

    def unload(self, group='foo'):
        self.hash = self.hash if group == 'foo' and self.hash else self.a.hash_of(group, '1')
        return self.request('UnloadSource', SourceHash=self.hash)

    hash = None

    def clear(self):
        """After something was wrong: a new daemon, so that what comes next is not held against it."""
        self.a.admin('shutdown', '--grace=0')
        self.measure()

    # --- what must be so

    def is_true(self, there):
        """The list, the file and the actor agree; there: whether foo is loaded, None where nobody knows."""
        loaded, kept = self.a.loaded('foo') == ['1'], self.a.state_of('foo') == {'1': True}
        must(there in (None, loaded), 'it is said that foo is%s loaded' % ('' if there else ' not'))
        must(loaded == kept, 'loaded.json says otherwise', loaded, kept)
        must(not loaded or self.answers('foo'), 'it is loaded, and does not answer')
        must(loaded or not self.answers('foo'), 'it is not loaded, and answers')

    def is_unharmed(self):
        up = self.is_up()
        must(up and up['Pid'] == self.pid, 'the daemon did not live on', up)
        must(self.answers('other'), 'the other group does not answer')

    def nothing_is_left(self):
        """As before: no process of what is gone, no descriptor."""
        self.settle('other')
        try:
            until('gone', lambda: not self.a.strays(), 5)
            until('closed', lambda: not self.descriptors() - self.fds - SPARE, 5)
        except Fault as e:
            raise Wrong(str(e), self.a.strays(), self.descriptors() - self.fds - SPARE)
        if self.a.ask('Status')['Restarted']:  # the next time it would wait for longer
            self.clear()


class Load:
    share = SHARE
    before = ('other',)

    def run(self, w, *wish):
        w.wish.ask(*wish)
        return w.load()

    def check(self, w, answer):
        w.is_unharmed()
        w.is_true(answer and answer['Success'])
        again = w.load()
        must(again and again['Success'], 'it cannot be loaded afterwards', again)
        w.is_true(True)


class Unload:
    share = SHARE
    before = ('foo', 'other')

    def run(self, w, *wish):
        w.wish.ask(*wish)
        return w.unload()

    def check(self, w, answer):
        w.is_unharmed()
        w.is_true(answer and not (answer['Success'] or answer.get('Changed')))
        if w.a.loaded('foo'):
            again = w.unload()
            must(again and again['Success'], 'it cannot be unloaded afterwards', again)
        w.is_true(False)


class Ask:
    share = SHARE
    before = ('foo', 'other')

    def run(self, w, *wish):
        w.wish.ask(*wish)
        return w.echo('foo', LOST_S)

    def check(self, w, answer):
        w.is_unharmed()
        must(not answer or not answer['Success'] or answer['Literal'] == "('1',)", 'a wrong answer')
        w.is_true(True)


class Spend:
    """What one fault keeps from being done takes nothing of the budget afterwards."""

    share = SHARE
    before = ('foo', 'other')

    def run(self, w, *wish):
        until('only its one actor is there', lambda: [b['Actors'] for b in w.budget()[0]] == [1] and w.answers('foo'))
        self.taken, self.pid = w.budget(), w.a.actors_of('foo', '1')[0]['Pid']
        w.wish.ask(*wish)
        return w.request('Ask', Target='foo', Literal=repr(('spend', 'x' * 100000)), Timeout=LOST_S)

    def check(self, w, answer):
        w.is_unharmed()
        w.is_true(True)
        if w.a.actors_of('foo', '1')[0]['Pid'] != self.pid:
            return  # it was cut off, and another one came; its children live on
        returned = w.request('Ask', Target='foo', Literal="('return',)", Timeout=ANSWER_S)
        must(returned and returned['Success'], 'it returns nothing', returned)
        try:
            until('all is given back', lambda: w.budget() == self.taken, 5)
        except Fault as e:
            raise Wrong(str(e), w.budget(), self.taken)


class Restore:
    share = SLOW_SHARE
    before = ('foo', 'other')

    def run(self, w, *wish):
        os.kill(parent_of(w.pid), signal.SIGKILL)  # its guardian: nobody is left who would start it again
        until('all of it is gone', lambda: not w.a.processes())
        w.wish.ask(*wish)
        return w.start()

    def check(self, w, answer):
        must(answer.status in (0, 1, 5, 6), 'an end that is not documented')
        must(answer.status == 0 or answer.err.startswith('tds-admin: '), 'it fails without a word')
        if w.is_up():
            w.pid = w.a.pid
            groups = w.a.groups()
            there = [g for g in self.before if g in groups and groups[g]['Sources'] and
                     not any(s.get('Lost') for s in groups[g]['Sources'].values())]
            must(answer.status != 0 or len(there) == 2, 'it says that all is back', there)
            must(all(w.answers(g) for g in there), 'it is loaded, and does not answer', there)
        else:
            must(answer.status != 0, 'it says that it is up, and is not')
            again = w.start()
            must(again.status == 0, 'it cannot be started afterwards', again)
            w.pid = w.a.pid
            must(w.answers('foo') and w.answers('other'), 'what was loaded did not come back')
        w.settle('foo', 'other')
        w.is_true(True)


def trace(text):
    """For who looks for the place: TDS_FAULT_TRACE names a file with the stacks, and what they belong to."""
    if os.environ.get('TDS_FAULT_TRACE'):
        with open(os.environ['TDS_FAULT_TRACE'], 'a') as f:
            f.write('--- %s\n' % text)


def combinations(counts, operation):
    """(call, number, error) to be tried: each first call with one of its errors, and the share of the others."""
    chance = random.Random(SEED)
    unknown = set(counts) - set(FAULTS)
    must(not unknown, 'calls that no fault is known for', unknown)
    for call, n in sorted(counts.items()):
        first = chance.choice(FAULTS[call])
        for turn in range(1, n + 1):
            for error in FAULTS[call]:
                if chance.randrange(operation.share) == 0 or turn == 1 and error == first:
                    yield call, turn, error


def fault(w, operation, call, turn, error):
    """Returns what is wrong, None where all is well, False where the fault did not happen."""
    answer = None
    try:
        w.settle(*operation.before)
        trace('%s %s %d %d' % (type(operation).__name__, call, turn, error))
        answer = operation.run(w, call, turn, error)
        if not w.wish.end():
            return False
        operation.check(w, answer)
        w.nothing_is_left()
    except (Wrong, Fault, OSError, TypeError, KeyError, ValueError) as e:
        return e, answer
    finally:
        w.wish.end()
    return None


def each(a, operation):
    w = World(a)
    w.settle(*operation.before)
    operation.run(w, '*')
    w.wish.end()
    counts = w.wish.counted()
    w.settle('other')
    tried, bad = 0, []
    for what in combinations(counts, operation):
        found = fault(w, operation, *what)
        tried += found is not False
        if found:
            bad.append((what, found))
            print('#', what, found, flush=True)
            w.clear()
    ok(tried and not bad, '%s: %d faults of %d calls' % (type(operation).__name__, tried, sum(counts.values())), len(bad), *bad[:10])


def loads(a):
    each(a, Load())


def asks(a):
    each(a, Ask())


def unloads(a):
    each(a, Unload())


def spends(a):
    each(a, Spend())


def restores(a):
    each(a, Restore())


if __name__ == '__main__':
    print('# TDS_SEED=%d' % SEED, flush=True)
    run_cases(loads, asks, unloads, spends, restores)
