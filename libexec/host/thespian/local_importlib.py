# SPDX-License-Identifier: MIT
"""The older name of thespian.importlib.

Kept because the sources written for Thespian 4 import it.
"""
from thespian.importlib import import_module

__all__ = ['import_module']
