"""The parts of a workbook: XML in a ZIP archive (ECMA-376 part 2), read within bounds.

Nothing is unpacked to a disk and nothing outside the file is followed. A part with a
document type is refused, so that no entity, inner or outer, is ever expanded.
"""

import io
import posixpath
import zipfile
import zlib
from functools import lru_cache
from typing import Final, Protocol
from xml.parsers import expat

from credentials.workbook.errors import (
    XlsxEncrypted,
    XlsxMacros,
    XlsxMalformed,
    XlsxOtherFormat,
    XlsxTooLarge,
)

MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
"""Of one part. The sheet of 100,000 learners with twelve columns has about 70."""

MAX_PARTS: Final = 4096
"""Sheets, pictures and settings of the largest books that were seen have some hundred."""

MAX_ELEMENTS: Final = 65_536
"""Elements that are kept of one part of the frame: more styles no program writes."""

_ZIP: Final = b"PK\x03\x04"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Of a compound file (MS-CFB): an old workbook, or an encrypted new one."""

_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_PACKED_BY: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_CHUNK: Final = 1 << 16

_TYPES: Final = "[Content_Types].xml"
_MAIN_TYPES: Final = ("spreadsheetml.sheet.main+xml", "spreadsheetml.template.main+xml")


class PartReader(Protocol):
    """Is told what stands in a part, in order. Names come without their namespace."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """Text, in pieces of any size."""

    def end(self, name: str) -> None:
        """An element ends."""


class Elements:
    """Keeps the elements of some names, with their attributes."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep it, if it goes by one of the names."""
        if name not in self._names:
            return
        if len(self.found) == MAX_ELEMENTS:
            raise XlsxTooLarge(f"found over {MAX_ELEMENTS} {name}, want at most that")
        self.found.append((name, {local(key): v for key, v in attributes.items()}))

    def text(self, data: str) -> None:
        """Pass over text."""

    def end(self, name: str) -> None:
        """Pass over ends."""


def is_workbook(raw: bytes) -> bool:
    """Return whether the bytes begin as a workbook does, of whatever format."""
    return raw.startswith((_ZIP, _COMPOUND[:4]))


@lru_cache(maxsize=256)
def local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


class Package:
    """An archive that is a workbook of the one format that is read."""

    def __init__(self, raw: bytes) -> None:
        """Look at the archive's index and at the types of its parts; believe no size.

        Args:
            raw: The file as uploaded; whoever read it has bounded its size.

        Raises:
            XlsxMalformed: Not such a workbook; each reason is its own subclass.
        """
        if raw.startswith(_COMPOUND[:4]):
            if _ENCRYPTED_STREAM in raw:
                raise XlsxEncrypted("found an encrypted workbook, want one to be read")
            raise XlsxOtherFormat("found an old workbook (.xls), want .xlsx")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as e:
            raise XlsxMalformed(f"found no whole ZIP archive: {e}") from e
        self._parts = self._index()
        self._refuse_other_kinds()

    def _index(self) -> dict[str, zipfile.ZipInfo]:
        entries = self._archive.infolist()
        if len(entries) > MAX_PARTS:
            raise XlsxTooLarge(f"found {len(entries)} parts, want at most {MAX_PARTS}")
        parts: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            if entry.filename in parts:
                raise XlsxMalformed(f"found the part {entry.filename[:80]!r} twice")
            if entry.flag_bits & 1:
                raise XlsxEncrypted("found an archive with a password")
            parts[entry.filename] = entry
        return parts

    def _refuse_other_kinds(self) -> None:
        if _TYPES not in self._parts:
            wanted = "found an archive that is no workbook, want .xlsx"
            if "content.xml" in self._parts and "mimetype" in self._parts:
                raise XlsxOtherFormat("found an OpenDocument file (.ods), want .xlsx")
            raise XlsxMalformed(wanted)
        named = Elements("Override", "Default")
        self.read(_TYPES, named)
        types = [attributes.get("ContentType", "") for _, attributes in named.found]
        if any("sheet.binary" in kind for kind in types):
            raise XlsxOtherFormat("found a binary workbook (.xlsb), want .xlsx")
        has_program = any(name.endswith("vbaProject.bin") for name in self._parts)
        if has_program or any("macroEnabled" in kind for kind in types):
            raise XlsxMacros("found a workbook with macros (.xlsm), want .xlsx")
        if not any(kind.endswith(_MAIN_TYPES) for kind in types):
            raise XlsxMalformed("found a document of another program, want a workbook")

    def read(self, name: str, reader: PartReader) -> None:
        """Tell `reader` what stands in a part.

        Raises:
            XlsxTooLarge: Over `MAX_UNPACKED_BYTES`.
            XlsxMalformed: There is no such part, or it is not XML without a document type.
        """
        entry = self._parts.get(name)
        if entry is None:
            raise XlsxMalformed(f"found no part {name[:120]!r}")
        if entry.file_size > MAX_UNPACKED_BYTES:
            raise XlsxTooLarge(
                f"{name[:120]}: found {entry.file_size} bytes, "
                f"want at most {MAX_UNPACKED_BYTES}"
            )
        if entry.compress_type not in _PACKED_BY:
            raise XlsxMalformed(f"{name[:120]}: packed in a way that no workbook is")
        parser = _parser(reader)
        try:
            # No more than the size above comes out, whatever is in there.
            with self._archive.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError as e:
            raise XlsxMalformed(f"{name[:120]}: {e}, want XML") from e
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as e:
            raise XlsxMalformed(f"{name[:120]}: found a damaged archive: {e}") from e

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to: by id, the last word of its kind and its name.

        Args:
            name: Of the part; empty for the package itself.
        """
        folder, file = posixpath.split(name)
        listed = Elements("Relationship")
        self.read(posixpath.join(folder, "_rels", f"{file}.rels"), listed)
        found = {}
        for _, each in listed.found:
            # What lies elsewhere is another document's.
            if each.get("TargetMode") != "External":
                target = posixpath.join("/", folder, each.get("Target", ""))
                kind = each.get("Type", "").rpartition("/")[2]
                path = posixpath.normpath(target).lstrip("/")
                found[each.get("Id", "")] = (kind, path)
        return found


def _parser(reader: PartReader) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, found: reader.start(local(name), found)
    parser.EndElementHandler = lambda name: reader.end(local(name))
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def _refuse_document_type(*_told: object) -> None:
    raise XlsxMalformed("found a document type in a part, want none")
