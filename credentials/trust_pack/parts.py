"""What a pack holds beside its manifest: one JSON file for each thing.

    federation.json        who signs packs
    deny.json              keys and issuers that are not to be believed
    issuers/<n>.json       an issuer: DID document, history, scope, its log's key
    status/<n>.json        a status list, and when it was had
    checkpoints/<n>.json   the last checkpoint of a log, with all signatures
    anchors/<n>.json       an anchor as a chain showed it to the office

<n> is the first half of the SHA-256 of what the file is about, in hexadecimal, so that
nobody else chooses a name. The office attests all of it, and each part keeps its own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from anchoring.backend import AnchorReceipt
from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.note import MAX_NOTE_BYTES, VerifierKey
from anchoring.receipt import anchor_json, parse_anchor
from anchoring.record import parse_record, record_cid
from credentials.trust_pack.archive import PackMalformed
from credentials.trust_pack.manifest import FORMAT
from credentials.trust_pack.members import (
    array,
    document,
    instant,
    members_of,
    multikey,
    number,
    read_object,
    text,
    texts,
)
from credentials.trust_pack.rules import Denial
from did.document import parse_did_document
from did.history import parse_history
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.encodings import decode_base64, encode_base64
from primitives.errors import PatunayError
from primitives.hashing import sha256
from primitives.instants import format_instant

DENY: Final = "deny.json"
FEDERATION: Final = "federation.json"
_MAX_SCOPE: Final = 64
_MAX_DENIED: Final = 10_000
_MAX_DEPTH: Final = 2**53 - 1


class Part(Protocol):
    """A thing that a pack holds as a file of its own."""

    @property
    def file_name(self) -> str:
        """Its place in the archive, worked out from what it is about."""
        ...

    def to_bytes(self) -> bytes:
        """Return the file."""
        ...


def part_name(folder: str, subject: str) -> str:
    """Return the name of the file in `folder` that is about `subject`."""
    return f"{folder}/{sha256(subject.encode()).hex()[:32]}.json"


@dataclass(frozen=True, slots=True)
class IssuerPart:
    """An issuer that the office knows."""

    did: str
    name: str
    """By which the office knows it."""

    scope: tuple[str, ...]
    """Award types that it is recognised for: ascending; empty means all."""

    first_seen: datetime
    last_seen: datetime
    """When its documents were had last."""

    source: str
    """URL of the DID document."""

    document: JsonObject = field(repr=False)
    history: JsonObject | None = field(repr=False)
    """`did-history.json`; None where the issuer publishes none."""

    vkey: str | None
    """C2SP verifier key of its log; None where it has none."""

    @property
    def file_name(self) -> str:
        """By the DID."""
        return part_name("issuers", self.did)

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonicalize(
            {
                "format": FORMAT,
                "did": self.did,
                "name": self.name,
                "scope": list(self.scope),
                "firstSeen": format_instant(self.first_seen),
                "lastSeen": format_instant(self.last_seen),
                "source": self.source,
                "document": self.document,
                "history": self.history,
                "vkey": self.vkey,
            }
        )

    @classmethod
    def parse(cls, raw: bytes, name: str) -> "IssuerPart":
        """Return the issuer in a file; its document and history hold together.

        Raises:
            PackMalformed: Of another form, or the DID document or history of none.
        """
        wanted = ("did", "name", "scope", "firstSeen", "lastSeen", "source")
        found = _read(raw, name, *wanted, "document", "history", "vkey")
        part = cls(
            did=text(found, "did"),
            name=text(found, "name"),
            scope=texts(found, "scope", _MAX_SCOPE),
            first_seen=instant(found, "firstSeen"),
            last_seen=instant(found, "lastSeen"),
            source=text(found, "source"),
            document=document(found, "document"),
            history=None if found["history"] is None else document(found, "history"),
            vkey=None if found["vkey"] is None else text(found, "vkey"),
        )
        try:
            parse_did_document(part.document, part.did)
            if part.history is not None:
                parse_history(part.history, part.did)
            if part.vkey is not None:
                VerifierKey.parse(part.vkey)
        except PatunayError as e:
            raise PackMalformed(f"{name}: {e}") from e
        return part


@dataclass(frozen=True, slots=True)
class StatusPart:
    """A status list credential. Whether its issuer has signed it, the judge finds out."""

    url: str
    obtained_at: datetime
    document: JsonObject = field(repr=False)

    @property
    def file_name(self) -> str:
        """By the URL."""
        return part_name("status", self.url)

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonicalize(
            {
                "format": FORMAT,
                "url": self.url,
                "obtainedAt": format_instant(self.obtained_at),
                "document": self.document,
            }
        )

    @classmethod
    def parse(cls, raw: bytes, name: str) -> "StatusPart":
        """Return the list in a file.

        Raises:
            PackMalformed: Of another form.
        """
        found = _read(raw, name, "url", "obtainedAt", "document")
        return cls(
            text(found, "url"), instant(found, "obtainedAt"), document(found, "document")
        )


@dataclass(frozen=True, slots=True)
class CheckpointPart:
    """The newest checkpoint of a log; its key's signature holds."""

    vkey: str
    obtained_at: datetime
    note: str = field(repr=False)
    """The whole note, with the signatures of witnesses."""

    checkpoint: Checkpoint = field(init=False)

    def __post_init__(self) -> None:
        """Open the note, so that no part is about another log than it says."""
        key = VerifierKey.parse(self.vkey)
        object.__setattr__(self, "checkpoint", open_checkpoint(self.note, key))

    @property
    def file_name(self) -> str:
        """By the log's key."""
        return part_name("checkpoints", self.vkey)

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonicalize(
            {
                "format": FORMAT,
                "vkey": self.vkey,
                "obtainedAt": format_instant(self.obtained_at),
                "note": self.note,
            }
        )

    @classmethod
    def parse(cls, raw: bytes, name: str) -> "CheckpointPart":
        """Return the checkpoint in a file.

        Raises:
            PackMalformed: Of another form, or not signed by the log's key.
        """
        found = _read(raw, name, "vkey", "obtainedAt", "note")
        note = found["note"]
        if not isinstance(note, str) or len(note) > MAX_NOTE_BYTES:
            raise PackMalformed(f"{name}: want a text as note")
        try:
            return cls(text(found, "vkey"), instant(found, "obtainedAt"), note)
        except PackMalformed:
            raise
        except PatunayError as e:
            raise PackMalformed(f"{name}: {e}") from e


