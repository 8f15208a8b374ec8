import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema
import pytest

from anchoring.memory import MemoryAnchor
from node.api.app import build_app
from node.api.openapi import describe
from node.api.request import MAX_BODY_BYTES
from node.daemon import serving
from node.home import Home
from node.logbook import close_batch
from node.node import Node
from node.setup import add_issuer
from primitives.strict_json import MAX_DOCUMENT_BYTES
from tests.support.api import problem_of, report_of
from tests.support.nodes import (
    Client,
    anchor,
    issue,
)

# What is described is what is served


def test_every_route_is_described_and_no_other(node: Node) -> None:
    """All but the console's, which is for people with a browser: docs/http.md has it."""
    served = set()
    for route in build_app(node).router.routes():
        assert route.resource is not None
        if route.method != "HEAD" and not route.resource.canonical.startswith("/console"):
            served.add((route.resource.canonical, route.method.lower()))
    described = {
        (path, method) for path, item in describe()["paths"].items() for method in item
    }
    assert served == described


async def test_the_description_is_served(client: Client) -> None:
    response = await client.get("/openapi.json")
    assert await response.json() == json.loads(json.dumps(describe()))


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = describe()
    names = {
        part.partition('"')[0]
        for part in json.dumps(document).split("#/components/schemas/")[1:]
    }
    assert names == set(document["components"]["schemas"])
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


# Bodies


async def test_the_largest_document_passes_and_the_next_one_does_not(
    client: Client, credential: dict[str, Any]
) -> None:
    def padded(size: int) -> bytes:
        body = json.dumps({"verifiableCredential": credential}).encode()
        return body + b" " * (size - len(body))

    kind = {"Content-Type": "application/json"}
    url = "/credentials/verify"
    largest = padded(MAX_DOCUMENT_BYTES + 1024)
    await report_of(await client.post(url, data=largest, headers=kind), 200)
    told = await client.post(url, data=padded(MAX_BODY_BYTES + 1), headers=kind)
    assert (await problem_of(told, 413))["code"] == "json-too-large"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    told = await client.post(url, data=chunks(), headers=kind)
    assert (await problem_of(told, 413))["code"] == "json-too-large"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_foreign_page_could_send_is_not_read(
    client: Client, headers: dict[str, str], kind: str
) -> None:
    for path in ("/credentials/verify", "/credentials/issue"):
        response = await client.post(
            path, data=b'{"credential":{}}', headers={**headers, "Content-Type": kind}
        )
        assert (await problem_of(response, 415))["code"] == "media-type-unsupported"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json-malformed"),
        (b"{", "json-malformed"),
        (b"[]", "json-not-object"),
        (b'{"a":1,"a":2}', "json-duplicate-key"),
        (b'{"a":NaN}', "json-number-unsafe"),
        (b'{"a":"\\ud800"}', "json-not-unicode"),
        (b"\xff\xfe", "json-not-utf8"),
        (b"[" * 100_000, "json-too-deep"),
        (b'{"a":[' + b"0," * 20_000 + b"0]}", "json-too-many-nodes"),
    ],
)
async def test_what_is_not_strict_json_is_a_400(
    client: Client, body: bytes, code: str
) -> None:
    for kind in ("application/json", "application/vc+json"):
        response = await client.post(
            "/credentials/verify", data=body, headers={"Content-Type": kind}
        )
        assert (await problem_of(response, 400))["code"] == code


@pytest.mark.parametrize("packed", [gzip.compress(b" " * 10_000_000), b"no gzip"])
async def test_nothing_packed_is_unpacked(
    node: Node, packed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(node, 0) as url, aiohttp.ClientSession() as session:
        response = await session.post(
            f"{url}/credentials/verify",
            data=packed,
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
        assert (await problem_of(response, 415))["code"] == "media-type-unsupported"
        assert response.headers["Accept-Encoding"] == "identity"
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "body", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"]
)
async def test_a_sender_that_hangs_up_is_no_bug(
    node: Node, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(node, 0) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"POST /credentials/verify HTTP/1.1\r\nHost: localhost:8460\r\n")
        writer.write(b"Content-Type: application/json\r\n" + body)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        del reader
    assert "a bug" not in caplog.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "GET"])
