"""Documents that come back with others, as a status list comes with each credential.

What a pure function says of a document depends on the document alone. So it may be kept,
by the digest of the document exactly as it was read; whether it holds is asked each time.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from credentials.evidence import Obtained
from primitives.canonical_json import JsonObject
from primitives.hashing import sha256

T = TypeVar("T")


class Recurring:
    """A document that comes back, and its digest."""

    __slots__ = ("_digest", "document")

    def __init__(self, document: JsonObject) -> None:
        self.document = document
        """Not changed from now on."""

        self._digest = b""

    @property
    def digest(self) -> bytes:
        """Of the document exactly as it was read: it tells True from 1. Made once."""
        if not self._digest:
            self._digest = digest_exactly(self.document)
        return self._digest


class Remembered(Generic[T]):
    """What was read of some documents; the oldest goes first."""

    def __init__(self, most: int, is_kept: Callable[[T], bool] | None = None) -> None:
        self._most = most
        self._is_kept = is_kept
        self._known: OrderedDict[tuple[str, bytes], T] = OrderedDict()

    def get(self, name: str, recurring: Recurring, read: Callable[[], T]) -> T:
        """Return what `read` gives, or gave before.

        Args:
            name: What else it depends on, besides the document.
            recurring: The document.
            read: Pure. What it raises is not kept: an error grows each time.
        """
        by = name, recurring.digest
        known = self._known.get(by)
        if known is None:
            known = read()
            if self._is_kept is None or self._is_kept(known):
                self._known[by] = known
                if len(self._known) > self._most:
                    self._known.popitem(last=False)
        return known

    def __len__(self) -> int:
        """Return of how many documents something is kept."""
        return len(self._known)


def recurring_of(found: Obtained[JsonObject]) -> Recurring | None:
    """Return what was had with its digest, if that is known, and is of this very value."""
    known = found.recurring
    return known if known is not None and known.document is found.value else None


def digest_exactly(value: object) -> bytes:
    """Return the digest of a value, with the type of all that is in it."""
    return sha256(repr(value).encode("utf-8", "surrogatepass"))
