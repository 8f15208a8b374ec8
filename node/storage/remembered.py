"""What was read of the database, for as long as nobody has changed anything in it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from node.storage.store import LookupReader

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, all of one version of the database: with the next, none is kept."""

    def __init__(self, most: int) -> None:
        """Remember nothing yet, and at most so many."""
        self._most = most
        self._version: Hashable = None
        self._kept: OrderedDict[K, V] = OrderedDict()

    async def get(self, c: LookupReader, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """Return what `read` gives in the snapshot of `c`, or gave in an equal one.

        Where the store tells no versions, that is what it gives now.
        """
        version = await c.version()
        if version is None:
            return await read()
        if version != self._version:
            self._kept.clear()
            self._version = version
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        value = await read()
        # Others may have asked meanwhile, of a later state.
        if version == self._version:
            self._kept[key] = value
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)
