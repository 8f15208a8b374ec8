"""Several processes, each with a node of its own, for one campaign."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from typing import Final

from tests.fuzz.campaign import Findings, run_inputs

WORKERS: Final = 2
_SHOW_SECONDS: Final = 10.0

_done: "Synchronized[int] | None" = None


def run_all(seed: int, count: int, say: Callable[[str], object]) -> Findings:
    """Send the inputs 0 to `count` of `seed`, and tell how far it is."""
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    found = Findings()
    with ProcessPoolExecutor(
        WORKERS, mp_context=context, initializer=_share, initargs=(done,)
    ) as pool:
        pending: set[Future[Findings]] = {
            pool.submit(_shard, seed, first, count) for first in range(WORKERS)
        }
        while pending:
            finished, pending = wait(pending, _SHOW_SECONDS, "FIRST_COMPLETED")
            say(f"{done.value} of {count}")
            for future in finished:
                found.add(future.result())
    return found


def _share(done: "Synchronized[int]") -> None:
    global _done  # noqa: PLW0603 - set once, when the worker starts
    _done = done


def _shard(seed: int, first: int, count: int) -> Findings:
    return asyncio.run(run_inputs(seed, range(first, count, WORKERS), _count))


def _count() -> None:
    if _done is not None:
        with _done.get_lock():
            _done.value += 1