@dataclass(frozen=True, slots=True)
class AnchorPart:
    """An anchor that the office has seen in a chain, at an endpoint of its own choice."""

    record: bytes = field(repr=False)
    """Of the anchor record, exactly: it says how far the log went by then."""

    obtained_at: datetime
    depth: int
    """Blocks on top of it then, its own included."""

    anchor: AnchorReceipt
    """With the block's header and the proof, where the node had them."""

    @property
    def cid(self) -> str:
        """CID of the record."""
        return record_cid(self.record)

    @property
    def file_name(self) -> str:
        """By chain and transaction."""
        chain = self.anchor.contract.rpartition(":")[0]
        return part_name("anchors", f"{chain}:{self.anchor.transaction}")

    def to_bytes(self) -> bytes:
        """Return the file."""
        return canonicalize(
            {
                "format": FORMAT,
                "record": encode_base64(self.record),
                "obtainedAt": format_instant(self.obtained_at),
                "depth": self.depth,
                "anchor": anchor_json(self.anchor),
            }
        )

    @classmethod
    def parse(cls, raw: bytes, name: str) -> "AnchorPart":
        """Return the anchor in a file.

        Raises:
            PackMalformed: Of another form.
        """
        found = _read(raw, name, "record", "obtainedAt", "depth", "anchor")
        depth, written = number(found, "depth", 1, _MAX_DEPTH), found["record"]
        if not isinstance(written, str):
            raise PackMalformed(f"{name}: want a text as record")
        try:
            anchor, record = parse_anchor(found["anchor"]), decode_base64(written)
            parse_record(record)
        except PatunayError as e:
            raise PackMalformed(f"{name}: {e}") from e
        return cls(record, instant(found, "obtainedAt"), depth, anchor)


@dataclass(frozen=True, slots=True)
class DenyList:
    """Keys and issuers that are not to be believed any more."""

    keys: Mapping[str, Denial] = field(default_factory=dict)
    """By Multikey."""

    issuers: Mapping[str, Denial] = field(default_factory=dict)
    """By DID."""

    file_name: str = field(default=DENY, init=False)

    def to_bytes(self) -> bytes:
        """Return `deny.json`."""
        return canonicalize(
            {
                "format": FORMAT,
                "keys": _denials("key", self.keys),
                "issuers": _denials("did", self.issuers),
            }
        )

    @classmethod
    def parse(cls, raw: bytes) -> "DenyList":
        """Return what `deny.json` holds.

        Raises:
            PackMalformed: Of another form.
        """
        found = _read(raw, DENY, "keys", "issuers")
        keys = _parse_denials(found, "keys", "key")
        for key in keys:
            multikey({"key": key}, "key")
        return cls(keys, _parse_denials(found, "issuers", "did"))


def _denials(member: str, denials: Mapping[str, Denial]) -> list[Json]:
    return [
        {
            member: subject,
            "reason": denials[subject].reason,
            "since": _instant_or_null(denials[subject].since),
        }
        for subject in sorted(denials)
    ]


def _instant_or_null(time: datetime | None) -> str | None:
    return None if time is None else format_instant(time)


def _parse_denials(found: JsonObject, name: str, member: str) -> dict[str, Denial]:
    denials: dict[str, Denial] = {}
    for item in array(found, name, _MAX_DENIED):
        one = members_of(item, name, (member, "reason", "since"))
        since = None if one["since"] is None else instant(one, "since")
        subject = text(one, member)
        if subject in denials:
            raise PackMalformed(f"{name}: found {subject[:80]!r} twice")
        denials[subject] = Denial(text(one, "reason"), since)
    if list(denials) != sorted(denials):
        raise PackMalformed(f"{name}: want them ascending")
    return denials


def _read(raw: bytes, name: str, *members: str) -> JsonObject:
    found = read_object(raw, name, ("format", *members))
    number(found, "format", FORMAT, FORMAT)
    return found
