#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ways to fail, one row each: the tool that is used, the one line that it says, and the status that it ends with.

A line says what went wrong, where, and (where that does not follow from it) what to do; tds-admin history has an entry of
each, whole. Prints TAP.
"""
import concurrent.futures
import contextlib
import json
import os
import re
import subprocess

from adminlib import ACTOR, asks, run_cases
from tap import KEYS, ok

ROLE = "{'Actors': {'m.a.A': {'OnLoad': {'Role': '%s', 'Message': 'load'}}}}\n"
RAISES = ACTOR.replace("note(type(self).__name__, 'made', os.getpid())", "raise ValueError('no such place')")


def on_load(statement):
    """The actor, which does this at its OnLoad message."""
    begin = 'me = type(self).__name__\n'
    return ACTOR.replace(begin, "%s        if msg == 'load':\n            %s\n" % (begin, statement), 1)


class Way:
    """One way to fail. make(admin, group) prepares it; DIR and PATH in line are the directory and the package."""

    def __init__(self, name, status, line, make, args=('GROUP',), tool='tds-load'):
        self.name, self.status, self.line, self.make, self.args, self.tool = name, status, line, make, args, tool

    def group(self):
        return self.name.replace(' ', '-')

    def run(self, a):
        return a.run(self.tool, *(x.replace('GROUP', self.group()).replace('DIR', str(a.dir)).replace('BASE', str(a.base))
                                   for x in self.args))

    def judge(self, a, answer):
        """Exactly this line, and this status."""
        wanted = self.line.replace('GROUP', self.group()).replace('DIR', re.escape(str(a.dir)))
        ok(answer.status == self.status and re.fullmatch(wanted + '\n', answer.err) is not None,
           '%s: %s, status %d' % (self.name, self.tool, self.status), answer, wanted)


def packed(source=ACTOR, declaration=ROLE, **more):
    def make(a, group):
        a.group(group, [1], declaration % group if '%s' in declaration else declaration, source=source, **more)
    return make


def declared(text):
    """A good package whose declaration is this in the end."""
    def make(a, group):
        a.group(group, [1], ROLE % group)
        a.tli(group, text)
    return make


def wrong_key(a, group):
    a.group(group, [1], ROLE % group)
    other = KEYS / 'alder.pem'
    key, a.key = a.key, other
    try:
        a.pack(group, 1)
    finally:
        a.key = key


def renamed(a, group):
    a.group(group, [1], ROLE % group)
    (a.dir / (group + '-1.tls')).rename(a.dir / (group + '-2.tls'))


def anothers(a, group):
    a.group('other', [1], ROLE % 'other')
    a.tli(group, ROLE % group)
    (a.dir / 'other-1.tls').rename(a.dir / (group + '-1.tls'))
    (a.dir / 'other.tli').unlink()


def revoked(a, group):
    a.group(group, [1], ROLE % group)
    digest = subprocess.run(['sha256sum', a.dir / (group + '-1.tls')], capture_output=True, check=True).stdout[:64]
    (a.dir / 'revoked.cfg').write_bytes(digest + b'\n')


def good_source(a, group, text='x = 1\n'):
    src = a.base / 'source'
    src.mkdir()
    (src / 'a.py').write_text(text)
    a.tli(group, '{}')


def syntax_error(a, group):
    good_source(a, group, 'x = 1\nclass A(:\n')


# --- the table: way, status, line, and how it is made

LOADS = [
    Way('syntax in a package', 1, r'tds-load: GROUP: GROUP-1.tls: m/a\.py:2: SyntaxError: .+', packed('class A(:\n')),
    Way('constructor raises', 1, r'tds-load: GROUP: GROUP-1.tls: m\.a\.A \(GROUP\): m/a\.py:\d+: ValueError: no such place', packed(RAISES)),
    Way('OnLoad raises', 1, r'tds-load: GROUP: GROUP-1.tls: m\.a\.A \(GROUP\): its OnLoad message: m/a\.py:\d+: ValueError: not today',
        packed(on_load("raise ValueError('not today')"))),
    Way('missing class', 1, r'tds-load: GROUP: GROUP-1.tls: module m\.a has no class Absent', packed(declaration="{'Actors': {'m.a.Absent': {}}}")),
    Way('missing module', 1, r"tds-load: GROUP: GROUP-1.tls: m/a\.py:2: ModuleNotFoundError: No module named 'absent_module'", packed(head='import absent_module\n')),
    Way('hanging import', 9, r'tds-load: GROUP: GROUP-1.tls: its import did not end in time; --wait=SECONDS gives it more', packed('import time\ntime.sleep(600)\n'),
        ('--wait=1', 'GROUP')),
    Way('hanging OnLoad', 0, r'tds-load: GROUP: warning: m\.a\.A \(GROUP\): still at its OnLoad message after 5 seconds, which counts as taken',
        packed(on_load('time.sleep(600)'))),
    Way('wrong key', 7, r'tds-load: GROUP: GROUP-1.tls: no key validates it \(1 tried\)', wrong_key),
    Way('renamed', 6, r'tds-load: GROUP: GROUP-2.tls: is signed as group GROUP version "1", which is not what its name says', renamed),
    Way('another group', 6, r"tds-load: GROUP: GROUP-1.tls: is signed as group other version \"1\", which is not what its name says", anothers),
    Way('TLI syntax', 1, r'tds-load: GROUP: GROUP.tli:2:\d+: .+', declared("{'Actors':\n {]}\n")),
    Way('TLI type', 1, r"tds-load: GROUP: GROUP.tli:1:\d+: .*Actors.*", declared("{'Actors': 3}\n")),
    Way('TLI code', 1, r'tds-load: GROUP: GROUP.tli:1:\d+: call to os\.system is not allowed', declared("{'Actors': os.system('id')}\n")),
    Way('duplicate role', 1, r'tds-load: GROUP: GROUP-1.tls: m\.a\.A: its role taken belongs to group holder', packed(declaration=ROLE % 'taken')),
    Way('revoked', 7, r'tds-load: GROUP: GROUP-1.tls: is revoked', revoked),
]
PACK = ('GROUP', 'BASE/birch.pem', 'BASE/source', 'version:2', 'a.py')
SYNTAX = Way('syntax error', 1, r'tds-gensrc: .*/source/a\.py:2:\d+: .+', syntax_error, PACK, 'tds-gensrc')
FULL_PACK = Way('full disk for gensrc', 5, r'tds-gensrc: DIR/GROUP-2.tls: cannot be written: No space left on device', good_source, PACK, 'tds-gensrc')
FULL_LOAD = Way('full disk for load', 5, r'tds-load: GROUP: GROUP-1.tls: store/[0-9a-f]{64}\.tls: No space left on device', packed())
FULL_START = Way('full disk for start', 5, r'tds-admin: DIR/\.tds: lock: No space left on device', packed(), ('start',), 'tds-admin')
READ_ONLY = Way('read-only directory', 5, r'tds-admin: DIR/\.tds \(rundir\.cfg names another place\): Read-only file system', packed(), ('start',), 'tds-admin')


# Which of them have a package that was looked at, one that a key validates, and a traceback.
UNSEEN = {'TLI syntax', 'TLI type', 'TLI code'}
UNTRUSTED = {'wrong key'}
RAISED = {'syntax in a package', 'constructor raises', 'OnLoad raises', 'missing module'}


def hold_warning(a, way, answer):
    """What history has of a load that is done, and was warned of."""
    text = a.must(a.admin('history', way.group())).out
    found = [json.loads(line) for line in a.must(a.admin('history', '-j', way.group())).out.splitlines()]
    warnings = [warning for event in found if event['Event'] == 'Loaded' for warning in event.get('Warnings', [])]
    ok(len(warnings) == 1 and answer.err.endswith(' warning: %s\n' % warnings[0]) and '\n    warning: %s\n' % warnings[0] in text,
       '%s: history has the warning' % way.name, found, text)


def hold_entry(a, way, answer):
    """What history has of it: the reason that was said, of which package, by which key, by whom, and the whole traceback."""
    if way.status == 0:
        hold_warning(a, way, answer)
        return
    found = [json.loads(line) for line in a.must(a.admin('history', '-j', way.group())).out.splitlines()]
    last = next((e for e in reversed(found) if e.get('Status')), {})
    digest = subprocess.run(['sha256sum', last.get('Path', '/dev/null')], capture_output=True, check=True).stdout[:64].decode()
    seen = way.name not in UNSEEN
    wrong = [what for what, holds in (
        ('event', last.get('Event') in ('Refused', 'Undone')),
        ('status', last.get('Status') == way.status),
        ('by', last.get('By') == asks()),
        ('reason', last.get('Message') and last['Message'] in answer.err),
        ('digest', last.get('SHA256') == (digest if seen else None)),
        ('key', ('Key' in last) == (seen and way.name not in UNTRUSTED)),
        ('traceback', ('Traceback' in last) == (way.name in RAISED)),
        ('its end', last.get('Traceback', last['Message']).rstrip().endswith(last['Message'].rsplit(': ', 1)[-1])),
    ) if not holds]
    ok(not wrong, '%s: history has it whole' % way.name, wrong, last)
    text = a.must(a.admin('history', way.group())).out
    lines = last.get('Traceback', '').rstrip('\n').splitlines()
    ok(last['Message'] in text and all('\n    %s\n' % line in text for line in lines),
       '%s: each line of it on a line of its own' % way.name, text)


def loads(a):
    """All that a load may end with, in different groups at the same time."""
    a.group('holder', [1], ROLE % 'taken')
    for way in LOADS:
        way.make(a, way.group())
    a.start()
    a.must(a.load('holder'))
    with concurrent.futures.ThreadPoolExecutor(len(LOADS)) as pool:
        for way, answer in zip(LOADS, pool.map(lambda way: way.run(a), LOADS)):
            way.judge(a, answer)
            hold_entry(a, way, answer)
    ok(set(a.groups()['holder']['Sources']) and a.active('holder') == '1', 'the others run on')


def packing(a):
    """What is found before anything is signed."""
    SYNTAX.make(a, SYNTAX.group())
    SYNTAX.judge(a, SYNTAX.run(a))


@contextlib.contextmanager
def mounted(path, *options):
    """A file system of its own at path, for root; elsewhere this cannot be tried, and yields False."""
    path.mkdir(mode=0o711, exist_ok=True)
    good = os.geteuid() == 0 and subprocess.run(['mount', *options, path], stderr=subprocess.DEVNULL).returncode == 0
    try:
        yield good
    finally:
        if good:
            subprocess.run(['umount', '-l', path], check=True)


def fill(path):
    """Leave no room there."""
    with contextlib.suppress(OSError), open(path / 'filler', 'wb', buffering=0) as f:
        while True:
            f.write(bytes(4096))


def where_there_is_no_room(way, folder, before=None, room='size=256k'):
    """Try a way with the file system of a folder of the directory full."""
    def case(a):
        with mounted(folder(a), '-t', 'tmpfs', '-o', room + ',mode=755', 'tmpfs') as good:
            if not good:
                ok(True, '%s # SKIP no file system can be mounted here' % way.name)
                return
            way.make(a, way.group())
            if before:
                before(a)
            fill(folder(a))
            answer = way.run(a)
            way.judge(a, answer)
            (folder(a) / 'filler').unlink()
            a.admin('shutdown')
            if before:
                hold_entry(a, way, answer)
    case.__name__ = way.group().replace('-', '_')
    return case


def read_only(a):
    READ_ONLY.make(a, READ_ONLY.group())
    with mounted(a.dir, '--bind', '-o', 'ro', a.dir) as good:
        if good:
            READ_ONLY.judge(a, READ_ONLY.run(a))
        else:
            ok(True, 'read-only directory # SKIP no file system can be mounted here')


def main():
    run_cases(loads, packing, where_there_is_no_room(FULL_PACK, lambda a: a.dir),
              where_there_is_no_room(FULL_LOAD, lambda a: a.dir / '.tds', lambda a: a.start()),
              where_there_is_no_room(FULL_START, lambda a: a.dir / '.tds', room='size=256k,nr_inodes=2'), read_only)


if __name__ == '__main__':
    main()
