# SPDX-License-Identifier: MIT
"""Actors whose handlers are coroutines: one file, for tds and for Thespian.

    class Fetcher(AsyncActor):
        async def receiveMessage(self, message, sender):
            answers = await asyncio.gather(*(self.ask(worker, message, 5) for worker in self.workers))
            self.send(sender, answers)

It needs Python 3.9 and a package `thespian`, and can be packed into a source as it is; see tdsasync(7).

Each actor has an event loop of its own, in its one thread. A loop that would have to wait hands over to the actor's
process instead, which takes messages until the loop is due or one of its descriptors is ready. On tds the process looks
for that by itself (`run_beside`); elsewhere the actor returns a ThespianWatch for the loop's descriptors, asks for
wakeups, and where there is no ThespianWatch looks again every few milliseconds.
"""
import asyncio
import copy
import inspect
import logging
import selectors
import time
import traceback
from collections import deque
from datetime import timedelta
from typing import Any, Callable, Deque, Dict, List, Optional, Set, Union

from thespian.actors import (Actor, ActorAddress, ActorExitRequest, ChildActorExited, DeadEnvelope, PoisonMessage,
                             ThespianWatch, WakeupMessage, WatchMessage)

__all__ = ['AsyncActor', 'AskFailed']

TURNS = 100      # of a loop that is always busy, before messages are looked at again
LOOK_S = 0.01    # where nothing tells of descriptors: how often they are looked at while something waits
BREATH_S = 0.001  # how long one that is always busy waits: some systems take no message while a wakeup is due
PROBE_S = 1.0    # how long a WatchMessage may take before it is believed that there are none
LATE_S = 60.0    # how long an ask that was given up keeps its turn
EXIT_S = 5.0     # how long each step of an exit may take: the handler of ActorExitRequest, then the end of the others

GO_ON = 'tdsasync: go on'  # the payload of our own wakeups

Seconds = Union[int, float, timedelta]
Finish = Callable[[Optional[BaseException]], None]

log = logging.getLogger('tdsasync')


