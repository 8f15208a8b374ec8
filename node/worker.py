"""One of several processes that answer a node's requests. `node.workers` starts it.

python -P -m node.worker HOME NUMBER    NUMBER is that of the socket it has been handed
"""

import asyncio
import signal
import socket
import sys
from pathlib import Path

from node.acting import DAEMON, act_as
from node.answering import answering
from node.disk import DiskFailed
from node.home import Home
from node.logbook import load_tree
from node.logs import configure_logs
from node.metrics import Metrics
from node.node import Node
from node.stopping import disk_failing
from node.tracing import tracing
from node.workers import DISK_FAILED_STATUS, READY, decode_passphrase
from primitives.clock import SystemClock
from primitives.errors import PatunayError


async def run_worker(home: Home, listener: socket.socket) -> None:
    """Answer requests until the daemon says so, or is gone.

    Raises:
        DiskFailed: The disk did not take what was written.
        PatunayError: As `Node.open`.
    """
    act_as(DAEMON)
    configure_logs(home.config().log)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Ctrl-C reaches every process of the terminal: the daemon decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = await _orders()
    passphrase = decode_passphrase(await orders.readline())
    with tracing(home.config()):
        await _answer(home, listener, passphrase, orders, stop)


async def _answer(
    home: Home,
    listener: socket.socket,
    passphrase: bytes | None,
    orders: asyncio.StreamReader,
    stop: asyncio.Event,
) -> None:
    async with Node.open(home, SystemClock(), passphrase) as node:
        async with node.log_lock:
            await load_tree(node)
        async with answering(node, Metrics(), listener):
            sys.stdout.buffer.write(READY)
            sys.stdout.buffer.flush()
            listens = asyncio.create_task(_obey(node, orders))
            waits = asyncio.create_task(stop.wait())
            fails = asyncio.create_task(disk_failing(home.disk))
            reasons = {listens, waits, fails}
            await asyncio.wait(reasons, return_when=asyncio.FIRST_COMPLETED)
            for each in reasons:
                each.cancel()
    if home.disk.failure is not None:
        raise home.disk.failure


async def _orders() -> asyncio.StreamReader:
    """Return what the daemon says."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    return reader


async def _obey(node: Node, orders: asyncio.StreamReader) -> None:
    """Take the passphrase when it comes; return when the daemon has no more to say."""
    while line := await orders.readline():
        passphrase = decode_passphrase(line)
        if passphrase is not None:
            await node.unseal(passphrase)


def main(root: str, number: str) -> int:
    """Run one worker; return its exit code."""
    try:
        asyncio.run(run_worker(Home(Path(root)), socket.socket(fileno=int(number))))
    except PatunayError as e:
        sys.stderr.write(f"patunay: error: {e} ({e.code})\n")
        return DISK_FAILED_STATUS if isinstance(e, DiskFailed) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
