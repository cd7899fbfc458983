# SPDX-License-Identifier: MIT
"""How a class is given the arguments that its constructor knows."""
from typing import Any, Tuple

__name__ = 'thespian.system.utilis'  # what is defined here is that module's


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
