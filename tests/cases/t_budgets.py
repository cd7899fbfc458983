#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One asker drives each resource of the daemon to its budget: nobody else notices, and the daemon does not grow.

Meanwhile an actor is asked by another client of the same user, which shares all but its connection with them. What 99 of 100
answers take is below 50 ms on a quiet machine; here they may take ten times that. Prints TAP. Each case has an admin of its own.
"""
import contextlib
import json
import os
import select
import signal
import struct
import time

from adminlib import ACTOR, SCALE, Client, rss_kib, run_cases, sanitized, until
from tap import ok

P99_S = 0.5
RSS_KIB = 64 * 1024
ASKS = 25 * SCALE
LINKS = 300
LARGE = 60000
FILE = 1000000  # a message that is in a memory file
CLIENTS = 32  # as many as a user has
BUDGET = 16 << 20


def frame(kind, body):
    return struct.pack('<IB', 1 + len(body), ord(kind)) + body


def control(**op):
    return frame('C', json.dumps(op).encode())


def message(to, payload=b'x' * LARGE):
    return frame('M', struct.pack('<QB', to, ord('p')) + payload)


def join(a, n):
    """So many links of programs, which are read no further, each with its id."""
    links = []
    while n:
        some = [Client(a.socket_path) for _ in range(min(n, 100))]
        n -= len(some)
        for c in some:
            c.send(DirectorOp='Join', As='program')
        links += [(c, int(c.line()['Address'].split('.')[1])) for c in some]
    return links


@contextlib.contextmanager
def flood(peers):
    """A process that sends each peer (socket, its first bytes, what comes then again and again) whatever it takes."""
    pid = os.fork()
    if pid == 0:
        try:
            pour(peers)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for c, _, _ in peers:
            c.close()


def pour(peers):
    left = {c.sock.fileno(): [c.sock, first or again, again] for c, first, again in peers}
    waits = select.poll()
    for fd, (sock, _, _) in left.items():
        sock.setblocking(False)
        waits.register(fd, select.POLLOUT)
    while True:
        for fd, _ in waits.poll():
            sock, data, again = left[fd]
            try:
                data = data[sock.send(data):] or again
            except OSError:
                data = b''
            left[fd][1] = data
            if not data:
                waits.unregister(fd)


def used(a):
    """The bytes of the programs' budget that are used."""
    return max([max(b['BytesIn'], b['BytesOut']) for b in a.ask('Status')['Budgets'] if 'Uid' in b], default=0)


def settled(a):
    """The bytes that are used when they are no more than a moment before, ten times."""
    seen = []

    def same():
        seen.append(used(a))
        return len(seen) > 10 and len(set(seen[-10:])) == 1
    until('no more is used', same)
    return seen[-1]


