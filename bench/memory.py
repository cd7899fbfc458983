# SPDX-License-Identifier: MIT
"""What memory a process has to itself."""


def private_kib(pid):
    with open('/proc/%d/smaps_rollup' % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith('Private_'))
