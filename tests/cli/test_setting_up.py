"""`patunay init`, and where the passphrase comes from."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli.setting_up import plan_config
from did.keyfile import MODERATE
from node.config import Config
from node.config_checks import ConfigInvalid
from node.config_tables import ChainConfig
from node.home import Home
from tests.support.command_line import PASSPHRASE, assert_refused, run, run_json

DEV = ChainConfig()


def plan(domain: str, *, public_url: str = "", port: int | None = None) -> Config:
    return plan_config(domain, "web", DEV, public_url=public_url, port=port)


def test_a_new_node_is_private_and_its_keys_are_costly(tmp_path: Path) -> None:
    place = tmp_path / "node"
    result = run("init", place, "--domain", "example.edu.ph", "--name", "Escuela Ñ")
    assert result.exit_code == 0, result.output
    assert result.stdout == "did:web:example.edu.ph\n"
    home = Home.open(place)
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.keystore_file.stat().st_mode) == 0o600
    assert home.keystore().file.cost == MODERATE
    assert home.config().base_url == "https://example.edu.ph"
    found = run_json("issuer", "list", home=place)["issuers"]
    assert [(i["slug"], i["name"]) for i in found] == [("main", "Escuela Ñ")]


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = run("init", tmp_path, "--domain", "example.edu.ph")
    assert_refused(result, "node-directory-exists", exit_code=4)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("domain", ["", "exa mple", "192.168.0.1", "https://example.edu"])
def test_a_domain_that_is_none_is_refused(tmp_path: Path, domain: str) -> None:
    result = run("init", tmp_path / "node", "--domain", domain)
    assert_refused(result, "config-invalid", exit_code=4)
    assert not (tmp_path / "node").exists()


def test_an_empty_passphrase_is_refused_and_nothing_created(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    from_file = ("--passphrase-file", tmp_path / "empty")
    arguments = ("init", tmp_path / "node", "--domain", "example.edu")
    for result in (
        run(*arguments, passphrase=""),
        run(*arguments, *from_file),
        run(*arguments, passphrase=None, stdin="\n\n"),
    ):
        assert result.stderr.splitlines()[-2].endswith("(key-passphrase-unusable)")
        assert result.exit_code == 4
        assert not (tmp_path / "node").exists()


def test_a_new_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    arguments = ("init", tmp_path / "node", "--domain", "example.edu")
    result = run(*arguments, passphrase=None, stdin="one\ntwo\nsame\nsame\n")
    assert result.exit_code == 0, result.output
    assert "do not match" in result.stderr
    assert "same" not in result.output
    add = ("issuer", "add", "x", "--name", "X")
    home = tmp_path / "node"
    assert run(*add, home=home, passphrase=None, stdin="same\n").exit_code == 0


def test_the_line_end_of_a_passphrase_file_does_not_count(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(PASSPHRASE.encode() + b"\r\n")
    arguments = ("issuer", "add", "x", "--name", "X", "--passphrase-file", file)
    result = run(*arguments, home=home.root, passphrase="wrong, and not looked at")
    assert result.exit_code == 0, result.output


def test_where_nobody_can_type_it_says_what_to_do(home: Home) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PATUNAY_PASSPHRASE"}
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from cli.main import main; main()"),
            *("--data-dir", str(home.root), "issuer", "add", "x", "--name", "X"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 4
    assert "found no passphrase (passphrase-missing)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_at_localhost_is_reached_without_tls_at_its_own_port() -> None:
    for config, port in ((plan("localhost"), 8460), (plan("localhost:9000"), 9000)):
        assert config.domain == f"localhost:{port}"
        assert config.public_url == f"http://localhost:{port}"
        assert config.listen_port == port
        assert config.allow_loopback_http is True
    assert plan("localhost", port=9001).domain == "localhost:9001"


def test_any_other_node_is_reached_with_tls_and_asks_no_private_address() -> None:
    config = plan("example.edu.ph:8443")
    assert config.base_url == "https://example.edu.ph:8443"
    assert config.listen_port == 8460
    assert config.allow_loopback_http is False


@pytest.mark.parametrize("domain", ["localhost:x", "localhost:99999", "localhost:"])
def test_a_port_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(ConfigInvalid):
        plan(domain)


def test_did_key_needs_no_web_server(tmp_path: Path) -> None:
    arguments = ("init", tmp_path / "n", "--domain", "example.edu", "--did-method", "key")
    assert run_json(*arguments)["did"].startswith("did:key:z6Mk")
