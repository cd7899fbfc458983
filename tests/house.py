#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prove the order of the rooms (tests/rooms) from includes, objects and imports, and measure the code. Prints TAP.

usage: tests/house.py [--root FOLDER] [--objects FOLDER]

Includes and objects tell of C who uses whom, imports tell it of the Python host: an arrow from file to file for each.
An arrow goes to the same room or to one below, and no arrows make a circle of files. What is measured are the lines
between the braces of a function in C, those of a function's body without its docstring in Python, and all lines of a
file; a file may have more than it should where the comment or docstring that it begins with says "long because ...".
Ends with 1 where something is not as it should be.
"""
import argparse
import ast
import collections
import itertools
import os
import pathlib
import re
import subprocess
import sys

CODE = 'bin', 'include', 'libcommon', 'libexec', 'libtds'
INCLUDE = 'include', 'libcommon', 'libexec'  # the compiler's -I
HOST = 'libexec/host'             # what the host's own imports start from
VARIANTS = 'plain', 'asan', 'clang'

MEDIAN, NINTH, LONGEST = 9, 20, 50  # lines of functions in C: the median, the 90th percentile, the most
FILE_LINES = 500                    # more needs a head that says "long because ..."
LONG = re.compile(r'\blong because\b', re.I)

KNOWN = re.compile(r'(\S+) (?:-> (\S+)|(is long|has no room|is not there)): (\S.*)')
INCLUDED = re.compile(r'^#\s*include\s+"([^"]+)"', re.M)
ARCHIVES = 'libcommon', 'libexec/daemon'  # each linked from a library, which lets a second definition pass
NOT_BUILT = 'an object is missing or older than its source: make'


class Known:
    """One line of what is known to be wrong; used: something needed it."""

    def __init__(self, number, a, b, kind):
        self.number, self.a, self.b, self.kind, self.used = number, a, b, kind or '->', False

    def fits(self, kind, a, b=None):
        return kind == self.kind and within(a, self.a) and (b is None or within(b, self.b))


def within(path, place):
    """Is it the place, with or without its suffix, or below it?"""
    return place in (path, os.path.splitext(path)[0]) or path.startswith(place + '/')


class Rooms:
    """The order, as tests/rooms has it: below[room] is every room that it may use."""

    def __init__(self, root):
        self.root, self.below, self.known, self.words, self.errors = root, collections.defaultdict(set), [], {}, []
        for number, line in logical_lines((root / 'tests/rooms').read_text()):
            word, known = re.fullmatch(r'not (\S+): (\S.*)', line), KNOWN.fullmatch(line)
            if word:
                self.words[word[1]] = word[2]
            elif known:
                self.known.append(Known(number, known[1], known[2], known[3]))
            elif ' > ' in line:
                self.add([self.level(x) for x in line.split(' > ')])
            else:
                self.errors.append('tests/rooms:%d: not understood: %s' % (number, line))
        self.close()

    def level(self, text):
        """The rooms of one level; where a name has a star, those that there are."""
        for name in (x.strip() for x in text.split(',')):
            if '*' in name:
                yield from (str(p.relative_to(self.root)) for p in self.root.glob(name) if p.is_dir() or p.suffix == '.c')
            else:
                yield name

    def add(self, levels):
        levels = [list(x) for x in levels]
        for above, below in zip(levels, levels[1:] + [[]]):
            for room in above:
                self.below[room].update(below)

    def close(self):
        """What is below what is below is below; a room below itself, or one that is not there, is an error."""
        for middle, room, last in itertools.product(list(self.below), repeat=3):
            if middle in self.below[room] and last in self.below[middle]:
                self.below[room].add(last)
        self.errors += ['%s is below itself' % x for x in self.below if x in self.below[x]]
        self.errors += ['%s is not there' % x for x in self.below
                        if not any((self.root / (x + s)).exists() for s in ('', '.py')) and not self.is_known('is not there', x)]

    def of(self, path):
        """The room of a file; None: it is in none. A folder that has rooms in it is one for its own files alone."""
        for place in [path, re.sub(r'\.py$', '', path), *map(str, pathlib.PurePosixPath(path).parents)]:
            if place in self.below:
                nested = place != os.path.dirname(path) and any(x.startswith(place + '/') for x in self.below)
                return None if nested else place
        return None

    def allow(self, a, b):
        """May a use b? What has no room is told elsewhere."""
        above, below = self.of(a), self.of(b)
        return None in (above, below) or above == below or below in self.below[above]

    def is_known(self, kind, a, b=None):
        fitting = [k for k in self.known if k.fits(kind, a, b)]
        for k in fitting:
            k.used = True
        return bool(fitting)


def logical_lines(text):
    """Lines with their numbers, without comments; one that begins with a blank goes on with the one before."""
    number, whole = 0, ''
    for n, line in enumerate(text.splitlines() + ['end'], 1):
        if line[:1] == '#' or not line.strip():
            continue
        if line[0].isspace():
            whole += ' ' + line.strip()
            continue
        if whole:
            yield number, whole
        number, whole = n, line.strip()


class Arrows:
    """Who uses whom: file -> file -> the names that tie them."""

    def __init__(self):
        self.names = collections.defaultdict(lambda: collections.defaultdict(set))

    def add(self, a, b, name):
        if a != b:
            self.names[a][b].add(name)

    def all(self):
        return [(a, b) for a in sorted(self.names) for b in sorted(self.names[a])]

    def show(self, a, b):
        names = sorted(self.names[a][b])
        return '%s -> %s: %s' % (a, b, ', '.join(names[:6]) + (' and %d more' % (len(names) - 6) if names[6:] else ''))

    def circles(self):
        """The strongly connected components of more than one file, by Tarjan's algorithm."""
        index, low, stack, found = {}, {}, [], []

        def visit(a):
            index[a] = low[a] = len(index)
            stack.append(a)
            for b in sorted(self.names.get(a, ())):
                if b not in index:
                    visit(b)
                if b in stack:
                    low[a] = min(low[a], low[b])
            if low[a] == index[a]:
                at = stack.index(a)
                found.append(set(stack[at:]))
                del stack[at:]

        for a in sorted(self.names):
            if a not in index:
                visit(a)
        return [x for x in found if len(x) > 1]

    def inside(self, circles):
        return {(a, b) for a, b in self.all() if any(a in c and b in c for c in circles)}


