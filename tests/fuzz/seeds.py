#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the first inputs of the fuzz targets for what the daemon reads: valid ones of each kind, and each hostile form.

usage: tests/fuzz/seeds.py

What a fuzzer finds is put beside them by hand; nothing is removed here.
"""
import base64
import hashlib
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / 'corpus'
ONE, TWO = '00112233445566778899aabbccddeeff' * 2, 'fe' * 32


def put(target, **seeds):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode('utf-8', 'surrogateescape'))


def parts(*texts):
    return '\n--\n'.join(texts)


def config():
    files = {
        'thespbase.cfg': 'multiprocTCPBase', 'oldthespbase.cfg': '', 'adminport.cfg': ' 29_50 ', 'convleader.cfg': 'h:1900',
        'othercaps.cfg': "{'a': 1, 'b': [True, None], 'c': environ('HOME', 'x')}",
        'thesplog.cfg': "{'version': 1, 'root': {'level': 'DEBUG'}}", 'thesplogd.cfg': '/var/log/x',
        'maxmessage.cfg': '1000000', 'adminusers.cfg': '# who\nroot\n 1000 : ask, load:web-*\n', 'may.cfg': 'web-*: load:web-?,capabilities\n*\n', 'actoruser.cfg': '1000',
        'actorlimits.cfg': "{'nofile': 1024, 'as': None, 'pids': 10}", 'newprivs.cfg': 'yes', 'guests.cfg': '0\n',
        'minkeybits.cfg': '2048\n', 'revoked.cfg': ONE + '  a.tls\n', 'thesplogf.cfg': '/a', 'thesplogs.cfg': '1', 'rundir.cfg': '/run/x', 'signedtli.cfg': 'yes\n',
        'uidrange.cfg': '70000-79999', 'actorenv.cfg': '# none\nhttp_proxy\nA_*\n',
        'convbus.cfg': 'tls://a.example.com\nnats://[::1]:4223', 'convsystem.cfg': 'db-1', 'convrole.cfg': 'candidate', 'convlost.cfg': '15',
    }
    put('config', **{name.partition('.')[0]: name + '\n' + text for name, text in files.items()})
    put('config', all=parts(*('%s\n%s' % f for f in list(files.items())[2:14])))
    hostile = {
        'adminport.cfg': ['0x10', '٢٩٥٠', '65536', '-1', '1\n2', '\udcff', '1\0'],
        'convleader.cfg': [':1', 'h:0', '::1', 'h:99999', 'a b', 'tls://a\ntls://'],
        'convbus.cfg': ['tls://[', 'tls://[::1]:', 'nats://a:0', 'tls://u@a', 'tls://::1'], 'convsystem.cfg': ['all', 'a.b', ''],
        'othercaps.cfg': ['[]', '{1: 2}', "{'a': %s}" % ('9' * 200), "{'a': __import__('os')}", "{'a': '''\r\n", '\u3000{}\r\r'],
        'actorlimits.cfg': ["{'nofile': -1}", "{'nofile': 99999999999999999999}", "{'none': 1}", "{b'as': 1}", "{'pids': None}"],
        'adminusers.cfg': ['-x', 'nobody-of-this-name', '4294967295', '4294967294', 'a' * 33, 'root:', 'root: lode', 'root:load:', 'root:,'],
        'may.cfg': [':', ': load', 'a/b:', 'a:watch', 'a: load:%s' % ('x' * 256), '*' * 300],
        'maxmessage.cfg': ['1099511627776', '1099511627777', '0'], 'newprivs.cfg': ['YES'], 'thesplogd.cfg': ['rel', '"/a"', '/a\x1b'],
        'thesplog.cfg': ["{'version': 2}", "{'version': 1, 'handlers': {'h': {'class': 'os.system'}}}"],
        'uidrange.cfg': ['1-2', '70000', '70000-60000', '65000-65533', '60000-70000', '4294967295-4294967296', '-1--2'],
        'actorenv.cfg': ['A=1', '1A', '*', 'A**', 'A B'],
        'minkeybits.cfg': ['', '2048 ', '# \udcff\n1024', '2048\r3'], 'revoked.cfg': ['#\r', ONE[1:], ONE + 'x'],
    }
    for name, texts in hostile.items():
        put('config', **{'bad-%s-%d' % (name.partition('.')[0], i): name + '\n' + t for i, t in enumerate(texts)})


def logconfig():
    good = {
        'file': "'handlers': {'h': {'class': 'logging.FileHandler', 'filename': '/tmp/x', 'level': 'INFO'}}, 'root': {'handlers': ['h']}",
        'stream': "'handlers': {'h': {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout'}}",
        'filter': "'filters': {'f': {'()': 'thespian.director.ActorAddressLogFilter'}}",
        'rotating': "'handlers': {'h': {'class': 'logging.handlers.RotatingFileHandler', 'maxBytes': 5}}",
        'levels': "'loggers': {'a': {'level': 7}, 'b': {'level': None}}, 'root': {'level': 50}",
        'odd': "'root': [], 'loggers': 3, 'formatters': {'f': {'format': '%(message)s', 'level': 1}}",
        'ref': "'handlers': {'h': {'class': 'logging.StreamHandler', 'x': 'cfg://handlers.h'}}",
    }
    bad = ['os.system', 'logging', 'logging.', 'logging.config.X', 'logging.handlers.os.X', 'logging.handlers.QueueHandler', 'logging.Queue',
           'logging.getLogger', 'logging.X\\0', 'logging.X y', 'logging.\\xc4', 'logging..X', 'Xlogging.X', 'ext://sys.stdout']
    put('logconfig', **{k: "{'version': 1, %s}" % v for k, v in good.items()})
    put('logconfig', **{'class-%d' % i: "{'version': 1, 'handlers': {'h': {'class': '%s'}}}" % b for i, b in enumerate(bad)})
    put('logconfig', **{'call-%d' % i: "{'version': 1, 'a': [({'()': '%s'},)]}" % b for i, b in enumerate(bad)})
    put('logconfig', version="{'version': True}", none='{}', level="{'version': 1, 'root': {'level': -1}}",
        ext="{'version': 1, 'x': ['ext://os.environ']}", key="{'version': 1, 'ext://os.environ': 1}", bytes="{'version': 1, 'class': b'os'}",
        deep="{'version': 1, 'x': %s'ext://a'%s}" % ('[' * 60, ']' * 60), factory="{'version': 1, '()': 5}")


def trustfile():
    put('trustfile', digest='D# revoked\r\n%s  a.tls\n\t%s\n' % (ONE, TWO.upper()), bits='B\n# least\n 2048\n', groups='Gg\nh.*\n[a-c]x # y\n',
        cr='D' + ONE + '\r', short='D' + ONE[1:], long='D' + ONE + '0', nohex='D' + 'g' * 64, nul='D#\0\n' + ONE, comment='D#\udcff\udcfe\n',
        bits_none='B# 1\n', bits_two='B1\n2\n', bits_sign='B+1', bits_most='B16384', bits_over='B99999999999999999999', bits_hex='B0x10',
        slash='Ga/b', nul_group='Ga\0b', crcr='Ga\r\r\n', empty='D', blanks='G \t \r\n\t\n', nbsp='G\u00a0g\u00a0')


def state():
    source = {'Group': 'g', 'File': 'g-1.tls', 'Path': '/d/g-1.tls', 'SHA256': ONE, 'Active': True, 'Version': '1', 'MD5': ONE[:32]}
    other = dict(source, SHA256=TWO, Active=False, Group='h')
    groups = json.dumps({'Version': 1, 'Groups': {'g': "{'AutoUnload': True}", 'x': '{}'}})

    def loaded(*sources, **more):
        return json.dumps(dict({'Version': 1, 'Sources': list(sources)}, **more))

    tli = "{'Actors': {'m.a.A': {'OnLoad': {'Role': 'g', 'Message': ('a', 1)}}}}"
    put('state', none=parts(loaded(), json.dumps({'Version': 1, 'Groups': {}})), one=parts(loaded(source), groups, tli),
        two=parts(loaded(source, other), groups, tli, '{}'), nodefinition=parts(loaded(source), groups),
        twice=parts(loaded(source, source), groups, '{}'), bad_definition=parts(loaded(source), groups, '{'),
        odd_definition=parts(loaded(source), groups, '[]'), nul_definition=parts(loaded(source), groups, '{}\0'),
        version=parts(loaded(Version=2), groups), object=parts(loaded(Sources={}), '[]'), array=parts('[]', '{"Version": 1}'),
        path=parts(loaded(dict(source, SHA256='../' * 21 + 'a')), groups), upper=parts(loaded(dict(source, SHA256='AB' * 32)), groups),
        duplicates=parts('{"Version": 1, "Version": 1, "Sources": []}', '{"Version":1,"Groups":{"a":"{}","a":"{}"}}'),
        cut=parts(loaded(source)[:-3], groups[:-3]), trailing=parts(loaded(source) + 'x', groups + '{}'), empty='', nul=parts('\0', '\0'),
        types=parts(loaded(dict(source, Active=1)), json.dumps({'Version': 1, 'Groups': {'g': 1}})),
        member=parts(loaded(3, None), json.dumps({'Version': 1, 'Groups': {'../g': '{}'}})), noutf8=parts('{"\udcff": 1}', '{"\udcff": 1}'),
        surrogate=parts('{"Version":1,"Sources":[{"Group":"\\ud800"}]}', '{"Version":1,"Groups":{"\\ud83d\\ude00":"{}"}}'),
        group_definition=parts(loaded(), json.dumps({'Version': 1, 'Groups': {'g': "{'Actors': "}})), deep=parts('[' * 3000, '{"a":' * 3000))


def cache():
    def entry(dev, ino, size=5, md5=b'0123456789abcdef'):
        return struct.pack('=QQQqqII16s', dev, ino, size, 1000, -1000, 7, 8, md5)

    def whole(entries, n=None, magic=0x0a3135646d736474):
        return b'F' + struct.pack('=QQ16s', magic, len(entries) // 64 if n is None else n, hashlib.md5(entries).digest()) + entries

    two = entry(1, 1) + entry(1, 9)
    put('cache', one=b'E' + entry(3, 4), two=b'E' + two, same=b'E' + entry(1, 1) * 2, unsorted=b'E' + entry(1, 9) + entry(1, 1),
        both=b'B' + entry(3, 4) + entry(1, 1), both_same=b'B' + entry(3, 4) * 2, file=whole(two), none=whole(b''), short=whole(two, 3),
        long=whole(two, 1), much=whole(two, 1 << 60), most=whole(two, (1 << 64) - 1), magic=whole(two, None, 1), cut=whole(two)[:20], empty=b'F',
        own=b'E' + entry(1, 2), extreme=b'E' + struct.pack('=QQQqqII16s', *[(1 << 64) - 1] * 3, -(1 << 63), (1 << 63) - 1, *[0xffffffff] * 2, b''))


def verdict():
    good = {'ok': True, 'md5': ONE[:32], 'sha256': ONE, 'key': 'a_tls.key', 'version': '1', 'warnings': ['old']}
    bad = {'ok': False, 'status': 6, 'error': 'no key validates it'}

    declared = json.dumps(dict(good, declared=True)).encode()

    def say(fds, doc):
        return bytes([fds]) + (doc if isinstance(doc, bytes) else json.dumps(doc).encode())

    put('verdict', good=say(1, good), bad=say(0, bad), nofd=say(0, good), more=say(2, good), many=say(4, good), bad_fd=say(1, bad), empty=b'\x01',
        nothing=b'\x00', cut=say(1, json.dumps(good).encode()[:40]), errno=say(1, dict(good, errno=28)), errno_far=say(1, dict(good, errno=1 << 40)),
        path=say(1, dict(good, sha256='../' * 21 + 'a')), short=say(1, dict(good, md5='ab')), warn=say(1, dict(good, warnings=[1])),
        nowarn=say(1, dict(good, warnings={})), status=say(0, dict(bad, status=0)), status_far=say(0, dict(bad, status=1 << 33)),
        noerror=say(0, {'ok': False, 'status': 3}), both=say(1, dict(bad, **good)), array=say(1, [good]), text=say(1, 'good'),
        declared=say(0x82, declared + b"--{'May': ['load:a'], 'Sandbox': 'net'}"), declared_unsealed=say(2, declared + b"--{'May': ['load:a']}"),
        declared_none=say(1, declared), declared_asks=say(0x82, declared + b"--{'x': os.getenv('A')}"), declared_bad=say(0x83, declared + b"--{'May': 3}"),
        noutf8=say(1, b'{"ok": "\xff"}'), long=say(1, dict(good, version='1' * 5000)), nul=say(1, b'{"ok":true}\0'))


def ed25519():
    """What is signed by such keys, and the keys: the package of t_flips, and what it is not."""
    data = pathlib.Path(__file__).resolve().parent.parent / 'unit/data'
    package, private, public = ((data / n).read_bytes() for n in ('flips-ed25519.tls', 'rfc8032.pem', 'rfc8032_tls.key'))
    head = b'tdsFMT1-ed25519\n64\n'
    put('header', ed25519=package, ed25519_rsa=package.replace(b'tdsFMT1-ed25519', b'tdsFMT1-sha256'), ed25519_256=package.replace(b'\n64\n', b'\n256\n', 1),
        ed25519_director=package.replace(b'tdsFMT1-ed25519', b'ThespianDirectorFMT1-sha256'), ed25519_cut=package[:60], ed25519_end=head + b'0\n' + bytes(82),
        ed25519_far=head + b'999999999999999999\n' + bytes(90))

    def spki(key, tail=b''):
        der = bytes.fromhex('302a300506032b6570032100') + key + tail
        return b'P-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' % base64.b64encode(der)

    put('key', **{'public-ed25519': b'P' + public, 'private-ed25519': b'S' + private, 'ring-ed25519': b'R' + public,
                  'public-ed25519-one': spki(bytes([1]) + bytes(31)), 'public-ed25519-prime': spki(b'\xed' + b'\xff' * 30 + b'\x7f'),
                  'public-ed25519-long': spki(bytes(32), b'x'), 'public-ed25519-short': spki(bytes(range(31))),
                  'public-ed25519-any': spki(bytes(range(32)))})


def door():
    def client(*requests):
        return ''.join((r if isinstance(r, str) else json.dumps(r)) + '\n' for r in requests)

    def op(name, **fields):
        return dict(fields, DirectorOp=name)

    load, unload, wrong = op('LoadSource', Source='foo'), op('UnloadSource', SourceHash='%032x' % 2), [None, 1, True, '', 'a\0', [], {}]
    asks = {
        'load': [load, op('LoadSource', Source='foo-1.tls', Group='foo', Wait=5, Retry=True), unload, unload], 'refresh': [op('Refresh'), op('Status')],
        'roles': [load, op('RetrieveRole', Role='r', Group='foo'), op('RetrieveAll'), op('RetrieveAll', Group='bar')],
        'tell': [load, op('Tell', Target='r', Message=[1, {'a': None}]), op('Ask', Target='@n', Literal="b'x'", Timeout=1),
                 op('Ask', Target='0.100', Message=1, Group='foo'), op('Ask', Target='none', Message=1), op('Tell', Target='r')],
        'watch': [op('Watch', Output=True), op('RequestNotification'), load, unload, op('Refresh')], 'shutdown': [op('Shutdown', Grace=0.5), load],
        'define': [op('DefineGroup', Group='foo', Actors={'a.B': {'OnLoad': {'Role': 'x', 'Message': 'm'}}}), load,
                   op('DefineGroup', Group='new', Literal="{'Actors': {'c.C': {'OnLoad': {'Role': 'y'}}}}"), op('DefineGroup', Group='../x', Actors={})],
        'join': [op('Join')], 'join_late': [op('Watch'), op('Join'), op('Join')],
    }
    fields = {'Group': 'RetrieveAll', 'Role': 'RetrieveRole', 'Source': 'LoadSource', 'SourceHash': 'UnloadSource', 'Target': 'Tell', 'Literal': 'Ask',
              'Retry': 'Refresh', 'Output': 'Watch', 'Wait': 'LoadSource', 'Timeout': 'Ask', 'Grace': 'Shutdown'}
    put('door', **{name: client(*requests) for name, requests in asks.items()})
    put('door', **{'wrong_' + field: client(*(op(name, **{field: w}) for w in wrong)) for field, name in fields.items()})
    put('door', garbage=client('x', '', '{', '[]', '{"DirectorOp":1}', '{"DirectorOp":"Status","DirectorOp":"Load"}', '\0', '\udcff', '[' * 3000),
        cut='{"DirectorOp":"Status"}', gone=parts('~' + client(load), '~' + client(op('Refresh')), '~' + client(load, op('Ask', Target='r', Message=1)), client(op('Status'))),
        two=parts(client(load), client(op('Status'), unload), client(op('Watch'))),
        pile=client(*[load, op('Refresh'), unload] * 20),
        numbers=client(*(op('LoadSource', Source='foo', Wait=w) for w in (0, -1, 86401, 1 << 62, 0.5)), op('Ask', Target='r', Message=0, Timeout=-0.0)))
    put('door', actor=parts("!{'DirectorOp': 'LoadSource', 'Source': 'foo'}", "?{'DirectorOp': 'RetrieveAll', 'x': (1, b'y')}", "?{'DirectorOp': 'Refresh'}"),
        actor_define=parts("!{'DirectorOp': 'DefineGroup', 'Group': 'foo', 'Actors': {'a.A': {'OnLoad': {'Message': (b'x', {1: 2})}}}}", "!{'DirectorOp': 'Refresh'}"),
        actor_notify=parts("?{'DirectorOp': 'RequestNotification'}", client(load, unload), "?{'DirectorOp': 'Shutdown'}", '?5', "!{'DirectorOp': ['x']}",
                           "!{'DirectorOp': 'DefineGroup', 'Group': 5}", "?{'DirectorOp': 'Tell', 'Target': 'r', 'Message': 1}"))


def frames():
    parent, one, two, transient, foreign, stops = 1, 2, 4, 8, 16, 32
    none, sealed, other, process = 0, 16, 32, 48
    md5 = ONE[:32]

    def step(link, body, kind=b'C', fd=none, times=1, close=False, deaf=False, hold=False):
        body = body if isinstance(body, bytes) else kind + json.dumps(body).encode()
        return struct.pack('<BBH', link | fd | 64 | hold << 7, times - 1 | close << 6 | deaf << 7, len(body)) + body

    def op(link, which, /, fd=none, **fields):
        return step(link, dict(op=which, **fields), fd=fd)

    def raw(link, data, times=1, fd=none):
        return struct.pack('<BBH', link | fd, times - 1, len(data)) + data

    def told(link, to, text=b'x', times=1, enc=b'p', **more):
        return step(link, b'M' + struct.pack('<Q', to) + enc + text, times=times, **more)

    def large(link, to, size=5, fd=sealed, **more):
        return step(link, b'F' + struct.pack('<QcQ', to, b'p', size), fd=fd, **more)

    def session(how, *steps, join=''):
        return bytes([how | 64]) + (join if isinstance(join, str) else json.dumps(join)).encode() + b'\n' + b''.join(steps)

    # Ids: programs are 2 and 3, the first actor is 4, the second 5, or children that the first asked ids for. Links: the parent 0,
    # programs 1 and 2, what is made later from 3 on.
    usual = parent | one | two
    made = op(1, 'create', ref=1, **{'class': 'm.A'}) + op(0, 'spawned', id=4, pid=4194305) + op(3, 'up')
    second = op(1, 'create', ref=2, name='n', **{'class': 'm.B'}) + op(0, 'spawned', id=5, pid=4194305) + op(4, 'up')
    brought = op(3, 'authority') + op(1, 'load', fd=sealed, hash=md5, info='i')
    taken = brought + op(3, 'validated', fd=sealed, hash=md5, info='i', archive=True)
    derived = taken + op(1, 'create', ref=3, hash=md5, **{'class': 'm.D'}) + op(0, 'parent-started', fd=process, ref=2)
    put('frames', up=session(usual, made), nobody=session(0), parents=session(parent, join={'As': 'parent'}),
        alone=session(one, op(0, 'create', ref=1, **{'class': 'm.A'}), op(0, 'shutdown')),
        private=session(transient, join={'As': 'program', 'Private': True, 'Capabilities': {'a': '1', 'b': 2}}),
        foreign=session(usual | foreign, made, second),
        as_none=session(parent, join={'As': 'x'}), as_type=session(parent, join='{"As":1}'), as_array=session(parent, join='[]'),
        messages=session(usual, made, told(1, 4), told(3, 2), told(3, 3), told(3, 1), told(3, 0), told(3, 99), told(1, 98), told(1, 1, times=40)),
        large=session(usual, made, large(1, 4), large(3, 2), large(3, 1), large(3, 99)), unsealed=session(usual, made, large(3, 2, fd=other)),
        size=session(usual, made, large(3, 2, size=6)), nofd=session(usual, made, large(3, 2, fd=none)),
        over=session(usual, large(1, 2, size=1 << 63)),
        short=session(usual, step(1, b'M1234567'), step(2, b'F123456789')),
        fd_less=session(usual, op(1, 'status', fd=other), large(1, 2), op(1, 'status', fd=process)),
        inline=session(usual, *[raw(by, struct.pack('<IcQc', n + 10, b'M', 4 - by, b'p')) + raw(by, b'x' * 60000) + raw(by, b'x' * (n - 60000))
                for by, n in ((1, 65536), (2, 65537))]), type=session(usual, step(1, b'D' + b'0' * 40), step(2, b'Zz')),
        length=session(usual, raw(1, b'\0\0\0\0'), raw(2, b'\xff\xff\xff\xff')),
        most=session(usual, raw(1, b'\0\0\x10\0C'), raw(1, b'x' * 16384, 64)),
        past=session(usual, raw(1, b'\x01\0\x10\0C')), split=session(usual, *(raw(1, bytes([b])) for b in b'\x0f\0\0\0C{"op":"status"}'[:19])),
        notjson=session(usual, step(1, b'C{'), step(2, b'C[]'), step(0, b'C')), noop=session(usual, op(1, ''), step(1, {'op': 1})),
        controls=session(parent | one, told(0, 2)), ids=session(usual, made, op(3, 'ids'), op(3, 'ids'), op(3, 'create', id=5, **{'class': 'm.C'})),
        child=session(usual, made, op(3, 'ids'), op(3, 'create', id=5, ref=1, name='c', **{'class': 'm.C'}), told(3, 5),
                op(0, 'spawn-failed', id=5, kind='import', error='e'), told(3, 5)),
        child_twice=session(usual, made, op(3, 'ids'), op(3, 'create', id=5, **{'class': 'm.C'}), op(3, 'create', id=5, **{'class': 'm.C'})),
        actor_ops=session(usual, made, op(3, 'status'), op(3, 'authority'), op(3, 'load', fd=sealed, hash=md5, info='i'), op(3, 'unload', hash=md5)),
        imported=session(usual, op(0, 'imported', classes={}), op(0, 'import-failed', error='e')),
        named=session(usual, made, second, op(2, 'create', ref=1, name='n', **{'class': 'm.B'}), op(2, 'create', ref=2, name='g', **{'class': 'm.B'}),
                op(2, 'create', ref=3, name='Director', **{'class': 'm.B'}), op(1, 'status')),
        waits=session(usual, op(1, 'create', ref=1, name='n', **{'class': 'm.A'}), op(2, 'create', ref=1, name='n', **{'class': 'm.A'}),
                told(1, 4, times=9),
                op(3, 'failed', kind='class', error='e'), told(1, 4), op(0, 'gone', id=4, status=-9)),
        gone=session(usual, made, told(1, 4, hold=True), op(0, 'gone', id=4, status=3), told(1, 4)),
        gone_type=session(usual, made, op(0, 'gone', id=4, status='x')),
        leaving=session(usual, made, second, op(3, 'deadletters', on=True), op(4, 'leaving'), told(1, 5), op(4, 'leaving'),
                op(0, 'gone', id=5, status=0)),
        log=session(usual, made, op(3, 'log', text='t', level=20), op(3, 'done', ref='1', ok=False, error='e'), op(3, 'log')),
        unheeded=session(usual, made, second, op(3, 'deadletters', on=True), *[op(4, 'unheeded', **{'from': i}, recursive=i == 3) for i in (3, 4, 9)],
                         op(4, 'unheeded', **{'from': 'x'})),
        done=session(usual, made, op(3, 'done', ref=1)), up_twice=session(usual, made, op(3, 'up')),
        spawned_pid=session(usual, op(1, 'create', ref=1, **{'class': 'm.A'}), op(0, 'spawned', id=4, pid=1), op(3, 'up'), step(0, b'', close=True)),
        direct=session(usual, made, second, told(3, 5, times=40), op(3, 'linked', to=5), op(4, 'linked', to=4), op(3, 'switched', to=5),
                op(4, 'switched', to=4),
                op(0, 'gone', id=5, status=0)), linked=session(usual, made, second, told(3, 5, times=40), op(3, 'switched', to=5)),
        capability=session(usual, made, op(1, 'capability', name='a', value='1'), op(3, 'capability', name='a', value=None), op(3, 'capability')),
        stop=session(usual | stops, made, op(3, 'shutdown')), stop_none=session(one | stops, op(0, 'shutdown')),
        sources=session(usual, made, op(3, 'sources', on=True), taken),
        brought=session(usual, made, brought, op(1, 'create', ref=3, hash=md5, **{'class': 'm.D'}), told(1, 5), op(1, 'unload', hash=md5)),
        refused=session(usual, made, brought, op(1, 'create', ref=3, hash=md5, **{'class': 'm.D'}),
                op(3, 'validated', hash=md5, info='i', archive=False)),
        derived=session(usual, made, derived, op(5, 'up'), told(5, 4), op(1, 'unload', hash=md5)),
        late=session(usual, made, taken, op(1, 'create', ref=3, hash=md5, **{'class': 'm.D'}), told(1, 5), op(0, 'parent-failed', ref=2, error='e')),
        impostor=session(usual, made, taken, op(1, 'create', ref=3, hash=md5, **{'class': 'm.D'}), op(0, 'parent-started', fd=other, ref=2)),
        load_fd=session(usual, made, op(3, 'authority'), op(1, 'load', hash=md5, info='i')),
        load_hash=session(usual, op(1, 'load', fd=sealed, hash='x', info='i')),
        pressed=session(usual, made, told(3, 2, b'x' * 60000, times=20, deaf=False), step(3, {'op': 'ids'}, deaf=True),
                told(1, 4, b'x' * 60000, times=40), op(3, 'ids')),
        unread=session(usual, step(1, {'op': 'status'}, times=64, deaf=True), *[step(1, {'op': 'status'}, times=64, deaf=True)] * 20,
                op(1, 'status')),
        unread_end=session(usual, *[step(1, {'op': 'status'}, times=64, deaf=True)] * 40),
        classless=session(usual, made, op(1, 'create', ref=1), op(3, 'ids'), op(3, 'create', id=5)),
        ends=session(usual, made, step(1, b'', close=True), step(0, b'', close=True), told(3, 2)), cut=session(usual, made)[:-4],
        fds=session(usual, *[raw(1, b'\x09', fd=other)] * 20),
        grown=session(usual, raw(1, b'\xff\xff\x0f\0C{"op":"create","class":"A","requirements":[1'), raw(1, b',1e15' * 3276, 63),
                raw(1, b',1e15' * 3200 + b']}' + b' ' * 588)),
        names=session(usual,
                *[raw(1, b'\x00\x60\x09\0C{"op":"create","class":"A","name":"%d' % i) + raw(1, b'n' * 16384, 37) + raw(1, b'"}' + b' ' * 8153)
                for i in range(2)], op(2, 'status'), op(1, 'status')),
        wide=session(usual, raw(1, b'\x40\x00\x08\0C{"op":"create","class":"A","requirements":[1'), raw(1, b',1e15' * 3276, 32), raw(1, b' ' * 40),
                raw(1, b']}' + b' ' * 150)))


def literal():
    good = {
        'mode': "{'Actors': {'a.B': {'OnLoad': {'Role': 'x', 'Message': 1} if os.getenv('TDS_FUZZ') == 'value' else {}}}}",
        'sums': '[1+2*3**2//4%5-6/7, ~5|3^6&9, 1<<70>>65, -2**63, 9007199254740993+.5, (1+2j)*(3-1j)/2j]',
        'words': "1 if not '' else 2, None or [] or 3, 0 and 1/0, 1 < 2 <= 3 != 4, 'a' in 'cab', 1 not in {2: 3}, None is not True",
        'parts': "'añb'[1], [1, 2, 3][::-1], (1, 2)[-1:], b'ab'[0], {'a': {'b': 5}}['a']['b'], 'x'[5:], 'abcdef'[-1:0:-2]",
        'text': "'a,b'.split(','), ' a b '.split(None, 1), 'aXbX'.rsplit('X', 1), '-'.join(['a', 'b']), 'ßx'.upper().title(), 'aa'.replace('', '.')",
        'format': "'{:>8}|{0:,}'.format(1), '{:{}}'.format('a', 5), '{k!r}'.format(k='é'), '{:010_x}'.format(65535), '%05.1f %-4d|%#x %r' % (2.25, 3, 255, [1])",
        'fields': "f'{1+1:>{4}}|{\"a\"!r:5}{2=}{{}}', rf'\\{3}', f\'\'\'{ [1,\n2] }\'\'\'",
        'types': "int('0x1f', 16), int(2.9), float(' 1_0.5 '), str([1, 'a']), bool(''), list('ab'), tuple({1: 2}), dict([(1, 2)], a=3), frozenset({1}), max([2, 4])",
        'sets': "{1, 2} | {3}, {1, 2} & {2}, {1} - {1.0}, {1} ^ {2}, {1} <= {1, 2}, {frozenset({1, 2}), frozenset({2, 1})}, {**{1: 2}, 1.0: 3}, [*'ab', *()]",
        'machine': "os.path.join('a', '/b'), os.path.splitext('.a.b'), os.path.abspath('../x'), os.path.expanduser('~root/x'), os.uname().sysname, sys.platform.upper()",
    }
    hostile = {
        'repeat': "'a'*10**9", 'power': '10**10**10', 'shift': '1<<10**10', 'rows': '[[[1]*1000]*1000]*1000', 'width': "'{:{}}'.format(1, 10**9)",
        'star': "'%*d' % (10**9, 1)", 'precision': "'%.1000000f' % 1e300", 'split': "(('x'*1000+',')*1000).split(',')", 'join': "('b'*1000).join(['b'*1000]*1000)",
        'replace': "('ab'*500000).replace('a','b'*100)", 'title': "('ß'*100000).title()", 'list': '[0]*99999', 'set': "set('a'*100000)", 'find': "'a' in ['b']*40000",
        'strip': "('é'*50000).strip('abcdefghé')", 'groups': "f'{9**4500:,}'", 'radix': "'%o%x' % (9**4500, -9**4500)", 'minus': '-' * 990 + '1', 'deep': '-' * 2000 + '1',
        'powers': '[%s]' % ('9**4500,' * 200), 'floats': '[%s]' % ('str(1e-310),' * 300), 'fields': "f'%s'" % ('{1}' * 1000), 'not': 'not ' * 900 + '1',
        'dots': '[1]' + '[0:]' * 999, 'else': '1 if 0 else ' * 900 + '2', 'brackets': '(' * 200 + '1' + ')' * 200, 'stat': '[%s]' % ("os.path.exists('/'+'a/'*2000)," * 99),
        'lambda': 'lambda: 1', 'comprehension': '[x for x in []]', 'walrus': '(x := 1)', 'attribute': "'{0.x}{0[1]}'.format(1)", 'nul': "'{:\\0}'.format('a')",
        'field-open': "f'{1'", 'field-spec': "f'{1:{2:{3}}}'", 'field-brace': "f'}'", 'field-attribute': "f'{os.sep}'", 'nan': "{float('nan')}",
    }
    put('literal', **{'pure-' + k: v for k, v in good.items()})
    put('literal', **{'hostile-' + k: v for k, v in hostile.items()})


def linkframe():
    """The first byte: 1, as tds-link reads them; 0, as who started it does."""
    def frame(kind, *parts):
        body = kind + b''.join(p if isinstance(p, bytes) else struct.pack('<Q', p) for p in parts)
        return struct.pack('<I', len(body)) + body

    down = [frame(b'C', b'{"Servers":[]}'), frame(b'P', b'\x11tds.m.a.b-1.link1', b'data'), frame(b'G', 1, b'\x05lease'), frame(b'N', 2, b'\x01k', b'v'),
            frame(b'U', 3, 7, b'\x01k', b'v'), frame(b'D', 4, 7, b'\x01k'), frame(b'W')]
    up = [frame(b'S', 1, b'\x02why'), frame(b'M', b'\x10tds.m.a.all.beat', b'{}'), frame(b'A', 3, 8, b'\x00value'), frame(b'H', 8, b'\x01\x01k'),
          frame(b'T', 0, b'\x00no')]
    put('linkframe', down=b'\1' + b''.join(down), up=b'\0' + b''.join(up), wrong_way=b'\0' + down[1], nothing=b'\1', none=b'\1' + bytes(4),
        much=b'\1' + b'\xff' * 8, kind=b'\1' + frame(b'?'), short=b'\1' + frame(b'G', b'1234'), over=b'\1' + frame(b'W', b'.'), name=b'\1' + frame(b'P', b'\xffa'),
        cut=b'\1' + down[4][:-1], code=b'\0' + frame(b'A', 1, 1, b'\x05'), side=b'\0' + frame(b'S', 2, b'\0'), zero=b'\1' + frame(b'G', 0, b'\1k'),
        subject=b'\0' + frame(b'M', b'\x0ftds.m.a.b.c.d.e') + frame(b'M', b'\x0ctds.m.all.b.'))


def beat():
    epoch, other = '0123456789abcdef' * 2, 'f' * 32
    usual = '1 %s - %d %d 1700000000000 member 0 1 3 250 0.1.0'
    beats = [usual % (epoch, n, 1700000000000 + n) for n in range(1, 8)]
    document = json.dumps({'Capabilities': {'Admin Port': '1900', 'é': "'x'"}, 'Refused': [{'Group': 'a', 'SHA256': 'b' * 64, 'Reason': 'no key'}],
                           'Sources': [{'Group': 'a', 'Version': '1', 'SHA256': 'a' * 64, 'Key': 'k'}], 'More': 1})
    put('beat', usual='\n'.join(beats), leaves='\n'.join([*beats, beats[-1].replace(' 7 ', ' 8 ') + ' leaves']),
        document='\n'.join([beats[0], document, document.replace('1900', '1')]), cut=beats[0][:60],
        clash='\n'.join(x for b in beats for x in (b, b.replace(epoch, other).replace('1700000000000 m', '1600000000000 m'))),
        next='\n'.join([*beats, beats[0].replace(epoch + ' -', other + ' ' + epoch), *beats]), foreign='2 x\n2 y\n' + beats[0],
        leader=beats[0].replace('member 0', 'leader 9') + '\n' + beats[1], types='\n'.join([beats[0], '{"Capabilities":{"a":1},"Sources":[],"Refused":[]}', '{}']))


def lease():
    record = {'System': 'db-1', 'Epoch': 'a' * 32, 'Term': 7, 'Nonce': 'b' * 32}
    put('lease', good=json.dumps(record), more=json.dumps(record | {'More': [1]}), most=json.dumps(record | {'Term': 2 ** 53}),
        **{k.lower(): json.dumps(record | {k: v}) for k, v in {'System': 'a.b', 'Epoch': 'A' * 32, 'Term': 2 ** 53 + 1, 'Nonce': ''}.items()},
        double=json.dumps(record)[:-1] + ', "Term": 8}', cut=json.dumps(record)[:-9], nul=json.dumps(record | {'System': 'a\0b'}), empty='')


def peer():
    here, there = b'a' * 32, b'b' * 32

    def packet(kind, session, first, heard, mark, *pieces, flags=1, to=here):
        head = bytes([1, flags | (0x80 if kind == 'O' else 0)]) + there + to + struct.pack('>QQQQ', session, first, heard, mark)
        body = head + b''.join(struct.pack('>II', len(p), rest) + p for p, rest in pieces)
        return struct.pack('>H', len(body)) + body

    opened = packet('O', 1, 1, 1, 0)
    two, halves = ((b'one', 0), (b'', 0)), ((b'ha', 2), (b'lf', 0))
    put('peer', usual=b'\1' + opened + packet('D', 1, 1, 1, 1, *two) + packet('D', 1, 3, 1, 2, *halves), gap=b'\1' + opened + packet('D', 1, 5, 1, 0, *two, flags=3),
        doubles=b'\0' + opened + packet('D', 1, 1, 1, 0, *two) * 3, cut=b'\1' + opened + packet('D', 1, 1, 1, 0, flags=0) + packet('O', 2, 9, 2, 0),
        lost=b'\3' + opened + packet('D', 1, 1, 1, 1, *two) + packet('O', 2, 9, 2, 1) + packet('D', 2, 9, 2, 2, *halves) + packet('O', 3, 20, 3, 2),
        full=b'\4' + opened + packet('D', 1, 1, 1, 0, *two) * 8, long=b'\0' + opened + packet('D', 1, 1, 1, 0, (b'x' * 4096, 1)),
        rest=b'\0' + opened + packet('D', 1, 1, 1, 0, (b'x', 9)) + packet('D', 1, 2, 1, 0, (b'y', 9)), back=b'\0' + opened + packet('O', 2, 1, 1, 0) + packet('O', 1, 1, 1, 0),
        mark=b'\1' + opened + packet('D', 1, 1, 1, 99), other=b'\1' + packet('O', 1, 1, 1, 0, to=b'c' * 32), short=b'\0' + struct.pack('>H', 5) + b'\1\1aaa')


if __name__ == '__main__':
    for make in beat, lease, peer, config, literal, logconfig, trustfile, state, cache, verdict, ed25519, door, frames, linkframe:
        make()
