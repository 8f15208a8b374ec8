import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web

from did.fetch import MAX_DID_DOCUMENT_BYTES, DidWebResolver, PublicFetcher
from did.resolver import Resolution
from primitives.errors import PatunayError, Undetermined
from tests.support.documents import StubResolver, serving, talking

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LIMIT = 1_000


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
async def local() -> AsyncIterator[PublicFetcher]:
    async with PublicFetcher(allow_loopback_http=True, deadline_seconds=0.3) as fetcher:
        yield fetcher


async def code_of(fetcher: PublicFetcher, url: str) -> str:
    with pytest.raises(Undetermined) as caught:
        await fetcher.get(url, max_bytes=LIMIT, accept="application/json")
    assert caught.value.hint
    return caught.value.code


# What the server does.


async def test_returns_the_body(local: PublicFetcher) -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"a": 1})

    async with serving(handler) as port:
        url = f"http://localhost:{port}/a%2Fb/did.json?x=%2f"
        fetched = await local.get(url, max_bytes=LIMIT, accept="application/did+json")
    assert (fetched.body, fetched.url) == (b'{"a": 1}', url)
    assert fetched.content_type == "application/json; charset=utf-8"
    (request,) = seen
    assert request.raw_path == "/a%2Fb/did.json?x=%2f"
    assert request.headers["Accept"] == "application/did+json"
    assert request.headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in request.headers


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/", "https://10.0.0.1/", "https://example.edu/", "/other"]
)
async def test_follows_no_redirect(local: PublicFetcher, status: int, place: str) -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": place})

    async with serving(handler) as port:
        code = await code_of(local, f"http://localhost:{port}/first")
    assert code == "fetch-redirect-refused"
    assert paths == ["/first"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "fetch-not-found"),
        (410, "fetch-not-found"),
        (500, "fetch-failed"),
        (503, "fetch-failed"),
        (403, "fetch-failed"),
        (204, "fetch-failed"),
        (206, "fetch-failed"),
    ],
)
async def test_wants_status_200(local: PublicFetcher, status: int, code: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handler) as port:
        assert await code_of(local, f"http://localhost:{port}/") == code


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity"])
async def test_refuses_any_content_encoding(local: PublicFetcher, encoding: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        bomb = gzip.compress(b"0" * 1_000_000)
        return web.Response(body=bomb[:LIMIT], headers={"Content-Encoding": encoding})

    async with serving(handler) as port:
        assert await code_of(local, f"http://localhost:{port}/") == "fetch-encoding-refused"


@pytest.mark.parametrize("chunked", [False, True])
async def test_reads_to_the_limit_and_no_further(
    local: PublicFetcher, *, chunked: bool
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b"x" * int(request.path[1:]))
        if chunked:
            response.enable_chunked_encoding()
        return response

    async with serving(handler) as port:
        url = f"http://localhost:{port}/{LIMIT}"
        assert len((await local.get(url, max_bytes=LIMIT, accept="*/*")).body) == LIMIT
        code = await code_of(local, f"http://localhost:{port}/{LIMIT + 1}")
    assert code == "fetch-too-large"


async def test_an_endless_body_is_left_at_the_limit() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 10_000)
        except ConnectionResetError:
            return response

    fetcher = PublicFetcher(allow_loopback_http=True, deadline_seconds=5)
    async with serving(handler) as port, fetcher:
        assert await code_of(fetcher, f"http://localhost:{port}/") == "fetch-too-large"


async def test_a_slow_drip_ends_at_the_deadline(local: PublicFetcher) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.02)
        except ConnectionResetError:
            pass
        return response

    async with serving(handler) as port:
        assert await code_of(local, f"http://localhost:{port}/") == "fetch-timeout"


async def test_a_silent_server_ends_at_the_deadline(local: PublicFetcher) -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response()

    async with serving(handler) as port:
        assert await code_of(local, f"http://localhost:{port}/") == "fetch-timeout"


async def test_a_header_drip_ends_at_the_deadline(local: PublicFetcher) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            if writer.is_closing():
                break
            writer.write(b"X-%d: y\r\n" % number)
            await asyncio.sleep(0.02)

    async with talking(drip) as port:
        assert await code_of(local, f"http://localhost:{port}/") == "fetch-timeout"


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_no_answer(local: PublicFetcher, reply: bytes) -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(reply)

    async with talking(talk) as port:
        assert await code_of(local, f"http://localhost:{port}/") == "fetch-failed"


async def test_a_closed_port_is_no_answer(local: PublicFetcher) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(handler) as port:
        pass
    assert await code_of(local, f"http://localhost:{port}/") == "fetch-failed"


async def test_asks_no_proxy(local: PublicFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"direct")

    async with serving(handler) as port:
        url = f"http://localhost:{port}/"
        assert (await local.get(url, max_bytes=LIMIT, accept="*/*")).body == b"direct"


async def test_a_fetcher_that_was_not_entered_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await PublicFetcher().get("https://example.edu/", max_bytes=1, accept="*/*")


# did:web over all of it.


async def resolve(local: PublicFetcher, response: web.Response) -> tuple[str, Resolution]:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/issuers/north/did.json"
        text = response.text or ""
        return web.Response(
            status=response.status,
            text=text.replace("<port>", str(request.url.port)),
            content_type=response.content_type,
        )

    async with serving(handler) as port:
        did = f"did:web:localhost%3A{port}:issuers:north"
        return did, await DidWebResolver(local, FixedClock()).resolve(did)


async def test_resolves_a_did_web(local: PublicFetcher) -> None:
    text = '{"id": "did:web:localhost%3A<port>:issuers:north"}'
    did, found = await resolve(local, web.Response(text=text))
    url = f"http://localhost:{did.split('%3A')[1].split(':')[0]}/issuers/north/did.json"
    assert found == Resolution({"id": did}, url, NOW)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (web.Response(text="<!doctype html><p>Parked"), "did-document-malformed"),
        (web.Response(text=""), "did-document-malformed"),
        (web.Response(text="[]"), "did-document-malformed"),
        (web.Response(text="{}"), "did-document-malformed"),
        (web.Response(text='{"id": "a", "id": "b"}'), "did-document-malformed"),
        (web.Response(text="[" * 9_000), "did-document-malformed"),
        (web.Response(text='{"id": "did:web:evil.example"}'), "did-document-id-mismatch"),
        (web.Response(text=" " * (MAX_DID_DOCUMENT_BYTES + 1)), "fetch-too-large"),
        (web.Response(status=404, text="{}"), "did-not-found"),
        (web.Response(status=500, text="{}"), "did-unreachable"),
        (web.Response(status=302, text="{}"), "fetch-redirect-refused"),
    ],
)
async def test_nothing_usable_leaves_things_undetermined(
    local: PublicFetcher, response: web.Response, code: str
) -> None:
    with pytest.raises(Undetermined) as caught:
        await resolve(local, response)
    assert caught.value.code == code
    assert caught.value.hint


async def test_localhost_is_asked_over_https_where_http_is_not_allowed() -> None:
    async with PublicFetcher(resolver=StubResolver("127.0.0.1")) as fetcher:
        with pytest.raises(Undetermined) as caught:
            await DidWebResolver(fetcher, FixedClock()).resolve("did:web:localhost%3A8460")
    assert caught.value.code == "fetch-address-refused"


async def test_what_is_no_did_web_is_not_fetched(local: PublicFetcher) -> None:
    with pytest.raises(PatunayError) as caught:
        await DidWebResolver(local, FixedClock()).resolve("did:web:127.0.0.1")
    assert caught.value.code == "did-ip-literal"
