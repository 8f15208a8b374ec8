"""Nodes for tests: made in a moment, opened as often as a test restarts them."""

import asyncio
import os
import secrets
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from anchoring.backend import AnchorBackend
from credentials.registrar import RegistrarFile, read_registrar_file
from credentials.template import CredentialTemplate, parse_template
from did.fetch import PublicFetcher
from did.keyfile import Argon2Cost
from node.anchor_state import AnchorState
from node.anchoring import Anchorer
from node.api.app import build_app
from node.batches import BatchReport, issue_rows
from node.config import Config
from node.home import Home
from node.logbook import close_batch
from node.metrics import Metrics
from node.node import MAIN, Node
from node.setup import create_node
from node.storage import ledger
from primitives.clock import Clock
from primitives.strict_json import parse_json_object
from tests.support import postgres
from tests.support.components import ROOT

CHEAP = Argon2Cost(operations=1, memory_bytes=8192)
PASSPHRASE = b"a passphrase that only tests use"
TEMPLATE_FILE = ROOT / "examples" / "als-life-skills-communication.json"
LEARNERS_FILE = ROOT / "examples" / "learners.csv"
TODAY = date(2026, 3, 2)

Client = TestClient[Request, Application]


@dataclass
class HandClock:
    """A clock that goes when it is told to."""

    moment: datetime = datetime(2026, 3, 2, 8, tzinfo=UTC)
    passed: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.passed += seconds

    def step(self, seconds: float) -> None:
        """Set the clock, as NTP does: no time passes."""
        self.moment += timedelta(seconds=seconds)


def plan(**changes: Any) -> Config:
    """Return the configuration of a node on this machine, with some settings changed."""
    port = changes.pop("port", 8460)
    config = Config(
        domain=f"localhost:{port}",
        public_url=f"http://localhost:{port}",
        listen_port=port,
        allow_loopback_http=True,
    )
    return replace(config, **changes)


def make_home(root: Path, clock: Clock | None = None, **changes: Any) -> Home:
    """Create a node in `root`; only where no event loop runs."""
    return asyncio.run(make_home_here(root, clock, **changes))


async def make_home_here(root: Path, clock: Clock | None = None, **changes: Any) -> Home:
    """Create a node in `root`."""
    home = Home(root)
    await create_node(
        home, plan(**changes), PASSPHRASE, clock or HandClock(), name="Test", cost=CHEAP
    )
    return home


def copy_home(home: Home, root: Path) -> Home:
    """Return a node like `home`, same keys and all."""
    shutil.copytree(home.root, root)
    copied = Home(root)
    config = copied.config()
    if config.database.url:
        database = replace(config.database, url=postgres.create_like(config.database.url))
        config = replace(config, database=database)
        copied.config_file.write_text(config.to_toml(), encoding="utf-8")
    return copied


def set_back(home: Home, earlier: Home) -> None:
    """Give a node the database of an earlier copy of it; nobody may have it open."""
    for file in home.root.glob("patunay.db*"):
        file.unlink()
    for file in (*earlier.root.glob("patunay.db*"), earlier.config_file):
        shutil.copy(file, home.root)


@asynccontextmanager
async def opened(
    home: Home, clock: Clock | None = None, *, sealed: bool = False
) -> AsyncIterator[Node]:
    """Open a node as a process does when it starts."""
    passphrase = None if sealed else PASSPHRASE
    async with Node.open(home, clock or HandClock(), passphrase) as node:
        yield node


def template() -> CredentialTemplate:
    """Return the example template."""
    return parse_template(parse_json_object(TEMPLATE_FILE.read_bytes()))


def learners(count: int = 400) -> RegistrarFile:
    """Return the first rows of the example's file."""
    lines = LEARNERS_FILE.read_bytes().splitlines(keepends=True)
    return read_registrar_file(b"".join(lines[: count + 1]), today=TODAY)


async def issue(node: Node, count: int) -> BatchReport:
    """Issue the first `count` of the example's learners."""
    return await issue_rows(node, template(), learners(count), MAIN)


async def settle(
    node: Node, backend: AnchorBackend, confirmations: int = 1, *, most: int = 50
) -> AnchorState:
    """Take steps until nothing is left to do."""
    anchorer = Anchorer(node, backend, confirmations)
    state = await anchorer.step()
    for _ in range(most):
        if state.settled:
            return state
        state = await anchorer.step()
    raise AssertionError(f"not settled after {most} steps: {state}")


async def anchor(node: Node, backend: AnchorBackend) -> AnchorState:
    """Close a batch and anchor it."""
    await close_batch(node)
    return await settle(node, backend)


async def document_of(node: Node, uuid: str) -> dict[str, Any]:
    """Return a signed credential."""
    async with node.reading() as c:
        stored = await ledger.find_credential(c, uuid)
    assert stored is not None
    assert stored.document is not None
    return dict(parse_json_object(stored.document.encode()))


@asynccontextmanager
async def client_of(
    node: Node, fetcher: PublicFetcher | None = None, *, metrics: Metrics | None = None
) -> AsyncIterator[Client]:
    """Serve a node's API on a free port and give a client for it."""
    server = TestServer(build_app(node, fetcher, metrics), host="localhost")
    async with TestClient(server) as client:
        yield client


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def meddle(home: Home, sql: str, *values: object) -> int:
    """Change a database behind the node's back; return how many rows were touched."""
    url = home.config().database.url if home.config_file.exists() else ""
    if url:
        return postgres.change(url, sql, *values)
    # Without foreign keys, as any tool has them by default.
    connection = sqlite3.connect(home.root / "patunay.db", timeout=30)
    try:
        with connection:
            return connection.execute(sql, values).rowcount
    finally:
        connection.close()


def query(home: Home, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask a database without the node's code."""
    url = home.config().database.url if home.config_file.exists() else ""
    if url:
        return postgres.execute(url, sql, *values)
    connection = sqlite3.connect(home.root / "patunay.db", timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def new_seed() -> bytes:
    """Return what a key is made of."""
    return secrets.token_bytes(32)


@contextmanager
def environment(**changes: str) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
