#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may ask for what: every row of the table for every kind of asker, tried by real processes of real users.

What is expected stands here once more, so that a change of the table is a change of this file. Prints TAP; askers of other
users need root.
"""
import json
import os
import pwd
import struct
import subprocess
import sys

from adminlib import ACTOR, LIMIT_S, run_cases, until
from tap import HOST, ok, skip

NOBODY = 65534

# The columns: own user and root, users of adminusers.cfg, own programs, others' programs, actors of packages.
# y: yes, n: no, r: by the right, g: guests.cfg decides, -: there is no way to ask.
TABLE = {
    'DefineGroup': ('define', 'yrynr'), 'LoadSource': ('load', 'yrynr'), 'UnloadSource': ('unload', 'yrynr'),
    'Refresh': ('load', 'yrynr'), 'Hold': ('hold', 'yrynr'), 'Release': ('hold', 'yrynr'), 'Rollback': ('hold', 'yrynr'),
    'Forget': ('forget', 'yrynr'), 'RetrieveAll': ('list', 'yryyy'), 'RetrieveRole': ('list', 'yryyy'),
    'RequestNotification': ('list', 'yryyy'), 'Status': (None, 'yyyyy'), 'Members': ('list', 'yryyy'), 'Tell': ('tell', 'yr---'), 'Ask': ('ask', 'yr---'),
    'Watch': ('watch', 'yr---'), 'Reload': ('reload', 'yr---'), 'Restart': ('restart', 'yr---'),
    'Restart with Program': (None, 'yn---'), 'Shutdown': ('shutdown', 'yr---'), 'Join': (None, 'gggg-'),
    'send messages': (None, '--yyy'), 'create actors': (None, '--yyy'), 'create actors of other packages': ('create', '--ynr'),
    'give a global name': (None, '--yyy'), 'give one that another group declares': (None, '--nnn'),
    'be told of sources': (None, '--yyy'), 'bring sources of its own': ('sources', '--yyr'),
    "unload a package's source": ('unload', '--ynr'), 'set capabilities of its own': (None, '--yny'),
    'set other capabilities': ('capabilities', '--ynr'), 'be sent dead letters': ('deadletters', '--ynr'),
    'log': (None, '--yyy'), "ask for the system's status": (None, '--yyy'), 'end the system': ('shutdown', '--ynr'),
    'ask its own actors to exit': (None, '--yyy'), 'ask any other actor to exit': (None, '--ynn'),
}
OWN, USER, PROGRAM, FOREIGN, PACKAGE = range(5)
COLUMNS = 'OwnUser', 'AdminUsers', 'OwnPrograms', 'OtherPrograms', 'ActorsOfPackages'
OF_GROUPS = {'load', 'unload', 'hold', 'forget', 'define', 'create'}
USERS_RIGHTS = ['ask', 'tell', 'list', 'watch', 'load', 'unload', 'hold', 'forget', 'define', 'reload', 'restart', 'shutdown']
ACTORS_RIGHTS = ['load', 'unload', 'hold', 'forget', 'define', 'create', 'sources', 'capabilities', 'deadletters']

# What is asked for, so that nothing comes of it: what is wrong in it is said to those alone who may ask.
REQUESTS = {
    'DefineGroup': {'Group': 'spare', 'Actors': {}}, 'LoadSource': {'Source': 'lib'}, 'UnloadSource': {'SourceHash': '0' * 32},
    'Refresh': {}, 'Hold': {'Group': 'nosuch'}, 'Release': {'Group': 'nosuch'}, 'Rollback': {'Group': 'nosuch'},
    'Forget': {'Group': 'nosuch'}, 'RetrieveAll': {}, 'RetrieveRole': {'Role': 'none'}, 'Status': {},
    'Tell': {'Target': 'lib', 'Literal': '1'}, 'Ask': {'Target': 'lib', 'Literal': "('echo', 1)"}, 'Watch': {}, 'Reload': {},
    'Restart': {'Grace': 'x'}, 'Restart with Program': {'Program': '/nonexistent', 'Grace': 'x'}, 'Shutdown': {'Grace': 'x'},
    'RequestNotification': {}, 'Members': {},
}

# Tries all that an actor can, and tells what has come of it; in packages and in programs.
PROBE = r'''
import io, logging
from thespian.actors import *

SYSTEM = ActorAddress('0.0')


class Kid(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(sender, ('here', msg[1]))


class Probe(Actor):
    asker = None

    def receiveMessage(self, msg, sender):
        if isinstance(msg, dict) and 'requests' in msg:
            self.asker, self.want, self.got, self.left = sender, msg, {}, list(msg['requests'])
            self.director = self.createActor('none', globalName='Director')
            self.next()
        elif isinstance(msg, dict) and self.asker:
            self.answered(msg)
        elif isinstance(msg, tuple) and msg[0] == 'here':
            self.got[msg[1]] = True
            self.settle()
        elif isinstance(msg, ChildActorExited):
            self.got[self.kids.get(str(msg.childAddress), 'own exit')] = False
            if str(msg.childAddress) == str(self.mine):
                self.got['ask its own actors to exit'] = True
            self.settle()
        elif isinstance(msg, tuple) and msg[1:] == ('still',):
            self.got['ask any other actor to exit'] = False
            self.settle()
        elif isinstance(msg, ValidateSource):
            self.brought = True
            self.send(sender, ValidatedSource(msg.sourceHash, None, ''))
        elif isinstance(msg, LoadedSource):
            self.got['be told of sources'] = True
            self.settle()
        elif type(msg).__name__ == 'Thespian_SystemStatus':
            self.status(msg)

    # --- requests, one after the other

    def next(self):
        if not self.left:
            return self.operate()
        name, request = self.left[0]
        self.send(self.director, dict(request, DirectorOp=name.split()[0]))
        if name == 'RequestNotification':
            self.send(self.director, {'DirectorOp': 'Status'})

    def answered(self, msg):
        if not self.left:  # a notification that was asked for
            return
        text = str(msg.get('Message', ''))
        name = self.left.pop(0)[0]
        self.got[name] = '-' if text == 'no such DirectorOp' else not text.startswith('not allowed')
        if name == 'RequestNotification' and not self.got[name]:
            self.left.insert(0, ('Status', {}))  # which was asked behind it
        else:
            self.next()

    # --- operations of its link

    def operate(self):
        want, self.kids = self.want, {}
        if want.get('quick'):
            return self.send(self.asker, self.got)
        logging.getLogger().error('word of %s', want['new'])
        self.updateCapability('New ' + want['new'], 1)
        self.updateCapability('Colour', want['new'])
        self.registerSourceAuthority()
        self.brought = False
        self.loadActorSource(io.BytesIO(want['new'].encode()))
        self.handleDeadLetters(True)
        self.unloadActorSource(want['victim'])
        for name, args in (('create actors', {}), ('create actors of other packages', {'sourceHash': want['lib']}),
                           ('give a global name', {'globalName': 'name ' + want['new']}),
                           ('give one that another group declares', {'globalName': 'old'})):
            kid = self.createActor('m.a.Kid' if 'sourceHash' in args else Kid, **args)
            self.kids[str(kid)] = name
            self.send(kid, ('who', name))
        self.mine = self.createActor(Kid)
        self.send(self.mine, ActorExitRequest())
        self.send(ActorAddress(want['other']), ActorExitRequest())
        self.send(ActorAddress(want['other']), ('echo', 'still'))
        self.notifyOnSourceAvailability(True)
        self.send(SYSTEM, Thespian_StatusReq())

    def status(self, msg):
        got = self.got
        got['send messages'] = got["ask for the system's status"] = True
        got['set capabilities of its own'] = 'New ' + self.want['new'] in msg.capabilities
        got['set other capabilities'] = msg.capabilities.get('Colour') == self.want['new']
        got['bring sources of its own'] = self.brought and msg.sourceAuthority == self.myAddress
        got['be sent dead letters'] = getattr(msg, 'deadLetterHandler', None) == self.myAddress
        self.handleDeadLetters(False)
        self.notifyOnSourceAvailability(False)
        self.settle()

    def settle(self):
        if (self.want['ends'] or 'ask any other actor to exit' in self.got) and {
                'send messages', 'be told of sources', 'create actors', 'create actors of other packages', 'give a global name',
                'give one that another group declares', 'ask its own actors to exit'} <= self.got.keys() and self.asker:
            self.send(self.asker, self.got)
            self.asker = None
'''
PROGRAM_TEXT = r'''
import json, sys
from thespian.actors import *
from probe import Probe
want = json.loads(sys.argv[1])
system = ActorSystem()
got = system.ask(system.createActor(Probe), want, 20)
print(json.dumps({k: v for k, v in got.items() if isinstance(k, str)}))
if want.get('end'):
    system.shutdown()
'''


def cell(row, column, rights):
    """Whether who has these rights may: True, False, '-', 'g'."""
    right, cells = TABLE[row]
    return {'y': True, 'n': False, '-': '-', 'g': 'g', 'r': right in rights}[cells[column]]


def as_uid(uid, function):
    """What a function returns, as JSON, in a process of this user."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if uid != os.getuid():
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            os.write(w, json.dumps(function()).encode())
        finally:
            os._exit(0)
    os.close(w)
    with os.fdopen(r) as out:
        text = out.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else None


