"""MerkleProof2019: what a certificate says of the tree that it was hashed into.

See <https://w3c-ccg.github.io/Merkle-Proof-2019/>. The proof value is base58btc of CBOR:
pairs of a number and a value, where hashes are byte strings that hold CBOR once more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.foreign.cbor import Cbor, CborMalformed, decode_cbor
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import EncodingMalformed, decode_base58btc
from primitives.errors import Malformed, Rejected
from primitives.hashing import DIGEST_BYTES, sha256

MAX_STEPS: Final = 64
"""Of a path: no tree has more than 2**64 leaves."""

MAX_ANCHORS: Final = 16
MAX_PROOF_CHARACTERS: Final = 16_384
"""Of the proof value: a path of 64 steps and 16 anchors have some 6,000."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_BLINK: Final = re.compile(
    r"blink:([a-z]{2,16}):([a-z0-9]{2,16})(?::(?:0x)?([0-9a-f]{1,128}))?"
)
_HEX: Final = re.compile(r"([0-9a-f]{2})*")
_ROOT, _TARGET, _ANCHORS, _PATH = 0, 1, 2, 3
_SIDES: Final = {0: "left", 1: "right"}
_CHAINS: Final[Mapping[int, tuple[str, Mapping[int, str]]]] = {
    0: ("btc", {1: "mainnet", 3: "testnet"}),
    1: (
        "eth",
        {1: "mainnet", 3: "ropsten", 4: "rinkeby", 5: "goerli", 11155111: "sepolia"},
    ),
    2: ("mtc", {137: "mainnet", 80001: "mumbai"}),
}
_MOCKNET: Final = -1


class MerkleProofMalformed(Malformed):
    """The proof value is no MerkleProof2019."""

    code = "merkle-proof-malformed"
    hint = "ask for the certificate again, exactly as it was issued"


class MerklePathMismatch(Rejected):
    """The path does not lead from the document's hash to the root that it names."""

    code = "merkle-path-mismatch"
    hint = "do not rely on it; ask the issuer for the document as it was issued"


@dataclass(frozen=True, slots=True)
class ChainAnchor:
    """Where the root of the tree is said to be published."""

    chain: str
    """`btc`, `eth`, `mtc` or `mocknet`; or its number, where that is not known here."""

    network: str

    transaction: str
    """Its id in hexadecimal; empty on the mocknet."""

    def __str__(self) -> str:
        """Return a `blink:` address, as the standard writes it."""
        return f"blink:{self.chain}:{self.network}:{self.transaction}".rstrip(":")


@dataclass(frozen=True, slots=True)
class MerkleProof2019:
    """A proof by hashes alone: that a document was in a tree with this root."""

    root: bytes
    target: bytes
    """The hash that the document has to have; 32 bytes, as the root."""

    path: tuple[tuple[str, bytes], ...]
    """From the document up: on which side the other hash stands, and that hash."""

    anchors: tuple[ChainAnchor, ...]

    @classmethod
    def parse(cls, proof: JsonObject) -> "MerkleProof2019":
        """Return what a proof object holds.

        Raises:
            MerkleProofMalformed: It is none.
        """
        text = proof.get("proofValue")
        if isinstance(text, dict):
            return _from_json(text)
        if not isinstance(text, str) or not text.startswith("z"):
            raise MerkleProofMalformed("found no proofValue in base58btc")
        try:
            raw = decode_base58btc(text[1:], most=MAX_PROOF_CHARACTERS)
            pairs = _pairs(decode_cbor(raw), "the proof")
        except (CborMalformed, EncodingMalformed) as e:
            raise MerkleProofMalformed(f"{e.code}: {e}") from e
        if sorted(pairs) != [_ROOT, _TARGET, _ANCHORS, _PATH]:
            raise MerkleProofMalformed(f"found the members {sorted(pairs)}, want 0 to 3")
        return cls(
            root=_hash(pairs[_ROOT], "merkleRoot"),
            target=_hash(pairs[_TARGET], "targetHash"),
            path=_path(pairs[_PATH]),
            anchors=tuple(
                _anchor(each) for each in _array(pairs[_ANCHORS], "anchors", MAX_ANCHORS)
            ),
        )

    def require_path(self) -> None:
        """Return if the path leads from the target to the root.

        Raises:
            MerklePathMismatch: It leads elsewhere.
        """
        found = self.target
        for side, other in self.path:
            found = sha256(other + found if side == "left" else found + other)
        if found != self.root:
            raise MerklePathMismatch(f"found root {found.hex()}, want {self.root.hex()}")


