"""Reading small public documents over HTTPS: the only module of this package with a socket.

The addresses fetched here are named by strangers (in a DID, in a credential), so this is
where a stranger could make a node talk to its own network. Four things stand against it:
the spelling of the host is judged before DNS sees it, the whole DNS answer before a
connection is tried, each address once more when its socket is made, and no redirect is
followed.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from did.address import FetchAddressRefused, check_public_address
from did.document import DidDocumentMalformed, check_document_id
from did.host import LOCALHOST, DidHostInvalid, DidPortInvalid, check_host, parse_port
from did.resolver import DidNotFound, DidUnreachable, Resolution
from did.web import parse_did_web
from primitives.clock import Clock
from primitives.errors import Undetermined
from primitives.strict_json import JsonMalformed, parse_json_object

DEADLINE_SECONDS = 5.0
"""For everything: name, connection, headers and body."""

MAX_DID_DOCUMENT_BYTES = 64 * 1024

MAX_URL_CHARACTERS = 4_096

_HTTPS_PORT = 443
_FIRST_UNPRIVILEGED_PORT = 1_024
_CHUNK_BYTES = 16 * 1024
_USER_AGENT = "patunay"

_URL = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[^/?#@:\[\]]+)(?::([0-9]+))?"
    r"((?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)"
)
_LOOPBACK_HOST = re.compile(r"localhost|127(?:\.(?:0|[1-9][0-9]{0,2})){3}|\[::1\]")

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""One entry of `socket.getaddrinfo`."""


class FetchUrlRefused(Undetermined):
    """A URL that is not fetched: scheme, host, port or spelling."""

    code = "fetch-url-refused"
    hint = "Patunay fetches https URLs of fully qualified names, on port 443 or above 1023"


class FetchRedirectRefused(Undetermined):
    """The server points elsewhere, and Patunay follows nobody."""

    code = "fetch-redirect-refused"
    hint = "ask the publisher to serve the document at its own address"


class FetchEncodingRefused(Undetermined):
    """The body is compressed, though that was declined."""

    code = "fetch-encoding-refused"
    hint = "ask the publisher to serve the document without Content-Encoding"


class FetchTooLarge(Undetermined):
    """The body goes on beyond the limit for its kind."""

    code = "fetch-too-large"
    hint = "ask the publisher for a smaller document"


class FetchTimeout(Undetermined):
    """The deadline passed before the body was complete."""

    code = "fetch-timeout"
    hint = "try again later, or verify with an evidence bundle or a trust pack"


class FetchTlsFailed(Undetermined):
    """No trustworthy TLS connection: certificate expired, of another name, or unknown."""

    code = "fetch-tls-failed"
    hint = "ask the publisher to renew the certificate; Patunay will not read without one"


class FetchNotFound(Undetermined):
    """The server says that there is nothing at this address (404 or 410)."""

    code = "fetch-not-found"
    hint = "verify with an evidence bundle or a trust pack that holds the document"


class FetchFailed(Undetermined):
    """No usable answer for any other reason."""

    code = "fetch-failed"
    hint = "try again later, or verify with an evidence bundle or a trust pack"


