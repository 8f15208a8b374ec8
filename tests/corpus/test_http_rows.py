"""Area H, and T04: hostile requests, as they come over the wire.

What is no HTTP is answered by aiohttp before the node sees a request: with 400 and plain
text, where the table asks for 431 or a problem document.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from node.access import create_token
from node.api.request import MAX_BODY_BYTES
from node.api.verify import MAX_IN_HAND, VERIFIER
from node.daemon import serving
from node.logs import LineFormatter
from node.node import Node
from node.permissions import Role
from node.templates import add_template
from primitives.strict_json import parse_json_object
from tests.support.api import problem_of
from tests.support.credentials_support import STRANGER_DID
from tests.support.nodes import (
    TEMPLATE_FILE,
    Client,
    HandClock,
    client_of,
    make_home_here,
    opened,
    query,
)

_AT_ONCE = 4_096

VERIFY = "/credentials/verify"
ISSUE = "/credentials/issue"
UNSIGNED: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:localhost%3A8460",
    "credentialSubject": {"id": STRANGER_DID},
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def node(tmp_path: Path, clock: HandClock) -> AsyncIterator[Node]:
    home = await make_home_here(tmp_path / "node", clock)
    async with opened(home, clock) as node:
        yield node


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    async with client_of(node) as client:
        yield client


async def token(node: Node, *roles: Role, **how: Any) -> dict[str, str]:
    _, secret = await create_token(node, "registrar", roles or (Role.SIGNER,), **how)
    return {"Authorization": f"Bearer {secret}"}


async def over_the_wire(node: Node, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Send bytes to the daemon as they are; return status and body of its answer."""
    raw = b"".join(pieces)
    async with serving(node, 0) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("localhost", port)
        reading = asyncio.create_task(_read(reader))
        for start in range(0, len(raw), _AT_ONCE):
            if reading.done() or writer.is_closing():
                break  # it has answered, and does not want the rest
            writer.write(raw[start : start + _AT_ONCE])
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)
        answer = await asyncio.wait_for(reading, 30)
        writer.close()
    head, _, body = answer.decode("utf-8", "replace").partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return all that comes, until the other side ends or resets the connection."""
    answer = bytearray()
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            answer += piece
    return bytes(answer)


def head(*lines: str, path: str = VERIFY) -> bytes:
    first = (f"POST {path} HTTP/1.1", "Host: localhost:8460", "Connection: close")
    return "\r\n".join((*first, *lines, "", "")).encode()


CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked")


async def test_h01_a_body_without_length_is_read_up_to_the_limit(node: Node) -> None:
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    count = MAX_BODY_BYTES // 65_536 + 2
    status, body = await over_the_wire(node, [head(*CHUNKED), *[piece] * count])
    assert (status, json.loads(body)["code"]) == (413, "json-too-large")


async def test_h02_two_lengths_are_no_http(node: Node) -> None:
    both = head(*CHUNKED, "Content-Length: 4")
    status, _ = await over_the_wire(node, [both, b"2\r\n{}\r\n0\r\n\r\n"])
    assert status == 400


async def test_h03_a_million_chunks_of_a_byte_cost_no_second(node: Node) -> None:
    chunks = b"1\r\n \r\n" * 10_000
    started = time.process_time()
    status, _ = await over_the_wire(node, [head(*CHUNKED), *[chunks] * 100])
    assert status in (400, 413)
    # Of the server and of this client together, whose loop it is.
    assert time.process_time() - started < 5


async def test_h04_multipart_is_no_credential(node: Node, client: Client) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    body = (part * 10_000 + "--b--\r\n").encode()
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    told = await client.post(VERIFY, data=body, headers=kind)
    assert (await problem_of(told, 415))["code"] == "media-type-unsupported"
    # Where a form is read, the ninth field ends it.
    headers = {**await token(node), **kind}
    told = await client.post("/batches?template=t", data=body, headers=headers)
    assert (await problem_of(told, 400))["code"] == "body-broken"


@pytest.mark.parametrize(
    "pieces",
    [
        [head(*(f"X-{i}: a" for i in range(10_000)))],
        [head("X-Large: " + "a" * 1_000_000)],
        [head(*CHUNKED), b"0\r\n", *[b"X-Trailer: a\r\n" * 1_000] * 40],
    ],
    ids=["ten thousand headers", "a header of 1 MB", "endless trailers"],
)
async def test_h05_too_many_headers_are_no_http(node: Node, pieces: list[bytes]) -> None:
    """aiohttp says 400 of them, where the table has 431."""
    status, _ = await over_the_wire(node, pieces)
    assert status == 400


async def test_h08_text_is_no_credential(client: Client) -> None:
    told = await client.post(VERIFY, data=b"{}", headers={"Content-Type": "text/plain"})
    assert (await problem_of(told, 415))["code"] == "media-type-unsupported"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1"])
async def test_h09_another_hosts_name_is_refused(client: Client, host: str) -> None:
    told = await client.post(VERIFY, json=UNSIGNED, headers={"Host": host})
    assert (await problem_of(told, 421))["code"] == "host-refused"


async def test_h10_a_page_of_another_site_issues_nothing(
    node: Node, client: Client
) -> None:
    headers = {**await token(node), "Origin": "https://evil.example"}
    told = await client.post(ISSUE, json={"credential": UNSIGNED}, headers=headers)
    assert (await problem_of(told, 403))["code"] == "origin-refused"
    assert query(node.home, "SELECT count(*) FROM credentials") == [(0,)]


async def test_h11_no_token_an_old_one_or_one_of_another_role(
    node: Node, client: Client, clock: HandClock
) -> None:
    body = {"credential": UNSIGNED}
    told = await client.post(ISSUE, json=body)
    assert (await problem_of(told, 401))["code"] == "token-missing"
    for_a_day = await token(node, days=1)
    drafter = await token(node, Role.DRAFTER)
    assert (await client.post(ISSUE, json=body, headers=for_a_day)).status == 201
    clock.advance(86_400)
    told = await client.post(ISSUE, json=body, headers=for_a_day)
    assert (await problem_of(told, 401))["code"] == "token-expired"
    told = await client.post(ISSUE, json=body, headers=drafter)
    assert (await problem_of(told, 403))["code"] == "role-refused"


@pytest.mark.parametrize("name", ["credential_url", "key_url"])
async def test_h12_an_address_is_not_read(client: Client, name: str) -> None:
    body = {name: "http://169.254.169.254/latest/meta-data"}
    told = await client.post(VERIFY, json=body)
    assert (await problem_of(told, 400))["code"] == "url-not-accepted"


async def test_h13_a_key_is_for_one_request(node: Node, client: Client) -> None:
    headers = {**await token(node), "Idempotency-Key": "h13"}
    await client.post(ISSUE, json={"credential": UNSIGNED}, headers=headers)
    other = {"credential": {**UNSIGNED, "name": "Another"}}
    told = await client.post(ISSUE, json=other, headers=headers)
    assert (await problem_of(told, 409))["code"] == "idempotency-conflict"


async def test_h14_twenty_equal_requests_make_one_credential(
    node: Node, client: Client
) -> None:
    headers = {**await token(node), "Idempotency-Key": "h14"}
    body = {"credential": UNSIGNED}
    answers = await asyncio.gather(
        *(client.post(ISSUE, json=body, headers=headers) for _ in range(20))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({await answer.read() for answer in answers}) == 1
    assert query(node.home, "SELECT count(*) FROM credentials") == [(1,)]


@pytest.mark.parametrize(("count", "status"), [(1_000, 201), (1_001, 413)])
async def test_h16_a_batch_has_at_most_a_thousand_rows(
    node: Node, client: Client, count: int, status: int
) -> None:
    async with node.writing() as c:
        added = await add_template(node, c, parse_json_object(TEMPLATE_FILE.read_bytes()))
    row = {"family_name": "Cruz", "given_name": "Ana", "completed_on": "2026-01-05"}
    url = f"/batches?template={added.stored.id}"
    told = await client.post(url, json={"rows": [row] * count}, headers=await token(node))
    assert told.status == status
    if status != 201:
        assert (await told.json())["code"] == "too-many-items"


async def test_h17_a_line_break_in_an_id_begins_no_line_of_the_log(
    node: Node, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    name = "urn:uuid:x%0d%0aERROR%20forged"
    with caplog.at_level(logging.INFO):
        told = await client.get(f"/credentials/{name}", headers=await token(node))
    assert (await problem_of(told, 404))["code"] == "credential-unknown"
    refused = [record for record in caplog.records if record.name.startswith("node.")]
    assert refused
    for record in refused:
        line = LineFormatter("json").format(record)
        assert len(line.splitlines()) == 1
        json.loads(line)


async def test_h20_the_request_over_the_bound_is_told_to_come_back(
    client: Client,
) -> None:
    client.app[VERIFIER].in_hand = MAX_IN_HAND
    told = await client.post(VERIFY, json=UNSIGNED)
    assert (await problem_of(told, 503))["code"] == "http-overloaded"
    assert int(told.headers["Retry-After"]) > 0
    client.app[VERIFIER].in_hand = MAX_IN_HAND - 1
    assert (await client.post(VERIFY, json=UNSIGNED)).status == 400


# T04


async def new_challenge(client: Client) -> str:
    async with client.post("/challenges") as response:
        return str((await response.json())["challenge"])


async def answer_to(client: Client, challenge: str) -> str:
    """Return the code that an empty presentation is told; empty where it is judged."""
    presentation = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
    }
    body = {
        "verifiablePresentation": presentation,
        "options": {"challenge": challenge, "domain": "office.example"},
    }
    async with client.post("/presentations/verify", json=body) as response:
        return str((await response.json()).get("code", ""))


@pytest.mark.parametrize("seconds", [3_000, -3_000])
async def test_t04_a_step_of_the_clock_neither_ends_nor_prolongs_a_challenge(
    client: Client, clock: HandClock, seconds: int
) -> None:
    first, second = await new_challenge(client), await new_challenge(client)
    clock.step(seconds)
    assert await answer_to(client, first) == ""
    clock.advance(601)
    assert await answer_to(client, second) == "challenge-expired"