def judge(answer):
    text = answer.get('Message', '')
    return '-' if text == 'no such DirectorOp' else not text.startswith('not allowed')


def by_socket(a):
    """row -> what an asker at the socket may; who asks is whoever calls."""
    got = {}
    for row, fields in REQUESTS.items():
        with a.client() as c:
            c.send(DirectorOp=row.split()[0], **fields)
            if row == 'RequestNotification':
                c.send(DirectorOp='Status')
            got[row] = judge(c.line())
    with a.client() as c:
        got['Join'] = c.ask('Join', As='program')['Success']
    return got


def compare(got, column, rights, what):
    rows = [r for r in TABLE if r in got]
    wrong = {r: got[r] for r in rows if cell(r, column, rights) not in (got[r], 'g')}
    ok(rows and not wrong, '%s: %d cells' % (what, len(rows)), wrong)


def is_root():
    if os.geteuid() != 0:
        skip('other users', 'not root')
    return os.geteuid() == 0


def prepare(a):
    """lib has an actor, and a name that nobody bears; victim is there to be unloaded."""
    a.base.chmod(0o755)
    (a.dir / 'othercaps.cfg').write_text("{'Colour': 'grey'}\n")
    (a.dir / 'guests.cfg').write_text('%d\n%d\n' % (os.getuid(), NOBODY))
    source = ACTOR + PROBE
    tli = {'Actors': {'m.a.A': {'OnLoad': {'Role': 'lib', 'GlobalName': 'old'}}}}
    a.group('lib', ['1'], tli, source=source)
    a.must(a.load('lib'))
    tli['Actors']['m.a.A']['OnLoad']['GlobalName'] = 'young'
    a.group('lib', ['2'], tli, source=source)
    a.must(a.load('lib'))
    a.ask('Tell', Target='@old', Literal="('exit',)")
    until('nobody bears the name', lambda: not a.ask('Tell', Target='@old', Literal='0')['Success'])
    a.group('victim', ['1'])
    a.must(a.load('victim'))


