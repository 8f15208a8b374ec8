"""Where a case is judged: in the event loop's own thread, or beside it.

Most credentials take less time to judge than a thread takes to be woken, and a thread at
work makes the loop wait for the interpreter at each of its own system calls. So what is
sure to be short is judged at once. What a stranger can make long goes to one thread
beside the loop: its size, the lists and documents that were fetched for it, and blank
nodes that look alike, of which nobody can tell before they are counted.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from credentials.case import Case
from credentials.evidence import OWN_NODE, Obtained
from credentials.jsonld.look_alikes import TakesLonger, hurried
from credentials.judge import judge_case
from credentials.proof_chain import proof_entries
from credentials.report import Report
from node.tracing import span

LIGHT_BYTES: Final = 24 * 1024
"""Largest document that is judged at once: the worst of them take some 20 ms."""

LIGHT_PROOFS: Final = 2
"""Each costs a canonicalization of the document."""

LIGHT_STEPS: Final = 2_000
"""For blank nodes that look alike; some 5 ms."""

LIGHT_EVENTS: Final = 20
"""Key events of the issuer, each with its signature."""


class Judge:
    """Judges cases one beside the loop, and the short ones in it."""

    def __init__(self, judging: Callable[[Case], Report] = judge_case) -> None:
        self._judge = judging
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="judge")

    async def judge(self, case: Case, size: int) -> Report:
        """Return the report on `case`.

        Args:
            case: Gathered.
            size: Of its document, in bytes.
        """
        with span("judge"):
            if is_light(case, size):
                try:
                    with hurried(LIGHT_STEPS):
                        return self._judge(case)
                except TakesLonger:
                    pass
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._beside, self._judge, case)

    def close(self) -> None:
        """Judge no more; what is under way is not waited for."""
        self._beside.shutdown(wait=False, cancel_futures=True)


def is_light(case: Case, size: int) -> bool:
    """Tell whether a case is sure to be judged in a few milliseconds, look-alikes aside."""
    if size > LIGHT_BYTES or isinstance(case.evidence.log, Obtained):
        return False
    if len(proof_entries(case.document)) > LIGHT_PROOFS:
        return False
    found = case.evidence
    looked_up = (
        *found.did_documents.values(),
        *found.status_lists.values(),
        *found.histories.values(),
    )
    if any(isinstance(one, Obtained) and one.source != OWN_NODE for one in looked_up):
        return False
    return all(_is_short(one) for one in found.histories.values())


def _is_short(history: object) -> bool:
    events = history.value.get("events") if isinstance(history, Obtained) else None
    return not isinstance(events, list) or len(events) <= LIGHT_EVENTS
