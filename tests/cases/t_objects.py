#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the linker and the compiler made: position, relocations, stack, and what stands against a bug in between.

Prints TAP. What the compiler does not know is not asked of it; that it knows is asked by compiling, not of the Makefile.
Sanitized tools have what the sanitizer brings, and are only looked at as files.
"""
import os
import re
import subprocess

from tap import BIN, ROOT, done, ok, skip

BUILD = BIN.parent / 'plain' if BIN.parent.name == 'build' else BIN.parent
PROGRAMS = sorted(p for p in list(BIN.glob('tds-*')) + list((BIN.parent / 'libexec/tds').glob('tds-*')) if os.access(p, os.X_OK))
FLAGS = (BUILD / 'flags').read_text()
SANITIZED = '-fsanitize' in FLAGS
COMPILER = FLAGS.split()[0]
PAGE = 4096
LEVEL_3 = '#include <features.h>\n#if __USE_FORTIFY_LEVEL < 3\n#error\n#endif'
ZERO = '-ftrivial-auto-var-init=zero'


def output(*argv):
    return subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ, LC_ALL='C'),
                          check=True).stdout.decode('utf-8', 'replace')


def takes(flag, source='int a;'):
    """Does the compiler of these tools know it?"""
    argv = [COMPILER, '-Werror', '-O2', *flag.split(), '-x', 'c', '-c', '-o', '/dev/null', '-']
    return subprocess.run(argv, input=source.encode(), stderr=subprocess.DEVNULL, check=False).returncode == 0


def where(what, wrong):
    ok(not wrong, what, *list(wrong)[:20])


def files():
    """Where each is put, what may be changed there, and what may run."""
    heads = {p: output('readelf', '-hlW', p) for p in PROGRAMS}
    tails = {p: output('readelf', '-dW', p) for p in PROGRAMS}
    ok(len(PROGRAMS) >= 9, 'the programs are there', PROGRAMS)
    where('each may be put anywhere', [p for p in PROGRAMS if 'DYN (Position-Independent' not in heads[p] or 'PIE' not in tails[p]])
    where('relocations are read-only before it begins', [p for p in PROGRAMS if 'GNU_RELRO' not in heads[p] or not re.search(r'\bNOW\b', tails[p])])
    where('no stack runs', [p for p in PROGRAMS if not re.search(r'GNU_STACK .* RW +0x', heads[p])])
    where('nothing that may be written runs', [p for p in PROGRAMS if re.search(r'LOAD .* RWE', heads[p])])
    where('no path of libraries is in it', [p for p in PROGRAMS if re.search(r'RPATH|RUNPATH', tails[p])])
    where('no text is relocated', [p for p in PROGRAMS if 'TEXTREL' in tails[p]])


def functions(program):
    """name -> lines, of a disassembly."""
    found, lines = {}, []
    for line in output('objdump', '-d', '--no-show-raw-insn', program).splitlines():
        begin = re.match(r'[0-9a-f]+ <(.+)>:', line)
        if begin:
            lines = found.setdefault(begin[1], [])
        elif line.startswith(' '):
            lines.append(line.split(':', 1)[1].strip())
    return found


def notes():
    """CET: each object of ours is made for both halves; of the programs the one that the system's start files allow."""
    objects = sorted(p for kind in ('bin', 'libcommon', 'libexec') for p in (BUILD / 'obj' / kind).rglob('*.o'))
    objects = [o for o in objects if (ROOT / o.relative_to(BUILD / 'obj')).with_suffix('.c').exists()]  # not those of before
    told = dict(re.findall(r'File: (\S+)\n(.*?)(?=\nFile: |\Z)', output('readelf', '-nW', *objects), re.S))
    where('each object is fit for CET', [o for o in objects if 'IBT, SHSTK' not in told.get(str(o), '')])
    programs = {p: output('readelf', '-nW', p) for p in PROGRAMS}
    where('each program is fit for a shadow stack', [p for p in PROGRAMS if 'SHSTK' not in programs[p]])
    start = output('readelf', '-nW', output(COMPILER, '-print-file-name=Scrt1.o').strip())
    if 'IBT' not in start:
        return skip('each program is fit for IBT', 'the start files of this system are not')
    where('each program is fit for IBT', [p for p in PROGRAMS if 'IBT' not in programs[p]])


def stacks(code):
    """Who takes more than a page of the stack touches each of them: no guard is jumped over."""
    unprobed, probed, jumps = [], 0, []
    for p, f in ((p, f) for p in PROGRAMS for f in code[p]):
        lines = '\n'.join(code[p][f])
        if re.search(r'\bsub +\$0x1000,%rsp', lines):
            touched = re.search(r'\bsub +\$0x1000,%rsp\n\s*(or|mov)[ql] +\$0x0,(0x[0-9a-f]+)?\(%rsp\)', lines)
            probed += bool(touched)
            unprobed += [] if touched else ['%s: %s' % (p, f)]
        jumps += ['%s: %s' % (p, f) for by in re.findall(r'\bsub +\$0x([0-9a-f]+),%rsp', lines) if PAGE < int(by, 16) < 1 << 31]
    ok(probed, 'there are frames of more than a page')
    where('each touches its pages one by one', unprobed)
    where('none jumps over a page', jumps)


def checked(imports):
    """Of calls that are told how large their buffer is, the checked kind is used."""
    where('each checks its stack', [p for p in PROGRAMS if '__stack_chk_fail' not in imports[p]])
    where('each checks its buffers', [p for p in PROGRAMS if not any(re.match(r'__(?!stack)\w+_chk$', s) for s in imports[p])])
    plain = {'printf', 'vprintf', 'fprintf', 'vfprintf', 'dprintf', 'vdprintf', 'asprintf', 'vasprintf'}
    where('nothing is printed unchecked', ['%s: %s' % (p, ', '.join(plain & imports[p])) for p in PROGRAMS if plain & imports[p]])


def zeroed():
    """gcc notes in each unit what it was told; that it is so is what t_hardening tries."""
    told = {p: re.findall(r'DW_AT_producer.*(GNU C\d+ .*)', output('readelf', '--debug-dump=info', '--dwarf-depth=1', '-W', p)) for p in PROGRAMS}
    where('each unit begins with locals of zero', [p for p in PROGRAMS if not told[p] or not all(ZERO in t for t in told[p])])


def main():
    files()
    if SANITIZED:
        skip('what the compiler adds', 'a sanitizer adds its own')
        done()
    cet, clash = takes('-fcf-protection=full'), takes('-fstack-clash-protection')
    notes() if cet else skip('CET', 'not for this compiler')
    stacks({p: functions(p) for p in PROGRAMS}) if clash and os.uname().machine == 'x86_64' else skip('stacks', 'not known here')
    zeroed() if takes(ZERO) and COMPILER != 'clang' else skip('locals of zero', 'not told by this compiler')
    imports = {p: {line.split()[-1].split('@')[0] for line in output('nm', '-D', '--undefined-only', p).splitlines()} for p in PROGRAMS}
    checked(imports)
    if not takes('-D_FORTIFY_SOURCE=3', LEVEL_3) or COMPILER == 'clang':
        skip('sizes that are only known at run time', 'not known to this compiler')
    else:  # a level below does not know how large that is which read() fills
        ok(any('__read_chk' in i for i in imports.values()), 'sizes that are only known at run time are checked too')
    done()


if __name__ == '__main__':
    main()
