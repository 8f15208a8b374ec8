"""OpenTimestamps: a checkpoint's digest, through a calendar, into a block of Bitcoin.

A stamp is a detached timestamp file over the SHA-256 of the signed checkpoint: operations
lead from the digest to a commitment that a calendar keeps ("pending", which shows no time),
and from there to the Merkle root of a block, which shows that the checkpoint is no younger
than the block. The header is the verifier's; nothing in a stamp says what it is.

The library is optional (extra `ots`) and is used here alone; it is imported when needed.
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from anchoring.note import SignedNote, VerifierKey
from primitives.errors import Malformed, Misconfigured, Rejected, Undetermined
from primitives.hashing import DIGEST_BYTES, Digest, sha256

MAX_CALENDARS: Final = 4
"""Calendars of one stamp."""

MAX_ANSWER_BYTES: Final = 4 * 1024
"""Of one calendar. Usual are 200 bytes while pending, and 2 KB to a block."""

MAX_STAMP_BYTES: Final = 32 * 1024
"""Of a stamp: each byte may be an operation whose result has 4 KB."""

MAX_HEIGHT: Final = 2**32 - 1
"""Of a block; Bitcoin has a million."""

HEADER_BYTES: Final = 80
_HEIGHT: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_HEADER: Final = re.compile(rf"[0-9a-fA-F]{{{2 * HEADER_BYTES}}}")
_ROOT_AT: Final = 36
_TIME_AT: Final = 68


class OtsLibraryMissing(Misconfigured):
    """The library `opentimestamps` is not installed."""

    code = "ots-library-missing"
    hint = "install Patunay with its extra `ots`: pip install 'patunay[ots]'"


class OtsMalformed(Malformed):
    """Not a stamp, or not a calendar's answer, within the limits."""

    code = "ots-malformed"


class OtsMismatch(Rejected):
    """The stamp is of another checkpoint, or does not lead to the block that it names."""

    code = "ots-mismatch"
    hint = "do not count this stamp; ask for another one"


class OtsPending(Undetermined):
    """The stamp has reached no block yet: it shows no time."""

    code = "ots-pending"
    hint = "ask for the stamp again in a few hours"


class OtsBlockUnknown(Undetermined):
    """The stamp names a block whose header the verifier does not have."""

    code = "ots-block-unknown"
    hint = "get the header from a Bitcoin node that you believe"


@dataclass(frozen=True, slots=True)
class PendingAt:
    """A calendar's promise."""

    calendar: str
    """URL that the calendar gives itself; nothing is asked there because of it."""

    commitment: bytes
    """What the calendar keeps, 1 to 4096 bytes."""


@dataclass(frozen=True, slots=True)
class InBlock:
    """A claim that a block of Bitcoin commits to the stamp."""

    height: int

    root: bytes
    """What the Merkle root of the block has to be, in the order of the header."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp says. Nothing of it is verified."""

    digest: Digest
    pending: tuple[PendingAt, ...]
    blocks: tuple[InBlock, ...]


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint that a block commits to."""

    height: int

    time: datetime
    """Of the block's header, UTC; miners may be wrong by two hours."""


def stamped_note(note: str, key: VerifierKey) -> str:
    """Return what is stamped of a checkpoint: its text and the log's own signature.

    Cosignatures come later, and are left out.

    Raises:
        NoteMalformed: Not a signed note.
    """
    parsed = SignedNote.parse(note)
    own = (key.name, key.key_id)
    lines = [str(s) for s in parsed.signatures if (s.name, s.key_id) == own]
    return parsed.text + "\n" + "".join(f"{line}\n" for line in lines)


def stamp_digest(note: str, key: VerifierKey) -> Digest:
    """Return the digest that is stamped: the SHA-256 of `stamped_note`."""
    return sha256(stamped_note(note, key).encode())


def begin_stamp(digest: Digest, answer: bytes) -> bytes:
    """Return the stamp that a calendar's answer to `digest` makes.

    Raises:
        OtsLibraryMissing: See there.
        OtsMalformed: The answer is none, or attests nothing.
    """
    core = _library()
    return _write(core.DetachedTimestampFile(core.OpSHA256(), _answer(digest, answer)))


def upgrade_stamp(raw: bytes, commitment: bytes, answer: bytes) -> bytes:
    """Return the stamp with a calendar's answer about a commitment that it keeps.

    Raises:
        OtsLibraryMissing: See there.
        OtsMalformed: The answer is none, or the stamp does not have that commitment.
    """
    detached = _read(raw)
    found = [node for node in _nodes(detached.timestamp) if node.msg == commitment]
    if not found:
        raise OtsMalformed(f"found no commitment {commitment[:32].hex()} in the stamp")
    with _typed_errors():
        found[0].merge(_answer(commitment, answer))
    return _write(detached)


def join_stamps(stamps: Iterable[bytes]) -> bytes:
    """Return one stamp with what all of them say; they have to be of one digest.

    Raises:
        OtsLibraryMissing: See there.
        OtsMalformed: One is none, or is of another digest; or there is none.
    """
    read = [_read(raw) for raw in stamps]
    if not read:
        raise OtsMalformed("found no stamp, want one or more")
    for other in read[1:]:
        with _typed_errors():
            read[0].timestamp.merge(other.timestamp)
    return _write(read[0])


