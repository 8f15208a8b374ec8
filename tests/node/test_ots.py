"""Checkpoints are stamped by a calendar on loopback, honest and lying."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from anchoring.ots import OtsMalformed, OtsMismatch, parse_stamp, stamp_digest, verify_stamp
from node.calendars import CalendarUnreachable, new_session
from node.config import Config
from node.config_checks import ConfigInvalid
from node.home import Home
from node.logbook import close_batch
from node.node import Node
from node.ots import OtsJob, stamp_latest, upgrade_stamps
from node.peers import CalendarMalformed, parse_calendars
from node.storage import anchor_store
from node.storage.stamps import StoredStamp, find_stamp
from primitives.hashing import Digest
from tests.support.calendar import HEIGHT, Calendar, running_calendar
from tests.support.nodes import issue, opened


@pytest.fixture
async def calendar() -> AsyncIterator[Calendar]:
    async with running_calendar() as calendar:
        yield calendar


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


async def latest(node: Node) -> tuple[int, Digest]:
    async with node.reading() as c:
        found = await anchor_store.latest_checkpoint(c)
    assert found is not None
    return found.tree_size, stamp_digest(found.note, node.vkey)


async def stored(node: Node, calendar: Calendar) -> StoredStamp:
    size, _ = await latest(node)
    async with node.reading() as c:
        found = await find_stamp(c, size, calendar.url)
    assert found is not None
    return found


async def test_a_checkpoint_is_stamped_and_upgraded_to_a_block(
    home: Home, calendar: Calendar, session: aiohttp.ClientSession
) -> None:
    async with opened(home) as node:
        assert await stamp_latest(node, calendar.url, session) is False
        await issue(node, 2)
        await close_batch(node)
        size, digest = await latest(node)
        assert await stamp_latest(node, calendar.url, session) is True
        assert await stamp_latest(node, calendar.url, session) is False
        assert calendar.digests == [digest]
        assert await upgrade_stamps(node, calendar.url, session) == 0
        assert (await stored(node, calendar)).height is None
    calendar.mined = True
    # Another process goes on where the first ended.
    async with opened(home) as node:
        assert await upgrade_stamps(node, calendar.url, session) == 1
        assert await upgrade_stamps(node, calendar.url, session) == 0
        found = await stored(node, calendar)
        assert (found.tree_size, found.height, found.problem) == (size, HEIGHT, None)
        headers = {HEIGHT: calendar.header_of(digest)}
        verify_stamp(parse_stamp(found.stamp or b""), digest, headers)
        await issue(node, 5)
        await close_batch(node)
        assert await stamp_latest(node, calendar.url, session) is True
    assert len(calendar.digests) == 2


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ("down", "calendar-unreachable"),
        ("elsewhere", "calendar-unreachable"),
        ("endless", "calendar-unreachable"),
        ("half", "ots-malformed"),
        ("silent", "ots-malformed"),
    ],
)
async def test_a_lie_is_written_down_and_nothing_is_kept(
    node: Node, calendar: Calendar, session: aiohttp.ClientSession, lie: str, code: str
) -> None:
    await issue(node, 1)
    await close_batch(node)
    calendar.lie = lie
    for attempts in (1, 2):
        with pytest.raises((CalendarUnreachable, OtsMalformed)):
            await stamp_latest(node, calendar.url, session)
        found = await stored(node, calendar)
        assert (found.stamp, found.attempts) == (None, attempts)
        assert found.problem is not None
        assert found.problem.endswith(f"({code})")
    assert calendar.asked == []
    calendar.lie = ""
    assert await stamp_latest(node, calendar.url, session) is True
    assert (await stored(node, calendar)).problem is None


async def test_a_lie_about_a_promise_leaves_the_stamp_as_it_was(
    node: Node, calendar: Calendar, session: aiohttp.ClientSession
) -> None:
    await issue(node, 1)
    await close_batch(node)
    await stamp_latest(node, calendar.url, session)
    before = (await stored(node, calendar)).stamp
    calendar.mined = True
    for lie in ("half", "endless", "down", "silent"):
        calendar.lie = lie
        with pytest.raises((CalendarUnreachable, OtsMalformed)):
            await upgrade_stamps(node, calendar.url, session)
        found = await stored(node, calendar)
        assert (found.stamp, found.height) == (before, None)
        assert found.problem is not None
        assert ("over 4096 bytes" in found.problem) == (lie == "endless")


async def test_a_stamp_of_something_else_convinces_nobody(
    node: Node, calendar: Calendar, session: aiohttp.ClientSession
) -> None:
    await issue(node, 1)
    await close_batch(node)
    await stamp_latest(node, calendar.url, session)
    calendar.mined, calendar.lie = True, "wrong-digest"
    assert await upgrade_stamps(node, calendar.url, session) == 1
    stamp = parse_stamp((await stored(node, calendar)).stamp or b"")
    _, digest = await latest(node)
    with pytest.raises(OtsMismatch, match="another Merkle root"):
        verify_stamp(stamp, digest, {HEIGHT: calendar.header_of(digest)})


async def test_the_job_stamps_by_itself_and_waits_longer_for_one_that_is_down(
    node: Node, calendar: Calendar
) -> None:
    await issue(node, 1)
    await close_batch(node)
    async with running_calendar() as other:
        other.lie = "down"
        node.config = replace(node.config, ots_calendars=f"{other.url} {calendar.url}/")
        job = asyncio.create_task(OtsJob(node).run())
        await asyncio.wait_for(calendar.was_asked.wait(), 10)
        job.cancel()
        await asyncio.wait([job])
        assert (await stored(node, calendar)).stamp is not None
        assert (await stored(node, other)).attempts == 1


@pytest.mark.parametrize(
    "text",
    [
        "calendar.example",
        "http://calendar.example",
        "ftp://calendar.example",
        "https://",
        "https://a.example https://a.example/",
        " ".join(f"https://{n}.example" for n in range(5)),
        "https://a.example/" + "x" * 250,
    ],
)
def test_a_calendar_that_is_no_https_url_is_refused(text: str) -> None:
    with pytest.raises(CalendarMalformed):
        parse_calendars(text)
    with pytest.raises(ConfigInvalid, match="ots_calendars"):
        Config(domain="school.example", ots_calendars=text)


def test_nobody_is_asked_by_default() -> None:
    assert Config(domain="school.example").calendars == ()
