"""A disk that fails: what this process may still believe of it.

After a write or a sync has failed, the operating system may have forgotten what it was
given, and may say yes to the next sync all the same. So there is no second try: a process
that has met it writes nothing more to that disk, and ends. The next one starts from what
can be read, and writes that out anew (`node.storage.sqlite`).
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from primitives.errors import Undetermined

LOST_WRITES: Final = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV, errno.EREMOTEIO})
"""What the operating system says of a device that failed; a full disk is another matter."""


class StorageFailed(Undetermined):
    """The database, or another file of the node, could not be read or written.

    Nothing was half-written.
    """

    code = "storage-failed"
    hint = "check free space and permissions of the data directory, then try again"


class DiskFailed(StorageFailed):
    """The disk did not take what was written; the process that met this ends."""

    code = "storage-io-error"
    hint = "look at the disk and the system's log, start the node again, run `patunay fsck`"


class Disk:
    """The disk of a data directory, as one process has found it."""

    def __init__(self) -> None:
        self._failure: DiskFailed | None = None
        self._listeners: list[Callable[[], object]] = []

    @property
    def failure(self) -> DiskFailed | None:
        """What it failed with; None as long as it did not."""
        return self._failure

    def fail(self, failure: DiskFailed) -> None:
        """Note that it failed, from any thread; the first failure is what counts."""
        if self._failure is None:
            self._failure = failure
            for tell in self._listeners:
                tell()

    def require_sound(self) -> None:
        """Return if it has not failed.

        Raises:
            DiskFailed: It has.
        """
        if self._failure is not None:
            raise DiskFailed(f"nothing more is written after: {self._failure}")

    @contextmanager
    def listener(self, tell: Callable[[], object]) -> Iterator[None]:
        """Have `tell` called when it fails, from whatever thread; at once if it has."""
        self._listeners.append(tell)
        try:
            if self._failure is not None:
                tell()
            yield
        finally:
            self._listeners.remove(tell)
