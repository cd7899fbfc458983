# SPDX-License-Identifier: MIT
"""The sources of a system within a program: brought by anybody, valid once its authority says so."""
import hashlib
import logging
import os
from typing import Any, Dict, List, Optional

from tdshost.inprocess.engine import SYSTEM, Engine
from tdshost.source import sourceloader, usersource
from tdshost.source.classes import Classes
from tdshost.wire.process import sealed_file
from tdshost.words.address import ActorAddress
from tdshost.words.messages import LoadedSource, UnloadedSource, ValidatedSource, ValidateSource

log = logging.getLogger('tds.host')


class ProgramClasses(Classes):
    """Classes as a program has them: what stands for one will do, a mock say."""

    is_class = staticmethod(callable)


class Loaded:
    """A valid source, and what it said of itself."""

    def __init__(self, source: sourceloader.Source, info: str) -> None:
        self.source = source
        self.info = info


class Library:
    """The sources, the authority, and who wants to be told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.loaded: Dict[str, Loaded] = {}
        self.pending: Dict[str, str] = {}  # those that the authority was asked about: hash, info
        self.authority: Optional[ActorAddress] = None
        self._watchers: List[ActorAddress] = []

    def load(self, given: Any) -> str:
        """Have a source looked at by the authority; its hash at once. Errors: OSError, and what read() raises."""
        data, info = usersource.read(given)
        source_hash = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if source_hash in self.loaded:
            return source_hash
        if self.authority is None:
            log.warning('source %s is of no use: no authority says whether it is valid', source_hash)
        else:
            self.pending[source_hash] = info
            self._send(self.authority, ValidateSource(source_hash, data, info))
        return source_hash

    def answer(self, message: ValidatedSource, sender: ActorAddress) -> None:
        """What the authority says of a source; nobody else is heard. What is no archive counts as refused."""
        if sender != self.authority or self.pending.pop(message.sourceHash, None) is None \
                or not message.sourceZip:
            return
        source_hash, info = message.sourceHash, str(message.sourceInfo)
        try:
            fd = sealed_file(bytes(message.sourceZip))
            try:
                source = sourceloader.Source(fd, source_hash)
            finally:
                os.close(fd)
        except Exception as error:
            log.error('what the authority gave for source %s is no archive: %s', source_hash, error)
            return
        sourceloader.attach(source)
        self.loaded[source_hash] = Loaded(source, info)
        for watcher in self._watchers:
            self._send(watcher, LoadedSource(source_hash, info))

    def unload(self, source_hash: Any) -> None:
        """Give a source up. Its actors live on, but can import no more of it."""
        loaded = self.loaded.pop(source_hash, None)
        if loaded is None:
            return
        sourceloader.detach(loaded.source)
        for watcher in self._watchers:
            self._send(watcher, UnloadedSource(source_hash, loaded.info))

    def watch(self, address: ActorAddress, on: bool) -> None:
        """Tell an actor of the sources that there are, and of each that comes or goes; or no longer."""
        if not on:
            self._watchers = [each for each in self._watchers if each != address]
        elif address not in self._watchers:
            self._watchers.append(address)
            for source_hash, loaded in self.loaded.items():
                self._send(address, LoadedSource(source_hash, loaded.info))

    def forget(self, address: ActorAddress) -> None:
        """An actor is gone."""
        self.watch(address, False)
        if self.authority == address:
            self.authority = None

    def _send(self, target: ActorAddress, message: Any) -> None:
        self._engine.queue.append((target.addressDetails, message, SYSTEM))
