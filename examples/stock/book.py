# SPDX-License-Identifier: MIT
"""The book: a movement counts once it is in the journal, which is a line of JSON for each.

The books of two versions may have the same journal open, as they do while one takes over from the other: each
reads what the other wrote before it answers, and holds a lock while it writes.
"""
import fcntl
import json
import os

from thespian.actors import ActorTypeDispatcher

from . import schema


class Book(ActorTypeDispatcher):
    """Gets {'request': ..., 'client': ...} from the keeper, and answers the client itself."""

    def __init__(self):
        self.path = None
        self.counts = {}
        self.seen = 0  # bytes of the journal that are in counts

    def receiveMsg_dict(self, message, sender):
        request = message['request']
        if request['op'] == 'open':
            self.path = request['journal']
        if 'client' not in message:
            return
        with open(self.path, 'a+b') as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            self.catch_up(journal)
            answer = self.answer(request, journal)
        self.send(message['client'], answer)

    def catch_up(self, journal):
        """Take what was written since, whole lines only: half a line is what a crash left, and never counted."""
        journal.seek(self.seen)
        for line in journal:
            if not line.endswith(b'\n'):
                journal.truncate(self.seen)
                break
            item, change = json.loads(line)
            self.counts[item] = self.counts.get(item, 0) + change
            self.seen += len(line)

    def answer(self, request, journal):
        if request['op'] == 'list':
            return {item: count for item, count in sorted(self.counts.items()) if count}
        item, count = request['item'], request.get('count', 0)
        there = self.counts.get(item, 0)
        if request['op'] == 'take' and count > there:
            return {'error': 'only %d of %s' % (there, item)}
        if count:
            self.write(journal, item, -count if request['op'] == 'take' else count)
        answer = {'item': item, 'count': self.counts.get(item, 0)}
        if schema.LOW is not None and answer['count'] <= schema.LOW:
            answer['low'] = True
        return answer

    def write(self, journal, item, change):
        line = json.dumps([item, change]).encode() + b'\n'
        journal.write(line)
        journal.flush()
        os.fsync(journal.fileno())
        self.counts[item] = self.counts.get(item, 0) + change
        self.seen += len(line)
