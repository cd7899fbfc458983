# SPDX-License-Identifier: MIT
"""The rooms of the host: who imports whom."""
import ast
import os
import unittest

from fakeadmin import HOST

# From below to above; a room imports itself and those before it. What programs import stands above all.
ROOMS = ['tdshost.failure', 'tdshost.words', 'tdshost.wire', 'tdshost.source', 'tdshost.actor',
         'tdshost.inprocess', 'tdshost.forkserver', 'tdshost.program', 'thespian']


def modules():
    """(dotted name, path) of each file of the host."""
    for folder, _, names in os.walk(HOST):
        for name in names:
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                dotted = os.path.relpath(path, HOST)[:-3].replace(os.sep, '.')
                yield dotted[:-len('.__init__')] if dotted.endswith('.__init__') else dotted, path


def room(dotted):
    """How high a module's room is: the place in ROOMS; above all what is in none."""
    return next((n for n, name in enumerate(ROOMS) if (dotted + '.').startswith(name + '.')), len(ROOMS))


class Rooms(unittest.TestCase):
    """Imports within functions count as well."""

    def setUp(self):
        self.names = dict(modules())
        self.imports = {name: self.imported(path) for name, path in self.names.items()}

    def imported(self, path):
        """The host's modules that a file imports."""
        found = set()
        with open(path, encoding='utf-8') as stream:
            for node in ast.walk(ast.parse(stream.read())):
                if isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    within = ['%s.%s' % (node.module, alias.name) for alias in node.names]
                    found.update(name if name in self.names else node.module for name in within)
        return found & set(self.names)

    def test_nothing_imports_upwards(self):
        for name, imported in self.imports.items():
            for other in imported:
                self.assertLessEqual(room(other), room(name), '%s imports %s' % (name, other))

    def test_no_circle(self):
        left = dict(self.imports)
        while left:
            free = [name for name, imported in left.items() if not imported & set(left)]
            self.assertTrue(free, 'they import each other, or hang on such: %s' % sorted(left))
            for name in free:
                del left[name]
