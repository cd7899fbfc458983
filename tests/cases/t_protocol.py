#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The admin's socket: every op and every field with good and bad input, and clients that mean harm.

Prints TAP.
"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

from adminlib import ACTOR, PROTOCOL, SCALE, Client, rss_kib, run_cases, sanitized, shows, until
from tap import ok, skip

MIB = 1 << 20
ADDRESS = 'ActorAddress'


def foo(a):
    a.group('foo', ['1', '2'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'GlobalName': 'Foo'}}}})
    a.must(a.load('foo'))


def failed(answer, response, status):
    return (answer and answer['DirectorResponse'] == response and answer['Success'] is False and
            answer['Status'] == status and isinstance(answer.get('Message'), str) and answer['Message'])


def good_and_bad_fields(a):
    foo(a)
    h = a.hash_of('foo', '2')
    with a.client() as c:
        r = c.ask('RetrieveAll')
        g = r['Groups']['foo']
        run = g['Running'][h][0]
        ok(r['DirectorResponse'] == 'AllAddresses' and r['Success'] is True and g['ActiveHash'] == h and
           g['Loaded'] == [h] and run['ActorClass'] == 'm.a.A' and run['Role'] == 'foo' and
           isinstance(run[ADDRESS][ADDRESS], str), 'RetrieveAll', r)
        ok(c.ask('RetrieveAll', Group='foo')['Groups'].keys() == {'foo'}, 'RetrieveAll of a group')
        ok(c.ask('RetrieveAll', Group='bar')['Groups'] == {}, 'RetrieveAll of an unknown group')
        r = c.ask('RetrieveRole', Role='foo')
        ok(r['DirectorResponse'] == 'RoleAddress' and r['Success'] and r['Group'] == 'foo' and r['SourceHash'] == h and
           r[ADDRESS] == run[ADDRESS], 'RetrieveRole', r)
        ok(c.ask('RetrieveRole', Role='foo', Group='foo')['Success'], 'RetrieveRole in a group')
        for fields in {'Role': 'foo', 'Group': 'bar'}, {'Role': 'bar'}:
            r = c.ask('RetrieveRole', **fields)
            ok(r['Success'] is False and r[ADDRESS] is None, 'RetrieveRole of what is not there: %s' % fields, r)
        for op, field, values in (
                ('RetrieveRole', 'Role', ('', None, 1, [], {}, True)),
                ('LoadSource', 'Source', ('', None, 1, [], {})),
                ('UnloadSource', 'SourceHash', ('', None, 1, [])),
                ('Tell', 'Target', ('', None, 1, {})),
                ('Ask', 'Target', ('', None, 1, {}))):
            response = {'RetrieveRole': 'RoleAddress', 'LoadSource': 'SourceLoaded', 'UnloadSource': 'SourceUnloaded',
                        'Tell': 'Told', 'Ask': 'Answer'}[op]
            wrong = [v for v in values if not failed(c.ask(op, Literal='1', **{field: v}), response, 2)]
            ok(not wrong, '%s: a bad %s is usage' % (op, field), wrong)
            ok(failed(c.ask(op, Literal='1'), response, 2), '%s without %s is usage' % (op, field))
        for group in 1, [], {}, True:
            ok(failed(c.ask('RetrieveAll', Group=group), 'AllAddresses', 2), 'RetrieveAll: a bad Group is usage', group)
            ok(failed(c.ask('RetrieveRole', Role='foo', Group=group), 'RoleAddress', 2),
               'RetrieveRole: a bad Group is usage', group)
            ok(failed(c.ask('Tell', Target='foo', Literal='1', Group=group), 'Told', 2), 'Tell: a bad Group is usage', group)
        for actors in 1, 'yes', {}:
            ok(failed(c.ask('RetrieveAll', Actors=actors), 'AllAddresses', 2), 'RetrieveAll: a bad Actors', actors)
        for wait in 0, -1, 1.5, 86401, '5', True, [], 1 << 62:
            ok(failed(c.ask('LoadSource', Source='foo', Wait=wait), 'SourceLoaded', 2), 'LoadSource: a bad Wait', wait)
        for retry in 1, 'yes', []:
            ok(failed(c.ask('LoadSource', Source='foo', Retry=retry), 'SourceLoaded', 2), 'LoadSource: a bad Retry', retry)
        for refresh in 0, 'no', {}:
            ok(failed(c.ask('LoadSource', Source='foo', Refresh=refresh), 'SourceLoaded', 2), 'LoadSource: a bad Refresh', refresh)
        for op, response in ('Hold', 'GroupHeld'), ('Rollback', 'GroupRolledBack'), ('Release', 'GroupReleased'):
            wrong = [g for g in (1, [], None, '') if not failed(c.ask(op, Group=g), response, 2)]
            ok(not wrong, '%s: a bad Group is usage' % op, wrong)
            wrong = [g for g in ('bar', '../foo', '/', 'foo-1.tls', 'foo.tli', 'x' * 70000) if not failed(c.ask(op, Group=g), response, 4)]
            ok(not wrong, '%s: there is no such group' % op, wrong)
        for op, response in ('Hold', 'GroupHeld'), ('Rollback', 'GroupRolledBack'):
            ok(failed(c.ask(op, Group='foo', Wait=0), response, 2), '%s: a bad Wait' % op)
        for version, status in (1, 2), ([], 2), ('', 4), ('9', 4), ('/../foo-1', 4), ('x' * 70000, 4):
            ok(failed(c.ask('Hold', Group='foo', Version=version), 'GroupHeld', status), 'Hold: a bad Version', str(version)[:20])
        r = c.ask('Hold', Group='foo')
        ok(r['Success'] and r['DirectorResponse'] == 'GroupHeld' and r['SourceHash'] == h and r['Changed'], 'Hold', r)
        held = c.ask('RetrieveAll')['Groups']['foo']['Held']
        ok(held['Version'] == '2' and held['MD5'] == h and held['File'] == 'foo-2.tls', 'RetrieveAll has what it is held at', held)
        ok(c.ask('LoadSource', Source='foo', Refresh=True)['Success'], 'LoadSource: as a refresh does')
        ok(failed(c.ask('UnloadSource', SourceHash=h), 'SourceUnloaded', 1), 'UnloadSource of what is held')
        r = c.ask('Release', Group='foo')
        ok(r['Success'] and r['DirectorResponse'] == 'GroupReleased' and r['Changed'] and
           'Held' not in c.ask('RetrieveAll')['Groups']['foo'], 'Release', r)
        r = c.ask('LoadSource', Source='foo', Wait=5, Retry=True)
        ok(r['Success'] and r['SourceHash'] == h and r['Path'] == str(a.dir / 'foo-2.tls') and r['Group'] == 'foo' and
           r['Changed'] is False, 'LoadSource', r)
        for source, status in ('bar', 4), ('../foo-1.tls', 4), ('foo-9.tls', 4), ('/etc/passwd', 4), ('foo\n', 4), \
                              ('/', 4), ('.', 4), ('x' * 70000, 4), ('foo\0', 2), ('\u00fc', 4):
            r = c.ask('LoadSource', Source=source)
            ok(failed(r, 'SourceLoaded', status), 'LoadSource of %r' % source[:20], str(r)[:300])
        for x in ('f' * 32, 'x', h[:-1], '%s', h + '0'):
            ok(failed(c.ask('UnloadSource', SourceHash=x), 'SourceUnloaded', 4), 'UnloadSource of %s' % x)
        r = c.ask('Status')
        ok(r['Success'] and r['DirectorResponse'] == 'Status' and r['Pid'] > 1 and r['Clients'] == 1
           and r['Restarted'] == [] and r['Capabilities']['DirectorFmt'] == '[1]'
           and (r['Cgroup'] is None or r['Cgroup'].startswith('/')), 'Status', r)
        for target in 'foo', '@Foo', run[ADDRESS][ADDRESS]:
            r = c.ask('Ask', Target=target, Literal="('echo', 1, [2])")
            ok(r['Success'] and r['DirectorResponse'] == 'Answer' and r['Literal'] == "('2', 1, [2])", 'Ask %s' % target, r)
            ok(c.ask('Tell', Target=target, Literal="'x'") == {'DirectorResponse': 'Told', 'Success': True, 'Protocol': PROTOCOL}, 'Tell ' + target)
        for target in 'bar', '@Bar', '@', '0.0', '1.0', '99.1', '1.', '.1', '1.1.1', '-1.1', '1.99999999999999999999':
            for op, response in ('Tell', 'Told'), ('Ask', 'Answer'):
                ok(failed(c.ask(op, Target=target, Literal='1'), response, 1), '%s to %r: there is none' % (op, target))
        for literal in 'x', '(', '', 'os.getenv("x")', '1 +', '\0', "f'{1}'", '[' * 1000, 5, None, []:
            r = c.ask('Ask', Target='foo', Literal=literal, Timeout=0.2)
            ok(failed(r, 'Answer', 2), 'Ask: a bad Literal is usage: %s' % str(literal)[:20], r)
        ok(failed(c.ask('Ask', Target='foo'), 'Answer', 2), 'Ask without message')
        ok(failed(c.ask('Ask', Target='foo', Literal='1', Message=1), 'Answer', 2), 'Ask with two messages')
        for timeout in -1, '1', True, [], 86401, 1e300:
            ok(failed(c.ask('Ask', Target='foo', Literal='1', Timeout=timeout), 'Answer', 2), 'Ask: a bad Timeout', timeout)
            ok(failed(c.ask('Tell', Target='foo', Literal='1', Timeout=timeout), 'Told', 2), 'Tell: a bad Timeout', timeout)
        ok(failed(c.ask('Ask', Target='foo', Literal='"silent"', Timeout=0), 'Answer', 9), 'Ask: Timeout 0')
        began = time.monotonic()
        r = c.ask('Ask', Target='foo', Literal='"silent"', Timeout=0.3)
        ok(failed(r, 'Answer', 9) and time.monotonic() - began > .25, 'Ask: no answer in time', r)
        r = c.ask('Ask', Target='foo', Literal="('raise', 1)")
        ok(r['Success'] is False and r['Status'] == 1 and 'ValueError' in r['Literal'], 'Ask: poison is a failure', r)
        r = c.ask('Watch', Output=True)
        ok(r == {'DirectorResponse': 'Watching', 'Success': True, 'Protocol': PROTOCOL}, 'Watch', r)
        for output in 1, 'yes':
            ok(failed(c.ask('Watch', Output=output), 'Watching', 2), 'Watch: a bad Output', output)
        for grace in -1, '1', True, 86401, []:
            ok(failed(c.ask('Shutdown', Grace=grace), 'ShuttingDown', 2), 'Shutdown: a bad Grace', grace)
        ok(c.ask('Status')['Success'], 'the connection lives on')


