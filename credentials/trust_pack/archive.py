"""The archive of a trust pack: a ZIP file in one spelling.

Any program that reads ZIP files reads it. What is read here is less: files alone, stored
and not compressed, in the order of their names, without times, comments or extra fields.
So equal files are equal bytes, nothing can grow when it is read, and no byte of the
archive is free to be chosen. PKWARE APPNOTE 6.3.9, sections 4.3.7, 4.3.12 and 4.3.16.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from primitives.errors import Malformed

MAX_PACK_BYTES: Final = 256 * 1024 * 1024
"""Largest pack read; it is held in memory. 1,000 issuers with ten lists each have 40 MB."""

MAX_FILES: Final = 20_000
MAX_NAME_CHARACTERS: Final = 120

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_READ_BY: Final = 20
"""Version 2.0 of the format, the least there is for folders in names."""

_MADE_BY: Final = 3 << 8 | _READ_BY
"""On Unix, so that the mode of a file is told."""

_MODE: Final = 0o100644 << 16
_DAY_ONE: Final = 1 << 5 | 1
"""1980-01-01, the first day that the format has."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)?")


class PackMalformed(Malformed):
    """The bytes are not a trust pack in its one spelling."""

    code = "pack-malformed"
    hint = "get the pack again, exactly as the office handed it out"


class PackTooLarge(PackMalformed):
    """More bytes or files than any pack has."""

    code = "pack-too-large"


class PackEntryRefused(PackMalformed):
    """An entry that is no plain file: a link, a folder, packed, or at an odd place."""

    code = "pack-entry-refused"


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of `files`, which go by their name in it.

    Raises:
        PackTooLarge: More than would be read again.
        PackEntryRefused: A name that would not be read again.
    """
    if len(files) > MAX_FILES:
        raise PackTooLarge(f"found {len(files)} files, want at most {MAX_FILES}")
    size = sum(len(raw) + 2 * len(name) + 76 for name, raw in files.items()) + _END.size
    if size > MAX_PACK_BYTES:
        raise PackTooLarge(f"found {size} bytes, want at most {MAX_PACK_BYTES}")
    bodies: list[bytes] = []
    index: list[bytes] = []
    place = 0
    for name in sorted(files):
        _refuse_name(name)
        raw, encoded = files[name], name.encode("ascii")
        shared = (_READ_BY, 0, 0, 0, _DAY_ONE, zlib.crc32(raw), len(raw), len(raw))
        bodies += (_LOCAL.pack(_LOCAL_MARK, *shared, len(encoded), 0), encoded, raw)
        index += (
            _CENTRAL.pack(
                *(_CENTRAL_MARK, _MADE_BY, *shared, len(encoded)),
                *(0, 0, 0, 0, _MODE, place),
            ),
            encoded,
        )
        place += _LOCAL.size + len(encoded) + len(raw)
    length, count = sum(map(len, index)), len(files)
    # 0xffff would say that the number stands elsewhere, in ZIP64; `MAX_FILES` is less.
    end = _END.pack(_END_MARK, 0, 0, count, count, length, place, 0)
    return b"".join((*bodies, *index, end))


def read_archive(raw: bytes) -> dict[str, bytes]:
    """Return the files of an archive by name. Nothing is unpacked anywhere.

    Raises:
        PackTooLarge: Over `MAX_PACK_BYTES` or `MAX_FILES`.
        PackEntryRefused: An entry that is no plain file, or whose name is twice there.
        PackMalformed: Not the bytes that `write_archive` gives for these files.
    """
    if len(raw) > MAX_PACK_BYTES:
        raise PackTooLarge(f"found over {MAX_PACK_BYTES} bytes")
    files: dict[str, bytes] = {}
    for name, place, size in _entries(raw):
        if name in files:
            raise PackEntryRefused(f"found {name!r} twice")
        start = place + _LOCAL.size + len(name)
        files[name] = raw[start : start + size]
    # Whatever stands between, before or after the files, and in two places twice.
    if write_archive(files) != raw:
        raise PackMalformed("found another spelling of the archive than the one")
    return files


def _entries(raw: bytes) -> list[tuple[str, int, int]]:
    """Return name, place and size of each entry of the index, none of it believed."""
    if len(raw) < _END.size or raw[-_END.size :][:4] != _END_MARK:
        raise PackMalformed("found no ZIP archive that ends without a comment")
    _, _, _, _, count, length, start, _ = _END.unpack(raw[-_END.size :])
    if count > MAX_FILES:
        raise PackTooLarge(f"found {count} files, want at most {MAX_FILES}")
    if start + length + _END.size != len(raw):
        raise PackMalformed("found an index at another place than before the end")
    entries, place, total = [], start, 0
    for _ in range(count):
        if place + _CENTRAL.size > len(raw):
            raise PackMalformed("the index ends within an entry")
        fields = _CENTRAL.unpack_from(raw, place)
        mark, _, _, flags, method = fields[:5]
        packed, size, named, extra, comment = fields[8:13]
        if mark != _CENTRAL_MARK:
            raise PackMalformed("found something else where an entry has to be")
        place += _CENTRAL.size
        name = raw[place : place + named].decode("ascii", "replace")
        _refuse_name(name)
        if fields[15] != _MODE:
            raise PackEntryRefused(f"{name}: found mode {fields[15] >> 16:o}, want 100644")
        if method or flags or packed != size:
            raise PackEntryRefused(f"{name}: found it packed by method {method}")
        # Together, for entries that lie over each other would be many times the file.
        total += size
        if total > len(raw):
            raise PackTooLarge(f"found {total} bytes of files in an archive of {len(raw)}")
        entries.append((name, int(fields[16]), int(size)))
        place += named + extra + comment
    return entries


def _refuse_name(name: str) -> None:
    if len(name) > MAX_NAME_CHARACTERS or _NAME.fullmatch(name) is None:
        raise PackEntryRefused(f"found the name {name[:80]!r}, want a plain one")
