"""`patunay credential` and `patunay status`, and what verifiers then see."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from node.home import Home
from node.issuance import issue_document
from node.node import Node
from node.publishing import status_list_file
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from tests.support.command_line import (
    PASSPHRASE,
    TEMPLATE,
    TEMPLATE_ID,
    assert_refused,
    learners,
    run,
    run_json,
)

WHY = "the name was misspelt"
MAIN = "import sys; from cli.main import main; main()"


@pytest.fixture
def badge(home: Home) -> Path:
    """A credential from a registrar's file."""
    return min(home.issued.glob("*.json"))


@pytest.fixture
def licence(home: Home, tmp_path: Path) -> Path:
    """A credential that is no Open Badge, issued as over HTTP."""
    asked: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "name": "Licence",
        "credentialSubject": {"id": "did:example:learner"},
    }

    async def issue() -> JsonObject:
        async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
            return await issue_document(node, asked, None)

    file = tmp_path / "licence.json"
    file.write_text(json.dumps(asyncio.run(issue())))
    return file


def id_of(file: Path) -> str:
    return str(json.loads(file.read_bytes())["id"])


def environment(home: Home, failpoint: str = "") -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PATUNAY_")}
    return {
        **kept,
        "PATUNAY_HOME": str(home.root),
        "PATUNAY_PASSPHRASE": PASSPHRASE,
        **({"PATUNAY_FAILPOINT": f"{failpoint}:kill"} if failpoint else {}),
    }


@contextmanager
def daemon(home: Home) -> Iterator[str]:
    """Run `patunay serve` on a free port; give its address."""
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", "--port", "0", "--json"],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            shown = ""
            while not shown.rstrip().endswith("}"):
                line = process.stdout.readline()
                assert line, shown
                shown += line
            yield str(json.loads(shown)["url"])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def ask_over_http(url: str, file: Path) -> Any:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/credentials/verify", file.read_bytes(), headers)
        response = connection.getresponse()
        report = json.load(response)
    finally:
        connection.close()
    assert response.status == (200 if report["outcome"] == "valid" else 400)
    return report


def assert_taken_back(report: Any, word: str) -> None:
    """Authentic, and not in force: two answers, two words."""
    assert report["outcome"] == "rejected"
    assert report["authenticity"] == "valid"
    assert report["standing"] == word
    codes = {check["name"]: check["code"] for check in report["checks"]}
    assert codes["status"] == word
    assert "was signed by Sample Schools Division" in report["summary"]


def test_a_revoked_credential_is_rejected_and_authentic(home: Home, badge: Path) -> None:
    assert run("verify", badge, home=home.root).exit_code == 0
    name = id_of(badge)
    done = run("credential", "revoke", name, "--reason", WHY, home=home.root)
    assert (done.exit_code, done.stdout) == (0, f"revoked {name[9:]}\n")
    assert "within 5 minutes" in done.stderr
    report = run_json("verify", badge, home=home.root, code=1)
    assert_taken_back(report, "revoked")
    assert "its issuer has taken it back" in report["summary"]
    others = [file for file in home.issued.glob("*.json") if file != badge]
    assert all(run("verify", file, home=home.root).exit_code == 0 for file in others)


def test_a_suspension_is_lifted(home: Home, licence: Path) -> None:
    name = id_of(licence)
    run_json("credential", "suspend", name, "--reason", "an appeal", home=home.root)
    report = run_json("verify", licence, home=home.root, code=1)
    assert_taken_back(report, "suspended")
    assert "has suspended it for now" in report["summary"]
    done = run("credential", "reinstate", name, "--reason", "settled", home=home.root)
    assert done.stdout == f"reinstated {name[9:]}\n"
    assert run("verify", licence, home=home.root).exit_code == 0
    shown = run_json("credential", "show", name, home=home.root)
    assert shown["state"] == "issued"
    assert [(e["action"], e["reason"], e["listVersion"]) for e in shown["events"]] == [
        ("suspend", "an appeal", 2),
        ("reinstate", "settled", 3),
    ]
    assert [e["purpose"] for e in shown["entries"]] == ["revocation", "suspension"]