def messages(a):
    """What is asked as JSON and answered as Message is the same; what JSON cannot say is only a literal."""
    foo(a)
    with a.client() as c:
        for m in (None, True, False, 0, -1, 2 ** 53, 1.5, '', 'ü\u2028\U0001f600', [], [1, [2, {}]], {'a': {'b': [None]}}):
            c.ask('Tell', Target='foo', Message=m)
            got = a.notes.wait(lambda notes: [n for n in notes if n[2] == 'got'])[-1][3]
            a.notes.take()
            ok(got == m and type(got) is type(m), 'Message %r arrives' % (m,), got)
        r = c.ask('Ask', Target='foo', Literal="('echo', 1)")
        ok(r['Literal'] == "('2', 1)" and 'Message' not in r, 'a tuple is no list', r)
        one = a.pack('foo', '3', source=ACTOR.replace('(VERSION,) + what', 'what[0]'), head='# bare\n')
        a.must(a.load(one))
        for text, same in (('1', True), ('None', True), ("'\\x00\u00e9'", True), ('[1, {}]', True), ("{'a': 1.5}", True),
                           ('9007199254740993', False), ('b"x"', False), ('{1: 2}', False), ('{1}', False),
                           ('(1,)', False), ('1e999', False), ('1j', False), ('[(1,)]', False), ('True', True)):
            r = c.ask('Ask', Target='foo', Literal="('echo', %s)" % text)
            good = r['Success'] and eval(r['Literal']) == eval(text)
            ok(good and ('Message' in r) == same and (not same or r['Message'] == eval(text)),
               'the answer %s has a Message: %s' % (text, same), r)


