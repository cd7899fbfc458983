#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs on tds, and what they print with the real Thespian 4.0.1.

usage: compare.py [--ours | --real | --record] [-j N] [TEXT]

Plays the programs of play.py whose name (NAME@BASE) holds TEXT. Without an option it prints where tds's Thespian prints
other lines than were recorded, but for the table of deliberate differences. --ours, --real: what they print. --record:
plays them with the real one, twice, since what differs between two runs is no answer, and writes
tests/vectors/oracle.json.

The real Thespian is the checkout that TDS_THESPIAN names, else build/thespian, where `setup.sh check` installs it.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDED = ROOT / 'tests/vectors/oracle.json'
DIFFERENCES = HERE / 'differences.json'
BIN = pathlib.Path(os.environ.get('TDS_BIN', ROOT / 'build/bin')).resolve()
HOST = BIN.parent / 'share/tds/host'
LIMIT_S = 60  # a program that takes longer hangs

Lines = List[str]


class Case(NamedTuple):
    """A program on a base."""
    name: str
    base: str

    def __str__(self) -> str:
        return '%s@%s' % self


def real_path() -> Optional[str]:
    """The search path with the real Thespian; None where it is not there. Ends where TDS_THESPIAN names nothing."""
    named = os.environ.get('TDS_THESPIAN') or str(ROOT / 'build/thespian')
    if not os.path.exists(os.path.join(named, 'thespian/director.py')):
        if os.environ.get('TDS_THESPIAN'):
            sys.exit('TDS_THESPIAN=%s: no Thespian is there' % named)
        return None
    return os.pathsep.join((str(HERE / 'site'), named))


def cases() -> List[Case]:
    """All programs, each on each of its bases."""
    listed = subprocess.run([sys.executable, '-B', str(HERE / 'play.py'), '--list'], check=True, capture_output=True,
                            encoding='utf-8', env=dict(os.environ, PYTHONPATH=str(HOST)))
    return [Case(name, base) for name, *bases in map(str.split, listed.stdout.splitlines()) for base in bases]


@contextlib.contextmanager
def folder() -> Iterator[str]:
    path = tempfile.mkdtemp(prefix='tds-play-')
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def processes_of(base: str) -> Iterator[int]:
    """Those that a program has started, whatever session they are in: their environment names its folder."""
    mark = b'TDS_PLAY_FOLDER=%s' % base.encode()
    for entry in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError), open('/proc/%s/environ' % entry, 'rb') as f:
            if mark in f.read().split(b'\0'):
                yield int(entry)


def end_all(base: str) -> None:
    """Kill them, and those that they started meanwhile."""
    while left := list(processes_of(base)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def play(case: Case, path: str) -> Lines:
    """What a program prints with the Thespian of a search path. Ends all that it leaves running."""
    with folder() as base, open(os.path.join(base, 'errors'), 'w+b') as errors:
        os.mkdir(os.path.join(base, 'run'), 0o700)
        env = {k: v for k, v in os.environ.items() if not k.startswith(('THESPIAN_', 'TDS_', 'PYTHON'))}
        env.update(PYTHONPATH=path, TDS_PLAY_FOLDER=base, XDG_RUNTIME_DIR=os.path.join(base, 'run'), TMPDIR=base,
                   PYTHONDONTWRITEBYTECODE='1')
        p = subprocess.Popen([sys.executable, str(HERE / 'play.py'), *case], cwd=base, env=env, start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, encoding='utf-8')
        try:
            out = p.communicate(timeout=LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            out = 'hangs\n'
        end_all(base)
        p.wait()
        if p.returncode:
            errors.seek(0)
            last = errors.read().decode('utf-8', 'replace').strip().splitlines()[-1:]
            out += 'ended with %s: %s\n' % (p.returncode, ''.join(last))
        return out.splitlines()


def play_all(wanted: List[Case], path: str, jobs: int) -> Dict[Case, Lines]:
    """What each prints, so many at a time."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(zip(wanted, pool.map(lambda case: play(case, path), wanted)))


def recorded() -> Dict[str, Lines]:
    """What the real Thespian printed, by str(case)."""
    document: Dict[str, Any] = json.loads(RECORDED.read_text('utf-8'))
    return document['programs']


def differences() -> Dict[str, Dict[str, Any]]:
    """The table of deliberate differences: what tds's prints, by str(case), and why."""
    table: Dict[str, Dict[str, Any]] = {}
    for row in json.loads(DIFFERENCES.read_text('utf-8')):
        for base in row['bases']:
            table[str(Case(row['program'], base))] = row
    return table


def expected(case: Case) -> Optional[Lines]:
    """What tds's has to print; None where nothing is recorded."""
    row = differences().get(str(case))
    return row['tds'] if row else recorded().get(str(case))


def record(wanted: List[Case], path: str, jobs: int) -> int:
    """Write what the real one prints in two runs; returns how many programs did not do the same twice."""
    first, second = play_all(wanted, path, jobs), play_all(wanted, path, jobs)
    unsure = [case for case in wanted if first[case] != second[case]]
    for case in unsure:
        print('%s: not the same twice:' % (case,), first[case], second[case])
    known = recorded() if RECORDED.exists() else {}
    known.update((str(case), first[case]) for case in wanted if case not in unsure)
    alive = set(map(str, cases()))
    document = {'thespian': '4.0.1', 'python': '%d.%d' % sys.version_info[:2],
                'programs': {name: lines for name, lines in sorted(known.items()) if name in alive}}
    RECORDED.write_text(json.dumps(document, indent=1, ensure_ascii=False) + '\n', 'utf-8')
    return len(unsure)


def compare(wanted: List[Case], jobs: int) -> int:
    """Print what differs; returns how many do."""
    wrong = 0
    for case, lines in play_all(wanted, str(HOST), jobs).items():
        if lines != expected(case):
            wrong += 1
            print(case, '  expected', *expected(case) or ['nothing recorded'], '  printed', *lines, sep='\n    ')
    return wrong


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = ap.add_mutually_exclusive_group()
    for option in 'ours', 'real', 'record':
        what.add_argument('--' + option, action='store_true')
    ap.add_argument('-j', type=int, default=os.cpu_count(), metavar='N')
    ap.add_argument('text', nargs='?', default='', metavar='TEXT')
    args = ap.parse_args()
    wanted = [case for case in cases() if args.text in str(case)]
    path = str(HOST) if args.ours else real_path()
    if (args.real or args.record) and path is None:
        sys.exit('compare.py: the real Thespian is not there: ./setup.sh check installs it')
    if args.record:
        return min(record(wanted, path or '', args.j), 1)
    if args.ours or args.real:
        for case, lines in play_all(wanted, path or '', args.j).items():
            print(case, *lines, sep='\n    ')
        return 0
    return min(compare(wanted, args.j), 1)


if __name__ == '__main__':
    sys.exit(main())
