"""JSON files of the node that are read again and again, parsed once for each change."""

import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final, NamedTuple

from credentials.data_integrity import Recurring
from primitives.strict_json import parse_json_object

MAX_KEPT: Final = 64
"""Files; a node has three for each issuer, and few status lists in use."""

MAX_KEPT_BYTES: Final = 256 * 1024
"""Largest file that is kept; a status list of the usual length has under 32 KiB."""

SETTLED_NS: Final = 2_000_000_000
"""Age from which a file's time tells it from every later one: file systems count time in
ticks, and two versions may be written within one."""


class _Version(NamedTuple):
    """What changes whenever a file is replaced or written to."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class ParsedFiles:
    """Reads files, and parses none twice that has not changed."""

    settled_ns = SETTLED_NS

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, tuple[_Version, Recurring]] = OrderedDict()

    def read(self, path: Path, max_bytes: int) -> Recurring:
        """Return the JSON object in a file, which the caller MUST NOT change.

        The same while the file is the same, so that its digest is made once.

        Raises:
            FileNotFoundError: There is no such file.
            JsonMalformed: As `parse_json_object`.
        """
        known = self._kept.get(path)
        if known is not None and known[0] == _version(os.stat(path)):  # noqa: PTH116 - a third of the time of Path.stat
            return known[1]
        with path.open("rb") as opened:
            version = _version(os.fstat(opened.fileno()))
            value = Recurring(parse_json_object(opened.read(max_bytes + 1), max_bytes))
        self._kept.pop(path, None)
        # The clock of the disk, which no `Clock` of the caller stands for.
        settled = time.time_ns() - max(version[2:]) > self.settled_ns
        if settled and version.size <= MAX_KEPT_BYTES:
            self._kept[path] = version, value
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        """Return how many files are kept."""
        return len(self._kept)


def _version(status: os.stat_result) -> _Version:
    return _Version(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
