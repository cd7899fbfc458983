# SPDX-License-Identifier: MIT
"""Deliberate differences: what a difference is, and which rule excuses it.

differences.json is a list of rules:
    id       a word for it
    differs  what differs, in plain words
    reason   why, in plain words
    where    a list of cases; a difference is excused where all patterns of one case fit
A pattern is a regular expression, sought anywhere. Its key says in what:
    what        stdout, stderr, exit, file, member or message
    difference  "RECORDED => GIVEN", each a line, status or name; "nothing" where there is none
    and what is known of the step and of the session: the keys of recorded.Model.about and of Difference.facts.
"%1" to "%9" in a pattern stand for the operands of the step's command. A key that is not known fits nothing.
"""
import json
import re


class Difference:
    """One thing that differs. facts: what is known of it beyond its text."""

    def __init__(self, what, was, given, **facts):
        self.what, self.was, self.given, self.facts = what, was, given, facts

    def __str__(self):
        if self.what == 'exit':
            return 'exit status: recorded %s, given %s' % (self.was, self.given)
        if self.was is None:
            return '%s: given, not recorded: %s' % (self.what, self.given)
        if self.given is None:
            return '%s: recorded, not given: %s' % (self.what, self.was)
        return '%s: recorded %s, given %s' % (self.what, self.was, self.given)

    def view(self):
        text = ['nothing' if side is None else str(side) for side in (self.was, self.given)]
        return dict(self.facts, what=self.what, difference=' => '.join(text))


class Rule:
    def __init__(self, data):
        self.id, self.differs, self.reason, self.where = (data[k] for k in ('id', 'differs', 'reason', 'where'))

    @staticmethod
    def fits(case, view):
        def fill(m):
            n = int(m[1])
            return re.escape(view['operands'][n - 1]) if n <= len(view['operands']) else r'(?!)'
        return all(key in view and re.search(re.sub(r'%([1-9])', fill, pattern), str(view[key]), re.S)
                   for key, pattern in case.items())

    def excuses(self, view):
        return any(self.fits(case, view) for case in self.where)


class Table:
    def __init__(self, rules):
        self.rules, self.used = rules, set()

    @classmethod
    def read(cls, path):
        with open(path, encoding='utf-8') as f:
            return cls([Rule(data) for data in json.load(f)])

    def find(self, diff, about):
        view = dict(about, **diff.view())
        for rule in self.rules:
            if rule.excuses(view):
                self.used.add(rule.id)
                return rule
        return None
