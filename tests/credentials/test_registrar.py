from datetime import date

import pytest

from credentials.registrar import RegistrarFile, Row, read_registrar_file, row_key
from credentials.registrar_cells import Severity, repair_double_encoding
from credentials.registrar_columns import CsvColumnMissing, CsvColumnRepeated
from credentials.registrar_table import CsvNotUtf8
from tests.support.standards import shared

TODAY = date(2025, 10, 1)
HEADER = "learner_ref,family_name,given_name,completed_on"


def read(text: str, *, today: date = TODAY) -> RegistrarFile:
    return read_registrar_file(text.encode(), today=today)


def one(columns: str, cells: str) -> RegistrarFile:
    """Read one good row with more columns."""
    return read(f"{HEADER},{columns}\n900000000001,Reyes,Ana,2025-09-26,{cells}\n")


def name(cell: str) -> RegistrarFile:
    return read(f"{HEADER}\n900000000001,{cell},Ana,2025-09-26\n")


def completed(cell: str) -> RegistrarFile:
    return read(f"{HEADER}\n900000000001,Reyes,Ana,{cell}\n")


def codes(file: RegistrarFile) -> list[str]:
    return [finding.code for finding in file.findings]


def dirty(file_name: str) -> bytes:
    return shared("domain", "registrar", file_name).read_bytes()


# (row, column, code, what the hint must contain), in reading order
OF_EVERY_COPY: list[tuple[int, str, str, str]] = [
    (3, "completed_on", "date-not-iso", "probably 2025-09-26"),
    (3, "email", "no-email", ""),
    (4, "completed_on", "date-not-iso", "2025-03-04 or 2025-04-03"),
    (4, "email", "email-malformed", ""),
    (5, "completed_on", "date-not-iso", "probably 2025-09-26"),
    (5, "learner_ref", "number-broken-by-spreadsheet", "as text"),
    (6, "completed_on", "date-not-iso", "probably 2025-09-26"),
    (6, "given_name", "suffix-in-name", "name_suffix"),
    (6, "result", "not-a-pass", "until the result is final"),
    (7, "learner_ref", "duplicate-of-row", "remove one"),
    (8, "completed_on", "date-not-iso", "probably 2025-09-26"),
    (8, "learner_ref", "number-broken-by-spreadsheet", "as text"),
    (9, "given_name", "formula-injection", "type the value"),
    (10, "completed_on", "date-in-future", "correct the date"),
    (10, "family_name", "same-name-as-row", ""),
]
OF_GOOD_TEXT = [
    (3, "family_name", "name-all-capitals", ""),
    (8, "family_name", "white-space-removed", ""),
]
OF_UTF8 = [
    (10, "family_name", "text-normalised", ""),
    (10, "given_name", "text-normalised", ""),
]
OF_DOUBLE_ENCODING = [
    (row, column, "text-double-encoded", f'"{text}"')
    for row, column, text in [
        (2, "family_name", "Dela Peña"),
        (2, "given_name", "Maria Niña"),
        (2, "middle_name", "Ybañez"),
        (3, "family_name", "PEÑAFLOR"),
        (4, "family_name", "Núñez"),
        (4, "given_name", "José"),
        (5, "family_name", "Ibañez"),
        (7, "family_name", "Dela Peña"),
        (7, "given_name", "Maria Niña"),
        (7, "middle_name", "Ybañez"),
        (8, "family_name", "Santos"),
        (10, "family_name", "Dela Peña"),
        (10, "given_name", "Maria Niña"),
    ]
]


@pytest.mark.parametrize(
    ("file_name", "encoding", "expected", "issued"),
    [
        ("a_utf8.csv", "utf-8", OF_EVERY_COPY + OF_GOOD_TEXT + OF_UTF8, [2]),
        ("b_excel_cp1252.csv", "cp1252", OF_EVERY_COPY + OF_GOOD_TEXT, [2]),
        ("c_double_encoded.csv", "utf-8", OF_EVERY_COPY + OF_DOUBLE_ENCODING, []),
    ],
)
def test_finds_exactly_what_is_wrong_with_a_dirty_file(
    file_name: str,
    encoding: str,
    expected: list[tuple[int, str, str, str]],
    issued: list[int],
) -> None:
    file = read_registrar_file(dirty(file_name), encoding=encoding, today=TODAY)
    found = sorted((f.row, f.column, f.code, f.hint) for f in file.findings)
    assert [f[:3] for f in found] == sorted(e[:3] for e in expected)
    for finding, wanted in zip(found, sorted(expected), strict=True):
        assert wanted[3] in finding[3]
    assert [row.number for row in file.rows] == issued
    assert [row.number for row in file.held] == [n for n in range(2, 11) if n not in issued]


