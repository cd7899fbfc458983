#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The daemon dies, or hangs, and its guardian starts it again: what was loaded is back, nothing of the old one is left.

Prints TAP. 20 deaths under load, and 20 times as many under TDS_SCALE=20.
"""
import contextlib
import json
import os
import signal
import threading
import time

from adminlib import SCALE, parent_of, run_cases, until
from tap import ok

ROUNDS = 20 * SCALE
RESTARTING = (8, '', 'tds-admin: the admin process is restarting\n')


def echoes(a, group, version='1'):
    try:
        return a.asked(group, ('echo',)) == (version,)
    except Exception:  # nobody listens, or who did is gone
        return False


def status(a):
    """What Status says, or nothing."""
    with contextlib.suppress(OSError, TypeError):
        return a.ask('Status') or {}
    return {}


def events(a):
    """(event, message) of the audit log."""
    return [(e['Event'], e.get('Message')) for e in a.events(log='audit.log')]


def restarting(a):
    """Does its guardian say so?"""
    return (a.dir / '.tds/lock').read_text() != ''


def kill_daemon(a):
    """Kill it, once it is up and its guardian has heard so, and until its processes are gone."""
    until('it is up', lambda: status(a).get('Ready') and not restarting(a))
    old = a.kill_daemon()
    until('what ran with it is gone', lambda: not set(old) & set(a.processes()))


def die_for_a_while(a):
    """The daemon's fourth death, after which it is started in 1.6 s: until then its guardian is stopped, and returned."""
    for _ in range(3):
        kill_daemon(a)
    until('it is up', lambda: status(a).get('Ready') and not restarting(a))
    daemon = a.pid
    guardian = parent_of(daemon)
    os.kill(daemon, signal.SIGKILL)
    until('it is restarting', lambda: restarting(a))
    os.kill(guardian, signal.SIGSTOP)
    return guardian


@contextlib.contextmanager
def load_on(a):
    """Somebody loads one version after the other, and somebody asks."""
    over = threading.Event()

    def load():
        n = 0
        while not over.is_set():
            n += 1
            a.load('--no-start', 'busy-%d.tls' % (n % 2 + 1))

    def ask():
        while not over.is_set():
            echoes(a, 'foo')
    threads = [threading.Thread(target=t) for t in (load, ask)]
    for t in threads:
        t.start()
    try:
        yield
    finally:
        over.set()
        for t in threads:
            t.join()


def under_load(a):
    a.group('foo', ['1'])
    a.group('busy', ['1', '2'])
    a.must(a.load('-a'))
    guardian = parent_of(a.pid)
    (a.dir / '.tds/.tds-tmp-abc').write_text('half')  # one that was being written
    bad = []
    with load_on(a):
        for n in range(ROUNDS):
            kill_daemon(a)
            b = a.admin('start')
            if b.status != 0 or not echoes(a, 'foo'):
                bad.append('round %d: %r' % (n, b))
    b = a.load('busy-2.tls')
    ok(not bad, '%d times kill -9 of the daemon under load: all is back' % ROUNDS, *bad[:5])
    ok(b.status == 0 and echoes(a, 'busy', '2') and set(a.state_of('busy')) <= {'1', '2'}, 'what was being loaded can be loaded', b, a.state())
    until('nothing is left over', lambda: not a.strays() and not a.leftovers())
    s = status(a)
    ok(parent_of(s['Pid']) == guardian and s['Restarts'] == ROUNDS and s['LastEnd'] == 'killed by signal 9',
       'the guardian is the same, and the daemon knows what became of the one before', s)
    b = a.admin('status')
    ok(b.out.splitlines()[0] == 'running, pid %d, killed by signal 9, started again %d times' % (s['Pid'], ROUNDS), 'so does status', b)
    ok(events(a).count(('Restarted', 'killed by signal 9')) == ROUNDS and a.admin('log', '--audit').status == 0, 'and the audit log')


def hangs(a):
    a.patience(silent_ms=1000)
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    first, guardian = a.pid, parent_of(a.pid)
    for pid in guardian, first:  # the machine stands still for a while, say
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    for pid in guardian, first:
        os.kill(pid, signal.SIGCONT)
    ok(echoes(a, 'foo') and a.pid == first, 'one that was stopped with its guardian is not to blame')
    old = set(a.processes()) - {guardian}
    os.kill(first, signal.SIGSTOP)
    b = a.admin('start')
    ok(b.status == 0 and echoes(a, 'foo'), 'one that hangs is started again, and start waits', b)
    ok(not old & set(a.processes()), 'nothing of the old one is left')
    ok(status(a)['LastEnd'] == 'killed after 1 s of silence', 'status says why', status(a))


def while_it_restarts(a):
    """Status says so; start and tds-load wait; a request to end is heard."""
    a.patience(window_ms=600000)
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    guardian = die_for_a_while(a)
    b = a.admin('status')
    ok(b == RESTARTING, 'status says that it is restarting: 8', b)
    tools = [a.start_tool('tds-admin', 'start'), a.start_tool('tds-load', 'foo'), a.start_tool('tds-load', '--no-start', 'foo')]
    os.kill(guardian, signal.SIGCONT)
    answers = [a.end_tool(p) for p in tools]
    ok(all(b.status == 0 for b in answers) and echoes(a, 'foo') and status(a)['Restarts'] == 4, 'start and tds-load wait', *answers)


