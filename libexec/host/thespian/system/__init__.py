# SPDX-License-Identifier: MIT
"""Parts of the actor system that programs name by their place below `thespian.system`.

Only what programs import from here is here.
"""
