#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/house.py finds each step upwards, each circle and each measure that is not kept, in small made-up houses.

Prints TAP. Each house is the clean one with some files changed; nothing of the tools runs.
"""
import os
import shutil
import subprocess
import sys

from tap import ROOT, done, folder, ok

CC = os.environ.get('CC', 'cc').split()
LINES = '\t(void)0;\n'
# Enough short functions that a long one changes neither the median nor the 90th percentile.
SHORT = ''.join('int short_%d(void);\nint short_%d(void)\n{\n\treturn 0;\n}\n\n' % (i, i) for i in range(20))
CLEAN = {
    'tests/rooms': '''# From above to below.
bin/*
	> libcommon/top, libcommon/side
	> libcommon/base
libexec/host/face > libexec/host/words
''',
    'bin/tool/main.c': '#include "top/top.h"\nint fail(void);\n\nint main(void)\n{\n\treturn top_one() + fail();\n}\n',
    'bin/tool/fail.c': 'int fail(void);\n\nint fail(void)\n{\n\treturn 1;\n}\n',
    'bin/other/main.c': '#include "side/side.h"\n\nint fail(void);\n\nint fail(void)\n{\n\treturn 2;\n}\n\n'
                        'int main(void)\n{\n\treturn side_one();\n}\n',
    'libcommon/top/top.h': 'int top_one(void);\n',
    'libcommon/top/top.c': '#include "top.h"\n#include "base/low.h"\n\nint top_one(void)\n{\n\treturn low_one();\n}\n',
    'libcommon/side/side.h': 'int side_one(void);\n',
    'libcommon/side/side.c': '#include "side.h"\n#include "base/low.h"\n\nint side_one(void)\n{\n\treturn low_one();\n}\n',
    'libcommon/base/low.h': 'int low_one(void);\n',
    'libcommon/base/low.c': '#include "low.h"\n\nint low_one(void)\n{\n\treturn 1;\n}\n\n' + SHORT,
    'libexec/host/face.py': 'from words import Word\n',
    'libexec/host/words/__init__.py': 'from . import first\nfrom .second import Word\n',
    'libexec/host/words/first.py': 'import sys\n',
    'libexec/host/words/second.py': 'class Word:\n    pass\n',
}


def function(name, lines):
    return 'int %s(void);\nint %s(void)\n{\n%s\treturn 0;\n}\n' % (name, name, LINES * (lines - 1))


def python_function(lines):
    return 'def f():\n    """Words.\n\n    And more.\n    """\n' + '    pass\n' * lines


def more(path, text):
    return {path: CLEAN[path] + text}


def low_with(head, result):
    return '#include "low.h"\n%s\n\nint low_one(void)\n{\n\treturn %s;\n}\n\n%s' % (head, result, SHORT)


UP_CALL = {'libcommon/base/low.c': low_with('int top_one(void);', 'top_one()')}
TOLD = 'libcommon/base/low.c -> libcommon/top/top.c: top_one'
CIRCLE = {
    'libcommon/top/a.c': 'int a(void);\nint b(void);\n\nint a(void)\n{\n\treturn b();\n}\n',
    'libcommon/top/b.c': 'int a(void);\nint b(void);\n\nint b(void)\n{\n\treturn a();\n}\n',
}
LONG_FILE = '/* A file%s. */\n' + '\n' * 500

# What is tried: the changed files, and what must be told of them; nothing: the house is clean.
HOUSES = (
    ('a clean house', {}, ()),
    ('an include upwards', {'libcommon/base/low.c': low_with('#include "top/top.h"', '1')},
     ('not ok 4', 'libcommon/base/low.c -> libcommon/top/top.h: top/top.h')),
    ('an include across', {'libcommon/side/side.h': '#include "top/top.h"\nint side_one(void);\n'},
     ('not ok 4', 'libcommon/side/side.h -> libcommon/top/top.h: top/top.h')),
    ('an include that does not say the room', more('libcommon/top/top.h', '#include "../base/low.h"\n'),
     ('not ok 3', 'libcommon/top/top.h: "../base/low.h" is neither')),
    ('a circle of headers', {'libcommon/top/a.h': '#pragma once\n#include "b.h"\n', 'libcommon/top/b.h': '#pragma once\n#include "a.h"\n'},
     ('not ok 5', 'a circle of 2 files', 'libcommon/top/a.h -> libcommon/top/b.h: b.h', 'libcommon/top/b.h -> libcommon/top/a.h: a.h')),
    ('a call upwards', UP_CALL, ('not ok 7', TOLD)),
    ('a name that is defined twice', {'libcommon/base/more.c': 'int top_one(void);\nint top_one(void)\n{\n\treturn 2;\n}\n'},
     ('not ok 6', 'top_one is defined in libcommon/base/more.c and libcommon/top/top.c')),
    ('a circle of two files in a room', CIRCLE,
     ('not ok 8', 'a circle of 2 files', 'libcommon/top/a.c -> libcommon/top/b.c: b', 'libcommon/top/b.c -> libcommon/top/a.c: a')),
    ('a circle by way of another room', UP_CALL, ('not ok 8', 'a circle of 2 files', TOLD)),
    ('a circle by a name that another tool has too', {
        'bin/tool/fail.c': 'int fail(void);\nint tool_status(void);\n\nint fail(void)\n{\n\treturn tool_status();\n}\n',
        **more('bin/tool/main.c', 'int tool_status(void);\nint tool_status(void)\n{\n\treturn 1;\n}\n')},
     ('not ok 8', 'bin/tool/fail.c -> bin/tool/main.c: tool_status', 'bin/tool/main.c -> bin/tool/fail.c: fail')),
    ('an import upwards', {'libexec/host/words/first.py': 'def f():\n    import face\n'},
     ('not ok 9', 'libexec/host/words/first.py -> libexec/host/face.py: line 2')),
    ('a circle of imports', {'libexec/host/words/first.py': 'def f():\n    from words.second import Word\n',
                             'libexec/host/words/second.py': 'def g():\n    from . import first\n'},
     ('not ok 10', 'libexec/host/words/first.py -> libexec/host/words/second.py: line 2',
      'libexec/host/words/second.py -> libexec/host/words/first.py: line 2')),
    ('a function of 50 lines', more('libcommon/top/top.c', function('long_one', 50)), ()),
    ('a function of 51 lines', more('libcommon/top/top.c', function('long_one', 51)),
     ('not ok 13', 'libcommon/top/top.c:long_one: 51 lines')),
    ('a function of 50 lines in Python', {'libexec/host/words/first.py': python_function(50)}, ()),
    ('a function of 51 lines in Python', {'libexec/host/words/first.py': python_function(51)},
     ('not ok 13', 'libexec/host/words/first.py:f: 51 lines')),
    ('too many functions of 21 lines', more('libcommon/top/top.c', ''.join(function('f%d' % i, 21) for i in range(5))),
     ('not ok 12 - functions in C: the 90th percentile is 21 lines',)),
    ('functions of 10 lines', more('libcommon/top/top.c', ''.join(function('f%d' % i, 10) for i in range(40))),
     ('not ok 11 - functions in C: the median is 10 lines',)),
    ('a file of 501 lines', {'libcommon/top/more.h': LONG_FILE % ''}, ('not ok 14', 'libcommon/top/more.h: 501 lines')),
    ('a file of 501 lines that says why', {'libcommon/top/more.h': LONG_FILE % ', long because it is'}, ()),
    ('a file in no room', {'libcommon/new/more.h': '\n'}, ('not ok 2', 'libcommon/new/more.h')),
    ('a room that is not there', more('tests/rooms', 'bin/* > libcommon/new\n'), ('not ok 1', 'libcommon/new is not there')),
    ('a room below itself', more('tests/rooms', 'libcommon/base > libcommon/top\n'), ('not ok 1', 'libcommon/base is below itself')),
    ('a line that is not understood', more('tests/rooms', 'libcommon/base\n'), ('not ok 1', 'tests/rooms:6: not understood')),
    ('a word that was replaced', {**more('tests/rooms', 'not grave: tombstone\n'), 'libcommon/top/top.h': 'int top_one(void); /* old_grave */\n'},
     ('not ok 15', 'libcommon/top/top.h:1: grave is now called tombstone')),
    ('a word that holds one', {**more('tests/rooms', 'not grave: tombstone\n'), 'libcommon/top/top.h': 'int top_one(void); /* engraved */\n'}, ()),
    ('what is known', {**UP_CALL, **more('tests/rooms', 'libcommon/base/low -> libcommon/top: it is to be mended\n')}, ()),
    ('what is known of a circle', {**CIRCLE, **more('tests/rooms', 'libcommon/top/a.c -> libcommon/top/b.c: it is to be mended\n')}, ()),
    ('a long file that is known', {'libcommon/top/more.h': LONG_FILE % '', **more(
        'tests/rooms', 'libcommon/top/more.h is long: it is to be divided\n')}, ()),
    ('a long function that is known', {**more('libcommon/top/top.c', function('long_one', 51)), **more(
        'tests/rooms', 'libcommon/top/top.c:long_one is long: it is to be divided\n')}, ()),
    ('a file in no room that is known', {'libcommon/new/more.h': '\n', **more(
        'tests/rooms', 'libcommon/new has no room: it is to be moved\n')}, ()),
    ('a room to come', more('tests/rooms', 'bin/* > libcommon/new\nlibcommon/new is not there: it comes later\n'), ()),
    ('what is known, and nothing needs', more('tests/rooms', 'libcommon/top -> libcommon/base: it is to be mended\n'),
     ('not ok 16', 'tests/rooms:6: nothing needs it any more')),
)


def build(root, files):
    for path, text in files.items():
        at = root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    for path in files:
        if path.endswith('.c'):
            made = (root / 'build/plain/obj' / path).with_suffix('.o')
            made.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([*CC, '-c', '-O0', '-I', str(root / 'libcommon'), '-o', str(made), str(root / path)], check=True)


def look(root):
    argv = [sys.executable, '-B', str(ROOT / 'tests/house.py'), '--root', str(root)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def try_house(clean, what, changed, told):
    """Status 1 and each line that must be told; where nothing must be, status 0 and no result that fails."""
    with folder() as base:
        root = base / 'house'
        shutil.copytree(clean, root)  # times too: what is not changed is not built again
        build(root, changed)
        answer = look(root)
    lacking = [x for x in told if x not in answer.stdout]
    failed = [x for x in answer.stdout.splitlines() if x.startswith('not ok')]
    ok(answer.returncode == (1 if told else 0) and not lacking and bool(failed) == bool(told) and not answer.stderr,
       what + (' is told' if told else ' passes'), lacking, answer.stdout, answer.stderr)


def try_objects(root):
    """An object that is older than its source, or none, is no proof."""
    made = root / 'build/plain/obj/libcommon/top/top.o'
    os.utime(made, ns=(0, 0))
    old = look(root)
    made.unlink()
    none = look(root)
    for what, answer in ('an old object', old), ('a missing object', none):
        ok(answer.returncode == 1 and 'not ok 6' in answer.stdout and '#   libcommon/top/top.c' in answer.stdout,
           what + ' is told', answer.stdout, answer.stderr)


def main():
    with folder() as clean:
        build(clean, CLEAN)
        for house in HOUSES:
            try_house(clean, *house)
        try_objects(clean)
    done()


if __name__ == '__main__':
    main()
