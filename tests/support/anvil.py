"""A real Ethereum node, anvil, on a free port of the loopback interface."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.components import require

_START_SECONDS = 20
_LISTENING = re.compile(rb"Listening on (127\.0\.0\.1:[0-9]+)")


@asynccontextmanager
async def running_anvil(*arguments: str) -> AsyncIterator[str]:
    """Start anvil, give its URL, and end that very process afterwards.

    Skips the test where anvil is missing. Without arguments each transaction is mined soon
    after the answer to it; `--no-mining` waits for `evm_mine`.
    """
    process = await asyncio.create_subprocess_exec(
        require("anvil"),
        *("--host", "127.0.0.1", "--port", "0", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            while (
                found := _LISTENING.search(line := await process.stdout.readline())
            ) is None:
                assert line, "anvil ended before it listened"
        # Its later lines are thrown away: a full pipe would stop it.
        drain = asyncio.create_task(process.stdout.read())
        yield f"http://{found[1].decode()}"
    finally:
        # One signal only: sending a second one would race with asyncio for the exit code.
        if process.returncode is None:
            process.kill()
        await process.wait()
    await drain
