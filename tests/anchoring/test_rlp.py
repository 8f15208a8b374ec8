"""RLP: equal to the `rlp` package, and strict."""

import random
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]

from anchoring.rlp import (
    MAX_DEPTH,
    Rlp,
    RlpMalformed,
    decode_rlp,
    encode_rlp,
    encode_rlp_number,
    read_rlp_number,
)


def random_item(chance: random.Random, depth: int) -> Any:
    if depth and chance.random() < 0.4:
        return [random_item(chance, depth - 1) for _ in range(chance.randrange(6))]
    size = chance.choice((0, 1, 1, 2, 55, 56, 57, 255, 256, 300))
    return chance.randbytes(size)


def test_encodes_and_decodes_as_the_rlp_package_does() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        item = random_item(chance, 4)
        raw = rlp.encode(item)
        assert encode_rlp(item) == raw
        assert decode_rlp(raw) == rlp.decode(raw)


def test_what_the_rlp_package_refuses_is_refused() -> None:
    chance = random.Random(8)
    refused = 0
    for _ in range(4_000):
        raw = bytearray(rlp.encode(random_item(chance, 3)))
        if raw and chance.random() < 0.9:
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        else:
            raw += b"\x00"
        try:
            wanted = rlp.decode(bytes(raw))
        except rlp.DecodingError:
            refused += 1
            with pytest.raises(RlpMalformed) as caught:
                decode_rlp(bytes(raw))
            assert caught.value.code == "rlp-malformed"
        else:
            assert decode_rlp(bytes(raw)) == wanted
    assert refused > 400


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("", "found the end"),
        ("8100", "small byte"),
        ("817f", "small byte"),
        ("b800", "needlessly long"),
        ("b837" + "00" * 55, "needlessly long"),
        ("b90038" + "00" * 56, "needlessly long"),
        ("b8", "needlessly long"),
        ("82ff", "want 2"),
        ("c201", "want 2"),
        ("c1c1", "want 1"),
        ("0000", "after the item"),
        ("bfffffffffffffffff", "want 18446744073709551615"),
    ],
)
def test_other_spellings_are_refused(raw: str, says: str) -> None:
    with pytest.raises(RlpMalformed, match=says):
        decode_rlp(bytes.fromhex(raw))


def test_lists_nest_to_the_limit_and_no_deeper() -> None:
    item: Rlp = []
    for _ in range(MAX_DEPTH - 1):
        item = [item]
    assert encode_rlp(decode_rlp(encode_rlp(item))) == encode_rlp(item)
    with pytest.raises(RlpMalformed, match="deeper than 8"):
        decode_rlp(encode_rlp([item]))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 256, 2**64, 2**256 - 1])
def test_numbers_come_back(number: int) -> None:
    assert read_rlp_number(encode_rlp_number(number)) == number
    assert encode_rlp_number(number) == rlp.sedes.big_endian_int.serialize(number)


@pytest.mark.parametrize("item", [b"\x00\x01", b"\x00", b"\x01" * 33, []])
def test_what_is_not_a_number_is_refused(item: Rlp) -> None:
    with pytest.raises(RlpMalformed):
        read_rlp_number(item)