class _ConnectionRefused(OSError):
    """Carries a refusal through aiohttp, which tidies up after an `OSError` only."""

    def __init__(self, refusal: FetchAddressRefused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Fetched:
    """One whole body, received with status 200."""

    body: bytes = field(repr=False)

    content_type: str
    """As the server says; may be empty, and proves nothing."""

    url: str


@dataclass(slots=True)
class _PrivateHosts:
    """Hosts that the operator has named: they may lie at any address."""

    names: frozenset[str]
    addresses: set[str]
    """Those that the names were found at. A name that is not among them still reaches none
    of these: its whole DNS answer is judged first."""


class _WholeAnswerResolver(AbstractResolver):
    """Refuses a DNS answer in which any address is not public."""

    def __init__(
        self, inner: AbstractResolver, *, allow_loopback: bool, private: "_PrivateHosts"
    ) -> None:
        self._inner = inner
        self._allow_loopback = allow_loopback
        self._private = private

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        answer = await self._inner.resolve(host, port, family)
        if not answer:
            raise OSError(f"{host} has no address")
        if host in self._private.names:
            self._private.addresses.update(result["host"] for result in answer)
            return answer
        for result in answer:
            check_public_address(result["host"], allow_loopback=self._allow_loopback)
        return answer

    async def close(self) -> None:
        await self._inner.close()


class PublicFetcher:
    """Fetches from public addresses; an asynchronous context manager."""

    def __init__(
        self,
        *,
        allow_loopback_http: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        private_hosts: Collection[str] = (),
    ) -> None:
        """Take the settings; nothing is opened before `async with`.

        Args:
            allow_loopback_http: For a node on this machine: plain http and any port to
                `localhost`, 127.0.0.0/8 and ::1, and loopback addresses pass.
            deadline_seconds: For one `get`, from DNS to the last byte.
            resolver: Instead of the system's; its answers are not trusted.
            ssl_context: Instead of the system's certificate authorities.
            private_hosts: Names and addresses, as URLs have them, that may lie anywhere
                and be asked without TLS. The operator's own, never a stranger's.
        """
        self.allow_loopback_http = allow_loopback_http
        self._deadline_seconds = deadline_seconds
        self._inner_resolver = resolver
        self._ssl_context = ssl_context
        names = frozenset(private_hosts)
        self._private = _PrivateHosts(names, {name.strip("[]") for name in names})
        self._session: aiohttp.ClientSession | None = None
        self._resolver: _WholeAnswerResolver | None = None

    async def __aenter__(self) -> Self:
        self._resolver = _WholeAnswerResolver(
            self._inner_resolver or aiohttp.ThreadedResolver(),
            allow_loopback=self.allow_loopback_http,
            private=self._private,
        )
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=self.open_socket,
            # A pooled connection would not pass the guard again.
            force_close=True,
            ssl=self._ssl_context or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": _USER_AGENT},
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    def open_socket(self, address_info: AddressInfo) -> socket.socket:
        """Make the socket for one connection: the point that every connection passes.

        Raises:
            OSError: The address is not public.
        """
        family, kind, protocol, _, address = address_info
        try:
            if address[0] not in self._private.addresses:
                check_public_address(address[0], allow_loopback=self.allow_loopback_http)
        except FetchAddressRefused as e:
            raise _ConnectionRefused(e) from e
        return socket.socket(family, kind, protocol)

    async def get(self, url: str, *, max_bytes: int, accept: str) -> Fetched:
        """Return what is at `url` now.

        Raises:
            FetchUrlRefused: Not https, or a host or port that is never asked.
            FetchAddressRefused: The host leads to an address that is not public.
            FetchRedirectRefused: Status 3xx.
            FetchEncodingRefused: A compressed body.
            FetchTooLarge: More than `max_bytes`.
            FetchTimeout: Not complete before the deadline.
            FetchTlsFailed: No trustworthy TLS connection.
            FetchNotFound: Status 404 or 410.
            FetchFailed: Anything else.
        """
        if self._session is None:
            raise RuntimeError("the fetcher is used outside of `async with`")
        check_url(url, allow_loopback_http=self.allow_loopback_http)
        async with (
            _typed_errors(url, self._deadline_seconds),
            asyncio.timeout(self._deadline_seconds),
            self._session.get(
                URL(url, encoded=True), allow_redirects=False, headers={"Accept": accept}
            ) as response,
        ):
            _check_head(response, url)
            body = await _read_bounded(response, max_bytes)
            return Fetched(body, response.headers.get("Content-Type", ""), url)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send `body` to `url`; return the status. What is answered is not read.

        Raises:
            PatunayError: As `get`, but for what is about a body.
        """
        if self._session is None:
            raise RuntimeError("the fetcher is used outside of `async with`")
        self.check(url)
        async with (
            _typed_errors(url, self._deadline_seconds),
            asyncio.timeout(self._deadline_seconds),
            self._session.post(
                URL(url, encoded=True), data=body, allow_redirects=False, headers=headers
            ) as response,
        ):
            return response.status

    def check(self, url: str) -> None:
        """Return if `url` may be asked, going by its spelling alone; raise otherwise.

        Raises:
            FetchUrlRefused: As `check_url`, but for hosts that the operator has named.
        """
        match = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS else None
        if match is None or match[2] not in self._private.names:
            check_url(url, allow_loopback_http=self.allow_loopback_http)


class DidWebResolver:
    """Reads did:web documents from the web."""

    def __init__(self, fetcher: PublicFetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock

    async def resolve(self, did: str) -> Resolution:
        """Fetch the document of `did`.

        `localhost` is asked over plain http, and only by a fetcher that allows it.

        Raises:
            Malformed: `did` is no did:web, see `parse_did_web`.
            DidNotFound: The server has no such document.
            DidUnreachable: No usable answer.
            DidDocumentMalformed: No strict JSON object, such as an HTML page.
            DidDocumentIdMismatch: The document of another DID.
            Undetermined: Anything else that `PublicFetcher.get` raises.
        """
        web = parse_did_web(did)
        local = web.host == LOCALHOST and self._fetcher.allow_loopback_http
        url = web.document_url("http" if local else "https")
        try:
            fetched = await self._fetcher.get(
                url,
                max_bytes=MAX_DID_DOCUMENT_BYTES,
                accept="application/did+json, application/did+ld+json, application/json",
            )
        except FetchNotFound as e:
            raise DidNotFound(str(e)) from e
        except FetchFailed as e:
            raise DidUnreachable(str(e)) from e
        try:
            document = parse_json_object(fetched.body, MAX_DID_DOCUMENT_BYTES)
        except JsonMalformed as e:
            kind = fetched.content_type[:40]
            raise DidDocumentMalformed(f"found {kind!r} at {url}, want JSON: {e}") from e
        check_document_id(document, did)
        return Resolution(document, url, self._clock.now())


def check_url(url: str, *, allow_loopback_http: bool = False) -> None:
    """Return if `url` may be asked, going by its spelling alone; raise otherwise.

    Raises:
        FetchUrlRefused: Not https, userinfo, fragment, a host that `check_host` refuses,
            or a port below 1024 other than 443.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS else None
    if match is None:
        raise FetchUrlRefused(f"found {url[:80]!a}, want https://host/path")
    scheme, host, port_text, _ = match.groups()
    try:
        port = parse_port(port_text) if port_text is not None else None
        if allow_loopback_http and _LOOPBACK_HOST.fullmatch(host):
            return
        check_host(host)
    except (DidHostInvalid, DidPortInvalid) as e:
        raise FetchUrlRefused(str(e)) from e
    if scheme != "https":
        raise FetchUrlRefused(f"found {scheme}://{host[:64]}, want https")
    # Mail, SSH and databases listen down there, and none of them speaks HTTPS.
    if port not in {None, _HTTPS_PORT} and port < _FIRST_UNPRIVILEGED_PORT:
        raise FetchUrlRefused(f"found port {port}, want {_HTTPS_PORT} or above 1023")


@asynccontextmanager
async def _typed_errors(url: str, deadline_seconds: float) -> AsyncIterator[None]:
    """Give aiohttp's errors the names of this module."""
    try:
        yield
    except TimeoutError as e:
        raise FetchTimeout(f"{url}: no answer within {deadline_seconds:g} s") from e
    except aiohttp.ClientSSLError as e:
        raise FetchTlsFailed(f"{url}: {e}") from e
    except aiohttp.ClientConnectorError as e:
        if isinstance(e.os_error, _ConnectionRefused):
            raise e.os_error.refusal from e
        raise FetchFailed(f"{url}: {e}") from e
    except aiohttp.ClientError as e:
        raise FetchFailed(f"{url}: {type(e).__name__} {e}") from e


def _check_head(response: aiohttp.ClientResponse, url: str) -> None:
    status = response.status
    if status in {404, 410}:
        raise FetchNotFound(f"{url}: found status {status}, want 200")
    if 300 <= status < 400:  # noqa: PLR2004 - the class of statuses, RFC 9110 section 15.4
        place = response.headers.get("Location", "nowhere")
        raise FetchRedirectRefused(f"{url}: status {status} points to {place[:80]!r}")
    if status != 200:  # noqa: PLR2004 - RFC 9110 section 15.3.1
        raise FetchFailed(f"{url}: found status {status}, want 200")
    encoding = response.headers.get("Content-Encoding")
    if encoding is not None:
        raise FetchEncodingRefused(f"{url}: found {encoding[:40]!r}, want no encoding")


async def _read_bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    declared = response.content_length
    if declared is not None and declared > max_bytes:
        raise FetchTooLarge(f"{response.url}: found {declared} bytes, want {max_bytes}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise FetchTooLarge(f"{response.url}: found over {max_bytes} bytes")
    return bytes(body)
