"""What starting costs: which modules an entry must not load."""

import subprocess
import sys

import pytest

from tests.support.components import ROOT

NETWORK = {"aiohttp", "ssl", "requests", "urllib3"}
DATABASE = {"sqlalchemy", "alembic", "sqlite3", "aiosqlite"}
CHAIN = {"web3", "eth_account", "eth_tester", "eth", "vyper"}
ORACLE = {"pyld"}
WORDING = {"babel", "jinja2"}
EVERYTHING = NETWORK | DATABASE | CHAIN | ORACLE | WORDING

FORBIDDEN = {
    "primitives.wording.words": EVERYTHING,
    "credentials.judge": EVERYTHING,
    "credentials.data_integrity": EVERYTHING,
    "credentials.template": EVERYTHING,
    "credentials.registrar": EVERYTHING,
    "anchoring.receipt": EVERYTHING,
    "node.own_node": EVERYTHING,
    "node.config": EVERYTHING,
    "node.home": EVERYTHING,
    "cli.main": EVERYTHING,
    "node.gather": DATABASE | CHAIN | ORACLE | NETWORK,
    "node.storage.ledger": CHAIN | ORACLE | NETWORK - {"ssl"},
    "node.logbook": CHAIN | ORACLE | {"aiohttp"},
    "node.anchoring": CHAIN | ORACLE | {"aiohttp"},
    "node.issuance": CHAIN | ORACLE | {"aiohttp"},
    "node.backends": CHAIN | ORACLE | {"aiohttp"},
    "node.api.app": CHAIN | ORACLE,
}


@pytest.mark.parametrize("entry", FORBIDDEN)
def test_an_entry_loads_no_more_than_it_needs(entry: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {entry}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert entry in loaded
    assert loaded & FORBIDDEN[entry] == set()
