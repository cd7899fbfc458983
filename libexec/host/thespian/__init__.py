# SPDX-License-Identifier: MIT
"""The package that actors written for Thespian import, as tds provides it.

Written from a description of what actors rely on; it shares no code with Thespian.
"""
