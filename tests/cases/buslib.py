# SPDX-License-Identifier: MIT
"""A real nats-server on loopback, told what tds-admin convention init writes, and clients that speak its lines themselves.

A client is as hostile as a test wants it to be: it sends what it is told to. What the server has done with everything
before is known at flush(): it answers a PING after that, and what it has for this client comes before.
"""
import contextlib
import json
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from tap import LIMIT_S, run

SERVER = shutil.which('nats-server', path='/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin')
STORE_DIR = '/var/lib/nats'  # in the configuration: where a test has a folder of its own


def free_port():
    """A port of loopback that nobody has, of those that no client is given."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(('127.0.0.1', port))
            return port


class Bus:
    """A convention's folder, and a server of its bus that runs.

    base: a folder of the test's own. systems, options: of the first init."""

    def __init__(self, base, *systems, options=(), change=lambda text: text):
        self.base, self.change, self.port = pathlib.Path(base), change, free_port()
        self.folder = self.base / 'convention'
        self.init(*systems, '--bus=127.0.0.1:%d' % self.port, *options)
        self.place = self.base / 'etc'
        self.place.mkdir()
        self.process = None

    def convention(self, *args):
        answer = run('tds-admin', 'convention', *args, '--folder=%s' % self.folder)
        if answer.status != 0:
            raise AssertionError('convention %r: %r' % (args, answer))
        return answer.out.decode()

    def init(self, *args):
        return self.convention('init', *args)

    def copy(self):
        """What goes to the machine of the server."""
        for path in (self.folder / 'server').iterdir():
            shutil.copy(path, self.place)
        conf = self.place / 'nats-server.conf'
        text = conf.read_text()
        assert text.count(STORE_DIR) == 1
        conf.write_text(self.change(text.replace(STORE_DIR, str(self.base / 'store'))))

    def start(self):
        self.copy()
        self.process = subprocess.Popen([SERVER, '-c', 'nats-server.conf'], cwd=self.place, stderr=subprocess.PIPE, text=True)
        self.said, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for('Server is ready')
        return self

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.said.append(line)
                self.changed.notify_all()
        with self.changed:
            self.said.append('END')
            self.changed.notify_all()

    def wait_for(self, text, start=0):
        """Until the server says it; the number of lines that it has said then."""
        with self.changed:
            def found():
                return next((i for i in range(start, len(self.said)) if text in self.said[i] or self.said[i] == 'END'), None)
            assert self.changed.wait_for(lambda: found() is not None, LIMIT_S), 'never said: ' + text
            at = found()
            assert text in self.said[at], ''.join(self.said[-5:])
            return at + 1

    def reload(self, said='Reloaded server configuration'):
        with self.changed:
            start = len(self.said)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(said, start)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stderr.close()

    def pem(self, system, store=False):
        """(certificate, key) of a system, as paths."""
        folder, name = self.folder / 'systems' / system, 'store' if store else 'system'
        return folder / (name + '.pem'), folder / (name + '.key')

    def client(self, system, store=False, **connect):
        return Client(self.port, self.folder / 'ca.pem', self.pem(system, store), **connect)


@contextlib.contextmanager
def bus(base, *systems, **more):
    b = Bus(base, *systems, **more)
    try:
        yield b.start()
    finally:
        b.stop()


class Plain:
    """A server without TLS and permissions, with JetStream, which can be killed and started anew.

    base: a folder, made where it is not there. text: more of its configuration."""

    def __init__(self, base, text=''):
        base.mkdir(exist_ok=True)
        self.port, self.process = free_port(), None
        self.conf = base / 'plain.conf'
        self.conf.write_text('listen: "127.0.0.1:%d"\njetstream { store_dir: "%s" }\n%s' % (self.port, base / 'store', text))

    def start(self):
        self.process = subprocess.Popen([SERVER, '-c', str(self.conf)], stderr=subprocess.PIPE, text=True)
        said = next((line for line in self.process.stderr if 'Server is ready' in line), None)
        assert said, 'the server ended'
        self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.reader.start()
        return self

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stderr.close()
            self.process = None

    def client(self):
        return Client(self.port, None, None)


