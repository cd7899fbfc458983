# SPDX-License-Identifier: MIT
"""The sandbox of a source: put on by its own process in two steps, which nothing takes off again.

The first step comes before any byte of the package is read: rules for files and ports (Landlock), and a filter of system calls
in which a process may still be forked. The second is each actor's, after its fork: a filter in which it may not. The admin has
made both; added here are the files of this interpreter, which nobody else knows.
"""
import ctypes
import os
import resource
import struct
import sys
from typing import Iterator, List, Optional, Tuple

from tdshost.wire.confine import Filter, hold_to_rules, keep_capabilities, kernel_call

SYS_LANDLOCK_ADD_RULE = 445  # the same numbers on all architectures
RULE_PATH_BENEATH = 1
EXECUTE, READ_FILE, READ_DIR = 1, 4, 8
# Of root's privileges those that the rules hold, for files (CAP_CHOWN to CAP_FSETID) and low ports (CAP_NET_BIND_SERVICE); with
# others it would raise its limits again.
CAPABILITIES = 0b11111 | 1 << 10

# What the C library and OpenSSL read when they are first used.
SYSTEM_FILES = ('/etc/ld.so.cache', '/etc/localtime', '/etc/ssl/openssl.cnf', '/usr/lib/locale')


def _mapped() -> Iterator[str]:
    """The files of code that this process has in memory: the interpreter, the loader, libraries."""
    with open('/proc/self/maps', encoding='utf-8', errors='surrogateescape') as maps:
        for line in maps:
            fields = line.rstrip('\n').split(None, 5)
            if len(fields) == 6 and fields[5].startswith('/') and 'x' in fields[1]:
                yield fields[5]


def own_files(host: str) -> List[Tuple[str, int]]:
    """Paths that this interpreter reads from, with the rights that it needs: it may also be started anew."""
    programs = {os.path.realpath(sys.executable)}
    folders = {host, os.path.dirname(os.__file__)}.union(path for path in sys.path if os.path.isabs(path))
    for path in set(_mapped()):
        name = os.path.basename(path)
        if name.startswith('ld-') or name.startswith('ld.so'):
            programs.add(path)
        elif '.so' in name:
            folders.add(os.path.dirname(path))
    return [(path, EXECUTE | READ_FILE) for path in programs] + \
        [(path, READ_FILE | READ_DIR) for path in folders.union(SYSTEM_FILES)]


def _allow_own_files(rules: int, host: str) -> None:
    for path, rights in own_files(host):
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # a search path may name what is not there
        try:
            if not os.path.isdir(path):
                rights &= ~READ_DIR
            rule = ctypes.create_string_buffer(struct.pack('=Qi', rights, fd), 12)
            kernel_call(SYS_LANDLOCK_ADD_RULE, rules, RULE_PATH_BENEATH, ctypes.addressof(rule), 0)
        finally:
            os.close(fd)


class Sandbox:
    """What the admin has granted to the source of this process.

    Shape:   second: the filter of actors; empty for a trusted source, of which only limits and environment count.
    """

    def __init__(self, op: dict) -> None:
        self._held = bool(op['held'])
        self._keeps = bool(op['writes']) and not op['tmp']
        self.second = b''
        self._prepared: Optional[Filter] = None
        self._first = int(op['first'])
        self._limits = {resource.RLIMIT_AS: int(op['memory']), resource.RLIMIT_NOFILE: int(op['files'])}
        self._env = {str(name): str(value) for name, value in op['env'].items()}

    def enter(self, fds: List[int], host: str) -> None:
        """The first step. Source: fds are the rules and the filters. Errors: OSError."""
        for name, value in self._env.items():
            os.environb[name.encode('ascii')] = value.encode('latin-1')  # a character is a byte
        if self._keeps:
            os.environb[b'TMPDIR'] = os.environb[b'TDS_DATA_DIR']  # no other folder can be written
        for limit, value in self._limits.items():
            if value:
                hard = resource.getrlimit(limit)[1]
                value = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(limit, (value, value))
        if not self._held:
            return
        rules, filters = fds
        code = os.pread(filters, os.fstat(filters).st_size, 0)
        self.second = code[self._first:]
        self._prepared = Filter(self.second)
        keep_capabilities(CAPABILITIES)
        _allow_own_files(rules, host)
        hold_to_rules(rules)
        Filter(code[:self._first]).put_on()

    def seal(self) -> None:
        """The second step: this process is, or will be, an actor. Errors: OSError."""
        if self._prepared is not None:
            self._prepared.put_on()


def restrict(code: bytes) -> None:
    """The second step of an actor that has an interpreter of its own. Errors: OSError."""
    if code:
        Filter(code).put_on()
