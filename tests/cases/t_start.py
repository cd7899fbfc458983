#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What start, shutdown and an unload say is so: 0 means that it is done, and on disk.

Prints TAP. 20 starts right after a kill -9, and 20 times as many under TDS_SCALE=20.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys

from adminlib import PROTOCOL, SCALE, parent_of, run_cases, until
from tap import ok, skip

ROUNDS = 20 * SCALE


def kill(*pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pids_of(a):
    daemon = a.pid
    return {'daemon': [daemon], 'guardian': [parent_of(daemon)], 'both': [parent_of(daemon), daemon]}


def is_there(a):
    """Does the group answer right now?"""
    try:
        return a.asked('foo', ('echo',)) == ('1',)
    except Exception:  # nobody listens, or who did is gone
        return False


def has_socket(pid):
    with contextlib.suppress(OSError):
        for fd in os.listdir('/proc/%d/fd' % pid):
            with contextlib.suppress(OSError):
                if os.readlink('/proc/%d/fd/%s' % (pid, fd)).startswith('socket:'):
                    return True
    return False


def one_that_never_answers(a):
    """A daemon that takes a connection, and dies before it answers, is none that runs."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    for tool, *args in ('tds-admin', 'start'), ('tds-load', 'foo'):
        daemon = a.pid
        os.kill(daemon, signal.SIGSTOP)
        p = a.start_tool(tool, *args)
        until('it has connected', lambda: has_socket(p.pid) or p.poll() is not None)
        kill(daemon)
        b = a.end_tool(p)
        ok(b.status == 0 and is_there(a), '%s: what listened was dead, and is started anew' % tool, b)
        a.admin('start')


def right_after_a_kill(a):
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    bad = []
    for n in range(ROUNDS):
        what = ('daemon', 'guardian', 'both')[n % 3]
        kill(*pids_of(a)[what])
        b = a.admin('start')
        if b.status != 0 or not is_there(a):
            bad.append('round %d, %s: %r' % (n, what, b))
            a.admin('start')
    ok(not bad, '%d starts right after a kill: up, with all restored' % ROUNDS, len(bad), *bad[:5])
    bad = []
    for n in range(3 * SCALE):
        what = ('daemon', 'guardian', 'both')[n % 3]
        kill(*pids_of(a)[what])
        b = a.load('foo')
        if b.status != 0 or not is_there(a):
            bad.append((what, b))
            a.admin('start')
    ok(not bad, 'a load that starts it does the same', *bad[:3])


def switches(pid):
    """How often a process has waited for something."""
    with contextlib.suppress(OSError):
        with open('/proc/%d/status' % pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith('voluntary_ctxt'))
    return 0


def one_that_restores(a):
    """Who comes while it restores waits as its starter does, and hears the same."""
    flag, there = a.base / 'flag', a.base / 'there'
    head = 'import os, time\nopen(%r, "w").close()\nwhile os.path.exists(%r): time.sleep(0.01)\n' % (str(there), str(flag))
    a.group('foo', ['1'], head=head)
    a.group('bar', ['1'])
    a.must(a.load('-a'))
    sha = next(s['SHA256'] for s in a.state()['Sources'] if s['Group'] == 'bar')
    a.crash()
    (a.dir / '.tds/store' / (sha + '.tls')).write_bytes(b'x')
    there.unlink()
    flag.write_text('')
    first = a.start_tool('tds-admin', 'start')
    until('the import is under way', there.exists)
    status = a.ask('Status')
    ok(status['Ready'] is False and status['Stopping'] is False, 'Status says that it is not ready', status)
    others = [a.start_tool('tds-admin', 'start'), a.start_tool('tds-load', 'foo')]
    starter = until('the load asks for a start', lambda: [p for p, c in a.processes().items() if parent_of(p) == others[1].pid]
                    or others[1].poll() is not None)
    waiting = [others[0].pid, *(starter if isinstance(starter, list) else [])]
    until('they wait', lambda: all(switches(p) > 20 for p in waiting) or any(o.poll() is not None for o in others))
    ok(all(o.poll() is None for o in others), 'start and load wait as long as it restores')
    flag.unlink()
    answers = [a.end_tool(p) for p in (first, *others)]
    ok(all(b.status == 1 and 'bar-1.tls: ' in b.err for b in answers), 'each is told what did not come back: 1', *answers)
    ok(is_there(a), 'and all else is back')
    status = a.ask('Status')
    ok(status['Ready'] is True and [t[:11] for t in status['NotRestored']] == ['bar-1.tls: '], 'which Status keeps', status)
    ok(a.admin('start') == (0, '', ''), 'who comes later asks for nothing that was not there before')


def one_that_ends(a):
    """A start that comes while the one before is on its way down waits for its end."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    a.ask('Tell', Target='foo', Literal="('hang',)")
    a.notes.wait_for('1', 'A', 'got', ('hang',))
    down = a.start_tool('tds-admin', 'shutdown', '--grace=1')
    until('it is on its way down', lambda: stopping(a) or down.poll() is not None)
    b = a.admin('start')
    c = a.end_tool(down)
    ok(b.status == 0 and c.status == 0 and a.groups().get('foo', {'Loaded': []})['Loaded'] == [],
       'a start while another ends begins anew', b, c)


def stopping(a):
    try:
        return a.ask('Status')['Stopping']
    except (OSError, TypeError):
        return False


@contextlib.contextmanager
def unwritable(a):
    """loaded.json can be neither replaced nor removed; afterwards it is as it was."""
    path, kept = a.dir / '.tds/loaded.json', a.dir / '.tds/kept.json'
    path.rename(kept)
    path.mkdir()
    (path / 'x').write_text('')
    try:
        yield
    finally:
        (path / 'x').unlink()
        path.rmdir()
        kept.rename(path)


def unload_not_written(a):
    a.group('foo', ['1', '2', '3'])
    a.group('bar', ['1'])
    for v in '123':
        a.must(a.load('foo-%s.tls' % v))
    with unwritable(a):
        b = a.load('--unload', a.hash_of('foo', '1'))
        ok(b.status == 5 and 'foo-1.tls is unloaded, but ' in b.err, 'an unload that is not on disk: 5', b)
        b = a.load('--unload', a.hash_of('foo', '3'))
        ok(b.status == 5 and 'foo-3.tls is unloaded, but ' in b.err and a.active('foo') == '2',
           'the same where another becomes active', b)
        ok(a.loaded('foo') == ['2'], 'the admin says what is so', a.groups())
        ok(not a.leftovers(), 'and no half file is left', a.leftovers())
    ok(set(a.state_of('foo')) == {'1', '2', '3'}, 'loaded.json is as it was')
    a.must(a.load('bar'))
    ok(a.state_of('foo') == {'2': True} and a.state_of('bar') == {'1': True}, 'the next change writes it all', a.state())
    ok(not a.wrong_in_store(), 'the store has no more', a.wrong_in_store())
    a.must(a.load('foo-3.tls'))
    with unwritable(a):
        b = a.load('foo-2.tls')
        ok(b.status == 5 and 'foo-2.tls is active, but ' in b.err and a.active('foo') == '2',
           'a source that becomes active again: 5', b)
        b = a.load('foo-1.tls')
        ok(b.status == 5 and a.loaded('foo') == ['2', '3'], 'a load is undone', b)
    a.must(a.load('--unload', a.hash_of('bar', '1')))
    ok(a.state_of('foo') == {'2': True, '3': False} and a.state_of('bar') == {}, 'and is written with the next change', a.state())


@contextlib.contextmanager
def small_disk(a):
    """The run directory on a file system of its own. Gives a function that fills it, or None where none can be mounted."""
    place = a.base / 'disk'
    place.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', str(place)], capture_output=True).returncode == 0
    (a.dir / 'rundir.cfg').write_text(str(place / 'run') + '\n')

    def fill(room):
        with open(place / 'fill', 'wb', buffering=0) as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(b'x' * 4096)
            f.truncate(f.tell() // 4096 * 4096 - room)
    try:
        yield fill if mounted else None
    finally:
        a.admin('shutdown')
        (a.dir / 'rundir.cfg').unlink()
        if mounted:
            subprocess.run(['umount', str(place)], check=True)


def full_disk(a):
    with small_disk(a) as fill:
        if not fill:
            skip('a full disk', 'no file system can be mounted here')
            return
        run = a.base / 'disk/run'
        a.group('foo', ['1', '2'])
        a.group('bar', ['1'], head='# %s\n' % os.urandom(30000).hex())
        a.must(a.load('foo-1.tls'))
        for room in 8192, 0:  # the definition has room, or not even that
            fill(room)
            b = a.load('bar')
            ok(b.status == 5, 'a load on a full disk: 5', b)
            left = sorted(p.name[64:] for p in (run / 'store').iterdir())
            ok(left == ['.tli', '.tls'], 'and nothing of it is left', left)
        b = a.load('--unload', hash_at(run))
        state = json.loads((run / 'loaded.json').read_text())
        ok(b.status == 0 and state['Sources'] == [], 'an unload makes its own room', b, state)


def hash_at(run):
    return json.loads((run / 'loaded.json').read_text())['Sources'][0]['MD5']


def shutdown_not_written(a):
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    with unwritable(a):
        with a.client() as c:
            b = a.admin('shutdown')
        ok(b.status == 5 and 'what was loaded could not be forgotten: loaded.json' in b.err,
           'a shutdown that leaves something to come back: 5', b)
        ok(not a.processes(), 'though nothing runs any more', a.processes())
    b = a.admin('start')
    ok(b.status == 0 and is_there(a), 'and it comes back whole', b)
    with a.client() as c:
        first, last = c.ask('Shutdown'), c.line()
        ok(first == {'DirectorResponse': 'ShuttingDown', 'Success': True, 'Protocol': PROTOCOL}, 'the connection is told at once', first)
        ok(last == {'DirectorResponse': 'ShutDown', 'Success': True, 'Status': 0, 'Protocol': PROTOCOL} and c.line() is None,
           'and what has come of it, before it ends', last)
    until('nothing runs', lambda: not a.processes())
    ok(a.admin('shutdown') == (0, '', ''), 'where nothing runs: 0')
    a.start()
    ok(a.groups() == {}, 'nothing comes back')


def killed_on_its_way_down(a):
    """A shutdown under which guardian or daemon dies has forgotten nothing, and says so."""
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    for what in 'daemon', 'guardian', 'both':
        a.notes.take()
        a.ask('Tell', Target='foo', Literal="('hang',)")
        a.notes.wait_for('1', 'A', 'got', ('hang',))
        victims = pids_of(a)[what]
        down = a.start_tool('tds-admin', 'shutdown', '--grace=600')
        until('it is on its way down', lambda: stopping(a) or down.poll() is not None)
        kill(*victims)
        b = a.end_tool(down)
        ok(b.status == 5 and 'could not be forgotten' in b.err, 'killed on the way down, %s: 5' % what, b)
        until('nothing runs', lambda: not a.processes())
        b = a.admin('start')
        ok(b.status == 0 and is_there(a), 'and it comes back', b)


# A Python that tells its version once

ASKED = """#!/bin/sh
case $* in *version_info*)
	echo asked >>'%(log)s'
	test "$(wc -l <'%(log)s')" = 1 || exit 1
esac
exec '%(python)s' "$@"
"""


def version_of_python(a):
    a.group('foo', ['1'], "{'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo' if sys.version_info >= (3, 9) else 'old'}}}}\n")
    log = a.base / 'asked'
    folder = a.base / 'bin'
    folder.mkdir()
    (folder / 'python3').write_text(ASKED % {'log': log, 'python': sys.executable})
    (folder / 'python3').chmod(0o755)
    a.env['PATH'] = '%s:%s' % (folder, a.env['PATH'])
    a.start()
    until('the daemon asks for the version at its start', log.exists)
    b = a.load('foo')
    ok(b.status == 0 and a.asked('foo', ('echo', 1)) == ('1', 1), 'a declaration has it without another question', b)
    ok(log.read_text() == 'asked\n', 'which is not asked by the load', log.read_text())


if __name__ == '__main__':
    run_cases(one_that_never_answers, right_after_a_kill, one_that_restores, one_that_ends, unload_not_written, full_disk, shutdown_not_written,
              killed_on_its_way_down, version_of_python)
