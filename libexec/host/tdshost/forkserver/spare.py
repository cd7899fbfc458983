# SPDX-License-Identifier: MIT
"""An actor's process that was forked before it is known which actor it will be."""
import contextlib
import marshal
import os
import signal
import socket
import time
from typing import List, Tuple

from tdshost.wire.link import Closed

SPARE_S = 1.0  # a spare child that nobody needed for so long goes
ORDER_MAX = 1 << 16  # bytes of an order to a spare child


class Spare:
    """A child that was forked ahead and waits for the order to be an actor.

    Shape:   good for an actor only as long as no code of the source has run in the source process since.
    Owner:   sock is ours; its end is the child's.
    """

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self._sock = sock
        self._end = time.monotonic() + SPARE_S

    def left_ms(self) -> int:
        """How long it may still wait."""
        return max(0, int(1000 * (self._end - time.monotonic())))

    def take(self, order: dict, fds: List[int]) -> bool:
        """Give it the order; False: it is not there any more, or the order is too large."""
        data = marshal.dumps(order)
        try:
            return len(data) < ORDER_MAX and socket.send_fds(self._sock, [data], fds) == len(data)
        except OSError:
            return False
        finally:
            self._sock.close()

    def drop(self) -> None:
        """End it, and wait for that."""
        self._sock.close()
        with contextlib.suppress(PermissionError):  # of a confined source: it ends as it hears of the closed socket
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    @staticmethod
    def wait(sock: socket.socket) -> Tuple[dict, List[int]]:
        """In the child: wait for the order. Errors: Closed."""
        data, fds, _, _ = socket.recv_fds(sock, ORDER_MAX, 2, socket.MSG_CMSG_CLOEXEC)
        if not data:
            raise Closed
        sock.close()
        return marshal.loads(data), fds
