"""`make fuzz`: mutated inputs against the library, the HTTP API and the command line.

A fifth as many mutated trust packs, registries and foreign documents go to the library.

Ends with 1 if one of them is accepted that says what nobody signed, meets a bug, is
answered in another way by another door, or if the 99th percentile is too slow. Each such
input is kept in fuzz-failures/, and `make fuzz REPLAY=FILE` sends it again.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

from primitives.strict_json import parse_json_object
from tests.fuzz.campaign import SLOW_SECONDS, Findings, replay
from tests.fuzz.packs import fuzz_packs
from tests.fuzz.pool import run_all

KEPT: Final = Path("fuzz-failures")


def main() -> int:
    """Run all inputs, or replay one."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, metavar="N")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--replay", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.replay is not None:
        failure = parse_json_object(options.replay.read_bytes(), 1 << 24)
        found = asyncio.run(replay(failure))
        for each in found.failures:
            say(each["problem"])
        say(f"{len(found.failures)} of 2 failed")
        return 1 if found.failures else 0
    start = time.perf_counter()
    found = run_all(options.seed, options.count, say)
    packs = fuzz_packs(options.seed, options.count // 5)
    for outcome, number in sorted(packs.outcomes.items()):
        say(f"  {number:7,} {outcome}")
    for problem in packs.failures:
        say(f"FAILED {problem[:300]}")
    worst = _tell(found, options.seed, time.perf_counter() - start)
    return 1 if packs.failures else worst


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell(found: Findings, seed: int, seconds: float) -> int:
    say(f"seed {seed}, {seconds:.0f} s, {found.commands} also by the command line")
    for outcome, number in sorted(found.outcomes.items()):
        say(f"  {number:7,} {outcome}")
    say(f"  {found.neutral:7,} accepted, each of which says what was signed")
    is_slow = False
    for name, times in (
        ("library", found.library),
        ("HTTP", found.http),
        ("library, processor", found.library_cpu),
        ("HTTP, processor", found.http_cpu),
    ):
        times.sort()
        worst, index = times[-1]
        p50, p99 = (times[int(len(times) * q)][0] for q in (0.5, 0.99))
        is_slow = is_slow or (p99 > SLOW_SECONDS and "processor" in name)
        say(
            f"{name}: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms,"
            f" max {worst * 1e3:.1f} ms (input {index})"
        )
    for failure in found.failures:
        KEPT.mkdir(exist_ok=True)
        file = KEPT / f"{failure['seed']}-{failure['index']}.json"
        file.write_text(json.dumps(failure, indent=1))
        say(f"FAILED {file}: {failure['problem'].splitlines()[-1][:200]}")
    say(f"{len(found.failures)} failures")
    return 1 if found.failures or is_slow else 0


if __name__ == "__main__":
    sys.exit(main())