def test_a_cp1252_file_is_refused_with_three_names_to_judge() -> None:
    with pytest.raises(CsvNotUtf8, match="found byte 0xf1 at 84, want UTF-8") as caught:
        read_registrar_file(dirty("b_excel_cp1252.csv"), today=TODAY)
    assert '"Dela Peña", "Maria Niña", "Ybañez"' in caught.value.hint
    assert 'encoding="cp1252"' in caught.value.hint
    assert caught.value.code == "csv-not-utf8"


def test_rows_are_the_same_once_cp1252_is_confirmed() -> None:
    of_utf8 = read_registrar_file(dirty("a_utf8.csv"), today=TODAY)
    of_cp1252 = read_registrar_file(
        dirty("b_excel_cp1252.csv"), encoding="cp1252", today=TODAY
    )
    assert of_cp1252.rows == of_utf8.rows
    assert of_cp1252.held == of_utf8.held  # the NFD names of row 10 are NFC by now


def test_community_raters_keep_their_numbers() -> None:
    file = one("Community Rating 1,Marka ng Komunidad 2,rating_community_12", "3,4,2")
    values = file.rows[0].values
    assert [values[f"rating_community_{n}"] for n in (1, 2, 12)] == ["3", "4", "2"]


def test_an_unknown_column_is_noted_and_not_read() -> None:
    file = one("Shoe Size", "=1")
    assert [(f.row, f.column, f.code) for f in file.findings] == [
        (1, "Shoe Size", "column-unknown")
    ]
    assert "Shoe Size" not in file.rows[0].values


def test_a_missing_column_refuses_the_file() -> None:
    with pytest.raises(
        CsvColumnMissing, match='found "LRN", "Surname", want also given_name'
    ):
        read("LRN,Surname\n1,Reyes\n")


def test_two_columns_of_one_meaning_refuse_the_file() -> None:
    with pytest.raises(CsvColumnRepeated, match='found "family_name" and "Apelyido"'):
        one("Apelyido", "Reyes")


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    file = read(
        f'{HEADER},evidence_note\n\n900000000001,Reyes,Ana,2025-09-26,"two,\nlines"\n'
        "900000000002,Cruz,Ben,2025-09-26,\n,,,,\n"
    )
    assert [row.number for row in file.rows + file.held] == [4, 3]
    assert ("empty-rows-skipped", "2 rows hold no text") in [
        (f.code, f.detail) for f in file.findings
    ]
    assert [(f.row, f.code) for f in file.findings if f.severity is Severity.ERROR] == [
        (3, "text-control-character")
    ]


@pytest.mark.parametrize(
    "row",
    [",Reyes,Ana,2025-09-26", "9,,Ana,2025-09-26", "9,Reyes,  ,2025-09-26", "9,Reyes"],
)
def test_an_empty_required_cell_holds_its_row_alone(row: str) -> None:
    file = read(f"{HEADER}\n{row}\n900000000002,Cruz,Ben,2025-09-26\n")
    assert "required-cell-empty" in codes(file)
    assert [r.number for r in file.rows] == [3]


def test_an_unquoted_delimiter_holds_the_row() -> None:
    file = read(f"{HEADER}\n900000000001,Reyes,Jr.,Ben,2025-09-26\n")
    assert "row-has-extra-cells" in codes(file)
    assert file.rows == ()


# Each capital or small letter as UTF-8 read by a lenient cp1252 reader; Á Í Ï Ð Ý have a
# second byte that strict cp1252 leaves undefined.
@pytest.mark.parametrize("letter", "ÁÀÂÃÄÉÈÍÏÐÑÓÖÚÜÝñéíóúáüçš")
def test_repairs_what_was_encoded_twice(letter: str) -> None:
    broken = "".join(
        bytes([byte]).decode("cp1252", errors="ignore") or chr(byte)
        for byte in letter.encode()
    )
    assert repair_double_encoding(f"Pe{broken}a") == f"Pe{letter}a"
    file = name(f"Pe{broken}a")
    assert codes(file) == ["text-double-encoded"]
    assert f'"Pe{letter}a"' in file.findings[0].hint
    assert file.rows == ()


