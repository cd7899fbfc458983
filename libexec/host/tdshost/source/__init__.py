# SPDX-License-Identifier: MIT
"""Sources: how their modules are imported, and those that an actor brings itself."""