def others(a, what, peers, fills=0, most=None):
    """What others have of it, when so many bytes of the budget are used, and how large the daemon is in the end; used are most at most."""
    daemon, took = a.pid, []
    with flood(peers), a.client(60) as c:
        until('so much is used', lambda: used(a) >= fills)
        for n in range(ASKS):
            begin = time.monotonic()
            answer = c.ask('Ask', Target='foo', Literal=repr(('echo', n)), Timeout=30)
            took.append(time.monotonic() - begin)
            if answer.get('Literal') != repr(('1', n)):
                break
        rss = rss_kib(daemon)
        p99 = sorted(took)[len(took) * 99 // 100]
        print('# %s: p99 %.1f ms, daemon %.1f MiB' % (what, p99 * 1000, rss / 1024))
        ok(len(took) == ASKS and answer.get('Literal') == repr(('1', ASKS - 1)), '%s: another one is answered' % what, answer)
        ok(sanitized() or p99 < P99_S, '%s: in time' % what, p99)
        ok(sanitized() or rss < RSS_KIB, '%s: the daemon does not grow' % what, rss)
        taken = settled(a) if most else 0
        ok(not most or taken <= most, '%s: the budget holds' % what, taken)
    ok(a.pid == daemon and a.ask('Status')['Success'], '%s: it lives' % what)


def begin(a):
    a.group('foo', ['1'])
    a.start()
    a.must(a.load('foo'))


def links(a):
    begin(a)
    many = join(a, LINKS)
    (unread, unread_id), (setter, _) = join(a, 2)
    setter.raw(control(op='capability', name='much', value=repr('x' * 40000)))
    until('it is set', lambda: 'much' in a.ask('Status')['Capabilities'])
    others(a, 'status that nobody reads', [(c, b'', control(op='status') * 100) for c, _ in many], BUDGET // 2)
    many = join(a, LINKS)
    others(a, 'frames that are begun', [(c, message(unread_id)[:-1], b'') for c, _ in many], BUDGET)
    many = join(a, LINKS)
    others(a, 'messages to one that does not read', [(c, b'', message(unread_id)) for c, _ in many], BUDGET)
    many = join(a, LINKS)
    others(a, 'messages to many that do not', [(c, b'', message(many[i - 1][1])) for i, (c, _) in enumerate(many)], BUDGET)
    many = join(a, 20)
    others(a, 'messages to who is dead', [(c, b'', message(1 << 40, b'x') * 100) for c, _ in many], BUDGET, BUDGET + (1 << 20))
    many = join(a, 20)
    others(a, 'creations', [(c, b'', control(op='create', ref=1, **{'class': 'no.Such'}) * 100) for c, _ in many])
    flips = [b''.join(control(op='capability', name='c%d' % i, value=repr('%d' % n + 'x' * 1000)) for n in range(2)) for i in range(20)]
    others(a, 'capabilities', [(c, b'', flip) for (c, _), flip in zip(join(a, len(flips)), flips)])
    unread.close()
    setter.close()


def clients(a):
    begin(a)
    for n in range(50):
        a.ask('DefineGroup', Group='g%d' % n, Actors={})
    line = json.dumps({'DirectorOp': 'RetrieveAll'}).encode() + b'\n'
    some = lambda n: [Client(a.socket_path) for _ in range(n)]
    others(a, 'answers that nobody reads', [(c, b'', line * 500) for c in some(CLIENTS)])
    others(a, 'requests that are begun', [(c, b'"' + b'x' * ((1 << 20) - 2), b'') for c in some(200)])
    others(a, 'requests without end', [(c, b'', b'\n' * 60000 + b'{}\n') for c in some(CLIENTS)])
    watch = json.dumps({'DirectorOp': 'Watch', 'Output': True}).encode() + b'\n'
    define = json.dumps({'DirectorOp': 'DefineGroup', 'Group': 'g', 'Actors': {}}).encode() + b'\n'
    others(a, 'news that nobody reads', [(c, watch, b'') for c in some(CLIENTS)] + [(c, b'', define * 50) for c in some(1)])


def unread_by_an_actor(a):
    """Whoever tells an actor more than it reads is told so, and the daemon keeps no more of it."""
    begin(a)
    actor = a.actors_of('foo', '1')[0]['Pid']
    os.kill(actor, signal.SIGSTOP)
    with a.client() as c:
        told = [c.ask('Tell', Target='foo', Literal=repr('x' * LARGE)) for _ in range(400)]
    ok([t['Success'] for t in told[:3]] == [True] * 3 and told[-1]['Success'] is False and
       told[-1]['Message'] == 'the actor does not read: too much waits for it', 'it is refused', told[-1])
    ok(sanitized() or rss_kib(a.pid) < RSS_KIB, 'and not kept', rss_kib(a.pid))
    os.kill(actor, signal.SIGCONT)
    until('when it reads again it is told again', lambda: a.ask('Ask', Target='foo', Literal=repr(('echo', 1)))['Success'])
    ok(True, 'when it reads again it is told again')


def unread_files(a):
    """The same of messages that are larger than a frame, for which the daemon makes memory files, wherever those wait."""
    begin(a)
    actor = a.actors_of('foo', '1')[0]['Pid']
    os.kill(actor, signal.SIGSTOP)
    with a.client() as c:
        told = [c.ask('Tell', Target='foo', Literal=repr('x' * FILE)) for _ in range(2 * BUDGET // FILE)]
        taken = sum(t['Success'] for t in told)
        ok(3 <= taken <= BUDGET // FILE + 1, 'so many are taken as the actor may leave unread', taken)
        os.kill(actor, signal.SIGCONT)
        until('they are read', lambda: c.ask('Ask', Target='foo', Literal=repr(('echo', 1)), Timeout=60)['Success'])
    ok(True, 'and are read when it reads again')


def told(a):
    """The bytes that this user's clients told actors, and that these have not taken."""
    return sum(b['BytesTold'] for b in a.ask('Status')['ClientBudgets'] if b['Uid'] == os.getuid())


def told_to_many(a):
    """What a user tells actors of many sources, none of which reads, is bounded all together, and counts until it is read."""
    groups = ['g%d' % i for i in range(6)]
    for group in groups:
        a.group(group, ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': group}}}})
    a.start()
    for group in groups:
        a.must(a.load(group))
    pids = [a.actors_of(group, '1')[0]['Pid'] for group in groups]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    answers = []
    for n in range(4 * BUDGET // FILE):
        with a.client() as c:  # each has gone by when the next one comes
            answers.append(c.ask('Tell', Target=groups[n % len(groups)], Literal=repr('x' * FILE)))
    taken = [t for t in answers if t['Success']]
    ok(len(taken) == BUDGET // FILE + 1, 'so many are taken as its user may have under way', len(taken))
    ok(answers[-1].get('Message') == 'too much that this user told actors is not taken yet', 'the next is refused', answers[-1])
    ok(told(a) >= BUDGET, 'that is shown', told(a))
    out = a.admin('status').out
    ok('over budget: clients of uid %d: Bytes\n' % os.getuid() in out, 'and who is over his budget', out)
    os.kill(pids[0], signal.SIGKILL)  # what it had in its socket goes with it
    for pid in pids[1:]:
        os.kill(pid, signal.SIGCONT)
    until('it counts no more when it is read', lambda: told(a) == 0)
    with a.client() as c:
        until('and more is taken', lambda: c.ask('Tell', Target='g1', Literal=repr('x' * FILE))['Success'])
    ok(a.asked('g1', ('echo', 1)) == ('1', 1), 'the next is taken')


GRUDGE = ACTOR + r'''

class G(A):
    def do_unheeded(self, sender, ident, n):
        from tdshost.wire.link import control_frame
        for _ in range(n):
            self._myRef.link.send_frame(control_frame(b'{"op":"unheeded","from":%d}' % ident))
        self.send(sender, n)
'''
SAID = 60000


def unread_by_a_program(a):
    """What an actor says of a program's exit requests is no news to the program, for which nothing is kept: the actor lives."""
    a.group('grudge', ['1'], {'Actors': {'m.a.G': {'OnLoad': {'Role': 'grudge'}}}}, source=GRUDGE)
    (a.dir / 'budget.cfg').write_text("{'Bytes': %d}\n" % (1 << 20))
    a.start()
    a.must(a.load('grudge'))
    (program, ident), = join(a, 1)
    ok(a.asked('grudge', ('unheeded', ident, SAID), 60) == SAID, 'an actor says that it does not obey')
    heard = b''
    program.sock.settimeout(60)
    program.raw(control(op='status', ref=1))
    while b'"status"' not in heard[-1 << 16:]:
        heard += program.sock.recv(1 << 20)
    ok(b'"dead"' not in heard, 'the program hears nothing of it', heard.count(b'"dead"'))
    program.close()


def shown(a):
    """status says what is taken, and of what there is no room left."""
    (a.dir / 'budget.cfg').write_text("{'Actors': 1}\n")
    begin(a)
    (c, _), = join(a, 1)
    status = a.ask('Status')
    clients = status['ClientBudgets']
    ok(len(clients) == 1 and (clients[0]['Uid'], clients[0]['Clients']) == (os.getuid(), 1), 'of clients', clients)
    programs = [(b['Uid'], b['Descriptors']) for b in status['Budgets'] if 'Uid' in b]
    ok(programs == [(os.getuid(), 1)], 'of programs', programs)
    out = a.admin('status').out
    ok([line for line in out.splitlines() if 'budget' in line] == ['over budget: a source of foo: Actors'], 'and whose is used up', out)
    c.close()


if __name__ == '__main__':
    run_cases(links, clients, unread_by_an_actor, unread_files, told_to_many, unread_by_a_program, shown)
