#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Root's admin process drops root: what it refuses, as whom actors run, and what they have of the admin's.

Prints TAP; needs root.
"""
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess

from adminlib import ACTOR, Fault, limit_of, parent_of, run_cases, run_state, sanitized, until
from tap import done, ok, skip

UNTOLD = ('%s/actoruser.cfg: root\'s admin process is to be told as whom actors run: '
          '"dynamic" (a uid for each group) or "root"')

# An actor that looks at its own process, sends to others, and leaves things behind.
PROBE = ACTOR.replace("        if not (isinstance(msg, tuple) and msg and msg[0] in ('echo', 'pid', 'quiet')):\n            note(me, 'got', msg)\n", '').replace('    def do_spin', '''    def do_ids(self, sender):
        self.send(sender, (os.getresuid(), os.getresgid(), os.getgroups()))

    def do_variables(self, sender):
        self.send(sender, dict(os.environ))

    def do_try(self, sender, how, *what):
        """What comes of a function of os, or of open: True, or the name of the error."""
        try:
            (open if how == 'open' else getattr(os, how))(*what)
            self.send(sender, True)
        except OSError as error:
            self.send(sender, type(error).__name__)

    def do_leave(self, sender):
        """Files, shared memory, and a daemon of another session without environment."""
        import ctypes
        tmp = os.environ['TMPDIR']
        for path in tmp + '/mine', '/dev/shm/tds-test-%d' % os.getuid(), '/tmp/tds-test-%d' % os.getuid():
            open(path, 'w').close()
        os.mkdir('/var/tmp/tds-test-%d' % os.getuid())
        memory = ctypes.CDLL(None).shmget(0, 4096, 0o1600)
        pid = subprocess.Popen(['setsid', 'sh', '-c', 'sleep 1000 & echo $!'], env={'PATH': os.environ['PATH']},
                               stdout=subprocess.PIPE).stdout.readline()
        self.send(sender, (memory, int(pid)))

    def do_relay(self, sender, address, size):
        self.asked = sender
        self.send(address, ('mirror', b'x' * size))

    def do_mirror(self, sender, what):
        self.send(sender, ('back', what))

    def do_back(self, sender, what):
        self.send(self.asked, (len(what), what == b'x' * len(what)))

    def do_talk(self, sender, address, n):
        for _ in range(n):
            self.send(address, 'nothing')
        self.send(sender, n)

    def do_descriptors(self, sender):
        """What each leads to, but for the folder that is read for that."""
        found = {int(name): os.readlink('/proc/self/fd/' + name) for name in os.listdir('/proc/self/fd')
                 if os.path.lexists('/proc/self/fd/' + name)}
        self.send(sender, found)

    def do_address(self, sender):
        self.send(sender, self.myAddress)

    def do_spin''')


def untold(a):
    """Root's admin process does not start before it is told as whom actors run, and makes nothing."""
    said = UNTOLD % a.dir
    (a.dir / 'actoruser.cfg').unlink()
    b = a.admin('start')
    ok(b == (4, '', 'tds-admin: %s\n' % said), 'start without a word', b)
    b = a.admin('start', '--foreground')
    ok(b == (4, '', 'tds-admin: %s\n' % said), 'and in the foreground', b)
    ok(not a.rundir.exists(), 'nothing is made', os.listdir(a.dir))
    b = a.admin('start', '--transient')
    ok(b.status == 0, 'a program\'s own system is the program\'s user\'s, root too', b)
    a.must(a.admin('shutdown'))
    a.dir.mkdir(exist_ok=True)
    a.actors('root')
    a.start()
    (a.dir / 'actoruser.cfg').unlink()
    b = a.admin('start')
    ok(b == (0, '', ''), 'where it runs nothing happens', b)
    b = a.admin('restart')
    ok(b.status == 4 and said in b.err and a.pid, 'a restart is refused before anything ends', b)


def dynamic(a, *groups):
    """Each group has a uid of its own."""
    a.actors('dynamic')
    a.base.chmod(0o755)
    for group in groups:
        a.group(group, ['1'], source=PROBE)
        a.must(a.load(group))


def uid_of(a, group):
    return json.loads((a.rundir / 'uids.json').read_text())['Groups'].get(group)


