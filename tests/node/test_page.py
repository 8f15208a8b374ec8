"""The page for people: nothing that a stranger wrote reaches it as markup."""

from datetime import UTC, datetime

from credentials.report import Check, Report, Result, Standing
from node.web.pages import Overview, front_page, problem_page, report_page

HOSTILE = "<script>alert(1)</script>\" onload='x'"


def report(result: Result) -> Report:
    check = Check("proof", result, code="x", detail=HOSTILE, hint=HOSTILE)
    return Report((check,), Standing.UNKNOWN, HOSTILE, datetime(2026, 1, 1, tzinfo=UTC))


def test_escapes_whatever_a_credential_says() -> None:
    for page in (
        report_page(report(Result.FAILED)),
        problem_page(HOSTILE, HOSTILE),
        front_page(Overview(((HOSTILE, HOSTILE),), HOSTILE, 1, 0, HOSTILE)),
    ):
        assert "<script>" not in page
        assert "onload='x'" not in page
        assert "&lt;script&gt;" in page


def test_says_in_words_what_the_outcome_is() -> None:
    for result, headline in (
        (Result.PASSED, "<h1>Valid</h1>"),
        (Result.FAILED, "<h1>Not valid</h1>"),
        (Result.UNDETERMINED, "<h1>Not known</h1>"),
    ):
        assert headline in report_page(report(result))
