#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs of tests/oracle on tds: they print what the real Thespian 4.0.1 printed, or what the table says.

Where the real one is there, some of them are played with it as well, so that what is recorded stays what it prints.
Each program is played on one of its bases; with TDS_SCALE over 1 on all of them, and so with the real one.
"""
import os
import sys
import zlib

import tap

sys.path.insert(0, str(tap.ROOT / 'tests/oracle'))
import compare  # noqa: E402

SCALE = int(os.environ.get('TDS_SCALE', '1'))
REAL = 6  # programs that are played with the real one too
JOBS = 6  # most of the time they wait
# Programs of Python alone: no byte of theirs is another in a sanitized build, but for the daemon's.
FEW = 10 if 'asan' in str(tap.BIN) and SCALE == 1 else 1


def turn(case, parts):
    """One of so many parts, evenly and the same each time."""
    return zlib.crc32(str(case).encode()) % parts


def chosen(cases):
    """One base of each program: another one for the next program."""
    by_name = {}
    for case in cases:
        by_name.setdefault(case.name, []).append(case)
    for number, group in enumerate(by_name.values()):
        yield from group if SCALE > 1 else [group[number % len(group)]]


def check_tables(cases):
    known, table, names = compare.recorded(), compare.differences(), set(map(str, cases))
    tap.ok(len({case.name for case in cases}) >= 60, 'at least 60 programs', len(cases))
    tap.ok(names == set(known), 'what is recorded, and what there is', sorted(names ^ set(known)))
    tap.ok(set(table) <= names, 'each deliberate difference is of a program', sorted(set(table) - names))
    same = sorted(name for name, row in table.items() if row['tds'] == known.get(name))
    tap.ok(not same and all(row['why'] for row in table.values()), 'each of them differs, and says why', same)


def check_ours(cases):
    for case, lines in compare.play_all(cases, str(compare.HOST), JOBS).items():
        tap.ok(lines == compare.expected(case), '%s on tds' % (case,), lines, compare.expected(case))


def check_real(cases, path):
    for case, lines in compare.play_all(cases, path, JOBS).items():
        known = compare.recorded()[str(case)]
        tap.ok(lines == known, '%s on Thespian' % (case,), lines, known)


def main():
    cases = compare.cases()
    check_tables(cases)
    some = [case for case in chosen(cases) if not turn(case, FEW)]
    check_ours(some)
    path = compare.real_path()
    if path is None:
        tap.skip('programs on Thespian', 'it is not there: compared with what is recorded alone')
    elif FEW == 1:
        check_real(cases if SCALE > 1 else sorted(some, key=lambda case: zlib.crc32(str(case).encode()))[:REAL], path)
    tap.done()


if __name__ == '__main__':
    main()
