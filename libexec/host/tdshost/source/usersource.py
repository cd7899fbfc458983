# SPDX-License-Identifier: MIT
"""Sources that an actor brings itself: what it asks of the admin, and what the admin tells it.

`send_control` is that of a link: an op, and descriptors that it does not keep.
"""
import hashlib
import io
import os
import zipfile
from typing import Any, Callable, Sequence, Tuple

from tdshost.wire.link import wire_text
from tdshost.wire.process import read_sealed, sealed_file
from tdshost.words.messages import LoadedSource, UnloadedSource, ValidatedSource, ValidateSource

SendControl = Callable[[dict, Sequence[int]], None]


def read(given: Any) -> Tuple[bytes, str]:
    """The bytes of a source, named by its path or by an object with read(), which is closed; and its name.

    Errors:  OSError, and what read() raises.
    """
    if not hasattr(given, 'read'):
        with open(given, 'rb') as stream:
            return stream.read(), str(given)
    data = given.read()
    name = str(getattr(given, 'name', given))
    if hasattr(given, 'close'):
        given.close()
    return data, name


def _send_file(send_control: SendControl, op: dict, data: bytes) -> None:
    fd = sealed_file(data)
    try:
        send_control(op, (fd,))
    finally:
        os.close(fd)


def load(send_control: SendControl, given: Any, max_bytes: int) -> str:
    """Ask for a source to be validated, and return its hash at once.

    Errors:  as of read(); ValueError: more than max_bytes.
    """
    data, name = read(given)
    if len(data) > max_bytes:
        raise ValueError('a source of %d bytes is too large (at most %d)' % (len(data), max_bytes))
    source_hash = hashlib.md5(data, usedforsecurity=False).hexdigest()
    _send_file(send_control, {'op': 'load', 'hash': source_hash, 'info': wire_text(name, 4096)}, data)
    return source_hash


def unload(send_control: SendControl, source_hash: Any) -> None:
    """Ask for a source to be given up."""
    send_control({'op': 'unload', 'hash': wire_text(str(source_hash), 4096)}, ())


def answer(send_control: SendControl, message: ValidatedSource) -> None:
    """Tell the admin what an authority says of a source. What is no archive counts as refused.

    Errors:  ValueError, with the reason.
    """
    data = message.sourceZip
    op = {'op': 'validated', 'hash': wire_text(str(message.sourceHash), 4096), 'archive': bool(data),
          'info': wire_text(str(message.sourceInfo), 4096)}
    if not data:
        send_control(op, ())
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)):
            pass
    except (zipfile.BadZipFile, TypeError, ValueError, NotImplementedError) as error:
        send_control(dict(op, archive=False), ())
        raise ValueError('what the authority gave for source %s is no archive: %s'
                         % (message.sourceHash, error)) from None
    _send_file(send_control, op, bytes(data))


def question(op: dict, fd: int) -> ValidateSource:
    """The message for the authority; fd stays the caller's. Errors: KeyError, OSError, ValueError."""
    data = read_sealed(fd) if os.fstat(fd).st_size else b''
    return ValidateSource(op['hash'], bytes(data), op['info'])


def notice(op: dict) -> Any:
    """The message for one that watches sources. Errors: KeyError."""
    return (LoadedSource if op['loaded'] else UnloadedSource)(op['hash'], op['info'])
