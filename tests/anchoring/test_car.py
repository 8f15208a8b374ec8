import hashlib

import carbox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multiformats import CID

from anchoring.blocks import CidMismatch
from anchoring.car import MAX_CAR_BYTES, MAX_ROOTS, Car, CarMalformed, encode_car, parse_car
from anchoring.record import CidMalformed, raw_cid, record_cid
from primitives.errors import PatunayError
from tests.support.records import BLOCKS, small_record

RECORD = small_record()
ROOT = record_cid(RECORD)
PAIRS = [(ROOT, RECORD), *((raw_cid(block), block) for block in BLOCKS)]


def car(roots: list[str] | None = None, pairs: list[tuple[str, bytes]] = PAIRS) -> bytes:
    return b"".join(encode_car(roots or [ROOT], pairs))


def by_hand(header: str, *sections: bytes) -> bytes:
    """A CAR file from hexadecimal and lengths below 128."""
    parts = [bytes.fromhex(header), *sections]
    return b"".join(bytes([len(part)]) + part for part in parts)


DIGEST = hashlib.sha256(b"document").digest()
BLOCK = bytes.fromhex("01551220") + DIGEST + b"document"
HEADER = "a265726f6f747381d82a58250001551220" + DIGEST.hex() + "6776657273696f6e01"


def test_the_bytes_are_those_of_the_standard() -> None:
    cid = raw_cid(b"document")
    assert b"".join(encode_car([cid], [(cid, b"document")])) == by_hand(HEADER, BLOCK)
    assert parse_car(by_hand(HEADER, BLOCK)) == Car((cid,), {cid: b"document"})


@pytest.mark.parametrize("count", [1, 23, 24, 255, 256, 700])
def test_another_reader_finds_roots_and_blocks(count: int) -> None:
    blocks = [str(n).encode() for n in range(count)]
    roots = [record_cid(block) for block in blocks]
    pairs = list(zip(roots, blocks, strict=True))
    found, read = carbox.read_car(car(roots, pairs), validate=True)
    assert [str(root.encode("base32")) for root in found] == roots
    assert [(str(b.cid.encode("base32")), bytes(b.data)) for b in read] == pairs
    assert parse_car(car(roots, pairs)) == Car(tuple(roots), dict(pairs))


def test_what_another_writer_wrote_is_read() -> None:
    blocks = [carbox.car.Block(CID.decode(cid), block) for cid, block in PAIRS]
    raw = carbox.write_car([CID.decode(ROOT)], blocks)
    assert parse_car(raw) == Car((ROOT,), dict(PAIRS))


def test_a_block_that_comes_again_is_written_once() -> None:
    assert car(pairs=PAIRS + PAIRS) == car()


def test_nothing_is_written_that_is_not_what_its_cid_names() -> None:
    with pytest.raises(CidMismatch):
        car(pairs=[(ROOT, RECORD + b" ")])
    with pytest.raises(CidMalformed):
        car(roots=["QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"])


@pytest.mark.parametrize("count", [0, MAX_ROOTS + 1])
def test_the_number_of_roots_has_limits(count: int) -> None:
    with pytest.raises(ValueError, match=f"found {count} roots"):
        next(encode_car([ROOT] * count, []))


def test_a_changed_block_is_refused() -> None:
    whole = car()
    place = whole.index(b"document")
    with pytest.raises(CidMismatch):
        parse_car(whole[:place] + b"D" + whole[place + 1 :])


ROOT_HEX = "d82a58250001551220" + DIGEST.hex()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "no length at byte 0"),
        (b"\x00", "a header of 0 bytes"),
        (b"\x80\x00", "one spelling"),
        (b"\xff\xff\xff\xff\xff\x01", "no length at byte 0"),
        (b"\xff\xff\xff\x7f", "want 1 to"),
        (by_hand(HEADER)[:-1], "cut off"),
        (by_hand(HEADER, BLOCK)[:-1], "the block at byte 59 is cut off"),
        (by_hand(HEADER.replace("6e01", "6e02"), BLOCK), "not that of a CARv1"),
        (by_hand("a16776657273696f6e01", BLOCK), "not that of a CARv1"),
        (by_hand("a265726f6f7473806776657273696f6e01", BLOCK), "one spelling"),
        (by_hand("a265726f6f7473f66776657273696f6e01", BLOCK), "one spelling"),
        (by_hand("a265726f6f7473829801" + ROOT_HEX + "6776657273696f6e01"), "root"),
        (by_hand(HEADER.replace("7381d8", "7382d8"), BLOCK), "one spelling"),
        (by_hand(HEADER.replace("7381d8", "739801d8"), BLOCK), "one spelling"),
        (by_hand(HEADER.replace("d82a", "d82b"), BLOCK), "one spelling"),
        (by_hand(HEADER.replace("58250001", "58ff0001"), BLOCK), "cut off"),
        (by_hand(HEADER.replace("0001551220", "0001711220"), BLOCK), "root: found"),
        (by_hand(HEADER, b"\x01\x71" + BLOCK[2:]), "CID begins 01711220"),
        (by_hand(HEADER, BLOCK[:35]), "CID begins 01551220"),
    ],
)
def test_another_form_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(CarMalformed, match=message) as caught:
        parse_car(raw)
    assert caught.value.code == "car-malformed"


@pytest.mark.parametrize("count", [MAX_ROOTS, MAX_ROOTS + 1])
def test_no_more_roots_are_read_than_are_written(count: int) -> None:
    roots = f"99{count:04x}" + ROOT_HEX * count
    header = bytes.fromhex("a265726f6f7473" + roots + "6776657273696f6e01")
    size = len(header)  # in LEB128, three times seven bits
    raw = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + header
    if count == MAX_ROOTS:
        assert parse_car(raw).roots == (raw_cid(b"document"),) * count
    else:
        with pytest.raises(CarMalformed, match="over the limit"):
            parse_car(raw)


def test_a_file_that_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(CarMalformed, match=f"^found over {MAX_CAR_BYTES} bytes"):
        parse_car(bytes(MAX_CAR_BYTES + 1))


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_is_refused_or_means_the_same(data: st.DataObject) -> None:
    whole = bytearray(car())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        read = parse_car(bytes(whole[:cut]))
    except PatunayError:
        return
    assert all(raw_cid(b) == c or record_cid(b) == c for c, b in read.blocks.items())
