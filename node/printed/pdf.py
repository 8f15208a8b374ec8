"""A printed report as a PDF file, through fpdf2 and the font Source Sans (extra `pdf`).

The font has the letters of Latin, Greek and Cyrillic scripts. A letter that it lacks is
printed by its number, such as `[U+1703]`, and the report says so: nothing vanishes.
"""

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from node.printed.parts import Fact, Overview, PrintedReport, Row, Section, Tone
from primitives.errors import Misconfigured

if TYPE_CHECKING:
    from datetime import datetime

_MARGIN: Final = 16.0
_INK: Final = (26, 26, 26)
_GREY: Final = (68, 68, 68)
_COLOURS: Final = {
    Tone.GOOD: (23, 96, 58),
    Tone.BAD: (161, 22, 22),
    Tone.OPEN: (122, 82, 0),
    Tone.PLAIN: (85, 85, 85),
}
_FONT: Final = "Source"
_FILES: Final = {"": "SourceSansPro-Regular.ttf", "B": "SourceSansPro-Semibold.ttf"}
_PIXELS: Final = 25.4 / 72
"""Millimetres in a point."""


class PdfUnavailable(Misconfigured):
    """The packages that write PDF are not installed."""

    code = "pdf-unavailable"
    hint = "install patunay[pdf], or write .html and print that from a browser"


def write_pdf(report: PrintedReport, made: "datetime") -> bytes:
    """Return the report as a PDF document.

    Args:
        report: What is printed.
        made: Aware; the only time that the file names, so that it can be made again.

    Raises:
        PdfUnavailable: The extra `pdf` is not installed.
    """
    return _Writer(report, made).write()


def require_pdf() -> None:
    """Return if PDF files can be written.

    Raises:
        PdfUnavailable: The extra `pdf` is not installed.
    """
    _load()


def _load() -> tuple[Any, Path]:
    """Return the class of fpdf2, and the folder of the fonts."""
    try:
        with warnings.catch_warnings():
            # Without Pillow it cannot draw pictures, of which a report has none.
            warnings.simplefilter("ignore")
            import font_source_sans_pro  # noqa: PLC0415 - an extra; a quarter of a second
            from fpdf import FPDF  # noqa: PLC0415
    except ImportError as e:
        raise PdfUnavailable(f"found no package {e.name}") from e
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    return FPDF, Path(font_source_sans_pro.__file__).parent / "files"


