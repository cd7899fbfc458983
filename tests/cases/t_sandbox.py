#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sandbox of actors: what each profile lets them do, on which kernel, and what refuses a load. Prints TAP."""
import contextlib
import os
import re
import shutil
import socket

from adminlib import SCALE, Fault, parent_of, run_cases, until
from tap import ok, skip

# An actor that tries what it is told, and answers with what came of it: the repr of a value, or the name of an error.
TRIER = r'''
import ctypes, errno, json, os, signal, socket, subprocess, tempfile, threading, time
from thespian.actors import *


def attempt(text):
    try:
        return repr(eval(text, globals()))
    except BaseException as error:
        return type(error).__name__


def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.syscall(number, *arguments) >= 0 else errno.errorcode[ctypes.get_errno()]


def privileges():
    sets = (ctypes.c_uint32 * 6)()
    ctypes.CDLL(None).capget((ctypes.c_uint32 * 2)(0x20080522), sets)
    return [sets[i] & ~(1024 + 31) for i in range(3)] + sets[3:]


def listens():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()


def forks():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return 'forked'


AT_IMPORT = [attempt(text) for text in IMPORT] if 'IMPORT' in globals() else []


class A(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, tuple):
            return
        if msg[0] == 'try':
            self.send(sender, [attempt(text) for text in msg[1:]])
        elif msg[0] == 'garbage':
            os.write(self._myRef.link.fd, bytes([255]) * 64)
            time.sleep(1000)
        elif msg[0] == 'import':
            self.send(sender, AT_IMPORT)
        elif msg[0] == 'echo':
            self.send(sender, msg[1:])
        elif msg[0] == 'child':
            self.child = self.createActor(A)
            self.asker = sender
            self.send(self.child, ('echo', 'x' * msg[1]))
        elif msg[0].startswith('x'):
            self.send(self.asker, len(msg[0]))
'''


def trier(a, group, sandbox=None, head='', version='1', load=True):
    """A group of one such actor, whose package is packed with that Sandbox, and loaded; load False: only packed."""
    declaration = {'Actors': {'m.a.A': {'OnLoad': {'Role': group}}}}
    if sandbox is not None:
        declaration['Sandbox'] = sandbox
    a.group(group, [version], declaration, source=TRIER, head=head)
    return a.must(a.load(group)) if load else None


def tried(a, group, *texts):
    return a.asked(group, ('try',) + texts)


