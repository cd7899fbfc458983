#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generated pure expressions, evaluated by `tds-admin check --literal` and by Python. Prints TAP.

The value must be the same, with its types; what Python refuses must be refused. What only tds refuses must be one of the
refusals that tli(5) names: a limit, the order of a set, which object an equal value is, a complex number by a format.
"""
import json
import os
import random
import re
import sys
import tempfile
import warnings

from tap import done, ok, run
from values import sort_sets, typed

BATCH = 500
SCALE = int(os.environ.get('TDS_SCALE', '1'))
BATCHES = 20 if SCALE == 1 else 100 * SCALE  # 10^4, and 10^6 in soak
MACHINE = {'TDS_SITE': 'north', 'TDS_NUM': ' 42 ', 'TDS_LIST': 'a:b::c', 'TDS_PATH': '/srv//x/../y.tar.gz', 'TDS_NONE': None, 'HOME': '/root//'}
PURE = {'__builtins__': {f.__name__: f for f in (int, float, str, bool, list, tuple, dict, set, frozenset, len, min, max)}, 'os': os, 'sys': sys}
OURS = re.compile(r"more than \d+ |longer than \d+ |has no order|'is' of equal values|complex|a nan, which"
                  r"|no character has this number|in a field of an f-string")
warnings.simplefilter('ignore')

TEXTS = ['', 'a', 'Ab', 'north', ' x y  z ', 'a,b,,c', 'a:b', 'ß', 'İstanbul', 'ΑΣ Σ', 'ǆ', 'é', '東京', '😀', 'x' * 30, '12', '-7', '0x1f', '1_0', '٣', ' 3.5 ',
         '1e3', 'inf', '/a/b.c', '/a/b/', '//x', '../..', '.bashrc', 'a..b', "it's", '"', '\\', '\n', 'tab\there', '\u2028', '\x7f', '\xad', 'ŉ', 'ﬁn', '\u3000 ',
         'o\'neil-SMITH 3rd', "both'\"", '\x00', '~', '~root/x', 'ab' * 9]
INTS = ['0', '1', '2', '3', '7', '-1', '10', '255', '256', '-5', '1000', '2**64', '-2**63', '10**20', '123456789', '0b1011', '9007199254740993', '5**80']
FLOATS = ['0.0', '-0.0', '1.0', '0.5', '-2.5', '1e16', '1e-5', '123.456', '1e22', '1e308', '5e-324', '0.1', '2.675', '1e999', '-1e999', '1/3', '9007199254740992.0']
SPECS = ['', '5', '<8', '>8', '^9', '*^9', '08', '+', ' ', ',', '_', '.3', '.0f', '10.2f', '+.1e', 'g', '#g', '.3%', 'x', '#x', '#010x', 'b', '#b', 'o', 'X', 'd', 'n',
         's', '.2', '.2s', '=+8', '0=9', 'é>5', '_x', '_b', '012,', ',.2f', '020_b', '+010.3f', '.10', '1', '#', '#.0f', 'e', 'G', 'F', '-', '<', '%', '=5', ',x', '10_.3g', 'c']
PERCENTS = ['%s', '%r', '%a', '%d', '%5d', '%-5d|', '%05d', '%+d', '% d', '%x', '%#x', '%#X', '%o', '%#o', '%f', '%.2f', '%e', '%g', '%#g', '%10.3s|', '%-8s|', '%c', '%i',
            '%.3d', '%08.3f', '%+.2e', '%5s', '%u', '%ld', '%#06x', '%G', '%F', '%b', '%-08d|', '%+ d', '%.0f', '%.10g', '% x']


class Expressions:
    """Random expressions, mostly of fitting types; each method takes how deep what it makes may be."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def one(self, depth, *kinds):
        return self.r.choice(kinds)(depth - 1)

    def many(self, kind, depth, least=0, most=4):
        return [kind(depth - 1) for _ in range(self.r.randint(least, most))]

    def any(self, depth):
        return self.one(depth + 1, self.number, self.number, self.text, self.text, self.row, self.dict, self.set, self.truth, self.nothing)

    def nothing(self, depth):
        return self.r.choice(['None', '...', "b'a\\x00z'", "b''", '()', '1j', '2.5-1j'])

    def quoted(self, text):
        return self.r.choice([repr(text), ascii(text), '"""%s"""' % text if text.isalnum() else repr(text)])

    def number(self, depth):
        r, n, t = self.r, self.number, self.text
        if depth <= 0 or r.random() < .2:
            return '(%s)' % r.choice(INTS + FLOATS + ['True', 'False']) if r.random() < .5 else r.choice(INTS + FLOATS)
        return r.choice([
            lambda: '(%s%s%s)' % (n(depth - 1), r.choice(['+', '-', '*', '//', '%', '/', ' - ', ' ** ' if depth < 2 else '-']), n(depth - 1)),
            lambda: '(%s%s%s)' % (self.whole(depth - 1), r.choice('&|^'), self.whole(depth - 1)),
            lambda: '(%s%s%s)' % (self.whole(depth - 1), r.choice(['<<', '>>']), r.choice(['0', '1', '5', '64', '-1', '2000'])),
            lambda: '%s%s' % (r.choice(['-', '+', '~', '--', '- ']), n(depth - 1)),
            lambda: '%s**%s' % (n(depth - 1), r.choice(['2', '3', '-1', '0', '0.5', '17'])),
            lambda: 'int(%s)' % r.choice([n, t])(depth - 1),
            lambda: 'int(%s, %s)' % (repr(r.choice(['ff', '0x1F', '-0b11', '0o17', '12', '_1', '1__0', '010', '00', 'z', ' 7_7 ', '٣٤', ''])), r.choice(['0', '2', '8', '10', '16', '36', 'base=16', '1', '37'])),
            lambda: 'float(%s)' % r.choice([n, t])(depth - 1),
            lambda: 'float(%r)' % r.choice(['1_0.5', '.5', '5.', '1e-400', '-Infinity', 'nan', '1e5_0', '0x1p3', '1__0', '+.e1', ' 12 ', '1e', '٣.٥', '1 2']),
            lambda: 'len(%s)' % r.choice([t, self.row, self.dict, self.set, n])(depth - 1),
            lambda: '%s(%s)' % (r.choice(['min', 'max']), ', '.join(self.many(n, depth, 1))),
            lambda: '%s(%s)' % (r.choice(['min', 'max']), self.row(depth - 1)),
            lambda: '%s([], default=%s)' % (r.choice(['min', 'max']), n(depth - 1)),
            lambda: '%s[%s]' % (self.row(depth - 1), self.index(depth - 1)),
            lambda: self.conditional(n, depth),
        ])()

    def whole(self, depth):
        return self.r.choice(INTS + ['True', 'False']) if self.r.random() < .8 else self.number(depth)

    def index(self, depth):
        return self.r.choice(['0', '1', '-1', '2', '-3', 'True', '10**30', '99']) if self.r.random() < .9 else self.any(depth)

    def slice(self):
        part = ['', '', '0', '1', '2', '-1', '-2', '5', '-9', 'None', '10**25', '-10**25', 'True']
        r = self.r
        return '[%s:%s%s]' % (r.choice(part), r.choice(part), r.choice(['', '', ':', ':-1', ':2', ':-2', ':0', ':None', ':10**20', ':-10**20']))

    def conditional(self, kind, depth):
        return '(%s if %s else %s)' % (kind(depth - 1), self.any(depth - 1), kind(depth - 1))

    def text(self, depth):
        r, t = self.r, self.text
        if depth <= 0 or r.random() < .2:
            return self.quoted(r.choice(TEXTS))
        return r.choice([
            lambda: '(%s+%s)' % (t(depth - 1), t(depth - 1)),
            lambda: '(%s*%s)' % (t(depth - 1), r.choice(['0', '1', '2', '3', '-1', 'True'])),
            lambda: '(%s %s)' % (self.quoted(r.choice(TEXTS)), self.quoted(r.choice(TEXTS))),
            lambda: t(depth - 1) + '[%s]' % self.index(depth - 1),
            lambda: t(depth - 1) + self.slice(),
            lambda: t(depth - 1) + r.choice(['.upper()', '.lower()', '.title()', '.strip()', '.lstrip()', '.rstrip()']),
            lambda: t(depth - 1) + '.%s(%s)' % (r.choice(['strip', 'lstrip', 'rstrip']), t(depth - 2)),
            lambda: t(depth - 1) + '.replace(%s, %s%s)' % (t(depth - 2), t(depth - 2), r.choice(['', ', 1', ', -1', ', 0'])),
            lambda: t(depth - 1) + '.join(%s)' % r.choice([self.texts, self.texts, self.row, t])(depth - 1),
            lambda: '%s(%s)' % (r.choice(['str', 'str', 'bool']), self.any(depth - 1)),
            lambda: self.percent(depth), lambda: self.braces(depth), lambda: self.fstring(depth), lambda: self.machine(depth),
            lambda: self.conditional(t, depth),
        ])()

    def texts(self, depth):
        return '[%s]' % ', '.join(self.many(self.text, depth)) if self.r.random() < .7 else self.cut(depth)

    def cut(self, depth):
        r = self.r
        rest = r.choice(['', 'None', "','", "':'", "'a'", "'aa'", "''", "' '"])
        more = r.choice(['', '', '1', '2', '0', '-1', 'maxsplit=1'])
        if more and not rest and '=' not in more:
            rest = 'None'
        return '%s.%s(%s)' % (self.text(depth - 1), r.choice(['split', 'rsplit']), ', '.join(x for x in (rest, more) if x))

    def percent(self, depth):
        r = self.r
        if r.random() < .2:
            return "(%r %% {'a': %s, 'b c': %s})" % (''.join(r.choice(['%(a)', '%(b c)', '%(x)']) + r.choice(PERCENTS)[1:] for _ in range(2)), self.any(depth - 1), self.any(depth - 1))
        picked = [r.choice(PERCENTS) for _ in range(r.randint(0, 3))]
        kinds = [self.number if p[-1] in 'dxXouiefgEGFc' or p[-2:-1] in 'dx' else self.any for p in picked]
        values = [k(depth - 1) for k in kinds]
        if r.random() < .1:
            values = values[1:]
        tail = values[0] if len(values) == 1 and r.random() < .5 else '(%s)' % ''.join(v + ', ' for v in values)
        star = r.random() < .05
        return '(%r %% %s)' % ('|'.join(picked), tail) if not star else "('%%*.*f' %% (%s, %s, %s))" % (r.choice(['8', '-8', '0']), r.choice(['2', '0', '-1']), self.number(0))

    def braces(self, depth):
        r = self.r
        form = r.choice(['{}', '{0}', '{0!r}', '{!a}', '{{{}}}', '{:%s}' % r.choice(SPECS), '{0:%s}' % r.choice(SPECS), '{k}', '{k:%s}' % r.choice(SPECS), '{:{}}', '{:>{k}}', '{', '}', '{}{0}', '{0:{1}}', '{!x}', '{1}', '{:{w}.{p}f}'])
        values = [r.choice([self.number, self.text, self.any])(depth - 1)] + ([r.choice(['5', "'>8'", "'.2f'"])] if '{1}' in form or '{:{}}' in form else [])
        names = ['k=%s' % r.choice(['3', self.text(0)])] if 'k' in form else []
        if '{w}' in form:
            names += ['w=9', 'p=%s' % r.choice('013')]
        return '%r.format(%s)' % (form, ', '.join(values + names))

    def plain(self, depth):
        """What may stand in a field of an f-string in single quotes, of every Python: no quote, backslash, attribute, item."""
        r = self.r
        return r.choice([lambda: r.choice(INTS + FLOATS[:8]), lambda: '(%s+%s)' % (r.choice(INTS), r.choice(INTS)), lambda: '"%s"' % r.choice(['a', 'é', 'x y']),
                         lambda: '[1, 2]', lambda: '{}', lambda: '1, 2', lambda: '"a" if %s else "b"' % r.choice(INTS), lambda: 'len("abc")', lambda: 'None'])()

    def fstring(self, depth):
        r = self.r
        out = []
        for _ in range(r.randint(0, 3)):
            inner = self.plain(depth)
            pad = ' ' if inner.startswith('{') else r.choice(['', ' '])
            spec = r.choice(['', '', ':' + r.choice([s for s in SPECS if '{' not in s]), ':{4+4}', ':>{8}.{2}'])
            out.append(r.choice(['', 'x', '{{', '}}', '\\n', '\\x41', 'é']) + '{' + pad + inner + r.choice(['', '', ' ', '=', ' = ']) + r.choice(['', '', '', '!r', '!s', '!a']) + spec + '}')
        return r.choice(['f', 'F', 'rf']) + "'" + ''.join(out) + "'"

    def machine(self, depth):
        r = self.r
        name = repr(r.choice(list(MACHINE)))
        path = r.choice([lambda: repr(r.choice(['/a/b.c', '/a/b/', '//x', '///x//', '../..', '.bashrc', 'a..b', '...', '', '/', 'a/../../b', '~', '~/x', '/..', './/.'])), lambda: self.text(depth - 2)])()
        return r.choice([
            lambda: 'os.getenv(%s)' % name, lambda: 'os.getenv(%s, %s)' % (name, self.text(depth - 1)), lambda: 'os.environ.get(%s)' % name,
            lambda: 'os.environ[%s]' % name, lambda: 'os.getenv(key=%s, default=%s)' % (name, self.number(0)),
            lambda: 'os.path.join(%s, %s)' % (path, self.text(depth - 2)), lambda: 'os.path.dirname(%s)' % path, lambda: 'os.path.basename(%s)' % path,
            lambda: 'os.path.splitext(%s)[%s]' % (path, r.choice('01')), lambda: 'os.path.abspath(%s)' % path, lambda: 'os.path.expanduser(%s)' % path,
            lambda: r.choice(['os.sep', 'os.linesep', 'os.name', 'sys.platform', 'os.getcwd()', 'os.uname().sysname', 'os.uname()[4]']),
            lambda: 'sys.platform.%s' % r.choice(['upper()', "startswith('lin')", "split('n')"]),
        ])()

    def row(self, depth):
        r = self.r
        if depth <= 0:
            return r.choice(['[]', '()', '[1]', "('a',)", '[3, 1, 2]', "['b', 'a']", '(1, 2.0, True)', "b'xyz'"])
        items = ', '.join(('*' if r.random() < .05 else '') + x for x in self.many(r.choice([self.number, self.text, self.any]), depth))
        return r.choice([
            lambda: '[%s]' % items, lambda: '(%s%s)' % (items, ',' if items else ''),
            lambda: '(%s+%s)' % (self.row(depth - 1), self.row(depth - 1)), lambda: '(%s*%s)' % (self.row(depth - 1), r.choice(['0', '2', '-1', 'True'])),
            lambda: self.row(depth - 1) + self.slice(), lambda: self.cut(depth),
            lambda: '%s(%s)' % (r.choice(['list', 'tuple']), r.choice([self.row, self.text, self.dict, self.set, self.any])(depth - 1)),
            lambda: self.conditional(self.row, depth),
        ])()

    def dict(self, depth):
        r = self.r
        pairs = ', '.join('%s: %s' % (r.choice([self.text, self.number, self.truth])(depth - 2), self.any(depth - 1)) for _ in range(r.choice([0, 1, 2, 3])))
        return r.choice([
            lambda: '{%s}' % pairs, lambda: '{%s}' % pairs, lambda: 'dict(a=%s, b=2)' % self.any(depth - 1) if depth > 0 else 'dict()',
            lambda: 'dict({%s}, x=1)' % pairs, lambda: 'dict([(%s, 1), (2, 3)])' % self.text(0), lambda: '{**{%s}, 1: 2}' % pairs, lambda: '({%s}|{1: 2})' % pairs,
        ])()

    def set(self, depth):
        r = self.r
        items = ', '.join(self.many(r.choice([self.text, lambda d: r.choice(INTS)]), min(depth, 2), 1))
        kind = r.choice(['set', 'frozenset'])
        return r.choice([
            lambda: '{%s}' % items, lambda: '%s()' % kind, lambda: '%s([%s])' % (kind, items),
            lambda: '(%s%s%s)' % (self.set(depth - 1), r.choice('&|^-'), self.set(depth - 1)) if depth > 0 else 'set()',
        ])()

    def truth(self, depth):
        r = self.r
        if depth <= 0:
            return r.choice(['True', 'False'])
        kind = r.choice([self.number, self.text, self.row, self.set, self.any])
        return r.choice([
            lambda: '(%s)' % r.choice([' < ', ' <= ', ' > ', ' >= ', ' == ', ' != ']).join(kind(depth - 1) for _ in range(r.choice([2, 2, 3]))),
            lambda: '(%s < %s >= %s != %s)' % tuple(kind(depth - 1) for _ in range(4)),
            lambda: '(%s %s %s)' % (self.text(depth - 1), r.choice(['in', 'not in']), r.choice([self.text, self.texts, self.dict, self.set])(depth - 1)),
            lambda: '(%s in %s)' % (self.any(depth - 1), self.row(depth - 1)),
            lambda: '(%s %s %s)' % (self.any(depth - 1), r.choice(['is', 'is not']), r.choice(['None', 'True', '1', "'a'", '...'])),
            lambda: '(%s %s %s)' % (self.any(depth - 1), r.choice(['and', 'or']), self.any(depth - 1)),
            lambda: '(not %s)' % self.any(depth - 1),
            lambda: '%s.%s(%s%s)' % (self.text(depth - 1), r.choice(['startswith', 'endswith']), r.choice([self.text(depth - 2), "('a', 'x')"]), r.choice(['', ', 1', ', -2', ', 1, 3', ', 99', ', None, -1'])),
            lambda: '(%r in os.environ)' % r.choice(list(MACHINE)),
            lambda: '%s.get(%s%s)' % (self.dict(depth - 1), self.text(depth - 2), r.choice(['', ', 5'])),
            lambda: 'os.path.%s(%s)' % (r.choice(['exists', 'isdir', 'isfile']), r.choice(["'/'", "'/etc/passwd'", "'/no/such'", self.text(0)])),
        ])()