def test_killed_between_commit_and_file_the_next_start_publishes_it(
    home: Home, badge: Path
) -> None:
    command = ["credential", "revoke", id_of(badge), "--reason", WHY]
    killed = subprocess.run(
        [sys.executable, "-c", MAIN, *command],
        env=environment(home, "status-stored"),
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    shown = run_json("credential", "show", id_of(badge), home=home.root)
    assert shown["state"] == "revoked"
    file = status_list_file(home, home.config(), shown["entries"][0]["list"])
    old = file.read_bytes()
    assert run("verify", badge, home=home.root).exit_code == 0
    with daemon(home) as url:
        assert file.read_bytes() != old
        over_http = ask_over_http(url, badge)
        assert_taken_back(over_http, "revoked")
        assert over_http["verified"] is False
    assert_taken_back(run_json("verify", badge, home=home.root, code=1), "revoked")
    again = run(*command, home=home.root)
    assert_refused(again, "already-revoked", exit_code=1)


def test_a_running_daemon_serves_the_change_at_once(home: Home, licence: Path) -> None:
    name = id_of(licence)
    with daemon(home) as url:
        assert ask_over_http(url, licence)["outcome"] == "valid"
        for verb, word in (("suspend", "suspended"), ("revoke", "revoked")):
            run_json("credential", verb, name, "--reason", WHY, home=home.root)
            assert_taken_back(ask_over_http(url, licence), word)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("suspend",), "not-suspendable", 1),
        (("reinstate",), "not-suspended", 1),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(
    home: Home, badge: Path, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    result = run("credential", *arguments, id_of(badge), "--reason", WHY, home=home.root)
    assert_refused(result, code, exit_code=exit_code)
    assert run_json("credential", "show", id_of(badge), home=home.root)["events"] == []


def test_a_template_that_suspends(home: Home, tmp_path: Path) -> None:
    template = json.loads(TEMPLATE.read_bytes())
    template["version"] = template["achievement"]["version"] = "2025.2"
    template["policy"]["statusPurpose"] = "suspension"
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    assert run("template", "add", file, home=home.root).exit_code == 0
    rows = tmp_path / "learners.csv"
    rows.write_text(learners(4), encoding="utf-8")
    report = run_json("issue", "--template", TEMPLATE_ID, rows, home=home.root)
    (uuid,) = report["issued"]
    issued = home.issued / f"{uuid}.json"
    assert json.loads(issued.read_bytes())["credentialStatus"]["statusPurpose"] == (
        "suspension"
    )
    result = run("credential", "revoke", uuid, "--reason", WHY, home=home.root)
    assert_refused(result, "not-revocable", exit_code=1)
    run_json("credential", "suspend", uuid, "--reason", WHY, home=home.root)
    assert_taken_back(run_json("verify", issued, home=home.root, code=1), "suspended")


def test_a_reason_is_demanded(home: Home, badge: Path) -> None:
    missing = run("credential", "revoke", id_of(badge), home=home.root)
    assert_refused(missing, "usage", exit_code=2)
    empty = run("credential", "revoke", id_of(badge), "--reason", " ", home=home.root)
    assert_refused(empty, "reason-malformed", exit_code=2)


def test_a_wrong_passphrase_changes_nothing(home: Home, badge: Path) -> None:
    command = ("credential", "revoke", id_of(badge), "--reason", WHY)
    assert run(*command, home=home.root, passphrase="wrong").exit_code == 4
    assert run_json("credential", "show", id_of(badge), home=home.root)["events"] == []


@pytest.mark.parametrize("verb", [["show"], ["revoke", "--reason", WHY]])
def test_a_credential_that_is_not_there_is_named(
    shared_home: Home, verb: list[str]
) -> None:
    for name in ("urn:uuid:00000000-0000-4000-8000-000000000000", "nothing"):
        result = run("credential", *verb, name, home=shared_home.root)
        assert_refused(result, "credential-unknown", exit_code=1)


def test_what_was_done_is_shown_to_people(home: Home, badge: Path) -> None:
    before = run("credential", "show", id_of(badge), home=home.root).stdout.splitlines()
    assert before[0] == f"{id_of(badge)}: issued, by issuer main"
    assert before[1].startswith("revocation list http://localhost:8460/status/main/2025-1,")
    run("credential", "revoke", id_of(badge), "--reason", WHY, home=home.root)
    after = run("credential", "show", id_of(badge), home=home.root).stdout.splitlines()
    assert after[0] == f"{id_of(badge)}: revoked, by issuer main"
    assert after[-1].endswith(f"revoke  2             {WHY}")


def test_the_lists_are_shown(home: Home, badge: Path, licence: Path) -> None:
    run("credential", "revoke", id_of(badge), "--reason", WHY, home=home.root)
    run("credential", "suspend", id_of(licence), "--reason", WHY, home=home.root)
    shown = run_json("status", "show", home=home.root)
    base = "http://localhost:8460/status/main"
    found = [
        (e["url"], e["purpose"], e["listVersion"], e["used"], e["marked"])
        for e in shown["lists"]
    ]
    assert found == [
        (f"{base}/2025-1", "revocation", 2, 3, 1),
        (f"{base}/http-1", "revocation", 1, 1, 0),
        (f"{base}/http-1-suspension", "suspension", 2, 1, 1),
    ]
    assert run_json("status", "show", "main", home=home.root) == shown
    one = run_json("status", "show", f"{base}/2025-1", home=home.root)
    assert one["lists"] == shown["lists"][:1]
    header, line = run(
        "status", "show", f"{base}/2025-1", home=home.root
    ).stdout.splitlines()
    assert header.split() == ["url", "purpose", "version", "used", "marked"]
    assert line.split() == [f"{base}/2025-1", "revocation", "2", "3", "1"]


def test_a_list_or_issuer_that_is_not_there_is_named(shared_home: Home) -> None:
    root = shared_home.root
    unknown = run("status", "show", "https://other.example/status/main/1", home=root)
    assert_refused(unknown, "status-list-unknown", exit_code=2)
    nobody = run("status", "show", "nobody", home=root)
    assert_refused(nobody, "issuer-unknown", exit_code=4)
