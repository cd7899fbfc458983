#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tds-admin restart: another admin takes over with what is loaded, under the same lock, and nobody is told anything wrong.

Prints TAP. 3 restarts under load, and 20 times as many under TDS_SCALE=20.
"""
import contextlib
import fcntl
import os
import signal
import threading

from adminlib import SCALE, parent_of, run_cases, shows, until
from tap import BIN, ok

ROUNDS = 3 * SCALE
RESTARTING = (8, '', 'tds-admin: the admin process is restarting\n')


def echoes(a, group='foo', version='1'):
    with contextlib.suppress(Exception):  # nobody listens, or who did is gone
        return a.asked(group, ('echo',)) == (version,)
    return False


def hanging(a):
    """An actor that takes no exit request until it is killed: a restart takes as long as its grace time."""
    a.ask('Tell', Target='foo', Literal="('hang',)")
    a.notes.wait_for('1', 'A', 'got', ('hang',))


def restarting(a):
    with contextlib.suppress(OSError, TypeError):
        return a.ask('Status')['Restarting']
    return False


def keeps_all(a):
    """What is loaded, what is active, what clients defined; the guardian is the same, the daemon another."""
    a.group('foo', ['1', '2'])
    a.group('bar', ['1'])
    for name in 'foo-1.tls', 'foo-2.tls', 'bar-1.tls':
        a.must(a.load(name))
    a.must(a.load('foo-1.tls'))
    a.ask('DefineGroup', Group='own', Actors={})
    before, groups = a.pid, a.groups()
    guardian, state, defined = parent_of(before), a.state(), (a.dir / '.tds/groups.json').read_text()
    a.notes.take()
    b = a.admin('restart')
    ok(b == (0, '', ''), 'a restart', b)
    ok(a.pid != before and parent_of(a.pid) == guardian, 'another daemon, the same guardian', a.pid, before, guardian)
    ok(echoes(a, 'foo', '1') and echoes(a, 'bar') and a.loaded('foo') == ['1', '2'], 'all is back, and what was active is', a.groups())
    ok(sorted(a.groups()) == sorted(groups) and (a.dir / '.tds/groups.json').read_text() == defined, 'a definition too', a.groups())
    told = [n for n in a.notes.take() if n[-1] == 'ActorExitRequest' or n[1:3] == ('A', 'got')]
    exits = [n for n in told if n[-1] == 'ActorExitRequest']
    ok(sorted(exits) == [('1', 'A', 'ActorExitRequest')] * 2 + [('2', 'A', 'ActorExitRequest')] and told[:3] == exits,
       'the actors are asked to exit, and told nothing else, and then new ones get OnLoad', told)
    same = [{k: v for k, v in s.items() if k != 'LoadedMs'} for s in a.state()['Sources']]
    ok(same == [{k: v for k, v in s.items() if k != 'LoadedMs'} for s in state['Sources']], 'loaded.json says the same', same)
    s = a.ask('Status')
    ok((s['Restarts'], s['Restarting'], s['NotRestored']) == (0, False, []) and 'LastEnd' not in s, 'it is no death', s)
    ok(a.events('Restarting'), 'and stands in the event log', a.events())
    b = a.admin('restart')
    ok(b.status == 0 and parent_of(a.pid) == guardian and echoes(a), 'and once more', b)


def where_nothing_runs(a):
    a.group('foo', ['1'])
    b = a.admin('restart')
    ok(b == (0, '', '') and a.admin('status').status == 0, 'where nothing runs it starts', b)
    a.must(a.load('foo'))
    a.crash()
    b = a.admin('restart')
    ok(b.status == 0 and echoes(a), 'after a crash too, and brings back what was loaded', b)


def for_a_supervisor(a):
    """Started in the foreground: its process, its lock and its standard error go on."""
    a.group('foo', ['1'])
    p = a.start_tool('tds-admin', 'start', '--foreground')
    until('it is up', lambda: a.admin('status').status == 0)
    a.must(a.load('foo'))
    free = []
    over = threading.Event()

    def watch_lock():
        with open(a.dir / '.tds/lock') as f:
            while not over.is_set():
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    free.append('free')
                    fcntl.flock(f, fcntl.LOCK_UN)
    watcher = threading.Thread(target=watch_lock)
    watcher.start()
    b = a.admin('restart')
    over.set()
    watcher.join()
    ok(b.status == 0 and p.poll() is None and parent_of(a.pid) == p.pid and echoes(a), 'the supervisor sees nothing', b)
    ok(not free, 'and the lock was held throughout', free)
    shown = shows(p.pid, 'a restart leaves no descriptor behind')
    fds = sorted(int(fd) for fd in os.listdir('/proc/%d/fd' % p.pid)) if shown else []
    a.must(a.admin('restart'))
    if shown:
        ok(sorted(int(fd) for fd in os.listdir('/proc/%d/fd' % p.pid)) == fds, 'a restart leaves no descriptor behind', fds)
    os.kill(p.pid, signal.SIGTERM)
    b = a.end_tool(p)
    ok((b.status, b.out, b.err.splitlines()[-1]) == (0, '', 'tds-admin: Stopped') and not a.processes(), 'SIGTERM ends it as ever', b)
    ok(a.admin('start').status == 0 and a.groups() == {}, 'and nothing comes back')


def what_does_not_come_back(a):
    a.group('foo', ['1'])
    a.group('bar', ['1'])
    a.must(a.load('-a'))
    (a.dir / 'birch_tls.allow').write_text('foo\n')
    b = a.admin('restart')
    ok(b.status == 1 and b.err.startswith('tds-admin: bar-1.tls: ') and b.err.count('\n') == 1, 'it is named, with 1', b)
    ok(echoes(a) and a.loaded('bar') == [], 'and all else is back')


def as_before(a):
    """The actors' user again that the admin was made with: a plain user has none but itself."""
    if os.geteuid() == 0:
        a.actors('root')
    else:
        (a.dir / 'actoruser.cfg').unlink()


