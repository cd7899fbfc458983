# SPDX-License-Identifier: MIT
"""tds-link as who starts it sees it: frames over a socket pair, spoken here from tds-protocol(7), not by the tools' code."""
import collections
import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess

from tap import BIN, LIMIT_S

LINK = BIN.parent / 'libexec/tds/tds-link'
BUS, STORE = 0, 1
CONNECTING, UP, LOST, REFUSED = range(4)
DONE, CONFLICT, MISSING, UNKNOWN, DENIED = range(5)
PUT, DELETED = range(2)
NOT_PERMITTED, DROPPED, NOT_SENT, FOREIGN, OTHER = range(5)
FIELDS = {b'S': 'ncd', b'M': 'td', b'A': 'nrcd', b'H': 'rctd', b'T': 'ncd'}  # number, revision, code, text, data

Frame = collections.namedtuple('Frame', 'kind number revision code name data')


def frame(kind, *parts):
    """One towards tds-link: an int is a u64, a str a name with its length."""
    body = bytearray(kind)
    for p in parts:
        if isinstance(p, int):
            body += struct.pack('<Q', p)
        elif isinstance(p, str):
            body += bytes([len(p.encode())]) + p.encode()
        else:
            body += p
    return struct.pack('<I', len(body)) + bytes(body)


def parsed(body):
    kind, at, got = body[:1], 1, {}
    for field in FIELDS[kind]:
        if field in 'nr':
            got[field], at = struct.unpack_from('<Q', body, at)[0], at + 8
        elif field == 'c':
            got[field], at = body[at], at + 1
        elif field == 't':
            got[field], at = body[at + 1:at + 1 + body[at]].decode(), at + 1 + body[at]
        else:
            got[field], at = bytes(body[at:]), len(body)
    assert at == len(body), body
    return Frame(kind.decode(), got.get('n'), got.get('r'), got.get('c'), got.get('t'), got.get('d'))


class Link:
    """A tds-link of our own. config: of its first frame, a dict; None: nothing is said."""

    def __init__(self, config=None):
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(LIMIT_S)
        away = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
        self.process = subprocess.Popen([LINK], env={'LC_ALL': 'C'}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        pass_fds=(3,), preexec_fn=lambda: os.dup2(away, 3))
        os.close(away)
        theirs.close()
        self.kept, self.buffer, self.number = [], b'', 0
        if config:
            self.say(b'C', json.dumps(config).encode())

    @property
    def pid(self):
        return self.process.pid

    def say(self, kind, *parts):
        self.sock.sendall(frame(kind, *parts))

    def read(self):
        """The next frame; None: it has ended."""
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack_from('<I', self.buffer)[0]:
            more = self.sock.recv(1 << 20)
            if not more:
                return None
            self.buffer += more
        n = struct.unpack_from('<I', self.buffer)[0]
        body, self.buffer = self.buffer[4:4 + n], self.buffer[4 + n:]
        return parsed(body)

    def wait(self, kind, **wanted):
        """The next frame of this kind with these fields; others are kept for later calls."""
        def fits(f):
            return f.kind == kind and all(getattr(f, k) == v for k, v in wanted.items())
        found = next((f for f in self.kept if fits(f)), None)
        if found:
            self.kept.remove(found)
            return found
        while True:
            f = self.read()
            assert f is not None, (self.kept, self.process.stderr.read())
            if fits(f):
                return f
            self.kept.append(f)

    def state(self, state, side=BUS):
        return self.wait('S', number=side, code=state)

    def publish(self, subject, data=b''):
        self.say(b'P', subject, data)

    def ask(self, kind, *parts):
        """The answer to a request to the store."""
        self.number += 1
        self.say(kind, self.number, *parts)
        return self.wait('A', number=self.number)

    def end(self, close=True):
        """(status, lines of stderr), after its socket is closed, or by itself."""
        if close:
            self.sock.close()
        try:
            _, err = self.process.communicate(timeout=LIMIT_S)
        finally:
            self.sock.close()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        return self.process.returncode, err.decode().splitlines()


def config(port, system, tls=None, store=False, host='127.0.0.1', name='test', ca=None):
    """The first frame. tls: a buslib.Bus, whose certificates the system has; ca: one, where another's CA is believed."""
    def side(is_store):
        cert, key = tls.pem(system, is_store)
        return {'CA': ((ca or tls).folder / 'ca.pem').read_text(), 'Certificate': cert.read_text(), 'Key': key.read_text()}
    doc = {'Servers': ['%s://%s:%d' % ('tls' if tls else 'nats', host, port)], 'Name': name, 'System': system, 'Bus': side(False) if tls else {}}
    if store:
        doc['Store'] = side(True) if tls else {}
    return doc


@contextlib.contextmanager
def link(*args, **more):
    made = Link(config(*args, **more))
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.end()
