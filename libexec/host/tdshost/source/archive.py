# SPDX-License-Identifier: MIT
"""A verified archive, which is a sealed memory file and never a path, and the modules that it holds."""
import io
import os
import zipfile
from typing import Any, Dict, Tuple

from tdshost.wire.process import map_sealed

# Top-level names that a source may carry but never gives: ours always counts.
_NEVER = frozenset(('thespian',))
# Below it a package says what it is: no file of the source.
_ABOUT = 'TDS-INF/'
# Its own importer goes by its plain name, so it has that.
PLAIN = 'six'


class _Mapped(io.RawIOBase):
    """A mapped memory file as something that zipfile can read."""

    def __init__(self, fd: int) -> None:
        self._map = map_sealed(fd)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._at, len(self._map))[whence]
        if base + offset < 0:
            raise OSError('seek before the beginning')
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._map[self._at:self._at + len(buffer)]
        buffer[:len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class Source:
    """One loaded source: what its archive holds, under which names.

    Owner:   takes a copy of nothing; fd stays the caller's and is not needed afterwards.
    Errors:  ValueError, OSError, zipfile.BadZipFile where fd is no sealed archive.
    """

    def __init__(self, fd: int, source_hash: str) -> None:
        self._zip = zipfile.ZipFile(_Mapped(fd))
        self.hash = source_hash
        self.prefix = '{{%s}}' % source_hash
        self.files = {info.filename: info for info in self._zip.infolist()
                      if not info.is_dir() and not info.filename.startswith(_ABOUT)}
        self.modules: Dict[str, Tuple[str, bool]] = {}  # dotted name: file, is it a package
        for name in self.files:
            self._enter(name)
        self.tops = frozenset(name for name in self.modules if '.' not in name) - {PLAIN}

    def _enter(self, name: str) -> None:
        """Enter a file as a module, if it is one: plain .py, each folder on the way with __init__.py."""
        if not name.endswith('.py') or name == '__init__.py':
            return
        parts = name[:-3].split('/')
        package = parts[-1] == '__init__'
        folders = parts[:-1]
        if package:
            parts = folders
        if parts[0] in _NEVER or any('.' in part or not part for part in parts):
            return
        if all('/'.join(folders[:n + 1]) + '/__init__.py' in self.files for n in range(len(folders))):
            dotted = '.'.join(parts)
            if package or dotted not in self.modules:  # of a folder and a file the folder counts
                self.modules[dotted] = (name, package)

    def read(self, name: str) -> bytes:
        """The bytes of a member. Errors: OSError where there is none."""
        info = self.files.get(name)
        if info is None:
            raise FileNotFoundError(2, 'not in the source', name)
        return self._zip.read(info)

    def plain(self, name: str) -> str:
        """A dotted name without the prefix of this source."""
        return name[len(self.prefix):] if name.startswith(self.prefix) else name
