#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients of the admin that leave, half leave, are too many, or come when no descriptor is left.

Prints TAP. 500 clients of each kind come and go, and TDS_SCALE times as many.
"""
import contextlib
import itertools
import json
import os
import select
import resource
import signal
import socket
import time

from adminlib import ACTOR, SCALE, Fault, rss_kib, run_cases, run_state, sanitized, shows, until
from tap import LIMIT_S, ok, skip

WATCH = b'{"DirectorOp":"Watch"}\n'
NOTIFY = b'{"DirectorOp":"RequestNotification"}\n'
PLACES = 256
KEPT = 8
OF_ROOT = 4  # of them for root alone


def half_closed(a, *requests):
    c = a.client()
    c.raw(b''.join(requests))
    c.sock.shutdown(socket.SHUT_WR)
    return c


def fds(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def waits(pid):
    """Has it nothing to do? Whoever gives it something wakes it in the same call: then it sleeps no more."""
    return run_state(pid) == 'S'


def stays_asleep(pid):
    """Is it not woken for a while either? One that is held up by others is not asleep when it is to run."""
    before = activity(pid)
    time.sleep(0.3)
    return waits(pid) and activity(pid) == before


def activity(pid):
    """What changes whenever the process runs: nanoseconds on a core, and how often it was switched."""
    with open('/proc/%d/schedstat' % pid) as f:
        ran = f.read().split()[0]
    with open('/proc/%d/status' % pid) as f:
        return [ran] + [line for line in f if 'ctxt_switches' in line]


def naps(pid):
    """How often it went to sleep by itself: one that spins never does."""
    with open('/proc/%d/status' % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith('voluntary'))


def alone(c):
    """The client that asks is the only one."""
    return c.ask('Status')['Clients'] == 1


def watchers_leave(a):
    a.start()
    for request in WATCH, NOTIFY:
        refused = []
        for n in range(300):
            with half_closed(a, request, b'{"DirectorOp":"Status"}\n') as c:
                if not (answer := c.line())['Success']:
                    refused.append((n, answer))
        ok(not refused, '300 that shut their writing side and leave: %r' % request, *refused[:2])
    with a.client() as c:
        until('they are forgotten', lambda: alone(c))
        ok(a.admin('status').status == 0, 'nobody is locked out')


def half_closed_watchers(a):
    a.group('foo', ['1', '2'])
    a.start()
    with half_closed(a, WATCH) as w, half_closed(a, NOTIFY) as n, half_closed(a, NOTIFY, WATCH) as both:
        ok(w.line()['DirectorResponse'] == both.line()['DirectorResponse'] == 'Watching', 'it watches')
        a.must(a.load('foo-1.tls'))
        ok(w.event(lambda e: e.get('Event') == 'Loaded'), 'one that shut its writing side is told of a change')
        r = n.line()
        ok(r['DirectorResponse'] == 'NotificationOfUpdate' and n.line() is None,
           'one that waits for a notification gets it, and then the end', r)
        a.must(a.load('foo-2.tls'))
        ok(w.event(lambda e: e.get('Event') == 'Loaded'), 'and of the next change')
        events = [both.event(lambda e: 'Event' in e and e['Event'] == 'Loaded') for _ in range(2)]
        ok(len(events) == 2, 'with a notification in between too')
        with a.client() as c:
            until('only those that watch are left', lambda: c.ask('Status')['Clients'] == 3)
            w.close()
            both.close()
            until('they are gone', lambda: alone(c))


def half_closed_askers(a):
    a.group('foo', ['1'])
    a.start()
    with half_closed(a, b'{"DirectorOp":"LoadSource","Source":"foo"}\n',
                     b'{"DirectorOp":"LoadSource","Source":"none"}\n' * 20000,
                     b'{"DirectorOp":"Ask","Target":"foo","Literal":"(\'echo\', 1)"}\n') as c:
        answers = []
        while (r := c.line()) is not None:
            answers.append(r)
        ok(len(answers) == 20002 and answers[0]['Success'] and not any(r['Success'] for r in answers[1:-1]) and
           answers[-1].get('Literal') == "('1', 1)", 'all that it asked is answered, then comes the end',
           len(answers), answers[:1], answers[-1:])
    with a.client() as c:
        until('it is gone', lambda: alone(c))


def fill(sock, most):
    """Send blank lines until nobody takes more, or so many bytes are sent; returns how many were."""
    sent = 0
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while sent < most and poll.poll(300):
        with contextlib.suppress(BlockingIOError):
            sent += sock.send(b' ' * 4095 + b'\n')
    return sent


def leave_with_a_job(a):
    """One asked for a load, others have a question that waits for it; all are gone before it ends."""
    flag = a.base / 'flag'
    made = "note(type(self).__name__, 'made', os.getpid())\n"
    wait = '        while os.path.exists(%r): time.sleep(0.01)\n' % str(flag)
    a.group('foo', ['1'], source=ACTOR.replace(made, made + wait))
    a.start()
    flag.touch()
    pid = a.pid
    question = b'{"DirectorOp":"Ask","Target":"foo","Literal":"(\'late\',)","Timeout":60}\n'
    with a.client() as c, a.watch() as w:
        load = half_closed(a, b'{"DirectorOp":"LoadSource","Source":"foo-1.tls"}\n')
        a.notes.wait(lambda notes: [n for n in notes if n[2] == 'made'])
        asker = half_closed(a, question)
        piled = a.client()
        piled.raw(question)
        # More than the admin reads ahead: it does not come to the end of this.
        ok(fill(piled.sock, 8 << 20) < 8 << 20, 'it is more than the admin reads')
        until('they are there', lambda: c.ask('Status')['Clients'] == 5)
        until('the admin waits for the actor', lambda: waits(pid))
        shown = shows(pid, 'with their descriptors')
        before = fds(pid) if shown else 0
        for one in load, asker, piled:
            one.close()
        until('they are gone at once', lambda: c.ask('Status')['Clients'] == 2)
        if shown:
            until('with their descriptors', lambda: fds(pid) <= before - 3)
        ok(True, 'clients that close are gone, while the load goes on')
        flag.unlink()
        e = w.event(lambda e: e.get('Event') in ('Loaded', 'Undone'))
        ok(e['Event'] == 'Loaded' and a.asked('foo', ('echo',)) == ('1',), 'the load ends as if they were there', e)
        asked = [n for n in a.notes.take() if n[2:] == ('got', ('late',))]
        ok(not asked, 'what nobody waits for is not asked', asked)


def half_closed_cost_nothing(a):
    a.start()
    pid = a.pid
    with contextlib.ExitStack() as all, a.client() as c:
        held = [all.enter_context(half_closed(a, WATCH if n % 2 else NOTIFY)) for n in range(100)]
        until('they are there', lambda: c.ask('Status')['Clients'] == len(held) + 1)
        ok(until('the admin sleeps', lambda: stays_asleep(pid)), 'with 100 clients that are half closed the admin sleeps')


def asks_python(pid):
    """Does a daemon that has just begun still wait for what python3 says of its version?"""
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        children = f.read().split()
    lines = []
    for child in children:
        with contextlib.suppress(OSError):
            with open('/proc/%s/cmdline' % child, 'rb') as f:
                lines.append(f.read())
    return any(b'\0-c\0' in line for line in lines)


def take_places(a, all, held):
    """Clients that are served, into held, until one is not, which is the last; returns what it is told."""
    while True:
        held.append(all.enter_context(a.client(20)))
        with contextlib.suppress(BrokenPipeError):
            held[-1].send(DirectorOp='Status')
        told = held[-1].line()
        if not told['Success']:
            return told


def descriptors_run_out(a):
    limit = 48
    a.group('foo', ['1'])
    a.must(a.run('tds-admin', 'start', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))))
    pid = a.pid
    until('it holds no descriptor for a moment alone', lambda: not asks_python(pid))
    with contextlib.ExitStack() as all:
        known = all.enter_context(a.client())
        known.ask('Status')
        held = []
        last = take_places(a, all, held)
        ok(last['DirectorResponse'] == 'Error' and last['Status'] == 8 and last['Message'] == 'no descriptor is left' and
           held[-1].line() is None, 'where no descriptor is left a client is told so', last)
        more = [all.enter_context(a.client(20)) for _ in range(40)]
        ok([c.line()['Message'] for c in more] == ['no descriptor is left'] * 40, 'and each that comes after it')
        b = a.admin('status')
        ok(b.status == 8 and 'no descriptor is left' in b.err, 'tds-admin says so too', b)
        ok(known.ask('Status')['Success'], 'those that are there are served')
        ok(until('the admin sleeps', lambda: stays_asleep(pid)), 'meanwhile the admin sleeps')
        held.pop(0).close()
        until('it is gone', lambda: known.ask('Status')['Clients'] == len(held))
        silent = all.enter_context(a.client(20))
        until('it has the place', lambda: known.ask('Status')['Clients'] == len(held) + 1)
        ok(a.admin('status').status == 0 and silent.line()['Message'] == 'no descriptor is left',
           'one that said nothing yet makes room')
        for c in held:
            c.close()
        until('there is room again', lambda: a.ask('Status')['Success'])
        a.must(a.load('foo'))
        ok(a.asked('foo', ('echo',)) == ('1',), 'with descriptors again all goes on')


def responses(c, most):
    """What so many of the next lines are, or all up to the end: (response, how many) in their order."""
    lines = itertools.takewhile(lambda r: r is not None, (c.line() for _ in range(most)))
    return [(response, len(list(them))) for response, them in itertools.groupby(r['DirectorResponse'] for r in lines)]


def who_does_not_read(a):
    """A client that asks and does not read costs no more than it may leave unread, and loses nothing."""
    a.start()
    pid, count = a.pid, 1700
    questions = b'{"DirectorOp":"RetrieveAll"}\n' * count
    with a.client() as c:
        until('it is alone', lambda: alone(c))
        defined = [c.ask('DefineGroup', Group='g%d-' % n + 'x' * 200, Actors={})['Success'] for n in range(50)]  # long answers
        ok(all(defined), 'groups are defined', defined)
        line = len(json.dumps(c.ask('RetrieveAll')))
        before = rss_kib(pid)
        shut, piled, gone = half_closed(a, questions), a.client(), a.client()
        for one in piled, gone:
            one.raw(questions)
        until('the admin has taken what it takes', lambda: waits(pid))
        sent = fill(piled.sock, 8 << 20)  # lines that are no requests
        ok(0 < sent < 8 << 20, 'one that does not read is not read for ever', sent)
        until('the admin has taken what it takes', lambda: waits(pid))
        grown = rss_kib(pid) - before
        ok(sanitized() or grown < 3 * 10 * 1024, 'nor answered', grown, 3 * count * line >> 10)
        ok(c.ask('Status')['Clients'] == 4, 'others are served')
        gone.close()
        until('one that leaves is gone', lambda: c.ask('Status')['Clients'] == 3)
        got = responses(shut, count + 1)
        ok(got == [('AllAddresses', count)], 'one that has shut its writing side gets all its answers, and the end', got)
        piled.sock.settimeout(LIMIT_S)
        got = responses(piled, count + sent // 4096)
        ok(got == [('AllAddresses', count), ('Error', sent // 4096)], 'when it reads it gets all its answers', got)
        ok(piled.ask('Status')['Success'], 'and goes on')
        piled.close()
        shut.close()


def nothing_helps(a):
    """Where not even the reserve helps the listener pauses; who waits is served later."""
    a.start()
    pid = a.pid
    with a.client() as known:
        until('only it is there', lambda: alone(known))
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        for _ in range(2):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
            with a.client() as c:
                c.send(DirectorOp='Status')
                before = naps(pid)
                until('the admin sleeps between its tries', lambda: naps(pid) >= before + 5, 20)
                ok(known.ask('Status')['Success'], 'those that are there are served')
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                ok(c.line()['Success'], 'who waited is served when there are descriptors again')
        ok(until('the admin sleeps', lambda: stays_asleep(pid)), 'and then it sleeps')


def too_many(a):
    """Root's own watchers keep root from nothing: where they have all places the oldest makes room."""
    a.start()
    with contextlib.ExitStack() as all:
        held = [all.enter_context(a.watch()) for _ in range(PLACES)]
        ok(a.admin('status').status == 0, 'where 256 are served the next one of root is served too')
        r = next(filter(lambda r: 'DirectorResponse' in r, iter(held[0].line, None)))
        ok((r['DirectorResponse'], r['Success'], r['Status'], r['Message']) == ('Error', False, 8, 'too many clients') and
           held[0].line() is None, 'and the oldest is told why it is not any more', r)
        there = a.ask('Status')['Clients']  # some places are kept for root
        ok(there == (PLACES if os.geteuid() == 0 else PLACES - OF_ROOT), 'the others are', there)


