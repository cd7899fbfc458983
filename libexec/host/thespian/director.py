# SPDX-License-Identifier: MIT
"""What actors and logging configurations name in `thespian.director`.

So far the log filter; the Director itself is the admin.
"""
import logging


class ActorAddressLogFilter(logging.Filter):
    """Gives records that come from no actor an `actorAddress`, so that one format fits all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True. A record without actorAddress gets the text that says so."""
        if 'actorAddress' not in record.__dict__:
            record.actorAddress = '-not-actor-'
        return True