def asked_to_end_meanwhile(a):
    a.patience(window_ms=600000)
    a.group('foo', ['1'])
    p = a.start_tool('tds-admin', 'start', '--foreground')
    until('it is up', lambda: status(a).get('Ready'))
    a.must(a.load('foo'))
    guardian = die_for_a_while(a)
    os.kill(guardian, signal.SIGTERM)
    os.kill(guardian, signal.SIGCONT)
    b = a.end_tool(p)
    ok(b.status == 0 and not a.processes(), 'asked to end while it waits: 0, and nothing runs', b, a.processes())
    ok(a.admin('start').status == 0 and echoes(a, 'foo'), 'the next start brings it back')
    b = a.admin('status')
    ok(b.status == 0 and 'again' not in b.out, 'as a new one', b)


def five_deaths(a):
    a.patience(window_ms=600000)
    a.group('foo', ['1'])
    p = a.start_tool('tds-admin', 'start', '--foreground')
    until('it is up', lambda: status(a).get('Ready'))
    a.must(a.load('foo'))
    for _ in range(5):
        kill_daemon(a)
    b = a.end_tool(p)
    lines = [x for x in b.err.splitlines() if x.startswith('tds-admin: the admin process ')]  # the others are events
    ok(b.status == 1 and lines[:4] == ['tds-admin: the admin process died (killed by signal 9), and is started again'] * 4
       and lines[4:] == ['tds-admin: the admin process died 5 times, and is not started again: killed by signal 9'],
       'the fifth death is the last: 1', b)
    ok(not a.processes() and not os.path.exists(a.socket_path) and events(a)[-1] == ('GivenUp', 'killed by signal 9'),
       'nothing is left but a line in the audit log', a.processes(), events(a))
    b = a.admin('status')
    ok(b == (8, '', 'tds-admin: the admin process is not running\n'), 'it does not run', b)
    ok(a.admin('start').status == 0 and echoes(a, 'foo'), 'the next start brings all back')


def hanging(a, group):
    """A source whose import hangs while flag is there; it makes there first."""
    flag, there = a.base / 'flag', a.base / 'there'
    a.group(group, ['1'], head='import os, time\nopen(%r, "w").close()\nwhile os.path.exists(%r): time.sleep(0.01)\n'
            % (str(there), str(flag)))
    a.group('bar', ['1', '2'])
    for name in group, 'bar-1.tls', 'bar-2.tls':
        a.must(a.load(name))
    a.crash()
    flag.write_text('')
    there.unlink()
    return flag, there


def on_their_way_back(a):
    """How many sources are, as the admin has written down; None while it has not."""
    with contextlib.suppress(FileNotFoundError):
        return len(json.loads((a.dir / '.tds/restoring.json').read_text()))


def die_at_import(a, there):
    until('the import is under way', there.exists)
    until('all else is back', lambda: on_their_way_back(a) == 1)
    there.unlink()
    os.kill(daemon_of(a), signal.SIGKILL)


def daemon_of(a):
    """The daemon, even where it is not asked."""
    ours = [p for p, line in a.processes().items() if line.startswith('tds-daemon')]
    return next(p for p in ours if parent_of(p) in ours)


def what_it_dies_of(a):
    flag, there = hanging(a, 'foo')
    start = a.start_tool('tds-admin', 'start')
    die_at_import(a, there)
    die_at_import(a, there)
    b = a.end_tool(start)
    why = 'foo-1.tls: the admin process died twice while it came back'
    ok(b == (1, '', 'tds-admin: %s\n' % why), 'what it died of twice is left out, and start says so: 1', b)
    ok(echoes(a, 'bar', '2') and a.state_of('bar') == {'1': False, '2': True}, 'all else is back', a.state())
    ok(a.state_of('foo') == {} and a.loaded('foo') == [], 'and it is forgotten', a.state())
    s = status(a)
    ok(s['NotRestored'] == [why] and s['Restarts'] == 2 and ('LeftOut', why.split(': ')[1]) in events(a),
       'Status and the audit log name it', s, events(a))
    ok(not a.wrong_in_store(), 'the store has no more than what is wanted', a.wrong_in_store())
    flag.unlink()
    ok(not (a.dir / '.tds/restoring.json').exists() and a.load('foo').status == 0 and echoes(a, 'foo'), 'it can be loaded again')


def what_it_dies_of_once(a):
    flag, there = hanging(a, 'foo')
    start = a.start_tool('tds-admin', 'start')
    die_at_import(a, there)
    flag.unlink()
    b = a.end_tool(start)
    ok(b.status == 0 and echoes(a, 'foo') and echoes(a, 'bar', '2'), 'what it died of once comes back', b)
    ok(not (a.dir / '.tds/restoring.json').exists(), 'which is not held against it later')


if __name__ == '__main__':
    run_cases(under_load, hangs, while_it_restarts, asked_to_end_meanwhile, five_deaths, what_it_dies_of, what_it_dies_of_once)
