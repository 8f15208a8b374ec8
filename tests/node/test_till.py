"""Changes that are kept together, each for whoever handed it in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from node.disk import StorageFailed
from node.till import MOST, Till
from primitives.errors import Rejected


class Unwanted(Rejected):
    code = "unwanted"


@dataclass
class Shelf:
    """A store in memory, whose commits happen when they are let."""

    kept: list[list[str]] = field(default_factory=list)
    tries: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    is_full: bool = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", None)
        await self.gate.wait()
        if self.is_full:
            raise StorageFailed("found no room")
        self.kept.append([item for item in self.tries[-1] if item[0] != "-"])


async def store(shelf: Shelf, _: AsyncConnection, items: Sequence[str]) -> list[bool]:
    shelf.tries.append(list(items))
    if "bad" in items:
        raise Unwanted("found it, want another")
    return [item[0] != "-" for item in items]


async def test_what_comes_during_a_commit_goes_together_with_the_next() -> None:
    shelf = Shelf()
    till = Till(shelf, shelf.writing)
    first = asyncio.create_task(till.put("a", store))
    await asyncio.sleep(0)
    others = [asyncio.create_task(till.put(item, store)) for item in ("b", "-c", "d")]
    await asyncio.sleep(0.01)
    assert not first.done()  # nobody is told before the commit
    shelf.gate.set()
    assert await first is True
    assert await asyncio.gather(*others) == [True, False, True]
    assert shelf.kept == [["a"], ["b", "d"]]


async def test_a_commit_holds_no_more_than_others_can_wait_for() -> None:
    shelf = Shelf()
    shelf.gate.set()
    till = Till(shelf, shelf.writing)
    items = [f"{n}" for n in range(2 * MOST + 3)]
    await asyncio.gather(*(till.put(item, store) for item in items))
    assert [item for group in shelf.kept for item in group] == items
    assert max(map(len, shelf.kept)) == MOST


async def test_who_spoils_a_commit_is_told_and_the_others_are_kept() -> None:
    shelf = Shelf()
    shelf.gate.set()
    till = Till(shelf, shelf.writing)
    answers = await asyncio.gather(
        *(till.put(item, store) for item in ("a", "bad", "b")), return_exceptions=True
    )
    assert answers[0] is answers[2] is True
    assert isinstance(answers[1], Unwanted)
    assert shelf.kept == [["a"], ["b"]]


async def test_a_store_that_fails_fails_for_all_and_is_not_asked_again() -> None:
    shelf = Shelf(is_full=True)
    till = Till(shelf, shelf.writing)
    puts = [asyncio.create_task(till.put(item, store)) for item in ("a", "b")]
    shelf.gate.set()
    for put in puts:
        with pytest.raises(StorageFailed, match="found no room"):
            await put
    assert shelf.tries == [["a", "b"]]
    shelf.is_full = False
    assert await till.put("c", store) is True


async def test_who_waits_no_longer_holds_up_nobody() -> None:
    shelf = Shelf()
    till = Till(shelf, shelf.writing)
    gone = asyncio.create_task(till.put("a", store))
    stays = asyncio.create_task(till.put("b", store))
    await asyncio.sleep(0.01)
    gone.cancel()
    shelf.gate.set()
    assert await stays is True
    assert gone.cancelled() or await asyncio.gather(gone, return_exceptions=True)
