"""Load over HTTP on three processes, while the one that leads is killed again and again."""

import asyncio
import itertools
import shutil
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from web3 import AsyncWeb3

from anchoring.evm_deploy import deploy
from anchoring.evm_rpc import HttpRpc
from node.access import create_token
from node.backends import open_backend
from node.config_tables import BatchConfig, ChainConfig, DatabaseConfig
from node.fsck import check_node
from node.home import Home
from node.node import EVM_KEY, Node
from node.permissions import Role
from primitives.clock import SystemClock
from tests.replicas.replica import Replica
from tests.support.anvil import running_anvil
from tests.support.chains import fund
from tests.support.nodes import PASSPHRASE, make_home_here
from tests.support.postgres import running_cluster

CHAIN = 424_242
PROCESSES = 3
CLIENTS = 3
HANDOVER_SECONDS = 15.0
"""Longest that is waited for a new leader; the lease alone takes five."""

_DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:localhost%3A8460",
    "name": "Licence",
    "credentialSubject": {"id": "did:example:learner"},
}


@dataclass
class Findings:
    """What a campaign has seen."""

    handovers: list[float] = field(default_factory=list)
    """Seconds from a kill to the next term."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Id of each credential that was answered with 201, and its place."""

    refused: Counter[str] = field(default_factory=Counter)
    """Other answers, by what they were; each was asked again."""

    checkpoints: int = 0
    transactions: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """What must not be."""


@asynccontextmanager
async def replicas(folder: Path) -> AsyncIterator[tuple[list[Replica], str, str]]:
    """Give the running processes, the URL of the database, and a token."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(running_cluster())
        chain = await stack.enter_async_context(running_anvil("--chain-id", str(CHAIN)))
        database = cluster.create()
        first = await make_home_here(
            folder / "0",
            SystemClock(),
            database=DatabaseConfig(url=database),
            batch=BatchConfig(period_seconds=1),
            chain=ChainConfig(
                chain,
                await _contract(chain),
                confirmations=1,
                final_depth=1,
                poll_seconds=1,
            ),
        )
        async with Node.open(first, SystemClock(), PASSPHRASE) as node:
            _, secret = await create_token(node, "load", [Role.SIGNER])
            rpc = HttpRpc(chain, timeout_seconds=10)
            await fund(rpc, first.keystore().entry(EVM_KEY).public)
            await rpc.disconnect()
        running = [Replica(first)]
        for n in range(1, PROCESSES):
            shutil.copytree(first.root, folder / str(n))
            running.append(Replica(Home(folder / str(n))))
        for replica in running:
            await replica.start()
            stack.push_async_callback(replica.kill)
        yield running, database, secret


async def _contract(chain: str) -> str:
    rpc = HttpRpc(chain, timeout_seconds=10)
    key = bytes(31) + b"\x01"
    await fund(rpc, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf")  # the address of 1
    contract = await deploy(rpc, f"eip155:{CHAIN}", key)
    await rpc.disconnect()
    return contract


async def play(folder: Path, kills: int, *, pause_seconds: float = 2.0) -> Findings:
    """Kill the leader so often; return what was found afterwards."""
    found = Findings()
    async with replicas(folder) as (running, database, secret):
        clients = [
            asyncio.create_task(_issue(running, secret, n, found)) for n in range(CLIENTS)
        ]
        connection = await asyncpg.connect(database)
        try:
            for _ in range(kills):
                await asyncio.sleep(pause_seconds)
                await _kill_leader(running, connection, found)
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
        await _settled(connection)
        await _look(connection, found)
        await connection.close()
        for replica in running:
            await replica.kill()
        await _fsck(running[0].home, found)
    return found


async def _issue(running: list[Replica], secret: str, number: int, found: Findings) -> None:
    """Issue one after the other, each until it is acknowledged, wherever that may be."""
    timeout = aiohttp.ClientTimeout(total=20)
    headers = {"Authorization": f"Bearer {secret}"}
    turns = itertools.cycle([*running[number:], *running[:number]])
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        while True:
            name = f"urn:uuid:{uuid.uuid4()}"
            body = {"credential": {**_DOCUMENT, "id": name}}
            while name not in found.acknowledged:
                replica = next(turns)
                if not replica.url:
                    await asyncio.sleep(0.05)
                    continue
                url = f"{replica.url}/credentials/issue"
                try:
                    async with session.post(url, json=body) as response:
                        answer = await response.json(content_type=None)
                        if response.status == 201:
                            found.acknowledged[name] = _place(answer)
                        else:
                            found.refused[str(answer["code"])] += 1
                except (aiohttp.ClientError, TimeoutError) as e:
                    found.refused[type(e).__name__] += 1


def _place(answer: dict[str, Any]) -> str:
    """Return list and index of a signed credential."""
    entries = answer["verifiableCredential"]["credentialStatus"]
    first = entries[0] if isinstance(entries, list) else entries
    return f"{first['statusListCredential']}#{first['statusListIndex']}"


async def _kill_leader(
    running: list[Replica],
    connection: "asyncpg.Connection[asyncpg.Record]",
    found: Findings,
) -> None:
    holder, term = await _leader(connection)
    leader = next(each for each in running if each.pid == holder)
    await leader.kill()
    began = time.monotonic()
    while (await _leader(connection))[1] == term:
        if time.monotonic() - began > HANDOVER_SECONDS:
            found.wrong.append(f"no new leader within {HANDOVER_SECONDS:g} s")
            break
        await asyncio.sleep(0.02)
    found.handovers.append(time.monotonic() - began)
    await leader.start()


async def _leader(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> tuple[int, int]:
    """Return process and term of who leads."""
    while True:
        row = await connection.fetchrow("SELECT holder, fence FROM leases")
        if row is not None:
            return int(row["holder"].rpartition(" ")[2]), row["fence"]
        await asyncio.sleep(0.05)


async def _settled(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until all that was issued is anchored for ever."""
    async with asyncio.timeout(90):
        while True:
            waiting = await connection.fetchval(
                "SELECT count(*) FROM entries WHERE leaf_index IS NULL"
            )
            last = await connection.fetchval("SELECT max(tree_size) FROM checkpoints")
            final = await connection.fetchval(
                "SELECT max(tree_size) FROM transactions WHERE state = 'final'"
            )
            leaves = await connection.fetchval("SELECT max(leaf_index) + 1 FROM entries")
            if waiting == 0 and last == final == leaves:
                return
            await asyncio.sleep(0.2)


