# SPDX-License-Identifier: MIT
"""The Director from Python: DirectorControl, the messages' names, and what logging configurations name.

The Director itself is tds-admin. The commands here run tds-director; the global actor "Director" is
answered by the admin, whoever creates it:

    director = ActorSystem().createActor('thespian.director', globalName='Director')
    ActorSystem().ask(director, {'DirectorOp': 'RetrieveAll'})

Messages are dictionaries, as tds-protocol(7) lists them: DefineGroup, LoadSource, RetrieveAll,
RetrieveRole and RequestNotification. In answers an ActorAddress is an address and a StartTime a datetime.
"""
import functools
import inspect
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Callable, Dict, List, Optional, Tuple

from thespian.actors import (ActorAddress, ActorSystem, ActorTypeDispatcher, ValidatedSource,
                             ValidateSource)

DIRECTORY = '/opt/thespian/director'


def _tool(name: str) -> str:
    """The path of one of our tools: in the prefix that this file is installed in, else by PATH."""
    prefix = os.path.abspath(__file__)
    for _ in range(5):
        prefix = os.path.dirname(prefix)
    path = os.path.join(prefix, 'bin', name)
    return path if os.access(path, os.X_OK) else shutil.which(name) or name


class ActorAddressLogFilter(logging.Filter):
    """Gives records that come from no actor an `actorAddress`, so that one format fits all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True. A record without actorAddress gets the text that says so."""
        if 'actorAddress' not in record.__dict__:
            record.actorAddress = '-not-actor-'
        return True


class Director(ActorTypeDispatcher):
    """Names the Director where it is created: with globalName='Director' that is the admin itself."""

    def receiveMsg_dict(self, msg: dict, sender: ActorAddress) -> None:
        """One that was created under no or another name knows nothing."""
        if 'DirectorOp' in msg:
            self.send(sender, {'DirectorResponse': 'Error', 'Success': False,
                               'Message': 'the Director is the actor with the global name "Director"'})