def other(a):
    return a.actors_of('lib', '2')[0]['ActorAddress']['ActorAddress']


def wish(a, number, ends=False):
    """What a Probe is to try; ends: that the actor which it asks to exit does so."""
    a.must(a.load('victim'))
    return {'requests': list(REQUESTS.items()), 'new': 'n%d' % number, 'victim': a.hash_of('victim', '1'),
            'lib': a.hash_of('lib', '2'), 'other': other(a), 'ends': ends}


def looked_after(a, got, want):
    """What a Probe cannot see itself."""
    a.ask('Release', Group='victim')  # whose turn comes behind that of the unload
    got["unload a package's source"] = not a.loaded('victim')
    if want['ends']:
        until('the other actor exits', lambda: a.asked('lib', ('echo', 1)) and other(a) != want['other'])
        got['ask any other actor to exit'] = True
    got['log'] = 'word of %s' % want['new'] in a.admin('log').out
    return got


def table(a):
    """The table is this one, and the page has it (tests/cli/tds-admin-may.bats)."""
    rows = {r['Name']: r for r in json.loads(a.must(a.admin('may', '-j')).out)['Table']}
    ok(list(rows) == list(TABLE), 'its rows', list(rows))
    words = {'y': 'yes', 'n': 'no', '-': '-', 'g': 'guests.cfg'}
    wrong = []
    for name, (right, cells) in TABLE.items():
        for column, c in zip(COLUMNS, cells):
            wanted = words.get(c) or right + (':GROUP' if right in OF_GROUPS else '')
            if rows[name][column] != wanted:
                wrong.append((name, column, rows[name][column]))
    ok(not wrong, 'its %d cells' % (5 * len(TABLE)), wrong)


