#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may do what: two director directories on one machine, and users who have this or that to do with them.

The tools are installed somewhere, and the folder where they were built is hidden: nothing may be read from there. Prints
TAP; needs root.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tap import BIN, CRASH, KEYS, ROOT, Answer, done, ok, skip

INSIDE = 'TDS_TEST_PREFIX'  # the prefix of the installed tools, where this program has hidden the built ones
USERS = {'root': 0, 'admin': 61001, 'alice': 61002, 'ops': 61003, 'guest': 61004, 'stranger': 61005}

# The exit status of each command, for each user. DOWN: where the admin process does not run.
DOWN = ', down'
ROOTS = '''
                     root admin alice  ops guest stranger
status                  0     0     8    0     8     8
list                    0     0     8    0     8     8
role foo                0     0     8    0     8     8
ask foo 1               0     0     8    0     8     8
tell foo 1              0     0     8    0     8     8
log                     0     0     4    4     4     4
history                 0     0     4    4     4     4
log --audit             0     0     4    4     4     4
check                   0     0     0    0     0     0
config                  0     0     0    0     0     0
tds-avail               0     0     0    0     0     0
tds-avail --excess      0     0     0    0     0     0
tds-verify foo-2.tls    0     0     0    0     0     0
tds-director list       0     0     1    0     1     1
tds-load -n foo         0     0     0    0     0     0
tds-load foo            0     0     8    0     8     8
tds-load --unload HASH  0     0     8    0     8     8
tds-load -a             0     0     8    0     8     8
tds-load --hold foo     0     0     8    0     8     8
tds-load --release foo  0     0     8    0     8     8
tds-load --rollback foo 4     4     8    4     8     8
forget foo              1     1     8    1     8     8
tds-avail --prune       0     5     5    5     5     5
python                  1     1     1    1     0     1
start                   0     0     1    0     1     1
reload                  0     0     8    0     8     8
restart                 0     0     8    0     8     8
shutdown                0     0     8    0     8     8
start, down             0     0     1    1     1     1
tds-load foo, down      0     0     8    8     8     8
shutdown, down          0     0     0    0     0     0
'''
ALICES = '''
                     root admin alice  ops guest stranger
status                  0     8     0    0     8     8
list                    0     8     0    0     8     8
role foo                0     8     0    0     8     8
ask foo 1               0     8     0    0     8     8
tell foo 1              0     8     0    0     8     8
log                     0     4     0    4     4     4
history                 0     4     0    4     4     4
log --audit             0     4     0    4     4     4
check                   0     0     0    0     0     0
config                  0     0     0    0     0     0
tds-avail               0     0     0    0     0     0
tds-avail --excess      0     0     0    0     0     0
tds-verify foo-2.tls    0     0     0    0     0     0
tds-director list       0     1     0    0     1     1
tds-load -n foo         0     0     0    0     0     0
tds-load foo            0     8     0    0     8     8
tds-load --unload HASH  0     8     0    0     8     8
tds-load -a             0     8     0    0     8     8
tds-load --hold foo     0     8     0    0     8     8
tds-load --release foo  0     8     0    0     8     8
tds-load --rollback foo 4     8     4    4     8     8
forget foo              1     8     1    1     8     8
tds-avail --prune       0     5     0    5     5     5
python                  1     1     0    1     1     1
start                   0     5     0    0     5     5
reload                  0     8     0    0     8     8
restart                 0     8     0    0     8     8
shutdown                0     8     0    0     8     8
start, down             4     5     0    5     5     5
tds-load foo, down      8     8     0    8     8     8
shutdown, down          0     0     0    0     0     0
'''
PYTHON = shutil.which('python3', path='/usr/bin:/bin') or sys.executable  # one that every user may run
PROGRAM = '''
from thespian.actors import *
try:
    ActorSystem('tdsLocalBase')
except ActorSystemStartupFailure as failure:
    raise SystemExit('python: %s' % failure)
'''
# A guest asks for the exit of an actor of a package, and then something else.
EXITS = '''
from thespian.actors import *
system = ActorSystem('tdsLocalBase')
actor = system.createActor('thespian.actors.Actor', globalName='foo')
system.tell(actor, ActorExitRequest())
raise SystemExit(0 if system.ask(actor, 1, 20) == 1 else 1)
'''
ACTOR = '''from thespian.actors import Actor


class A(Actor):
    def receiveMessage(self, message, sender):
        if message == 1:
            self.send(sender, message)
'''


