"""`patunay bundle`, and verifying what it writes where there is no network."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchoring.memory import MemoryAnchor
from credentials.bundle import encode_bundle, parse_bundle
from node.home import Home
from node.node import Node
from primitives.clock import SystemClock
from tests.support.bundles import kit, trust_file
from tests.support.command_line import (
    PASSPHRASE,
    assert_refused,
    create_home,
    issue,
    run,
    run_json,
    web_server,
)
from tests.support.components import require
from tests.support.connections import parse_trace
from tests.support.nodes import anchor

AS_OF = "2026-11-22T08:00:00Z"
PATUNAY = Path(sys.executable).with_name("patunay")


def check(report: Any, name: str) -> Any:
    return next(found for found in report["checks"] if found["name"] == name)


@pytest.fixture
def office(tmp_path: Path) -> list[str | Path]:
    """A bundle, and the office's policy and trust file, as arguments of `verify`."""
    made = kit()
    files = {
        "diploma.bundle.json": encode_bundle(made.bundle),
        "policy.json": json.dumps(made.policy_file()).encode(),
        "trust.json": json.dumps(trust_file()).encode(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    bundle, policy, trust = (tmp_path / name for name in files)
    return [bundle, "--policy", policy, "--trust", trust, "--as-of", AS_OF]


def test_a_bundle_is_valid_with_the_offices_files_alone(office: list[str | Path]) -> None:
    report = run_json("verify", *office, "--offline")
    assert report["outcome"] == "valid"
    assert check(report, "anchor")["code"] == "block-attested"


def test_a_day_alone_asks_about_its_last_second(office: list[str | Path]) -> None:
    report = run_json("verify", *office[:-1], "2026-11-22", "--offline")
    assert report["as_of"] == "2026-11-22T23:59:59Z"
    assert "Valid on 22 November 2026 " in report["summary"]
    refused = run("verify", *office[:-1], "2026-02-30")
    assert "(instant-malformed)" in refused.stderr
    assert refused.exit_code == 2


def test_online_and_offline_give_the_same_report_byte_for_byte(
    office: list[str | Path],
) -> None:
    online, offline = (
        run("verify", *office, "--json", *more) for more in ([], ["--offline"])
    )
    assert online.stdout == offline.stdout
    assert online.exit_code == 0


def test_without_a_network_interface_a_bundle_is_valid(office: list[str | Path]) -> None:
    unshare = require("unshare")
    if os.geteuid() != 0:
        pytest.skip("a namespace without network needs root: run the tests as root")
    done = subprocess.run(
        [unshare, "-n", PATUNAY, "verify", *office, "--json"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("verify", *office, "--json").stdout


def test_offline_no_socket_is_opened(office: list[str | Path], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    watched: list[str | Path] = [
        require("strace"),
        "-f",
        "-e",
        "trace=socket,connect",
        "-o",
        trace,
    ]
    done = subprocess.run(
        [*watched, PATUNAY, "verify", *office, "--offline"],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    calls = trace.read_text()
    assert "exited with 0" in calls
    assert "socket(" not in calls
    assert parse_trace(calls) == []


def test_a_damaged_bundle_ends_with_its_own_code(
    office: list[str | Path], tmp_path: Path
) -> None:
    bundle = tmp_path / "diploma.bundle.json"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b"Farm Data", b"Firm Data"))
    assert_refused(run("verify", *office), "bundle-altered", exit_code=2)
    bundle.write_bytes(json.dumps(json.loads(whole), indent=2).encode())
    assert_refused(run("verify", *office), "bundle-malformed", exit_code=2)
    bundle.write_bytes(whole[:-9])
    assert_refused(run("verify", *office), "bundle-malformed", exit_code=2)


def test_a_bundle_cannot_answer_what_a_presentation_is_asked(
    office: list[str | Path],
) -> None:
    asked = run("verify", *office, "--challenge", "7f0e")
    assert_refused(asked, "presentation-wanted", exit_code=2)


@pytest.fixture
def anchored(tmp_path: Path) -> Iterator[tuple[Home, Path]]:
    """A node whose files are on the web, and a credential that it has anchored."""
    with web_server(tmp_path / "home" / "public") as port:
        home = create_home(tmp_path / "home", port=port)
        file = issue(home, tmp_path, rows=1)[0]
        asyncio.run(_anchor(home))
        yield home, file


async def _anchor(home: Home) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
        await anchor(node, MemoryAnchor())


def trusting(home: Home, folder: Path) -> Path:
    """Return a trust file that binds the node's issuer to its log."""
    said = json.loads((home.public / "node.json").read_bytes())
    issuer = said["issuers"][0]
    trust = folder / "trust.json"
    known = {
        "version": 1,
        "issuers": [{"did": issuer["did"], "name": issuer["name"]}],
        "logs": [{"issuer": issuer["did"], "vkey": said["log"]["vkey"]}],
    }
    trust.write_text(json.dumps(known))
    return trust


def test_a_nodes_own_bundle_is_verified_by_a_stranger_offline(
    anchored: tuple[Home, Path], tmp_path: Path
) -> None:
    home, credential = anchored
    bundle, trust = tmp_path / "out.json", trusting(home, tmp_path)
    written = run_json("bundle", credential, "-o", bundle, home=home.root)
    size = bundle.stat().st_size
    wanted = {"file": str(bundle), "bytes": size, "lacks": []}
    assert written == {"version": 1, "bundles": [wanted]}
    assert size < 20_000
    report = run_json("verify", bundle, "--trust", trust, "--offline")
    assert report["outcome"] == "valid"
    assert check(report, "issuer-key")["code"] == "key-as-logged"
    # No chain was asked, and none has made a proof.
    assert check(report, "anchor")["code"] == "anchor-not-looked-up"
    stranger = run_json("verify", bundle, "--offline", code=3)
    assert check(stranger, "proof")["code"] == "log-not-bound"


def test_a_stranger_gathers_what_the_web_has_and_is_told_what_lacks(
    anchored: tuple[Home, Path], tmp_path: Path
) -> None:
    home, credential = anchored
    receipt, bundle = tmp_path / "receipt.json", tmp_path / "out.json"
    uuid = json.loads(credential.read_bytes())["id"]
    assert run("receipt", uuid, "-o", receipt, home=home.root).exit_code == 0
    made = run("bundle", credential, "-o", bundle, "--receipt", receipt, "--allow-loopback")
    assert made.exit_code == 0
    # A plain web server has no record of the log beside its tiles.
    assert "lacks a proof from the log of did:web:localhost" in made.stdout
    found = parse_bundle(bundle.read_bytes()).evidence
    assert [*found.did_documents] == [*found.histories]
    assert len(found.status_lists) == 1
    offline = run("bundle", credential, "-o", bundle, "--offline")
    assert offline.exit_code == 0
    assert offline.stdout.count("(not-looked-up)") == 2


def test_several_credentials_go_into_a_folder(shared_home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "bundles"
    written = run_json("bundle", shared_home.issued, "-o", folder, home=shared_home.root)
    assert len(written["bundles"]) == len([*folder.iterdir()]) == 3
    for one in written["bundles"]:
        # Nothing is anchored yet.
        assert "the receipt: " in one["lacks"][0]
        assert parse_bundle(Path(one["file"]).read_bytes()).evidence.did_documents
    receipt = tmp_path / "receipt.json"
    refused = run("bundle", shared_home.issued, "-o", folder, "--receipt", receipt)
    assert refused.exit_code == 2
    (tmp_path / "file").write_bytes(b"")
    blocked = run("bundle", shared_home.issued, "-o", tmp_path / "file")
    assert_refused(blocked, "file-not-directory", exit_code=2)
