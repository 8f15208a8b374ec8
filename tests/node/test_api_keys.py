"""Issuers that are added, and keys that are replaced or declared compromised, over HTTP."""

from collections.abc import Iterable
from typing import Any

import pytest

from node.access import create_token
from node.node import Node
from node.permissions import Role
from node.setup import NameInvalid, add_issuer
from node.storage.registry import list_issuers
from tests.node.test_issuance import UNSIGNED as DOCUMENT
from tests.support.api import answer_of, problem_of
from tests.support.nodes import Client

ON_BOTH_STORES = ("test_adds_an_issuer_that_can_issue", "test_replaces_a_key_once")


async def as_role(
    node: Node, roles: Iterable[Role] = (Role.ADMIN,), **bound: Any
) -> dict[str, str]:
    _, secret = await create_token(node, "office", roles, **bound)
    return {"Authorization": f"Bearer {secret}"}


async def test_adds_an_issuer_that_can_issue(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    given = {"slug": "north", "name": "North School", "cryptosuite": "eddsa-jcs-2022"}
    admin = {**await as_role(node), "Idempotency-Key": "one"}
    told = await client.post("/issuers", json=given, headers=admin)
    made = await answer_of(told, 201, "/issuers")
    assert told.headers["Location"] == "/issuers/north"
    assert made["did"].endswith(":issuers:north")
    again = await client.post("/issuers", json=given, headers=admin)
    assert await answer_of(again, 201, "/issuers") == made
    assert (await client.get("/issuers/north/did.json")).status == 200
    body = {"credential": {**DOCUMENT, "issuer": made["did"]}}
    issued = await client.post(
        "/issuers/north/credentials/issue", json=body, headers=headers
    )
    assert issued.status == 201
    document = (await issued.json())["verifiableCredential"]
    assert [one["cryptosuite"] for one in document["proof"]] == ["eddsa-jcs-2022"]


async def test_what_is_no_issuer_is_not_added(node: Node, client: Client) -> None:
    admin = await as_role(node)
    given = {"slug": "main", "name": "North"}
    for changes, status, code in (
        ({}, 409, "issuer-exists"),
        ({"slug": "No_rth"}, 400, "request-malformed"),
        ({"slug": "a--"}, 201, ""),
        ({"slug": "north", "name": " "}, 400, "issuer-name-invalid"),
        ({"slug": "north", "name": "a\u202eb"}, 400, "request-malformed"),
        ({"slug": "north", "cryptosuite": "rsa"}, 400, "cryptosuite-unknown"),
        ({"slug": "north", "onToken": True}, 409, "hsm-not-configured"),
    ):
        told = await client.post("/issuers", json=given | changes, headers=admin)
        if code:
            assert (await problem_of(told, status))["code"] == code
        assert told.status == status
    async with node.reading() as c:
        assert [one.slug for one in await list_issuers(c)] == ["main", "a--"]
    with pytest.raises(NameInvalid):
        await add_issuer(node, "north", "x" * 201)


async def test_replaces_a_key_once(node: Node, client: Client) -> None:
    admin = {**await as_role(node), "Idempotency-Key": "one"}
    path = "/issuers/main/rotate"
    told = await client.post(path, json={}, headers=admin)
    made = await answer_of(told, 200, "/issuers/{slug}/rotate")
    assert made["old"].endswith("#credential-1")
    assert made["new"].endswith("#credential-2")
    assert made["key"] == "main.credential-2"
    again = await client.post(path, json={}, headers=admin)
    assert await answer_of(again, 200, "/issuers/{slug}/rotate") == made
    published = await (await client.get("/.well-known/did.json")).json()
    assert made["new"] in str(published["assertionMethod"])
    given = {"role": "status"}
    other = await client.post(path, json=given, headers=await as_role(node))
    assert (await other.json())["new"].endswith("#status-2")


async def test_declares_a_key_compromised_for_ever(node: Node, client: Client) -> None:
    admin, path = await as_role(node), "/keys/compromised"
    given = {"key": "main.credential", "since": "2026-03-01T00:00:00Z"}
    told = await client.post(path, json=given, headers=admin)
    made = await answer_of(told, 200, path)
    assert made["successor"].endswith("#credential-2")
    assert (made["since"], made["voided"]) == (given["since"], 0)
    for changes, status, code in (
        ({}, 409, "compromise-moved-later"),
        ({"since": "2026-03-03T00:00:00Z"}, 400, "compromise-in-future"),
        ({"since": "yesterday"}, 400, "instant-malformed"),
        ({"key": "evm"}, 404, "key-not-published"),
    ):
        told = await client.post(path, json=given | changes, headers=admin)
        assert (await problem_of(told, status))["code"] == code
    told = await client.post(path, json=given | {"key": "log"}, headers=admin)
    made = await answer_of(told, 200, path)
    assert (made["by"], made["successor"], made["voided"]) == (None, None, None)
    assert len(made["dids"]) == 1


async def test_keys_are_changed_by_those_alone_who_may(node: Node, client: Client) -> None:
    await add_issuer(node, "north", "North")
    given = {"key": "main.credential", "since": "2026-03-01T00:00:00Z"}
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/issuers", {"slug": "south", "name": "South"}),
        ("/issuers/main/rotate", {}),
        ("/keys/compromised", given),
    )
    signer = await as_role(node, [Role.SIGNER, Role.AUDITOR])
    bound = await as_role(node, issuers=["north"])
    for path, body in calls:
        told = await client.post(path, json=body, headers=signer)
        assert (await problem_of(told, 403))["code"] == "role-refused", path
        told = await client.post(path, json=body, headers=bound)
        assert (await problem_of(told, 403))["code"] == "issuer-refused", path
    told = await client.post("/issuers/north/rotate", json={}, headers=bound)
    assert told.status == 200
