#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Director from Python: its messages to actors, DirectorControl, and python3 -m thespian.director.

Prints TAP. Each case has an admin of its own.
"""
import contextlib
import inspect
import io
import os
import subprocess
import sys

from adminlib import ACTOR, run_cases
from tap import HOST, ok

sys.path.insert(0, str(HOST))
from thespian.actors import ActorAddress  # noqa: E402
from thespian.director import ActorAddressLogFilter, DirectorControl  # noqa: E402

ASKER = ACTOR + r'''
import datetime


class D(A):
    """Sends the Director what it is told to, and notes what it answers."""

    def receiveMessage(self, msg, sender):
        if isinstance(msg, dict):
            for group in msg.get('Groups', {}).values():
                for runs in group['Running'].values():
                    for run in runs:
                        self.check(run)
            self.check(msg)
            note('D', 'answer', str(sender), msg)
        else:
            super().receiveMessage(msg, sender)

    def check(self, run):
        """What has no literal form becomes the name of its type, in place."""
        for key in 'StartTime', 'ActorAddress':
            if run.get(key) is not None:
                run[key] = (type(run[key]).__name__, str(run[key]))

    def do_director(self, sender, *messages, by='thespian.director'):
        director = self.createActor(by, globalName='Director')
        for message in messages:
            self.send(director, message)
'''
TLI = {'Actors': {'m.a.D': {'OnLoad': {'Role': 'd'}}}, 'May': ['load', 'define', 'unload']}


def asked(a, **message):
    """What the Director answers an actor."""
    before = len([n for n in a.notes.all if n[1:3] == ('D', 'answer')])
    a.ask('Tell', Target='d', Literal=repr(('director', message)))
    return a.notes.wait(lambda notes: [n for n in notes if n[1:3] == ('D', 'answer')][before:])[0][3:]


def messages(a):
    a.group('foo', ['1'], TLI, source=ASKER)
    a.must(a.load('foo'))
    h = a.hash_of('foo', '1')
    who, got = asked(a, DirectorOp='RetrieveRole', Role='d')
    address = a.actors_of('foo', '1')[0]['ActorAddress']['ActorAddress']
    ok(who == 'ActorAddr-0.1' and got['Success'] and got['ActorAddress'] == ('ActorAddress', 'ActorAddr-' + address) and
       (got['Group'], got['SourceHash'], got['ActorClass'], got['Role']) == ('foo', h, 'm.a.D', 'd'),
       'a role\'s actor is an address', who, got)
    _, got = asked(a, DirectorOp='RetrieveRole', Role='none')
    ok(got['Success'] is False and got['ActorAddress'] is None and got['SourceHash'] is None and got['DirectorResponse'] == 'RoleAddress',
       'a role that nobody has is refused', got)
    _, got = asked(a, DirectorOp='RetrieveAll', Group=None)
    run = got['Groups']['foo']['Running'][h][0]
    ok(got['DirectorResponse'] == 'AllAddresses' and got['Groups']['foo']['ActiveHash'] == h and
       run['StartTime'][0] == 'datetime' and run['ActorAddress'][0] == 'ActorAddress', 'RetrieveAll has addresses and times', got)
    path = str(a.pack('foo', '2', source=ASKER))
    _, got = asked(a, DirectorOp='DefineGroup', Group='bar', AutoUnload=True,
                   Actors={'m.a.B': {'OnLoad': {'Role': 'b', 'Message': ('on', b'\x00', 1.5)}}})
    ok(got == {'DirectorResponse': 'DeclaredGroup', 'Success': True}, 'a group is declared', got)
    a.notes.take()
    bar = a.dir / 'bar-1.tls'
    a.tli('bar', TLI)
    a.pack('bar', '1', to=bar)
    a.ask('Tell', Target='d', Literal=repr(('director', {'DirectorOp': 'RequestNotification'})))
    _, got = asked(a, DirectorOp='LoadSource', Source=str(bar), Group='bar')
    answers = a.notes.wait(lambda notes: [n[4] for n in notes if n[1:3] == ('D', 'answer')][1:] and
                           [n[4] for n in notes if n[1:3] == ('D', 'answer')])
    loading = [x for x in answers if x['DirectorResponse'] == 'SourceLoading']
    ok(len(loading) == 1 and loading[0]['Success'] and loading[0]['SourceHash'] == a.hash_of('bar', '1'), 'a source is loaded', answers)
    ok({'DirectorResponse': 'NotificationOfUpdate', 'Success': True} in answers, 'and who asked for it is notified, once')
    a.notes.wait_for('1', 'B', 'got', ('on', b'\x00', 1.5))
    ok(True, 'its actors get the messages of the declaration, whatever they are')
    a.notes.take()
    _, got = asked(a, DirectorOp='LoadSource', Source=str(a.dir / 'none-1.tls'), Group='foo')
    ok(got['DirectorResponse'] == 'SourceLoading' and got['Success'] is False and got['Message'], 'a refused one is not called loaded', got)
    for message in {'DirectorOp': 'Shutdown'}, {'DirectorOp': 'Nothing'}, {'DirectorOp': ['x']}, {'DirectorOp': 'RetrieveAll', 'x': b''}:
        a.notes.take()
        _, got = asked(a, **message)
        ok(got['DirectorResponse'] == 'Error' and not got['Success'], 'refused: %s' % message, got)
    a.notes.take()
    for message in {'no': 'op'}, 'text', [1], None, ():
        a.ask('Tell', Target='d', Literal=repr(('director', message)))
    _, got = asked(a, DirectorOp='Status')
    ok(got['Pid'] == a.pid, 'what is no question does no harm', got)
    a.tli('evil', {'Actors': {'m.a.A': {'OnLoad': {'GlobalName': 'Director'}}}})
    a.pack('evil', '1')
    b = a.load('evil')
    ok(b.status == 1 and 'Director' in b.err and a.loaded('evil') == [], 'nobody else can have its name', b)
    ok(os.path.exists(path) and a.active('foo') == '1', 'nothing else has changed')


def many(a):
    """Questions are answered one by one, and only so many may wait."""
    a.group('foo', ['1'], TLI, source=ASKER)
    a.must(a.load('foo'))
    flag = a.base / 'flag'
    flag.write_text('')
    a.group('slow', ['1'], head='import os, time\nwhile os.path.exists(%r): time.sleep(0.01)\n' % str(flag))
    answers = lambda notes: [n[4] for n in notes if n[1:3] == ('D', 'answer')]
    roles = [{'DirectorOp': 'RetrieveRole', 'Role': str(n)} for n in range(20)]
    a.ask('Tell', Target='d', Literal=repr(('director', {'DirectorOp': 'LoadSource', 'Source': 'slow'}, *roles)))
    got = a.notes.wait(lambda notes: len(answers(notes)) >= 20 and answers(notes))
    ok([x['Role'] for x in got] == [str(n) for n in range(20)], 'answers come in order; one that takes long holds up none', got)
    for _ in range(2):  # what comes at once is no more, too
        a.ask('Tell', Target='d', Literal=repr(('director', *[{'DirectorOp': 'RequestNotification'}] * 50)))
    waiting = [{'DirectorOp': 'LoadSource', 'Source': 'slow'}] * 127
    a.ask('Tell', Target='d', Literal=repr(('director', *waiting, {'DirectorOp': 'Status'})))
    got = a.notes.wait(lambda notes: answers(notes)[20:])
    ok([(x['DirectorResponse'], x.get('Message')) for x in got] == [('Error', 'too many questions')],
       '128 of one source may wait, the next one is refused; notifications do not count', got)
    flag.unlink()
    got = a.notes.wait(lambda notes: len(answers(notes)) >= 150 and answers(notes)[21:])
    kinds = sorted(x['DirectorResponse'] for x in got)
    ok(kinds == ['NotificationOfUpdate'] + ['SourceLoading'] * 128, 'all that waited are told; who asked a hundred times, once', kinds)
    ok(asked(a, DirectorOp='RetrieveRole', Role='d')[1]['Success'], 'and the next is answered again')


def said(call, *args):
    """(what it returned, stdout, stderr)."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        got = call(*args)
    return got, out.getvalue(), err.getvalue()


