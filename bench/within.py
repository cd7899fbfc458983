# SPDX-License-Identifier: MIT
"""What one ask there and back takes in a system within the program, in microseconds, as JSON: python3 bench/within.py

It is that of the package `thespian` on the search path. Ends with 3 where there is none.
"""
import json
import sys
import time

try:
    from thespian.actors import Actor, ActorSystem, ActorSystemMessage
except ImportError:
    sys.exit(3)

ASKS = 5000


class Echo(Actor):
    def receiveMessage(self, msg, sender):
        if not isinstance(msg, ActorSystemMessage):
            self.send(sender, msg)


def measure():
    system = ActorSystem('simpleSystemBase', logDefs=False)
    echo = system.createActor(Echo)
    began = time.perf_counter()
    for n in range(ASKS):
        if system.ask(echo, n, 10) != n:
            sys.exit('another answer')
    took = time.perf_counter() - began
    system.shutdown()
    return took / ASKS * 1e6


if __name__ == '__main__':
    print(json.dumps(measure()))
