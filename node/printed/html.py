"""A printed report as one HTML file: no script, nothing from elsewhere, ready for paper.

The policy in its head lets a browser load nothing at all, and apply no style but this one:
whatever a stranger's document might have smuggled in stays text.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from node.printed.parts import Fact, Overview, PrintedReport, Row, Section

STYLE: Final = """
@page { size: A4; margin: 18mm 16mm 20mm; }
* { box-sizing: border-box; }
html { color: #1a1a1a; background: #fff; font: 10.5pt/1.45 system-ui, "Segoe UI", Roboto,
  "Noto Sans", "DejaVu Sans", sans-serif; }
body { max-width: 178mm; margin: 0 auto; padding: 8mm 0; }
header { border-bottom: 2.5pt solid #1a1a1a; padding-bottom: 3mm; margin-bottom: 6mm;
  display: flex; justify-content: space-between; align-items: baseline; gap: 6mm; }
h1 { font-size: 19pt; line-height: 1.15; margin: 0; font-weight: 650; }
header p { margin: 0; text-align: right; color: #444; font-size: 9.5pt; }
h2 { font-size: 13pt; margin: 0 0 2mm; overflow-wrap: anywhere; }
h3 { font-size: 10.5pt; margin: 6mm 0 2mm; }
section { margin-bottom: 10mm; }
.next { break-before: page; }
.verdict { border: 0.75pt solid; border-left-width: 5pt; padding: 4mm 5mm; margin: 0 0 5mm;
  break-inside: avoid; }
.verdict p { margin: 1.5mm 0 0; overflow-wrap: anywhere; }
.verdict .first { font-size: 14pt; line-height: 1.3; font-weight: 650; margin: 0; }
.good { border-color: #17603a; } .bad { border-color: #a11616; }
.open { border-color: #7a5200; } .plain { border-color: #555; }
dl { display: grid; grid-template-columns: 46mm 1fr; gap: 1mm 4mm; margin: 0; }
dt { color: #444; } dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; font-weight: 600; border-bottom: 1pt solid #1a1a1a;
  padding: 1.5mm 2mm 1.5mm 0; font-size: 9.5pt; }
td { vertical-align: top; border-bottom: 0.5pt solid #bbb; padding: 2mm 2mm 2mm 0;
  overflow-wrap: anywhere; }
tr { break-inside: avoid; } thead { display: table-header-group; }
.word { font-weight: 650; white-space: nowrap; }
.word.good { color: #17603a; } .word.bad { color: #a11616; } .word.open { color: #7a5200; }
.word.plain { color: #555; }
.small, .exact { font-size: 8.5pt; color: #444; line-height: 1.35; }
.exact { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace;
  margin-top: 1mm; }
.checks col:nth-child(1) { width: 27%; } .checks col:nth-child(2) { width: 47%; }
.many { font-size: 9pt; }
.many col:nth-child(1) { width: 22%; } .many col:nth-child(2) { width: 23%; }
.many col:nth-child(3) { width: 18%; }
ul { margin: 0; padding-left: 5mm; } li { margin-bottom: 1mm; }
.counts { display: flex; flex-wrap: wrap; gap: 3mm 8mm; margin: 0 0 5mm; padding: 0; }
.counts li { list-style: none; } .counts b { font-size: 14pt; }
.signature { display: grid; grid-template-columns: 2fr 1fr; gap: 10mm; margin-top: 16mm;
  break-inside: avoid; }
.signature p { border-top: 0.75pt solid #1a1a1a; margin: 0; padding-top: 1.5mm;
  font-size: 9pt; color: #444; }
a { color: inherit; }
@media print { body { padding: 0; max-width: none; } a { text-decoration: none; } }
@media screen and (max-width: 40em) { body { padding: 5mm; } dl { display: block; }
  dd { margin-bottom: 2mm; } header { display: block; } header p { text-align: left; } }
"""

_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_DIGEST}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


def write_html(report: PrintedReport) -> bytes:
    """Return the report as an HTML document, in UTF-8."""
    return "\n".join(_document(report)).encode()


def _document(report: PrintedReport) -> Iterator[str]:
    first = report.overview.sentence if report.overview else report.sections[0].verdict
    yield f'<!doctype html>\n<html lang="{escape(report.language)}">\n<head>'
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{escape(report.title)}: {escape(first)}</title>"
    yield f"<style>{STYLE}</style>\n</head>\n<body>"
    yield f"<header><h1>{escape(report.title)}</h1>"
    lines = [escape(line) for line in (report.office, report.made) if line]
    yield f"<p>{'<br>'.join(lines)}</p></header>\n<main>"
    if report.overview is not None:
        yield from _overview(report.overview)
    for section in report.sections:
        yield from _section(section, report)
    yield from _end(report)
    yield "</main>\n</body>\n</html>\n"


def _overview(overview: Overview) -> Iterator[str]:
    yield '<section>\n<div class="verdict plain">'
    yield f'<p class="first">{escape(overview.sentence)}</p></div>'
    counts = (
        f"<li><b>{escape(each.value)}</b> {escape(each.label)}</li>"
        for each in overview.counts
    )
    yield f'<ul class="counts">{"".join(counts)}</ul>'
    yield '<table class="many"><colgroup><col><col><col><col></colgroup><thead><tr>'
    yield "".join(f'<th scope="col">{escape(word)}</th>' for word in overview.header)
    yield "</tr></thead><tbody>"
    for line in overview.lines:
        file = escape(line.file)
        if line.mark:
            file = f'<a href="#{line.mark}">{file}</a>'
        why = f'<span class="word {line.tone.value}">{escape(line.word)}</span><br>'
        cells = (file, escape(line.what), escape(line.issuer), why + escape(line.why))
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"
    if overview.note:
        yield f'<p class="small">{escape(overview.note)}</p>'
    yield "</section>"


def _section(section: Section, report: PrintedReport) -> Iterator[str]:
    many = report.overview is not None
    mark = f' id="{section.mark}" class="next"' if many else ""
    yield f"<section{mark}>"
    if many:
        yield f"<h2>{escape(section.title)}</h2>"
    yield f'<div class="verdict {section.tone.value}">'
    yield f'<p class="first">{escape(section.verdict)}</p>'
    yield from (f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    yield "</div>"
    yield _facts(section.facts)
    if section.rows:
        labels = report.labels
        yield f"<h3>{escape(labels.checks)}</h3>"
        yield '<table class="checks"><colgroup><col><col><col></colgroup><thead><tr>'
        heads = (labels.check, labels.result, labels.evidence)
        yield "".join(f'<th scope="col">{escape(word)}</th>' for word in heads)
        yield "</tr></thead><tbody>"
        yield from map(_row, section.rows)
        yield "</tbody></table>"
    yield "</section>"


def _row(row: Row) -> str:
    evidence = "<br>".join(map(escape, row.evidence))
    return (
        f"<tr><td>{escape(row.question)}</td>"
        f'<td><span class="word {row.tone.value}">{escape(row.word)}</span><br>'
        f'{escape(row.text)}<div class="exact" lang="en">{escape(row.exact)}</div></td>'
        f'<td class="small">{evidence}</td></tr>'
    )


def _facts(facts: Iterable[Fact]) -> str:
    pairs = (
        f"<dt>{escape(fact.label)}</dt><dd>{escape(fact.value)}</dd>" for fact in facts
    )
    return f"<dl>{''.join(pairs)}</dl>"


def _end(report: PrintedReport) -> Iterator[str]:
    labels = report.labels
    yield f"<section><h3>{escape(labels.limits_title)}</h3>"
    yield f"<ul>{''.join(f'<li>{escape(limit)}</li>' for limit in report.limits)}</ul>"
    yield f"<h3>{escape(labels.about)}</h3>"
    yield _facts(report.about)
    names = (labels.signed_by, labels.date)
    yield f'<div class="signature">{"".join(f"<p>{escape(n)}</p>" for n in names)}</div>'
    yield "</section>"
