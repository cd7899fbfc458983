# SPDX-License-Identifier: MIT
"""What a program that asked for an actor gets instead of one: the exception for each kind of failure."""
from typing import Any, Callable, Dict

from tdshost.wire import failure
from tdshost.words.errors import (ActorSystemFailure, InvalidActorSourceHash, InvalidActorSpecification,
                                  NoCompatibleSystemForActor)

_RAISED: Dict[str, Callable[[str, Any, Any], Exception]] = {
    'ImportError': lambda spec, error, source_hash: ImportError('%s: %s' % (spec, error)),
    'InvalidActorSpecification': lambda spec, error, source_hash: InvalidActorSpecification(spec, error),
    'NoCompatibleSystemForActor': lambda spec, error, source_hash:
        NoCompatibleSystemForActor(spec, 'No compatible ActorSystem could be found'),
    'InvalidActorSourceHash': lambda spec, error, source_hash: InvalidActorSourceHash(source_hash),
    'ActorSystemFailure': lambda spec, error, source_hash:
        ActorSystemFailure('%s cannot be started: %s' % (spec, error)),
}


def refusal(kind: Any, spec: str, error: Any, source_hash: Any) -> Exception:
    """The exception for a kind of wire.failure, the class as it was named, why, and the hash that was given."""
    raised = failure.RAISES.get(kind) or 'ActorSystemFailure'
    return _RAISED[raised](spec, error, source_hash)
