"""Daemons in processes of their own, and a client that sends them what it is told.

The client speaks HTTP by hand, with requests that were made before: on a machine of two
cores its own work would otherwise be measured with that of the server.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.ports import free_port
from did.keyfile import Argon2Cost
from node.config import Config
from node.config_tables import (
    BatchConfig,
    LimitsConfig,
    LogConfig,
    MetricsConfig,
    ServeConfig,
)
from node.home import Home
from node.setup import create_node
from primitives.clock import SystemClock

PASSPHRASE: Final = "bench"  # noqa: S105 - of a node that lives for a minute

_CHEAP: Final = Argon2Cost(1, 8192)
"""Unlocking is not measured here."""

_SERVE: Final = "from cli.main import main; main()"

_ECHO: Final = "from benchmarks.echo import main; main()"

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that answers, with those that it has started."""

    process: "subprocess.Popen[str]"
    port: int
    metrics_port: int = 0

    @property
    def pids(self) -> list[int]:
        """The process and its children."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, task.read_text("ascii").split())]

    def cpu_seconds(self) -> float:
        """Return what they have used of the processors so far."""
        used = 0
        for pid in self.pids:
            stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
            used += int(stat[11]) + int(stat[12])
        return used / _TICKS

    def memory_bytes(self) -> int:
        """Return what they have in memory, what they share counted once for each sharer."""
        total = 0
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total


@dataclass(frozen=True, slots=True)
class Load:
    """What came of sending requests."""

    requests: int
    seconds: float
    cpu_seconds: float
    """Of the server."""

    latencies: Sequence[float]
    """Seconds, sorted."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Answers a second of the server's processor."""
        return self.requests / self.cpu_seconds

    def quantile(self, part: float) -> float:
        """Return the latency, in seconds, that `part` of the requests stayed under."""
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))]


def bench_config() -> Config:
    """Return the configuration of a node that is measured: nothing anchors meanwhile."""
    return Config(
        domain="localhost:8461",
        public_url="http://localhost:8461",
        allow_loopback_http=True,
        batch=BatchConfig(period_seconds=86_400, max_entries=1 << 20),
        limits=LimitsConfig(address_per_minute=0, token_per_minute=0),
        log=LogConfig(level="error"),
    )


async def make_home(folder: Path) -> Home:
    """Create a node to measure."""
    home = Home(folder / "node")
    await create_node(
        home, bench_config(), PASSPHRASE.encode(), SystemClock(), name="Bench", cost=_CHEAP
    )
    return home


@contextmanager
def serving(home: Home, workers: int = 1) -> Iterator[Daemon]:
    """Run `patunay serve` on a free port."""
    metrics_port = free_port()
    config = replace(
        bench_config(),
        serve=ServeConfig(workers=workers, max_requests=1_000),
        metrics=MetricsConfig(listen=f"127.0.0.1:{metrics_port}"),
    )
    home.config_file.write_text(config.to_toml(), encoding="utf-8")
    with _running(_SERVE, "serve", "--port", "0", home=home) as (process, url):
        yield Daemon(process, int(url.rpartition(":")[2]), metrics_port)


@contextmanager
def echoing() -> Iterator[Daemon]:
    """Run a bare aiohttp server that reads JSON and sends it back: the limit of ours."""
    with _running(_ECHO) as (process, port):
        yield Daemon(process, int(port))


@contextmanager
def _running(
    code: str, *arguments: str, home: Home | None = None
) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    environment = {**os.environ, "PATUNAY_PASSPHRASE": PASSPHRASE}
    if home is not None:
        environment["PATUNAY_HOME"] = str(home.root)
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", code, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("found no output of the daemon")
        yield process, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def request(port: int, path: str, body: bytes, *headers: str) -> bytes:
    """Return a POST of JSON as it goes over the wire."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: localhost:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send(daemon: Daemon, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests over so many connections; each must be answered with 200 or 201."""
    queue = list(requests)
    latencies: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
        while queue:
            writer.write(queue.pop())
            began = time.perf_counter()
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                raise RuntimeError(f"found {head[:40]!r}, want status 200 or 201")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            latencies.append(time.perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    cpu, start = daemon.cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    seconds = time.perf_counter() - start
    # A clock that ticks a hundred times a second may not have moved.
    used = max(daemon.cpu_seconds() - cpu, 1 / _TICKS)
    return Load(len(requests), seconds, used, sorted(latencies))