def ids(a, group):
    return a.asked(group, ('ids',))


def each_its_own(a):
    dynamic(a, 'foo', 'bar')
    foo, bar = uid_of(a, 'foo'), uid_of(a, 'bar')
    ok(foo != bar and all(65536 <= uid <= 99999 for uid in (foo, bar)), 'a uid for each group, of the range', foo, bar)
    for group, uid in ('foo', foo), ('bar', bar):
        got = ids(a, group)
        ok(got == ((uid,) * 3, (uid,) * 3, []), 'its actors are of that uid and gid, and of no other', got)
    for what in 'data', 'tmp':
        st = (a.rundir / what / 'foo').stat()
        ok((st.st_uid, st.st_gid, st.st_mode & 0o7777) == (foo, foo, 0o700), 'its folder %s' % what, st)
    for uses in (('listdir', str(a.rundir / 'data/bar')), ('listdir', str(a.rundir / 'tmp/bar')), ('listdir', str(a.rundir)),
                 ('open', str(a.rundir / 'audit.log')), ('open', str(a.rundir / 'data/mine'), 'w'), ('listdir', str(a.rundir / 'store')),
                 ('setuid', 0), ('setuid', bar), ('kill', a.pid, 0), ('kill', a.actors_of('bar', '1')[0]['Pid'], 9),
                 ('open', '/proc/%d/environ' % a.pid), ('open', '/proc/%d/environ' % a.actors_of('bar', '1')[0]['Pid'])):
        got = a.asked('foo', ('try',) + uses)
        ok(got == 'PermissionError', 'not allowed: %s' % uses[0], uses, got)
    a.must(a.admin('shutdown', '--grace=1'))
    for command in 'start', 'check':
        b = a.admin('-v', command)
        ok(b.status == 0 and 'tds-admin: %s: actors run as a uid for each group\n' % a.dir in b.err, '%s -v says so' % command, b)
    said = a.must(a.admin('status')).out
    ok("\nuser root, each group's actors have a uid of their own\n" in said and a.ask('Status')['ActorUid'] is None, 'status says so', said)


def stays(a):
    """Through another version, an unload, a death, a restart and a shutdown; and it is for the administrator to end that."""
    dynamic(a, 'foo', 'bar')
    before = uid_of(a, 'foo'), uid_of(a, 'bar')
    a.pack('foo', '2', source=PROBE)
    a.must(a.load('foo'))
    ok(ids(a, 'foo')[0][0] == before[0], 'another version has it')
    a.must(a.admin('restart'))
    ok((ids(a, 'foo')[0][0], ids(a, 'bar')[0][0]) == before, 'so it is after a restart')
    a.crash()
    a.start()
    ok((ids(a, 'foo')[0][0], ids(a, 'bar')[0][0]) == before, 'after a death')
    a.must(a.admin('shutdown', '--grace=1'))
    a.must(a.load('bar'))
    ok(ids(a, 'bar')[0][0] == before[1] and uid_of(a, 'foo') == before[0], 'after a shutdown, and where it is not loaded')
    a.must(a.admin('shutdown', '--grace=1'))
    for damaged in {'foo': 0}, {'foo': before[0], 'bar': before[0]}:
        (a.rundir / 'uids.json').write_text(json.dumps({'Version': 1, 'Groups': damaged}))
        b = a.admin('start')
        ok(b.status == 1 and b.err.endswith('.tds/uids.json: is not what tds-admin writes\n'), 'one that is damaged is not taken for none: %s' % damaged, b)
    (a.rundir / 'uids.json').unlink()
    a.must(a.load('bar'))
    ok(ids(a, 'bar')[0][0] == before[1], 'where there is none, the folder says which it was')


