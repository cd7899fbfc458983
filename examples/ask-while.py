#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask a role the same thing again and again while a command runs, then say what became of it.

usage: ask-while.py ROLE LITERAL COMMAND [ARGUMENT...]

The command starts after the first answer and prints to standard error. Standard output gets one JSON object: how
often it was asked, what was lost, and how often each answer came. The exit status is the command's, or 1 where
something was lost.

It is a client of the admin process in a few lines: one request a line, one answer a line, JSON both. Nothing but
the socket in the director directory is needed.
"""
import json
import os
import socket
import subprocess
import sys
from collections import Counter


def main(role, literal, command):
    admin = socket.socket(socket.AF_UNIX)
    admin.connect(os.path.join(os.environ['THESPIAN_DIRECTOR_DIR'], '.tds', 'admin.sock'))
    lines = admin.makefile('rw')
    request = json.dumps({'DirectorOp': 'Ask', 'Target': role, 'Literal': literal, 'Timeout': 10})
    answers, failures = Counter(), Counter()

    def ask():
        print(request, file=lines, flush=True)
        answer = json.loads(lines.readline())
        if answer['Success']:
            answers[answer['Literal']] += 1
        else:
            failures[answer['Message']] += 1

    ask()
    with subprocess.Popen(command, stdout=sys.stderr) as running:
        while running.poll() is None:
            ask()
    ask()
    lost = sum(failures.values())
    print(json.dumps({'Asked': lost + sum(answers.values()), 'Lost': lost, 'Answers': answers,
                      'Failures': failures}))
    return running.returncode or int(lost > 0)


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit('usage: ask-while.py ROLE LITERAL COMMAND [ARGUMENT...]')
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
