"""The anchor record: one small dag-json block that commits to all a log had to show.

    version          1
    log              origin of the log, as in the checkpoint
    checkpoint       the signed note, whole
    previous         CID of the record before, as text; null in a log's first record
    didDocuments     {DID: link}, each to one raw block with the document's bytes
    statusLists      {URL: link}
    suspensionLists  {URL: CID as text}
    tiles            {path below the log's prefix: link}, those new since `previous`

A link `{"/": CID}` is followed by whoever pins the record, a CID as text is not: pinning
one record must not pin all history, nor keep a lifted suspension for ever.

The SHA-256 of the record's bytes is what goes on chain. So the bytes have one spelling,
they are verified as received, and they are never encoded again.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anchoring.checkpoint import Checkpoint, parse_checkpoint_text
from anchoring.note import SignedNote
from primitives.canonical_json import Json, JsonObject, NotCanonicalizable, canonicalize
from primitives.errors import Malformed
from primitives.hashing import DIGEST_BYTES, Digest, sha256
from primitives.strict_json import JsonMalformed, parse_json

MAX_RECORD_BYTES = 1024 * 1024
"""Largest record: what every IPFS node passes on as a single block."""

MAX_NAME_CHARACTERS = 2048
"""Longest DID, URL or tile path that a record may link."""

_MAX_TILE_LINK_BYTES = 120
"""Of a tile's link with its path, as JSON, in a log of up to 2**58 entries."""

_ENTRIES_PER_TILE = 127
"""256 entries need a bundle and a hash tile, and a little over for the levels above."""

_ODD_TILES = 18
"""Begun or partial ones, at both ends of each level of tiles and of the bundles."""

# A link takes four values and over 75 bytes, so this never binds before the bytes do.
_MAX_RECORD_NODES = MAX_RECORD_BYTES // 16

RECORD_VERSION = 1

_RAW = bytes.fromhex("01551220")
_DAG_JSON = bytes.fromhex("01a9021220")
"""CIDv1, codec 0x0129 as a varint, then a SHA-256 multihash."""

_FIELDS = frozenset(
    (
        "version",
        "log",
        "checkpoint",
        "previous",
        "didDocuments",
        "statusLists",
        "suspensionLists",
        "tiles",
    )
)
_NAME = re.compile(r"[!-~]+")


class RecordMalformed(Malformed):
    """The bytes are not an anchor record in its one spelling."""

    code = "record-malformed"


class CidMalformed(Malformed):
    """The text is not a CID of the kinds that Patunay reads, in its one spelling."""

    code = "cid-malformed"


@dataclass(frozen=True, slots=True)
class RecordLink:
    """One document or tile that a record commits to."""

    name: str
    """DID, URL, or path below the log's prefix."""

    digest: Digest
    """SHA-256 of its exact bytes."""

    pinned: bool
    """False where whoever pins the record does not keep these bytes alive."""

    @property
    def cid(self) -> str:
        """CID of the single raw block that holds the bytes."""
        return _cid(_RAW, self.digest)


@dataclass(frozen=True, slots=True)
class AnchorRecord:
    """A record taken apart. Neither its checkpoint nor its links have been verified."""

    log: str
    """Origin of the checkpoint."""

    checkpoint: str
    """The signed note."""

    previous: str | None
    """CID of the record before; of another log where this one succeeds it."""

    did_documents: tuple[RecordLink, ...]
    """All that were current, by DID. Names ascend, here and below."""

    status_lists: tuple[RecordLink, ...]
    """All revocation lists that were current, by URL."""

    suspension_lists: tuple[RecordLink, ...]
    """All suspension lists that were current, by URL; committed to, not pinned."""

    tiles: tuple[RecordLink, ...]
    """Hash tiles and entry bundles that are new since `previous`, by path."""

    @property
    def links(self) -> tuple[RecordLink, ...]:
        """All that the record commits to, beside its checkpoint and `previous`."""
        return self.did_documents + self.status_lists + self.suspension_lists + self.tiles


