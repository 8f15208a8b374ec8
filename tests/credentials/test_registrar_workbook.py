import csv
import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from credentials.registrar import RegistrarFile, read_registrar_file
from credentials.registrar_columns import CsvColumnMissing
from credentials.registrar_table import MAX_COLUMNS, CsvMalformed
from credentials.registrar_workbook import read_workbook
from credentials.workbook.cells import Book
from credentials.workbook.errors import (
    XlsxEncrypted,
    XlsxMacros,
    XlsxMalformed,
    XlsxOtherFormat,
    XlsxSheetUnknown,
    XlsxTooLarge,
)
from credentials.workbook.package import MAX_UNPACKED_BYTES, Package
from credentials.workbook.sheet import SheetReader
from tests.support.nodes import LEARNERS_FILE
from tests.support.standards import shared
from tests.support.workbooks import (
    SHEET,
    packed,
    parts_of,
    saved,
    with_part,
    workbook,
)

TODAY = date(2025, 10, 1)
HEADER = ("learner_ref", "family_name", "given_name", "completed_on", "result")
ANA = ("136789012345", "Reyes", "Ana", date(2025, 9, 26), "Proficient")
BEN = ("136789012346", "Santos", "Ben", date(2025, 9, 26), "Proficient")


def dirty() -> bytes:
    return shared("domain", "registrar", "f_school.xlsx").read_bytes()


def read(raw: bytes, sheet: str | None = None) -> RegistrarFile:
    return read_registrar_file(raw, sheet=sheet, today=TODAY)


def codes(file: RegistrarFile) -> list[tuple[int, str, str]]:
    return [(f.row, f.column, f.code) for f in file.findings if f.code != "no-email"]


def cell(value: Any, form: str | None = None) -> RegistrarFile:
    """Return what a file comes to whose one row has this value for a result."""

    def change(sheet: Worksheet) -> None:
        sheet["E2"] = value
        if form is not None:
            sheet["E2"].number_format = form

    return read(workbook([HEADER, ANA], change))


# The same rows as from CSV


def test_a_workbook_comes_to_the_same_rows_as_the_csv_of_it() -> None:
    raw = LEARNERS_FILE.read_bytes()
    rows = list(csv.reader(io.StringIO(raw.decode())))
    assert read(workbook(rows)) == read(raw)


def test_a_workbook_of_typed_cells_comes_to_the_same_rows_as_text() -> None:
    typed = workbook([HEADER, (136789012345, *ANA[1:4], 87.0), (*BEN[:4], 87.4)])
    text = workbook(
        [
            HEADER,
            (*ANA[:3], "2025-09-26", "87"),
            (*BEN[:3], "2025-09-26", "87.4"),
        ]
    )
    assert read(typed) == read(text)
    assert len(read(typed).rows) == 2


def test_the_school_s_file_is_refused_for_its_title_and_then_read_row_by_row() -> None:
    raw = dirty()
    with pytest.raises(CsvColumnMissing, match="Republic of the Philippines"):
        read(raw)
    file = read(with_part(raw, SHEET, _without_title))
    (row,) = file.rows
    assert row.values["family_name"] == "Dela Peña"
    assert (row.values["learner_ref"], row.values["completed_on"]) == (
        "136789012345",
        "2025-09-26",
    )
    found = codes(file)
    assert (1, "", "xlsx-sheets-not-read") in found
    assert (3, "completed_on", "date-not-iso") in found  # a bare 45926
    assert (4, "", "xlsx-row-hidden") in found
    assert [row.number for row in file.held] == [3, 4]


def _without_title(part: bytes) -> bytes:
    """Return the sheet without its first row, the others one higher."""
    text = re.sub(r'<row r="1">.*?</row>|<mergeCells.*</mergeCells>', "", part.decode())
    lower = lambda found: f'{found[1]}{int(found[2]) - 1}"'  # noqa: E731 - of one line
    return re.sub(r'( r="[A-Z]*)(\d+)"', lower, text).encode()


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        ("  Pass ", None, "Pass"),
        (3, None, "3"),
        (3.0, None, "3"),
        (-2, None, None),
        (87.400000000000006, None, "87.4"),
        (0.1, None, "0.1"),
        (5, "0.00", "5.00"),
        (1234.5, "#,##0.00", "1234.50"),
        (0.07, "0%", "7%"),
        (0.955, "0.0%", "95.5%"),
        (12, '"No. "0', "12"),
        (12, "[Red]0;[Blue]0", "12"),
        (1e5, "0.00E+00", "100000"),
        (123456789012345, None, "123456789012345"),
        (True, None, "TRUE"),
        (date(2025, 9, 26), "dd/mm/yyyy", "2025-09-26"),
        (date(2025, 9, 26), '[$-3409]dddd", "mmmm dd', "2025-09-26"),
        (datetime(2025, 9, 26, 8, 30), None, "2025-09-26 08:30:00"),  # noqa: DTZ001 - cells have no time zone
        (time(8, 30), None, "8:30:00"),
        (45926, None, "45926"),
        ("line_x000D_", None, "line\r"),
    ],
)
def test_a_cell_is_read_as_a_csv_export_would_write_it(
    value: Any, form: str | None, text: str | None
) -> None:
    file = cell(value, form)
    rows = file.rows + file.held
    if text is None:  # no text of a registrar's may start so
        assert (2, "result", "formula-injection") in codes(file)
    else:
        assert rows[0].values["result"] == text.strip()


