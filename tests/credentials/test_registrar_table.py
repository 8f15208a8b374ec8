from datetime import date

import pytest

from credentials.registrar import RegistrarFile, Row, read_registrar_file
from credentials.registrar_columns import CsvColumnMissing
from credentials.registrar_table import (
    MAX_CELL_CHARACTERS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_ROWS,
    CsvEncodingUnknown,
    CsvIsUtf16,
    CsvMalformed,
    CsvNotCp1252,
    CsvNotUtf8,
    CsvTooLarge,
)

TODAY = date(2025, 10, 1)
HEADER = "learner_ref,family_name,given_name,completed_on"


def read(text: str) -> RegistrarFile:
    return read_registrar_file(text.encode(), today=TODAY)


def codes(file: RegistrarFile) -> list[str]:
    return [finding.code for finding in file.findings]


GOOD = f"{HEADER}\n900000000001,Reyes,Ana,2025-09-26\n"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (GOOD.encode("utf-16"), CsvIsUtf16),
        (GOOD.encode("utf-16-le"), CsvIsUtf16),
        (GOOD.encode("utf-16-be"), CsvIsUtf16),
        (GOOD.encode().replace(b"Ana", b"A\0a"), CsvMalformed),
        (GOOD.encode().replace(b"Reyes", b'"Reyes'), CsvMalformed),
        (GOOD.encode().replace(b"Reyes", b'"Reyes"x'), CsvMalformed),
        (b"", CsvColumnMissing),
        (GOOD.encode().replace(b"Reyes", b"Nu\xf1ez"), CsvNotUtf8),
    ],
)
def test_refuses_what_is_no_csv_in_utf8(raw: bytes, error: type[CsvMalformed]) -> None:
    with pytest.raises(CsvMalformed) as caught:
        read_registrar_file(raw, today=TODAY)
    assert type(caught.value) is error


def test_an_open_quote_is_refused_with_its_row() -> None:
    raw = (GOOD + '900000000002,"Cruz,Ben,2025-09-26\n').encode()
    with pytest.raises(CsvMalformed, match="row 3"):
        read_registrar_file(raw, today=TODAY)


def test_bytes_that_cp1252_lacks_are_refused() -> None:
    raw = GOOD.encode().replace(b"Reyes", b"Nu\x81ez")
    with pytest.raises(CsvNotCp1252, match="0x81"):
        read_registrar_file(raw, encoding="cp1252", today=TODAY)


def test_other_encodings_are_the_operators_error() -> None:
    with pytest.raises(CsvEncodingUnknown, match="found 'latin-1', want utf-8 or cp1252"):
        read_registrar_file(GOOD.encode(), encoding="latin-1", today=TODAY)


def test_a_byte_order_mark_is_removed_and_noted() -> None:
    file = read_registrar_file(b"\xef\xbb\xbf" + GOOD.encode(), today=TODAY)
    assert codes(file) == ["bom-removed"]
    assert len(file.rows) == 1


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_noted(delimiter: str) -> None:
    file = read(GOOD.replace(",", delimiter))
    assert codes(file) == ["csv-delimiter"]
    assert file.rows == read(GOOD).rows


def with_rows(count: int) -> bytes:
    return (
        HEADER.encode() + b"\n" + b",,,\n" * (count - 1) + b"900001,Reyes,Ana,2025-09-26\n"
    )


def with_columns(count: int) -> bytes:
    lines = GOOD.splitlines()
    extra = count - HEADER.count(",") - 1
    header = lines[0] + "".join(f",x{i}" for i in range(extra))
    return f"{header}\n{lines[1]}{',' * extra}\n".encode()


def with_cell(characters: int) -> bytes:
    return f"{HEADER},note\n900001,Reyes,Ana,2025-09-26,{'x' * characters}\n".encode()


def with_bytes(count: int) -> bytes:
    return GOOD.encode() + b"\n" * (count - len(GOOD))


def test_reads_a_file_at_each_limit() -> None:
    for raw in (with_rows(MAX_ROWS), with_columns(MAX_COLUMNS), with_cell(4096)):
        assert len(read_registrar_file(raw, today=TODAY).rows) == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (with_bytes(MAX_FILE_BYTES + 1), "found 33554433 bytes, want at most 33554432"),
        (with_rows(MAX_ROWS + 1), "found over 100000 rows"),
        (with_columns(MAX_COLUMNS + 1), "found 201 columns, want at most 200"),
        (
            with_cell(MAX_CELL_CHARACTERS + 1),
            "a cell of 4097 characters, want at most 4096",
        ),
        (with_cell(200_000), "found a cell of"),
    ],
    ids=["bytes", "rows", "columns", "cell", "huge cell"],
)
def test_refuses_one_over_each_limit(raw: bytes, reason: str) -> None:
    with pytest.raises(CsvTooLarge, match=reason):
        read_registrar_file(raw, today=TODAY)


def test_the_size_is_judged_before_the_content() -> None:
    with pytest.raises(CsvTooLarge):
        read_registrar_file(b"\xff" * (MAX_FILE_BYTES + 1), today=TODAY)


@pytest.mark.parametrize(
    "header",
    [
        "LRN,Last Name,First Name,Date Completed",
        "lrn,SURNAME,given_name,Completion Date",
        " Learner Reference Number ,Apelyido,Pangalan,Petsa ng Pagtatapos",
        "Student No.,last_name,First  name,date completed",
    ],
)
def test_understands_headers_in_english_and_filipino(header: str) -> None:
    file = read(f"{header}\n900000000001,Reyes,Ana,2025-09-26\n")
    assert file.rows == (
        Row(
            2,
            {
                "learner_ref": "900000000001",
                "family_name": "Reyes",
                "given_name": "Ana",
                "completed_on": "2025-09-26",
            },
        ),
    )
    assert file.findings == ()
