import asyncio
import socket
from typing import Any

import pytest

from node.api import request as reading
from node.api.admission import ADMISSION, Admission
from node.api.problems import Overloaded
from node.metrics import Metrics
from node.node import Node
from tests.support.api import problem_of
from tests.support.nodes import Client, client_of


async def test_the_201st_request_is_told_to_come_back(
    client: Client, credential: dict[str, Any]
) -> None:
    admission: Admission = client.app[ADMISSION]
    assert admission.limit == 200
    admission.in_hand = 200
    for method, path in (("POST", "/credentials/verify"), ("GET", "/"), ("GET", "/none")):
        response = await client.request(method, path)
        told = await problem_of(response, 503)
        assert told["code"] == "http-overloaded"
        assert told["detail"] == "found 200 requests in hand"
        assert response.headers["Retry-After"] == "30"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    admission.in_hand = 199
    response = await client.post("/credentials/verify", json=credential)
    assert response.status == 200
    assert admission.in_hand == 199


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_full_node_still_says_how_it_is(client: Client, path: str) -> None:
    client.app[ADMISSION].in_hand = 10_000
    assert (await client.get(path)).status == 200


async def test_a_full_node_reads_no_bodies(node: Node) -> None:
    async with client_of(node) as client:
        client.app[ADMISSION].in_hand = 200
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        # The body never comes; the answer does.
        writer.write(
            f"POST /credentials/verify HTTP/1.1\r\nHost: localhost:{client.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n".encode()
        )
        line = await asyncio.wait_for(reader.readline(), 5)
        assert line == b"HTTP/1.1 503 Service Unavailable\r\n"
        writer.close()


async def test_whoever_is_slow_with_the_body_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(
        f"POST /credentials/verify HTTP/1.1\r\nHost: localhost:{client.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 200\r\n\r\n{".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 408 ")
    body = await asyncio.wait_for(reader.read(65_536), 5)
    assert b'"code": "body-too-slow"' in body
    assert b"found 1 bytes after 0.2 seconds" in body
    assert client.app[ADMISSION].in_hand == 0
    writer.close()


async def test_a_client_that_goes_away_gives_its_place_back(client: Client) -> None:
    admission: Admission = client.app[ADMISSION]
    opened = socket.create_connection(("127.0.0.1", client.port))
    opened.sendall(
        f"POST /credentials/verify HTTP/1.1\r\nHost: localhost:{client.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 200\r\n\r\n{".encode()
    )
    assert await _comes_to(admission, 1)
    opened.close()
    assert await _comes_to(admission, 0)


async def _comes_to(admission: Admission, in_hand: int) -> bool:
    for _ in range(500):
        if admission.in_hand == in_hand:
            return True
        await asyncio.sleep(0.01)
    return False


def test_refuses_from_the_limit_on() -> None:
    door = Admission(limit=2, metrics=Metrics(), in_hand=1)
    door.refuse_if_full("/")
    door.in_hand = 2
    with pytest.raises(Overloaded, match="found 2 requests in hand"):
        door.refuse_if_full("/")