def reach(a):
    """Messages of all kinds between uids: over the admin process, by memory file, on links of their own."""
    dynamic(a, 'foo', 'bar')
    bar = a.asked('bar', ('address',))
    for size in 10, 1 << 20:
        got = a.asked('foo', ('relay', bar, size))
        ok(got == (size, True), 'there and back with %d bytes' % size, got)
    before = len(a.asked('foo', ('descriptors',)))
    a.asked('foo', ('talk', bar, 200))
    until('they have a link of their own', lambda: len(a.asked('foo', ('descriptors',))) > before)
    got = a.asked('foo', ('relay', bar, 1 << 20))
    ok(got == (1 << 20, True), 'and on a link of their own', got)
    a.group('foo', ['2'], source=PROBE, head='import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n')
    a.must(a.load('foo'))
    got = ids(a, 'foo')
    ok(got[0] == (uid_of(a, 'foo'),) * 3, 'an actor in an interpreter of its own', got)
    a.must(a.admin('tell', 'foo', repr(('hang',))))
    b = a.load('--unload', a.hash_of('foo', '2'))
    ok(b.status == 0 and not a.strays(), 'one that hangs is ended', b, a.strays())


def things_of(uid):
    return [p for p in (pathlib.Path(folder, 'tds-test-%d' % uid) for folder in ('/dev/shm', '/tmp', '/var/tmp')) if p.exists()]


def segment_is_there(memory):
    return any(line.split()[1] == str(memory) for line in pathlib.Path('/proc/sysvipc/shm').read_text().splitlines()[1:])


def nothing_left(a):
    """What a group's uid owns is gone before another group can have that uid."""
    dynamic(a, 'foo')
    uid = uid_of(a, 'foo')
    memory, pid = a.asked('foo', ('leave',))
    ok(len(things_of(uid)) == 3 and segment_is_there(memory) and run_state(pid) not in 'ZX', 'it leaves something everywhere', things_of(uid))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(len(things_of(uid)) == 3 and uid_of(a, 'foo') == uid, 'an unload leaves it, and the uid')
    b = a.admin('forget', 'foo')
    ok(b == (0, '', '') and uid_of(a, 'foo') is None, 'forget takes the uid', b)
    ok(not things_of(uid) and not segment_is_there(memory) and run_state(pid) in 'ZX', 'when nothing is left that it owns', things_of(uid))
    ok(not list((a.rundir / 'data').iterdir()) and not list((a.rundir / 'tmp').iterdir()), 'its folders too')
    b = a.admin('forget', 'foo')
    ok(b.status == 4, 'then there is nothing to forget', b)
    a.must(a.load('foo'))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    subprocess.run(['rm', '-r', str(a.rundir / 'data/foo')], check=True)
    b = a.admin('forget', 'foo')
    ok(b == (0, '', '') and uid_of(a, 'foo') is None, 'where somebody has removed the folder the uid goes too', b)


def no_strays(a):
    """What has a uid of a group is known by it, whatever became of its parents and its environment."""
    dynamic(a, 'foo')
    uid = uid_of(a, 'foo')
    stray = subprocess.Popen(['setpriv', '--reuid', str(uid), '--regid', str(uid), '--clear-groups', 'sh', '-c', 'echo; exec sleep 1000'],
                             env={}, stdout=subprocess.PIPE, executable='/usr/bin/setpriv')
    stray.stdout.readline()
    a.crash()
    ok(stray.poll() is None, 'a process of the uid that nobody knows outlives guardian and daemon')
    a.start()
    ok(stray.wait(20) == -signal.SIGKILL and ids(a, 'foo')[0][0] == uid, 'the next start ends it')


def cannot_be_had(a):
    (a.dir / 'uidrange.cfg').write_text('70000-70000\n')
    dynamic(a)
    a.base.chmod(0o700)
    a.group('foo', ['1'], source=PROBE)
    b = a.load('foo')
    ok(b.status == 1 and 'cannot use ' in b.err and 'a folder above it lets nobody else through' in b.err and b.err.count('\n') == 1,
       'a folder above that keeps its actors out is named', b)
    a.base.chmod(0o755)
    a.must(a.load('foo'))
    a.group('bar', ['1'], source=PROBE)
    b = a.load('bar')
    ok(b.status == 1 and 'no uid is left for the group (uidrange.cfg)' in b.err and b.err.count('\n') == 1, 'no uid is left', b)


# --- what an actor sees

