#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Messages between actors over the admin process and over direct links: order, ends, and hosts that break the rules.

Prints TAP. Long counts by TDS_SCALE.
"""
import os
import signal

from adminlib import SCALE, run_cases, shows, until
from tap import ok

# An actor that runs the code it is sent. What it gets as ('n', who, i, ...) is counted: each sender's must be in order.
SOURCE = r'''
import os, signal, struct, sys, time
from thespian.actors import *


class X(Actor):
    def __init__(self):
        self.next, self.wrong, self.other, self.asker, self.sizes = {}, [], [], None, 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'n':
            if self.next.get(msg[1], 0) != msg[2]:
                self.wrong.append(msg[:3])
            self.next[msg[1]] = msg[2] + 1
            self.sizes += sum(len(m) for m in msg[3:])
            self.counted(sender)
        elif isinstance(msg, tuple) and msg[0] == 'do':
            exec(msg[1], dict(globals(), self=self, sender=sender, args=msg[2:]))
        else:
            self.other.append((msg, sender))
            self.counted(sender)

    def counted(self, sender):
        """What a test has said is to be done after each message."""

    def flood(self, targets, who, first, n, *more):
        for i in range(first, first + n):
            for t in targets:
                self.send(t, ('n', who, i) + more)


def sockets(pid=None):
    """How many sockets a process holds, besides its standard output and error."""
    found = 0
    for fd in set(os.listdir('/proc/%d/fd' % (pid or os.getpid()))) - {'1', '2'}:
        try:
            found += os.readlink('/proc/%d/fd/%s' % (pid or os.getpid(), fd)).startswith('socket:')
        except OSError:
            pass
    return found
'''


def memory_files(pid):
    """How many messages a process holds open."""
    found = 0
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            found += 'message' in os.readlink('/proc/%d/fd/%s' % (pid, fd))
        except OSError:
            pass
    return found


def load(a, *groups):
    for group in groups:
        a.group(group, ['1'], {'Actors': {'m.a.X': {'OnLoad': {'Role': group}}}, 'May': ['create', 'deadletters']}, source=SOURCE)
        a.must(a.load(group))


def do(a, target, code, *args, timeout=60):
    return a.asked(target, ('do', code) + args, timeout)


# Three, one of another source; each floods all three.
def floods(a):
    """Order across the switch, in all directions at once, with messages to itself between; small and large ones."""
    load(a, 'foo', 'bar')
    bar = {'ActorAddress': a.actors_of('bar', '1')[0]['ActorAddress']['ActorAddress']}
    for n, sizes in (2000 * SCALE, '(b"x" * 10,)'), (100 * SCALE, '(b"x" * 100000 if i % 7 == 0 else b"y",)'):
        got = do(a, 'foo', r'''
self.boss, self.reports, n = sender, [], args[1]
self.trio = [self.createActor(X), self.createActor(X), args[0]]
def collect(s):
    self.reports = [m for m, _ in self.other if isinstance(m, tuple) and m[0] == 'done']
    if len(self.reports) == 3:
        self.other = []
        self.send(self.boss, [m[1:] for m in self.reports])
self.counted = collect
for k, t in enumerate(self.trio):
    self.send(t, ('do', """
self.next, self.wrong, self.boss, total = {}, [], sender, args[0]
def counted(s):
    if sum(self.next.values()) == total:
        self.send(self.boss, ('done', sorted(self.next.items()), self.wrong, sockets()))
self.counted = counted
self.send(sender, 'ready')
""", 3 * n))
def started(s):
    if [m for m, _ in self.other].count('ready') == 3:
        self.counted, self.other = collect, []
        for k, t in enumerate(self.trio):
            self.send(t, ('do', """
for i in range(args[2]):
    for t in args[0]:
        self.send(t, ('n', args[1], i) + eval(args[3], {'i': i}))
