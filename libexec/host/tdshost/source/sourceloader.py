# SPDX-License-Identifier: MIT
"""Imports from the verified archive, which is a sealed memory file and never a path.

The modules of a source are named "{{HASH}}pkg.mod". An import in one of them looks in the source first;
that is decided by builtins.__import__ from the importing module's name, no source text is changed.
"""
import builtins
import importlib._bootstrap_external
import os
import sys
import zipimport
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, Dict, Iterator, Optional, Union

from tdshost.source.archive import PLAIN, Source
from tdshost.source.resources import ResourceReader


class SourceLoader(zipimport.zipimporter):
    """Loads one module of a source; serves tracebacks, inspect, pkgutil and importlib.resources too.

    It is a zipimporter for those who ask whether files are to be had from it or from a path: it has what they use of
    one (archive, prefix, _files, get_data), and nothing of its ways.
    """

    def __init__(self, source: Source, dotted: str) -> None:  # pylint: disable=super-init-not-called  # there is no path
        self.source = source
        self.archive = source.prefix
        self.prefix = ''
        self._files = source.files
        self.member, self._package = source.modules[dotted]
        # No such path exists; pkgutil.get_data and others build on it, and get_data takes it back.
        self.path = source.prefix + '/' + self.member

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        """The default module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code. Errors: what the code raises; SyntaxError."""
        module.__file__ = self.path
        if self._package:
            module.__path__ = []  # as in Thespian, though the spec has a place, for those who open files there
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

    def get_resource_reader(self, fullname: str) -> Optional[ResourceReader]:
        """For importlib.resources."""
        return ResourceReader(self.source, os.path.dirname(self.member)) if self._package else None


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
        elif fullname.partition('.')[0] != PLAIN:
            return None
        if dotted not in source.modules:
            return None
        loader = SourceLoader(source, dotted)
        spec = ModuleSpec(fullname, loader, origin=source.prefix, is_package=loader.is_package(fullname))
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(loader.path))
        return spec

    def find_distributions(self, context: Any = None) -> Iterator[Any]:
        """For importlib.metadata: what the source's dist-info folders say. With a path of the caller's own: nothing."""
        from tdshost.source import distributions  # importlib.metadata is slow to import, and seldom asked
        return distributions.find(self.source, context)


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
