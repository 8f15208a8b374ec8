"""The floors that `.importlinter` describes are kept."""

from configparser import ConfigParser

import pytest
from importlinter.cli import lint_imports

from tests.support.components import ROOT

RULES = ROOT / ".importlinter"


def test_no_contract_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(RULES))
    told = capsys.readouterr().out
    assert code == 0, told
    assert "2 kept, 0 broken" in told


def test_every_package_has_its_floor() -> None:
    rules = ConfigParser()
    rules.read(RULES)
    known = set(rules["importlinter"]["root_packages"].split())
    floors = rules["importlinter:contract:floors"]["layers"].replace("|", " ").split()
    packages = {f.parent.name for f in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} == known == set(floors)
