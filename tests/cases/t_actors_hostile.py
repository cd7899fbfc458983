#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Actors that mean harm, and floods: other groups go on, all arrives in order, and unload ends whatever there is.

Prints TAP. Long counts by TDS_SCALE.
"""
import os

from adminlib import ACTOR, SCALE, Fault, rss_kib, run_cases, sanitized, shows, until
from tap import ok

HOSTILE = ACTOR + r'''

class H(A):
    def do_daemon(self, sender):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                note('daemon', os.getpid())
                while True:
                    signal.pause()
            os._exit(0)

    def do_deaf(self, sender):
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        self.do_hang(sender)

    def do_stop(self, sender):
        os.kill(os.getpid(), signal.SIGSTOP)

    def do_close(self, sender):
        os.closerange(0, 4096)
        while True:
            time.sleep(9)

    def do_close_on(self, sender):
        os.closerange(0, 4096)

    def do_garbage(self, sender):
        for fd in range(3, 64):
            try:
                os.set_blocking(fd, False)
                os.write(fd, b'\xff' * 4096)
            except OSError:
                pass

    def do_half_frame(self, sender):
        for fd in range(3, 64):
            try:
                os.write(fd, b'\x00\x00\x10\x00M')
            except OSError:
                pass
        self.do_hang(sender)

    def do_parent(self, sender):
        os.kill(os.getppid(), signal.SIGKILL)

    def do_printer(self, sender):
        while True:
            print('x' * 5000, '\x1b[2J\r\0')

    def do_million(self, sender, n):
        other = self.createActor(A)
        for i in range(n):
            self.send(other, ('quiet', i))
        self.send(other, ('echo', n))

    def do_self_million(self, sender, n):
        for i in range(n):
            self.send(self.myAddress, ('quiet', i))

    def do_big(self, sender, n):
        self.send(self.createActor(A), b'x' * n)

    def do_children(self, sender, n):
        for i in range(n):
            self.send(self.createActor(H), ('hang',))

    def do_never_born(self, sender, n):
        for i in range(n):
            self.send(self.createActor('m.nowhere.X'), ('quiet',))

    def do_fds(self, sender):
        self.kept = []
        try:
            while True:
                self.kept.append(os.open('/dev/null', os.O_RDONLY))
        except OSError:
            pass

    def do_swap(self, sender):
        self.do_raise(sender, 'y' * 3000000)
'''
DEEDS = [('daemon',), ('deaf',), ('stop',), ('close',), ('close_on',), ('garbage',), ('half_frame',), ('spin',), ('printer',),
         ('million', 50000 * SCALE), ('self_million', 50000 * SCALE), ('big', (300 if SCALE == 1 else 1024) << 20),
         ('children', 20), ('never_born', 200), ('fds',), ('swap',), ('parent',)]


def hostile(a):
    a.group('good', ['1'])
    a.group('bad', ['1'], {'Actors': {'m.a.H': {'OnLoad': {'Role': 'bad'}}}}, source=HOSTILE)
    a.must(a.load('good'))
    for deed in DEEDS:
        a.must(a.load('bad'))
        a.ask('Tell', Target='bad', Literal=repr(deed))
        if deed[0] == 'daemon':
            a.notes.wait(lambda notes: [n for n in notes if n[1] == 'daemon'])
        else:
            a.notes.wait(lambda notes: [n for n in notes if n[1:3] == ('H', 'got')])
        answers = [a.asked('good', ('echo', deed[0])) for _ in range(20)]
        ok(answers == [('1', deed[0])] * 20, '%s: another group goes on' % deed[0], answers)
        if deed[0] == 'parent':
            until('it is loaded again', lambda: a.active('bad') == '1', 20)
        h = [h for h in a.groups().get('bad', {'Sources': {}})['Sources']]
        b = a.load('--unload', *h) if h else None
        try:
            until('all of it ends', lambda: not a.strays(), 5)
        except Fault:
            pass
        left = a.strays()
        ok((not b or b.status == 0) and not left, '%s: unload ends it' % deed[0], b, left)
        a.notes.take()
    ok(not a.strays() and a.asked('good', ('echo',)) == ('1',), 'in the end all is as before')


FLOOD = ACTOR + r'''

class F(A):
    """Sends n numbered messages to each target; checks what it gets: every sender's in order."""
    target_of = None

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            return
        kind = msg[0]
        if kind == 'expect':
            self.total, self.sizes = msg[1], msg[2]
            self.next, self.got, self.wrong, self.boss = {}, 0, 0, sender
            self.send(sender, ('ready',))
        elif kind == 'go':
            for i in range(msg[2]):
                for t in msg[1]:
                    self.send(t, ('n', msg[3], i, b'x' * msg[4]))
        elif kind == 'n':
            _, who, i, data = msg
            if self.next.get(who, 0) != i or len(data) != self.sizes:
                self.wrong += 1
            self.next[who] = i + 1
            self.got += 1
            if self.got == self.total:
                self.send(self.boss, ('done', self.got, self.wrong))


