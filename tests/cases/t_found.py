#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs look for from outside: a port that is open while a system runs, and what a control program makes of it.

Each test has a port of its own, which the kernel gave. Prints TAP.
"""
import contextlib
import os
import select
import socket

import adminlib
from adminlib import until
from t_system import case
from tap import done, ok

# A daemon's control, as applications have it: who listens on the port decides what is done. Actors are of `shop`.
CONTROL = '''
port, command = %d, %r

def listens():
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0

def system():
    return ActorSystem('multiprocTCPBase', {'Admin Port': port, 'daemon': True})

def start():
    if listens():
        return 'runs already'
    kept = system().createActor(Facts, globalName='kept')
    return 'started: %%s' %% system().ask(kept, 'keep', 20)

def status():
    return 'runs: %%s' %% system().ask(system().createActor(Facts, globalName='kept'), 'state', 20) if listens() else 'does not run'

def stop():
    if not listens():
        return 'does not run'
    system().shutdown()
    return 'still there' if listens() else 'stopped'

import socket
print(repr('; '.join(globals()[each]() for each in command.split())))
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


def controlled(lab):
    port = free_port()
    said = [lab.run(CONTROL % (port, command))[0]
            for command in ('status', 'start', 'status', 'start', 'stop start', 'status', 'stop', 'stop', 'status')]
    ok(said == ['does not run', 'started: none', 'runs: 1', 'runs already', 'stopped; started: none', 'runs: 1', 'stopped',
                'does not run', 'does not run'], 'a control program that looks at the port', said)
    ok(os.listdir(lab.run_dir / 'tds') == [], 'and nothing is left on disk', os.listdir(lab.run_dir / 'tds'))


def bases(lab):
    got = lab.run('''
import socket
port = %d
for base in 'multiprocTCPBase', 'tdsLocalBase', 'multiprocUDPBase', 'multiprocTCPBase':
    s = ActorSystem(base, {'Admin Port': port}, transientUnique=True)
    with socket.socket() as c: print(repr(c.connect_ex(('127.0.0.1', port)) == 0))
    s.shutdown()
taken = socket.create_server(('127.0.0.1', port))
s = ActorSystem('multiprocTCPBase', {'Admin Port': port}, transientUnique=True)
print(repr(s.ask(s.createActor(Echo), 'served', 20)))
s.shutdown()
''' % free_port())
    ok(got == [True, False, False, True, 'served'], 'a TCP base has its port open, others have none; a taken one harms nothing', got)


def directory(a):
    port = free_port()
    a.start()
    ok(not listens(port), 'without adminport.cfg nothing listens')
    a.must(a.admin('shutdown'))
    (a.dir / 'adminport.cfg').write_text('%d\n' % port)
    a.start()
    with socket.create_connection(('127.0.0.1', port)) as s:
        ok(s.recv(1) == b'', 'with it the port is open, and nothing is said there')
    with contextlib.ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(socket.create_connection(('127.0.0.1', port)))
        ok(a.ask('Status')['Success'], 'many who connect keep nobody from being served')
    gone = os.pidfd_open(a.pid)
    a.kill_daemon()
    select.select([gone], [], [])
    os.close(gone)
    until('the port is open again', lambda: listens(port))
    ok(a.ask('Status')['Restarts'] == 1, 'after a crash the port is open again')
    a.must(a.admin('shutdown'))
    ok(not listens(port), 'and closed after shutdown')
    with socket.create_server(('127.0.0.1', port)):
        a.start()
        told = [e for e in a.events('NoEffect') if e.get('File') == 'adminport.cfg']
        ok(len(told) == 1 and str(port) in told[0]['Message'], 'that somebody else has it is an event, and no error', told)
        a.must(a.admin('shutdown'))


def main():
    case(controlled)
    case(bases)
    adminlib.case(directory)
    done()


if __name__ == '__main__':
    main()
