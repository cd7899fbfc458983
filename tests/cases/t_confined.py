#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verifier, the remover and the logger, while they run: held to filters, without new privileges, without cores.

What the filters refuse is tried from within in t_confine; here it is looked at from outside whether the real ones have
them on. Each is kept where it waits: for its package, for somebody who reads its answer, for records. Prints TAP.
"""
import fcntl
import os
import signal
import socket
import subprocess

import adminlib
from adminlib import limit_of, status_of
from tap import BIN, KEYS, ok

LIBEXEC = BIN.parent / 'libexec/tds'
FILTER = 2  # of Seccomp in /proc/PID/status
CONFIG = '''{'version': 1, 'root': {'level': 'DEBUG', 'handlers': ['file']},
 'handlers': {'file': {'class': 'logging.FileHandler', 'filename': 'records.log'}}}
'''


def held(what, pid, processes):
    """It has a filter on, sooner or later; all that comes before that is its own set-up."""
    wanted = '0' if what != 'the logger' and adminlib.sanitized() else str(FILTER)
    adminlib.until('%s waits' % what, lambda: status_of(pid)['Seccomp'] == wanted and status_of(pid)['State'][0] == 'S')
    status = status_of(pid)
    ok(status['Seccomp'] == wanted, '%s is held to a filter' % what, status)
    ok(status['NoNewPrivs'] == '1' or wanted == '0', 'and gets no new privileges', status)
    cores, most = limit_of(pid, 'Max core file size'), limit_of(pid, 'Max processes')
    ok(cores == '0' and (most == '0' or not processes or adminlib.sanitized()), 'nor cores, nor processes', cores, most)
    return status


def with_descriptors(program, *args, fds):
    """Start it with these as its descriptors, number -> ours."""
    def place():
        moved = {to: fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for to, fd in fds.items()}
        for to, fd in moved.items():
            os.dup2(fd, to)
    return subprocess.Popen([str(LIBEXEC / program), *map(str, args)], env={'LC_ALL': 'C'}, preexec_fn=place, close_fds=False,
                            stderr=subprocess.DEVNULL)


def verifier(_):
    """It waits for its package, which comes through a pipe and is none."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    package, end = os.pipe()
    keys, environment = os.open(KEYS, os.O_RDONLY), os.memfd_create('environment')
    fcntl.fcntl(end, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    p = with_descriptors('tds-verifier', KEYS, 'foo-1.tls', 'foo', '', '', fds={0: package, 3: theirs.fileno(), 4: keys, 6: environment})
    theirs.close()
    status = held('the verifier', p.pid, True)
    ok(os.geteuid() != 0 or len(set(status['Uid'].split())) == 1 and int(status['Uid'].split()[0]) not in (0, 65534),
       'it is nobody\'s, and no actor\'s', status['Uid'])
    os.close(end)
    ok(b'"ok":false' in ours.recv(4096) and p.wait() == 7, 'and refuses what is no package')
    for fd in package, keys, environment:
        os.close(fd)
    ours.close()


def remover(a):
    """It waits for somebody who reads what it has to say of a folder that is not there."""
    folder = os.open(a.base, os.O_RDONLY)
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b'\n' * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    p = with_descriptors('tds-remover', 'absent', fds={1: write, 3: folder})
    os.close(write)
    held('the remover', p.pid, True)
    with os.fdopen(read, 'rb') as f:
        ok(f.read().endswith(b'absent: no such folder\n') and p.wait() == 5, 'and says so')
    os.close(folder)


def logger(a):
    """It writes its records, and neither runs what it wrote nor makes anything but files."""
    (a.dir / 'thesplog.cfg').write_text(CONFIG)
    a.start()
    pid = next(p for p, line in a.processes().items() if 'logger.py' in line)
    held('the logger', pid, False)
    adminlib.until('a record is written', lambda: (a.dir / 'records.log').exists() and (a.dir / 'records.log').read_text())
    ok(status_of(pid)['Seccomp_filters'] == '2', 'and writes its records', status_of(pid))
    os.kill(pid, signal.SIGKILL)
    again = adminlib.until('it is started again', lambda: next((p for p, line in a.processes().items() if 'logger.py' in line and p != pid), None))
    adminlib.until('it is held again', lambda: status_of(again)['Seccomp'] == str(FILTER))
    ok(True, 'started again it is held again')


if __name__ == '__main__':
    adminlib.run_cases(verifier, remover, logger)
