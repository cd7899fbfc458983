#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tds-link between a real nats-server and frames that are spoken here: what passes, what is refused, what is unknown, and
what ends it. Prints TAP.

The server runs on loopback as tds-admin convention init sets it up, or plain. Where a real one never says a thing, a
server of ours says it.
"""
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import buslib
from adminlib import sanitized, status_of, until
from linklib import (BUS, CONFLICT, CONNECTING, DELETED, DENIED, DONE, FOREIGN, LINK, LOST, MISSING, NOT_PERMITTED, NOT_SENT, PUT, REFUSED,
                     STORE, UNKNOWN, UP, Link, config, frame, link)
from tap import LIMIT_S, done, folder, ok, skip

MIB = 1 << 20


@contextlib.contextmanager
def running(**more):
    with folder() as base, buslib.plain(base, **more) as server:
        yield server


def passes():
    """Over TLS, with the permissions of a convention."""
    with folder() as base, buslib.bus(base, 'a', 'b') as b, link(b.port, 'a', tls=b, store=True) as one, link(b.port, 'b', tls=b) as two:
        ok(one.read()[:4] == ('S', BUS, None, CONNECTING), 'it says first that it tries')
        one.state(UP)
        two.state(UP)
        one.publish('tds.m.a.b.link', b'to b\0')
        got = two.wait('M')
        ok((got.name, got.data) == ('tds.m.a.b.link', b'to b\0'), 'what is for a system reaches it, by the subject it was sent on', got)
        one.publish('tds.m.a.all.beat', b'')
        ok([(m.name, m.data) for m in (two.wait('M'), one.wait('M'))] == [('tds.m.a.all.beat', b'')] * 2, 'what is for all reaches all')
        for i in range(5000):
            one.publish('tds.m.a.b.link', b'%d' % i)
        ok([two.wait('M').data for _ in range(5000)] == [b'%d' % i for i in range(5000)], 'each in its turn')
        piece = os.urandom(MIB)
        one.publish('tds.m.a.b.link', piece)
        ok(two.wait('M').data == piece, 'a piece of 1 MiB passes whole')
        one.publish('tds.m.b.a.link', b'forged')
        got = one.wait('T')
        ok(got.code == NOT_PERMITTED and b'tds.m.b.a.link' in got.data, 'what the server refuses is told, and which', got)
        for subject in 'tds.m.a.b link', 'a\r\nPUB x 0\r\n', 'a\0b', '':
            one.publish(subject, b'x')
            ok(one.wait('T').code == NOT_SENT, 'no subject: %r' % subject)
        one.state(UP, STORE)
        ok(one.ask(b'N', 'lease', b'a').code == DONE, 'the store is another connection')
        ok(two.ask(b'G', 'lease').code == DENIED, 'who has none is told that it asks in vain')
        held(one.pid)
        ok(one.end() == (0, []) and two.end() == (0, []), 'they end with their sockets, without a word')


def held(pid):
    if sanitized():
        return
    threads = [status_of(int(t)) for t in os.listdir('/proc/%d/task' % pid)]
    ok(len(threads) > 1 and all(t['Seccomp'] == '2' and t['NoNewPrivs'] == '1' for t in threads), 'each thread is held to a filter, without new privileges')


def store():
    """One record after the other, and who watches them."""
    with running() as server, link(server.port, 'a', store=True) as one, link(server.port, 'b', store=True) as two:
        one.state(UP, STORE)
        two.state(UP, STORE)
        two.say(b'W')
        ok(one.ask(b'G', 'lease').code == MISSING, 'nothing is there yet')
        made = one.ask(b'N', 'lease', b'first')
        ok(made.code == DONE and made.revision > 0, 'a record is made', made)
        ok(one.ask(b'N', 'lease', b'again').code == CONFLICT, 'and only once')
        got = two.ask(b'G', 'lease')
        ok((got.code, got.revision, got.data) == (DONE, made.revision, b'first'), 'others read it', got)
        ok(two.ask(b'U', made.revision + 7, 'lease', b'mine').code == CONFLICT, 'a wrong revision changes nothing')
        changed = two.ask(b'U', made.revision, 'lease', b'\0\xff' * 1000)
        ok(changed.code == DONE and changed.revision > made.revision, 'the right one does', changed)
        ok(one.ask(b'U', made.revision, 'lease', b'late').code == CONFLICT, 'for one of the two')
        ok(one.ask(b'G', 'lease').data == b'\0\xff' * 1000, 'any bytes are kept')
        ok(one.ask(b'D', made.revision, 'lease').code == CONFLICT, 'so is what is removed: by its revision')
        gone = one.ask(b'D', changed.revision, 'lease')
        ok(gone.code == DONE and one.ask(b'G', 'lease').code == MISSING, 'then it is gone')
        anew = one.ask(b'N', 'lease', b'')
        ok(anew.code == DONE and one.ask(b'G', 'lease')[2:] == (anew.revision, DONE, None, b''), 'and can be made anew, empty too')
        seen = {}
        while anew.revision not in seen:
            f = two.wait('H')
            seen[f.revision] = (f.name, f.code, f.data)
        wanted = {changed.revision: ('lease', PUT, b'\0\xff' * 1000), gone.revision: ('lease', DELETED, b''), anew.revision: ('lease', PUT, b'')}
        ok(all(seen[r] == wanted[r] for r in wanted if r in seen) and gone.revision in seen, 'who watches is told of each', seen)
        for key in '', 'a.b', '*', '>', 'a b', '"', 'é':
            ok(one.ask(b'N', key, b'x').code == DENIED, 'no name of a record: %r' % key)
        one.say(b'W')
        f = one.wait('H')
        ok((f.revision, f.name) == (anew.revision, 'lease'), 'who watches later is told what there is', f)
        with contextlib.closing(server.client()) as client:
            made = client.ask('$JS.API.STREAM.INFO.KV_tds-test')['config']
            client.pub('$KV.tds-test.lease', b'', headers={b'Nats-Rollup': b'all'})
            ok(made.get('allow_rollup_hdrs') in (None, False) and one.ask(b'G', 'lease').code == DONE, 'no header erases it', made)


def rollup():
    with running() as server:
        with contextlib.closing(server.client()) as client:
            client.ask('$JS.API.STREAM.CREATE.KV_tds-test', json.dumps({'name': 'KV_tds-test', 'subjects': ['$KV.tds-test.>'], 'storage': 'memory',
                                                                        'allow_rollup_hdrs': True}).encode())
        with link(server.port, 'a', store=True) as one:
            ok(b'allow_rollup_hdrs' in one.state(REFUSED, STORE).data, 'a bucket that one header erases is refused')
            one.publish('tds.m.a.a.link', b'x')
            ok(one.wait('M').data == b'x', 'the bus is there all the same')


def unknown():
    """A server that holds still, one that is gone, and one that is there again."""
    with running() as server, link(server.port, 'a', store=True) as one:
        one.state(UP)
        one.state(UP, STORE)
        hold_still(server.process.pid)
        got = one.ask(b'N', 'lease', b'x')
        ok(got.code == UNKNOWN, 'without an answer it is unknown', got)
        ok(one.state(LOST).data and one.state(LOST, STORE), 'a server that holds still is lost')
        ok(one.ask(b'G', 'lease').code == DENIED, 'without a connection nothing is asked')
        one.publish('tds.m.a.a.link', b'lost')
        ok(one.wait('T').code == NOT_SENT, 'nor published, which is told')
        server.process.send_signal(signal.SIGCONT)
        one.state(UP)
        one.state(UP, STORE)
        one.publish('tds.m.a.a.link', b'again')
        ok(one.wait('M').data == b'again', 'it is there again by itself, and what was not sent is not sent later')
        server.kill()
        one.state(LOST)
        one.state(LOST, STORE)
        server.start()
        one.state(UP)
        one.state(UP, STORE)
        one.publish('tds.m.a.a.link', b'anew')
        ok(one.wait('M').data == b'anew', 'one that was killed and started again, too')
        with link(server.port, 'b', store=True) as two:
            two.state(UP, STORE)
            one.say(b'W')
            revision = two.ask(b'N', 'watched', b'1').revision
            one.wait('H', revision=revision)
            server.kill()
            one.state(LOST, STORE)
            server.start()
            one.state(UP, STORE)
            two.state(LOST, STORE)
            two.state(UP, STORE)
            later = two.ask(b'U', revision, 'watched', b'2')
            ok(later.code == DONE and one.wait('H', revision=later.revision).data == b'2', 'the watch goes on at the new one')


def hold_still(pid):
    """Stop it, and see that each of its threads has stopped."""
    os.kill(pid, signal.SIGSTOP)
    until('it holds still', lambda: all(status_of(int(t))['State'][0] == 'T' for t in os.listdir('/proc/%d/task' % pid)))


def comes_late():
    """The server is not there yet."""
    with folder() as base:
        server = buslib.Plain(base)
        with link(server.port, 'a', store=True) as one:
            one.state(CONNECTING)
            try:
                server.start()
                one.state(UP)
                one.state(UP, STORE)
                one.publish('tds.m.a.a.link', b'x')
                ok(one.wait('M').data == b'x', 'it waits for a server that comes later')
            finally:
                server.kill()


def refused_logins():
    with running(text='authorization { user: x, password: y }\n') as server, link(server.port, 'a') as one:
        f = one.state(REFUSED)
        ok(b'uth' in f.data, 'a refused login is told', f)
        status, said = one.end(close=False)
        ok(status == 1 and len(said) == 1 and said[0].startswith('tds-link: 127.0.0.1: '), 'and the second ends it, in a line', status, said)
    with running() as server, link(server.port, 'a') as one:
        one.state(UP)
        server.kill()
        server.conf.write_text(server.conf.read_text() + 'authorization { user: x, password: y }\n')
        server.start()
        one.state(LOST)
        one.state(REFUSED)
        status, said = one.end(close=False)
        ok(status == 1 and len(said) == 1, 'so it is where the server knows it no more', status, said)
    with folder() as base, buslib.bus(base, 'a', 'b') as b:
        other = base / 'other'
        other.mkdir()
        stranger = buslib.Bus(other, 'a')
        never_stands(Link(config(b.port, 'a', tls=b, ca=stranger)), 'a server of another CA is not believed')
        never_stands(Link(config(b.port, 'a', tls=b, host='localhost')), 'nor one whose certificate has another name')
        never_stands(Link(config(b.port, 'a', tls=stranger, ca=b)), 'a certificate of another CA is not let in')
        never_stands(Link(config(b.port, 'a')), 'nor who has none')


def never_stands(one, what):
    one.state(REFUSED)
    stood = [f for f in one.kept if f.kind == 'S' and f.code == UP]
    status, said = one.end(close=False)
    ok(status == 1 and len(said) == 1 and not stood, what, status, said)


def hostile_frames():
    good = json.dumps({'Servers': ['nats://127.0.0.1:1'], 'Name': 'n', 'System': 'a', 'Bus': {}}).encode()
    first = {
        'no length': b'\0\0\0\0', 'too much': b'\xff\xff\xff\xff', 'of no kind': frame(b'?'), 'of the other way': frame(b'M', 'a', b'b'),
        'no configuration first': frame(b'P', 'a', b'b'), 'no JSON': frame(b'C', b'{'), 'no object': frame(b'C', b'[]'), 'no names': frame(b'C', b'{}'),
        'a name that is a subject': frame(b'C', good.replace(b'"a"', b'"a.>"')), 'another scheme': frame(b'C', good.replace(b'nats:', b'http:')),
        'a user in the URL': frame(b'C', good.replace(b'//', b'//u:p@')), 'TLS without keys': frame(b'C', good.replace(b'nats:', b'tls:')),
        'no bus': frame(b'C', good.replace(b'Bus', b'bus')), 'twice the same': frame(b'C', good.replace(b'{"S', b'{"Name":"m","S')),
        'no server': frame(b'C', good.replace(b'"nats://127.0.0.1:1"', b'')),
    }
    for what, said in first.items():
        one = Link()
        one.sock.sendall(said)
        status, lines = one.end(close=False)
        ok(status == 1 and len(lines) == 1 and lines[0].startswith('tds-link: '), 'the first frame: ' + what, status, lines)
    one = Link()
    one.sock.sendall(frame(b'C', good)[:9])
    ok(one.end() == (0, []), 'half a frame, and the socket ends')
    with running() as server:
        for what, said in {'no kind': frame(b'?'), 'a second configuration': frame(b'C', good), 'a number 0': frame(b'G', 0, 'k'),
                           'cut': struct.pack('<IcB', 3, b'P', 9) + b'a', 'much': struct.pack('<I', 2 * MIB)}.items():
            with link(server.port, 'a') as one:
                one.state(UP)
                one.sock.sendall(said)
                status, lines = one.end(close=False)
                ok(status == 1 and len(lines) == 1 and lines[0].startswith('tds-link: '), 'a later frame: ' + what, status, lines)


class Fake(threading.Thread):
    """A server of ours: says what it is told to on what it is asked (in chunks), and what it says is whatever it likes."""

    def __init__(self, say, info=None):
        super().__init__(daemon=True)
        self.say, self.listening = say, socket.create_server(('127.0.0.1', 0))
        self.port = self.listening.getsockname()[1]
        self.info = info or b'INFO {"server_id":"X","version":"2.9.0","max_payload":1048576,"headers":true}\r\n'
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=self.listening.accept()[:1], daemon=True).start()

    def serve(self, sock):
        with contextlib.suppress(OSError), sock, sock.makefile('rwb') as f:
            f.write(self.info)
            f.flush()
            for line in f:
                if line.startswith(b'PING'):
                    f.write(b'PONG\r\n')
                for said in self.say(line, f):
                    f.write(said)
                f.flush()

    def close(self):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@contextlib.contextmanager
def fake(say, **more):
    server = Fake(say, **more)
    try:
        yield server
    finally:
        server.close()


def on_subscribed(*said):
    """Say it to who has subscribed to what is for all, its number in place of %s."""
    def say(line, _):
        words = line.split()
        return [s.replace(b'%s', words[-1]) for s in said] if words[0] == b'SUB' and b'.all.' in line else []
    return say


def jetstream(answers):
    """Answer each request to the store by what stands under its subject; else the bucket is fine."""
    sid = {}

    def say(line, f):
        words = line.split()
        if words[0] == b'SUB' and b'_INBOX' in line:
            sid['inbox'] = words[-1]
        if words[0] not in (b'PUB', b'HPUB'):
            return []
        f.read(int(words[-1]) + 2)
        wanted = next((a for s, a in answers.items() if s in words[1]), b'{"type":"x","config":{"name":"x"},"name":"x"}')
        return [b'MSG %s %s %d\r\n%s\r\n' % (words[2], sid['inbox'], len(wanted), wanted)]
    return say


def hostile_server():
    with fake(on_subscribed(b'MSG who.knows %s 2\r\nhi\r\n')) as server, link(server.port, 'a') as one:
        f = one.wait('M')
        ok((f.name, f.data) == ('who.knows', b'hi'), 'a message on a subject of nobody is handed on as that', f)
    with fake(on_subscribed(b'MSG %b %%s 2\r\nhi\r\n' % (b'x' * 300))) as server, link(server.port, 'a') as one:
        ok(one.wait('T').code == FOREIGN, 'one with a subject too long is told')
    with fake(on_subscribed(b'MSG tds.m.b.a.link %%s %d\r\n%s\r\n' % (MIB + 1, b'x' * (MIB + 1)))) as server, link(server.port, 'a') as one:
        ok(one.wait('T').code == FOREIGN, 'one that is too large, too')
    for what, said in {'no line': b'\0\xff\xff\r\n', 'a length that is none': b'MSG a 1 -5\r\n', 'one without end': b'MSG a 1 99999999999999999999\r\n',
                       'a message for nobody': b'MSG a\r\n'}.items():
        with fake(on_subscribed(said)) as server, link(server.port, 'a') as one:
            one.state(UP)
            f = one.state(LOST)
            ok(f.data and one.process.poll() is None, 'a server that says nonsense is a lost one: ' + what, f)
    with fake(on_subscribed(b"-ERR 'no such thing\x1b'\r\n")) as server, link(server.port, 'a') as one:
        f = one.state(REFUSED)
        status, said = one.end(close=False)
        ok(b'no such thing' in f.data and status == 1 and said == ['tds-link: 127.0.0.1: no such thing\\x1b'], 'its last word is told', f, status, said)
    with fake(lambda line, f: [], info=b'INFO {"server_id":"X","connect_urls":["127.0.0.1:1","10.0.0.1:4222"]}\r\n') as server, link(server.port, 'a') as one:
        one.state(UP)
        ok(True, 'servers that it names are none of ours')
    record = b'{"message":{"seq":%s,"data":"%s"}}'
    for what, said, code in (('no JSON', b'{', UNKNOWN), ('an array', b'[1]', UNKNOWN), ('nothing', b'{}', UNKNOWN), ('no data', record % (b'1', b'?'), UNKNOWN),
                             ('a revision below', record % (b'-1', b'eA=='), UNKNOWN), ('an error', b'{"error":7}', DENIED),
                             ('a refusal', b'{"error":{"err_code":10099,"description":"no"}}', DENIED), ('one that is good', record % (b'3', b'eA=='), DONE)):
        with fake(jetstream({b'MSG.GET': said})) as server, link(server.port, 'a', store=True) as one:
            one.state(UP, STORE)
            got = one.ask(b'G', 'k')
            ok(got.code == code and (code != DONE or (got.revision, got.data) == (3, b'x')), 'an answer of the store: ' + what, got)


def ends_with_its_socket():
    with running() as server:
        for how in 'closed', 'unread':
            one = Link(config(server.port, 'a'))
            one.state(UP)
            if how == 'unread':
                for _ in range(40):
                    one.publish('tds.m.a.a.link', b'x' * (MIB // 2))
            ok(one.end() == (0, []), 'it ends when its socket is ' + how)
        one = Link(config(server.port, 'a'))
        one.state(UP)
        one.process.kill()
        ok(one.read() is None and one.end() == (-signal.SIGKILL, []), 'it may be killed at any time: then its socket ends')
    answer = subprocess.run([LINK], stdin=subprocess.DEVNULL, capture_output=True, close_fds=True, timeout=LIMIT_S)
    ok((answer.returncode, answer.stdout) == (2, b'') and len(answer.stderr.splitlines()) == 1, 'by itself it is nothing', answer)


if __name__ == '__main__':
    if not buslib.SERVER or not LINK.exists():
        skip('all of it', 'there is no nats-server' if not buslib.SERVER else 'it is built where libnats is')
        done()
    only = os.environ.get('TDS_TEST_ONLY')
    for case in passes, store, rollup, unknown, comes_late, refused_logins, hostile_frames, hostile_server, ends_with_its_socket:
        if not only or case.__name__ == only:
            began = time.monotonic()
            case()
            print('# %s: %.1f s' % (case.__name__, time.monotonic() - began))
    sys.exit(done())
