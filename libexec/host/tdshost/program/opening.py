# SPDX-License-Identifier: MIT
"""Which system `ActorSystem(...)` means: one within the program, one of its own processes, or one that runs."""
import itertools
import os
from typing import Any, Optional

BASES = ('simpleSystemBase', 'tdsLocalBase', 'multiprocTCPBase', 'multiprocUDPBase', 'multiprocQueueBase')

_serial = itertools.count(1)
_single: Any = None
_home: Any = None  # in the processes of a program's actors: the Place of their system


def open_system(base: Any, capabilities: Optional[dict], log_defs: Any, unique: bool) -> Any:
    """The system that ActorSystem(...) means: the program's one, or another.

    Source:  base is the name of one, a SystemBase, or None.
    Errors:  ImportError for a base that is not known; ActorSystemStartupFailure; InvalidActorAddress.
    """
    global _single
    base = getattr(base, 'name', base)  # a SystemBase says it
    if base is not None and base not in BASES:
        raise ImportError('No module named thespian.system.%s' % base, name='thespian.system.%s' % base)
    if not unique and _single is not None and not _single.over and base in (None, _single.base):
        return _single
    system = _make(base, capabilities, log_defs)
    if not unique:
        _single = system
    return system


def _make(base: Optional[str], capabilities: Optional[dict], log_defs: Any) -> Any:
    # The two know nothing of each other, and a program has use for one of them: imported when it is known which.
    at_home = base is None and _home is not None
    if base == 'simpleSystemBase' or not (base or at_home or os.environ.get('THESPIAN_DIRECTOR_DIR')):
        from tdshost.inprocess.system import System as Within
        return Within('simpleSystemBase', capabilities, log_defs)
    from tdshost.program.system import System
    own = 'own-%d-%d' % (os.getpid(), next(_serial)) if base == 'multiprocQueueBase' else ''
    return System(base, dict(capabilities or {}), log_defs, own, move_in, _home if at_home else None)


def move_in(home: Any) -> None:
    """In a process that is no longer the program: it has no system of its own, but lives in one, at a Place."""
    global _single, _home
    _single = None
    _home = home