class House:
    """The code below a folder, and what is wrong with it."""

    def __init__(self, root, objects):
        self.root, self.rooms, self.count, self.failed = root, Rooms(root), 0, 0
        self.texts = {p: (root / p).read_text() for p in find_code(root)}
        self.c = [p for p in self.texts if p.endswith('.c')]
        self.python = {p: ast.parse(t, p) for p, t in self.texts.items() if p.endswith('.py')}
        self.objects = objects or find_objects(root, self.c)

    def ok(self, what, wrong):
        """One result, with what is wrong, one a line."""
        self.count += 1
        self.failed += bool(wrong)
        print('%sok %d - %s' % ('not ' if wrong else '', self.count, what), *('#   ' + x for x in wrong), sep='\n')

    def run(self):
        self.ok('tests/rooms is an order', self.rooms.errors)
        self.ok('every file is in a room', list(self.without_room()))
        arrows, wrong = includes(self.texts)
        self.ok('an include says the room, or is of the same folder', wrong)
        self.check('includes', arrows)
        arrows, wrong = uses(self.root, self.objects, self.c)
        self.ok('every file in C is built, and defines what no other of its library does', wrong)
        self.check('objects', arrows)
        self.check('imports', imports({p: t for p, t in self.python.items() if within(p, HOST)}))
        self.measure()
        self.ok('no word that was replaced', list(self.old_words()))
        self.ok('what tests/rooms knows to be wrong is so', [
            'tests/rooms:%d: nothing needs it any more: take it out' % k.number for k in self.rooms.known if not k.used])
        print('1..%d' % self.count)
        return 1 if self.failed else 0

    def without_room(self):
        """Files in no room. The __init__.py of a folder of rooms is nobody's, unless somebody makes it one."""
        for path in self.texts:
            folder, name = os.path.split(path)
            holds_rooms = any(x.startswith(folder + '/') for x in self.rooms.below)
            if path in self.python and (not within(path, HOST) or name == '__init__.py' and holds_rooms):
                continue
            if self.rooms.of(path) is None and not self.rooms.is_known('has no room', path):
                yield path

    def check(self, what, arrows):
        """The order and the circles, without what is known."""
        inside = arrows.inside(arrows.circles())
        up = {(a, b) for a, b in arrows.all() if not self.rooms.allow(a, b)}
        for a, b in sorted(inside | up):
            if self.rooms.is_known('->', a, b):
                del arrows.names[a][b]
                up.discard((a, b))
        self.ok('%s: from above to below' % what, [arrows.show(a, b) for a, b in sorted(up)])
        wrong = []
        for circle in arrows.circles():
            wrong.append('a circle of %d files' % len(circle))
            wrong += ['  ' + arrows.show(a, b) for a, b in sorted(arrows.inside([circle]))]
        self.ok('%s: no circle of files' % what, wrong)

    def measure(self):
        lengths = [(n, '%s:%s' % (p, name)) for p, t in self.texts.items() if p not in self.python
                   for name, n in c_functions(t)]
        sizes = sorted(n for n, _ in lengths) or [0]
        for what, part, most in ('the median', .5, MEDIAN), ('the 90th percentile', .9, NINTH):
            n = sizes[int(len(sizes) * part)]
            self.ok('functions in C: %s is %d lines, at most %d' % (what, n, most), ['it is %d' % n] if n > most else [])
        lengths += [(n, '%s:%s' % (p, name)) for p, t in self.python.items() for name, n in python_functions(t)]
        self.ok('no function over %d lines' % LONGEST, self.too_long(lengths, LONGEST))
        self.ok('no file over %d lines without a head that says "long because"' % FILE_LINES, self.too_long(
            [(t.count('\n'), p) for p, t in self.texts.items() if not LONG.search(head(t))], FILE_LINES))

    def too_long(self, lengths, most):
        return ['%s: %d lines' % (what, n) for n, what in lengths if n > most and not self.rooms.is_known('is long', what)]

    def old_words(self):
        for old, new in self.rooms.words.items():
            word = re.compile(r'(?<![a-z])%s(?![a-z])' % re.escape(old), re.I)
            for path, text in self.texts.items():
                for n, line in enumerate(text.splitlines(), 1):
                    if word.search(line):
                        yield '%s:%d: %s is now called %s' % (path, n, old, new)


