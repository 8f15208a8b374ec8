"""`make mutants`: breaks each check of the verifier once, and prints who notices.

Runs in copies of the tree, and goes on where the last run ended; see `memory.py`. Ends
with 1 if a mutant survives that `equivalent.py` does not explain.
"""

import argparse
import queue
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.memory import Memory
from tests.mutants.sites import Mutant, all_mutants
from tests.mutants.table import Verdict, render
from tests.mutants.watched import Watched
from tests.mutants.workshop import Workshop

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".mutants"
MEMORY = ROOT / "tests" / "mutants" / "noticed.txt"
TABLE = ROOT / "docs" / "mutants.md"
WORKERS = 2


def main() -> int:
    """Run all mutants, or those whose name holds a text."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="text in the names of the mutants")
    parser.add_argument("--fresh", action="store_true", help="forget what was killed")
    parser.add_argument(
        "--minutes", type=float, help="begin no mutant after these; the next run goes on"
    )
    parser.add_argument("--workers", type=int, default=WORKERS, help="copies to break")
    options = parser.parse_args()
    mutants = [m for m in all_mutants(ROOT) if options.only in m.name]
    end = inf if options.minutes is None else time.monotonic() + options.minutes * 60
    if options.fresh:
        MEMORY.unlink(missing_ok=True)
    memory = Memory(MEMORY, ROOT)
    verdicts = Run(memory, options.workers, end).judge(mutants)
    survivors = [v for v in verdicts if v.survived and v.name not in EQUIVALENT]
    for verdict in survivors:
        say(f"SURVIVED  {verdict.name}")
    killed = sum(v.killer is not None for v in verdicts)
    left = sum(not v.ran for v in verdicts)  # some of them noticed by an earlier run
    say(f"{len(verdicts)} mutants, {killed} killed, {len(survivors)} unexplained")
    say(f"{left} not begun" if left else "each was run")
    if not options.only:
        unknown = set(EQUIVALENT) - {v.name for v in verdicts}
        for name in sorted(unknown):
            say(f"explained, and no mutant: {name}")
        memory.forget_others(mutants)
        TABLE.write_text(render(verdicts, EQUIVALENT))
        return 1 if survivors or unknown else 0
    return 1 if survivors else 0


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass
class Run:
    """Works through mutants in several copies of the tree."""

    memory: Memory
    workers: int = WORKERS
    end: float = inf
    """When no further mutant is begun, as `time.monotonic` has it."""

    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    watching: threading.Lock = field(default_factory=threading.Lock)
    watched: Watched | None = None
    """Which tests come past which lines; found out when it is first asked for."""

    def judge(self, mutants: list[Mutant]) -> list[Verdict]:
        """Return what came of each, in order."""
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            shops: queue.Queue[Workshop] = queue.Queue()
            for number in range(self.workers):
                place = Path(folder) / str(number)
                place.mkdir()
                shops.put(Workshop.copy(ROOT, place))
            with ThreadPoolExecutor(self.workers) as pool:
                found = pool.map(
                    lambda m: self._one(m, shops, len(mutants)),
                    sorted(mutants, key=self._urgency),
                )
                by_name = {verdict.name: verdict for verdict in found}
            while not shops.empty():
                shops.get().bench.close()
        return [by_name[mutant.name] for mutant in mutants]

    def _urgency(self, mutant: Mutant) -> tuple[bool, bool]:
        """Registered checks come first, then those of which one test is to be run."""
        known = self.memory.known(mutant)
        return not mutant.where.startswith("check "), known is None

    def _tests_of(self, mutant: Mutant, shop: Workshop) -> list[str]:
        """Return the tests that come past it; first watch those that have changed."""
        with self.watching:
            if self.watched is None:
                say("finding out which tests run which lines")
                self.watched = Watched(CACHE / "watched", shop.tree)
                shop.watch(self.watched, say)
        return self.watched.tests_of(mutant)

    def _one(
        self,
        mutant: Mutant,
        shops: "queue.Queue[Workshop]",
        total: int,
    ) -> Verdict:
        before, same = self.memory.known(mutant) or (None, False)
        if same:
            return self._told(Verdict(mutant, before), total)
        if time.monotonic() > self.end:
            return self._told(Verdict(mutant, before, ran=False), total)
        shop = shops.get()
        killer = None
        if before:  # most likely it is noticed as it was before
            killer = shop.kill(mutant, [before])
        if killer is None:
            killer = shop.kill(mutant, self._tests_of(mutant, shop))
        shops.put(shop)
        if killer is not None:
            with self.lock:
                self.memory.note(mutant, killer)
        return self._told(Verdict(mutant, killer), total)

    def _told(self, verdict: Verdict, total: int) -> Verdict:
        with self.lock:
            self.counts["done"] += 1
            if verdict.survived and verdict.name not in EQUIVALENT:
                say(f"SURVIVED  {verdict.name}")
            if self.counts["done"] % 25 == 0:
                say(f"{self.counts['done']} of {total}")
        return verdict


if __name__ == "__main__":
    sys.exit(main())
