# SPDX-License-Identifier: MIT
"""What tds-gensrc asks of a Python: where it looks for modules, and whether sources compile.

Started as `python -c THIS path` or `python -c THIS compile`, with a stream socket as descriptor 0 that it is asked
and answers through. Nothing it is given is ever run or imported, and nothing is written anywhere else.

path:     answers the file name suffixes of extension modules, an empty text, the folders of the search path; each
          ended by NUL.
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


def tell_path() -> None:
    """The folders where an import looks, but for the current one, which stands there only because of -c."""
    if sys.path[:1] == ['']:
        del sys.path[0]  # before anything is imported: it may hold files named like modules
    import importlib.machinery
    import os
    folders = [os.path.abspath(p) for p in sys.path if isinstance(p, str) and p]
    texts = importlib.machinery.EXTENSION_SUFFIXES + [''] + folders
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
