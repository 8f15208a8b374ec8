"""A registrar's file to rows that can be issued, and findings about those that cannot.

Files come from spreadsheets that have been through many hands. A row with an error is
held back and listed, never mended; the others are issued. No rule here knows a template:
`credentials.template` says what a row must hold beyond a name and a date.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from credentials.registrar_cells import (
    Flaw,
    Severity,
    broken_number,
    clean_text,
    date_flaw,
    email_flaw,
    name_flaws,
    number_flaw,
    read_iso_date,
)
from credentials.registrar_columns import (
    DATES,
    NAMES,
    PRIVATE,
    REQUIRED,
    canonical_column,
    map_header,
)
from credentials.registrar_table import Remark, Table, read_table
from credentials.registrar_workbook import read_workbook
from credentials.workbook.errors import XlsxSheetUnknown
from credentials.workbook.package import is_workbook
from primitives.hashing import sha256

_LRN_DIGITS = 12
_SHORTEST_FIXED_NUMBER = 8
_DID = re.compile(r"did:[a-z0-9]{1,32}:[A-Za-z0-9._:%-]{1,512}", re.ASCII)
# A plain 5 is not here: on a scale of five levels it is the best.
_NOT_A_PASS = frozenset({
    "inc", "incomplete", "drp", "drop", "dropped", "w", "wdn", "withdrawn",
    "f", "fail", "failed", "5.0", "5.00", "5,00",
})  # fmt: skip
_QUOTING = ("text-double-encoded", "text-lost-letter")
"""Flaws that show the text itself; findings of private columns must not."""

_NEVER_LATER_THAN_TODAY = ("started_on", "completed_on", "awarded_on", "birth_date")


@dataclass(frozen=True, slots=True)
class Row:
    """One learner's line, in NFC and without surrounding space."""

    number: int
    """As a spreadsheet shows it: the header is row 1."""

    values: Mapping[str, str]
    """Text by canonical column name; empty cells and unknown columns are left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a row, a column or the whole file."""

    row: int
    """1 where it is about the header or the file."""

    column: str
    """Canonical name, the header's own text for an unknown column, or empty."""

    code: str
    """Stable kebab-case slug."""

    severity: Severity
    """An error keeps the row from being issued."""

    detail: str
    """What was found. Never holds a learner number, an address or a birth date."""

    hint: str = ""
    """What to do about it: one clause, lower case, no full stop. May be empty."""


@dataclass(frozen=True, slots=True)
class RegistrarFile:
    """What a file came to."""

    rows: tuple[Row, ...]
    """Rows without an error, in file order: the only ones that may be issued."""

    held: tuple[Row, ...]
    """Rows with an error; `findings` says why."""

    findings: tuple[Finding, ...]
    """Errors and notes, by row and then in the order they were found."""


def read_registrar_file(
    raw: bytes, *, encoding: str = "utf-8", sheet: str | None = None, today: date
) -> RegistrarFile:
    """Return the rows of a CSV file or workbook and everything noticed about them.

    Args:
        raw: The file as uploaded, of any size. Its bytes tell what it is.
        encoding: `utf-8`, or `cp1252` once a person has confirmed the sample names.
        sheet: Name of a workbook's sheet; else the first that is shown.
        today: The day in the office's own time zone; later dates are refused.

    Raises:
        CsvMalformed: The file as a whole cannot be read (`credentials.registrar_table`)
            or lacks a column (`credentials.registrar_columns`).
        CsvEncodingUnknown: Another `encoding`.
        XlsxMalformed: A workbook that cannot be read (`credentials.workbook`).
    """
    if is_workbook(raw):
        table = read_workbook(raw, sheet=sheet)
    elif sheet is not None:
        raise XlsxSheetUnknown(f"found no workbook, want one with {sheet[:80]!r}")
    else:
        table = read_table(raw, encoding=encoding)
    positions = map_header(table.header)
    remarks = tuple(_remarked(table.remarks, positions))
    refused = {(f.row, f.column) for f in remarks if f.severity is Severity.ERROR}
    findings = [*remarks, *_file_findings(table, positions)]
    rows = []
    for number, cells in table.records:
        judged = [column for column in positions if (number, column) not in refused]
        row, found = _read_row(number, cells, positions, judged, today=today)
        if any(cell.strip() for cell in cells[len(table.header) :]):
            extra = Flaw(
                "row-has-extra-cells",
                f"found {len(cells)} cells, want {len(table.header)} as in the header",
                "put cells that hold the delimiter between quotes",
            )
            found.append(_finding(number, "", extra))
        rows.append(row)
        findings += found
    ref_header = (
        table.header[positions["learner_ref"]] if "learner_ref" in positions else ""
    )
    findings += _short_numbers(rows, ref_header)
    findings += _repeats(rows, findings)
    errors = {f.row for f in findings if f.severity is Severity.ERROR}
    return RegistrarFile(
        rows=tuple(row for row in rows if row.number not in errors),
        held=tuple(row for row in rows if row.number in errors),
        findings=tuple(sorted(findings, key=lambda finding: finding.row)),
    )


