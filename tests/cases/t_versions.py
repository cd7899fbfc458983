#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tools, admin and programs of different versions: they understand each other within a protocol, else they say so.

Prints TAP. An admin of another protocol is a fake: a socket with a lock beside it, that answers as one would.
"""
import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

from adminlib import PROTOCOL, VERSION, parent_of, run_cases, shows, until
from tap import BIN, ROOT, ok

RELEASE = (ROOT / 'libcommon/base/release.h').read_text()
OTHER = next(p for p in (BIN.parent / 'other', BIN.parent / 'plain/other') if p.is_dir())  # the same tools as another version
OTHER_VERSION = '99.0.0'
HINT = {PROTOCOL - 1: 'tds-admin restart', PROTOCOL + 1: 'use the tools of that version, or tds-admin restart'}


class Fake:
    """An admin of another protocol: what it is asked is kept, and answered as `answer` says."""

    def __init__(self, a, protocol, **status):
        self.run = a.dir / '.tds'
        self.run.mkdir(mode=0o711, exist_ok=True)
        self.lock = open(self.run / 'lock', 'w')
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.common = {'Success': True, 'Protocol': protocol, 'Version': '9.8.7'}
        self.status = dict({'Pid': os.getpid(), 'Ready': True, 'Stopping': False}, **status)
        self.asked = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.bind(str(self.run / 'admin.sock'))
        self.sock.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.sock.accept()[0],), daemon=True).start()

    def _serve(self, sock):
        with sock, sock.makefile('rwb') as stream, contextlib.suppress(OSError):
            for line in stream:
                request = json.loads(line)
                self.asked.append(request)
                stream.write(json.dumps(self.answer(request)).encode() + b'\n')
                stream.flush()

    def answer(self, request):
        """As the daemon does: what is the same in every protocol, and a refusal of all else."""
        if request['DirectorOp'] == 'Status':
            return dict(self.common, DirectorResponse='Status', **self.status)
        return dict(self.common, DirectorResponse='Error', Success=False, Status=8, Message='another protocol')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        (self.run / 'admin.sock').unlink()
        self.lock.close()


def tools_meet_another(a):
    """Each command says so, with both versions, at once, and asks for nothing that might be misunderstood."""
    a.group('foo', ['1'])
    commands = [('tds-admin', *words) for words in (
        ('start',), ('status',), ('list',), ('role', 'foo'), ('tell', 'foo', '1'), ('ask', 'foo', '1'), ('watch',))]
    commands += [('tds-load', 'foo'), ('tds-load', '--no-start', 'foo'), ('tds-load', '--unload', 'abc')]
    for protocol, hint in HINT.items():
        line = ('the admin process is tds 9.8.7 with protocol %d, this is tds %s with protocol %d: %s\n'
                % (protocol, VERSION, PROTOCOL, hint))
        for tool, *words in commands:
            with Fake(a, protocol) as fake:
                b = a.run(tool, *words)
                said = b.err.replace(': foo: ', ': ')  # some name what it was about
                ok(b[:2] == (8, '') and said == '%s: %s' % (tool, line), 'protocol %d: %s %s' % (protocol, tool, ' '.join(words)), b)
                bad = [r for r in fake.asked if r.get('Protocol') != PROTOCOL]
                ok(fake.asked and not bad, 'each request says what protocol it is of', fake.asked)


def looks_ahead(a):
    """What would keep this version from starting is found out before another one, which knows nothing of it, is asked to end."""
    with Fake(a, PROTOCOL - 1) as fake:
        a.dir.chmod(0o777)
        b = a.admin('restart')
        a.dir.chmod(0o755)
        ok(b.status == 4 and '%s: others may write it' % a.dir in b.err and fake.asked == [], 'what strict modes refuse', b, fake.asked)
        if os.geteuid() == 0:
            (a.dir / 'actoruser.cfg').rename(a.base / 'aside')
            b = a.admin('restart')
            ok(b.status == 4 and 'as whom actors run' in b.err and fake.asked == [], 'root who says not as whom actors run', b, fake.asked)


def another_is_met(a):
    """The admin refuses what is of another protocol, and does nothing of it, but for what is the same in all."""
    a.group('foo', ['1'])
    a.start()
    for protocol in HINT:
        r = a.ask('LoadSource', Source='foo', Protocol=protocol)
        ok((r['Success'], r['Status'], r['Protocol'], r['Version']) == (False, 8, PROTOCOL, VERSION) and a.groups() == {},
           'a request of protocol %d is refused, and both are named' % protocol, r)
        r = a.ask('Status', Protocol=protocol)
        ok(r['Success'] and r['Version'] == VERSION, 'Status is the same in every protocol', r)
    ok(a.ask('LoadSource', Source='foo', Protocol=PROTOCOL)['Success'], 'its own is taken')
    r = a.ask('Join', As='program', Protocol=PROTOCOL + 1)
    ok((r['Status'], r['Kind']) == (8, 'protocol') and VERSION in r['Message'], 'a program of another is told so', r)
    a.ask('Shutdown', Protocol=PROTOCOL + 1)
    until('it is gone', lambda: not a.processes())
    ok(True, 'Shutdown is the same in every protocol')


PROGRAM = r'''
import sys
from thespian.actors import ActorSystem
from thespian.actors import *
try:
    ActorSystem()
    print('up')
except Exception as error:
    print(type(error).__name__, error)
'''


def programs(a):
    """A program of another protocol than the admin's, whichever is the newer, fails at once and says why."""
    path = a.must(a.admin('config', '--python-path')).out.strip()

    def run(protocol):
        text = 'from tdshost.wire import protocol\nprotocol.PROTOCOL = %d\n%s' % (protocol, PROGRAM)
        p = subprocess.run([sys.executable, '-c', text], capture_output=True, text=True, timeout=60,
                           env=dict(a.env, PYTHONPATH=path, THESPIAN_DIRECTOR_DIR=str(a.dir)))
        return p.stdout + p.stderr
    host = subprocess.run([sys.executable, '-c', 'from tdshost.wire.protocol import PROTOCOL; print(PROTOCOL)'],
                          env={'PYTHONPATH': path}, capture_output=True, text=True).stdout
    ok(int(host) == PROTOCOL == int(re.search(r'define TDS_PROTOCOL (\d+)', RELEASE)[1]), 'host and daemon have one number', host)
    with Fake(a, PROTOCOL + 1):
        said = run(PROTOCOL)
        ok(said.startswith('ActorSystemStartupFailure') and 'protocol is %d' % (PROTOCOL + 1) in said, 'the admin is newer', said)
    a.start()
    said = run(PROTOCOL + 1)
    ok(said.startswith('ActorSystemStartupFailure') and 'tds %s' % VERSION in said and 'tds-admin restart' in said, 'the program is newer', said)
    ok(run(PROTOCOL) == 'up\n', 'of the same protocol: it is up')


