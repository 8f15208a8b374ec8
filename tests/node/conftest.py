import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.access import create_token
from node.config_tables import DatabaseConfig
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
from tests.support.postgres import Cluster, drop

BOTH = ("sqlite", "postgres")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says so on both stores: all, or those it names."""
    wanted = getattr(metafunc.module, "ON_BOTH_STORES", ())
    is_named = wanted is True or metafunc.function.__name__ in wanted
    if is_named and "store" in metafunc.fixturenames:
        metafunc.parametrize("store", BOTH, indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """Where the database of `home` is; `TEST_STORE=postgres` moves those of all tests."""
    return str(getattr(request, "param", os.environ.get("TEST_STORE", "sqlite")))


@pytest.fixture(scope="session")
def made_postgres_home(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Home:
    """As `made_home`, in PostgreSQL."""
    database = DatabaseConfig(url=postgres.create())
    root = tmp_path_factory.mktemp("made") / "node"
    return make_home(root, database=database)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Created once; every test works on a copy."""
    return make_home(tmp_path_factory.mktemp("made") / "node")


@pytest.fixture
def home(
    made_home: Home, store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Home]:
    if store == "sqlite":
        yield copy_home(made_home, tmp_path / "node")
        return
    copied = copy_home(request.getfixturevalue("made_postgres_home"), tmp_path / "node")
    url = copied.config().database.url
    yield copied
    drop(url)


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
async def admin(node: Node) -> dict[str, str]:
    _, secret = await create_token(node, "set up", [Role.ADMIN])
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
async def credential(node: Node) -> dict[str, Any]:
    (uuid,) = (await issue(node, 1)).issued
    return await document_of(node, uuid)
