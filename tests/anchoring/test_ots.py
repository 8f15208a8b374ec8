"""Stamps against files written byte by byte, and Bitcoin's first block."""

import sys
from datetime import UTC, datetime

import pytest
from bitcoin.core import CBlockHeader

from anchoring.checkpoint import Checkpoint, sign_checkpoint
from anchoring.cosignature import cosign, with_cosignatures
from anchoring.note import SignedNote, VerifierKey
from anchoring.ots import (
    MAX_ANSWER_BYTES,
    MAX_STAMP_BYTES,
    InBlock,
    OtsBlockUnknown,
    OtsLibraryMissing,
    OtsMalformed,
    OtsMismatch,
    OtsPending,
    PendingAt,
    begin_stamp,
    join_stamps,
    parse_header,
    parse_stamp,
    require_library,
    stamp_digest,
    stamped_note,
    upgrade_stamp,
    verify_stamp,
)
from primitives.ed25519 import SoftwareSigner
from primitives.hashing import Digest, sha256
from tests.support.calendar import (
    DIGEST,
    HEIGHT,
    NONCE,
    SHA256,
    TIME,
    append,
    bitcoin,
    commitment_of,
    header,
    pending,
    promise,
    root_of,
    stamp_file,
    to_block,
)

URL = "https://calendar.example"
PROMISED = stamp_file(DIGEST, promise(URL))
COMMITMENT = commitment_of(DIGEST)
ROOT = root_of(COMMITMENT)
FIRST_BLOCK = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def test_a_promise_shows_no_time() -> None:
    raw = begin_stamp(DIGEST, promise(URL))
    assert raw == PROMISED
    stamp = parse_stamp(raw)
    assert stamp.pending == (PendingAt(URL, COMMITMENT),)
    with pytest.raises(OtsPending, match=f"pending at {URL}"):
        verify_stamp(stamp, DIGEST, {})


def test_a_block_shows_the_time_of_its_header() -> None:
    stamp = parse_stamp(upgrade_stamp(PROMISED, COMMITMENT, to_block()))
    assert stamp.blocks == (InBlock(HEIGHT, ROOT),)
    found = verify_stamp(stamp, DIGEST, {HEIGHT: header(ROOT)})
    assert (found.height, found.time) == (HEIGHT, datetime.fromtimestamp(TIME, UTC))


def test_bitcoins_first_block_is_read_as_python_bitcoinlib_reads_it() -> None:
    height, raw = parse_header(f"0:{FIRST_BLOCK}")
    theirs = CBlockHeader.deserialize(raw)
    stamp = parse_stamp(stamp_file(theirs.hashMerkleRoot, bitcoin(0)))
    found = verify_stamp(stamp, Digest(theirs.hashMerkleRoot), {height: raw})
    assert found.time == datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)
    assert found.time.timestamp() == theirs.nTime


def test_without_the_header_nothing_is_known() -> None:
    stamp = parse_stamp(stamp_file(DIGEST, append(NONCE) + SHA256 + to_block()))
    with pytest.raises(OtsBlockUnknown, match="no header of block 850000"):
        verify_stamp(stamp, DIGEST, {HEIGHT + 1: header(ROOT)})


def test_another_root_or_another_digest_is_refused() -> None:
    stamp = parse_stamp(stamp_file(DIGEST, append(NONCE) + SHA256 + to_block()))
    with pytest.raises(OtsMismatch, match="another Merkle root in block 850000"):
        verify_stamp(stamp, DIGEST, {HEIGHT: header(bytes(32))})
    with pytest.raises(OtsMismatch, match="found a stamp of"):
        verify_stamp(stamp, sha256(b"another"), {HEIGHT: header(ROOT)})


def test_the_earliest_block_that_holds_counts() -> None:
    way = append(NONCE) + SHA256
    late = stamp_file(DIGEST, way + to_block(HEIGHT + 5))
    early = stamp_file(DIGEST, way + to_block(HEIGHT))
    stamp = parse_stamp(join_stamps([late, early]))
    headers = {HEIGHT + 5: header(ROOT, TIME + 9), HEIGHT: header(ROOT)}
    assert verify_stamp(stamp, DIGEST, headers).height == HEIGHT
    lying = {**headers, HEIGHT: header(bytes(32))}
    assert verify_stamp(stamp, DIGEST, lying).height == HEIGHT + 5


def test_stamps_of_several_calendars_become_one() -> None:
    other = stamp_file(DIGEST, pending("https://other.example"))
    joined = parse_stamp(join_stamps([PROMISED, other]))
    assert [each.calendar for each in joined.pending] == [URL, "https://other.example"]
    with pytest.raises(OtsMalformed, match="different messages"):
        join_stamps([PROMISED, stamp_file(bytes(32), pending(URL))])
    with pytest.raises(OtsMalformed, match="no stamp"):
        join_stamps([])


@pytest.mark.parametrize("end", range(len(PROMISED)))
def test_no_beginning_of_a_stamp_is_one(end: int) -> None:
    with pytest.raises(OtsMalformed):
        parse_stamp(PROMISED[:end])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        promise(URL)[:-1],
        promise(URL) + b"\x00",
        append(NONCE),
        b"\xf0\x00" + pending(URL),
        b"\x99" + pending(URL),
        b"\x00" + bytes(8),
        pending("https://x.example/?q"),
        bitcoin(2**32),
        SHA256 * 300 + pending(URL),
        b"\xf0" + b"\xff" * 40 + b"\x01" + pending(URL),
        append(bytes(4096)) + pending(URL),
    ],
)
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(OtsMalformed):
        begin_stamp(DIGEST, answer)


def test_limits_hold() -> None:
    with pytest.raises(OtsMalformed, match=f"want at most {MAX_STAMP_BYTES}"):
        parse_stamp(PROMISED + bytes(MAX_STAMP_BYTES))
    with pytest.raises(OtsMalformed, match=f"bytes, want at most {MAX_ANSWER_BYTES}$"):
        begin_stamp(DIGEST, bytes(MAX_ANSWER_BYTES + 1))
    with pytest.raises(OtsMalformed, match="want SHA-256"):
        parse_stamp(PROMISED[:32] + b"\x02" + bytes(20) + pending(URL))
    with pytest.raises(OtsMalformed, match="no commitment 0000"):
        upgrade_stamp(PROMISED, bytes(32), to_block())
    for text in ("", "1:", f"01:{FIRST_BLOCK}", f"-1:{FIRST_BLOCK}", f"1:{FIRST_BLOCK}00"):
        with pytest.raises(OtsMalformed, match="want HEIGHT:160"):
            parse_header(text)


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentimestamps.core.timestamp", None)
    for call in (require_library, lambda: parse_stamp(PROMISED)):
        with pytest.raises(OtsLibraryMissing) as caught:
            call()
        assert "patunay[ots]" in str(caught.value.hint)


def test_cosignatures_are_not_stamped() -> None:
    log, witness = SoftwareSigner(b"\x01" * 32), SoftwareSigner(b"\x02" * 32)
    note = sign_checkpoint(Checkpoint("log.example", 3, sha256(b"root")), log)
    text = SignedNote.parse(note).text
    line = str(cosign(text, "w.example", witness, datetime(2026, 3, 2, tzinfo=UTC)))
    key = VerifierKey("log.example", log.public_key)
    assert stamped_note(with_cosignatures(note, [line]), key) == note
    assert stamp_digest(note, key) == sha256(note.encode())
