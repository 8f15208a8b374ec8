"""Runs the corpus of hostile input against every way in; see `tests.corpus.build`."""

from collections.abc import Iterator

import pytest

from primitives.strict_json import parse_json_object
from tests.corpus.build import CASES, all_cases
from tests.corpus.runners import WAYS, Runners

NAMES = sorted(path.name for path in CASES.iterdir() if path.name[0] in "JCPDS")
BUNDLES = sorted(path.name for path in CASES.iterdir() if path.name[:3] in ("B15", "B20"))


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runners]:
    with Runners.running(tmp_path_factory.mktemp("corpus")) as runners:
        yield runners


@pytest.mark.parametrize("name", NAMES)
def test_every_way_in_gives_the_answer(runners: Runners, name: str) -> None:
    expected = parse_json_object((CASES / name / "expect.json").read_bytes())
    found = {way: runners.ask(way, CASES / name) for way in WAYS}
    assert found == dict.fromkeys(WAYS, found["library"])
    assert found["library"].outcome == expected["outcome"], found["library"]
    assert str(expected["code"]) in (found["library"].codes | {""})


@pytest.mark.parametrize("name", BUNDLES)
def test_what_is_given_as_a_file_is_no_source_of_trust(runners: Runners, name: str) -> None:
    """By the command alone: no other way in takes a bundle."""
    expected = parse_json_object((CASES / name / "expect.json").read_bytes())
    found = runners.ask("command-line", CASES / name)
    assert (found.outcome, expected["code"] in found.codes) == (expected["outcome"], True)


def test_the_folders_are_those_of_the_builder() -> None:
    """By name and verdict: their bytes stay as they are when issuing changes."""
    expected = {case.name: case.files()["expect.json"] for case in all_cases()}
    assert sorted(expected) == sorted(path.name for path in CASES.iterdir())
    for name, raw in expected.items():
        assert (CASES / name / "expect.json").read_bytes() == raw, name