def what_is_refused(a):
    """What would not start again goes on as it is."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    pid = a.pid
    (a.dir / 'actoruser.cfg').write_text('no-such-user\n')
    b = a.admin('restart')
    ok(b.status == 4 and 'actoruser.cfg' in b.err and b.err.count('\n') == 1 and a.pid == pid and echoes(a), 'settings that are wrong', b)
    as_before(a)
    (a.dir / 'datadir.cfg').write_text('%s/none/data\n' % a.base)
    b = a.admin('restart')
    ok(b == (5, '', 'tds-admin: datadir.cfg: %s/none/data: No such file or directory\n' % a.base) and a.pid == pid and echoes(a),
       'a folder of data that cannot be', b)
    (a.dir / 'datadir.cfg').unlink()
    path, kept = a.dir / '.tds/loaded.json', a.dir / '.tds/kept.json'
    path.rename(kept)
    path.mkdir()
    b = a.admin('restart')
    ok(b.status == 5 and 'what is loaded cannot be kept' in b.err and a.pid == pid and echoes(a), 'a state that cannot be written', b)
    path.rmdir()
    kept.rename(path)
    b = a.admin('restart', 'now')
    ok(b.status == 2, 'an operand', b)
    for program, status in (('tds-daemon', 2), (7, 2), ('/' + 'x' * 4000, 5)):
        r = a.ask('Restart', Program=program)
        ok((r['DirectorResponse'], r['Success'], r['Status']) == ('Restarting', False, status) and a.pid == pid, 'a program %.20r' % program, r)
    r = a.ask('Restart', Grace='x')
    ok(r['Status'] == 2 and echoes(a), 'a grace time that is none', r)


def of_programs(a):
    """One that was started for programs has nothing to come back to."""
    a.start('--transient')
    pid = a.pid
    b = a.admin('restart')
    ok(b.status == 1 and '--transient' in b.err and a.pid == pid, 'a system of programs is not restarted', b)


def cannot_be_run(a):
    """The program that was named is not there any more: the one before goes on, and nothing is lost."""
    a.group('foo', ['1'])
    p = a.start_tool('tds-admin', 'start', '--foreground')
    until('it is up', lambda: a.admin('status').status == 0)
    a.must(a.load('foo'))
    pid = a.pid
    r = a.ask('Restart', Program=str(a.base / 'gone'))
    ok(r['Success'] and r['Pid'] == pid, 'it is tried', r)
    until('it is back', lambda: echoes(a))
    ok(a.pid != pid and parent_of(a.pid) == p.pid, 'and the one before goes on')
    b = a.admin('restart')
    ok(b.status == 0 and echoes(a), 'and can be restarted', b)
    a.must(a.admin('shutdown'))
    b = a.end_tool(p)
    line = 'tds-admin: %s: No such file or directory; the one before goes on\n' % (a.base / 'gone')
    ok((b.status, b.out, b.err.count(line)) == (0, '', 1), 'as it has said', b)
    ok([e['Message'] for e in a.events('Restarted', log='audit.log')] == [line[len('tds-admin: '):-1]], 'in the audit log too')


def cannot_begin(a):
    """One that takes over and finds settings that were right a moment ago: what it could not begin for is in the logs."""
    a.patience(window_ms=600000)
    a.start()
    wrapper = a.base / 'next'
    wrapper.write_text('#!/bin/sh\necho no-such-user >%s/actoruser.cfg\nexec %s "$@"\n' % (a.dir, BIN.parent / 'libexec/tds/tds-daemon'))
    wrapper.chmod(0o755)
    a.ask('Restart', Program=str(wrapper))
    until('it has ended', lambda: not a.processes())
    end = "exited with status 4: %s/actoruser.cfg:1:1: no such user: no-such-user" % a.dir
    ok([e['Message'] for e in a.events('GivenUp', log='audit.log')] == [end], 'the audit log says why', a.events('GivenUp', log='audit.log'))
    as_before(a)


def while_it_restarts(a):
    """status: 8; start, restart and tds-load wait; all else is told to ask later, and a change is not half made."""
    a.group('foo', ['1'])
    a.group('bar', ['1'])
    a.must(a.load('foo'))
    hanging(a)
    with a.client() as asking, a.client() as late, contextlib.ExitStack() as stack:
        asking.send(DirectorOp='Ask', Target='foo', Literal='1', Timeout=60)
        crowd = [stack.enter_context(a.client()) for _ in range(20)]  # more than reaches the actor before its end
        for c in crowd:
            c.send(DirectorOp='Ask', Target='foo', Literal=repr('x' * 60000), Timeout=60)
        late.ask('Status')
        first = a.start_tool('tds-admin', 'restart', '--grace=0.7')
        until('it restarts', lambda: restarting(a))
        b = a.admin('status')
        ok(b == RESTARTING, 'status says so', b)
        others = [a.start_tool(*words) for words in (
            ('tds-admin', 'start'), ('tds-admin', 'restart'), ('tds-load', 'bar'), ('tds-load', '--no-start', 'bar'))]
        for request in ({'DirectorOp': 'RetrieveAll'}, {'DirectorOp': 'RetrieveRole', 'Role': 'foo'}, {'DirectorOp': 'LoadSource', 'Source': 'nosuch'},
                        {'DirectorOp': 'Ask', 'Target': 'nosuch', 'Literal': '1'}, {'DirectorOp': 'Join', 'As': 'program'}):
            r = late.ask(request.pop('DirectorOp'), **request)
            ok((r['Success'], r['Status']) == (False, 8) and r['DirectorResponse'] != 'Status', 'told to ask later: %s' % r['DirectorResponse'], r)
        r = asking.line()
        ok((r['Success'], r['Status'], r['Restarting']) == (False, 8, True) and asking.line() is None, 'a question that was under way too', r)
        told = [c.line() for c in crowd]
        ok(all(r and (r['Status'], r.get('Restarting')) == (8, True) for r in told), 'and those that never reached the actor', *told)
    answers = [a.end_tool(p) for p in (first, *others)]
    ok(all(b.status == 0 for b in answers) and echoes(a) and echoes(a, 'bar'), 'start, restart and tds-load wait', *answers)


def asked_to_end_meanwhile(a):
    """A shutdown in a restart ends it for good; SIGTERM does the same."""
    a.group('foo', ['1'])
    for end in 'shutdown', 'SIGTERM':
        p = a.start_tool('tds-admin', 'start', '--foreground')
        until('it is up', lambda: a.admin('status').status == 0)
        a.must(a.load('foo'))
        a.notes.take()
        hanging(a)
        first = a.start_tool('tds-admin', 'restart', '--grace=0.7')
        until('it restarts', lambda: restarting(a))
        if end == 'shutdown':
            b = a.admin('shutdown')
            ok(b == (0, '', ''), 'a shutdown in a restart', b)
        else:
            os.kill(p.pid, signal.SIGTERM)
        b, c = a.end_tool(p), a.end_tool(first)
        ok(b.status == 0 and not a.processes(), '%s: it ends in order' % end, b)
        ok(c == (8, '', 'tds-admin: the admin process ended, and was not started again\n'), 'which the restart says', c)
        a.start()
        ok(a.groups() == {}, 'and nothing comes back')
        a.must(a.admin('shutdown'))


def killed_meanwhile(a):
    """A daemon that dies while it restarts is restarted all the same; where all die, nothing is forgotten."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    for victims in 'daemon', 'both':
        a.notes.take()
        hanging(a)
        daemon = a.pid
        guardian = parent_of(daemon)
        first = a.start_tool('tds-admin', 'restart', '--grace=60')
        until('it restarts', lambda: restarting(a))
        for pid in [guardian] * (victims == 'both') + [daemon]:
            os.kill(pid, signal.SIGKILL)
        b = a.end_tool(first)
        if victims == 'daemon':
            ok(b.status == 0 and echoes(a) and parent_of(a.pid) == guardian, 'the daemon is killed in a restart: it is restarted', b)
        else:
            ok(b == (8, '', 'tds-admin: the admin process ended, and was not started again\n'), 'all is killed: it is said', b)
            until('all is gone', lambda: not a.processes())
            ok(a.admin('restart').status == 0 and echoes(a), 'and the next start brings all back')


