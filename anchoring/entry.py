"""What a leaf of the log commits to: one kind byte and the digest of one document.

    entry = kind (1 byte) || SHA-256(JCS(document))

The kind keeps a document of one sort from being presented as another. There is no salt:
every logged document holds a signature, which no outsider can guess.
"""

from collections.abc import Mapping
from enum import IntEnum

from primitives.canonical_json import Json, canonicalize
from primitives.errors import Malformed
from primitives.hashing import DIGEST_BYTES, Digest, sha256

ENTRY_BYTES = 1 + DIGEST_BYTES


class EntryMalformed(Malformed):
    """The bytes are no log entry."""

    code = "entry-malformed"


class EntryKind(IntEnum):
    """The sorts of documents that are logged; a number never changes its meaning."""

    CREDENTIAL = 1
    """A credential exactly as issued, proof included."""

    STATUS_LIST = 2
    """A status list credential."""

    DID_DOCUMENT = 3

    KEY_EVENT = 4
    """A signed statement about a key, such as its compromise."""


def encode_entry(kind: EntryKind, document_digest: Digest) -> bytes:
    """Return the 33 bytes of an entry, from the SHA-256 of its document's JCS form."""
    if len(document_digest) != DIGEST_BYTES:
        raise EntryMalformed(
            f"digest has {len(document_digest)} bytes, want {DIGEST_BYTES}"
        )
    return bytes([kind]) + document_digest


def entry_of(kind: EntryKind, document: Mapping[str, Json]) -> bytes:
    """Return the 33 bytes of the entry of `document`, any proof in it included.

    Raises:
        NotCanonicalizable: `document` has no RFC 8785 form.
    """
    return encode_entry(kind, sha256(canonicalize(document)))


def decode_entry(raw: bytes) -> tuple[EntryKind, Digest]:
    """Return the kind and the document's digest.

    Raises:
        EntryMalformed: Not 33 bytes, or a kind that no version has defined.
    """
    if len(raw) != ENTRY_BYTES:
        raise EntryMalformed(f"entry has {len(raw)} bytes, want {ENTRY_BYTES}")
    try:
        kind = EntryKind(raw[0])
    except ValueError as e:
        raise EntryMalformed(f"found kind {raw[0]}, want 1 to {max(EntryKind):d}") from e
    return kind, Digest(raw[1:])
