# SPDX-License-Identifier: MIT
"""The Python actor host: runs the actors of one loaded source for the admin.

Started as `python3 -I libexec/host` (a parent) or, by a parent only, `python3 -I libexec/host --actor`.
"""
import sys


def main() -> int:
    """Import the host from this folder, take the folder off the search path, and run.

    Shape:  the folder stays reachable as the __path__ of `tdshost` and `thespian` alone, so that no
            import of an actor finds a file of the host by accident.
    """
    sys.dont_write_bytecode = True
    from tdshost import forkhooks
    forkhooks.keep_away()
    from tdshost import parent
    forkhooks.keep_no_more()
    sys.path.pop(0)
    if sys.argv[1:] == ['--guest']:
        from tdshost import guest
        guest.run_interpreter()
    return parent.main(sys.argv[0], sys.argv[1:])


if __name__ == '__main__':
    sys.exit(main())
