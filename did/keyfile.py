"""The key file: what is written of each key, in the one spelling that is read again.

Nothing here opens a secret; did/keystore.py does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from nacl import pwhash
from nacl.secret import SecretBox

from primitives.canonical_json import Json, JsonObject, canonicalize
from primitives.ed25519 import SEED_BYTES
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, Misconfigured
from primitives.instants import InstantMalformed, format_instant, parse_instant
from primitives.strict_json import JsonMalformed, parse_json_object

VERSION = 1

MAX_FILE_BYTES = 512 * 1024

MAX_KEYS = 500
"""A node has four keys, and one more for each issuer and rotation."""

MAX_MEMORY_BYTES = pwhash.argon2id.MEMLIMIT_SENSITIVE
"""1 GiB. A file that asks for more is an attack on the machine that opens it."""

MAX_OPERATIONS = 16

SALT_BYTES = pwhash.argon2id.SALTBYTES
MASTER_BYTES = 32
BINDING_BYTES = 32
TAG_BYTES = 32

Role: TypeAlias = Literal["credential", "status", "log", "evm", "witness", "pack"]
Algorithm: TypeAlias = Literal["ed25519", "secp256k1"]

_KDF = "argon2id"
_BOX_BYTES = SecretBox.NONCE_SIZE + SecretBox.MACBYTES
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ISSUER = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,63})?")
# CK_TOKEN_INFO pads the label to 32 bytes.
_TOKEN = re.compile(r"[!-~](?:[ -~]{0,30}[!-~])?")
_PUBLIC: dict[Algorithm, re.Pattern[str]] = {
    "ed25519": re.compile(r"z6Mk[1-9A-HJ-NP-Za-km-z]{44}"),
    "secp256k1": re.compile(r"0x[0-9a-fA-F]{40}"),
}


class KeystoreMalformed(Malformed):
    """The bytes are not a keystore as this version writes it."""

    code = "keystore-malformed"


class KeystoreCostRefused(Malformed):
    """The file asks for more memory or work than is ever spent on a passphrase."""

    code = "keystore-cost-refused"


class KeyEntryRefused(Misconfigured):
    """A key that cannot be stored under this label."""

    code = "key-entry-refused"


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one guess of the passphrase costs."""

    operations: int
    memory_bytes: int

    def __post_init__(self) -> None:
        least = pwhash.argon2id
        if not least.OPSLIMIT_MIN <= self.operations <= MAX_OPERATIONS:
            raise KeystoreCostRefused(
                f"found {self.operations} operations, want 1 to {MAX_OPERATIONS}"
            )
        if not least.MEMLIMIT_MIN <= self.memory_bytes <= MAX_MEMORY_BYTES:
            raise KeystoreCostRefused(
                f"found {self.memory_bytes} bytes, want 8192 to {MAX_MEMORY_BYTES}"
            )


MODERATE = Argon2Cost(pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE)
"""3 passes over 256 MiB: about a second."""


