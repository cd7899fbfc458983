# SPDX-License-Identifier: MIT
"""A host that knows nothing but tds-protocol(7): its actors answer what they get, and obey a few words.

It shares no code with the host of tds, so that the page is held to be enough.
"""
import array
import contextlib
import ctypes
import json
import operator
import os
import select
import signal
import socket
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None)


class Link:
    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)
        self.rest, self.fds = b'', []

    def frames(self):
        data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64))
        for _, _, content in ancillary:
            self.fds += array.array('i', content)
        if not data:
            os._exit(0)
        self.rest += data
        while len(self.rest) >= 4 and len(self.rest) >= 4 + (size := struct.unpack_from('<I', self.rest)[0]):
            frame, self.rest = self.rest[4:4 + size], self.rest[4 + size:]
            yield chr(frame[0]), frame[1:]

    def send(self, kind, body, *fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        frame = struct.pack('<IB', 1 + len(body), ord(kind)) + body
        self.socket.sendall(frame[self.socket.sendmsg([frame], rights):])

    def op(self, op, *fds, **fields):
        self.send('C', json.dumps(dict(fields, op=op)).encode(), *fds)


class Actor:
    def __init__(self, fd):
        self.link = Link(fd)
        self.link.op('up')
        self.ids, self.later = iter(()), []

    def run(self):
        while True:
            came, self.later = self.later or list(self.link.frames()), []
            for kind, body in came:
                getattr(self, 'take_' + kind)(body)

    def next_id(self):
        """An id for a child. The answer to who asks for more comes behind what was sent before."""
        while (found := next(self.ids, None)) is None:
            self.link.op('ids')
            while not self.find_ids(self.link.frames()):
                pass
        return found

    def find_ids(self, frames):
        for kind, body in frames:
            if kind == 'C' and json.loads(body)['op'] == 'ids':
                self.ids = iter(json.loads(body)['ids'])
            else:
                self.later.append((kind, body))
        return operator.length_hint(self.ids) > 0

    def take_C(self, body):
        op = json.loads(body)
        if op['op'] == 'exit':
            os._exit(0)
        elif op['op'] == 'message':
            self.link.op('done', ref=op['ref'], ok=op['text'] != "'fail'", error='told to fail')
        else:
            self.link.op('log', text=json.dumps(op))

    def take_M(self, body):
        sender, realm, enc = struct.unpack_from('<QIB', body)
        payload = body[13:]
        word = payload.decode().strip("'")
        if hasattr(self, 'do_' + word):
            getattr(self, 'do_' + word)(sender)
        if realm == 0 and sender:
            self.answer(sender, 'got %s %s' % (chr(enc & 0x7f), payload.decode()))
        else:
            self.link.op('log', text='from %d.%d: %s %s' % (realm, sender, chr(enc & 0x7f), payload.decode()))

    def take_F(self, body):
        sender, _, enc, size = struct.unpack('<QIBQ', body)
        fd = self.link.fds.pop(0)
        self.answer(sender, 'got %s of %d bytes' % (chr(enc & 0x7f), size if os.fstat(fd).st_size == size else -1))
        os.close(fd)

    def take_R(self, body):
        self.link.op('log', text='back from %d: %s %s' % (*struct.unpack_from('<QB', body), body[9:].decode()))

    def take_D(self, body):
        self.link.op('log', text='dead letter: %s' % body[25:].decode())

    def answer(self, to, value):
        self.link.send('M', struct.pack('<QB', to, ord('l')) + repr(value).encode())

    # What it is told to do.

    def do_child(self, _):
        child = self.next_id()
        self.link.op('create', id=child, **{'class': 'k'})
        self.link.send('M', struct.pack('<QB', child, ord('t')) + b'{"~tuple":[1]}')

    def do_named(self, _):
        self.link.op('create', id=self.next_id(), ref=5, name='the other', **{'class': 'k'})

    def do_elsewhere(self, _):
        self.link.op('create', id=self.next_id(), ref=6, hash='00', **{'class': 'k'})

    def do_hopeless(self, _):
        child = self.next_id()
        self.link.op('create', id=child, **{'class': 'nothing'})
        self.link.send('M', struct.pack('<QB', child, ord('t')) + b'"hello"')

    def do_dead(self, _):
        self.link.op('deadletters', on=True)
        self.link.send('M', struct.pack('<QB', 1 << 40, ord('t')) + b'"lost"')

    def do_surplus(self, _):
        for _ in range(1000):
            self.link.op('what', 0, 0)

    # What the grammar forbids. The answer is on its way before.

    def do_long(self, sender):
        self.answer(sender, 'on my way')
        self.link.send('M', struct.pack('<QB', sender, ord('l')) + b'1' * 65537)

    def do_unsealed(self, sender):
        self.answer(sender, 'on my way')
        fd = os.memfd_create('x', os.MFD_ALLOW_SEALING)
        os.write(fd, b'1' * 70000)
        self.link.send('F', struct.pack('<QBQ', sender, ord('l'), 70000), fd)

    def do_empty(self, sender):
        self.answer(sender, 'on my way')
        self.link.socket.sendall(bytes(4))


class Process:
    """One that obeys the ops of a link."""

    def __init__(self, fd):
        self.link = Link(fd)
        self.ids = {}  # of children that are actors, by pid
        signals, self.wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.wakeup)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.signals = signals

    def run(self):
        while True:
            ready = select.select([self.link.socket, self.signals], [], [])[0]
            if self.signals in ready:
                os.read(self.signals, 512)
                self.reap()
            for _, body in self.link.frames() if self.link.socket in ready else ():
                op = json.loads(body)
                getattr(self, op['op'])(op)

    def reap(self):
        with contextlib.suppress(ChildProcessError):
            while (child := os.waitpid(-1, os.WNOHANG))[0]:
                if (ident := self.ids.pop(child[0], None)) is not None:
                    self.link.op('gone', id=ident, status=os.waitstatus_to_exitcode(child[1]))

    def fork(self):
        """The pid, or 0 in the child, which ends with this process."""
        us = os.getpid()
        pid = os.fork()
        if pid == 0:
            libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
            if os.getppid() != us:
                os._exit(1)
            signal.set_wakeup_fd(-1)
            for fd in self.link.socket.detach(), self.signals, self.wakeup:
                os.close(fd)
        return pid


