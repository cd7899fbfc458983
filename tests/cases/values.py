# SPDX-License-Identifier: MIT
"""Python values as `tds-admin check -j` writes them: {"t": TYPE, "v": ...}, for comparing."""
import json


def typed(v):
    """A value as tds-admin writes it; sets in a fixed order."""
    if v is None or v is ...:
        return {'t': 'none' if v is None else 'ellipsis'}
    t = type(v)
    if t is bool:
        return {'t': 'bool', 'v': v}
    if t in (int, str):
        return {'t': t.__name__, 'v': str(v)}
    if t in (float, complex):
        return {'t': t.__name__, 'v': repr(v)}
    if t is bytes:
        return {'t': 'bytes', 'hex': v.hex()}
    if t is dict:
        return {'t': 'dict', 'v': [[typed(k), typed(x)] for k, x in v.items()]}
    return sort_sets({'t': t.__name__, 'v': [typed(x) for x in v]})


def sort_sets(v):
    if v['t'] in ('list', 'tuple', 'set', 'frozenset'):
        v['v'] = [sort_sets(x) for x in v['v']]
    if v['t'] in ('set', 'frozenset'):
        v['v'].sort(key=json.dumps)
    if v['t'] == 'dict':
        v['v'] = [[sort_sets(k), sort_sets(x)] for k, x in v['v']]
    return v