@contextlib.contextmanager
def plain(base, **more):
    server = Plain(base, **more)
    try:
        yield server.start()
    finally:
        server.kill()


class Refused(Exception):
    """The server lets this client not in, or not any more."""


class Client:
    """A client that speaks the protocol's lines. pem None: without a certificate; ca None: without TLS."""

    def __init__(self, port, ca, pem, **connect):
        self.messages, self.errors, self.sid = [], [], 0
        self.sock = socket.create_connection(('127.0.0.1', port), LIMIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile('rb')
        try:
            self.info = json.loads(self.line().partition(b' ')[2])
            if ca:
                self.sock = context(ca, pem).wrap_socket(self.sock, server_hostname='127.0.0.1')
                self.file = self.sock.makefile('rb')
            self.lines('CONNECT ' + json.dumps(dict({'verbose': False, 'pedantic': False, 'headers': True}, **connect)))
            self.flush()
        except (OSError, ssl.SSLError, Refused) as error:
            self.close()
            raise Refused(*self.errors, error)
        if self.errors:
            self.close()
            raise Refused(*self.errors)

    def close(self):
        self.file.close()
        self.sock.close()

    def line(self):
        line = self.file.readline()
        if not line:
            raise Refused('it hung up')
        return line.rstrip(b'\r\n')

    def lines(self, *lines):
        self.sock.sendall(b''.join((x if isinstance(x, bytes) else x.encode()) + b'\r\n' for x in lines))

    def pub(self, subject, data=b'', reply='', headers=None):
        if headers is None:
            self.lines('PUB %s %s %d' % (subject, reply, len(data)), data)
        else:
            head = b'NATS/1.0\r\n' + b''.join(b'%s: %s\r\n' % h for h in headers.items()) + b'\r\n'
            self.lines('HPUB %s %s %d %d' % (subject, reply, len(head), len(head) + len(data)), head + data)

    def sub(self, subject, queue=''):
        self.sid += 1
        self.lines('SUB %s %s %d' % (subject, queue, self.sid))

    def flush(self):
        """Until the server has done all that was sent; what it had for this client is in messages and errors then."""
        self.lines('PING')
        while True:
            line = self.line()
            word = line.split(b' ')[0].upper()
            if word == b'PONG':
                return self
            if word == b'PING':
                self.lines('PONG')
            elif word == b'-ERR':
                self.errors.append(line.decode())
            elif word in (b'MSG', b'HMSG'):
                self.take(line.split())

    def take(self, words):
        """MSG SUBJECT SID [REPLY] LENGTH, HMSG SUBJECT SID [REPLY] HEADERS LENGTH: kept as (subject, bytes)."""
        data = self.file.read(int(words[-1]) + 2)[:-2]
        self.messages.append((words[1].decode(), data[int(words[-2]) if words[0] == b'HMSG' else 0:]))

    def taken(self):
        """What has come since the last time, once the server has done all that was sent here."""
        self.flush()
        got, self.messages = self.messages, []
        return got

    def ask(self, subject, data=b''):
        """The answer of JetStream, for who has a right to it."""
        self.sub('_INBOX.test')
        self.pub(subject, data, '_INBOX.test')
        end = len(self.messages)
        while len(self.messages) == end:
            self.flush()
        self.lines('UNSUB %d' % self.sid)
        return json.loads(self.messages.pop()[1])


def context(ca, pem):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(ca)
    if pem:
        tls.load_cert_chain(*pem)
    return tls


def let_in(*args, **connect):
    """Is a client let in? What it was told else."""
    try:
        client = Client(*args, **connect)
    except Refused as error:
        return '', error.args
    client.close()
    return 'in', ()


def laxer(text):
    """The configuration without what it is there for: one account for all, with JetStream, and no permissions."""
    text = re.sub(r', permissions: \{.*?\} \} \}', ' }', text, flags=re.S)
    text = re.sub(r' \]\n  \}\n.*?STORE \{\n.*?users: \[\n', '', text, flags=re.S)
    return text.replace('BUS {', 'BUS {\n    jetstream: enabled')
