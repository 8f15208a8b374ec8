"""What is installed from the wheel works, wherever it is run: no file of it is missing."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from subprocess import CompletedProcess
from zipfile import ZipFile

import pytest

from tests.support.components import ROOT
from tests.support.credentials_support import (
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    signed,
    unsigned,
)

PACKAGES = ("primitives", "did", "anchoring", "contracts", "credentials", "node", "cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own; return its folder of programs.

    What it depends on is borrowed, as a plain folder: nothing of the checkout comes along.
    """
    root = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    python = root / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    command += [
        "--quiet",
        "--no-index",
        "--no-deps",
        "--disable-pip-version-check",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (own,) = (root / "lib").glob("python*/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (own / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return root / "bin"


def run(program: Path, *arguments: str | Path, at: Path) -> CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments],
        cwd=at,
        env={"PATH": "/usr/bin:/bin", "HOME": str(at), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_wheel_has_every_file_of_every_package(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    with ZipFile(wheel) as opened:
        there = set(opened.namelist())
        assert {name for name in listed if name not in there} == set()
        assert {name for name in there if "tests" in Path(name).parts} == set()
        for name in listed:
            assert opened.read(name) == (ROOT / name).read_bytes()


def test_the_installed_program_is_not_that_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    where = "import cli, node, credentials; print(cli.__file__, node.__file__)"
    found = run(installed / "python", "-P", "-c", where, at=tmp_path)
    assert found.stdout.count(str(installed.parent)) == 2, found.stderr


def test_the_installed_program_tells_its_version(installed: Path, tmp_path: Path) -> None:
    found = run(installed / "patunay", "--version", at=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert "0.1.0" in found.stdout


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_the_installed_program_verifies_offline(
    installed: Path, tmp_path: Path, suite: str
) -> None:
    document = signed(
        unsigned(issuer=STRANGER_DID, credentialStatus=...),
        suite=suite,
        signer=STRANGER,
        method=STRANGER_METHOD,
    )
    file = tmp_path / "credential.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    found = run(installed / "patunay", "verify", "--offline", "--json", file, at=tmp_path)
    assert found.returncode == 0, found.stderr
    assert '"valid"' in found.stdout
    file.write_text(json.dumps({**document, "name": "Another"}), encoding="utf-8")
    found = run(installed / "patunay", "verify", "--offline", file, at=tmp_path)
    assert found.returncode == 1


def test_the_installed_program_makes_a_node(installed: Path, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("four words of nobody\n")
    passphrase.chmod(0o600)
    made = ("init", "node", "--domain", "school.example", "--passphrase-file", passphrase)
    found = run(installed / "patunay", *made, at=tmp_path)
    assert found.returncode == 0, found.stderr
    shown = run(
        installed / "patunay", "--data-dir", "node", "anchor", "status", at=tmp_path
    )
    assert shown.returncode == 0, shown.stderr
