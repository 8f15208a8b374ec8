"""What a witness answers to `add-checkpoint`, from values alone.

The protocol is C2SP tlog-witness; see <https://c2sp.org/tlog-witness>. A request is the
size that the witness has cosigned last, a proof from there, and the checkpoint:

    old 20852014
    <base64 hash>
    …

    <signed note>

Cosigning comes after the new size was stored by compare-and-swap; see `node.witnessing`.
"""

import re
from dataclasses import dataclass

from anchoring.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint_text
from anchoring.merkle import (
    MAX_PROOF_HASHES,
    ProofMalformed,
    RootMismatch,
    verify_consistency,
)
from anchoring.note import (
    MAX_NOTE_BYTES,
    NoteSignatureInvalid,
    NoteUnsigned,
    SignedNote,
    VerifierKey,
)
from primitives.encodings import EncodingMalformed, decode_base64, encode_base64
from primitives.errors import Malformed, Rejected
from primitives.hashing import DIGEST_BYTES, Digest

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4 * 1024
"""A note of the largest size, and 63 hashes of 45 bytes before it."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class WitnessRequestMalformed(Malformed):
    """The body is no add-checkpoint request, or its old size is over the checkpoint's."""

    code = "witness-request-malformed"


class WitnessLogUnknown(Rejected):
    """This witness does not watch the log that the checkpoint is of."""

    code = "witness-log-unknown"
    hint = "ask the witness's operator to list the log's key under `witnessed_logs`"


class WitnessSignatureRefused(Rejected):
    """The log's own signature is not on the checkpoint, or does not hold."""

    code = "witness-signature-refused"


class WitnessProofInvalid(Rejected):
    """The checkpoint is not shown to extend the last one: there may be two histories."""

    code = "witness-proof-invalid"


class WitnessConflict(Rejected):
    """The request begins at another size than the last one that was cosigned."""

    code = "witness-conflict"
    hint = "send a proof from the size in the answer"

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size
        """What this witness has cosigned last; 0 if nothing."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request, of which nothing is verified."""

    old_size: int
    """What the log believes the witness has cosigned last; 0 for nothing."""

    proof: tuple[Digest, ...]
    """From `old_size` to the checkpoint's size; empty for 0."""

    note: str
    """The signed checkpoint."""

    @classmethod
    def parse(cls, raw: bytes) -> "AddCheckpoint":
        """Return the parts of a request.

        Raises:
            WitnessRequestMalformed: Over a limit, or of another form.
        """
        if len(raw) > MAX_REQUEST_BYTES:
            raise WitnessRequestMalformed(
                f"found over {MAX_REQUEST_BYTES} bytes, want at most that"
            )
        try:
            head, blank, note = raw.decode().partition("\n\n")
        except UnicodeDecodeError as e:
            raise WitnessRequestMalformed(f"byte {e.start} is not UTF-8") from e
        first, *lines = head.split("\n")
        match = _OLD.fullmatch(first)
        if match is None or not blank:
            raise WitnessRequestMalformed(f"found {first[:40]!r}, want old, a size, a note")
        if len(lines) > MAX_PROOF_HASHES:
            raise WitnessRequestMalformed(
                f"found {len(lines)} hashes, want at most {MAX_PROOF_HASHES}"
            )
        return cls(int(match[1]), tuple(map(_hash, lines)), note)

    def __bytes__(self) -> bytes:
        """Return the one spelling that `parse` reads as this request."""
        lines = [f"old {self.old_size}", *map(encode_base64, self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()

    def origin(self) -> str:
        """Return which log the checkpoint says that it is of.

        Raises:
            WitnessRequestMalformed: The note is no checkpoint.
        """
        try:
            return parse_checkpoint_text(SignedNote.parse(self.note).text).origin
        except Malformed as e:
            raise WitnessRequestMalformed(f"checkpoint: {e}") from e


def judge_request(
    request: AddCheckpoint, key: VerifierKey, latest: Checkpoint | None
) -> Checkpoint:
    """Return the checkpoint if it may be cosigned after `latest`; raise otherwise.

    In the order in which tlog-witness has the checks.

    Args:
        request: From anyone.
        key: Of the log whose origin the request names, by the operator's configuration.
        latest: The last one that was cosigned for this origin; None before the first.

    Raises:
        WitnessSignatureRefused: The log has not signed it.
        WitnessRequestMalformed: The old size is over the checkpoint's.
        WitnessConflict: Another old size than `latest` has.
        WitnessProofInvalid: Not an extension of `latest`, or of its size and another root.
    """
    try:
        checkpoint = open_checkpoint(request.note, key)
    except (NoteUnsigned, NoteSignatureInvalid) as e:
        raise WitnessSignatureRefused(str(e)) from e
    if request.old_size > checkpoint.tree_size:
        raise WitnessRequestMalformed(
            f"found old size {request.old_size}, want at most {checkpoint.tree_size}"
        )
    size = latest.tree_size if latest is not None else 0
    if request.old_size != size:
        raise WitnessConflict(f"found old size {request.old_size}, want {size}", size)
    if latest is None or size == 0:
        if request.proof:
            raise WitnessProofInvalid("found a proof from size 0, want none")
        return checkpoint
    try:
        verify_consistency(
            old_size=size,
            old_root=latest.root,
            new_size=checkpoint.tree_size,
            new_root=checkpoint.root,
            proof=request.proof,
        )
    except (ProofMalformed, RootMismatch) as e:
        raise WitnessProofInvalid(f"{checkpoint.origin} from {size}: {e}") from e
    return checkpoint


def _hash(line: str) -> Digest:
    try:
        value = decode_base64(line)
    except EncodingMalformed as e:
        raise WitnessRequestMalformed(f"hash: {e}") from e
    if len(value) != DIGEST_BYTES:
        raise WitnessRequestMalformed(f"hash has {len(value)} bytes, want {DIGEST_BYTES}")
    return Digest(value)
