# SPDX-License-Identifier: MIT
"""The main function of the first process, the fork server."""
import gc
import os
import signal
import sys
from typing import Any, Callable, List

from tdshost.forkserver.interpreter import ARCHIVE_FD, CONTROL_FD, run_actor
from tdshost.forkserver.rehearsal import rehearse
from tdshost.forkserver.sourceprocess import SourceProcess
from tdshost.wire import process
from tdshost.wire.process import waker


def main(host: str, arguments: List[str], program_at: Callable[[dict, int], Any]) -> int:
    """Run as the fork server, or with --actor as one actor. Never returns but for a wrong command line."""
    if arguments not in ([], ['--actor']):
        sys.stderr.write('usage: python3 -I %s (started by tds-admin)\n' % host)
        return 2
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', errors='backslashreplace', line_buffering=True)
    if arguments:
        run_actor(program_at)
    process.catch_signals()
    signal.signal(signal.SIGCHLD, process.note_signal)
    os.set_inheritable(CONTROL_FD, False)
    if process.is_open(ARCHIVE_FD):
        os.set_inheritable(ARCHIVE_FD, False)
    waker.open()
    process.release_signals()  # blocked by the admin: without handlers they would end us
    rehearse()
    gc.collect()
    gc.freeze()
    SourceProcess(host, CONTROL_FD).run()
