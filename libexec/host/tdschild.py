# SPDX-License-Identifier: MIT
"""The main module of processes that multiprocessing starts in actors: see tdshost/source/children.py. It is run by its
path."""
import os
import sys


def find_source() -> None:
    """Let the modules of the source that TDS_SOURCE names be found, as in the actor; nothing where it is gone.

    Errors:  ValueError where it is no sealed archive: then nothing of it is imported.
    """
    host = os.path.dirname(os.path.abspath(__file__))
    place, _, source_hash = os.environ.get('TDS_SOURCE', '').rpartition(' ')
    if not place or not source_hash:
        return
    sys.dont_write_bytecode = True
    sys.path.insert(0, host)
    try:
        import thespian  # what is in its folder is found from now on
        from tdshost.source import archive, children, sourceloader
    finally:
        sys.path.remove(host)
    try:
        fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return  # the source process has ended, and soon all that it has begun
    try:
        sourceloader.install(archive.Source(fd, source_hash))
    finally:
        os.close(fd)
    children.prepare()


if __name__ == '__mp_main__':
    find_source()
