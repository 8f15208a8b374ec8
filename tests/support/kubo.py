"""Real Kubo nodes on the loopback interface, each with a repository of its own."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.components import require

_START_SECONDS = 30

_SETTINGS = (
    ("AutoConf.Enabled", "false"),
    ("Bootstrap", "[]"),
    ("Routing.Type", '"none"'),
    ("Routing.DelegatedRouters", "[]"),
    ("Ipns.DelegatedPublishers", "[]"),
    ("DNS.Resolvers", "{}"),
)
"""Keeps a node from looking for the outside world; the profile `test` does the rest."""


@dataclass
class KuboNode:
    """A repository, and the daemon that runs on it or does not."""

    repository: Path
    binary: Path
    process: "asyncio.subprocess.Process | None" = None

    @property
    def api(self) -> str:
        """Address of the RPC."""
        _, host, _, port = self._file("api").removeprefix("/").split("/")
        return f"http://{host}:{port}"

    @property
    def gateway(self) -> str:
        return self._file("gateway")

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one command of `ipfs` on this repository."""
        done = subprocess.run(
            [self.binary, *arguments],
            env=self._environment(),
            input=stdin,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def init(self) -> None:
        self.run("init", "--profile=test")
        for name, value in _SETTINGS:
            self.run("config", "--json", name, value)

    def fix_api_port(self, port: int) -> None:
        """Let the RPC be found at the same place after a restart."""
        self.run("config", "Addresses.API", f"/ip4/127.0.0.1/tcp/{port}")

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            self.binary,
            "daemon",
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        told = b""
        async with asyncio.timeout(_START_SECONDS):
            while b"Daemon is ready" not in told:
                line = await self.process.stdout.readline()
                assert line, told.decode()
                told += line
        self._drain = asyncio.create_task(self.process.stdout.read())

    async def stop(self) -> None:
        """End the daemon, whose repository stays."""
        if self.process is None:
            return
        self.process.terminate()
        await self.process.wait()
        await self._drain
        self.process = None

    async def connect(self, other: "KuboNode") -> None:
        """Dial another node's libp2p address on the loopback interface."""
        address = (await asyncio.to_thread(other.run, "id", "-f", "<addrs>")).decode()
        loopback = [a for a in address.split() if a.startswith("/ip4/127.0.0.1/tcp/")]
        await asyncio.to_thread(self.run, "swarm", "connect", loopback[0])

    def _file(self, name: str) -> str:
        return (self.repository / name).read_text(encoding="utf-8").strip()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "IPFS_PATH": str(self.repository), "IPFS_TELEMETRY": "off"}


def new_kubo(folder: Path) -> KuboNode:
    """Make a repository; skips the test where Kubo is missing."""
    node = KuboNode(folder, require("kubo"))
    node.init()
    return node


@asynccontextmanager
async def running_kubo(folder: Path) -> AsyncIterator[KuboNode]:
    """Start Kubo on a new repository, and end that very process afterwards."""
    node = await asyncio.to_thread(new_kubo, folder)
    try:
        await node.start()
        yield node
    finally:
        await node.stop()
