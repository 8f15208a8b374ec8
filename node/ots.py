"""Stamping the own checkpoints through OpenTimestamps calendars, a second time source.

    checkpoint stored -> digest submitted -> pending stamp kept -> upgraded to a block

Each calendar is asked for itself about the latest checkpoint, which commits to all before.
An answer that got lost is asked for again, which changes nothing. Nothing waits for it.
"""

import asyncio
import logging
from typing import Final

import aiohttp

from anchoring.ots import (
    PendingAt,
    begin_stamp,
    parse_stamp,
    require_library,
    stamp_digest,
    upgrade_stamp,
)
from node.calendars import (
    CalendarUnreachable,
    ask_commitment,
    new_session,
    submit_digest,
)
from node.node import Node
from node.storage import anchor_store
from node.storage.stamps import (
    StoredStamp,
    find_stamp,
    pending_stamps,
    save_problem,
    save_stamp,
)
from primitives.errors import PatunayError

logger = logging.getLogger(__name__)

_TICK_SECONDS: Final = 1.0
_MAX_WAIT_SECONDS: Final = 300.0
_UPGRADE_SECONDS: Final = 600.0
"""Between two questions about what is pending: a block takes that long."""

_MAX_PROMISES: Final = 4
"""Commitments of one stamp that are asked about."""


async def stamp_latest(node: Node, calendar: str, session: aiohttp.ClientSession) -> bool:
    """Submit the latest checkpoint; return whether there was anything to submit.

    Raises:
        CalendarUnreachable, OtsMalformed: No usable answer; that is written down.
    """
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
        size = latest.tree_size if latest is not None else 0
        known = await find_stamp(c, size, calendar)
    if latest is None or (known is not None and known.stamp is not None):
        return False
    try:
        digest = stamp_digest(latest.note, node.vkey)
        raw = begin_stamp(digest, await submit_digest(session, calendar, digest))
        await _keep(node, size, calendar, raw)
    except PatunayError as e:
        await _write_down(node, size, calendar, e)
        raise
    return True


async def upgrade_stamps(node: Node, calendar: str, session: aiohttp.ClientSession) -> int:
    """Ask about every stamp that is pending, oldest first; return how many got a block.

    Raises:
        CalendarUnreachable, OtsMalformed: No usable answer about one of them; that is
            written down, and the others were asked about.
    """
    async with node.reading() as c:
        waiting = await pending_stamps(c, calendar)
    done, failed = 0, list[PatunayError]()
    for stored in waiting:
        try:
            done += await _upgrade(node, stored, session)
        except PatunayError as e:
            await _write_down(node, stored.tree_size, calendar, e)
            failed.append(e)
            if isinstance(e, CalendarUnreachable):
                # It is down; the others would wait for it in vain.
                break
    if failed:
        raise failed[0]
    return done


async def _upgrade(node: Node, stored: StoredStamp, session: aiohttp.ClientSession) -> bool:
    raw = stored.stamp or b""
    for promise in _promises(raw):
        answer = await ask_commitment(session, stored.calendar, promise.commitment)
        if answer is None:
            continue
        better = upgrade_stamp(raw, promise.commitment, answer)
        if parse_stamp(better).blocks:
            await _keep(node, stored.tree_size, stored.calendar, better)
            return True
    return False


def _promises(raw: bytes) -> tuple[PendingAt, ...]:
    return parse_stamp(raw).pending[:_MAX_PROMISES]


async def _keep(node: Node, size: int, calendar: str, raw: bytes) -> None:
    blocks = parse_stamp(raw).blocks
    height = blocks[0].height if blocks else None
    async with node.writing() as c:
        await save_stamp(c, size, calendar, raw, height, node.now())


async def _write_down(node: Node, size: int, calendar: str, e: PatunayError) -> None:
    async with node.writing() as c:
        await save_problem(c, size, calendar, f"{e} ({e.code})", node.now())


class OtsJob:
    """Stamps and upgrades for as long as the daemon runs."""

    def __init__(self, node: Node) -> None:
        """Start nothing yet.

        Raises:
            OtsLibraryMissing: Calendars are configured, and the library is not there.
        """
        require_library()
        self._node = node
        self._next_try = dict.fromkeys(node.config.calendars, 0.0)
        self._next_upgrade = dict.fromkeys(node.config.calendars, 0.0)
        self._wait = dict.fromkeys(node.config.calendars, _TICK_SECONDS)

    async def run(self) -> None:
        """Work until cancelled. One that fails is asked again, each time twice as late."""
        loop = asyncio.get_running_loop()
        async with new_session() as session:
            while True:
                for calendar in self._node.config.calendars:
                    if loop.time() >= self._next_try[calendar]:
                        await self._ask(calendar, session, loop.time())
                await asyncio.sleep(_TICK_SECONDS)

    async def _ask(self, calendar: str, session: aiohttp.ClientSession, now: float) -> None:
        try:
            await stamp_latest(self._node, calendar, session)
            if now >= self._next_upgrade[calendar]:
                self._next_upgrade[calendar] = now + _UPGRADE_SECONDS
                await upgrade_stamps(self._node, calendar, session)
            self._wait[calendar] = _TICK_SECONDS
        except PatunayError as e:
            logger.warning("calendar %s waits: %s (%s)", calendar, e, e.code)
            self._wait[calendar] = min(2 * self._wait[calendar], _MAX_WAIT_SECONDS)
            self._next_try[calendar] = now + self._wait[calendar]
