"""A web in miniature on this machine: names, certificates, and servers that misbehave.

`PublicFetcher` asks it as it asks the real one, with DNS, TLS and HTTP. Every name leads
to one server on 127.0.0.1, which answers as the `World` of the moment says.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from aiohttp.abc import AbstractResolver, ResolveResult

from did.fetch import DEADLINE_SECONDS, AddressInfo, PublicFetcher
from tests.support.components import require
from tests.support.documents import answer

T = TypeVar("T")

LONGEST_HOST = ".".join(("a" * 63, "a" * 63, "a" * 63, "b" * 61))
HOSTS = ("school.example", "office.example", "xn--bcher-kva.example", LONGEST_HOST)
"""Names with a good certificate."""

EXPIRED, SELF_SIGNED = "expired.example", "self-signed.example"
OTHER_NAME, OLD_TLS = "other-name.example", "old-tls.example"

PACE_SECONDS = 0.05
"""Between two bytes of a server that takes its time."""

ENDLESS_PIECES = 10_000
"""Of 10 kB each: an answer without end is only as long as nobody reads."""


@dataclass(frozen=True)
class Page:
    """What a server answers at one URL."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pace: str = "at-once"
    """`at-once`, `reset`, `slow-head`, `slow-body` or `endless`."""


@dataclass(frozen=True)
class World:
    """What the web looks like at one moment. What is at no URL is not found."""

    pages: Mapping[str, tuple[Page, ...]] = field(default_factory=dict)
    """By URL: one answer after another, the last of them for ever."""

    names: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """By name: addresses, answer by answer; a name that is not here is on this machine."""

    rebinding: Mapping[str, str] = field(default_factory=dict)
    """By name: the address that a first look at an answer does not show."""

    loopback: bool = True
    """Whether the verifier takes addresses on this machine for public ones."""

    deadline_seconds: float = DEADLINE_SECONDS


class StandInWeb:
    """Serves one `World` after another, in a thread with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _make_certificates(folder)
        self._loop = asyncio.new_event_loop()
        self._world = World()
        self._asked: dict[str, int] = {}
        self._port = self._old_port = 0
        self.connections = 0

    def show(self, world: World) -> None:
        """Let the web be `world` from now on."""
        self._world = world
        self._asked = {}
        self.connections = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the web's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def fetcher(self) -> PublicFetcher:
        """Return a fetcher that lives in this web instead of the real one."""
        trusted = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        return _TidyFetcher(
            allow_loopback_http=self._world.loopback,
            deadline_seconds=self._world.deadline_seconds,
            resolver=_Names(self),
            ssl_context=trusted,
        )

    @contextmanager
    def running(self) -> Iterator["StandInWeb"]:
        """Serve."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            server = self.run(self._serve(_contexts(self._folder)))
            old = self.run(_serve_old(_old_context(self._folder)))
            self._port, self._old_port = (
                s.sockets[0].getsockname()[1] for s in (server, old)
            )
            yield self
            for each in (server, old):
                self.run(_close(each))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def resolve(self, host: str) -> list[ResolveResult]:
        """Answer a question about a name."""
        answers = self._world.names.get(host, (("127.0.0.1",),))
        addresses = answers[min(self._count(host), len(answers) - 1)]
        port = self._old_port if host == OLD_TLS else self._port
        found = [answer(host, address, port) for address in addresses]
        hidden = self._world.rebinding.get(host)
        return found if hidden is None else _Rebinding(found, answer(host, hidden, port))

    def _count(self, name: str) -> int:
        self._asked[name] = self._asked.get(name, -1) + 1
        return self._asked[name]

    async def _serve(self, context: ssl.SSLContext) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            host = next(
                line.partition(":")[2].strip()
                for line in head.split("\r\n")
                if line.lower().startswith("host:")
            )
            url = f"https://{host}{path}"
            pages = self._world.pages.get(url, (Page(status=404),))
            await _send(writer, pages[min(self._count(url), len(pages) - 1)])
        writer.close()


class _Rebinding(list[ResolveResult]):
    """One answer when it is looked at, another when it is used."""

    def __init__(self, shown: list[ResolveResult], hidden: ResolveResult) -> None:
        super().__init__(shown)
        self._looks = 0
        self._hidden = hidden

    def __iter__(self) -> Iterator[ResolveResult]:
        self._looks += 1
        return super().__iter__() if self._looks == 1 else iter([self._hidden])


