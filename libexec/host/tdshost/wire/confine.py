# SPDX-License-Identifier: MIT
"""How a process gives up rights for good: rules for files (Landlock) and filters of system calls, which others have made, and
privileges of root.
"""
import ctypes
import errno
import os
import struct

from tdshost.wire import process

PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
SYS_LANDLOCK_RESTRICT_SELF = 446  # the same numbers on all architectures
SYS_LANDLOCK_CREATE_RULESET = 444
INSTRUCTION = 8  # bytes
CAPABILITY_VERSION_3 = 0x20080522
# Rights on files: to run them, and to make what is neither file nor folder.
EXECUTE = 1 << 0
MAKE_SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12


def _failed() -> OSError:
    """Why the last call of the C library has failed."""
    error = ctypes.get_errno()
    return OSError(error, os.strerror(error))


def kernel_call(number: int, *arguments: int) -> int:
    """A system call by its number. Errors: OSError."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    got = call(*(ctypes.c_long(value) for value in (number,) + arguments))
    if got < 0:
        raise _failed()
    return int(got)


def hold_to_rules(rules: int) -> None:
    """Be held to rules for files, and never have more privileges. Source: rules is a descriptor. Errors: OSError."""
    process.prctl(PR_SET_NO_NEW_PRIVS, 1)
    kernel_call(SYS_LANDLOCK_RESTRICT_SELF, rules, 0)


def hold_to_nothing(rights: int) -> None:
    """Give up these rights on all files, where the kernel has Landlock; and never have more privileges. Errors: OSError."""
    process.prctl(PR_SET_NO_NEW_PRIVS, 1)
    wanted = ctypes.create_string_buffer(struct.pack('=Q', rights), 8)
    try:
        rules = kernel_call(SYS_LANDLOCK_CREATE_RULESET, ctypes.addressof(wanted), 8, 0)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return
        raise
    hold_to_rules(rules)
    os.close(rules)


def keep_capabilities(kept: int) -> None:
    """Give up, for good, all privileges of root but these, a bit for each, as far as this process has them. Errors: OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = ctypes.create_string_buffer(struct.pack('=Ii', CAPABILITY_VERSION_3, 0))
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: the lower bits of all, then the upper ones
    if libc.capget(head, sets) != 0:
        raise _failed()
    for i in range(6):
        sets[i] &= kept >> 32 * (i // 3) & 0xffffffff
    if libc.capset(head, sets) != 0:
        raise _failed()


class Filter:
    """A filter as the kernel takes it, so that putting it on is one call: an actor pays for it at its start."""

    def __init__(self, code: bytes) -> None:
        self._code = ctypes.create_string_buffer(code, len(code))
        head = struct.pack('@HP', len(code) // INSTRUCTION, ctypes.addressof(self._code))  # struct sock_fprog
        self._head = ctypes.create_string_buffer(head, len(head))
        self._address = ctypes.addressof(self._head)

    def put_on(self) -> None:
        """Nothing takes it off again. Errors: OSError."""
        process.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._address)