def users(a):
    """Clients of the socket: root; a user with all rights, with none, and with each of them."""
    if not is_root():
        return
    prepare(a)
    compare(as_uid(0, lambda: by_socket(a)), OWN, [], 'root')
    for rights in [USERS_RIGHTS, []] + [[r] for r in USERS_RIGHTS]:
        (a.dir / 'adminusers.cfg').write_text('nobody: %s\n' % ', '.join(rights))
        a.must(a.admin('reload'))
        compare(as_uid(NOBODY, lambda: by_socket(a)), USER, rights, 'a user who may %s' % (', '.join(rights) or 'nothing'))
    (a.dir / 'adminusers.cfg').write_text('nobody\n')
    (a.dir / 'guests.cfg').write_text('')
    a.must(a.admin('reload'))
    got = as_uid(NOBODY, lambda: by_socket(a))
    compare(got, USER, USERS_RIGHTS, 'a user without a list')
    ok(got['Join'] is False, 'whose programs guests.cfg does not name', got['Join'])


def patterns(a):
    """Rights about groups count for these alone, however a package is named; who is refused stands in the logs."""
    if not is_root():
        return
    a.base.chmod(0o755)
    for g in 'web-1', 'db':
        a.group(g, ['1'])
    (a.dir / 'adminusers.cfg').write_text('nobody: load:web-*, unload:web-*, hold:web-*\n')
    a.start()

    def ask(op, **fields):
        answer = as_uid(NOBODY, lambda: a.ask(op, **fields))
        return answer['Status'] if not answer['Success'] else 0, answer.get('Message'), answer.get('Results')
    ok(ask('LoadSource', Source='web-1')[0] == 0, 'a group that fits is loaded')
    for source in 'db', 'db-1.tls', str(a.dir / 'db-1.tls'), 'db.tli':
        got = ask('LoadSource', Source=source)
        ok(got[:2] == (1, "not allowed (LoadSource): adminusers.cfg does not give this user 'load:db'"),
           'another is not: %s' % source.rpartition('/')[2], got)
    a.must(a.load('db'))
    db, web = a.hash_of('db', '1'), a.hash_of('web-1', '1')
    ok(ask('UnloadSource', SourceHash=db)[0] == 1 and a.loaded('db') == ['1'], 'nor unloaded')
    ok(ask('Hold', Group='db')[0] == 1 and ask('Hold', Group='web-1')[0] == 0, 'nor held')
    ok(ask('Release', Group='db')[0] == 1 and ask('Release', Group='web-1')[0] == 0, 'nor released')
    ok(ask('Rollback', Group='db')[0] == 1, 'nor rolled back')
    got = ask('Refresh')
    ok([r['Group'] for r in got[2]] == ['web-1'], 'a refresh is of the groups that fit', got)
    ok(ask('UnloadSource', SourceHash=web)[0] == 0, 'a group that fits is unloaded')
    who = {'Uid': NOBODY, 'User': pwd.getpwuid(NOBODY).pw_name}
    for log in 'events.jsonl', 'audit.log':
        told = a.events('NotAllowed', log=log)
        ok(len(told) == 1 and told[0]['By'] == who and told[0]['Target'] == 'LoadSource' and
           told[0]['Message'].endswith("'load:db'"), 'in %s once, with who it was' % log, told)


