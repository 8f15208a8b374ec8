"""kill -9 at every place that matters, a restart, and nothing is lost or doubled."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from web3.types import RPCEndpoint

from anchoring.dev_chain import DEV_CONTRACT
from anchoring.evm import EvmAnchor
from anchoring.evm_deploy import deploy
from anchoring.evm_purse import Purse
from anchoring.evm_rpc import HttpRpc
from contracts.artifact import load_artifact
from did.keystore import open_keystore
from node.config_tables import ChainConfig
from node.failpoints import FAILPOINTS, PUBLISHING_FAILPOINTS
from node.fsck import check_node
from node.home import Home
from node.node import EVM_KEY
from tests.support.anvil import running_anvil
from tests.support.chains import ANVIL_CHAIN, fund
from tests.support.components import ROOT
from tests.support.nodes import (
    PASSPHRASE,
    copy_home,
    make_home,
    new_seed,
    opened,
    query,
)

ROWS = 400
LEAVES = ROWS + 2  # the node's DID document and its status list


@dataclass
class Chain:
    """A chain that outlives the node's processes."""

    url: str
    contract: str

    async def ask(self, method: str, *params: Any) -> Any:
        rpc = HttpRpc(self.url, timeout_seconds=10)
        try:
            response = await rpc.make_request(RPCEndpoint(method), list(params))
        finally:
            await rpc.disconnect()
        assert "result" in response, response
        return response["result"]

    async def events(self) -> list[tuple[str, bytes]]:
        """Return transaction and digest of every event of the contract, in order."""
        logs = await self.ask(
            "eth_getLogs",
            {
                "fromBlock": "0x0",
                "toBlock": "latest",
                "address": self.contract.rpartition(":")[2],
            },
        )
        topic = "0x" + load_artifact().anchored_topic.hex()
        assert all(log["topics"][0] == topic for log in logs)
        return [
            (log["transactionHash"], bytes.fromhex(log["topics"][2][2:])) for log in logs
        ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A node that has issued nothing yet."""
    nowhere = ChainConfig("http://127.0.0.1:1", DEV_CONTRACT, 1, 1)
    return make_home(tmp_path_factory.mktemp("base") / "node", chain=nowhere)


@pytest.fixture(scope="module")
def issued(base: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same node with all signed and queued: where the later failpoints begin."""
    home = copy_home(base, tmp_path_factory.mktemp("issued") / "node")
    assert run(home, "signed").returncode == -signal.SIGKILL
    return home


@pytest.fixture(scope="module")
def server(base: Home) -> Iterator[Chain]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.chain_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_evm_key(base).hex() + "\n")
    process.stdin.flush()
    yield Chain(process.stdout.readline().strip(), DEV_CONTRACT)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture
async def chain(server: Chain) -> AsyncIterator[Chain]:
    """The chain with nothing anchored yet."""
    before = await server.ask("evm_snapshot")
    yield server
    await server.ask("evm_revert", before)


def _evm_key(home: Home) -> bytes:
    unlocked = open_keystore(home.keystore_file.read_bytes()).unlock(PASSPHRASE)
    return unlocked.secret(EVM_KEY)


def at(home: Home, root: Path, chain: Chain) -> Home:
    """Return a copy of the node that anchors in `chain`."""
    copy = copy_home(home, root)
    place = ChainConfig(chain.url, chain.contract, 1, 1)
    copy.config_file.write_text(replace(copy.config(), chain=place).to_toml())
    return copy


def start(home: Home, failpoint: str = "", rows: int = ROWS) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if k != "PATUNAY_FAILPOINT"}
    if failpoint:
        environment["PATUNAY_FAILPOINT"] = f"{failpoint}:kill"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.worker", "issue", str(home.root), str(rows)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    home: Home, failpoint: str = "", rows: int = ROWS
) -> "subprocess.CompletedProcess[str]":
    process = start(home, failpoint, rows)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


async def run_to_the_end(home: Home) -> None:
    """Restart the node without any failpoint: it settles by itself."""
    began = time.perf_counter()
    done = await asyncio.to_thread(run, home)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.endswith("settled\n")
    assert time.perf_counter() - began < 30