def test_a_grade_shown_as_5_00_fails() -> None:
    assert (2, "result", "not-a-pass") in codes(cell(5, "0.00"))
    assert codes(cell(5)) == []


@pytest.mark.parametrize(
    ("value", "form"),
    [(12345, "000000000000"), (1234567890123456, None), (12345678901234567890, "0")],
)
def test_a_number_that_lost_digits_or_zeros_holds_its_row(
    value: int, form: str | None
) -> None:
    assert codes(cell(value, form)) == [(2, "result", "number-broken-by-spreadsheet")]


@pytest.mark.parametrize("value", [0, 59.5, 60, -1, 2958466])
def test_a_date_that_programs_disagree_on_holds_its_row(value: float) -> None:
    assert (2, "result", "xlsx-date-unclear") in codes(cell(value, "yyyy-mm-dd"))


def test_a_book_may_count_its_days_from_1904() -> None:
    raw = workbook([HEADER, (*ANA[:3], 44464, "Pass")], _as_dates)
    old = b'<workbookPr date1904="1"/>'
    file = read(
        with_part(raw, "xl/workbook.xml", lambda part: part.replace(b"<workbookPr/>", old))
    )
    assert file.rows[0].values["completed_on"] == "2025-09-26"


def _as_dates(sheet: Worksheet) -> None:
    sheet["D2"].number_format = "yyyy-mm-dd"


# What text does not show