def test_repairs_text_that_went_wrong_twice_and_beside_good_text() -> None:
    twice = "Peña".encode().decode("cp1252").encode().decode("cp1252")
    assert repair_double_encoding(f"Niño {twice}") == "Niño Peña"


@pytest.mark.parametrize("text", ["Peña", "NÚÑEZ", "María José Ñ", "São", "İbrahim", "Çağ"])
def test_good_text_is_not_taken_for_broken(text: str) -> None:
    assert repair_double_encoding(text) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Pe?a", "text-lost-letter"),
        ("Pe\ufffda", "text-lost-letter"),
        ("Pe\u0007a", "text-control-character"),
        ("Pe\u202ena", "text-control-character"),
        ("Pe\u200bna", "text-control-character"),
        ("Re\tyes", "text-control-character"),
        ("=1+1", "formula-injection"),
        ("+1", "formula-injection"),
        ("-1", "formula-injection"),
        ("@SUM(A1)", "formula-injection"),
        ("\u00a0=1", "formula-injection"),
        ("\t=1", "formula-injection"),
        ("\tReyes", "formula-injection"),
        ('"\rReyes"', "formula-injection"),
    ],
)
def test_dangerous_or_damaged_text_holds_the_row(cell: str, code: str) -> None:
    file = name(cell)
    assert code in codes(file)
    assert file.rows == ()
    assert len(file.held) == 1


def test_a_question_mark_outside_a_name_is_only_a_question() -> None:
    assert one("evidence_note", "who said it?").findings == ()


def test_a_telephone_number_may_start_with_a_plus() -> None:
    assert one("phone", "+63 917 000 0000").findings == ()
    assert codes(one("phone", "+1+cmd")) == ["formula-injection"]


@pytest.mark.parametrize(
    ("cell", "code", "value"),
    [
        ("\u00a0Reyes ", "white-space-removed", "Reyes"),
        ("De  la\u00a0Peña", "white-space-removed", "De la Peña"),
        ("Pen\u0303a", "text-normalised", "Peña"),
        ("REYES", "name-all-capitals", "REYES"),
        ("Reyes Jr.", "suffix-in-name", "Reyes Jr."),
        ("Reyes III", "suffix-in-name", "Reyes III"),
    ],
)
def test_what_can_be_read_safely_is_noted_and_issued(
    cell: str, code: str, value: str
) -> None:
    file = name(cell)
    assert [(f.code, f.severity) for f in file.findings] == [(code, "note")]
    assert file.rows[0].values["family_name"] == value


@pytest.mark.parametrize("ref", ["1.36789E+11", "1,36789E+11", "1e11", "136789012345.0"])
def test_a_number_in_calculated_form_is_never_rebuilt(ref: str) -> None:
    file = read(f'{HEADER}\n"{ref}",Reyes,Ana,2025-09-26\n')
    assert codes(file) == ["number-broken-by-spreadsheet"]
    assert ref not in file.findings[0].detail + file.findings[0].hint


def test_equal_broken_numbers_are_not_called_duplicates() -> None:
    file = read(f"{HEADER}\n1E+11,Reyes,Ana,2025-09-26\n1E+11,Cruz,Ben,2025-09-26\n")
    assert codes(file) == ["number-broken-by-spreadsheet"] * 2


def test_a_lost_leading_zero_is_found_where_numbers_have_one_length() -> None:
    rows = "".join(f"90000000000{i},Reyes,A{i},2025-09-26\n" for i in range(3))
    file = read(f"{HEADER}\n{rows}1234567890,Cruz,Ben,2025-09-26\n")
    assert [(f.row, f.code, f.detail) for f in file.findings] == [
        (5, "number-broken-by-spreadsheet", "found 10 digits, want 12")
    ]
    counters = "".join(f"{i},Reyes,A{i},2025-09-26\n" for i in range(95, 130))
    assert read(f"{HEADER}\n{counters}").findings == ()


