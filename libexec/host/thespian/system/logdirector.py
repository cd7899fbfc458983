# SPDX-License-Identifier: MIT
"""The root logger that actors have: by its class a program tells whether it is within an actor.

Only processes of actors have it; actors within the program log as the program does.
"""
from tdshost.wire.logs import HostRootLogger as ThespianLogForwarder

__all__ = ['ThespianLogForwarder']
