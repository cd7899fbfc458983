# SPDX-License-Identifier: MIT
"""Imports from the verified archive, which is a sealed memory file and never a path.

The modules of a source are named "{{HASH}}pkg.mod". An import in one of them looks in the source first;
that is decided by builtins.__import__ from the importing module's name, no source text is changed.
"""
import builtins
import importlib._bootstrap_external
import io
import os
import sys
import zipfile
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, Dict, Iterator, Optional, Tuple, Union

from tdshost.wire.process import map_sealed

# Top-level names that a source may carry but never gives: ours always counts.
_NEVER = frozenset(('thespian',))
# Its own importer goes by its plain name, so it has that.
_PLAIN = 'six'


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
        self.files = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self.modules: Dict[str, Tuple[str, bool]] = {}  # dotted name: file, is it a package
        for name in self.files:
            self._enter(name)
        self.tops = frozenset(name for name in self.modules if '.' not in name) - {_PLAIN}

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


class SourceLoader:
    """Loads one module of a source; serves tracebacks, inspect, pkgutil and importlib.resources too."""

    def __init__(self, source: Source, dotted: str) -> None:
        self.source = source
        self.member, self._package = source.modules[dotted]
        # No such path exists; pkgutil.get_data and others build on it, and get_data takes it back.
        self.path = source.prefix + '/' + self.member

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        """The default module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code. Errors: what the code raises; SyntaxError."""
        module.__file__ = self.path
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, fullname: str) -> CodeType:
        """The module's code."""
        return compile(self.source.read(self.member), self.path, 'exec', dont_inherit=True)

    def get_source(self, fullname: str) -> str:
        """The module's text. Errors: ImportError where it cannot be decoded."""
        try:
            return importlib._bootstrap_external.decode_source(self.source.read(self.member))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise ImportError('source of %s not available' % fullname, name=fullname) from error

    def is_package(self, fullname: str) -> bool:
        """Whether the module is a package."""
        return self._package

    def get_filename(self, fullname: str) -> str:
        """What stands for the module's path."""
        return self.path

    def get_data(self, path: Union[str, bytes]) -> bytes:
        """A file of the archive, by its path below the source's prefix. Errors: OSError."""
        name = os.path.normpath(os.fsdecode(path))
        return self.source.read(name[len(self.source.prefix) + 1:]
                                if name.startswith(self.source.prefix + '/') else '')

    def get_resource_reader(self, fullname: str) -> Optional['ResourceReader']:
        """For importlib.resources."""
        return ResourceReader(self.source, os.path.dirname(self.member)) if self._package else None


class Resource:
    """A file or folder of the archive, as importlib.resources walks them (Traversable)."""

    def __init__(self, source: Source, path: str) -> None:
        self._source = source
        self._path = path
        self.name = path.rpartition('/')[2]

    def __str__(self) -> str:
        return self._source.prefix + '/' + self._path

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


class SourceFinder:
    """Finds modules by their prefixed names, and `six`."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """The spec of a module of the source, or None."""
        source = self.source
        dotted = fullname
        if fullname.startswith(source.prefix):
            dotted = fullname[len(source.prefix):]
        elif fullname.partition('.')[0] != _PLAIN:
            return None
        if dotted not in source.modules:
            return None
        loader = SourceLoader(source, dotted)
        spec = ModuleSpec(fullname, loader, origin=source.prefix, is_package=loader.is_package(fullname))
        return spec


class _AliasLoader:
    """Gives a module of the source for its plain name, the same object; else it is that module's loader."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module.__loader__, name)  # get_data and others, for pkgutil.get_data('pkg', ...)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the alias's there


class AliasFinder:
    """Finds modules of the source by plain name, last of all: for importlib.import_module('helper')."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """The spec of an alias, or None."""
        if fullname.partition('.')[0] not in self._source.tops or fullname not in self._source.modules:
            return None
        full = self._source.prefix + fullname
        _real_import(full)
        return ModuleSpec(fullname, _AliasLoader(sys.modules[full]),  # type: ignore[arg-type]
                          origin=self._source.prefix)


_real_import = builtins.__import__
_sources: Dict[str, Source] = {}  # by prefix: one in a host, in a program whose actors live in it any number


def _source_of(module: str) -> Optional[Source]:
    """The source that a module is of, by its name."""
    return _sources.get(module[:module.find('}}') + 2]) if module.startswith('{{') else None


def _importing(scope: Optional[dict]) -> Optional[Source]:
    """The source whose own code an import with these globals is in."""
    if scope is not None:
        name = scope.get('__name__')
        if isinstance(name, str):
            return _source_of(name)
    # __import__ called without globals, or code run with a bare dictionary: who is it that calls?
    frame: Any = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get('__name__')
        if isinstance(name, str):
            return _source_of(name)
        frame = frame.f_back
    return None


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """builtins.__import__ of a host: in a source's code, the source's modules come first."""
    if level == 0 and _sources and type(name) is str:
        top = name.partition('.')[0]
        if any(top in each.tops for each in _sources.values()):
            source = _importing(globals)
            if source is not None and top in source.tops:
                # without fromlist the import system returns the part before the first dot, prefix and all
                return _real_import(source.prefix + name, globals, locals, fromlist, 0)
    return _real_import(name, globals, locals, fromlist, level)


def install(source: Source) -> None:
    """Make the source the one of this process. Once."""
    attach(source)
    sys.meta_path.append(AliasFinder(source))  # type: ignore[arg-type]


def attach(source: Source) -> None:
    """Let the source's modules be found by their prefixed names, and its own code find them by their plain ones."""
    _sources[source.prefix] = source
    sys.meta_path.insert(0, SourceFinder(source))  # type: ignore[arg-type]
    builtins.__import__ = _import


def detach(source: Source) -> None:
    """Undo attach: its modules are forgotten. What holds them keeps them."""
    del _sources[source.prefix]
    sys.meta_path[:] = [each for each in sys.meta_path
                        if not (isinstance(each, SourceFinder) and each.source is source)]
    for name in [name for name in sys.modules if name.startswith(source.prefix)]:
        del sys.modules[name]
    if not _sources and builtins.__import__ is _import:
        builtins.__import__ = _real_import


def load_module(source: Optional[Source], name: str) -> ModuleType:
    """The module of a dotted name: the source's, else by the normal path. Errors: as of an import."""
    if source is not None and name in source.modules and name.partition('.')[0] in source.tops:
        name = source.prefix + name
    _real_import(name)
    return sys.modules[name]
