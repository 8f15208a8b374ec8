"""Runs the corpus of hostile input against every way in; see `tests.corpus.build`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from credentials.evidence import Evidence, Lookup, Missing, Obtained
from credentials.judge import judge
from credentials.policy import Policy
from credentials.report import Outcome, Result
from primitives.canonical_json import JsonObject, canonicalize
from primitives.errors import Malformed
from primitives.instants import parse_instant
from primitives.strict_json import parse_json, parse_json_object
from tests.corpus.build import CASES, all_cases

NAMES = sorted(path.name for path in CASES.iterdir())


@dataclass(frozen=True)
class Answer:
    """What came of an input, whichever way it took."""

    outcome: str
    codes: frozenset[str]
    """Of the required checks that led to it, or of the error."""


Runner = Callable[[bytes, Mapping[str, Any]], Answer]


def library(raw: bytes, context: Mapping[str, Any]) -> Answer:
    try:
        document = parse_json_object(raw)
    except Malformed as e:
        return Answer("malformed", frozenset({e.code}))
    if "type" not in document:
        return Answer("parsed", frozenset({canonicalize(document).decode()}))
    as_of = parse_instant(str(context["asOf"]))
    evidence = Evidence(
        did_documents=_lookups(context["didDocuments"], context),
        status_lists=_lookups(context["statusLists"], context),
    )
    report = judge(document, evidence, Policy(), as_of)
    wanted = {
        Outcome.REJECTED: Result.FAILED,
        Outcome.UNDETERMINED: Result.UNDETERMINED,
        Outcome.VALID: None,
    }[report.outcome]
    codes = {c.code for c in report.checks if c.required and c.result is wanted}
    return Answer(report.outcome.value, frozenset(codes))


def _lookups(
    values: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Lookup[JsonObject]]:
    when = parse_instant(str(context["asOf"]))
    return {
        name: Missing(value, "could not be had")
        if isinstance(value, str)
        else Obtained(value, "file", when)
        for name, value in values.items()
    }


RUNNERS: dict[str, Runner] = {"library": library}
"""Every way in. HTTP and the command line answer the same, and belong here too."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("runner", RUNNERS)
def test_case(runner: str, name: str) -> None:
    folder = CASES / name
    context = parse_json((folder / "context.json").read_bytes())
    expected = parse_json_object((folder / "expect.json").read_bytes())
    assert isinstance(context, dict)
    answer = RUNNERS[runner]((folder / "input").read_bytes(), context)
    assert answer.outcome == expected["outcome"]
    assert str(expected["code"]) in (answer.codes or {""})


def test_the_folders_are_those_of_the_builder() -> None:
    """By name and verdict: their bytes stay as they are when issuing changes."""
    expected = {case.name: case.files()["expect.json"] for case in all_cases()}
    assert sorted(expected) == NAMES
    for name, raw in expected.items():
        assert (CASES / name / "expect.json").read_bytes() == raw, name
