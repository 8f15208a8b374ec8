"""What starting costs: which modules an entry must not load."""

import subprocess
import sys
from pathlib import Path

import pytest

from primitives.canonical_json import canonicalize
from tests.support.components import ROOT
from tests.support.credentials_support import (
    STRANGER,
    STRANGER_DID,
    STRANGER_METHOD,
    signed,
    unsigned,
)

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
    "cli.root": EVERYTHING,
    "cli.pack_source": EVERYTHING | {"node.home", "node.config", "did.keystore", "tomllib"},
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


OWN = ("primitives", "contracts", "did", "anchoring", "credentials", "node", "cli")
FOR_SOME_CREDENTIALS = (
    *("anchoring", "contracts", "node.own_node", "cli.log_evidence", "credentials.bundle"),
    *("credentials.trust_pack", "credentials.presentation_checks", "credentials.denials"),
    *("credentials.key_standing", "credentials.status_check", "credentials.dated_summary"),
    *("credentials.related_resources", "credentials.jsonld.batch"),
    *("did.history", "did.key_event", "did.resolver", "did.service", "did.web"),
)
"""What reads receipts, bundles, packs, presentations, histories, status lists and webs;
what compares resources, and what learns from documents that are alike."""

MOST_MODULES = 65
"""Each takes some 0.2 ms to load, and half a millisecond more for each dataclass in it. Who
adds one here has looked whether every verification needs it."""


def test_verifying_a_credential_loads_what_that_credential_needs(tmp_path: Path) -> None:
    document = unsigned(issuer=STRANGER_DID, credentialStatus=...)
    file = tmp_path / "a.json"
    made = signed(document, signer=STRANGER, method=STRANGER_METHOD)
    file.write_bytes(canonicalize(made))
    program = (
        "import sys; from cli.root import root\n"
        "try: root.main(sys.argv[1:])\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "verify", "--offline", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, *loaded = done.stderr.split()
    own = {name for name in loaded if name.partition(".")[0] in OWN}
    some = {
        name
        for name in own
        for kind in FOR_SOME_CREDENTIALS
        if f"{name}.".startswith(f"{kind}.")
    }
    assert (code, some) == ("0", set())
    assert len(own - set(OWN)) <= MOST_MODULES
