# SPDX-License-Identifier: MIT
"""A small admin for tests of the Python host: speaks the protocol, routes messages, keeps what it saw.

One thread; everything happens in pump(), which returns when what a test waits for is there.
"""
import array
import ast
import contextlib
import errno
import fcntl
import io
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = os.environ.get('TDS_HOST') or os.path.join(HERE, '..', '..', 'libexec', 'host')
PYTHON = os.environ.get('TDS_PYTHON') or sys.executable
WAIT = float(os.environ.get('TDS_WAIT') or 20)
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def archive(files):
    """The bytes of a ZIP with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return out.getvalue()


def sealed(data, seals=SEALS):
    """A sealed memory file."""
    fd = os.memfd_create('test', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data) if len(data) < 1 << 20 else [os.write(fd, data[n:n + (1 << 20)])
                                                   for n in range(0, len(data), 1 << 20)]
    while seals:
        try:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
            break
        except OSError as error:
            if error.errno != errno.EBUSY:  # the kernel has a page of it in hand, for a moment
                raise
    return fd


class Ended(Exception):
    """The other end closed its link."""


class Wire:
    """Frames over a socket, in the tests' own words."""

    def __init__(self, sock):
        self.sock = sock
        sock.setblocking(False)
        self.inbox = b''
        self.outbox = []        # (bytes, descriptors)
        self.fds = []
        self.paused = False
        self.reads = 0

    def fileno(self):
        return self.sock.fileno()

    def raw(self, data, fds=()):
        """Send bytes as they are, as soon as they fit."""
        self.outbox.append((data, list(fds)))
        self.flush()

    def frame(self, kind, body, fds=()):
        self.raw(struct.pack('<IB', 1 + len(body), ord(kind)) + body, fds)

    def op(self, fds=(), **op):
        self.frame('C', json.dumps(op).encode(), fds)

    def flush(self):
        while self.outbox:
            data, fds = self.outbox[0]
            try:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
                sent = self.sock.sendmsg([data], ancillary)
            except BlockingIOError:
                return
            except OSError:
                self.outbox.clear()
                return
            for fd in fds:
                os.close(fd)
            self.outbox[0] = (data[sent:], [])
            if sent == len(data):
                self.outbox.pop(0)

    def read(self):
        """(kind, body) of the frames that one read completes. Errors: Ended."""
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(1 << 18, socket.CMSG_SPACE(64))
        except BlockingIOError:
            return []
        except OSError:
            raise Ended from None
        self.reads += 1
        for _, _, content in ancillary:
            self.fds += array.array('i', content[:len(content) // 4 * 4])
        if not data:
            raise Ended
        self.inbox += data
        frames = []
        while len(self.inbox) >= 5:
            size, kind = struct.unpack_from('<IB', self.inbox)
            if len(self.inbox) < 4 + size:
                break
            frames.append((chr(kind), self.inbox[5:4 + size]))
            self.inbox = self.inbox[4 + size:]
        return frames

    def close(self):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class Parent:
    def __init__(self, wire, realm, hash_):
        self.wire, self.realm, self.hash = wire, realm, hash_
        self.pid = 0
        self.alive = True


class ActorProc:
    def __init__(self, ident, parent, wire, creator, name):
        self.id, self.parent, self.realm, self.wire = ident, parent, parent.realm, wire
        self.creator, self.name = creator, name
        self.up, self.dead, self.started = False, False, False
        self.held, self.pid, self.pidfd = [], None, -1     # a pid of 0 would be killed as the group of the test
        self.children = []

    @property
    def text(self):
        return '%d.%d' % (self.realm, self.id)

    def marked(self, sender, enc):
        """The byte of the encoding as it gets it: of those of other realms the one that made it may command it."""
        return enc | (0x80 if sender == 0 or self.creator and self.creator.id == sender else 0)


class Admin:
    """The fake admin. Every wait is for an event, bounded by WAIT."""

    def __init__(self):
        self.parents, self.actors, self.names = {}, {}, {}
        self.poll = select.poll()
        self.by_fd = {}
        self.seen = []          # (what, ...) in the order in which it happened
        self.answers = {}       # of outside endpoints: ref: [(enc, value)]
        self.output = {}        # what came through output pipes, by descriptor: one for a parent and its actors
        self.next_id, self.next_realm, self.next_ref = 1, 1, 1
        self.deadletters = None
        self.direct_after = None  # messages between two after which they get a direct link
        self.counts, self.directs, self.directs_made = {}, set(), 0
        self.ids_size = 100
        self.pids = set()
        self.zygote = None

    # --- processes

    def watch(self, thing, fd, events=select.POLLIN):
        self.by_fd[fd] = thing
        self.poll.register(fd, events)

    def forget(self, fd):
        if self.by_fd.pop(fd, None) is not None:
            self.poll.unregister(fd)

    def pipe(self):
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.output[read] = b''
        self.watch(('pipe', read), read)
        return read, write

    def start_python(self, with_archive=-1):
        """Start a host process; (wire, pid)."""
        ours, theirs = socket.socketpair()
        read, write = self.pipe()
        null = os.open('/dev/null', os.O_RDONLY)
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, 50) for fd in (theirs.fileno(), write, null)]
        actions = [(os.POSIX_SPAWN_DUP2, moved[0], 3), (os.POSIX_SPAWN_DUP2, moved[1], 1),
                   (os.POSIX_SPAWN_DUP2, moved[1], 2), (os.POSIX_SPAWN_DUP2, moved[2], 0)]
        actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in moved]
        if with_archive >= 0:
            moved.append(fcntl.fcntl(with_archive, fcntl.F_DUPFD, 60))
            actions += [(os.POSIX_SPAWN_DUP2, moved[3], 4), (os.POSIX_SPAWN_CLOSE, moved[3])]
        env = dict(os.environ)
        env.pop('PYTHONPATH', None)
        pid = os.posix_spawnp(PYTHON, [PYTHON, '-W', 'error', '-I', HOST], env, file_actions=actions)
        for fd in moved + [write, null]:
            os.close(fd)
        theirs.close()
        self.pids.add(pid)
        return Wire(ours), pid, read

    def parent(self, files, hash_='0123456789abcdef0123456789abcdef', way='fd4', hello=True, **fields):
        """Start a parent of a source made of these files. way: fd4, hello (archive with it), zygote."""
        fd = sealed(archive(files))
        realm, self.next_realm = self.next_realm, self.next_realm + 1
        if way == 'zygote':
            wire, pid, pipe = self.from_zygote()
        else:
            wire, pid, pipe = self.start_python(fd if way == 'fd4' else -1)
        parent = Parent(wire, realm, hash_)
        parent.pid, parent.pipe = pid, pipe
        self.parents[hash_] = parent
        self.watch(('parent', parent), wire.fileno())
        if hello:
            op = dict(op='hello', realm=realm, hash=hash_, admin=os.getpid(), dir='/', maxmessage=256 << 20,
                      capabilities={'Cap': "'yes'"}, log=20)
            if way != 'fd4':
                op['archive'] = True
            op.update(fields)
            wire.op([fd] if way != 'fd4' else (), **op)
        if way == 'fd4' or not hello:
            os.close(fd)
        return parent

    def from_zygote(self):
        if self.zygote is None:
            self.zygote = Parent(*self.start_python()[:1], 0, None)
            self.watch(('parent', self.zygote), self.zygote.wire.fileno())
        ours, theirs = socket.socketpair()
        read, write = self.pipe()
        mark = len(self.seen)
        self.zygote.wire.op([os.dup(theirs.fileno()), write], op='parent', ref=1)
        theirs.close()
        event = self.until('parent-started', since=mark)
        return Wire(ours), event[2]['pid'], read

    def do_import(self, parent, *names):
        """Import; the answer's op."""
        mark = len(self.seen)
        parent.wire.op(op='import', names=list(names))
        return self.until_any(('imported', 'import-failed'), since=mark)[2]

    def spawn(self, parent, class_, name=None, creator=None, requirements=None, ident=None, wait=True):
        """Have an actor spawned; with wait, until it is up (or failed)."""
        if ident is None:
            ident, self.next_id = self.next_id, self.next_id + 1
        ours, theirs = socket.socketpair()
        actor = ActorProc(ident, parent, Wire(ours), creator, name)
        actor.pipe = parent.pipe
        self.actors[ident] = actor
        self.watch(('actor', actor), ours.fileno())
        parent.wire.op([os.dup(theirs.fileno())], op='spawn', id=ident, requirements=requirements,
                       name=name, parent=creator.text if creator and not name else None,
                       **{'class': class_})
        theirs.close()
        if wait:
            self.pump(lambda: (actor.up and actor.started) or actor.dead)
        return actor

    def block(self):
        first, self.next_id = self.next_id, self.next_id + self.ids_size
        return list(range(first, self.next_id))

    # --- the loop

    def pump(self, done, wait=None):
        """Handle what comes until done() is true. Fails the test after WAIT seconds."""
        deadline = time.monotonic() + (WAIT if wait is None else wait)
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError('waited in vain; seen: %r; output: %r'
                                     % (self.seen[-12:], b''.join(self.output.values())[-3000:]))
            blocked = [w for w in self.wires() if w.outbox]
            for wire in blocked:
                if wire.fileno() in self.by_fd:
                    self.poll.modify(wire.fileno(), select.POLLIN | select.POLLOUT)
            for fd, event in self.poll.poll(min(left, 0.5) * 1000):
                thing = self.by_fd.get(fd)
                if thing is not None:
                    self.handle(thing, fd, event)
            for wire in blocked:
                if wire.fileno() in self.by_fd:
                    self.poll.modify(wire.fileno(), select.POLLIN)

    def wires(self):
        return ([p.wire for p in self.parents.values() if p.alive]
                + [a.wire for a in self.actors.values() if not a.dead])

    def handle(self, thing, fd, event):
        kind, what = thing
        if kind == 'pipe':
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                return
            self.output[fd] += data
            if not data:
                self.forget(fd)
                os.close(fd)
        elif kind == 'pidfd':
            self.forget(fd)
            os.close(fd)
            what.pidfd = -1
            self.drain(what)
            self.gone(what)
        elif kind == 'parent':
            if event & select.POLLOUT:
                what.wire.flush()
            try:
                for frame in what.wire.read():
                    self.from_parent(what, *frame)
            except Ended:
                what.alive = False
                self.forget(fd)
                self.seen.append(('parent-end', what))
        elif kind == 'actor':
            if event & select.POLLOUT:
                what.wire.flush()
            if what.wire.paused:
                return
            try:
                for frame in what.wire.read():
                    self.from_actor(what, *frame)
            except Ended:
                self.forget(fd)

    def drain(self, actor):
        try:
            while True:
                frames = actor.wire.read()
                if not frames:
                    break
                for frame in frames:
                    self.from_actor(actor, *frame)
        except Ended:
            pass

    def from_parent(self, parent, kind, body):
        op = json.loads(body)
        self.seen.append((op['op'], parent, op))
        if op['op'] in ('spawned', 'parent-started'):
            self.pids.add(op['pid'])
            if op['op'] == 'spawned':
                actor = self.actors[op['id']]
                actor.pid, actor.started = op['pid'], True
                with contextlib.suppress(ProcessLookupError):  # then `gone` is on its way
                    actor.pidfd = os.pidfd_open(op['pid'])
                    self.watch(('pidfd', actor), actor.pidfd)
            else:
                os.close(parent.wire.fds.pop(0))
        elif op['op'] == 'gone' and op['id'] in self.actors and self.actors[op['id']].pidfd < 0:
            self.drain(self.actors[op['id']])
            self.gone(self.actors[op['id']])
        elif op['op'] == 'spawn-failed':
            actor = self.actors[op['id']]
            actor.failed = op
            for sender, realm, enc, payload in actor.held:
                if sender in self.actors:
                    self.actors[sender].wire.frame('R', struct.pack('<QB', actor.id, enc) + payload)
            actor.held = []
            self.gone(actor)

    def gone(self, actor):
        if actor.dead:
            return
        actor.dead = True
        self.forget(actor.wire.fileno())
        actor.wire.close()
        if actor.name:
            self.names.pop(actor.name, None)
        self.seen.append(('exit', actor.id))
        for pair in [pair for pair in self.directs if actor.id in pair]:
            self.directs.discard(pair)
            peer = self.actors[min(pair - {actor.id})]
            if not peer.dead:
                peer.wire.op(op='unlinked', **{'from': actor.id})
        for message in actor.held:
            self.dead_letter(actor, *message)
        actor.held = []
        creator = actor.creator
        if creator and not creator.dead:
            creator.wire.op(op='exited', address=actor.text, never=not actor.up, system=bool(actor.name))

    def dead_letter(self, target, sender, realm, enc, payload):
        handler = self.deadletters
        self.seen.append(('dead', target.id, sender))
        if handler and not handler.dead and handler is not target:
            handler.wire.frame('D', struct.pack('<QIQIB', target.id, target.realm, sender, realm, enc) + payload)

    def from_actor(self, actor, kind, body):
        if kind == 'M':
            to, enc = struct.unpack_from('<QB', body)
            self.route(actor.id, actor.realm, to, enc, body[9:])
        elif kind == 'F':
            to, enc, size = struct.unpack_from('<QBQ', body)
            fd = actor.wire.fds.pop(0)
            target = self.actors.get(to)
            if target is None:
                with os.fdopen(fd, 'rb') as stream:
                    stream.seek(0)
                    self.outside(to, enc, stream.read())
            elif target.dead:
                os.close(fd)
            else:
                target.wire.frame('F', struct.pack('<QIBQ', actor.id, actor.realm, enc, size), [fd])
        elif kind == 'C':
            op = json.loads(body)
            self.seen.append((op['op'], actor.id, op))
            getattr(self, 'on_' + op['op'], lambda *a: None)(actor, op)
        else:
            raise AssertionError('frame of type %r from an actor' % kind)

    def route(self, sender, realm, to, enc, payload):
        target = self.actors.get(to)
        if target is None:
            self.outside(to, enc, payload)
        elif target.dead:
            self.dead_letter(target, sender, realm, enc, payload)
        elif not target.up:
            target.held.append((sender, realm, enc, payload))
        else:
            target.wire.frame('M', struct.pack('<QIB', sender, realm, target.marked(sender, enc)) + payload)
            self.maybe_direct(sender, to)

    def maybe_direct(self, sender, to):
        if self.direct_after is None or sender == 0 or sender not in self.actors:
            return
        pair = frozenset((sender, to))
        self.counts[pair] = self.counts.get(pair, 0) + 1
        if self.counts[pair] >= self.direct_after and pair not in self.directs and len(pair) == 2:
            self.directs.add(pair)
            self.directs_made += 1
            ends = socket.socketpair()
            for end, (one, other) in zip(ends, ((sender, to), (to, sender))):
                self.actors[one].wire.op([os.dup(end.fileno())], op='direct', address=self.actors[other].text,
                                         commands=self.actors[one].marked(other, 0) != 0)
                end.close()

    def outside(self, to, enc, payload):
        if chr(enc) in 'pt':
            return      # to an actor that never was
        self.answers.setdefault(to, []).append((chr(enc), ast.literal_eval(payload.decode())))

    def on_up(self, actor, op):
        actor.up = True
        for message in actor.held:
            sender, realm, enc, payload = message
            actor.wire.frame('M', struct.pack('<QIB', sender, realm, actor.marked(sender, enc)) + payload)
        actor.held = []

    def on_create(self, actor, op):
        parent = actor.parent if op['hash'] is None else self.parents.get(op['hash'])
        if op['name'] and op['name'] in self.names:
            child = self.names[op['name']]
            actor.wire.op(op='named', ref=op['ref'], address=child.text)
            return
        if parent is None:
            actor.wire.op(op='named', ref=op['ref'], address='%d.%d' % (actor.realm, op['id']))
            actor.wire.op(op='exited', address='%d.%d' % (actor.realm, op['id']), never=True)
            return
        child = self.spawn(parent, op['class'], name=op['name'], creator=actor,
                           requirements=op['requirements'], ident=op['id'], wait=False)
        if op['name']:
            self.names[op['name']] = child
        if op.get('ref') is not None:
            actor.wire.op(op='named', ref=op['ref'], address=child.text)

    def on_ids(self, actor, op):
        actor.wire.op(op='ids', ids=self.block())

    def on_deadletters(self, actor, op):
        if op['on']:
            self.deadletters = actor
        elif self.deadletters is actor:
            self.deadletters = None

    def on_linked(self, actor, op):
        self.actors[op['to']].wire.op(op=op['op'], **{'from': actor.id})

    on_switched = on_linked

    # --- what tests say

    def until_any(self, names, since=0, wait=None):
        """The first event of one of these kinds."""
        def find():
            return next((event for event in self.seen[since:] if event[0] in names), None)
        self.pump(lambda: find() is not None, wait)
        return find()

    def until(self, name, since=0, wait=None):
        return self.until_any((name,), since, wait)

    def ask(self, actor, value, enc='l', wait=None):
        """The value of the first answer, as (enc, value) unless it is a plain one."""
        ref = self.tell(actor, value, enc)
        self.pump(lambda: self.answers.get(ref), wait)
        kind, answer = self.answers[ref][0]
        return answer if kind == 'l' else (kind, answer)

    def new_ref(self):
        self.next_ref += 1
        return 1000000 + self.next_ref

    def tell(self, actor, value, enc='l', ref=None):
        ref = self.new_ref() if ref is None else ref
        actor.wire.op(op='ask', ref=ref, enc=enc, text=value if enc == 'j' else repr(value))
        return ref

    def message(self, actor, value):
        """Send a message of the system; how it ended."""
        ref = '%032x' % self.new_ref()
        actor.wire.op(op='message', ref=ref, enc='l', text=repr(value))
        self.pump(lambda: any(e[0] == 'done' and e[2]['ref'] == ref for e in self.seen))
        return next(e[2] for e in self.seen if e[0] == 'done' and e[2]['ref'] == ref)

    def kill(self, actor, signum):
        """Send a signal to an actor, once its parent has said which process that is (0 would be us all)."""
        self.pump(lambda: actor.pid)
        os.kill(actor.pid, signum)

    def until_dead(self, actor):
        self.pump(lambda: actor.dead)

    def logs(self, actor):
        return [e[2] for e in self.seen if e[0] == 'log' and e[1] == actor.id]

    def close(self):
        """End every process that was started."""
        for actor in self.actors.values():
            if actor.pidfd >= 0:
                try:
                    signal.pidfd_send_signal(actor.pidfd, signal.SIGKILL)
                except (ProcessLookupError, OSError):
                    pass
                os.close(actor.pidfd)
            if not actor.dead:
                actor.wire.close()
        for parent in list(self.parents.values()) + ([self.zygote] if self.zygote else []):
            parent.wire.close()
        for fd in list(self.output):
            if self.by_fd.get(fd, ' ')[0] == 'pipe':
                os.close(fd)
        for pid in self.pids:
            try:
                os.waitpid(pid, 0)      # ours end with their links
            except ChildProcessError:
                pass


class HostTest(unittest.TestCase):
    """A test with an admin of its own."""

    def setUp(self):
        self.admin = Admin()
        self.addCleanup(self.admin.close)

    def actor(self, source, class_='mod.A', **named):
        """An actor of a source of one module `mod`, with the names of thespian.actors in it."""
        files = named.pop('files', {})
        files = dict({'mod.py': 'from thespian.actors import *\n' + source}, **files)
        way = named.pop('way', 'fd4')
        parent = self.admin.parent(files, way=way, **named)
        return self.admin.spawn(parent, class_)
