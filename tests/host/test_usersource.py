# SPDX-License-Identifier: MIT
"""Sources that actors bring: what they ask of the admin, what an authority answers, what they are told."""
import hashlib
import os

from fakeadmin import HostTest, archive, sealed

ACTOR = '''
class A(ActorTypeDispatcher):
    def receiveMsg_tuple(self, msg, sender):
        self.asker = sender
        if msg[0] == 'load':
            self.send(sender, self.loadActorSource(msg[1]))
        elif msg[0] == 'file':
            class Stream:
                closed = False
                def read(self):
                    return b'bytes'
                def close(self):
                    self.closed = True
            stream = Stream()
            self.send(sender, (self.loadActorSource(stream), stream.closed))
        elif msg[0] == 'too large':
            try:
                self.loadActorSource(msg[1])
            except ValueError as error:
                self.send(sender, str(error))
        elif msg[0] == 'answer':
            self.send(self.system, ValidatedSource(self.hash, msg[1], msg[2]))
    def receiveMsg_ValidateSource(self, msg, sender):
        self.hash, self.system = msg.sourceHash, sender
        self.send(self.asker, (msg.sourceHash, msg.sourceData, msg.sourceInfo, str(sender)))
    def receiveMsg_LoadedSource(self, msg, sender):
        self.send(self.asker, ('loaded', msg.sourceHash, msg.sourceInfo, str(sender)))
    def receiveMsg_UnloadedSource(self, msg, sender):
        self.send(self.asker, ('unloaded', msg.sourceHash, msg.sourceInfo))
'''


class UserSources(HostTest):
    def taken(self, actor, op, mark):
        """The op, and the bytes of the memory file that came with it (None: none)."""
        fields = self.admin.until(op, since=mark)[2]
        if not actor.wire.fds:
            return fields, None
        fd = actor.wire.fds.pop(0)
        data = os.pread(fd, os.fstat(fd).st_size, 0)
        os.close(fd)
        return fields, data

    def test_load(self):
        actor = self.actor(ACTOR)
        mark = len(self.admin.seen)
        md5 = hashlib.md5(b'bytes').hexdigest()
        self.assertEqual(self.admin.ask(actor, ('file',)), (md5, True))
        fields, data = self.taken(actor, 'load', mark)
        self.assertEqual((fields['hash'], data), (md5, b'bytes'))
        mark = len(self.admin.seen)
        self.assertEqual(len(self.admin.ask(actor, ('load', __file__))), 32)
        self.assertEqual(self.taken(actor, 'load', mark)[0]['info'], __file__)
        self.assertEqual(self.admin.ask(actor, ('load', '/dev/null')), hashlib.md5(b'').hexdigest())

    def test_too_large(self):
        parent = self.admin.parent({'mod.py': 'from thespian.actors import *\n' + ACTOR}, maxmessage=1000)
        actor = self.admin.spawn(parent, 'mod.A')
        self.assertIn('too large', self.admin.ask(actor, ('too large', __file__)))

    def test_authority(self):
        actor = self.actor(ACTOR)
        good = archive({'x.py': ''})
        for data in (good, b''):
            ref = self.admin.tell(actor, ('nothing',))
            actor.wire.op([sealed(data)], op='validate', hash='a' * 32, info='/x')
            self.admin.pump(lambda: self.admin.answers.get(ref))
            self.assertEqual(self.admin.answers[ref][0][1], ('a' * 32, data, '/x', 'ActorAddr-/ActorSys'))
        for answer, wanted in ((good, True), (None, False), (b'', False), (b'no archive', False), (17, False)):
            mark = len(self.admin.seen)
            self.admin.tell(actor, ('answer', answer, ['any', 'info']))
            fields, data = self.taken(actor, 'validated', mark)
            self.assertEqual((fields['archive'], data, fields['info']),
                             (wanted, good if wanted else None, "['any', 'info']"))

    def test_notices(self):
        actor = self.actor(ACTOR)
        ref = self.admin.tell(actor, ('nothing',))
        actor.wire.op(op='source', hash='b' * 32, info='/x', loaded=True)
        actor.wire.op(op='source', hash='b' * 32, info='/x', loaded=False)
        self.admin.pump(lambda: len(self.admin.answers.get(ref, ())) == 2)
        self.assertEqual([value for _, value in self.admin.answers[ref]],
                         [('loaded', 'b' * 32, '/x', 'ActorAddr-/ActorSys'), ('unloaded', 'b' * 32, '/x')])

    def test_what_breaks_the_grammar_ends_it(self):
        for n, op in enumerate(({'op': 'source', 'hash': 'x'}, {'op': 'validate', 'hash': 'x', 'info': ''})):
            actor = self.actor(ACTOR, hash_='%032x' % n)
            actor.wire.op(**op)
            self.admin.until_dead(actor)
