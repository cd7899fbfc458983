#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a hostile member of a convention tries at the server of the bus, which is told what tds-admin convention init writes.

Each trick is tried twice: against that configuration, where none is accepted, and, so that it is known to be one, against
that configuration without its permissions, where each is. Prints TAP.
"""
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading

from buslib import SERVER, Bus, Client, Refused, bus, free_port, laxer, let_in
from tap import done, folder, ok, run, skip

STREAM = {'name': 'KV_tds', 'subjects': ['$KV.tds.>'], 'storage': 'file', 'max_msgs_per_subject': 1, 'discard': 'new',
          'allow_rollup_hdrs': False, 'allow_direct': True, 'num_replicas': 1, 'deny_delete': True}


class Table:
    """Three systems at a bus, and a candidate at its store: mallory is a member who is hostile."""

    def __init__(self, b):
        self.bus = b
        self.alpha, self.gamma, self.mallory = (b.client(x) for x in ('alpha', 'gamma', 'mallory'))
        self.store = b.client('alpha', store=True)
        for client, name in ((self.alpha, 'alpha'), (self.gamma, 'gamma')):
            client.sub('tds.m.*.%s.>' % name)
            client.sub('tds.m.*.all.>')
            client.flush()

    def make_store(self, rollup=False):
        """The bucket with a key in it, as a leader keeps it. Where it is lax, rollups are let through, too."""
        answer = self.store.ask('$JS.API.STREAM.CREATE.KV_tds', json.dumps(dict(STREAM, allow_rollup_hdrs=rollup)).encode())
        assert 'error' not in answer, answer
        self.put('leader', b'alpha')
        self.put('actors', b'some')

    def put(self, key, value):
        answer = self.store.ask('$KV.tds.' + key, value)
        assert 'error' not in answer, answer

    def kept(self):
        """How many keys are in the bucket."""
        return self.store.ask('$JS.API.STREAM.INFO.KV_tds').get('state', {}).get('messages', 'no stream')

    def heard(self, *clients):
        return [m for c in clients or (self.alpha, self.gamma) for m in c.taken()]

    def close(self):
        for client in (self.alpha, self.gamma, self.mallory, self.store):
            client.close()


# --- the tricks: each returns what came of it, nothing where it was not accepted ---

def published(subject, **more):
    def trick(t):
        t.mallory.pub(subject, b'forged', **more)
        t.mallory.flush()
        return t.heard()
    return trick


def as_another_by_reply(t):
    """The server looks at no reply subject. Whoever hears it does not answer there, and nothing else of the bus does."""
    t.mallory.pub('$JS.API.STREAM.INFO.KV_tds', b'', 'tds.m.alpha.gamma.forged')
    t.mallory.pub('$JS.API.DIRECT.GET.KV_tds', b'{"last_by_subj":"$KV.tds.leader"}', 'tds.m.alpha.gamma.forged')
    t.mallory.pub('tds.m.mallory.nobody.x', b'', 'tds.m.alpha.gamma.forged')
    t.mallory.flush()
    t.store.ask('$JS.API.INFO')
    return [m for m in t.heard(t.gamma) if m[0].startswith('tds.m.alpha.')]


def overheard(subject, queue=''):
    def trick(t):
        t.mallory.sub(subject, queue)
        t.mallory.flush()
        t.alpha.pub('tds.m.alpha.gamma.secret', b'secret')
        t.alpha.flush()
        t.put('heard', b'secret')
        t.store.ask('$JS.API.INFO')  # once this is answered, whoever hears the answer before has it
        heard = t.heard(t.mallory)
        t.heard(t.gamma)
        t.mallory.lines('UNSUB %d' % t.mallory.sid)
        return heard
    return trick


def store_changed(*attempts):
    """Messages to what the store is made of: what is in it is as before?"""
    def trick(t):
        t.put('leader', b'alpha')
        before = t.kept()
        for subject, data, headers in attempts:
            t.mallory.pub(subject, data, 'tds.m.mallory.mallory.answer', headers)
        t.mallory.flush()
        return [t.kept()] if t.kept() != before else []
    return trick


def store_asked(subject):
    def trick(t):
        t.mallory.sub('tds.m.*.mallory.>')
        t.mallory.pub(subject, b'', 'tds.m.mallory.mallory.answer')
        t.mallory.flush()
        t.store.ask('$JS.API.INFO')  # which is answered after it
        return t.heard(t.mallory)
    return trick


TRICKS = {
    'publish as another': published('tds.m.alpha.gamma.forged'),
    'publish as another to all': published('tds.m.alpha.all.forged'),
    'publish as another, with headers': published('tds.m.alpha.gamma.forged', headers={b'Nats-Msg-Id': b'1'}),
    'publish as a system that is not there': published('tds.m.nobody.all.forged'),
    'publish as a name that begins so': published('tds.m.mallory2.gamma.forged'),
    'publish as all': published('tds.m.all.gamma.forged'),
    'publish with an asterisk for its name': published('tds.m.*.gamma.forged'),
    'have the store answer in the name of another': as_another_by_reply,
    'hear everything': overheard('>'),
    'hear all of the bus': overheard('tds.m.>'),
    'hear what is for another': overheard('tds.m.*.gamma.>'),
    'hear what is for another, from one alone': overheard('tds.m.alpha.gamma.secret'),
    'take what is for another': overheard('tds.m.*.gamma.>', 'thief'),
    'hear all, by an asterisk': overheard('tds.m.*.*.>'),
    'hear the store': overheard('$KV.>'),
    'hear the answers of others': overheard('_INBOX.>'),
    'ask the store what it has': store_asked('$JS.API.STREAM.INFO.KV_tds'),
    'ask the store what streams there are': store_asked('$JS.API.STREAM.NAMES'),
    'read a key of the store': store_asked('$JS.API.DIRECT.GET.KV_tds.$KV.tds.leader'),
    'write a key of the store': store_changed(('$KV.tds.mine', b'mallory', None)),
    'erase the store by a header': store_changed(('$KV.tds.mallory', b'x', {b'Nats-Rollup': b'all'})),
    'purge the store': store_changed(('$JS.API.STREAM.PURGE.KV_tds', b'', None)),
    'delete the store': store_changed(('$JS.API.STREAM.DELETE.KV_tds', b'', None)),
}


def tricks_on(b, rollup):
    """Each trick, on a table of its own: what came of it, and what the server said to it."""
    found = {}
    for name, trick in TRICKS.items():
        t = Table(b)
        t.make_store(rollup)
        try:
            found[name] = trick(t), t.mallory.errors
        finally:
            t.store.ask('$JS.API.STREAM.DELETE.KV_tds')
            t.close()
    return found


def tricks():
    with folder() as base, bus(base, 'alpha', 'gamma', 'mallory') as b:
        honest(b)
        strict = tricks_on(b, False)
        for name, (came, errors) in strict.items():
            ok(not came and errors and all('Permissions Violation' in e for e in errors), '%s: refused' % name, came, errors)
    with folder() as base, bus(base, 'alpha', 'gamma', 'mallory', change=laxer) as b:
        lax = tricks_on(b, True)
    known = [name for name, (came, _) in lax.items() if came]
    ok(len(known) == len(TRICKS), 'each is one where there are no permissions', sorted(set(TRICKS) - set(known)))


def honest(b):
    """What a member may, and what is said of it is its name."""
    t = Table(b)
    t.mallory.pub('tds.m.mallory.gamma.c', b'1')
    t.mallory.pub('tds.m.mallory.all.c', b'2')
    t.mallory.flush()
    ok(t.gamma.taken() == [('tds.m.mallory.gamma.c', b'1'), ('tds.m.mallory.all.c', b'2')], 'a member is heard, by its name')
    ok(t.alpha.taken() == [('tds.m.mallory.all.c', b'2')], 'and by others where it speaks to all')
    t.store.pub('tds.m.alpha.gamma.c', b'3')
    t.store.flush()
    ok(not t.gamma.taken(), 'what is said at the store is not heard at the bus')
    t.mallory.pub('tds.m.mallory.gamma.c', b'4', 'tds.m.alpha.gamma.c')
    t.mallory.flush()
    ok(t.gamma.taken() == [('tds.m.mallory.gamma.c', b'4')] and not t.gamma.taken(), 'with the subject of another to answer to, it is its own still')
    t.close()


# --- who is let in ---

def openssl(*args):
    subprocess.run(['openssl', *map(str, args)], check=True, capture_output=True)


def sign(b, name, san, usage='clientAuth', by=None, key=None):
    """(certificate, key) that the convention's CA, or another certificate, signs for whatever is wanted."""
    pem, own = b.base / (name + '.pem'), key or b.base / (name + '.key')
    ca = by or (b.folder / 'ca.pem', b.folder / 'ca.key')
    (b.base / 'ext').write_text('%sextendedKeyUsage=%s\n' % ('subjectAltName=%s\n' % san if san else '', usage))
    if not own.exists():
        openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', own)
    openssl('req', '-new', '-key', own, '-subj', '/CN=tds:alpha', '-out', b.base / 'csr')
    openssl('x509', '-req', '-in', b.base / 'csr', '-CA', ca[0], '-CAkey', ca[1], '-CAcreateserial', '-days', '1', '-extfile', b.base / 'ext', '-out', pem)
    return pem, own


