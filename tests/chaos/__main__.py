"""Play many random histories: `python -m tests.chaos [SEEDS] [FIRST]`, or `make chaos`.

Prints one line for each history that fails, and a summary. Exit code 1 if one failed.
"""

import asyncio
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Final

from tests.chaos.story import STEPS, Outcome, Story
from tests.chaos.world import world

_SEEDS: Final = 500
_PER_CHAIN: Final = 10
"""Histories on one anvil: past some 900 blocks it forgets states that a reorganisation of
its own goes back to, and the contract with them."""


async def play(first: int, count: int) -> int:
    """Play the seeds from `first` on; return how many failed."""
    played: list[Outcome] = []
    failed = 0
    began = time.monotonic()
    for start in range(first, first + count, _PER_CHAIN):
        with tempfile.TemporaryDirectory(prefix="patunay-chaos-") as folder:
            async with world(Path(folder)) as stage:
                for seed in range(start, min(start + _PER_CHAIN, first + count)):
                    try:
                        played.append(await Story(stage, seed, Path(folder)).play())
                    except AssertionError:
                        failed += 1
                        _say(f"seed {seed} failed:\n{traceback.format_exc()}")
        _say(f"{len(played) + failed} of {count}, {time.monotonic() - began:.0f} s")
    _say(_summary(played, failed, time.monotonic() - began))
    return failed


def _summary(played: list[Outcome], failed: int, seconds: float) -> str:
    steps = Counter(step for outcome in played for step in outcome.steps)
    states: Counter[str] = Counter()
    for outcome in played:
        states.update(outcome.transactions)
    unhurt = [outcome.blocks for outcome in played if not outcome.stolen]
    stolen = [outcome.blocks for outcome in played if outcome.stolen]
    return "\n".join(
        [
            f"histories        {len(played)} sound, {failed} failed, {seconds:.0f} s",
            f"steps            {len(played) * STEPS}: {dict(steps.most_common())}",
            f"batches          {sum(o.batches for o in played)}, each anchored once",
            f"  by the next    {sum(o.covered for o in played)}",
            f"transactions     {dict(states.most_common())}",
            f"crashes          {sum(o.crashes for o in played)} in process",
            f"kill -9          {sum(o.kills for o in played)}",
            f"blocks to settle {dict(sorted(Counter(unhurt).items()))}",
            f"with a stolen nonce at the end {dict(sorted(Counter(stolen).items()))}",
        ]
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    count, first = ([int(a) for a in sys.argv[1:]] + [_SEEDS, 0][len(sys.argv) - 1 :])[:2]
    sys.exit(1 if asyncio.run(play(first, count)) else 0)