class Place:
    """A director directory that belongs to `owner`, with an admin process that `starter` starts and is `runs_as`."""

    def __init__(self, base, name, owner, starter, runs_as):
        self.base, self.path, self.starter, self.runs_as = base, base / name, starter, runs_as
        self.path.mkdir(mode=0o755)
        self.rundir = self.path / '.tds'
        self.is_up = None  # unknown
        shutil.copyfile(KEYS / 'birch_tls.key', self.path / 'birch_tls.key')
        self.must('root', 'tds-gensrc', '-q', '--no-check', 'foo', base / 'birch.pem', base / 'src', '--release=1', 'm/*.py')
        self.pack()
        (self.path / 'sandbox.cfg').write_text('trusted\n')
        for found in self.path, self.path / 'sandbox.cfg', self.path / 'foo.tli', self.path / 'birch_tls.key':
            os.chown(found, USERS[owner], USERS[owner])

    def pack(self):
        for version in '1', '2':
            if not (self.path / ('foo-%s.tls' % version)).exists():
                self.must('root', 'tds-gensrc', '-q', '--no-check', 'foo', self.base / 'birch.pem', self.base / 'src',
                          '--release=' + version, 'm/*.py')

    def write(self, name, text):
        (self.path / name).write_text(text)
        os.chown(self.path / name, self.path.stat().st_uid, 0)

    def run(self, who, *words):
        """A command of tds-admin, another tool, or a program; as this user."""
        tool, *rest = words if words[0].startswith('tds-') else ('tds-admin', *words)
        where = [] if tool == 'tds-director' else ['-C', self.path]  # it takes nothing that the Director does not
        argv = [PREFIX / 'bin' / tool, *where, *rest]
        env = {'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'TMPDIR': str(self.base / 'tmp'),
               'THESPIAN_DIRECTOR_DIR': str(self.path)}
        for name in 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS':
            env[name] = '%s:log_path=%s' % (os.environ.get(name, ''), self.base / 'tmp/sanitizer')
        if words[0] == 'python':
            argv = [PYTHON, '-c', *(words[1:] or (PROGRAM,))]
            env['PYTHONPATH'] = str(PREFIX / 'share/tds/host')
        try:
            p = subprocess.run(list(map(str, argv)), env=env, cwd='/', stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                               user=USERS[who], group=USERS[who], extra_groups=[])
        except subprocess.TimeoutExpired:
            return Answer('hangs', '', '')
        out, err = p.stdout.decode(), p.stderr.decode()
        return Answer('crash' if CRASH.search(err) else p.returncode, out, err)

    def must(self, who, *words):
        answer = self.run(who, *words)
        if answer.status != 0:
            raise RuntimeError('%s %s: %r' % (who, words, answer))
        return answer

    def bring_up(self):
        self.must(self.starter, 'start')
        self.must(self.starter, 'tds-load', '-q', 'foo')
        self.pack()
        self.is_up = True

    def bring_down(self):
        """Nothing runs, and the run directory is as it was before anything ever ran."""
        self.must('root', 'shutdown', '--grace=1')
        for path in sorted(self.rundir.rglob('*'), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        if self.rundir.parent == self.path and self.rundir.exists():
            self.rundir.rmdir()
        self.is_up = False

    def try_cell(self, row, who):
        """Run one command as one user, in the state that the row supposes."""
        is_up = not row.endswith(DOWN)
        if self.is_up is not is_up:
            (self.bring_up if is_up else self.bring_down)()
        words = row.partition(',')[0].split()
        if 'HASH' in words:
            words[-1] = self.must('root', 'tds-load', 'foo').out.split(': ')[1].strip()
        if '--prune' in words:
            self.pack()
        answer = self.run(who, *words)
        if answer.status == 0 and words[0] in ('start', 'shutdown', 'tds-load'):
            self.is_up = None if words[0] == 'tds-load' or not is_up else words[0] == 'start'
        return answer

    def owner_of_daemon(self):
        return os.stat('/proc/%s' % self.must('root', 'status').out.split('pid ')[1].split()[0]).st_uid


def is_told(answer):
    """Who is refused is told why, in the usual form."""
    return answer.status == 0 or (answer.err.startswith(('tds-', 'python: ')) and not answer.out)


def hold_against(place, table):
    head, *rows = table.strip('\n').splitlines()
    users = head.split()
    for line in rows:
        row, expected = line[:23].strip(), list(map(int, line[23:].split()))
        answers = {who: place.try_cell(row, who) for who in users}
        wrong = [(who, a) for (who, a), e in zip(answers.items(), expected) if a.status != e or not is_told(a)]
        ok(not wrong, '%s: %s' % (place.path.name, row), *wrong)


def whose_process(place):
    """Whoever of those that may has started it."""
    for who, uid in place.runs_as.items():
        place.bring_down()
        place.must(who, 'start')
        found = place.owner_of_daemon(), place.rundir.stat().st_uid, (place.rundir / 'admin.sock').stat().st_uid
        ok(found == (USERS[uid],) * 3, '%s: started by %s it is %s\'s, and what it makes' % (place.path.name, who, uid), found)


def exits(place):
    """An actor obeys no guest."""
    place.bring_down()
    place.bring_up()
    before = place.must('root', 'list').out
    a = place.run('guest', 'python', EXITS)
    ok(a.status == 0 and place.must('root', 'list').out == before, 'an actor of a package obeys no guest', a, before)


def environment(place):
    """What an actor sees of root, who started its admin process: nothing."""
    place.bring_down()
    place.must('root', 'start')
    pid = place.must('root', 'status').out.split('pid ')[1].split()[0]
    said = place.must('root', 'status').out.splitlines()
    ok(any(line.startswith('user %d, and so are the actors: ' % USERS['admin']) for line in said), 'status says whose process it is', said)
    with open('/proc/%s/environ' % pid) as f:
        got = dict(v.split('=', 1) for v in f.read().split('\0') if '=' in v)
    with open('/proc/%s/status' % pid) as f:
        ids = {k: v.split() for k, _, v in (line.partition(':') for line in f)}
    uid = str(USERS['admin'])
    ok([got.get(k) for k in ('HOME', 'USER', 'LOGNAME')] == ['/', uid, uid], 'HOME, USER and LOGNAME are its own', got)
    ok(ids['Uid'] == ids['Gid'] == [uid] * 4 and not ids['Groups'] and ids['CapEff'] == ids['CapPrm'] == ['0' * 16],
       'no other uid, gid, group or capability is left', ids['Uid'], ids['Gid'], ids['Groups'], ids['CapPrm'])


def rights(place):
    """What a tool makes of a request that is not allowed says which file would allow it."""
    place.bring_up()
    place.write('adminusers.cfg', '61003: ask\n')
    place.must('root', 'reload')
    for words, request, right in ((('role', 'foo'), 'RetrieveRole', 'list'), (('tell', 'foo', '1'), 'Tell', 'tell')):
        a = place.run('ops', *words)
        ok(a == (1, '', "tds-admin: foo: not allowed (%s): adminusers.cfg does not give this user '%s'\n" % (request, right)), words[0], a)
    place.write('adminusers.cfg', '61003\n')


def refusals(place):
    """What start says where it is not to be believed whose process it shall be."""
    place.bring_down()
    config = place.path / 'adminuser.cfg'
    before = config.read_text()
    for text, mode, status, why in (('61001\n61003\n', 0o644, 4, 'more than one line (adminusers.cfg?)'),
                                    ('no-such-user\n', 0o644, 4, 'no such user: no-such-user'),
                                    (before, 0o646, 4, 'others may write it, so it does not count')):
        config.write_text(text)
        config.chmod(mode)
        a = place.run('root', 'start')
        ok(a == (status, '', 'tds-admin: %s: %s\n' % (config, why)), 'start: %s' % why, a)
    ok(not list(place.rundir.iterdir()), 'and nothing is made', list(place.rundir.iterdir()))
    config.write_text(before)
    config.chmod(0o644)
    a = place.run('stranger', 'start')
    ok(a == (1, '', 'tds-admin: %s names 61001: nobody but root and that user starts it\n' % config), 'start by a stranger', a)
    config.unlink()
    a = place.run('admin', 'start')
    ok(a == (0, '', 'tds-admin: %s: warning: is not there to name uid 61001: no other user, root neither, believes what that user '
             'runs here\n' % config), 'start by who is nobody to the others', a)
    a = place.run('root', 'shutdown')
    ok(a == (8, '', 'tds-admin: %s: belongs to another user (uid 61001), whom adminuser.cfg does not name\n' % place.rundir),
       'shutdown of it by root', a)
    place.must('admin', 'shutdown')
    place.write('adminuser.cfg', before)
    os.chown(place.rundir, USERS['stranger'], 0)
    a = place.run('root', 'shutdown')
    ok(a == (8, '', 'tds-admin: %s: belongs to another user (uid 61005), whom adminuser.cfg does not name\n' % place.rundir), 'shutdown where a stranger made it', a)
    os.chown(place.rundir, USERS['admin'], 0)


def make_places(base):
    for name, mode in ('tmp', 0o1777), ('var', 0o755), ('var/roots', 0o711):
        (base / name).mkdir(mode=mode)
        (base / name).chmod(mode)
    os.chown(base / 'var/roots', USERS['admin'], 0)
    shutil.copyfile(KEYS / 'birch.pem', base / 'birch.pem')
    (base / 'birch.pem').chmod(0o600)
    (base / 'src/m').mkdir(parents=True)
    (base / 'src/m/__init__.py').write_text('')
    (base / 'src/m/a.py').write_text(ACTOR)
    (base / 'src/foo.tli').write_text("{'TLS_Keep_Limit': 1, 'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'GlobalName': 'foo'}}}}\n")
    roots = Place(base, 'roots', 'root', 'root', {'root': 'admin', 'admin': 'admin'})
    alices = Place(base, 'alices', 'alice', 'alice', {'alice': 'alice'})
    roots.write('adminuser.cfg', '61001\n')
    roots.write('rundir.cfg', '%s\n' % (base / 'var/roots'))
    roots.write('guests.cfg', '61004\n')
    roots.rundir = base / 'var/roots'
    for place in roots, alices:
        place.write('adminusers.cfg', '61003\n')
    return roots, alices


def main():
    base = pathlib.Path(tempfile.mkdtemp(prefix='tds-cases-'))
    base.chmod(0o755)
    places = []
    try:
        roots, alices = places = make_places(base)
        hold_against(roots, ROOTS)
        hold_against(alices, ALICES)
        whose_process(roots)
        whose_process(alices)
        environment(roots)
        exits(roots)
        rights(roots)
        refusals(roots)
    finally:
        for place in places:
            place.bring_down()
        found = [p.read_text() for p in (base / 'tmp').glob('sanitizer*')]
        ok(not found, 'no sanitizer found anything', *found)
        shutil.rmtree(base)
    done()


def install_and_hide():
    """Install the tools, and run this program anew where the built ones cannot be seen. Never returns where that can be done."""
    prefix = tempfile.mkdtemp(prefix='tds-cases-')
    os.chmod(prefix, 0o755)
    try:
        subprocess.run(['make', '-s', '-C', str(ROOT), 'BIN=%s' % BIN, 'DESTDIR=', 'PREFIX=' + prefix, 'stage'], check=True)
        hide = 'mount -t tmpfs -o mode=0700 tmpfs "$0" || exit 125; exec "$@"'
        argv = ['unshare', '--mount', 'sh', '-c', hide, str(ROOT / 'build'), sys.executable, '-B', __file__]
        status = subprocess.run(argv, env=dict(os.environ, **{INSIDE: prefix})).returncode
        if status == 125:  # no mount may be made here
            status = subprocess.run(argv[6:], env=dict(os.environ, **{INSIDE: prefix})).returncode
        sys.exit(status)
    finally:
        shutil.rmtree(prefix)


if __name__ == '__main__':
    if os.geteuid() != 0:
        skip('who may do what', 'not root')
        done()
    if INSIDE not in os.environ:
        install_and_hide()
    PREFIX = pathlib.Path(os.environ[INSIDE])
    main()
