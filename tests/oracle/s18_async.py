# SPDX-License-Identifier: MIT
"""Actors whose handlers are coroutines, by tdsasync.py, which is the same file on both."""
import asyncio
import threading
import time
from datetime import timedelta

from tdsasync import AskFailed, AsyncActor
from thespian.actors import *
from thespian.transient import transient

from play import ANY, PROCESSES, SECONDS, kind, program

LONG = 50  # for what takes the real one its time: ten milliseconds a message, where many go at once


class Worker(Actor):
    """Answers a number by twice that, ('after', S, X) by X, S seconds later; fails or exits where it is told to."""
    def receiveMessage(self, msg, sender):
        if isinstance(msg, int):
            self.send(sender, msg * 2)
        elif isinstance(msg, tuple):
            self.wakeupAfter(msg[1], (msg[2], sender))
        elif isinstance(msg, WakeupMessage):
            self.send(msg.payload[1], msg.payload[0])
        elif msg == 'fail':
            raise ValueError('told to')
        elif msg == 'exit':
            self.send(self.myAddress, ActorExitRequest())


async def outcome(asked):
    """What an ask gave, or what it ended with."""
    try:
        return await asked
    except AskFailed as error:
        return kind(error), kind(error.reason)
    except Exception as error:
        return kind(error)


