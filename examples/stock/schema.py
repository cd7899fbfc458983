# SPDX-License-Identifier: MIT
"""What messages look like: dictionaries of plain values, so that any client can make and read them.

A request has an 'op' and what FIELDS names for it. The answer is {'item': ..., 'count': ...}, a dictionary of all
counts by item (for 'list'), or {'error': ...}.
"""

# From how few on an item is said to be low: then answers hold 'low' too. None: not at all.
LOW = None

FIELDS = {
    'add': {'item': str, 'count': int},
    'take': {'item': str, 'count': int},
    'count': {'item': str},
    'list': {},
    # These come from the declaration of the group.
    'open': {'journal': str},
    'rest': {},
    'wake': {},
}


def fault(request):
    """What is wrong with a request; None: nothing."""
    fields = FIELDS.get(request.get('op'))
    if fields is None:
        return 'op is one of %s' % ', '.join(FIELDS)
    for name, kind in fields.items():
        if type(request.get(name)) is not kind:
            return '%s wants %s, a value of type %s' % (request['op'], name, kind.__name__)
    if request.get('count', 1) < 1:
        return 'count is less than one'
    return None
