"""`patunay key rotate`, `compromised` and `who-signed`."""

from datetime import UTC, datetime, timedelta

import pytest

from did.history import parse_history
from node.home import Home
from node.publishing import did_document_file, did_history_file
from primitives.instants import format_instant
from primitives.strict_json import parse_json_object
from tests.support.command_line import assert_refused, run, run_json

DID = "did:web:localhost%3A8460"
FUTURE = "2999-01-01T00:00:00Z"


def test_a_rotation_prints_the_new_key_alone(home: Home) -> None:
    done = run("key", "rotate", home=home.root)
    assert done.stdout == f"{DID}#credential-2\n"
    assert f"in place of {DID}#credential-1" in done.stderr
    made = run_json("key", "rotate", "--role", "status", home=home.root)
    assert made == {
        "version": 1,
        "issuer": "main",
        "did": DID,
        "key": "main.status-2",
        "old": f"{DID}#status-1",
        "new": f"{DID}#status-2",
    }
    keys = run_json("key", "list", home=home.root)["keys"]
    assert [k["id"] for k in keys][-2:] == ["main.credential-2", "main.status-2"]


def test_a_compromise_is_declared_and_moves_only_earlier(home: Home) -> None:
    since = format_instant(datetime.now(UTC) - timedelta(hours=1))
    declare = ("key", "compromised", "main.credential", "--since")
    made = run_json(*declare, since, home=home.root)
    assert made == {
        "version": 1,
        "did": DID,
        "key": f"{DID}#credential-1",
        "since": since,
        "by": f"{DID}#status-1",
        "successor": f"{DID}#credential-2",
        "voided": 3,
    }
    again = run(*declare, since, home=home.root)
    assert_refused(again, "compromise-moved-later", exit_code=1)
    assert_refused(
        run(*declare, FUTURE, home=home.root), "compromise-in-future", exit_code=4
    )
    earlier = run(*declare, "2026-01-01T00:00:00Z", home=home.root)
    assert earlier.stdout == f"{DID}#credential-1\n"
    assert "3 credentials were not anchored before 2026-01-01" in earlier.stderr


def test_the_logs_key_is_declared_in_the_histories(home: Home) -> None:
    since = "2026-01-01T00:00:00Z"
    made = run_json("key", "compromised", "log", "--since", since, home=home.root)
    assert made["dids"] == [DID]
    raw = parse_json_object(did_history_file(home, "main").read_bytes())
    assert parse_history(raw, DID).state(made["key"]).compromised_since is not None


@pytest.mark.parametrize("name", ["nobody", "evm", f"{DID}#credential-9"])
def test_a_key_that_no_document_names_is_refused(home: Home, name: str) -> None:
    declare = ("key", "compromised", name, "--since", "2026-01-01T00:00:00Z")
    assert_refused(run(*declare, home=home.root), "key-not-published", exit_code=4)
    asked = run("key", "who-signed", name, home=home.root)
    assert_refused(asked, "key-not-published", exit_code=4)


def test_a_time_without_zone_is_refused(home: Home) -> None:
    for command in (
        ("compromised", "main.credential", "--since", "2026-01-01"),
        ("who-signed", "main.credential", "--from", "yesterday"),
    ):
        refused = run("key", *command, home=home.root)
        assert refused.exit_code == 2
        assert "want a form like 2026-11-22T08:00:00Z" in refused.stderr


def test_lists_what_a_key_has_signed(home: Home) -> None:
    asked = ("key", "who-signed", "main.credential", "--to", FUTURE)
    found = run_json(*asked, home=home.root)
    assert found["key"] == "main.credential"
    assert len(found["signed"]) == 3
    for one in found["signed"]:
        assert one.keys() == {"uuid", "signedAt", "leaf"}
        assert one["uuid"] in run(*asked, home=home.root).stdout
    assert run_json(*asked, "--from", FUTURE, home=home.root)["signed"] == []
    newer = ("key", "who-signed", "main.status")
    assert run_json(*newer, home=home.root)["signed"] == []


def test_a_did_document_is_shown_as_it_was(home: Home) -> None:
    show = ("did", "show")
    before = run_json(*show, home=home.root)
    rotated_after = format_instant(datetime.now(UTC))
    document = did_document_file(home, "main")
    assert run_json(*show, "--version-time", FUTURE, home=home.root) == before
    run("key", "rotate", home=home.root)
    now = parse_json_object(document.read_bytes())
    assert run_json(*show, "--version-time", FUTURE, home=home.root) == now != before
    versions = parse_history(
        parse_json_object(did_history_file(home, "main").read_bytes()), DID
    ).versions
    assert [v.document for v in versions] == [before, now]
    assert format_instant(versions[1].time) >= rotated_after
    early = run(*show, "--version-time", "2020-01-01T00:00:00Z", home=home.root)
    assert_refused(early, "did-version-not-found", exit_code=3)
