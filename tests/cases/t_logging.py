#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""thesplog.cfg: records of actors go through the logger, as the configuration says.

Prints TAP. Each case has an admin of its own.
"""
import os
import signal

from adminlib import ACTOR, run_cases, until
from tap import ok

SOURCE = ACTOR.replace('    def do_spin', '''    def do_log(self, sender, *records):
        import logging
        for name, level, text in records:
            logging.getLogger(name).log(level, text)
        self.send(sender, 'logged')

    def do_spin''')

# That of the Director's guide, but for the kind of file.
CONFIG = '''{ 'version': 1,
  'formatters': {
    'normal': {
      'format': '%(asctime)s,%(msecs)d %(actorAddress)s/PID:%(process)d %(name)s %(levelname)s %(message)s',
      'datefmt': '%Y-%m-%d %H:%M:%S'
    }
  },
  'root': {'level': 20, 'handlers': ['file']},
  'loggers': {
    'subsysA': {'level':30, 'propagate': 0, 'handlers': ['file']}
  },
  'handlers': {
    'file': {
       'filename': 'fooapp.log', 'class': 'logging.handlers.TimedRotatingFileHandler',
       'formatter': 'normal', 'level': 'INFO', 'backupCount': 3,
       'filters': ['isActorLog'], 'when': 'midnight'
    }
  },
  'filters': {'isActorLog': {'()': 'thespian.director.ActorAddressLogFilter'}}
}
'''


def logger_of(a):
    """The pid of the logger; None: none runs."""
    return next((p for p, line in a.processes().items() if '/logger.py ' in line), None)


def log(a, *records):
    ok(a.asked('foo', ('log',) + records) == 'logged', 'an actor logs')


def prepare(a, config):
    a.group('foo', ['1'], source=SOURCE)
    (a.dir / 'thesplog.cfg').write_text(config)


def as_the_guide_has_it(a):
    prepare(a, CONFIG)
    logs = a.base / 'logs'
    logs.mkdir()
    (a.dir / 'thesplogd.cfg').write_text('%s\n' % logs)
    a.must(a.load('foo'))
    file = logs / 'fooapp.log'
    log(a, ('app', 20, 'info %s'), ('subsysA', 20, 'quiet'), ('app', 10, 'debug'), ('subsysA', 30, 'warning\nof two lines'), ('x.y', 40, 'last'))
    until('all is written', lambda: file.exists() and 'last' in file.read_text())
    actor = a.actors_of('foo', '1')[0]
    head = 'ActorAddr-%s/PID:%d ' % (actor['ActorAddress']['ActorAddress'], actor['Pid'])
    text = file.read_text()
    lines = [line.split(' ', 2)[2] for line in text.splitlines() if ' ActorAddr-' in line]
    ok(lines.pop(0).endswith(' root INFO Actor System started'), 'the log begins with the start of the system', text)
    ok(lines == [head + 'app INFO info %s', head + 'subsysA WARNING warning', head + 'x.y ERROR last'] and 'of two lines' in text,
       'formats, levels and the filter of the configuration hold', text)
    shown = a.admin('log').out
    ok(all(word in shown for word in ('info %s', 'quiet', 'two lines', 'last')) and 'debug' not in shown,
       'log shows all that is not below the lowest level', shown)
    logger = logger_of(a)
    os.kill(logger, signal.SIGKILL)
    until('it is started again', lambda: logger_of(a) not in (logger, None))
    until('it handles records again', lambda: log(a, ('x', 40, 'again')) or 'again' in file.read_text())
    ok('the logger has ended' in a.admin('log').out, 'that it died is told')
    ok(sum('/logger.py ' in line for line in a.processes().values()) == 1, 'nothing is left of the one before')
    log(a, *[('x', 30, 'at the end %d' % i) for i in range(500)])
    ok(a.admin('shutdown').status == 0 and 'at the end 499' in file.read_text(), 'at a shutdown it has handled all')
    told = [line.split()[-2:] for line in file.read_text().splitlines() if ' root INFO Actor System ' in line]
    ok(told == [['System', 'started'], ['shut', 'down']] and 'shut down' in file.read_text().splitlines()[-1], 'the end of the system last', told)


def lowest_level(a):
    prepare(a, "{'version': 1, 'root': {'level': 'ERROR', 'handlers': ['h']}, 'handlers': {'h': {'class': 'logging.NullHandler', 'level': 5}}}")
    a.must(a.load('foo'))
    log(a, ('a', 5, 'five'), ('a', 4, 'four'))
    until('it is logged', lambda: 'five' in a.admin('log').out)
    ok('four' not in a.admin('log').out, 'hosts send what is not below the lowest level that is named')
    a.admin('shutdown')
    (a.dir / 'thesplog.cfg').write_text("{'version': 1}")
    a.must(a.load('foo'))
    log(a, ('a', 20, 'twenty'), ('a', 30, 'thirty'))
    until('it is logged', lambda: 'thirty' in a.admin('log').out)
    ok('twenty' not in a.admin('log').out, 'which is WARNING where none is named')
    a.admin('shutdown')
    (a.dir / 'thesplog.cfg').unlink()
    a.must(a.load('foo'))
    ok(logger_of(a) is None, 'without thesplog.cfg there is no logger')


def harm(a):
    """What the logger cannot do harms nobody, and is told."""
    prepare(a, "{'version': 1, 'root': {'level': 20, 'handlers': ['h']}, 'handlers': {'h': {'class': 'logging.FileHandler', 'filename': '/no/such/file'}}}")
    a.must(a.load('foo'))
    log(a, ('a', 30, 'hello'))
    until('it is told', lambda: 'thesplog.cfg: ValueError' in a.admin('log').out)
    ok('hello' in a.admin('log').out, 'log shows all')
    a.admin('shutdown')
    (a.dir / 'thesplog.cfg').write_text(
        "{'version': 1, 'root': {'level': 20, 'handlers': ['h']}, 'handlers': {'h': {'class': 'logging.FileHandler', 'filename': '/dev/full'}}}")
    a.must(a.load('foo'))
    log(a, ('a', 30, 'hello'))
    until('it is told', lambda: 'handler h: OSError' in a.admin('log').out)
    os.kill(logger_of(a), signal.SIGSTOP)
    big = 'x' * 100000
    for _ in range(80):
        a.asked('foo', ('log', ('a', 30, big)))
    before = logger_of(a)
    ok(a.asked('foo', ('echo',)) == ('1',), 'a logger that hangs holds nobody up')
    os.kill(before, signal.SIGCONT)


def unusable(a):
    """A configuration that the logger cannot use is said once by start and by the logger, which is not started again."""
    prepare(a, "{'version': 1, 'root': {'level': 20, 'handlers': ['h']}, 'handlers': {'h': {'class': 'logging.FileHandler', 'filename': 'a.log'}}}")
    logs = a.base / 'logs'
    (a.dir / 'thesplogd.cfg').write_text('%s\n' % logs)
    why = "FileNotFoundError: [Errno 2] No such file or directory: '%s'" % logs
    b = a.admin('start')
    ok(b == (0, '', 'tds-admin: %s/thesplog.cfg: warning: logging cannot work: %s\n' % (a.dir, why)), 'start says so, and goes on', b)
    until('the logger says so', lambda: 'there is no logger until' in a.admin('log').out)
    a.must(a.load('foo'))
    log(a, ('a', 30, 'hello'))
    until('all is logged without it', lambda: 'hello' in a.admin('log').out)
    shown = a.admin('log').out
    ok(shown.count('thesplog.cfg: ' + why) == 1 and 'started again' not in shown and logger_of(a) is None, 'once', shown)
    ok(a.admin('start') == (0, '', '') and a.admin('-q', 'shutdown').status == 0, 'a start that finds it running says nothing')
    b = a.load('-q', 'foo')
    ok(b == (0, b.out, ''), 'nor does a quiet load that starts it', b)
    a.admin('shutdown')
    logs.mkdir()
    ok(a.admin('start') == (0, '', ''), 'it is mended')
    a.must(a.load('foo'))
    log(a, ('a', 30, 'hello'))
    until('the logger has it', lambda: (logs / 'a.log').exists() and 'hello' in (logs / 'a.log').read_text())


def refused(a):
    a.group('foo', ['1'])
    for text, place in (("{'version': 1,\n 'filters': {'f': {'()': 'os.system'}}}", ':2:26: '),
                        ("{'version': 1, 'handlers': {'h': {'class': 'os.system'}}}", ':1:44: '),
                        ("{'version': 1, 'handlers': {'h': {'class': 'logging.config.listen'}}}", ':1:44: '),
                        ("{'version': 1, 'handlers': {'h': {'class': 'logging.handlers.QueueHandler'}}}", ':1:44: '),
                        ("{'version': 1, 'handlers': {'h': {'class': 'logging.StreamHandler', 'stream': 'ext://os.environ'}}}", ':1:79: '),
                        ("{'version': 1, 'root': {'level': 'LOUD'}}", ':1:34: '), ("{'version': 2}", ':1:13: '), ("{}", ':1:1: '),
                        ("{'version': 1", ':1:1: '), ("[]", ':1:1: ')):
        (a.dir / 'thesplog.cfg').write_text(text)
        b = a.admin('start')
        ok(b.status == 1 and 'thesplog.cfg' + place in b.err, 'not allowed: %s' % text, b)
        until('nothing runs', lambda: not a.processes())
        b = a.admin('check', a.dir / 'thesplog.cfg')
        ok(b.status == 1 and 'thesplog.cfg' + place in b.err, 'check says so too', b)
    (a.dir / 'thesplog.cfg').unlink()
    (a.dir / 'othercaps.cfg').write_text("{'a': 1,\n 2: 3}")
    b = a.admin('start')
    ok(b.status == 1 and 'othercaps.cfg:2:2: ' in b.err, 'a capability with another name', b)


def capabilities(a):
    """othercaps.cfg has a part in what actors see as the system's capabilities."""
    a.group('foo', ['1'], source=ACTOR.replace("    def do_spin", '''    def do_capabilities(self, sender):
        self.send(sender, self.seen)

    def do_spin''').replace("    def __init__(self):\n", "    def __init__(self, capabilities=None):\n        self.seen = {str(k): v for k, v in capabilities.items() if isinstance(v, (int, str, tuple, list, bytes))}\n"))
    (a.dir / 'othercaps.cfg').write_text("{ 'Worker': True, 'Slot': (19, b'x'), 'Admin Port': 3, 'ä': [] }\n")
    (a.dir / 'adminport.cfg').write_text('1901\n')
    (a.dir / 'convleader.cfg').write_text('127.9.8.7\n')
    a.must(a.load('foo'))
    seen = a.asked('foo', ('capabilities',))
    wanted = {'Worker': True, 'Slot': (19, b'x'), 'Admin Port': 1901, 'ä': [], 'DirectorFmt': [1],
              'Convention Address.IPv4': '127.9.8.7', 'Thespian ActorSystem Name': 'tdsLocalBase', 'Thespian Watch Supported': True}
    ok(seen and all(seen.get(k) == v for k, v in wanted.items()), 'an actor has the capabilities', seen)
    told = a.ask('Status')['Capabilities']
    ok(told.get('Slot') == "(19, b'x')" and told['Admin Port'] == '1901', 'Status tells them', told)


if __name__ == '__main__':
    run_cases(as_the_guide_has_it, lowest_level, harm, unusable, refused, capabilities)
