"""Checkpoints: the size and root of a log at one moment, signed by the log's own key.

The format is C2SP tlog-checkpoint; see <https://c2sp.org/tlog-checkpoint>.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from anchoring.note import NoteMalformed, SignedNote, VerifierKey, sign_note, verify_note
from primitives.ed25519 import Signer
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Undetermined
from primitives.hashing import DIGEST_BYTES, Digest, sha256

MAX_TREE_SIZE = 2**63 - 1
"""Largest size read: what a signed 64-bit integer of another reader still holds."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_EMPTY_ROOT = sha256(b"")


class CheckpointMalformed(NoteMalformed):
    """The note's text is not a checkpoint."""


class CheckpointUnknownOrigin(Undetermined):
    """The checkpoint is another log's, so it says nothing about this one."""

    code = "checkpoint-unknown-origin"
    hint = "ask for a proof from the log that the issuer's DID document names"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims to hold. True of the log only once its signature is verified."""

    origin: str
    """Name of the log, the same as its key's."""

    tree_size: int
    """Number of leaves."""

    root: Digest
    """RFC 9162 root over that many leaves."""

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise CheckpointMalformed(f"found origin {self.origin[:64]!r}, want one line")
        if not 0 <= self.tree_size <= MAX_TREE_SIZE:
            raise CheckpointMalformed(
                f"found tree size {self.tree_size}, want 0 to {MAX_TREE_SIZE}"
            )
        if len(self.root) != DIGEST_BYTES:
            raise CheckpointMalformed(
                f"root has {len(self.root)} bytes, want {DIGEST_BYTES}"
            )
        if self.tree_size == 0 and self.root != _EMPTY_ROOT:
            raise CheckpointMalformed("the root is not that of an empty tree")

    @property
    def text(self) -> str:
        """The three lines that are signed. Patunay writes no extension lines."""
        return f"{self.origin}\n{self.tree_size}\n{encode_base64(self.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """Return the signed note of `checkpoint`, with the log's key named like its origin.

    Raises:
        VerifierKeyMalformed: The origin cannot be the name of a key.
    """
    return sign_note(checkpoint.text, checkpoint.origin, signer)


def parse_checkpoint_text(text: str) -> Checkpoint:
    """Return the checkpoint in the text of a note; extension lines are passed over.

    Raises:
        CheckpointMalformed: Fewer than three lines, an empty one, a size such as `007`
            or `+1`, or a root that is not base64 of 32 bytes.
    """
    if not text.endswith("\n"):
        raise CheckpointMalformed("a checkpoint must end in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or "" in lines:  # noqa: PLR2004  # origin, size, root
        raise CheckpointMalformed(f"found {len(lines)} lines, want 3 or more, none empty")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise CheckpointMalformed(f"found tree size {size[:24]!r}, want a plain decimal")
    try:
        return Checkpoint(origin, int(size), Digest(decode_base64(root)))
    except EncodingMalformed as e:
        raise CheckpointMalformed(f"root: {e}") from e


@lru_cache(maxsize=64)  # a refusal is not kept; one checkpoint shows many credentials
def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in `note` if it is of the log that `key` belongs to.

    Args:
        note: The whole signed note.
        key: From the verifier's policy or an anchored DID document, never from the note.

    Raises:
        NoteMalformed: Not a signed note.
        CheckpointMalformed: Its text is not a checkpoint.
        CheckpointUnknownOrigin: It names another log than `key` does.
        NoteUnsigned: The log's key has not signed it.
        NoteSignatureInvalid: The log's signature does not match.
    """
    checkpoint = parse_checkpoint_text(SignedNote.parse(note).text)
    # Before the signature: another log's checkpoint is no forgery of this one's.
    if checkpoint.origin != key.name:
        raise CheckpointUnknownOrigin(
            f"found origin {checkpoint.origin[:64]!r}, want {key.name!r}"
        )
    verify_note(note, key)
    return checkpoint
