"""`patunay anchor stamp`, and what `patunay anchor status` says of stamps."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from anchoring.ots import join_stamps, parse_stamp, stamped_note
from cli.files import write_whole
from cli.options import FILE, home_option, json_option
from cli.output import print_json, say, say_note
from node.home import Home
from node.node import Node
from node.storage import anchor_store
from node.storage.stamps import StoredStamp, latest_stamped, stamps_of
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.errors import Undetermined


class NotStamped(Undetermined):
    """No calendar has answered about this checkpoint."""

    code = "not-stamped"
    hint = "name calendars in ots_calendars, start the node, and look at `anchor status`"


@dataclass(frozen=True, slots=True)
class StampStanding:
    """What one calendar has said of the latest checkpoint."""

    calendar: str
    stored: StoredStamp | None
    """None before it was first asked."""

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.stored is None:
            return f"{self.calendar}: not asked yet"
        if self.stored.height is not None:
            return f"{self.calendar}: block {self.stored.height} of Bitcoin, by its word"
        if self.stored.stamp is not None:
            told = f"{self.calendar}: pending, which shows no time yet"
        else:
            told = f"{self.calendar}: no answer yet, {self.stored.attempts} tries"
        return told + (f"; {self.stored.problem}" if self.stored.problem else "")

    def to_json(self) -> JsonObject:
        """Return it for programs."""
        stored = self.stored
        return {
            "calendar": self.calendar,
            "stamped": stored is not None and stored.stamp is not None,
            "bitcoinHeight": stored.height if stored is not None else None,
            "attempts": stored.attempts if stored is not None else 0,
            "problem": stored.problem if stored is not None else None,
        }


async def stamp_standing(node: Node) -> tuple[StampStanding, ...]:
    """Return where it stands at each configured calendar."""
    async with node.reading() as c:
        latest = await anchor_store.latest_checkpoint(c)
        found = await stamps_of(c, latest.tree_size) if latest is not None else []
    by_url = {stored.calendar: stored for stored in found}
    return tuple(StampStanding(url, by_url.get(url)) for url in node.config.calendars)


@click.command(epilog="Example: patunay anchor stamp -o checkpoint.txt")
@click.option(
    "--size", type=int, metavar="N", help="Of the checkpoint; else the latest stamped one."
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="Where the checkpoint goes; else checkpoint-N.txt. The stamp goes to FILE.ots.",
)
@home_option
@json_option
def stamp(*, size: int | None, output: Path | None, home: Home, as_json: bool) -> None:
    """Write a signed checkpoint and its OpenTimestamps stamp to two files.

    Any OpenTimestamps client checks them: `ots verify FILE.ots`.
    """
    size, note, raw = asyncio.run(_stamp(home, size))
    file = output or Path(f"checkpoint-{size}.txt")
    beside = file.with_name(file.name + ".ots")
    write_whole(file, note.encode())
    write_whole(beside, raw)
    said = parse_stamp(raw)
    if as_json:
        print_json(
            {
                "version": 1,
                "treeSize": size,
                "file": str(file),
                "stamp": str(beside),
                "sha256": said.digest.hex(),
                "pending": [each.calendar for each in said.pending],
                "bitcoinHeights": [each.height for each in said.blocks],
            }
        )
        return
    say(str(beside))
    for block in said.blocks:
        say_note(f"names block {block.height} of Bitcoin; not verified here")
    for promise in said.pending:
        say_note(f"pending at {promise.calendar}: no evidence of time")


async def _stamp(home: Home, size: int | None) -> tuple[int, str, bytes]:
    """Return the size, what was stamped, and the stamp of all calendars.

    Raises:
        NotStamped: There is none.
        OtsLibraryMissing: See there.
    """
    async with Node.open(home, SystemClock()) as node, node.reading() as c:
        wanted = size if size is not None else await latest_stamped(c)
        found = await anchor_store.find_checkpoint(c, wanted or 0)
        kept = await stamps_of(c, wanted or 0)
        stamps = [stored.stamp for stored in kept if stored.stamp is not None]
        if found is None or not stamps:
            raise NotStamped(f"found no stamp of a checkpoint of size {wanted or 0}")
        note = stamped_note(found.note, node.vkey)
    return found.tree_size, note, join_stamps(stamps)
