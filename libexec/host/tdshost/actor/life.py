# SPDX-License-Identifier: MIT
"""What an actor goes through with a message, wherever it lives: one retry, poison, and the order of its exit.

No process and no link is known here; who runs the actor gives the rest.
"""
import logging
from typing import Any, Callable, Optional

from tdshost.wire import logs
from tdshost.words.address import ActorAddress
from tdshost.words.messages import ActorExitRequest, ChildActorExited, PoisonMessage, ThespianWatch
from tdshost.words.status import Thespian_StatusReq

log = logging.getLogger('tds.host')


class Life:
    """The rules of one actor's life.

    Source:  who runs the actor sets what is declared here, and gives the methods that raise NotImplementedError.
    """

    address: ActorAddress
    class_name: str
    instance: Any
    requirements: Any   # what who created it asked for
    exiting: bool       # it was told to exit, and waits for its children
    children: Any       # .addresses: those alive; .told: those told to exit; .ended(address)
    source_prefix: str  # of the file names of its source: its tracebacks begin there
    _ref: Optional[str] = None  # of the message that is being delivered, unless its end was promised for later

    # --- what who runs the actor gives

    def send(self, target: ActorAddress, message: Any) -> None:
        """Send a message of the actor's."""
        raise NotImplementedError

    def poison(self, message: Any, failure: str, sender: ActorAddress) -> None:
        """Send the poison of a message back."""
        raise NotImplementedError

    def status(self) -> Any:
        """What the actor answers to one that asks for its status."""
        raise NotImplementedError

    def watch(self, filenos: Any) -> None:
        """Watch these until the next message was handled; None: nothing any more."""

    def again(self, message: Any) -> Any:
        """What the second attempt gets: the message as the first one left it."""
        return message

    def leave(self) -> None:
        """The end: nothing is left to wait for."""
        raise NotImplementedError

    def done(self, ref: str, error: Optional[str] = None, trace: Optional[str] = None) -> None:
        """Say how a message ended of which somebody wants to know that."""

    # --- the rules

    def deliver(self, message: Any, sender: ActorAddress, ref: Optional[str] = None) -> None:
        """Give a message to the actor, twice if the first attempt raises; poison for its sender if both do.

        Shape:   with ref `done` is told how it ended, instead of poison.
        """
        if isinstance(message, ActorExitRequest):
            self._exit_requested(message, sender, ref)
            return
        if self.exiting and not isinstance(message, ChildActorExited):
            if ref is not None:
                self.done(ref, 'the actor is exiting')
            return
        self._ref, failure = ref, None
        if isinstance(message, Thespian_StatusReq):
            self.send(sender, self.status())
        else:
            failure = self._attempt(message, sender)
            if failure is not None:
                log.warning('%s failed on a message, once more: %s', self.class_name, failure.rstrip('\n'))
                failure = self._attempt(self.again(message), sender)
            if failure is not None:
                log.error('%s failed on a message twice: %s', self.class_name, failure.rstrip('\n'))
        if self._ref is not None or failure is not None:
            self._finish(message, sender, self._ref, failure)

    def finish_later(self, message: Any, sender: ActorAddress) -> Callable[[Optional[BaseException]], None]:
        """For code that goes on with a message after its handler has returned: what it calls in the end.

        Shape:   called while the message is delivered. What it returns takes None, or the exception that the second
                 attempt ended with: then the sender gets poison, as everywhere.
        """
        ref, self._ref = self._ref, None
        return lambda error: self._finish(message, sender, ref, None if error is None else self._describe(error))

    def _finish(self, message: Any, sender: ActorAddress, ref: Optional[str], failure: Optional[str]) -> None:
        """Say how a message ended. failure: the text of the second attempt's exception."""
        if ref is not None and failure is not None:
            self.done(ref, logs.reason(failure, self.source_prefix), failure)
        elif ref is not None:
            self.done(ref)
        elif failure is not None and not isinstance(message, PoisonMessage):
            self.poison(message, failure, sender)

    def _call(self, message: Any, sender: ActorAddress) -> None:
        """One call of receiveMessage. What it returns, or that it raises, replaces the watch."""
        result = None
        try:
            result = self.instance.receiveMessage(message, sender)
        finally:
            self.watch(result.filenos if isinstance(result, ThespianWatch) else None)

    def _attempt(self, message: Any, sender: ActorAddress) -> Optional[str]:
        """One call, and the text of the exception it ended with, if any."""
        try:
            self._call(message, sender)
        except Exception as error:
            return self._describe(error)
        return None

    def _describe(self, error: BaseException) -> str:
        return logs.describe(error, 2, self.source_prefix)  # our two frames are left out

    def _exit_requested(self, message: ActorExitRequest, sender: ActorAddress, ref: Optional[str]) -> None:
        """The actor's code first, then its children; without any, or if it leaves them, the end.

        An actor that does not know the message raises here, and is none the worse for it.
        """
        failure = self._attempt(message, sender)
        if failure is not None:
            log.debug('%s failed on ActorExitRequest: %s', self.class_name, failure.rstrip('\n'))
        if ref is not None:
            self.done(ref)
        if not (message.isRecursive and self.children.addresses):
            self.leave()
            return
        self.exiting = True
        self.watch(None)
        self.wakeups_over()
        for child in self.children.addresses:
            if child not in self.children.told:
                self.children.told.append(child)
                self.send(child, ActorExitRequest(True))

    def wakeups_over(self) -> None:
        """No wakeup comes any more: the actor is exiting."""
        raise NotImplementedError

    def child_exited(self, child: ActorAddress, sender: ActorAddress) -> None:
        """Tell the actor that a child is gone; the last one that it waited for is its own end."""
        self.children.ended(child)
        self.deliver(ChildActorExited(child), sender)
        if self.exiting and not self.children.addresses:
            self.leave()

    def fits(self, capabilities: dict) -> bool:
        """Whether the actor's class wants to live with these capabilities."""
        check = getattr(self.instance, 'actorSystemCapabilityCheck', None)
        try:
            return check is None or bool(check(dict(capabilities), self.requirements))
        except Exception:
            return False
