#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask many actors at once, from an actor that waits for none of them alone.

usage: PYTHONPATH=$(tds-admin config --python-path) gather.py [COUNT]

The surveyor asks COUNT (100) gauges, each of which takes its time, and gives up those that are too slow. All of it
takes as long as the slowest that is waited for. With Thespian: PYTHONPATH names the folder of tdsasync.py.
"""
import asyncio
import sys

from thespian.actors import Actor, ActorSystem, WakeupMessage
from tdsasync import AsyncActor

PATIENCE = 0.605  # seconds


class Gauge(Actor):
    """Answers a number of seconds when they are over."""

    def receiveMessage(self, message, sender):
        if isinstance(message, WakeupMessage):
            self.send(message.payload, 'read after %.2f s' % message.delayPeriod)
        elif isinstance(message, float):
            self.wakeupAfter(message, sender)


class Surveyor(AsyncActor):
    """Answers a count with what so many gauges said."""

    async def receiveMessage(self, message, sender):
        if isinstance(message, int):
            gauges = [self.createActor(Gauge) for _ in range(min(message, 10))]
            self.send(sender, await asyncio.gather(*(self.read(gauges[n % len(gauges)], n / message) for n in range(message))))

    async def read(self, gauge, seconds):
        try:
            return await self.ask(gauge, seconds, PATIENCE)
        except asyncio.TimeoutError:
            return 'too slow'


def main(count):
    system = ActorSystem()
    try:
        answers = system.ask(system.createActor(Surveyor), count, 60)
        print('%d read, %d too slow' % (len(answers) - answers.count('too slow'), answers.count('too slow')))
    finally:
        system.shutdown()


if __name__ == '__main__':
    main(int(sys.argv[1]) if sys.argv[1:] else 100)