class _TidyFetcher(PublicFetcher):
    """Waits at its end until every connection is closed.

    A process that ends need not say goodbye to TLS servers; a test that ends leaves a
    loop behind, and connections that complain in the next one.
    """

    def open_socket(self, address_info: AddressInfo) -> socket.socket:
        opened = super().open_socket(address_info)
        self._opened = [*getattr(self, "_opened", []), opened]
        return opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        for each in getattr(self, "_opened", []):
            for _ in range(10_000):
                if each.fileno() < 0:
                    break
                await asyncio.sleep(0.001)


class _Names(AbstractResolver):
    """The names of a stand-in web."""

    def __init__(self, web: StandInWeb) -> None:
        self._web = web

    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del port, family
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            raise AssertionError(f"an address was looked up as a name: {host}")
        return self._web.resolve(host)

    async def close(self) -> None:
        """Nothing is open."""


async def _send(writer: asyncio.StreamWriter, page: Page) -> None:
    if page.pace == "reset":
        writer.transport.abort()
        return
    headers = {"Content-Type": "application/json", "Connection": "close", **page.headers}
    if page.pace != "endless":
        headers["Content-Length"] = str(len(page.body))
    head = f"HTTP/1.1 {page.status} Answer\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    pieces: Iterator[bytes] = iter((f"{head}\r\n".encode(), page.body))
    if page.pace in ("slow-head", "slow-body"):
        slow, fast = head.encode(), b""
        if page.pace == "slow-body":
            slow, fast = page.body, next(pieces)
        pieces = itertools.chain((fast,), (bytes((byte,)) for byte in slow))
    if page.pace == "endless":
        pieces = itertools.chain(
            (next(pieces),), itertools.repeat(b"x" * 10_000, ENDLESS_PIECES)
        )
    for piece in pieces:
        if writer.is_closing():
            return  # or an endless answer would go on, in a loop that waits for nothing
        writer.write(piece)
        await writer.drain()
        if page.pace.startswith("slow-"):
            await asyncio.sleep(PACE_SECONDS)


async def _serve_old(context: ssl.SSLContext) -> asyncio.Server:
    """Serve a TLS stack that says what it misses, which asyncio's would not send."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(await reader.read(16 * 1024))
        connection = context.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(ssl.SSLError):
            connection.do_handshake()
        writer.write(outgoing.read())
        writer.close()

    return await asyncio.start_server(accept, "127.0.0.1", 0)


async def _close(server: asyncio.Server) -> None:
    server.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


_CA = """[ca]
default_ca = here
[here]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
private_key = {folder}/ca.key
certificate = {folder}/ca.pem
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
"""


def _make_certificates(folder: Path) -> None:
    """Make an authority, and certificates that are good, out of date, and nobody's."""
    (folder / "ca.cnf").write_text(_CA.format(folder=folder), encoding="ascii")
    (folder / "index").touch()
    (folder / "serial").write_text("01", encoding="ascii")
    key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj"
    names = ",".join(f"DNS:{host}" for host in (*HOSTS, OLD_TLS))
    commands = [f"{key} /CN=authority -x509 -days 2 -keyout ca.key -out ca.pem"]
    for name, hosts, dates in (
        ("good", names, "-days 2"),
        ("old", f"DNS:{EXPIRED}", "-startdate 20200101000000Z -enddate 20200201000000Z"),
    ):
        request = f"{key} /CN={name} -addext subjectAltName={hosts}"
        commands += [
            f"{request} -keyout {name}.key -out {name}.csr",
            f"ca -config ca.cnf -batch -notext -in {name}.csr -out {name}.pem {dates}",
        ]
    commands.append(
        f"{key} /CN=nobody -addext subjectAltName=DNS:{SELF_SIGNED} -x509 -days 2 "
        "-keyout self.key -out self.pem"
    )
    openssl = require("openssl")
    for command in commands:
        subprocess.run(
            [openssl, *command.split()], cwd=folder, check=True, capture_output=True
        )


def _server_context(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def _contexts(folder: Path) -> ssl.SSLContext:
    """Return a context that shows the certificate that a name is to have."""
    context = _server_context(folder, "good")
    others = {
        EXPIRED: _server_context(folder, "old"),
        SELF_SIGNED: _server_context(folder, "self"),
    }

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = others.get(str(name), context)

    context.sni_callback = choose
    return context


def _old_context(folder: Path) -> ssl.SSLContext:
    """Return a context that speaks nothing newer than TLS 1.1."""
    context = _server_context(folder, "good")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context
