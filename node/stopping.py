"""When a process that serves a node has to end although nobody told it to."""

import asyncio

from node.disk import Disk


async def disk_failing(disk: Disk) -> None:
    """Return once `disk` has failed: whatever thread has met it."""
    loop = asyncio.get_running_loop()
    happened = asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(happened.set)

    with disk.listener(tell):
        await happened.wait()