class Boss(A):
    """('run', how, n, size): lets its children flood, and answers when all has arrived."""

    def receiveMessage(self, msg, sender):
        if isinstance(msg, (ActorExitRequest, ChildActorExited)):
            return
        if msg[0] == 'run':
            _, how, n, size = msg
            self.asker, self.reports = sender, []
            count = {'two': 2, 'self': 1, 'fifty': 51}[how]
            self.kids = [self.createActor(F) for _ in range(count)]
            kids = self.kids
            if how == 'two':
                self.expect, self.plan = {0: n, 1: n}, [(0, [kids[1]], n), (1, [kids[0]], n)]
            elif how == 'self':
                self.expect, self.plan = {0: n}, [(0, [kids[0]], n)]
            else:
                self.expect, self.plan = {50: n // 50 * 50}, [(i, [kids[50]], n // 50) for i in range(50)]
            self.size, self.waiting = size, len(self.expect)
            for i, total in self.expect.items():
                self.send(kids[i], ('expect', total, size))
        elif msg[0] == 'ready':
            self.waiting -= 1
            if self.waiting == 0:
                for i, targets, n in self.plan:
                    self.send(self.kids[i], ('go', targets, n, i, self.size))
        elif msg[0] == 'done':
            self.reports.append(msg[1:])
            if len(self.reports) == len(self.expect):
                self.send(self.asker, self.reports)
                for k in self.kids:
                    self.send(k, ActorExitRequest())
'''


def floods(a):
    a.group('foo', ['1'], {'Actors': {'m.a.Boss': {'OnLoad': {'Role': 'foo'}}}}, source=FLOOD)
    a.group('good', ['1'])
    a.must(a.load('foo', 'good'))
    pid = a.pid
    base = rss_kib(pid)
    for size, n in (10, 20000 * SCALE), (3000, 5000 * SCALE), (100000, 300 * SCALE):
        for how in 'two', 'self', 'fifty':
            a.asked('good', ('echo',))
            with a.client(180) as c:
                c.send(DirectorOp='Ask', Target='foo', Literal=repr(('run', how, n, size)), Timeout=170)
                most = 0
                c.sock.settimeout(0.02)
                while True:
                    try:
                        r = c.line()
                        break
                    except OSError:
                        most = max(most, rss_kib(pid))
            reports = eval(r['Literal']) if r.get('Success') else None
            total = n if how != 'fifty' else n // 50 * 50
            ok(reports and all(x == (total, 0) for x in reports),
               '%s, %d messages of %d bytes: all arrive, in order' % (how, n, size), r)
            ok(sanitized() or most < base + 12 * 1024, '%s, %d bytes: the daemon stays small' % (how, size), base, most)
    if shows(pid, 'no descriptor stays open'):
        until('no descriptor stays open', lambda: len(os.listdir('/proc/%d/fd' % pid)) < 40, 20)


def big_messages(a):
    a.group('foo', ['1'], {'Actors': {'m.a.Z': {'OnLoad': {'Role': 'foo'}}}}, source=ACTOR + r'''

class K(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, bytes):
            self.send(sender, ('len', len(msg)))


class Z(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, PoisonMessage):
            self.send(self.asker, ('poison', len(msg.poisonMessage)))
        elif isinstance(msg, tuple) and msg[0] == 'send':
            self.asker = sender
            self.send(self.createActor(K), b'x' * msg[1])
        elif isinstance(msg, tuple) and msg[0] == 'len':
            self.send(self.asker, msg)
''')
    a.must(a.load('foo'))
    pid = a.pid
    before = rss_kib(pid)
    for n in 65535, 65536, 65537, 1 << 20, 100 << 20:
        ok(a.asked('foo', ('send', n), 60) == ('len', n), 'a message of %d bytes arrives' % n)
    ok(sanitized() or rss_kib(pid) < before + 8 * 1024, 'the daemon does not hold it', before, rss_kib(pid))
    n = (256 << 20) + 1000
    ok(a.asked('foo', ('send', n), 60) == ('poison', n), 'one of more than 256 MiB comes back as poison')
    big = "('echo', '%s')" % ('x' * 900000)
    r = a.ask('Ask', Target='foo', Literal="'%s'" % ('x' * 900000), Timeout=0.5)
    ok(r['Status'] == 9 and len(big) > 900000, 'a large message from outside is taken', str(r)[:200])


def last_words(a):
    """What an actor sent before it went still arrives."""
    a.group('foo', ['1'], {'Actors': {'m.a.Z': {'OnLoad': {'Role': 'foo'}}}}, source=ACTOR + r'''

class K(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            for i in range(msg[1]):
                self.send(sender, b'%d ' % i + b'x' * msg[2])
            os._exit(0)


class Z(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker, self.got = sender, []
            self.send(self.createActor(K), msg)
        elif isinstance(msg, bytes):
            self.got.append(int(msg.split()[0]))
        elif isinstance(msg, ChildActorExited):
            self.send(self.asker, self.got)
''')
    a.must(a.load('foo'))
    for n, size in (1000, 10), (100, 100000), (150, 60000):
        got = a.asked('foo', ('go', n, size))
        ok(got == list(range(n)), '%d messages of %d bytes, and then it exits: all arrive' % (n, size), got and len(got))


def last_words_to_a_busy_one(a):
    """The same where the link of the one that gets them is full while the sender goes: the sender's waits for it then."""
    a.group('foo', ['1'], {'Actors': {'m.a.Z': {'OnLoad': {'Role': 'foo'}}}}, source=ACTOR + r'''

class K(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            for i in range(msg[1]):
                self.send(sender, b'%d ' % i + b'x' * msg[2])
            os._exit(0)


class Z(A):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.asker, self.got, flag = sender, [], msg[3]
            self.send(self.createActor(K), msg)
            while not os.path.exists(flag):
                time.sleep(0.01)
        elif isinstance(msg, bytes):
            self.got.append(int(msg.split()[0]))
        elif isinstance(msg, ChildActorExited):
            self.send(self.asker, self.got)
''')
    a.must(a.load('foo'))
    for n, size in (25, 16000), (900, 100):
        flag = a.base / ('go%d' % n)
        a.notes.take()
        with a.client(60) as c:
            c.send(DirectorOp='Ask', Target='foo', Literal=repr(('go', n, size, str(flag))), Timeout=50)
            pid = a.notes.wait(lambda notes: [m for m in notes if m[1:3] == ('K', 'made')])[0][3]
            until('the sender is gone', lambda: not os.path.exists('/proc/%d' % pid))
            flag.touch()
            got = eval((c.line() or {}).get('Literal', 'None'))
        ok(got == list(range(n)), 'a full link, %d messages of %d bytes: all arrive' % (n, size), got and len(got))


if __name__ == '__main__':
    run_cases(hostile, floods, big_messages, last_words, last_words_to_a_busy_one)
