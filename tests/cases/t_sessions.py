#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recorded sessions of the Director, replayed; that a difference which no rule excuses is found; the page."""
import concurrent.futures
import json
import re
import subprocess
import sys

import tap

REPLAY = tap.ROOT / 'tests/replay-sessions'
SESSIONS = tap.ROOT / 'tests/sessions'
AT_A_TIME = 6  # they mostly wait: for messages that may come, for actors that are to go


def replay(vectors, *args):
    return subprocess.run([sys.executable, str(REPLAY), '--bin', str(tap.BIN), '--vectors', str(vectors), *args],
                          capture_output=True, encoding='utf-8', errors='replace')


def check_all():
    p = replay(tap.VECTORS, '-v', '-j', str(AT_A_TIME))
    tap.ok(p.returncode == 0, 'all recorded sessions', *[x for x in p.stdout.splitlines() if 'excused by' not in x], p.stderr)
    used = set(re.findall(r': excused by ([a-z0-9-]+): ', p.stdout))
    known = {rule['id'] for rule in json.loads((SESSIONS / 'differences.json').read_text())}
    # Those of which the recorded sessions have no case, but others may.
    unseen = {'no-directory', 'strict-signature', 'outside-source', 'refresh-goes-on', 'python-warnings', 'limit-at-load'}
    tap.ok(known - used == unseen, 'every rule is needed', sorted((known - used) ^ unseen))


def named(document, name):
    return next(s for s in document['scenarios'] if s['name'] == name)


def other_exit(document):
    step = named(document, 'AutoUnload False')['steps'][0]
    step['exit'] = 1
    return 'exit status: recorded 1, given 0'


def other_output(document):
    step = named(document, 'AutoUnload False')['steps'][3]
    step['stdout'] = step['stdout'].replace('(main)', '(chief)', 1)
    return 'stdout: recorded Group milleract'


def other_message(document):
    steps = [s for s in named(document, 'AutoUnload False')['steps'] if s.get('messages')]
    steps[1]['messages'].remove("v1 Keeper dict {'stop': 1}")
    return "message: given, not recorded: v1 Keeper dict {'stop': 1}"


def other_order(document):
    steps = [s for s in named(document, 'messages: messages of many types')['steps'] if 'unload' in s.get('argv', [])]
    steps[0]['messages'] = [m for m in steps[0]['messages'] if 'ActorExit' in m] + \
        [m for m in steps[0]['messages'] if 'ActorExit' not in m]
    return "message: recorded, not given: v2 Keeper tuple ('down', 3)"


def other_file(document):
    step = named(document, 'gensrc: formats')['steps'][0]
    step['files_after'] = step['files_new'] = ['wheel-00.tls']
    return 'file: recorded, not given: wheel-00.tls'


def other_member(document):
    step = named(document, 'gensrc: formats')['steps'][0]
    step['members']['wheel-0.tls'].pop()
    return 'member: given, not recorded: '


def refused_for_nothing(document):
    """A good package that ours will not load, because a key is missing: never excused as undone or refused."""
    scenario = named(document, 'AutoUnload False')
    del scenario['files_before']['$DIR/birch_tls.key']
    return 'exit status: recorded 0, given 7'


def altered(alter):
    """What is to be said of the altered sessions, and what is."""
    document = json.loads((tap.VECTORS / 'transcripts.json').read_text())
    expected = alter(document)
    name = {'other_file': 'gensrc: formats', 'other_member': 'gensrc: formats',
            'other_order': 'messages: messages of many types'}.get(alter.__name__, 'AutoUnload False')
    with tap.folder() as vectors:
        for path in tap.VECTORS.iterdir():
            (vectors / path.name).symlink_to(path)
        (vectors / 'transcripts.json').unlink()
        (vectors / 'transcripts.json').write_text(json.dumps(document))
        return expected, replay(vectors, '-k', name)


def check_altered(*alterations):
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for alter, (expected, p) in zip(alterations, pool.map(altered, alterations)):
            tap.ok(p.returncode == 1 and expected in p.stdout, 'found: ' + alter.__name__, p.stdout, p.stderr)


def check_nothing():
    tap.ok(replay(tap.VECTORS, '-k', 'no session has this name').returncode == 1, 'no session is no success')


def check_page():
    with open(tap.ROOT / 'man/tds-director.1.in', encoding='utf-8') as template:
        p = subprocess.run([sys.executable, str(SESSIONS / 'page')], stdin=template, capture_output=True)
    tap.ok(p.stdout == (tap.ROOT / 'man/tds-director.1').read_bytes(), 'tds-director(1) has the table as it is', p.stderr)


check_page()
check_all()
check_altered(other_exit, other_output, other_message, other_order, other_file, other_member, refused_for_nothing)
check_nothing()
tap.done()
