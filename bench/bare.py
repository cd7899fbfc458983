# SPDX-License-Identifier: MIT
"""What actors are measured beside: forks of a warm Python, and two processes that bounce bytes. Prints JSON.

usage: python3 bench/bare.py fork N | bounce N BYTES
"""
import gc
import json
import os
import signal
import socket
import sys
import time

from memory import private_kib

# What a host of actors has imported too.
import base64  # noqa: F401
import copy  # noqa: F401
import ctypes  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import fractions  # noqa: F401
import logging  # noqa: F401
import pickle  # noqa: F401
import select  # noqa: F401
import traceback  # noqa: F401
import uuid  # noqa: F401
import zipfile  # noqa: F401


def forked():
    """A child that answers what it gets, until the socket ends: its pid and our end."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        while True:
            data = theirs.recv(65536)
            if not data:
                os._exit(0)
            theirs.send(data)
    theirs.close()
    return pid, ours


def fork(n):
    gc.freeze()
    times, children = [], []
    for _ in range(n):
        began = time.monotonic()
        children.append(forked())
        children[-1][1].send(b'up')
        children[-1][1].recv(100)
        times.append(time.monotonic() - began)
    found = {'times': times, 'kib': [private_kib(pid) for pid, _ in children]}
    for pid, _ in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return found


def bounce(n, size):
    pid, sock = forked()
    data = bytes(size)
    began = time.monotonic()
    for _ in range(n):
        sock.send(data)
        sock.recv(65536)
    took = time.monotonic() - began
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return {'seconds': took}


if __name__ == '__main__':
    print(json.dumps(globals()[sys.argv[1]](*map(int, sys.argv[2:]))))
