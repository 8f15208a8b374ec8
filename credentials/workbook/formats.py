"""Number formats (ECMA-376 part 1, 18.8.30): what a number is shown as.

A registrar sees what a cell shows, and a CSV export writes that. So a grade that is stored
as 5 and shown as 5.00 is 5.00 here: it may be the mark of who has failed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from credentials.registrar_cells import Flaw, broken_number
from credentials.workbook.errors import XlsxMalformed
from credentials.workbook.package import Elements

_DATES: Final = (*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59))
_BUILT_IN: Final[Mapping[int, str]] = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    37: "#,##0",
    38: "#,##0",
    39: "#,##0.00",
    40: "#,##0.00",
    **dict.fromkeys(_DATES, "y"),
}
"""By the id that a style names, 18.8.30; as much of each as is looked at."""

_PLAIN_TEXT: Final = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE
)
"""What a format adds to a number: words, spaces, colours, currencies."""

_CLOCK: Final = re.compile(r"AM/PM|A/P", re.IGNORECASE)
_SCIENTIFIC: Final = re.compile(r"E[+-]", re.IGNORECASE)
_DATE_LETTER: Final = re.compile(r"[ymdhs]", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"-?\d{1,30}(?:\.\d{1,30})?(?:E[+-]?\d{1,3})?", re.IGNORECASE | re.ASCII
)

_EXACT: Final = 10**15
"""From here on a spreadsheet has replaced digits by zeros: it keeps fifteen."""

_FIRST_DAY: Final = 61
"""1900-03-01. Before it spreadsheets differ: one of their days has never been."""

_DAYS: Final = 2_958_466
"""The first day after the year 9999."""

_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no time zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001 - cells have no time zone


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a style does to a number."""

    is_date: bool = False
    is_percent: bool = False

    decimals: int = 0
    """Digits after the point that are always shown."""

    digits: int = 0
    """Digits before the point that are always shown: leading zeros make up for them."""

    @classmethod
    def parse(cls, code: str) -> "NumberFormat":
        """Return what the format for positive numbers says."""
        shown = _CLOCK.sub("", _PLAIN_TEXT.sub("", code.partition(";")[0]))
        if "general" in shown.casefold() or _SCIENTIFIC.search(shown):
            return cls()
        if _DATE_LETTER.search(shown):
            return cls(is_date=True)
        before, _, after = shown.partition(".")
        zeros = re.match("0*", after)
        return cls(
            is_percent="%" in shown,
            decimals=len(zeros[0]) if zeros else 0,
            digits=before.count("0"),
        )


GENERAL: Final = NumberFormat()


class StyleReader(Elements):
    """Reads the styles' part; `formats` are those of the cells' styles, by number."""

    def __init__(self) -> None:
        super().__init__("numFmt", "xf")
        self._is_of_cells = False
        self._styles: list[int] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep the formats, and of the styles those of cells."""
        if name == "cellXfs":
            self._is_of_cells = True
        if name != "xf" or self._is_of_cells:
            super().start(name, attributes)

    def end(self, name: str) -> None:
        """Leave the styles of cells."""
        if name == "cellXfs":
            self._is_of_cells = False

    def formats(self) -> tuple[NumberFormat, ...]:
        """Return the format of each style."""
        codes = dict(_BUILT_IN)
        for name, found in self.found:
            if name == "numFmt":
                codes[whole(found.get("numFmtId"))] = found.get("formatCode", "")
        known = {number: NumberFormat.parse(code) for number, code in codes.items()}
        return tuple(
            known.get(whole(found.get("numFmtId", "0")), GENERAL)
            for name, found in self.found
            if name == "xf"
        )


def whole(text: str | None) -> int:
    """Return a whole number of at most nine digits.

    Raises:
        XlsxMalformed: It is none.
    """
    if text is None or len(text) > 9 or not (text.isascii() and text.isdecimal()):  # noqa: PLR2004 - the docstring says it
        raise XlsxMalformed(f"found {text!r:.40}, want a whole number")
    return int(text)


def number_text(raw: str, form: NumberFormat, *, is_1904: bool) -> tuple[str, Flaw | None]:
    """Return what a cell with a number shows, and what the number has lost.

    Args:
        raw: As the part has it.
        form: Of the cell's style.
        is_1904: Whether the book counts its days from 1904.

    Raises:
        XlsxMalformed: It is no number.
    """
    if not _NUMBER.fullmatch(raw):
        raise XlsxMalformed(f"found {raw[:40]!r} in a cell, want a number")
    value = float(raw) + 0.0  # there is no -0 in a spreadsheet
    if form.is_date:
        day = _date_text(value, is_1904=is_1904)
        return (raw, _NO_DATE) if day is None else (day, None)
    # The shortest spelling of the same number: 87.4 is stored as 87.400000000000006.
    exact = Decimal(repr(value))
    if abs(value) >= _EXACT:
        return f"{exact:f}".removesuffix(".0"), broken_number(
            "a number of over 15 digits, of which a spreadsheet keeps 15"
        )
    if form.is_percent:
        exact *= 100
    places = max(form.decimals, -int(exact.normalize().as_tuple().exponent), 0)
    text = f"{exact:.{places}f}" + "%" * form.is_percent
    if len(text.partition(".")[0].strip("-%")) < form.digits:
        found = f"a number that is shown with {form.digits} digits and stored with fewer"
        return text, broken_number(found)
    return text, None


_NO_DATE: Final = Flaw(
    "xlsx-date-unclear",
    "found a number shown as a date or time that not all programs agree on",
    "format the cell as text and write what it shows",
)


def _date_text(value: float, *, is_1904: bool) -> str | None:
    """Return a day, a day and time, or a time; None of what no calendar has."""
    if not 0 <= value < _DAYS:
        return None
    days, seconds = divmod(round(value * 86_400), 86_400)
    if days == 0 and not is_1904:
        return str(timedelta(seconds=seconds)) if seconds else None
    if not is_1904 and days < _FIRST_DAY:
        return None
    try:
        at = (_EPOCH_1904 if is_1904 else _EPOCH) + timedelta(days=days, seconds=seconds)
    except OverflowError:
        return None
    return at.date().isoformat() if seconds == 0 else at.isoformat(sep=" ")
