from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.home import Home
from node.node import Node
from tests.support.nodes import HandClock, copy_home, make_home, opened


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
