"""A function in memory gets other code, wherever else it is known by another name."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from unittest.mock import ANY

import pytest

from tests.mutants.bench import Bench, BenchBroken, Told
from tests.mutants.forks import plain, transplant

FILE = "/tree/of.py"
SOURCE = """
import functools

class Way:
    @classmethod
    def parse(cls, text):
        if text:
            return "checked " + text
        return ""

@functools.cache
def outer(text):
    def inner(found):
        return "checked " + found
    return inner(text)

LOADED = outer("before")
"""


def loaded() -> tuple[dict[str, object], dict[tuple[str, str], list[FunctionType]]]:
    names: dict[str, object] = {}
    exec(compile(SOURCE, FILE, "exec"), names)
    way, outer = names["Way"], names["outer"]
    assert isinstance(outer, functools._lru_cache_wrapper)
    found = [way.parse.__func__, outer.__wrapped__]  # type: ignore[attr-defined]
    return names, {(FILE, plain(each.__code__)): [each] for each in found}


def test_a_method_gets_the_other_code() -> None:
    names, functions = loaded()
    parse: Callable[[str], str] = names["Way"].parse  # type: ignore[attr-defined]
    assert parse("x") == "checked x"
    assert transplant(
        functions, FILE, "Way.parse", SOURCE.replace("if text", "if not text")
    )
    assert parse("x") == ""


def test_a_function_inside_another_gets_it_with_the_one_around_it() -> None:
    names, functions = loaded()
    outer = names["outer"]
    assert isinstance(outer, functools._lru_cache_wrapper)
    other = SOURCE.replace('"checked " + found', "found")
    assert transplant(functions, FILE, "outer.inner", other)
    assert outer("x") == "x"


def test_what_is_done_while_a_module_is_loaded_cannot_be_changed_so() -> None:
    _, functions = loaded()
    assert not transplant(functions, FILE, "check anchor", SOURCE)
    twice = SOURCE + "\ndef outer(text):\n    return text\n"
    assert not transplant(functions, FILE, "outer", twice)


def test_the_bench_runs_tests_in_forks_of_a_tree_that_is_loaded(tmp_path: Path) -> None:
    checked = "def parse(text):\n    if not text:\n        raise ValueError\n"
    checked += "RULES = {'full': 'x'}\n"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("")
    place = tmp_path / "rules" / "key.py"
    place.write_text(checked)
    (tmp_path / "test_key.py").write_text(
        "import pytest\nfrom rules.key import RULES, parse\n"
        "def test_full():\n    parse(RULES['full'])\n"
        "def test_empty():\n    with pytest.raises(ValueError):\n        parse('')\n"
    )
    bench = Bench(tmp_path, ["test_key.py"], test_seconds=3)
    full, empty = "test_key.py::test_full", "test_key.py::test_empty"
    try:
        assert bench.tests == {full, empty}
        whole = bench.run([full, empty, "test_key.py::test_gone"])
        assert (list(whole.seconds), whole.failed) == ([full, empty], [])
        change = str(place), "parse", checked.replace("raise ValueError", "pass")
        assert bench.run([full, empty], change=change).failed == [empty]
        assert bench.run([full, empty]).failed == []  # nothing of it stays
        turned = str(place), "parse", checked.replace("not text", "text")
        assert bench.run([full, empty], change=turned).failed == [full]
        assert not bench.run([full], change=(str(place), "other", checked)).possible
        registry = str(place), "RULES = {**RULES, 'full': ''}"
        assert bench.run([full, empty], append=registry).failed == [full]
        told, lines = bench.watch([full, empty], ["rules"])
        assert list(told.seconds) == [full, empty]
        assert lines == {"rules/key.py": {2: [empty, full], 3: [empty]}}
        endless = str(place), "parse", checked.replace("raise ValueError", "while 1: 0")
        assert bench.run([full, empty], change=endless).endless == empty
        fatal = str(place), "parse", checked.replace("raise", "__import__('os')._exit(0);")
        assert bench.run([full, empty], change=fatal).failed == [empty]
        assert bench.run([full, empty]) == Told(seconds=ANY)
        with pytest.raises(BenchBroken, match="no test was begun"):
            bench.run([full], change=(str(place), "parse", "no Python"))
    finally:
        bench.close()


def test_tests_that_cannot_be_loaded_are_said(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_key.py").write_text("import nowhere\n")
    with pytest.raises(BenchBroken, match="No module named 'nowhere'"):
        Bench(tmp_path, ["test_key.py"])
