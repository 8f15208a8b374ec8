"""What an audit of a whole history costs: time and memory of one cold process."""

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from anchoring.entry import EntryKind
from benchmarks.figures import Figure
from did.keyfile import Argon2Cost
from node.config import Config
from node.home import Home
from node.logbook import close_batch
from node.node import Node
from node.setup import create_node, publish_all
from node.storage import ledger
from primitives.clock import SystemClock
from primitives.hashing import Digest

SECONDS_GOAL: Final = 10.0
MEMORY_GOAL: Final = 300.0
"""In MB, the peak of the process."""

_CHEAP = Argon2Cost(1, 8192)
_PASSPHRASE = b"opens nothing of value"
MB: Final = 1_000_000

PROGRAM: Final = """
import sys
from cli.main import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        peak = [line.split()[1] for line in status if line.startswith("VmHWM")]
    print(*peak, file=sys.stderr)
"""
"""Runs the command line, and tells its own peak memory in KiB, as Linux counts it from
`exec` on: what `wait4` tells of a child includes the memory of who started it."""


def audit_rows(credentials: int = 100_000, records: int = 10) -> list[Figure]:
    """Measure `patunay audit` of a node's directory; its anchors are left unasked.

    The leaves are of random digests: what was signed makes no difference to a log.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "node"
        asyncio.run(_fill(root, credentials, records))
        seconds, memory, report = _run(root)
    title = f"audit of {report['credentials']:,} credentials in {report['records']} records"
    if report["outcome"] != "valid":
        raise RuntimeError(f"the audit found {report['findings']}")
    return [
        Figure(title, f"{seconds:.1f} s", "", seconds, "s", SECONDS_GOAL, at_most=True),
        Figure(title, f"{memory:.0f} MB", "", memory, "MB", MEMORY_GOAL, at_most=True),
    ]


async def _fill(root: Path, credentials: int, records: int) -> None:
    home = Home(root)
    config = Config(
        domain="localhost:8460",
        public_url="http://localhost:8460",
        listen_port=8460,
        allow_loopback_http=True,
    )
    await create_node(home, config, _PASSPHRASE, SystemClock(), name="Test", cost=_CHEAP)
    async with Node.open(home, SystemClock(), _PASSPHRASE) as node:
        for _ in range(records):
            leaves = [
                (
                    EntryKind.CREDENTIAL,
                    Digest(secrets.token_bytes(32)),
                    secrets.token_hex(16),
                )
                for _ in range(credentials // records)
            ]
            async with node.writing() as c:
                await ledger.enqueue(c, leaves, node.now())
            await close_batch(node)
        await publish_all(node)


def _run(root: Path) -> tuple[float, float, dict[str, object]]:
    """Return seconds, peak memory in MB, and the report."""
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", PROGRAM, "audit", str(root), "--json"],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
    )
    seconds = time.perf_counter() - start
    report: dict[str, object] = json.loads(done.stdout)
    return seconds, int(done.stderr) * 1024 / MB, report