class AskFailed(Exception):
    """An ask that nobody will answer. reason: the PoisonMessage, ChildActorExited or ActorExitRequest that says so."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        details = getattr(self.reason, 'details', None)
        return str(details).strip() if details else type(self.reason).__name__


class AsyncActor(Actor):
    """An actor with `async def receiveMessage(self, message, sender)`.

    Shape:   each message is handled by a task of its own, and those run side by side: they are begun in the order in
             which messages come, and while one awaits something the others go on. What a handler returns is ignored.
             Handlers that are no coroutines are called in the loop too. Together with ActorTypeDispatcher,
             `async def receiveMsg_TYPE` are handlers.
    Errors:  a handler that raises is given its message once more, and what raises twice is answered with a
             PoisonMessage, as everywhere.
    """

    def __new__(cls, *unused: Any, **more: Any) -> 'AsyncActor':
        self = super().__new__(cls)
        self._beside = _Beside(self)
        self.receiveMessage = self._beside.take  # what the system calls; the class's own is what that begins
        return self

    async def ask(self, address: ActorAddress, message: Any, timeout: Optional[Seconds] = None,
                  match: Optional[Callable[[Any], Any]] = None) -> Any:
        """Send a message and wait for the answer: the next message from that address that no ask before has taken.

        Shape:   of several asks of one address the oldest gets the first answer; match (a function of a message)
                 says which messages may be the answer to this one. What is taken as an answer does not come to
                 receiveMessage. An ask that was given up keeps its turn for a minute: the answer that comes too late
                 is a message like any other. timeout: seconds or timedelta; None: for ever.
        Errors:  asyncio.TimeoutError; AskFailed where the answer is a PoisonMessage, the child that was asked has
                 exited, or this actor exits; InvalidActorAddress; ValueError for the actor itself.
        """
        return await self._beside.asks.ask(address, message, timeout, match)


class _Ask:
    """An ask that waits for its answer, or was given up and keeps its turn until a time (of time.monotonic())."""

    def __init__(self, question: Any, answer: 'asyncio.Future[Any]', match: Optional[Callable[[Any], Any]]) -> None:
        self.question = question
        self.answer = answer
        self.match = match
        self.until: Optional[float] = None

    def takes(self, message: Any) -> bool:
        """May this message be its answer?"""
        if isinstance(message, PoisonMessage):
            return _equal(message.poisonMessage, self.question)
        try:
            return self.match is None or bool(self.match(message))
        except Exception:  # it is of another kind than those that match knows
            return False


class _Line:
    """The asks of one address, the oldest first."""

    def __init__(self, address: ActorAddress) -> None:
        self.address = address
        self.name = str(address)
        self.asks: Deque[_Ask] = deque()

    def tidy(self) -> bool:
        """Forget those in front whose turn is over; is any left?"""
        now = time.monotonic()
        while self.asks and self.asks[0].until is not None and self.asks[0].until <= now:
            self.asks.popleft()
        return bool(self.asks)

    def taker(self, message: Any) -> Optional[_Ask]:
        """Whose answer a message is; it leaves the line."""
        self.tidy()
        found = next((ask for ask in self.asks if ask.takes(message)), None)
        if found is None and isinstance(message, PoisonMessage):
            found = next(iter(self.asks), None)  # its question has no equal
        if found is not None:
            self.asks.remove(found)
        return found


class _Asks:
    """What an actor has asked and not been told yet."""

    # Messages of the system that are no answers, whoever sends them.
    NEVER = (ActorExitRequest, ChildActorExited, DeadEnvelope, WakeupMessage, WatchMessage)

    def __init__(self, actor: AsyncActor) -> None:
        self.actor = actor
        self.lines: Dict[str, _Line] = {}  # by name
        self.tidied = time.monotonic()
        self.over: Optional[ActorExitRequest] = None

    async def ask(self, address: ActorAddress, message: Any, timeout: Optional[Seconds],
                  match: Optional[Callable[[Any], Any]]) -> Any:
        """As AsyncActor.ask."""
        if self.over is not None:
            raise AskFailed(self.over)
        if address == self.actor.myAddress:
            raise ValueError('an actor cannot ask itself: its question would be the answer')
        self.actor.send(address, message)
        ask = _Ask(message, asyncio.get_running_loop().create_future(), match)
        self._line_for(address).asks.append(ask)
        try:
            return await asyncio.wait_for(ask.answer, _seconds(timeout))
        finally:
            if ask.answer.cancelled():
                ask.until = time.monotonic() + LATE_S

    def _line_for(self, address: ActorAddress) -> _Line:
        """The line of an address, a new one if need be; those of nobody any more go, once in a while."""
        if time.monotonic() - self.tidied > LATE_S:
            self.tidied = time.monotonic()
            self.lines = {name: line for name, line in self.lines.items() if line.tidy()}
        line = self._line(address)
        if line is None:
            line = _Line(address)
            self.lines[line.name] = line
        return line

    def _line(self, address: ActorAddress) -> Optional[_Line]:
        """Where an address has asks; one address may have several texts while its actor is not up."""
        found = self.lines.get(str(address))
        if found is None:
            found = next((line for line in self.lines.values() if line.address == address), None)
        return found

    def taken(self, message: Any, sender: ActorAddress) -> bool:
        """Is this message the answer to one of them? Then it has it."""
        if not self.lines:
            return False
        if isinstance(message, ChildActorExited):
            self._fail(message.childAddress, message)
        if isinstance(message, self.NEVER):
            return False
        line = self._line(sender)
        ask = None if line is None else line.taker(message)
        if line is not None and not line.asks:
            self.lines.pop(line.name)
        if ask is None or ask.answer.done():
            return False
        if isinstance(message, PoisonMessage):
            ask.answer.set_exception(AskFailed(message))
        else:
            ask.answer.set_result(message)
        return True

    def _fail(self, address: ActorAddress, reason: Any) -> None:
        line = self._line(address)
        if line is not None:
            self.lines.pop(line.name)
            for ask in line.asks:
                if not ask.answer.done():
                    ask.answer.set_exception(AskFailed(reason))

    def end(self, reason: ActorExitRequest) -> None:
        """All fail: an actor that exits is given no answers any more."""
        self.over = reason
        for line in list(self.lines.values()):
            self._fail(line.address, reason)


class _Selector(selectors.DefaultSelector):
    """The selector of a loop that does not wait: where it would, it stops the loop, and notes until when.

    Shape:   due is the time.monotonic() at which the loop has to run again, whatever its descriptors do; None: never.
             While `waits` it is like any other.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stop: Callable[[], None] = lambda: None
        self.due: Optional[float] = None
        self.turns = 0
        self.waits = False

    def select(self, timeout: Optional[float] = None) -> Any:
        if self.waits:
            return super().select(timeout)
        ready = super().select(0)
        self.turns += 1
        idle = not ready and (timeout is None or timeout > 0)
        if idle or self.turns >= TURNS:
            self.due = None if idle and timeout is None else time.monotonic() + (timeout or 0 if idle else 0)
            self.stop()
        return ready


