"""One node with three credentials, made once; tests that change it get a copy."""

import shutil
from pathlib import Path

import pytest

from node.home import Home
from tests.support.command_line import create_home, issue


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A node that has issued; for tests that only read."""
    folder = tmp_path_factory.mktemp("node")
    home = create_home(folder / "home")
    issue(home, folder)
    return home


@pytest.fixture(scope="session")
def credential(shared_home: Home) -> Path:
    """The file of a valid credential of the shared node."""
    return min(shared_home.issued.glob("*.json"))


@pytest.fixture
def home(shared_home: Home, tmp_path: Path) -> Home:
    """A copy of the shared node, for one test alone."""
    shutil.copytree(shared_home.root, tmp_path / "home")
    return Home(tmp_path / "home")
