"""One sheet of a workbook to text, row by row (ECMA-376 part 1, 18.3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from credentials.registrar_cells import Flaw
from credentials.registrar_table import (
    MAX_CELL_CHARACTERS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_ROWS,
)
from credentials.workbook.cells import MAX_CELLS, TRUE, Book, Cell, cell_text
from credentials.workbook.errors import XlsxMalformed, XlsxTooLarge
from credentials.workbook.formats import whole

MAX_REMARKS: Final = 500_000
"""Values that cannot be read, and rows under merged cells, once for each merge."""

_PLACE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells that were made one; its first cell alone has a value. All bounds are in it."""

    rows: tuple[int, int]
    positions: tuple[int, int]


class SheetReader:
    """Reads a sheet; what it found is complete when the part has ended."""

    def __init__(
        self, book: Book, *, max_rows: int = MAX_ROWS, max_cells: int = MAX_CELLS
    ) -> None:
        self._book = book
        self._max_rows = max_rows
        self._max_cells = max_cells
        self.rows: dict[int, tuple[str, ...]] = {}
        """By number, those with any text."""

        self.hidden_rows: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        """First and last position of each run of them."""

        self.flaws: list[tuple[int, int, Flaw]] = []
        """Row, position of the cell, and what is wrong with its value."""

        self.merges: list[Merge] = []
        self._number = 0
        self._cells: dict[int, str] = {}
        self._last = -1
        self._cell: Cell | None = None
        self._is_read = False
        self._is_spoken = False
        self._counted = 0
        self._characters = 0
        self._remarked = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a row, a cell, or a part of one."""
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            self._is_read = self._cell is not None and not self._is_spoken
        elif name == "f" and self._cell is not None:
            self._cell.has_formula = True
        elif name == "row":
            self._start_row(attributes)
        elif name == "rPh":
            self._is_spoken = True
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif name == "col" and attributes.get("hidden") in TRUE:
            bounds = (attributes.get("min"), attributes.get("max"))
            first, last = (whole(bound) - 1 for bound in bounds)
            self.hidden_columns.append((first, min(last, MAX_COLUMNS)))

    def text(self, data: str) -> None:
        """Keep a piece of a value."""
        if self._is_read and self._cell is not None:
            self._cell.parts.append(data)

    def end(self, name: str) -> None:
        """End a row, a cell, or a part of one."""
        if name in ("v", "t"):
            self._is_read = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._is_spoken = False

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = whole(attributes.get("r", str(self._number + 1)))
        if number <= self._number:
            raise XlsxMalformed(f"found row {number} after row {self._number}")
        self._number, self._last, self._cells = number, -1, {}
        if attributes.get("hidden") in TRUE:
            self.hidden_rows.add(number)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._counted += 1
        if self._counted > self._max_cells:
            raise XlsxTooLarge(f"found over {self._max_cells} cells, want at most that")
        position = self._last + 1
        if "r" in attributes:
            row, position = read_place(attributes["r"])
            if row != self._number or position <= self._last:
                raise XlsxMalformed(
                    f"row {self._number}: found cell {attributes['r'][:12]} out of order"
                )
        self._last = position
        kind, style = attributes.get("t", "n"), attributes.get("s", "")
        self._cell = Cell(position, kind, style)

    def _end_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None:
            raise XlsxMalformed("found a cell within a cell")
        text, flaw = cell_text(cell, self._book)
        if flaw is not None:
            self._remark(1)
            self.flaws.append((self._number, cell.position, flaw))
        if not text:
            return
        if cell.position >= MAX_COLUMNS:
            raise XlsxTooLarge(
                f"row {self._number}: found {cell.position + 1} columns, "
                f"want at most {MAX_COLUMNS}"
            )
        if len(text) > MAX_CELL_CHARACTERS:
            raise XlsxTooLarge(
                f"row {self._number}: found a cell of {len(text)} characters, "
                f"want at most {MAX_CELL_CHARACTERS}",
                hint="shorten the cell, or leave that column out",
            )
        self._characters += len(text)
        if self._characters > MAX_FILE_BYTES:
            raise XlsxTooLarge(f"found over {MAX_FILE_BYTES} characters in the cells")
        self._cells[cell.position] = text

    def _end_row(self) -> None:
        if not any(text.strip() for text in self._cells.values()):
            return
        if len(self.rows) > self._max_rows:
            raise XlsxTooLarge(f"found over {self._max_rows} rows, want at most that")
        width = max(self._cells) + 1
        self.rows[self._number] = tuple(self._cells.get(i, "") for i in range(width))

    def _merge(self, ref: str) -> None:
        first, _, last = ref.partition(":")
        top, left = read_place(first)
        bottom, right = read_place(last or first)
        # Only what is under the header and within the table can take anything away.
        bottom = min(bottom, top + MAX_ROWS)
        self._remark(max(bottom - top + 1, 1))
        self.merges.append(Merge((top, bottom), (left, right)))

    def _remark(self, times: int) -> None:
        self._remarked += times
        if self._remarked > MAX_REMARKS:
            raise XlsxTooLarge(
                f"found over {MAX_REMARKS} merged or unreadable cells, want at most that"
            )

    def merged(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield the rows under merged cells, with the first and last position of each."""
        for merge in self.merges:
            for number in range(merge.rows[0], merge.rows[1] + 1):
                if number in self.rows:
                    yield number, merge.positions


def read_place(text: str) -> tuple[int, int]:
    """Return the row's number, and the position of the column, of a place such as B7.

    Raises:
        XlsxMalformed: It is none.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise XlsxMalformed(f"found {text[:40]!r}, want a place such as B7")
    position = 0
    for letter in match[1]:
        position = position * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), position - 1
