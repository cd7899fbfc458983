#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Python's own glob and fnmatch find, for t_glob.

usage: glob_cases.py SEED COUNT FOLDER

Makes a tree in the empty FOLDER, then prints COUNT patterns, each with the sorted paths that it matches; then
COUNT times a pattern, a name and "yes" or "no". Every text ends in NUL, every list of paths in an empty text.
"""
import fnmatch
import glob
import os
import random
import sys

NAMES = ['a', 'b', 'ab', 'a.py', 'b.py', '.h', '.h.py', 'ü', 'üb.py', '[x]', 'x', 'a-b', '!a', ']', 'a\\b', 'a\nb', '**',
         os.fsdecode(b'\xff'), os.fsdecode(b'a\xe2\x82'), '€', '𝄞.py']
PARTS = ['*', '**', '?', '??', '*.py', 'a*', '.*', '[ab]', '[!a]*', '[]x]', '[[]x]', 'a', 'b', 'ab', '.h', 'x', '***', '?b*',
         '[a-b]*', '[b-a]', 'ü', '[ü-€]*', 'l*', 'l', '*[', '[x', '.', 'a.py', '[!-z]', '[.]h', '**a', '?[!b]']
SET = 'ab-]![^\\x.üé€&|~'


def make_tree(rng: random.Random) -> None:
    folders = ['.']
    for _ in range(30):
        path = os.path.join(rng.choice(folders), rng.choice(NAMES))
        if os.path.lexists(path):
            continue
        if rng.random() < 0.45 and path.count('/') < 6:
            os.mkdir(path)
            folders.append(path)
        else:
            open(path, 'w').close()
    for name in 'l', 'l2', 'lx':
        # Links lead to what was there before, so that none leads to a folder it is in.
        path = os.path.join(rng.choice(folders[:3]), name)
        target = rng.choice(['nowhere', *(f for f in folders[3:] if not path.startswith(os.path.dirname(f) + '/'))])
        if not os.path.lexists(path) and target.count('/') > 1:
            os.symlink(os.path.relpath(target, os.path.dirname(path)), path)


def pattern(rng: random.Random) -> str:
    parts = [rng.choice(PARTS) if rng.random() < 0.8 else rng.choice(NAMES) for _ in range(rng.randint(1, 4))]
    return rng.choice(['/', '/', '/', '//']).join(parts) + rng.choice(['', '', '', '/'])


def found(text: str) -> list:
    """Ours has each path once, plain, and nothing that is not there: Python says "x/" of "x/**" without looking."""
    paths = {os.path.normpath(p) for p in glob.glob(text, recursive=True) if os.path.lexists(p)}
    return sorted(os.fsencode(p) for p in paths - {'.'})


def set_pattern(rng: random.Random) -> tuple:
    text = '*' * rng.randint(0, 1) + '[' + ''.join(rng.choice(SET) for _ in range(rng.randint(0, 7))) + ']'
    text += rng.choice(['', '*', '?', 'a'])
    return text, ''.join(rng.choice(SET) for _ in range(rng.randint(1, 3)))


def main() -> None:
    rng = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2])
    os.chdir(sys.argv[3])
    make_tree(rng)
    out = []
    for _ in range(count):
        text = pattern(rng)
        out += [os.fsencode(text), *found(text), b'']
    for _ in range(count):
        text, name = set_pattern(rng)
        out += [text.encode(), name.encode(), b'yes' if fnmatch.fnmatchcase(name, text) else b'no']
    sys.stdout.buffer.write(b''.join(t + b'\0' for t in out))


if __name__ == '__main__':
    main()