class _Beside:
    """The loop that runs beside an actor's messages. Its fileno, due and run are what tds goes by."""

    def __init__(self, actor: AsyncActor) -> None:
        self.actor = actor
        self.asks = _Asks(actor)
        self.turn = _Turn(actor)
        self.selector: Optional[_Selector] = None
        self.loop: Optional[asyncio.AbstractEventLoop] = None
        self.tasks: Set['asyncio.Task[None]'] = set()  # a task that nobody holds may vanish
        self.by_host = False  # the actor's process runs us

    # --- what comes

    def take(self, message: Any, sender: ActorAddress) -> Optional[ThespianWatch]:
        """Take a message from the system, and run the loop for as long as it does not have to wait."""
        if isinstance(message, ActorExitRequest):
            self.asks.end(message)
        if self.asks.over is not None:
            self._to_the_end(message, sender)
            return None
        if self.loop is None:
            self._open()
            self._attach(self)
        if not self.turn.is_ours(message) and not self.asks.taken(message, sender):
            self._begin(message, sender)
        self.run()
        if self.by_host:
            return None
        assert self.selector is not None and self.loop is not None
        return self.turn.next(self.selector, self.loop)

    def _open(self) -> None:
        self.selector = _Selector()
        self.loop = asyncio.SelectorEventLoop(self.selector)
        self.selector.stop = self.loop.stop

    def _attach(self, beside: Optional['_Beside']) -> None:
        """Have the actor's process run the loop, or nothing any more, if it is one that can."""
        run_beside = getattr(self.actor._myRef, 'run_beside', None)
        if run_beside is not None:
            run_beside(beside)
            self.by_host = True

    def _begin(self, message: Any, sender: ActorAddress) -> 'asyncio.Task[None]':
        assert self.loop is not None
        later = getattr(self.actor._myRef, 'finish_later', None)
        finish = later(message, sender) if later else _Finish(self.actor, message, sender)
        task = self.loop.create_task(self._handle(message, sender, finish))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _handle(self, message: Any, sender: ActorAddress, finish: Finish) -> None:
        """Call the handler, once more if that raises, and say how it ended."""
        error = await self._attempt(message, sender, 'once more')
        if error is not None:
            error = await self._attempt(_copy(message), sender, 'and no more')
        finish(error)

    async def _attempt(self, message: Any, sender: ActorAddress, then: str) -> Optional[Exception]:
        try:
            await self._call(message, sender)
        except Exception as error:
            log.warning('%s failed on a message, %s', type(self.actor).__name__, then, exc_info=True)
            return error
        return None

    async def _call(self, message: Any, sender: ActorAddress) -> None:
        result = type(self.actor).receiveMessage(self.actor, message, sender)
        if inspect.isawaitable(result):
            await result

    # --- running

    @property
    def due(self) -> Optional[float]:
        """The time.monotonic() at which it has to run, if its descriptors do not bring it to that before."""
        return None if self.selector is None else self.selector.due

    def fileno(self) -> int:
        """What can be read when one of the loop's descriptors is ready."""
        assert self.selector is not None
        return self.selector.fileno()  # type: ignore[attr-defined, no-any-return]

    def run(self) -> None:
        """Run the loop until it would have to wait, but not for ever."""
        assert self.selector is not None and self.loop is not None
        self.selector.turns = 0
        self._in_the_loop(self.loop.run_forever)

    def _in_the_loop(self, run: Callable[..., Any], *args: Any) -> Any:
        """Run it, also where a loop of the program that the actor lives in is running."""
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return run(*args)
        finally:
            asyncio._set_running_loop(outer)

    # --- the end

    def _to_the_end(self, message: Any, sender: ActorAddress) -> None:
        """The actor exits: what it is told now it handles at once, then all its tasks are ended, and the loop is."""
        if self.loop is None:
            self._open()
        assert self.selector is not None and self.loop is not None
        self.selector.waits = True
        try:
            self._in_the_loop(self.loop.run_until_complete, self._last(message, sender))
            self._in_the_loop(self.loop.run_until_complete, self.loop.shutdown_asyncgens())
        finally:
            self._attach(None)
            self.loop.close()
            self.loop = self.selector = None

    async def _last(self, message: Any, sender: ActorAddress) -> None:
        handler = asyncio.ensure_future(self._call(message, sender))
        await asyncio.wait({handler}, timeout=EXIT_S)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=EXIT_S)
        if handler.done() and not handler.cancelled() and handler.exception() is not None:
            log.warning('%s failed on %s', type(self.actor).__name__, type(message).__name__,
                        exc_info=handler.exception())


