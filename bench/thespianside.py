# SPDX-License-Identifier: MIT
"""Real Thespian's figures for the actors of actorsource.py, as JSON: python3 bench/thespianside.py

Ends with 3 where it cannot be imported.
"""
import json
import statistics
import sys
import time
from datetime import timedelta

from memory import private_kib

try:
    from thespian.actors import ActorSystem
except ImportError:
    sys.exit(3)
import actorsource


def measure(system):
    def ask(*what):
        return system.ask(director, what, timedelta(seconds=100))

    director = system.createActor(actorsource.Director)
    found = {'each_ms': statistics.median(ask('each', 50)) * 1000, 'many_s': ask('many', 200)}
    found['bounce_per_s'] = 2 * 1000 / ask('bounce', 1000)
    began = time.monotonic()
    for _ in range(500):
        system.ask(director, 'quick', 10)
    found['asks_per_s'] = 500 / (time.monotonic() - began)
    found['private_kib'] = statistics.median(map(private_kib, ask('keep', 20)))
    seen, took = ask('burst', 900)  # more at once it drops
    found['burst_per_s'] = seen / took
    return found


if __name__ == '__main__':
    made = ActorSystem('multiprocTCPBase', {'Admin Port': int(sys.argv[1])})
    try:
        print(json.dumps(measure(made)))
    finally:
        made.shutdown()
