from typing import Any, get_args

import jsonschema
import pytest

from anchoring.memory import MemoryAnchor
from credentials.data_integrity import SUITES, Proof, parse_proofs
from node.access import create_token
from node.api.issue import Suite
from node.home import Home
from node.node import Node
from node.permissions import Role
from node.setup import add_issuer
from tests.node.test_issuance import UNSIGNED as DOCUMENT
from tests.support.api import problem_of, report_of, schema
from tests.support.nodes import (
    Client,
    HandClock,
    anchor,
    client_of,
    document_of,
    issue,
    opened,
)

ON_BOTH_STORES = (
    "test_a_receipt_is_404_then_409_then_there",
    "test_a_strange_name_is_just_unknown",
)

OWN = "did:web:localhost%3A8460"
UNSIGNED: dict[str, Any] = {**DOCUMENT, "issuer": OWN}
UUID = "6f1a9b1e-0000-4000-8000-000000000001"


# Issuing


def _suite(signed: dict[str, Any]) -> str:
    (proof,) = parse_proofs(signed)
    assert isinstance(proof, Proof)
    return proof.cryptosuite


async def test_a_request_with_a_token_gets_a_credential(
    client: Client, headers: dict[str, str]
) -> None:
    body = {"credential": UNSIGNED}
    response = await client.post("/credentials/issue", json=body, headers=headers)
    assert response.status == 201
    signed = (await response.json())["verifiableCredential"]
    assert _suite(signed) == "eddsa-rdfc-2022"
    report = await report_of(await client.post("/credentials/verify", json=signed), 200)
    assert (report["outcome"], report["standing"]) == ("valid", "in-force")
    jcs = {**body, "options": {"cryptosuite": "eddsa-jcs-2022"}}
    response = await client.post("/credentials/issue", json=jcs, headers=headers)
    signed = (await response.json())["verifiableCredential"]
    assert _suite(signed) == "eddsa-jcs-2022"
    await report_of(await client.post("/credentials/verify", json=signed), 200)


async def test_repeating_a_request_by_its_id_gives_the_same_credential(
    client: Client, headers: dict[str, str]
) -> None:
    body = {"credential": {**UNSIGNED, "id": f"urn:uuid:{UUID}"}}
    made = [
        await (await client.post("/credentials/issue", json=body, headers=headers)).json()
        for _ in range(2)
    ]
    assert made[0] == made[1]
    body["credential"]["name"] = "Another"
    told = await client.post("/credentials/issue", json=body, headers=headers)
    assert (await problem_of(told, 409))["code"] == "credential-id-conflict"


async def test_another_issuer_has_its_own_address(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    issuer = await add_issuer(node, "north", "North")
    body = {"credential": {**UNSIGNED, "issuer": issuer.did}}
    made = await client.post("/issuers/north/credentials/issue", json=body, headers=headers)
    assert (await made.json())["verifiableCredential"]["issuer"] == issuer.did
    told = await client.post("/issuers/south/credentials/issue", json=body, headers=headers)
    assert (await problem_of(told, 404))["code"] == "issuer-unknown"


def test_the_suites_that_are_described_are_those_that_are_signed_with() -> None:
    assert get_args(Suite) == SUITES


@pytest.mark.parametrize("value", [None, "", "Basic x", "Bearer wrong", b"Bearer \xff\xfe"])
async def test_without_a_token_in_force_nothing_is_issued(
    client: Client, value: str | bytes | None
) -> None:
    text = value.decode(errors="surrogateescape") if isinstance(value, bytes) else value
    sent = {} if text is None else {"Authorization": text}
    response = await client.post(
        "/credentials/issue", json={"credential": UNSIGNED}, headers=sent
    )
    told = await problem_of(response, 401)
    assert told["code"] in ("token-missing", "token-refused")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "issue-request-malformed"),
        ({"credential": []}, 400, "issue-request-malformed"),
        ({"credential": UNSIGNED, "options": 5}, 400, "issue-request-malformed"),
        (
            {"credential": UNSIGNED, "options": {"cryptosuite": "bbs"}},
            400,
            "issue-request-malformed",
        ),
        (
            {"credential": UNSIGNED, "options": {"cryptosuite": []}},
            400,
            "issue-request-malformed",
        ),
        (
            {"credential": UNSIGNED, "options": {"cryptosuite": None}},
            400,
            "issue-request-malformed",
        ),
        (
            {"credential": UNSIGNED, "options": {"mandatoryPointers": ["/issuer"]}},
            400,
            "issue-request-malformed",
        ),
        (
            {"credential": UNSIGNED, "options": {"credentialId": "urn:uuid:other"}},
            400,
            "issue-request-malformed",
        ),
        (
            {"credential": UNSIGNED, "verifiableCredential": {}},
            400,
            "issue-request-malformed",
        ),
        ({"credential": {**UNSIGNED, "type": []}}, 400, "type-missing"),
        ({"credential": {**UNSIGNED, "@context": []}}, 400, "context-missing"),
        ({"credential": {**UNSIGNED, "credentialSubject": []}}, 400, "subject-missing"),
        ({"credential": {**UNSIGNED, "issuer": ["x"]}}, 400, "issuer-malformed"),
        ({"credential": {**UNSIGNED, "issuer": None}}, 400, "issuer-malformed"),
        ({"credential": DOCUMENT}, 400, "issue-request-malformed"),
        ({"credential": {**UNSIGNED, "honours": "x"}}, 400, "unsigned-term"),
        (
            {"credential": {**UNSIGNED, "issuer": "did:web:x.example"}},
            400,
            "issuer-mismatch",
        ),
        ({"credential": {**UNSIGNED, "id": "x"}}, 400, "id-malformed"),
        ({"credential": {**UNSIGNED, "proof": {}}}, 400, "credential-not-unsigned"),
        (
            {
                "credential": {
                    **UNSIGNED,
                    "@context": [
                        "https://www.w3.org/ns/credentials/v2",
                        "https://evil.example/",
                    ],
                }
            },
            400,
            "context-unknown",
        ),
        ([], 400, "json-not-object"),
    ],
)
async def test_what_cannot_be_issued_is_told(
    client: Client, headers: dict[str, str], body: Any, status: int, code: str
) -> None:
    response = await client.post("/credentials/issue", json=body, headers=headers)
    assert (await problem_of(response, status))["code"] == code


