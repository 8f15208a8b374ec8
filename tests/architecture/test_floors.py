"""The floors that `.importlinter` describes are kept."""

import subprocess
import sys
from configparser import ConfigParser

from tests.support.components import ROOT

RULES = ROOT / ".importlinter"


_LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"


def test_no_contract_is_broken() -> None:
    # In a process of its own: it sets up logging, which silences every logger there is.
    done = subprocess.run(
        [sys.executable, "-c", _LINT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_every_package_has_its_floor() -> None:
    rules = ConfigParser()
    rules.read(RULES)
    known = set(rules["importlinter"]["root_packages"].split())
    floors = rules["importlinter:contract:floors"]["layers"].replace("|", " ").split()
    packages = {f.parent.name for f in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} == known == set(floors)
