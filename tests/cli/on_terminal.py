#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a command that asks for a passphrase, on a terminal of its own.

usage: on_terminal.py ANSWERS COMMAND...

Each time the terminal shows "Passphrase", the next of ANSWERS is typed: words with a blank between them, ^C and ^Z
for these keys, others with a newline. Prints what the terminal showed, whether it shows again what is typed, and
how the command ended.
"""
import os
import pty
import re
import signal
import sys
import termios


def echoes(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)


def main():
    answers = sys.argv[1].split()
    signal.alarm(60)
    pid, fd = pty.fork()
    if pid == 0:
        for ours in signal.SIGINT, signal.SIGTSTP:  # ignored where the tests are run in the background
            signal.signal(ours, signal.SIG_DFL)
        os.execvp(sys.argv[2], sys.argv[2:])
    shown = b''
    for answer in answers:
        seen = len(shown)
        while not re.search(rb'Passphrase.*: ', shown[seen:]):
            shown += os.read(fd, 1000)
        if echoes(fd):
            print('what is typed is shown')
        os.write(fd, {'^C': b'\x03', '^Z': b'\x1a'}.get(answer, answer.encode() + b'\n'))
    again = os.dup(fd)
    try:
        while True:
            more = os.read(fd, 1000)
            if not more:
                break
            shown += more
    except OSError:  # the other end is closed
        pass
    print(shown.decode().replace('\r\n', '\n'), end='')
    print('echo on' if echoes(again) else 'echo off')
    status = os.waitpid(pid, 0)[1]
    print('signal %d' % os.WTERMSIG(status) if os.WIFSIGNALED(status) else 'status %d' % os.WEXITSTATUS(status))


if __name__ == '__main__':
    main()
