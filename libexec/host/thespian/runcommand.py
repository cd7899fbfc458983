# SPDX-License-Identifier: MIT
"""An actor that runs programs: send RunCommand a Command, get a CommandResult.

One command at a time, in the order in which they came. Where the system can watch descriptors the
actor stays responsive meanwhile (CommandAbort, output while it comes); elsewhere it blocks.
"""
import codecs
import errno
import logging
import math
import os
import select
import subprocess
import time
from collections import deque
from datetime import timedelta
from typing import Any, Deque, Dict, Iterable, List, Optional, Tuple, Union

from thespian.actors import ActorAddress, ActorTypeDispatcher, ThespianWatch
from thespian.system.timing import timePeriodSeconds

KILL_AFTER = 2.0     # seconds from SIGTERM to SIGKILL, and from that to giving the process up
LOGGED_LINES = 5     # of the beginning, and of the end, of each output
CANCELLED = -3       # exit code of a command that was never run since the actor exits
UNSTOPPABLE = -4     # exit code of a command that even SIGKILL does not end
CHUNK = 65536
PIPE_CHUNKS = 17      # more than a pipe holds

Output = Union[str, Tuple[str, str]]


class Command:
    """What to run, and how.

    Source:  exe is a path or a name to be found on PATH; use_shell gives exe to the shell as its
             text and args as $0, $1 ...; input_src (str or bytes) becomes standard input, which is
             empty without; env replaces the environment; timeout (timedelta or seconds) is the
             longest time it may run.
    Shape:   max_bufsize limits each of the two outputs in the result (characters; 0: no limit).
             output_updates is the address of an actor for CommandOutput and CommandError.
             logger: None: the log; False: none; an address: CommandLog messages to it. Lines begin
             with logtag (else exe); omit_string is shown in none of them; error_ok makes errors
             "info". report_on_start: the sender gets CommandStarted.
    """

    def __init__(self, exe: str, args: List[str], use_shell: bool = False,
                 omit_string: Optional[str] = None, error_ok: bool = False,
                 logger: Union[None, bool, ActorAddress] = None, logtag: Optional[str] = None,
                 input_src: Union[None, str, bytes] = None,
                 output_updates: Optional[ActorAddress] = None, max_bufsize: int = 1024 * 1024,
                 env: Optional[Dict[str, str]] = None,
                 timeout: Union[None, timedelta, int, float] = None,
                 report_on_start: bool = False) -> None:
        self.exe = exe
        self.args = args
        self.use_shell = use_shell
        self.omit_string = omit_string or ''
        self.error_ok = error_ok
        self.logger = logger
        self.logtag = logtag or str(exe)
        self.input_src = input_src
        self.output_updates = output_updates
        self.max_bufsize = max_bufsize
        self.env = env
        self.timeout = timedelta(seconds=timePeriodSeconds(timeout)) if timeout else None
        self.report_on_start = report_on_start


class CommandStarted:
    """The command runs, as process pid."""

    def __init__(self, command: Command, pid: int) -> None:
        self.command = command
        self.pid = pid


class CommandAbort:
    """To RunCommand: stop the command that runs, if one does, as if its time were over."""


class CommandLog:
    """A line for the log, to the actor that Command.logger names. level: "info" or "error"."""

    def __init__(self, level: str, msg: str, *args: Any) -> None:
        self.level = level
        self.message = msg % args if args else msg


class CommandOutput:
    """A piece of a command's standard output: bytes, not necessarily whole lines."""

    def __init__(self, command: Command, output: bytes) -> None:
        self.command = command
        self.output = output


class CommandError:
    """A piece of a command's standard error: bytes, not necessarily whole lines."""

    def __init__(self, command: Command, error_output: bytes) -> None:
        self.command = command
        self.error_output = error_output


class CommandResult:
    """How a command ended. True if its exit code is 0.

    Shape:   exitcode is -n for signal n, an errno where it could not be started. stdout and stderr
             are text, or (beginning, end) of one longer than max_bufsize. duration: a timedelta.
    """

    def __init__(self, command: Command, exitcode: int, stdout: Output = '', stderr: Output = '',
                 duration: Optional[timedelta] = None) -> None:
        self.command = command
        self.exitcode = exitcode
        self.stdout = stdout
        self.stderr = stderr
        self.duration = duration

    def __bool__(self) -> bool:
        return self.exitcode == 0

    @property
    def errorstr(self) -> Output:
        """Standard error; of a command that failed without a word, "FAILED"."""
        return self.stderr or ('' if self else 'FAILED')

    def __str__(self) -> str:
        if self:
            return 'CommandResult success'
        error = self.stderr if isinstance(self.stderr, str) else ' [...] '.join(self.stderr)
        return 'CommandResult FAILED, exit code %s: %s' % (self.exitcode, error)