async def require_all_once(home: Home, chain: Chain, *, transactions: int = 1) -> None:
    """400 issued, each in exactly one checkpoint, one effective anchor."""
    credentials = query(
        home,
        "SELECT count(*), count(DISTINCT row_key), count(DISTINCT status_index),"
        " count(signed_at), count(document) FROM credentials",
    )
    assert credentials == [(ROWS,) * 5]
    leaves = query(home, "SELECT leaf_index, subject FROM entries ORDER BY leaf_index")
    assert [index for index, _ in leaves] == list(range(LEAVES))
    per_subject = Counter(subject for _, subject in leaves)
    assert set(per_subject.values()) == {1}
    issued = {row[0] for row in query(home, "SELECT uuid FROM credentials")}
    assert len(issued & per_subject.keys()) == ROWS
    checkpoints = query(
        home, "SELECT tree_size, record_digest FROM checkpoints ORDER BY tree_size"
    )
    assert checkpoints[-1][0] == LEAVES
    stored = query(home, "SELECT reference, state FROM transactions ORDER BY nonce")
    assert {state for _, state in stored} == {"final"}
    events = await chain.events()
    # None of ours is lost, none is doubled, and there are no others.
    assert sorted(tx for tx, _ in events) == sorted(reference for reference, _ in stored)
    assert len(events) == transactions
    digests = Counter(digest for _, digest in events)
    assert digests[checkpoints[-1][1]] == 1
    assert set(digests.values()) == {1}
    await _require_sound(home, chain)


async def _require_sound(home: Home, chain: Chain) -> None:
    backend = EvmAnchor.connect(chain.url, chain.contract)
    async with opened(home, sealed=True) as node:
        report = await check_node(node, backend, lambda *_: None)
    await backend.close()
    assert report.problems == []
    assert report.unknown == []
    assert (report.leaves, report.anchors_unchecked) == (LEAVES, 0)


def test_every_failpoint_is_tried_here() -> None:
    assert EARLY + LATE == FAILPOINTS + PUBLISHING_FAILPOINTS


EARLY = ("drafts-stored", "signed")
LATE = FAILPOINTS[2:] + PUBLISHING_FAILPOINTS


@pytest.mark.parametrize("failpoint", EARLY + LATE)
async def test_killed_at_a_failpoint_and_started_again(
    request: pytest.FixtureRequest, tmp_path: Path, chain: Chain, failpoint: str
) -> None:
    name = "base" if failpoint in EARLY else "issued"
    home = at(request.getfixturevalue(name), tmp_path / "node", chain)
    killed = await asyncio.to_thread(run, home, failpoint)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    await run_to_the_end(home)
    await require_all_once(home, chain)


async def test_killed_at_every_failpoint_in_one_life(
    base: Home, tmp_path: Path, chain: Chain
) -> None:
    home = at(base, tmp_path / "node", chain)
    for failpoint in FAILPOINTS:
        killed = await asyncio.to_thread(run, home, failpoint)
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    await run_to_the_end(home)
    await require_all_once(home, chain)
    # And nothing is left to do for another start.
    await run_to_the_end(home)
    await require_all_once(home, chain)


@asynccontextmanager
async def anvil(home: Home) -> AsyncIterator[Chain]:
    async with running_anvil() as url:
        rpc = HttpRpc(url, timeout_seconds=5)
        deployer = new_seed()
        for address in (_address(deployer), _address(_evm_key(home))):
            await fund(rpc, address)
        contract = await deploy(rpc, ANVIL_CHAIN, deployer)
        await rpc.disconnect()
        yield Chain(url, contract)


def _address(key: bytes) -> str:
    return Purse(key).address


async def test_killed_at_every_failpoint_with_anvil_as_the_chain(
    base: Home, tmp_path: Path
) -> None:
    async with anvil(base) as chain:
        home = at(base, tmp_path / "node", chain)
        for failpoint in FAILPOINTS:
            killed = await asyncio.to_thread(run, home, failpoint)
            assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
        await run_to_the_end(home)
        await require_all_once(home, chain)


async def test_killed_at_any_moment(base: Home, tmp_path: Path, chain: Chain) -> None:
    """Ten times, at moments that a seed fixes; each start has new rows to issue."""
    home = at(base, tmp_path / "node", chain)
    chance = random.Random(20_260_302)
    kills = 0
    for n in range(1, 11):
        process = start(home, rows=ROWS * n // 10)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(chance.uniform(0, 0.9))
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.communicate)
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 5  # the others were done before
    await run_to_the_end(home)
    transactions = len(query(home, "SELECT * FROM transactions"))
    await require_all_once(home, chain, transactions=transactions)
