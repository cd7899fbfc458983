# SPDX-License-Identifier: MIT
"""The actors that are measured: the same module in a package of ours and in real Thespian.

Director takes ('each', N), ('many', N), ('bounce', N), ('burst', N) or ('keep', N), and answers with what it took, in
seconds; its children stay.
"""
import os
import time

from thespian.actors import Actor, ActorExitRequest, ChildActorExited


class Child(Actor):
    """Answers what it gets; counts a burst, and answers at its end."""

    seen = 0

    def receiveMessage(self, msg, sender):
        if isinstance(msg, ActorExitRequest):
            return
        if msg == 'one':
            self.seen += 1
        elif msg == 'seen':
            self.send(sender, self.seen)
            self.seen = 0
        elif msg == 'pid':
            self.send(sender, os.getpid())
        else:
            self.send(sender, msg)


class Director(Actor):
    """Runs one measurement at a time."""

    def receiveMessage(self, msg, sender):
        if isinstance(msg, tuple):
            self.kind, self.n = msg
            self.asker, self.left, self.answers = sender, self.n, []
            getattr(self, 'begin_' + self.kind)()
        elif msg == 'quick':
            self.send(sender, msg)
        elif msg != 'load' and not isinstance(msg, (ActorExitRequest, ChildActorExited)):
            self.answers.append(msg)
            getattr(self, 'go_' + self.kind)(sender)

    def end(self, value):
        self.send(self.asker, value)

    def create(self):
        self.began = time.monotonic()
        child = self.createActor(Child)
        self.send(child, 'up')
        return child

    def begin_each(self):
        self.times = []
        self.create()

    def go_each(self, sender):
        self.times.append(time.monotonic() - self.began)
        self.left -= 1
        if self.left:
            self.create()
        else:
            self.end(self.times)

    def begin_many(self):
        began = time.monotonic()
        for _ in range(self.n):
            self.create()
        self.began = began

    def go_many(self, sender):
        self.left -= 1
        if not self.left:
            self.end(time.monotonic() - self.began)

    def begin_keep(self):
        for _ in range(self.n):
            self.send(self.createActor(Child), 'pid')

    def go_keep(self, sender):
        self.left -= 1
        if not self.left:
            self.end(self.answers)

    def begin_bounce(self):
        self.create()

    def go_bounce(self, sender):
        if self.left == self.n:
            self.began = time.monotonic()
        if self.left:
            self.left -= 1
            self.send(sender, 'bounce')
        else:
            self.end(time.monotonic() - self.began)

    def begin_burst(self):
        self.create()

    def go_burst(self, sender):
        if len(self.answers) == 1:
            self.began = time.monotonic()
            for _ in range(self.n):
                self.send(sender, 'one')
            self.send(sender, 'seen')
        else:
            self.end((self.answers[1], time.monotonic() - self.began))