def impatient(text):
    """Who says nothing of TLS is let go sooner."""
    assert 'timeout: 5' in text
    return text.replace('timeout: 5', 'timeout: 0.5')


def doors():
    with folder() as base, folder() as theirs, bus(base, 'alpha', 'gamma', change=impatient) as b:
        other = Bus(theirs, 'alpha')
        ca, mine = b.folder / 'ca.pem', b.pem('gamma')
        both = b.base / 'both.pem'
        both.write_text(other.pem('alpha')[0].read_text() + ca.read_text())

        def shut(what, *args, **connect):
            came, told = let_in(b.port, *args, **connect)
            ok(not came, '%s: not let in' % what, came, told)

        ok(let_in(b.port, ca, mine) == ('in', ()), 'with its certificate a system is let in')
        shut('without TLS', None, None)
        shut('without TLS, by a name', None, None, user='tds:alpha')
        shut('without a certificate', ca, None)
        shut('without a certificate, by a name', ca, None, user='tds:alpha', **{'pass': ''})
        shut('with that of another convention', ca, other.pem('alpha'))
        shut('with that of another convention, and our CA behind it', ca, (both, other.pem('alpha')[1]))
        shut('with that of the server', ca, (b.folder / 'server/server.pem', b.folder / 'server/server.key'))
        shut('with one that a system has signed', ca, sign(b, 'child', 'URI:tds:alpha', by=mine))
        shut('with one for a server', ca, sign(b, 'serving', 'URI:tds:alpha', 'serverAuth'))
        for name, san in (('mallory', 'URI:tds:mallory'), ('all', 'URI:tds:all'), ('star', 'URI:tds:*'), ('more', 'URI:tds:gamma.x'),
                          ('case', 'URI:tds:Alpha'), ('none', ''), ('mail', 'email:tds@alpha'), ('dns', 'DNS:gamma')):
            shut('signed by the CA, for %s' % (san or 'a common name alone'), ca, sign(b, name, san))
        named(b, ca, mine)
        two_names(b)
        ok(let_in(b.port, other.folder / 'ca.pem', mine)[0] == '', 'a system believes no server of another convention')