# What is tried: what comes of it under strict, default, net, trusted. None: whatever.
NO = ('PermissionError', 'OSError', 'FileNotFoundError', "'EPERM'", "'ENOSYS'")
TABLE = [
    ("open('/etc/hostname').read() and 1", 'no', 'no', 'no', '1'),
    ("os.listdir('.') and 1", 'no', 'no', 'no', '1'),
    ("os.listdir('/proc') and 1", 'no', 'no', 'no', '1'),
    ("open('/usr/share/common-licenses/BSD').read() and 1", 'no', '1', '1', '1'),
    ("open('/usr/x', 'w')", 'no', 'no', 'no', None),
    ("open(os.environ['TDS_DATA_DIR'] + '/kept', 'w').write('1')", 'no', '1', '1', '1'),
    ("os.rename(os.environ['TDS_DATA_DIR'] + '/kept', os.environ['TDS_DATA_DIR'] + '/other')", 'no', 'None', 'None', 'None'),
    ("tempfile.TemporaryFile().write(b'1')", 'no', '1', '1', '1'),
    ("os.close(os.open(os.environ['TDS_DATA_DIR'] + '/as-owner', os.O_CREAT | os.O_WRONLY, 0o4755))", 'no', 'no', 'no', 'None'),
    ("os.close(os.open(os.environ['TDS_DATA_DIR'], os.O_TMPFILE | os.O_RDWR, 0o2755))", 'no', 'no', 'no', 'None'),
    ("os.mknod(os.environ['TDS_DATA_DIR'] + '/with-group', 0o102755)", 'no', 'no', 'no', 'None'),
    ("os.truncate('@DIR@/victim', 0)", 'no', 'no', 'no', None),
    ("os.close(os.open('@DIR@/victim', os.O_RDONLY | os.O_TRUNC))", 'no', 'no', 'no', None),
    ("os.chmod('@DIR@/victim', 0o777)", 'no', 'no', 'no', None),
    ("os.utime('@DIR@/victim')", 'no', 'no', 'no', None),
    ('forks()', 'no', 'no', 'no', "'forked'"),
    ("subprocess.run(['/bin/true']).returncode", 'no', 'no', 'no', '0'),
    ("os.posix_spawn('/bin/true', ['true'], {}) and 1", 'no', 'no', 'no', '1'),
    ('threading.Thread(target=int).start()', 'None', 'None', 'None', 'None'),
    ('len(socket.socketpair())', '2', '2', '2', '2'),
    ('socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) and 1', 'no', 'no', 'no', '1'),
    ('socket.socket(socket.AF_UNIX) and 1', 'no', 'no', 'no', '1'),
    ('socket.socket() and 1', 'no', 'no', '1', '1'),
    ("socket.create_connection(('127.0.0.1', @PORT@)) and 1", 'no', 'no', '1', '1'),
    ('listens()', 'no', 'no', 'no', 'None'),
    ('os.kill(@ADMIN@, 0)', 'no', 'no', 'no', 'None'),
    ('os.kill(0, 0)', 'None', 'None', 'None', 'None'),
    ("open('/dev/null', 'w').write('1')", '1', '1', '1', '1'),
    ('len(os.urandom(2))', '2', '2', '2', '2'),
    ('call(101, 0, 0, 0, 0)', 'no', 'no', 'no', None),  # ptrace
    ('call(425, 8, 0)', 'no', 'no', 'no', None),  # io_uring_setup
    ('call(272, 0x10000000)', 'no', 'no', 'no', None),  # unshare(CLONE_NEWUSER)
    ('call(250, 0, 0, 0)', 'no', 'no', 'no', None),  # keyctl
]
PROFILES = ('strict', 'default', 'net', 'trusted')


def holds(wanted, got):
    return wanted is None or (got in NO if wanted == 'no' else got == wanted)


def table(a, texts, profiles, abi):
    """What the packages of these profiles get of each text, on a kernel with that version of Landlock."""
    a.must(a.load(*profiles))
    for profile in profiles:
        i = 1 + PROFILES.index(profile)
        got = tried(a, profile, *texts)
        wrong = [(row[0], row[i], g) for row, g in zip(TABLE, got) if not holds(row[i], g)]
        ok(not wrong and len(got) == len(TABLE), '%s lets an actor do what it says, and no more (Landlock %s)' % (profile, abi or 'as it is'), *wrong)


