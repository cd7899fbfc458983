# SPDX-License-Identifier: MIT
"""What the files of this folder share: how a line of figures looks."""


def head():
    print('%-64s %13s %13s  %9s  %-16s' % ('ours | theirs', 'ours', 'theirs', '', 'target'))


def line(what, ours, theirs, figure, target, good, unit='ms'):
    print('%-64s %9.2f %-3s %9.2f %-3s  %9s  %-16s %s' % (
        what, ours, unit, theirs, unit, figure, target, 'OK' if good else 'SLOW'), flush=True)


def at_most(what, ours, theirs, factor, unit='ms'):
    line(what, ours, theirs, '%.2f x' % (ours / theirs), 'at most %.2f x' % factor, ours <= factor * theirs, unit)


def at_least(what, ours, theirs, factor, unit='/s'):
    line(what, ours, theirs, '%.1f x' % (ours / theirs), 'at least %d x' % factor, ours >= factor * theirs, unit)


def no_more_than(what, ours, theirs, ms):
    line(what, ours, theirs, '%+.2f ms' % (ours - theirs), 'at most +%.1f ms' % ms, ours - theirs <= ms)


def within(what, ours, theirs, most, unit='ms'):
    """A target of its own, beside a thing that it is only compared with."""
    line(what, ours, theirs, '%.2f x' % (ours / theirs), 'at most %g %s' % (most, unit), ours <= most, unit)


def share(what, ours, theirs, least, unit='/s'):
    line(what, ours, theirs, '%.2f x' % (ours / theirs), 'at least %.2f x' % least, ours >= least * theirs, unit)
