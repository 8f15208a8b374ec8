"""Files and links that are verified, and bundles that are given, over HTTP."""

import io
import json
from typing import Any

import aiohttp
import pytest

from anchoring.memory import MemoryAnchor
from credentials.bundle import parse_bundle
from credentials.presentation import sign_presentation
from node.access import create_token
from node.node import Node
from node.permissions import Role
from node.setup import add_issuer
from tests.support.api import answer_of, problem_of, report_of
from tests.support.credentials_support import STRANGER, STRANGER_METHOD
from tests.support.nodes import Client, anchor, document_of, issue


def form_of(body: bytes, name: str = "file") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(name, body, filename="diploma.json", content_type="application/json")
    return form


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "form"])
async def test_a_file_is_verified_however_it_is_sent(
    client: Client, credential: dict[str, Any], kind: str
) -> None:
    for document, status in ((credential, 200), ({**credential, "name": "x"}, 400)):
        body = json.dumps(document).encode()
        if kind == "form":
            told = await client.post("/files/verify", data=form_of(body))
        else:
            sent = {"Content-Type": kind}
            told = await client.post("/files/verify", data=body, headers=sent)
        await report_of(told, status)


async def test_a_presentation_in_a_file_is_verified_as_one(
    node: Node, client: Client, credential: dict[str, Any]
) -> None:
    made = sign_presentation(
        [credential],
        STRANGER,
        verification_method=STRANGER_METHOD,
        created=node.instant(),
        challenge=None,
        domain=None,
    )
    for document, status in ((made, 200), ({**made, "id": "urn:uuid:1"}, 400)):
        body = json.dumps(document).encode()
        told = await client.post("/files/verify", data=form_of(body))
        report = await answer_of(told, status, "/files/verify")
        assert len(report["credentials"]) == 1


async def test_a_bundle_is_given_and_verified(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    await anchor(node, MemoryAnchor())
    path = f"/credentials/{uuid}/bundle"
    told = await client.get(path, headers=headers)
    await answer_of(told, 200, "/credentials/{id}/bundle")
    raw = await told.read()
    assert parse_bundle(raw).credential == await document_of(node, uuid)
    sent = {"Content-Type": "application/json"}
    told = await client.post("/files/verify", data=raw, headers=sent)
    report = await report_of(told, 200)
    assert {c["name"]: c["result"] for c in report["checks"]}["anchor"] == "passed"
    told = await client.get("/credentials/none/bundle", headers=headers)
    assert (await problem_of(told, 404))["code"] == "credential-unknown"


async def test_a_bound_token_gets_no_bundle_of_another_issuer(
    node: Node, client: Client
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    await add_issuer(node, "north", "North")
    _, secret = await create_token(node, "north", [Role.SIGNER], issuers=["north"])
    bound = {"Authorization": f"Bearer {secret}"}
    told = await client.get(f"/credentials/{uuid}/bundle", headers=bound)
    assert (await problem_of(told, 403))["code"] == "issuer-refused"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/octet-stream", 400, "json-malformed"),
        (b"", "application/octet-stream", 400, "json-malformed"),
        (b"{}", "text/plain", 415, "media-type-unsupported"),
        (b" " * (1 << 20) + b"{}", "application/json", 413, "json-too-large"),
        (b"x", "multipart/form-data; boundary=b", 400, "body-broken"),
    ],
)
async def test_what_is_no_file_to_verify_is_refused(
    client: Client, body: bytes, kind: str, status: int, code: str
) -> None:
    sent = {"Content-Type": kind}
    told = await client.post("/files/verify", data=io.BytesIO(body), headers=sent)
    assert (await problem_of(told, status))["code"] == code


async def test_a_form_without_the_file_is_refused(client: Client) -> None:
    told = await client.post("/files/verify", data=form_of(b"{}", "other"))
    assert (await problem_of(told, 400))["code"] == "request-malformed"


async def test_a_link_is_opened_for_whoever_has_a_token(
    client: Client, headers: dict[str, str]
) -> None:
    # Something at this node's own address that is JSON, and no credential.
    body = {"url": f"http://localhost:{client.port}/healthz"}
    told = await client.post("/links/verify", json=body)
    assert (await problem_of(told, 401))["code"] == "token-missing"
    told = await client.post("/links/verify", json=body, headers=headers)
    report = await report_of(told, 400)
    assert {c["name"]: c["result"] for c in report["checks"]}["structure"] != "passed"


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a", "https://10.0.0.1/a", "https://169.254.169.254/", "file:///x"],
)
async def test_a_link_to_a_private_place_is_not_opened(
    client: Client, headers: dict[str, str], url: str
) -> None:
    told = await client.post("/links/verify", json={"url": url}, headers=headers)
    assert (await problem_of(told, 422))["code"] == "fetch-url-refused"