async def test_the_refused_option_is_named(client: Client, headers: dict[str, str]) -> None:
    body = {"credential": UNSIGNED, "options": {"mandatoryPointers": ["/issuer"]}}
    told = await client.post("/credentials/issue", json=body, headers=headers)
    assert "options.mandatoryPointers" in (await problem_of(told, 400))["detail"]


async def test_the_id_may_be_repeated_among_the_options(
    client: Client, headers: dict[str, str]
) -> None:
    name = f"urn:uuid:{UUID}"
    body = {"credential": {**UNSIGNED, "id": name}, "options": {"credentialId": name}}
    made = await client.post("/credentials/issue", json=body, headers=headers)
    assert made.status == 201
    assert (await made.json())["verifiableCredential"]["id"] == name


async def test_an_issuer_that_is_an_object_keeps_its_members(
    client: Client, headers: dict[str, str]
) -> None:
    url = "/credentials/issue"
    for given in ({"name": "North"}, {"name": "North", "id": OWN}):
        body = {"credential": {**UNSIGNED, "issuer": given}}
        made = await client.post(url, json=body, headers=headers)
        signed = (await made.json())["verifiableCredential"]
        assert signed["issuer"] == {"name": "North", "id": OWN}
        await report_of(await client.post("/credentials/verify", json=signed), 200)


async def test_an_issuer_signs_in_its_own_suite_unless_asked_for_another(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    made_for = await add_issuer(node, "north", "North", cryptosuite="eddsa-jcs-2022")
    url = "/issuers/north/credentials/issue"
    body: dict[str, Any] = {"credential": {**UNSIGNED, "issuer": made_for.did}}
    made = await client.post(url, json=body, headers=headers)
    assert _suite((await made.json())["verifiableCredential"]) == "eddsa-jcs-2022"
    body["options"] = {"cryptosuite": "eddsa-rdfc-2022"}
    made = await client.post(url, json=body, headers=headers)
    assert _suite((await made.json())["verifiableCredential"]) == "eddsa-rdfc-2022"


async def test_a_sealed_node_issues_nothing_and_verifies_all_the_same(
    home: Home, clock: HandClock
) -> None:
    async with opened(home, clock) as node:
        _, secret = await create_token(node, "test", [Role.SIGNER])
        (uuid,) = (await issue(node, 1)).issued
        signed = await document_of(node, uuid)
    async with opened(home, clock, sealed=True) as node, client_of(node) as client:
        response = await client.post(
            "/credentials/issue",
            json={"credential": UNSIGNED},
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert (await problem_of(response, 503))["code"] == "node-sealed"
        assert response.headers["Retry-After"] == "30"
        await report_of(await client.post("/credentials/verify", json=signed), 200)


# Receipts


async def test_a_receipt_is_404_then_409_then_there(node: Node, client: Client) -> None:
    (uuid,) = (await issue(node, 1)).issued
    unknown = await client.get(f"/credentials/{UUID}/receipt")
    assert (await problem_of(unknown, 404))["code"] == "credential-unknown"
    waiting = await client.get(f"/credentials/{uuid}/receipt")
    assert (await problem_of(waiting, 409))["code"] == "not-yet-anchored"
    assert waiting.headers["Retry-After"] == "30"
    await anchor(node, MemoryAnchor())
    for name in (uuid, f"urn:uuid:{uuid}"):
        response = await client.get(f"/credentials/{name}/receipt")
        assert (response.status, response.content_type) == (200, "application/json")
        body = await response.json()
        jsonschema.validate(body, schema("Receipt"))
        plain = await client.get(
            f"/credentials/{name}/receipt", headers={"Accept": "text/plain"}
        )
        assert plain.content_type == "text/plain"
        assert await plain.text() == body["tlogProof"]


@pytest.mark.parametrize(
    "name", ["%00", "%ff%fe", "..%2f..", "x" * 5000, "%F0%9F%8E%93", "'"]
)
async def test_a_strange_name_is_just_unknown(client: Client, name: str) -> None:
    await problem_of(await client.get(f"/credentials/{name}/receipt"), 404)
