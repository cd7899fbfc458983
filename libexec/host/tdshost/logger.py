# SPDX-License-Identifier: MIT
"""The logger: handles what actors log, as a logging configuration says.

Started by the admin as `python3 -I HOST/tdshost/logger.py` where there is a thesplog.cfg. Standard
input is a socket: the admin sends JSON Lines, first {"config": TEXT, "folder": PATH, "order": N}, the text of a
literal and the folder that names of files are relative to, then {"address": ADDRESS, "record": RECORD}, the op `log`
of an actor, and {"lost": N} where it could not send so many. An order may come again: files are opened anew then, and
where it cannot be followed all is as before. What came of it is answered by {"configured": N, "error": TEXT or null}.
What goes wrong here is said there, a line each. The end of the input is the end; a first order that cannot be followed
is one too, with status UNUSABLE.

With --held N it is held, before it has read a byte, to the filters of system calls in descriptor 3, of which the first has N
bytes; and where the kernel has Landlock, nothing that it makes is run, and no link, device or socket is made.

With --try it takes the first line alone, and says on standard output why it cannot be used, with the same status. No
log is made, opened to be written, or cut.
"""
import errno
import ast
import json
import logging
import logging.config
import logging.handlers
import os
import resource
import sys
import time
from typing import IO, Any, Dict, List, Optional

UNUSABLE = 3             # the exit status where the configuration cannot be used; the admin knows it
FILTERS = 3              # the descriptor of what it is held to
LINE_MAX = 4 << 20       # bytes
LOGGERS_MAX = 10000      # names; records of further ones go to the root logger
COMPLAIN_AGAIN_S = 10.0  # seconds between complaints of one handler

_complained: Dict[int, float] = {}
_followed: List[Dict[str, Any]] = []  # the order that holds; none at the beginning


def say(text: str, to: int = 0) -> None:
    """A line to the admin."""
    line = ' '.join(text.split())[:2000]
    try:
        os.write(to, line.encode('utf-8', 'backslashreplace') + b'\n')
    except OSError:
        pass  # nobody is left to be told


def complain(handler: logging.Handler, record: logging.LogRecord) -> None:
    """In place of Handler.handleError: what a handler failed at, but not again and again."""
    now = time.monotonic()
    if now - _complained.get(id(handler), -COMPLAIN_AGAIN_S) >= COMPLAIN_AGAIN_S:
        _complained[id(handler)] = now
        say('logger: handler %s: %r' % (handler.get_name(), sys.exc_info()[1]))


def _text(value: Any, default: str = '') -> str:
    return value if isinstance(value, str) else default


def _number(value: Any, default: float = 0) -> Any:
    return default if isinstance(value, bool) or not isinstance(value, (int, float)) else value


def record_of(op: Dict[str, Any], address: str) -> logging.LogRecord:
    """The record that an actor made, as far as its op tells, whose fields may be of any type."""
    level = int(_number(op.get('level'), logging.INFO))
    path = _text(op.get('file'))
    created = float(_number(op.get('time'), time.time()))
    file = os.path.basename(path)
    return logging.makeLogRecord({
        'name': _text(op.get('name'), 'root'), 'levelno': level,
        'levelname': logging.getLevelName(level), 'msg': _text(op.get('text')), 'args': None,
        'pathname': path, 'filename': file,
        'module': os.path.splitext(file)[0], 'lineno': int(_number(op.get('line'))),
        'funcName': _text(op.get('func')), 'created': created, 'msecs': int(created % 1 * 1000),
        'threadName': _text(op.get('thread')), 'process': int(_number(op.get('pid'))),
        'actorAddress': 'ActorAddr-%s' % address})


def handle(record: logging.LogRecord) -> None:
    """Let the logger of the record's name have it, if it is for its level."""
    known = logging.Logger.manager.loggerDict
    name = record.name if record.name in known or len(known) < LOGGERS_MAX else 'root'
    logger = logging.getLogger() if name == 'root' else logging.getLogger(name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


def follow(order: Dict[str, Any]) -> None:
    """Be configured as an order says. Errors: whatever logging finds wrong with it, and it may be half done then."""
    os.chdir(order['folder'])
    logging.config.dictConfig(ast.literal_eval(order['config']))


def why(error: BaseException) -> str:
    """What is wrong with a configuration, with the reasons behind it."""
    words = '%s: %s' % (type(error).__name__, error)
    while error.__cause__:
        error = error.__cause__
        words += ': %s' % error
    return words


def obey(order: Dict[str, Any]) -> Optional[str]:
    """Follow an order, or go on as before, and answer which. Returns why it cannot be followed."""
    error = None
    try:
        follow(order)
        _followed[:] = [order]
    except Exception as failure:  # whatever a configuration leads to
        error = why(failure)[:1000]
        if _followed:
            follow(_followed[0])
    say(json.dumps({'configured': order.get('order'), 'error': error}))
    return error


def take(line: bytes) -> None:
    """Any line of the admin but the first."""
    message = json.loads(line)
    if 'config' in message:
        obey(message)
    elif 'lost' in message:
        logging.getLogger('tds').warning('%d records were lost, for want of time', message['lost'])
    elif isinstance(message.get('record'), dict):
        handle(record_of(message['record'], _text(message.get('address'))))


def probe(handler: logging.FileHandler) -> IO[str]:
    """In place of FileHandler._open: could the log be written? It is left alone. Errors: OSError, LookupError."""
    path = handler.baseFilename
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        folder = os.path.dirname(path)
        if os.path.isdir(folder) and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path) from None
        if not os.path.isdir(folder):
            raise
    return open(os.devnull, 'w', encoding=handler.encoding)


def try_out(line: bytes) -> int:
    """--try: an exit status."""
    logging.FileHandler._open = probe  # type: ignore[assignment]
    try:
        follow(json.loads(line))
        for reference in logging._handlerList:  # type: ignore[attr-defined]
            handler = reference()
            if isinstance(handler, logging.FileHandler):
                probe(handler)  # one that opens its file later, too
        return 0
    except Exception as error:
        say(why(error), 1)
        return UNUSABLE


def hold(first: int) -> None:
    """Give up what a logger does not need. Errors: OSError."""
    from tdshost.wire import confine
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = os.pread(FILTERS, os.fstat(FILTERS).st_size, 0)
    os.close(FILTERS)
    confine.hold_to_nothing(confine.EXECUTE | confine.MAKE_SPECIAL)
    for part in code[:first], code[first:]:
        confine.Filter(part).put_on()


def serve() -> int:
    """Until the input ends: an exit status."""
    logging.Handler.handleError = complain  # type: ignore[method-assign]
    first = sys.stdin.buffer.readline(LINE_MAX)
    error = obey(json.loads(first)) if first else None
    if error:
        say('thesplog.cfg: %s' % error)
        return UNUSABLE
    while True:
        line = sys.stdin.buffer.readline(LINE_MAX)
        if not line:
            logging.shutdown()
            return 0
        try:
            take(line)
        except Exception as error:  # a record that cannot be handled harms no other
            say('logger: %s: %s' % (type(error).__name__, error))


def main(arguments: List[str]) -> int:
    """An exit status."""
    # thespian.director has the filter.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from tdshost.wire import process
    process.catch_signals(process.forget_signal)  # it ends with its input, when all is written
    process.release_signals()
    if arguments == ['--try']:
        return try_out(sys.stdin.buffer.readline(LINE_MAX))
    if arguments[:1] == ['--held']:
        hold(int(arguments[1]))
    return serve()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
