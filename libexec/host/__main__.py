# SPDX-License-Identifier: MIT
"""The Python actor host: runs the actors of one loaded source for the admin.

Started, where HOST is the folder that this file is in, as `python3 -I HOST` (the fork server) or, by a source process
only, `python3 -I HOST --actor`; by a program with threads as `python3 -s -B HOST --program`.
"""
import sys
from typing import Any


def main() -> int:
    """Import the host from this folder, take the folder off the search path, and run.

    Shape:  the folder stays reachable as the __path__ of `tdshost` and `thespian` alone, so that no
            import of an actor finds a file of the host by accident.
    """
    sys.dont_write_bytecode = True
    from tdshost.forkserver import forkhooks
    forkhooks.keep_away()
    import tdshost.forkserver.library  # before all others
    from tdshost.forkserver.main import main as run
    from tdshost.forkserver import helpers
    # What sources import and pickles name, so that all actors share it.
    import thespian.actors
    import thespian.system.timing
    import thespian.system.utilis
    import thespian.troupe
    forkhooks.keep_no_more()
    helpers.keep(sys.path.pop(0))
    if sys.argv[1:] == ['--program']:
        from tdshost.program import launch, opening
        launch.run_interpreter(opening.move_in)
    return run(sys.argv[0], sys.argv[1:], program_at)


def program_at(facts: dict, logger_fd: int) -> Any:
    """What the source process of a program has besides; imported here, since most hosts never need it."""
    from tdshost.program import launch, opening
    return launch.Program.again(facts, logger_fd, opening.move_in)


if __name__ == '__main__':
    sys.exit(main())