class First(Process):
    def parent(self, op):
        fd, output = self.link.fds.pop(0), self.link.fds.pop(0)
        pid = self.fork()
        if pid == 0:
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            os.setsid()
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            Parent(fd).run()
        pidfd = os.pidfd_open(pid)
        self.link.op('parent-started', pidfd, pid=pid, ref=op['ref'])
        for each in fd, output, pidfd:
            os.close(each)


class Parent(Process):

    def become(self, op):
        os.environb.clear()
        os.environb.update(text.encode('latin-1').split(b'=', 1) for text in op['env'])
        if op['user']:
            uid, gid = op['user']
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def hello(self, op):
        self.archive = self.link.fds.pop(0)

    def bye(self, op):
        try:
            while True:
                pid, status = os.wait()
                if pid in self.ids:
                    self.link.op('gone', id=self.ids.pop(pid), status=os.waitstatus_to_exitcode(status))
        except ChildProcessError:
            os._exit(0)

    def kill(self, op):
        for pid, ident in self.ids.items():
            if ident == op['id']:
                os.kill(pid, signal.SIGKILL)

    def spawn(self, op):
        fd = self.link.fds.pop(0)
        if op['class'] == 'nothing':
            self.link.op('spawn-failed', id=op['id'], kind='import', error='there is nothing')
        elif (pid := self.fork()) == 0:
            os.close(self.archive)
            Actor(fd).run()
        else:
            self.ids[pid] = op['id']
            self.link.op('spawned', pid=pid, id=op['id'])
        os.close(fd)


# `import` is no name for a method.
setattr(Parent, 'import', lambda self, op: self.link.op('imported', classes={name: name for name in op['names']}))
signal.pthread_sigmask(signal.SIG_SETMASK, ())  # it has no handlers to wait for
sys.exit(First(3).run())
