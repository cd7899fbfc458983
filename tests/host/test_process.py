# SPDX-License-Identifier: MIT
"""What the host asks of the kernel: sealed memory files, also where the kernel holds a page of one for a moment."""
import errno
import fcntl
import os
import sys
import unittest
from unittest import mock

from fakeadmin import HOST

sys.path.insert(0, HOST)
sys.dont_write_bytecode = True
from tdshost.wire import process  # noqa: E402
sys.path.remove(HOST)


class Sealed(unittest.TestCase):
    def busy(self, times):
        """Let so many attempts to seal find a page that is held."""
        def call(fd, op, argument=0):
            if op == fcntl.F_ADD_SEALS and self.left:
                self.left -= 1
                raise OSError(errno.EBUSY, 'busy')
            return self.real(fd, op, argument)
        self.real, self.left = fcntl.fcntl, times
        return mock.patch.object(process.fcntl, 'fcntl', call)

    def test_a_page_that_is_held_for_a_moment(self):
        for times in 0, 1, 3:
            with self.subTest(times=times), self.busy(times):
                fd = process.sealed_file(b'text')
                self.assertEqual((process.read_sealed(fd), self.left), (b'text', 0))
                with self.assertRaises(PermissionError):
                    os.write(fd, b'more')
                os.close(fd)

    def test_a_page_that_is_held_for_ever(self):
        before = len(os.listdir('/proc/self/fd'))
        with self.busy(1000), self.assertRaises(OSError) as raised:
            process.sealed_file(b'text')
        self.assertEqual((raised.exception.errno, len(os.listdir('/proc/self/fd'))), (errno.EBUSY, before))


if __name__ == '__main__':
    unittest.main()
