# SPDX-License-Identifier: MIT
"""What the tests of the daemon share: packages of a small actor, an admin of their own, a client, what actors noted.

Actors note what they receive over a datagram socket, so that a test waits for events and not for time. Every process
of an admin has a mark in its environment or arguments, by which it is found, whatever became of its parents.
"""
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from tap import BIN, CRASH, KEYS, LIMIT_S, ROOT, Answer, done, ok, skip

SCALE = int(os.environ.get('TDS_SCALE', '1'))
PROTOCOL = 1  # of the socket, in every answer
VERSION = re.search(r'^VERSION := (\S+)', (ROOT / 'Makefile').read_text(), re.M)[1]

# An actor that notes what it gets, and does what a tuple tells it to. VERSION and what comes before is put in front.
ACTOR = r'''
import os, signal, socket, subprocess, sys, time
from thespian.actors import *


def note(*what):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(repr((VERSION,) + what).encode(), os.environ['TDS_TEST_NOTES'])


class A(Actor):
    tries = 0

    def __init__(self):
        note(type(self).__name__, 'made', os.getpid())

    def receiveMessage(self, msg, sender):
        me = type(self).__name__
        if isinstance(msg, (ActorExitRequest, ChildActorExited, PoisonMessage, DeadEnvelope)):
            return self.told(me, msg)
        if not (isinstance(msg, tuple) and msg and msg[0] in ('echo', 'pid', 'quiet')):
            note(me, 'got', msg)
        if isinstance(msg, tuple) and msg and hasattr(self, 'do_%s' % msg[0]):
            getattr(self, 'do_%s' % msg[0])(sender, *msg[1:])

    def told(self, me, msg):
        note(me, type(msg).__name__)

    def do_echo(self, sender, *what):
        self.send(sender, (VERSION,) + what)

    def do_pid(self, sender):
        self.send(sender, os.getpid())

    def do_raise(self, sender, *what):
        raise ValueError(*what)

    def do_once(self, sender):
        self.tries += 1
        if self.tries == 1:
            raise ValueError('the first time')

    def do_exit(self, sender):
        sys.exit(3)

    def do_hang(self, sender):
        while True:
            signal.pause()

    def do_spin(self, sender):
        while True:
            pass


class B(A):
    pass


class C(A):
    pass
'''


class Fault(Exception):
    """What a test waits for does not come."""


def until(what, holds, seconds=LIMIT_S):
    """For what the kernel tells nobody: ask again and again until it holds."""
    end = time.monotonic() + seconds
    while True:
        got = holds()
        if got:
            return got
        if time.monotonic() > end:
            raise Fault('never: %s' % what)
        time.sleep(0.005)


class Notes:
    """What actors noted, in the order in which they did."""

    def __init__(self, path):
        self.path = str(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o777)
        self.all = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            data = self.sock.recv(1 << 17).decode()
            if data == 'end':
                return
            with self.changed:
                self.all.append(data if data.startswith('sync') else eval(data, {}))  # our own repr
                self.changed.notify_all()

    def _send(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(text.encode(), self.path)

    def wait(self, holds, seconds=LIMIT_S):
        """Until holds(list of notes); returns what it returned."""
        with self.changed:
            end = time.monotonic() + seconds
            while True:
                got = holds(self.all)
                if got:
                    return got
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    raise Fault('never noted; noted: %s' % self.all[-20:])

    def wait_for(self, *note):
        return self.wait(lambda notes: note in notes)

    def take(self):
        """All that is noted up to now; the next call begins after it."""
        mark = 'sync %s' % uuid.uuid4()
        self._send(mark)
        with self.changed:
            if not self.changed.wait_for(lambda: mark in self.all, LIMIT_S):
                raise Fault('the notes do not come')
            found = [n for n in self.all if not isinstance(n, str)]
            self.all.clear()
            return found

    def close(self):
        self._send('end')
        self.thread.join()
        self.sock.close()


class Client:
    """A connection to an admin: JSON objects, one a line."""

    def __init__(self, path, seconds=LIMIT_S):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)  # waits where many do
        self.sock.settimeout(seconds)
        self.rest = b''

    def send(self, **request):
        self.raw(json.dumps(request).encode() + b'\n')

    def raw(self, data):
        self.sock.sendall(data)

    def line(self):
        """The next line, or None at the end."""
        while b'\n' not in self.rest:
            try:
                data = self.sock.recv(1 << 16)
            except ConnectionResetError:
                data = b''
            if not data:
                return None
            self.rest += data
        line, _, self.rest = self.rest.partition(b'\n')
        return json.loads(line)

    def ask(self, op, **fields):
        self.send(DirectorOp=op, **fields)
        return self.line()

    def event(self, holds, seconds=LIMIT_S):
        """The next event that holds; what comes before it is skipped."""
        self.sock.settimeout(seconds)
        try:
            while True:
                event = self.line()
                if event is None:
                    raise Fault('the admin ended the connection')
                if holds(event):
                    return event
        except socket.timeout:
            raise Fault('an event never came')

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def asks():
    """Who a user is that asks, as events have it: this one."""
    uid = os.getuid()
    return {'Uid': uid, 'User': pwd.getpwuid(uid).pw_name}


