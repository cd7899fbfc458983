#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a hostile package gets of what it tries, by profile: tests/probes/attempts.py against tests/probes/table.txt.

A package with all the attempts is loaded into each profile, beside a victim of another group; once under root's admin
process where each group has a uid of its own, once under that of a user, whose actors are that user too, and once on an
older Landlock, that of Debian 12. The table has what is to come of each; the settings where nothing holds it back show that an
attempt works at all. Beside it the same attempts in bubblewrap. Prints TAP.

`t_probes.py --record` writes the table anew, which is then to be read; cells that say `?` stay so.
"""
import concurrent.futures
import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys

import adminlib
from tap import ROOT, done, ok, skip

PROBES = ROOT / 'tests/probes'
TABLE = PROBES / 'table.txt'
ATTEMPTS = (PROBES / 'attempts.py').read_text()
PROFILES = 'strict', 'default', 'net', 'dict', 'trusted'
# Setting -> its columns. `free`: root's actors as root, where only what the system lacks is refused.
SETTINGS = {'root': PROFILES, 'user': PROFILES, 'older': PROFILES, 'free': ('trusted',)}
COLUMNS = ['%s/%s' % (s, p) for s in SETTINGS for p in SETTINGS[s]]
HELD = {c for c in COLUMNS if not c.endswith('trusted')}
OLDER = {'TDS_LANDLOCK_ABI': '2'}
ABI = ctypes.CDLL(None).syscall(444, None, 0, 1)  # of the kernel's Landlock; less than 1: it has none
PORTS_ABI, NEW_ABI = 4, 6  # from which on it holds ports, and signals
MAY_KILL = ('calls-of-32-bits', 'calls-of-x32')  # each by itself
BY_ACTOR = ('exit-of-other', 'unload-of-other', 'frames-of-nonsense', 'frames-without-end')
SECRET = 'nobody is to see this'

PROBER = r'''
import ctypes
import os
from thespian.actors import *
from m import attempts


class Prober(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'try':
            self.send(sender, {name: attempts.outcome(name, msg[2]) for name in msg[1]})
        elif isinstance(msg, tuple) and msg[0] == 'who':
            self.send(sender, os.getpid())
        elif isinstance(msg, tuple):
            getattr(self, msg[0].replace('-', '_'))(*msg[1:])

    def exit_of_other(self, _hash):
        self.send(self.createActor(Prober, globalName='the victim'), ActorExitRequest())

    def unload_of_other(self, hash_):
        self.unloadActorSource(hash_)

    def frames_of_nonsense(self, _hash):
        self._myRef.link.sock.setblocking(True)
        self._myRef.link.sock.sendall(os.urandom(3) + b'\xff' + os.urandom(4996))  # no length that a frame may have

    def frames_without_end(self, _hash):
        self._myRef.link.sock.setblocking(True)
        self._myRef.link.sock.sendall(b'\xff' * 4096)


class Victim(Actor):
    kept = ctypes.create_string_buffer(8)

    def receiveMessage(self, msg, sender):
        if msg == 'who':
            with open(os.environ['TDS_DATA_DIR'] + '/book', 'w') as f:
                f.write('kept')
            os.chmod(f.name, 0o644)
            self.send(sender, (os.getpid(), ctypes.addressof(self.kept), os.environ['TDS_DATA_DIR']))
'''


# --- measuring, in a process of the setting's user

def declared(profile, place):
    if profile != 'dict':
        return profile
    asked = {'Profile': 'strict', 'Read': [place['other']], 'Run': ['/bin/true', '/bin/sh'], 'Env': ['TDS_PROBE_SECRET'], 'Files': 200}
    return asked if place['older'] or ABI < PORTS_ABI else dict(asked, Connect=[place['port']])


def put_others_files(folder):
    """What somebody else has left for all to change; called before each package that tries."""
    for name, mode in ('readable', 0o644), ('writable', 0o666), ('emptied', 0o666), ('deleted', 0o666), ('renamed', 0o666), ('core', 0o600):
        path = folder / name
        path.write_text('kept')
        path.chmod(mode)


@contextlib.contextmanager
def listening(folder):
    """Sockets that could be reached: kind -> port or name."""
    with contextlib.ExitStack() as stack:
        def bound(family, kind, address):
            s = stack.enter_context(socket.socket(family, kind))
            s.bind(address)
            if kind == socket.SOCK_STREAM:
                s.listen(64)
            return s.getsockname()
        place = {'abstract': 'tds-probe-%d' % os.getpid(), 'port6': 0}
        place['port'], place['other_port'] = (bound(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', 0))[1] for _ in range(2))
        place['udp_port'] = bound(socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', 0))[1]
        with contextlib.suppress(OSError):
            place['port6'] = bound(socket.AF_INET6, socket.SOCK_STREAM, ('::1', 0))[1]
        for name, kind in ('listens', socket.SOCK_STREAM), ('takes', socket.SOCK_DGRAM):
            bound(socket.AF_UNIX, kind, str(folder / name))
            os.chmod(folder / name, 0o777)
        bound(socket.AF_UNIX, socket.SOCK_STREAM, '\0' + place['abstract'])
        yield place


def prepare(a, setting, folder):
    """An admin with a victim; returns the place of the attempts."""
    a.actors('root' if setting == 'free' else 'dynamic')
    a.base.chmod(0o755)
    a.env.update(OLDER if setting == 'older' else {}, TDS_PROBE_SECRET=SECRET, NOTIFY_SOCKET='/nowhere')
    (a.dir / 'sandbox.cfg').write_text("{'Most': 'trusted', 'Unasked': 'trusted'}\n")
    a.group('victim', ['1'], {'Actors': {'m.a.Victim': {'OnLoad': {'Role': 'victim', 'GlobalName': 'the victim'}}}},
            source=PROBER, attempts=ATTEMPTS)
    a.must(a.load('victim'))
    daemon = a.pid
    secret = a.base / 'secret'
    secret.write_text(SECRET)
    secret.chmod(0o600)
    return {'other': str(folder), 'secret': str(secret), 'director': str(a.dir), 'run': str(a.rundir), 'older': setting == 'older',
            'stored': str(next((a.rundir / 'store').glob('*.tls'))), 'package': str(a.dir / 'victim-1.tls'), 'key': str(a.dir / 'birch_tls.key'),
            'declaration': str(a.dir / 'victim.tli'), 'daemon': daemon, 'guardian': adminlib.parent_of(daemon)}


def names():
    found = {}
    exec(compile(ATTEMPTS, 'attempts.py', 'exec'), found)
    return list(found['ATTEMPTS'])


def try_all(a, profile, place):
    """One package: attempt -> (outcome, why)."""
    place = dict(place, data=str(a.rundir / 'data' / profile), trusted=profile == 'trusted')
    place['victim'], place['address'], place['others_data'] = adminlib.until('the victim is there', lambda: a.asked('victim', 'who', 1))
    a.tli(profile, {'Actors': {'m.a.Prober': {'OnLoad': {'Role': profile}}}, 'Sandbox': declared(profile, place)})
    a.pack(profile, '1', source=PROBER, attempts=ATTEMPTS)
    a.must(a.load(profile))
    put_others_files(pathlib.Path(place['other']))
    found = a.asked(profile, ('try', [n for n in names() if n not in MAY_KILL], place), 120) or {}
    for name in MAY_KILL:
        found.update(tried_alone(a, profile, name, place))
    for name in BY_ACTOR:
        found[name] = by_actor(a, profile, name, place)
    return found


def tried_alone(a, profile, name, place):
    """What may end the actor: another one is there then, which knows nothing of it."""
    before = a.asked(profile, ('who',))
    with a.client() as c:
        c.send(DirectorOp='Ask', Target=profile, Literal=repr(('try', [name], place)), Timeout=60)
        if adminlib.until('somebody answers', lambda: a.asked(profile, ('who',), 0.3)) != before:
            return {name: ('no', 'killed')}
        return eval(c.line()['Literal'], {})


def by_actor(a, profile, name, place):
    """What is done over its own link; it worked where the victim or the admin is another afterwards, or does not answer."""
    before = adminlib.until('the actor is there', lambda: a.asked(profile, ('who',)))
    a.ask('Tell', Target=profile, Literal=repr((name, a.hash_of('victim', '1'))))
    ends = name.startswith('frames')
    adminlib.until('it has done so', lambda: a.asked(profile, ('who',), 0.3) not in ((None, before) if ends else (None,)))
    victim = adminlib.until('the victim is there', lambda: a.asked('victim', 'who', 1))[0]
    well = victim == place['victim'] and a.pid == place['daemon']
    place['victim'] = victim
    return ('no', 'victim and admin are the same') if well else ('yes', 'one of them is another')


def measure(setting):
    """column -> attempt -> (outcome, why), printed as JSON."""
    found = {}
    with adminlib.admin() as a:
        folder = a.base / 'others'
        folder.mkdir()
        folder.chmod(0o777)
        with listening(folder) as sockets:
            place = dict(prepare(a, setting, folder), **sockets)
            for profile in SETTINGS[setting]:
                found['%s/%s' % (setting, profile)] = try_all(a, profile, place)
    print(json.dumps(found))


def measured(setting):
    """The same, by a process of the setting's user; {}: it cannot be here."""
    as_root = setting in ('root', 'free')
    python, other = sys.executable, {}
    if as_root and os.geteuid() != 0:
        return {}
    if not as_root and os.geteuid() == 0:  # of whom root's own folders are hidden
        user = pwd.getpwnam('daemon')
        python = shutil.which('python3', path=os.defpath) or python
        other = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': [], 'env': dict(os.environ, PATH=os.defpath, HOME='/nonexistent')}
    p = subprocess.run([python, '-B', __file__, '--measure', setting], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **other)
    if p.returncode != 0:
        ok(False, '%s can be measured' % setting, p.stderr.decode()[-900:], p.stdout.decode()[-900:])
        return {}
    return json.loads(p.stdout.splitlines()[-1])