def named(b, ca, mine):
    """A certificate is the user, whatever else is said."""
    alpha = b.client('alpha')
    alpha.sub('tds.m.*.alpha.>')
    alpha.flush()
    for what, connect in (('user', {'user': 'tds:alpha'}), ('store', {'user': 'tds-store:alpha'}), ('token', {'auth_token': 'tds:alpha'}),
                          ('account', {'account': 'STORE', 'new_account': True})):
        try:
            client = Client(b.port, ca, mine, **connect)
        except Refused:
            ok(True, 'claiming another by %s: not let in' % what)
            continue
        client.pub('tds.m.alpha.alpha.forged', b'')
        client.pub('$JS.API.INFO', b'', 'tds.m.gamma.alpha.answer')
        client.flush()
        ok(len(client.errors) == 2 and not alpha.taken(), 'claiming another by %s: its own still' % what, client.errors)
        client.close()
    alpha.close()


def two_names(b):
    """The bus takes the first name for the user: a system shows no certificate that has another one besides its own."""
    part = shutil.copytree(b.folder / 'systems/gamma', b.base / 'gamma')
    for path, name in zip(sign(b, 'two', 'URI:tds:gamma,URI:tds:alpha'), ('system.pem', 'system.key')):
        shutil.copy(path, part / name)
    answer = run('tds-admin', '-C', b.base, 'convention', 'join', part)
    ok(answer.status == 4 and 'it is not that of tds:gamma' in answer.err, 'a certificate of two names: not joined with', answer)


