"""The container's entrypoint, run for real and without a container."""

import os
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).parents[2]
ENTRYPOINT = ROOT / "docker" / "entrypoint"
PASSPHRASE = "four words of nobody"
DOMAIN = "school.example"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data" / "node"


def environment(home: Path, passphrase: Path, **init: str) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PATUNAY_HOME": str(home),
        "PATUNAY_PASSPHRASE_FILE": str(passphrase),
        **{f"PATUNAY_INIT_{name.upper()}": value for name, value in init.items()},
    }


def run(variables: dict[str, str], *arguments: str) -> CompletedProcess[str]:
    return subprocess.run(
        [ENTRYPOINT, *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(variables: dict[str, str]) -> Iterator[str]:
    """Run the default command on a free port; give the URL that it prints."""
    with subprocess.Popen(
        [ENTRYPOINT, "serve", "--port", "0"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            lines = [process.stdout.readline().strip()]
            if lines[0].startswith("did:"):
                lines.append(process.stdout.readline().strip())
            assert lines[-1].startswith("http://"), process.stderr.read()
            yield lines[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=30)
    assert code == 0


def health(url: str) -> int:
    port = url.rpartition(":")[2]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        status: int = answer.status
        return status


def test_creates_a_node_when_asked_and_keeps_it_on_the_next_start(
    home: Path, passphrase: Path
) -> None:
    asked = environment(home, passphrase, domain=DOMAIN, name="Example School")
    with serving(asked) as url:
        assert health(url) == 200
    made = {file: (home / file).read_bytes() for file in ("keystore.json", "patunay.toml")}
    config = tomllib.loads(made["patunay.toml"].decode())
    assert config["domain"] == DOMAIN
    assert config["listen_host"] == "0.0.0.0"
    assert not home.with_name("node.new").exists()

    other = environment(home, passphrase, domain="other.example")
    with serving(other) as url:
        assert health(url) == 200
    assert {file: (home / file).read_bytes() for file in made} == made


def test_creates_no_node_unless_asked(home: Path, passphrase: Path) -> None:
    found = run(environment(home, passphrase))
    assert found.returncode == 4
    assert f"found no node in {home}" in found.stderr
    assert "PATUNAY_INIT_DOMAIN" in found.stderr
    assert not home.exists()


def test_creates_no_node_beside_files_of_something_else(
    home: Path, passphrase: Path
) -> None:
    home.mkdir(parents=True)
    (home / "patunay.db").write_bytes(b"a database without its configuration")
    found = run(environment(home, passphrase, domain=DOMAIN))
    assert found.returncode == 4
    assert "found files and no node" in found.stderr
    assert [file.name for file in home.iterdir()] == ["patunay.db"]


def test_does_not_touch_what_an_unfinished_start_left(home: Path, passphrase: Path) -> None:
    left = home.with_name("node.new")
    left.mkdir(parents=True)
    (left / "keystore.json").write_bytes(b"keys")
    found = run(environment(home, passphrase, domain=DOMAIN))
    assert found.returncode == 4
    assert "did not finish" in found.stderr
    assert (left / "keystore.json").read_bytes() == b"keys"
    assert not home.exists()


def test_names_the_passphrase_file_that_is_missing(home: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    found = run(environment(home, missing, domain=DOMAIN))
    assert found.returncode == 4
    assert f"found no passphrase in {missing}" in found.stderr
    assert not home.exists()


def test_ends_as_init_ends_when_a_setting_is_refused(home: Path, passphrase: Path) -> None:
    found = run(environment(home, passphrase, domain="192.0.2.1"))
    assert found.returncode == 4
    assert "config-invalid" in found.stderr
    assert not home.exists()


def test_passes_other_commands_on(home: Path, passphrase: Path) -> None:
    found = run(environment(home, passphrase), "anchor", "status")
    assert found.returncode == 4
    assert "node-directory-missing" in found.stderr


def test_sets_what_a_container_needs_in_a_node_that_it_creates(
    home: Path, passphrase: Path
) -> None:
    asked = environment(
        home, passphrase, domain=DOMAIN, workers="2", ipfs_api="http://127.0.0.1:5001"
    )
    with serving(asked) as url:
        assert health(url) == 200
    config = tomllib.loads((home / "patunay.toml").read_text())
    assert config["serve"]["workers"] == 2
    assert config["ipfs_api"] == "http://127.0.0.1:5001"


@pytest.mark.parametrize(
    ("password", "line"),
    [("plain\n", "*:*:*:*:plain\n"), ("a:b\\c\nx", "*:*:*:*:a\\:b\\\\c\n")],
)
def test_hands_the_password_of_the_database_over_in_a_file_of_its_own(
    home: Path, passphrase: Path, tmp_path: Path, password: str, line: str
) -> None:
    file, handed = tmp_path / "database-password", tmp_path / "pgpass"
    file.write_text(password)
    variables = environment(home, passphrase) | {
        "PATUNAY_DATABASE_PASSWORD_FILE": str(file),
        "PGPASSFILE": str(handed),
    }
    assert run(variables).returncode == 4  # there is no node, and none is asked for
    assert handed.read_text() == line
    assert handed.stat().st_mode & 0o777 == 0o600
    variables["PATUNAY_DATABASE_PASSWORD_FILE"] = str(tmp_path / "nowhere")
    found = run(variables)
    assert found.returncode == 4
    assert f"found no password in {tmp_path / 'nowhere'}" in found.stderr
