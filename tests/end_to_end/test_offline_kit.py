"""The kit is built, carried to a machine without a network, installed and run there."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credentials.bundle import encode_bundle
from credentials.trust_pack.pack import build_pack
from scripts.offline_kit.build import (
    ANYWHERE,
    NEEDED,
    PLATFORMS,
    KitNotBuilt,
    Target,
    build,
    read_pins,
)
from scripts.offline_kit.start import machine
from tests.support.bundles import kit, trust_file
from tests.support.components import ROOT, require
from tests.support.trust_packs import OFFICES, contents, federation, status_part

PYTHON = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    platform, _, _ = machine().rpartition("-cp")
    if platform not in PLATFORMS:
        pytest.skip(f"no kit is built for {platform}")
    folder = tmp_path_factory.mktemp("kit")
    return build([Target(platform, PYTHON)], folder, wheels_from=None)


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "zipfile", "-e", archive, tmp_path], check=True)
    return tmp_path / archive.stem


def start(
    folder: Path, *arguments: str | Path, code: int = 0, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run the start script as a user who has a Python, a home and no network."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [require("unshare"), "-rn", "/bin/sh", folder / "patunay.sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **more},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def base_python() -> str:
    """Return a Python that knows none of the packages of this virtual environment."""
    return str(Path(sys.base_prefix, "bin", f"python{PYTHON}"))


def run(folder: Path, *arguments: str | Path, code: int = 0) -> Any:
    done = start(folder, *arguments, code=code, PATUNAY_PYTHON=base_python())
    return json.loads(done.stdout)


def test_it_installs_and_verifies_where_there_is_no_network(unpacked: Path) -> None:
    made = kit()
    stick = unpacked.parent / "stick"
    stick.mkdir()
    (stick / "diploma & transcript.json").write_bytes(encode_bundle(made.bundle))
    (stick / "broken.json").write_text("{", encoding="utf-8")
    office = unpacked / "office"
    office.mkdir()
    (office / "policy.json").write_text(json.dumps(made.policy_file()), encoding="utf-8")
    (office / "known.json").write_text(json.dumps(trust_file()), encoding="utf-8")
    write_pack(unpacked.parent)
    run(
        unpacked,
        *("trust", "import", unpacked.parent / "pack.zip", "--json"),
        *("--store", office / "trust", "--root", unpacked.parent / "federation.json"),
    )
    unpacked.chmod(0o555)  # as on a stick that is write-protected

    paper = unpacked.parent / "report.pdf"
    alone = run(
        unpacked,
        *(
            stick / "diploma & transcript.json",
            "--json",
            "--report",
            paper,
            "--lang",
            "fil",
        ),
    )
    assert paper.read_bytes().startswith(b"%PDF-")
    assert alone["outcome"] == "valid"
    (listed,) = (c for c in alone["checks"] if c["name"] == "issuer-listed")
    assert listed["result"] == "passed"

    both = run(unpacked, "verify", "--offline", "--json", stick, code=2)
    assert sorted(report["outcome"] for report in both["reports"]) == [
        "malformed",
        "undetermined",
    ]
    (place,) = (unpacked.parent / "home/.local/share/patunay-kit").iterdir()
    assert place.name.endswith(machine())
    unpacked.chmod(0o755)


def write_pack(folder: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    held = contents(status_part(had=now - timedelta(minutes=1)))
    pack = build_pack(held, after=None, issued=now)
    for office in OFFICES[:2]:
        pack = pack.signed_by(office)
    (folder / "pack.zip").write_bytes(pack.to_bytes())
    (folder / "federation.json").write_bytes(federation().to_bytes())


def test_a_command_of_the_node_says_what_it_lacks(unpacked: Path) -> None:
    done = start(unpacked, "demo", "--exit", code=4, PATUNAY_PYTHON=base_python())
    assert "(package-missing)" in done.stderr
    assert start(unpacked, PATUNAY_PYTHON=base_python()).stdout.startswith(
        "patunay: checks"
    )


def test_a_damaged_wheel_is_not_installed(unpacked: Path) -> None:
    wheel = next(unpacked.glob("wheels/patunay-*.whl"))
    raw = bytearray(wheel.read_bytes())
    raw[len(raw) // 2] ^= 1
    wheel.write_bytes(raw)
    done = start(unpacked, "--help", code=4, PATUNAY_PYTHON=base_python())
    assert f"wheels/{wheel.name} is damaged: found SHA-256" in done.stderr
    assert list((unpacked.parent / "home/.local/share/patunay-kit").iterdir()) == []


def test_without_a_python_it_says_what_to_install(unpacked: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname") or "")
    done = subprocess.run(
        ["/bin/sh", unpacked / "patunay.sh"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "/opt" not in done.stderr and done.returncode == 0:
        pytest.skip("a Python lies at a place that the script knows by heart")
    assert done.returncode == 4
    assert "found no Python 3.11 or later" in done.stderr


def test_every_file_is_listed_with_its_hash(unpacked: Path) -> None:
    lines = (unpacked / "SHA256SUMS").read_text("ascii").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = {
        path.relative_to(unpacked).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in unpacked.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert found == listed
    texts = [(unpacked / name).read_bytes() for name in ("patunay.cmd", "BASAHIN.txt")]
    assert all(raw.count(b"\n") == raw.count(b"\r\n") > 10 for raw in texts)


def test_the_same_sources_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(archive) as held:
        for name in held.namelist():
            if name.endswith(".whl") and "/patunay-" not in name:
                (wheels / Path(name).name).write_bytes(held.read(name))
    platform, _, _ = machine().rpartition("-cp")
    again = build([Target(platform, PYTHON)], tmp_path, wheels_from=wheels)
    assert again.read_bytes() == archive.read_bytes()


def test_a_wheel_of_another_hash_than_the_lock_names_is_refused(tmp_path: Path) -> None:
    platform, _, _ = machine().rpartition("-cp")
    (tmp_path / "base58-2.1.1-py3-none-any.whl").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(KitNotBuilt, match="pip download failed"):
        build([Target(platform, PYTHON)], tmp_path / "out", wheels_from=tmp_path)


def test_the_lock_names_all_that_is_needed() -> None:
    pins = read_pins((ROOT / "requirements.lock").read_text("utf-8"))
    assert all(
        pins[name].count("--hash=sha256:") >= 1 for name in (*NEEDED, *ANYWHERE, "colorama")
    )
    assert not any(";" in pin for pin in pins.values())


@pytest.mark.skipif(os.name != "posix", reason="reads a POSIX shell")
def test_the_shell_scripts_parse() -> None:
    for name in ("patunay.sh", "patunay.command"):
        subprocess.run(["/bin/sh", "-n", ROOT / "scripts/offline_kit" / name], check=True)