FIXED = {'PATH', 'LANG', 'LC_ALL', 'TZ', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'THESPIAN_DIRECTOR_DIR', 'TDS_DATA_DIR', 'TDS_ADMIN_RUN'}
OF_SOURCE = {'TDS_SOURCE', 'PYTHONPATH'}  # which the source's own process sets for what actors start
SUPERVISORS = ('NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'INVOCATION_ID',
               'JOURNAL_STREAM', 'MAINPID', 'MANAGERPID', 'SYSTEMD_EXEC_PID', 'CREDENTIALS_DIRECTORY', 'STATE_DIRECTORY',
               'RUNTIME_DIRECTORY', 'UPSTART_JOB', 'RC_SVCNAME', 'SUPERVISOR_SERVER_URL', 'S6_FD', 'DINIT_CS_FD', 'XPC_SERVICE_NAME')
NEVER = SUPERVISORS + ('PYTHONSTARTUP', 'PYTHONHASHSEED', 'LD_BIND_NOW')


def variables_of(pid):
    """As the kernel shows them: those that the program was started with."""
    text = pathlib.Path('/proc/%d/environ' % pid).read_bytes()
    return {v.partition(b'=')[0].decode() for v in text.split(b'\0') if b'=' in v}


def environment(a):
    """The environment of actors, with what a supervisor or an administrator has said to the admin process alone."""
    a.env.update({name: 'x' for name in NEVER}, SECRET='s', LANG='C.UTF-8', OURS='o', OURS_TOO='t', TMPDIR=str(a.base))
    del a.env['TDS_TEST_NOTES']
    for actors in 'root', 'dynamic':
        a.actors(actors)
        a.base.chmod(0o755)
        trusted = a.dir / 'actorenv.cfg'
        a.group('foo', ['1'], source=PROBE.replace("note(type(self).__name__, 'made', os.getpid())", 'pass'))
        a.must(a.load('foo'))
        got = a.asked('foo', ('variables',))
        ok('SECRET' in got and not set(NEVER) & set(got), '%s: without actorenv.cfg all but what is never given' % actors, sorted(set(NEVER) & set(got)))
        trusted.write_text('# ours\nOURS*\n')
        a.must(a.admin('reload'))
        a.pack('foo', '2', source=PROBE.replace("note(type(self).__name__, 'made', os.getpid())", 'pass'))
        a.must(a.load('foo'))
        got = a.asked('foo', ('variables',))
        ok(set(got) == FIXED | OF_SOURCE | {'OURS', 'OURS_TOO'}, '%s: a fixed list, and what actorenv.cfg names' % actors, sorted(got))
        uid = uid_of(a, 'foo') if actors == 'dynamic' else None
        wanted = (str(a.rundir / 'data/foo'), str(uid), str(a.rundir / 'tmp/foo')) if uid else ('/root', 'root', str(a.base))
        ok((got['HOME'], got['USER'], got['TMPDIR']) == wanted and got['LOGNAME'] == got['USER'] and
           got['THESPIAN_DIRECTOR_DIR'] == str(a.dir) and got['TDS_DATA_DIR'] == str(a.rundir / 'data/foo'), '%s: its own' % actors, got)
        pid = a.actors_of('foo', '2')[0]['Pid']
        for what, process in ('an actor', pid), ('the source\'s process', parent_of(pid)), ('the fork server', parent_of(parent_of(pid))):
            found = variables_of(process)
            ok(found <= FIXED | {'OURS', 'OURS_TOO'}, '%s: the kernel shows no more of %s' % (actors, what), sorted(found))
        (a.dir / 'sandbox.cfg').write_text("{'Most': 'trusted', 'Unasked': {'Profile': 'trusted'}}\n")
        trusted.unlink()
        a.must(a.admin('shutdown', '--grace=1'))
        for path in a.dir.glob('foo-*.tls'):
            path.unlink()
        subprocess.run(['rm', '-rf', str(a.rundir)], check=True)


def kind_of(target):
    return 'null' if target == '/dev/null' else target.partition(':')[0]


def kinds_of(pid):
    folder = '/proc/%d/fd' % pid
    return sorted(kind_of(os.readlink('%s/%s' % (folder, fd))) for fd in os.listdir(folder))