def on_each_kernel(a):
    """That of this machine, and older ones; of trusted, which none of them holds, once."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        for profile in PROFILES:
            trier(a, profile, profile, load=False)
        for abi in (None, 1, 2, 6):
            a.env['TDS_LANDLOCK_ABI'] = str(abi or 7)
            (a.dir / 'victim').write_text('whole')
            a.start()
            known = {'@DIR@': str(a.dir), '@PORT@': str(server.getsockname()[1]), '@ADMIN@': str(a.pid)}
            texts = [row[0] for row in TABLE]
            for name, value in known.items():
                texts = [text.replace(name, value) for text in texts]
            table(a, texts, PROFILES[:3], abi)
            ok((a.dir / 'victim').read_text() == 'whole', 'a file elsewhere is as it was')
            if abi is None:
                table(a, texts, PROFILES[3:], abi)
            a.must(a.admin('shutdown'))
            shutil.rmtree(a.rundir / 'data')


def at_the_import(a):
    """The first step is taken before any byte of the package: its modules can fork, and nothing else that actors cannot."""
    texts = ["open('/etc/hostname').read()", "socket.socket()", "subprocess.run(['/bin/true'])", "os.kill(%d, 0)" % os.getpid(),
             'call(272, 0x10000000)', 'forks()']
    for abi in None, 2:
        a.env['TDS_LANDLOCK_ABI'] = str(abi or 7)
        trier(a, 'early', 'strict', head='IMPORT = %r\n' % texts)
        got = a.asked('early', ('import',))
        ok(all(g in NO for g in got[:-1]) and got[-1] == "'forked'", 'an import has only processes of its own (Landlock %s)' % (abi or 'as it is'), got)
        a.must(a.admin('shutdown'))


def as_ever(a):
    """What actors do among each other needs nothing of what a sandbox takes away."""
    a.env['TDS_LANDLOCK_ABI'] = '2'
    trier(a, 'strict', 'strict')
    ok(a.asked('strict', ('child', 10)) == 10, 'an actor makes another one, and they talk')
    ok(a.asked('strict', ('child', 3 << 20)) == 3 << 20, 'in large messages too')
    pid = a.actors_of('strict', '1')[0]['Pid']
    with a.watch() as w:
        ok(a.asked('strict', ('try', 'os._exit(3)'), 1) is None, 'one that exits')
        w.event(lambda e: e.get('Event') == 'ActorStarted')
    ok(a.actors_of('strict', '1')[0]['Pid'] != pid, 'is started again')
    head = 'import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n'
    for profile in 'strict', 'default':
        trier(a, 'threads-' + profile, profile, head=head)
        got = tried(a, 'threads-' + profile, 'forks()', "subprocess.run(['/bin/true'])", "open('/etc/hostname').read()", 'threading.Thread(target=int).start()', 'privileges()')
        ok(got == ['PermissionError'] * 3 + ['None', '[0, 0, 0, 0, 0, 0]'], 'a source that has threads starts the interpreter, which is confined as well (%s)' % profile, got)
    ok(a.must(a.load('--unload', a.hash_of('strict', '1'))) and not a.loaded('strict'), 'what is unloaded goes')


def hung(a):
    """An actor that breaks the grammar of its link, and hangs, is killed also where its source's process cannot kill."""
    a.env['TDS_LANDLOCK_ABI'] = '2'
    trier(a, 'hung', 'strict')
    pid = a.actors_of('hung', '1')[0]['Pid']
    with a.watch() as w:
        a.ask('Tell', Target='hung', Literal=repr(('garbage',)))
        w.event(lambda e: e.get('Event') == 'ActorStarted', 10)
    ok(not os.path.exists('/proc/%d' % pid), 'it is gone, and another one there')


def said(a):
    """What counts is said: by status and list for each source."""
    (a.dir / 'sandbox.cfg').write_text("{'Most': 'net', 'Unasked': 'strict'}")
    trier(a, 'web', {'Profile': 'net', 'Files': 100})
    b = a.admin('status')
    ok(b.out.endswith('sandbox strict, at most net\nweb: web-1.tls, sandbox net, Files 100\n'), 'status', b)
    b = a.admin('list')
    ok(re.search(r'by birch_tls.key.*, sandbox net, Files 100\n', b.out), 'list', b)


def refused(a):
    """What is asked for and not allowed refuses the load, with both lines; nothing is changed by that."""
    (a.dir / 'sandbox.cfg').write_text("# what is allowed here\n\n")
    cases = [('default', 'net', 'net', "'default'"),
             ('default', {'Connect': [443]}, 'Connect 443', "'default'"),
             ('net', {'Listen': [80]}, 'Listen 80', "'net'"),
             ('net', 'trusted', 'trusted', "'net'"),
             ("{'Most': {'Read': ['/srv'], 'Memory': 1 << 30}}", {'Read': ['/srv2']}, 'Read /srv2', "'default, Read /srv, Memory 1073741824'"),
             ("{'Most': {'Read': ['/srv'], 'Memory': 1 << 30}}", {'Memory': 1 << 31}, 'Memory 2147483648', "'default, Read /srv, Memory 1073741824'"),
             ("{'Most': {'Env': ['A_*']}}", {'Env': ['B_C']}, 'Env B_C', "'default, Env A_*'"),
             ("{'Most': {'Run': ['/usr/bin']}}", {'Run': ['/usr/local/bin/x']}, 'Run /usr/local/bin/x', "'default, Run /usr/bin'"),
             ("{'Most': 'trusted', 'Groups': {'o*': 'strict', 'other': 'net'}}", 'default', 'default', "'strict'")]
    (a.dir / 'sandbox.cfg').write_text('trusted')
    a.start()
    for allowed, asked, what, most in cases:
        (a.dir / 'sandbox.cfg').write_text(allowed)
        a.must(a.admin('reload'))
        trier(a, 'other', asked, load=False)
        b = a.load('other')
        foretold = a.load('-n', 'other')
        ok((foretold.status, foretold.err) == (1, b.err), 'as -n foretells', foretold)
        ok(b.status == 1 and "its signed declaration asks for '" in b.err and "%s is not allowed by sandbox.cfg, line 1: %s" % (what, most) in b.err
           and a.loaded('other') == [], '%r where %s is allowed: 1' % (asked, allowed), b)
    (a.dir / 'sandbox.cfg').write_text("{'Groups': {'o*': 'strict'}, 'Most': 'trusted'}")
    a.must(a.admin('reload'))
    ok(trier(a, 'plain').status == 0 and tried(a, 'plain', 'forks()') == ["'forked'"], 'a group that no pattern names has what all have')
    trier(a, 'others')
    ok(tried(a, 'others', 'forks()') == ['PermissionError'], 'one that asks for nothing has what its pattern says')
    (a.dir / 'sandbox.cfg').write_text('strict')
    a.must(a.admin('reload'))
    ok(tried(a, 'plain', 'forks()') == ["'forked'"], 'what runs keeps what it was granted')
    a.crash()
    b = a.admin('start')
    ok(b.status == 0 and tried(a, 'plain', 'forks()') == ['PermissionError'], 'until it is started anew', b)


