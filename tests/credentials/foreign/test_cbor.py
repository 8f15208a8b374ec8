"""The part of CBOR that proofs are written in, compared with cbor2."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.foreign.cbor import CborMalformed, decode_cbor

numbers = st.integers(-(2**64), 2**64 - 1)
values = st.recursive(
    numbers | st.binary() | st.text(),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=9,
)


@given(values)
def test_reads_what_cbor2_writes(value: Any) -> None:
    assert decode_cbor(cbor2.dumps(value)) == value


@given(st.binary(max_size=40))
def test_whatever_comes_is_read_or_malformed(raw: bytes) -> None:
    try:
        value = decode_cbor(raw)
    except CborMalformed:
        return
    assert cbor2.loads(raw) == value


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "found the end"),
        ("18", "found the end"),
        ("0000", "found 1 bytes after the value"),
        ("9b7fffffffffffffff", "found a length of"),
        ("5f4100ff", "indefinite length"),
        ("a10000", "major type 5"),
        ("f6", "major type 7"),
        ("61ff", "not UTF-8"),
        ("81" * 20 + "00", "nested deeper than 8"),
    ],
)
def test_the_rest_is_malformed(raw: str, words: str) -> None:
    with pytest.raises(CborMalformed, match=words):
        decode_cbor(bytes.fromhex(raw))