def programs(a):
    """Programs of the admin's user, and of another, and their actors."""
    prepare(a)
    (a.base / 'probe.py').write_text(PROBE)
    (a.base / 'main.py').write_text(PROGRAM_TEXT)
    env = dict(a.env, THESPIAN_DIRECTOR_DIR=str(a.dir), PYTHONPATH='%s:%s' % (HOST, a.base),
               PYTHONDONTWRITEBYTECODE='1')
    for column, uid, what in (PROGRAM, os.getuid(), 'own'), (FOREIGN, NOBODY, 'other'):
        if column == FOREIGN and not is_root():
            return
        want = wish(a, column, ends=column == PROGRAM)
        drop = ['setpriv', '--reuid=%d' % uid, '--regid=%d' % uid, '--clear-groups'] if uid != os.getuid() else []
        with open(a.base / 'said', 'w+') as said:  # actors that outlive the program would hold a pipe open
            subprocess.run(drop + [sys.executable, '-B', str(a.base / 'main.py'), json.dumps(want)], env=env, cwd=a.base,
                           stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, timeout=LIMIT_S)
            said.seek(0)
            text = said.read()
        lines = [line for line in text.splitlines() if line.startswith('{"')]
        ok(lines, 'a program of the %s user has tried' % what, text)
        got = dict(looked_after(a, json.loads(lines[0]), want), log=True)  # a program's log is its own
        compare(got, column, [], 'actors of the %s program' % what)


def packages(a):
    """Actors of packages: without May, with all rights, and with each of them, as may.cfg leaves it."""
    prepare(a)
    tli = {'Actors': {'m.a.Probe': {'OnLoad': {'Role': 'bare'}}}}
    a.group('bare', ['1'], tli, source=ACTOR + PROBE)
    tli = {'Actors': {'m.a.Probe': {'OnLoad': {'Role': 'probe'}}}, 'May': ACTORS_RIGHTS}
    a.group('probe', ['1'], tli, source=ACTOR + PROBE)
    a.must(a.load('bare', 'probe'))
    want = wish(a, 0)
    got = looked_after(a, a.asked('bare', want, 20), want)
    compare(got, PACKAGE, [], 'a package without May')
    told = a.events('NotAllowed')
    ok(len(told) == 1 and {k: v for k, v in told[0]['By'].items() if k != 'Actor'} ==
       {'Group': 'bare', 'Role': 'bare', 'Class': 'm.a.Probe'}, 'of all that only the first stands in the event log', told)
    ok(' WARNING not allowed (' in a.admin('log', 'bare').out, 'and in the log of the actor', a.admin('log', 'bare').out)
    for n, rights in enumerate([ACTORS_RIGHTS] + [[r] for r in ACTORS_RIGHTS], 1):
        (a.dir / 'may.cfg').write_text('# ours\nprobe: %s\n' % ', '.join(rights))
        a.must(a.admin('reload'))
        want = wish(a, n)
        got = looked_after(a, a.asked('probe', want, 20), want)
        compare(got, PACKAGE, rights, 'a package that may %s' % ', '.join(rights))


