# SPDX-License-Identifier: MIT
"""Interpreters that actors start: how they find the modules of the source, in the very bytes that were verified.

The archive stays open in the source process, as a sealed memory file that nobody can change, and is named by its place in
/proc. Where that is stands in the environment, which all that actors start inherit:

PYTHONPATH   for `sys.executable -m MODULE`: Python itself imports from the file, which is a ZIP. The host's folder comes
             before it, for `thespian`.
TDS_SOURCE   the same place, a blank, and the source's hash: for processes of multiprocessing, which are to find modules by
             the names that they have in actors ("{{HASH}}pkg.mod"), since pickles have these. The main module that
             multiprocessing has each such process run first is `tdschild.py`, which lets them be found.
"""
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Dict, Optional

from tdshost.source.archive import Source

VARIABLE = 'TDS_SOURCE'
HOST = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAIN = os.path.join(HOST, 'tdschild.py')
_SPAWN = 'multiprocessing.spawn'


def _kept(archive_fd: int) -> Optional[str]:
    """Where the archive is open for as long as this process lives: the descriptor that its mapping keeps."""
    wanted = os.fstat(archive_fd)
    for name in os.listdir('/proc/self/fd'):
        try:
            found = os.fstat(int(name))
        except OSError:
            continue  # the one that listed them
        if int(name) != archive_fd and (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return '/proc/%d/fd/%s' % (os.getpid(), name)
    return None


def _is_of_python(name: str) -> bool:
    """Is it the name of a top module of Python's own?"""
    names = getattr(sys, 'stdlib_module_names', None)
    if names is not None:
        return name in names
    folder = os.path.dirname(os.__file__)  # before Python 3.10
    return name in sys.builtin_module_names or any(os.path.exists(os.path.join(folder, name + end)) for end in ('', '.py'))


def _hides_python(source: Source) -> bool:
    """Is a module of it called as one of Python's own? Before those it would keep a Python from starting."""
    return any(_is_of_python(top) for top in source.tops)


def announce(source: Source, archive_fd: int) -> None:
    """Let what this process and its children start find the source, whose archive is also open as archive_fd."""
    place = _kept(archive_fd)
    if place is None:
        return
    os.environ[VARIABLE] = '%s %s' % (place, source.hash)
    if ':' not in HOST and not _hides_python(source):
        os.environ['PYTHONPATH'] = '%s:%s' % (HOST, place)
    prepare()


def prepare() -> None:
    """Have multiprocessing, when it is imported, run `tdschild.py` in the processes that it starts."""
    if _SPAWN in sys.modules:
        _change(sys.modules[_SPAWN])
    else:
        sys.meta_path.insert(0, _SpawnFinder())  # type: ignore[arg-type]


def _change(spawn: ModuleType) -> None:
    of_python = spawn.get_preparation_data  # type: ignore[attr-defined]

    def get_preparation_data(name: str) -> Dict[str, Any]:
        """What multiprocessing tells a new process: as ever, but for its main module."""
        data = of_python(name)
        data.pop('init_main_from_name', None)
        data['init_main_from_path'] = MAIN
        return data

    spawn.get_preparation_data = get_preparation_data  # type: ignore[attr-defined]


class _SpawnFinder:
    """Finds multiprocessing.spawn as ever, until it is there and changed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """As importlib asks for it."""
        if name != _SPAWN:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _SpawnLoader(self, spec.loader)  # type: ignore[assignment]
        return spec


class _SpawnLoader:
    """Loads it with its own loader, which it keeps."""

    def __init__(self, finder: _SpawnFinder, loader: Any) -> None:
        self._finder = finder
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__.loader = module.__loader__ = self._loader  # type: ignore[union-attr]
        self._loader.exec_module(module)
        _change(module)
        sys.meta_path.remove(self._finder)  # type: ignore[arg-type]
