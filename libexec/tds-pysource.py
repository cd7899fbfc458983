# SPDX-License-Identifier: MIT
"""What tds-gensrc asks of a Python: where it looks for modules, and whether sources compile.

Started as `python -c THIS path` or `python -c THIS compile`, with a stream socket as descriptor 0 that it is asked
and answers through. Nothing it is given is ever run or imported, and nothing is written anywhere else.

path:     is asked with names of modules, each ended by NUL. Answers the file name suffixes of extension modules, an
          empty text, the folders of the search path, an empty text, and what it knows of each distribution that gives
          one of the modules, or is called as one of the names: D and its folder, C and each name that it is called, M and
          each top module of it, F and each file of it below that folder that is neither a source nor a cache of Python. All end with NUL.
compile:  says "ready" in a line of its own. Then takes sources, each with its length before it as 8 bytes (big
          endian), and answers each with a line: empty, or LINE, COLUMN (0: no place) and what is wrong.
"""
import sys

MESSAGE_MAX = 300


def answer(data: bytes) -> None:
    """Send all of it."""
    import os
    while data:
        data = data[os.write(0, data):]


def alike(name: str) -> str:
    """The form in which the names of one distribution are equal."""
    import re
    return re.sub('[-_.]+', '-', name).lower()


def is_data(name: str) -> bool:
    """Is it a file below the folder where the record is, and no source or cache of Python's?"""
    parts = name.split('/')
    return not (name.startswith('/') or '..' in parts or '__pycache__' in parts or name.endswith(('.py', '.pyc', '.pyo')))


def below(root: str, top: str) -> list:
    """The files below a folder of root, for distributions that have no record."""
    import os
    return [os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(os.path.join(root, top)) for name in names]


def describe(distribution: object, asked: set) -> list:
    """What is told of a distribution; nothing where it is not asked for.

    Only its record or its list of modules is read: nothing of it is imported.
    """
    import os
    root = os.path.abspath(str(distribution.locate_file('')))
    files = [str(f) for f in distribution.files or ()]
    listed = (distribution.read_text('top_level.txt') or '').split()
    tops = {f.partition('/')[0].partition('.')[0] for f in files if f.endswith(('.py', '.so', '.pyc'))} | set(listed)
    name = alike(distribution.metadata['Name'] or '')
    called = sorted(top for top in asked if alike(top) == name)
    tops = sorted(top for top in tops if top.isidentifier())
    given = [top for top in tops if top in asked]
    if not given and not called:
        return []
    if not files:
        info = os.path.basename(str(getattr(distribution, '_path', '')))
        files = [f for top in given + ([info] if info else []) for f in below(root, top)]
    data = sorted(f for f in set(files) if is_data(f) and os.path.isfile(os.path.join(root, f)))
    return ['D' + root] + ['C' + top for top in called] + ['M' + top for top in tops] + ['F' + f for f in data]


def tell_path() -> None:
    """The folders where an import looks, but for the current one, which stands there only because of -c."""
    if sys.path[:1] == ['']:
        del sys.path[0]  # before anything is imported: it may hold files named like modules
    import importlib.machinery
    import importlib.metadata
    import os
    with open(0, 'rb', closefd=False) as names:
        asked = {os.fsdecode(name).partition('.')[0] for name in names.read().split(b'\0') if name}
    folders = [os.path.abspath(p) for p in sys.path if isinstance(p, str) and p]
    texts = importlib.machinery.EXTENSION_SUFFIXES + [''] + folders + ['']
    for distribution in importlib.metadata.distributions(path=folders):
        try:
            texts += describe(distribution, asked)
        except Exception:  # pylint: disable=broad-except  # a damaged record is as good as none
            continue
    answer(b''.join(os.fsencode(t) + b'\0' for t in texts))


def line_of_nul(source: bytes) -> tuple:
    """Where the first NUL byte is: not every Python says it."""
    at = source.index(b'\0')
    return source.count(b'\n', 0, at) + 1, at - (source.rfind(b'\n', 0, at) + 1) + 1


def fault(source: bytes) -> bytes:
    """Compile one source. Returns the line to answer with, without its end."""
    line = column = 0
    try:
        compile(source, '<source>', 'exec', dont_inherit=True)
        return b''
    except SyntaxError as ex:
        line, column, text = max(ex.lineno or 1, 1), max(ex.offset or 1, 1), ex.msg
    except MemoryError:
        text = 'too deeply nested, or too large, for Python to compile'
    except Exception as ex:
        text = str(ex) or type(ex).__name__
    if b'\0' in source:
        (line, column), text = line_of_nul(source), 'a NUL byte'
    text = ' '.join(str(text)[:MESSAGE_MAX].split())
    return b'%d %d %s' % (line, column, text.encode('utf-8', 'backslashreplace'))


def check_sources() -> None:
    """Answer sources until there are no more."""
    with open(0, 'rb', closefd=False) as asked:
        answer(b'ready\n')
        while True:
            head = asked.read(8)
            if len(head) < 8:
                return
            answer(fault(asked.read(int.from_bytes(head, 'big'))) + b'\n')


if __name__ == '__main__':
    {'path': tell_path, 'compile': check_sources}[sys.argv[1]]()
