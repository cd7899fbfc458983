#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Capabilities of the system, and what becomes of creations: who is told what, once, and where messages go.

Prints TAP. Each case has an admin of its own.
"""
import os
import signal
import time

from adminlib import ACTOR, run_cases, until
from tap import ok

SIZE = 30000  # of a large capability
BYTES_A_MS = 16  # of capabilities.c

CREATOR = ACTOR + r'''

class S(A):
    """Creates what it is told to and sends it something at once; notes what comes of it, by the names it was given."""

    def __init__(self, capabilities, requirements='none'):
        super().__init__()
        self.capabilities = capabilities
        self.names = {}

    def name_of(self, address):
        return next((n for n, a in self.names.items() if a == address), 'other' if address != self.myAddress else 'self')

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ChildActorExited):
            note('S', 'exited', self.name_of(msg.childAddress), self.name_of(sender))
        elif isinstance(msg, PoisonMessage):
            note('S', 'poison', msg.poisonMessage, msg.details.splitlines()[-1], self.name_of(sender))
        elif type(msg).__name__ == 'CommandResult':
            note('S', 'ran', msg.exitcode)
        elif isinstance(msg, DeadEnvelope):
            note('S', 'dead', self.name_of(msg.deadAddress), msg.deadMessage, str(sender))
        else:
            super().receiveMessage(msg, sender)

    def do_create(self, sender, name, cls, requirements=None, global_name=None, source=None, first=None):
        self.names[name] = child = self.createActor(cls, requirements, global_name, source)
        if first is not None:
            self.send(child, first)
        note('S', 'created', name)

    def do_class(self, sender):
        import thespian.runcommand
        self.names['normal'] = child = self.createActor(thespian.runcommand.RunCommand)
        self.send(child, thespian.runcommand.Command('true', []))

    def do_tell(self, sender, name, what):
        self.send(self.names[name], what)

    def do_letters(self, sender, on):
        self.handleDeadLetters(on)
        self.send(sender, True)

    def do_caps(self, sender):
        self.send(sender, {k: v for k, v in self.capabilities.items()})

    def do_set(self, sender, name, value):
        self.updateCapability(name, value)
        self.send(sender, True)

    def do_registrations(self, sender):
        self.notifyOnSystemRegistrationChanges(True)
        self.preRegisterRemoteSystem('host:1', {})
        self.deRegisterRemoteSystem('host:1')
        self.send(sender, True)


class T(S):
    pass


class Init(Actor):
    def __init__(self):
        raise ValueError('no')


class Needs(Actor):
    def __init__(self, something):
        pass


class Both(Actor):
    def __init__(self, requirements, capabilities=None, globalName='default', *, sourceHash='default'):
        self.all = requirements, capabilities['Colour'], globalName, sourceHash

    def receiveMessage(self, msg, sender):
        note('Both', 'has', self.all)


@requireCapability('Colour', 'red')
class Red(A):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        return all(capabilities.get(k) == v for k, v in (requirements or {}).items())

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple) and msg[0] == 'child':
            self.createActor(A)
            note('Red', 'child')
        else:
            super().receiveMessage(msg, sender)


class Counts(S):
    """How often it was told of capabilities."""

    told = 0

    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        Counts.told += 1
        return True

    def do_told(self, sender):
        self.send(sender, (Counts.told, self.capabilities.get('Large', '')[:8]))

    def do_changes(self, sender, n, size):
        for i in range(n):
            self.updateCapability('Large', '%08d' % i + 'x' * size)
            time.sleep(0.01)
        self.send(sender, True)


class Unsure(Actor):
    @staticmethod
    def actorSystemCapabilityCheck(capabilities, requirements):
        raise ValueError('unsure')
'''
TLI = {'Actors': {'m.a.S': {'OnLoad': {'Role': 's'}}, 'm.a.T': {'OnLoad': {'Role': 't'}}},
       'May': ['capabilities', 'deadletters']}


def started(a):
    (a.dir / 'othercaps.cfg').write_text("{'Colour': 'red', 'Deep': {'x': (1, None)}}\n")
    (a.dir / 'adminport.cfg').write_text('12345\n')
    a.group('foo', ['1'], TLI, source=CREATOR)
    a.must(a.load('foo'))
    a.notes.take()


def tell(a, target, *message):
    a.ask('Tell', Target=target, Literal=repr(message))


def creations(a):
    started(a)
    ok(a.asked('t', ('letters', True)), 'an actor handles dead letters')
    for name, cls, more, message in (
            ('no module', 'm.nowhere.X', {}, 'poison'), ('no class', 'm.a.X', {}, 'poison'), ('no dot', 'plain', {}, 'poison'),
            ('requirement', 'm.a.Red', {'requirements': {'Colour': 'blue'}}, 'poison'), ('unsure', 'm.a.Unsure', {}, 'poison'),
            ('no source', 'm.a.A', {'source': 'f' * 32}, 'poison'), ('init', 'm.a.Init', {}, 'dead'),
            ('needs', 'm.a.Needs', {}, 'dead')):
        tell(a, 's', 'create', name, cls, more.get('requirements'), None, more.get('source'), 'for ' + name)
        a.notes.wait_for('1', 'S', 'exited', name, name)
        if message == 'poison':
            a.notes.wait_for('1', 'S', 'poison', 'for ' + name, 'Child Aborted', 'self')
        else:
            a.notes.wait_for('1', 'S', 'dead', 'other', 'for ' + name, 'ActorAddr-/ActorSys')
        noted = [n for n in a.notes.take() if n[2] in ('exited', 'poison', 'dead')]
        ok(len(noted) == 2, '%s: its creator is told once, and the message to it is %s'
           % (name, 'poison' if message == 'poison' else 'a dead letter'), noted)
    tell(a, 's', 'create', 'red', 'm.a.Red', {'Colour': 'red'}, None, None, ('echo',))
    a.notes.wait(lambda notes: [n for n in notes if n[1:3] == ('Red', 'made')])
    ok(True, 'a requirement that is met lets it be made')
    tell(a, 's', 'create', 'both', 'm.a.Both', {'Deep': {'x': (1, None)}}, None, None, 1)
    a.notes.wait_for('1', 'Both', 'has', ({'Deep': {'x': (1, None)}}, 'red', 'default', 'default'))
    ok(True, '__init__ gets what it names of capabilities and requirements, and nothing else')
    tell(a, 's', 'class')
    a.notes.wait_for('1', 'S', 'ran', 0)
    ok(True, 'a class of a module outside the source is found the normal way')


def names(a):
    """Who made a global actor is told of its end, and nobody else."""
    started(a)
    tell(a, 's', 'create', 'one', 'm.a.B', None, 'Name')
    a.notes.wait_for('1', 'S', 'created', 'one')
    tell(a, 't', 'create', 'two', 'm.nowhere.X', None, 'Name', None, ('name',))
    a.notes.wait_for('1', 'B', 'got', ('name',))
    ok(a.asked('@Name', ('echo', 1)) == ('1', 1), 'where the name is taken, its actor it is, whatever else is asked for')
    a.notes.take()
    a.ask('Tell', Target='@Name', Literal="('exit',)")
    a.notes.wait_for('1', 'S', 'exited', 'one', 'other')
    tell(a, 't', 'create', 'two', 'm.a.B', None, 'Name', None, ('again',))
    a.notes.wait_for('1', 'B', 'got', ('again',))
    gone = [n[1:4] for n in a.notes.take() if n[2] == 'exited']
    ok(gone == [('S', 'exited', 'one')], 'its maker alone is told of its exit, and the name is free again', gone)
    maker = a.actors_of('foo', '1')[1]
    os.kill(maker['Pid'], signal.SIGKILL)
    until('it is started again', lambda: (a.actors_of('foo', '1')[1].get('Pid') or maker['Pid']) != maker['Pid'])
    ok(a.asked('@Name', ('echo', 2)) == ('1', 2), 'it does not end with its maker')


def changes(a):
    started(a)
    caps = a.asked('s', ('caps',))
    ok(caps['Colour'] == 'red' and caps['Deep'] == {'x': (1, None)} and caps['Admin Port'] == 12345,
       'the configuration\'s capabilities are there', caps)
    ok(caps['Thespian ActorSystem Name'] == 'tdsLocalBase' and caps['Thespian ActorSystem Version'] == 2 and
       caps['Thespian Watch Supported'] is True and caps['Thespian Generation'] == (3, 10) and
       caps['Python Version'][0] == 3 and caps['Thespian Version'].isdigit(), 'and those of every system', caps)
    tell(a, 's', 'create', 'red', 'm.a.Red', None, None, None, ('child',))
    a.notes.wait_for('1', 'Red', 'child')
    a.notes.wait(lambda notes: [n for n in notes if n[1:3] == ('A', 'made')])
    a.notes.take()
    a.asked('t', ('set', 'Colour', 'red'))
    a.asked('t', ('set', 'New', [1, {'y': 2.5}]))
    ok(until('all know', lambda: a.asked('s', ('caps',)).get('New') == [1, {'y': 2.5}]), 'an actor sets one, and others see it')
    ok([n for n in a.notes.take() if n[2] == 'exited'] == [], 'those that it suits live on')
    a.asked('t', ('set', 'New', None))
    until('it is gone', lambda: 'New' not in a.asked('s', ('caps',)))
    a.asked('t', ('set', 'Colour', 'blue'))
    a.notes.wait_for('1', 'S', 'exited', 'red', 'red')
    noted = [n[1:3] for n in a.notes.take()]
    ok(noted.index(('Red', 'ActorExitRequest')) < noted.index(('A', 'ActorExitRequest')) < noted.index(('S', 'exited')),
       'those that it does not suit any more exit, with their children', noted)
    tell(a, 's', 'create', 'red', 'm.a.Red', None, None, None, 'x')
    a.notes.wait_for('1', 'S', 'poison', 'x', 'Child Aborted', 'self')
    a.asked('t', ('set', 'Colour', 'red'))
    tell(a, 's', 'create', 'red again', 'm.a.Red', None, None, None, ('child',))
    a.notes.wait_for('1', 'Red', 'child')
    ok(True, 'creations follow the capabilities')
    ok(a.asked('s', ('registrations',)) is True, 'of other systems nothing is heard, and they may be named')
    a.asked('t', ('set', 'Huge', 'x' * (1 << 20)))
    ok('Huge' not in a.asked('s', ('caps',)) and a.asked('s', ('caps',))['Colour'] == 'red', 'what would be too large is not taken')


def flood(a):
    """All actors read what one sets: a large one is told of again when as much time has passed as it takes, twenty times over."""
    declaration = {'Actors': {'m.a.Counts': {'OnLoad': {'Role': 'counts'}}, 'm.a.S': {'OnLoad': {'Role': 's'}}}}
    a.group('foo', ['1'], declaration, source=CREATOR)
    a.must(a.load('foo'))
    before = a.asked('counts', ('told',))[0]
    began = time.monotonic()
    ok(a.asked('counts', ('changes', 200, SIZE), 60), 'it is changed without end')
    until('the last one is told', lambda: a.asked('counts', ('told',))[1] == '00000199')
    told, took = a.asked('counts', ('told',))[0] - before, time.monotonic() - began
    ok(told <= 2 + took * 1000 / (SIZE / BYTES_A_MS), 'and told seldom', told, took)
    ok(a.asked('counts', ('echo', 1)) is not None, 'who was told goes on')


if __name__ == '__main__':
    run_cases(creations, names, changes, flood)
