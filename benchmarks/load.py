"""The daemon under load: beside a bare echo, with one process and with two.

Rates beside the echo are per second of the server's processor, so that a busy neighbour
slows both alike; those of one and two processes are by the clock, and want two idle cores.
"""

import asyncio
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.daemons import (
    PASSPHRASE,
    Daemon,
    Load,
    echoing,
    make_home,
    request,
    send,
    serving,
)
from benchmarks.documents import SUITES, Batch, batches, many_learners
from benchmarks.figures import Figure
from node.access import create_token
from node.batches import issue_rows
from node.home import Home
from node.logbook import close_batch
from node.node import MAIN, Node
from node.permissions import Role
from node.storage import ledger
from primitives.canonical_json import canonicalize
from primitives.clock import SystemClock
from primitives.strict_json import parse_json_object

HTTP_GOALS: Final = {"eddsa-jcs-2022": 0.50, "eddsa-rdfc-2022": 0.38}
"""Of a bare JSON echo."""

WORKERS_GOAL: Final = 1.8

LAG_GOAL_SECONDS: Final = 0.1

CONNECTIONS: Final = 8
MANY_CONNECTIONS: Final = 24


def load_rows(
    requests: int = 1_000, credentials: int = 100_000, documents: int = 2
) -> list[Figure]:
    """Measure requests with so many documents, and memory with so many credentials."""
    return asyncio.run(_measure(requests, credentials, documents))


async def _measure(requests: int, credentials: int, documents: int) -> list[Figure]:
    rows = []
    for batch in batches(1)[:documents]:
        for suite in SUITES:
            with tempfile.TemporaryDirectory() as folder:
                home = await make_home(Path(folder))
                bodies = await issued(home, batch, suite, requests)
                rows.append(await _beside_echo(home, batch, suite, bodies))
    with tempfile.TemporaryDirectory() as folder:
        home = await make_home(Path(folder))
        rows += await _two_workers(home, batches(1)[0], requests)
    with tempfile.TemporaryDirectory() as folder:
        home = await make_home(Path(folder))
        rows.append(await _memory(home, batches(1)[0], credentials))
    return rows


async def issued(home: Home, batch: Batch, suite: str, count: int) -> list[bytes]:
    """Issue so many credentials, and return them."""
    async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
        file = many_learners(count)
        await issue_rows(node, batch.template, file, MAIN, cryptosuite=suite)
        async with node.reading() as c:
            return [body.encode() for _, body in await ledger.all_documents(c, "", count)]


async def _beside_echo(
    home: Home, batch: Batch, suite: str, bodies: Sequence[bytes]
) -> Figure:
    with serving(home) as node, echoing() as echo:
        asked = [request(node.port, "/credentials/verify", body) for body in bodies]
        bare = [request(echo.port, "/", body) for body in bodies]
        await send(node, asked[:100], CONNECTIONS)
        verified = await send(node, asked, CONNECTIONS)
        echoed = await send(echo, bare, CONNECTIONS)
    return Figure(
        f"{batch.title}: verify over HTTP {suite}, of CPU",
        f"{verified.cpu_rate:,.0f}/s",
        f"aiohttp JSON echo {echoed.cpu_rate:,.0f}/s",
        verified.cpu_rate / echoed.cpu_rate,
        goal=HTTP_GOALS[suite],
    )


async def _two_workers(home: Home, batch: Batch, requests: int) -> list[Figure]:
    bodies = await issued(home, batch, SUITES[1], requests)
    unsigned = [unsigned_request(body) for body in bodies]
    async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
        _, secret = await create_token(node, "bench", [Role.SIGNER])
    verified: dict[int, Load] = {}
    made: dict[int, Load] = {}
    lag: dict[int, float] = {}
    for workers in (1, 2):
        with serving(home, workers) as daemon:
            asked = [request(daemon.port, "/credentials/verify", body) for body in bodies]
            await send(daemon, asked[:100], MANY_CONNECTIONS)
            verified[workers] = await send(daemon, asked, MANY_CONNECTIONS)
            bearer = f"Authorization: Bearer {secret}"
            wanted = [
                request(daemon.port, "/credentials/issue", body, bearer)
                for body in unsigned
            ]
            made[workers] = await send(daemon, wanted, MANY_CONNECTIONS)
            lag[workers] = _longest_lag(daemon)
    return [
        *(_gain(name, loads) for name, loads in (("verify", verified), ("issue", made))),
        *(
            Figure(
                f"{workers} process(es): {name}, p50 and p99",
                f"{load.quantile(0.5) * 1e3:.1f} and {load.quantile(0.99) * 1e3:.1f} ms",
                f"{MANY_CONNECTIONS} connections, {load.rate:,.0f}/s",
            )
            for name, loads in (("verify", verified), ("issue", made))
            for workers, load in loads.items()
        ),
        *(
            Figure(
                f"{workers} process(es): event loop, longest lag of a minute",
                f"{seconds * 1e3:.0f} ms",
                "the bound of 100 ms",
                seconds / LAG_GOAL_SECONDS,
                goal=1.0,
                at_most=True,
            )
            for workers, seconds in lag.items()
        ),
    ]


def _gain(name: str, loads: dict[int, Load]) -> Figure:
    return Figure(
        f"two processes: {name}",
        f"{loads[2].rate:,.0f}/s",
        f"one {loads[1].rate:,.0f}/s",
        loads[2].rate / loads[1].rate,
        goal=WORKERS_GOAL,
    )


def unsigned_request(body: bytes) -> bytes:
    """Return a request to issue what was issued, under another id."""
    document = parse_json_object(body)
    for name in ("id", "proof", "credentialStatus"):
        document.pop(name, None)
    return canonicalize({"credential": document})


def _longest_lag(daemon: Daemon) -> float:
    """Return what the daemon's own watch has seen, in seconds."""
    place = f"http://127.0.0.1:{daemon.metrics_port}/metrics"
    with urllib.request.urlopen(place, timeout=30) as answer:
        text = answer.read().decode()
    return max(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "patunay_event_loop_lag_max_seconds"
    )


async def _memory(home: Home, batch: Batch, credentials: int) -> Figure:
    """Return what a daemon has in memory once there are so many credentials."""
    with serving(home) as daemon:
        before = daemon.memory_bytes()
    await issued(home, batch, SUITES[0], credentials)
    async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
        while await close_batch(node) is not None:
            pass  # a daemon has the log's tree in memory, as far as it has leaves
    with serving(home) as daemon:
        after = daemon.memory_bytes()
    return Figure(
        f"memory of a daemon with {credentials:,} credentials",
        f"{after / 1e6:,.0f} MB",
        f"with none {before / 1e6:,.0f} MB",
        after / before,
    )