def test_a_hidden_row_is_held() -> None:
    def change(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True

    file = read(workbook([HEADER, ANA, BEN], change))
    assert codes(file) == [(3, "", "xlsx-row-hidden")]
    assert [row.number for row in file.held] == [3]


def test_a_hidden_column_is_read_and_noted() -> None:
    def change(sheet: Worksheet) -> None:
        sheet.column_dimensions["E"].hidden = True

    file = read(workbook([HEADER, ANA], change))
    assert codes(file) == [(1, "result", "xlsx-column-hidden")]
    assert file.rows[0].values["result"] == "Proficient"


def test_rows_under_merged_cells_are_held() -> None:
    file = read(workbook([HEADER, ANA, BEN], lambda sheet: sheet.merge_cells("E2:E3")))
    assert codes(file) == [
        (2, "result", "xlsx-cells-merged"),
        (3, "result", "xlsx-cells-merged"),
    ]
    assert file.rows == ()


def test_merged_cells_that_no_column_is_read_from_hold_nothing() -> None:
    rows = [(*HEADER, "shoe size"), (*ANA, "7"), (*BEN, "8")]
    file = read(workbook(rows, lambda sheet: sheet.merge_cells("F2:F3")))
    assert codes(file) == [(1, "shoe size", "column-unknown")]


def test_a_formula_gives_the_value_that_was_saved_with_it() -> None:
    raw = workbook([HEADER, (*ANA[:4], '="Pass"')])
    assert codes(read(raw)) == [(2, "result", "xlsx-formula-not-calculated")]

    def calculated(part: bytes) -> bytes:
        assert part.count(b"<v></v>") + part.count(b"<v/>") + part.count(b"<v />") == 1
        part = re.sub(rb"<v></v>|<v ?/>", b"<v>Pass</v>", part)
        return part.replace(b'<c r="E2">', b'<c r="E2" t="str">')

    file = read(with_part(raw, SHEET, calculated))
    assert file.rows[0].values["result"] == "Pass"


def test_one_cause_is_one_error() -> None:
    file = read(workbook([HEADER, (*ANA[:3], "=TODAY()", "Pass")]))
    assert codes(file) == [(2, "completed_on", "xlsx-formula-not-calculated")]


def test_an_error_for_a_value_holds_its_row() -> None:
    assert codes(cell("#N/A")) == [(2, "result", "xlsx-error-value")]


def test_rows_that_are_empty_are_not_counted_at_the_end() -> None:
    def change(sheet: Worksheet) -> None:
        for number in (5, 6, 900):
            sheet.cell(number, 1, " ").number_format = "0.00"
        sheet.row_dimensions[1000].height = 40

    file = read(workbook([HEADER, ANA, (), BEN], change))
    assert [row.number for row in file.rows] == [2, 4]
    assert codes(file) == [(1, "", "empty-rows-skipped")]


def test_how_a_text_is_spoken_is_not_the_text() -> None:
    raw = workbook([HEADER, ANA])
    spoken = b'<is><r><t>Rey</t></r><r><t>es</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is>'
    found = with_part(
        raw, SHEET, lambda part: part.replace(b"<is><t>Reyes</t></is>", spoken)
    )
    assert found != raw
    assert read(found) == read(raw)


# Sheets


def two_sheets() -> Workbook:
    book = Workbook()
    for sheet, row in ((book.active, ANA), (book.create_sheet("June"), BEN)):
        assert isinstance(sheet, Worksheet)
        sheet.append(HEADER)
        sheet.append(row)
    return book


def test_the_first_sheet_that_is_shown_is_read_or_the_one_that_is_named() -> None:
    book = two_sheets()
    first = read(saved(book))
    assert first.rows[0].values["given_name"] == "Ana"
    note = first.findings[0]
    assert (note.code, note.detail[-6:]) == ("xlsx-sheets-not-read", '"June"')
    assert read(saved(book), "June").rows[0].values["given_name"] == "Ben"
    book.worksheets[0].sheet_state = "hidden"
    shown = read(saved(book))
    assert shown.rows[0].values["given_name"] == "Ben"
    assert codes(shown) == []


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(XlsxSheetUnknown, match='found "Sheet", "June", want \'July\''):
        read(saved(two_sheets()), "July")
    with pytest.raises(XlsxSheetUnknown, match="found no workbook"):
        read(LEARNERS_FILE.read_bytes(), "July")


# Files that are refused

GOOD = workbook([HEADER, ANA])
MAIN = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TYPES = "[Content_Types].xml"


def typed(kind: bytes) -> bytes:
    return with_part(GOOD, TYPES, lambda part: part.replace(MAIN, kind))


def sheet_of(rows: bytes, head: bytes = b"") -> bytes:
    return with_part(
        GOOD,
        SHEET,
        lambda _: head + b"<worksheet><sheetData>%b</sheetData></worksheet>" % rows,
    )


BOOK = "xl/workbook.xml"
DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
OUTER = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
A1 = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&a;</t></is></c></row>'
REFUSED: dict[str, tuple[bytes, type[XlsxMalformed]]] = {
    "macros": (typed(b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"), XlsxMacros),
    "a program": (with_part(GOOD, "xl/vbaProject.bin", lambda _: b"x"), XlsxMacros),
    "xlsb": (
        typed(b"application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
        XlsxOtherFormat,
    ),
    "ods": (packed({"mimetype": b"x", "content.xml": b"<x/>"}), XlsxOtherFormat),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), XlsxOtherFormat),
    "encrypted": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(504)
        + "EncryptedPackage".encode("utf-16-le"),
        XlsxEncrypted,
    ),
    "docx": (typed(b"application/x.wordprocessingml.document.main+xml"), XlsxMalformed),
    "any archive": (packed({"a.txt": b"x"}), XlsxMalformed),
    "no archive": (b"PK\x03\x04 and more", XlsxMalformed),
    "cut off": (GOOD[:-100], XlsxMalformed),
    "no book": (packed({TYPES: parts_of(GOOD)[TYPES]}), XlsxMalformed),
    "entities": (sheet_of(A1, DTD), XlsxMalformed),
    "outer entities": (sheet_of(A1, OUTER), XlsxMalformed),
    "no XML": (sheet_of(b"<row>"), XlsxMalformed),
    "rows in another order": (sheet_of(b'<row r="2"/><row r="2"/>'), XlsxMalformed),
    "cells in another order": (
        sheet_of(b'<row r="1"><c r="B1"/><c r="A1"/></row>'),
        XlsxMalformed,
    ),
    "a cell of another row": (sheet_of(b'<row r="1"><c r="A2"/></row>'), XlsxMalformed),
    "a cell in a cell": (sheet_of(b"<row><c><c/></c></row>"), XlsxMalformed),
    "no number": (sheet_of(b"<row><c><v>1_0</v></c></row>"), XlsxMalformed),
    "no such text": (sheet_of(b'<row><c t="s"><v>0</v></c></row>'), XlsxMalformed),
    "no such style": (sheet_of(b'<row><c s="99"><v>1</v></c></row>'), XlsxMalformed),
    "no place": (sheet_of(b'<row r="1"><c r="A0"/></row>'), XlsxMalformed),
    "sheet elsewhere": (
        with_part(
            GOOD,
            "xl/_rels/workbook.xml.rels",
            lambda part: part.replace(b" Id=", b' TargetMode="External" Id='),
        ),
        XlsxMalformed,
    ),
    "too many columns": (
        workbook([[*HEADER, *(f"c{i}" for i in range(MAX_COLUMNS))]]),
        XlsxTooLarge,
    ),
    "a long cell": (workbook([["x" * 4097]]), XlsxTooLarge),
    "many merges": (
        with_part(
            GOOD,
            SHEET,
            lambda part: part.replace(
                b"</worksheet>", b'<mergeCell ref="A1:A99999"/>' * 6 + b"</worksheet>"
            ),
        ),
        XlsxTooLarge,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_plain_workbook_is_refused_by_its_own_name(name: str) -> None:
    raw, error = REFUSED[name]
    with pytest.raises(XlsxMalformed) as caught:
        read(raw)
    assert type(caught.value) is error


def test_a_part_that_is_large_when_unpacked_is_not_unpacked() -> None:
    with pytest.raises(XlsxTooLarge, match=f"want at most {MAX_UNPACKED_BYTES}"):
        read(_of_size(GOOD, MAX_UNPACKED_BYTES + 1))


def test_a_part_that_says_it_is_small_is_read_no_further() -> None:
    raw = with_part(GOOD, SHEET, lambda part: part + b" " * 100_000)
    assert read(raw) == read(GOOD)
    with pytest.raises(XlsxMalformed, match=r"damaged archive|want XML"):
        read(_of_size(raw, len(parts_of(GOOD)[SHEET])))


def _of_size(raw: bytes, size: int) -> bytes:
    """Return a workbook that says of its sheet that it has `size` bytes."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        said = archive.getinfo(SHEET).file_size.to_bytes(4, "little")
    assert raw.count(said) == 2
    return raw.replace(said, size.to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("rows", "cells", "message"),
    [(9, 20, None), (8, 20, "over 8 rows"), (9, 19, "over 19 cells")],
)
def test_more_rows_or_cells_than_a_list_has_are_refused(
    rows: int, cells: int, message: str | None
) -> None:
    raw = sheet_of(b"<row><c><v>1</v></c><c/></row>" * 10)
    reader = SheetReader(Book((), (), is_1904=False), max_rows=rows, max_cells=cells)
    if message is None:
        Package(raw).read(SHEET, reader)
        assert len(reader.rows) == 10
        return
    with pytest.raises(XlsxTooLarge, match=message):
        Package(raw).read(SHEET, reader)


def test_a_part_that_is_there_twice_is_refused() -> None:
    raw = io.BytesIO(GOOD)
    with zipfile.ZipFile(raw, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, b"<worksheet/>")
    with pytest.raises(XlsxMalformed, match="twice"):
        read(raw.getvalue())


# Against openpyxl

_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20
).filter(lambda text: not text.startswith("=") and "_x" not in text)
_VALUES = (
    st.none()
    | _TEXTS
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 6))
    | st.dates(date(1900, 3, 1), date(9999, 12, 31))
)


def _as_text(value: object) -> str:
    """Return what a cell's value is in a CSV export, from what openpyxl read of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.6f}".rstrip("0")
    return str(round(value)) if isinstance(value, float) else str(value)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(_VALUES, max_size=6), min_size=1, max_size=8))
def test_each_cell_is_the_one_that_openpyxl_reads(rows: list[list[Any]]) -> None:
    raw = workbook(rows)
    table = read_workbook(raw)
    found = {1: table.header, **dict(table.records)}
    book = load_workbook(io.BytesIO(raw), data_only=True)
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for number, row in enumerate(sheet.iter_rows(), 1):
        for position, one in enumerate(row):
            cells = found.get(number, ())
            ours = cells[position] if position < len(cells) else ""
            theirs = _as_text(one.value)
            if isinstance(one.value, str) and one.value.startswith("#"):
                continue  # openpyxl takes some of these texts for errors
            # A row of white space alone counts as empty.
            assert ours == theirs or not any(cell.strip() for cell in cells)


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(4, len(raw))]


def _change(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 8)):
        changed[chance.randrange(4, len(raw))] = chance.randrange(256)
    return bytes(changed)


def _change_part(raw: bytes, chance: random.Random) -> bytes:
    name = chance.choice([*parts_of(raw)])
    return with_part(raw, name, lambda part: _change(part, chance))


@pytest.mark.parametrize("mutate", [_cut, _change, _change_part])
def test_a_damaged_workbook_is_refused_or_read_and_never_a_bug(
    mutate: Callable[[bytes, random.Random], bytes],
) -> None:
    raw = dirty()
    for seed in range(150):
        try:
            read(mutate(raw, random.Random(seed)))
        except (CsvMalformed, XlsxMalformed):
            continue