@pytest.mark.parametrize(
    ("cell", "reading"),
    [
        ("45926", "probably 2025-09-26"),
        ("September 26 2025", "probably 2025-09-26"),
        ('"Sept. 26, 2025"', "probably 2025-09-26"),
        ("26 Setyembre 2025", "probably 2025-09-26"),
        ("26-Sep-25", "probably 2025-09-26"),
        ("26/09/2025", "probably 2025-09-26"),
        ("09-26-2025", "probably 2025-09-26"),
        ("2025/9/26", "probably 2025-09-26"),
        ("2025-09-26 00:00:00", "probably 2025-09-26"),
        ("04.04.2025", "probably 2025-04-04"),
        ("03/04/2025", "2025-03-04 or 2025-04-03"),
        ("31/31/2025", "write the date"),
        ("2025-02-30", "write the date"),
        ("Septober 3 2025", "write the date"),
        ("soon", "write the date"),
    ],
)
def test_proposes_a_reading_only_if_there_is_exactly_one(cell: str, reading: str) -> None:
    file = completed(cell)
    assert codes(file) == ["date-not-iso"]
    assert reading in file.findings[0].hint
    assert ("probably" in reading) is ("probably" in file.findings[0].hint)
    assert file.rows == ()


def test_today_is_no_future() -> None:
    assert completed("2025-10-01").findings == ()
    assert codes(completed("2025-10-02")) == ["date-in-future"]


def test_a_course_does_not_end_before_it_starts() -> None:
    assert codes(one("started_on", "2025-09-27")) == ["dates-out-of-order"]
    assert codes(one("awarded_on", "2025-09-25")) == ["dates-out-of-order"]
    assert one("started_on,awarded_on", "2025-09-26,2025-09-26").findings == ()


@pytest.mark.parametrize("result", ["INC", "drp", "Dropped", "5.00", "Failed"])
def test_what_is_not_a_pass_is_held(result: str) -> None:
    assert codes(one("Grade", result)) == ["not-a-pass"]


def test_passing_results_are_not_judged_here() -> None:
    for result in ("Proficient", "1.25", "3.00", "5"):
        assert one("Grade", result).findings == ()


def test_every_later_row_of_one_learner_is_a_duplicate() -> None:
    line = "900000000001,Reyes,Ana,2025-09-26\n"
    file = read(f"{HEADER}\n{line * 3}")
    assert [(f.row, f.code, f.detail) for f in file.findings] == [
        (3, "duplicate-of-row", "the same learner stands in row 2"),
        (4, "duplicate-of-row", "the same learner stands in row 2"),
    ]
    assert [row.number for row in file.rows] == [2]


def test_one_name_or_address_under_two_numbers_is_noted() -> None:
    file = read(
        f"{HEADER},email\n900000000001,Reyes,Ana,2025-09-26,a@example.ph\n"
        "900000000002,REYES,ana,2025-09-26,A@example.ph\n"
    )
    assert sorted(codes(file)) == ["email-shared", "name-all-capitals", "same-name-as-row"]
    assert len(file.rows) == 2


def test_a_bad_did_is_held() -> None:
    assert codes(one("did", "z6Mk")) == ["did-malformed"]
    assert one("did", "did:web:a.example").findings == ()


def test_no_finding_repeats_private_values() -> None:
    file = read(
        f"{HEADER},email,birth_date\n9000000001.0,Reyes,Ana,2025-09-26,ana.example.ph,1/2/2003\n"
    )
    assert len(file.findings) == 3
    for finding in file.findings:
        text = f"{finding.detail} {finding.hint}"
        assert not {"9000000001", "ana.example", "1/2/2003", "2003-"} & set(text.split())
        assert "9000000001" not in text
        assert "2003" not in text


def test_damaged_private_text_is_not_repeated() -> None:
    file = read(f"{HEADER},email\n90000Ã±01,Reyes,Ana,2025-09-26,an\ufffda@example.ph\n")
    assert [(f.code, f.detail) for f in file.findings] == [
        ("text-double-encoded", "found damaged text"),
        ("text-lost-letter", "found damaged text"),
    ]


def test_the_key_of_a_row_is_its_learner_number() -> None:
    assert row_key(Row(2, {"learner_ref": "900000000001"})) == "900000000001"


def test_without_numbers_name_and_date_tell_rows_apart() -> None:
    header = "family_name,given_name,completed_on"
    file = read(f"{header}\nPeña,Ana,2025-09-26\nPEN\u0303A,ana,2025-09-26\n")
    assert sorted((f.row, f.code) for f in file.findings) == [
        (1, "no-learner-ref"),
        (3, "duplicate-of-row"),
        (3, "name-all-capitals"),
        (3, "text-normalised"),
    ]
    # printf 'peña\nana\n\n\n2025-09-26\n' | sha256sum
    wanted = "032a251a02b20b922a0bae5e4c48d735ded90ee34520f8937ff4e75d6345b6a3"
    assert row_key(file.rows[0]) == wanted
    assert row_key(file.held[0]) == wanted
