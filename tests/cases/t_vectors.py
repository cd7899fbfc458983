#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recorded cases of tests/vectors, each put to the tool that users would put it to. Prints TAP."""
import io
import json
import os
import pathlib
import re
import sys
import zipfile

from tap import KEYS, VECTORS, director, done, files, folder, ok, refused, run, sha256, tree


def load(name):
    return json.loads((VECTORS / name).read_text('utf-8'))


def regular(package):
    """The members that are files: name -> digest."""
    return {m['name']: m['sha256'] for m in package['members'] if not m['name'].endswith('/')}


def one_package(p, warned):
    path, key = VECTORS / 'tls' / p['file'], p['public_key']
    with director(key) as d:
        a = run('tds-verify', '-C', d, path)
        if p['expect'] == 'reject':
            ok(refused(a, 7), p['file'] + ' is refused', a)
            return
        ok(a.status == 0 and a.out.decode() == 'Validated "%s" loadable with key %s/%s\n' % (path, d, key) and
           (key in a.err) == warned, p['file'] + ' is validated', a)
        a = run('tds-verify', '-C', d, '-q', '-t', path)
        want = ''.join(' %6d  %s\n' % (m['size'], m['name']) for m in p['members'])
        ok(a.status == 0 and a.out.decode() == want, p['file'] + ' is listed', a, want)
        for name, digest in regular(p).items():
            a = run('tds-verify', '-C', d, '-q', '-x', name, path)
            ok((a.status, sha256(a.out)) == (0, digest), '%s: %s' % (p['file'], name), a)
        a = run('tds-verify', '-C', d, '-q', '-d', d / 'all', path)
        got = files(d / 'all')
        ok(a.status == 0 and got == regular(p), p['file'] + ' is extracted', a, sorted(got))
        a = run('tds-verify', '-C', d, '-q', '-o', d / 'zip', path)
        ok(a.status == 0 and sha256((d / 'zip').read_bytes()) == p['zip_sha256'], p['file'] + ' is restored', a)


def packages():
    weak = [k['name'] + '.pem' for k in load('keys/keys.json')['keys'] if k['bits'] < 2048 or k['e'] < 65537]
    for p in load('tls/manifest.json')['packages']:
        one_package(p, p['private_key'] in weak)


def safe(p):
    """A listing that may go to a terminal, and a tree that is the archive's and nothing else."""
    path = VECTORS / 'bad' / p['file']
    with director(p['key']) as d:
        a = run('tds-verify', '-C', d, '-q', '-t', path)
        if a.status != 0 or re.search(rb'[\x00-\x09\x0b-\x1f\x7f]', a.out):
            return False
        before = tree(d.parent)
        x = run('tds-verify', '-C', d, '-q', '-d', d / 'all', path)
        made = {k: v for k, v in tree(d.parent).items() if k not in before}
        if x.status == 5:  # a name that no file system takes
            return 'special' not in made.values() and max(map(len, a.out.split())) > 255
        o = run('tds-verify', '-C', d, '-q', '-o', d / 'zip', path)
        try:
            with zipfile.ZipFile(io.BytesIO((d / 'zip').read_bytes())) as z:
                want = {n: sha256(z.read(n)) for n in z.namelist() if not n.endswith('/')}
        except zipfile.BadZipFile:  # Python stumbles over a mark in the comment
            want = files(d / 'all')
        return (x.status, o.status) == (0, 0) and files(d / 'all') == want and \
            all(k.startswith('director/all') for k in made)


# Where the design decides otherwise than the recording: names that lead outside, and one name for two contents,
# make an archive unsafe.
UNSAFE = ('signed_traversal.tls', 'signed_dup.tls')


def damaged():
    for p in load('bad/manifest.json')['packages']:
        path = VECTORS / 'bad' / p['file']
        status = 6 if p['kind'] == 'signed-odd' else 7
        what = '%s: %s' % (p['file'], p['how'])
        with director(p['key']) as d:
            before = tree(d.parent)
            a = run('tds-verify', '-C', d, '-d', d / 'all', '--', path)
            if refused(a, status):
                left = {k: v for k, v in tree(d.parent).items() if k not in before}
                ok((p['expect'] == 'reject' or p.get('optional') or p['file'] in UNSAFE) and not left, what, a, left)
            else:
                ok(a.status in (0, 5) and (p['expect'] == 'accept' or p.get('optional')) and
                   p['file'] not in UNSAFE and safe(p), what, a, status)


# A key without its base64 padding is read by OpenSSL; nothing is wrong with the key in it.
ODD = ('junk/nopad_tls.key',)
# Its first key is a good one, of somebody else; a key of Ed25519, which the Director does not know.
USABLE = ('junk/two_rev_tls.key', 'junk/ed25519_tls.key')