def three_lists(a):
    """A right counts that the signed declaration, GROUP.tli and may.cfg all have; the refusal names the one that lacks it."""
    def declared(*may):
        return {'Actors': {'m.a.Probe': {'OnLoad': {'Role': 'foo'}}}, 'May': list(may)}
    a.group('foo', ['1'], declared('load:x-*'), source=ACTOR + PROBE)
    a.group('bar', ['1'], declared('load'), source=ACTOR + PROBE)
    a.tli('bar', {'Actors': {'m.a.Probe': {'OnLoad': {'Role': 'bar'}}}})
    a.tli('foo', declared('load'))
    a.group('x-1', ['1'])
    a.group('y', ['1'])
    a.must(a.load('foo', 'bar'))

    def why(role, group):
        note = {'requests': [('LoadSource', {'Source': group})], 'quick': True}
        got = a.asked(role, note, 20)['LoadSource']
        last = a.events('NotAllowed')
        return got, last and last[-1]['Message']
    ok(why('foo', 'x-1') == (True, []), 'what all three have')
    ok(why('foo', 'y') == (False, "not allowed (LoadSource): May in the signed declaration of its package has no 'load:y' "
                           '(put it into GROUP.tli and pack anew)'), 'what is not signed', why('foo', 'y'))
    ok(why('bar', 'x-1') == (False, "not allowed (LoadSource): May in its GROUP.tli has no 'load'"), 'what GROUP.tli has not',
       why('bar', 'x-1'))
    (a.dir / 'may.cfg').write_text('f*: load:z\n')
    a.must(a.admin('reload'))
    a.must(a.load('--unload', a.hash_of('foo', '1')))
    a.must(a.load('foo'))
    ok(why('foo', 'x-1') == (False, "not allowed (LoadSource): may.cfg does not leave its group 'load:x-1'"),
       'what may.cfg does not leave', why('foo', 'x-1'))


def ends(a):
    """The end of the system: of who may; of who may not nothing is seen."""
    source = ACTOR + 'class E(A):\n    def do_end(self, sender):\n        self.actorSystemShutdown()\n        self.send(sender, 1)\n'
    for group, may in ('meek', ['load']), ('bold', ['shutdown']):
        a.group(group, ['1'], {'Actors': {'m.a.E': {'OnLoad': {'Role': group}}}, 'May': may}, source=source)
        a.must(a.load(group))
    ok(a.asked('meek', ('end',)) == 1 and a.asked('bold', ('echo', 1)) == ('1', 1), 'without the right nothing ends')
    a.ask('Tell', Target='bold', Literal="('end',)")
    until('it ends', lambda: a.admin('status').status == 8)
    by = a.events('Stopping', log='audit.log')[0]['By']
    ok({k: v for k, v in by.items() if k != 'Actor'} == {'Group': 'bold', 'Role': 'bold', 'Class': 'm.a.E'},
       'with it all ends, and the audit log says by whom', by)


def come_and_go(a):
    """Programs that join, try, and leave, again and again: a user's are told of once a minute, and do not fill the audit log."""
    if not is_root():
        return
    a.base.chmod(0o755)
    (a.dir / 'guests.cfg').write_text('nobody\n')
    a.start()

    def tries():
        for _ in range(20):
            with a.client() as c:
                c.ask('Join', As='program')
                for op in {'op': 'shutdown'}, {'op': 'status', 'ref': 1}:
                    body = json.dumps(op).encode()
                    c.raw(struct.pack('<IB', 1 + len(body), ord('C')) + body)
                heard = b''
                while b'"status"' not in heard:
                    heard += c.sock.recv(1 << 16)
        return True
    ok(as_uid(NOBODY, tries), 'each is answered')
    told = [len(a.events('NotAllowed', log=log)) for log in ('events.jsonl', 'audit.log')]
    ok(told == [1, 1], 'one of them is told of', told)


if __name__ == '__main__':
    run_cases(table, users, patterns, programs, packages, three_lists, ends, come_and_go)
