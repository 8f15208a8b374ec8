"""Many small changes kept in one commit.

A commit waits for the disk, however little is in it. What comes while one is under way
waits together, and goes with the next: nobody waits for others to come. Who is told that
something is kept is told so after the commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from node.disk import StorageFailed

MOST: Final = 64
"""Changes in one commit: other writers wait for some 20 ms."""

Owner = TypeVar("Owner")
Item = TypeVar("Item")

Store: TypeAlias = Callable[
    [Owner, AsyncConnection, Sequence[Item]], Awaitable[Sequence[bool]]
]
"""Stores what it can of the items, in a write transaction that it is given; tells for each
whether it did. It writes nothing of those that it does not."""


@dataclass(slots=True)
class _Waiting:
    item: Any
    store: Any
    answer: asyncio.Future[bool]


class Till(Generic[Owner]):
    """Where changes of one process are handed in, in turn."""

    def __init__(
        self,
        owner: Owner,
        writing: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    ) -> None:
        self._owner = owner
        self._writing = writing
        self._queue: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, item: Item, store: Store[Owner, Item]) -> bool:
        """Return whether `store` stored `item`, once that is so for good.

        Raises:
            PatunayError: What `store` or the commit raised. As after any commit,
                `CommitUnknown` leaves open whether it is kept.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(item, store, loop.create_future())
        self._queue.append(waiting)
        if self._task is None:
            # In a context of its own: whoever came first must not stand for all.
            self._task = loop.create_task(self._work(), context=Context())
        return await waiting.answer

    async def _work(self) -> None:
        try:
            while self._queue:
                await self._settle(self._next_group())
        finally:
            self._task = None
            for waiting in self._queue:  # of a loop that is being closed
                waiting.answer.cancel()

    def _next_group(self) -> list[_Waiting]:
        """Take those that wait and are stored alike, in the order in which they came."""
        group = [self._queue.popleft()]
        while self._queue and len(group) < MOST and self._queue[0].store == group[0].store:
            group.append(self._queue.popleft())
        return group

    async def _settle(self, group: list[_Waiting]) -> None:
        try:
            answers = await self._store(group)
        except StorageFailed as e:
            _fail(group, e)
        except Exception as e:  # noqa: BLE001 - whatever it is: who waits is told
            if len(group) == 1:
                _fail(group, e)
            else:  # nothing is kept, and one of them is to blame
                for waiting in group:
                    await self._settle([waiting])
        else:
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        finally:
            for waiting in group:
                waiting.answer.cancel()  # where this task itself is cancelled

    async def _store(self, group: list[_Waiting]) -> Sequence[bool]:
        async with self._writing() as c:
            items = [waiting.item for waiting in group]
            stored: Sequence[bool] = await group[0].store(self._owner, c, items)
        return stored


def _fail(group: list[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