def hosts(a):
    """A package whose host is of another protocol, since another tds was installed, is refused with that reason."""
    a.group('foo', ['1'])
    tools = a.base / 'tools'
    tools.mkdir()
    # A Python that runs the host with another number, as one that was installed meanwhile.
    (tools / 'python3').write_text(
        '#!%s\nimport os, sys\nargs = sys.argv[1:]\nhost = next(i for i, w in enumerate(args) if w.endswith("/host"))\n'
        'code = "import sys, runpy; sys.path.insert(0, %%r); from tdshost.wire import protocol; protocol.PROTOCOL = 99; "\\\n'
        '       "sys.argv[:] = %%r; runpy.run_path(%%r, run_name=\'__main__\')" %% (args[host], args[host:], args[host])\n'
        'os.execv(%r, [%r, *args[:host], "-c", code])\n' % (sys.executable, sys.executable, sys.executable))
    (tools / 'python3').chmod(0o755)
    b = a.load('foo', env={'PATH': '%s:%s' % (tools, os.environ['PATH'])})
    ok(b.status == 1 and 'its protocol is 99, that of the admin process %d (tds-admin restart)' % PROTOCOL in b.err,
       'the load is refused, and says why', b)


def run_of(tools, a, tool, *words):
    """A tool of another installation."""
    return a.end_tool(subprocess.Popen([str(tools / 'bin' / tool), '-C', str(a.dir), *words], env=a.env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE))