def row_key(row: Row) -> str:
    """Return what makes a row the same learner's award when a file is read again.

    The learner number where the row has one. Else the lower-case hex SHA-256 of family
    name, given name, middle name, suffix (NFC, case folded) and `completed_on`, each
    followed by a line feed. Two learners of one name on one day are then one, so that
    nothing is issued twice; a number tells them apart.

    Holds a learner number in clear: keep it where the learner numbers are kept.
    """
    ref = row.values.get("learner_ref")
    if ref:
        return ref
    columns = ("family_name", "given_name", "middle_name", "name_suffix", "completed_on")
    parts = (row.values.get(column, "").casefold() for column in columns)
    return sha256("".join(f"{part}\n" for part in parts).encode()).hex()


def _finding(row: int, column: str, flaw: Flaw) -> Finding:
    if column in PRIVATE and flaw.code in _QUOTING:
        detail, hint = "found damaged text", "ask for the file again"
        return Finding(row, column, flaw.code, flaw.severity, detail, hint)
    return Finding(row, column, flaw.code, flaw.severity, flaw.detail, flaw.hint)


def _note(row: int, column: str, code: str, detail: str) -> Finding:
    return Finding(row, column, code, Severity.NOTE, detail)


def _remarked(remarks: Iterable[Remark], positions: Mapping[str, int]) -> Iterator[Finding]:
    """Find what the reader of the file remarked; not on columns that are not read."""
    for remark in remarks:
        if remark.positions is None:
            yield _finding(remark.row, "", remark.flaw)
            continue
        for column, position in positions.items():
            if position in remark.positions:
                yield _finding(remark.row, column, remark.flaw)


def _file_findings(table: Table, positions: Mapping[str, int]) -> Iterator[Finding]:
    if table.empty_rows:
        yield _note(1, "", "empty-rows-skipped", f"{table.empty_rows} rows hold no text")
    if "learner_ref" not in positions:
        detail = "no learner number: name and completion date tell rows apart"
        yield _note(1, "learner_ref", "no-learner-ref", detail)
    for header in table.header:
        if canonical_column(header) is None:
            yield _note(1, header[:80], "column-unknown", "this column is not read")


def _read_row(
    number: int,
    cells: tuple[str, ...],
    positions: Mapping[str, int],
    judged: Collection[str],
    *,
    today: date,
) -> tuple[Row, list[Finding]]:
    values: dict[str, str] = {}
    found: list[Finding] = []
    for column, position in positions.items():
        raw = cells[position] if position < len(cells) else ""
        text, flaws = clean_text(raw, is_name=column in NAMES, is_phone=column == "phone")
        if text:
            values[column] = text
        found += (_finding(number, column, flaw) for flaw in flaws)
        # A cell that is already refused is not judged further: one cause, one error.
        is_whole = all(flaw.severity is Severity.NOTE for flaw in flaws)
        if is_whole and column in judged:
            flaws = tuple(_column_flaws(column, text, today))
            found += (_finding(number, column, flaw) for flaw in flaws)
    found += _out_of_order(number, values)
    return Row(number, values), found