def descriptors(a):
    """A fixed list for each process of actors, whatever the admin process has open and was started with."""
    dynamic(a)
    held = [os.open('/etc/hostname' if n % 2 else '/dev/zero', os.O_RDONLY) for n in range(20)]
    a.must(a.admin('start', pass_fds=held))
    for fd in held:
        os.close(fd)
    a.group('foo', ['1'], source=PROBE)
    a.must(a.load('foo'))
    with a.client() as c:
        c.ask('Status')
        got = a.asked('foo', ('descriptors',))
        pid = a.actors_of('foo', '1')[0]['Pid']
        source = parent_of(pid)
        wanted = {
            'an actor': (pid, ['/memfd', 'null', 'pipe', 'pipe', 'socket', 'socket', 'socket']),
            'the source\'s process': (source, ['/memfd', '/memfd', 'null', 'pipe', 'pipe', 'socket', 'socket', 'socket']),
            'the fork server': (parent_of(source), ['null', 'pipe', 'pipe', 'socket', 'socket', 'socket'])}
        for what, (process, expected) in wanted.items():
            try:  # a child that was forked ahead has a socket to the source's process, and goes within a second
                until(what, lambda: kinds_of(process) == expected, 5)
                ok(True, 'the descriptors of %s' % what)
            except Fault:
                ok(False, 'the descriptors of %s' % what, kinds_of(process))
    ok(got[0] == '/dev/null' and got[1] == got[2] and got[1].startswith('socket:'), 'standard input, output and error', got)


def core_limit(pid):
    return limit_of(pid, 'Max core file size')


def cores(a):
    """None of what knows keys or packages; actors have what they were given."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    a.must(a.admin('start', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited)))
    a.group('foo', ['1'], source=PROBE)
    a.must(a.load('foo'))
    pid, actor = a.pid, a.actors_of('foo', '1')[0]['Pid']
    ok([core_limit(p) for p in (pid, parent_of(pid))] == ['0', '0'], 'the daemon and its guardian leave no core')
    ok(core_limit(actor) == 'unlimited' or sanitized(), 'actors may, where they could', core_limit(actor))  # a sanitizer turns them off
    fifo = a.base / 'fifo'
    os.mkfifo(fifo)
    for tool, *args in ('tds-verify', fifo), ('tds-gensrc', 'foo', fifo, a.dir, 'x'), ('tds-load', '-T', fifo):
        p = a.start_tool(tool, *args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
        until('%s reads' % tool, lambda: p.poll() is not None or core_limit(p.pid) == '0')
        ok(p.poll() is None, '%s leaves no core' % tool)
        p.kill()
        p.communicate()


# --- who has planted the run directory

def as_user(user):
    return dict(user=user, group=user, extra_groups=[])


def planted(a):
    """Of each owner, mode and kind; started by root and by the directory's own user. What is not ours alone is not touched."""
    owner, other = 61002, 61005
    a.base.chmod(0o755)
    foreign = a.base / 'foreign'
    foreign.mkdir()
    (foreign / 'store').mkdir()
    for name in 'loaded.json', 'store/keep', 'store/%s.tls' % ('a' * 64), 'lock.mine':
        (foreign / name).write_text('stays')
    for starter in 0, owner:
        os.chown(a.dir, starter, starter)
        (a.dir / 'actoruser.cfg').write_text('%d\n' % starter)
        for where in 'in it', 'by rundir.cfg':
            place = a.dir / '.tds' if where == 'in it' else a.base / 'elsewhere'
            if where != 'in it':
                (a.dir / 'rundir.cfg').write_text('%s\n' % place)
            for kind in 'folder', 'link', 'file', 'fifo':
                for uid in (starter, other) if kind == 'folder' else (other,):
                    for mode in (0o755, 0o775, 0o777) if kind == 'folder' else (0o755,):
                        check_planted(a, starter, place, kind, uid, mode, foreign)
            (a.dir / 'rundir.cfg').unlink(missing_ok=True)
    os.chown(a.dir, 0, 0)


def look(path):
    """All of a tree, as it is."""
    found = [path] if not path.is_dir() or path.is_symlink() else [path, *sorted(path.rglob('*'))]
    return [(str(p), p.lstat()[:6], p.lstat().st_mtime_ns, p.read_text() if stat.S_ISREG(p.lstat().st_mode) else None) for p in found]