async def test_another_method_is_named_and_the_right_one_told(
    client: Client, method: str
) -> None:
    response = await client.request(method, "/credentials/verify")
    assert (await problem_of(response, 405))["code"] == "method-not-allowed"
    assert response.headers["Allow"] == "POST"


# Files


async def test_the_public_files_are_served_with_their_kinds(
    node: Node, client: Client, home: Home
) -> None:
    await add_issuer(node, "north", "North")
    await problem_of(await client.get("/log/checkpoint"), 404)
    await issue(node, 300)
    await close_batch(node)
    (status,) = (home.public / "status" / "main").iterdir()
    for path, kind in (
        ("/.well-known/did.json", "application/did+json"),
        ("/issuers/north/did.json", "application/did+json"),
        (f"/status/main/{status.name}", "application/vc+json"),
        ("/log/checkpoint", "text/plain"),
        ("/log/tile/0/000", "application/octet-stream"),
        ("/log/tile/entries/000", "application/octet-stream"),
        ("/log/tile/0/001.p/47", "application/octet-stream"),
    ):
        file = home.public / path[1:]
        response = await client.get(path)
        assert (response.status, response.content_type) == (200, kind), path
        assert await response.read() == file.read_bytes()
        assert "max-age" in response.headers["Cache-Control"] or path.endswith("point")
        assert (await client.head(path)).status == 200


ESCAPES = [
    "/status/../../keystore.json",
    "/status/%2e%2e/%2e%2e%2fkeystore.json",
    "/status/%2e%2e/keystore.json",
    "/status/main/%2e%2e",
    "/status/main/..%2f..%2f..%2fkeystore.json",
    "/status/main/%2fetc%2fpasswd",
    "/status/%2fetc/passwd",
    "/status/main/..%5c..%5ckeystore.json",
    "/status/main/a%00",
    "/status/main/" + "a" * 300,
    "/issuers/%2e%2e/did.json",
    "/issuers/..%2f..%2f/did.json",
    "/issuers/%2e%2e%2f.well-known/did.json",
    "/issuers/%00/did.json",
    "/issuers/%2e%2e%2f%2e%2e/did.json",
    "/log/tile/../../../keystore.json",
    "/log/tile/%2e%2e/%2e%2e/%2e%2e/keystore.json",
    "/log/tile/..%2f..%2f..%2fkeystore.json",
    "/log/tile/0/000%00",
    "/log/tile//etc/passwd",
    "/log/%2fetc%2fpasswd",
    "/log/..%2f..%2fpatunay.db",
    "/.well-known/../../keystore.json",
    "/.well-known/..%2f..%2fkeystore.json",
    "//etc/passwd",
    "/public/node.json",
    "/keystore.json",
]


async def _raw_get(port: int, target: str) -> bytes:
    """Ask without a client that would tidy the path up."""
    reader, writer = await asyncio.open_connection("localhost", port)
    head = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("target", ESCAPES)
async def test_no_path_leads_out_of_the_public_folder(
    node: Node, home: Home, client: Client, target: str
) -> None:
    # With every folder there, or a path through one would end for that reason alone.
    await add_issuer(node, "north", "North")
    await issue(node, 1)
    await close_batch(node)
    (home.root / "did.json").write_text('{"kdf": 1}')
    assert b'"kdf"' in home.keystore_file.read_bytes()
    assert client.port is not None
    answer = await _raw_get(client.port, target)
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:200]
    assert b'"kdf"' not in answer
    assert b"root:" not in answer


async def test_health_says_where_things_stand(node: Node, client: Client) -> None:
    await issue(node, 2)
    assert await (await client.get("/healthz")).json() == {
        "status": "ok",
        "sealed": False,
        "queue": 4,
        "treeSize": 0,
        "anchor": "none",
    }
    await anchor(node, MemoryAnchor())
    found = await (await client.get("/healthz")).json()
    assert (found["queue"], found["treeSize"], found["anchor"]) == (0, 4, "final")
