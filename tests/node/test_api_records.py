"""Credentials, anchors, the log and status lists over HTTP."""

import asyncio
import hashlib
from typing import Any

import pytest

from anchoring.memory import MemoryAnchor
from node.access import create_token
from node.batches import issue_rows
from node.home import Home
from node.logbook import close_batch
from node.node import MAIN, Node
from node.permissions import Role
from node.setup import add_issuer
from primitives.canonical_json import canonicalize
from tests.support.api import answer_of, problem_of, report_of
from tests.support.nodes import (
    Client,
    HandClock,
    anchor,
    document_of,
    issue,
    learners,
    query,
    template,
)

URL = "/credentials"
REASON = {"reason": "the wrong name"}
UNSIGNED: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:localhost%3A8460",
    "credentialSubject": {"id": "did:example:learner"},
}


async def listed(client: Client, headers: dict[str, str], **query: Any) -> list[Any]:
    """Return the items of every page."""
    found: list[Any] = []
    while True:
        told = await client.get(URL, params=query, headers=headers)
        page = await answer_of(told, 200, URL)
        found += page["credentials"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


async def issued_over_http(client: Client, headers: dict[str, str]) -> dict[str, Any]:
    body = {"credential": UNSIGNED}
    made = await client.post(f"{URL}/issue", json=body, headers=headers)
    signed: dict[str, Any] = (await made.json())["verifiableCredential"]
    return signed


# Listing and searching


async def test_credentials_are_listed_newest_first_in_pages(
    node: Node, client: Client, headers: dict[str, str], clock: HandClock
) -> None:
    first = (await issue(node, 5)).issued
    clock.advance(1)
    second = (await issue(node, 7)).issued
    assert len(second) == 2
    for limit in (1, 2, 3, 200):
        found = [one["uuid"] for one in await listed(client, headers, limit=limit)]
        assert found == [*sorted(second, reverse=True), *sorted(first, reverse=True)]


async def test_what_is_issued_between_two_pages_moves_nothing(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    before = set((await issue(node, 6)).issued)
    page = await (await client.get(URL, params={"limit": 2}, headers=headers)).json()
    await issue(node, 12)
    rest = await listed(client, headers, cursor=page["next"], limit=2)
    names = [one["uuid"] for one in (*page["credentials"], *rest)]
    assert len(names) == len(set(names))
    assert before <= set(names)


async def test_a_credential_is_found_by_id_uuid_and_digest(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    uuid = (await issue(node, 3)).issued[1]
    document = await document_of(node, uuid)
    digest = hashlib.sha256(canonicalize(document)).hexdigest()
    for wanted in ({"id": document["id"]}, {"id": uuid}, {"digest": digest}):
        (found,) = await listed(client, headers, **wanted)
        assert (found["uuid"], found["digest"]) == (uuid, digest)
    assert await listed(client, headers, digest="0" * 64) == []
    assert await listed(client, headers, id=uuid, template="another") == []
    assert len(await listed(client, headers, template=template().template_id)) == 3


async def test_credentials_are_found_by_where_they_stand(
    client: Client, headers: dict[str, str]
) -> None:
    made = [await issued_over_http(client, headers) for _ in range(4)]
    names = [str(one["id"]).removeprefix("urn:uuid:") for one in made]
    for name, actions in zip(
        names,
        ([], ["revoke"], ["suspend"], ["suspend", "reinstate"]),
        strict=True,
    ):
        for action in actions:
            told = await client.post(f"{URL}/{name}/{action}", json=REASON, headers=headers)
            await answer_of(told, 200, f"{URL}/{{id}}/{action}")
    for state, wanted in (
        ("issued", {names[0], names[3]}),
        ("revoked", {names[1]}),
        ("suspended", {names[2]}),
    ):
        found = await listed(client, headers, state=state)
        assert {one["uuid"] for one in found} == wanted
        assert {one["state"] for one in found} == {state}


@pytest.mark.parametrize(
    "query", ["digest=0", "state=gone", "digest=" + "A" * 64, "cursor=WzFd", "id="]
)
async def test_a_search_that_is_none_is_refused(
    client: Client, headers: dict[str, str], query: str
) -> None:
    await problem_of(await client.get(f"{URL}?{query}", headers=headers), 400)


async def test_a_bound_token_sees_the_credentials_of_its_issuers_alone(
    node: Node, client: Client
) -> None:
    await add_issuer(node, "north", "North")
    own = (await issue_rows(node, template(), learners(2), "north")).issued
    (others,) = (await issue(node, 1)).issued
    _, secret = await create_token(node, "north", [Role.SIGNER], issuers=["north"])
    bound = {"Authorization": f"Bearer {secret}"}
    assert {one["uuid"] for one in await listed(client, bound)} == set(own)
    told = await client.get(URL, params={"issuer": MAIN}, headers=bound)
    assert (await problem_of(told, 403))["code"] == "issuer-refused"
    told = await client.get(f"{URL}/{others}", headers=bound)
    assert (await problem_of(told, 403))["code"] == "issuer-refused"
    told = await client.post(f"{URL}/{others}/revoke", json=REASON, headers=bound)
    assert (await problem_of(told, 403))["code"] == "issuer-refused"
    lists = await (await client.get("/status-lists", headers=bound)).json()
    assert {one["issuer"] for one in lists["lists"]} == {"north"}


# One credential


async def test_a_credential_is_shown_with_what_was_done_to_it(
    client: Client, headers: dict[str, str]
) -> None:
    signed = await issued_over_http(client, headers)
    for action in ("suspend", "reinstate", "revoke"):
        path = f"{URL}/{signed['id']}/{action}"
        told = await client.post(path, json=REASON, headers=headers)
        await answer_of(told, 200, f"{URL}/{{id}}/{action}")
    told = await client.get(f"{URL}/{signed['id']}", headers=headers)
    shown = await answer_of(told, 200, f"{URL}/{{id}}")
    assert (shown["state"], shown["credential"]) == ("revoked", signed)
    actions = [change["action"] for change in shown["changes"]]
    assert actions == ["suspend", "reinstate", "revoke"]
    assert {change["reason"] for change in shown["changes"]} == {REASON["reason"]}
    assert [place["purpose"] for place in shown["places"]] == ["revocation", "suspension"]
    verified = await client.post(f"{URL}/verify", json=signed)
    assert (await report_of(verified, 400))["standing"] == "revoked"


@pytest.mark.parametrize("action", ["revoke", "suspend", "reinstate"])
async def test_a_change_needs_a_reason(
    node: Node, client: Client, headers: dict[str, str], action: str
) -> None:
    (uuid,) = (await issue(node, 1)).issued
    for body in ({}, {"reason": ""}, {"reason": 5}, {"reason": "x" * 501}, {"why": "x"}):
        told = await client.post(f"{URL}/{uuid}/{action}", json=body, headers=headers)
        assert (await problem_of(told, 400))["code"] == "request-malformed", body
    told = await client.post(
        f"{URL}/{uuid}/{action}", json={"reason": " "}, headers=headers
    )
    assert (await problem_of(told, 400))["code"] == "reason-malformed"


async def test_what_cannot_be_done_is_a_conflict(
    client: Client, headers: dict[str, str]
) -> None:
    name = (await issued_over_http(client, headers))["id"]

    async def refused(action: str) -> str:
        told = await client.post(f"{URL}/{name}/{action}", json=REASON, headers=headers)
        return str((await problem_of(told, 409))["code"])

    assert await refused("reinstate") == "not-suspended"
    await client.post(f"{URL}/{name}/suspend", json=REASON, headers=headers)
    assert await refused("suspend") == "already-suspended"
    await client.post(f"{URL}/{name}/revoke", json=REASON, headers=headers)
    assert await refused("revoke") == "already-revoked"
    told = await client.post(f"{URL}/none/revoke", json=REASON, headers=headers)
    assert (await problem_of(told, 404))["code"] == "credential-unknown"


async def test_a_revocation_sent_twenty_times_under_one_key_is_one(
    home: Home, client: Client, headers: dict[str, str]
) -> None:
    name = (await issued_over_http(client, headers))["id"]
    sent = {**headers, "Idempotency-Key": "revoke-it"}
    path = f"{URL}/{name}/revoke"
    answers = await asyncio.gather(
        *(client.post(path, json=REASON, headers=sent) for _ in range(20))
    )
    assert {answer.status for answer in answers} == {200}
    assert len({await answer.read() for answer in answers}) == 1
    assert query(home, "SELECT count(*) FROM status_events") == [(1,)]


async def test_what_no_request_may_change_has_no_route(client: Client) -> None:
    for path in (f"{URL}/issue", f"{URL}/verify"):
        assert (await client.get(path)).status == 405


# The log, its anchors, and the lists


async def test_the_log_says_where_it_stands(node: Node, client: Client) -> None:
    shown = await answer_of(await client.get("/log"), 200, "/log")
    assert (shown["treeSize"], shown["root"], shown["origin"]) == (
        0,
        None,
        "localhost:8460/log",
    )
    await issue(node, 2)
    made = await close_batch(node)
    assert made is not None
    await issue(node, 3)
    shown = await answer_of(await client.get("/log"), 200, "/log")
    assert (shown["treeSize"], shown["root"]) == (made.tree_size, made.root.hex())
    assert shown["queue"] == 1


async def test_anchors_are_listed_newest_first_and_shown(
    node: Node, client: Client
) -> None:
    backend = MemoryAnchor()
    for count in (1, 2, 3):
        await issue(node, count)
        await anchor(node, backend)
    pages: list[Any] = []
    params: dict[str, Any] = {"limit": 2}
    for _ in range(2):
        told = await client.get("/anchors", params=params)
        page = await answer_of(told, 200, "/anchors")
        pages.append([one["treeSize"] for one in page["anchors"]])
        params["cursor"] = page["next"]
    assert [len(page) for page in pages] == [2, 1]
    sizes = [size for page in pages for size in page]
    assert sizes == sorted(sizes, reverse=True)
    shown = await answer_of(
        await client.get(f"/anchors/{sizes[0]}"), 200, "/anchors/{size}"
    )
    (sent,) = shown["transactions"]
    assert sent["state"] == "final"
    record = await client.get(f"/log/records/{shown['record']}")
    assert record.status == 200


@pytest.mark.parametrize("size", ["0", "x", "-1", "1e3", "9" * 16, "٣"])
async def test_an_anchor_that_is_none_is_unknown(client: Client, size: str) -> None:
    told = await client.get(f"/anchors/{size}")
    assert (await problem_of(told, 404))["code"] == "anchor-unknown"


async def test_an_anchor_is_asked_for_once(
    node: Node, client: Client, home: Home, headers: dict[str, str]
) -> None:
    await issue(node, 2)
    for _ in range(2):
        told = await client.post("/anchors", headers=headers)
        assert (await answer_of(told, 202, "/anchors"))["treeSize"] == 4
    assert query(home, "SELECT name FROM requests") == [("anchor-now",)]


async def test_status_lists_say_how_far_they_are_filled(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    first, *_ = (await issue(node, 3)).issued
    await client.post(f"{URL}/{first}/revoke", json=REASON, headers=headers)
    told = await client.get("/status-lists", headers=headers)
    (shown,) = (await answer_of(told, 200, "/status-lists"))["lists"]
    assert (shown["used"], shown["marked"], shown["version"]) == (3, 1, 2)


async def test_finds_credentials_by_a_name_that_stands_in_no_address(
    node: Node, client: Client, headers: dict[str, str]
) -> None:
    (uuid, *_) = (await issue(node, 3)).issued
    path = "/credentials/search"

    async def search(**given: Any) -> list[str]:
        told = await client.post(path, json=given, headers=headers)
        page = await answer_of(told, 200, path)
        assert page["next"] is None
        return [one["uuid"] for one in page["credentials"]]

    assert await search(words="PENAFLOR josefina") == [uuid]
    assert await search(words="penaflor", state="revoked") == []
    assert len(await search(words="life skills")) == 3
    told = await client.post(path, json={"words": "a b"}, headers=headers)
    assert (await problem_of(told, 400))["code"] == "search-words-malformed"
    told = await client.post(path, json={"words": "ana", "cursor": "x"}, headers=headers)
    assert (await problem_of(told, 400))["code"] == "cursor-malformed"
    assert (await client.post(path, json={"words": "ana"})).status == 401
    await add_issuer(node, "north", "North")
    _, secret = await create_token(node, "north", [Role.AUDITOR], issuers=["north"])
    bound = {"Authorization": f"Bearer {secret}"}
    told = await client.post(path, json={"words": "penaflor"}, headers=bound)
    assert (await told.json())["credentials"] == []
    assert (await client.get(path, headers=headers)).status == 405
