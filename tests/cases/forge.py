# SPDX-License-Identifier: MIT
"""Packages that no honest tool makes: archives whose every field can be made to lie, signed by a valid key.

The fields bear the names of the ZIP specification's sections 4.3.7 (local header), 4.3.12 (directory) and 4.3.16
(end record).
"""
import hashlib
import struct
import subprocess
import tempfile
import zlib

LOCAL = struct.Struct('<4sHHHHHIIIHH')
CENTRAL = struct.Struct('<4sHHHHHHIIIHHHHHII')
END = struct.Struct('<4sHHHHIIH')
END64 = struct.Struct('<4sQHHIIQQQQ')
LOCATOR = struct.Struct('<4sIQI')
DATE_TIME = (0, 0x5821)  # 2024-01-01 00:00
STORED, DEFLATED = 0, 8


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


class Member:
    """One member; `local` and `central` override what its two headers say, field by field.

    body: bytes in the place of the packed contents. descriptor: True, or the (crc, packed, size) to put in one.
    shares: the member whose local header the directory points to instead of an own one. skip: added to that offset.
    """

    def __init__(self, name, data=b'A = 1\n', mode=0o100644, method=DEFLATED, flags=0, extra=b'', body=None,
                 descriptor=None, local=(), central=(), shares=None, skip=0):
        self.body = body if body is not None else deflate(data) if method == DEFLATED else data
        sizes = zlib.crc32(data), len(self.body), len(data)
        self.descriptor = sizes if descriptor is True else descriptor
        flags |= 8 if descriptor else 0
        flags |= 0x800 if any(c > 127 for c in name) else 0
        self.head = dict(name=name, extra=extra, version=20, flags=flags, method=method, crc=sizes[0],
                         packed=sizes[1], size=sizes[2])
        zeroed = dict(crc=0, packed=0, size=0) if descriptor else {}
        self.local = {**self.head, **zeroed, **dict(local)}
        self.central = {**self.head, 'made': 0x314, 'disk': 0, 'internal': 0, 'comment': b'', 'mode': mode, 'at': None,
                        **dict(central)}
        self.shares, self.skip = shares, skip

    def local_header(self):
        h = self.local
        return LOCAL.pack(b'PK\3\4', h['version'], h['flags'], h['method'], *DATE_TIME, h['crc'], h['packed'], h['size'],
                          len(h['name']), len(h['extra'])) + h['name'] + h['extra']

    def bytes(self):
        tail = b'PK\7\x08' + struct.pack('<III', *self.descriptor) if self.descriptor else b''
        return self.local_header() + self.body + tail

    def directory(self, at):
        h = self.central
        return CENTRAL.pack(b'PK\1\2', h['made'], h['version'], h['flags'], h['method'], *DATE_TIME, h['crc'], h['packed'],
                            h['size'], len(h['name']), len(h['extra']), len(h['comment']), h['disk'], h['internal'],
                            h['mode'] << 16, at if h['at'] is None else h['at']) + h['name'] + h['extra'] + h['comment']


def archive(*members, before=b'', between=b'', gap=b'', after=b'', comment=b'', zip64=None, locator=(), end=()):
    """An archive of the members. Returns its bytes and where its end record begins.

    before, between, gap, after: bytes at the beginning, behind each member, before the directory, at the end.
    zip64: None, where needed; else a dictionary of fields of such an end record. locator, end: fields to override.
    """
    out, at = bytearray(before), {}
    for m in members:
        if m.shares is None:
            at[id(m)] = len(out)
            out += m.bytes() + between
    out += gap
    start = len(out)
    for m in members:
        out += m.directory(at[id(m.shares or m)] + m.skip)
    size, n = len(out) - start, len(members)
    if zip64 is not None or n > 0xffff:
        f = dict(size=44, made=45, version=45, disk=0, start_disk=0, here=n, total=n, length=size, at=start)
        f.update(zip64 or {})
        record = len(out)
        out += END64.pack(b'PK\6\6', *f.values())
        f = dict(disk=0, at=record, disks=1)
        f.update(locator)
        out += LOCATOR.pack(b'PK\6\7', *f.values())
    where = len(out)
    f = dict(disk=0, start_disk=0, here=min(n, 0xffff), total=min(n, 0xffff), length=size, at=start, comment=len(comment))
    f.update(end)
    out += END.pack(b'PK\5\6', *f.values()) + comment + after
    return bytes(out), where


def sign(data, key):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return subprocess.run(['openssl', 'dgst', '-sha256', '-sign', str(key), f.name], check=True,
                              stdout=subprocess.PIPE).stdout


def package(data, end, key):
    """The archive in format ThespianDirectorFMT1, its end record at `end`."""
    sig = sign(data, key)
    return b'ThespianDirectorFMT1-sha256\n%d\n%d\n' % (len(sig), end) + data[:end] + data[end + 4:] + sig


ED25519 = b'tdsFMT1-ed25519\n'


def sign_ed25519(message, key):
    """By openssl, which reads the message from a file only."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(message)
        f.flush()
        return subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-in', f.name, '-inkey', str(key)], check=True,
                              stdout=subprocess.PIPE).stdout


def package_ed25519(data, end, key):
    """The same in format tdsFMT1, signed by an Ed25519 key."""
    sig = sign_ed25519(ED25519 + hashlib.sha512(data).digest(), key)
    return ED25519 + b'%d\n%d\n' % (len(sig), end) + data[:end] + data[end + 4:] + sig
