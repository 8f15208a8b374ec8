"""The text of one cell (ECMA-376 part 1, 18.3.1.4 and 18.18.11)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from credentials.registrar_cells import Flaw
from credentials.workbook.errors import XlsxMalformed, XlsxTooLarge
from credentials.workbook.formats import GENERAL, NumberFormat, number_text, whole

MAX_CELLS: Final = 2_000_000
"""Empty ones with a style included: twenty columns of the longest list."""

TRUE: Final = ("1", "true")

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATES: Final = range(0xD800, 0xE000)
_MIDNIGHT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T00:00(?::00(?:\.0+)?)?Z?", re.ASCII)


class StringReader:
    """Reads the strings that cells share (18.4), without what tells how to speak them."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._is_read = False
        self._is_spoken = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Begin a string, or a piece of one."""
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._is_spoken = True
        elif name == "t":
            self._is_read = not self._is_spoken

    def text(self, data: str) -> None:
        """Keep a piece of a string."""
        if self._is_read:
            self._parts.append(data)

    def end(self, name: str) -> None:
        """End a string, or a piece of one."""
        if name == "t":
            self._is_read = False
        elif name == "rPh":
            self._is_spoken = False
        elif name == "si":
            if len(self.strings) == MAX_CELLS:
                raise XlsxTooLarge(f"found over {MAX_CELLS} texts, want at most that")
            self.strings.append(unescape("".join(self._parts)))


@dataclass(frozen=True, slots=True)
class Book:
    """What the cells of every sheet of a book refer to."""

    strings: Sequence[str]
    formats: Sequence[NumberFormat]
    """By the number of a style."""

    is_1904: bool


@dataclass(slots=True)
class Cell:
    """A cell as far as it is read."""

    position: int
    kind: str
    style: str
    has_formula: bool = False
    parts: list[str] = field(default_factory=list)


def cell_text(cell: Cell, book: Book) -> tuple[str, Flaw | None]:
    """Return what a cell shows, and what keeps that from being read.

    Raises:
        XlsxMalformed: Its value is not of its kind, or not in the book.
    """
    raw = "".join(cell.parts)
    if not raw:
        # A text that a formula found to be empty is one; a number cannot be.
        is_missing = cell.has_formula and cell.kind not in ("str", "s")
        return "", _NOT_CALCULATED if is_missing else None
    if cell.kind == "n":
        form = _of_style(book.formats, cell.style)
        return number_text(raw.strip(), form, is_1904=book.is_1904)
    if cell.kind == "e":
        return "", Flaw(
            "xlsx-error-value",
            f"found {raw[:20]}, which a formula gave for a value",
            "correct the formula, or type the value itself",
        )
    return _text(cell.kind, raw, book.strings), None


def _text(kind: str, raw: str, strings: Sequence[str]) -> str:
    if kind == "s":
        index = whole(raw)
        if index >= len(strings):
            raise XlsxMalformed(f"found no text {index} of {len(strings)}")
        return strings[index]
    if kind == "b":
        return "TRUE" if raw.strip() in TRUE else "FALSE"
    return _MIDNIGHT.sub(r"\1", raw) if kind == "d" else unescape(raw)


def _of_style(formats: Sequence[NumberFormat], style: str) -> NumberFormat:
    if not style:
        return GENERAL
    number = whole(style)
    if number >= len(formats):
        raise XlsxMalformed(f"found no style {number} of {len(formats)}")
    return formats[number]


_NOT_CALCULATED: Final = Flaw(
    "xlsx-formula-not-calculated",
    "found a formula without its value",
    "open the file in the spreadsheet program and save it, or type the value itself",
)


def unescape(text: str) -> str:
    """Return a text with its escaped characters (22.9.2.19) as they are."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return match[0] if number in _SURROGATES else chr(number)
