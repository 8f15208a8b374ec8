import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from anchoring.memory import MemoryAnchor
from node.anchoring import Anchorer
from node.following import Follower
from node.home import Home
from node.leading import LeaderElsewhere, lead, leader_elsewhere, leading
from node.logbook import close_batch
from node.node import LEADING, Node
from node.publishing import log_file, status_list_file
from node.setup import add_issuer
from node.status import revoke
from node.storage.leases import LeaseLost, begin_term, find_lease, prolong, require_term
from tests.support.nodes import issue, meddle, opened, query

ON_BOTH_STORES = (
    "test_a_term_ends_by_the_databases_clock_and_the_next_has_another_number",
    "test_of_many_that_want_it_one_begins",
    "test_who_was_overtaken_prolongs_and_writes_nothing",
    "test_a_leader_that_slept_signs_no_checkpoint_and_sends_nothing",
    "test_a_stored_transaction_is_not_sent_by_who_was_overtaken",
    "test_a_job_that_fails_ends_the_leading",
)

# Several processes at once have a database that is no file.
shared = pytest.mark.parametrize("store", ["postgres"], indirect=True)


async def begin(node: Node, holder: str, milliseconds: int, **how: bool) -> int | None:
    async with node.writing() as c:
        return await begin_term(c, LEADING, holder, milliseconds, **how)


async def test_a_term_ends_by_the_databases_clock_and_the_next_has_another_number(
    node: Node,
) -> None:
    assert await begin(node, "a", 60_000) == 1
    assert await begin(node, "b", 60_000) is None
    async with node.writing_aside() as c:
        await prolong(c, LEADING, 1, 300)
    assert await begin(node, "b", 60_000) is None
    await asyncio.sleep(0.4)
    assert await begin(node, "b", 60_000) == 2
    async with node.reading() as c:
        lease = await find_lease(c, LEADING)
    assert lease is not None
    assert (lease.holder, lease.fence, lease.is_over) == ("b", 2, False)


async def test_of_many_that_want_it_one_begins(home: Home) -> None:
    async with opened(home) as one, opened(home) as other:
        terms = await asyncio.gather(
            *(begin(node, f"{n}", 60_000) for n, node in enumerate([one, other] * 5))
        )
    assert sorted(str(term) for term in terms) == ["1", *["None"] * 9]


async def test_who_was_overtaken_prolongs_and_writes_nothing(node: Node) -> None:
    first = await begin(node, "a", 0)
    assert first == 1
    assert await begin(node, "b", 60_000) == 2
    with pytest.raises(LeaseLost, match="term 1 of leading is over") as caught:
        async with node.writing_aside() as c:
            await prolong(c, LEADING, first, 60_000)
    assert caught.value.code == "lease-lost"
    with pytest.raises(LeaseLost, match="found term 2 of leading, want 1"):
        async with node.writing() as c:
            await require_term(c, LEADING, first)


async def test_a_leader_that_slept_signs_no_checkpoint_and_sends_nothing(
    node: Node, home: Home
) -> None:
    chain = MemoryAnchor()
    await issue(node, 3)
    node.term = await begin(node, "a", 0)
    await close_batch(node)
    anchorer = Anchorer(node, chain, 1)
    # It sleeps here, and another one takes over.
    assert await begin(node, "b", 60_000) == 2
    with pytest.raises(LeaseLost):
        await anchorer.step()
    assert chain.writes == 0
    assert query(home, "SELECT count(*) FROM transactions") == [(0,)]
    await issue(node, 5)
    with pytest.raises(LeaseLost):
        await close_batch(node)
    assert query(home, "SELECT count(*) FROM checkpoints") == [(1,)]
    assert query(home, "SELECT count(*) FROM entries WHERE leaf_index IS NULL") == [(2,)]


async def test_a_stored_transaction_is_not_sent_by_who_was_overtaken(
    node: Node, home: Home
) -> None:
    chain = MemoryAnchor()
    await issue(node, 3)
    node.term = await begin(node, "a", 0)
    await close_batch(node)
    anchorer = Anchorer(node, chain, 1)
    await anchorer.step()
    meddle(home, "UPDATE transactions SET state = 'stored'")
    sent = chain.writes
    assert await begin(node, "b", 60_000) == 2
    with pytest.raises(LeaseLost):
        await anchorer.step()
    assert chain.writes == sent