class Load:
    """Clients that ask, list and load through restarts, and what they were told that is wrong."""

    def __init__(self, a):
        self.a, self.over, self.wrong, self.right = a, threading.Event(), [], {}
        self.threads = [threading.Thread(target=self.run, args=(t,)) for t in (self.ask, self.list, self.role, self.load)]

    def run(self, what):
        n = 0
        while not self.over.is_set():
            n += 1
            try:
                answer = what(n)
            except OSError:  # nobody listens just now, or the connection ends: as good as 8
                continue
            self.right[what.__name__] = self.right.get(what.__name__, 0) + (answer is True)
            if answer not in (True, None):
                self.wrong.append((what.__name__, answer))

    def later(self, r):
        return r is None or (r['Success'] is False and r['Status'] == 8 and r.get('Restarting'))

    def ask(self, n):
        r = self.a.ask('Ask', Target='foo', Literal="('echo', %d)" % n, Timeout=30)
        return None if self.later(r) else r.get('Literal') == "('1', %d)" % n or r

    def list(self, n):
        r = self.a.ask('RetrieveAll')
        return None if self.later(r) else set(r.get('Groups', {})) >= {'foo', 'busy'} or r

    def role(self, n):
        r = self.a.ask('RetrieveRole', Role='foo')
        return None if self.later(r) else bool(r.get('ActorAddress')) or r

    def load(self, n):
        b = self.a.load('busy-%d.tls' % (n % 2 + 1), '--no-start')
        return b.status == 0 or b

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()


def under_load(a):
    a.group('foo', ['1'])
    a.group('busy', ['1', '2'])
    a.must(a.load('-a'))
    guardian, bad = parent_of(a.pid), []
    with Load(a) as load:
        for n in range(ROUNDS):
            b = a.admin('restart')
            bad += [] if b.status == 0 and parent_of(a.pid) == guardian else [b]
            more = {k: v + 2 for k, v in load.right.items()}
            until('it serves', lambda: load.wrong or all(load.right.get(k, 0) >= v for k, v in more.items()))
    ok(not bad, '%d restarts under load' % ROUNDS, *bad[:3])
    ok(not load.wrong and min(load.right.values()) > 0 and len(load.right) == 4, 'nobody was told anything wrong', load.right, *load.wrong[:5])
    until('nothing is left over', lambda: not a.strays() and not a.leftovers())
    ok(echoes(a) and a.admin('log', '--audit').status == 0, 'and all is as before')


if __name__ == '__main__':
    run_cases(keeps_all, where_nothing_runs, for_a_supervisor, what_does_not_come_back, what_is_refused, of_programs, cannot_be_run, cannot_begin,
              while_it_restarts, asked_to_end_meanwhile, killed_meanwhile, under_load)
