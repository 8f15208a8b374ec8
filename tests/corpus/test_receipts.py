"""Runs the corpus's receipts: by themselves, and in reports; see `tests.corpus.build`."""

import json
from collections.abc import Iterator

import pytest

from tests.corpus.build import CASES
from tests.corpus.receipt_runners import (
    audited,
    block_alone,
    read_from_record,
    receipt_alone,
    reported,
)
from tests.corpus.runners import Answer, Runners


def of_kind(kind: str) -> list[str]:
    """Return the names of the cases whose context says so."""
    folders = [path for path in CASES.iterdir() if path.name[0] in "MKAI"]
    contexts = {p.name: json.loads((p / "context.json").read_bytes()) for p in folders}
    return sorted(name for name, context in contexts.items() if context["kind"] == kind)


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runners]:
    with Runners.running(tmp_path_factory.mktemp("corpus")) as runners:
        yield runners


@pytest.mark.parametrize("name", of_kind("receipt"))
def test_a_receipt_and_the_report_about_it_are_as_expected(
    runners: Runners, name: str
) -> None:
    expected = json.loads((CASES / name / "expect.json").read_bytes())
    assert receipt_alone(runners, CASES / name) == answer(expected)
    assert reported(runners, CASES / name) == answer(expected["report"])


@pytest.mark.parametrize("name", of_kind("block"))
def test_a_block_proves_what_is_expected(name: str) -> None:
    expected = json.loads((CASES / name / "expect.json").read_bytes())
    assert block_alone(CASES / name) == answer(expected)


@pytest.mark.parametrize("name", of_kind("history"))
def test_a_log_is_held_to_what_others_have_of_it(runners: Runners, name: str) -> None:
    expected = json.loads((CASES / name / "expect.json").read_bytes())
    assert audited(runners, CASES / name) == answer(expected)


@pytest.mark.parametrize("name", of_kind("record"))
def test_a_record_is_what_its_name_says_or_nothing(runners: Runners, name: str) -> None:
    expected = json.loads((CASES / name / "expect.json").read_bytes())
    assert read_from_record(runners, CASES / name) == answer(expected)


def answer(expected: dict[str, str]) -> Answer:
    return Answer(expected["outcome"], frozenset({expected["code"]} - {""}))