class Other:
    """A process of another user with so many watchers, and what each was told first; it ends when it is closed."""

    def __init__(self, a, uid, count):
        theirs, ours = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                held = []
                for _ in range(count):  # who has said nothing yet makes room for the next
                    held.append(a.client())
                    theirs.sendall(watching(held[-1]).encode() + b'\n')
                theirs.shutdown(socket.SHUT_WR)
                theirs.recv(1)
            finally:
                os._exit(0)
        theirs.close()
        self.sock = ours
        with ours.makefile() as f:
            self.said = f.read().splitlines()

    def close(self):
        self.sock.close()
        os.waitpid(self.pid, 0)


def watching(c):
    with contextlib.suppress(BrokenPipeError):
        c.send(DirectorOp='Watch')
    answer = c.line()
    return answer.get('Message', answer['DirectorResponse'])


def places_are_kept(a):
    if os.geteuid() != 0:
        skip('some places are kept for root', 'not root')
        return
    os.chmod(a.base, 0o755)
    users = range(64001, 64006)
    (a.dir / 'adminusers.cfg').write_text(''.join('%d\n' % u for u in users))
    a.start()
    with contextlib.closing(Other(a, users[0], 33)) as other:
        ok(other.said.count('Watching') == 32, 'another user has 32 places', other.said[-3:])
    a.must(a.admin('shutdown'))
    (a.dir / 'budget.cfg').write_text("{'Clients': 64}")
    a.start()
    with contextlib.ExitStack() as all:
        others = [all.enter_context(contextlib.closing(Other(a, uid, 65))) for uid in users]
        said = [s for o in others for s in o.said]
        ok(len(said) == 5 * 65 and said.count('Watching') == PLACES - KEPT and
           set(said) == {'Watching', 'too many clients'},
           'other users get all places but %d' % KEPT, *(o.said[-15:] for o in others))
        ok([o.said.count('Watching') for o in others[:3]] == [64] * 3, 'each at most what budget.cfg says')
        held, mine = [], []
        for _ in range(KEPT):
            held.append(all.enter_context(a.client()))
            mine.append(watching(held[-1]))
        ok(mine == ['Watching'] * KEPT, 'root gets the others')
        # One of root's that has said nothing yet is not displaced by somebody else's.
        held.pop().close()
        until('there is room', lambda: a.ask('Status')['Success'])
        silent = all.enter_context(a.client())
        more = all.enter_context(contextlib.closing(Other(a, users[-1], 1)))
        ok(more.said == ['too many clients'] and silent.ask('Status')['Success'], 'they are not taken from root', more.said)
        ok(watching(all.enter_context(a.client())) == 'Watching', 'who takes one of theirs, where it has none of its own')
    with a.client() as c:
        until('they are gone', lambda: alone(c))