def notifications(a):
    a.group('foo', ['1', '2'])
    a.start()
    with a.client() as c, a.client() as d:
        c.send(DirectorOp='RequestNotification')
        ok(c.ask('Status')['DirectorResponse'] == 'Status', 'RequestNotification answers later, and others meanwhile')
        d.ask('LoadSource', Source='foo-1.tls')
        r = c.line()
        ok(r == {'DirectorResponse': 'NotificationOfUpdate', 'Success': True, 'Protocol': PROTOCOL}, 'RequestNotification tells of a change', r)
        d.ask('LoadSource', Source='foo-2.tls')
        ok(c.ask('Status')['DirectorResponse'] == 'Status', 'once')


def lines(a):
    foo(a)
    with a.client() as c:
        for line in (b'{}', b'[]', b'1', b'null', b'"x"', b'{"DirectorOp":1}', b'{"DirectorOp":"Nothing"}', b'x', b'{',
                     b'\0', b'{"DirectorOp":"Status"}}', b'{"DirectorOp":"Status","DirectorOp":"Status"}',
                     b'\xff\xfe', b'{"DirectorOp":"\xff"}', b'{"DirectorOp":"\\ud800"}',
                     b'[' * 100000, b'{"a":' * 100000, b'{"DirectorOp":"Status","a":NaN}', b'{"DirectorOp":"status"}',
                     b'{"DirectorOp":"Status","a":%s}' % (b'9' * 5000), b'\x1b[2J', b'GET / HTTP/1.1\r'):
            c.raw(line + b'\n')
            r = c.line()
            ok(failed(r, 'Error', 2), 'refused: %r' % line[:40], r)
        for op in 'Status\0', 'Status\0x':
            ok(failed(c.ask(op), 'Status', 2), 'no op ends at a NUL')
        for line in (b'{"DirectorOp":"Status"}\r', b' \t{ "DirectorOp" : "Status" } ', b'{"DirectorOp":"Stat\\u0075s"}',
                     b'{"DirectorOp":"Status","More":1}', b'\n\n{"DirectorOp":"Status"}'):
            c.raw(line + b'\n')
            r = c.line()
            ok(r and r['DirectorResponse'] == 'Status' and r['Success'], 'taken: %r' % line, r)
        c.raw(b'{"DirectorOp":"Status"}\n' * 500)
        ok([c.line()['Success'] for _ in range(500)] == [True] * 500, '500 requests at once: 500 answers')
        for byte in b'{"DirectorOp":"Status"}\n':
            c.raw(bytes([byte]))
        ok(c.line()['Success'], 'a byte at a time')
        request = b'{"DirectorOp":"Tell","Target":"foo","Literal":"\'%s\'"}\n'
        big = request % (b'x' * (MIB - len(request)))
        c.raw(big)
        ok(c.line()['Success'], 'a line of almost 1 MiB is taken')
        c.raw(b'{"DirectorOp":"Status"}')
        c.sock.shutdown(socket.SHUT_WR)
        ok(c.line() is None, 'what has no newline is no request')
    with a.client() as c:
        c.raw(b'{"DirectorOp":"Ask","Target":"foo","Literal":"(\'echo\', 1)"}\n')
        c.sock.shutdown(socket.SHUT_WR)
        r = c.line()
        ok(r and r['Success'], 'a client that only shut its writing side gets its answer, as with socat', r)