def check_planted(a, starter, place, kind, uid, mode, foreign):
    {'folder': lambda: place.mkdir(), 'link': lambda: place.symlink_to(foreign), 'file': lambda: place.write_text('x'),
     'fifo': lambda: os.mkfifo(place)}[kind]()
    os.chown(place, uid, uid, follow_symlinks=False)
    if kind == 'folder':
        place.chmod(mode)
        (place / 'theirs').write_text('stays')
    before = look(place), look(foreign)
    b = a.admin('start', **(as_user(starter) if starter else {}))
    what = 'a %s of uid %d, mode %o, started by %d' % (kind, uid, mode, starter)
    if kind == 'folder' and uid == starter and mode == 0o755:
        ok(b.status == 0 and (place / 'theirs').exists(), '%s: is ours' % what, b)
        a.must(a.admin('shutdown'))
        ok((place / 'theirs').read_text() == 'stays', '%s: what we did not make stays' % what)
    else:
        ok(b.status == 5 and b.err.count('\n') == 1 and b.err.startswith('tds-admin: %s' % place) and 'rundir.cfg names another place' in b.err and
           (look(place), look(foreign)) == before, '%s: is refused, and is as it was' % what, b)
    subprocess.run(['rm', '-rf', str(place)], check=True)


def below(a):
    """What is planted in a run directory of ours by who could write it once."""
    foreign = a.base / 'foreign'
    (foreign / 'x').mkdir(parents=True)
    (foreign / ('a' * 64 + '.tls')).write_text('stays')
    (foreign / 'file').write_text('stays')
    a.group('foo', ['1'])
    for name, status, how in (('store', 5, 'link'), ('store', 5, 'owner'), ('lock', 5, 'link'), ('loaded.json', 4, 'link'),
                              ('audit.log', 5, 'link'), ('audit.log', 5, 'owner'), ('data', 4, 'link'), ('data', 4, 'owner'),
                              ('data', 4, 'mode')):
        a.rundir.mkdir(mode=0o711)
        path, is_folder = a.rundir / name, name in ('store', 'data')
        if how == 'link':
            path.symlink_to(foreign if is_folder else foreign / 'file')
        else:
            path.mkdir() if is_folder else path.write_text('')
            os.chown(path, 61005 if how == 'owner' else 0, 0)
            path.chmod(0o777 if how == 'mode' else 0o755 if is_folder else 0o644)
        before = look(foreign)
        b = a.load('foo')
        ok(b.status != 0 and name in b.err and look(foreign) == before, '%s: its %s is refused, and nothing is changed' % (name, how), b)
        a.admin('shutdown', '--grace=1')
        ok(look(foreign) == before, '%s: nor at the end' % name)
        subprocess.run(['rm', '-rf', str(a.rundir)], check=True)
    a.must(a.load('foo'))
    for name in 'README', 'a.tls', 'b' * 63 + '.tls', 'b' * 64 + '.txt', 'b' * 64 + '.tls', 'b' * 64 + '.tli.new':
        (a.rundir / 'store' / name).write_text('x')
    a.must(a.admin('restart'))
    left = {p.name for p in (a.rundir / 'store').iterdir()} - {s['SHA256'] + end for s in a.state()['Sources'] for end in ('.tls', '.tli')}
    ok(left == {'README', 'a.tls', 'b' * 63 + '.tls', 'b' * 64 + '.txt'}, 'a sweep removes names of our own form alone', left)
    subprocess.run(['rm'] + [str(a.rundir / 'store' / name) for name in left], check=True)
    a.must(a.admin('shutdown'))
    a.rundir.joinpath('theirs').mkdir()
    a.rundir.joinpath('theirs/file').write_text('stays')
    a.must(a.admin('start', '--transient'))
    a.must(a.admin('shutdown'))
    until('its guardian is gone', lambda: not a.processes())
    ok((a.rundir / 'theirs/file').exists() and {p.name for p in a.rundir.iterdir()} == {'theirs'},
       'so does the end of a system that leaves nothing behind', list(a.rundir.iterdir()))


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('root drops root', 'not root')
        done()
    run_cases(untold, each_its_own, stays, reach, nothing_left, no_strays, cannot_be_had,
              environment, descriptors, cores, planted, below)