def _column_flaws(column: str, text: str, today: date) -> Iterator[Flaw]:
    if column == "email":
        yield from filter(None, [email_flaw(text)])
    elif not text:
        if column in REQUIRED or column == "learner_ref":
            yield Flaw("required-cell-empty", f"found nothing, want {column}")
    elif column in ("family_name", "given_name"):
        yield from name_flaws(text)
    elif column == "learner_ref":
        yield from filter(None, [number_flaw(text)])
    elif column in DATES:
        yield from _date_flaws(column, text, today)
    elif column == "result" and text.casefold() in _NOT_A_PASS:
        hint = "take the row out until the result is final"
        yield Flaw("not-a-pass", f'found "{text}", want a passing result', hint)
    elif column == "did" and not _DID.fullmatch(text):
        yield Flaw("did-malformed", "found other text, want a DID such as did:key:z6Mk…")


def _date_flaws(column: str, text: str, today: date) -> Iterator[Flaw]:
    day = read_iso_date(text)
    if day is None:
        flaw = date_flaw(text)
        if column == "birth_date":
            flaw = Flaw(flaw.code, "not a date like 2001-09-26", "write it year-month-day")
        yield flaw
    elif column in _NEVER_LATER_THAN_TODAY and day > today:
        detail = f"found a day after today, want at most {today.isoformat()}"
        yield Flaw("date-in-future", detail, "correct the date, or issue on that day")


def _out_of_order(number: int, values: Mapping[str, str]) -> Iterator[Finding]:
    """Compare the days that could be read: what started must not end before."""
    days = {column: read_iso_date(values.get(column, "")) for column in DATES}
    for earlier, later in (("started_on", "completed_on"), ("completed_on", "awarded_on")):
        first, second = days[earlier], days[later]
        if first and second and first > second:
            detail = f"found {later} {second}, want it not before {earlier} {first}"
            yield _finding(number, later, Flaw("dates-out-of-order", detail))


def _short_numbers(rows: Iterable[Row], header: str) -> Iterator[Finding]:
    """Find learner numbers whose leading zeros a spreadsheet has dropped.

    An LRN has 12 digits. Other numbers of eight digits or more count as fixed in length
    if more than half of the file agrees; shorter ones are often counters.
    """
    refs = {row.number: row.values.get("learner_ref", "") for row in rows}
    digits = {number: ref for number, ref in refs.items() if ref.isdecimal()}
    ((usual, times),) = Counter(map(len, digits.values())).most_common(1) or [(0, 0)]
    if header.strip().casefold() == "lrn":
        want = _LRN_DIGITS
    elif usual >= _SHORTEST_FIXED_NUMBER and times * 2 > len(digits):
        want = usual
    else:
        return
    for number, ref in digits.items():
        if len(ref) < want:
            flaw = broken_number(f"{len(ref)} digits, want {want}")
            yield _finding(number, "learner_ref", flaw)


def _repeats(rows: Iterable[Row], findings: Iterable[Finding]) -> Iterator[Finding]:
    """Find later rows that repeat a learner, a name or an address of an earlier one."""
    broken = {f.row for f in findings if f.code == "number-broken-by-spreadsheet"}
    keys: dict[str, int] = {}
    names: dict[tuple[str, ...], int] = {}
    emails: dict[str, int] = {}
    for row in rows:
        first = keys.setdefault(row_key(row), row.number)
        if first != row.number and row.number not in broken:
            flaw = Flaw(
                "duplicate-of-row",
                f"the same learner stands in row {first}",
                "remove one of the two",
            )
            yield _finding(row.number, "learner_ref", flaw)
            continue
        same = names.setdefault(_name(row), row.number)
        if same != row.number:
            detail = f"the same name as row {same}, another number: is it one person?"
            yield _note(row.number, "family_name", "same-name-as-row", detail)
        email = row.values.get("email", "").casefold() or f"row {row.number}"
        shared = emails.setdefault(email, row.number)
        if shared != row.number:
            detail = f"the same e-mail address as row {shared}, another learner"
            yield _note(row.number, "email", "email-shared", detail)


def _name(row: Row) -> tuple[str, ...]:
    columns = ("family_name", "given_name", "name_suffix")
    return tuple(row.values.get(column, "").casefold() for column in columns)