class _Turn:
    """When an actor's loop gets its next turn, where the system knows nothing of it: by watches and wakeups."""

    def __init__(self, actor: AsyncActor) -> None:
        self.actor = actor
        self.asked: List[float] = []               # when our wakeups will come, the earliest first
        self.watched = False                       # a WatchMessage came, so they do
        self.probed_until: Optional[float] = None  # till then it is not known that they do not

    def is_ours(self, message: Any) -> bool:
        """Is it only a sign that the loop may go on?"""
        if isinstance(message, WatchMessage):
            self.watched = True
            return True
        if not isinstance(message, WakeupMessage) or message.payload != GO_ON:
            return False
        now = time.monotonic()
        self.asked = [due for due in self.asked if due > now]
        return True

    def next(self, selector: _Selector, loop: asyncio.AbstractEventLoop) -> Optional[ThespianWatch]:
        """Ask for what brings the next turn; returns what receiveMessage has to return."""
        now = time.monotonic()
        due = selector.due
        if not self.watched and asyncio.all_tasks(loop):
            due = min(now + LOOK_S, due or now + LOOK_S)
        if due is not None and (not self.asked or due < self.asked[0]):
            self.asked.insert(0, due)
            self.actor.wakeupAfter(timedelta(seconds=max(BREATH_S, due - now)), GO_ON)
        if not self.watched:
            if self.probed_until is None:
                self.probed_until = now + PROBE_S
            if now > self.probed_until:
                return None
            loop.call_soon_threadsafe(int)  # something to be ready
        return ThespianWatch([selector.fileno()])  # type: ignore[attr-defined]


class _Finish:
    """How a message of an AsyncActor ended: what the system does for actors whose handlers return when they are done."""

    def __init__(self, actor: AsyncActor, message: Any, sender: ActorAddress) -> None:
        self.actor = actor
        self.message = message
        self.sender = sender

    def __call__(self, error: Optional[BaseException]) -> None:
        if error is not None and not isinstance(self.message, PoisonMessage):
            text = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
            self.actor.send(self.sender, PoisonMessage(self.message, text))


def _seconds(timeout: Optional[Seconds]) -> Optional[float]:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return False


def _copy(message: Any) -> Any:
    """A copy of a message as its first attempt left it; itself where it cannot be copied."""
    try:
        return copy.deepcopy(message)
    except Exception:
        return message