class Asking(AsyncActor):
    """Does what a text says, and sends the result."""
    async def receiveMessage(self, message, sender):
        if isinstance(message, str) and hasattr(self, 'do_' + message):
            self.send(sender, await getattr(self, 'do_' + message)())

    async def do_some(self):
        workers = [self.createActor(Worker) for _ in range(3)]
        answers = await asyncio.gather(*(self.ask(workers[n % 3], n, LONG) for n in range(60)))
        return answers == [2 * n for n in range(60)]

    async def do_thousand(self):
        workers = [self.createActor(Worker) for _ in range(4)]
        answers = await asyncio.gather(*(self.ask(workers[n % 4], n, LONG) for n in range(1000)))
        return answers == [2 * n for n in range(1000)]

    async def do_timeouts(self):
        worker, ended = self.createActor(Worker), []

        async def one(n):
            ended.append((await outcome(self.ask(worker, 'mute', 1 + n / 1000)), n))

        await asyncio.gather(*(one(n) for n in range(1000)))
        return {what for what, _ in ended}, [n for _, n in ended] == list(range(1000))

    async def do_failures(self):
        worker = self.createActor(Worker)
        return [await outcome(self.ask(worker, 'fail', LONG)), await outcome(self.ask(worker, 4, LONG)),
                await outcome(self.ask(worker, 'exit', LONG)), await outcome(self.ask(self.myAddress, 1, 1))]

    async def do_unpicklable(self):
        return await outcome(self.ask(self.createActor(Worker), threading.Lock(), LONG))

    async def do_match(self):
        worker = self.createActor(Worker)
        return await asyncio.gather(
            self.ask(worker, ('after', 0.6, 'slow'), LONG, match=lambda answer: answer == 'slow'),
            self.ask(worker, ('after', 0.1, 'fast'), LONG, match=lambda answer: answer == 'fast'))

    async def do_nothing_to_wait_for(self):
        return 'nothing'

    async def do_timers(self):
        began, seen = time.monotonic(), []
        for wait in (0.2, 0.05, 0.1):
            asyncio.get_running_loop().call_later(wait, seen.append, wait)
        await asyncio.sleep(0.4)
        return seen, 0.35 < time.monotonic() - began < 5

    async def do_streams(self):
        async def serve(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        async def call(port, n):
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            writer.write(b'line %d\n' % n)
            answer = await reader.readline()
            writer.close()
            return answer

        server = await asyncio.start_server(serve, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]
        answers = await asyncio.gather(*(call(port, n) for n in range(30)))
        server.close()
        return answers == [b'LINE %d\n' % n for n in range(30)]

    async def do_thread(self):
        return await asyncio.get_running_loop().run_in_executor(None, lambda: (time.sleep(0.2), 'from a thread')[1])

    async def do_lock(self):
        lock, seen = asyncio.Lock(), []

        async def one(n):
            async with lock:
                seen.append(n)
                await asyncio.sleep(0.01)
                seen.append(n)

        await asyncio.gather(*(one(n) for n in range(3)))
        return seen


def asked(asys, *questions):
    actor = asys.createActor(Asking)
    for question in questions:
        print(question, asys.ask(actor, question, LONG))


@program('simple tcp udp')
def some_asks(asys):
    asked(asys, 'nothing_to_wait_for', 'some')


@program('simple tcp')
def a_thousand_asks(asys):
    asked(asys, 'thousand')


@program('simple udp')
def a_thousand_timeouts(asys):
    """Each has its own."""
    asked(asys, 'timeouts')


@program(ANY)
def asks_that_fail(asys):
    asked(asys, 'failures')


@program(PROCESSES)
def a_question_that_cannot_be_sent(asys):
    asked(asys, 'unpicklable')


@program(ANY)
def answers_that_are_told_apart(asys):
    asked(asys, 'match')


@program(ANY)
def what_asyncio_has(asys):
    asked(asys, 'timers', 'streams', 'thread', 'lock')


class Slow(AsyncActor):
    async def receiveMessage(self, message, sender):
        if isinstance(message, tuple):
            await asyncio.sleep(message[0])
            self.send(sender, message[1])


@program(ANY)
def side_by_side(asys):
    """While one handler waits, others go on."""
    actor = asys.createActor(Slow)
    asys.tell(actor, (1.0, 'slow'))
    print(asys.ask(actor, (0.05, 'fast'), SECONDS), asys.listen(SECONDS))


class Late(AsyncActor):
    """Asks one that answers too late, and then again: each answer counts for its own question."""
    async def receiveMessage(self, message, sender):
        if message == 'go':
            self.seen = []
            self.worker = self.createActor(Worker)
            for question, timeout in ((('after', 0.6, 'first'), 0.1), (('after', 0.8, 'second'), timedelta(seconds=LONG))):
                self.seen.append(await outcome(self.ask(self.worker, question, timeout)))
            self.send(sender, self.seen)
        elif sender == getattr(self, 'worker', None):
            self.seen.append('as a message: %s' % message)


@program(ANY)
def an_answer_that_is_late(asys):
    answer = asys.ask(asys.createActor(Late), 'go', LONG)
    print([x if isinstance(x, str) else kind(x) for x in answer])


class Failing(AsyncActor):
    tries = 0

    async def receiveMessage(self, message, sender):
        if isinstance(message, list):
            self.tries += 1
            message.append(self.tries)
            await asyncio.sleep(0.01)
            if self.tries < message[0]:
                raise ValueError('attempt %d' % self.tries)
            self.send(sender, message)


@program(ANY)
def one_retry(asys):
    print(asys.ask(asys.createActor(Failing), [2], SECONDS))
    poison = asys.ask(asys.createActor(Failing), [9], SECONDS)
    print(kind(poison), poison.details.startswith('Traceback'), poison.details.strip().endswith('ValueError: attempt 2'))


class Mixed(AsyncActor, ActorTypeDispatcher):
    """With the dispatcher; some of its handlers are no coroutines, but they may begin some."""
    def receiveMsg_int(self, message, sender):
        asyncio.ensure_future(self.later(message, sender))

    async def later(self, message, sender):
        await asyncio.sleep(0.05)
        self.send(sender, message + 1)

    async def receiveMsg_str(self, message, sender):
        self.wakeupAfter(0.05, (message, sender))

    async def receiveMsg_WakeupMessage(self, message, sender):
        self.send(message.payload[1], 'woken with ' + message.payload[0])


@program(ANY)
def with_the_dispatcher(asys):
    actor = asys.createActor(Mixed)
    print(asys.ask(actor, 1, SECONDS), asys.ask(actor, 'text', SECONDS))


class Exiting(AsyncActor):
    async def receiveMessage(self, message, sender):
        if message == 'wait':
            try:
                await asyncio.sleep(1000)
            finally:
                self.send(self.asker, 'ended')
        elif message == 'ask':
            self.send(self.asker, await outcome(self.ask(self.worker, 'mute')))
        elif isinstance(message, ActorExitRequest):
            await asyncio.sleep(0.05)
            self.send(self.asker, 'exiting')
        elif message == 'begin':
            self.asker, self.worker = sender, self.createActor(Worker)
            self.send(sender, await self.ask(self.worker, 1, SECONDS))


@program('tcp simple')
def the_end(asys):
    """The handler of the exit request is waited for, then all others end."""
    actor = asys.createActor(Exiting)
    print(asys.ask(actor, 'begin', SECONDS))
    asys.tell(actor, 'wait')
    asys.tell(actor, 'ask')
    asys.tell(actor, ActorExitRequest())
    print(asys.listen(SECONDS), asys.listen(SECONDS), asys.listen(SECONDS))


class Busy(AsyncActor):
    """Has something to do all the time, and takes messages all the same."""
    stop = False

    async def receiveMessage(self, message, sender):
        if message == 'run':
            while not self.stop:
                await asyncio.sleep(0)
            self.send(sender, 'stopped')
        elif message == 'stop':
            self.stop = True


@program(PROCESSES)
def always_busy(asys):
    actor = asys.createActor(Busy)
    asys.tell(actor, 'run')
    print(asys.ask(actor, 'stop', SECONDS))


@transient(timedelta(seconds=0.4))
class Passing(AsyncActor):
    async def receiveMessage(self, message, sender):
        if isinstance(message, str):
            await asyncio.sleep(0.01)
            self.send(sender, message)


@program('tcp udp')
def with_a_decorator(asys):
    actor = asys.createActor(Passing)
    print(asys.ask(actor, 'there', SECONDS))
    time.sleep(1.5)
    print(asys.ask(actor, 'gone', 1))