def find_code(root):
    found = (p for folder in CODE for s in ('.c', '.h', '.py') for p in (root / folder).rglob('*' + s))
    return sorted(str(p.relative_to(root)) for p in found)


def includes(texts):
    """The arrows of the includes, and those that lead nowhere or do not say a room."""
    arrows, wrong = Arrows(), []
    for path, text in texts.items():
        for name in INCLUDED.findall(text) if path.endswith(('.c', '.h')) else ():
            places = INCLUDE if '/' in name else [os.path.dirname(path)]
            found = ['%s/%s' % (x, name) for x in places if '%s/%s' % (x, name) in texts]
            if found:
                arrows.add(path, found[0], name)
            else:
                wrong.append('%s: "%s" is neither in its folder nor ROOM/FILE' % (path, name))
    return arrows, wrong


def find_objects(root, sources):
    """The objects of the first variant that is built."""
    for variant in VARIANTS:
        if not missing(root / 'build' / variant / 'obj', root, sources):
            return root / 'build' / variant / 'obj'
    return root / 'build' / VARIANTS[0] / 'obj'


def missing(objects, root, sources):
    def built(path):
        made = (objects / path).with_suffix('.o')
        return made.exists() and made.stat().st_mtime >= (root / path).stat().st_mtime
    return [p for p in sources if not built(p)]


