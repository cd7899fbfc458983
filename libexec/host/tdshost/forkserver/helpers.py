# SPDX-License-Identifier: MIT
"""What actors may import of the host's folder besides `thespian`: tdsasync, by that name, when they do."""
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Optional

HELPERS = ('tdsasync',)


class Finder:
    """Finds the helpers in the host's folder, which is not on the search path; whatever else is found comes first."""

    def __init__(self, host: str) -> None:
        self.path = [host]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """As importlib asks for it."""
        return PathFinder.find_spec(name, self.path) if name in HELPERS else None


def keep(host: str) -> None:
    """Let them be found from now on."""
    sys.meta_path.append(Finder(host))
