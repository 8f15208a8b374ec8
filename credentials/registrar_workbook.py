"""The bytes of a registrar's workbook (.xlsx) to the same table as a CSV file gives.

What a person sees in the spreadsheet program and what is stored are not the same: rows are
hidden, cells are merged, formulas were never calculated. Nothing of that is guessed at.
Each is remarked on, and the row is held.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from credentials.registrar_cells import Flaw, Severity
from credentials.registrar_table import MAX_FILE_BYTES, Remark, Table
from credentials.workbook.cells import Book, StringReader
from credentials.workbook.errors import XlsxMalformed, XlsxSheetUnknown, XlsxTooLarge
from credentials.workbook.formats import NumberFormat, StyleReader
from credentials.workbook.package import Elements, Package
from credentials.workbook.sheet import SheetReader

_MOST_NAMES: Final = 10
_HEADER: Final = 1


def read_workbook(raw: bytes, *, sheet: str | None = None) -> Table:
    """Return the table in one sheet of a workbook.

    Args:
        raw: The file as uploaded, of any size.
        sheet: Name of the sheet; else the first that is shown.

    Raises:
        XlsxMalformed: No such workbook, or over a limit; each reason is its own subclass.
        XlsxSheetUnknown: There is no sheet of that name, or none that is shown.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise XlsxTooLarge(f"found {len(raw)} bytes, want at most {MAX_FILE_BYTES}")
    package = Package(raw)
    main = _only(package.related(""), "officeDocument")
    frame = Elements("sheet", "workbookPr")
    package.read(main, frame)
    related = package.related(main)
    sheets = [found for name, found in frame.found if name == "sheet"]
    settings = [found for name, found in frame.found if name == "workbookPr"]
    chosen, unread = _choose(sheets, sheet)
    kind, part = related.get(chosen.get("id", ""), ("", ""))
    if kind != "worksheet":
        raise XlsxMalformed(f"found {chosen.get('name', '')[:80]!r}, want a sheet of cells")
    book = Book(
        strings=_strings(package, related),
        formats=_formats(package, related),
        is_1904=any(found.get("date1904") in ("1", "true") for found in settings),
    )
    reader = SheetReader(book)
    package.read(part, reader)
    return _table(reader, unread)


def _only(related: dict[str, tuple[str, str]], kind: str) -> str:
    paths = {path for found, path in related.values() if found == kind}
    if len(paths) != 1:
        raise XlsxMalformed(f"found {len(paths)} parts of the kind {kind}, want one")
    return paths.pop()


def _choose(sheets: list[dict[str, str]], wanted: str | None) -> tuple[dict[str, str], str]:
    """Return the sheet that is read, and the names of the others that are shown."""
    shown = [found for found in sheets if found.get("state", "visible") == "visible"]
    fit = shown if wanted is None else [s for s in sheets if s.get("name") == wanted]
    if not fit:
        names = _names(shown) or "no sheet that is shown"
        asked = repr(wanted[:80]) if wanted is not None else "one that is shown"
        raise XlsxSheetUnknown(f"found {names}, want {asked}")
    return fit[0], _names([found for found in shown if found is not fit[0]])


def _names(sheets: list[dict[str, str]]) -> str:
    names = [f'"{found.get("name", "")[:40]}"' for found in sheets[:_MOST_NAMES]]
    return ", ".join(names + ["…"] * (len(sheets) > _MOST_NAMES))


def _strings(package: Package, related: dict[str, tuple[str, str]]) -> list[str]:
    reader = StringReader()
    for kind, path in related.values():
        if kind == "sharedStrings":
            package.read(path, reader)
    return reader.strings


def _formats(
    package: Package, related: dict[str, tuple[str, str]]
) -> tuple[NumberFormat, ...]:
    reader = StyleReader()
    for kind, path in related.values():
        if kind == "styles":
            package.read(path, reader)
    return reader.formats()


def _table(reader: SheetReader, unread: str) -> Table:
    rows = dict(reader.rows)
    header = rows.pop(_HEADER, ())
    last = max(rows, default=_HEADER)
    return Table(
        header=header,
        records=tuple(rows.items()),
        empty_rows=last - _HEADER - len(rows),
        remarks=tuple(_remarks(reader, unread)),
    )


def _remarks(reader: SheetReader, unread: str) -> Iterator[Remark]:
    if unread:
        detail = f"the workbook has other sheets, which are not read: {unread}"
        flaw = Flaw("xlsx-sheets-not-read", detail, severity=Severity.NOTE)
        yield Remark(_HEADER, None, flaw)
    for first, last in reader.hidden_columns:
        flaw = Flaw(
            "xlsx-column-hidden",
            "a hidden column is read",
            "look at what it holds, or remove it",
            Severity.NOTE,
        )
        yield Remark(_HEADER, range(first, last + 1), flaw)
    for number in sorted(reader.hidden_rows & reader.rows.keys()):
        yield Remark(number, None, _HIDDEN)
    for number, (first, last) in reader.merged():
        is_header = number == _HEADER
        flaw = replace(_MERGED, severity=Severity.NOTE) if is_header else _MERGED
        yield Remark(number, range(first, last + 1), flaw)
    for number, position, flaw in reader.flaws:
        if number in reader.rows:
            yield Remark(number, range(position, position + 1), flaw)


_HIDDEN: Final = Flaw(
    "xlsx-row-hidden",
    "found a row that is hidden or filtered out, want every row shown",
    "show the row if it is to be issued, or delete it",
)
_MERGED: Final = Flaw(
    "xlsx-cells-merged",
    "found merged cells, of which the first alone has a value",
    "take them apart and fill each cell",
)
