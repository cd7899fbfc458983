#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reloads: what can be read again without a restart is, what is wrong stays as it was and is named, logs are opened anew.

Prints TAP.
"""
import contextlib
import json
import os
import pwd
import signal

from adminlib import ACTOR, VERSION, run_cases, until
from tap import ok, skip

LOGGING = "{'version': 1, 'handlers': {'f': {'class': 'logging.FileHandler', 'filename': %r}}, 'root': {'handlers': ['f'], 'level': 'INFO'}}"
SOURCE = ACTOR.replace('    def do_spin', '''    def do_log(self, sender, text):
        import logging
        logging.warning(text)
        self.send(sender, 'logged')

    def do_child(self, sender):
        self.asker = sender
        self.send(sender, self.createActor(C) and 'made')

    def do_big(self, sender, n):
        self.send(self.createActor(C), b'x' * n)
        self.send(sender, 'sent')

    def do_spin''')


def changed(a):
    return {c['File']: c['Counts'] for c in a.ask('Status')['Changed']}


def waiting(a):
    a.group('foo', ['1'])
    a.must(a.load('foo'))
    pid = a.pid
    b = a.admin('status')
    ok(b.out.startswith('running, pid %d\ntds %s\n' % (pid, VERSION)) and 'changed' not in b.out, 'nothing has changed', b)
    for name, text in (('budget.cfg', "{'Actors': 100}"), ('actoruser.cfg', '%d' % os.geteuid()), ('revoked.cfg', 'a' * 64)):
        (a.dir / name).write_text(text)
    ok(changed(a) == {'budget.cfg': 'at reload', 'actoruser.cfg': 'at restart'}, 'what has changed and waits for what', changed(a))
    b = a.admin('status')
    ok(b.out.splitlines()[2:4] == ['changed since it was read: actoruser.cfg, counts at restart',
                                  'changed since it was read: budget.cfg, counts at reload'], 'status names it', b)
    b = a.admin('reload')
    ok(b == (0, '', 'tds-admin: actoruser.cfg: warning: has changed, and counts at a restart\n') and a.pid == pid, 'a reload', b)
    ok(changed(a) == {'actoruser.cfg': 'at restart'}, 'what it has read waits no more', changed(a))
    (a.dir / 'budget.cfg').write_text("{'Actors': 7}")
    (a.dir / 'budget.cfg').write_text("{'Actors': 100}")
    ok(changed(a) == {'actoruser.cfg': 'at restart'}, 'a file that says what it said has not changed', changed(a))
    ok(a.admin('reload', '-q') == (0, '', ''), '-q', a.admin('reload', '-q'))
    b = a.admin('restart')
    ok(b.status == 0 and changed(a) == {}, 'a restart reads all', b, changed(a))
    b = a.admin('reload', '-j')
    doc = json.loads(b.out)
    ok((doc['Success'], doc['Refused'], doc['Changed']) == (True, [], []), 'in JSON', b)


def wrong_files(a):
    """Each is named with its place, and what it said before holds; all others are read."""
    (a.dir / 'budget.cfg').write_text("{'Clients': 5}")
    a.group('foo', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}}, source=SOURCE)
    a.must(a.load('foo'))
    (a.dir / 'budget.cfg').write_text("{'Clients': x}")
    (a.dir / 'adminusers.cfg').write_text('no-such-user\n')
    (a.dir / 'logkeep.cfg').write_text('2\n')
    (a.dir / 'maxmessage.cfg').write_text('many\n')
    b = a.admin('reload')
    ok(b.status == 1 and b.err.splitlines() == ['tds-admin: %s/maxmessage.cfg:1:1: not an int' % a.dir,
                                                'tds-admin: %s/adminusers.cfg:1:1: no such user: no-such-user' % a.dir,
                                                'tds-admin: %s/budget.cfg:1:13: name x is not allowed' % a.dir], 'each is named: 1', b)
    ok(changed(a) == {n: 'at reload' for n in ('budget.cfg', 'adminusers.cfg', 'maxmessage.cfg')}, 'and still waits', changed(a))
    b = a.admin('reload', '-j')
    doc = json.loads(b.out)
    ok((b.status, doc['Success'], doc['Status'], len(doc['Refused'])) == (1, False, 1, 3), 'in JSON', b)
    os.kill(a.pid, signal.SIGHUP)
    until('it is noted', lambda: len(refusals(a)) == 3)
    ok(all(len(r) == 3 for r in refusals(a)), 'and in the event log', refusals(a))
    first, *more = a.admin('log', '--level=error', '-n', '1').out.splitlines()
    ok(first.endswith(' - - 0.1 ERROR Reloaded: ' + doc['Refused'][0]) and more == ['    ' + r for r in doc['Refused'][1:]],
       'which is an error, of a line for each', first, more)


def refusals(a):
    return [e.get('Message', '').splitlines() for e in a.events('Reloaded')]


def hangup(a):
    """SIGHUP to the guardian is a reload; what is wrong is on its standard error."""
    p = a.start_tool('tds-admin', 'start', '--foreground')
    until('it is up', lambda: a.admin('status').status == 0)
    pid = a.pid
    for victim in p.pid, pid:
        (a.dir / 'budget.cfg').write_text("{'Actors': %d}" % victim)
        ok('budget.cfg' in changed(a), 'it waits')
        os.kill(victim, signal.SIGHUP)
        until('it is read', lambda: changed(a) == {})
    (a.dir / 'budget.cfg').write_text('{')
    os.kill(p.pid, signal.SIGHUP)
    until('it is noted', lambda: len(refusals(a)) == 3)
    ok(a.pid == pid, 'it is the same process')
    a.must(a.admin('shutdown'))
    b = a.end_tool(p)
    ok(b.status == 0 and b.err.count('tds-admin: Reloaded: %s/budget.cfg:1:1: ' % a.dir) == 1, 'and says what is wrong', b)


def counts(a):
    """What is read again is in force."""
    a.group('foo', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}}, source=SOURCE)
    a.group('bar', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'bar'}}}}, source=SOURCE)
    a.must(a.load('foo'))
    (a.dir / 'budget.cfg').write_text("{'Actors': 1}")
    a.must(a.admin('reload'))
    a.notes.take()
    a.asked('foo', ('child',))
    ok(('1', 'C', 'made') not in [n[:3] for n in a.notes.take()], 'budget.cfg: no more actors')
    (a.dir / 'budget.cfg').unlink()
    (a.dir / 'maxmessage.cfg').write_text('70000')
    a.must(a.admin('reload'))
    a.asked('foo', ('child',))
    a.notes.wait(lambda notes: [n for n in notes if n[:3] == ('1', 'C', 'made')])
    ok(True, 'a file that is gone: as many as one likes')
    a.must(a.load('bar'))
    a.notes.take()
    before = a.asked('foo', ('pid',)), a.asked('bar', ('pid',))
    ok(a.asked('bar', ('big', 80000)) == 'sent', 'sent')
    a.notes.wait_for('1', 'A', 'PoisonMessage')
    ok(a.asked('foo', ('big', 80000)) == 'sent', 'maxmessage.cfg: counts for sources that are loaded afterwards')
    a.notes.wait_for('1', 'C', 'got', b'x' * 80000)
    ok((a.asked('foo', ('pid',)), a.asked('bar', ('pid',))) == before, 'and harms nobody')


def logs(a):
    """Logs are opened anew: actors.log, events.jsonl, and those of handlers; another configuration is another."""
    a.group('foo', ['1'], source=SOURCE)
    a.must(a.load('foo'))
    run = a.dir / '.tds'
    a.asked('foo', ('log', 'before'))
    until('it is there', lambda: (run / 'actors.log').exists() and 'before' in (run / 'actors.log').read_text())
    for name in 'actors.log', 'events.jsonl':
        (run / name).rename(run / (name + '.moved'))
    a.must(a.admin('reload'))
    a.asked('foo', ('log', 'after'))
    until('it is in the new file', lambda: (run / 'actors.log').exists() and 'after' in (run / 'actors.log').read_text())
    ok('Reloaded' in (run / 'events.jsonl').read_text(), 'actors.log and events.jsonl')
    (a.dir / 'thesplog.cfg').write_text(LOGGING % 'one.log')
    ok(a.admin('reload') == (0, '', ''), 'a logging configuration that was not there')
    a.asked('foo', ('log', 'first'))
    until('it is logged', lambda: 'first' in (a.dir / 'one.log').read_text())
    (a.dir / 'one.log').rename(a.dir / 'one.log.1')
    ok(a.admin('reload') == (0, '', '') and (a.dir / 'one.log').exists(), 'a file of a handler is opened anew')
    (a.dir / 'thesplog.cfg').write_text(LOGGING % '/no/such/folder/x.log')
    b = a.admin('reload')
    ok(b.status == 1 and b.err.startswith('tds-admin: %s/thesplog.cfg: ' % a.dir) and '/no/such/folder/x.log' in b.err and b.err.count('\n') == 1,
       'one that the logger cannot follow is named', b)
    ok(changed(a) == {'thesplog.cfg': 'at reload'}, 'and waits', changed(a))
    a.asked('foo', ('log', 'second'))
    until('it is logged', lambda: 'second' in (a.dir / 'one.log').read_text())
    os.kill(next(p for p, line in a.processes().items() if '/logger.py ' in line), signal.SIGKILL)
    until('the logger is there again', lambda: a.asked('foo', ('log', 'third')) and 'third' in (a.dir / 'one.log').read_text())
    ok(True, 'and the one before holds, also when the logger is started again')
    (a.dir / 'thesplog.cfg').unlink()
    ok(a.admin('reload') == (0, '', '') and changed(a) == {}, 'none any more')
    size = (a.dir / 'one.log').stat().st_size
    a.asked('foo', ('log', 'fourth'))
    until('it is in the actors\' log', lambda: 'fourth' in (run / 'actors.log').read_text())
    ok((a.dir / 'one.log').stat().st_size == size, 'then nothing is logged there')


def together(a):
    """Many at once: each is answered."""
    (a.dir / 'thesplog.cfg').write_text(LOGGING % 'one.log')
    a.start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(a.client()) for _ in range(20)]
        for c in clients:
            c.send(DirectorOp='Reload')
        os.kill(a.pid, signal.SIGHUP)
        answers = [c.line() for c in clients]
    ok(all(r and r['Success'] for r in answers), '20 reloads at once', answers)
    with a.client() as c:
        c.send(DirectorOp='Reload')
    a.must(a.admin('restart'))
    ok(a.ask('Reload')['Success'], 'and one whose client goes')


def as_user(uid, function):
    """Call it in a process of this user; returns the process's wait function, which gives what it returned, a small number."""
    pid = os.fork()
    if pid:
        return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        os._exit(function() or 0)
    finally:
        os._exit(99)


