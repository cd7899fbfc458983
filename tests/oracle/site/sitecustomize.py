# SPDX-License-Identifier: MIT
"""The real Thespian 4.0.1 calls a function that Python 3.9 took away: on its search path, it is there again."""
import base64

if not hasattr(base64, 'decodestring'):
    base64.decodestring = base64.decodebytes  # type: ignore[attr-defined]
