# SPDX-License-Identifier: MIT
"""Fields of control ops that more than one room reads: requirements, capabilities, the system's status."""
import base64
import pickle
import sys
from typing import Any, Optional

from tdshost.wire import realm
from tdshost.words.actor import ThespianGeneration
from tdshost.words.address import ActorAddress
from tdshost.words.status import Thespian_SystemStatus


_FOREIGN_LITERAL_MAX = 65536  # characters of another realm's; the parser takes some hundred bytes for each


def pack_requirements(requirements: Any) -> Optional[str]:
    """Requirements as the text that the admin hands on: a literal, tagged JSON, or (own realm) a pickle."""
    if requirements is None:
        return None
    try:
        return 'l:' + realm.to_literal(requirements)
    except realm.NotPassed:
        pass
    try:
        return 't:' + realm.to_tagged(requirements).decode('ascii')
    except realm.NotPassed:
        pass
    try:
        return 'p:' + base64.b64encode(pickle.dumps(requirements, 4)).decode('ascii')
    except Exception:
        return 'x:'  # nothing that the source process could read; the creation fails


def unpack_requirements(text: Optional[str], same_realm: bool) -> Any:
    """What pack_requirements packed. Errors: ValueError; a trusted pickle may raise anything."""
    if text is None:
        return None
    form, data = text[:2], text[2:]
    if form == 'l:' and (same_realm or len(data) <= _FOREIGN_LITERAL_MAX):
        return realm.from_literal(data)
    if form == 't:':
        return realm.from_tagged(data.encode('utf-8'))
    if form == 'p:' and same_realm:
        return pickle.loads(base64.b64decode(data))
    raise ValueError('requirements that cannot be read')


def read_capabilities(given: Any) -> dict:
    """The capabilities that the admin gives, an object of the texts of literals, and our own.

    Shape:   one whose text is no literal (any actor may set one) is left out.
    Errors:  AttributeError, TypeError.
    """
    capabilities = {}
    for name, text in (given or {}).items():
        try:
            capabilities[name] = realm.from_literal(text)
        except ValueError:
            pass
    capabilities.update({'Thespian ActorSystem Version': 2, 'Thespian Watch Supported': True,
                         'Python Version': tuple(sys.version_info),
                         'Thespian Generation': ThespianGeneration})
    return capabilities


def system_status(op: dict) -> Thespian_SystemStatus:
    """What the admin says of the system. Errors: KeyError, TypeError, AttributeError, ValueError."""
    status = Thespian_SystemStatus(realm.make_address(0, 0), None, read_capabilities(op['capabilities']),
                                   bool(op['shutdown']))
    status.globalActors = {name: address_of(text) for name, text in op['names'].items()}
    status.loadedSources = [(str(source), str(info)) for source, info in op['sources']]
    if op.get('authority') is not None:
        status.sourceAuthority = address_of(op['authority'])
    if op.get('deadletters') is not None:
        status.deadLetterHandler = address_of(op['deadletters'])
    return status


def address_of(details: Any) -> ActorAddress:
    """The address of its text. Errors: ValueError."""
    return realm.make_address(*realm.parse_address(details))
