from typing import Any

import pytest

from node.node import Node
from node.setup import add_issuer
from node.templates import TemplateRetired, require_current
from primitives.strict_json import parse_json_object
from tests.support.api import answer_of, problem_of
from tests.support.nodes import TEMPLATE_FILE, Client

DOCUMENT: dict[str, Any] = dict(parse_json_object(TEMPLATE_FILE.read_bytes()))
ID = str(DOCUMENT["templateId"])


def version(number: str) -> dict[str, Any]:
    achievement = {**DOCUMENT["achievement"], "version": number}
    return {**DOCUMENT, "version": number, "achievement": achievement}


async def test_a_template_is_added_once_and_shown(
    client: Client, admin: dict[str, str]
) -> None:
    made = await client.post("/templates", json=DOCUMENT, headers=admin)
    body = await answer_of(made, 201, "/templates")
    assert made.headers["Location"] == f"/templates/{ID}"
    assert body["template"] == DOCUMENT
    again = await client.post("/templates", json=DOCUMENT, headers=admin)
    assert await answer_of(again, 200, "/templates") == body
    shown = await client.get(made.headers["Location"], headers=admin)
    assert await answer_of(shown, 200, "/templates/{template}") == body


async def test_a_published_version_never_changes(
    client: Client, admin: dict[str, str]
) -> None:
    await client.post("/templates", json=DOCUMENT, headers=admin)
    other = {**DOCUMENT, "description": "Another"}
    told = await client.post("/templates", json=other, headers=admin)
    assert (await problem_of(told, 409))["code"] == "template-version-exists"


async def test_the_newest_version_is_shown_and_the_older_one_by_name(
    client: Client, admin: dict[str, str]
) -> None:
    for document in (DOCUMENT, version("9.1")):
        await client.post("/templates", json=document, headers=admin)
    shown = await client.get(f"/templates/{ID}", headers=admin)
    body = await answer_of(shown, 200, "/templates/{template}")
    assert (body["version"], body["versions"]) == ("9.1", [DOCUMENT["version"], "9.1"])
    first = f"/templates/{ID}/versions/{DOCUMENT['version']}"
    shown = await client.get(first, headers=admin)
    body = await answer_of(shown, 200, "/templates/{template}/versions/{version}")
    assert body["version"] == DOCUMENT["version"]
    for path in (f"/templates/{ID}/versions/8", "/templates/none"):
        told = await client.get(path, headers=admin)
        assert (await problem_of(told, 404))["code"] == "template-unknown"


async def test_a_retired_template_comes_back_with_a_new_version(
    node: Node, client: Client, admin: dict[str, str]
) -> None:
    await client.post("/templates", json=DOCUMENT, headers=admin)
    told = await client.post(f"/templates/{ID}/retire", headers=admin)
    body = await answer_of(told, 200, "/templates/{template}/retire")
    assert body["retiredAt"] == node.now()
    async with node.reading() as c:
        with pytest.raises(TemplateRetired, match="was retired at"):
            await require_current(c, ID)
    await client.post("/templates", json=version("9.1"), headers=admin)
    async with node.reading() as c:
        assert (await require_current(c, ID)).version == "9.1"


@pytest.mark.parametrize("body", [{}, {"templateId": "x"}, {**DOCUMENT, "more": 1}])
async def test_what_is_no_template_is_refused(
    client: Client, admin: dict[str, str], body: dict[str, Any]
) -> None:
    told = await client.post("/templates", json=body, headers=admin)
    assert (await problem_of(told, 400))["code"] == "template-malformed"


async def test_without_a_token_nothing_of_a_template_is_shown_or_changed(
    client: Client,
) -> None:
    for method, path in (
        ("GET", "/templates"),
        ("POST", "/templates"),
        ("GET", f"/templates/{ID}"),
        ("POST", f"/templates/{ID}/retire"),
    ):
        told = await client.request(method, path, json=DOCUMENT)
        assert (await problem_of(told, 401))["code"] == "token-missing", path


# Pages


async def pages(client: Client, path: str, **query: Any) -> list[list[str]]:
    """Follow `next`, and see that `Link` says the same."""
    found: list[list[str]] = []
    while True:
        told = await client.get(path, params=query)
        body = await answer_of(told, 200, path)
        found.append([issuer["slug"] for issuer in body["issuers"]])
        if body["next"] is None:
            assert "Link" not in told.headers
            return found
        link = told.links["next"]["url"]
        assert str(link).endswith(f"cursor={body['next']}")
        query["cursor"] = body["next"]


async def test_a_list_is_read_in_pages(node: Node, client: Client) -> None:
    for slug in ("east", "north", "south", "west"):
        await add_issuer(node, slug, slug)
    everything = ["east", "main", "north", "south", "west"]
    assert await pages(client, "/issuers", limit=2) == [
        everything[:2],
        everything[2:4],
        everything[4:],
    ]
    assert await pages(client, "/issuers", limit=5) == [everything]
    assert await pages(client, "/issuers") == [everything]


async def test_what_is_added_between_two_pages_moves_nothing(
    node: Node, client: Client
) -> None:
    await add_issuer(node, "north", "North")
    first = await (await client.get("/issuers", params={"limit": 1})).json()
    await add_issuer(node, "aaa", "Added before the cursor")
    second = await client.get("/issuers", params={"limit": 1, "cursor": first["next"]})
    assert [i["slug"] for i in (await second.json())["issuers"]] == ["north"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "request-malformed"),
        ("limit=201", "request-malformed"),
        ("limit=1_0", "request-malformed"),
        ("limit=%201", "request-malformed"),
        ("limit=-1", "request-malformed"),
        ("limit=99999999999999999999", "request-malformed"),
        ("limit=1&limit=1", "request-malformed"),
        ("page=2", "request-malformed"),
        ("cursor=", "request-malformed"),
        ("cursor=!", "cursor-malformed"),
        ("cursor=W10", "cursor-malformed"),
        ("cursor=WzFd", "cursor-malformed"),
        ("cursor=" + "A" * 1025, "request-malformed"),
    ],
)
async def test_a_page_that_is_none_is_refused(
    client: Client, query: str, code: str
) -> None:
    told = await client.get(f"/issuers?{query}")
    assert (await problem_of(told, 400))["code"] == code