""", self.trio, k, n, args[2]))
self.counted = started
''', bar, n, sizes, timeout=120)
        whole = [(k, n) for k in range(3)]
        ok(got and all(r[0] == whole and not r[1] for r in got), '%d messages each way: all arrive, once and in order' % n, str(got)[:500])
        ok(got and all(r[2] >= 3 for r in got), 'the three have direct links', got and [r[2] for r in got])
    if shows(a.pid, 'no memory file stays open'):
        until('no memory file stays open', lambda: memory_files(a.pid) == 0)


KILLED = r'''
self.boss, self.kid = sender, self.createActor(X)
self.handleDeadLetters(True)
def told(s):
    for m, s in self.other:
        if isinstance(m, ChildActorExited):
            after = self.next.get('kid')
            self.send(self.kid, 'too late')
            self.send(self.boss, ('exited', self.next.get('kid'), self.wrong, m.childAddress == self.kid, s == self.kid))
            self.other = []
self.counted = told
self.send(self.kid, ('do', """
for i in range(100):
    self.send(sender, ('n', 'kid', i))
import threading
end = int(args[0])
self.flood([sender], 'kid', 100, end - 100)
os.write(1, b'')
if args[1]:
    os.kill(os.getpid(), signal.SIGKILL)
self.send(self.myAddress, ActorExitRequest())
""", args[0], args[1]))
self.flood([self.kid], 'me', 0, 3000)
'''


def killed(a):
    """One of two ends, or is killed: what it had written arrives, then its end; what comes after is a dead letter."""
    load(a, 'foo')
    for n, kill in (3000, True), (3000, False), (5000, True), (20000, False), (20000, True):
        got = do(a, 'foo', KILLED, n, kill)
        ok(got == ('exited', n, [], True, True), '%s after %d messages: all arrive, then its end'
           % ('killed' if kill else 'gone', n), got)
        late = do(a, 'foo', r'''
self.boss = sender
def look(s=None):
    found = [m for m, _ in self.other if isinstance(m, DeadEnvelope) and m.deadMessage == 'too late']
    if found:
        self.other = []
        self.send(self.boss, [m.deadAddress == self.kid for m in found])
self.counted = look
look()
''')
        ok(late == [True], 'a later one is a dead letter with its address', late)
        do(a, 'foo', "self.next, self.other, self.counted = {}, [], lambda s: None; self.send(sender, 1)")


def killed_from_outside(a):
    """The same where the kill strikes anywhere: no gap, no copy; a process that it forked holds its link and changes nothing."""
    load(a, 'foo')
    for fork in False, True:
        with a.client(60) as c:
            c.send(DirectorOp='Ask', Target='foo', Timeout=50, Literal=repr(('do', r'''
self.boss, self.kid, self.next = sender, self.createActor(X), {}
def told(s):
    if any(isinstance(m, ChildActorExited) for m, _ in self.other):
        self.other = []
        self.send(self.boss, ('exited', self.next, self.wrong, sockets()))
    elif self.next.get('kid') == 1000:
        with open(args[0], 'w') as f:
            f.write(str([m for m, _ in self.other if isinstance(m, int)][0]))
self.counted = told
self.send(self.kid, ('do', """
if args[0] and os.fork() == 0:
    while True:
        time.sleep(60)
self.send(sender, os.getpid())
i = 0
while True:
    self.send(sender, ('n', 'kid', i))
    i += 1
""", args[1]))
''', str(a.base / ('pid%d' % fork)), fork)))
            path = a.base / ('pid%d' % fork)
            pid = until('it floods', lambda: path.exists() and path.read_text())
            os.kill(int(pid), signal.SIGKILL)
            got = eval((c.line() or {}).get('Literal', 'None'))
        ok(got and got[0] == 'exited' and got[1]['kid'] >= 1000 and not got[2], 'killed amid its messages, fork %s: none is lost or doubled' % fork, got)
        ok(got and got[3] <= 2, 'its link is closed', got)


def cycle(a):
    """Three in a ring that all send before they read: nobody stands still."""
    load(a, 'foo')
    n = 3000 * SCALE
    got = do(a, 'foo', r'''
self.boss, self.ring, self.reports = sender, [self.createActor(X) for _ in range(3)], []
def collect(s):
    self.reports = [m for m, _ in self.other if isinstance(m, list)]
    if len(self.reports) == 3:
        self.send(self.boss, self.reports)
self.counted = collect
for i, one in enumerate(self.ring):
    self.send(one, ('do', """
