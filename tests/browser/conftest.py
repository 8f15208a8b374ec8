"""One browser for all tests, and a site with credentials to check."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from inspect import iscoroutinefunction
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from anchoring.memory import MemoryAnchor
from credentials.bundle import encode_bundle, make_bundle
from credentials.evidence import Evidence, Obtained
from credentials.presentation import sign_presentation
from node.api.app import build_app
from node.daemon import SigningJob
from node.logbook import build_receipt
from node.node import Node
from node.status import revoke
from primitives.clock import SystemClock
from tests.support.browser import chromium
from tests.support.credentials_support import (
    STRANGER,
    STRANGER_METHOD,
    signed,
    unsigned,
)
from tests.support.nodes import (
    anchor,
    document_of,
    free_port,
    issue,
    make_home_here,
    opened,
)


@dataclass(frozen=True)
class Site:
    """A node that serves its pages, and what its readers have in their hands."""

    url: str
    node: Node
    uuids: list[str]
    """Of its credentials: one in force, one revoked, one more in force."""

    files: dict[str, bytes]
    """Credentials and bundles, by what is the matter with them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests here share one event loop, and with it one browser."""
    for item in items:
        is_here = Path(__file__).parent in item.path.parents
        if is_here and iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with (
        serving(tmp_path / "node") as (url, node),
        serving(tmp_path / "other") as (
            _,
            other,
        ),
    ):
        issued = (await issue(node, 3)).issued
        await anchor(node, MemoryAnchor())
        documents = [await document_of(node, uuid) for uuid in issued]
        await revoke(node, issued[1], "typing error")
        stranger = f"did:web:localhost%3A{free_port()}"
        gone = unsigned(issuer={"id": stranger}, credentialStatus=...)
        files = {
            "valid": documents[0],
            "revoked": documents[1],
            "tampered": {**documents[0], "name": "Summa cum laude"},
            "gone": signed(gone, method=f"{stranger}#key-1"),
            "presentation": sign_presentation(
                documents,
                STRANGER,
                verification_method=STRANGER_METHOD,
                created=node.instant(),
                challenge=None,
                domain=None,
            ),
        }
        read = {name: json.dumps(each).encode() for name, each in files.items()}
        yield Site(url, node, issued, read | {"no-chain": await bundle_of(other)})


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[str, Node]]:
    """Serve a node under the port that its DID names."""
    clock, port = SystemClock(), free_port()
    home = await make_home_here(folder, clock, port=port)
    async with opened(home, clock) as node:
        server = TestServer(build_app(node), host="localhost", port=port)
        async with server:
            signing = asyncio.create_task(SigningJob(node).run())
            yield f"http://localhost:{port}", node
            signing.cancel()
            await asyncio.gather(signing, return_exceptions=True)


async def bundle_of(node: Node) -> bytes:
    """Return a bundle of a node whose chain nobody else can ask."""
    (uuid,) = (await issue(node, 1)).issued
    await anchor(node, MemoryAnchor())
    receipt = await build_receipt(node, uuid)
    found = Evidence(receipt=Obtained(receipt, "its node", node.instant()))
    return encode_bundle(make_bundle(await document_of(node, uuid), found))
