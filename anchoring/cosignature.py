"""Cosignatures: a witness says that it has seen a checkpoint, and when.

The format is C2SP tlog-cosignature, `cosignature/v1` with Ed25519; see
<https://c2sp.org/tlog-cosignature>. A cosignature is one more signature line of the note:
key id, then the time as 8 bytes, then the signature over a header, the time and the text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from anchoring.note import NoteKey, NoteSignature, SignedNote
from primitives.ed25519 import (
    SIGNATURE_BYTES,
    KeyMalformed,
    Signature,
    SignatureRejected,
    Signer,
    verify_signature,
)
from primitives.errors import Malformed, Rejected, Undetermined

MAX_WITNESSES = 16
"""Keys that one verifier, log or witness may name."""

_TIME_BYTES = 8
_MAX_TIME = 253_402_300_799
"""The last second of the year 9999; what no `datetime` holds is refused."""


class CosignatureInvalid(Rejected):
    """A line names a witness's key, and is not its cosignature."""

    code = "cosignature-invalid"
    hint = "ask for the receipt again; do not count this witness"


class WitnessesTooFew(Undetermined):
    """Fewer of the verifier's witnesses have cosigned the checkpoint than it asks for."""

    code = "witnesses-too-few"
    hint = "ask for a receipt with more cosignatures, or name an endpoint of the chain"


class WitnessQuorumInvalid(Malformed):
    """A list of witnesses that can never, or always, be satisfied."""

    code = "witness-quorum-invalid"
    hint = "name each witness once, and a threshold from 1 to their number"


@dataclass(frozen=True, slots=True)
class WitnessKey(NoteKey):
    """A key that cosigns checkpoints. One key is one witness: its name is not signed."""

    algorithm: ClassVar[bytes] = b"\x04"


@dataclass(frozen=True, slots=True)
class WitnessQuorum:
    """Whose word a verifier takes for when a checkpoint existed."""

    keys: tuple[WitnessKey, ...]
    """1 to `MAX_WITNESSES`, no public key twice."""

    threshold: int
    """How many of them have to agree; fewer than that are believed to lie together."""

    def __post_init__(self) -> None:
        """Refuse what could never be met, or is met by nobody."""
        distinct = {key.public_key for key in self.keys}
        if len(distinct) != len(self.keys) or len(self.keys) > MAX_WITNESSES:
            raise WitnessQuorumInvalid(
                f"found {len(self.keys)} witnesses with {len(distinct)} keys,"
                f" want distinct ones, at most {MAX_WITNESSES}"
            )
        if not 1 <= self.threshold <= len(self.keys):
            raise WitnessQuorumInvalid(
                f"found threshold {self.threshold}, want 1 to {len(self.keys)}"
            )


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that enough witnesses have seen."""

    count: int
    """How many of the quorum's witnesses have cosigned it."""

    time: datetime
    """No later than this it existed, even if `threshold` - 1 of them lie: UTC."""


def cosign(text: str, name: str, signer: Signer, at: datetime) -> NoteSignature:
    """Return a cosignature of `text`, the text of a checkpoint with its last newline.

    Args:
        text: Of a checkpoint that the log has signed, consistent with all before it: that
            is for the caller to know.
        name: Of the witness.
        signer: Of the witness, and of nothing else.
        at: Aware; whole seconds are written.

    Raises:
        VerifierKeyMalformed: `name` cannot be a key's name.
    """
    key = WitnessKey(name, signer.public_key)
    seconds = int(at.timestamp())
    signature = signer.sign(_message(text, seconds))
    return NoteSignature(name, key.key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def verify_cosignature(text: str, line: NoteSignature, key: WitnessKey) -> datetime:
    """Return when `key` cosigned `text`.

    Raises:
        CosignatureInvalid: Another key's line, another length, a time that is none, or a
            signature that does not match.
    """
    if (line.name, line.key_id) != (key.name, key.key_id):
        raise CosignatureInvalid(f"found a line by {line.name}, want {key.name}")
    if len(line.signature) != _TIME_BYTES + SIGNATURE_BYTES:
        raise CosignatureInvalid(
            f"cosignature by {key.name} has {len(line.signature)} bytes,"
            f" want {_TIME_BYTES + SIGNATURE_BYTES}"
        )
    seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    if not 0 < seconds <= _MAX_TIME:
        raise CosignatureInvalid(f"cosignature by {key.name}: found time {seconds}")
    signature = Signature(line.signature[_TIME_BYTES:])
    try:
        verify_signature(key.public_key, _message(text, seconds), signature)
    except (SignatureRejected, KeyMalformed) as e:
        raise CosignatureInvalid(f"cosignature by {key.name}: {e}") from e
    return datetime.fromtimestamp(seconds, UTC)


def require_witnesses(note: str, quorum: WitnessQuorum) -> Witnessed:
    """Return since when `note` is witnessed, if enough have cosigned it.

    Lines by unknown keys are ignored; a witness that has cosigned it twice counts once.

    Raises:
        NoteMalformed: Not a signed note.
        CosignatureInvalid: A line names a witness of the quorum, and is not its.
        WitnessesTooFew: Fewer than the threshold.
    """
    times = _times(note, quorum)
    if len(times) < quorum.threshold:
        raise WitnessesTooFew(
            f"found cosignatures of {len(times)} witnesses, want {quorum.threshold}"
            f" of {len(quorum.keys)}"
        )
    # One of the first `threshold` is honest, and its time is no later than the last's.
    return Witnessed(len(times), sorted(times.values())[quorum.threshold - 1])


def count_cosignatures(note: str, quorum: WitnessQuorum) -> int:
    """Return how many of the quorum's witnesses have cosigned `note`, enough or not.

    Raises:
        NoteMalformed: Not a signed note.
        CosignatureInvalid: A line names a witness of the quorum, and is not its.
    """
    return len(_times(note, quorum))


def with_cosignatures(note: str, lines: Iterable[str]) -> str:
    """Return `note` with further signature lines, each without its newline."""
    return note + "".join(f"{line}\n" for line in lines)


def _times(note: str, quorum: WitnessQuorum) -> dict[WitnessKey, datetime]:
    """Return when each witness of the quorum first cosigned `note`."""
    parsed = SignedNote.parse(note)
    by_id = {(key.name, key.key_id): key for key in quorum.keys}
    times: dict[WitnessKey, datetime] = {}
    for line in parsed.signatures:
        key = by_id.get((line.name, line.key_id))
        if key is not None:
            time = verify_cosignature(parsed.text, line, key)
            times[key] = min(time, times.get(key, time))
    return times


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
