#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tds-admin top: what its table says, on a terminal of its own, which is left as it was found however it ends. Prints TAP."""
import contextlib
import fcntl
import json
import os
import re
import select
import signal
import struct
import termios
import time

from adminlib import LIMIT_S, Fault, cpu_ticks, run_cases, run_state, until
from tap import BIN, ok

ENTER, LEAVE = b'\x1b[?1049h\x1b[?25l', b'\x1b[?25h\x1b[?1049l'


class Terminal:
    """A command on a terminal of so many rows and columns: what it shows, what is typed, how it ends."""

    def __init__(self, env, *command, rows=24, columns=100):
        self.shown = b''
        self.status = None
        self.fd, self.end = os.openpty()  # our own descriptor of its end: the terminal outlives the command
        self.resize(rows, columns)
        self.found = termios.tcgetattr(self.end)
        told, tells = os.pipe()
        self.shell = os.fork()
        if self.shell == 0:
            self.be_shell(tells, env, command)
        os.close(tells)
        self.told = os.fdopen(told)
        self.pid = int(self.told.readline())

    def be_shell(self, tells, env, command):
        """What a shell does for a job: only one that has a parent in its session can be stopped. Tells its pid, and how it ended."""
        os.setsid()
        fcntl.ioctl(self.end, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(self.end, os.getpgrp())
            for fd in range(3):
                os.dup2(self.end, fd)
            for sig in signal.SIGINT, signal.SIGTSTP, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTTOU:
                signal.signal(sig, signal.SIG_DFL)
            os.execve(command[0], command, env)
        os.write(tells, b'%d\n' % pid)
        os.write(tells, b'%d\n' % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self, wait_s):
        if not select.select([self.fd], [], [], wait_s)[0]:
            return False
        self.shown += os.read(self.fd, 65536)
        return True

    def wait(self, pattern):
        """Until the pattern is shown, behind what was waited for before; returns its match."""
        end = time.monotonic() + LIMIT_S
        while True:
            found = re.search(pattern, self.shown, re.S)
            if found:
                self.shown = self.shown[found.end():]
                return found
            if not self.read(max(0, end - time.monotonic())):
                raise Fault('never shown: %r; shown: %r' % (pattern, self.shown[-2000:]))

    def type(self, text):
        os.write(self.fd, text)

    def until_stopped(self):
        until('it is stopped', lambda: run_state(self.pid) == 'T')

    def until_end(self):
        """How it ended; what it showed last is in shown."""
        end = time.monotonic() + LIMIT_S
        while self.told not in (ready := select.select([self.told, self.fd], [], [], max(0, end - time.monotonic()))[0]):
            if not ready:
                raise Fault('it never ends; shown: %r' % self.shown[-2000:])
            self.read(0)
        while self.read(0):
            pass
        self.status = int(self.told.readline())
        return self.status

    def is_as_found(self):
        return termios.tcgetattr(self.end) == self.found

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            if self.status is None:
                os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.shell, 0)
        self.told.close()
        os.close(self.fd)
        os.close(self.end)


def top(a, *args, **more):
    command = [str(BIN / 'tds-admin'), '-C', str(a.dir), 'top', *args]
    return contextlib.closing(Terminal(a.env, *command, **more))


def started(a):
    a.group('foo', [1], {'Actors': {'m.a.%s' % c: {'OnLoad': {'Role': c}} for c in 'ABC'}})
    a.start()
    a.must(a.load('foo-1.tls'))
    return {run['Role']: run['Pid'] for run in a.actors_of('foo', '1')}


def rows_of(text):
    """Role -> the fields of its row, of one table."""
    return {f[1]: f for f in map(str.split, text.splitlines()) if f and f[0] == 'foo'}


def batch(a):
    """Where standard output is no terminal: tables, as they are asked for, with what is so."""
    pids = started(a)
    spinning = pids['B']
    a.ask('Tell', Target='B', Literal="('spin',)")
    until('it spins', lambda: cpu_ticks(spinning) > 20)
    answer = a.admin('top', '--once')
    rows = rows_of(answer.out)
    ok(answer.status == 0 and {r: int(f[2]) for r, f in rows.items()} == pids and '3 actors' in answer.out.splitlines()[0],
       'a table of all actors', answer)
    ok([line.split()[1] for line in answer.out.splitlines()[2:]][0] == 'B' and float(rows['B'][3]) > 0 and
       all(re.fullmatch(r'\d+[KM]', f[4]) for f in rows.values()), 'the one that spins is first, each has its memory', answer)
    answer = a.admin('top', '-n', '3', '--delay=0.1', '--sort=name')
    tables = answer.out.split('\n\n')
    ok(answer.status == 0 and len(tables) == 3 and
       all([line.split()[1] for line in t.splitlines()[2:5]] == ['A', 'B', 'C'] for t in tables), 'so many tables, by name', answer)
    os.kill(pids['A'], signal.SIGKILL)
    until('it is started again', lambda: a.actors_of('foo', '1')[0].get('Pid', 0) not in (0, pids['A']))
    answer = a.admin('top', '-j', '-n', '2', '--delay=0.1', '--sort=restarts')
    first, second = (json.loads(line)['Actors'] for line in answer.out.splitlines())
    ok(first[0]['Role'] == second[0]['Role'] == 'A' and first[0]['Restarts'] == 1 and 0 < second[0]['Memory'] < 1 << 30 and
       next(s['CPU'] for s in second if s['Role'] == 'B') > 0, 'JSON: a record for each table', first, second)


