"""Who may sign the packs of a federation, and what a pack says of itself."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from anchoring.cosignature import (
    MAX_WITNESSES,
    WitnessKey,
    WitnessQuorum,
    WitnessQuorumInvalid,
)
from credentials.trust_pack.archive import MAX_PACK_BYTES, PackMalformed
from credentials.trust_pack.members import (
    array,
    instant,
    members_of,
    multikey,
    number,
    read_object,
    text,
    texts,
)
from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.ed25519 import Signature, Signer
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, PatunayError
from primitives.hashing import sha256
from primitives.instants import format_instant

FORMAT: Final = 1
MAX_KEYS: Final = 32
"""Keys of one federation, and signatures of one pack."""

FRESH: Final = timedelta(days=30)
"""A pack is used without remark for so long, unless its makers choose otherwise."""

USABLE: Final = timedelta(days=180)
"""And with a remark for so long."""

_MAX_VERSION: Final = 2**53 - 1
_SIGNED: Final = b"patunay trust pack 1\n"
"""Before the manifest's bytes, so that no signature over anything else fits."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CONTRACT: Final = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}")
_MANIFEST: Final = (
    "format",
    "federation",
    "version",
    "issued",
    "expires",
    "usableUntil",
    "previous",
    "files",
)


class FederationMalformed(Malformed):
    """The file that names a federation's keys is not of the documented form."""

    code = "federation-malformed"
    hint = "docs/trust-packs.md describes it"


@dataclass(frozen=True, slots=True)
class Federation:
    """Who signs packs together: the root of what a verifier believes offline."""

    name: str
    """Lower case, digits, `.` and `-`; at most 63 characters."""

    keys: tuple[str, ...]
    """Multikeys of Ed25519 keys; ascending, none twice."""

    threshold: int
    """How many of the keys have to sign; at least 1."""

    contracts: tuple[str, ...] = ()
    """CAIP-10 contracts whose events count; empty leaves that to the verifier's policy."""

    witnesses: WitnessQuorum | None = None
    """Whose cosignatures of checkpoints count; None leaves that to the trust file."""

    def __post_init__(self) -> None:
        """Refuse a federation that nobody, or anybody, could speak for."""
        if _ID.fullmatch(self.name) is None:
            raise FederationMalformed(f"found id {self.name[:64]!r}, want a plain name")
        if list(self.keys) != sorted(set(self.keys)) or len(self.keys) > MAX_KEYS:
            raise FederationMalformed(
                f"found {len(self.keys)} keys, want at most {MAX_KEYS}, each of them once"
            )
        if not 1 <= self.threshold <= len(self.keys):
            raise FederationMalformed(
                f"found threshold {self.threshold}, want 1 to {len(self.keys)}, its keys"
            )
        for contract in self.contracts:
            if _CONTRACT.fullmatch(contract) is None:
                raise FederationMalformed(f"found contract {contract[:80]!r}, want CAIP-10")

    def to_bytes(self) -> bytes:
        """Return `federation.json`."""
        return canonicalize(
            {
                "format": FORMAT,
                "id": self.name,
                "keys": list(self.keys),
                "threshold": self.threshold,
                "contracts": list(self.contracts),
                "witnesses": _quorum_json(self.witnesses),
            }
        )

    @classmethod
    def parse(cls, raw: bytes) -> "Federation":
        """Return what `federation.json` holds.

        Raises:
            FederationMalformed: Of another form.
        """
        wanted = ("format", "id", "keys", "threshold", "contracts", "witnesses")
        try:
            found = read_object(raw, "federation.json", wanted)
            number(found, "format", FORMAT, FORMAT)
            keys = array(found, "keys", MAX_KEYS)
            return cls(
                name=text(found, "id"),
                keys=tuple(multikey({"keys": key}, "keys") for key in keys),
                threshold=number(found, "threshold", 0, MAX_KEYS),
                contracts=texts(found, "contracts", MAX_KEYS),
                witnesses=_parse_quorum(found["witnesses"]),
            )
        except (PackMalformed, WitnessQuorumInvalid) as e:
            raise FederationMalformed(str(e)) from e


def _quorum_json(witnesses: WitnessQuorum | None) -> Json:
    if witnesses is None:
        return None
    keys: list[Json] = [*sorted(map(str, witnesses.keys))]
    return {"keys": keys, "threshold": witnesses.threshold}