class SourceAuthority(ActorTypeDispatcher):
    """A Source Authority for the sources of a program: accepts those that a key of a directory signed."""

    def receiveMsg_str(self, msg: str, sender: ActorAddress) -> None:
        """"Startup:DIRECTORY": become the authority."""
        word, _, directory = msg.partition(':')
        if word == 'Startup':
            self.directory = directory
            self.registerSourceAuthority()

    def receiveMsg_ValidateSource(self, msg: ValidateSource, sender: ActorAddress) -> None:
        """Have tds-verify look at the source."""
        self.send(sender, ValidatedSource(msg.sourceHash, self._archive(msg.sourceData), msg.sourceInfo))

    def _archive(self, data: bytes) -> Optional[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'archive')
            done = subprocess.run([_tool('tds-verify'), '-q', '-C', self.directory, '-o', path, '-'],
                                  input=data, stdout=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                return None
            with open(path, 'rb') as stream:
                return stream.read()


class DirectorControl:
    """The Director's commands as methods, each with the operands of its command line.

    cmd_COMMAND(...) prints what the command prints and returns its status, 0 where it succeeded. An
    instance may be called with a command line: DirectorControl()('load', 'foo').
    """

    def __init__(self, sources_dir: Optional[str] = None, system_base: Optional[str] = None,
                 admin_port: Optional[int] = None) -> None:
        """sources_dir: the director directory; else $THESPIAN_DIRECTOR_DIR, else /opt/thespian/director.

        system_base and admin_port are those of the directory's configuration unless they are given; they
        count where a program's own ActorSystem is meant (`asys`).
        """
        self.sources_dir = sources_dir or os.environ.get('THESPIAN_DIRECTOR_DIR') or DIRECTORY
        self.system_base = system_base
        self.admin_port = admin_port
        self._verbose = False
        self._asys: Any = None

    # --- how commands are run

    def __call__(self, cmd: str = 'help', *args: str) -> int:
        """Run a command line: [verbose] COMMAND OPERAND..., or help [COMMAND]."""
        if cmd == 'verbose' and args:
            self._verbose = True
            return self(*args)
        method = getattr(self, 'cmd_' + cmd, None)
        if cmd == 'help' and args:
            print(inspect.getdoc(getattr(self, 'cmd_' + args[0], None)) if
                  hasattr(self, 'cmd_' + args[0]) else 'Unrecognized command')
            return 0
        if method is None:
            return self._run(cmd, *args)
        return method(*args)

    def _environment(self) -> Dict[str, str]:
        return dict(os.environ, THESPIAN_DIRECTOR_DIR=self.sources_dir)

    def _run(self, *args: Any) -> int:
        """Run tds-director, with this process's own output streams, whatever they are."""
        words = [_tool('tds-director')] + ['verbose'] * self._verbose + [str(arg) for arg in args]
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            sys.stdout.fileno(), sys.stderr.fileno()
        except (OSError, ValueError, AttributeError):
            done = subprocess.run(words, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  encoding='utf-8', errors='backslashreplace', check=False)
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            return done.returncode
        return subprocess.call(words, env=self._environment(), stdout=sys.stdout, stderr=sys.stderr)

    # --- commands

    def cmd_config(self) -> int:
        """Print the configuration that is in force."""
        return self._run('config')

    def cmd_avail(self) -> int:
        """List what can be loaded: the packages of each group, newest first, with their MD5 sums."""
        return self._run('avail')

    def cmd_gensrc(self, group_name: str, private_keyfile: str, inpsrc_dir: str, *srcs: str) -> int:
        """Pack and sign a loadable source, and write it to the director directory.

        group_name       the group that the package is for
        private_keyfile  the private key that signs it
        inpsrc_dir       the folder that the sources are in
        srcs             first the options "version:V" ("version:date": the present time), "deps:FILE",
                         "tli:FILE" and "fmt:FMT"; then the sources, which may be patterns
        """
        return self._run('gensrc', group_name, private_keyfile, inpsrc_dir, *srcs)

    def cmd_tlsinfo(self, tlsfname: str, contents_or_extract_name: Optional[str] = None) -> int:
        """Verify a package and say which key validates it.

        With "contents" as the second operand its members are listed; with the name of a member that is
        printed.
        """
        return self._run('tlsinfo', tlsfname, *_given(contents_or_extract_name))

    def cmd_start(self, and_wait: Any = False) -> int:
        """Start the system where it does not run, and load the newest package of each group.

        With an operand, stay until the system ends.
        """
        return self._run('start', *(['wait'] if and_wait else []))

    def cmd_shutdown(self) -> int:
        """End the system, with all its actors."""
        return self._run('shutdown')

    def cmd_bootstart(self, name: Optional[str] = None, nostart: Any = None) -> int:
        """Have the system started when the machine starts.

        name is that of the service; with a second operand it is only written and enabled, not started.
        """
        return self._run('bootstart', *_given(name or ('' if nostart else None)), *(['nostart'] if nostart else []))

    def cmd_load(self, group_or_file: str) -> int:
        """Load the newest package of a group, or one package file, and make it the active source.

        The system is started where it does not run. The package is loaded only if a key validates it.
        """
        return self._run('load', group_or_file)

    def cmd_refresh(self) -> int:
        """Load the newest package of every group, where it is not active already."""
        return self._run('refresh')

    def cmd_unload(self, source_hash: str) -> int:
        """Unload a source, by its hash, and end its actors.

        Where it was the active one of its group, the highest version still loaded becomes active again.
        """
        return self._run('unload', source_hash)

    def cmd_list(self, group: Optional[str] = None) -> int:
        """List the loaded sources and their actors, of one group or of all."""
        return self._run('list', *_given(group))

    # --- for programs

    def get_role_address(self, role: str, group: Optional[str] = None, silent: bool = False) -> Optional[dict]:
        """The actor that has a role in an active source, of a group or of any.

        Shape:   a dictionary with DirectorResponse, Success, Group, SourceHash, ActorClass, Role,
                 StartTime and ActorAddress, an address; None where there is none, which is said on
                 standard error unless silent.
        """
        done = subprocess.run([_tool('tds-admin'), '-j', '--group', group or '', '--', 'role', role],
                              env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = {}
        if done.returncode == 0 and answer.get('Success'):
            answer['ActorAddress'] = ActorAddress(answer['ActorAddress']['ActorAddress'])
            return answer
        if not silent:
            sys.stderr.write('RoleAddress ERROR: %s\n' % {
                'DirectorResponse': 'RoleAddress', 'Success': False, 'Group': group, 'SourceHash': None,
                'ActorClass': None, 'Role': role, 'ActorAddress': None})
        return None

    @property
    def asys(self) -> ActorSystem:
        """The actor system, which is started where it does not run."""
        if self._asys is None:
            port = {} if self.admin_port is None else {'Admin Port': self.admin_port}
            os.environ.setdefault('THESPIAN_DIRECTOR_DIR', self.sources_dir)
            self._asys = ActorSystem(self.system_base or 'tdsLocalBase', port)
        return self._asys

    @property
    def director(self) -> ActorAddress:
        """The address of the Director."""
        return self.asys.createActor(Director, globalName='Director')


def _given(value: Any) -> List[str]:
    return [] if value is None else [str(value)]


# --- versions -----------------------------------------------------------------------------------

@functools.total_ordering
class _Part:
    """A run of digits or of other characters of a version. Called, it gives its value; numbers come first."""

    def __init__(self, text: str) -> None:
        self._value = int(text) if text.isdecimal() else text
        self._key: Tuple[bool, Any] = (not isinstance(self._value, int), self._value)

    def __call__(self) -> Any:
        return self._value

    def __str__(self) -> str:
        return str(self._value)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Part) and self._key == other._key

    def __lt__(self, other: '_Part') -> bool:
        return self._key < other._key

    __hash__ = None  # type: ignore[assignment]


class GroupLoadableFiles:
    """The files of a group, as programs that sort them know them."""

    info_suffix = '.tli'
    src_suffix = '.tls'

    @staticmethod
    def versionExtract(baseName: str, extension: str = '.tls') -> Callable[[str], List[_Part]]:
        """A function from a file's name to the parts of its version, for sorting: [] for other groups."""
        def parts(name: str) -> List[_Part]:
            name = os.path.basename(name)
            if not name.startswith(baseName):
                return []
            version = name[len(baseName):-len(extension) if name.endswith(extension) else None]
            return [_Part(text) for text in re.findall('[0-9]+|[^0-9]+', version)]
        return parts


if __name__ == '__main__':
    sys.exit(DirectorControl()(*sys.argv[1:]))