def restored(a):
    """A source that is not allowed any more does not come back, and start says so."""
    (a.dir / 'sandbox.cfg').write_text('net')
    trier(a, 'web', 'net')
    a.crash()
    (a.dir / 'sandbox.cfg').write_text('default')
    b = a.admin('start')
    ok(b.status == 1 and 'net is not allowed by sandbox.cfg' in b.err and a.loaded('web') == [], 'it is left out: 1', b)


def definition(a):
    """The group's definition narrows what the package asks for, and never widens it."""
    (a.dir / 'sandbox.cfg').write_text("{'Most': 'trusted', 'Unasked': 'default'}")
    declaration = {'Actors': {'m.a.A': {'OnLoad': {'Role': 'web'}}}, 'Sandbox': 'net'}
    a.group('web', ['1'], declaration, source=TRIER)
    for defined, wanted in ('strict', ['PermissionError', 'KeyError']), ('net', ['1', 'KeyError']), ('trusted', ['1', 'KeyError']):
        a.tli('web', dict(declaration, Sandbox=defined))
        b = a.must(a.load('web'))
        got = tried(a, 'web', 'socket.socket() and 1', "os.environ['NO_SUCH']")
        ok(got == wanted and tried(a, 'web', "open('/etc/hostname')") == ['PermissionError'], '%s where net is asked for' % defined, got)
        said = "Sandbox: the definition asks for 'trusted', which is more than its signed declaration: 'net' counts"
        ok((said in b.err) == (defined == 'trusted'), 'that it is not more is said', b)
        a.must(a.load('--unload', a.hash_of('web', '1')))


def parts(a):
    """A dictionary names folders, ports, programs, variables and limits."""
    for name in 'readable', 'writable':
        (a.base / name).mkdir()
        (a.base / name / 'f').write_text('whole')
    (a.base / 'readable/link').symlink_to('/etc')
    a.env.update(PYTHON_SHOWN='yes', PYTHON_HIDDEN='no', TDS_LANDLOCK_ABI='2')
    read, write = str(a.base / 'readable'), str(a.base / 'writable')
    texts = ["open('%s/f').read()" % read, "open('%s/f', 'w')" % read, "open('%s/link/hostname').read()" % read,
             "os.close(os.open('%s/f', os.O_RDONLY | os.O_TRUNC))" % read, "os.close(os.open('%s/f', 3 | os.O_TRUNC))" % read,
             "open('%s/f', 'w').write('new')" % write, "os.environ.get('PYTHON_SHOWN')", "os.environ.get('PYTHON_HIDDEN')",
             "subprocess.run(['/bin/true'])", "forks()"]
    trier(a, 'folders', {'Read': [read], 'Write': [write], 'Env': ['PYTHON_SHOWN', 'TDS_TEST_NONE']})
    got = tried(a, 'folders', *texts)
    ok(got == ["'whole'"] + ['PermissionError'] * 4 + ['3', "'yes'", 'None'] + ['PermissionError'] * 2, 'folders and variables', got)
    ok((a.base / 'readable/f').read_text() == 'whole', 'a file that may be read is whole')
    trier(a, 'ports', {'Connect': [443]}, load=False)
    b = a.load('ports')
    ok(b.status == 1 and 'ports need version 4 of Landlock, and this kernel has 2' in b.err, 'ports that cannot be held: 1', b)
    trier(a, 'gone', {'Read': [read + '/none']}, load=False)
    b = a.load('gone')
    ok(b.status == 1 and 'Read %s/none: No such file or directory' % read in b.err, 'a folder that is not there: 1', b)
    (a.dir / 'sandbox.cfg').write_text(repr({'Most': {'Read': [read]}}))
    a.must(a.admin('reload'))
    trier(a, 'link', {'Read': [read + '/link']}, load=False)
    b = a.load('link')
    ok(b.status == 1 and 'Read %s/link, which is /etc, is not allowed' % read in b.err, 'a link out of what is allowed: 1', b)


