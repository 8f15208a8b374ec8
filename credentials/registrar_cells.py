"""What can be wrong with the text of one cell, and what it should probably be.

Nothing here mends a spelling or a date: a machine that guesses a name or a day would
sign the guess. It proposes, and a person changes the file. Only what no reader can see
(surrounding space, the Unicode form) is changed, and noted.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for its row."""

    ERROR = "error"
    """The row is not issued."""

    NOTE = "note"
    """Worth knowing; the row is issued."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing noticed in one cell; where the cell stands is the caller's to say."""

    code: str
    detail: str
    hint: str = ""
    severity: Severity = Severity.ERROR


_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+\d[\d ()-]*", re.ASCII)


def clean_text(
    raw: str, *, is_name: bool = False, is_phone: bool = False
) -> tuple[str, tuple[Flaw, ...]]:
    """Return `raw` in NFC without surrounding or doubled spaces, and what was noticed.

    Args:
        raw: The cell as it stands in the file.
        is_name: Whether a "?" in it must be a letter that an export has lost.
        is_phone: Whether it may start with "+" and digits, as no other text may.
    """
    if raw.isascii() and raw.isprintable() and raw == raw.strip() and "  " not in raw:
        return raw, _content_flaws(raw, is_name=is_name, is_phone=is_phone)
    repaired = repair_double_encoding(raw)
    if repaired is not None:
        shown = unicodedata.normalize("NFC", " ".join(repaired.split()))
        detail = f'found "{raw.strip()}", which is UTF-8 read as cp1252 and saved again'
        hint = f'it was probably "{shown}": correct the cell, or ask for the file again'
        return raw.strip(), (Flaw("text-double-encoded", detail, hint),)
    text = _SPACES.sub(" ", raw).strip()
    flaws = [] if text == raw else [_note("white-space-removed", "space around or inside")]
    if raw.startswith(("\t", "\r")):
        flaws.append(_formula("a control character"))
    normal = unicodedata.normalize("NFC", text)
    if normal != text:
        flaws.append(_note("text-normalised", "letters and accents apart (NFD), now NFC"))
    return normal, (*flaws, *_content_flaws(normal, is_name=is_name, is_phone=is_phone))


def _content_flaws(text: str, *, is_name: bool, is_phone: bool) -> tuple[Flaw, ...]:
    flaws = []
    if text.startswith(_FORMULA_START) and not (is_phone and _PHONE.fullmatch(text)):
        flaws.append(_formula(f'"{text[0]}"'))
    if not text.isprintable():
        found = next(f"U+{ord(c):04X}" for c in text if not c.isprintable())
        detail = f"found {found}, a control or invisible character, want plain text"
        flaws.append(Flaw("text-control-character", detail, "type the cell again"))
    if "\ufffd" in text or (is_name and "?" in text):
        detail = f'found "{text}", in which an export has replaced a letter'
        flaws.append(
            Flaw("text-lost-letter", detail, 'ask for the file again, as "CSV UTF-8"')
        )
    return tuple(flaws)


def _note(code: str, detail: str) -> Flaw:
    return Flaw(code, detail, severity=Severity.NOTE)


def _formula(start: str) -> Flaw:
    return Flaw(
        "formula-injection",
        f"found text that starts with {start}, want no formula",
        "a spreadsheet would run it: type the value itself",
    )


# cp1252 as lenient programs read it: the five bytes that it leaves undefined stand for
# the control characters of the same number. Without them Á Í Ï Ð Ý cannot be repaired.
_LENIENT_CP1252 = {
    bytes([byte]).decode("cp1252", errors="ignore") or chr(byte): byte
    for byte in range(0x80, 0x100)
}
_DOUBLE_ENCODED = re.compile(f"[{re.escape(''.join(_LENIENT_CP1252))}]{{2,}}")


def repair_double_encoding(text: str) -> str | None:
    """Return what `text` was before UTF-8 was taken for cp1252, or None if it was not.

    Looks at each run of letters beyond ASCII alone, so that one good "ñ" in a cell does
    not hide a broken one. Repeats for text that went wrong twice.
    """
    repaired = text
    for _ in range(3):
        once = _DOUBLE_ENCODED.sub(_repair_run, repaired)
        if once == repaired:
            break
        repaired = once
    return None if repaired == text else repaired


def _repair_run(match: re.Match[str]) -> str:
    try:
        return bytes(_LENIENT_CP1252[c] for c in match[0]).decode()
    except UnicodeDecodeError:
        return match[0]


_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E[+-]?\d+|\d+[.,]0+", re.ASCII | re.IGNORECASE)


def number_flaw(text: str) -> Flaw | None:
    """Return what a spreadsheet did to a learner number, or None.

    The number itself is not repeated: findings go into logs.
    """
    if not _SCIENTIFIC.fullmatch(text):
        return None
    return broken_number("a number in calculated form, want all its digits")


