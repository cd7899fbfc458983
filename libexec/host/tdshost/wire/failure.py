# SPDX-License-Identifier: MIT
"""Why an actor could not be created: the kinds, as daemon and host name them to each other.

Written from libexec/daemon/base/failure.h by tests/unit/t_failure.c, which holds the two equal.
"""
from typing import Dict, Optional

IMPORT = 'import'
CLASS = 'class'
CAPABILITY = 'capability'
SOURCE = 'source'
HASH = 'hash'
NAME = 'name'
PARENT = 'parent'
PROCESS = 'process'
SHUTDOWN = 'shutdown'
INIT = 'init'
EXIT = 'exit'

# The exception that a program gets which asked for the actor; None: it gets an address.
RAISES: Dict[str, Optional[str]] = {
    IMPORT: 'ImportError',
    CLASS: 'InvalidActorSpecification',
    CAPABILITY: 'NoCompatibleSystemForActor',
    SOURCE: 'InvalidActorSourceHash',
    HASH: 'InvalidActorSourceHash',
    NAME: 'InvalidActorSpecification',
    PARENT: 'ActorSystemFailure',
    PROCESS: 'ActorSystemFailure',
    SHUTDOWN: 'ActorSystemFailure',
    INIT: None,
    EXIT: None,
}