def huge_line(a):
    a.start()
    pid = a.pid
    before = rss_kib(pid)
    with a.client() as c:
        sent = 0
        try:
            while sent < 1000 * MIB:
                sent += c.sock.send(b'x' * MIB)
        except OSError:
            pass
        most = rss_kib(pid)
        r = c.line()
    ok(sent < 8 * MIB and (r is None or failed(r, 'Error', 2)), 'a line of 1 GB is cut off', sent, r)
    ok(sanitized() or most - before < 8 * 1024, 'and not kept', before, most)
    with a.client() as c:
        with contextlib.suppress(OSError):
            c.raw(b'x' * (MIB + 1) + b'\n')
        ok(failed(c.line(), 'Error', 2) and c.line() is None, 'a line of over 1 MiB: an answer, and the end')
    ok(a.ask('Status')['Success'], 'others are served')


def silent_connections(a):
    a.start()
    count = 300
    silent = []
    for _ in range(count):
        silent.append(Client(a.socket_path))
        silent[-1].sock.send(b'{"Direct')
    ok(a.ask('Status')['Success'], '%d connections that say nothing: a client is served' % count)
    with a.client() as c:
        ok(c.ask('Status')['Clients'] <= 256, 'at most 256 are kept')
        more = [Client(a.socket_path) for _ in range(count)]
        ok(c.ask('Status')['Success'], 'one that was served is not displaced')
        for s in more + silent:
            s.close()
        until('they are forgotten', lambda: c.ask('Status')['Clients'] == 1, 10)
    if not shows(a.pid, 'their descriptors are closed'):
        return
    fds = len(os.listdir('/proc/%d/fd' % a.pid))
    ok(fds < 40, 'their descriptors are closed', fds)


