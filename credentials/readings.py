"""What documents say; of those that come back, read once.

What a pure function says of a document depends on the document alone. So it may be kept,
by the digest of the document exactly as it was read; whether it holds is asked each time.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from credentials.data_integrity import Proof, Recurring, parse_proofs
from credentials.evidence import Obtained
from credentials.model import Credential, parse_credential
from did.document import DidDocument, parse_did_document
from primitives.canonical_json import JsonObject
from primitives.errors import PatunayError

if TYPE_CHECKING:  # not every issuer has one
    from did.history import DidHistory

T = TypeVar("T")

MAX_KNOWN: Final = 16
"""Status lists that are remembered as they were read, DID documents, and histories of
keys. Each has 2 MiB at most."""


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


class Read(NamedTuple):
    """What a document says, or what is wrong with it."""

    credential: Credential | PatunayError
    proofs: tuple[Proof | PatunayError, ...] | PatunayError

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        found = (self.credential, *self.proofs) if isinstance(self.proofs, tuple) else ()
        return bool(found) and not any(isinstance(one, PatunayError) for one in found)


def read_document(document: JsonObject, purpose: str) -> Read:
    """Return what a document says of itself, and each proof that is made for `purpose`."""
    try:
        credential: Credential | PatunayError = parse_credential(document)
    except PatunayError as e:
        credential = e
    try:
        return Read(credential, parse_proofs(document, purpose))
    except PatunayError as e:
        return Read(credential, e)


def read_again(recurring: Recurring, purpose: str) -> Read:
    """Return the same as `read_document`; what is sound is remembered of some documents."""
    read = partial(read_document, recurring.document, purpose)
    return _known.get(purpose, recurring, read)


_known: Final = Remembered[Read](MAX_KNOWN, lambda read: read.is_sound)


def read_did_document(found: Obtained[JsonObject], did: str) -> DidDocument:
    """Return a DID document; whoever keeps its JSON has it read once.

    Raises:
        PatunayError: As `parse_did_document`.
    """
    recurring = recurring_of(found)
    if recurring is None:
        return parse_did_document(found.value, did)
    read = partial(parse_did_document, found.value, did)
    return _known_documents.get(did, recurring, read)


_known_documents: Final = Remembered[DidDocument](MAX_KNOWN)


def read_history(found: Obtained[JsonObject], issuer: str) -> "DidHistory":
    """Return a history in the same way: each of its events has a signature.

    Raises:
        PatunayError: As `parse_history`.
    """
    from did.history import parse_history  # noqa: PLC0415 - not every issuer has one

    recurring = recurring_of(found)
    if recurring is None:
        return parse_history(found.value, issuer)
    read = partial(parse_history, found.value, issuer)
    return _known_histories.get(issuer, recurring, read)


_known_histories: Final = Remembered["DidHistory"](MAX_KNOWN)
