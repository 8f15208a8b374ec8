"""Evidence that a log has shown two histories, in one file that anyone can check alone.

    {"version": 1, "vkey", "first": note, "second": note,
     "prefixRoot": base64, "consistency": [base64]}

Two notes of one size with two roots speak for themselves. Of a smaller and a larger one, a
consistency proof (RFC 9162 section 2.1.4) shows which root the larger tree has at the
smaller size: there is only one, and it is not the one that the log signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anchoring.checkpoint import Checkpoint, open_checkpoint
from anchoring.merkle import verify_consistency
from anchoring.note import VerifierKey
from primitives.canonical_json import Json, JsonObject
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, Rejected
from primitives.hashing import DIGEST_BYTES, Digest

MAX_SPLIT_BYTES: Final = 512 * 1024
"""Two notes at their largest, and a proof."""

_FIELDS: Final = frozenset(
    {"version", "vkey", "first", "second", "prefixRoot", "consistency"}
)
_MAX_PROOF: Final = 128


class SplitMalformed(Malformed):
    """The JSON is not a split view in its one spelling."""

    code = "split-malformed"


class SplitNotShown(Rejected):
    """The two checkpoints do not contradict each other."""

    code = "split-not-shown"
    hint = "this file accuses nobody: throw it away"


@dataclass(frozen=True, slots=True)
class SplitView:
    """Two checkpoints that one log cannot honestly have signed. Not verified."""

    vkey: str
    """C2SP verifier key of the log."""

    first: str
    """Signed note of the smaller tree, or of either of two equal ones."""

    second: str
    """Signed note of the other."""

    prefix_root: Digest
    """Root that the second tree has at the first one's size."""

    consistency: tuple[Digest, ...] = ()
    """Proof of `prefix_root` in the second tree; empty for two equal sizes."""

    @classmethod
    def parse(cls, raw: Mapping[str, Json]) -> "SplitView":
        """Return the claim in `raw`.

        Raises:
            SplitMalformed: A member that is unknown, missing or of another form.
        """
        if raw.keys() != _FIELDS or raw["version"] != 1:
            raise SplitMalformed("found other members than those of version 1")
        texts = [raw["vkey"], raw["first"], raw["second"]]
        proof = raw["consistency"]
        if not isinstance(proof, list) or len(proof) > _MAX_PROOF:
            raise SplitMalformed(f"consistency: want a list of at most {_MAX_PROOF}")
        vkey, first, second = (_text(value) for value in texts)
        return cls(vkey, first, second, _hash(raw["prefixRoot"]), tuple(map(_hash, proof)))

    def to_json(self) -> JsonObject:
        """Return the one form that `parse` reads as this claim."""
        return {
            "version": 1,
            "vkey": self.vkey,
            "first": self.first,
            "second": self.second,
            "prefixRoot": encode_base64(self.prefix_root),
            "consistency": [encode_base64(node) for node in self.consistency],
        }


def verify_split(split: SplitView) -> tuple[Checkpoint, Checkpoint]:
    """Return both checkpoints if they show that the holder of `split.vkey` lied.

    Whose key that is, is for the reader to find out: from a DID document that was
    anchored, or from a trust pack.

    Raises:
        SplitNotShown: They can both be true.
        PatunayError: As `VerifierKey.parse`, `open_checkpoint` and `verify_consistency`.
    """
    key = VerifierKey.parse(split.vkey)
    first = open_checkpoint(split.first, key)
    second = open_checkpoint(split.second, key)
    verify_consistency(
        old_size=first.tree_size,
        old_root=split.prefix_root,
        new_size=second.tree_size,
        new_root=second.root,
        proof=split.consistency,
    )
    if first.root == split.prefix_root:
        raise SplitNotShown(
            f"found one root for size {first.tree_size}, want two that differ"
        )
    return first, second


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise SplitMalformed(f"found {type(value).__name__}, want text")
    return value


def _hash(value: Json) -> Digest:
    try:
        raw = decode_base64(_text(value))
    except EncodingMalformed as e:
        raise SplitMalformed(str(e)) from e
    if len(raw) != DIGEST_BYTES:
        raise SplitMalformed(f"found a hash of {len(raw)} bytes, want {DIGEST_BYTES}")
    return Digest(raw)
