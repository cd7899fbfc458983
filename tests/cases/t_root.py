#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Root's admin process drops root: what it refuses, as whom actors run, and what they have of the admin's.

Prints TAP; needs root.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess

from adminlib import ACTOR, parent_of, run_cases, until
from tap import done, ok

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


def is_gone(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def each_its_own(a):
    dynamic(a, 'foo', 'bar')
    foo, bar = uid_of(a, 'foo'), uid_of(a, 'bar')
    ok(foo != bar and all(65536 < uid <= 99999 for uid in (foo, bar)), 'a uid for each group, of the range', foo, bar)
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
    (a.rundir / 'uids.json').write_text('{"Version": 1, "Groups": {"foo": 0}}')
    b = a.admin('start')
    ok(b.status == 1 and b.err.endswith('.tds/uids.json: is not what tds-admin writes\n'), 'one that is damaged is not taken for none', b)
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
    ok(len(things_of(uid)) == 3 and segment_is_there(memory) and not is_gone(pid), 'it leaves something everywhere', things_of(uid))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    ok(len(things_of(uid)) == 3 and uid_of(a, 'foo') == uid, 'an unload leaves it, and the uid')
    b = a.admin('forget', 'foo')
    ok(b == (0, '', '') and uid_of(a, 'foo') is None, 'forget takes the uid', b)
    ok(not things_of(uid) and not segment_is_there(memory) and is_gone(pid), 'when nothing is left that it owns', things_of(uid))
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
    (a.dir / 'uidrange.cfg').write_text('70000-70001\n')
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


if __name__ == '__main__':
    if os.geteuid() != 0:
        ok(True, 'root drops root # skip not root')
        done()
    run_cases(untold, each_its_own, stays, reach, nothing_left, no_strays, cannot_be_had)
