"""The list of mutants is the code's own, and each is another program."""

import ast
from collections import Counter

import pytest

from credentials.checks import CHECKS
from credentials.presentation_checks import CHECKS_OF_PRESENTATION
from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.sites import REGISTRIES, all_mutants, registered, verifying_modules
from tests.mutants.table import Verdict, render
from tests.support.components import ROOT

MODULES = verifying_modules(ROOT)


def test_every_registered_check_is_taken_away_and_turned_round() -> None:
    for module, names in (
        ("credentials.checks", CHECKS),
        ("credentials.presentation_checks", CHECKS_OF_PRESENTATION),
    ):
        text = (ROOT / (module.replace(".", "/") + ".py")).read_text()
        assert module in REGISTRIES
        assert list(registered(module, text)) == list(names)
        found = [m for m in all_mutants(ROOT, [module]) if m.where.startswith("check ")]
        assert [m.where for m in found] == [f"check {n}" for n in names for _ in range(2)]
        assert Counter(m.kind for m in found) == {
            "passes": len(names),
            "inverted": len(names),
        }


def test_the_modules_are_those_that_verifying_imports() -> None:
    assert {"credentials.key_standing", "did.history", "anchoring.merkle"} <= set(MODULES)
    assert {"primitives.ed25519", "primitives.strict_json"} <= set(MODULES)
    assert {"credentials.trust_pack.verify", "did.address", "anchoring.blocks"} <= set(
        MODULES
    )
    assert not [m for m in MODULES if m.startswith(("node", "cli", "did.keystore"))]


def test_every_raise_of_a_rule_is_taken_away_once() -> None:
    text = (ROOT / "anchoring" / "merkle.py").read_text()
    raises = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Raise)]
    found = [m for m in all_mutants(ROOT, ["anchoring.merkle"]) if m.kind == "removed"]
    assert len(found) == len(raises) > 0
    assert len({m.name for m in found}) == len(found)


def test_each_mutant_is_another_program() -> None:
    whole = ast.unparse(ast.parse((ROOT / "did" / "history.py").read_text()))
    found = all_mutants(ROOT, ["did.history"])
    assert len({m.source for m in found}) == len(found)
    for mutant in found:
        assert ast.unparse(ast.parse(mutant.source)) != whole


def test_what_is_explained_is_a_mutant() -> None:
    modules = sorted({name.partition(":")[0] for name in EQUIVALENT})
    names = {m.name for m in all_mutants(ROOT, modules)} if modules else set()
    assert sorted(set(EQUIVALENT) - names) == []
    assert all(EQUIVALENT.values())


@pytest.mark.parametrize("killer", ["tests/did/test_key.py::test_x[a|b]", None])
def test_the_table_names_who_noticed(killer: str | None) -> None:
    mutant = all_mutants(ROOT, ["did.key"])[0]
    page = render([Verdict(mutant, killer)], {})
    assert ("did/test_key.py `test_x`" in page) is (killer is not None)
    assert ("SURVIVED" in page) is (killer is None)


def test_the_table_tells_what_this_run_did_not_come_to() -> None:
    one, other, third = all_mutants(ROOT, ["did.key"])[:3]
    page = render(
        [
            Verdict(one, "tests/did/test_key.py::test_x"),
            Verdict(other, "tests/did/test_key.py::test_y", ran=False),
            Verdict(third, None, ran=False),
        ],
        {},
    )
    assert "`test_x` |" in page
    assert "`test_y` * |" in page
    assert "Not run yet: 1 of did.key." in page
    assert "SURVIVED" not in page