def programs_and_limits(a):
    true = os.path.realpath('/bin/true')
    trier(a, 'runs', {'Run': [true]})
    got = tried(a, 'runs', "subprocess.run([%r]).returncode" % true, "subprocess.run(['/usr/bin/id'])", "open('/etc/hostname')")
    ok(got == ['0', 'PermissionError', 'PermissionError'], 'a program that is named runs, another one does not', got)
    trier(a, 'limits', {'Memory': 1 << 30, 'Files': 64})
    got = tried(a, 'limits', "len(bytearray(1 << 30))", "[os.dup(0) for i in range(64)]", "__import__('resource').getrlimit(7)", 'privileges()')
    ok(got == ['MemoryError', 'OSError', '(64, 64)', '[0, 0, 0, 0, 0, 0]'], 'limits hold, and nothing is left to raise them by', got)
    trier(a, 'few', {'Processes': 2})
    got = a.asked('few', ('child', 1)), a.asked('few', ('child', 1), 1)
    ok(got == (1, None), 'no more actors than processes are granted', got)


def ports(a):
    with socket.create_server(('127.0.0.1', 0)) as one, socket.create_server(('127.0.0.1', 0)) as two:
        mine, other = one.getsockname()[1], two.getsockname()[1]
        trier(a, 'ports', {'Connect': [mine]})
        got = tried(a, 'ports', "socket.create_connection(('127.0.0.1', %d)) and 1" % mine, "socket.create_connection(('127.0.0.1', %d))" % other,
                    'socket.socket(socket.AF_INET, socket.SOCK_DGRAM)', 'listens()',
                    "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)")
        ok(got == ['1'] + ['PermissionError'] * 4, 'one port is connected to, and no other', got)
        free = socket.create_server(('127.0.0.1', 0))
        port = free.getsockname()[1]
        free.close()
        trier(a, 'listens', {'Listen': [port]})
        got = tried(a, 'listens', "socket.create_server(('127.0.0.1', %d)) and 1" % port, "socket.create_server(('127.0.0.1', %d))" % (port + 1),
                    "socket.create_connection(('127.0.0.1', %d))" % mine, "socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', %d))" % mine)
        ok(got == ['1'] + ['PermissionError'] * 3, 'one port is listened at, and no other; nothing is connected to, by sending either', got)


