"""`patunay anchor export`, and what `patunay anchor status` says of IPFS."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from anchoring.car import encode_car
from anchoring.record import record_cid
from cli.files import write_whole
from cli.options import FOLDER, home_option, json_option
from cli.output import print_json, say, say_note
from node.backends import ipfs_publisher
from node.home import Home
from node.ipfs import publish_records
from node.node import Node
from node.record_blocks import record_blocks
from node.storage import anchor_store
from node.storage.anchor_store import StoredCheckpoint
from node.storage.publications import PublicationState, publication_state
from primitives.canonical_json import JsonObject
from primitives.clock import SystemClock
from primitives.errors import PatunayError, Undetermined


class NothingAnchored(Undetermined):
    """The log has no record yet."""

    code = "nothing-anchored"
    hint = "issue something, and run `patunay anchor now`"


@dataclass(frozen=True, slots=True)
class IpfsStanding:
    """Where handing records to IPFS stands."""

    api: str
    state: PublicationState
    record: str | None
    """CID of the latest record."""

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.record is None:
            return "nothing to publish yet"
        if not self.state.waiting:
            return f"{self.state.published} records published, latest {self.record}"
        told = f"{self.state.waiting} of {self.state.published + self.state.waiting}"
        told += " records wait"
        if self.state.problem is not None:
            told += f", {self.state.attempts} tries; {self.state.problem}"
        return told

    def to_json(self) -> JsonObject:
        """Return it for programs."""
        return {
            "api": self.api,
            "published": self.state.published,
            "waiting": self.state.waiting,
            "record": self.record,
            "attempts": self.state.attempts,
            "problem": self.state.problem,
            "triedAt": self.state.tried_at,
        }


async def ipfs_standing(node: Node) -> IpfsStanding | None:
    """Return where it stands; None where no Kubo node is configured."""
    if not node.config.ipfs_api:
        return None
    async with node.reading() as c:
        state = await publication_state(c)
        latest = await anchor_store.latest_checkpoint(c)
    cid = record_cid(latest.record) if latest is not None else None
    return IpfsStanding(node.config.ipfs_api, state, cid)


async def publish_or_say(node: Node) -> None:
    """Hand over what waits; where that fails, say so and leave it to the next time."""
    async with ipfs_publisher(node) as publisher:
        if publisher is None:
            return
        try:
            await publish_records(node, publisher)
        except PatunayError as e:
            say_note(f"not on IPFS yet: {e} ({e.code})")


@click.command(epilog="Example: patunay anchor export -o record.car")
@click.option(
    "-o", "--output", type=FOLDER, metavar="FILE", help="Where to write; else CID.car."
)
@click.option("--all", "every", is_flag=True, help="Every record, and not only the latest.")
@home_option
@json_option
def export(*, output: Path | None, every: bool, home: Home, as_json: bool) -> None:
    """Write the latest anchor record, with all that it pins, to a CAR file.

    The file holds what IPFS would: DID documents, status lists, new tiles and the record.
    Anyone may keep it, and hand it on; each block is compared with its CID when it is read.
    """
    roots, blocks, content = asyncio.run(_export(home, every=every))
    file = output or Path(f"{roots[0]}.car")
    write_whole(file, content)
    if as_json:
        print_json(
            {
                "version": 1,
                "file": str(file),
                "roots": roots,
                "blocks": blocks,
                "bytes": len(content),
            }
        )
        return
    say(roots[0])
    say_note(f"wrote {len(roots)} records in {blocks} blocks to {file}")


async def _export(home: Home, *, every: bool) -> tuple[list[str], int, bytes]:
    """Return the roots, newest first, the number of blocks, and the file.

    Raises:
        NothingAnchored: There is no record.
        LogCorrupt: The database does not hold what a record links.
    """
    async with Node.open(home, SystemClock()) as node:
        async with node.reading() as c:
            latest = await anchor_store.latest_checkpoint(c)
            if latest is None:
                raise NothingAnchored("found no anchor record")
            found: list[StoredCheckpoint] = [latest]
            if every:
                found = (await anchor_store.all_checkpoints(c))[::-1]
        blocks: dict[str, bytes] = {}
        for checkpoint in found:
            blocks |= {cid: block async for cid, block in record_blocks(node, checkpoint)}
    roots = [record_cid(checkpoint.record) for checkpoint in found]
    return roots, len(blocks), b"".join(encode_car(roots, blocks.items()))
