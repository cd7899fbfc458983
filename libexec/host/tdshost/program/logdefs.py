# SPDX-License-Identifier: MIT
"""The logging of a program's actors, as the program configured it (logDefs), in a process of its own."""
import logging
import os
import pickle
import socket
import sys
from typing import Any, Dict, List, Optional

from tdshost.wire import logs, process


def threshold(log_defs: Any) -> int:
    """The lowest level that is named anywhere; WARNING where none is."""
    found: List[int] = []

    def look(item: Any) -> None:
        if isinstance(item, dict):
            for key, value in item.items():
                if key == 'level':
                    level = logging.getLevelName(value) if isinstance(value, str) else value
                    if isinstance(level, int):
                        found.append(level)
                look(value)
    look(log_defs)
    return min(found, default=logging.WARNING)


class Logger:
    """The process that applies a program's logging configuration, and how actors reach it.

    sock: each record is a datagram; None: records go to standard error.
    """

    def __init__(self, sock: socket.socket, pid: int) -> None:
        self.sock = sock
        self.pid = pid

    @classmethod
    def at(cls, fd: int) -> 'Logger':
        """The one that a descriptor leads to."""
        os.set_inheritable(fd, False)
        return cls(socket.socket(fileno=fd), 0)

    def send(self, fields: Dict[str, Any]) -> None:
        """Hand over one record. Errors: OSError."""
        self.sock.send(pickle.dumps(fields, 4))


def start_logger(log_defs: Any, tell_fd: int) -> Logger:
    """Fork the logger process from the parent, while that is still a copy of the program."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            os.close(tell_fd)
            process.catch_signals(process.forget_signal)
            _log(theirs, log_defs)
        finally:
            os._exit(0)
    theirs.close()
    return Logger(ours, pid)


def _log(sock: socket.socket, log_defs: Any) -> None:
    """Take records until no process is left that could send one."""
    import logging.config
    logging.root.handlers.clear()
    logging.root.filters.clear()
    logging.Logger.manager.loggerDict.clear()  # the program's loggers are not the actors'
    logging.disable(logging.NOTSET)
    try:
        logging.config.dictConfig(log_defs)
    except Exception as error:
        sys.stderr.write('tds: logDefs: %s\n' % (error,))
    told = threshold(log_defs) <= logging.INFO
    if told:
        logging.getLogger().handle(logs.system_record(logs.STARTED))
    while True:
        data = sock.recv(1 << 20)
        if not data:
            break
        try:
            record = logging.makeLogRecord(pickle.loads(data))
            logging.getLogger(record.name).handle(record)  # whose level was looked at in the actor
        except Exception as error:
            sys.stderr.write('tds: a log record: %r\n' % (error,))
    if told:
        logging.getLogger().handle(logs.system_record(logs.ENDED))
    logging.shutdown()


def record_sender(logger: Optional[Logger], address: Optional[str]) -> logs.RecordSink:
    """What an actor's root handler does with a record."""
    def send(record: logging.LogRecord) -> None:
        fields = logs.plain_fields(record)
        if address is not None:
            fields['actorAddress'] = address
        if logger is not None:
            try:
                logger.send(fields)
                return
            except OSError:
                pass
            except Exception:  # an extra that cannot be pickled
                logger.send({key: value if isinstance(value, (int, float)) else str(value)
                             for key, value in fields.items() if value is not None})
                return
        text = fields['msg'] if not fields['exc_text'] else '%s\n%s' % (fields['msg'], fields['exc_text'])
        sys.stderr.write(text + '\n')
    return send
