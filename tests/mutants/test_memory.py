"""The next run goes on where the last one ended, but for what has changed since."""

from dataclasses import replace
from pathlib import Path

from tests.mutants.memory import Memory
from tests.mutants.sites import all_mutants
from tests.support.components import ROOT

TEST = "tests/test_one.py::test_it[a b]"


def _tree(folder: Path) -> Path:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_one.py").write_text("1\n")
    return folder


def test_what_was_noticed_is_known_to_the_next_run(tmp_path: Path) -> None:
    one, other = all_mutants(ROOT, ["did.key"])[:2]
    tree, file = _tree(tmp_path), tmp_path / "noticed.txt"
    Memory(file, tree).note(one, TEST)
    again = Memory(file, tree)
    assert again.known(one) == (TEST, True)
    assert again.known(other) is None


def test_another_test_file_or_another_function_is_run_again(tmp_path: Path) -> None:
    one = all_mutants(ROOT, ["did.key"])[0]
    tree, file = _tree(tmp_path), tmp_path / "noticed.txt"
    Memory(file, tree).note(one, TEST)
    assert Memory(file, tree).known(replace(one, line=one.line + 1)) == (TEST, True)
    other = replace(one, around=one.around + "#")
    assert Memory(file, tree).known(other) == (TEST, False)
    (tree / "tests" / "test_one.py").write_text("2\n")
    assert Memory(file, tree).known(one) == (TEST, False)


def test_what_is_no_mutant_any_more_is_forgotten(tmp_path: Path) -> None:
    one, other = all_mutants(ROOT, ["did.key"])[:2]
    tree, file = _tree(tmp_path), tmp_path / "noticed.txt"
    memory = Memory(file, tree)
    memory.note(one, TEST)
    memory.note(other, "(no end after 240 s)")
    memory.forget_others([other])
    again = Memory(file, tree)
    assert (again.known(one), again.known(other)) == (None, ("(no end after 240 s)", True))