def parse_stamp(raw: bytes) -> Stamp:
    """Return what a stamp says.

    Raises:
        OtsLibraryMissing: See there.
        OtsMalformed: It is none, over a limit, or of a digest other than SHA-256.
    """
    detached = _read(raw)
    notary = importlib.import_module("opentimestamps.core.notary")
    pending: list[PendingAt] = []
    blocks: list[InBlock] = []
    for message, said in detached.timestamp.all_attestations():
        if isinstance(said, notary.PendingAttestation):
            pending.append(PendingAt(said.uri, message))
        elif isinstance(said, notary.BitcoinBlockHeaderAttestation):
            if said.height > MAX_HEIGHT:
                raise OtsMalformed(f"found a block over {MAX_HEIGHT}")
            blocks.append(InBlock(said.height, message))
    pending.sort(key=lambda each: (each.calendar, each.commitment))
    blocks.sort(key=lambda each: (each.height, each.root))
    return Stamp(Digest(detached.file_digest), tuple(pending), tuple(blocks))


def verify_stamp(stamp: Stamp, digest: Digest, headers: Mapping[int, bytes]) -> Stamped:
    """Return the earliest block that shows that `digest` existed.

    Args:
        stamp: Of anyone.
        digest: Of the checkpoint, calculated by the verifier.
        headers: 80 bytes by height, of blocks that the verifier believes are in the chain.

    Raises:
        OtsMismatch: Another checkpoint's, or a header has another Merkle root.
        OtsBlockUnknown: No header is at hand for what it names.
        OtsPending: It names no block.
    """
    if stamp.digest != digest:
        raise OtsMismatch(f"found a stamp of {stamp.digest.hex()}, want {digest.hex()}")
    known = [block for block in stamp.blocks if block.height in headers]
    for block in known:
        header = headers[block.height]
        if header[_ROOT_AT : _ROOT_AT + DIGEST_BYTES] == block.root:
            seconds = int.from_bytes(header[_TIME_AT : _TIME_AT + 4], "little")
            return Stamped(block.height, datetime.fromtimestamp(seconds, UTC))
    if known:
        raise OtsMismatch(f"found another Merkle root in block {known[0].height}")
    if stamp.blocks:
        raise OtsBlockUnknown(f"found no header of block {stamp.blocks[0].height}")
    calendars = ", ".join(each.calendar for each in stamp.pending) or "no calendar"
    raise OtsPending(f"pending at {calendars[:200]}")


def parse_header(text: str) -> tuple[int, bytes]:
    """Return height and header of `HEIGHT:160 hexadecimal digits`.

    Raises:
        OtsMalformed: Another form.
    """
    height, _, header = text.partition(":")
    if not _HEIGHT.fullmatch(height) or not _HEADER.fullmatch(header):
        raise OtsMalformed(
            f"found header {text[:40]!r}, want HEIGHT:{2 * HEADER_BYTES} hexadecimal digits"
        )
    return int(height), bytes.fromhex(header)


def require_library() -> None:
    """Return if stamps can be made here.

    Raises:
        OtsLibraryMissing: See there.
    """
    _library()


def _library() -> Any:
    try:
        return importlib.import_module("opentimestamps.core.timestamp")
    except ImportError as e:
        raise OtsLibraryMissing(f"opentimestamps could not be imported: {e}") from e


@contextmanager
def _typed_errors() -> Iterator[None]:
    """Turn what the library raises over bytes from outside into one error."""
    serialize = importlib.import_module("opentimestamps.core.serialize")
    try:
        yield
    except (serialize.DeserializationError, ValueError, TypeError, AssertionError) as e:
        raise OtsMalformed(f"{type(e).__name__} {str(e)[:120]}") from e


def _read(raw: bytes) -> Any:
    if len(raw) > MAX_STAMP_BYTES:
        raise OtsMalformed(f"found {len(raw)} bytes, want at most {MAX_STAMP_BYTES}")
    core = _library()
    serialize = importlib.import_module("opentimestamps.core.serialize")
    with _typed_errors():
        context = serialize.BytesDeserializationContext(raw)
        detached = core.DetachedTimestampFile.deserialize(context)
    if type(detached.file_hash_op) is not core.OpSHA256:
        raise OtsMalformed("found a stamp of another digest, want SHA-256")
    return detached


def _write(detached: Any) -> bytes:
    serialize = importlib.import_module("opentimestamps.core.serialize")
    context = serialize.BytesSerializationContext()
    with _typed_errors():
        detached.serialize(context)
    raw = bytes(context.getbytes())
    # Each part was within the limits; together they might not be.
    parse_stamp(raw)
    return raw


def _answer(message: bytes, raw: bytes) -> Any:
    """Return the timestamp of `message` in a calendar's answer."""
    if len(raw) > MAX_ANSWER_BYTES:
        raise OtsMalformed(f"found {len(raw)} bytes, want at most {MAX_ANSWER_BYTES}")
    core = _library()
    serialize = importlib.import_module("opentimestamps.core.serialize")
    with _typed_errors():
        context = serialize.BytesDeserializationContext(raw)
        answer = core.Timestamp.deserialize(context, message)
        context.assert_eof()
    return answer


def _nodes(timestamp: Any) -> Iterator[Any]:
    yield timestamp
    for below in timestamp.ops.values():
        yield from _nodes(below)
