#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the first inputs of the fuzz targets for what the daemon reads: valid ones of each kind, and each hostile form.

usage: tests/fuzz/seeds.py

What a fuzzer finds is put beside them by hand; nothing is removed here.
"""
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
        'maxmessage.cfg': '1000000', 'adminusers.cfg': '# who\nroot\n 1000 \n', 'actoruser.cfg': '1000',
        'actorlimits.cfg': "{'nofile': 1024, 'as': None, 'pids': 10}", 'newprivs.cfg': 'yes', 'guests.cfg': '0\n',
        'minkeybits.cfg': '2048\n', 'revoked.cfg': ONE + '  a.tls\n', 'thesplogf.cfg': '/a', 'thesplogs.cfg': '1', 'rundir.cfg': '/run/x',
    }
    put('config', **{name.partition('.')[0]: name + '\n' + text for name, text in files.items()})
    put('config', all=parts(*('%s\n%s' % f for f in list(files.items())[2:14])))
    hostile = {
        'adminport.cfg': ['0x10', '٢٩٥٠', '65536', '-1', '1\n2', '\udcff', '1\0'],
        'convleader.cfg': [':1', 'h:0', '::1', 'h:99999', 'a b'],
        'othercaps.cfg': ['[]', '{1: 2}', "{'a': %s}" % ('9' * 200), "{'a': __import__('os')}", "{'a': '''\r\n", '\u3000{}\r\r'],
        'actorlimits.cfg': ["{'nofile': -1}", "{'nofile': 99999999999999999999}", "{'none': 1}", "{b'as': 1}", "{'pids': None}"],
        'adminusers.cfg': ['-x', 'nobody-of-this-name', '4294967295', '4294967294', 'a' * 33],
        'maxmessage.cfg': ['1099511627776', '1099511627777', '0'], 'newprivs.cfg': ['YES'], 'thesplogd.cfg': ['rel', '"/a"', '/a\x1b'],
        'thesplog.cfg': ["{'version': 2}", "{'version': 1, 'handlers': {'h': {'class': 'os.system'}}}"],
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

    def say(fds, doc):
        return bytes([fds]) + (doc if isinstance(doc, bytes) else json.dumps(doc).encode())

    put('verdict', good=say(1, good), bad=say(0, bad), nofd=say(0, good), more=say(2, good), many=say(4, good), bad_fd=say(1, bad), empty=b'\x01',
        nothing=b'\x00', cut=say(1, json.dumps(good).encode()[:40]), errno=say(1, dict(good, errno=28)), errno_far=say(1, dict(good, errno=1 << 40)),
        path=say(1, dict(good, sha256='../' * 21 + 'a')), short=say(1, dict(good, md5='ab')), warn=say(1, dict(good, warnings=[1])),
        nowarn=say(1, dict(good, warnings={})), status=say(0, dict(bad, status=0)), status_far=say(0, dict(bad, status=1 << 33)),
        noerror=say(0, {'ok': False, 'status': 3}), both=say(1, dict(bad, **good)), array=say(1, [good]), text=say(1, 'good'),
        noutf8=say(1, b'{"ok": "\xff"}'), long=say(1, dict(good, version='1' * 5000)), nul=say(1, b'{"ok":true}\0'))


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


if __name__ == '__main__':
    for make in config, logconfig, trustfile, state, cache, verdict, door:
        make()