self.boss, total = sender, args[2]
def counted(s):
    if sum(self.next.values()) == total:
        self.send(self.boss, [self.next, self.wrong, sockets()])
self.counted = counted
self.flood([args[0]], 'a', 0, 100)
self.send(self.myAddress, ('do', "self.flood([args[0]], 'a', 100, args[1] - 100, b'x' * 2000)", args[0], args[2]))
""", self.ring[(i + 1) % 3], i, args[0]))
''', n, timeout=120)
    ok(got and all(r[0] == {'a': n} and not r[1] for r in got), 'three in a ring flood each other: all arrive', got)
    ok(got and all(r[2] >= 3 for r in got), 'over direct links', got)


# What a host may not say, as code of a hostile actor that has a peer and, behind args[0], a link to it.
NONSENSE = [
    ("{'op': 'switched'}", True), ("{'op': 'switched', 'to': '7'}", True), ("{'op': 'switched', 'to': None}", True),
    ("{'op': 'switched', 'to': {}}", True), ("{'op': 'switched', 'to': 1.5}", True), ("{'op': 'linked', 'to': []}", True),
    ("{'op': 'switched', 'to': 0}", False), ("{'op': 'switched', 'to': -1}", False),
    ("{'op': 'switched', 'to': (1 << 62)}", False), ("{'op': 'linked', 'to': 999999}", False),
    ("{'op': 'switched', 'to': peer}", True), ("{'op': 'linked', 'to': peer}", True),
    ("{'op': 'unlinked', 'from': peer}", False), ("{'op': 'direct', 'address': '1.1'}", False),
]


def nonsense(a):
    """A host that says what is none of its business ends itself, and nobody else."""
    load(a, 'foo', 'good')
    for op, ends in NONSENSE:
        got = do(a, 'foo', r'''
self.boss, self.kid, self.other = sender, self.createActor(X), []
def told(s):
    for m, _ in self.other:
        if isinstance(m, ChildActorExited) and m.childAddress == self.kid:
            self.send(self.boss, 'ended')
        elif m == 'lives':
            self.send(self.boss, m)
    self.other = [(m, s) for m, s in self.other if m == 'up']
    if len(self.other) == 200:
        self.other = []
        self.send(self.kid, ('do', """
peer = int(sender.addressDetails.split('.')[1])
self._myRef.link.send_control(eval(args[0]))
if not args[1]:
    self.send(sender, 'lives')
