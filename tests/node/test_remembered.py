from collections.abc import Hashable, Mapping
from typing import Any

from sqlalchemy import Executable, Result

from node.storage.remembered import Remembered


class Reader:
    """Sees the version that it is told."""

    def __init__(self, version: Hashable) -> None:
        self.seen = version

    async def version(self) -> Hashable:
        return self.seen

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]:
        raise AssertionError((statement, parameters))


class Reading:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> int:
        self.times += 1
        return self.times


async def test_what_nobody_has_changed_is_read_once() -> None:
    kept, read = Remembered[str, int](2), Reading()
    assert [await kept.get(Reader(1), "a", read) for _ in range(3)] == [1, 1, 1]
    assert await kept.get(Reader(1), "b", read) == 2
    assert await kept.get(Reader(1), "a", read) == 1


async def test_nothing_is_kept_past_a_change_and_none_of_an_earlier_state_comes_back() -> (
    None
):
    kept, read = Remembered[str, int](2), Reading()
    for version, found in ((1, 1), (2, 2), (2, 2), (1, 3)):
        assert await kept.get(Reader(version), "a", read) == found


async def test_what_is_read_while_others_ask_of_a_later_state_is_not_kept_for_it() -> None:
    kept, read = Remembered[str, int](2), Reading()

    async def overtaken() -> int:
        await kept.get(Reader("later"), "b", read)
        return 0

    assert await kept.get(Reader("early"), "a", overtaken) == 0
    assert await kept.get(Reader("later"), "a", read) == 2


async def test_where_no_version_is_told_everything_is_read_anew() -> None:
    kept, read = Remembered[str, int](2), Reading()
    assert [await kept.get(Reader(None), "a", read) for _ in range(2)] == [1, 2]
    assert len(kept) == 0


async def test_keeps_as_many_as_it_may() -> None:
    kept, read = Remembered[str, int](2), Reading()
    for key in ("a", "b", "a", "c"):
        await kept.get(Reader(1), key, read)
    assert len(kept) == 2
    assert await kept.get(Reader(1), "a", read) == 1
    assert await kept.get(Reader(1), "b", read) == 4
