#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generated texts, half of them damaged, read by `tds-admin check --literal` and by Python. Prints TAP.

What ast.literal_eval reads must be read as the same value; what it refuses may only be read where it is a pure
expression, which eval without any names but set then must give too.
"""
import ast
import json
import os
import random
import struct
import warnings

from tap import done, folder, ok, run
from values import sort_sets, typed

BATCH = 500
BATCHES = 8 * int(os.environ.get('TDS_SCALE', '1'))
warnings.simplefilter('ignore')  # of escapes that Python means to refuse one day

TEXT = ['a', 'b', ' ', 'é', '東', '😀', r'\n', r'\x41', r'\xe9', r'\u00e9', r'\U0001F600', r'\101', r'\0', r'\777', r'\q', '\\\\',
        "\\'", r'\"', '#', '{', '%', '\\\n', '\x01', '\x7f', '\u2028', r'\8', '\t', '\ufeff']
BYTES = ['a', ' ', r'\n', r'\x00', r'\xff', r'\101', r'\400', r'\q', r'\u00e9', r'\N{X}', '\\\\', "\\'", r'\"', '\x01', '\\\n']
DAMAGE = list('()[]{},:+-.\'"\\\n\r\t #_0123456789eEjJxXobBrRuUfNTas\f*%=<;@!$?~^&|/\x00\ufeff\u3000') + [
    'None', 'True', 'if', 'for', '...', '\\\n', '\r\n', '0x', '1_', 'set()', "'''", '"""', 'é', r'\u12', '\n ']
ATOMS = ['None', 'True', 'False', '...', '0', '1', '1.0', '-0.0', '0j', '1+0j', "''", '()', 'set()']


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def digits(self, most):
        return ''.join(self.r.choice('0123456789') for _ in range(self.r.randint(1, most)))

    def blank(self, lines=True):
        return self.r.choice([''] * 12 + [' ', '  ', '\t', '\f', '\\\n'] + ['\n', '\n  ', '\r\n', ' # c\n', '\r'] * lines)

    def number(self):
        r, d = self.r, self.digits
        return r.choice([
            lambda: str(r.getrandbits(r.choice([3, 8, 64, 1000]))),
            lambda: r.choice(['0x%x', '0X%X', '0o%o', '0O%o']) % r.getrandbits(r.choice([4, 64, 300])),
            lambda: r.choice(['0b', '0B']) + bin(r.getrandbits(30))[2:],
            lambda: d(5) + '_' + d(3),
            lambda: d(4) + '.' + r.choice(['', d(20)]),
            lambda: '.' + d(8),
            lambda: d(3) + r.choice('eE') + r.choice(['', '+', '-']) + d(3),
            lambda: repr(abs(struct.unpack('d', struct.pack('Q', r.getrandbits(64)))[0])).replace('inf', '1e999').replace('nan', '1'),
            lambda: repr(2.0 ** r.randint(-1074, 1023)),
            lambda: d(3) + r.choice(['', '.5', 'e3']) + r.choice('jJ'),
            lambda: '0' * r.randint(1, 3) + r.choice(['', '_0', '.5', 'e2', 'j', '7', '_7', '7.5', '7j']),
        ])()

    def string(self):
        r = self.r
        binary = r.random() < .3
        quote = r.choice(["'", '"', "'''", '"""'])
        body = ''.join(r.choice(BYTES if binary else TEXT) for _ in range(r.choice([0, 1, 3, 8])))
        if len(quote) == 3 and r.random() < .4:
            body += r.choice(['\n', '\r\n', "'", '"']) + 'z'
        return r.choice(['b', 'B', 'br', 'Rb', 'rB'] if binary else [''] * 6 + ['r', 'R', 'u', 'U']) + quote + body + quote

    def strings(self):
        s = self.string()
        while self.r.random() < .15:
            s += self.blank(False) + self.string()
        return s

    def display(self, depth):
        r, n = self.r, self.r.choice([0, 1, 1, 2, 3, 5])
        comma = self.blank() + ',' + self.blank()
        kind = r.choice(['[]', '()', '{}', '{:}', '{:}'])
        items = [self.value(depth - 1 if kind in ('[]', '()') or r.random() < .2 else 0) for _ in range(n)]
        if kind == '{:}':
            items = [k + self.blank() + ':' + self.blank() + self.value(depth - 1) for k in items]
        last = ',' if n and r.random() < (.7 if kind == '()' and n == 1 else .3) else ''
        return kind[0] + self.blank() + comma.join(items) + last + self.blank() + kind[-1]

    def value(self, depth):
        r = self.r
        if depth > 0 and r.random() < .5:
            return self.display(depth)
        return r.choice([
            self.number, self.strings, lambda: r.choice(ATOMS), lambda: r.choice('+-') + self.blank(False) + self.number(),
            lambda: r.choice(['', '-']) + self.number() + self.blank(False) + r.choice('+-') + self.number() + 'j',
        ])()

    def damaged(self, text):
        r = self.r
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            i = r.randint(0, len(text))
            text = text[:i] + r.choice([r.choice(DAMAGE), '']) + text[i + r.choice([0, 0, 1, 1, 5]):]
        return text

    def text(self):
        r = self.r
        text = r.choice([''] * 8 + [' ', '\t', '\n', '\f', '# c\n', '\n\n', '\\\n', '\n ', ' \n']) + self.value(r.choice([0, 1, 2, 4]))
        text += r.choice([''] * 8 + [',', ', 1']) + r.choice([''] * 5 + ['\n', '\n\n', ' ', '\n#x', '\r\n', '\n ', '\n \n'])
        return self.damaged(text) if r.random() < .55 else text


def python_value(read, *args):
    """What Python reads, or None."""
    try:
        return typed(read(*args))
    except Exception:  # pylint: disable=broad-except  # whatever it is, it is a refusal
        return None


def verdict(text, answer):
    """Why the answer is wrong, or None."""
    lines = text.replace('\r\n', '\n').replace('\r', '\n').split('\n')
    value = python_value(ast.literal_eval, text)
    if not answer['ok']:
        if not (1 <= answer['line'] <= len(lines) and 1 <= answer['column'] <= len(lines[answer['line'] - 1]) + 2):
            return 'the place is not in the text'
        return None if value is None or 'surrogate' in answer['error'] else 'Python reads %s' % value
    # Only what tds-admin has read, which can do nothing, is ever evaluated.
    value = value or python_value(eval, text.lstrip(' \t'), {'__builtins__': {'set': set}})
    return None if value == sort_sets(answer['value']) else 'Python: %s' % value


def batch(seed):
    g = Generator(seed)
    texts = [g.text() for _ in range(BATCH)]
    with folder() as d:
        names = [str(d / ('%03d' % i)) for i in range(BATCH)]
        for name, text in zip(names, texts):
            with open(name, 'wb') as f:
                f.write(text.encode())
        a = run('tds-admin', 'check', '--literal', '-j', '-0', '-T', '-', stdin='\0'.join(names).encode())
    answers = [json.loads(line) for line in a.out.splitlines()]
    wrong = [(t, x, why) for t, x in zip(texts, answers) for why in [verdict(t, x)] if why]
    read = sum(x['ok'] for x in answers)
    ok(a.status == 1 and len(answers) == BATCH and not wrong and BATCH / 4 < read < BATCH * 3 / 4,
       'seed %d: %d texts, as Python reads them' % (seed, BATCH), (a.status, len(answers), read, a.err[-200:]), *wrong[:3])


def main():
    for seed in range(BATCHES):
        batch(seed)
    done()


if __name__ == '__main__':
    main()
