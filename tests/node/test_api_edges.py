"""What every answer has in common: origins, OPTIONS, entity tags, compression."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.node.test_api_issue import UNSIGNED
from tests.support.api import problem_of
from tests.support.nodes import Client, HandClock, client_of, make_home_here, opened

PORTAL = "https://portal.example"


@pytest.fixture
async def shared(tmp_path: Any, clock: HandClock) -> AsyncIterator[Client]:
    """Serve a node whose API the pages of `PORTAL` may use."""
    home = await make_home_here(tmp_path / "shared", clock, cors_origins=PORTAL)
    async with opened(home, clock) as node, client_of(node) as client:
        yield client


def own(client: Client) -> str:
    return f"http://localhost:{client.port}"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://localhost:1",
        "file://",
        "http://localhost:8460.evil.example",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/credentials/issue", "/credentials/verify", "/"])
async def test_a_page_of_another_site_changes_and_asks_nothing(
    client: Client, headers: dict[str, str], origin: str, path: str
) -> None:
    sent = {**headers, "Origin": origin}
    told = await client.post(path, json={"credential": UNSIGNED}, headers=sent)
    assert (await problem_of(told, 403))["code"] == "origin-refused"
    assert "Access-Control-Allow-Origin" not in told.headers


async def test_the_nodes_own_pages_may_send(
    client: Client, headers: dict[str, str]
) -> None:
    for origin in (own(client), f"http://127.0.0.1:{client.port}", "http://localhost:8460"):
        sent = {**headers, "Origin": origin}
        body = {"credential": UNSIGNED}
        told = await client.post("/credentials/issue", json=body, headers=sent)
        assert told.status == 201, origin


async def test_an_origin_that_is_configured_may_send_and_read(shared: Client) -> None:
    sent = {"Origin": PORTAL}
    told = await shared.post("/credentials/verify", json={"a": 1}, headers=sent)
    assert told.status == 400
    assert told.headers["Access-Control-Allow-Origin"] == PORTAL
    assert "Origin" in told.headers.getall("Vary")
    preflight = {**sent, "Access-Control-Request-Method": "POST"}
    told = await shared.options("/credentials/verify", headers=preflight)
    assert told.status == 204
    assert told.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert "Idempotency-Key" in told.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in told.headers


async def test_any_other_origin_gets_no_word_of_cors(shared: Client) -> None:
    for origin in ("https://evil.example", f"{PORTAL}.evil.example", "null"):
        told = await shared.options("/credentials/verify", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in told.headers
        told = await shared.get("/healthz", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in told.headers
        assert "Origin" in told.headers.getall("Vary")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/healthz", "GET, HEAD, OPTIONS"), ("/templates", "GET, HEAD, OPTIONS, POST")],
)
async def test_options_names_the_methods(client: Client, path: str, allowed: str) -> None:
    told = await client.options(path)
    assert (told.status, told.headers["Allow"]) == (204, allowed)
    assert (await client.options("/nothing")).status == 404


async def test_head_is_get_without_a_body(client: Client) -> None:
    got, head = await client.get("/issuers"), await client.head("/issuers")
    assert (head.status, await head.read()) == (200, b"")
    for name in ("ETag", "Content-Type", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


async def test_what_the_reader_has_is_not_sent_again(
    client: Client, headers: dict[str, str]
) -> None:
    first = await client.get("/issuers")
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert first.headers["Cache-Control"] == "no-cache"
    for value in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        told = await client.get("/issuers", headers={"If-None-Match": value})
        assert (told.status, await told.read()) == (304, b""), value
        assert told.headers["ETag"] == tag
    told = await client.get("/issuers", headers={"If-None-Match": '"other"'})
    assert told.status == 200
    guarded = await client.get("/templates", headers=headers)
    assert guarded.headers["Cache-Control"] == "private, no-cache"


async def test_a_file_that_the_reader_has_is_not_sent_again(client: Client) -> None:
    first = await client.get("/.well-known/did.json")
    sent = {"If-None-Match": first.headers["ETag"]}
    assert (await client.get("/.well-known/did.json", headers=sent)).status == 304


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("", False),
    ],
)
async def test_text_is_compressed_for_whoever_takes_it(
    client: Client, accepted: str, packed: bool
) -> None:
    sent = {"Accept-Encoding": accepted}
    told = await client.get("/openapi.json", headers=sent)
    assert told.headers["Vary"] == "Accept-Encoding"
    assert ("Content-Encoding" in told.headers) is packed
    assert (await told.json())["openapi"] == "3.1.0"
    if packed:
        assert int(told.headers["Content-Length"]) < len(await told.read()) / 4
    page = await client.get("/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page.headers


@pytest.mark.parametrize(
    "name",
    [
        "credential_url",
        "credentialUrl",
        "key_url",
        "url",
        "uri",
        "presentation_url",
        "verifiableCredentialUrl",
        "did_url",
        "context_href",
        "statusListUrl",
        "link",
    ],
)
@pytest.mark.parametrize("path", ["/credentials/verify", "/presentations/verify"])
async def test_an_address_is_not_read(client: Client, path: str, name: str) -> None:
    body = {name: "http://169.254.169.254/latest/meta-data"}
    told = await client.post(path, json=body)
    assert (await problem_of(told, 400))["code"] == "url-not-accepted"
