"""Restore at many random moments, from and into both stores: `make restore-drill N=100`.

Prints how far behind the copies were. Exit code 1 if one did not fit what was published.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path

from node.config_tables import DatabaseConfig
from node.reconciling import Reconciliation
from tests.restore_drill.drill import play
from tests.support.nodes import make_home_here
from tests.support.postgres import Cluster, drop, running_cluster

STORES = ("sqlite", "postgres")


async def _play(count: int, cluster: Cluster) -> tuple[list[Reconciliation], int]:
    """From each store; into the same one, and in turn into the other."""
    found: list[Reconciliation] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="patunay-restore-") as root:
        made = {
            "sqlite": await make_home_here(Path(root) / "made"),
            "postgres": await make_home_here(
                Path(root) / "made-postgres", database=DatabaseConfig(url=cluster.create())
            ),
        }
        for seed in range(count):
            for n, source in enumerate(STORES):
                target = STORES[(seed + n) % 2]
                folder = Path(root) / f"{seed}-{source}"
                url = cluster.create() if target == "postgres" else ""
                try:
                    place = DatabaseConfig(url=url) if url else None
                    found.append(await play(made[source], folder, seed, place))
                except Exception:  # noqa: BLE001 - counted, and the next one is tried
                    failed += 1
                    words = f"seed {seed}, {source} to {target}:\n{traceback.format_exc()}"
                    sys.stdout.write(words)
                if url:
                    drop(url)
    return found, failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make restore-drill")
    parser.add_argument("--count", type=int, default=100)
    count = parser.parse_args().count
    logging.disable(logging.WARNING)
    began = time.monotonic()
    with running_cluster() as cluster:
        found, failed = asyncio.run(_play(count, cluster))
    behind = sum(one.published > one.before for one in found)
    lost = sum(one.lost for one in found)
    sys.stdout.write(
        f"drills      {len(found)} sound, {failed} failed,"
        f" {time.monotonic() - began:.0f} s\n"
        f"behind      {behind} copies; {len(found) - behind} knew all that was published\n"
        f"lost        {lost} leaves without document, told as such\n"
        f"lists       {sum(one.lists for one in found)} taken over\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
