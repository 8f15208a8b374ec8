"""RLP, Ethereum's encoding of nested byte strings, in its one canonical spelling.

Yellow Paper, appendix B. Decoding is strict: what `encode_rlp` would write differently is
refused, so that a header or a receipt has exactly one form.
"""

from collections.abc import Sequence
from typing import TypeAlias

from primitives.errors import Malformed

Rlp: TypeAlias = "bytes | Sequence[Rlp]"
"""A byte string, or a list of such items."""

MAX_DEPTH = 8
"""Lists within lists. A receipt needs 4: receipt, logs, log, topics."""

_SHORT = 55
_STRING, _LIST = 0x80, 0xC0
"""First bytes: below them a byte stands for itself, from the second on lists begin."""


class RlpMalformed(Malformed):
    """The bytes are not one canonical RLP item."""

    code = "rlp-malformed"


def encode_rlp(item: Rlp) -> bytes:
    """Return the canonical encoding of `item`."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _head(len(item), _STRING) + item
    body = b"".join(encode_rlp(each) for each in item)
    return _head(len(body), _LIST) + body


def encode_rlp_number(number: int) -> bytes:
    """Return what stands for `number`: big-endian without leading zeros, 0 is empty."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def decode_rlp(data: bytes) -> Rlp:
    """Return the item that `data` is, to the last byte.

    Raises:
        RlpMalformed: Cut off, followed by more, in a longer spelling than needed, or
            nested deeper than `MAX_DEPTH`.
    """
    item, end = _decode(data, 0, len(data), MAX_DEPTH)
    if end != len(data):
        raise RlpMalformed(f"found {len(data) - end} bytes after the item, want none")
    return item


def read_rlp_number(item: Rlp) -> int:
    """Return the number that `item` stands for.

    Raises:
        RlpMalformed: A list, over 32 bytes, or with leading zeros.
    """
    if not isinstance(item, bytes) or len(item) > 32 or item[:1] == b"\x00":  # noqa: PLR2004 - 256 bits
        raise RlpMalformed("found something else as a number")
    return int.from_bytes(item)


def _head(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = encode_rlp_number(length)
    return bytes((offset + _SHORT + len(size),)) + size


def _decode(data: bytes, start: int, limit: int, depth: int) -> tuple[Rlp, int]:
    if start >= limit:
        raise RlpMalformed(f"found the end at byte {start}, want an item")
    first = data[start]
    if first < _STRING:
        return data[start : start + 1], start + 1
    is_list = first >= _LIST
    body, end = _bounds(data, start, limit, first - (_LIST if is_list else _STRING))
    if not is_list:
        raw = data[body:end]
        if len(raw) == 1 and raw[0] < _STRING:
            raise RlpMalformed(
                f"found a length before the small byte at {start}, want none"
            )
        return raw, end
    if depth == 0:
        raise RlpMalformed(f"found lists nested deeper than {MAX_DEPTH}")
    items = []
    while body < end:
        item, body = _decode(data, body, end, depth - 1)
        items.append(item)
    return items, end


def _bounds(data: bytes, start: int, limit: int, short: int) -> tuple[int, int]:
    """Return where the body of the item at `start` begins and ends."""
    body, length = start + 1, short
    if short > _SHORT:
        body += short - _SHORT
        size = data[start + 1 : min(body, limit)]
        length = int.from_bytes(size)
        if size[:1] in (b"", b"\x00") or length <= _SHORT:
            raise RlpMalformed(f"found a needlessly long length at byte {start}")
    if body + length > limit:
        raise RlpMalformed(f"found {limit - body} bytes at byte {body}, want {length}")
    return body, body + length
