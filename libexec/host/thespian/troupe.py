# SPDX-License-Identifier: MIT
"""The decorator `troupe`: an actor that hands its messages to workers, actors of its own class.

The first message that is not the system's makes an instance the manager; an instance whose first
such message is work from a manager is a worker. Only the public methods of actors are used, but for one question: a
sender that may not command the actor does not change its settings either.
"""
import functools
from collections import deque
from datetime import timedelta
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from tdshost.words.messages import UpdateTroupeSettings
from thespian.actors import (Actor, ActorAddress, ActorExitRequest, ActorSystemMessage,
                             ChildActorExited, PoisonMessage, WakeupMessage)

DISMISS_AFTER = timedelta(seconds=2)  # how long workers beyond idle_count stay: more work may come
DEATHS_MAX = 3                        # work that cost this many workers is given up

Receive = Callable[[Any, Any, ActorAddress], Any]  # a receiveMessage


class _Work:
    """A message for a worker, and whom it is from."""

    def __init__(self, message: Any, sender: ActorAddress, manager: ActorAddress,
                 number: int) -> None:
        self.message = message
        self.sender = sender
        self.manager = manager
        self.number = number
        self.deaths = 0  # of workers that had it


class _Done:
    """From a worker: work of this number is done."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Worker:
    """The part of an instance that is a worker: which work it has, if any."""

    def __init__(self) -> None:
        self.work: Optional[_Work] = None
        self.inside = False  # the actor's own receiveMessage, which may call a base class's

    def receive(self, actor: Any, own: Receive, message: Any, sender: ActorAddress) -> Any:
        """Have the actor's own method handle a message; tell the manager when its work is done."""
        if self.inside:
            return own(actor, message, sender)
        if isinstance(message, _Work):
            self.work = message
            actor.troupe_work_in_progress = False  # work that failed may have left it
            message, sender = message.message, message.sender
        self.inside = True
        try:
            result = own(actor, message, sender)
        finally:
            self.inside = False
        if self.work is not None and not getattr(actor, 'troupe_work_in_progress', False):
            actor.send(self.work.manager, _Done(self.work.number))
            self.work = None
        return result


