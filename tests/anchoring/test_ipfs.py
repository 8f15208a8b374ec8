"""A real Kubo node; and stand-ins for what a broken one would answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anchoring.blocks import (
    MAX_BLOCK_BYTES,
    BlockTooLarge,
    CidMismatch,
    GatewayBlocks,
    fetch_block,
)
from anchoring.car import encode_car, parse_car
from anchoring.ipfs import IpfsAddressInvalid, IpfsRefused, IpfsUnreachable, Kubo
from anchoring.record import CidMalformed, raw_cid, record_cid
from tests.support.kubo import running_kubo
from tests.support.records import BLOCKS, small_record

RAW = b'{"id":"did:web:school.example"}'


@asynccontextmanager
async def client(url: str, timeout_seconds: float = 10) -> AsyncIterator[Kubo]:
    kubo = Kubo(url, timeout_seconds)
    try:
        yield kubo
    finally:
        await kubo.close()


async def get_over_http(url: str, max_bytes: int) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200, url
        return await response.content.read(max_bytes)


async def test_blocks_go_in_are_pinned_and_come_back_by_every_way(tmp_path: Path) -> None:
    record, blocks = small_record(), BLOCKS
    cid = record_cid(record)
    async with running_kubo(tmp_path / "repo") as node, client(node.api) as kubo:
        for linked in blocks:
            await kubo.put(raw_cid(linked), linked)
        await kubo.put(cid, record)
        await kubo.pin(cid)
        pins = await asyncio.to_thread(node.run, "pin", "ls", "--type=all", "-q")
        assert {cid, *map(raw_cid, blocks)} <= set(pins.decode().split())
        assert await fetch_block(kubo, cid) == record
        gateway = GatewayBlocks(node.gateway, get_over_http)
        assert await fetch_block(gateway, cid) == record
        assert await fetch_block(gateway, raw_cid(blocks[0])) == blocks[0]
        exported = await asyncio.to_thread(node.run, "dag", "export", cid)
        car = parse_car(exported)
        assert car.roots == (cid,)
        assert car.blocks == {cid: record, **{raw_cid(b): b for b in blocks}}


async def test_kubo_imports_our_car_file(tmp_path: Path) -> None:
    record, blocks = small_record(), BLOCKS
    cid = record_cid(record)
    car = b"".join(encode_car([cid], [(cid, record), *((raw_cid(b), b) for b in blocks)]))
    async with running_kubo(tmp_path / "repo") as node:
        said = await asyncio.to_thread(node.run, "dag", "import", stdin=car)
        assert f"Pinned root\t{cid}\tsuccess" in said.decode()
        async with client(node.api) as kubo:
            assert await fetch_block(kubo, cid) == record


@asynccontextmanager
async def answering(status: int, body: bytes, **headers: str) -> AsyncIterator[str]:
    """Answer every request with these bytes; give the address."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"Key":"bafkreianother","Size":3}', CidMismatch),
        (200, b'{"Key":null}', CidMismatch),
        (200, b'["Key"]', CidMismatch),
        (200, b"", IpfsUnreachable),
        (200, b'{"Key":"a"}{"Key":"b"}', IpfsUnreachable),
        (200, b"<html>", IpfsUnreachable),
        (200, b'{"Key"', IpfsUnreachable),
        (500, b'{"Message":"repository is full","Code":0,"Type":"error"}', IpfsRefused),
        (502, b"<html>bad gateway", IpfsUnreachable),
        (404, b"404 page not found", IpfsUnreachable),
    ],
)
async def test_what_is_no_answer_of_kubo_has_a_name(
    status: int, body: bytes, error: type[Exception]
) -> None:
    async with answering(status, body) as url, client(url) as kubo:
        with pytest.raises(error):
            await kubo.put(raw_cid(RAW), RAW)


async def test_a_block_that_goes_on_and_on_is_not_read() -> None:
    async with (
        answering(200, b"x" * (MAX_BLOCK_BYTES + 1)) as url,
        client(url) as kubo,
    ):
        with pytest.raises(BlockTooLarge, match="found over 1048576 bytes"):
            await kubo.get(raw_cid(RAW))


async def test_another_block_than_was_asked_for_is_not_believed() -> None:
    async with answering(200, RAW + b" ") as url, client(url) as kubo:
        with pytest.raises(CidMismatch, match="found SHA-256"):
            await fetch_block(kubo, raw_cid(RAW))
        with pytest.raises(CidMismatch):
            await fetch_block(GatewayBlocks(url, get_over_http), raw_cid(RAW))


async def test_kubo_that_does_not_run_leaves_it_open() -> None:
    async with client("http://127.0.0.1:9") as kubo:
        with pytest.raises(IpfsUnreachable) as caught:
            await kubo.put(raw_cid(RAW), RAW)
    assert caught.value.code == "ipfs-unreachable"


async def test_kubo_that_says_nothing_leaves_it_open() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client(f"http://127.0.0.1:{port}", 0.2) as kubo:
        with pytest.raises(IpfsUnreachable):
            await kubo.pin(raw_cid(RAW))


async def test_no_proxy_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with answering(200, RAW) as url, client(url) as kubo:
        assert await fetch_block(kubo, raw_cid(RAW)) == RAW


@pytest.mark.parametrize(
    "url",
    [
        "/ip4/127.0.0.1/tcp/5001",
        "127.0.0.1:5001",
        "ftp://127.0.0.1:5001",
        "http://",
        "http://user@127.0.0.1:5001",
        "http://127.0.0.1:5001/api/v0",
        "http://127.0.0.1:70000",
        "http://127.0.0.1:5001?x",
    ],
)
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(IpfsAddressInvalid) as caught:
        Kubo(url)
    assert caught.value.code == "ipfs-address-invalid"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_hosts_are_names_or_addresses(host: str) -> None:
    async with (
        answering(200, RAW) as url,
        client(url.replace("127.0.0.1", host)) as kubo,
    ):
        assert await fetch_block(kubo, raw_cid(RAW)) == RAW


async def test_what_is_no_cid_is_never_sent() -> None:
    async with client("http://127.0.0.1:9") as kubo:
        with pytest.raises(CidMalformed):
            await kubo.put("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", RAW)