""", *args))
self.counted = told
self.send(self.kid, ('do', "for _ in range(200): self.send(sender, 'up')"))
self.flood([self.kid], 'me', 0, 100)
''', op, ends)
        ok(got == ('ended' if ends else 'lives'), '%s: %s' % (op, 'ends it' if ends else 'does nothing'), got)
        do(a, 'foo', "self.other, self.counted = [], lambda s: None; self.send(self.kid, ActorExitRequest()); self.send(sender, 1)")
    ok(do(a, 'good', 'self.send(sender, 7)') == 7, 'others go on')


# Frames with memory files, as code that gives (size that is said, descriptor or None).
FILES = [
    ('all well', "5000, made(5000, ALL)", True),
    ('of the largest size', "100000, made(100000, ALL)", True),
    ('over maxmessage', "100001, made(100001, ALL)", False),
    ('over maxmessage, another size said', "100000, made(100001, ALL)", False),
    ('smaller than said', "5000, made(4999, ALL)", False),
    ('empty', "0, made(0, ALL)", False),
    ('a size beyond all files', "(1 << 64) - 1, made(5000, ALL)", False),
    ('not sealed', "5000, made(5000, 0)", False),
    ('may be written', "5000, made(5000, ALL & ~fcntl.F_SEAL_WRITE)", False),
    ('may shrink', "5000, made(5000, ALL & ~fcntl.F_SEAL_SHRINK)", False),
    ('may grow', "5000, made(5000, ALL & ~fcntl.F_SEAL_GROW)", False),
    ('no memory file', "5, os.open('/proc/self/comm', os.O_RDONLY)", False),
    ('no file at all', "5, os.pipe()[0]", False),
    ('no descriptor', "5000, None", False),
]


def files(a):
    """A payload in a memory file is what it is said to be, or its sender ends."""
    (a.dir / 'maxmessage.cfg').write_text('100000\n')
    load(a, 'foo', 'bar')
    bar = a.actors_of('bar', '1')[0]['ActorAddress']
    shown = shows(a.pid, 'no descriptor is left')
    before = len(os.listdir('/proc/%d/fd' % a.pid)) if shown else 0
    for what, frame, good in FILES:
        got = do(a, 'foo', r'''
self.boss, self.kid, self.other = sender, self.createActor(X), []
def told(s):
    if isinstance(self.other[-1][0], ChildActorExited) and self.other[-1][0].childAddress == self.kid:
        self.send(self.boss, 'ended')
self.counted = told
self.send(self.kid, ('do', """
import fcntl
ALL = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
def made(size, seals):
    fd = os.memfd_create('x', os.MFD_ALLOW_SEALING)
    os.write(fd, b'"' + b'x' * (size - 2) + b'"' if size else b'')
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd
size, fd = eval(args[0])
body = struct.pack('<QBQ', int(args[1].addressDetails.split('.')[1]), ord('t'), size)
self._myRef.link.send_frame(struct.pack('<IB', 1 + len(body), ord('F')) + body, (fd,) if fd is not None else ())
if args[3]:
    sys.exit()
""", args[0], args[1], self.myAddress, args[2]))
''', frame, bar, good)
        arrived = do(a, 'bar', "self.send(sender, [len(m) for m, _ in self.other]); self.other = []")
        size = [int(frame.split(',')[0]) - 2] if good else []  # without its quotes
        ok(got == 'ended' and arrived == size, 'a message in a memory file, %s: %s' % (what, 'arrives' if good else 'does not'), got, arrived)
    if shown:
        until('no descriptor is left', lambda: len(os.listdir('/proc/%d/fd' % a.pid)) <= before, 10)


# Raw bytes on a direct link to an actor of another source.
PEERS = [
    ('a pickle', "frame('M', struct.pack('<QIB', 1, 1, ord('p')) + pickle.dumps(Evil()))", True),
    ('a pickle with a false sender', "frame('M', struct.pack('<QIB', args[1], args[2], ord('p')) + pickle.dumps(Evil()))", True),
    ('an endless frame', "b'\\xff' * 100", False),
    ('an empty one', "b'\\0' * 100", False),
    ('a control frame', "frame('C', b'{\"op\":\"exit\"}')", False),
    ('a dead letter', "frame('D', bytes(26))", False),
    ('a short message', "frame('M', b'x')", False),
    ('a memory file that is none', "frame('F', struct.pack('<QIBQ', 1, 1, 112, 9))", False),
    ('descriptors', "'descriptors'", False),
]


def peers(a):
    """What an actor sends over a direct link to one of another source is believed no more than over the admin process."""
    load(a, 'foo', 'bar')
    bar = a.actors_of('bar', '1')[0]['ActorAddress']
    number, ident = map(int, bar['ActorAddress'].split('.'))
    for what, data, stays in PEERS:
        got = do(a, 'foo', r'''
self.boss, self.kid, self.other = sender, self.createActor(X), []
def told(s):
    self.send(self.boss, self.other.pop()[0])
self.counted = told
self.send(self.kid, ('do', r"""
import array, pickle, select, socket
class Evil:
    def __reduce__(self):
        return os.mkdir, (args[4],)
def frame(kind, body):
    return struct.pack('<IB', 1 + len(body), ord(kind)) + body