# --- the table

def read_table():
    """attempt -> column -> yes, -, ?."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and line[0] != '#']
    return {words[0]: dict(zip(lines[0][1:], words[1:])) for words in lines[1:]}


HEAD = '''\
# What a hostile package gets of what it tries (attempts.py), by profile: `yes`, `-` for refused, `?` where that is the
# machine's affair. root: root's admin process, each group of its own uid (dynamic). user: a user's, and all actors are that
# user. older: the same with version 2 of Landlock, as Debian 12 has it. free: root's actors as root, where nothing holds
# them but the machine: there is what each attempt does at all. dict: {'Profile': 'strict', 'Read': [a folder of
# another], 'Connect': [a port], 'Run': ['/bin/true', '/bin/sh'], 'Env': [a secret]}, on an older Landlock without port.
'''


def record(found):
    old = read_table() if TABLE.exists() else {}
    rows = [['attempt'] + COLUMNS]
    for name in sorted(next(iter(found.values()))):
        cells = []
        for column in COLUMNS:
            outcome, _ = found[column][name]
            unsure = column not in HELD and (old.get(name, {}).get(column) == '?' or outcome == 'absent')
            cells.append('?' if unsure else 'yes' if outcome == 'yes' else '-')
        rows.append([name] + cells)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    TABLE.write_text(HEAD + ''.join('  '.join(c.ljust(w) for c, w in zip(row, widths)).rstrip() + '\n' for row in rows))


def cells_of(row, column):
    """What the table lets be: a kernel that has less of Landlock may be as the older one."""
    profile = column.split('/')[1]
    as_older = column in HELD and ABI < NEW_ABI and row.get('user/' + profile) != row.get('older/' + profile)
    return {row.get(column), row.get('older/' + profile) if as_older else row.get(column)}


# Of a sanitized admin process the leak detector has to see all, and so has whoever is its user.
SEEN_SANITIZED = {'proc-descriptors-of-admin', 'proc-environment-of-admin'} if adminlib.sanitized() else set()


def surprises(column, found, table):
    """Cells that are not as the table has them. What is allowed may be lacking where nothing holds it back either."""
    for name, (outcome, why) in sorted(found[column].items()):
        cells = cells_of(table.get(name, {}), column)
        somewhere = any(found[c][name][0] == 'yes' for c in found if c not in HELD)
        lacking = cells == {'yes'} and outcome == 'no' and not somewhere
        if not (lacking or outcome == 'absent' or (name in SEEN_SANITIZED and column not in HELD) or '?' in cells or ('yes' if outcome == 'yes' else '-') in cells):
            yield '%s: %s in the table, and %s: %s' % (name, ' or '.join(map(str, cells)), outcome, why)


def check(found):
    table = read_table()
    tried = set().union(*found.values())
    ok(len(tried) >= 100 and tried == set(table), '%d attempts, each has its row' % len(tried), tried ^ set(table))
    for column in COLUMNS:
        if column not in found:
            skip(column, 'not root')
            continue
        wrong = list(surprises(column, found, table))
        refused = sum(outcome != 'yes' for outcome, _ in found[column].values())
        ok(not wrong, '%s: %d refused, no surprise' % (column, refused), *wrong)


# --- beside it

BWRAP = ('bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --ro-bind /usr /usr --ro-bind-try /etc/ssl /etc/ssl '
         '--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/sbin /sbin --proc /proc --dev /dev '
         '--tmpfs /tmp --bind {data} {data} --ro-bind {probes} {probes} --chdir /').split()
RUNNER = '''
import json, sys
sys.path.insert(0, sys.argv[1])
import attempts
place = json.loads(sys.argv[2])
print(json.dumps({name: attempts.outcome(name, place) for name in attempts.ATTEMPTS if name not in %r}))
''' % (MAY_KILL,)


def beside(found):
    """The same in bubblewrap, with what is nearest to `default`: told, and no test decides by it."""
    column = next((c for c in ('root/default', 'user/default') if c in found), None)
    if column is None or not shutil.which('bwrap'):
        return skip('bubblewrap', 'it is not here')
    with adminlib.admin() as a:
        folder, data = a.base / 'others', a.base / 'data'
        for path in folder, data:
            path.mkdir()
            path.chmod(0o777)
        put_others_files(folder)
        with listening(folder) as sockets:
            place = dict(prepare(a, 'free', folder), data=str(data), trusted=False, **sockets)
            argv = [word.format(data=data, probes=PROBES) for word in BWRAP]
            python = shutil.which('python3', path=os.defpath) or sys.executable
            p = subprocess.run([*argv, python, '-c', RUNNER, str(PROBES), json.dumps(place)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=adminlib.LIMIT_S)
    if p.returncode != 0 or not p.stdout:
        return skip('bubblewrap', 'it does not run here: %s' % p.stderr.decode()[-200:])
    theirs = {name: outcome for name, (outcome, _) in json.loads(p.stdout.splitlines()[-1]).items()}
    ours = {name: found[column][name][0] for name in theirs}
    for what, mine, its in ('refused here alone', 'no', 'yes'), ('refused by bubblewrap alone', 'yes', 'no'):
        print('# %s: %s' % (what, ' '.join(sorted(n for n in theirs if ours[n] == mine and theirs[n] == its))))
    return ok(True, 'beside bubblewrap: it lets %d of %d attempts, default %d' % (
        sum(o == 'yes' for o in theirs.values()), len(theirs), sum(o == 'yes' for o in ours.values())))


def main():
    if sys.argv[1:2] == ['--measure']:
        measure(sys.argv[2])
        return
    if ABI < 1:
        skip('what a package gets', 'this kernel has no Landlock')
        done()
    found = {}
    with concurrent.futures.ThreadPoolExecutor(len(SETTINGS)) as pool:  # most of the time is waiting
        for part in pool.map(measured, SETTINGS):
            found.update(part)
    if sys.argv[1:] == ['--record']:
        record(found)
        return
    check(found)
    beside(found)
    done()


if __name__ == '__main__':
    main()