class _Manager:
    """The part of an instance that is the manager: its workers and their work.

    Shape:   each worker is in `workers`; besides in `busy` (with its work), `idle` or `extra`, or
             in none of them once it was told to exit.
    """

    def __init__(self, max_count: int, idle_count: Optional[int]) -> None:
        self.max_count = max_count
        self.idle_count = idle_count
        self.workers: List[ActorAddress] = []
        self.busy: Dict[int, Tuple[ActorAddress, _Work]] = {}  # by the number of the work
        self.idle: List[ActorAddress] = []
        self.extra: List[ActorAddress] = []
        self.waiting: Deque[_Work] = deque()
        self.dismissing = False  # a wakeup is on its way
        self.number = 0

    def receive(self, actor: Actor, own: Receive, message: Any, sender: ActorAddress) -> None:
        """Handle a message to the troupe: most are work."""
        if isinstance(message, ActorExitRequest):
            return  # the workers are children: they are told to exit as well
        if isinstance(message, ChildActorExited):
            self._exited(actor, message.childAddress)
        elif isinstance(message, _Done):
            self._free(actor, message.number)
        elif isinstance(message, PoisonMessage) and isinstance(message.poisonMessage, _Work):
            if sender != actor.myAddress:  # else the worker never came up: ChildActorExited says so
                self._failed(actor, message.poisonMessage, message.details)
        elif isinstance(message, WakeupMessage):
            self._dismiss(actor)
        elif isinstance(message, UpdateTroupeSettings):
            self._update(actor, message, sender)
        elif not (isinstance(message, str) and self._told(actor, message, sender)):
            self.number += 1
            self.waiting.append(_Work(message, sender, actor.myAddress, self.number))
        self._hand_out(actor)

    # --- work

    def _hand_out(self, actor: Actor) -> None:
        """Give work to workers while there is both: to idle ones, then extra, then new ones."""
        while self.waiting and len(self.busy) < self.max_count:
            if self.idle or self.extra:
                worker = (self.idle or self.extra).pop(0)
            elif len(self.workers) < self.max_count:
                worker = actor.createActor(type(actor))
                self.workers.append(worker)
            else:
                return
            work = self.waiting.popleft()
            self.busy[work.number] = (worker, work)
            actor.send(worker, work)

    def _free(self, actor: Actor, number: int) -> None:
        """A worker has no work any more: it is idle, or one too many."""
        worker, _ = self.busy.pop(number, (None, None))
        if worker is None or worker not in self.workers:
            return
        if (self.waiting and len(self.busy) < self.max_count) or self.idle_count is None \
                or min(len(self.workers) - 1, len(self.idle)) < self.idle_count:
            self.idle.append(worker)
        else:
            self.extra.append(worker)
            if not self.dismissing:
                self.dismissing = True
                actor.wakeupAfter(DISMISS_AFTER)

    def _dismiss(self, actor: Actor) -> None:
        """Let those go that are still extra."""
        self.dismissing = False
        while self.extra:
            actor.send(self.extra.pop(), ActorExitRequest())

    def _failed(self, actor: Actor, work: _Work, details: Optional[str]) -> None:
        """A worker failed on its work: for who sent it that is as if the troupe were one actor."""
        if work.number in self.busy:
            self._free(actor, work.number)
            self._give_up(actor, work, details)

    def _exited(self, actor: Actor, worker: ActorAddress) -> None:
        """A worker is gone: its work is the next to be handed out, unless it cost too many."""
        for those in (self.workers, self.idle, self.extra):
            if worker in those:
                those.remove(worker)
        for number, (its, work) in list(self.busy.items()):
            if its == worker:
                del self.busy[number]
                work.deaths += 1
                if work.deaths < DEATHS_MAX:
                    self.waiting.appendleft(work)
                else:
                    self._give_up(actor, work, 'Child Aborted')

    @staticmethod
    def _give_up(actor: Actor, work: _Work, details: Optional[str]) -> None:
        if not isinstance(work.message, PoisonMessage):
            actor.send(work.sender, PoisonMessage(work.message, details))

    # --- settings

    def _update(self, actor: Actor, message: UpdateTroupeSettings, sender: ActorAddress) -> None:
        allowed = _is_commanded(actor)
        if allowed and message.max_count:
            self.max_count = _count(message.max_count, 1)
        if allowed and message.idle_count:
            self.idle_count = _count(message.idle_count, 0)
        actor.send(sender, UpdateTroupeSettings(self.max_count, self.idle_count))

    def _told(self, actor: Actor, message: str, sender: ActorAddress) -> bool:
        """Obey one of the messages that are text; False if it is none of them."""
        what, equals, value = message.partition('=')
        if message == 'troupe:status?':
            answer = self._status()
        elif equals and what in ('troupe:set_max_count', 'troupe:set_idle_count'):
            name = what[len('troupe:set_'):]
            try:
                if not _is_commanded(actor):
                    raise ValueError('only its own source, or a program that may, changes it')
                setattr(self, name, _count(int(value), int(name == 'max_count')))
                answer = 'Set troupe %s to %d' % (name, int(value))
            except ValueError as error:
                answer = 'Error changing %s for troupe based on message "%s": %s' % (
                    name, message, error)
        else:
            return False
        actor.send(sender, answer)
        return True

    def _status(self) -> str:
        troupers = ['%s %s' % (worker, 'idle' if worker in self.idle else
                               'extra' if worker in self.extra else 'busy')
                    for worker in self.workers]
        return 'Idle=%s, Max=%s, Troupers [%s], Pending=%d' % (
            self.idle_count, self.max_count, ', '.join(troupers), len(self.waiting))


def _is_commanded(actor: Any) -> bool:
    """Whether the message at hand is from who may command the actor."""
    return getattr(actor._myRef, 'commanded', True)


def _count(value: Any, least: int) -> int:
    """A count that may come from anybody. Errors: ValueError."""
    if not isinstance(value, int) or value < least:
        raise ValueError('%r is less than %d' % (value, least))
    return value


def troupe(max_count: int = 10, idle_count: Optional[int] = 2) -> Callable[[type], type]:
    """Class decorator: up to max_count workers handle what is sent to an actor of the class.

    Shape:   when there is no more work idle_count workers stay (None: all). A handler that is not
             done when it returns sets self.troupe_work_in_progress; a later one clears it.
    """
    def decorate(actor_class: type) -> type:
        own = actor_class.receiveMessage  # type: ignore[attr-defined]

        @functools.wraps(own)
        def receiveMessage(self: Any, message: Any, sender: ActorAddress) -> Any:
            role = getattr(self, '_troupe_role', None)
            if role is None:
                if isinstance(message, _Work):
                    role = self._troupe_role = _Worker()
                elif isinstance(message, ActorSystemMessage):
                    return own(self, message, sender)  # no reason yet to be one or the other
                else:
                    role = self._troupe_role = _Manager(max_count, idle_count)
            return role.receive(self, own, message, sender)

        actor_class.receiveMessage = receiveMessage  # type: ignore[attr-defined]
        return actor_class
    return decorate
