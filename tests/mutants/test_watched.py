"""Only tests that come past a line are asked, whatever else has changed since."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.sites import Mutant, all_mutants
from tests.mutants.watched import Lines, Watched

KEY = """
def parse(text):
    if not text:
        raise DidMalformed("found nothing")
    return text
"""
OWN, OTHER = "tests/did/test_key.py", "tests/cli/test_verify.py"
SECONDS = {f"{OWN}::full": 0.2, f"{OWN}::empty": 0.1}
LINES: Lines = {
    "did/key.py": {
        1: ["", f"{OWN}::full"],
        3: [f"{OWN}::full", f"{OWN}::empty"],
        4: [f"{OWN}::empty"],
    }
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in (("did/key.py", KEY), (OWN, "1\n"), (OTHER, "2\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def watched(tree: Path) -> Watched:
    return Watched(tree / "watched", tree)


def mutant(tree: Path, kind: str) -> Mutant:
    (found,) = (m for m in all_mutants(tree, ["did.key"]) if m.kind == kind)
    return found


def test_the_tests_of_a_line_are_known_to_the_next_run(tree: Path) -> None:
    watched(tree).note(OWN, SECONDS, LINES)
    again = watched(tree)
    assert again.tests_of(mutant(tree, "removed")) == [f"{OWN}::empty"]
    assert again.tests_of(mutant(tree, "inverted")) == [f"{OWN}::empty", f"{OWN}::full"]
    assert again.stale([OWN, OTHER]) == [OTHER]
    (tree / OWN).write_text("3\n")
    assert watched(tree).stale([OWN, OTHER]) == [OWN, OTHER]


def test_the_modules_own_tests_come_first_and_then_the_quick_ones(tree: Path) -> None:
    found = watched(tree)
    found.note(OWN, SECONDS, LINES)
    others = {f"{OTHER}::slow": 0.09, f"{OTHER}::quick": 0.01}
    found.note(OTHER, others, {"did/key.py": {3: list(others)}})
    assert found.tests_of(mutant(tree, "inverted")) == [
        *(f"{OWN}::empty", f"{OWN}::full"),
        *(f"{OTHER}::quick", f"{OTHER}::slow"),
    ]


def test_a_function_that_moves_keeps_its_lines(tree: Path) -> None:
    watched(tree).note(OWN, SECONDS, LINES)
    (tree / "did" / "key.py").write_text("import re\n\n" + KEY)
    assert watched(tree).tests_of(mutant(tree, "removed")) == [f"{OWN}::empty"]


def test_a_function_that_moves_to_another_file_keeps_its_lines(tree: Path) -> None:
    watched(tree).note(OWN, SECONDS, LINES)
    (tree / "did" / "key.py").rename(tree / "did" / "keys.py")
    (found,) = (m for m in all_mutants(tree, ["did.keys"]) if m.kind == "removed")
    assert watched(tree).tests_of(found) == [f"{OWN}::empty"]
    (tree / "did" / "keys.py").write_text(KEY.replace("nothing", "none"))
    assert watched(tree).tests_of(found) == list(reversed(SECONDS))


def test_a_function_that_changes_is_asked_of_all_its_tests(tree: Path) -> None:
    watched(tree).note(OWN, SECONDS, LINES)
    (tree / "did" / "key.py").write_text(KEY.replace("nothing", "none"))
    assert watched(tree).tests_of(mutant(tree, "removed")) == list(reversed(SECONDS))


def test_a_function_that_nobody_has_seen_is_asked_of_the_tests_of_its_module(
    tree: Path,
) -> None:
    watched(tree).note(OWN, SECONDS, LINES)
    watched(tree).note(OTHER, {f"{OTHER}::else": 0.5}, {})
    (tree / "did" / "key.py").write_text(KEY.replace("parse", "read"))
    found = watched(tree)
    assert found.tests_of(mutant(tree, "removed")) == list(reversed(SECONDS))


def test_a_check_as_a_whole_is_asked_of_all_that_come_past_its_module(tree: Path) -> None:
    found = watched(tree)
    found.note(OWN, SECONDS, LINES)
    found.note(OTHER, {f"{OTHER}::else": 0.5}, {})
    whole = replace(mutant(tree, "removed"), watched=frozenset())
    assert found.tests_of(whole) == list(reversed(SECONDS))
