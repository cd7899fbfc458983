# SPDX-License-Identifier: MIT
"""What can be imported, and what it is: names, exceptions, messages, addresses of no system."""
import importlib
import inspect
from datetime import timedelta

from thespian import actors
from thespian.actors import *

from play import ANY, kind, program, raised

ERRORS = ('ActorSystemException', 'InvalidActorAddress', 'ActorSystemFailure', 'NoCompatibleSystemForActor',
          'InvalidActorSourceHash', 'InvalidActorSpecification', 'ActorSystemStartupFailure',
          'ActorSystemRequestTimeout')
MESSAGES = ('ActorSystemConventionUpdate', 'LoadedSource', 'UnloadedSource', 'ActorExitRequest', 'ChildActorExited',
            'PoisonMessage', 'WakeupMessage', 'WatchMessage', 'DeadEnvelope', 'ValidateSource', 'ValidatedSource')


@program('simple')
def star_import(asys):
    for name in ERRORS + MESSAGES + ('Actor', 'ActorTypeDispatcher', 'ActorAddress', 'ActorSystem', 'ThespianWatch',
                                     'requireCapability', 'contextmanager', 'logging', 'inspect'):
        print(name, name in globals())
    print(actors.ThespianGeneration)


@program('simple')
def exceptions(asys):
    for name in ERRORS:
        print(name, [c.__name__ for c in getattr(actors, name).__mro__[1:-2]])
    print(InvalidActorAddress('here', 'no place'), InvalidActorAddress('here', 'no place').actorAddress)
    print(NoCompatibleSystemForActor('a.B', 'Nothing fits'))
    print(InvalidActorSourceHash('abc'))
    print(InvalidActorSpecification('a.B'))
    print(InvalidActorSpecification('a.B', 'a reason'))


@program('simple')
def messages(asys):
    for name in MESSAGES:
        print(name, issubclass(getattr(actors, name), ActorSystemMessage))
    print(ActorExitRequest().isRecursive, ActorExitRequest(False).isRecursive)
    request = ActorExitRequest()
    request.notRecursive()
    print(request.isRecursive)
    wakeup = WakeupMessage(timedelta(seconds=3), 'load')
    print(wakeup.delayPeriod, wakeup.payload, WakeupMessage(1).payload)
    print(PoisonMessage('bad').poisonMessage, PoisonMessage('bad').details, PoisonMessage('bad', 'why').details)
    print(WatchMessage([3]).ready, ThespianWatch([4, 5]).filenos)
    update = ActorSystemConventionUpdate('there', {'a': 1}, False)
    print(update.remoteAdminAddress, update.remoteCapabilities, update.remoteAdded)
    print(ChildActorExited('who').childAddress)
    print(DeadEnvelope('who', 'what').deadAddress, DeadEnvelope('who', 'what').deadMessage)


@program('simple')
def equal_messages(asys):
    print(ActorExitRequest() == ActorExitRequest(False), ActorExitRequest() != ActorExitRequest())
    print(PoisonMessage('a') == PoisonMessage('a', 'other'), PoisonMessage('a') == PoisonMessage('b'))
    print(ValidateSource('h', b'1') == ValidateSource('h', b'2'), ValidateSource('h', b'1') == ValidateSource('i', b'1'))
    print(ValidatedSource('h', b'1') == ValidatedSource('h', b'2'))
    print(WakeupMessage(1, 'a') == WakeupMessage(1, 'a'), WakeupMessage(1, 'a') == WakeupMessage(2, 'a'))
    print(ChildActorExited('a') == ChildActorExited('a'), ChildActorExited('a') == ChildActorExited('b'))
    print(LoadedSource('h', 'i') == LoadedSource('h', 'i'), LoadedSource('h', 'i') == UnloadedSource('h', 'i'))


@program('simple')
def addresses(asys):
    a, b = ActorAddress('one'), ActorAddress('two')
    print(a, a.addressDetails, a.actorAddressString, ActorAddress(7).actorAddressString)
    print(a == ActorAddress('one'), a == b, a != b, a == None, a == 'one', a != 'one')
    print(raised(hash, a), a in [b, ActorAddress('one')])


@program('simple')
def signatures(asys):
    for name in ('createActor', 'send', 'wakeupAfter', 'handleDeadLetters', 'registerSourceAuthority',
                 'loadActorSource', 'unloadActorSource', 'notifyOnSourceAvailability',
                 'notifyOnSystemRegistrationChanges', 'updateCapability', 'actorSystemShutdown', 'logger'):
        parameters = inspect.signature(getattr(Actor, name)).parameters.values()
        print(name, *['%s=%r' % (p.name, p.default) if p.default is not p.empty else p.name for p in parameters])
    for name in ('createActor', 'tell', 'ask', 'listen', 'loadActorSource', 'unloadActorSource', 'updateCapability',
                 'private', 'shutdown'):
        print(name, hasattr(ActorSystem, name))


@program('simple')
def modules(asys):
    for name, wanted in (('thespian.troupe', 'troupe UpdateTroupeSettings'),
                         ('thespian.transient', 'transient transient_idle'),
                         ('thespian.initmsgs', 'initializing_messages'),
                         ('thespian.runcommand', 'RunCommand Command CommandStarted CommandAbort CommandLog '
                                                 'CommandOutput CommandError CommandResult'),
                         ('thespian.local_importlib', 'import_module'),
                         ('thespian.system.timing', 'timePeriodSeconds ExpirationTimer'),
                         ('thespian.system.utilis', 'thesplog fmap withPossibleInitArgs'),
                         ('thespian.system.messages.status', 'Thespian_StatusReq Thespian_SystemStatus '
                                                             'Thespian_ActorStatus formatStatus')):
        module = importlib.import_module(name)
        print(name, [n for n in wanted.split() if not hasattr(module, n)])
    from thespian.system.timing import timePeriodSeconds
    print(timePeriodSeconds(timedelta(minutes=1)), timePeriodSeconds(2), timePeriodSeconds(0.5))


class Known(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, kind(msg))


@program(ANY)
def hello(asys):
    """The shortest program: without it no other says anything."""
    print(asys.ask(asys.createActor(Known), 'hello', 10))
    print(asys.ask(asys.createActor('s01_names.Known'), 3, 10))
