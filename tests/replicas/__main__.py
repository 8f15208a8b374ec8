"""Kill the leader of three processes again and again: `make replicas KILLS=20`.

Prints how long each hand-over took, and what was found. Exit code 1 if anything was wrong.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.replicas.campaign import Findings, play


def _report(found: Findings, seconds: float) -> str:
    times = sorted(found.handovers)
    median = statistics.median(times)
    return "\n".join(
        [
            f"kill -9          {len(times)} times, {seconds:.0f} s",
            f"hand-over        {times[0]:.1f} s to {times[-1]:.1f} s (median {median:.1f})",
            f"acknowledged     {len(found.acknowledged)} credentials",
            f"asked again      {dict(found.refused)}",
            f"checkpoints      {found.checkpoints}",
            f"transactions     {dict(found.transactions)}",
            f"wrong            {len(found.wrong)}",
            *(f"  {line}" for line in found.wrong[:50]),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make replicas")
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patunay-replicas-") as folder:
        found = asyncio.run(play(Path(folder), kills))
    sys.stdout.write(_report(found, time.monotonic() - began) + "\n")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