def control(a):
    a.group('foo', ['1', '2'], TLI, source=ASKER)
    os.environ['TDS_TEST_MARK'], os.environ['TDS_TEST_NOTES'] = a.mark, a.notes.path
    dc = DirectorControl(str(a.dir))
    got, out, err = said(dc.cmd_avail)
    ok(got == 0 and out.startswith('THESPIAN_DIRECTOR_DIR=%s\nfoo: ' % a.dir) and 'foo-2.tls' in out, 'cmd_avail prints and returns 0', out, err)
    got, out, err = said(dc.cmd_load, 'foo')
    h = a.hash_of('foo', '2')
    ok(got == 0 and h in out and a.active('foo') == '2', 'cmd_load loads', got, out, err)
    got, out, err = said(dc.cmd_list, 'foo')
    ok(got == 0 and 'Source hash %s  [ACTIVE]' % h in out and 'm.a.D (d)' in out, 'cmd_list lists', out)
    role = dc.get_role_address('d')
    ok(isinstance(role['ActorAddress'], ActorAddress) and role['ActorAddress'].addressDetails ==
       a.actors_of('foo', '2')[0]['ActorAddress']['ActorAddress'] and role['SourceHash'] == h and role['Success'] is True,
       'get_role_address gives an address', role)
    ok(dc.get_role_address('d', group='foo')['Role'] == 'd', 'also in a group')
    got, out, err = said(lambda: dc.get_role_address('nobody'))
    ok(got is None and not out and err.startswith("RoleAddress ERROR: {'DirectorResponse': 'RoleAddress'"), 'or None, and says so', err)
    got, out, err = said(lambda: dc.get_role_address('d', 'bar', silent=True))
    ok(got is None and not err, 'silently where asked to', err)
    ok(said(dc.cmd_tlsinfo, 'foo-1.tls', 'contents')[1].endswith('m/a.py\n'), 'cmd_tlsinfo lists')
    ok(said(dc.cmd_load, 'nothing')[0] == 1, 'a failure is not 0')
    got, out, err = said(dc, 'help', 'load')
    ok(got == 0 and out == inspect.getdoc(dc.cmd_load) + '\n', 'help prints what the method says', out)
    got, out, err = said(dc, 'nonsense')
    ok(got == 2 and out.startswith('Unrecognized command'), 'an unknown command is none', out)
    names = sorted(n[4:] for n in dir(dc) if n.startswith('cmd_'))
    ok(names == ['avail', 'bootstart', 'config', 'gensrc', 'list', 'load', 'refresh', 'shutdown', 'start', 'tlsinfo', 'unload'] and
       all(inspect.getdoc(getattr(dc, 'cmd_' + n)) for n in names), 'each command is there, with help', names)
    env = dict(os.environ, PYTHONPATH=str(HOST), THESPIAN_DIRECTOR_DIR=str(a.dir))
    p = subprocess.run([sys.executable, '-m', 'thespian.director', 'unload', h], env=env, capture_output=True, check=False)
    ok(p.returncode == 0 and a.loaded('foo') == [], 'python3 -m thespian.director runs a command', p)
    p = subprocess.run([sys.executable, '-m', 'thespian.director'], env=env, capture_output=True, check=False)
    ok(p.returncode == 0 and b'gensrc' in p.stdout, 'and prints help', p)
    record = type('Record', (), {})()
    ok(ActorAddressLogFilter().filter(record) is True and record.actorAddress == '-not-actor-', 'the filter marks what is no actor\'s')


if __name__ == '__main__':
    run_cases(messages, many, control)