def broken_number(found: str) -> Flaw:
    """Return the flaw of a learner number that lost digits; it is never rebuilt."""
    return Flaw(
        "number-broken-by-spreadsheet",
        f"found {found}",
        "format the column as text and take the numbers from the source again",
    )


_SUFFIX = re.compile(r".*[ ,](jr|sr|ii|iii|iv|v)\.?", re.IGNORECASE)
_CAPITALS = 4


def name_flaws(text: str) -> tuple[Flaw, ...]:
    """Return notes on a family or given name."""
    flaws = []
    match = _SUFFIX.fullmatch(text)
    if match:
        detail = f'found "{match[1]}" at the end of a name'
        hint = "move it to a column name_suffix"
        flaws.append(Flaw("suffix-in-name", detail, hint, Severity.NOTE))
    if text.isupper() and sum(map(str.isalpha, text)) >= _CAPITALS:
        detail = "found a name all in capitals, and it will be printed so"
        flaws.append(Flaw("name-all-capitals", detail, "", Severity.NOTE))
    return tuple(flaws)


_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def email_flaw(text: str) -> Flaw | None:
    """Return a note if nothing can be sent to `text`."""
    if not text:
        return _note("no-email", "no e-mail address: print, or hand over at a desk")
    if not _EMAIL.fullmatch(text):
        return _note("email-malformed", "not an e-mail address: print, or ask again")
    return None


_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS = range(1900, 2101)


def read_iso_date(text: str) -> date | None:
    """Return the day that `text` names as YYYY-MM-DD, or None."""
    if not _ISO.fullmatch(text):
        return None
    return _day(*map(int, text.split("-")))


def date_flaw(text: str) -> Flaw:
    """Return what a text that is no ISO date may mean: one day, several, or none."""
    readings = sorted(_readings(text))
    found = f'found "{text}", want a date like 2025-09-26'
    if not readings:
        return Flaw("date-not-iso", found, "write the date as year-month-day")
    if len(readings) > 1:
        either = " or ".join(day.isoformat() for day in readings)
        return Flaw(
            "date-not-iso", found, f"ambiguous: {either}; ask which order the file has"
        )
    return Flaw(
        "date-not-iso", found, f"probably {readings[0].isoformat()}: write it so, if right"
    )


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january enero", "feb february pebrero", "mar march marso",
            "apr april abril", "may mayo", "jun june hunyo", "jul july hulyo",
            "aug august agosto", "sep sept september setyembre",
            "oct october oktubre", "nov november nobyembre",
            "dec december disyembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_TIME = r"(?:[T ]\d\d?:\d\d(?::\d\d)?(?:\.\d+)?Z?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/. ](\d\d?)[-/. ](\d\d?){_TIME}", re.ASCII)
_YEAR_LAST = re.compile(
    rf"(\d\d?)([-/. ])(\d\d?)\2(\d{{4}}|\d\d){_TIME}",
    re.ASCII,
)
_MONTH_FIRST = re.compile(r"([^\W\d]+)\.?[ -](\d\d?)(?:st|nd|rd|th)?,?[ -](\d{4})")
_DAY_FIRST = re.compile(r"(\d\d?)(?:st|nd|rd|th)?[ -]([^\W\d]+)\.?,?[ -](\d{4}|\d\d)")
_SERIAL = re.compile(r"[2-7]\d{4}", re.ASCII)
_SERIAL_EPOCH = date(1899, 12, 30)


def _readings(text: str) -> set[date]:
    """Return every day that `text` may name; two digits of a year are of this century."""
    if match := _YEAR_FIRST.fullmatch(text):
        return _days((match[1], match[2], match[3]))
    if match := _YEAR_LAST.fullmatch(text):
        first, _, second, year = match.groups()
        return _days((year, first, second), (year, second, first))
    if match := _MONTH_FIRST.fullmatch(text):
        return _days((match[3], _month(match[1]), match[2]))
    if match := _DAY_FIRST.fullmatch(text):
        return _days((match[3], _month(match[2]), match[1]))
    if _SERIAL.fullmatch(text):
        return {_SERIAL_EPOCH + timedelta(days=int(text))}
    return set()


def _month(name: str) -> str:
    return str(_MONTHS.get(name.lower(), 0))


def _days(*candidates: tuple[str, str, str]) -> set[date]:
    days = set()
    for year, month, day_of_month in candidates:
        full = int(year) + (2000 if len(year) == len("25") else 0)
        day = _day(full, int(month), int(day_of_month))
        if day is not None:
            days.add(day)
    return days


def _day(year: int, month: int, day_of_month: int) -> date | None:
    if year not in _YEARS:
        return None
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None
