"""The pages, as text. Every value that is not ours is escaped where it is put in."""

from dataclasses import dataclass
from html import escape
from typing import Final

from credentials.report import Check, Outcome, Report, Result

_WORDS: Final = {
    Result.PASSED: "passed",
    Result.FAILED: "failed",
    Result.UNDETERMINED: "not known",
    Result.NOT_APPLICABLE: "does not apply",
}

_HEADLINES: Final = {
    Outcome.VALID: "Valid",
    Outcome.REJECTED: "Not valid",
    Outcome.UNDETERMINED: "Not known",
}


@dataclass(frozen=True, slots=True)
class Overview:
    """What the front page says of the node."""

    issuers: tuple[tuple[str, str], ...]
    """Name and DID."""

    log: str
    tree_size: int
    waiting: int
    anchor: str
    """One phrase on the last anchor."""


def front_page(overview: Overview) -> str:
    """Return the page at `/`."""
    issuers = "".join(
        f"<tr><th>{escape(name)}</th><td><code>{escape(did)}</code></td></tr>"
        for name, did in overview.issuers
    )
    return _page(
        "Check a credential",
        f"""
<h1>Check a credential</h1>
<p>Paste the text of a credential, a file that ends in <code>.json</code>. It is checked
here and not kept.</p>
{_FORM}
<h2>Who signs here</h2>
<table>{issuers}</table>
<h2>The public log</h2>
<table>
<tr><th>Name</th><td><code>{escape(overview.log)}</code></td></tr>
<tr><th>Entries</th><td>{overview.tree_size}, and {overview.waiting} waiting</td></tr>
<tr><th>Last anchor</th><td>{escape(overview.anchor)}</td></tr>
</table>
<p class="note">For programs: <a href="/openapi.json">interface</a>,
<a href="/log/checkpoint">checkpoint</a>, <a href="/healthz">health</a>.</p>
""",
    )


def report_page(report: Report) -> str:
    """Return the answer about one credential: the sentence first, then each check."""
    outcome = report.outcome
    rows = "".join(_row(check) for check in report.checks)
    return _page(
        _HEADLINES[outcome],
        f"""
<h1>{_HEADLINES[outcome]}</h1>
<p class="answer {outcome.value}" role="status">{escape(report.summary)}</p>
<p class="note">A signature shows who wrote this and that nobody has changed it. It does
not show that the person before you is the person it speaks of: compare the name.</p>
<h2>What was checked</h2>
<table>{rows}</table>
<h2>Check another</h2>
{_FORM}
""",
    )


def problem_page(detail: str, hint: str) -> str:
    """Return the answer to a text that is no credential."""
    more = f"<p>{escape(hint)}</p>" if hint else ""
    return _page(
        "Not a credential",
        f"""
<h1>This is not a credential that can be read</h1>
<p class="answer undetermined" role="status">{escape(detail)}</p>
{more}
{_FORM}
""",
    )


def _row(check: Check) -> str:
    notes = [check.hint] if check.hint else []
    if not check.required:
        notes.append("This does not decide the answer.")
    more = "".join(f'<br><span class="note">{escape(note)}</span>' for note in notes)
    return (
        f"<tr><th>{escape(check.name)}</th><td>{_WORDS[check.result]}</td>"
        f"<td>{escape(check.detail)}{more}</td></tr>"
    )


_FORM: Final = """<form method="post" action="/">
<p><label for="credential">Credential</label><br>
<textarea id="credential" name="credential" required spellcheck="false"></textarea></p>
<p><button>Check</button></p>
</form>"""


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - Patunay</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>{body}</main>
</body>
</html>
"""