class _Kept:
    """What is kept of one output: all of it, or of too much the beginning and the end."""

    def __init__(self, limit: Optional[int]) -> None:
        self._limit = limit or 0
        self._tail_size = self._limit - self._limit // 2
        self._decoder = codecs.getincrementaldecoder('utf-8')('backslashreplace')
        self._head: Optional[str] = None
        self._pieces: List[str] = []
        self._size = 0

    def add(self, data: bytes, final: bool = False) -> None:
        """Add a piece, which may end within a character."""
        text = self._decoder.decode(data, final)
        self._pieces.append(text)
        self._size += len(text)
        if self._limit and self._head is None and self._size > self._limit:
            text = ''.join(self._pieces)
            self._head = text[:self._limit // 2]
            self._pieces = [text[self._limit // 2:]]
            self._size = len(self._pieces[0])
        if self._head is not None and self._size > 2 * self._tail_size:  # seldom: it copies
            self._pieces = [self._end()]
            self._size = len(self._pieces[0])

    def _end(self) -> str:
        return ''.join(self._pieces)[-self._tail_size:]

    def text(self) -> Output:
        """What was kept."""
        self.add(b'', True)
        return ''.join(self._pieces) if self._head is None else (self._head, self._end())


class _Run:
    """One command that runs."""

    def __init__(self, command: Command, sender: ActorAddress) -> None:
        self.command = command
        self.sender = sender
        self.began = time.monotonic()
        self.outputs = {'stdout': _Kept(command.max_bufsize), 'stderr': _Kept(command.max_bufsize)}
        self.process: Any = None
        self.watched: Dict[int, str] = {}  # by descriptor: which output, or '': the process's end
        self.signals = 0                   # how many it was sent to make it end
        self.deadline = math.inf           # time.monotonic() of the next

    def start(self) -> None:
        """Start the process. Errors: whatever Popen raises; OSError."""
        command = self.command
        with _input_file(command.input_src) as stdin:
            self.process = subprocess.Popen(
                [command.exe, *command.args], stdin=stdin, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, bufsize=0, env=command.env, shell=command.use_shell)
        for name in self.outputs:
            fd = getattr(self.process, name).fileno()
            os.set_blocking(fd, False)
            self.watched[fd] = name
        # Not the end of its outputs: it may close them early, or leave them open to others.
        self.watched[os.pidfd_open(self.process.pid)] = ''

    def read(self, fd: int) -> bytes:
        """What can be read now. At the end of an output it is not watched any more."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return b''
        if not data:
            del self.watched[fd]
        return data

    def signal(self) -> None:
        """Send SIGTERM; the next time SIGKILL."""
        (self.process.kill if self.signals else self.process.terminate)()
        self.signals += 1

    def close(self) -> None:
        """Let go of the process, which has ended, or is ended."""
        for fd, name in self.watched.items():
            if not name:
                os.close(fd)
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.stdout.close()
            self.process.stderr.close()


def _input_file(data: Union[None, str, bytes]) -> Any:
    """A file to be standard input, in memory: nobody has to feed a pipe. Owner: caller closes."""
    if not data:
        return open(os.devnull, 'rb')
    stream = open(os.memfd_create('input'), 'w+b')
    stream.write(data.encode('utf-8') if isinstance(data, str) else data)
    stream.seek(0)
    return stream


def _lines(output: Output) -> List[str]:
    """The lines of an output that are logged. Those at a cut are not whole and left out."""
    if isinstance(output, str):
        lines = [line for line in output.splitlines() if line.strip()]
        if len(lines) <= 2 * LOGGED_LINES:
            return lines
        return lines[:LOGGED_LINES] + ['...'] + lines[-LOGGED_LINES:]
    head, tail = output
    return head.splitlines()[:-1][:LOGGED_LINES] + ['...'] + tail.splitlines()[1:][-LOGGED_LINES:]


class RunCommand(ActorTypeDispatcher):
    """Runs Commands, one after the other."""

    def __init__(self, capabilities: dict) -> None:
        self.capabilities = capabilities
        self._waiting: Deque[Tuple[Command, ActorAddress]] = deque()
        self._running: Optional[_Run] = None

    def receiveMessage(self, msg: Any, sender: ActorAddress) -> Any:
        """Handle a message; whatever it was, start the next command or go on watching."""
        result = super().receiveMessage(msg, sender)
        while self._running is None and self._waiting:
            self._start(_Run(*self._waiting.popleft()))
        return result if self._running is None else ThespianWatch(list(self._running.watched))

    def receiveMsg_Command(self, command: Command, sender: ActorAddress) -> None:
        """Queue a command."""
        self._waiting.append((command, sender))

    def receiveMsg_CommandAbort(self, msg: CommandAbort, sender: ActorAddress) -> None:
        """Stop what runs."""
        if self._running is not None and not self._running.signals:
            self._overdue(self._running)

    def receiveMsg_WatchMessage(self, msg: Any, sender: ActorAddress) -> None:
        """Take output, or the end."""
        if self._running is not None:
            self._take(self._running, msg.ready)

    def receiveMsg_WakeupMessage(self, msg: Any, sender: ActorAddress) -> None:
        """Stop what runs, if it is its time; a wakeup of an earlier deadline does nothing."""
        run = self._running
        if run is not None and msg.payload is run and time.monotonic() >= run.deadline:
            self._overdue(run)

    def receiveMsg_ActorExitRequest(self, msg: Any, sender: ActorAddress) -> None:
        """Tell those that wait, and end what runs."""
        for command, asker in self._waiting:
            self.send(asker, CommandResult(command, CANCELLED))
        self._waiting.clear()
        run = self._running
        if run is None:
            return
        for patience in (0.1, 0.5):
            run.signal()
            try:
                run.process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                pass
        self._take(run, ())
        if self._running is not None:
            self._finish(run, UNSTOPPABLE)

    # --- one command

    def _start(self, run: _Run) -> None:
        command = run.command
        self._log(command, 'info', 'CMD: ' + ' '.join(map(str, [command.exe, *command.args])))
        self._running = run
        try:
            run.start()
        except Exception as error:  # no such program, or arguments that no program can have
            self._got(run, 'stderr', ('%s\n' % error).encode('utf-8', 'replace'))
            self._finish(run, getattr(error, 'errno', None) or errno.EINVAL)
            return
        if command.report_on_start:
            self.send(run.sender, CommandStarted(command, run.process.pid))
        if command.timeout:
            self._set_deadline(run, command.timeout.total_seconds())
        if not self._can_watch():
            self._wait(run)

    def _can_watch(self) -> bool:
        return bool(self.capabilities.get('Thespian Watch Supported', False))

    def _wait(self, run: _Run) -> None:
        """See a command to its end, where the system does not watch its outputs."""
        while self._running is run:
            poll = select.poll()
            for fd in run.watched:
                poll.register(fd, select.POLLIN)
            left = run.deadline - time.monotonic()
            ready = poll.poll(None if left == math.inf else max(0, math.ceil(left * 1000)))
            if ready:
                self._take(run, [fd for fd, _ in ready])
            else:
                self._overdue(run)

    def _take(self, run: _Run, ready: Iterable[int]) -> None:
        """Take a piece of each output that is ready; all there is when the process has ended."""
        for fd in ready:
            if run.watched.get(fd):
                self._got(run, run.watched[fd], run.read(fd))
        if run.process.poll() is None:
            return
        for fd, name in list(run.watched.items()):
            for _ in range(PIPE_CHUNKS if name else 0):  # what it left behind may write for ever
                data = run.read(fd)
                if not data:
                    break
                self._got(run, name, data)
        self._finish(run, run.process.returncode)

    def _got(self, run: _Run, name: str, data: bytes) -> None:
        run.outputs[name].add(data)
        command = run.command
        if data and isinstance(command.output_updates, ActorAddress):
            kind = CommandOutput if name == 'stdout' else CommandError
            self.send(command.output_updates, kind(command, data))

    def _set_deadline(self, run: _Run, seconds: float) -> None:
        run.deadline = time.monotonic() + seconds
        if self._can_watch():
            self.wakeupAfter(seconds, run)

    def _overdue(self, run: _Run) -> None:
        """Its time is over: SIGTERM, then SIGKILL, then it is left alone."""
        if run.signals < 2:
            run.signal()
            self._set_deadline(run, KILL_AFTER)
        else:
            self._log(run.command, 'error', 'Cannot stop process %d' % run.process.pid)
            self._finish(run, UNSTOPPABLE)

    def _finish(self, run: _Run, exitcode: int) -> None:
        """Log and send the result."""
        self._running = None
        run.close()
        duration = timedelta(seconds=time.monotonic() - run.began)
        stdout, stderr = run.outputs['stdout'].text(), run.outputs['stderr'].text()
        wrong = 'info' if run.command.error_ok else 'error'
        for level, mark, output in (('info', 'OUT| ', stdout), (wrong, 'ERR> ', stderr)):
            for line in _lines(_without(run.command.omit_string, output)):
                self._log(run.command, level, mark + line)
        if exitcode:
            self._log(run.command, wrong, 'ERROR exit code: %d' % exitcode)
        else:
            self._log(run.command, 'info', 'completed successfully')
        self.send(run.sender, CommandResult(run.command, exitcode, stdout, stderr, duration))

    def _log(self, command: Command, level: str, text: str) -> None:
        line = _without(command.omit_string, '%s %s' % (command.logtag, text))
        if isinstance(command.logger, ActorAddress):
            self.send(command.logger, CommandLog(level, line))
        elif command.logger is None:
            logging.log(logging.INFO if level == 'info' else logging.ERROR, '%s', line)


def _without(secret: str, output: Any) -> Any:
    """An output without a text that no log shall show."""
    if not secret:
        return output
    if isinstance(output, str):
        return output.replace(secret, '...')
    return tuple(part.replace(secret, '...') for part in output)
