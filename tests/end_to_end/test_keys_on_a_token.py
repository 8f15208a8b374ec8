"""An issuer whose keys are on a PKCS#11 token, from `issuer add --hsm` to a verifier."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import Attribute

from did.keystore import KeyOnToken
from did.pkcs11_signer import HsmKeyMissing, HsmUnavailable
from node.config import Config
from node.config_checks import ConfigInvalid
from node.config_tables import HsmConfig
from node.home import Home
from node.issuance import issue_document
from node.node import Node
from node.rotation import rotate
from node.setup import add_issuer
from node.token_keys import HsmNotConfigured, HsmPinMissing
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from tests.support.api import problem_of, report_of
from tests.support.command_line import TEMPLATE, TEMPLATE_ID, assert_refused, run, run_json
from tests.support.declaring import declare_compromised
from tests.support.nodes import LEARNERS_FILE, PASSPHRASE, client_of, make_home
from tests.support.softhsm import PIN, Hsm, running_softhsm

SLUG = "law"
DID = f"did:web:localhost%3A8460:issuers:{SLUG}"
UNSIGNED: JsonObject = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "credentialSubject": {"id": "did:example:learner"},
}


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[Hsm]:
    with running_softhsm(tmp_path) as made:
        made.add_token("node")
        yield made


@pytest.fixture
def home(tmp_path: Path, hsm: Hsm) -> Home:
    settings = HsmConfig(str(hsm.module), "node", "pin")
    made = make_home(tmp_path / "node", SystemClock(), hsm=settings)
    pin = made.root / "pin"
    pin.write_text(PIN + "\n", encoding="utf-8")
    pin.chmod(0o600)
    return made


def say(*arguments: Any, home: Home, code: int = 0) -> Any:
    result = run(*arguments, "--json", home=home.root, passphrase=PASSPHRASE.decode())
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def labels(hsm: Hsm) -> list[str]:
    with hsm.writing("node") as session:
        return sorted({str(found[Attribute.LABEL]) for found in session.get_objects()})


def test_the_keys_are_made_on_the_token_and_are_in_no_file(home: Home, hsm: Hsm) -> None:
    assert say("issuer", "add", SLUG, "--name", "Law", "--hsm", home=home)["did"] == DID
    assert labels(hsm) == ["localhost:8460 law.credential", "localhost:8460 law.status"]
    keys = {key["id"]: key["token"] for key in say("key", "list", home=home)["keys"]}
    assert keys == {
        "log": "",
        "evm": "",
        "main.credential": "",
        "main.status": "",
        "law.credential": "node",
        "law.status": "node",
    }
    unlocked = home.keystore().unlock(PASSPHRASE)
    with pytest.raises(KeyOnToken, match="on the token 'node'"):
        unlocked.signer("law.credential")
    assert "law.credential" in home.keystore().file.to_bytes().decode()
    assert PIN not in home.keystore().file.to_bytes().decode()


def test_a_registrars_file_is_signed_on_the_token_and_verifies(
    home: Home, tmp_path: Path
) -> None:
    say("issuer", "add", SLUG, "--name", "Law", "--hsm", home=home)
    issued = tmp_path / "issued"
    run("template", "add", TEMPLATE, home=home.root)
    arguments = ("issue", LEARNERS_FILE, "--template", TEMPLATE_ID, "--issuer", SLUG)
    say(*arguments, "--out", issued, home=home)
    files = sorted(issued.glob("*.json"))
    assert len(files) > 5
    report = run_json("verify", files[0], "--offline", home=home.root)
    checks = {check["name"]: check["result"] for check in report["checks"]}
    assert {checks[name] for name in ("proof", "issuer-key", "status")} == {"passed"}


async def test_the_daemon_signs_with_the_token(home: Home, hsm: Hsm) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        await add_issuer(node, SLUG, "Law", on_token=True)
        token = await asyncio.to_thread(
            say, "token", "create", "sis", "--role", "signer", home=home
        )
        headers = {"Authorization": f"Bearer {token['token']}"}
        async with client_of(node) as client:
            path = f"/issuers/{SLUG}/credentials/issue"
            body = {"credential": {**UNSIGNED, "issuer": DID}}
            response = await client.post(path, json=body, headers=headers)
            assert response.status == 201, await response.text()
            signed = (await response.json())["verifiableCredential"]
            assert signed["proof"]["verificationMethod"] == f"{DID}#credential-1"
            await report_of(await client.post("/credentials/verify", json=signed), 200)

            with hsm.unplugged("node"):
                response = await client.post(path, json=body, headers=headers)
                assert (await problem_of(response, 503))["code"] == "hsm-unavailable"
            response = await client.post(path, json=body, headers=headers)
            assert response.status == 201  # plugged in again, without a restart


async def test_a_key_moves_to_the_token_by_rotation_and_stays_there(home: Home) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        first = await rotate(node, "main", on_token=True)
        entry = node.keys().keystore.entry(first.key_id)
        assert entry.token == "node"
        signed = await issue_document(node, UNSIGNED, None)
        proof = signed["proof"]
        assert isinstance(proof, dict)
        assert proof["verificationMethod"] == first.new
        # Where the one before it is, if nobody says otherwise.
        again = await rotate(node, "main")
        assert node.keys().keystore.entry(again.key_id).token == "node"
        made = await declare_compromised(node, again.key_id, SystemClock().now())
        successor = node.keys().keystore.entries[-1]
        assert made.successor.endswith("-4")
        assert successor.token == "node"
        back = await rotate(node, "main", on_token=False)
        assert node.keys().keystore.entry(back.key_id).token == ""


def test_without_a_token_nothing_is_added(tmp_path: Path) -> None:
    home = make_home(tmp_path / "plain", SystemClock())
    arguments = ("issuer", "add", SLUG, "--name", "Law", "--hsm")
    result = run(*arguments, home=home.root, passphrase=PASSPHRASE.decode())
    assert_refused(result, "hsm-not-configured", exit_code=4)
    assert [e.label.issuer for e in home.keystore().entries if e.label.issuer == SLUG] == []


def configured(home: Home, **changes: str) -> None:
    config = home.config()
    changed = replace(config, hsm=replace(config.hsm, **changes))
    home.config_file.write_text(changed.to_toml(), encoding="utf-8")


async def signing_fails(home: Home) -> str:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        with pytest.raises(
            (HsmNotConfigured, HsmPinMissing, HsmUnavailable, HsmKeyMissing)
        ) as caught:
            node.signer("law.credential")
    return caught.value.code


async def test_each_thing_that_is_missing_has_its_own_name(home: Home) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        await add_issuer(node, SLUG, "Law", on_token=True)
    configured(home, module="", token="")
    assert await signing_fails(home) == "hsm-not-configured"
    configured(home, module="/nowhere/module.so", token="other")
    assert await signing_fails(home) == "hsm-not-configured"
    configured(home, module="/nowhere/module.so", token="node")
    assert await signing_fails(home) == "hsm-unavailable"


async def test_the_pin_comes_from_a_closed_file_or_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        await add_issuer(node, SLUG, "Law", on_token=True)
    pin = home.root / "pin"
    pin.chmod(0o640)
    assert await signing_fails(home) == "hsm-pin-missing"
    pin.unlink()
    assert await signing_fails(home) == "hsm-pin-missing"
    configured(home, pin_file="")
    assert await signing_fails(home) == "hsm-pin-missing"
    monkeypatch.setitem(os.environ, "PATUNAY_HSM_PIN", PIN)
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        assert len(node.signer("law.credential").sign(b"a message")) == 64


async def test_a_key_that_is_not_the_nodes_is_refused(home: Home, hsm: Hsm) -> None:
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        await add_issuer(node, SLUG, "Law", on_token=True)
    label = "localhost:8460 law.credential"
    with hsm.writing("node") as session:
        for found in list(session.get_objects({Attribute.LABEL: label})):
            found.destroy()
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        node.tokens.create("law.credential")
    assert await signing_fails(home) == "hsm-key-missing"


@pytest.mark.parametrize(
    "table", ['module = "/a.so"', 'token = "a"', 'module = "a.so"\ntoken = "a"', "slot = 1"]
)
def test_a_half_configured_token_is_refused(table: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"hsm\."):
        Config.from_toml(f'domain = "school.example"\n[hsm]\n{table}\n')
