"""A node's process, for tests that kill it.

python -m tests.support.worker issue DIR ROWS   issue, anchor, end when all is settled
python -m tests.support.worker serve DIR PORT   the daemon, until a signal
"""

import asyncio
import sys
from pathlib import Path

from node.anchor_request import ANCHOR_NOW
from node.anchor_state import anchor_state
from node.backends import open_backend
from node.daemon import AnchorJob, run_daemon
from node.home import Home
from node.node import Node
from node.storage import ledger
from primitives.clock import SystemClock
from primitives.errors import PatunayError
from tests.support.nodes import PASSPHRASE, issue

_POLL_SECONDS = 0.05


def say(line: str) -> None:
    """Tell the test at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def work(home: Home, rows: int) -> None:
    """Do what an operator does: issue a file, anchor it now. Again, after each crash."""
    with home.hold():
        async with Node.open(home, SystemClock(), PASSPHRASE) as node:
            say("open")
            report = await issue(node, rows)
            say(f"issued {len(report.issued)} {len(report.earlier)}")
            async with node.writing() as c:
                await ledger.save_request(c, ANCHOR_NOW, node.now())
            backend = await open_backend(node)
            job = AnchorJob(node, backend)
            while not await _is_done(node):
                if not await job.tick():
                    await asyncio.sleep(_POLL_SECONDS)
            await backend.close()
    say("settled")


async def _is_done(node: Node) -> bool:
    async with node.reading() as c:
        waiting, _ = await ledger.queue_state(c)
        asked = await ledger.has_request(c, ANCHOR_NOW)
    return waiting == 0 and not asked and (await anchor_state(node)).settled


def main(action: str, root: str, number: str) -> int:
    home = Home(Path(root))
    try:
        if action == "issue":
            asyncio.run(work(home, int(number)))
        else:
            asyncio.run(
                run_daemon(
                    home,
                    SystemClock(),
                    PASSPHRASE,
                    on_ready=say,
                    port=int(number),
                )
            )
    except PatunayError as e:
        say(f"{e.code}: {e}")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