def key_files():
    """A key that cannot be used is named, and never stops the key beside it."""
    right = {p['file']: p['public_key'] for p in load('tls/manifest.json')['packages']}
    for k in load('bad/manifest.json')['public_keys']:
        path, name = VECTORS / 'tls' / k['package'], os.path.basename(k['key'])
        with director(k['key']) as d:
            a = run('tds-verify', '-C', d, path)
            accepted, refusal = a.status == 0, refused(a, 7) and (name in a.err or k['key'] in USABLE)
            ok(accepted and k['expect'] == 'accept' or refusal and k['expect'] == 'reject' or
               (k.get('optional') or k['key'] in ODD) and (accepted or refusal), k['key'] + ' alone', a)
        with director(k['key'], right[k['package']]) as d:
            a = run('tds-verify', '-C', d, path)
            ok(a.status == 0 and (accepted or name in a.err or k['key'] in USABLE), k['key'] + ' beside the right key', a)


def make_tree(base, doc):
    for name, text in doc['tree'].items():
        path = base / 'src' / name
        (path if name.endswith('/') else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith('/'):
            path.write_text(text or '', 'utf-8')
    for name, target in doc['links'].items():
        (base / 'src' / name).symlink_to(target)
    (base / 'home').mkdir()
    for name in doc['home_files']:
        (base / 'home' / name).write_text('')


def outside(spec):
    """Is it plainly outside of the source folder?"""
    return re.match(r'(/|/etc/.*|~|~/.*|~root|\.\.)$', spec)


def crooked(c):
    """Does a pattern take a detour to the source folder, or name that folder another way? Then two answers are right."""
    return any(re.search(r'(^|/)\.\.?(/|$)|//|^/$|^\$(SRC|BASE)', s) and not (s.startswith('$SRC/') and s[5:] and
               c['source_dir'] == '$SRC' and not re.search(r'/\./', s)) for s in c['specs']) or \
        any(s.startswith(os.path.basename(c['source_dir'].rstrip('/.')).replace('$SRC', 'src') + '/')
            for s in c['specs'] if c['source_dir'] not in ('.',)) and c['source_dir'] != '$SRC'


def glob_members(c, root):
    """The files that a case's patterns name, as the Director packs them, or as it would if it did not import them.

    None at all where they name a link that leads nowhere: a file that cannot be read."""
    names = c['members'] if c['exception'] is None else [n for found in c.get('glob', {}).values() for n in found]
    if any(os.path.islink(root / n) and not os.path.exists(root / n) for n in names):
        return []
    return sorted({os.path.normpath(n) for n in names if os.path.isfile(root / n)})


def globs():
    doc = load('glob.json')
    with folder() as base:
        make_tree(base, doc)

        def fill(text):
            return text and text.replace('$BASE', str(base)).replace('$SRC', str(base / 'src')).replace('$KEYS', str(KEYS))

        env = {k: fill(v) for k, v in doc['env'].items()}
        for c in doc['cases']:
            root = pathlib.Path(fill(c['cwd']), fill(c['source_dir']))
            want = glob_members(c, root) if not any(outside(s) for s in c['specs']) else []
            with director('alder_tls.key') as d:
                a = run('tds-gensrc', '-C', d, '-q', '--no-check', *map(fill, c['argv'][1:]), cwd=fill(c['cwd']), env=env)
                made = sorted(set(os.listdir(d)) - {'alder_tls.key'})
                what = 'glob %d: %s in %s' % (c['id'], c['specs'], c['source_dir'])
                if a.status != 0:
                    status = 2 if any(outside(s) for s in c['specs']) else 4
                    allowed = (2, 4) if crooked(c) else (status,)
                    ok(refused(a, *allowed) and not made and (not want or crooked(c) or c['exception'] == 'FileNotFoundError' or
                       any(s.startswith('tli:') for s in c['specs'])), what, a, made, want)
                    continue
                v = run('tds-verify', '-C', d, '-q', '-o', base / 'zip', d / made[0])
                with zipfile.ZipFile(base / 'zip') as z:
                    got = z.namelist()
                (base / 'zip').unlink()
                ok(v.status == 0 and len(made) == 1 and
                   (got == want or crooked(c) and all((root / n).is_file() for n in got)), what, a, made, got, want)


def comparable(v):
    """A typed value in a form that == compares as the README of the vectors says."""
    kind, value = v['t'], v.get('v')
    if kind in ('list', 'tuple'):
        return kind, [comparable(x) for x in value]
    if kind == 'set':
        return kind, sorted(map(repr, map(comparable, value)))
    if kind == 'dict':
        return kind, [(comparable(a), comparable(b)) for a, b in value]
    if kind == 'bytes':
        return kind, v.get('hex', value)
    return kind, repr({'int': lambda x: int(str(x), 0), 'float': float, 'complex': complex}.get(kind, str)(value)).lower()


# Expressions that are pure beyond doubt: no name but of these, no attribute.
PURE = r"(?:[-+*/%<>=&|^~()\[\]{}:, 0-9j]|'[^'\\]*'|\b(?:if|else|and|or|not|in|is|None|True|False|int|str|list|tuple|dict|set|frozenset|len|min|max)\b)*"


def readings(c):
    """(the value where there is one, whether a refusal is right too)"""
    if c['literal_eval']['ok']:
        # Half a surrogate pair is no character, and numbers may have 4,300 digits: a refusal is right.
        text = json.dumps(c['literal_eval'])
        return c['literal_eval']['value'], bool(re.search(r'\\ud[89a-f]', text) or re.search(r'\d{4301}|0x[0-9a-f]{3571}', text))
    known = c['eval'].get('value') if isinstance(c['eval'], dict) and c['eval'].get('ok') else None
    if c['class'] == 'os-sys':
        listed = r'os\.(getenv|environ(\.get)?|sep|linesep|name|getcwd|path\.join)|sys\.(platform|maxsize)'
        names = re.findall(r'\b(?:os|sys)\.[a-z_.]+', re.sub(r"'[^']*'|\"[^\"]*\"", '', c['text']))
        return known, known is None or any(not re.fullmatch(listed, n.rstrip('.')) for n in names)
    # What only computes has its value, and so has what only calls what computes; t_pure.py knows what that is.
    return known, not (known and known['t'] != 'object' and re.fullmatch(PURE, c['text']))


def declarations():
    doc = load('tli.json')
    env = dict(doc['env'], **{name: None for name in doc['unset']})
    with director() as d:
        paths = []
        for c in doc['cases']:
            paths.append(d / ('case%d.tli' % c['id']))
            paths[-1].write_bytes(c['text'].encode('utf-8', 'surrogatepass'))
        before = tree(d.parent)
        a = run('tds-admin', '-C', d, 'check', '--literal', '-j', *paths, cwd=d.parent, env=env)
        ok(a.status == 1, 'tds-admin check refuses some', a.status)
        ok(tree(d.parent) == before, 'nothing of a declaration was run')
        answers = {os.path.basename(x['file']): x for x in map(json.loads, a.out.decode('utf-8', 'surrogatepass').split('\n')[:-1])}
        for c, path in zip(doc['cases'], paths):
            got = answers.get(path.name, {})
            value, refusal = readings(c)
            what = 'tli %d (%s): %s' % (c['id'], c['class'], c['text'][:40])
            if got.get('ok'):
                ok(value and comparable(got['value']) == comparable(value), what, got['value'], value)
            else:
                lines = len(re.split('\r\n?|\n', c['text'])) + 1
                ok(got.get('ok') is False and refusal and 1 <= got['line'] <= lines and got['column'] >= 1 and got['error'], what, got)


def rank(case):
    """Each file's place, the same for files of equal rank."""
    groups = case['order_groups'] if case.get('ambiguous') else [[f] for f in case['order']]
    return {f: i for i, group in enumerate(groups) for f in group}


def versions():
    for c in load('versions.json')['cases']:
        group = c['group']
        if not group or group[0] in '.-' or group.endswith(('.tls', '.tli')) or re.search(r'[*?\[]', group):
            continue  # no name for a group, or one that the Director takes for a pattern
        with director() as d:
            for name in c['files'] + [group + '.tli']:
                (d / name).write_text('{}\n' if name.endswith('.tli') else '')
            a = run('tds-avail', '-C', d, '-p', '-0', '--', group)
            got = [os.path.basename(x) for x in a.out.decode('utf-8', 'surrogateescape').split('\0')[:-1]]
            want = rank(c)
            if '.' in group:  # the Director cuts such a name at its dot: the order of its recording is of other files
                want = {f: 0 for f in c['files'] if f == group + '.tls' or f.startswith(group + '-') and f.endswith('.tls')}
            places = [want.get(f, -1) for f in got]
            ok(a.status == 0 and sorted(got) == sorted(want) and places == sorted(places),
               'versions %d of %s' % (c['id'], group), a, got, sorted(want, key=want.get))


def main():
    getattr(sys, 'set_int_max_str_digits', lambda n: None)(0)  # some are long
    for section in (packages, damaged, key_files, globs, declarations, versions):
        section()
    done()


if __name__ == '__main__':
    main()
