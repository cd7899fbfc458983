# SPDX-License-Identifier: MIT
"""The links: every op of the parent, input that breaks the grammar, descriptors, processes."""
import json
import os
import select
import signal
import socket
import struct
import unittest

from fakeadmin import SEALS, HostTest, archive, sealed

HASH = '0123456789abcdef0123456789abcdef'
ECHO = '''
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, msg)
'''
FORBIDDEN = '''
class B(Actor):
    pass
'''


class Ops(HostTest):
    def test_import(self):
        parent = self.admin.parent({'mod.py': ECHO, 'two.py': ECHO + '\nclass B(Actor): pass\n',
                                    'none.py': 'import mod\nfrom mod import A\n', 'bad.py': 'x = (\n',
                                    'needs.py': 'import nothing_of_this_name\n', 'ends.py': 'import sys; sys.exit(4)\n',
                                    'pkg/__init__.py': '', 'pkg/deep.py': ECHO})
        answer = self.admin.do_import(parent, 'mod.A', 'mod', 'pkg.deep')
        self.assertEqual(answer['classes'], {'mod.A': 'mod.A', 'mod': 'mod.A', 'pkg.deep': 'pkg.deep.A'})
        for name, kind, error in (
                ('two', 'class', 'module two defines several actor classes: A, B'),
                ('none', 'class', 'module none defines no actor class'),
                ('mod.X', 'class', 'module mod has no class X'),
                ('mod.Actor.x', 'import', "ModuleNotFoundError: No module named '{{%s}}mod.Actor'" % HASH),
                ('mod.__name__', 'class', 'module mod has no class __name__'),
                ('', 'class', ' does not name a module and a class'),
                ('.', 'class', '. does not name a module and a class'),
                ('needs.A', 'import', "needs.py:1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
                ('ends.A', 'import', 'ends.py:1: SystemExit: 4')):
            with self.subTest(name):
                answer = self.admin.do_import(parent, 'mod', name)
                self.assertEqual(answer['op'], 'import-failed')
                if name != 'mod.Actor.x':
                    self.assertEqual((answer['name'], answer['kind'], answer['error']), (name, kind, error))
                else:
                    self.assertEqual(answer['kind'], kind)
        answer = self.admin.do_import(parent, 'bad')
        self.assertIn('SyntaxError', answer['error'])
        answer = self.admin.do_import(parent, 'needs')
        self.assertTrue(answer['traceback'].splitlines()[1].lstrip().startswith('File "{{%s}}/needs.py", line 1' % HASH))

    def test_bye_waits_for_the_children(self):
        parent = self.admin.parent({'mod.py': ECHO})
        actor = self.admin.spawn(parent, 'mod.A')
        parent.wire.op(op='bye')
        self.assertEqual(self.admin.ask(actor, 1), 1)
        self.assertTrue(parent.alive)
        actor.wire.op(op='exit', recursive=True)
        self.admin.until('parent-end')
        pid, status = os.waitpid(parent.pid, 0)
        self.assertEqual(status, 0)

    def test_bye_without_children(self):
        parent = self.admin.parent({'mod.py': ECHO})
        parent.wire.op(op='bye')
        self.admin.until('parent-end')

    def test_ways_to_begin(self):
        for number, way in enumerate(('fd4', 'hello', 'zygote')):
            with self.subTest(way):
                parent = self.admin.parent({'mod.py': ECHO}, '%032x' % number, way=way)
                actor = self.admin.spawn(parent, 'mod.A')
                self.assertEqual(self.admin.ask(actor, 'hi'), 'hi')

    def test_of_another_admin_it_ends(self):
        parent = self.admin.parent({'mod.py': ECHO}, admin=1)
        self.admin.until('parent-end')
        self.assertEqual(os.waitpid(parent.pid, 0)[1], 0)

    def test_unknown_ops_are_ignored(self):
        parent = self.admin.parent({'mod.py': ECHO})
        parent.wire.op(op='dance', ids=7)
        actor = self.admin.spawn(parent, 'mod.A')
        for name in ('dance', '__init__', 'run', 'address', 'é'):
            actor.wire.op(op=name, text=1)
        self.assertEqual(self.admin.ask(actor, 1), 1)

    def test_exit_status_is_told(self):
        parent = self.admin.parent({'mod.py': ECHO})
        actor = self.admin.spawn(parent, 'mod.A')
        self.admin.kill(actor, signal.SIGKILL)
        self.assertEqual(self.admin.until('gone')[2], {'op': 'gone', 'id': actor.id, 'pid': actor.pid, 'status': -9})

    def test_archive_that_is_none(self):
        for data, seals in ((b'no zip', SEALS), (archive({'mod.py': ECHO}), 0), (b'', SEALS)):
            with self.subTest(data=data[:10], seals=seals):
                wire, pid, _ = self.admin.start_python()
                parent = self.track(wire, pid)
                fd = sealed(data, seals)
                wire.op([fd], op='hello', realm=1, hash=HASH, admin=os.getpid(), archive=True)
                self.assertIn('archive', self.admin.until('import-failed', since=self.mark)[2]['error'])
                self.admin.until('parent-end', since=self.mark)

    def track(self, wire, pid):
        from fakeadmin import Parent
        parent = Parent(wire, 1, HASH)
        parent.pid = pid
        self.mark = len(self.admin.seen)
        self.admin.parents[str(pid)] = parent
        self.admin.watch(('parent', parent), wire.fileno())
        return parent

    def test_an_end_of_the_link_ends_the_parent_and_its_actors(self):
        parent = self.admin.parent({'mod.py': ECHO})
        actor = self.admin.spawn(parent, 'mod.A')
        actor.wire.paused = True
        self.admin.forget(parent.wire.fileno())
        parent.wire.close()
        self.admin.until_dead(actor)

    def test_killing_the_parent_kills_its_actors(self):
        for way in ('fd4', 'zygote'):
            with self.subTest(way):
                parent = self.admin.parent({'mod.py': ECHO}, '%032d' % len(way), way=way)
                actor = self.admin.spawn(parent, 'mod.A')
                os.kill(parent.pid, signal.SIGKILL)
                self.admin.until_dead(actor)

    def test_killing_the_waiting_host_kills_what_it_forked(self):
        parent = self.admin.parent({'mod.py': ECHO}, way='zygote')
        actor = self.admin.spawn(parent, 'mod.A')
        pid = next(p for p in self.admin.pids if p not in (parent.pid, actor.pid))
        os.kill(pid, signal.SIGKILL)
        self.admin.until_dead(actor)

    def test_descriptors_of_an_actor(self):
        actor = self.admin.spawn(self.admin.parent({'mod.py': '''
import os
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, sorted((int(fd), os.get_inheritable(int(fd)), os.readlink('/proc/self/fd/' + fd)) for fd in os.listdir('/proc/self/fd')
                                 if os.path.exists('/proc/self/fd/' + fd)))
'''}), 'mod.A')
        fds = self.admin.ask(actor, 1)
        self.assertEqual([fd[:2] for fd in fds[:3]], [(0, True), (1, True), (2, True)])
        # Beside what this test itself was started with: the wakeup pipe, the link, the archive.
        own = [kind.partition(':')[0] for _, inheritable, kind in fds[3:] if not inheritable]
        self.assertEqual(sorted(own), ['/memfd', 'pipe', 'pipe', 'socket'])

    def test_a_parent_reaps_orphans(self):
        actor = self.admin.spawn(self.admin.parent({'mod.py': '''
import os, signal
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        read, write = os.pipe()
        if not os.fork():
            if not os.fork():
                os.close(read)
                os.write(write, b'%d' % os.getpid())
                signal.pause()
            os._exit(0)
        os.wait()
        os.close(write)
        orphan = int(os.read(read, 20))
        with open('/proc/self/task/%d/children' % os.getpid()) as stream:
            mine = stream.read()
        with open('/proc/%d/task/%d/children' % (os.getppid(), os.getppid())) as stream:
            theirs = [int(pid) for pid in stream.read().split()]
        os.kill(orphan, signal.SIGKILL)
        os.read(read, 1)
        self.send(sender, (mine, orphan in theirs))
'''}), 'mod.A')
        self.assertEqual(self.admin.ask(actor, 1), ('', True))


class ForkedAhead(HostTest):
    """The child that waits for the next spawn is no other than one forked at the spawn would be."""

    FILES = {'mod.py': 'SEEN = []\n' + ECHO.replace('msg)', '(os.getpid(), SEEN, dict(self.capabilities)))')
             .replace('class A(Actor):', 'import os\nclass A(Actor):\n    def __init__(self, capabilities):\n'
                      '        self.capabilities = {k: v for k, v in capabilities.items() if k == "Cap"}'),
             'other.py': 'import mod\nmod.SEEN.append("other")\n' + ECHO,
             'asks.py': ECHO + """
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        import mod
        mod.SEEN.append("asked")
        return True
"""}

    def setUp(self):
        super().setUp()
        self.parent = self.admin.parent(self.FILES)
        self.first = self.admin.spawn(self.parent, 'mod.A')
        self.known = {self.first.pid}
        self.ahead = self.next_ahead()

    def children(self):
        with open('/proc/%d/task/%d/children' % (self.parent.pid, self.parent.pid)) as f:
            return {int(pid) for pid in f.read().split()}

    def next_ahead(self):
        """Wait for a child that is nobody's process yet."""
        self.admin.pump(lambda: self.children() - self.known)
        return (self.children() - self.known).pop()

    def spawned(self, class_='mod.A'):
        actor = self.admin.spawn(self.parent, class_)
        self.known.add(actor.pid)
        return actor

    def test_it_is_the_next_actor(self):
        actor = self.spawned()
        self.assertEqual(actor.pid, self.ahead)
        self.assertEqual(self.admin.ask(actor, 1), (actor.pid, [], {'Cap': 'yes'}))

    def test_code_that_ran_in_the_parent_since_is_seen(self):
        for class_, seen in ('other.A', ['other']), ('asks.A', ['other', 'asked']):
            self.assertNotEqual(self.spawned(class_).pid, self.ahead)
            self.assertNotIn(self.ahead, self.children())
            self.ahead = self.next_ahead()
            self.assertEqual(self.admin.ask(self.spawned(), 1)[1], seen)
            self.ahead = self.next_ahead()
        self.parent.wire.op(op='capabilities', capabilities={'Cap': "'new'"})
        actor = self.spawned()
        self.assertEqual(self.admin.ask(actor, 1), (actor.pid, ['other', 'asked'], {'Cap': 'new'}))

    def test_one_that_was_killed_is_no_loss(self):
        os.kill(self.ahead, signal.SIGKILL)
        self.admin.pump(lambda: self.ahead not in self.children())
        self.assertEqual(self.admin.ask(self.spawned(), 1)[1], [])

    def test_it_goes_where_nobody_needs_it_and_with_the_parent(self):
        self.admin.pump(lambda: self.children() == self.known)
        self.spawned()
        pidfd = os.pidfd_open(self.next_ahead())
        self.addCleanup(os.close, pidfd)
        os.kill(self.parent.pid, signal.SIGKILL)
        self.assertEqual(select.select([pidfd], [], [], 20)[0], [pidfd])


class FreshInterpreter(HostTest):
    SOURCE = '''
import threading, os
threading.Thread(target=threading.Event().wait, daemon=True).start()
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            return
        self.send(sender, (msg, __name__, len(os.listdir('/proc/self/task')),
                           sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:4]))
class Bad(Actor):
    def __init__(self):
        raise ValueError('bad')
'''

    def test_where_imports_start_threads(self):
        for number, way in enumerate(('fd4', 'hello', 'zygote')):
            with self.subTest(way):
                parent = self.admin.parent({'mod.py': self.SOURCE}, '%032x' % number, way=way)
                actor = self.admin.spawn(parent, 'mod.A')
                self.assertEqual(self.admin.ask(actor, 1), (1, '{{%032x}}mod' % number, 2, [0, 1, 2, 3]))
                with open('/proc/%d/cmdline' % actor.pid) as stream:
                    self.assertIn('--actor', stream.read())
                self.admin.kill(actor, signal.SIGTERM)
                self.admin.until_dead(actor)
        actor = self.admin.spawn(parent, 'mod.Bad')
        self.assertEqual(self.admin.until('failed')[2]['error'], 'mod.py:13: ValueError: bad')
        actor = self.admin.spawn(parent, 'mod.A')
        os.kill(parent.pid, signal.SIGKILL)
        self.admin.until_dead(actor)


def control(**op):
    body = json.dumps(op).encode()
    return struct.pack('<IB', 1 + len(body), ord('C')) + body


BAD = {
    'length 0': struct.pack('<IB', 0, 0),
    'length too large': struct.pack('<IB', (1 << 20) + 1, ord('C')),
    'length 2^32-1': struct.pack('<IB', 0xffffffff, ord('M')) + b'x' * 100,
    'garbage': bytes(range(255, 200, -1)),
    'text': b'GET / HTTP/1.0\r\n\r\n',
    'unknown type': struct.pack('<IB', 5, ord('Q')) + b'1234',
    'no JSON': struct.pack('<IB', 5, ord('C')) + b'1234',
    'JSON but no op': struct.pack('<IB', 5, ord('C')) + b'[  ]',
    'op is no text': control(op=7),
    'JSON nested deeply': struct.pack('<IB', 100001, ord('C')) + b'[' * 100000,
    'not UTF-8': struct.pack('<IB', 5, ord('C')) + b'\xff\xfe\xfd\xfc',
}
BAD_FOR_ACTORS = {
    'short M': struct.pack('<IB', 5, ord('M')) + b'1234',
    'short D': struct.pack('<IB', 20, ord('D')) + b'1' * 19,
    'short R': struct.pack('<IB', 2, ord('R')) + b'1',
    'F without its file': struct.pack('<IBQIBQ', 22, ord('F'), 1, 0, ord('l'), 5),
    'ask without text': control(op='ask', ref=1, enc='l'),
    'ask with a bad ref': control(op='ask', ref='x', enc='l', text='1'),
    'ask with a bad enc': control(op='ask', ref=1, enc='ll', text='1'),
    'message without ref': control(op='message', enc='l', text='1'),
    'ids that are none': control(op='ids', ids=['one']),
    'exited without address': control(op='exited'),
    'exited with a bad address': control(op='exited', address='x'),
    'direct without descriptor': control(op='direct', address='1.2'),
    'named without ref': control(op='named', address='1.2'),
    'capabilities that are none': control(op='capabilities', capabilities='import os'),
}
BAD_FOR_PARENTS = {
    'a message': struct.pack('<IBQIB', 15, ord('M'), 1, 0, ord('l')) + b'1',
    'spawn without descriptors': control(op='spawn', id=1, **{'class': 'mod.A'}),
    'a second hello': control(op='hello', realm=1, hash=HASH),
    'import without names': control(op='import'),
    'parent after hello, without descriptors': control(op='parent', ref=1),
}


class Grammar(HostTest):
    def test_actors_end_at_bad_frames(self):
        parent = self.admin.parent({'mod.py': ECHO})
        for name, data in list(BAD.items()) + list(BAD_FOR_ACTORS.items()):
            with self.subTest(name):
                actor = self.admin.spawn(parent, 'mod.A')
                actor.wire.raw(data)
                self.admin.until_dead(actor)
                self.admin.pump(lambda: b'the admin sent' in self.admin.output[actor.pipe])
                self.assertNotIn(b'Traceback', self.admin.output[actor.pipe])
        self.assertTrue(parent.alive)

    def test_parents_end_at_bad_frames(self):
        for name, data in list(BAD.items()) + list(BAD_FOR_PARENTS.items()):
            with self.subTest(name):
                parent = self.admin.parent({'mod.py': ECHO}, '%032x' % abs(hash(name)), way='zygote')
                mark = len(self.admin.seen)
                parent.wire.raw(data)
                self.admin.until('parent-end', since=mark)
        text = b''.join(self.admin.output.values())
        self.assertIn(b'the admin sent', text)
        self.assertNotIn(b'Traceback', text)

    def test_frames_in_pieces(self):
        actor = self.admin.spawn(self.admin.parent({'mod.py': ECHO}), 'mod.A')
        data = control(op='ask', ref=9, enc='l', text='[%s]' % ', '.join(map(str, range(50)))) * 3
        for n in range(0, len(data), 7):
            actor.wire.raw(data[n:n + 7])
        self.admin.pump(lambda: len(self.admin.answers.get(9, ())) == 3)
        self.assertEqual(self.admin.answers[9], [('l', list(range(50)))] * 3)

    def test_files_that_are_not_what_they_say(self):
        parent = self.admin.parent({'mod.py': ECHO})
        for name, data, seals, size in (('not sealed', b"'x'", 0, 3), ('of another size', b"'x'", SEALS, 4),
                                        ('empty', b'', SEALS, 0)):
            with self.subTest(name):
                actor = self.admin.spawn(parent, 'mod.A')
                actor.wire.frame('F', struct.pack('<QIBQ', 5, 0, ord('l'), size), [sealed(data, seals)])
                self.admin.until_dead(actor)

    def test_a_pipe_instead_of_a_file(self):
        actor = self.admin.spawn(self.admin.parent({'mod.py': ECHO}), 'mod.A')
        ours, theirs = socket.socketpair()
        actor.wire.frame('F', struct.pack('<QIBQ', 5, 0, ord('l'), 9), [theirs.detach()])
        self.admin.until_dead(actor)
        ours.close()

    def test_large_messages_from_the_outside_and_dead_or_returned_ones(self):
        actor = self.admin.spawn(self.admin.parent({'mod.py': '''
from thespian.actors import *
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, DeadEnvelope):
            msg = ('dead', str(msg.deadAddress), msg.deadMessage)
        elif isinstance(msg, PoisonMessage):
            msg = ('poison', msg.poisonMessage, msg.details)
        self.send(ActorAddress('0.88'), msg)
'''}), 'mod.A')
        text = repr('x' * 300000).encode()
        letter = ord('l')
        actor.wire.frame('F', struct.pack('<QIBQ', 88, 0, letter, len(text)), [sealed(text)])
        actor.wire.frame('D', struct.pack('<QIQIB', 5, 2, 6, 0, letter) + b'7')
        actor.wire.frame('E', struct.pack('<QIQIBQ', 5, 2, 6, 0, letter, 3), [sealed(b'777')])
        actor.wire.frame('D', struct.pack('<QIQIB', 5, 2, 6, 2, ord('p')) + b'cos\nsystem\n')
        actor.wire.frame('R', struct.pack('<QB', 5, letter) + b'8')
        actor.wire.frame('S', struct.pack('<QBQ', 5, letter, 3), [sealed(b'888')])
        self.admin.pump(lambda: len(self.admin.answers.get(88, ())) == 6)
        self.assertEqual([a for _, a in self.admin.answers[88]], [
            'x' * 300000, ('dead', 'ActorAddr-2.5', 7), ('dead', 'ActorAddr-2.5', 777),
            ('dead', 'ActorAddr-2.5', '(a message of 11 bytes, within another source)'),
            ('poison', 8, 'Child Aborted'), ('poison', 888, 'Child Aborted')])


if __name__ == '__main__':
    unittest.main()
