# SPDX-License-Identifier: MIT
"""What the test programs in this folder share: TAP, running the tools, director directories, folder listings.

The tools are those in the folder that TDS_BIN names, else in build/bin.
"""
import collections
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS = ROOT / 'tests/vectors'
KEYS = VECTORS / 'keys'
BIN = pathlib.Path(os.environ.get('TDS_BIN', ROOT / 'build/bin')).resolve()
HOST = BIN.parent / 'share/tds/host'  # the Python side, for programs
LIMIT_S = 60
# What no answer may hold, whatever its status.
CRASH = re.compile(r'Sanitizer|: runtime error: |^Traceback |Assertion .* failed', re.M)

Answer = collections.namedtuple('Answer', 'status out err')
_count = 0
_failed = 0


def ok(passed, what, *why):
    """One result; why is printed where it failed."""
    global _count, _failed
    _count += 1
    what = re.sub(r'[#\\\x00-\x1f\x7f]', lambda m: '\\x%02x' % ord(m[0]), str(what))
    print('%sok %d - %s' % ('' if passed else 'not ', _count, what.encode('ascii', 'backslashreplace').decode()), flush=True)
    if not passed:
        _failed += 1
        for w in why:
            for line in ascii(w)[:1000].split('\n'):
                print('#   ' + line, flush=True)
    return passed


def skip(what, why):
    """One that cannot be held here."""
    global _count
    _count += 1
    print('ok %d - %s # SKIP %s' % (_count, what, why), flush=True)


def done():
    """Print the plan, and end the program."""
    print('1..%d' % _count)
    sys.exit(1 if _failed or not _count else 0)


def run(tool, *args, cwd=None, env=None, stdin=b''):
    """Run a tool. A status that no tool may have (a signal, a sanitizer's) becomes a word, and so fits no test.

    env: variables to set, or (None) to take away."""
    full = dict(os.environ, LC_ALL='C.UTF-8', TZ='UTC', **{k: v for k, v in (env or {}).items() if v is not None})
    for name in ['THESPIAN_DIRECTOR_DIR'] + [k for k, v in (env or {}).items() if v is None]:
        full.pop(name, None)
    argv = [str(BIN / tool)] + [a if isinstance(a, bytes) else str(a) for a in args]
    try:
        p = subprocess.run(argv, cwd=cwd, env=full, input=stdin, capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return Answer('hangs', b'', '')
    except OSError as e:
        return Answer('absent', b'', str(e))
    err = p.stderr.decode('utf-8', 'backslashreplace')
    status = p.returncode if 0 <= p.returncode <= 9 and not CRASH.search(err) else 'status %d' % p.returncode
    return Answer(status, p.stdout, err)


def refused(answer, *statuses):
    """Did it end with one of these, say why in the usual form, and print no result?"""
    lines = answer.err.splitlines()
    return answer.status in statuses and not answer.out and lines and all(x.startswith('tds-') for x in lines)


@contextlib.contextmanager
def folder():
    """A fresh folder, gone afterwards, whatever modes were left in it."""
    path = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix='tds-cases-')))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def director(*keys):
    """A director directory that holds the public keys of these files, and a folder that holds it."""
    with folder() as base:
        path = base / 'director'
        path.mkdir(mode=0o755)
        for key in keys:
            shutil.copyfile(KEYS / key, path / os.path.basename(key))
            (path / os.path.basename(key)).chmod(0o644)
        yield path


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tree(path):
    """Everything below a folder: name -> digest of a file, 'folder' or 'special'."""
    found = {}
    for at, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(at, name)
            if os.path.islink(full) or not (os.path.isfile(full) or os.path.isdir(full)):
                found[os.path.relpath(full, path)] = 'special'
            elif os.path.isdir(full):
                found[os.path.relpath(full, path)] = 'folder'
            else:
                found[os.path.relpath(full, path)] = sha256(pathlib.Path(full).read_bytes())
    return found


def files(path):
    return {name: digest for name, digest in tree(path).items() if digest != 'folder'}