def users(a):
    """adminusers.cfg: who may from now on, and who may not, and is cut off."""
    if os.geteuid() != 0:
        skip('another user', 'not root')
        return
    who = pwd.getpwnam('nobody').pw_uid
    a.base.chmod(0o755)
    a.start()

    def watch():
        with a.client() as c:
            c.ask('Watch')
            while c.line():
                pass

    def ask(op, **fields):
        try:
            return a.ask(op, **fields).get('Status', 0)
        except (AttributeError, OSError):  # who is not let in may find the connection closed before it has asked
            return 8

    def asked(op, **fields):
        return as_user(who, lambda: ask(op, **fields))()
    ok(asked('Status') == 8, 'a stranger')
    (a.dir / 'adminusers.cfg').write_text('nobody\n')
    ok(asked('Status') == 8, 'is one until the reload')
    a.must(a.admin('reload'))
    ok(asked('Status') == 0, 'and is let in from then on')
    pid = a.pid
    ok(asked('Restart', Program='/bin/true') == 1 and a.pid == pid, 'may not say what is run as the admin')
    ok(asked('Restart') == 0, 'but have it restarted')
    until('it is up', lambda: a.admin('status').status == 0)
    watching = as_user(who, watch)
    until('it watches', lambda: a.ask('Status')['Clients'] == 2)
    (a.dir / 'adminusers.cfg').write_text('# nobody\n')
    a.must(a.admin('reload'))
    left = watching(), asked('Status')
    ok(left == (0, 8), 'and is cut off when it is one no more', left)


if __name__ == '__main__':
    run_cases(waiting, wrong_files, hangup, counts, logs, together, users)