async def _look(connection: "asyncpg.Connection[asyncpg.Record]", found: Findings) -> None:
    """Compare what clients were told with what is stored, without the node's code."""
    rows = await connection.fetch(
        "SELECT c.id, c.status_list || '#' || c.status_index AS place, c.signed_at,"
        " count(e.seq) AS leaves FROM credentials c LEFT JOIN entries e"
        " ON e.subject = c.uuid AND e.kind = 1 AND e.leaf_index IS NOT NULL GROUP BY c.uuid"
    )
    stored = {row["id"]: row for row in rows}
    for name, place in found.acknowledged.items():
        row = stored.get(name)
        if row is None or row["signed_at"] is None:
            found.wrong.append(f"{name} was acknowledged and is lost")
        elif row["place"] != place:
            found.wrong.append(f"{name} has another place than was told")
    for name, row in stored.items():
        if row["leaves"] != 1:
            found.wrong.append(f"{name} has {row['leaves']} leaves")
    places = Counter(row["place"] for row in rows)
    found.wrong += [f"{place} is used {n} times" for place, n in places.items() if n > 1]
    found.checkpoints = await connection.fetchval("SELECT count(*) FROM checkpoints")
    states = await connection.fetch("SELECT state FROM transactions")
    found.transactions.update(row["state"] for row in states)


async def _fsck(home: Home, found: Findings) -> None:
    """Let the node check itself, and count the events in the chain."""
    async with Node.open(home, SystemClock(), PASSPHRASE) as node:
        backend = await open_backend(node)
        try:
            report = await check_node(node, backend, lambda *_: None)
        finally:
            await backend.close()
        chain = node.config.chain
        async with node.reading() as c:
            digests = [
                row[0]
                for row in await c.exec_driver_sql("SELECT record_digest FROM checkpoints")
            ]
    found.wrong += [f"{p.where}: {p.code} {p.detail}" for p in report.problems]
    found.wrong += [f"{p.where}: {p.code} not looked at" for p in report.unknown]
    rpc = HttpRpc(chain.url, timeout_seconds=10)
    with suppress(asyncio.CancelledError):
        logs = await AsyncWeb3(rpc, middleware=[]).eth.get_logs(
            {"fromBlock": 0, "address": chain.contract.rpartition(":")[2]}  # type: ignore[typeddict-item]
        )
    await rpc.disconnect()
    events = Counter(bytes(log["topics"][2]) for log in logs)
    for digest, count in events.items():
        if count > 1:
            found.wrong.append(f"{digest.hex()} is anchored {count} times")
        if digest not in digests:
            found.wrong.append(f"{digest.hex()} is anchored and no record of this node")
    if found.transactions["final"] != len(events):
        found.wrong.append(
            f"found {len(events)} events, want {found.transactions['final']}"
        )
