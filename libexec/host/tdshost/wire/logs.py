# SPDX-License-Identifier: MIT
"""Logging in actors: the root logger is ours, and every record goes to the admin as text.

What the admin does with it (files, formats, filters) is not decided here.
"""
import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any, Callable, Optional

from tdshost.wire.link import wire_text

Sink = Callable[[dict], None]
RecordSink = Callable[[logging.LogRecord], None]

# What the log of a system begins and ends with, at INFO, by the root logger.
STARTED = 'Actor System started'
ENDED = 'Actor System shut down'

_TEXT_MAX = 131072  # of one record; a frame holds it in any case


def _to_stderr(op: dict) -> None:
    """Where records go that have no link: before the admin said hello, and in an actor's own children."""
    sys.stderr.write('%s: %s: %s\n' % (logging.getLevelName(op['level']), op['name'], op['text']))


class HostHandler(logging.Handler):
    """The one handler of the root logger. Sends records through `sink`, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sink: Sink = _to_stderr
        self.record_sink: Optional[RecordSink] = None  # of programs' actors: instead of the other

    def handle(self, record: logging.LogRecord) -> bool:
        """As inherited, without the lock: the link orders frames itself, and does not wait for itself."""
        passed = self.filter(record)
        if passed:
            self.emit(record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, its arguments formatted and its exception made text."""
        try:
            if self.record_sink is not None:
                self.record_sink(record)
            else:
                self.sink(_op(record))
        except Exception:
            self.handleError(record)


def _add_exception(record: logging.LogRecord) -> None:
    if record.exc_info and not record.exc_text and record.exc_info[0] is not None:
        record.exc_text = ''.join(traceback.format_exception(*record.exc_info)).rstrip('\n')


def system_record(text: str) -> logging.LogRecord:
    """A record of the system itself, for where its logging is applied; it has an address, as those of actors."""
    return logging.makeLogRecord({'name': 'root', 'levelno': logging.INFO, 'levelname': 'INFO', 'msg': text,
                                  'actorAddress': 'ActorAddr-/ActorSys'})


def text_of(record: logging.LogRecord) -> str:
    """The text of a record; arguments that do not fit it, or cannot be put into words, stand behind it as they can."""
    try:
        return record.getMessage()
    except Exception:
        given = record.args if isinstance(record.args, tuple) else (record.args,)
        return ' '.join(_words(part) for part in (record.msg, *given))


def _words(part: Any) -> str:
    try:
        return str(part)
    except Exception:
        return '(a %s without words)' % type(part).__name__


def plain_fields(record: logging.LogRecord) -> dict:
    """The attributes of a record, its arguments formatted and its exception made text."""
    _add_exception(record)
    fields = dict(record.__dict__, msg=text_of(record)[:_TEXT_MAX], args=None, exc_info=None)
    address = fields.get('actorAddress')
    if address is not None:
        fields['actorAddress'] = str(address)
    return fields


def _op(record: logging.LogRecord) -> dict:
    text = text_of(record)
    _add_exception(record)
    for more in (record.exc_text, record.stack_info):
        if more:
            text = '%s\n%s' % (text, more)
    return {'op': 'log', 'level': int(record.levelno), 'name': wire_text(str(record.name), 1024),
            'text': wire_text(text, _TEXT_MAX), 'time': record.created,
            'file': wire_text(str(record.pathname), 4096), 'line': record.lineno,
            'func': wire_text(str(record.funcName), 1024), 'thread': wire_text(str(record.threadName), 1024),
            'pid': record.process}


class HostRootLogger(logging.RootLogger):
    """A root logger that actors can raise the level of, but whose handlers are not theirs."""

    def __init__(self, level: int, handler: HostHandler) -> None:
        super().__init__(level)
        self.handlers = [handler]

    def addHandler(self, hdlr: logging.Handler) -> None:
        raise NotImplementedError('the handlers of an actor\'s root logger are fixed')

    def removeHandler(self, hdlr: logging.Handler) -> None:
        raise NotImplementedError('the handlers of an actor\'s root logger are fixed')


handler = HostHandler()


def install(level: int) -> None:
    """Replace the root logger of this process. Before any code of a source is imported."""
    old = logging.root
    root = HostRootLogger(level, handler)
    logging.root = root
    logging.Logger.root = root  # type: ignore[misc]
    logging.Logger.manager.root = root
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger) and logger.parent is old:
            logger.parent = root


def send_to(sink: Optional[Sink]) -> None:
    """Where records go from now on; None: to standard error."""
    handler.sink = sink or _to_stderr


def describe(error: BaseException, skip: int = 0, own: Optional[str] = None) -> str:
    """The text of an exception with its traceback, without the host's own frames.

    Shape:   skip frames are left out at the top; with own (the prefix of the source's file names) all
             frames before the first of the source's, if it has any.
    """
    tb: Optional[TracebackType] = error.__traceback__
    if own:
        skip = next((n for n, frame in enumerate(_frames(tb))
                     if frame.tb_frame.f_code.co_filename.startswith(own)), skip)
    for _ in range(skip):
        if tb is not None:
            tb = tb.tb_next
    return ''.join(traceback.format_exception(type(error), error, tb))


def _frames(tb: Optional[TracebackType]) -> Any:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def reason(text: str, own: Optional[str] = None) -> str:
    """The last line of a traceback's text; with own, as for describe, behind the last place in the source: 'm/a.py:3: '."""
    places = re.findall(r'^  File "%s/(.*)", line (\d+)' % re.escape(own), text, re.M) if own else []
    return '%s:%s: %s' % (*places[-1], last_line(text)) if places else last_line(text)


def last_line(text: str) -> str:
    """The last line of a traceback's text."""
    return (text.rstrip('\n').rsplit('\n', 1) or [''])[-1]
