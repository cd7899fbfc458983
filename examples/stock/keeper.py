# SPDX-License-Identifier: MIT
"""The keeper: takes requests, refuses what the schema does not allow, and lets the book do the rest."""
import logging
import os

from thespian.actors import ActorSystemMessage, ActorTypeDispatcher

from . import schema


class Keeper(ActorTypeDispatcher):
    """Has the role. The book is its child; where that ends, another one is opened."""

    def __init__(self):
        self.journal = None
        self.book = None

    def receiveMsg_dict(self, request, sender):
        error = schema.fault(request)
        if error:
            self.send(sender, {'error': error})
        elif request['op'] == 'open':
            self.journal = os.path.join(os.environ.get('TDS_DATA_DIR', ''), request['journal'])
            open(self.journal, 'a').close()  # one that cannot be written is a reason not to be loaded
            self.open_book()
        elif request['op'] in ('rest', 'wake'):
            logging.info('the keeper is told to %s', request['op'])
            self.send(self.book, {'request': request})
        else:
            self.send(self.book, {'request': request, 'client': sender})

    def receiveMsg_ChildActorExited(self, message, sender):
        if message.childAddress == self.book:
            self.open_book()

    def receiveUnrecognizedMessage(self, message, sender):
        if not isinstance(message, ActorSystemMessage):
            self.send(sender, {'error': 'a request is a dictionary'})

    def open_book(self):
        self.book = self.createActor('stock.book.Book')
        self.send(self.book, {'request': {'op': 'open', 'journal': self.journal}})
