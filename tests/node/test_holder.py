"""A holder's page: who may open it, and what it gives."""

import json
from typing import Any

import pytest

from anchoring.memory import MemoryAnchor
from credentials.bundle import parse_bundle
from credentials.judge import judge
from credentials.policy import parse_policy
from credentials.report import Result
from node.api.verify import VERIFIER
from node.holder import find_page, holder_key
from node.logbook import CredentialUnknown
from node.node import Node
from primitives.canonical_json import JsonObject, canonicalize
from primitives.hashing import sha256
from tests.support.nodes import Client, anchor

HEADERS = {"Accept-Language": "en"}


async def path_of(node: Node, credential: dict[str, Any]) -> str:
    return (await find_page(node, credential["id"].removeprefix("urn:uuid:"))).path


async def test_opens_with_the_key_of_the_credential_alone(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    path = await path_of(node, credential)
    response = await client.get(path, headers=HEADERS)
    assert response.status == 200
    assert "Josefina Peñaflor Catacutan" in await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, noarchive"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("end", ["", "/credential.json", "/receipt.json", "/bundle.json"])
async def test_another_key_and_another_id_get_one_answer(
    client: Client, node: Node, credential: dict[str, Any], end: str
) -> None:
    path = await path_of(node, credential)
    folder, _, key = path.rpartition("/")
    other_id = "/c/00000000-0000-4000-8000-000000000000"
    answers = set()
    for wrong in (f"{folder}/{key[:-1]}_", f"{folder}/x%C3%B1", f"{other_id}/{key}"):
        response = await client.get(wrong + end, headers=HEADERS)
        text = await response.text()
        assert "Josefina" not in text
        shown = text.replace(folder, "").replace(other_id, "")
        answers.add((response.status, shown.count("credential-unknown")))
    assert answers == {(404, 1)}


def test_the_key_is_neither_the_id_nor_the_digest_that_the_log_shows() -> None:
    document: JsonObject = {"id": "urn:uuid:1", "proof": {"proofValue": "z1"}}
    key = holder_key(document)
    assert len(key) == 22
    assert key != holder_key({**document, "proof": {"proofValue": "z2"}})
    assert sha256(canonicalize(document)).hex()[:8] not in key


async def test_what_is_not_issued_has_no_page(node: Node) -> None:
    with pytest.raises(CredentialUnknown):
        await find_page(node, "x\0")


async def test_gives_the_credential_to_the_byte(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    response = await client.get(f"{await path_of(node, credential)}/credential.json")
    assert json.loads(await response.read()) == credential
    assert response.content_type == "application/vc+json"
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert response.headers["Cache-Control"] == "no-store"


async def test_gives_a_receipt_once_it_is_anchored(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    path = await path_of(node, credential)
    early = await client.get(f"{path}/receipt.json", headers=HEADERS)
    assert (early.status, early.content_type) == (409, "text/html")
    assert "It is not there yet" in await (await client.get(path, headers=HEADERS)).text()
    await anchor(node, MemoryAnchor())
    receipt = await (await client.get(f"{path}/receipt.json")).json()
    assert receipt["version"] == 1
    assert len(receipt["anchors"]) == 1


async def test_the_bundle_is_enough_for_an_office_without_a_network(
    client: Client, node: Node, credential: dict[str, Any]
) -> None:
    await anchor(node, MemoryAnchor())
    response = await client.get(f"{await path_of(node, credential)}/bundle.json")
    bundle = parse_bundle(await response.read())
    assert client.app is not None
    did = credential["issuer"]["id"]
    office: JsonObject = {
        "version": 1,
        "issuers": [{"did": did, "name": "Test"}],
        "logs": [{"issuer": did, "vkey": str(node.vkey)}],
    }
    report = judge(
        bundle.credential, bundle.judged(), parse_policy(None, office), node.instant()
    )
    assert report.check("issuer-key").result is Result.PASSED
    assert report.check("status").result is Result.PASSED
    assert client.app[VERIFIER].in_hand == 0
