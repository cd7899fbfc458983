#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a running admin is watched by: what it counts, metrics as Prometheus reads them. Prints TAP."""
import json
import os
import re
import shutil
import signal
import subprocess

from adminlib import ACTOR, run_cases, until
from tap import ok

# An actor that creates others, which create others; and one that is told to send to who is gone.
SOURCE = ACTOR.replace('    def do_spin', r'''    def do_child(self, sender, depth):
        child = self.createActor(B)
        self.send(child, ('child', depth - 1, sender) if depth > 1 else ('hello', sender))

    def do_dead(self, sender):
        self.asker = sender
        self.send(self.createActor(B), ActorExitRequest())

    def told(self, me, msg):
        if isinstance(msg, ChildActorExited) and hasattr(self, 'asker'):
            self.send(msg.childAddress, 'nobody reads this')
            self.send(self.asker, 'sent')

    def do_many(self, sender):
        self.kid = getattr(self, 'kid', None) or self.createActor(B)
        for i in range(99):
            self.send(self.kid, i)
        self.send(self.kid, ('hello', sender))

    def do_director(self, sender, request):
        self.send(self.createActor('none', globalName='Director'), request)

    def do_spin''').replace('class B(A):\n    pass', r'''class B(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, tuple):
            return
        if msg[0] == 'hello':
            return self.send(msg[1], str(self.myAddress))
        child = self.createActor(C)
        self.send(child, ('hello', msg[2]))''').replace('class C(A):\n    pass', 'class C(B):\n    pass')

# The text format 0.0.4: what a line may be.
NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
COMMENT = re.compile(r'# (HELP|TYPE) (%s) (.+)' % NAME)
SAMPLE = re.compile(r'(%s)(?:\{([^\n]*)\})? ([-+]?[0-9]+(?:\.[0-9]+)?)' % NAME)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')


def labels_of(text):
    """The labels of a sample, as a frozenset of pairs; None: they break the grammar."""
    found, at = [], 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m:
            return None
        found.append((m[1], re.sub(r'\\(.)', lambda e: {'n': '\n'}.get(e[1], e[1]), m[2])))
        at = m.end()
    return frozenset(found) if len({k for k, _ in found}) == len(found) else None


def parse(text):
    """Metrics -> ({(name, labels): value}, what is wrong): each family has HELP, TYPE and its samples, in one piece."""
    samples, wrong, seen, family, said = {}, [], set(), None, []
    if not text.endswith('\n'):
        wrong.append('no newline at the end')
    for line in text.splitlines():
        comment, sample = COMMENT.fullmatch(line), SAMPLE.fullmatch(line)
        labels = labels_of(sample[2] or '') if sample else None
        if comment and comment[1] == 'HELP' and comment[2] not in seen:
            family, said = comment[2], ['HELP']
            seen.add(family)
        elif comment and comment[2] == family and said == ['HELP'] and comment[3] in ('counter', 'gauge'):
            said.append('TYPE')
            if (comment[3] == 'counter') != family.endswith('_total'):
                wrong.append('a counter ends in _total, and nothing else does: %s' % line)
        elif labels is not None and sample[1] == family and 'TYPE' in said and (family, labels) not in samples:
            samples[family, labels] = float(sample[3])
        else:
            wrong.append(line)
    return samples, wrong


def value(samples, name, **labels):
    """The one sample of this name that has these labels, beside others; None: none, or several."""
    found = [v for (n, have), v in samples.items() if n == name and have >= set(labels.items())]
    return found[0] if len(found) == 1 else None


def metrics(a, *args):
    answer = a.admin('metrics', *args)
    samples, wrong = parse(answer.out)
    ok(not wrong, 'metrics %s: as the grammar has it' % ' '.join(args), *wrong, answer)
    # Prometheus' own judge, which also says what is named against its customs, where it is installed.
    if shutil.which('promtool'):
        judged = subprocess.run(['promtool', 'check', 'metrics'], input=answer.out, capture_output=True, text=True, check=False)
        ok(judged.returncode == 0 and not judged.stderr, 'promtool finds nothing', judged)
    return answer, samples


def nothing_runs(a):
    odd = a.base / 'a "b" \\c\nd'
    odd.mkdir()
    answer, samples = metrics(a, '-C', str(odd))
    ok(answer.status == 8 and answer.err == 'tds-admin: the admin process is not running\n' and
       samples == {('tds_up', frozenset({('directory', str(odd))})): 0}, 'without an admin process: only tds_up 0, and 8', answer)
    file = a.base / 'tds.prom'
    file.write_text('tds_up 1\n')
    answer = a.admin('metrics', '--textfile=%s' % file)
    ok(answer.status == 8 and answer.out == '' and value(parse(file.read_text())[0], 'tds_up') == 0, 'the file says so too', answer)
    ok(not (a.dir / '.tds').exists(), 'who asks starts nothing')


def declare(a):
    a.group('foo', [1, 2], {'Actors': {'m.a.A': {'OnLoad': {'Role': 'foo'}}}}, source=SOURCE)
    a.start()


def count(a, counter):
    return a.ask('Status')['Counters'][counter]


