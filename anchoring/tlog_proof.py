"""One text file that shows an entry in a log: index, hashes and signed checkpoint.

The format is C2SP tlog-proof; see <https://c2sp.org/tlog-proof>.
"""

import re
from dataclasses import dataclass

from anchoring.checkpoint import MAX_TREE_SIZE, Checkpoint, open_checkpoint
from anchoring.merkle import MAX_PROOF_HASHES, hash_leaf, verify_inclusion
from anchoring.note import VerifierKey
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed
from primitives.hashing import DIGEST_BYTES, Digest

MAX_PROOF_CHARACTERS = 16 * 1024
"""Largest proof read: 63 hashes take 2,835, a checkpoint with 100 signatures 11,000."""

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class TlogProofMalformed(Malformed):
    """The text is not a tlog-proof."""

    code = "tlog-proof-malformed"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A claim that an entry is in a log. Nothing in it is verified."""

    index: int
    """0-based position of the entry."""

    hashes: tuple[Digest, ...]
    """Siblings from the leaf's level up to the root's children."""

    checkpoint: str
    """The signed note, as the log gave it, perhaps with further signatures."""

    extra: bytes | None = None
    """Not authenticated by anything; Patunay writes none and ignores what it reads."""

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Return the proof in `text`, of which nothing is verified.

        Raises:
            TlogProofMalformed: Over a limit, or not the one spelling of any proof.
        """
        if len(text) > MAX_PROOF_CHARACTERS:
            raise TlogProofMalformed(
                f"found {len(text)} characters, want at most {MAX_PROOF_CHARACTERS}"
            )
        head, blank, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        if first != _FIRST_LINE or not blank:
            raise TlogProofMalformed(f"found {first[:40]!r}, want {_FIRST_LINE} and a note")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = _decode(lines.pop(0).removeprefix("extra "), "extra data")
        if not lines or not (match := _INDEX.fullmatch(lines[0])):
            raise TlogProofMalformed("found no index, want a line such as `index 7`")
        if len(lines) - 1 > MAX_PROOF_HASHES:
            raise TlogProofMalformed(
                f"found {len(lines) - 1} hashes, want at most {MAX_PROOF_HASHES}"
            )
        hashes = tuple(Digest(_decode(line, "hash")) for line in lines[1:])
        return cls(int(match[1]), hashes, checkpoint, extra)

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_TREE_SIZE:
            raise TlogProofMalformed(
                f"found index {self.index}, want 0 to {MAX_TREE_SIZE - 1}"
            )
        if any(len(value) != DIGEST_BYTES for value in self.hashes):
            raise TlogProofMalformed(f"every hash must have {DIGEST_BYTES} bytes")
        # One spelling: without extra data the whole line is left out.
        if self.extra == b"":
            raise TlogProofMalformed("found empty extra data, want some or none")

    def __str__(self) -> str:
        """Return the one text that `parse` reads as this proof."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(encode_base64, self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint


def verify_tlog_proof(proof: TlogProof, entry: bytes, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint that `entry` is in; raise if `proof` does not show it.

    Args:
        proof: From whoever asks to be believed.
        entry: Worked out from the document under test, never taken from the proof.
        key: From the verifier's policy or an anchored DID document.

    Raises:
        NoteMalformed: The checkpoint is not one.
        CheckpointUnknownOrigin: It is another log's.
        NoteUnsigned: The log has not signed it.
        NoteSignatureInvalid: The log's signature does not match.
        ProofMalformed: The hashes fit no tree of the checkpoint's size.
        RootMismatch: `entry` is not what the log holds at this index.
    """
    checkpoint = open_checkpoint(proof.checkpoint, key)
    verify_inclusion(
        hash_leaf(entry),
        index=proof.index,
        tree_size=checkpoint.tree_size,
        proof=proof.hashes,
        root=checkpoint.root,
    )
    return checkpoint


def _decode(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except EncodingMalformed as e:
        raise TlogProofMalformed(f"{what}: {e}") from e
