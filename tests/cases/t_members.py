#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Systems of a convention on a real nats-server: who is there, who leads, and what is so when one of them, its tds-link or
the bus is killed. Prints TAP.

Each system is an admin with a director directory of its own, on loopback.
"""
import contextlib
import os
import signal

import buslib
from adminlib import admin, run_cases, status_of, until
from tap import folder, ok

LOST_S = 3  # the least that convlost.cfg may say
ROLES = {'a': 'leader', 'b': 'candidate', 'c': 'member'}


class System:
    """An admin in the convention, and a watch on it since it was up."""

    def __init__(self, admin, name, port, role):
        self.admin, self.name, self.seen = admin, name, []
        for file, text in ('convbus', 'nats://127.0.0.1:%d' % port), ('convsystem', name), ('convrole', role), ('convlost', LOST_S):
            (admin.dir / (file + '.cfg')).write_text('%s\n' % text)

    def start(self):
        self.admin.start()
        self.watch = self.admin.watch()
        return self

    def member(self, name):
        return self.admin.ask('Members')['Members'].get(name, {})

    @property
    def convention(self):
        return self.admin.ask('Status')['Convention']

    def event(self, what, **fields):
        """The next such event that is told; what comes before it is passed over."""
        return self.watch.event(lambda e: e['Event'] == what and all(e.get(k) == v for k, v in fields.items()))

    def knows(self, names, leader):
        """Until these are here, each with its document, and this one leads."""
        def holds():
            found = self.admin.ask('Members')['Members']
            here = {n: m for n, m in found.items() if m['State'] == 'here'}
            return set(here) == set(names) and all('Capabilities' in m for m in here.values()) and self.convention['Leader'] == leader and found
        return until('%s knows %s, led by %s' % (self.name, names, leader), holds)


@contextlib.contextmanager
def convention(first):
    """The bus, and three systems that know each other."""
    with folder() as base, buslib.plain(base / 'bus') as bus, contextlib.ExitStack() as stack:
        systems = [System(first if name == 'a' else stack.enter_context(admin()), name, bus.port, role) for name, role in ROLES.items()]
        systems[0].admin.group('g', ['1'])
        for s in systems:
            s.start()
        for s in systems:
            s.knows('abc', 'a')
        yield (bus, *systems)


def of_a_convention(first):
    with convention(first) as (bus, a, b, c):
        know_each_other(a, b, c)
        cuts(bus, a, b, c)
        with admin() as other:
            dies(bus, a, b, c, System(other, 'c', bus.port, 'member'))


def know_each_other(a, b, c):
    a.admin.must(a.admin.load('g'))
    sha = a.admin.state()['Sources'][0]['SHA256']
    for s in b, c:
        got = until('its source', lambda: s.member('a').get('Sources'))
        ok(got == [{'Group': 'g', 'Version': '1', 'SHA256': sha, 'Key': 'birch_tls.key', 'Active': True}],
           'what one loads the others know, and by which key', got)
    m = until('its actors', lambda: c.member('a')['Actors'] and c.member('a'))
    ok((m['Actors'], m['Role'], m['Flaps'], m['Refused']) == (1, 'leader', 0, []), 'and how many actors it has', m)
    ok(abs(m['ClockOffset']) < 10 and m['Capabilities']['Thespian ActorSystem Name'] == "'tdsLocalBase'", 'its clock, its capabilities', m)
    ok([c.member(n)['Role'] for n in 'abc'] == ['leader', 'candidate', 'member'], 'roles')
    got = b.convention
    ok([got[k] for k in ('Name', 'System', 'Role', 'Members')] + [got['Bus']['Up'], got['Store']['Up']] == ['thespian', 'b', 'candidate', 3, True, True],
       'status has the convention', got)
    ok('Store' not in c.convention, 'a member knows no store')
    printed(c.admin, sha)


def printed(admin, sha):
    out = admin.must(admin.admin('status')).out
    ok('\nconvention thespian, system c, a member; a leads; 3 members are there\n' in out, 'status prints it', out)
    out = admin.must(admin.admin('members', '--wait=3')).out
    lines = out.splitlines()
    ok([line.split(',')[0] for line in lines if line[0] != ' '] == ['a: leader', 'b: candidate', 'c (this system): member'], 'members prints each', out)
    ok('  g 1, active, by birch_tls.key, SHA256 %s' % sha[:16] in lines, 'with what it has loaded', out)
    got = admin.admin('members', '--wait=4', '--timeout=0.1')
    ok((got.status, got.err) == (9, 'tds-admin: 3 of 4 systems are there\n') and got.out.startswith('a: '), 'and waits, until its time is over', got)
    got = admin.admin('members', '--timeout=1')
    ok((got.status, got.out) == (2, ''), 'with a time only where it waits', got)


def cuts(bus, a, b, c):
    """Shorter than convlost.cfg: nobody is lost."""
    os.kill(a.convention['LinkPid'], signal.SIGKILL)
    ok(a.event('BusLost')['Message'] == 'tds-link has ended', 'that tds-link is killed is told')
    ok(a.event('BusUp') and a.convention['LinkEnds'] == 1, 'and it is started anew')
    bus.kill()
    for s in a, b, c:
        s.event('BusLost')
    got = a.convention['Bus']
    ok(got['Up'] is False and got['Message'], 'status says that there is no bus, since when and why', got)
    out = a.admin.must(a.admin.admin('status')).out
    ok('\nconvention: no bus since %s: ' % got['Since'] in out, 'and prints it', out)
    ok(a.admin.asked('g', ('echo', 1)) == ('1', 1), 'what runs here goes on without it')
    bus.start()
    for s in a, b, c:
        s.event('BusUp')
        s.knows('abc', 'a')
    ok(not [e for s in (a, b, c) for e in s.admin.events('MemberLost', 'NameClash')], 'nobody was lost')


def dies(bus, a, b, c, other):
    """The leader, its guardian and daemon at the same instant, while another system comes that has the name of one that is there."""
    before = {n: a.member(n)['Epoch'] for n in 'ac'}
    other.start()
    a.admin.crash()
    for s in b, c:
        got = s.event('MemberLost', System='a')
        ok(got['Epoch'] == before['a'] and s.member('a')['State'] == 'lost', 'who is killed is lost', got)
        ok(s.event('LeaderChanged', System='b'), 'and a candidate leads')
    clients = b.admin.ask('Status')['Clients']
    waiting = b.admin.start_tool('tds-admin', 'members', '--wait=3')
    until('it waits', lambda: b.admin.ask('Status')['Clients'] > clients)
    a.start()
    for s in b, c:
        got = s.event('MemberJoined', System='a')
        ok(got['Epoch'] != before['a'] and s.member('a')['Flaps'] == 1, 'it comes back as another, with a flap', got)
    ok(b.admin.end_tool(waiting).status == 0, 'who waits for that is told')
    a.knows('abc', 'b')
    ok(a.member('b')['Term'] > 1, 'and finds a later term', a.member('b'))
    got = until('the clash is told', lambda: b.admin.events('NameClash'))
    ok([(e['System'], e['Epoch']) for e in got] == [('c', before['c'])] and got[0]['OtherEpoch'] != before['c'],
       'two of one name are told of, and the one that was there counts', got)
    c.admin.must(c.admin.admin('shutdown'))
    ok(b.event('MemberLeft', System='c') and b.member('c')['Flaps'] == 0, 'who is shut down says so before it goes')


def alone(a):
    a.start()
    got = a.ask('Status')
    ok(got['Convention'] is None, 'a system alone has no convention in its status')
    ok('convention' not in a.must(a.admin('status')).out, 'and prints nothing of one')
    got = a.admin('members')
    ok((got.status, got.out, got.err) == (4, '', 'tds-admin: this system is in no convention\n'), 'and no members', got)
    with open('/proc/%d/maps' % a.pid) as maps:
        ok('libnats' not in maps.read(), 'nothing of NATS is in its process')
    names = [status_of(p)['Name'] for p in a.processes()]
    ok(names and 'tds-link' not in names, 'and no tds-link runs', names)
    ok(not (a.rundir / 'membership.json').exists(), 'and nothing is remembered of one')


run_cases(of_a_convention, alone)