def killed(a, count):
    """A process that has so many connections, in the midst of something, is killed."""
    pid = os.fork()
    if pid == 0:
        try:
            held = []
            for n in range(count):
                held.append(a.client())
                held[-1].raw((WATCH, b'{"Direct', WATCH + NOTIFY, b'{"DirectorOp":"RetrieveAll"}\n')[n % 4])
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def one_by_one(what):
    def come_and_go(a, count):
        for one in [a.client() for _ in range(count)]:
            what(one)
            one.close()
    return come_and_go


def shut(c):
    c.sock.shutdown(socket.SHUT_WR)


def watch(c):
    c.ask('Watch')


def watch_and_shut(c):
    c.raw(WATCH)
    shut(c)
    c.line()


def break_off(c):
    c.raw(b'{"DirectorOp":"Loa')
    c.sock.shutdown(socket.SHUT_RD)


KINDS = {'silent': one_by_one(lambda c: None), 'half closed': one_by_one(shut), 'watching': one_by_one(watch),
         'half closed and watching': one_by_one(watch_and_shut), 'of half a request': one_by_one(break_off),
         'killed': killed}


def come_and_go(a):
    """Many of each kind: the admin has the same descriptors before and after."""
    a.start()
    pid = a.pid
    at_once = 50
    with a.client() as c:
        until('it is alone, and what the start needed is closed', lambda: alone(c) and stays_asleep(pid))
        shown = shows(pid, 'no descriptor is left')
        before = fds(pid) if shown else 0
        memory = rss_kib(pid)
        for kind, some in KINDS.items():
            for _ in range(500 * SCALE // at_once):
                some(a, at_once)
            try:
                until('all are gone', lambda: alone(c) and (not shown or fds(pid) == before))
                ok(True, 'clients that are %s: no descriptor is left' % kind)
            except Fault as e:
                ok(False, 'clients that are %s: no descriptor is left' % kind, e, shown and fds(pid), before, c.ask('Status'))
        grown = rss_kib(pid) - memory
        ok(sanitized() or grown < 4 * 1024, 'and no memory', grown)


if __name__ == '__main__':
    run_cases(watchers_leave, half_closed_watchers, half_closed_askers, leave_with_a_job, half_closed_cost_nothing,
              descriptors_run_out, who_does_not_read, nothing_helps, too_many, places_are_kept, come_and_go)