class _Writer:
    """Writes from top to bottom; pages break where a row does not fit."""

    def __init__(self, report: PrintedReport, made: "datetime") -> None:
        document, fonts = _load()
        self.report = report
        self.pdf = document(format="A4", unit="mm")
        self.pdf.footer = self._footer
        self.pdf.c_margin = 0  # texts begin where the lines begin
        self.missing: set[str] = set()
        for style, name in _FILES.items():
            self.pdf.add_font(_FONT, style, fonts / name)
        self.letters = set(self.pdf.fonts[_FONT.lower()].cmap)
        self.pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.pdf.set_auto_page_break(auto=True, margin=18)
        self.pdf.set_title(self._fit(report.title))
        self.pdf.set_lang(report.language)
        self.pdf.set_creator("Patunay")
        self.pdf.set_creation_date(made)

    def _footer(self) -> None:
        """Write the title and the number of the page; fpdf2 calls it at each page's end."""
        pdf, report = self.pdf, self.report
        pdf.set_y(-14)
        pdf.set_font(_FONT, "", 8)
        pdf.set_text_color(*_GREY)
        pdf.cell(0, 5, self._fit(f"{report.title} · {report.made}"))
        pdf.set_x(-_MARGIN - 40)
        page = report.labels.page.replace("{n}", str(pdf.page_no()))
        pdf.cell(40, 5, self._fit(page.replace("{of}", "{nb}")), align="R")

    def write(self) -> bytes:
        """Return the whole file."""
        report = self.report
        self.pdf.add_page()
        self._head()
        if report.overview is not None:
            self._overview(report.overview)
        for section in report.sections:
            if report.overview is not None:
                self.pdf.add_page()
                self._text(section.title, 12, "B")
                self.pdf.ln(2)
            self._section(section)
        self._end()
        return bytes(self.pdf.output())

    def _head(self) -> None:
        pdf, report = self.pdf, self.report
        top = pdf.get_y()
        pdf.set_x(pdf.w / 2)
        lines = "\n".join(filter(None, (report.office, report.made)))
        self._text(lines, 9.5, colour=_GREY, align="R", width=pdf.w / 2 - _MARGIN)
        bottom = pdf.get_y()
        pdf.set_xy(_MARGIN, top)
        self._text(report.title, 19, "B", width=pdf.w / 2 - _MARGIN)
        pdf.set_y(max(bottom, pdf.get_y()) + 2)
        pdf.set_draw_color(*_INK)
        pdf.set_line_width(0.9)
        pdf.line(_MARGIN, pdf.get_y(), pdf.w - _MARGIN, pdf.get_y())
        pdf.ln(6)

    def _verdict(self, tone: Tone, first: str, more: Iterable[str]) -> None:
        """Write the box with the plain sentence, which is not torn apart."""
        pdf = self.pdf
        width = pdf.w - 2 * _MARGIN
        pieces: _Cell = [(first, "B", 14, _INK), *((each, "", 10.5, _INK) for each in more)]
        height = 6 + sum(self._height(piece, width - 7) + 0.8 for piece in pieces)
        if pdf.get_y() + height > pdf.h - 18:
            pdf.add_page()
        top = pdf.get_y()
        pdf.set_y(top + 3)
        for text, style, size, colour in pieces:
            pdf.set_x(_MARGIN + 6)
            self._text(text, size, style, colour=colour, width=width - 9)
            pdf.ln(0.8)
        bottom = pdf.get_y() + 2.2
        pdf.set_draw_color(*_COLOURS[tone])
        pdf.set_fill_color(*_COLOURS[tone])
        pdf.set_line_width(0.25)
        pdf.rect(_MARGIN, top, width, bottom - top)
        pdf.rect(_MARGIN, top, 1.8, bottom - top, style="F")
        pdf.set_y(bottom + 5)

    def _section(self, section: Section) -> None:
        self._verdict(section.tone, section.verdict, section.sentences)
        self._facts(section.facts)
        if section.rows:
            labels = self.report.labels
            self._title(labels.checks)
            heads = (labels.check, labels.result, labels.evidence)
            self._table(heads, (27, 47, 26), map(self._cells, section.rows))

    def _cells(self, row: Row) -> "list[_Cell]":
        answer: _Cell = [
            (row.word, "B", 10, _COLOURS[row.tone]),
            (row.text, "", 10, _INK),
            (row.exact, "", 8, _GREY),
        ]
        evidence: _Cell = [(line, "", 8.5, _GREY) for line in row.evidence]
        return [[(row.question, "", 10, _INK)], answer, evidence]

    def _overview(self, overview: Overview) -> None:
        self._verdict(Tone.PLAIN, overview.sentence, ())
        counts = "   ".join(f"{each.value} {each.label}" for each in overview.counts)
        self._text(counts, 11, "B")
        self.pdf.ln(3)
        rows: Iterable[list[_Cell]] = (
            [
                [(line.file, "", 8.5, _INK)],
                [(line.what, "", 8.5, _INK)],
                [(line.issuer, "", 8.5, _INK)],
                [(line.word, "B", 8.5, _COLOURS[line.tone]), (line.why, "", 8.5, _INK)],
            ]
            for line in overview.lines
        )
        self._table(overview.header, (22, 23, 18, 37), rows)
        if overview.note:
            self.pdf.ln(2)
            self._text(overview.note, 8.5, colour=_GREY)

    def _table(
        self,
        heads: Iterable[str],
        shares: tuple[int, ...],
        rows: "Iterable[list[_Cell]]",
    ) -> None:
        """Write rows that are not torn apart, with the head again on each page."""
        pdf = self.pdf
        widths = [share / 100 * (pdf.w - 2 * _MARGIN) for share in shares]
        head: list[_Cell] = [[(text, "B", 9, _INK)] for text in heads]
        self._cells_at(head, widths, _INK, 0.35)
        for row in rows:
            height = max(
                sum(self._height(piece, width) for piece in cell)
                for cell, width in zip(row, widths, strict=True)
            )
            if pdf.get_y() + height + 4 > pdf.h - 18:
                pdf.add_page()
                self._cells_at(head, widths, _INK, 0.35)
            self._cells_at(row, widths, (187, 187, 187), 0.18)
        pdf.ln(2)

    def _height(self, piece: "_Piece", width: float) -> float:
        text, style, size, _ = piece
        self.pdf.set_font(_FONT, style, size)
        lines = self.pdf.multi_cell(
            width - 2, text=self._fit(text), dry_run=True, output="LINES"
        )
        return len(lines) * size * 1.38 * _PIXELS

    def _cells_at(
        self,
        cells: "list[_Cell]",
        widths: list[float],
        rule: tuple[int, int, int],
        thickness: float,
    ) -> None:
        pdf = self.pdf
        top = bottom = pdf.get_y() + 1.6
        left = _MARGIN
        for cell, width in zip(cells, widths, strict=True):
            pdf.set_xy(left, top)
            for text, style, size, colour in cell:
                pdf.set_x(left)
                self._text(text, size, style, colour=colour, width=width - 2)
            bottom = max(bottom, pdf.get_y())
            left += width
        pdf.set_draw_color(*rule)
        pdf.set_line_width(thickness)
        pdf.line(_MARGIN, bottom + 1.6, pdf.w - _MARGIN, bottom + 1.6)
        pdf.set_y(bottom + 1.6)

    def _facts(self, facts: Iterable[Fact]) -> None:
        pdf = self.pdf
        for fact in facts:
            width = pdf.w - 2 * _MARGIN - 48
            if pdf.get_y() + self._height((fact.value, "", 10, _INK), width) > pdf.h - 18:
                pdf.add_page()
            top = pdf.get_y()
            self._text(fact.label, 10, colour=_GREY, width=46)
            bottom = pdf.get_y()
            pdf.set_xy(_MARGIN + 48, top)
            self._text(fact.value, 10, width=width)
            pdf.set_y(max(bottom, pdf.get_y()) + 0.6)

    def _title(self, text: str) -> None:
        self.pdf.ln(4)
        if self.pdf.get_y() > self.pdf.h - 50:
            self.pdf.add_page()
        self._text(text, 11, "B")
        self.pdf.ln(1)

    def _end(self) -> None:
        report, pdf = self.report, self.pdf
        self._title(report.labels.limits_title)
        for limit in report.limits:
            pdf.set_x(_MARGIN)
            self._text(f"•  {limit}", 10)
        self._title(report.labels.about)
        self._facts(report.about)
        if self.missing:
            pdf.ln(2)
            self._text(report.labels.missing_letters, 8.5, colour=_GREY)
        if pdf.get_y() > pdf.h - 48:
            pdf.add_page()
        pdf.ln(18)
        top = pdf.get_y()
        pdf.set_draw_color(*_INK)
        pdf.set_line_width(0.25)
        for left, width, text in (
            (_MARGIN, 112.0, report.labels.signed_by),
            (_MARGIN + 122, 56.0, report.labels.date),
        ):
            pdf.line(left, top, left + width, top)
            pdf.set_xy(left, top + 1)
            self._text(text, 9, colour=_GREY, width=width)

    def _text(
        self,
        text: str,
        size: float,
        style: str = "",
        colour: tuple[int, int, int] = _INK,
        align: str = "L",
        width: float = 0,
    ) -> None:
        pdf = self.pdf
        pdf.set_font(_FONT, style, size)
        pdf.set_text_color(*colour)
        pdf.multi_cell(
            width,
            size * 1.38 * _PIXELS,
            self._fit(text),
            align=align,
            new_x="LMARGIN",
            new_y="NEXT",
        )

    def _fit(self, text: str) -> str:
        """Return text with the number of each letter that the font lacks."""
        lacking = {c for c in text if ord(c) not in self.letters and c != "\n"}
        self.missing |= lacking
        for letter in lacking:
            text = text.replace(letter, f"[U+{ord(letter):04X}]")
        return text


_Piece = tuple[str, str, float, tuple[int, int, int]]
"""A text, its style, its size in points, its colour."""

_Cell = list[_Piece]
