#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what every command of every tool prints with -j, where it succeeds and where it fails, against the schemas.

A command that has no schema, a schema that no command has, and a key that no schema has are failures. Prints TAP.
"""
import contextlib
import functools
import json
import os
import pathlib
import re

from jsonschema import Draft202012Validator

from adminlib import case, until
from tap import BIN, ROOT, done, ok, run

SCHEMAS = pathlib.Path(os.environ.get('TDS_SCHEMAS', ROOT / 'schemas'))
# What has no document of this form: it prints text for people, or has a form of its own that its page describes.
EXEMPT = {'tds-admin check', 'tds-admin help'}
ADMIN = re.compile(r'^  ([a-z]+) ', re.M)


def load_schemas():
    """Each schema by its name, with what common.json defines as definitions of its own: no reference leaves it."""
    text = {p.stem: p.read_text().replace('"common.json#', '"#') for p in sorted(SCHEMAS.glob('*.json'))}
    shared = json.loads(text.pop('common'))['$defs']
    return {name: dict(json.loads(schema), **{'$defs': shared}) for name, schema in text.items()}


class Judge:
    """The schemas, and which commands were seen to succeed and to fail."""

    def __init__(self):
        self.schemas = load_schemas()
        self.seen = {}
        for schema in self.schemas.values():
            Draft202012Validator.check_schema(schema)

    def errors(self, name, document):
        return ['%s: %s' % (e.json_path, e.message[:300]) for e in Draft202012Validator(self.schemas[name]).iter_errors(document)]

    def hold(self, command, answer, status):
        """command: "tds-admin list"; its answer must have this status, and documents that the schema allows."""
        name = command.replace(' ', '-')
        out = answer.out.decode() if isinstance(answer.out, bytes) else answer.out
        wrong = [] if answer.status == status else ['status %s' % answer.status]
        lines = out.splitlines()
        documents = []
        try:
            documents = [json.loads(line) for line in lines]
        except ValueError as error:
            wrong.append('no JSON: %s' % error)
        if not documents:
            wrong.append('nothing is printed')
        for i, document in enumerate(documents):
            wrong += self.errors(name, document)
        failures = [d for d in documents if d.get('Success') is False]
        if documents and 'Format' not in documents[0]:
            wrong.append('the first line has no Format')
        if max([0] + [d.get('Status', 0) for d in failures]) != status:
            wrong.append('the documents tell another status')
        self.seen.setdefault(command, set()).add(status == 0)
        ok(not wrong, '%s, status %s: as its schema has it' % (command, status), *wrong, answer)


def commands():
    """Every command that there is, by what the tools say themselves."""
    found = {'tds-%s' % t for t in ('verify', 'avail', 'gensrc', 'load')}
    tools = {p.name for p in BIN.iterdir() if p.name.startswith('tds-')}
    ok(tools == found | {'tds-admin', 'tds-director'}, 'the tools are those that are tried here', tools)
    return found | {'tds-admin ' + c for c in ADMIN.findall(run('tds-admin', '--help').out.decode())}


def packages(judge, a):
    """What is done with files: no admin process runs."""
    src = a.base / 'src'
    src.mkdir()
    (src / 'a.py').write_text('A = 1\n')
    (src / 'bad.py').write_text('A = (\n')
    (src / 'worse.py').write_text('A = )\n')
    a.group('foo', [1, 2], "{'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}, 'TLS_Keep_Limit': 1}\n")
    a.tli('odd', "{'Actors': os.system('')}\n")
    a.tli('none', "{'x': (1, 2)}\n")
    (a.dir / 'foo-3.tls').write_bytes(b'no package')
    (a.dir / 'foo-4.tls').symlink_to('nowhere')

    def hold(command, status, *args):
        judge.hold(command, a.run(command.split()[0], *command.split()[1:], *args, '-j'), status)

    hold('tds-verify', 0, a.dir / 'foo-1.tls')
    hold('tds-verify', 0, '-t', '--explain', 'foo-1.tls', 'foo-2.tls')
    hold('tds-verify', 7, '--explain', 'foo-3.tls', 'foo-1.tls')
    hold('tds-verify', 4, 'nowhere')
    hold('tds-verify', 2)
    hold('tds-verify', 2, '--bogus')
    hold('tds-avail', 4)
    hold('tds-avail', 4, 'foo', 'bar', 'baz')
    hold('tds-avail', 7, '--verify')
    hold('tds-avail', 0, 'none', 'odd')
    hold('tds-avail', 4, '-C', '/nonexistent')
    hold('tds-avail', 2, '--paths')
    hold('tds-gensrc', 0, 'foo', a.key, src, 'version:9', 'a.py', '-o', a.base / 'foo-9.tls')
    hold('tds-gensrc', 0, 'foo', a.key, src, 'a.py', '-o', a.base / 'foo.tls')
    hold('tds-gensrc', 1, 'foo', a.key, src, '*.py', '-o', a.base / 'foo.tls')
    hold('tds-gensrc', 4, 'foo', 'nokey', src, 'a.py')
    hold('tds-gensrc', 2, 'foo')
    hold('tds-admin sandbox', 0, 'foo-1.tls')
    hold('tds-admin sandbox', 4, 'bar')
    hold('tds-admin sandbox', 7, 'foo-3.tls')
    hold('tds-load', 0, '-n', a.dir / 'foo-2.tls', 'foo-1.tls')
    hold('tds-load', 4, '-n', '--all')
    hold('tds-load', 7, '-n', 'foo-3.tls')
    hold('tds-load', 4, '-n', 'none', 'nothing')
    hold('tds-load', 1, '-n', 'odd')
    hold('tds-load', 8, '--no-start', 'foo')
    hold('tds-load', 2)
    (a.dir / 'foo-4.tls').unlink()
    (a.dir / 'foo-3.tls').unlink()
    hold('tds-avail', 1, '--excess')
    hold('tds-avail', 0, '--excess', 'foo')
    hold('tds-avail', 0, '--prune', 'foo')
    hold('tds-avail', 0, '--latest')


def configuration(judge, a):
    def hold(status, *args):
        judge.hold('tds-admin ' + args[0], a.admin(*args, '-j'), status)

    hold(0, 'config')
    hold(0, 'config', '--python-path')
    (a.dir / 'othercaps.cfg').write_text('{')
    hold(1, 'config')
    (a.dir / 'othercaps.cfg').write_text("{'x': (1, None)}")
    (a.dir / 'thesplog.cfg').write_text("{'version': 1}")
    hold(0, 'config')
    hold(2, 'config', 'x')
    hold(0, 'keys')
    hold(2, 'keys', 'x')
    hold(0, 'may')
    hold(0, 'may', 'root')
    hold(4, 'may', 'nobody-of-this-name')
    hold(2, 'may', 'x', 'y')
    (a.base / 'root/etc/systemd/system').mkdir(parents=True)
    hold(0, 'bootstart', '--root=%s' % (a.base / 'root'))
    hold(0, 'bootstart', '--root=%s' % (a.base / 'root'), '--remove')
    hold(0, 'bootstart', '--print', '--manager=s6')
    hold(5, 'bootstart', '--root=/nonexistent')
    a.base.chmod(0o755)
    if os.geteuid() == 0:
        hold(0, 'setup', '--print', a.base / 'setup')
    else:  # whoever may put something else in the place of a folder of its way is refused
        hold(1, 'setup', '--print', a.base / 'setup')
        hold(0, 'setup', '--print', '/setup')
    hold(2, 'setup', '--bogus')
    convention(hold, a)
    (a.dir / 'junk_tls.key').write_text('junk')
    (a.dir / 'birch_tls.allow').write_text('f*\n-unsigned-names\n')
    hold(0, 'keys')
    (a.dir / 'revoked.cfg').write_text('junk')
    hold(7, 'keys')


def convention(hold, a):
    folder = a.base / 'convention'
    hold(0, 'convention', 'init', 'a', 'b', '--bus=127.0.0.1:1', '--folder=%s' % folder)
    hold(0, 'convention', 'remove', 'b', '--folder=%s' % folder)
    hold(1, 'convention', 'init', 'b', '--folder=%s' % folder)
    hold(2, 'convention', 'init', 'all', '--folder=%s' % folder)
    hold(4, 'convention', 'join', folder)
    hold(0, 'convention', 'join', folder / 'systems/a')
    hold(1, 'convention', 'status')
    hold(0, 'convention', 'leave')
    hold(4, 'convention', 'status')
    hold(0, 'convention', 'leave')


@contextlib.contextmanager
def watching(a):
    """tds-admin watch, from when the admin process knows of it."""
    p = a.start_tool('tds-admin', 'watch', '-j')
    try:
        until('it watches', lambda: a.ask('Status')['Clients'] == 2)
        yield p
    except BaseException:
        p.kill()
        raise


def running(judge, a):
    def hold(command, status, *args, **more):
        judge.hold(command, a.run(command.split()[0], *command.split()[1:], *args, '-j', **more), status)

    for command in 'status', 'list', 'members', 'watch', 'metrics', 'tree', 'top':
        hold('tds-admin ' + command, 8)
    (a.dir / 'convbus.cfg').write_text('nats://127.0.0.1:1\n')  # where nobody listens
    (a.dir / 'convsystem.cfg').write_text('alpha\n')
    hold('tds-admin role', 8, 'foo')
    hold('tds-admin ask', 8, 'foo', '1')
    hold('tds-admin tell', 8, 'foo', '1')
    hold('tds-admin shutdown', 0)
    hold('tds-admin start', 0)
    hold('tds-admin start', 0)
    hold('tds-admin members', 0)
    hold('tds-admin members', 0, '--wait=1')
    hold('tds-admin members', 9, '--wait=2', '--timeout=0')
    hold('tds-admin members', 2, '--wait=0')
    a.group('foo', [1, 2])
    with watching(a) as watch:
        hold('tds-load', 0, a.dir / 'foo-1.tls')
        hold('tds-load', 0, 'foo')
        hold('tds-load', 0, '--all')
        hold('tds-load', 4, 'foo', 'nothing')
        hold('tds-load', 4, '--unload', 'x')
        hold('tds-load', 0, '--rollback', 'foo')
        hold('tds-load', 4, '--rollback', 'foo')
        hold('tds-load', 0, '--release', 'foo')
        hold('tds-load', 0, '--hold', 'foo', '2')
        hold('tds-admin status', 0)
        hold('tds-admin metrics', 0)
        hold('tds-admin tree', 0)
        hold('tds-admin top', 0, '-n', '2', '--delay=0.1')
        hold('tds-admin list', 0)
        hold('tds-admin list', 0, 'foo')
        hold('tds-admin list', 4, 'nothing')
        hold('tds-admin role', 0, 'foo')
        hold('tds-admin role', 1, 'nothing')
        hold('tds-admin ask', 0, 'foo', "('echo', (1, None))")
        hold('tds-admin ask', 9, '--timeout=0.2', 'foo', "('quiet',)")
        hold('tds-admin ask', 2, 'foo', '(')
        hold('tds-admin tell', 0, 'foo', "('quiet',)")
        hold('tds-admin tell', 1, 'nothing', '1')
        hold('tds-load', 0, '--unload', a.hash_of('foo', '1'))
        (a.dir / 'actoruser.cfg').write_text('%d\n' % os.geteuid())
        hold('tds-admin reload', 0)
        (a.dir / 'budget.cfg').write_text('{')
        hold('tds-admin status', 0)
        hold('tds-admin reload', 1)
        (a.dir / 'budget.cfg').unlink()
        hold('tds-admin restart', 0)
        hold('tds-admin forget', 1, 'foo')
        hold('tds-load', 0, '--release', 'foo')
        hold('tds-load', 0, '--unload', a.hash_of('foo', '2'))
        hold('tds-admin forget', 0, 'foo')
        hold('tds-admin forget', 4, 'foo')
        hold('tds-admin shutdown', 0)
    watched = a.end_tool(watch)
    judge.hold('tds-admin watch', watched, 8)
    judge.hold('tds-admin watch', watched._replace(status=0, out=watched.out.rpartition('{')[0]), 0)  # before its end
    for command in 'start', 'shutdown', 'status', 'list', 'members', 'role', 'tell', 'ask', 'watch', 'reload', 'restart', 'forget':
        hold('tds-admin ' + command, 2, '--bogus')
    hold('tds-admin start', 4, '-C', '/nonexistent')
    # What the admin process has left behind.
    hold('tds-admin log', 0)
    hold('tds-admin log', 0, '--audit')
    hold('tds-admin log', 2, '-n', 'x')
    hold('tds-admin log', 4, '-C', a.base)
    hold('tds-admin history', 0)
    hold('tds-admin history', 0, '-n', '2', 'foo')
    hold('tds-admin history', 2, '--bogus')


def main():
    judge = Judge()
    for part in packages, configuration, running:
        case(functools.update_wrapper(functools.partial(part, judge), part))
    there = commands() - EXEMPT
    named = {n.replace('tds-admin-', 'tds-admin ') for n in judge.schemas}
    ok(there == named, 'every command has its schema, and every schema its command', there ^ named)
    ok(set(judge.seen) == there and all(v == {True, False} for v in judge.seen.values()),
       'every command was seen to succeed and to fail', there - set(judge.seen),
       {c: v for c, v in judge.seen.items() if len(v) < 2})
    done()


if __name__ == '__main__':
    main()