def one_token():
    """db1 may say more tokens behind its name: there is no system of such a name that it could be taken for."""
    with folder() as base, bus(base, 'db1', 'example') as b:
        db1, example = b.client('db1'), b.client('example')
        example.sub('tds.m.*.example.>')
        example.flush()
        db1.pub('tds.m.db1.example.com.x', b'')
        db1.flush()
        ok([m[0].split('.')[2] for m in example.taken()] == ['db1'], 'a dot behind a name ends it')
        for name in ('db1.example.com', 'all', '*', '>', 'a b', '', 'tds:a', 'a' * 64, '../x'):
            answer = run('tds-admin', 'convention', 'init', name, '--folder=%s' % b.folder)
            ok(answer.status == 2 and not answer.out, 'no system is named %r' % name, answer)


def too_much():
    """One who asks for too much is cut off, or told so; the others notice nothing."""
    with folder() as base, bus(base, 'alpha', 'mallory') as b:
        alpha, mallory = b.client('alpha'), b.client('mallory')
        for _ in range(1100):
            mallory.sub('tds.m.*.all.>')
        mallory.flush()
        ok(any('maximum subscriptions' in e for e in mallory.errors), 'subscriptions have an end', mallory.errors[:2])
        big = b.client('mallory')
        try:
            big.pub('tds.m.mallory.alpha.x', b'x' * (1048576 + 1))
            big.flush()
            ok(False, 'a message over 1 MiB is refused')
        except (Refused, OSError):
            ok(True, 'a message over 1 MiB is refused')
        alpha.flush()
        ok(not alpha.errors, 'the others stay')
        for client in (alpha, mallory, big):
            client.close()


# --- systems that come and go ---

def alive(client):
    """It has not been dropped: the connection is the one of before."""
    try:
        return not client.flush().errors
    except (Refused, OSError):
        return False


def coming_and_going():
    with folder() as base, bus(base, 'alpha', 'beta') as b:
        alpha, beta, store = b.client('alpha'), b.client('beta'), b.client('alpha', store=True)
        b.init('gamma')
        b.copy()
        ok(not let_in(b.port, b.folder / 'ca.pem', b.pem('gamma'))[0], 'who is added waits for the server')
        b.reload()
        gamma = b.client('gamma')
        ok(alive(alpha) and alive(beta) and alive(store), 'adding a system drops nobody')
        kept = [shutil.copy(p, b.base) for p in b.pem('gamma')]
        b.convention('remove', 'gamma')
        b.copy()
        b.reload()
        ok(not alive(gamma) and alive(alpha) and alive(beta) and alive(store), 'removing one drops that one alone')
        ok(not let_in(b.port, b.folder / 'ca.pem', kept)[0], 'and it does not come back')
        answer = run('tds-admin', 'convention', 'init', 'gamma', '--folder=%s' % b.folder)
        ok(answer.status == 1 and 'was removed' in answer.err, 'nor does its name', answer)
        renewing(b, alpha, beta, store)
        for client in (alpha, beta, store, gamma):
            client.close()


def renewing(b, *clients):
    before = b.client('beta').sock.getpeercert(True)
    old = b.pem('beta')[0].read_bytes()
    b.init('--renew')
    b.copy()
    b.reload()
    beta = b.client('beta')
    ok(all(map(alive, clients)), 'renewing certificates drops nobody')
    ok(beta.sock.getpeercert(True) != before and b.pem('beta')[0].read_bytes() != old, 'the server shows its new one')
    conf = b.place / 'nats-server.conf'
    good = conf.read_text()
    conf.write_text(good + '\nbroken {\n')
    b.reload('Failed to reload server configuration')
    ok(all(map(alive, clients)) and alive(b.client('alpha')), 'a configuration that is broken leaves the one before')
    b.init('--candidates=beta')
    b.copy()
    b.reload()
    alpha, beta, store = clients
    ok(alive(alpha) and alive(beta) and not alive(store) and alive(b.client('beta', store=True)), 'who is no candidate any more has no store')


