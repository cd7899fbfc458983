#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hostile archives, signed by a valid key: each is refused with 6, and nothing of it is written. Prints TAP.

The time that each refusal took is printed, and decides nothing: machines differ.
"""
import stat
import struct
import time
import zlib

from forge import STORED, Member, archive, deflate, package
from tap import KEYS, director, done, ok, refused, run, tree

PLAIN = Member(b'ok/__init__.py')
A50 = b'A' * 50


def cp437(name):
    return Member(name, b'', method=STORED, local={'flags': 0}, central={'flags': 0})


def files_packed_in_two_ways(n):
    for i in range(n):
        yield Member(b'%d' % i, method=STORED)
        yield Member(b'%d' % i)


def taken():
    """What is accepted, so that a refusal below is for its one reason."""
    yield 'one member', archive(PLAIN)
    yield 'no members', archive()
    yield 'stored members', archive(Member(b'a.py', method=STORED), Member(b'b.py', b'', method=STORED))
    yield 'a folder and a file in it', archive(Member(b'a/', b'', 0o040755, STORED), Member(b'a/b.py'))
    yield 'a comment', archive(PLAIN, comment=b'made by hand')
    yield 'data descriptors', archive(Member(b'a.py', descriptor=True), Member(b'b.py', descriptor=True))
    yield 'an extra field of times', archive(Member(b'a.py', extra=b'UT\5\0\3\0\0\0\0'))
    yield 'one file twice', archive(PLAIN, Member(b'ok/__init__.py'))
    yield 'no type in the mode', archive(Member(b'a.py', mode=0))
    yield 'control characters in a name', archive(Member(b'a\n\x1b[2J.py'))
    yield 'a name in code page 437', archive(cp437(b'caf\x82.py'))
    yield 'a thousand long names in code page 437', archive(*(cp437(b'%d' % i + b'\x82' * 400) for i in range(1000)))
    yield '5,000 files twice, packed in two ways', archive(*files_packed_in_two_ways(5000))
    yield '70,000 entries, in zip64', archive(*(Member(b'm/%d' % i, b'', method=STORED) for i in range(70000)))


def names():
    for name in (b'/a.py', b'//a.py', b'..', b'../a.py', b'a/../../b.py', b'a/..', b'a/../b.py', b'C:a.py', b'C:/a.py',
                 b'c:\\a.py', b'a\\b.py', b'..\\a.py', b'./a.py', b'a/./b.py', b'a/.', b'.', b'a//b.py', b'a\0.py', b'',
                 b'/', b'../', b'a/../', b'a/\0/b.py', b'\\\\host\\share'):
        yield 'the name %r' % name, archive(PLAIN, Member(name))
    for name in (b'a\xff.py', b'\xc0\xae\xc0\xae/a.py', b'\xed\xa0\x80.py', b'\xf4\x90\x80\x80.py', b'\xe2\x82'):
        yield 'the name %r, marked as UTF-8' % name, archive(PLAIN, Member(name))
    other = b'/etc/passwd'
    yield 'names in code page 437 that fill the memory', archive(*(cp437(b'%d' % i + b'\x82' * 400) for i in range(1300)))
    field = struct.pack('<HHBI', 0x7075, 5 + len(other), 1, zlib.crc32(b'a.py')) + other
    yield 'another name in an extra field', archive(PLAIN, Member(b'a.py', extra=field))


def kinds():
    for what, kind in (('link', stat.S_IFLNK), ('fifo', stat.S_IFIFO), ('character device', stat.S_IFCHR),
                       ('block device', stat.S_IFBLK), ('socket', stat.S_IFSOCK), ('kind of file unknown', 0o030000)):
        yield 'a ' + what, archive(PLAIN, Member(b'odd', b'/etc/passwd', kind | 0o777))
    yield 'a link out, and a file through it', archive(Member(b'l', b'..', stat.S_IFLNK | 0o777), Member(b'l/evil.py'))
    yield 'a folder with contents', archive(Member(b'a/', b'data', 0o040755))
    yield 'a folder whose name is a file\'s', archive(Member(b'a', b'', 0o040755))
    yield 'a file whose name is a folder\'s', archive(Member(b'a/', b'', 0o100644), Member(b'a/b.py', mode=stat.S_IFLNK))


def twice():
    yield '5,001 files twice, packed in two ways', archive(*files_packed_in_two_ways(5001))
    yield 'one name, other contents', archive(PLAIN, Member(b'ok/__init__.py', b'A = 2\n'))
    yield 'one name, other contents of one CRC', archive(Member(b'a', b'plumless', method=STORED),
                                                         Member(b'a', b'buckeroo', method=STORED))
    yield 'a file and a folder of one name', archive(Member(b'a'), Member(b'a/', b'', 0o040755, STORED))
    yield 'a file below a file', archive(Member(b'a'), Member(b'a/b.py'))
    yield 'a file far below a file', archive(Member(b'a/b/c/d.py'), Member(b'a-x'), Member(b'a'))


def disagreements():
    for field, value in (('name', b'b.py'), ('name', b'a.pyc'), ('flags', 0x800), ('method', STORED), ('crc', 7),
                         ('packed', 9), ('size', 49), ('size', 51), ('size', 0xffffffff), ('packed', 0)):
        yield 'the local header alone says %s %r' % (field, value), archive(PLAIN, Member(b'a.py', A50, local={field: value}))
        yield 'the directory alone says %s %r' % (field, value), archive(PLAIN, Member(b'a.py', A50, central={field: value}))
    n = len(deflate(A50))
    for what, sizes in (('a CRC', (7, n, 50)), ('a size', (zlib.crc32(A50), n, 51)), ('a packed size', (zlib.crc32(A50), n + 1, 50))):
        yield 'a data descriptor alone says ' + what, archive(PLAIN, Member(b'a.py', A50, descriptor=sizes))
    yield 'a data descriptor is announced and not there', archive(Member(b'a.py', flags=8), PLAIN)
    yield 'a data descriptor is there and not announced', archive(
        Member(b'a.py', body=deflate(b'A = 1\n') + b'PK\7\x08' + struct.pack('<III', zlib.crc32(b'A = 1\n'), 8, 6)))


def lying():
    """Headers that agree with each other, but not with the contents."""
    def both(**fields):
        return Member(b'a.py', A50, local=fields, central=fields)
    yield 'fewer bytes than declared', archive(PLAIN, both(size=51))
    yield 'more bytes than declared', archive(PLAIN, both(size=49))
    yield 'no bytes declared', archive(PLAIN, both(size=0, crc=0))
    yield 'another CRC', archive(PLAIN, both(crc=7))
    yield 'stored, of two sizes', archive(PLAIN, Member(b'a.py', A50, method=STORED, local={'size': 49}, central={'size': 49}))
    yield 'bytes behind the deflated stream', archive(PLAIN, Member(b'a.py', A50, body=deflate(A50) + b'more'))
    yield 'half a deflated stream', archive(PLAIN, Member(b'a.py', A50, body=deflate(A50)[:-2]))
    yield 'a deflated stream of nonsense', archive(PLAIN, Member(b'a.py', A50, body=b'\xff' * 20))
    yield '4 GB declared', archive(PLAIN, both(size=0xfffffffe))
    yield 'declared sizes that overflow a sum', archive(*(Member(b'%d' % i, b'', body=b'\3\0', local={'size': 0xfffffff0},
                                                          central={'size': 0xfffffff0}) for i in range(300)))


def methods():
    for method in (1, 6, 9, 12, 14, 93, 95, 98, 99, 0xffff):
        yield 'method %d' % method, archive(PLAIN, Member(b'a.py', method=method))
    for what, flags in (('encrypted', 1), ('strongly encrypted', 0x41), ('patched', 0x20), ('of masked headers', 0x2000)):
        yield 'a member marked as ' + what, archive(PLAIN, Member(b'a.py', flags=flags))


def layout():
    yield 'bytes before', archive(PLAIN, before=b'#!/bin/sh\n')
    yield 'a whole archive before', archive(PLAIN, before=archive(Member(b'other.py'))[0])
    yield 'bytes between members', archive(PLAIN, Member(b'a.py'), between=b'x')
    yield 'a member that the directory does not name', archive(PLAIN, gap=Member(b'hidden.py').bytes())
    yield 'bytes before the directory', archive(PLAIN, gap=b'hidden')
    yield 'bytes at the end', archive(PLAIN, after=b'x')
    yield 'a whole archive at the end', archive(PLAIN, after=archive(Member(b'other.py'))[0])
    yield 'an archive in the comment', archive(PLAIN, comment=archive(Member(b'other.py'))[0])
    yield 'a comment shorter than declared', archive(PLAIN, comment=b'abc', end={'comment': 4})
    yield 'a comment longer than declared', archive(PLAIN, comment=b'abc', end={'comment': 2})
    for field, value in (('here', 0), ('here', 2), ('total', 0), ('total', 2), ('total', 0xffff), ('disk', 1), ('start_disk', 1),
                         ('length', 1), ('length', 0xffffffff), ('at', 0), ('at', 0xffffffff), ('at', 0x7fffffff)):
        yield 'the end record says %s %#x' % (field, value), archive(PLAIN, end={field: value})
    yield 'a count of none', archive(PLAIN, end={'here': 0, 'total': 0})
    yield 'a count of two', archive(PLAIN, end={'here': 2, 'total': 2})
    yield 'a member of another disk', archive(PLAIN, Member(b'a.py', central={'disk': 1}))
    for at in (1, 0x7fffffff, 0xffffffff):
        yield 'a member at %#x' % at, archive(PLAIN, Member(b'a.py', central={'at': at}))
    yield 'nothing but an end record, of a directory', archive(end={'here': 1, 'total': 1, 'length': 46})
    yield 'no archive', (b'PK\5\6' + b'x' * 40, 0)
    yield 'no bytes behind the mark', (b'PK\5\6', 0)
    z, _ = archive(PLAIN, comment=archive()[0])
    yield 'an end that the header puts into the comment', (z, len(z) - 22)


def overlaps():
    inner = Member(b'in.py', b'B = 2\n', method=STORED)
    outer = Member(b'out.py', inner.bytes(), method=STORED)
    inner.shares, inner.skip = outer, len(outer.local_header())
    yield 'a member within another', archive(outer, inner)
    yield 'two names for one member', archive(PLAIN, Member(b'a.py', shares=PLAIN, local={}))
    yield 'the same member twice', archive(PLAIN, Member(b'ok/__init__.py', shares=PLAIN))
    long = Member(b'long.py', A50, method=STORED, local={'packed': 90, 'size': 90}, central={'packed': 90, 'size': 90})
    yield 'a member that runs into the next', archive(long, Member(b'next.py', A50 * 2, method=STORED))
    yield 'a member that runs into the directory', archive(long)


def zip64():
    yield 'zip64 that is not needed', archive(PLAIN, zip64={})
    both = dict(size=0xffffffff, packed=0xffffffff)
    field = struct.pack('<HHQQ', 1, 16, 50, len(deflate(A50)))
    yield 'a zip64 field that is not needed', archive(PLAIN, Member(b'a.py', A50, local=both, central=both, extra=field))
    yield 'a zip64 field beside plain sizes', archive(PLAIN, Member(b'a.py', A50, extra=field))
    yield 'sizes in a zip64 field that is not there', archive(PLAIN, Member(b'a.py', A50, local=both, central=both))
    yield 'a zip64 field cut short', archive(PLAIN, Member(b'a.py', A50, local=both, central=both, extra=field[:-3]))
    yield 'an extra field longer than the rest', archive(PLAIN, Member(b'a.py', extra=b'UT\xff\0\3'))
    many = [Member(b'm/%d' % i, b'', method=STORED) for i in range(65536)]
    for what, fields in (('count', {'here': 65537, 'total': 65537}), ('count of one disk', {'here': 1}), ('offset', {'at': 0}),
                         ('length', {'length': 46}), ('size of itself', {'size': 45}), ('disk', {'disk': 1}),
                         ('count over everything', {'here': 1 << 63, 'total': 1 << 63}), ('offset over everything', {'at': (1 << 64) - 1})):
        yield 'a zip64 record of another ' + what, archive(*many, zip64=fields)
    for what, fields in (('place', {'at': 0}), ('place over everything', {'at': (1 << 64) - 1}), ('number of disks', {'disks': 2})):
        yield 'a zip64 locator of another ' + what, archive(*many, locator=fields)
    yield 'zip64 numbers without such a record', archive(*many[:9], end={'here': 0xffff, 'total': 0xffff})


def bombs():
    kernel = Member(b'kernel', bytes(5 << 20))
    for n, what in ((150, '10 KB'), (1700, '100 KB'), (18000, '1 MB'), (99000, '6 MB')):
        copies = [Member(b'bomb%06d' % i, shares=kernel, central={k: kernel.head[k] for k in ('crc', 'packed', 'size')})
                  for i in range(n)]
        yield 'a bomb of members that overlap, %s' % what, archive(kernel, *copies)
    packed = deflate(bytes(100 << 20))
    whole = dict(size=100 << 20, packed=len(packed), crc=zlib.crc32(bytes(100 << 20)))
    for n in (11, 100):
        yield 'a bomb of %d MB in %d KB' % (n * 100, n * len(packed) >> 10), archive(
            *(Member(b'%d' % i, b'', body=packed, local=whole, central=whole) for i in range(n)))
    small = dict(whole, size=10)
    yield 'a bomb that declares 10 bytes', archive(Member(b'a', b'', body=packed, local=small, central=small))
    yield '100,001 entries', archive(*(Member(b'm/%d' % i, b'', method=STORED) for i in range(100001)))


REFUSED = names, kinds, twice, disagreements, lying, methods, layout, overlaps, zip64, bombs


def hold(what, made, status):
    with director('birch_tls.key') as d:
        path = d.parent / 'case.tls'
        path.write_bytes(package(*made, KEYS / 'birch.pem'))
        before = tree(d.parent)
        began = time.monotonic()
        a = run('tds-verify', '-C', d, path)
        took = (time.monotonic() - began) * 1000
        if status == 0:
            ok(a.status == 0 and a.out, what + ' is accepted', a)
            return None
        x = run('tds-verify', '-C', d, '-d', d / 'all', path)
        ok(refused(a, 6) and refused(x, 6) and tree(d.parent) == before, what + ' is refused', a, x)
        return took


def main():
    for what, made in taken():
        hold(what, made, 0)
    times = []
    for section in REFUSED:
        for what, made in section():
            times.append((hold(what, made, 6), what))
    times.sort(reverse=True)
    print('# slowest refusals: ' + ', '.join('%.0f ms (%s)' % t for t in times[:4]))
    print('# %d of %d took more than 100 ms' % (sum(t > 100 for t, _ in times), len(times)))
    done()


if __name__ == '__main__':
    main()
