"""Each verdict of the matrix, and each sentence, is the one that was reviewed.

`python -m tests.matrix` writes the expected files anew, for somebody to read every change.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.matrix.cases import cases
from tests.matrix.office import Case
from tests.support.components import require

EXPECTED = Path(__file__).with_name("expected")
CASES = {case.name: case for case in cases()}
PATUNAY = Path(sys.executable).with_name("patunay")

IN_A_NAMESPACE = sorted(
    name
    for name, case in CASES.items()
    if case.as_of and name != "day-ahead" and (case.pack is None or case.pack.years)
)
"""Whoever names the day needs no clock: these can be asked of the program itself."""


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_verdict_and_the_sentence_are_those_that_were_reviewed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = json.loads((EXPECTED / f"{name}.json").read_bytes())
    assert CASES[name].answer(tmp_path) == expected


def test_each_case_has_a_file_and_each_file_a_case() -> None:
    assert len(CASES) == len(cases()) > 60
    assert sorted(CASES) == sorted(file.stem for file in EXPECTED.iterdir())


def test_with_a_trust_pack_no_socket_is_opened(tmp_path: Path) -> None:
    """As the kernel saw it; `tests/cli/test_bundle.py` has the same without a pack."""
    arguments, trace = CASES["day-good"].write(tmp_path), tmp_path / "trace"
    watched = ("-f", "-e", "trace=socket,connect", "-o", trace)
    done = subprocess.run(
        [require("strace"), *watched, PATUNAY, *arguments, "--json"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    calls = trace.read_text(encoding="utf-8")
    assert "exited with 0" in calls
    assert "socket(" not in calls


@pytest.mark.parametrize("name", IN_A_NAMESPACE)
def test_without_a_network_interface_the_program_says_the_same(
    name: str, tmp_path: Path
) -> None:
    unshare = require("unshare")
    if os.geteuid() != 0:
        pytest.skip("a namespace without network needs root: run the tests as root")
    case: Case = CASES[name]
    arguments = case.write(tmp_path)
    done = subprocess.run(
        [unshare, "-n", PATUNAY, *arguments, "--json"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        timeout=60,
    )
    expected = json.loads((EXPECTED / f"{name}.json").read_bytes())
    assert done.returncode == expected["exit"], done.stderr
    assert json.loads(done.stdout) == expected["report"]
