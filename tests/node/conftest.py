from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node.access import create_token
from node.home import Home
from node.node import Node
from node.permissions import Role
from tests.support.nodes import (
    Client,
    HandClock,
    client_of,
    copy_home,
    document_of,
    issue,
    make_home,
    opened,
)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Created once; every test works on a copy."""
    return make_home(tmp_path_factory.mktemp("made") / "node")


@pytest.fixture
def home(made_home: Home, tmp_path: Path) -> Home:
    return copy_home(made_home, tmp_path / "node")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def node(home: Home, clock: HandClock) -> AsyncIterator[Node]:
    async with opened(home, clock) as node:
        yield node


@pytest.fixture
async def client(node: Node) -> AsyncIterator[Client]:
    async with client_of(node) as client:
        yield client


@pytest.fixture
async def headers(node: Node) -> dict[str, str]:
    _, secret = await create_token(node, "test", [Role.SIGNER])
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
async def credential(node: Node) -> dict[str, Any]:
    (uuid,) = (await issue(node, 1)).issued
    return await document_of(node, uuid)
