# SPDX-License-Identifier: MIT
"""Play one program on the Thespian that the search path has: tds's, or the real one.

usage: play.py NAME BASE      NAME is MODULE.FUNCTION, as `--list` prints them, each with its bases
       play.py --list

A program is a function of a module beside this one that is marked with `@program(bases)`. It gets the actor system,
started on the base, and prints lines that say nothing of times, addresses or numbers of processes, so that they are the
same each time. The modules of actors are not __main__, whose classes Thespian cannot find on bases of processes.
"""
import importlib
import os
import pathlib
import socket
import sys
from typing import Any, Callable, Dict, List

HERE = pathlib.Path(__file__).resolve().parent
BASES = {'simple': 'simpleSystemBase', 'tcp': 'multiprocTCPBase', 'udp': 'multiprocUDPBase',
         'queue': 'multiprocQueueBase'}
PROCESSES = 'tcp udp queue'   # bases that give each actor a process
ANY = 'simple ' + PROCESSES
SECONDS = 10                  # what a program waits at most for one answer

Program = Callable[[Any], None]


def program(bases: str, **capabilities: Any) -> Callable[[Program], Program]:
    """Mark a program with the bases that it is for, and the capabilities of its system."""
    def mark(function: Program) -> Program:
        function.bases = bases.split()              # type: ignore[attr-defined]
        function.capabilities = capabilities        # type: ignore[attr-defined]
        return function
    return mark


def programs() -> Dict[str, Program]:
    """All programs, by name, in the order of the files and in the order in them."""
    found: Dict[str, Program] = {}
    for path in sorted(HERE.glob('s[0-9]*.py')):
        module = importlib.import_module(path.stem)
        found.update(('%s.%s' % (path.stem, name), f) for name, f in vars(module).items()
                     if getattr(f, '__module__', None) == path.stem and hasattr(f, 'bases'))
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has just now, and that no program run beside this one gets."""
    for port in range(20000 + os.getpid() % 12000, 32768):  # below those that systems give to actors
        with socket.socket() as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as d:
            try:
                s.bind(('127.0.0.1', port))
                d.bind(('127.0.0.1', port))
                return port
            except OSError:
                pass
    raise OSError('no port is free')


def kind(thing: Any) -> str:
    """What programs print of a message whose value differs from run to run."""
    return type(thing).__name__


def raised(function: Callable[..., Any], *args: Any, **named: Any) -> str:
    """The name of the exception that a call ends with; 'nothing' where it returns."""
    try:
        function(*args, **named)
    except Exception as error:
        return kind(error)
    return 'nothing'


def played(name: str, base: str) -> None:
    """Play one program, and end its system."""
    from thespian.actors import ActorSystem
    function = getattr(importlib.import_module(name.partition('.')[0]), name.partition('.')[2])
    given = dict(function.capabilities)
    log_defs = given.pop('log_defs', None)
    if base != 'simple':
        given['Admin Port'] = free_port()
    system = ActorSystem(BASES[base], given, logDefs=log_defs() if log_defs else None)
    try:
        function(system)
    finally:
        sys.stdout.flush()
        ActorSystem().shutdown()


def main(args: List[str]) -> None:
    sys.path.insert(0, str(HERE))
    sys.path.append(str(HERE.parent.parent / 'libexec/host'))  # where tdsasync is, beside the real Thespian too
    if args == ['--list']:
        for name, function in programs().items():
            print(name, *function.bases)  # type: ignore[attr-defined]
    else:
        played(*args)


if __name__ == '__main__':
    os.environ.pop('THESPIAN_DIRECTOR_DIR', None)
    main(sys.argv[1:])