def build_record(
    *,
    checkpoint: str,
    previous: str | None,
    did_documents: Mapping[str, bytes],
    status_lists: Mapping[str, bytes],
    tiles: Mapping[str, bytes],
    suspension_lists: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return the bytes of the record that commits to all of these.

    Args:
        checkpoint: The signed note.
        previous: `record_cid` of the record before, or None in a log's first.
        did_documents: Exact bytes of every current DID document, by DID.
        status_lists: Exact bytes of every current revocation list, by URL.
        tiles: Exact bytes of every hash tile and entry bundle that is new, by path.
        suspension_lists: Exact bytes of every current suspension list, by URL.

    Raises:
        RecordMalformed: Over `MAX_RECORD_BYTES`, or a name that no record may hold.
        NoteMalformed: `checkpoint` is not a signed checkpoint.
        CidMalformed: `previous` is not a record's CID.
    """
    suspended = {} if suspension_lists is None else suspension_lists
    raw = canonicalize(
        {
            "version": RECORD_VERSION,
            "log": _checkpoint_in(checkpoint).origin,
            "checkpoint": checkpoint,
            "previous": previous,
            "didDocuments": _links_to(did_documents),
            "statusLists": _links_to(status_lists),
            "suspensionLists": {url: raw_cid(raw) for url, raw in suspended.items()},
            "tiles": _links_to(tiles),
        }
    )
    # What we would not read, we do not write.
    parse_record(raw)
    return raw


def entries_within(room: int) -> int:
    """Return for how many new entries the links to their tiles fit into `room` bytes.

    Whatever the sizes before and after are; 0 or less if that is true of none.
    """
    return (room // _MAX_TILE_LINK_BYTES - _ODD_TILES) * _ENTRIES_PER_TILE


def parse_record(raw: bytes) -> AnchorRecord:
    """Return the record in `raw`, of which neither checkpoint nor links are verified.

    Raises:
        RecordMalformed: Over `MAX_RECORD_BYTES`, not byte-equal to its canonical form, a
            field or version that is unknown, or a value that breaks its field's rule.
        NoteMalformed: The checkpoint is not a signed checkpoint.
        CidMalformed: A link or `previous` is not a CID as records hold them.
    """
    value = _canonical_object(raw)
    if value.keys() != _FIELDS:
        odd = ", ".join(sorted(value.keys() ^ _FIELDS))
        raise RecordMalformed(f"fields that are missing or unknown: {odd[:200]}")
    version = value["version"]
    if version != RECORD_VERSION or isinstance(version, bool):
        raise RecordMalformed(f"found version {version!r:.24}, want {RECORD_VERSION}")
    checkpoint = _text(value["checkpoint"], "checkpoint")
    origin = _checkpoint_in(checkpoint).origin
    if value["log"] != origin:
        raise RecordMalformed(f"found log {value['log']!r:.64}, want {origin!r:.64}")
    return AnchorRecord(
        log=origin,
        checkpoint=checkpoint,
        previous=_previous(value["previous"]),
        did_documents=_links(value, "didDocuments", _is_did),
        status_lists=_links(value, "statusLists", _is_url),
        suspension_lists=_links(value, "suspensionLists", _is_url),
        tiles=_links(value, "tiles", _is_tile),
    )


def record_digest(raw: bytes) -> Digest:
    """Return the SHA-256 of a record's bytes: the one number that goes on chain."""
    return sha256(raw)


def record_cid(raw: bytes) -> str:
    """Return the CID of a record's bytes: CIDv1, dag-json, SHA-256, base32."""
    return digest_cid(record_digest(raw))


def digest_cid(digest: Digest) -> str:
    """Return the CID of the record whose digest stands in a chain."""
    return _cid(_DAG_JSON, digest)


def raw_cid(block: bytes) -> str:
    """Return the CID of one raw block: CIDv1, raw, SHA-256, base32."""
    return _cid(_RAW, sha256(block))


def cid_digest(cid: str) -> Digest:
    """Return the SHA-256 in the CID of a raw block or of a record.

    Raises:
        CidMalformed: Any other version, codec, hash or base, or another spelling.
    """
    for prefix in (_RAW, _DAG_JSON):
        digest = _digest_under(prefix, cid)
        if digest is not None:
            return digest
    raise _other_cid(cid, "raw or dag-json")


def cid_bytes(cid: str) -> bytes:
    """Return the binary form of the CID of a raw block or of a record.

    Raises:
        CidMalformed: As `cid_digest`.
    """
    digest = cid_digest(cid)
    prefix = _RAW if _cid(_RAW, digest) == cid else _DAG_JSON
    return prefix + digest


def cid_text(binary: bytes) -> str:
    """Return the text form of the binary CID of a raw block or of a record.

    Raises:
        CidMalformed: Any other version, codec or hash, or another length.
    """
    for prefix in (_RAW, _DAG_JSON):
        digest = binary.removeprefix(prefix)
        if len(digest) == DIGEST_BYTES and len(binary) == DIGEST_BYTES + len(prefix):
            return _cid(prefix, Digest(digest))
    raise _other_cid(binary.hex(), "raw or dag-json")


def is_record_cid(cid: str) -> bool:
    """Tell whether a CID names a record, and not a raw block."""
    return _digest_under(_DAG_JSON, cid) is not None


def _cid(prefix: bytes, digest: Digest) -> str:
    return "b" + base64.b32encode(prefix + digest).decode().rstrip("=").lower()


def _digest_under(prefix: bytes, cid: str) -> Digest | None:
    """Return the digest if `cid` is one with this prefix, in its one spelling."""
    digits = cid[1:].upper()
    try:
        decoded = base64.b32decode(digits + "=" * (-len(digits) % 8))
    except ValueError:
        return None
    digest = Digest(decoded[len(prefix) :])
    # Written anew, it must be the same: that also proves prefix, length and case.
    return digest if len(digest) == DIGEST_BYTES and _cid(prefix, digest) == cid else None


def _other_cid(found: object, codec: str) -> CidMalformed:
    return CidMalformed(
        f"found {found!r:.80}, want a base32 CIDv1 of a SHA-256 digest, {codec}"
    )


def _canonical_object(raw: bytes) -> JsonObject:
    try:
        value = parse_json(raw, MAX_RECORD_BYTES, max_nodes=_MAX_RECORD_NODES)
        canonical = canonicalize(value)
    except (JsonMalformed, NotCanonicalizable) as e:
        raise RecordMalformed(f"record: {e}") from e
    if not isinstance(value, dict):
        raise RecordMalformed(f"found {type(value).__name__}, want a JSON object")
    if canonical != raw:
        raise RecordMalformed("the bytes are not the canonical form of what they say")
    return value


def _checkpoint_in(note: str) -> Checkpoint:
    return parse_checkpoint_text(SignedNote.parse(note).text)


def _text(value: Json, field: str) -> str:
    if not isinstance(value, str):
        raise RecordMalformed(f"{field}: found {type(value).__name__}, want text")
    return value


def _previous(value: Json) -> str | None:
    if value is None:
        return None
    cid = _text(value, "previous")
    if _digest_under(_DAG_JSON, cid) is None:
        raise _other_cid(cid, "dag-json")
    return cid


def _links_to(blocks: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    return {name: {"/": raw_cid(block)} for name, block in blocks.items()}


def _links(
    record: JsonObject, field: str, is_name: Callable[[str], bool]
) -> tuple[RecordLink, ...]:
    table = record[field]
    if not isinstance(table, dict):
        raise RecordMalformed(f"{field}: found {type(table).__name__}, want an object")
    pinned = field != "suspensionLists"
    links: list[RecordLink] = []
    for name, value in table.items():
        plain = len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name)
        if not plain or not is_name(name):
            raise RecordMalformed(f"{field}: found name {name!r:.80}")
        links.append(RecordLink(name, _linked_digest(value, pinned=pinned), pinned))
    return tuple(links)


def _linked_digest(value: Json, *, pinned: bool) -> Digest:
    if pinned:
        if not isinstance(value, dict) or value.keys() != {"/"}:
            raise RecordMalformed(f"found {value!r:.80}, want a link")
        value = value["/"]
    digest = _digest_under(_RAW, value) if isinstance(value, str) else None
    if digest is None:
        raise _other_cid(value, "raw")
    return digest


def _is_did(name: str) -> bool:
    return name.startswith("did:")


def _is_url(name: str) -> bool:
    return name.startswith(("https://", "http://"))


def _is_tile(name: str) -> bool:
    return name.startswith("tile/")