def _parse_quorum(value: Json) -> WitnessQuorum | None:
    if value is None:
        return None
    found = members_of(value, "witnesses", ("keys", "threshold"))
    listed = texts(found, "keys", MAX_WITNESSES)
    try:
        keys = tuple(map(WitnessKey.parse, listed))
    except PatunayError as e:
        raise PackMalformed(f"witnesses: {e}") from e
    return WitnessQuorum(keys, number(found, "threshold", 0, MAX_WITNESSES))


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What the manifest says of one file."""

    sha256: str
    """Lower-case hexadecimal."""

    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says of itself; true only once enough keys have signed it."""

    federation: str
    version: int
    """From 1 on; each pack has a higher one than that before it."""

    issued: datetime
    expires: datetime
    """From then on, what is concluded from it carries a remark."""

    usable_until: datetime
    """From then on, nothing is concluded from it."""

    previous: str | None
    """`Manifest.digest` of the pack before; None in the first."""

    files: dict[str, FileEntry]
    """Every file but the manifest and the signatures, by name."""

    def __post_init__(self) -> None:
        """Refuse a period that makes no sense, and a chain without its beginning."""
        if not self.issued < self.expires <= self.usable_until:
            raise PackMalformed("want issued before expires, and that before usableUntil")
        if (self.version == 1) != (self.previous is None):
            raise PackMalformed(f"version {self.version}: previous is missing or too much")

    def to_bytes(self) -> bytes:
        """Return `manifest.json`."""
        files: JsonObject = {
            name: {"sha256": entry.sha256, "bytes": entry.size}
            for name, entry in self.files.items()
        }
        return canonicalize(
            {
                "format": FORMAT,
                "federation": self.federation,
                "version": self.version,
                "issued": format_instant(self.issued),
                "expires": format_instant(self.expires),
                "usableUntil": format_instant(self.usable_until),
                "previous": self.previous,
                "files": files,
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's bytes, in hexadecimal: the pack's name."""
        return sha256(self.to_bytes()).hex()

    @classmethod
    def parse(cls, raw: bytes) -> "Manifest":
        """Return what `manifest.json` says; nothing of it is verified.

        Raises:
            PackMalformed: Of another form.
        """
        found = read_object(raw, "manifest.json", _MANIFEST)
        number(found, "format", FORMAT, FORMAT)
        previous, files = found["previous"], found["files"]
        if previous is not None and not _is_digest(previous):
            raise PackMalformed("previous: want a SHA-256 in hexadecimal, or null")
        if not isinstance(files, dict):
            raise PackMalformed("files: want an object")
        return cls(
            federation=text(found, "federation"),
            version=number(found, "version", 1, _MAX_VERSION),
            issued=instant(found, "issued"),
            expires=instant(found, "expires"),
            usable_until=instant(found, "usableUntil"),
            previous=None if previous is None else str(previous),
            files={name: _entry(name, value) for name, value in files.items()},
        )


def _entry(name: str, value: Json) -> FileEntry:
    found = members_of(value, name, ("sha256", "bytes"))
    if not _is_digest(found["sha256"]):
        raise PackMalformed(f"{name}: want a SHA-256 in hexadecimal")
    return FileEntry(str(found["sha256"]), number(found, "bytes", 0, MAX_PACK_BYTES))


def _is_digest(value: Json) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def signed_bytes(manifest: bytes) -> bytes:
    """Return what the keys of a federation sign of a manifest's bytes."""
    return _SIGNED + manifest


def sign_manifest(manifest: bytes, signer: Signer) -> Signature:
    """Return the detached Ed25519 signature of a manifest's bytes."""
    return signer.sign(signed_bytes(manifest))


def write_signatures(signatures: dict[str, Signature]) -> bytes:
    """Return `signatures.json`, from signatures by Multikey."""
    each: list[Json] = [
        {"key": key, "signature": encode_base64(signatures[key])}
        for key in sorted(signatures)
    ]
    return canonicalize({"format": FORMAT, "signatures": each})


def parse_signatures(raw: bytes) -> dict[str, Signature]:
    """Return the signatures by Multikey; none of them is verified.

    Raises:
        PackMalformed: Of another form, or one key twice.
    """
    found = read_object(raw, "signatures.json", ("format", "signatures"))
    number(found, "format", FORMAT, FORMAT)
    signatures: dict[str, Signature] = {}
    for item in array(found, "signatures", MAX_KEYS):
        one = members_of(item, "signatures.json", ("key", "signature"))
        key = multikey(one, "key")
        try:
            signature = decode_base64(text(one, "signature"))
        except EncodingMalformed as e:
            raise PackMalformed(f"signature: {e}") from e
        if key in signatures:
            raise PackMalformed(f"found two signatures of {key}")
        signatures[key] = Signature(signature)
    if list(signatures) != sorted(signatures):
        raise PackMalformed("signatures: want them in the order of their keys")
    return signatures
