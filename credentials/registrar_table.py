"""The bytes of a registrar's CSV file to a table of text, or a refusal that says why.

What is wrong with a whole file is an error here. What is wrong with one cell or one row
is a finding of `credentials.registrar`, so that the other rows can still be issued.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from credentials.registrar_cells import Flaw, Severity
from primitives.errors import Malformed, Misconfigured

MAX_FILE_BYTES = 32 * 1024 * 1024
"""About ten times a national list of 100,000 learners with twelve columns."""

MAX_ROWS = 100_000
"""Rows under the header, empty ones included; the largest batch anchored at once."""

MAX_COLUMNS = 200
"""School information systems export up to about 120."""

MAX_CELL_CHARACTERS = 4096
"""An evidence note of one page."""

ENCODINGS = ("utf-8", "cp1252")

_SAMPLE_NAMES = 3
_DELIMITERS = ",;\t"


class CsvMalformed(Malformed):
    """The bytes are not one CSV table."""

    code = "csv-malformed"


class CsvTooLarge(CsvMalformed):
    """Over one of the four limits: bytes, rows, columns, characters in a cell."""

    code = "csv-too-large"
    hint = "split the file, for example by division office"


class CsvNotUtf8(CsvMalformed):
    """Not UTF-8; most often Excel's "CSV (Comma delimited)", which is cp1252."""

    code = "csv-not-utf8"


class CsvNotCp1252(CsvMalformed):
    """The operator confirmed cp1252, and the file holds bytes that cp1252 does not have."""

    code = "csv-not-cp1252"


class CsvIsUtf16(CsvMalformed):
    """UTF-16 text, as Excel's "Unicode Text" writes it."""

    code = "csv-is-utf16"
    hint = 'save it as "CSV UTF-8 (Comma delimited)"'


class CsvEncodingUnknown(Misconfigured):
    """An encoding was asked for that no registrar's file is read in."""

    code = "csv-encoding-unknown"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the file that its text no longer shows."""

    row: int
    """1 where it is about the header or the file."""

    positions: range | None
    """Of the columns that it is about; None where it is about all of them."""

    flaw: Flaw


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, as text that nothing was done to yet."""

    header: tuple[str, ...]

    records: tuple[tuple[int, tuple[str, ...]], ...]
    """Row number as a spreadsheet shows it (the header is 1) and the cells. Rows without
    any text are left out."""

    empty_rows: int

    remarks: tuple[Remark, ...] = ()


def read_table(raw: bytes, *, encoding: str) -> Table:
    """Return the table in `raw`.

    Args:
        raw: The file as uploaded, of any size.
        encoding: `utf-8`, or `cp1252` once a person has confirmed the sample names.

    Raises:
        CsvMalformed: Not such a table; each reason is its own subclass.
        CsvEncodingUnknown: Another `encoding`.
    """
    if encoding not in ENCODINGS:
        raise CsvEncodingUnknown(f"found {encoding!r}, want utf-8 or cp1252")
    if len(raw) > MAX_FILE_BYTES:
        raise CsvTooLarge(f"found {len(raw)} bytes, want at most {MAX_FILE_BYTES}")
    _refuse_other_formats(raw)
    marked = raw.startswith(b"\xef\xbb\xbf")
    text = _decode(raw[3:] if marked else raw, encoding)
    delimiter = _delimiter(text)
    header: tuple[str, ...] = ()
    records = []
    number = 0
    for number, cells in enumerate(_records(text, delimiter), 1):
        if number == 1:
            header = cells
        elif any(cell.strip() for cell in cells):
            records.append((number, cells))
    empty_rows = max(number - 1, 0) - len(records)
    remarks = tuple(_remarks(delimiter, marked=marked))
    return Table(header, tuple(records), empty_rows, remarks)


def _remarks(delimiter: str, *, marked: bool) -> Iterator[Remark]:
    if marked:
        detail = "a byte order mark stood before the header"
        yield Remark(1, None, Flaw("bom-removed", detail, severity=Severity.NOTE))
    if delimiter != ",":
        name = "semicolon" if delimiter == ";" else "tab"
        detail = f"cells are separated by {name}, not comma"
        yield Remark(1, None, Flaw("csv-delimiter", detail, severity=Severity.NOTE))


def _refuse_other_formats(raw: bytes) -> None:
    # Without a byte order mark, UTF-16 still shows: every second byte of Latin text is 0.
    head = raw[:200]
    pairs = len(head) // 2
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or (
        pairs and max(head[0::2].count(0), head[1::2].count(0)) * 2 > pairs
    ):
        raise CsvIsUtf16("found UTF-16 text, want UTF-8")
    if b"\0" in raw:
        raise CsvMalformed(f"found a NUL byte at {raw.index(0)}, want text")


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as e:
        where = f"found byte {raw[e.start]:#04x} at {e.start}"
        if encoding == "cp1252":
            raise CsvNotCp1252(f"{where}, want cp1252 text") from e
        raise CsvNotUtf8(f"{where}, want UTF-8 text", hint=_cp1252_hint(raw)) from e


_FIELD_BEYOND_ASCII = re.compile(r"[^,;\t\r\n\"]*[^\x00-\x7f,;\t\r\n\"][^,;\t\r\n\"]*")


def _cp1252_hint(raw: bytes) -> str:
    """Show the first names that another encoding would change, for a person to judge."""
    samples: dict[str, None] = {}
    for match in _FIELD_BEYOND_ASCII.finditer(raw.decode("cp1252", errors="replace")):
        sample = match[0].strip()[:40]
        if not sample.isascii():
            samples[sample] = None
        if len(samples) == _SAMPLE_NAMES:
            break
    if not samples:
        return 'save the file as "CSV UTF-8" and try again'
    names = ", ".join(f'"{sample}"' for sample in samples)
    return (
        f"read as cp1252 it has {names}: if these are spelt right, confirm with"
        ' encoding="cp1252"; if not, ask for the file as "CSV UTF-8"'
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the header into most cells; the comma wins a tie."""
    line = text[: MAX_COLUMNS * MAX_CELL_CHARACTERS].partition("\n")[0]
    unquoted = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=unquoted.count)


def _records(text: str, delimiter: str) -> Iterator[tuple[str, ...]]:
    # strict: a quote that is never closed would otherwise swallow every row after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as e:
            if "field limit" in str(e):
                raise _cell_too_long(number + 1, csv.field_size_limit() + 1) from e
            line = f"row {number + 1} (line {reader.line_num})"
            raise CsvMalformed(
                f"{line}: {e}, want every quoted cell closed",
                hint='look for a stray " from that row on',
            ) from e
        if cells is None:
            return
        number += 1
        _refuse_size(number, cells)
        yield tuple(cells)


def _refuse_size(number: int, cells: list[str]) -> None:
    if number - 1 > MAX_ROWS:
        raise CsvTooLarge(f"found over {MAX_ROWS} rows, want at most that")
    if len(cells) > MAX_COLUMNS:
        raise CsvTooLarge(
            f"row {number}: found {len(cells)} columns, want at most {MAX_COLUMNS}"
        )
    longest = max(map(len, cells), default=0)
    if longest > MAX_CELL_CHARACTERS:
        raise _cell_too_long(number, longest)


def _cell_too_long(number: int, characters: int) -> CsvTooLarge:
    return CsvTooLarge(
        f"row {number}: found a cell of {characters} characters,"
        f" want at most {MAX_CELL_CHARACTERS}",
        hint="shorten the cell, or leave that column out",
    )
