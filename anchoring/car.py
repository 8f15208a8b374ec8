"""CAR files: IPFS blocks, one after another, in a file that anyone can carry.

CARv1, see <https://ipld.io/specs/transport/car/carv1/>: a header that names the roots, then
each block with its CID, every part after its length. Written are blocks of anchor records
and of what they link; read is nothing else, and each block is compared with its CID.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from anchoring.blocks import MAX_BLOCK_BYTES, require_cid
from anchoring.record import CidMalformed, cid_bytes, cid_text
from primitives.errors import Malformed

MAX_CAR_BYTES = 256 * 1024 * 1024
"""Largest file read: all records of a log of some three million leaves."""

MAX_ROOTS = 10_000
"""Roots read: a record a day for a quarter of a century."""

_MAX_VARINT_BYTES = 5
"""Holds any length below 2**35; longer ones are over every limit here."""

_CID_BYTES = (36, 37)
"""Of a raw block and of a dag-json block, each with a SHA-256."""

# DAG-CBOR, RFC 8949: {"roots": [tag 42 of bytes 00 || CID, …], "version": 1}
_MAP_OF_ROOTS = b"\xa2\x65roots"
_VERSION_1 = b"\x67version\x01"
_CID_TAG = b"\xd8\x2a\x58"
_ARRAY = 0x80
_ARRAY_MAX_PLAIN = 23
_ARRAY_LENGTHS = {0x98: 1, 0x99: 2}


class CarMalformed(Malformed):
    """The bytes are not a CARv1 file of anchor records."""

    code = "car-malformed"


@dataclass(frozen=True, slots=True)
class Car:
    """A CAR file taken apart. Every block is the one that its CID names."""

    roots: tuple[str, ...]
    """CIDs of anchor records, newest first; their blocks may be missing."""

    blocks: Mapping[str, bytes] = field(repr=False)
    """By CID."""


def encode_car(
    roots: Sequence[str], blocks: Iterable[tuple[str, bytes]]
) -> Iterator[bytes]:
    """Yield the parts of a CAR file, in order.

    Args:
        roots: 1 to `MAX_ROOTS` CIDs.
        blocks: CID and bytes; one that comes again is left out.

    Raises:
        CidMismatch: A block is not what its CID names.
        CidMalformed: Not a CID of the kinds that records use.
    """
    if not 1 <= len(roots) <= MAX_ROOTS:
        raise ValueError(f"found {len(roots)} roots, want 1 to {MAX_ROOTS}")
    header = _encode_header(roots)
    yield _varint(len(header)) + header
    written: set[str] = set()
    for cid, block in blocks:
        if cid not in written:
            require_cid(block, cid)
            written.add(cid)
            prefix = cid_bytes(cid)
            yield _varint(len(prefix) + len(block)) + prefix + block


def parse_car(raw: bytes) -> Car:
    """Return the roots and blocks of a CAR file, each block compared with its CID.

    Raises:
        CarMalformed: Not CARv1, another version, a header of another form, a CID of a kind
            that records do not use, cut off, or over a limit.
        CidMismatch: A block is not what its CID names.
    """
    if len(raw) > MAX_CAR_BYTES:
        raise CarMalformed(f"found over {MAX_CAR_BYTES} bytes, want at most that")
    header, place = _section(raw, 0, "header")
    roots = _parse_header(header)
    blocks: dict[str, bytes] = {}
    while place < len(raw):
        section, place = _section(raw, place, "block")
        cid, block = _parse_section(section)
        require_cid(block, cid)
        blocks[cid] = block
    return Car(roots, blocks)


def _encode_header(roots: Sequence[str]) -> bytes:
    parts = [_MAP_OF_ROOTS, _array_head(len(roots))]
    for cid in roots:
        binary = b"\x00" + cid_bytes(cid)
        parts += [_CID_TAG, bytes([len(binary)]), binary]
    return b"".join([*parts, _VERSION_1])


def _array_head(length: int) -> bytes:
    if length <= _ARRAY_MAX_PLAIN:
        return bytes([_ARRAY + length])
    if length < 1 << 8:
        return bytes([0x98, length])
    return b"\x99" + length.to_bytes(2, "big")


def _parse_header(header: bytes) -> tuple[str, ...]:
    """Read the CIDs, then write the header anew: equal, or it was of another form."""
    if not header.startswith(_MAP_OF_ROOTS) or not header.endswith(_VERSION_1):
        raise CarMalformed("the header is not that of a CARv1 file with roots")
    place = len(_MAP_OF_ROOTS)
    width = _ARRAY_LENGTHS.get(header[place], 0)
    place += 1 + width
    roots: list[str] = []
    end = len(header) - len(_VERSION_1)
    while place < end:
        start = place + len(_CID_TAG) + 2
        place = start - 1 + header[start - 2] if start < end else end + 1
        if place > end or len(roots) == MAX_ROOTS:
            raise CarMalformed("the roots are cut off, or over the limit")
        roots.append(_cid(header[start:place]))
    if not roots or _encode_header(roots) != header:
        raise CarMalformed("the header is not in its one spelling")
    return tuple(roots)


def _section(raw: bytes, place: int, what: str) -> tuple[bytes, int]:
    """Return the part that begins at `place` with its length, and where the next begins."""
    length, start = _read_varint(raw, place)
    most = MAX_BLOCK_BYTES + 64 * MAX_ROOTS
    if not 0 < length <= most:
        raise CarMalformed(f"found a {what} of {length} bytes, want 1 to {most}")
    if start + length > len(raw):
        raise CarMalformed(f"the {what} at byte {place} is cut off")
    return raw[start : start + length], start + length


def _parse_section(section: bytes) -> tuple[str, bytes]:
    for size in _CID_BYTES:
        try:
            cid = cid_text(section[:size])
        except CidMalformed:
            continue
        return cid, section[size:]
    raise CarMalformed(f"found a block whose CID begins {section[:4].hex()}")


def _cid(binary: bytes) -> str:
    try:
        return cid_text(binary)
    except CidMalformed as e:
        raise CarMalformed(f"root: {e}") from e


def _varint(value: int) -> bytes:
    """Return unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(raw: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(raw[place : place + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:  # noqa: PLR2004 - the last one
            if _varint(value) != raw[place : place + count + 1]:
                raise CarMalformed(f"the length at byte {place} is not in its one spelling")
            return value, place + count + 1
    raise CarMalformed(f"found no length at byte {place}")
