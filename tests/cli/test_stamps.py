"""`patunay anchor stamp` and `patunay check-stamp`, with a calendar on loopback."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from node.calendars import new_session
from node.logbook import close_batch
from node.ots import stamp_latest, upgrade_stamps
from tests.support.calendar import HEIGHT, Calendar, running_calendar
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import free_port, issue, make_home_here, opened


async def test_a_stamp_is_written_and_checked_alone(tmp_path: Path) -> None:
    home = await make_home_here(tmp_path / "node", port=free_port())
    async with running_calendar() as calendar, new_session() as session:
        text = home.config_file.read_text(encoding="utf-8")
        changed = text.replace('ots_calendars = ""', f'ots_calendars = "{calendar.url}"')
        assert changed != text
        home.config_file.write_text(changed, encoding="utf-8")
        assert await told(home.root) == f"stamp     {calendar.url}: not asked yet"
        none = await asyncio.to_thread(run, "anchor", "stamp", home=home.root)
        assert_refused(none, "not-stamped", exit_code=3)
        async with opened(home) as node:
            await issue(node, 2)
            await close_batch(node)
            await stamp_latest(node, calendar.url, session)
            key = str(node.vkey)
        assert (await told(home.root)).endswith(": pending, which shows no time yet")
        file = tmp_path / "checkpoint.txt"
        await write(home.root, file)
        checking = ("check-stamp", f"{file}.ots", file, "--vkey", key)
        assert_refused(run(*checking), "ots-pending", exit_code=3)
        calendar.mined = True
        async with opened(home) as node:
            await upgrade_stamps(node, calendar.url, session)
        assert (await told(home.root)).endswith(f": block {HEIGHT} of Bitcoin, by its word")
        written = await write(home.root, file)
        assert written["bitcoinHeights"] == [HEIGHT]
        assert written["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        check(checking, calendar)


async def write(root: Path, file: Path) -> Any:
    return await asyncio.to_thread(run_json, "anchor", "stamp", "-o", file, home=root)


async def told(root: Path) -> str:
    result = await asyncio.to_thread(run, "anchor", "status", home=root)
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("stamp "))
    return line


def check(checking: tuple[Any, ...], calendar: Calendar) -> None:
    assert_refused(run(*checking), "ots-block-unknown", exit_code=3)
    (digest,) = calendar.digests
    header = calendar.header_of(digest).hex()  # type: ignore[arg-type]
    found = run_json(*checking, "--header", f"{HEIGHT}:{header}")
    assert (found["bitcoinHeight"], found["time"]) == (HEIGHT, "2024-06-21T20:00:00Z")
    other = header.replace(header[72:136], "00" * 32)
    refused = run(*checking, "--header", f"{HEIGHT}:{other}")
    assert_refused(refused, "ots-mismatch", exit_code=1)