def python_value(text):
    """What Python makes of it, or None where it refuses."""
    try:
        return typed(eval(text, dict(PURE)))  # pylint: disable=eval-used  # its own generator wrote it
    except Exception:  # pylint: disable=broad-except  # whatever it is, it is a refusal
        return None


def verdict(text, answer):
    """Why the answer is wrong, or None; and whether it is one of our own refusals."""
    if not answer['ok'] and OURS.search(answer['error']):
        return None, True
    value = python_value(text)
    got = sort_sets(answer['value']) if answer['ok'] else None
    return (None if value == got else 'Python: %s, tds: %s' % (value, got or answer['error'])), False


def batch(seed, d):
    g = Expressions(seed)
    texts = [g.any(g.r.choice([1, 2, 3, 4])) for _ in range(BATCH)]
    names = ['%s/%03d' % (d, i) for i in range(BATCH)]
    for name, text in zip(names, texts):
        with open(name, 'wb') as f:
            f.write(text.encode())
    a = run('tds-admin', 'check', '--literal', '-j', '-0', '-T', '-', stdin='\0'.join(names).encode(), env=MACHINE)
    answers = [json.loads(line) for line in a.out.splitlines()]
    judged = [(t, x) + verdict(t, x) for t, x in zip(texts, answers)]
    wrong = [(t, why) for t, _, why, _ in judged if why]
    read, own = sum(x['ok'] for x in answers), sum(j[3] for j in judged)
    ok(a.status == 1 and len(answers) == BATCH and not wrong and read > BATCH * .6 and own < BATCH * .15,
       'seed %d: %d expressions, as Python evaluates them' % (seed, BATCH), (a.status, len(answers), read, own, a.err[-200:]), *wrong[:3])


def main():
    for name, value in MACHINE.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    with tempfile.TemporaryDirectory(prefix='tds-pure-', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None) as d:
        for seed in range(BATCHES):
            batch(seed, d)
    done()


if __name__ == '__main__':
    main()