def what_is_counted(a):
    """Each counter has moved by what has happened, and by nothing else."""
    declare(a)
    a.group('bar', [1], source='x = (\n')
    (a.dir / 'foo-3.tls').write_bytes(b'no package')
    for package, status in ('foo-1.tls', 0), ('foo-1.tls', 0), ('bar-1.tls', 1), ('foo-3.tls', 7), ('nothing', 4):
        ok(a.load(package).status == status, 'a load of %s ends with %d' % (package, status))
    (a.dir / 'foo-3.tls').unlink()
    counters = a.ask('Status')['Counters']
    ok(counters['Loads'] == {'Loaded': 1, 'Unchanged': 1, 'Undone': 1, 'Untrusted': 1, 'Refused': 1}, 'loads by result', counters)
    before = counters['Messages']
    for n in range(5):
        a.asked('foo', ('echo', n))
    ok(count(a, 'Messages') - before == 10, 'five questions and five answers have passed', count(a, 'Messages'), before)
    ok(a.asked('foo', ('dead',)) == 'sent' and count(a, 'DeadLetters') == 1, 'a message to one who is gone')
    until('two that talk much have a direct link', lambda: a.asked('foo', ('many',)) and count(a, 'DirectLinks'))
    ok(count(a, 'DirectLinks') == 1, 'a direct link')
    a.ask('Tell', Target='foo', Literal="('director', {'DirectorOp': 'Refresh'})")
    until('what an actor may not is counted', lambda: count(a, 'NotAllowed'))
    ok(count(a, 'NotAllowed') == 1, 'what is not allowed')
    child = a.asked('foo', ('child', 2))
    gone = a.actors_of('foo', '1')[0]['ActorAddress']['ActorAddress']
    os.kill(a.actors_of('foo', '1')[0]['Pid'], signal.SIGKILL)
    until('it is started again', lambda: (a.actors_of('foo', '1')[0]['ActorAddress'] or {}).get('ActorAddress', gone) != gone)
    ok(count(a, 'ActorRestarts') == 1 and child, 'one restart')
    ok(a.ask('Tell', Target='foo', Literal='1')['Success'] and a.ask('Status')['Uptime'] > 0, 'it has an uptime')


def what_is_exposed(a):
    declare(a)
    a.must(a.load('--hold', 'foo', '1'))
    answer, samples = metrics(a)
    ok(answer.status == 0 and answer.err == '', 'all well: 0', answer)
    here = {'directory': str(a.dir)}
    ok(all(set(here.items()) <= labels for _, labels in samples), 'each sample says of which director directory it is')
    foo = {'group': 'foo'}
    expected = {'tds_up': 1, 'tds_ready': 1, 'tds_groups': 1, 'tds_admin_restarts_total': 0}
    ok(all(value(samples, k) == v for k, v in expected.items()), 'of the admin process', samples)
    of_foo = {'tds_group_actors_up': 1, 'tds_group_actors_declared': 1, 'tds_group_sources': 1, 'tds_group_held': 1,
              'tds_group_newer_package': 1, 'tds_group_actor_restarts': 0, 'tds_budget_actors': 1, 'tds_queued_bytes': 0}
    ok(all(value(samples, k, **foo) == v for k, v in of_foo.items()), 'of a group', samples)
    ok(value(samples, 'tds_group_active_info', version='1', file='foo-1.tls', **foo) == 1, 'which version', samples)
    ok(value(samples, 'tds_group_floor_info', version='1', **foo) == 1, 'its floor', samples)
    ok(value(samples, 'tds_loads_total', result='loaded') == 1, 'loads by result', samples)
    os.utime(a.dir / 'foo-2.tls', (1700000000, 1700000000))
    answer, samples = metrics(a)
    ok(value(samples, 'tds_group_newest_package_age_seconds', **foo) > 60000000, 'the age of the newest package', samples)
    file = a.base / 'tds.prom'
    answer = a.admin('metrics', '--textfile=%s' % file)
    ok(answer.status == 0 and answer.out == '' and not parse(file.read_text())[1] and file.stat().st_mode & 0o777 == 0o644 and
       value(parse(file.read_text())[0], 'tds_up') == 1, 'a file for node_exporter, which it may read', answer)
    names = set(os.listdir(a.base))
    answer = a.admin('metrics', '--textfile=%s' % (a.base / 'nowhere' / 'x.prom'))
    ok(answer.status == 5 and set(os.listdir(a.base)) == names, 'a file that cannot be written: 5, and nothing is left', answer)


def who_created_whom(a):
    """A chain of three, two sources of a group, and what the text has of them."""
    declare(a)
    a.must(a.load('foo-1.tls'))
    a.must(a.load('foo-2.tls'))
    last = a.asked('foo', ('child', 2))
    answer = a.admin('tree', '-j')
    actors = json.loads(answer.out)['Actors']
    of = {actor['ActorAddress']['ActorAddress']: actor for actor in actors}
    chain = [of[last.replace('ActorAddr-', '')]]
    while chain[-1]['Parent']:
        chain.append(of[chain[-1]['Parent']['ActorAddress']])
    got = [(c['Depth'], c['ActorClass'].rpartition('.')[2], c.get('Role'), c['Group'], c['Up']) for c in chain]
    ok(answer.status == 0 and len(actors) == 4 and got ==
       [(2, 'C', None, 'foo', True), (1, 'B', None, 'foo', True), (0, 'A', 'foo', 'foo', True)], 'parents and children', got, actors)
    lines = ['%s%s%s  ActorAddr-%s  pid %d' % ('  ' * (c['Depth'] + 1), c['ActorClass'], ' (foo)' if c.get('Role') else '',
                                               c['ActorAddress']['ActorAddress'], c['Pid']) for c in reversed(chain)]
    text = a.admin('tree').out
    ok('\n'.join(['Group foo, foo-2.tls'] + lines) + '\n' in text and 'Group foo, foo-1.tls\n  m.a.A (foo)  ' in text and
       len(text.splitlines()) == 6, 'the same as text', text)
    ok(all('/host' in a.processes().get(c['Pid'], '') for c in chain), 'each has its process', a.processes())


if __name__ == '__main__':
    run_cases(nothing_runs, what_is_counted, what_is_exposed, who_created_whom)
