"""`make soak`: a daemon under load for minutes, whose memory has to stay flat.

Verifies and issues by turns over two processes, and looks at their memory twelve times.
The first third is left out: caches fill, and the interpreter takes what it will keep. As
much is issued then as verified, since each connection to the database keeps 2 MB of pages
that only a database of some size fills.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import linear_regression
from typing import Final

import click

from benchmarks.daemons import PASSPHRASE, make_home, request, send, serving
from benchmarks.documents import SUITES, batches
from benchmarks.load import MANY_CONNECTIONS, issued, unsigned_request
from node.access import create_token
from node.node import Node
from node.permissions import Role
from primitives.clock import SystemClock

LOOKS: Final = 12
ALLOWED: Final = 0.05
_CREDENTIALS: Final = 300
_ISSUED_OF: Final = 10
"""So many are verified for one that is issued."""


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True)
def main(minutes: float) -> None:
    """Load a daemon for so long; exit code 1 if its memory has grown by over 5 %."""
    sizes = asyncio.run(soak(minutes * 60))
    growth = growth_of(sizes)
    slope = slope_of(sizes, minutes / LOOKS) / 1e6
    click.echo(f"slope {slope:+.2f} MB a minute after the first third")
    click.echo(f"grew by {growth:+.1%} after the first third, want at most {ALLOWED:.0%}")
    sys.exit(growth > ALLOWED)


def growth_of(sizes: list[int]) -> float:
    """Return how much larger the last third is than the one before it."""
    third = len(sizes) // 3
    settled, last = sizes[third : 2 * third], sizes[2 * third :]
    return (sum(last) / len(last)) / (sum(settled) / len(settled)) - 1


def slope_of(sizes: list[int], minutes: float) -> float:
    """Return how many bytes are added a minute: the line nearest to the last two thirds.

    Args:
        sizes: In memory, one look after the other.
        minutes: From one look to the next.
    """
    settled = sizes[len(sizes) // 3 :]
    return linear_regression([n * minutes for n in range(len(settled))], settled).slope


async def soak(seconds: float, credentials: int = _CREDENTIALS) -> list[int]:
    """Return the bytes in memory at each look."""
    sizes: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        home = await make_home(Path(folder))
        bodies = await issued(home, batches(1)[0], SUITES[1], credentials)
        async with Node.open(home, SystemClock(), PASSPHRASE.encode()) as node:
            _, secret = await create_token(node, "soak", [Role.SIGNER])
        with serving(home, workers=2) as daemon:
            bearer = f"Authorization: Bearer {secret}"
            asked = [request(daemon.port, "/credentials/verify", body) for body in bodies]
            wanted = [
                request(daemon.port, "/credentials/issue", unsigned_request(body), bearer)
                for body in bodies[: credentials // _ISSUED_OF]
            ]
            filling = asked + wanted * _ISSUED_OF
            start, sent = time.monotonic(), 0
            _tell(0, 0, daemon.memory_bytes())
            while len(sizes) < LOOKS:
                now = filling if len(sizes) < LOOKS // 3 else asked + wanted
                await send(daemon, now, MANY_CONNECTIONS)
                sent += len(now)
                if time.monotonic() - start >= seconds * (len(sizes) + 1) / LOOKS:
                    sizes.append(daemon.memory_bytes())
                    _tell(time.monotonic() - start, sent, sizes[-1])
    return sizes


def _tell(seconds: float, sent: int, size: int) -> None:
    click.echo(f"{seconds / 60:5.1f} min  {sent:9,} requests  {size / 1e6:7.1f} MB")


if __name__ == "__main__":
    main()
