"""One process of a node, which can be killed."""

import asyncio
import sys
from dataclasses import dataclass

from node.home import Home
from tests.support.components import ROOT

_START_SECONDS = 60


@dataclass
class Replica:
    """A data folder, and the daemon on it while there is one."""

    home: Home
    process: asyncio.subprocess.Process | None = None
    url: str = ""

    async def start(self) -> None:
        """Start a daemon; return when it answers."""
        said = self.home.root / "stderr.txt"
        with said.open("wb") as file:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.support.worker", "serve", str(self.home.root), "0"),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(_START_SECONDS):
            self.url = (await self.process.stdout.readline()).decode().strip()
        assert self.url.startswith("http://"), said.read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        """Number of its process; 0 while there is none."""
        return self.process.pid if self.process is not None else 0

    async def kill(self) -> None:
        """End the daemon with signal 9, in whatever it does."""
        if self.process is not None and self.process.returncode is None:
            self.url = ""
            self.process.kill()
            await self.process.wait()
        self.process = None