self.boss, bar, args = sender, args[0], args
ident = int(bar.addressDetails.split('.')[1])
def linked(s):
    # Each answer asks for one more, until the link is there.
    way = self._myRef.links.ways.get(ident)
    if way is None:
        self.send(bar, ('do', "self.send(sender, 'again')"))
        return
    self.counted = after
    data = eval(args[3])
    if data == 'descriptors':
        for _ in range(40):
            try:
                way.sock.sendmsg([frame('M', struct.pack('<QIB', 1, 1, ord('l')) + b'1')],
                                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 8))])
            except OSError:
                break
    else:
        way.sock.send(data)
    if not args[5]:
        # Until the other end has given it up: what comes before that is lost with it.
        poll = select.poll()
        poll.register(way.fd, 0)
        poll.poll(20000)
    self.send(bar, ('do', "self.send(sender, ('fine', len(os.listdir('/proc/self/fd'))))"))
def after(s):
    m = self.other[-1][0]
    if isinstance(m, tuple) and m[0] == 'fine':
        self.counted = lambda s: None
        self.send(self.boss, m + (ident in self._myRef.links.ways,))
self.counted = linked
self.send(bar, ('do', "self.send(sender, 'again')"))
""",) + args)
''', bar, ident, number, data, str(a.base / 'evil'), stays, timeout=25)
        ok(got and got[1] < 40 and got[2] == stays and not (a.base / 'evil').exists(),
           '%s on a direct link %s' % (what, 'is not read' if stays else 'ends it, and harms nobody'), got)
        do(a, 'foo', "self.other, self.counted = [], lambda s: None; self.send(self.kid, ActorExitRequest()); self.send(sender, 1)")
    ok(do(a, 'bar', 'self.send(sender, 7)') == 7, 'the other lives')


def ends(a):
    """What people are told of an end, and what actors are."""
    load(a, 'foo')
    for code, ending in ('sys.exit(3)', 'exited with status 3'), ('os.kill(os.getpid(), 9)', 'killed by signal 9'):
        with a.watch() as w:
            a.ask('Tell', Target='foo', Literal=repr(('do', code)))
            e = w.event(lambda e: e.get('Event') == 'ActorExited')
            ok(e.get('Message') == ending, 'Watch: %s' % ending, e)
        until('it is started again', lambda: a.groups()['foo']['Running'] and a.actors_of('foo', '1')[0]['ActorAddress'])
        ok(a.actors_of('foo', '1')[0].get('LastEnd') == ending and ending in a.admin('list').out, 'list: %s' % ending, a.admin('list'))
    got = do(a, 'foo', r'''
self.boss, self.named = sender, self.createActor(X, globalName='one')
def told(s):
    m, s = self.other.pop()
    self.send(self.boss, (type(m).__name__, m.childAddress == self.named, str(s), m == ChildActorExited(self.named)))
self.counted = told
self.send(self.named, ('do', 'sys.exit(1)'))
''')
    ok(got and got[:3] == ('ChildActorExited', True, 'ActorAddr-/ActorSys'), 'the end of a named actor comes from the system', got)


NEVER = r'''
self.boss, self.n, self.back = sender, 0, []
kid = self.createActor(args[0], sourceHash=args[1])
def told(s):
    m, s = self.other.pop()
    if isinstance(m, ChildActorExited):
        m = 'exited'
        # What was sent when it was over already.
        self.send(kid, 'late')
    elif isinstance(m, PoisonMessage):
        m = (m.poisonMessage, m.details, s == self.myAddress)
    self.back.append(m)
    if len(self.back) == args[2] + 2:
        self.send(self.boss, self.back)
self.counted = told
for i in range(args[2]):
    self.send(kid, i)
'''


def never(a):
    """What was sent to a child that never was comes back, when ever it was sent."""
    load(a, 'foo')
    for name, hash_ in ('m.nowhere.X', None), ('m.a.X', '0' * 32):
        for n in 1, 20, 300:
            got = do(a, 'foo', NEVER, name, hash_, n)
            aborted = [(m, 'Child Aborted', True) for m in list(range(n)) + ['late']]
            ok(got and [m for m in got if m != 'exited'] == aborted and got.count('exited') == 1,
               '%s: each of %d comes back, and one after its end' % (name, n), got and got[-3:])


if __name__ == '__main__':
    run_cases(floods, killed, killed_from_outside, cycle, nonsense, files, peers, ends, never)
