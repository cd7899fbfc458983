#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python host against a fake admin that speaks the protocol: tests/host/, as TAP."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
HOST_TESTS = os.path.join(os.path.dirname(HERE), 'host')


class Tap(unittest.TestResult):
    """Prints a line for each test."""

    def line(self, test, word, why=''):
        print('%s %d - %s%s' % (word, self.testsRun, test.id(), why), flush=True)

    def addSuccess(self, test):
        self.line(test, 'ok')

    def addSkip(self, test, reason):
        self.line(test, 'ok', ' # SKIP ' + reason)

    def fail(self, test, err):
        self.line(test, 'not ok')
        print(''.join('# %s\n' % s for s in self._exc_info_to_string(err, test).split('\n')), flush=True)

    addFailure = addError = fail


def main():
    sys.path.insert(0, HOST_TESTS)
    os.chdir(HOST_TESTS)
    result = Tap()
    unittest.defaultTestLoader.discover(HOST_TESTS).run(result)
    print('1..%d' % result.testsRun)


if __name__ == '__main__':
    main()