@dataclass(frozen=True, slots=True)
class KeyLabel:
    """What a key is for."""

    key_id: str
    """Unique in the file: lower case, digits, `.`, `_`, `-`; at most 64 characters."""

    role: Role

    issuer: str
    """Slug of the issuer it signs for, or empty for a key of the node itself."""

    created_at: datetime
    """Aware and in UTC, whole seconds."""

    def __post_init__(self) -> None:
        if _KEY_ID.fullmatch(self.key_id) is None:
            raise KeyEntryRefused(f"found key id {self.key_id[:64]!r}, want a slug")
        if _ISSUER.fullmatch(self.issuer) is None:
            raise KeyEntryRefused(f"found issuer {self.issuer[:64]!r}, want a slug")

    @property
    def algorithm(self) -> Algorithm:
        """secp256k1 for the chain's account, ed25519 for everything else."""
        return "secp256k1" if self.role == "evm" else "ed25519"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key: its label, its public half, and its secret, sealed."""

    label: KeyLabel

    public: str
    """Multikey of an Ed25519 key; address of a secp256k1 account."""

    sealed: bytes = field(repr=False)
    """SecretBox: nonce, authenticator, then binding and secret. Empty for a token's key."""

    token: str = ""
    """Label of the PKCS#11 token that has the secret; empty where it is sealed here."""

    def __post_init__(self) -> None:
        if self.token and _TOKEN.fullmatch(self.token) is None:
            raise KeyEntryRefused(f"found token {self.token[:64]!r}, want a token's label")
        if _PUBLIC[self.label.algorithm].fullmatch(self.public) is None:
            raise KeyEntryRefused(
                f"found public {self.public[:64]!r}, want an {self.label.algorithm} one"
            )

    def head(self) -> JsonObject:
        """Return what may be known of the key without the passphrase."""
        return {
            "id": self.label.key_id,
            "role": self.label.role,
            "issuer": self.label.issuer,
            "algorithm": self.label.algorithm,
            "public": self.public,
            "created_at": format_instant(self.label.created_at),
        }

    def to_json(self) -> JsonObject:
        """Return the one form that is read as this entry."""
        if self.token:
            return {**self.head(), "token": self.token}
        return {**self.head(), "sealed": encode_base64(self.sealed)}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file, read and not opened."""

    cost: Argon2Cost

    salt: bytes = field(repr=False)

    master: bytes = field(repr=False)
    """SecretBox of the master key under the key that the passphrase gives."""

    entries: tuple[KeyEntry, ...]

    tag: bytes = field(repr=False)
    """Over `tagged_bytes`, under the master key."""

    def __post_init__(self) -> None:
        if len(self.entries) > MAX_KEYS:
            raise KeyEntryRefused(
                f"found {len(self.entries)} keys, want at most {MAX_KEYS}"
            )
        seen: set[str] = set()
        for entry in self.entries:
            if entry.label.key_id in seen:
                raise KeyEntryRefused(f"the key id {entry.label.key_id} is taken")
            seen.add(entry.label.key_id)

    def tagged_bytes(self) -> bytes:
        """Return what the tag covers: everything but itself."""
        return canonicalize(self._body())

    def to_bytes(self) -> bytes:
        """Return the file: RFC 8785 JSON, so that it has one spelling."""
        return canonicalize({**self._body(), "tag": encode_base64(self.tag)})

    def _body(self) -> JsonObject:
        return {
            "version": VERSION,
            "kdf": {
                "name": _KDF,
                "operations": self.cost.operations,
                "memory_bytes": self.cost.memory_bytes,
                "salt": encode_base64(self.salt),
            },
            "master": encode_base64(self.master),
            "keys": [entry.to_json() for entry in self.entries],
        }


def parse_key_file(raw: bytes) -> KeyFile:
    """Read a key file.

    Raises:
        KeystoreMalformed: Not exactly the bytes that `KeyFile.to_bytes` gives.
        KeystoreCostRefused: It asks for more work than is ever spent.
    """
    try:
        file = _parse(parse_json_object(raw, MAX_FILE_BYTES))
    except (JsonMalformed, EncodingMalformed, InstantMalformed, KeyEntryRefused) as e:
        raise KeystoreMalformed(str(e)) from e
    # Unknown members too: what is not read would not be written again.
    if file.to_bytes() != raw:
        raise KeystoreMalformed("found another spelling, want RFC 8785 JSON")
    return file


def _parse(value: JsonObject) -> KeyFile:
    version = value.get("version")
    if version != VERSION:
        raise KeystoreMalformed(f"found version {str(version)[:16]}, want {VERSION}")
    kdf, keys = value.get("kdf"), value.get("keys")
    if not isinstance(kdf, dict) or not isinstance(keys, list):
        raise KeystoreMalformed("found no kdf or no keys, want an object and an array")
    if kdf.get("name") != _KDF:
        raise KeystoreMalformed(f"found another kdf, want {_KDF}")
    return KeyFile(
        cost=Argon2Cost(_number(kdf, "operations"), _number(kdf, "memory_bytes")),
        salt=_raw(kdf, "salt", SALT_BYTES),
        master=_raw(value, "master", _BOX_BYTES + MASTER_BYTES),
        entries=tuple(_parse_entry(item) for item in keys),
        tag=_raw(value, "tag", TAG_BYTES),
    )


def _parse_entry(value: Json) -> KeyEntry:
    if not isinstance(value, dict):
        raise KeystoreMalformed(f"found a key of {type(value).__name__}, want an object")
    label = KeyLabel(
        key_id=_text(value, "id"),
        role=_one_of(_text(value, "role"), get_args(Role)),
        issuer=_text(value, "issuer"),
        created_at=parse_instant(_text(value, "created_at")),
    )
    if "token" in value:
        return KeyEntry(label, _text(value, "public"), b"", _text(value, "token"))
    sealed = _raw(value, "sealed", _BOX_BYTES + BINDING_BYTES + SEED_BYTES)
    return KeyEntry(label, _text(value, "public"), sealed)


def _one_of(text: str, choices: Sequence[Role]) -> Role:
    for choice in choices:
        if text == choice:
            return choice
    raise KeystoreMalformed(f"found {text[:16]!r}, want one of {', '.join(choices)}")


def _number(value: JsonObject, name: str) -> int:
    number = value.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise KeystoreMalformed(f"found {name} of {type(number).__name__}, want a number")
    return number


def _text(value: JsonObject, name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise KeystoreMalformed(f"found {name} of {type(text).__name__}, want a string")
    return text


def _raw(value: JsonObject, name: str, size: int) -> bytes:
    raw = decode_base64(_text(value, name))
    if len(raw) != size:
        raise KeystoreMalformed(f"found {name} of {len(raw)} bytes, want {size}")
    return raw