FORKS = """
import os, time
def linger(*_):
    if os.fork() == 0:
        while True:
            time.sleep(100)
"""
# The filter that is to be each actor's is exchanged for one that allows all.
UNSEALED = """
import ctypes, struct
from tdshost.forkserver import sandbox
def seal(_):
    code = ctypes.create_string_buffer(struct.pack('@HBBI', 6, 0, 0, 0x7fff0000), 8)
    program = ctypes.create_string_buffer(struct.pack('@HP', 1, ctypes.addressof(code)))
    ctypes.CDLL(None).prctl(22, ctypes.c_long(2), ctypes.c_void_p(ctypes.addressof(program)))
sandbox.Sandbox.seal = seal
"""
SOURCE_PROCESS = """
import os, sys, time
frame = sys._getframe()
while type(frame.f_locals.get('self')).__name__ != 'SourceProcess':
    frame = frame.f_back
source = frame.f_locals['self']
type(source)._make_spare = lambda self: None
"""
# The source's process says that it is an actor that is to come.
SPARE = SOURCE_PROCESS + """
from tdshost.wire.link import control_frame
pid = os.fork()
while pid == 0:
    time.sleep(100)
source.link.send_frame(control_frame(b'{"op":"spare","pid":%d}' % pid))
"""
# One follows the other before it was looked at twice.
HOPS = """
import os, time
def hop(*_):
    if os.fork() == 0:
        while True:
            time.sleep(0.05)
            if os.fork() > 0:
                os._exit(0)
"""
# The admin waits for an actor that it has asked for, and is told of none but the first.
SILENT = SOURCE_PROCESS + """
spawn = source._OPS['spawn']
def ignore(self, op, fds):
    for _ in range(%d):
        %s()
def only(self, op, fds):
    type(source)._OPS = dict(source._OPS, spawn=ignore)
    spawn(self, op, fds)
type(source)._OPS = dict(source._OPS, spawn=only)
"""


BRINGER = TRIER + r'''
import io, zipfile
USER = """
from thespian.actors import *
def attempt(text):
    try:
        return repr(eval(text))
    except BaseException as error:
        return type(error).__name__
import os, socket, subprocess
AT_IMPORT = [attempt("open('/etc/hostname').read()"), attempt('socket.socket()')]
class U(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(sender, AT_IMPORT + [attempt(text) for text in msg])
"""


class B(A):
    """Brings a source of its own, which it accepts itself, and creates an actor of it."""

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ValidateSource):
            self.send(sender, ValidatedSource(msg.sourceHash, msg.sourceData, None))
        elif isinstance(msg, tuple) and msg[0] == 'bring':
            self.asker = sender
            self.registerSourceAuthority()
            data = io.BytesIO()
            with zipfile.ZipFile(data, 'w') as z:
                z.writestr('user.py', USER)
            data.seek(0)
            self.send(self.createActor('user.U', sourceHash=self.loadActorSource(data)), msg[1:])
        elif isinstance(msg, list):
            self.send(self.asker, msg)
'''


def brought(a):
    """A source that code of a package brings has the sandbox of that package."""
    declaration = {'Actors': {'m.a.B': {'OnLoad': {'Role': 'bringer'}}}, 'May': ['sources', 'create'], 'Sandbox': 'strict'}
    a.group('bringer', ['1'], declaration, source=BRINGER)
    a.must(a.load('bringer'))
    got = a.asked('bringer', ('bring', "open('/etc/hostname').read()", 'os.fork()', 'os.getppid() and 1'))
    ok(got == ['PermissionError'] * 4 + ['1'], 'what it may not, that may not', got)


def new_privileges(a):
    """newprivs.cfg counts for trusted packages alone."""
    (a.dir / 'newprivs.cfg').write_text('yes')
    for profile, wanted in ('strict', True), ('trusted', False):
        trier(a, profile, profile)
        pid = a.actors_of(profile, '1')[0]['Pid']
        ok(status_has(pid, r'^NoNewPrivs:\t1') == wanted, '%s: no new privileges: %s' % (profile, wanted))


def own_uids(a):
    """Where each group has a uid, that holds signals and modes, and there is a folder for temporary files."""
    if os.geteuid() != 0:
        return skip('a uid for each group', 'only root has such')
    a.base.chmod(0o755)
    a.actors('dynamic')
    a.env['TDS_LANDLOCK_ABI'] = '2'
    a.start()
    texts = ['os.kill(os.getpid(), 0)', 'os.kill(%d, 0)' % a.pid, "os.close(os.open(os.environ['TDS_DATA_DIR'] + '/f', os.O_CREAT))",
             "os.chmod(os.environ['TDS_DATA_DIR'] + '/f', 0o600)", "os.chmod(os.environ['TDS_DATA_DIR'] + '/f', 0o4755)", "os.chmod('%s', 0o777)" % a.dir,
             "tempfile.gettempdir() not in ('/tmp', os.environ['TDS_DATA_DIR']) and tempfile.TemporaryFile().write(b'1')"]
    trier(a, 'own', 'default')
    got = tried(a, 'own', *texts)
    ok(got == ['None', 'PermissionError', 'None', 'None', 'PermissionError', 'PermissionError', '1'], 'a uid of its own', got)
    b = a.admin('sandbox', 'own')
    return ok("  signals     to processes of the group's uid\n" in b.out, 'which tds-admin sandbox knows', b)


