# SPDX-License-Identifier: MIT
"""Files and folders of an archive, as importlib.resources asks for them."""
import io
import os.path
from typing import Any, Iterator, Optional

from tdshost.source.archive import Source


class Resource:
    """A file or folder of the archive, as importlib.resources walks them (Traversable)."""

    def __init__(self, source: Source, path: str) -> None:
        self._source = source
        self._path = path
        self.name = path.rpartition('/')[2]

    def __str__(self) -> str:
        return self._source.prefix + '/' + self._path

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        return self._path in self._source.files

    def is_dir(self) -> bool:
        return not self.is_file() and any(True for _ in self.iterdir())

    def iterdir(self) -> Iterator['Resource']:
        base = self._path + '/' if self._path else ''
        names = {name[len(base):].partition('/')[0] for name in self._source.files if name.startswith(base)}
        return iter([Resource(self._source, base + name) for name in sorted(names)])

    def joinpath(self, *parts: str) -> 'Resource':
        joined = os.path.normpath('/'.join((self._path,) + parts if self._path else parts))
        return Resource(self._source, '' if joined == '.' else joined)

    __truediv__ = joinpath

    def read_bytes(self) -> bytes:
        return self._source.read(self._path)

    def read_text(self, encoding: Optional[str] = None, errors: Optional[str] = None) -> str:
        with self.open('r', encoding=encoding, errors=errors) as stream:
            return stream.read()

    def open(self, mode: str = 'r', buffering: int = -1, encoding: Optional[str] = None,
             errors: Optional[str] = None, newline: Optional[str] = None) -> Any:
        data = io.BytesIO(self.read_bytes())
        return data if 'b' in mode else io.TextIOWrapper(data, encoding or 'utf-8', errors, newline)


class ResourceReader:
    """What importlib.resources asks for one package, in its older and its newer form."""

    def __init__(self, source: Source, folder: str) -> None:
        self._folder = Resource(source, folder)

    def files(self) -> Resource:
        return self._folder

    def open_resource(self, resource: str) -> Any:
        return self._folder.joinpath(resource).open('rb')

    def resource_path(self, resource: str) -> str:
        raise FileNotFoundError(resource)  # there is no path: importlib.resources makes a file of it

    def is_resource(self, name: str) -> bool:
        return self._folder.joinpath(name).is_file()

    def contents(self) -> Iterator[str]:
        return iter([entry.name for entry in self._folder.iterdir()])
