"""The files for putting a node into service, read by the programs that they are for."""

import subprocess
import sys
import tomllib
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import compose_spec
import pytest
import yaml

from tests.support.components import ROOT, require

DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"


def _run(*command: str | Path) -> CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _composed() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return read


def _services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = _composed()["services"]
    return services


# Dockerfile


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    found = _run(Path(sys.executable).with_name("hadolint"), DOCKER / "Dockerfile")
    assert (found.returncode, found.stdout) == (0, "")


def test_hadolint_would_find_an_image_that_is_not_pinned(tmp_path: Path) -> None:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    worse = tmp_path / "Dockerfile"
    worse.write_text(text.replace("python:3.11.14-slim-bookworm", "python"))
    found = _run(Path(sys.executable).with_name("hadolint"), worse)
    assert found.returncode == 1
    assert "DL3006" in found.stdout


def test_the_image_does_not_run_as_root() -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]


def test_the_image_has_every_package_that_the_wheel_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for package in packages:
        assert f"COPY {package} {package}" in lines
        assert f"!{package}" in allowed


# Compose


def test_compose_reads_the_file() -> None:
    plain = yaml.safe_dump(_composed())  # its reader knows no merge keys
    read = compose_spec.PyCompose.from_yaml(plain)
    read.validate()
    names = {"node", "database", "ipfs", "chain", "witness"}
    assert {*read.service_names()} == names


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cap_dropp", ["ALL"], "key `cap_dropp` does not start with"),
        ("mem_limit", [], "mem_limit: invalid type"),
        ("networks", ["none"], "network `none` .* is not defined"),
    ],
)
def test_compose_would_refuse_a_slip(name: str, value: object, words: str) -> None:
    worse = _composed()
    worse["services"]["node"][name] = value
    with pytest.raises(ValueError, match=words):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(worse)).validate()


@pytest.mark.parametrize("name", _services())
def test_every_service_has_no_rights_and_a_limit_and_is_looked_after(name: str) -> None:
    service = _services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", _services())
def test_every_image_is_of_an_exact_version(name: str) -> None:
    _, _, tag = _services()[name]["image"].rpartition(":")
    assert any(part.isdecimal() for part in tag.lstrip("v").split("."))
    assert tag.count(".") >= 1


def test_only_the_nodes_are_reached_from_outside_and_from_this_machine_alone() -> None:
    ports = {name: s["ports"] for name, s in _services().items() if "ports" in s}
    assert ports == {
        "node": ["127.0.0.1:8460:8460"],
        "witness": ["127.0.0.1:8461:8460"],
    }
    assert _composed()["networks"]["inside"]["internal"] is True
    assert _services()["database"]["networks"] == ["inside"]
    assert _services()["ipfs"]["network_mode"] == "service:node"


def test_no_secret_stands_in_the_file() -> None:
    for service in _services().values():
        for variable, value in service.get("environment", {}).items():
            assert "PASS" not in variable or str(value).startswith(("/run/", "/tmp/"))


def test_kubo_is_told_to_keep_its_rpc_on_the_loopback_interface(tmp_path: Path) -> None:
    told = tmp_path / "told"
    ipfs = tmp_path / "ipfs"
    ipfs.write_text(f'#!/bin/sh\necho "$@" >>{told}\n')
    ipfs.chmod(0o755)
    found = subprocess.run(
        [DOCKER / "kubo-loopback"], env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, check=False
    )
    assert found.returncode == 0
    assert told.read_text().splitlines() == [
        "config Addresses.API /ip4/127.0.0.1/tcp/5001",
        "config Addresses.Gateway /ip4/127.0.0.1/tcp/8080",
    ]


# systemd


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    systemd = require("systemd")
    unit = tmp_path / "patunay.service"
    text = (DOCKER / "patunay.service").read_text(encoding="utf-8")
    # The program is where a host has it, and not here.
    unit.write_text(text.replace("/opt/patunay/bin/patunay", "/bin/true"))
    found = _run(systemd, "verify", unit)
    assert (found.returncode, found.stderr) == (0, "")
    unit.write_text(text.replace("PrivateTmp=yes", "PrivateTemp=yes"))
    assert "PrivateTemp" in _run(systemd, "verify", unit).stderr


def test_the_unit_leaves_the_service_few_rights() -> None:
    systemd = require("systemd")
    unit = DOCKER / "patunay.service"
    found = _run(systemd, "security", "--offline=true", "--threshold=15", unit)
    assert found.returncode == 0, found.stdout[-300:]


# nginx


def test_nginx_reads_the_example(tmp_path: Path) -> None:
    nginx = require("nginx")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = "req -x509 -newkey ed25519 -nodes -days 1 -subj /CN=node.example.edu.ph"
    made = _run("openssl", *request.split(), "-keyout", key, "-out", certificate)
    assert made.returncode == 0, made.stderr
    site = (DOCKER / "nginx.conf").read_text(encoding="utf-8")
    site = site.replace("/etc/ssl/patunay", str(tmp_path))
    for port in ("80", "443"):
        site = site.replace(f"listen {port}", f"listen 127.0.0.1:1{port}")
        site = site.replace(f"listen [::]:{port}", f"listen 127.0.0.2:1{port}")
    whole = tmp_path / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    whole.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {folders} {site} }}\n"
    )
    found = _run(nginx, "-t", "-q", "-p", tmp_path, "-c", whole)
    assert (found.returncode, found.stderr) == (0, "")
