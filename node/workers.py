"""More processes that answer requests, on the daemon's own socket.

The daemon starts them, hands each its passphrase over a pipe, starts another where one
dies, and ends them with itself. They answer HTTP and nothing else: what is done once for a
node (anchoring, publishing, signing what was left) is the daemon's.

    daemon to worker, its standard input: `sealed`, or `passphrase ` and base64; once it is
        unsealed, the latter. The end of it tells the worker to stop, also where the
        daemon was killed.
    worker to daemon, its standard output: `ready`; as its exit status: that the disk has
        failed under it, which ends the daemon too
"""

import asyncio
import base64
import logging
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from node.disk import DiskFailed
from node.home import Home
from node.listening import GRACE_SECONDS
from node.metrics import forget_process
from primitives.errors import Misconfigured

logger = logging.getLogger(__name__)

SEALED: Final = b"sealed\n"
READY: Final = b"ready\n"
_PASSPHRASE: Final = b"passphrase "

DISK_FAILED_STATUS: Final = 74
"""With which a worker ends whose disk did not take what was written."""

START_SECONDS: Final = 60.0
"""How long a worker may take until it answers: it unlocks the keys and reads the log."""

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
"""Before another worker is started in the place of one that has died."""


class WorkersNotReady(Misconfigured):
    """The processes that are to answer requests do not start."""

    code = "workers-not-ready"
    hint = "their own messages say why; serve.workers = 1 does without them"


def encode_passphrase(passphrase: bytes | None) -> bytes:
    """Return the line that hands a worker its passphrase; None leaves it sealed."""
    if passphrase is None:
        return SEALED
    return _PASSPHRASE + base64.b64encode(passphrase) + b"\n"


def decode_passphrase(line: bytes) -> bytes | None:
    """Return the passphrase in a line of `encode_passphrase`; None while sealed."""
    if not line.startswith(_PASSPHRASE):
        return None
    return base64.b64decode(line.removeprefix(_PASSPHRASE))


class WorkerPool:
    """Keeps a number of workers running."""

    def __init__(self, home: Home, passphrase: bytes | None, count: int) -> None:
        """Take what each is started with.

        Args:
            home: Held by the daemon.
            passphrase: Opens the key store; None leaves them sealed until `unseal`. Kept,
                for those that are started later.
            count: How many, the daemon itself not counted.
        """
        self._home = home
        self._passphrase = passphrase
        self.count = count
        self._processes: dict[int, Process] = {}
        self._ready: set[int] = set()
        self._all_ready = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [process.pid for process in self._processes.values()]

    @asynccontextmanager
    async def running(self, listener: socket.socket) -> AsyncIterator[None]:
        """Keep them running while inside, from when each has answered for the first time.

        Args:
            listener: What they answer at.

        Raises:
            WorkersNotReady: They do not come so far.
            DiskFailed: The disk did not take what one of them wrote.
        """
        keeping = [
            asyncio.create_task(self._keep(place, listener)) for place in range(self.count)
        ]
        try:
            await self._wait_for_all()
            self._home.disk.require_sound()
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await asyncio.gather(*map(_stop, self._processes.values()))

    def unseal(self, passphrase: bytes) -> None:
        """Hand the passphrase to those that run, and to those to come."""
        self._passphrase = passphrase
        for process in self._processes.values():
            if process.stdin is not None:
                process.stdin.write(encode_passphrase(passphrase))

    async def _wait_for_all(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._all_ready.wait()
        except TimeoutError as e:
            raise WorkersNotReady(
                f"found {len(self._ready)} workers after {START_SECONDS:g} seconds, "
                f"want {self.count}"
            ) from e

    async def _keep(self, place: int, listener: socket.socket) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            process = await self._start(listener)
            self._processes[place] = process
            if await _is_ready(process):
                pause = FIRST_PAUSE_SECONDS
                self._ready.add(place)
                if len(self._ready) == self.count:
                    self._all_ready.set()
            status = await process.wait()
            forget_process(process.pid)
            if status == DISK_FAILED_STATUS:
                self._home.disk.fail(DiskFailed("a worker could not write to the disk"))
                self._all_ready.set()
                return
            logger.warning("a worker ended with status %d; another is started", status)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _start(self, listener: socket.socket) -> Process:
        number = listener.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # whatever lies in the current folder is no module of ours
            "-m",
            "node.worker",
            str(self._home.root),
            str(number),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(number,),
        )
        if process.stdin is not None:
            process.stdin.write(encode_passphrase(self._passphrase))
        return process


async def _is_ready(process: Process) -> bool:
    """Tell whether a worker came so far as to answer; one that hangs is ended."""
    if process.stdout is None:
        return False
    try:
        async with asyncio.timeout(START_SECONDS):
            return await process.stdout.readline() == READY
    except TimeoutError:
        process.kill()
        return False


async def _stop(process: Process) -> None:
    """Let a worker finish what is in hand; kill one that does not come to an end."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(GRACE_SECONDS + 2):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    forget_process(process.pid)
