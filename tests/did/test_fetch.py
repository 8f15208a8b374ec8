import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from did.fetch import PublicFetcher, check_url
from primitives.errors import Undetermined
from tests.support.components import require
from tests.support.documents import StubResolver, answer, serving

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


# Stage one: the spelling of the URL.


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://8.8.8.8/",
        "https://[::1]/",
        "https://[2001:4860:4860::8888]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://LOCALHOST/",
        "https://Example.edu/",
        "https://example.edu./",
        "https://ехample.com/",  # noqa: RUF001 - a Cyrillic look-alike
        "https://under_score.example/",
        "https://intranet/",
        "https:///path",
        "https://user@example.edu/",
        "https://user:secret@example.edu/",
        "https://example.edu@127.0.0.1/",
        "https://example.edu\\@127.0.0.1/",
        "https://example.edu/#fragment",
        "https://example.edu/a b",
        "https://example.edu/a\r\nX-Header: 1",
        "https://example.edu/%zz",
        "https://example.edu/é",
        "https://%65xample.edu/",
        "https://example.edu:22/",
        "https://example.edu:80/",
        "https://example.edu:1023/",
        "https://example.edu:0/",
        "https://example.edu:0443/",
        "https://example.edu:65536/",
        "https://example.edu:/",
        "http://example.edu/",
        "http://localhost/",
        "http://127.0.0.1/",
        "HTTPS://example.edu/",
        "ftp://example.edu/",
        "file:///etc/passwd",
        "example.edu",
        "",
        "https://example.edu/" + "a" * 4_096,
    ],
)
async def test_refuses_the_url_before_any_question_is_asked(url: str) -> None:
    resolver = StubResolver("127.0.0.1")
    async with PublicFetcher(resolver=resolver) as fetcher:
        assert await code_of(fetcher, url) == "fetch-url-refused"
    assert resolver.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.edu",
        "https://example.edu/a/did.json?x=%2F&y=1",
        "https://example.edu:443/",
        "https://example.edu:1024/",
        "https://example.edu:65535/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_lets_plain_urls_pass(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8460/",
        "http://127.0.0.1:80/",
        "http://[::1]:22/",
        "https://localhost/",
    ],
)
def test_a_node_may_ask_its_own_machine_if_told_so(url: str) -> None:
    check_url(url, allow_loopback_http=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.edu/",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://127.1/",
        "http://127.0.0.01/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost.example.edu/",
        "http://localhost:0/",
        "https://example.edu:22/",
    ],
)
def test_asking_its_own_machine_allows_nothing_else(url: str) -> None:
    with pytest.raises(Undetermined) as caught:
        check_url(url, allow_loopback_http=True)
    assert caught.value.code == "fetch-url-refused"


# Stage two: the DNS answer, and the socket.


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fec0::1"],
        ["fe80::1%lo"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["2606:4700::1111", "fd00::1"],
    ],
)
async def test_refuses_a_name_that_leads_inside(addresses: list[str]) -> None:
    async with PublicFetcher(resolver=StubResolver(*addresses)) as fetcher:
        assert await code_of(fetcher, "https://example.edu/") == "fetch-address-refused"


async def test_localhost_is_refused_where_it_is_not_allowed() -> None:
    async with PublicFetcher() as fetcher:
        assert await code_of(fetcher, "https://localhost/") == "fetch-address-refused"


class RebindingAnswer(list[ResolveResult]):
    """Public when it is looked at, loopback when it is used."""

    looks = 0

    def __iter__(self) -> Iterator[ResolveResult]:
        self.looks += 1
        address = "8.8.8.8" if self.looks == 1 else "127.0.0.1"
        return iter([answer("example.edu", address, 443)])


class RebindingResolver(StubResolver):
    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        return RebindingAnswer(await super().resolve(host, port, family))


async def test_the_socket_is_guarded_even_if_the_answer_changes_its_mind() -> None:
    async with PublicFetcher(resolver=RebindingResolver("8.8.8.8")) as fetcher:
        assert await code_of(fetcher, "https://example.edu/") == "fetch-address-refused"


async def test_a_name_without_address_is_no_answer() -> None:
    async with PublicFetcher(resolver=StubResolver()) as fetcher:
        assert await code_of(fetcher, "https://example.edu/") == "fetch-failed"


# Stage three, the redirect and all else that a server does: test_fetch_answers.py.
# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a self-signed certificate for `localhost`, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "chain.pem"
    arguments = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
        f"-keyout {key} -out {chain} -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost"
    )
    command = [str(require("openssl")), *arguments.split()]
    subprocess.run(command, check=True, capture_output=True)
    return chain, key


@pytest.mark.parametrize(
    ("name", "trusted", "code"),
    [
        ("localhost", True, None),
        ("localhost", False, "fetch-tls-failed"),
        ("other.example", True, "fetch-tls-failed"),
    ],
)
async def test_wants_a_certificate_of_this_name_from_a_known_authority(
    certificate: tuple[Path, Path], name: str, code: str | None, *, trusted: bool
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"secure")

    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(*certificate)
    client_side = ssl.create_default_context()
    if trusted:
        client_side.load_verify_locations(certificate[0])
    fetcher = PublicFetcher(
        allow_loopback_http=True,
        resolver=StubResolver("127.0.0.1"),
        ssl_context=client_side,
    )
    async with serving(handler, ssl_context=server_side) as port, fetcher:
        url = f"https://{name}:{port}/"
        if code is None:
            assert (await fetcher.get(url, max_bytes=9, accept="*/*")).body == b"secure"
        else:
            assert await code_of(fetcher, url) == code


async def test_plain_http_behind_https_is_a_tls_failure(local: PublicFetcher) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(handler) as port:
        assert await code_of(local, f"https://localhost:{port}/") == "fetch-tls-failed"
