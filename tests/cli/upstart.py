#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold a job file of upstart, from stdin, against the grammar of init(5), its manager being nowhere to be had.

usage: upstart.py <FILE

Ends with 1 and "line N: what" for each stanza that upstart would not take, or would take for something else.
"""
import re
import shlex
import signal
import subprocess
import sys

LIMITS = set('as core cpu data fsize memlock msgqueue nice nofile nproc rss rtprio sigpending stack'.split())
PROCESSES = ('pre-start', 'post-start', 'pre-stop', 'post-stop')
EVENT = re.compile(r'[A-Za-z][A-Za-z0-9_./-]*\Z')
MATCH = re.compile(r'([A-Za-z_][A-Za-z0-9_]*!?=)?[^\s()]+\Z')


class Wrong(Exception):
    """What is wrong with a line."""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


def one(words: list[str]) -> None:
    need(len(words) == 1, 'one word is expected')


def some(words: list[str]) -> None:
    need(bool(words), 'a word is expected')


def none(words: list[str]) -> None:
    need(not words, 'nothing is expected behind it')


def number(word: str, most: int, least: int = 0) -> None:
    need(re.fullmatch(r'-?[0-9]+', word) is not None and least <= int(word) <= most, 'not a number up to %d: %s' % (most, word))


def is_signal(word: str) -> bool:
    return hasattr(signal.Signals, 'SIG' + word.removeprefix('SIG'))


def of(*allowed: str):
    """One of these words."""
    def check(words: list[str]) -> None:
        one(words)
        need(words[0] in allowed, 'not one of %s: %s' % (', '.join(allowed), words[0]))
    return check


def up_to(most: int, least: int = 0):
    """One number."""
    def check(words: list[str]) -> None:
        one(words)
        number(words[0], most, least)
    return check


def a_signal(words: list[str]) -> None:
    one(words)
    need(is_signal(words[0]), 'not a signal: ' + words[0])


def statuses(words: list[str]) -> None:
    some(words)
    for word in words:
        if not is_signal(word):
            number(word, 255)


def respawn_limit(words: list[str]) -> None:
    if words != ['unlimited']:
        need(len(words) == 2, 'a count and an interval are expected')
        for word in words:
            number(word, 2 ** 31 - 1)


def resource(words: list[str]) -> None:
    need(len(words) == 3 and words[0] in LIMITS, 'a resource, its soft and its hard limit are expected')
    for word in words[1:]:
        if word != 'unlimited':
            number(word, 2 ** 63 - 1)


def octal(words: list[str]) -> None:
    one(words)
    need(re.fullmatch('[0-7]{1,4}', words[0]) is not None, 'not a mask: ' + words[0])


def assignment(words: list[str]) -> None:
    one(words)
    need(re.match('[A-Za-z_][A-Za-z0-9_]*(=|$)', words[0]) is not None, 'not a variable: ' + words[0])


def events(words: list[str]) -> None:
    """EVENT [[KEY=]VALUE]..., several of them by "and", "or" and in brackets."""
    text = ' '.join(words)
    tokens = re.findall(r'[()]|[^\s()]+', text)
    depth, wanted = 0, True  # wanted: an event, or the bracket of one
    for token in tokens:
        if token == '(':
            need(wanted, 'an operator is expected before "("')
            depth += 1
        elif token == ')':
            need(not wanted and depth > 0, 'nothing is closed by ")"')
            depth -= 1
        elif token in ('and', 'or'):
            need(not wanted, 'an event is expected before "%s"' % token)
            wanted = True
        else:
            need((EVENT if wanted else MATCH).match(token) is not None, 'not an event: ' + token)
            wanted = False
    need(not wanted, 'an event is expected at the end')
    need(depth == 0, 'a bracket is open')


STANZAS = {
    'description': one, 'author': one, 'version': one, 'usage': one, 'emits': some, 'start on': events, 'stop on': events,
    'manual': none, 'task': none, 'respawn': none, 'respawn limit': respawn_limit, 'normal exit': statuses,
    'instance': one, 'expect': of('stop', 'daemon', 'fork', 'none'), 'kill signal': a_signal, 'reload signal': a_signal,
    'kill timeout': up_to(2 ** 31 - 1), 'console': of('none', 'log', 'output', 'owner'), 'env': assignment, 'export': some,
    'limit': resource, 'nice': up_to(19, -20), 'oom score': up_to(999, -999), 'umask': octal, 'chdir': one, 'chroot': one,
    'setuid': one, 'setgid': one, 'exec': some, 'script': none,
    **{p + ' ' + how: check for p in PROCESSES for how, check in (('exec', some), ('script', none))},
}


def stanza(words: list[str]) -> tuple[str, list[str]]:
    """Its name, of two words where there is such a one, and what is behind it."""
    for n in (2, 1):
        name = ' '.join(words[:n])
        if len(words) >= n and name in STANZAS:
            return name, words[n:]
    raise Wrong('no such stanza: ' + words[0])


def shell(text: str) -> None:
    """upstart has a shell read a script, which leaves at the first command that fails."""
    p = subprocess.run(['sh', '-e', '-n'], input=text, stderr=subprocess.PIPE, text=True, check=False)
    need(p.returncode == 0, 'the script is none: ' + p.stderr.strip())


def check_line(line: str, rest, seen: set[str]) -> None:
    """One stanza; a script takes as many of the lines that come as it has. seen: the stanzas so far."""
    words = shlex.split(line, comments=True)
    if not words:
        return
    name, arguments = stanza(words)
    STANZAS[name](arguments)
    need(name not in seen or name in ('env', 'export', 'emits', 'limit'), 'comes twice: ' + name)
    seen.add(name)
    need(not {'exec', 'script'} <= seen, 'one of exec and script is expected')
    if name.endswith('script'):
        script = []
        for _, line in rest:
            if line.split() == ['end', 'script']:
                break
            script.append(line)
        else:
            raise Wrong('no end script')
        shell('\n'.join(script) + '\n')


def main() -> int:
    lines = iter(enumerate(sys.stdin.read().split('\n'), 1))
    seen: set[str] = set()
    status = 0
    for n, line in lines:
        try:
            check_line(line, lines, seen)
        except (Wrong, ValueError) as e:  # shlex: a quotation that does not end
            print('line %d: %s' % (n, e))
            status = 1
    if not seen & {'exec', 'script'}:
        print('nothing is run')
        status = 1
    return status


if __name__ == '__main__':
    sys.exit(main())