def is_as_before(a, guardian, version):
    """The same process guards, and what was loaded is."""
    s = a.ask('Status')
    return s['Version'] == version and parent_of(s['Pid']) == guardian and a.asked('foo', ('echo',)) == ('1',)


def another_version(a):
    """Tools and admin of two versions with one protocol work together and say so; a restart by the one's tools makes it run."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    guardian = parent_of(a.pid)
    b = run_of(OTHER, a, 'tds-admin', 'status')
    ok(b.status == 0 and 'tds %s, installed is %s: tds-admin restart takes over\n' % (VERSION, OTHER_VERSION) in b.out, 'status says both', b)
    warning = 'warning: tds %s runs, and %s is installed: tds-admin restart takes over\n' % (VERSION, OTHER_VERSION)
    for tool, *words in ('tds-admin', 'list'), ('tds-load', 'foo'), ('tds-admin', 'role', 'foo'):
        b = run_of(OTHER, a, tool, *words)
        ok(b.status == 0 and b.err == '', '%s works' % ' '.join([tool, *words]), b)
        b = run_of(OTHER, a, tool, '-v', *words)
        ok(b.status == 0 and b.err.count(warning) == 1, 'and with -v says it, once', b)
    b = run_of(OTHER, a, 'tds-admin', 'restart')
    ok(b == (0, '', '') and is_as_before(a, guardian, OTHER_VERSION), 'another version takes over, from another folder', b)
    if shows(guardian, 'guardian and all'):
        ok(os.readlink('/proc/%d/exe' % guardian) == str(OTHER / 'libexec/tds/tds-daemon'), 'guardian and all')
    b = a.admin('restart')
    ok(b == (0, '', '') and is_as_before(a, guardian, VERSION), 'and the one before again', b)


def in_its_place(a):
    """Another version is installed where the one that runs was."""
    place = a.base / 'place'
    for folder in 'bin', 'libexec/tds':
        (place / folder).mkdir(parents=True)

    def install(tools, programs, *names):
        for name in names:
            source = (tools if name in ('tds-admin', 'tds-load') else programs) / name
            target = place / ('bin' if name in ('tds-admin', 'tds-load') else 'libexec/tds') / name
            target.unlink(missing_ok=True)
            shutil.copy2(source, target)
    names = ['tds-admin', 'tds-load', *(p.name for p in (OTHER / 'libexec/tds').glob('tds-*'))]
    (place / 'share/tds').mkdir(parents=True)
    (place / 'share/tds/host').symlink_to((OTHER / 'share/tds/host').resolve())
    install(BIN, BIN.parent / 'libexec/tds', *names)
    a.group('foo', ['1'])
    a.must(run_of(place, a, 'tds-load', 'foo'))
    guardian = parent_of(a.pid)
    install(OTHER / 'bin', OTHER / 'libexec/tds', 'tds-admin')
    b = run_of(place, a, 'tds-admin', 'restart')
    ok(b.status == 5 and b.err == 'tds-admin: %s is not of tds %s\n' % (place / 'libexec/tds/tds-daemon', OTHER_VERSION)
       and is_as_before(a, guardian, VERSION), 'half of an installation is none: nothing is ended', b)
    install(OTHER / 'bin', OTHER / 'libexec/tds', *names)
    b = run_of(place, a, 'tds-admin', 'restart')
    ok(b == (0, '', '') and is_as_before(a, guardian, OTHER_VERSION), 'a whole one takes over, in the same place', b)


if __name__ == '__main__':
    run_cases(tools_meet_another, looks_ahead, another_is_met, programs, hosts, another_version, in_its_place)
