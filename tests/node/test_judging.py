import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from credentials.case import Case
from credentials.evidence import OWN_NODE, Evidence, LogReading, Lookup, Missing, Obtained
from credentials.jsonld.loader import VC_V2
from credentials.jsonld.look_alikes import TakesLonger, hurried
from credentials.judge import judge_case
from credentials.policy import Policy
from node.judging import LIGHT_BYTES, LIGHT_EVENTS, Judge, is_light
from primitives.canonical_json import JsonObject
from tests.support.credentials_support import (
    ISSUER,
    NOW,
    REVOCATIONS,
    evidence,
    had,
    policy,
    signed,
)

UNDEFINED_TERMS = "https://www.w3.org/ns/credentials/undefined-terms/v2"


class _Watched(Judge):
    """Tells in which thread it judged."""

    def __init__(self) -> None:
        super().__init__(self.judge_here)
        self.threads: list[threading.Thread] = []

    def judge_here(self, case: Case) -> Any:
        self.threads.append(threading.current_thread())
        return judge_case(case)

    @property
    def here(self) -> list[bool]:
        return [thread is threading.main_thread() for thread in self.threads]


@pytest.fixture
def judge() -> Iterator[_Watched]:
    made = _Watched()
    yield made
    made.close()


def _own(found: Mapping[str, Lookup[JsonObject]]) -> dict[str, Lookup[JsonObject]]:
    return {
        name: replace(one, source=OWN_NODE) if isinstance(one, Obtained) else one
        for name, one in found.items()
    }


def _of_own_node(**changes: Any) -> Evidence:
    """Return the evidence on a credential of the node's own."""
    found = evidence(**changes)
    return replace(
        found,
        did_documents=_own(found.did_documents),
        status_lists=_own(found.status_lists),
    )


def _case(document: JsonObject | None = None, **changes: Any) -> Case:
    return Case(document or signed(), _of_own_node(**changes), policy(), NOW)


def _tree(shape: tuple[int, ...]) -> JsonObject:
    if not shape:
        return {"type": "A"}
    return {"type": "A", "p": [_tree(shape[1:]) for _ in range(shape[0])]}


def look_alike() -> JsonObject:
    """Return 2.5 KB whose blank nodes can hardly be told apart, with a proof of nobody."""
    document = signed()
    document["@context"] = [VC_V2, UNDEFINED_TERMS]
    document["credentialSubject"] = [_tree((8, 3, 1)) for _ in range(2)]
    return document


async def test_judges_a_usual_credential_at_once(judge: _Watched) -> None:
    case = _case()
    assert await judge.judge(case, 2_000) == judge_case(case)
    assert judge.here == [True]


async def test_judges_beside_the_loop_what_is_long(judge: _Watched) -> None:
    case = _case()
    assert await judge.judge(case, LIGHT_BYTES + 1) == judge_case(case)
    assert judge.here == [False]


async def test_judges_look_alikes_again_beside_the_loop(judge: _Watched) -> None:
    case = _case(look_alike())
    report = await judge.judge(case, 2_500)
    assert report.check("proof").code == "canonicalization-limit"
    assert report == judge_case(case)
    assert judge.here == [True, False]


async def test_a_hostile_credential_does_not_keep_the_loop_for_a_tenth_of_a_second(
    judge: _Watched,
) -> None:
    case = _case(look_alike())
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(judge.judge(case, 2_500) for _ in range(3)))
    ticking.cancel()
    assert 0.0 < longest < 0.1


def test_what_is_hurried_is_no_answer() -> None:
    with hurried(100), pytest.raises(TakesLonger):
        judge_case(_case(look_alike()))


@pytest.mark.parametrize(
    "case",
    [
        Case(signed(), evidence(), policy(), NOW),
        Case({**signed(), "proof": [signed()["proof"]] * 3}, _of_own_node(), policy(), NOW),
        _case(log=had(LogReading(()), OWN_NODE)),
        _case(histories={ISSUER: had({"events": [{}] * (LIGHT_EVENTS + 1)}, OWN_NODE)}),
    ],
    ids=["lists of strangers", "three proofs", "a log", "a long history"],
)
def test_is_not_light_with(case: Case) -> None:
    assert not is_light(case, 2_000)


@pytest.mark.parametrize(
    "case",
    [
        _case(),
        _case(histories={ISSUER: had({"events": [{}] * LIGHT_EVENTS}, OWN_NODE)}),
        _case(histories={ISSUER: had({"events": 1}, OWN_NODE)}),
        _case(status_lists={REVOCATIONS: Missing("x", "y")}),
        Case({}, Evidence(), Policy(), NOW),
    ],
    ids=["one's own", "a short history", "a broken one", "nothing had", "no credential"],
)
def test_is_light_with(case: Case) -> None:
    assert is_light(case, 2_000)


def test_the_hostile_sample_is_small() -> None:
    assert len(json.dumps(look_alike())) < LIGHT_BYTES
