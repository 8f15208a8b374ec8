"""The CBOR (RFC 8949) that a MerkleProof2019 is written in, and no more of it.

Integers, byte strings, texts and arrays of a definite length, in their shortest form.
"""

from typing import Final, TypeAlias

from primitives.errors import Malformed

Cbor: TypeAlias = "int | bytes | str | list[Cbor]"

MAX_DEPTH: Final = 8
"""Arrays in arrays: a proof has four."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY = range(5)
_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes of a number, by the low five bits of the first byte."""


class CborMalformed(Malformed):
    """The bytes are not one value of this part of CBOR."""

    code = "cbor-malformed"


def decode_cbor(raw: bytes) -> Cbor:
    """Return the one value in `raw`.

    Raises:
        CborMalformed: Something else, or more than that.
    """
    value, end = _value(raw, 0, 0)
    if end != len(raw):
        raise CborMalformed(f"found {len(raw) - end} bytes after the value, want none")
    return value


def _value(raw: bytes, at: int, depth: int) -> tuple[Cbor, int]:
    if depth > MAX_DEPTH:
        raise CborMalformed(f"found arrays nested deeper than {MAX_DEPTH}")
    major, number, at = _head(raw, at)
    if major == _UNSIGNED:
        return number, at
    if major == _NEGATIVE:
        return -1 - number, at
    if major > _ARRAY:
        raise CborMalformed(f"found CBOR major type {major}, want 0 to {_ARRAY}")
    if number > len(raw) - at:
        # Of an array each item has one byte at least, so this bounds it as well.
        raise CborMalformed(f"found a length of {number}, want at most {len(raw) - at}")
    if major == _BYTES:
        return raw[at : at + number], at + number
    if major == _TEXT:
        return _text(raw[at : at + number]), at + number
    items: list[Cbor] = []
    for _ in range(number):
        item, at = _value(raw, at, depth + 1)
        items.append(item)
    return items, at


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    """Return the major type, the number that goes with it, and where they end."""
    if at >= len(raw):
        raise CborMalformed("found the end, want a value")
    major, low = raw[at] >> 5, raw[at] & 31
    at += 1
    if low < min(_LENGTHS):
        return major, low, at
    if low not in _LENGTHS:
        raise CborMalformed("found an indefinite length")
    end = at + _LENGTHS[low]
    if end > len(raw):
        raise CborMalformed("found the end, want a number")
    return major, int.from_bytes(raw[at:end]), end


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as e:
        raise CborMalformed("found a text that is not UTF-8") from e
