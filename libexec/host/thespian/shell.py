# SPDX-License-Identifier: MIT
"""A prompt for an actor system: python3 -m thespian.shell

Reads commands from standard input, a line each; `help` names them. What tds-admin can do with a director directory
it does better; this is for systems of programs.
"""
import ast
import cmd
import sys
from typing import Any, List, Optional, Tuple

from thespian.actors import ActorAddress, ActorSystem, ActorSystemException
from thespian.system.messages.status import Thespian_StatusReq, Thespian_SystemStatus, formatStatus

ANSWER_SECONDS = 10


class Refused(Exception):
    """What was typed cannot be done; the text is for the user."""


class Shell(cmd.Cmd):
    """The commands. Addresses that were seen have numbers, from 0."""

    intro = 'Actor system shell; help names the commands.'
    prompt = 'thespian> '

    def __init__(self, system: Any = None) -> None:
        super().__init__()
        self._system = system
        self._known: List[ActorAddress] = []

    # --- the loop

    def onecmd(self, line: str) -> bool:
        """One line. What goes wrong is said in one line."""
        try:
            return bool(super().onecmd(line))
        except (Refused, ActorSystemException, ImportError, ValueError) as error:
            print('%s: %s' % (line.split()[0], error))
            return False

    def emptyline(self) -> bool:
        """Nothing, where Cmd would do the last command again."""
        return False

    def default(self, line: str) -> None:
        """A command that there is not."""
        raise Refused('no such command; help names them')

    # --- commands

    def do_start(self, arg: str) -> None:
        """start [BASE [CAPABILITIES]]: start a system, or join the one that runs; CAPABILITIES is a dictionary."""
        base, _, given = arg.partition(' ')
        capabilities = _dictionary(given) if given.strip() else None
        self._system = ActorSystem(base or None, capabilities)
        print('%s runs' % self._system.capabilities.get('Thespian ActorSystem Name', base))

    def do_shutdown(self, arg: str) -> None:
        """shutdown: end the system and all its actors"""
        self._running().shutdown()
        self._system = None
        del self._known[:]
        print('ended')

    do_stop = do_shutdown

    def do_capabilities(self, arg: str) -> None:
        """capabilities: print those of the system"""
        capabilities = self._running().capabilities
        for name in sorted(capabilities, key=str):
            print('%s: %r' % (name, capabilities[name]))

    def do_address(self, arg: str) -> None:
        """address [ADDRESS]: print the addresses that are known, with their numbers; take up another one"""
        if arg:
            self._number(ActorAddress(arg))
        for number, address in enumerate(self._known):
            print('%d: %s' % (number, address))

    def do_create(self, arg: str) -> None:
        """create CLASS [GLOBALNAME]: create an actor of a class, module.Class"""
        name, _, global_name = arg.partition(' ')
        self._show(self._running().createActor(name, globalName=global_name.strip() or None))

    def do_status(self, arg: str) -> None:
        """status [TARGET]: what the system, or an actor, says of itself"""
        system = self._running()
        address = self._target(arg) if arg else system.systemAddress
        formatStatus(system.ask(address, Thespian_StatusReq(), ANSWER_SECONDS), self._named, sys.stdout)

    def do_tell(self, arg: str) -> None:
        """tell TARGET TEXT: send a text. TARGET is a number, an address, or @GLOBALNAME"""
        self._running().tell(*self._addressed(arg))

    def do_ask(self, arg: str) -> None:
        """ask TARGET TEXT: send a text and print the next answer that comes"""
        target, text = self._addressed(arg)
        self._answer(self._running().ask(target, text, ANSWER_SECONDS))

    def do_listen(self, arg: str) -> None:
        """listen: print the next message that comes"""
        self._answer(self._running().listen(ANSWER_SECONDS))

    def do_exit(self, arg: str) -> bool:
        """exit: leave; a system that is shared runs on"""
        return True

    do_quit = do_EOF = do_exit

    # --- what they share

    def _running(self) -> Any:
        if self._system is None:
            raise Refused('no system: start one')
        return self._system

    def _number(self, address: ActorAddress) -> int:
        if address not in self._known:
            self._known.append(address)
        return self._known.index(address)

    def _named(self, address: ActorAddress) -> str:
        return '%s [%d]' % (address, self._number(address))

    def _show(self, address: ActorAddress) -> None:
        print(self._named(address))

    def _answer(self, message: Any) -> None:
        if isinstance(message, ActorAddress):
            self._show(message)
        else:
            print('no answer' if message is None else repr(message))

    def _addressed(self, arg: str) -> Tuple[ActorAddress, str]:
        target, blank, text = arg.partition(' ')
        if not blank:
            raise Refused('to whom, and what?')
        return self._target(target), text

    def _target(self, text: str) -> ActorAddress:
        if text.startswith('@'):
            return self._global(text[1:])
        if text.isdecimal():
            if int(text) >= len(self._known):
                raise Refused('no address has the number %s' % text)
            return self._known[int(text)]
        return ActorAddress(text.partition('ActorAddr-')[2] or text)

    def _global(self, name: str) -> ActorAddress:
        system = self._running()
        status = system.ask(system.systemAddress, Thespian_StatusReq(), ANSWER_SECONDS)
        found: Optional[ActorAddress] = None
        if isinstance(status, Thespian_SystemStatus):
            found = status.globalActors.get(name)
        if found is None:
            raise Refused('no actor has the global name %s' % name)
        return found


def _dictionary(text: str) -> dict:
    try:
        value = ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused('%s is no dictionary' % text.strip())
    return value


def main() -> int:
    """Commands from standard input until its end; without greeting and prompt where that is no terminal."""
    shell = Shell()
    if not sys.stdin.isatty():
        shell.use_rawinput = False
        shell.prompt = ''
        shell.intro = ''  # type: ignore[assignment]
    try:
        shell.cmdloop()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
