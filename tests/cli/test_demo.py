"""The demonstration, as a newcomer runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.demo_steps import tampered_copies
from tests.support.standards import standards

COMMAND = "from cli.main import main; main()"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "demo-node"
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "demo", "--exit", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return folder, done.stdout


def test_ends_with_the_figures(ran: tuple[Path, str]) -> None:
    _, output = ran
    assert re.search(r"^issued +400 ", output, re.MULTILINE)
    assert re.search(
        r"^anchored +400 +in 1 transaction \(23,\d{3} gas", output, re.MULTILINE
    )
    assert re.search(r"^verified +400 +400 valid", output, re.MULTILINE)
    assert re.search(r"^receipt +\d+ +bytes", output, re.MULTILINE)
    assert "seconds: set up " in output


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("learner's name", "signature-rejected"),
        ("level", "signature-rejected"),
        ("status entry", "signature-rejected"),
        ("context", "context-redefinition"),
        ("proof", "signature-rejected"),
        ("an added term", "unsigned-term"),
    ],
)
def test_refuses_each_changed_copy_with_its_reason(
    ran: tuple[Path, str], what: str, code: str
) -> None:
    _, output = ran
    assert re.search(rf"^{what} +rejected +{code} ", output, re.MULTILINE)


def test_resolves_the_did_as_a_stranger_would(ran: tuple[Path, str]) -> None:
    _, output = ran
    assert re.search(
        r"as a stranger: valid; DID document from http://localhost:\d+/", output
    )


def test_writes_one_file_for_each_credential_and_nothing_else(
    ran: tuple[Path, str],
) -> None:
    folder, _ = ran
    files = list((folder / "issued").iterdir())
    assert len(files) == 400
    assert {file.suffix for file in files} == {".json"}
    ids = {json.loads(file.read_text())["id"] for file in files}
    assert len(ids) == 400


def test_every_credential_follows_the_official_schema(ran: tuple[Path, str]) -> None:
    from jsonschema import Draft201909Validator  # noqa: PLC0415 - a second to import

    folder, _ = ran
    name = "ob_v3p0_achievementcredential_schema.educredentials.json"
    validator = Draft201909Validator(json.loads(standards("schemas", name).read_text()))
    for file in (folder / "issued").iterdir():
        validator.validate(json.loads(file.read_text()))


def test_leaves_a_folder_alone_that_it_has_not_made(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "demo", "--exit", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert "demo-folder-taken" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_each_changed_copy_differs_from_the_original(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    original = json.loads(next((folder / "issued").iterdir()).read_text())
    for what, copy in tampered_copies(original).items():
        assert copy != original, what
