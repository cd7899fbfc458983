# SPDX-License-Identifier: MIT
"""What the admin says to an actor: some of it is done at once, the rest in turn with messages."""
import logging
import os
from typing import Callable, Dict, List

from tdshost.actor.reference import Reference
from tdshost.source import usersource
from tdshost.wire import realm
from tdshost.wire.fields import address_of, read_capabilities, system_status
from tdshost.wire.link import ProtocolError
from tdshost.words.messages import ActorExitRequest

log = logging.getLogger('tds.host')


def _ids(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.children.add_ids([int(ident) for ident in op['ids']])


def _named(actor: Reference, op: dict, fds: List[int]) -> None:
    if actor.children.awaits(op['ref']):
        actor.children.name(op['ref'], address_of(op['address']))


def _exited(actor: Reference, op: dict, fds: List[int]) -> None:
    address = address_of(op['address'])
    if op.get('refused'):
        actor.children.refused.add(realm.parse_address(op['address'])[1])
    actor.queue.append(('X', address, actor.system if op.get('system') else address))


def _exit(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.queue.append(('O', ActorExitRequest(bool(op.get('recursive', True))), actor.system, None))


def _ask(actor: Reference, op: dict, fds: List[int]) -> None:
    text = op['text'].encode('utf-8', 'surrogatepass')
    actor.queue.append(('M', int(op['ref']), 0, ord(op['enc']) | realm.COMMANDS, text))


def _message(actor: Reference, op: dict, fds: List[int]) -> None:
    text = op['text'].encode('utf-8', 'surrogatepass')
    actor.queue.append(('T', str(op['ref']), ord(op['enc']), text))


def _capabilities(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.queue.append(('K', read_capabilities(op['capabilities'])))


def _validate(actor: Reference, op: dict, fds: List[int]) -> None:
    if not fds:
        log.error('source %s cannot be validated: no descriptor is left to take it', op['hash'])
        return
    fd = fds.pop()
    try:
        actor.queue.append(('O', usersource.question(op, fd), actor.system, None))
    finally:
        os.close(fd)


def _source(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.queue.append(('O', usersource.notice(op), actor.system, None))


def _status(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.queue.append(('O', system_status(op), actor.system, None))


def _direct(actor: Reference, op: dict, fds: List[int]) -> None:
    if fds:
        actor.links.open(*realm.parse_address(op['address']), op.get('commands') is True, fds.pop())


def _linked(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.links.switch(int(op['from']))


def _switched(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.links.start_reading(int(op['from']))


def _unlinked(actor: Reference, op: dict, fds: List[int]) -> None:
    actor.links.drain(int(op['from']))


_OPS: Dict[str, Callable[..., None]] = {
    'ids': _ids, 'named': _named, 'exited': _exited, 'exit': _exit, 'ask': _ask,
    'message': _message, 'capabilities': _capabilities, 'direct': _direct,
    'linked': _linked, 'switched': _switched, 'unlinked': _unlinked, 'status': _status,
    'validate': _validate, 'source': _source,
}


def obey(actor: Reference, op: dict, fds: List[int]) -> None:
    """Do what an op says, or put it into the queue. Errors: ProtocolError; Closed."""
    act = _OPS.get(op['op'])
    if act is None:
        return  # what a later admin may say
    try:
        act(actor, op, fds)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError('a bad %s: %r' % (op['op'], error)) from None
