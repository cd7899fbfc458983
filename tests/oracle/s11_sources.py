# SPDX-License-Identifier: MIT
"""Loading sources: the flow with an authority, names and imports inside a source."""
import hashlib
import io
import os
import zipfile

from thespian.actors import *

from play import ANY, SECONDS, kind, program, raised

PACKED = {
    'foo.py': '''
from __future__ import annotations
from thespian.actors import *
import helper
import pack.sub as other
from pack import VALUE


class Foo(Actor):
    def receiveMessage(self, msg, sender):
        if msg == 'where':
            self.send(sender, [m.__name__.replace(HASH, 'H') for m in (helper, other)] + [VALUE])
        elif msg == 'name':
            self.send(sender, (__name__.replace(HASH, 'H'), __package__, Foo.__module__.replace(HASH, 'H')))
        elif msg == 'late':
            import late
            self.send(sender, late.TEXT)
        elif msg == 'child':
            self.asker = sender
            self.send(self.createActor('foo.Foo'), 'to the child')
        elif msg == 'to the child':
            self.send(sender, 'from the child')
        elif msg == 'from the child':
            self.send(self.asker, msg)
        elif msg == 'builtin':
            self.send(sender, (__import__('helper') is helper, __import__('json').__name__))


HASH = __name__[2:34]
''',
    'helper.py': 'import foo\nVALUE = 1\n',
    'late.py': 'TEXT = "imported late"\n',
    'pack/__init__.py': 'from .sub import VALUE\nfrom . import sub\n',
    'pack/sub.py': 'import helper\nVALUE = "of the package"\n',
    'broken.py': 'def :\n',
}


def packed(**more):
    """A ZIP archive of the source, and more files of it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, 'w') as archive:
        for name, text in dict(PACKED, **more).items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


def written(data, name='source.zip'):
    path = os.path.join(os.environ['TDS_PLAY_FOLDER'], name)
    with open(path, 'wb') as f:
        f.write(data)
    return path


class Authority(Actor):
    """Lets everything pass; what begins with `no` it refuses."""
    def receiveMessage(self, msg, sender):
        if msg == 'register':
            self.registerSourceAuthority()
            self.notifyOnSourceAvailability(True)
            self.seen = []
            self.send(sender, 'registered')
        elif isinstance(msg, ValidateSource):
            data = None if msg.sourceData.startswith(b'no') else msg.sourceData
            self.send(sender, ValidatedSource(msg.sourceHash, data, 'info'))
        elif isinstance(msg, (LoadedSource, UnloadedSource)):
            self.seen.append((kind(msg), str(msg.sourceInfo)))
        elif msg == 'seen?':
            self.send(sender, self.seen)


def authority(asys):
    actor = asys.createActor(Authority)
    asys.ask(actor, 'register', SECONDS)
    asys.listen(0.3)  # it answers before the system knows
    return actor


@program(ANY)
def without_an_authority(asys):
    data = packed()
    print(asys.loadActorSource(written(data)) == hashlib.md5(data).hexdigest())
    print(raised(asys.createActor, 'foo.Foo', sourceHash=hashlib.md5(data).hexdigest()))
    print(raised(asys.loadActorSource, '/no/such/file') in ('FileNotFoundError', 'OSError'))


@program('tcp udp simple')
def loaded(asys):
    who = authority(asys)
    name = asys.loadActorSource(written(packed()))
    actor = asys.createActor('foo.Foo', sourceHash=name)
    for question in ('where', 'name', 'late', 'child', 'builtin'):
        print(asys.ask(actor, question, SECONDS))
    asys.unloadActorSource(name)
    print(asys.ask(actor, 'where', SECONDS))
    asys.listen(0.3)
    print(raised(asys.createActor, 'foo.Foo', sourceHash=name))
    print(asys.ask(who, 'seen?', SECONDS))


@program('tcp udp simple')
def refused(asys):
    authority(asys)
    name = asys.loadActorSource(written(b'no source'))
    print(raised(asys.createActor, 'foo.Foo', sourceHash=name))


@program('tcp simple')
def two_versions(asys):
    authority(asys)
    one = asys.loadActorSource(written(packed()))
    two = asys.loadActorSource(written(packed(**{'late.py': 'TEXT = "of the second"\n'}), 'second.zip'))
    for name in (one, two, one):
        print(asys.ask(asys.createActor('foo.Foo', sourceHash=name), 'late', SECONDS))
    print(one != two)


@program('tcp simple')
def not_in_the_source(asys):
    authority(asys)
    name = asys.loadActorSource(written(packed()))
    for wanted in ('nothing.Foo', 'broken.Foo', 'foo.Nothing'):
        print(wanted, raised(asys.createActor, wanted, sourceHash=name))


@program('tcp simple')
def an_open_file(asys):
    """What can be read is read, and closed."""
    authority(asys)
    stream = io.BytesIO(packed())
    name = asys.loadActorSource(stream)
    print(stream.closed, asys.ask(asys.createActor('foo.Foo', sourceHash=name), 'late', SECONDS))


class Loader(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, str):
            name = self.loadActorSource(msg)
            self.asker = sender
            self.send(self.createActor('foo.Foo', sourceHash=name), 'late')
        elif isinstance(msg, tuple):
            self.unloadActorSource(msg[0])
        elif not isinstance(msg, ActorSystemMessage):
            self.send(self.asker, msg)


class Passing(Loader):
    """Passes on what the actor of the source says."""
    def receiveMessage(self, msg, sender):
        if msg == 'imported late':
            self.send(self.asker, msg)
        else:
            super().receiveMessage(msg, sender)


@program('tcp simple')
def loaded_by_an_actor(asys):
    authority(asys)
    print(asys.ask(asys.createActor(Passing), written(packed()), SECONDS))