class Admin:
    """One director directory, and what runs for it."""

    def __init__(self, base):
        self.base = base
        self.dir = base / 'director'
        self.dir.mkdir(mode=0o755)
        self.rundir = self.dir / '.tds'  # where rundir.cfg does not say otherwise
        self.mark = 'tds-test-%s' % uuid.uuid4()
        self.notes = Notes(base / 'notes')
        shutil.copyfile(KEYS / 'birch_tls.key', self.dir / 'birch_tls.key')
        (self.dir / 'birch_tls.key').chmod(0o644)
        self.actors('root')
        (self.dir / 'sandbox.cfg').write_text('trusted\n')
        self.key = base / 'birch.pem'
        shutil.copyfile(KEYS / 'birch.pem', self.key)
        self.key.chmod(0o600)
        self.env = dict(os.environ, LC_ALL='C.UTF-8', TZ='UTC', TDS_TEST_NOTES=self.notes.path, TDS_TEST_MARK=self.mark)
        self.env.pop('THESPIAN_DIRECTOR_DIR', None)
        self.patience()
        # What a sanitizer finds in a daemon, whose standard error is nowhere.
        for tool in 'ASAN', 'UBSAN', 'LSAN':
            self.env[tool + '_OPTIONS'] = '%s:log_path=%s' % (self.env.get(tool + '_OPTIONS', ''), base / 'sanitizer')
        self.sources = 0

    def patience(self, silent_ms=20000, window_ms=1):
        """What its guardian has of it: without more it restarts the daemon at once, however often that dies."""
        self.env['TDS_TEST_GUARDIAN'] = '%d:%d' % (silent_ms, window_ms)

    def actors(self, user):
        """As whom actors run, where the admin is root's; the admin of another user asks nobody."""
        if os.geteuid() == 0:
            (self.dir / 'actoruser.cfg').write_text(user + '\n')

    # --- packages

    def tli(self, group, declaration):
        """Write GROUP.tli; declaration: a dictionary, or text."""
        text = declaration if isinstance(declaration, str) else repr(declaration) + '\n'
        (self.dir / (group + '.tli')).write_text(text)

    def pack(self, group, version, source=ACTOR, head='', to=None, **more):
        """Make GROUP-VERSION.tls of modules GROUP_m.m (source) and others; returns its path."""
        version = str(version)
        self.sources += 1
        src = self.base / ('src%d' % self.sources)
        (src / 'm').mkdir(parents=True)
        modules = dict(more, __init__='', a='VERSION = %r\n%s%s' % (version, head, source))
        for name, text in modules.items():
            (src / 'm' / (name + '.py')).write_text(text)
        (src / 'any.tli').write_text((self.dir / (group + '.tli')).read_text())
        path = to or self.dir / ('%s-%s.tls' % (group, version))
        a = self.run('tds-gensrc', '-q', '--no-check', group, self.key, src, '--release=%s' % version, '-o', path,
                     '--tli=%s' % (src / 'any.tli'), 'm/*.py', env={'SOURCE_DATE_EPOCH': '1700000000'})
        if a.status != 0:
            raise Fault('cannot pack: %r' % (a,))
        shutil.rmtree(src)
        return path

    def group(self, group, versions, declaration=None, **more):
        """Declare a group of one actor m.a.A with the role of the group's name, and pack versions of it."""
        self.tli(group, declaration or {'Actors': {'m.a.A': {'OnLoad': {'Role': group, 'Message': 'load'}}}})
        return [self.pack(group, v, **more) for v in versions]

    # --- tools

    def start_tool(self, tool, *args, env=None, **more):
        full = dict(self.env, **(env or {}))
        return subprocess.Popen([str(BIN / tool), '-C', str(self.dir), *map(str, args)], env=full,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def end_tool(self, process, seconds=LIMIT_S):
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Answer('hangs', b'', '')
        err = err.decode('utf-8', 'backslashreplace')
        good = 0 <= process.returncode <= 9 and not CRASH.search(err)
        return Answer(process.returncode if good else 'status %d' % process.returncode, out.decode(), err)

    def run(self, tool, *args, **more):
        return self.end_tool(self.start_tool(tool, *args, **more))

    def admin(self, *args, **more):
        return self.run('tds-admin', *args, **more)

    def load(self, *args, **more):
        return self.run('tds-load', *args, **more)

    def must(self, answer):
        if answer.status != 0:
            raise Fault('%r' % (answer,))
        return answer

    def start(self, *args):
        self.must(self.admin('start', *args))
        return self

    # --- the running admin

    @property
    def socket_path(self):
        return str(self.rundir / 'admin.sock')

    def client(self, seconds=LIMIT_S):
        return Client(self.socket_path, seconds)

    def ask(self, op, **fields):
        with self.client() as c:
            return c.ask(op, **fields)

    def watch(self):
        c = self.client()
        c.ask('Watch')
        return c

    def asked(self, target, message, timeout=20):
        """The answer of an actor, as Python; None where there is none."""
        a = self.ask('Ask', Target=target, Literal=repr(message), Timeout=timeout)
        if a is None:
            raise Fault('the admin process ended the connection')
        return eval(a['Literal'], {}) if a.get('Success') else None

    def groups(self):
        return self.ask('RetrieveAll')['Groups']

    def active(self, group):
        """The version of the group's active source; None: none."""
        g = self.groups().get(group)
        return g and g.get('ActiveHash') and g['Sources'][g['ActiveHash']]['Version']

    def loaded(self, group):
        """The versions that are loaded, sorted."""
        g = self.groups().get(group)
        return sorted(s['Version'] for s in g['Sources'].values()) if g else []

    def hash_of(self, group, version):
        return next(h for h, s in self.groups()[group]['Sources'].items() if s['Version'] == version)

    def actors_of(self, group, version):
        return self.groups()[group]['Running'][self.hash_of(group, version)]

    def state(self):
        return json.loads((self.rundir / 'loaded.json').read_text())

    def events(self, *names, log='events.jsonl'):
        """What stands in the event log (or audit.log), in order: all of it, or what has one of these names."""
        found = [json.loads(line) for line in (self.rundir / log).read_text().splitlines()]
        return [e for e in found if not names or e['Event'] in names]

    def desired(self, group):
        """What desired.json has of a group: held version (None: none), versions that were active, the last one last."""
        try:
            wanted = json.loads((self.rundir / 'desired.json').read_text())['Groups'].get(group, {})
        except FileNotFoundError:
            wanted = {}
        return wanted.get('Held', {}).get('Version'), [p['Version'] for p in wanted.get('WasActive', [])]

    def wrong_in_store(self):
        """Names of the store that are missing, or that neither loaded.json names nor desired.json wants stored."""
        store = {p.name for p in (self.rundir / 'store').iterdir()}
        loaded = {s['SHA256'] for s in self.state()['Sources']}
        wanted = set()
        with contextlib.suppress(FileNotFoundError):
            for group in json.loads((self.rundir / 'desired.json').read_text())['Groups'].values():
                wanted |= {p['SHA256'] for p in [*group.get('WasActive', [])[-2:], group.get('Held')] if p}
        files = [{sha + suffix for sha in shas for suffix in ('.tls', '.tli')} for shas in (loaded, loaded | wanted)]
        return sorted((files[0] - store) | (store - files[1]))

    def state_of(self, group):
        """version -> is active, as loaded.json has it."""
        return {s['Version']: s['Active'] for s in self.state()['Sources'] if s['Group'] == group}

    @property
    def pid(self):
        return self.ask('Status')['Pid']

    # --- processes

    def crash(self):
        """Guardian and daemon die at the same instant, so that nobody starts it again. Nothing of it is left."""
        daemon = self.pid
        for pid in parent_of(daemon), daemon:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until('all is gone', lambda: not self.processes())

    def kill_daemon(self):
        """The daemon dies alone; returns what ran with it. Its guardian starts it again."""
        daemon = self.pid
        guardian = parent_of(daemon)
        others = [p for p in self.processes() if p != guardian]
        os.kill(daemon, signal.SIGKILL)
        return others

    def processes(self):
        """Every process that is ours: pid -> its command line."""
        return processes(self.mark, str(self.dir))

    def strays(self):
        """Processes that belong to nothing that is loaded. One that waits for the next load is none."""
        daemon = self.pid
        everyone = self.processes()
        parents = {pid: parent for pid in everyone if (parent := parent_of(pid)) is not None}
        runs = [runs for g in self.groups().values() for runs in g['Running'].values()]
        hosts = {parents.get(run.get('Pid')) for r in runs for run in r}
        known = {daemon, parents.get(daemon), *hosts}
        left = {p: everyone[p] for p, parent in parents.items() if p not in known and parent not in hosts}
        # A source whose actors all died has its parent still, if it is not the active one that restarts them.
        childless = 2 + sum(all(not run.get('Pid') for run in r) for r in runs)
        # Two hosts have no source: the first process, which forks the parents, and a parent for the next load.
        first = [p for p in left if parents[p] == daemon]
        idle = [p for p in left if parents[p] in (daemon, *first) and '/host' in left[p]]
        if len(idle) <= childless:
            for p in idle:
                del left[p]
        return left

    def leftovers(self):
        """Temporary files, and what else the run directory holds that it should not."""
        found = [str(p) for p in self.dir.rglob('*') if '.tds-tmp-' in p.name]
        return found

    def stop(self):
        """End all, whatever state it is in. Returns what is wrong in the end."""
        a = self.admin('shutdown', '--grace=1')
        wrong = [] if a.status == 0 else ['shutdown: %r' % (a,)]
        with contextlib.suppress(Fault):
            until('no process is left', lambda: not self.processes(), 5)
        left = self.processes()
        wrong += ['left: %r' % (left,)] if left else []
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wrong += ['left: %s' % p for p in self.leftovers()]
        wrong += ['the socket is left'] if os.path.exists(self.socket_path) else []
        wrong += [p.read_text() for p in self.base.glob('sanitizer.*')]
        return wrong


def processes(*marks):
    marks = [m.encode() for m in marks]
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        if int(pid) == os.getpid():
            continue
        if run_state(int(pid)) in 'ZX':
            continue
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                line = f.read()
        except OSError:
            continue
        try:
            with open('/proc/%s/environ' % pid, 'rb') as f:
                environment = f.read()
        except OSError:  # root alone may read that of a daemon, which is not dumpable: its arguments tell
            environment = b''
        if any(m in line or m in environment for m in marks):
            found[int(pid)] = line.replace(b'\0', b' ').decode('utf-8', 'replace').strip()
    return found


def run_state(pid):
    """The letter for the state of a process, as the kernel has it: T stopped, Z ended; X where it is gone."""
    try:
        with open('/proc/%d/stat' % pid, 'rb') as f:
            return f.read().rpartition(b')')[2].split()[0].decode()
    except OSError:
        return 'X'


def shows(pid, what):
    """Does /proc show us what this process holds: its descriptors, its environment?

    A plain user is not shown it of a daemon, which is not dumpable; one with ASan is. Where not, `what` is skipped."""
    if os.geteuid() == 0 or os.access('/proc/%d/fd' % pid, os.R_OK):
        return True
    skip(what, 'root alone sees what a daemon holds')
    return False


def parent_of(pid):
    """The parent's pid, or None where the process is gone: one that was found may end at any moment."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return int(f.read().rpartition(')')[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def status_of(pid):
    """What the kernel says of a process, by name."""
    with open('/proc/%d/status' % pid, encoding='ascii', errors='replace') as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)


def limit_of(pid, name):
    """A soft limit, by its name in /proc: digits, or unlimited."""
    with open('/proc/%d/limits' % pid, encoding='ascii') as f:
        return re.search(r'^%s +(\S+)' % name, f.read(), re.M)[1]


def rss_kib(pid):
    with open('/proc/%d/status' % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))


def sanitized():
    """Are the tools built with ASan? Then what they use of memory proves nothing."""
    return b'__asan_init' in (BIN / 'tds-admin').read_bytes()


def cpu_ticks(pid):
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rpartition(')')[2].split()
        return int(fields[11]) + int(fields[12])


# A test that runs too long still clears up.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@contextlib.contextmanager
def admin():
    """An admin of its own; in the end nothing of it is left, or a test fails."""
    base = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix='tds-cases-')))
    made = Admin(base)
    try:
        yield made
    finally:
        wrong = made.stop()
        made.notes.close()
        shutil.rmtree(base, ignore_errors=True)
        if wrong:
            ok(False, 'nothing is left in the end', *wrong)


def case(function):
    """Run one test: function(admin) with a fresh admin; what it raises fails it."""
    before = time.monotonic()
    try:
        with admin() as a:
            function(a)
    except Exception as e:  # a test that cannot go on has failed
        import traceback
        ok(False, '%s goes through' % function.__name__, traceback.format_exc(limit=-4), repr(e))
    if os.environ.get('TDS_TEST_TIMES'):
        print('# %s %.1f s' % (function.__name__, time.monotonic() - before), flush=True)


def run_cases(*functions):
    """Each as by case(), then the end of the TAP; $TDS_TEST_ONLY names those to run, all where it is empty."""
    only = os.environ.get('TDS_TEST_ONLY', '').split()
    for function in functions:
        if not only or function.__name__ in only:
            case(function)
    done()