@shared
async def test_one_leads_and_the_next_goes_on_when_it_ends(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.leading._PAUSE_SECONDS", 0.05)
    order: list[str] = []

    async def work(name: str) -> None:
        order.append(name)
        await asyncio.Event().wait()

    async with opened(home) as one, opened(home) as other:
        first = asyncio.create_task(lead(one, [lambda: work("one")]))
        await _until(lambda: order == ["one"])
        second = asyncio.create_task(lead(other, [lambda: work("other")]))
        await asyncio.sleep(0.3)
        assert order == ["one"]
        assert await leader_elsewhere(other) is not None
        with pytest.raises(LeaderElsewhere, match="leads") as caught:
            async with leading(other):
                raise AssertionError
        assert caught.value.code == "leader-elsewhere"
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert one.term is None
        await _until(lambda: order == ["one", "other"])  # at once: the first resigned
        # Overtaken without knowing it: the jobs end, and it waits for its turn again.
        meddle(home, "UPDATE leases SET fence = fence + 1, expires = 0")
        await _until(lambda: order == ["one", "other", "other"])
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_a_job_that_fails_ends_the_leading(node: Node) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lead(node, [fail])
    assert node.term is None


async def test_alone_on_a_database_nothing_is_waited_for(node: Node) -> None:
    """On SQLite: what a killed process left behind, after the kernel gave its lock back."""
    assert await begin(node, "killed", 3_600_000) == 1
    assert await leader_elsewhere(node) is None
    async with leading(node):
        assert node.term == 2


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is in a database
            await asyncio.sleep(0.02)


# The static files of the others


@pytest.fixture
async def two(home: Home, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    """Two processes with a folder each, on one database."""
    shutil.copytree(home.root, tmp_path / "second")
    async with opened(home) as one, opened(Home(tmp_path / "second")) as other:
        yield one, other


@shared
async def test_what_one_changes_the_others_show(two: tuple[Node, Node]) -> None:
    one, other = two
    follower = Follower(other)
    await follower.look()
    uuid = (await issue(one, 3)).issued[0]
    await follower.look()
    (url,) = {row[0] for row in query(one.home, "SELECT url FROM status_lists")}
    files = [status_list_file(n.home, n.config, url) for n in two]
    assert files[0].read_bytes() == files[1].read_bytes()
    await revoke(one, uuid, "a mistake")
    assert files[0].read_bytes() != files[1].read_bytes()
    await follower.look()
    assert files[0].read_bytes() == files[1].read_bytes()
    await close_batch(one)
    await follower.look()
    notes = [log_file(n.home, "checkpoint").read_bytes() for n in two]
    assert notes[0] == notes[1]
    shown = [
        {str(p.relative_to(n.home.public)): p.read_bytes() for p in _files(n)} for n in two
    ]
    assert shown[0] == shown[1]
    await add_issuer(one, "sdo-batangas", "Another")
    await follower.look()
    assert (other.home.public / "issuers" / "sdo-batangas" / "did.json").is_file()


def _files(node: Node) -> list[Path]:
    return [p for p in node.home.public.rglob("*") if p.is_file()]


@shared
async def test_nothing_is_written_where_nothing_changed(two: tuple[Node, Node]) -> None:
    one, other = two
    await issue(one, 2)
    await close_batch(one)
    follower = Follower(other)
    await follower.look()
    before = {p: p.stat().st_mtime_ns for p in _files(other)}
    await follower.look()
    assert before == {p: p.stat().st_mtime_ns for p in _files(other)}


@shared
async def test_both_sign_and_one_log_grows(two: tuple[Node, Node]) -> None:
    one, other = two
    reports = await asyncio.gather(issue(one, 6), issue(other, 6))
    assert sorted(len(r.issued) for r in reports) == [0, 6]
    await close_batch(one)
    await issue(other, 9)
    made = await close_batch(other)
    assert made is not None
    assert query(one.home, "SELECT count(*), max(leaf_index) FROM entries") == [(11, 10)]