def many_connections(a):
    """So many that come and go, of which none says anything."""
    a.start()
    served = []
    for n in range(500 * SCALE):
        s = Client(a.socket_path)
        if n % 100 == 0:
            served.append(a.ask('Status')['Success'])
        if n % 2:
            s.close()
    ok(all(served), 'clients between them are served', served)


def watcher_that_never_reads(a):
    a.group('foo', ['1'], source=ACTOR + "class P(A):\n    def do_print(self, sender, n):\n        for i in range(n):\n"
            "            print('x' * 1000)\n        self.send(sender, n)\n",
            declaration={'Actors': {'m.a.P': {'OnLoad': {'Role': 'foo'}}}})
    a.must(a.load('foo'))
    pid = a.pid
    with a.client() as c, a.client() as reads:
        c.ask('Watch', Output=True)
        reads.ask('Watch', Output=True)
        before = rss_kib(pid)
        for _ in range(10):
            ok(a.asked('foo', ('print', 2000)) == 2000, 'the actor goes on')
            reads.event(lambda e: e.get('Event') == 'Output' and e['Text'] == 'x' * 1000)
        most = rss_kib(pid)
        ok(sanitized() or most - before < 24 * 1024, 'what it does not read is bounded', before, most)
        with a.client() as other:
            until('it is cut off', lambda: other.ask('Status')['Clients'] <= 3, 10)


def vanishes_in_a_load(a):
    a.group('foo', ['1'], source='import time\n' + ACTOR.replace("def __init__(self):", "def __init__(self):\n        time.sleep(0.5)"))
    with a.start().watch() as w:
        with a.client() as c:
            c.send(DirectorOp='LoadSource', Source='foo')
            until('it is under way', lambda: len(a.processes()) > 2, 10)
        e = w.event(lambda e: e.get('Event') in ('Loaded', 'Undone'))
        ok(e['Event'] == 'Loaded' and a.active('foo') == '1', 'the load ends as usual', e)
        p = a.start_tool('tds-load', '--unload', a.hash_of('foo', '1'))
        p.send_signal(signal.SIGKILL)
        a.end_tool(p)
    with a.client() as c:
        c.send(DirectorOp='Ask', Target='foo', Literal="('hang',)", Timeout=60)
        c.sock.shutdown(socket.SHUT_RDWR)
    ok(a.ask('Status')['Success'], 'one that vanishes in an ask harms nobody')


def other_uid(a):
    if os.geteuid() != 0:
        skip('another user is refused', 'not root')
        return
    os.chmod(a.base, 0o755)
    a.start()
    script = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect(sys.argv[1])\nprint(s.recv(9999).decode(), s.recv(9999))\n")
    p = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', sys.executable, '-I', '-c', script,
                        a.socket_path], capture_output=True, text=True, timeout=60)
    first, _, rest = p.stdout.partition('\n')
    ok(failed(json.loads(first or '{}'), 'Error', 8) and rest.strip() == "b''", 'another user gets a refusal and the end', p)
    b = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', os.environ['TDS_BIN'] + '/tds-admin',
                        '-C', str(a.dir), 'status'], capture_output=True, text=True, timeout=60)
    ok(b.returncode == 8 and 'allowed' in b.stderr, 'tds-admin says so too', b)
    ok(a.ask('Status')['Clients'] == 1, 'and is not kept')


if __name__ == '__main__':
    run_cases(good_and_bad_fields, messages, notifications, lines, huge_line, silent_connections,
              many_connections, watcher_that_never_reads, vanishes_in_a_load, other_uid)