def _from_json(value: JsonObject) -> MerkleProof2019:
    """Read the same members before they were encoded, as older certificates have them."""
    path, anchors = value.get("path"), value.get("anchors")
    if not isinstance(path, list) or len(path) > MAX_STEPS:
        raise MerkleProofMalformed(f"path: want an array of at most {MAX_STEPS}")
    if not isinstance(anchors, list) or len(anchors) > MAX_ANCHORS:
        raise MerkleProofMalformed(f"anchors: want an array of at most {MAX_ANCHORS}")
    return MerkleProof2019(
        root=_digits(value.get("merkleRoot"), "merkleRoot"),
        target=_digits(value.get("targetHash"), "targetHash"),
        path=tuple(_json_step(step) for step in path),
        anchors=tuple(_json_anchor(each) for each in anchors),
    )


def _json_step(step: Json) -> tuple[str, bytes]:
    if not isinstance(step, dict) or len(step) != 1:
        raise MerkleProofMalformed("path: want left or right alone")
    ((side, other),) = step.items()
    if side not in _SIDES.values():
        raise MerkleProofMalformed(f"path: found side {side[:16]!r}, want left or right")
    return side, _digits(other, "path")


def _json_anchor(value: Json) -> ChainAnchor:
    match = _BLINK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MerkleProofMalformed("anchors: want blink:CHAIN:NETWORK:TRANSACTION")
    return ChainAnchor(match[1], match[2], match[3] or "")


def _digits(value: Json, what: str) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise MerkleProofMalformed(f"{what}: want 64 hexadecimal digits")
    return bytes.fromhex(value)


def _path(value: Cbor) -> tuple[tuple[str, bytes], ...]:
    steps = []
    for step in _array(value, "path", MAX_STEPS):
        side, other = _pair(step, "path")
        if side not in _SIDES:
            raise MerkleProofMalformed(f"path: found side {side}, want 0 or 1")
        steps.append((_SIDES[side], _hash(other, "path")))
    return tuple(steps)


def _anchor(value: Cbor) -> ChainAnchor:
    parts = _pairs(value, "anchors")
    chain, network = parts.get(0), parts.get(1)
    if chain == _MOCKNET:
        return ChainAnchor("mocknet", "mocknet", "")  # what follows is no address
    if not isinstance(chain, int) or not isinstance(network, int):
        raise MerkleProofMalformed("anchors: found no chain and network")
    name, networks = _CHAINS.get(chain, (str(chain), {}))
    transaction = parts.get(2)
    shown = b"" if transaction is None else _nested(transaction, "anchors")
    return ChainAnchor(name, networks.get(network, str(network)), shown.hex())


def _hash(value: Cbor, what: str) -> bytes:
    found = _nested(value, what)
    if len(found) != DIGEST_BYTES:
        raise MerkleProofMalformed(f"{what}: found {len(found)} bytes, want 32")
    return found


def _nested(value: Cbor, what: str) -> bytes:
    """Return the bytes in the CBOR in a byte string.

    The standard's own encoder writes them as bytes. That of Blockcerts writes a text of
    hexadecimal digits, of a transaction with `0x` before them.
    """
    found = decode_cbor(value) if isinstance(value, bytes) else None
    if isinstance(found, str):
        digits = found.removeprefix("0x")
        if _HEX.fullmatch(digits):
            return bytes.fromhex(digits)
    if not isinstance(found, bytes):
        raise MerkleProofMalformed(f"{what}: found neither bytes nor hexadecimal digits")
    return found


def _pairs(value: Cbor, what: str) -> dict[int, Cbor]:
    found = [_pair(each, what) for each in _array(value, what, len(_SIDES) * 2)]
    if len(dict(found)) != len(found):
        raise MerkleProofMalformed(f"{what}: found one member twice")
    return dict(found)


def _pair(value: Cbor, what: str) -> tuple[int, Cbor]:
    match value:
        case [int(key), inner]:
            return key, inner
        case _:
            raise MerkleProofMalformed(f"{what}: found no pair of a number and a value")


def _array(value: Cbor, what: str, most: int) -> "list[Cbor]":
    if not isinstance(value, list) or len(value) > most:
        raise MerkleProofMalformed(f"{what}: want an array of at most {most}")
    return value