def uses(root, objects, sources):
    """The arrows of the symbols, and the files that are not built, else the names that a library defines twice.

    Of several files that define a name (each tool has its own fail), the one in the same folder is meant."""
    arrows, lacking = Arrows(), missing(objects, root, sources)
    if lacking:
        return arrows, [NOT_BUILT] + lacking
    defined, wanted = collections.defaultdict(set), []
    for path, name, kind in symbols(objects, sources):
        if kind in 'Uwv':
            wanted.append((path, name))
        else:
            defined[name].add(path)
    twice = ['%s is defined in %s' % (name, ' and '.join(sorted(paths))) for name, paths in defined.items()
             if any(sum(within(p, a) for p in paths) > 1 for a in ARCHIVES)]
    for path, name in wanted:
        near = {x for x in defined[name] if os.path.dirname(x) == os.path.dirname(path)}
        meant = near or defined[name]
        if len(meant) == 1:
            arrows.add(path, *meant, name)
    return arrows, twice


def symbols(objects, sources):
    """What nm says: source, name and kind of each symbol that another object can see."""
    made = {str((objects / p).with_suffix('.o')): p for p in sources}
    out = subprocess.run(['nm', '-A', '-P', '-g', *made], stdout=subprocess.PIPE, text=True, check=True).stdout if made else ''
    for line in out.splitlines():
        made_of, rest = line.split(': ', 1)
        yield made[made_of], *rest.split()[:2]


def imports(trees):
    """The arrows among the modules of the host, wherever in a file an import stands."""
    modules = {module_name(p): p for p in trees}
    arrows = Arrows()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            for name in imported(node, package_of(path)):
                while name and name not in modules:  # 'a.b.C' is a name in the module a.b
                    name = name.rpartition('.')[0]
                if name:
                    arrows.add(path, modules[name], 'line %d' % node.lineno)
    return arrows


def module_name(path):
    return re.sub(r'(/__init__)?\.py$', '', path[len(HOST) + 1:]).replace('/', '.')


def package_of(path):
    return os.path.dirname(path)[len(HOST) + 1:].split('/')


def imported(node, package):
    if isinstance(node, ast.Import):
        return [x.name for x in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    start = package[:len(package) - node.level + 1] if node.level else []
    start += node.module.split('.') if node.module else []
    return ['.'.join(start + [x.name]) for x in node.names]


def c_functions(text):
    """Name and length of each function: its braces stand in column 0, and nothing else's do so."""
    lines = text.splitlines()
    opened = None
    for n, line in enumerate(lines):
        if line == '{':
            opened = n
        elif line == '}' and opened is not None:
            yield function_name(lines[:opened]), n - opened - 1
            opened = None


def function_name(before):
    """The name in the declaration that these lines end with."""
    begin = len(before) - 1
    while begin > 0 and before[begin][:1].isspace():
        begin -= 1
    names = re.findall(r'(\w+)\(', ' '.join(before[begin:]))
    return names[0] if names else '?'


def python_functions(tree):
    """Name and length of each function, the docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, node.end_lineno - body[0].lineno + 1 if body else 0


def head(text):
    """The comments, or the docstring, that a file begins with, as one line."""
    comment = r'/\*.*?\*/' if text.startswith('/') else r'#[^\n]*|""".*?"""'
    found = re.match(r'(?:\s*(?:%s))*' % comment, text, re.S)[0]
    return re.sub(r'[\s*#]+', ' ', found)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    ap.add_argument('--objects', type=pathlib.Path, help='(those of the first variant that is built)')
    args = ap.parse_args()
    return House(args.root, args.objects).run()


if __name__ == '__main__':
    sys.exit(main())
