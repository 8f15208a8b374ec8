"""`patunay trust import-registry`: shown, taken over, and believed by nobody yet."""

import json
from pathlib import Path

import pytest

from did.multikey import encode_multikey
from tests.credentials.trust_pack.test_registries import WEB, registry, statement
from tests.support.command_line import run, run_json
from tests.support.credentials_support import SIGNER, STRANGER_DID


@pytest.fixture
def office(tmp_path: Path) -> Path:
    folder = tmp_path / "office"
    assert run("trust", "init", folder, "--federation", "ph").exit_code == 0
    return folder


def followed(office: Path) -> dict[str, str]:
    issuers = json.loads((office / "office.json").read_bytes())["issuers"]
    return {issuer["did"]: issuer["name"] for issuer in issuers}


def test_what_is_taken_over_is_shown_and_the_offices_own_word_stays(office: Path) -> None:
    run("trust", "add-issuer", WEB, "--name", "As we know it", "--dir", office)
    file = office.parent / "registry.json"
    entries = {WEB: {"name": "As they say"}, STRANGER_DID: {"name": "New"}, "did:x:y": {}}
    file.write_bytes(registry(**entries))
    shown = run("trust", "import-registry", file, "--dir", office)
    assert shown.exit_code == 0
    assert "a registry of the DCC form, signed by nobody" in shown.stdout
    assert f"known   {WEB}" in shown.stdout
    assert f"new     {STRANGER_DID}  New" in shown.stdout
    assert "skipped did:x:y" in shown.stdout
    assert "1 added" in shown.stderr
    assert followed(office) == {WEB: "As we know it", STRANGER_DID: "New"}


def test_a_dry_run_changes_nothing_and_only_takes_what_is_named(office: Path) -> None:
    file = office.parent / "registry.json"
    file.write_bytes(registry(**{WEB: {"name": "A"}, STRANGER_DID: {"name": "B"}}))
    arguments = ("trust", "import-registry", file, "--dir", office, "--only", WEB)
    assert run_json(*arguments, "--dry-run")["issuers"][0]["known"] is False
    assert followed(office) == {}
    run(*arguments)
    assert followed(office) == {WEB: "A"}


def test_a_statement_needs_the_key_of_whoever_signs_it(office: Path) -> None:
    file = office.parent / "statement.jwt"
    file.write_bytes(statement(exp=2**32))
    refused = run("trust", "import-registry", file, "--dir", office)
    assert refused.exit_code == 3
    assert "(registry-key-wanted)" in refused.stderr
    other = encode_multikey(SIGNER.public_key)
    told = run("trust", "import-registry", file, "--dir", office, "--key", other)
    assert told.exit_code == 0, told.stderr
    assert followed(office) == {WEB: "The University"}
