#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guardian is the one face to a supervisor: systemd's datagrams and its watchdog, and the descriptor of s6.

A supervisor of our own stands in, which counts what its main process says and nothing else, as NotifyAccess=main has it.
Prints TAP.
"""
import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading

from adminlib import ACTOR, parent_of, run_cases, run_state, shows, until
from tap import LIMIT_S, ok

# All that there is in sd_notify(3), as somebody would say it who means ill.
DATAGRAMS = ['READY=1', 'READY=0', 'RELOADING=1\nMONOTONIC_USEC=1', 'STOPPING=1', 'STATUS=owned', 'NOTIFYACCESS=all', 'ERRNO=13',
             'BUSERROR=org.freedesktop.DBus.Error.TimedOut', 'VARLINKERROR=org.varlink.service.InvalidParameter', 'EXIT_STATUS=0',
             'MAINPID=1', 'MAINPIDFDID=1', 'WATCHDOG=1', 'WATCHDOG=trigger', 'WATCHDOG_USEC=1', 'EXTEND_TIMEOUT_USEC=1', 'FDSTORE=1',
             'FDSTORE=1\nFDNAME=x\nFDPOLL=0', 'FDSTOREREMOVE=1\nFDNAME=x', 'RESTART_RESET=1', 'BARRIER=1', 'X_OURS=1', '', '=', '\n']
TALKER = r'''
import os, socket
from thespian.actors import *


def tell(path, texts):
    """(what the environment has of a supervisor, how many were sent)."""
    sent = 0
    for text in texts:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.sendto(text.encode(), path)
            sent += 1
        except OSError:
            pass
    return [n for n in os.environ if n == 'NOTIFY_SOCKET' or n.startswith('WATCHDOG')], sent


class Talker(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(sender, tell(*msg))
'''
PROGRAM = r'''
import sys
from thespian.actors import *
from talker import Talker
system = ActorSystem()
print(system.ask(system.createActor(Talker), (sys.argv[1], eval(sys.argv[2])), 20))
'''


class Supervisor:
    """Takes datagrams in the order in which they come."""

    def __init__(self, a, reads=True):
        self.path = str(a.base / 'notify')
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o777)
        self.all = []  # (pid, text)
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read)
        if reads:
            self.thread.start()

    def _read(self):
        while True:
            data, ancillary, _, _ = self.sock.recvmsg(1 << 16, socket.CMSG_SPACE(1024))
            pid = next(struct.unpack('iii', d)[0] for _, kind, d in ancillary if kind == socket.SCM_CREDENTIALS)
            if data == b'end' and pid == os.getpid():
                return
            with self.changed:
                self.all.append((pid, data.decode()))
                self.changed.notify_all()

    def wait(self, what, holds):
        """Until holds(list of (pid, text)), which it returns."""
        with self.changed:
            if not self.changed.wait_for(lambda: holds(self.all), LIMIT_S):
                raise AssertionError('never told: %s; told: %r' % (what, self.all[-20:]))
            return holds(self.all)

    def of(self, pid, *keys):
        """What a process has said of these, in order."""
        with self.changed:
            lines = [line for who, text in self.all if who == pid for line in text.split('\n')]
        return [line for line in lines if line.partition('=')[0] in keys]

    def words(self, pid):
        return self.of(pid, 'READY', 'RELOADING', 'STOPPING')

    def wait_words(self, pid, *words):
        until('told: %r' % (words,), lambda: self.words(pid) == list(words))

    def start(self, a, *args, usec=None, **more):
        watchdog = {'WATCHDOG_USEC': str(usec)} if usec else {}
        return a.start_tool('tds-admin', 'start', '--foreground', *args, env=dict(watchdog, NOTIFY_SOCKET=self.path), **more)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b'end', self.path)
        self.thread.join()
        self.sock.close()
        os.unlink(self.path)


@contextlib.contextmanager
def supervised(a, *args, **more):
    """An admin below a supervisor, which is up: (supervisor, its process)."""
    s = Supervisor(a)
    p = s.start(a, *args, **more)
    try:
        s.wait('up', lambda told: any('READY=1' in text for _, text in told))
        yield s, p
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(p.pid, signal.SIGTERM)
        a.end_tool(p)
        s.close()


def is_ready(a):
    with contextlib.suppress(OSError, TypeError):
        return a.ask('Status')['Ready']
    return False


def shown(pid):
    """Does /proc show something of a supervisor in the environment of a process?"""
    text = pathlib.Path('/proc/%d/environ' % pid).read_bytes()
    return any(name in text for name in (b'NOTIFY_SOCKET', b'WATCHDOG', b'/notify'))


def one_life(a):
    """Each state is told once, by the process that was started, whatever happens below it."""
    a.group('foo', ['1'])
    a.env['WATCHDOG_PID'] = '1'  # another's: nobody watches us
    with supervised(a, usec=60000000) as (s, p):
        ok(s.words(p.pid) == ['READY=1'] and s.of(p.pid, 'STATUS') == ['STATUS=starting', 'STATUS=up'], 'it says that it is up', s.all)
        a.must(a.load('foo'))
        a.must(a.admin('reload'))
        s.wait_words(p.pid, 'READY=1', 'RELOADING=1', 'READY=1')
        ok(len(s.of(p.pid, 'MONOTONIC_USEC')) == 1 and 'STATUS=reading its settings' in s.of(p.pid, 'STATUS'), 'a reload, with its time', s.all)
        os.kill(p.pid, signal.SIGHUP)
        s.wait_words(p.pid, *['READY=1', 'RELOADING=1'] * 2, 'READY=1')
        ok(True, 'and one by a signal')
        a.must(a.admin('restart'))
        s.wait_words(p.pid, *['READY=1', 'RELOADING=1'] * 3, 'READY=1')
        ok('STATUS=restarting' in s.of(p.pid, 'STATUS'), 'a restart, by the one that comes too', s.all)
        a.kill_daemon()
        status = 'STATUS=up; died and was started again 1 times, the last one killed by signal 9'
        s.wait('up again', lambda told: any(status in text for _, text in told))
        ok('STATUS=the admin process died (killed by signal 9), and is started again' in s.of(p.pid, 'STATUS') and
           s.words(p.pid) == ['READY=1', 'RELOADING=1'] * 3 + ['READY=1'], 'a death is told in words, and no end', s.all)
        os.kill(p.pid, signal.SIGTERM)
        ok(a.end_tool(p).status == 0, 'it ends')
        ok(s.words(p.pid)[-1] == 'STOPPING=1' and s.words(p.pid).count('STOPPING=1') == 1, 'and says so', s.all)
        ok({pid for pid, _ in s.all} == {p.pid}, 'nobody else has said anything', s.all)
        ok(not s.of(p.pid, 'WATCHDOG') and s.of(p.pid, 'EXTEND_TIMEOUT_USEC'), 'a watchdog of another process is not fed; more time is asked for', s.all)


def watchdog(a):
    """The heart of the daemon feeds it; one that stands still is killed by its guardian, and then it beats again."""
    a.patience(silent_ms=1000, window_ms=1)
    with supervised(a, usec=60000000) as (s, p):
        s.wait('fed', lambda told: sum('WATCHDOG=1' in text for _, text in told) > 2)
        daemon = a.pid
        os.kill(daemon, signal.SIGSTOP)
        until('it stands still', lambda: run_state(daemon) == 'T')
        before = len(s.of(p.pid, 'WATCHDOG'))
        died = 'STATUS=the admin process died (killed after 1 s of silence), and is started again'
        told = s.wait('it died', lambda told: next((told[:i] for i, (_, text) in enumerate(told) if died in text), None))
        fed = sum('WATCHDOG=1' in text for _, text in told) - before
        ok(fed <= 3, 'of a daemon that stands still the watchdog gets nothing but what was under way', fed)
        s.wait('fed', lambda told: died in told[-1][1] or sum('WATCHDOG=1' in text for _, text in told) > before + fed + 2)
        until('up again', lambda: s.of(p.pid, 'STATUS')[-1].startswith('STATUS=up; died'))
        ok(p.poll() is None and {pid for pid, _ in s.all} == {p.pid}, 'and it beats again', s.all)


def often_enough(a):
    """The daemon is to say something as often as the supervisor wants to hear of it."""
    a.patience(silent_ms=3600000, window_ms=1)
    with supervised(a, usec=400000) as (s, _):
        s.wait('fed', lambda told: sum('WATCHDOG=1' in text for _, text in told) > 3)
        ok(True, 'the heart beats as fast as it is watched')


def hidden(a):
    """Neither the daemon nor what it starts is told of a supervisor; and only what it has started itself speaks to it."""
    a.group('foo', ['1'])
    with supervised(a, usec=60000000) as (s, p):
        a.must(a.load('foo'))
        below = set(a.processes()) - {p.pid}
        seen = shows(a.pid, 'what the environment of a daemon has of a supervisor')
        if seen:
            ok(len(below) > 2 and not [pid for pid in below if shown(pid)] and shown(p.pid), 'the guardian alone has it', below)
        a.must(a.admin('restart'))
        if seen:
            ok(not shown(a.pid) and shown(p.pid), 'after a restart too')
    s = Supervisor(a)
    a.env.update(NOTIFY_SOCKET=s.path, WATCHDOG_USEC='400000')
    a.must(a.admin('start'))
    a.must(a.admin('reload'))
    if seen:
        ok(not shown(a.pid), 'one that became a daemon has nothing of it either')
    a.must(a.admin('shutdown'))
    ok(not s.all, 'and says nothing: it is not the process that was started', s.all)
    s.close()


def actors(a):
    """Each kind of actor says all that there is, to a socket that it was told of: nobody believes it, and it sees none."""
    (a.dir / 'sandbox.cfg').write_text("{'Most': 'trusted', 'Unasked': 'trusted'}\n")
    a.base.chmod(0o755)
    src = a.base / 'program'
    src.mkdir()
    (src / 'talker.py').write_text(TALKER)
    host = a.must(a.admin('config', '--python-path')).out.strip()
    for user in ('root', 'dynamic') if os.geteuid() == 0 else ('own',):
        a.actors(user)
        with supervised(a, usec=60000000) as (s, p):
            until('up', lambda: s.words(p.pid) == ['READY=1'])
            for sandbox in 'trusted', 'net', 'default', 'strict':
                a.group(sandbox, ['1'], {'Actors': {'m.a.Talker': {'OnLoad': {'Role': sandbox}}}, 'Sandbox': sandbox}, source=TALKER)
                a.must(a.load(sandbox))
                seen, sent = a.asked(sandbox, (s.path, DATAGRAMS))
                ok(seen == [] and sent == (len(DATAGRAMS) if sandbox == 'trusted' else 0), '%s: an actor, %s, has said %d' % (user, sandbox, sent), seen)
            with open(a.base / 'said', 'w+') as said:  # actors that outlive the program would hold a pipe open
                subprocess.run([sys.executable, '-B', '-c', PROGRAM, s.path, repr(DATAGRAMS)], cwd=src, stdin=subprocess.DEVNULL, stdout=said,
                               stderr=said, env=dict(a.env, PYTHONPATH=host, THESPIAN_DIRECTOR_DIR=str(a.dir)), check=False, timeout=LIMIT_S)
                said.seek(0)
                text = said.read()
            ok(text == '([], %d)\n' % len(DATAGRAMS), '%s: an actor of a program has said all' % user, text)
            others = [pid for pid, _ in s.all if pid != p.pid]
            ok(len(others) >= 2 * len(DATAGRAMS), 'all that came there', len(others))
            ok(s.words(p.pid) == ['READY=1'] and s.of(p.pid, 'STATUS')[-1] == 'STATUS=up' and a.admin('status').status == 0 and
               parent_of(a.pid) == p.pid, '%s: nothing has changed' % user, s.of(p.pid, 'STATUS'))
        for path in a.dir.glob('*-1.tls'):
            path.unlink()


def does_not_read(a):
    """A supervisor that does not read holds up nobody, and is told later."""
    s = Supervisor(a, reads=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full, contextlib.suppress(BlockingIOError):
        full.setblocking(False)
        while True:
            full.sendto(b'X=1', s.path)
    a.patience(silent_ms=1000)
    p = s.start(a)
    until('it is up', lambda: a.admin('status').status == 0)
    a.must(a.admin('reload'))
    s.thread.start()
    s.wait_words(p.pid, 'READY=1')
    ok(True, 'what it did not take is told once it does')
    os.kill(p.pid, signal.SIGTERM)
    ok(a.end_tool(p).status == 0 and s.words(p.pid) == ['READY=1', 'STOPPING=1'], 'and so is the end', s.all)
    s.close()


def descriptor(a):
    """s6 waits for a newline; nobody else has the descriptor."""
    r, w = os.pipe()
    high = fcntl.fcntl(w, fcntl.F_DUPFD, 40)
    os.close(w)
    p = a.start_tool('tds-admin', 'start', '--foreground', '--notify-fd=%d' % high, pass_fds=[high])
    os.close(high)
    with open(r, 'rb') as f:
        ok(f.read() == b'\n' and a.admin('status').status == 0, 'a newline when it is up, and nothing else')
    a.must(a.admin('restart'))
    ok(a.admin('status').status == 0 and p.poll() is None, 'a restart goes on without')
    b = a.run('tds-admin', 'start', '--foreground')
    ok(b == (4, '', 'tds-admin: %s: its admin process runs already, started by somebody else (tds-admin shutdown ends it)\n' % a.dir),
       'a second one is refused', b)
    os.kill(p.pid, signal.SIGTERM)
    ok(a.end_tool(p).status == 0, 'it ends')


def load_all(a):
    """Where no second command can be had: what is there is loaded once, at the beginning."""
    for group, source in ('foo', ACTOR), ('bad', 'raise ValueError("never")\n'), ('bar', ACTOR):
        a.group(group, ['1', '2'], source=source)
    (a.dir / 'none.tli').write_text("{'Actors': {'m.a.A': None}}\n")
    p = a.start_tool('tds-admin', 'start', '--foreground', '--load-all')
    until('all is loaded', lambda: os.path.exists(a.socket_path) and (a.active('foo'), a.active('bar')) == ('2', '2'))
    ok(a.active('bad') is None, 'what does not load is no reason to end the others')
    a.must(a.load('--unload', a.hash_of('bar', '2')))
    a.kill_daemon()
    until('it is up again', lambda: is_ready(a))
    ok((a.active('foo'), a.active('bar')) == ('2', None), 'a death brings back what was loaded then', a.groups())
    os.kill(p.pid, signal.SIGTERM)
    b = a.end_tool(p)
    lines = b.err.splitlines()
    ok(b.status == 0 and any('bad' in line and 'never' in line for line in lines) and not any('none' in line for line in lines),
       'and what did not load is told', b.err)


def in_the_midst_of_it(a):
    """An import hangs while all is loaded, and the admin ends: what was asked for comes all the same, but not after two deaths."""
    flag, there = a.base / 'flag', a.base / 'there'
    a.group('foo', ['1'], head='import os, time\nopen(%r, "w").close()\nwhile os.path.exists(%r): time.sleep(0.01)\n'
            % (str(there), str(flag)))

    def under_way():
        until('it is being loaded', lambda: there.exists() and is_ready(a))
        there.unlink()

    def begin():
        flag.write_text('')
        return a.start_tool('tds-admin', 'start', '--foreground', '--load-all')

    def end(p):
        a.must(a.admin('shutdown'))
        a.end_tool(p)
    for what, leave in ('death', a.kill_daemon), ('restart', lambda: a.must(a.admin('restart'))):
        p = begin()
        under_way()
        leave()
        under_way()
        flag.unlink()
        until('it is loaded', lambda: a.active('foo') == '1')
        ok(True, 'it comes after a %s' % what)
        end(p)
    p = begin()
    for _ in range(2):
        under_way()
        a.kill_daemon()
    until('it is up', lambda: is_ready(a))
    left = '--load-all: the admin process died twice in the midst of it'
    ok((a.ask('Status')['NotRestored'], [e['Message'] for e in a.events('LeftOut')]) == ([left], [left]), 'two deaths: it is left, and told',
       a.ask('Status'))
    ok(a.active('foo') is None and not there.exists(), 'and nothing is loaded')
    end(p)


if __name__ == '__main__':
    run_cases(one_life, watchdog, often_enough, hidden, actors, does_not_read, descriptor, load_all, in_the_midst_of_it)