# --- tds-admin convention status ---

def status():
    """What it finds, against a server that is as it should be, and against each way of being otherwise."""
    with folder() as base, folder() as theirs, bus(base, 'alpha', 'beta', change=impatient) as b:
        dirs = {name: joined(b, name) for name in ('alpha', 'beta')}
        other = Bus(theirs, 'alpha', 'beta')
        url = 'tls://127.0.0.1:%d' % b.port

        def says(what, name, *bad, good=(), port=None):
            """bad: what begins the reason of each failure, in order; all else that is not odd is good."""
            if port:
                (dirs[name] / 'convbus.cfg').write_text('tls://127.0.0.1:%d\n' % port)
            answer = run('tds-admin', '-C', dirs[name], 'convention', 'status', '-j')
            checks = json.loads(answer.out)['Checks']
            found = ['%s: %s' % (c['Check'], c['Text']) for c in checks if c['State'] == 'Bad']
            fine = {c['Check'] for c in checks if c['State'] == 'Good'}
            told = all(c.get('Do') for c in checks if c['State'] == 'Bad')
            ok(answer.status == (1 if bad else 0) and len(found) == len(bad) and all(map(str.startswith, found, bad)) and fine >= set(good)
               and told, 'status: ' + what, answer.status, *found, sorted(fine))

        says('a candidate', 'alpha', good=('settings', 'certificate', 'server', 'permissions', 'store'))
        says('a member', 'beta', good=('settings', 'certificate', 'server', 'permissions'))
        text = run('tds-admin', '-C', dirs['beta'], '-q', 'convention', 'status')
        ok(text.status == 0 and not text.out and not text.err, 'quiet, it says nothing where all is well', text)
        b.change = lambda text: impatient(text).replace('publish: { allow: ["tds.m.beta.>"] }', 'publish: { allow: [">"] }')
        b.copy()
        b.reload()
        says('one who may say everything', 'beta', 'permissions: %s lets it speak for another' % url,
             'permissions: %s lets it ask JetStream' % url)
        b.change = lambda text: impatient(text).replace('"tds.m.*.beta.>", ', '')
        b.copy()
        b.reload()
        says('one who hears nothing', 'beta', 'permissions: %s lets it not hear what is for it' % url)
        b.change = lambda text: impatient(text).replace('tds:beta', 'tds:gone').replace('1048576', '1000')
        b.copy()
        b.reload()
        says('one whom the server does not know', 'beta', 'server: %s: ' % url)
        says('messages that are too short', 'alpha', 'server: %s takes messages of 1000 bytes' % url, good=('permissions',))
        other.port, other.change = b.port, impatient
        b.stop()
        says('no server', 'beta', 'server: %s: Connection refused' % url)
        strangers(says, url, b, other)
        plain(base)


def joined(b, name):
    """A director directory that has joined as this system."""
    path = b.base / ('dir-' + name)
    path.mkdir(mode=0o755)
    answer = run('tds-admin', '-C', path, 'convention', 'join', b.folder / 'systems' / name)
    ok(answer.status == 0, '%s has joined' % name, answer)
    return path


