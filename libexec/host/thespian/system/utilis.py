# SPDX-License-Identifier: MIT
"""Small helpers that programs written for Thespian import from here.

thesplog, fmap, withPossibleInitArgs, timePeriodSeconds.
"""
import logging
from typing import Any, Callable

from tdshost.words.arguments import withPossibleInitArgs
from tdshost.words.timing import timePeriodSeconds

__all__ = ['fmap', 'logging', 'thesplog', 'timePeriodSeconds', 'withPossibleInitArgs']


def thesplog(msg: str, *args: Any, level: int = logging.INFO, **unused: Any) -> None:
    """Log a message of the actor system itself, as logging.log does, under a name of its own."""
    logging.getLogger('thespian.system').log(level, msg, *args)


def fmap(func: Callable[[Any], Any], obj: Any) -> Any:
    """obj with func applied to all that it holds, however deep.

    Shape:   tuples and dictionaries (keys too) stay what they are, lists and iterators become
             lists; an object with a method fmap is asked to do it; anything else goes to func.
    """
    if isinstance(obj, tuple):
        return tuple(fmap(func, item) for item in obj)
    if isinstance(obj, dict):
        return {fmap(func, key): fmap(func, value) for key, value in obj.items()}
    if isinstance(obj, (list, range, filter, map, zip)):
        return [fmap(func, item) for item in obj]
    return obj.fmap(func) if hasattr(obj, 'fmap') else func(obj)
