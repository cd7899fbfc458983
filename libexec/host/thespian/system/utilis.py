# SPDX-License-Identifier: MIT
"""Small helpers that programs written for Thespian import from here.

thesplog, fmap, withPossibleInitArgs.
"""
import logging
from typing import Any, Callable, Tuple


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


class withPossibleInitArgs:
    """Makes objects with those of these arguments that the class's __init__ names."""

    def __init__(self, **kw: Any) -> None:
        self.kwargs = kw

    def create(self, klass: type) -> Any:
        """An object of the class. Errors: what its __init__ raises."""
        names = _init_parameters(klass)
        return klass(**{name: value for name, value in self.kwargs.items() if name in names})


def _init_parameters(klass: type) -> Tuple[str, ...]:
    """The names of the positional-or-keyword parameters of a class's __init__."""
    function: Any = klass.__init__  # type: ignore[misc]
    while hasattr(function, '__wrapped__'):
        function = function.__wrapped__
    code = getattr(function, '__code__', None)
    return code.co_varnames[code.co_posonlyargcount:code.co_argcount] if code else ()