def strangers(says, url, b, other):
    """What may listen there instead."""
    place = other.folder / 'server'
    shutil.copy(b.folder / 'server/nats-server.conf', place)
    shutil.copy(b.folder / 'ca.pem', place)  # so that this system is let in
    for what, reason, pem in (('the server of another convention', 'unable to get local issuer certificate', ()),
                              ('a server with the certificate of another place', 'IP address mismatch', sign(b, 'far', 'IP:127.0.0.9', 'serverAuth')),
                              ('a server with the certificate of a system', 'unsuitable certificate purpose', sign(b, 'near', 'IP:127.0.0.1'))):
        for path, name in zip(pem, ('server.pem', 'server.key')):
            shutil.copy(path, place / name)
        try:
            other.start()
            says(what, 'beta', 'server: %s: %s' % (url, reason))
        finally:
            other.stop()
    for what, reason, speak in (
            ('no NATS', 'what listens there speaks no NATS', lambda s: s.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')),
            ('a line without an end', 'what listens there speaks no NATS', lambda s: s.sendall(b'x' * 70000)),
            ('NATS without TLS', 'the server speaks no TLS', lambda s: s.sendall(b'INFO {"version":"2.9.10"}\r\n')),
            ('one that hangs up', 'it hung up', lambda s: None),
            ('TLS of another program', '', lambda s: s.sendall(b'INFO {"tls_required":true}\r\nnonsense, and more of it\r\n'))):
        with listening(b.port, speak):
            says(what, 'beta', 'server: %s: %s' % (url, reason))


def plain(base):
    """A server that is hostile behind the log-in, to one who needs no TLS for it."""
    path = base / 'plain'
    path.mkdir()
    port = free_port()
    (path / 'convbus.cfg').write_text('nats://127.0.0.1:%d\n' % port)
    (path / 'convsystem.cfg').write_text('a\n')
    info = b'INFO {"version":"2.9.10","max_payload":1048576}\r\n'

    def flood(s):
        s.sendall(info)
        while True:
            s.sendall(b'+OK\r\n' * 1000)

    for what, reason, speak in (
            ('says OK for ever', 'no answer in time', flood),
            ('refuses', "'Authorization Violation'", lambda s: s.sendall(info + b"-ERR 'Authorization Violation'\r\n")),
            ('sends a message of no length', 'what listens there speaks no NATS', lambda s: s.sendall(info + b'MSG x 1 -5\r\n')),
            ('sends one that is too long', 'what listens there speaks no NATS', lambda s: s.sendall(info + b'MSG x 1 99999999999\r\n')),
            ('sends half of one', 'it hung up', lambda s: s.sendall(info + b'MSG x 1 10\r\nabc')),
            ('sends a NUL', 'what listens there speaks no NATS', lambda s: s.sendall(info + b'PO\0NG\r\n')),
            ('says of itself what is no JSON', 'what listens there speaks no NATS', lambda s: s.sendall(b'INFO {"a":1,"a":2}\r\nPONG\r\n'))):
        with listening(port, speak):
            answer = run('tds-admin', '-C', path, '-q', 'convention', 'status', '--timeout=0.5')
        ok(answer.status == 1 and answer.err.startswith('tds-admin: server: nats://127.0.0.1:%d: %s: ' % (port, reason)), 'one that %s' % what, answer)
    with listening(port, lambda s: s.sendall(info + b'PONG\r\n')):
        answer = run('tds-admin', '-C', path, '-j', 'convention', 'status')
    states = {c['Check']: c['State'] for c in json.loads(answer.out)['Checks']}
    ok(answer.status == 0 and states['server'] == 'Good' and states['permissions'] == 'Odd', 'without TLS anybody may do everything', answer)


@contextlib.contextmanager
def listening(port, speak):
    """Somebody listens on the port, who says this to the one who comes, and then nothing."""
    server = socket.create_server(('127.0.0.1', port))

    def serve():
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                speak(connection)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        server.close()


def unit():
    """What the drop-in runs before a reload, in the folder that it says."""
    with folder() as base:
        b = Bus(base, 'alpha')
        b.copy()
        text = (b.place / 'tds.conf').read_text()
        ok('WorkingDirectory=/etc/tds-bus\n' in text and 'StateDirectory=nats\n' in text and 'Restart=always\n' in text, 'the drop-in has a store, and restarts', text)
        tested = subprocess.run([SERVER, '-t', '-c', 'nats-server.conf'], cwd=b.place, capture_output=True)
        ok(tested.returncode == 0, 'the server finds the configuration good', tested)


def main():
    if not SERVER:
        skip('all of it', 'there is no nats-server')
        done()
    signal.alarm(240)
    for part in (tricks, doors, one_token, too_much, coming_and_going, status, unit):
        part()
    done()


main()
