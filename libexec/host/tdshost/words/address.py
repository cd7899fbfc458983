# SPDX-License-Identifier: MIT
"""The address of an actor."""
from typing import Any

from tdshost.words import ACTORS

__name__ = ACTORS  # what is defined here is that module's: pickles, texts and programs go by it


class ActorAddress:
    """Names one actor. Comparable, picklable, not hashable; programs get them, never make them.

    Shape:  the details are the text "REALM.ID", in which ID alone already is unique.
    """

    __slots__ = ('_details',)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, aaddr: Any) -> None:
        self._details = aaddr

    @property
    def addressDetails(self) -> Any:
        """What the address was made of."""
        return self._details

    @property
    def actorAddressString(self) -> str:
        """The details as text."""
        return self._details if isinstance(self._details, str) else str(self._details)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ActorAddress) and self._details == other._details

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __str__(self) -> str:
        return 'ActorAddr-%s' % ('/ActorSys' if self._details == '0.0' else self._details,)

    __repr__ = __str__

    def __reduce__(self) -> tuple:
        return ActorAddress, (self._details,)
