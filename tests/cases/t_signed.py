#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The declaration that is signed with a package: what it is told, what it may not ask, and what counts of it when.

Prints TAP.
"""
import subprocess
import sys

from adminlib import ACTOR, run_cases
from forge import Member, archive, package
from tap import ok

SOURCE = ACTOR.replace('    def do_spin', '''    def do_import(self, sender, name):
        import importlib
        try:
            importlib.import_module(name)
            self.send(sender, 'imported')
        except ImportError:
            self.send(sender, 'not there')

    def do_data(self, sender, name):
        import pkgutil
        try:
            self.send(sender, repr(pkgutil.get_data('m', name)))
        except OSError:
            self.send(sender, 'not there')

    def do_spin''')
TOLD = '''{'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo', 'Message': [
    os.getenv('COLOUR'), os.environ.get('PYTHONX'), 'TDS_DATA_DIR' in os.environ, os.path.basename(os.environ.get('TDS_DATA_DIR', '')),
    sys.version_info[:2], sys.executable, os.path.join('a', 'b')]}}}}
'''


def forged(a, name, *members, group=b'foo', version=b'1'):
    path = a.dir / name
    path.write_bytes(package(*archive(Member(b'm/__init__.py'), Member(b'm/a.py', b'VERSION = 1\n' + SOURCE.encode()), *members,
                                      comment=b'tds1 group=%s version=%s' % (group, version)), a.key))
    return path


def alone(a):
    (a.dir / 'signedtli.cfg').write_text('yes\n')


def what_it_is_told(a):
    """The environment of its actors, and the Python that runs them; not what the daemon has besides."""
    a.env.update(COLOUR='red', PYTHONX='secret')
    alone(a)
    a.group('foo', ['1'], TOLD)
    a.must(a.load('foo'))
    told = ['red', None, True, 'foo', sys.version_info[:2], subprocess.getoutput('command -v python3'), 'a/b']

    def message(notes):
        return next((n[-1] for n in notes if isinstance(n[-1], list)), None)

    ok(a.notes.wait(message) == told, 'a declaration is told what its actors see', a.notes.all)
    a.notes.take()
    a.kill_daemon()
    ok(a.notes.wait(message) == told, 'and again when it comes back', a.notes.all)


def what_it_may_not_ask(a):
    a.tli('foo', '{}')
    for text, why in (("{'AutoUnload': os.path.exists('/etc')}", '1:16: call to os.path.exists is not allowed in a package'),
                      ("{'AutoUnload': False and os.path.isdir('/')}", '1:26: call to os.path.isdir is not allowed in a package'),
                      ("{'Health': {'Message':\\n os.getcwd()}}".replace('\\n', '\n'), '2:2: call to os.getcwd is not allowed in a package'),
                      ("{'Health': {'Message': os.path.abspath('x')}}", '1:24: a relative path has no working folder in a package'),
                      ("{'May': ['fly']}", None), ("{'Sandbox': 3}", None), ("{'Actors': 3}", None), ('{', None)):
        forged(a, 'foo-1.tls', Member(b'TDS-INF/foo.tli', text.encode()))
        b = a.load('foo')
        ok(b.status == 1 and b.out == '' and b.err.startswith('tds-load: foo: foo-1.tls: TDS-INF/foo.tli:') and
           (why is None or b.err.endswith('TDS-INF/foo.tli:%s\n' % why)), '%s: refused' % text.replace('\n', ' '), b)
        c = a.run('tds-verify', '-C', a.dir, 'foo-1.tls')
        ok(c.status == 1 and 'TDS-INF/foo.tli:' in c.err, 'and tds-verify says so', c)
    ok(a.loaded('foo') == [], 'nothing is loaded')
    # What is another group's, or nobody's, is no declaration of it.
    forged(a, 'foo-1.tls', Member(b'TDS-INF/bar.tli', b'{'), Member(b'TDS-INF/x', b'{'))
    b = a.load('foo')
    ok(b.status == 0 and b.err == '', 'a file of another name is none', b)


def what_is_no_part_of_the_source(a):
    a.group('foo', ['1'], source=SOURCE)
    forged(a, 'foo-1.tls', Member(b'TDS-INF/foo.tli', b'{}'), Member(b'TDS-INF/sub/__init__.py'), Member(b'TDS-INF/top.py'))
    a.must(a.load('foo'))
    for name in 'TDS-INF', 'TDS-INF.top', 'TDS-INF.sub':
        ok(a.asked('foo', ('import', name)) == 'not there', '%s cannot be imported' % name)
    ok(a.asked('foo', ('data', '../TDS-INF/foo.tli')) == 'not there', 'nor read')
    ok(a.asked('foo', ('import', 'm.a')) == 'imported', 'what is beside it can')


def differences(a):
    """GROUP.tli decides; where what is signed says something else, that is told once, and stands in the event log."""
    a.group('foo', ['1', '2'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}, 'May': ['load:foo']})
    b = a.load('foo-1.tls')
    ok(b.status == 0 and b.err == '', 'what is the same is not told', b)
    a.tli('foo', {'Actors': {'m.a.A': {'OnLoad': {'Role': 'other'}}}, 'May': ['load:foo', 'shutdown']})
    why = 'foo.tli: differs from what is signed with the package: Actors, May'
    b = a.load('foo')
    ok(b.status == 0 and b.err == 'tds-load: foo: warning: %s\n' % why and a.asked('other', ('pid',)) > 0, 'a difference is', b)
    b = a.load('foo')
    ok(b.status == 0 and b.err == '', 'once', b)
    ok([e.get('Warnings') for e in a.events('Loaded')] == [None, [why]], 'and is in the event log', a.events())
    b = a.run('tds-verify', '-C', a.dir, '-q', '-v', 'foo')
    ok(b.err.splitlines()[-1] == '         -  ok      declaration: signed with the package, and foo.tli differs: Actors, May',
       'tds-verify -v tells of it', b)


def alone_it_decides(a):
    a.group('foo', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'signed'}}}})
    a.group('bar', ['1'], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'bar'}}}})
    a.must(a.load('bar'))
    a.tli('foo', '{')
    b = a.load('-n', 'foo')
    ok(b.status == 1, 'GROUP.tli decides', b)
    alone(a)
    b = a.load('foo')
    ok(b.status == 1, 'until a reload', b)
    ok(a.admin('reload').status == 0, 'it counts at a reload')
    b = a.load('-n', 'foo')
    ok(b.status == 0 and b.out.startswith('Would load'), 'the dry run knows it', b)
    a.must(a.load('foo'))
    ok(a.asked('signed', ('pid',)) > 0, 'then what is signed decides, though GROUP.tli is no declaration')
    forged(a, 'foo-2.tls', version=b'2')
    why = 'no declaration is signed with it, and signedtli.cfg wants one'
    for dry in [], ['-n']:
        b = a.load(*dry, 'foo')
        ok(b.status == 1 and b.err == 'tds-load: foo: foo-2.tls: %s\n' % why, 'one that has none is refused %s' % dry, b)
    forged(a, 'foo-3.tls', Member(b'TDS-INF/foo.tli', b"{'Actors': {'m.a.A': {'OnLoad': {'Role': 'bar'}}}}"), version=b'3')
    for dry in ['-n'], []:
        b = a.load(*dry, 'foo')
        ok(b.status == 1 and b.err.endswith('m.a.A: its role bar belongs to group bar\n'), 'its names are held against others %s' % dry, b)
    # What is signed declares no group.
    forged(a, 'new-1.tls', Member(b'TDS-INF/new.tli', b'{}'), group=b'new')
    ok(a.load('new-1.tls').status == 4, 'a package declares no group')
    (a.dir / 'signedtli.cfg').write_text('perhaps\n')
    b = a.admin('reload')
    ok(b.status == 1 and 'signedtli.cfg:1:1: not yes or no' in b.err, 'a file that says nothing is refused', b)
    ok(a.load('foo').status == 1, 'and it stays as it was')


run_cases(what_it_is_told, what_it_may_not_ask, what_is_no_part_of_the_source, differences, alone_it_decides)
