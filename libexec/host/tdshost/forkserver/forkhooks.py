# SPDX-License-Identifier: MIT
"""Keeps what threading and logging do in each forked child away from actors: it costs 350 KiB each.

They mend locks and lists of threads. A source process forks with one thread and no lock held, so there is
nothing to mend; an actor has the hooks again before its own code can fork.
"""
import os
from typing import Any, Callable, Dict, List

_MODULES = ('threading', 'logging')

_register: Callable[..., None] = os.register_at_fork
_kept: List[Dict[str, Any]] = []


def _keep(**hooks: Callable[..., Any]) -> None:
    """Stands for os.register_at_fork meanwhile."""
    if all(getattr(hook, '__module__', None) in _MODULES for hook in hooks.values()):
        _kept.append(hooks)
    else:
        _register(**hooks)


def keep_away() -> None:
    """From now on hooks of the two modules are kept instead of registered. Before they are imported."""
    os.register_at_fork = _keep  # type: ignore[assignment]


def keep_no_more() -> None:
    """Hooks are registered again as they come; those kept stay kept."""
    os.register_at_fork = _register


def restore() -> None:
    """In an actor, once: register what was kept."""
    for hooks in _kept:
        _register(**hooks)
