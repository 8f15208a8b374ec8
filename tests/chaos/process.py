"""A node's process that works for a while, for stories that kill it.

python -m tests.chaos.process DIR TICKS
"""

import asyncio
import sys
from pathlib import Path

from node.home import Home
from tests.chaos.story import Life


async def main(root: str, ticks: str) -> None:
    async with Life.of(Home(Path(root))) as life:
        for _ in range(int(ticks)):
            await life.tick()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