def keys(a):
    """The table is written in place, sorted as keys say, never higher than the terminal, and q ends it."""
    started(a)
    with top(a, '--delay=0.1', rows=5, columns=60) as t:
        t.wait(re.escape(ENTER) + rb'.*by cpu')
        ok(not termios.tcgetattr(t.end)[3] & (termios.ECHO | termios.ICANON), 'keys come one by one, and are not shown')
        for key, name in (b'm', b'memory'), (b's', b'messages'), (b'u', b'queue'), (b'r', b'restarts'), (b'p', b'pid'), (b'n', b'name'):
            t.type(key)
            t.wait(b'by ' + name)
        ok(True, 'each key sorts')
        frame = t.wait(rb'\x1b\[H(.*?)\x1b\[H')[1]
        lines = re.sub(rb'\x1b\[[A-Z]', b'', frame).replace(b'\r', b'').split(b'\n')
        ok(len(lines) == 5 and max(map(len, lines)) <= 60 and b'by name' in lines[0] and lines[2].split()[1:2] == [b'A'],
           'no more lines and columns than there are', lines)
        t.resize(4, 30)
        t.wait(rb'\x1b\[H[^\x1b]{0,30}\x1b')
        frame = t.wait(rb'\x1b\[H([^\x1b]{0,30}\x1b.*?)\x1b\[H')[1]
        lines = re.sub(rb'\x1b\[[A-Z]', b'', frame).replace(b'\r', b'').split(b'\n')
        ok(len(lines) == 4 and max(map(len, lines)) <= 30, 'a smaller one is filled anew', lines)
        t.type(b'q')
        ok(t.until_end() == 0 and t.shown.endswith(LEAVE) and t.is_as_found(), 'q: 0, and the terminal is as it was', t.shown[-100:])


def endings(a):
    """Signals end it as they end any program, but the terminal is given back first; stopped, it is too."""
    a.patience(silent_ms=1000 * LIMIT_S)  # where this test is held up while the daemon stands still
    started(a)
    for what, sig, by in (('^C', signal.SIGINT, lambda t: t.type(b'\x03')), ('^\\', signal.SIGQUIT, lambda t: t.type(b'\x1c')),
                          ('a SIGTERM', signal.SIGTERM, lambda t: os.kill(t.pid, signal.SIGTERM)),
                          ('a SIGHUP', signal.SIGHUP, lambda t: os.kill(t.pid, signal.SIGHUP))):
        with top(a) as t:
            t.wait(re.escape(ENTER) + b'.*CLASS')
            by(t)
            ok(t.until_end() == -sig and t.shown.endswith(LEAVE) and t.is_as_found(), '%s: it is as it was' % what, t.status, t.shown[-100:])
    with top(a) as t:
        t.wait(re.escape(ENTER) + b'.*CLASS')
        t.shown = b''
        os.kill(t.pid, signal.SIGTSTP)
        t.until_stopped()
        t.wait(re.escape(LEAVE))
        ok(t.is_as_found(), 'stopped: it is as it was')
        os.kill(t.pid, signal.SIGCONT)
        t.wait(re.escape(ENTER) + b'.*CLASS')
        ok(not t.is_as_found(), 'and goes on')
        daemon = a.pid
        os.kill(daemon, signal.SIGSTOP)
        t.type(b' q')
        ok(t.until_end() == 0 and t.is_as_found(), 'an admin process that does not answer holds no key up')
        os.kill(daemon, signal.SIGCONT)
    with top(a) as t:
        t.wait(re.escape(ENTER) + b'.*CLASS')
        os.kill(t.pid, signal.SIGSTOP)
        t.until_stopped()
        t.type(b'q')
        os.kill(t.pid, signal.SIGCONT)
        ok(t.until_end() == 0 and t.is_as_found(), 'a key that is typed before it goes on is heard')
    with top(a, '--delay=0.1') as t:
        t.wait(re.escape(ENTER) + b'.*CLASS')
        a.must(a.admin('shutdown', '--grace=1'))
        ok(t.until_end() == 8 and re.search(re.escape(LEAVE) + rb'tds-admin: the admin process ended the connection\r\n$', t.shown) and
           t.is_as_found(), 'the admin process ends: 8, said when it is as it was', t.status, t.shown[-200:])


if __name__ == '__main__':
    run_cases(batch, keys, endings)