ONCE = 'MADE = []\nos.register_at_fork(after_in_child=lambda: MADE.append(1) or len(MADE) > 1 or %s)\n'
STRANGERS = {
    'import': FORKS + 'linger()\n',
    'thread': FORKS + 'import threading\nthreading.Timer(0.5, linger).start()\n',
    'orphan': FORKS + 'if os.fork() == 0:\n    linger()\n    os._exit(0)\nos.wait()\n',
    'hook': FORKS + ONCE % 'linger()',
    'thread of a hook': FORKS + 'import threading\n' + ONCE % 'threading.Timer(1.5, linger).start()',
    'actor without its filter': UNSEALED + FORKS,
    'line of them': HOPS + 'hop()\n',
    'lie': SPARE,
    'silence': FORKS + SILENT % (1, 'linger'),
    'line in silence': HOPS + SILENT % (1, 'hop'),
    'lines in silence': HOPS + SILENT % (9, 'hop'),
}


def strangers(a):
    """A process of a source that is no actor is killed within a second, and that is said."""
    told = set()

    def is_last(event):
        if event.get('Event') == 'Strangers' and 'no actor' in event['Message']:
            told.add(event['Group'])
        return told == set(STRANGERS)

    a.start()
    with a.watch() as w:
        for name, head in STRANGERS.items():
            trier(a, name, 'strict', head=head, load=False)
        a.must(a.load(*STRANGERS))
        ok(tried(a, 'actor without its filter', 'linger()') == ['None'], 'an actor forks that has not the filter that it is to have')
        for name in STRANGERS:
            if name.endswith('silence'):
                a.ask('Tell', Target=name, Literal=repr(('child', 1)))
        with contextlib.suppress(Fault):
            w.event(is_last, 10)
    for name in STRANGERS:
        ok(name in told, 'a stranger by %s is told of' % name, told)
        pid = a.actors_of(name, '1')[0]['Pid']
        source = parent_of(pid)
        until('only actors are left', lambda: children(source) - {pid} == spares(source, pid) and not children(pid), 3)
        ok(a.asked(name, ('echo', 1)) == (1,), 'its actor is as before')


def status_has(pid, pattern):
    try:
        with open('/proc/%d/status' % pid) as f:
            return bool(re.search(pattern, f.read(), re.M))
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    """Those that live."""
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        return {child for child in map(int, f.read().split()) if status_has(child, r'^State:\t[^ZX]')}


def spares(source, pid):
    """What is forked ahead to be an actor, and is confined as one."""
    return {child for child in children(source) - {pid} if status_has(child, r'^Seccomp_filters:\t[2-9]')}


def busy(a):
    """Many actors at once are no strangers."""
    (a.dir / 'sandbox.cfg').write_text('default')
    n = min(60 * SCALE, 300)
    trier(a, 'many', head='MANY = %d\n' % n)
    a.must(a.load('many'))
    got = [a.asked('many', ('child', 1)) for _ in range(n)]
    ok(got == [1] * n, '%d actors' % n)
    ok(not a.events('Strangers'), 'and none was taken for a stranger')


def no_landlock(a):
    a.env['TDS_LANDLOCK_ABI'] = '0'
    for profile in PROFILES[:3]:
        trier(a, profile, profile, load=False)
        b = a.load(profile)
        ok(b.status == 1 and '%s needs Landlock, which this kernel does not have' % profile in b.err, '%s is refused where it cannot be held: 1' % profile, b)
    ok(trier(a, 'trusted', 'trusted').status == 0, 'trusted is not')


if __name__ == '__main__':
    run_cases(on_each_kernel, at_the_import, as_ever, hung, said, refused, restored, definition,
              parts, programs_and_limits, ports, brought, new_privileges, own_uids, strangers, busy, no_landlock)
