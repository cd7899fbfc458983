# SPDX-License-Identifier: MIT
"""The distributions whose metadata a source carries, for importlib.metadata: versions, entry points, files."""
import importlib.metadata
import re
from typing import Any, Iterator, Optional

from tdshost.source.archive import Source
from tdshost.source.resources import Resource


class SourceDistribution(importlib.metadata.Distribution):
    """One dist-info or egg-info folder of a source, at the top of its archive."""

    def __init__(self, source: Source, folder: str) -> None:
        self._source = source
        self._folder = folder

    def read_text(self, filename: Any) -> Optional[str]:
        """A file of the folder, or None where there is none."""
        try:
            return self._source.read('%s/%s' % (self._folder, filename)).decode()
        except FileNotFoundError:
            return None

    def locate_file(self, path: Any) -> Any:
        """A file that the record names, as importlib.resources has files; it need not be there."""
        return Resource(self._source, str(path))


def _alike(name: str) -> str:
    """The form in which the names of one distribution are equal."""
    return re.sub('[-_.]+', '-', name).lower()


def find(source: Source, context: Any) -> Iterator[SourceDistribution]:
    """Those that are called context.name, all without one; none where only a path of its own is searched."""
    asked = vars(context) if context is not None else {}
    if asked.get('path') is not None:
        return
    folders = {name.partition('/')[0] for name in source.files if '/' in name}
    for folder in sorted(folders):
        name, _, kind = folder.rpartition('.')
        if kind in ('dist-info', 'egg-info') and \
                (asked.get('name') is None or _alike(asked['name']) == _alike(name.partition('-')[0])):
            yield SourceDistribution(source, folder)
