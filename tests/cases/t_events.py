#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The event log, the audit log and the actors' log of a running admin: who wanted what, what became of it, and how logs make way.

What failed, row by row, is in t_failures.py; how logs are shown, in tests/cli/tds-admin-log.bats. Prints TAP.
"""
import json
import os
import signal
import subprocess

from adminlib import ACTOR, LIMIT_S, asks, run_cases, until
from tap import BIN, ok

DECLARED = {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': 'load'}}}, 'May': ['load']}
# An actor that asks the Director for something, and one that prints a lot.
SOURCE = ACTOR.replace('    def do_spin', r'''    def do_director(self, sender, request):
        self.send(self.createActor('none', globalName='Director'), request)

    def do_print(self, sender, text, times):
        for i in range(times):
            os.write(1, text.encode())
        self.send(sender, 'printed')

    def do_spin''')


def events(a, *names):
    """The events of the file and the older ones, these alone where any are named."""
    files = sorted(a.dir.glob('.tds/events.jsonl*'), reverse=True)
    found = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    return [e for e in found if not names or e['Event'] in names]


def happened(a, name, holds=lambda e: True):
    """The last event of this name that holds, once there is one."""
    return until('%s is told' % name, lambda: next((e for e in reversed(events(a, name)) if holds(e)), None))


def audited(a):
    return a.events(log='audit.log')


def whole(a):
    """Who asked, which actor ended and how, how the admin ended: each with its fields, in both logs where it is of both."""
    me = asks()
    a.group('foo', [1, 2], DECLARED, source=SOURCE)
    a.start()
    a.must(a.load('foo-1.tls'))
    one = events(a, 'Loaded')[0]
    ok(one['By'] == me and one['Version'] == '1' and one['Key'] == str(a.dir / 'birch_tls.key') and len(one['SHA256']) == 64,
       'a load: who asked, which package, by which key', one)
    ok(events(a)[0].get('Format') == 1 and sum('Format' in e for e in events(a)) == 1, 'the first line has the format')
    actor = a.actors_of('foo', '1')[0]
    os.kill(actor['Pid'], signal.SIGKILL)
    ended = happened(a, 'ActorExited')
    ok([ended.get(k) for k in ('Group', 'Role', 'Class', 'Address', 'Signal')] ==
       ['foo', 'foo', 'm.a.A', actor['ActorAddress']['ActorAddress'], 9], 'an actor that is killed: which, and how', ended)
    again = happened(a, 'ActorStarted')
    ok(again['Restarts'] == 1 and again['Address'] != ended['Address'], 'and that it is started again', again)
    a.ask('Tell', Target='foo', Literal=repr(('exit',)))
    ended = happened(a, 'ActorExited', lambda e: 'ExitStatus' in e)
    ok(ended['ExitStatus'] == 3 and ended['Role'] == 'foo', 'one that exits: its status', ended)
    happened(a, 'ActorStarted', lambda e: e['Restarts'] == 2)
    a.ask('Tell', Target='foo', Literal=repr(('director', {'DirectorOp': 'LoadSource', 'Source': 'foo-2.tls'})))
    two = happened(a, 'Loaded', lambda e: e['Version'] == '2')
    ok({k: v for k, v in two['By'].items() if k != 'Actor'} == {'Group': 'foo', 'Role': 'foo', 'Class': 'm.a.A'} and
       '.' in two['By'].get('Actor', ''), 'an actor that asks is named, with its group, role and class', two)
    ok([(e['Event'], e.get('By')) for e in audited(a)[-2:]] == [('Loaded', me), ('Loaded', two['By'])], 'in the audit log too', audited(a)[-2:])
    a.must(a.load('--unload', a.hash_of('foo', '2')))
    a.kill_daemon()
    came = happened(a, 'Restarted')
    ok(came['Message'] == 'killed by signal 9' and came['Restarts'] == 1, 'how it ended before', came)
    until('all is back', lambda: a.admin('status').status == 0)
    a.must(a.admin('shutdown'))
    ends = events(a)[-2:]
    ok([e['Event'] for e in ends] == ['Stopping', 'Stopped'] and ends[0]['By'] == me, 'who ended it', ends)
    ok(a.admin('log', '--audit').status == 0, 'the chain of the audit log holds')
    shown = a.must(a.admin('history', 'foo')).out
    order = [shown.find(' foo %s %s' % (what, a.dir / ('foo-%s.tls' % v))) for what, v in
             (('Loaded', 1), ('Loaded', 2), ('Unloaded', 2), ('Activated', 1))]
    ok(-1 not in order and order == sorted(order), 'history has it in its order', shown)


def not_audited(a):
    """A load, an activation, a definition: not made where the audit log cannot be written. What ends something is."""
    log = a.dir / '.tds/audit.log'
    a.group('foo', [1, 2, 3], DECLARED)
    a.start()
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo-2.tls'))
    was = log.read_bytes()
    log.unlink()
    log.mkdir()
    b = a.load('foo-3.tls')
    ok(b.status == 5 and 'audit.log' in b.err and a.loaded('foo') == ['1', '2'] and a.active('foo') == '2', 'no load', b)
    ok(a.state_of('foo') == {'1': False, '2': True} and a.asked('foo', ('echo', 1)) == ('2', 1), 'nor is it on disk', a.state())
    b = a.load('foo-1.tls')
    ok(b.status == 5 and a.active('foo') == '2' and a.asked('foo', ('echo', 1)) == ('2', 1), 'no activation', b)
    b = a.ask('DefineGroup', Group='bar', Actors={})
    ok(b['Status'] == 5 and 'bar' not in a.groups(), 'no definition', b)
    b = a.load('--unload', a.hash_of('foo', '2'))
    ok(b.status == 0 and a.active('foo') == '1', 'what ends something is done', b)
    log.rmdir()
    log.write_bytes(was)
    a.must(a.load('foo-3.tls'))
    kept = [(e['Event'], e.get('Version')) for e in audited(a)[-4:]]
    ok(kept[-3:] == [('Unloaded', '2'), ('Activated', '1'), ('Loaded', '3')], 'its lines are written first when there is room', kept)
    ok(a.admin('log', '--audit').status == 0, 'and the chain holds')


def over_budget(a):
    """Who has no more actors to create is in the event log, once."""
    (a.dir / 'budget.cfg').write_text("{'Actors': 2}\n")
    a.group('foo', [1], DECLARED, source=SOURCE.replace('    def do_spin', """    def do_children(self, sender, n):
        self.send(sender, [str(self.createActor(B)) for _ in range(n)])

    def do_spin"""))
    a.must(a.load('foo'))
    ok(len(a.asked('foo', ('children', 5))) == 5, 'one creates more actors than it may')
    told = happened(a, 'OverBudget')
    ok(told['Group'] == 'foo' and told['Role'] == 'foo' and 'budget.cfg' in told['Message'], 'that is told', told)
    a.asked('foo', ('echo', 1))
    ok(len(events(a, 'OverBudget')) == 1, 'once', events(a, 'OverBudget'))


def flood(a):
    """One that prints without measure pushes out nothing of the others; each log stays within its limits."""
    (a.dir / 'logsize.cfg').write_text('1048576\n')
    (a.dir / 'logkeep.cfg').write_text('1\n')
    a.group('foo', [1], DECLARED, source=SOURCE)
    a.group('bar', [1], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'bar'}}}}, source=SOURCE)
    a.must(a.load('-a'))
    a.asked('bar', ('print', 'a quiet word\n', 1))
    ok(a.asked('foo', ('print', 'chatter %s\n' % ('x' * 4000), 1500), 60) == 'printed', 'one prints 6 MB')
    a.asked('foo', ('print', 'the last of it\n', 1))
    until('all is written', lambda: 'the last of it' in a.admin('log', '-n', '20').out)
    ok('a quiet word' in a.admin('log', 'bar').out, 'what another one printed before is there')
    sizes = {p.name: p.stat().st_size for p in a.dir.glob('.tds/*.log*')}
    ok(all(s <= 1048576 for s in sizes.values()) and sizes['actors.log'] < 300000 and
       set(sizes) == {'audit.log', 'actors.log', 'actors.more.log', 'actors.more.log.1'}, 'each within its limit', sizes)


def supervised(a):
    """In the foreground, what happens is told on standard error, whole."""
    a.group('foo', [1], DECLARED, source='import absent_module\n')
    with open(a.base / 'journal', 'w+') as journal:
        process = subprocess.Popen([str(BIN / 'tds-admin'), '-C', str(a.dir), 'start', '--foreground'], env=a.env,
                                   stdin=subprocess.DEVNULL, stderr=journal)
        try:
            until('it is up', lambda: a.admin('status').status == 0)
            ok(a.load('--no-start', 'foo').status == 1, 'a load fails')
            a.must(a.admin('shutdown'))
            process.wait(LIMIT_S)
        finally:
            process.kill()
            process.wait()
        journal.seek(0)
        text = journal.read()
    ok('tds-admin: Started' in text and '\ntds-admin: Stopped\n' in text and
       "\ntds-admin: foo: Undone %s, by %s: " % (a.dir / 'foo-1.tls', asks()['User']) in text and
       "\n    ModuleNotFoundError: No module named 'absent_module'\n" in text, 'the journal has it', text)


def pruned(a):
    """What TLS_Keep_Limit deletes is told by the command, foretold by -n, and stands in the event log, whoever deletes it."""
    limited = dict(DECLARED, TLS_Keep_Limit=1, AutoUnload=True)
    a.group('foo', [1], limited)
    a.must(a.load('foo'))
    paths = a.group('foo', [2, 3], limited)
    b = a.load('-n', 'foo')
    gone = [str(a.dir / 'foo-2.tls'), str(a.dir / 'foo-1.tls')]
    ok(b.out.splitlines()[1:] == ['Would delete %s (TLS_Keep_Limit)' % p for p in gone], '-n says what would be deleted', b)
    b = a.load('-j', '-n', 'foo')
    ok(json.loads(b.out)['Delete'] == gone, 'in JSON too', b)
    a.tli('foo', dict(limited, AutoUnload=False))
    b = a.load('-j', '-n', 'foo')
    ok(json.loads(b.out)['Delete'] == [str(paths[0])], 'but not what stays loaded', b)
    a.tli('foo', limited)
    b = a.load('foo')
    ok(b.out.splitlines()[1:] == ['Deleted %s (TLS_Keep_Limit)' % p for p in gone], 'the load says what was', b)
    told = happened(a, 'Pruned')
    ok(told['Files'] == gone and told['Group'] == 'foo' and told['By'] == asks(), 'and so does the event log', told)
    path = a.pack('foo', 2)
    b = a.must(a.run('tds-avail', '--prune', 'foo'))
    told = events(a, 'Pruned')[-1]
    ok(b.out == '%s\n' % path and told['Files'] == [str(path)] and told['By'] == {'Uid': os.getuid()}, 'tds-avail tells it too', b, told)
    ok(str(path) in a.must(a.admin('history')).out, 'history shows it')


if __name__ == '__main__':
    run_cases(whole, not_audited, over_budget, flood, supervised, pruned)
