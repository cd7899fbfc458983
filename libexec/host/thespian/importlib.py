# SPDX-License-Identifier: MIT
"""import_module for loaded sources: a name of the caller's own source gives that source's module.

Elsewhere it does what the standard import_module does.
"""
import sys
from types import ModuleType
from typing import Optional


def import_module(name: str, package: Optional[str] = None) -> ModuleType:
    """Import a module by name, as an import statement in the calling module would.

    Source:  name is absolute, or relative ('.x') to package.
    Errors:  TypeError for a relative name without package; ImportError as for an import statement.
    """
    level = len(name) - len(name.lstrip('.'))
    if level:
        if not package:
            raise TypeError("relative import of %r needs the 'package' argument" % name)
        name = _absolute(name[level:], package, level)
    # a fromlist makes __import__ return the module itself, not the first component of its name
    return __import__(name, sys._getframe(1).f_globals, None, ['__name__'], 0)


def _absolute(rest: str, package: str, level: int) -> str:
    """The absolute form of a relative name. Errors: ImportError beyond the top-level package."""
    parts = package.rsplit('.', level - 1)
    if len(parts) < level:
        raise ImportError('attempted relative import beyond top-level package')
    return parts[0] + '.' + rest if rest else parts[0]
