# SPDX-License-Identifier: MIT
"""Names and imports inside a loaded source."""
import unittest

from fakeadmin import HostTest

HASH = '0123456789abcdef0123456789abcdef'
P = '{{%s}}' % HASH

RUN = '''
from thespian.actors import *
import test_probe
class A(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, test_probe.probe(msg))
'''


class Imports(HostTest):
    maxDiff = None

    def probe(self, body, **files):
        """What probe(msg) of module test_probe gives, beside these files (_ stands for /)."""
        members = {'main.py': RUN, 'test_probe.py': body}
        members.update({name.replace('__', '/') + '.py': text for name, text in files.items()})
        members.update({name: text for name, text in self.more.items()})
        actor = self.admin.spawn(self.admin.parent(members, way='zygote'), 'main.A')
        return self.admin.ask(actor, 'go')

    more = {}

    def test_names(self):
        self.more = {'pkg/__init__.py': 'x = 1', 'pkg/sub/__init__.py': '', 'pkg/sub/mod.py': 'class C: pass',
                     'nopkg/mod.py': '', '__init__.py': 'raise SystemExit'}
        self.assertEqual(self.probe('''
def probe(msg):
    import pkg.sub.mod, pkg.sub.mod as m
    from pkg.sub.mod import C
    from pkg import sub
    try:
        import nopkg.mod
        missing = False
    except ImportError:
        missing = True
    return [__name__, __package__, __spec__.origin, pkg.__name__, pkg.__package__, pkg.__path__, m.__name__,
            m.__package__, C.__module__, sub is pkg.sub, missing, __file__]
'''), [P + 'test_probe', '', P, P + 'pkg', P + 'pkg', [], P + 'pkg.sub.mod', P + 'pkg.sub', P + 'pkg.sub.mod', True,
            True, P + '/test_probe.py'])

    def test_kinds_of_import(self):
        self.more = {
            'pkg/__init__.py': 'from . import one\nfrom .two import name as two_name\n__all__ = ["one", "three"]\n',
            'pkg/one.py': 'from . import two\nfrom ..helper import x\n' if False else 'from . import two\nimport helper\n',
            'pkg/two.py': 'from . import one\nname = __name__\n', 'pkg/three.py': 'name = __name__\n',
            'helper.py': 'import circle\nname = __name__\n', 'circle.py': 'import helper\nname = __name__\n'}
        self.assertEqual(self.probe('''
from pkg import *
import helper, circle
def probe(msg):
    import pkg.two as two
    return [one.two is two, three.name, one.helper is helper, helper.circle is circle, circle.helper is helper,
            two.one is one]
'''), [True, P + 'pkg.three', True, True, True, True])

    def test_the_source_wins_and_others_see_none_of_it(self):
        self.more = {'json.py': 'name = "ours"', 'colorsys.py': 'name = "ours too"'}
        self.assertEqual(self.probe('''
import json, colorsys
import logging.config       # imports json? never mind: not ours
def probe(msg):
    import sys, importlib
    real = importlib.import_module('json')
    exec_scope = {}
    exec('import colorsys', exec_scope)
    return [json.name, colorsys.name, hasattr(real, 'loads'), exec_scope['colorsys'] is colorsys,
            eval('__import__("json")').name]
'''), ['ours', 'ours too', True, True, 'ours'])

    def test_the_import_function(self):
        self.more = {'helper.py': '', 'pkg/__init__.py': '', 'pkg/mod.py': ''}
        self.assertEqual(self.probe('''
import builtins
fetched = builtins.__import__
def probe(msg):
    answers = [__import__('helper').__name__, __import__('pkg.mod').__name__,
               fetched('pkg.mod', globals(), locals(), ['mod'], 0).__name__, fetched('json').__name__,
               builtins.__import__('helper', {}, {}).__name__]
    try:
        __import__('nothing_of_this_name')
    except ModuleNotFoundError as error:
        answers.append(str(error))
    for bad in (3, None):
        try:
            __import__(bad)
        except TypeError:
            answers.append('TypeError')
    return answers
'''), [P + 'helper', P + 'pkg', P + 'pkg.mod', 'json', P + 'helper', "No module named 'nothing_of_this_name'",
            'TypeError', 'TypeError'])

    def test_import_module(self):
        self.more = {'helper.py': '', 'pkg/__init__.py': '', 'pkg/mod.py': '''
import thespian.importlib as ti
def names():
    return [ti.import_module('.mod', __package__).__name__, ti.import_module('..helper', 'pkg.x').__name__ if 0 else '',
            ti.import_module('.mod', 'pkg').__name__, ti.import_module('.', 'pkg').__name__]
'''}
        self.assertEqual(self.probe('''
import importlib, sys
from thespian.importlib import import_module
from thespian.local_importlib import import_module as older
import helper, pkg.mod
def probe(msg):
    errors = []
    for args in (('.x',), ('nothing_of_this_name',), ('....x', 'pkg')):
        try:
            import_module(*args)
        except (TypeError, ImportError) as error:
            errors.append(type(error).__name__)
    return [import_module('helper') is helper, older is import_module, import_module('pkg.mod') is pkg.mod,
            import_module('json.decoder').__name__, importlib.import_module('helper') is helper,
            importlib.import_module('.mod', 'pkg') is pkg.mod, helper.__spec__.name, pkg.mod.names(), errors]
'''), [True, True, True, 'json.decoder', True, True, P + 'helper', [P + 'pkg.mod', '', P + 'pkg.mod', P + 'pkg'],
            ['TypeError', 'ModuleNotFoundError', 'ImportError']])

    def test_six_keeps_its_name(self):
        self.more = {'six.py': 'mine = True\nimport helper_of_nobody' if False else 'mine = True\n', 'user.py': 'import six\n'}
        self.assertEqual(self.probe('''
import six, user, sys
def probe(msg):
    return [six.__name__, six.mine, user.six is six, sys.modules['six'] is six]
'''), ['six', True, True, True])

    def test_thespian_is_ours(self):
        self.more = {'thespian/__init__.py': 'fake = True', 'thespian/actors.py': 'fake = True',
                     'thespian/troupe.py': 'fake = True'}
        self.assertEqual(self.probe('''
import sys, thespian, thespian.actors
def probe(msg):
    return [hasattr(thespian, 'fake'), hasattr(thespian.actors, 'fake'), thespian.__name__,
            any('host' in path for path in sys.path)]
'''), [False, False, 'thespian', False])

    def test_the_hosts_modules_are_not_in_the_way(self):
        self.more = {'link.py': 'x = 1', 'parent.py': 'x = 2', 'logs.py': 'x = 3', 'tdshost.py': 'x = 4'}
        self.assertEqual(self.probe('''
import link, parent, logs, tdshost
def probe(msg):
    return [link.x, parent.x, logs.x, tdshost.x]
'''), [1, 2, 3, 4])

    def test_late_imports(self):
        self.more = {'late.py': 'from deep import x', 'deep/__init__.py': 'x = 5'}
        self.assertEqual(self.probe('''
def probe(msg):
    from late import x
    return x
'''), 5)

    def test_data_sources_and_lines(self):
        self.more = {'pkg/__init__.py': '', 'pkg/data.txt': 'data é', 'pkg/sub/more.bin': b'\0\1',
                     'pkg/mod.py': '# -*- coding: latin-1 -*-\nclass C:\n    """Doc."""\n    name = "\xe9"\n'.encode('latin-1')}
        self.assertEqual(self.probe('''
import pkgutil, inspect, traceback, importlib.resources, sys
import pkg.mod
from pkg.mod import C
def fail():
    raise ValueError('here')  # the line
def probe(msg):
    try:
        fail()
    except ValueError:
        text = traceback.format_exc()
    files = importlib.resources.files(pkg) if sys.version_info >= (3, 10) else pkg.__loader__.get_resource_reader('').files()
    return [pkgutil.get_data('pkg', 'data.txt').decode(), pkgutil.get_data(pkg.__name__, 'data.txt').decode(),
            pkgutil.get_data('pkg.mod', 'data.txt').decode(), pkgutil.get_data(pkg.__name__, 'sub/more.bin'), "# the line" in text,
            inspect.getsource(fail), inspect.getsource(C).splitlines()[0], C.name,
            files.joinpath('data.txt').read_text(encoding='utf-8'), (files / 'sub' / 'more.bin').read_bytes(),
            sorted(entry.name for entry in files.iterdir()), files.joinpath('nosuch').is_file()]
'''), ['data é', 'data é', 'data é', b'\0\1', True, "def fail():\n    raise ValueError('here')  # the line\n", 'class C:', 'é',
            'data é', b'\0\1', ['__init__.py', 'data.txt', 'mod.py', 'sub'], False])

    def test_distributions(self):
        self.more = {'pkg/__init__.py': '', 'My_Pkg-1.2.dist-info/METADATA': 'Metadata-Version: 2.1\nName: My.Pkg\nVersion: 1.2\n',
                     'My_Pkg-1.2.dist-info/entry_points.txt': '[tds.plugins]\none = pkg:x\n', 'old-3.egg-info/PKG-INFO': 'Name: old\nVersion: 3\n',
                     'My_Pkg-1.2.dist-info/RECORD': 'pkg/__init__.py,,\nMy_Pkg-1.2.dist-info/METADATA,,\n'}
        self.assertEqual(self.probe('''
import importlib.metadata as metadata, sys
def probe(msg):
    points = metadata.entry_points()
    points = points.select(group='tds.plugins') if hasattr(points, 'select') else points['tds.plugins']
    try:
        missing = metadata.version('tds-no-such-thing')
    except metadata.PackageNotFoundError:
        missing = True
    return [metadata.version('my-pkg'), metadata.version('MY_PKG'), metadata.version('old'), [(p.name, p.value) for p in points], missing,
            [p.read_text() for p in metadata.files('my.pkg') if p.name == 'METADATA'], list(metadata.distributions(path=['/no/such']))]
'''), ['1.2', '1.2', '3', [('one', 'pkg:x')], True, ['Metadata-Version: 2.1\nName: My.Pkg\nVersion: 1.2\n'], []])

    def test_who_looks_for_a_zipimporter(self):
        '''As jinja2's PackageLoader.'''
        self.more = {'pkg/__init__.py': '', 'pkg/templates/a/x.txt': 'text'}
        self.assertEqual(self.probe('''
import importlib.util, os.path, zipimport
def probe(msg):
    importlib.import_module('pkg')
    spec = importlib.util.find_spec('pkg')
    root = os.path.join(next(iter(spec.submodule_search_locations)), 'templates')
    start = root[len(spec.loader.archive):].lstrip(os.sep) + os.sep
    return [isinstance(spec.loader, zipimport.zipimporter), spec.loader.get_data(root + '/a/x.txt'),
            [name for name in spec.loader._files if name.startswith(start)], importlib.util.find_spec('pkg.none')]
'''), [True, b'text', ['pkg/templates/a/x.txt'], None])

    def test_importlib_resources(self):
        self.more = {'pkg/__init__.py': '', 'pkg/data.txt': 'data é'}
        self.assertEqual(self.probe('''
import importlib.resources as resources, sys, warnings
import pkg
def probe(msg):
    warnings.simplefilter('ignore')     # some of it is deprecated
    answers = set()
    for package in (pkg, 'pkg', pkg.__name__):
        with resources.path(package, 'data.txt') as path:
            answers.add((path.read_text('utf-8'), resources.read_text(package, 'data.txt', 'utf-8'),
                         resources.open_binary(package, 'data.txt').read(), resources.is_resource(package, 'data.txt'),
                         tuple(sorted(resources.contents(package)))))
        if sys.version_info >= (3, 10):
            files = resources.files(package)
            assert (files / 'data.txt').open('r', -1, 'utf-8').read() == 'data é'
            with resources.as_file(files / 'data.txt') as path:
                assert path.read_bytes() == (files / 'data.txt').read_bytes()
    return answers
'''), {('data é', 'data é', 'data é'.encode(), True, ('__init__.py', 'data.txt'))})

    def test_data_stays_inside(self):
        self.more = {'pkg/__init__.py': ''}
        self.assertEqual(self.probe('''
import pkg
def probe(msg):
    answers = []
    for path in ('/etc/passwd', '../../../etc/passwd', pkg.__file__ + '/../../../../etc/passwd', '', 'x\\0y'):
        try:
            pkg.__loader__.get_data(path)
            answers.append('read')
        except OSError:
            answers.append('OSError')
    return answers
'''), ['OSError'] * 5)

    def test_objects_of_the_source_between_its_actors(self):
        self.more = {'things.py': 'class Thing:\n    def __init__(self, x):\n        self.x = x\n',
                     'other.py': '''
from thespian.actors import *
from things import Thing
class B(Actor):
    def receiveMessage(self, msg, sender):
        self.send(sender, (isinstance(msg, Thing), msg.x, Thing(2)))
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.send(self.asker, (msg[0], msg[1], isinstance(msg[2], Thing), type(msg[2]).__module__))
        else:
            self.asker = sender
            self.send(self.createActor(B), Thing(1))
'''}
        parent = self.admin.parent(dict(self.more))
        actor = self.admin.spawn(parent, 'other.A')
        self.assertEqual(self.admin.ask(actor, 'go'), (True, 1, True, P + 'things'))

    def test_two_versions_side_by_side(self):
        answers = []
        for number in (1, 2):
            parent = self.admin.parent({'main.py': RUN, 'test_probe.py': 'import lib\ndef probe(msg):\n    return (lib.version, __name__)\n',
                                        'lib.py': 'version = %d\n' % number}, '%032d' % number, way='zygote')
            answers.append(self.admin.ask(self.admin.spawn(parent, 'main.A'), 1))
        self.assertEqual(answers, [(n, '{{%032d}}test_probe' % n) for n in (1, 2)])

    def test_a_class_outside_of_the_source(self):
        actor = self.admin.spawn(self.admin.parent({'main.py': '''
from thespian.actors import *
import thespian.actors
class A(Actor):
    def receiveMessage(self, msg, sender):
        if isinstance(msg, (ChildActorExited, PoisonMessage)):
            self.send(self.asker, type(msg).__name__)
        else:
            self.asker = sender
            self.send(self.createActor(ActorTypeDispatcher), ActorExitRequest())
'''}), 'main.A')
        self.assertEqual(self.admin.ask(actor, 1), 'ChildActorExited')
        self.assertEqual([o for o in self.admin.seen if o[0] == 'spawn-failed'], [])

    def test_compressed_deep_and_odd_members(self):
        self.more = {'a/__init__.py': '', 'a/b/__init__.py': '', 'a/b/c/__init__.py': '', 'a/b/c/d.py': 'x = 7',
                     'a.py': 'x = "file, but the folder counts"', 'we-ird.py': 'x = 8', 'dots.in/__init__.py': 'x = 9',
                     'empty.py': '', 'crlf.py': 'x = 1\r\ny = 2\r\n', 'future.py': 'from __future__ import annotations\nx: nosuch = 3\n'}
        self.assertEqual(self.probe('''
import a.b.c.d, empty, crlf, future
from thespian.importlib import import_module
def probe(msg):
    return [a.b.c.d.x, import_module('we-ird').x, crlf.y, future.x, hasattr(a, 'x')]
'''), [7, 8, 2, 3, False])


if __name__ == '__main__':
    unittest.main()
