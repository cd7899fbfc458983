# SPDX-License-Identifier: MIT
"""The run directory of an admin, and whether it may be believed: the rule of libcommon/director/rundir.c."""
import os
import pwd
import stat
from typing import Optional

from tdshost.words.errors import ActorSystemStartupFailure

ADMINUSER = 'adminuser.cfg'
CONFIG_MAX = 1 << 20  # bytes


class NotRunning(Exception):
    """No admin answers there."""


def open_rundir(directory: str) -> int:
    """An O_PATH descriptor of the run directory that a director directory has; the caller closes it.

    It belongs to root, to this process's user, to the owner of the director directory or to the user that
    adminuser.cfg names, and nobody else may write it.
    Errors:  NotRunning: there is none; ActorSystemStartupFailure: it is not to be believed.
    """
    path = _path(directory)
    try:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotRunning from None
    except OSError as error:
        raise ActorSystemStartupFailure('%s: %s' % (path, error.strerror)) from None
    try:
        _check(directory, path, os.fstat(fd))
        return os.dup(fd)
    except FileNotFoundError:  # the directory has just gone
        raise NotRunning from None
    finally:
        os.close(fd)


def _path(directory: str) -> str:
    try:
        with open(os.path.join(directory, 'rundir.cfg'), encoding='utf-8') as stream:
            path = stream.read(8192).strip()
    except FileNotFoundError:
        return os.path.join(directory, '.tds')
    except (OSError, ValueError) as error:
        raise ActorSystemStartupFailure('%s: %s' % (directory, error)) from None
    if not os.path.isabs(path) or any(c < ' ' or c == '\x7f' for c in path):
        raise ActorSystemStartupFailure('%s/rundir.cfg: is not one absolute path' % directory)
    return path


def _others_may_write(found: os.stat_result) -> bool:
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _check(directory: str, path: str, found: os.stat_result) -> None:
    """Errors: ActorSystemStartupFailure."""
    if _others_may_write(found):
        raise ActorSystemStartupFailure('%s: others may write it' % path)
    if found.st_uid in (0, os.geteuid(), os.stat(directory).st_uid):
        return
    if found.st_uid != _admin_uid(directory):
        raise ActorSystemStartupFailure('%s: belongs to another user (uid %d), whom %s does not name'
                                         % (path, found.st_uid, ADMINUSER))


def _admin_uid(directory: str) -> Optional[int]:
    """Whom adminuser.cfg names; None: there is no such file. Errors: ActorSystemStartupFailure."""
    path = os.path.join(directory, ADMINUSER)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ActorSystemStartupFailure('%s: %s' % (path, error.strerror)) from None
    with os.fdopen(fd, 'rb') as stream:
        home, found = os.stat(directory), os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, home.st_uid) or \
                _others_may_write(found) or _others_may_write(home):
            raise ActorSystemStartupFailure('%s: others may write it or its folder, so it does not count' % path)
        name = stream.read(CONFIG_MAX).strip().decode('utf-8', 'replace')
    try:
        return int(name) if name.isascii() and name.isdigit() else pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ActorSystemStartupFailure('%s: no such user: %s' % (path, name)) from None
