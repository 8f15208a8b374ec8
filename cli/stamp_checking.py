"""`patunay check-stamp`."""

from pathlib import Path

import click

from anchoring.checkpoint import open_checkpoint
from anchoring.note import MAX_NOTE_BYTES, VerifierKey
from anchoring.ots import (
    MAX_STAMP_BYTES,
    parse_header,
    parse_stamp,
    stamp_digest,
    verify_stamp,
)
from cli.files import read_file
from cli.options import FILE, json_option
from cli.output import print_json, say
from primitives.instants import format_instant


@click.command(
    "check-stamp",
    epilog="Example: patunay check-stamp checkpoint.txt.ots checkpoint.txt --vkey KEY",
)
@click.argument("file", type=FILE)
@click.argument("checkpoint", type=FILE)
@click.option("--vkey", required=True, metavar="KEY", help="The log's key.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="HEIGHT:HEX",
    help="A block header of Bitcoin that you believe.",
)
@json_option
def check_stamp(
    *, file: Path, checkpoint: Path, vkey: str, headers: tuple[str, ...], as_json: bool
) -> None:
    """Check an OpenTimestamps stamp of a checkpoint.

    Exit code 0 if a header shows since when the checkpoint is there, 1 if the stamp is of
    something else, 3 while it is pending or the header of its block is not at hand.
    """
    key = VerifierKey.parse(vkey)
    note = read_file(checkpoint, max_bytes=MAX_NOTE_BYTES).decode("utf-8", "replace")
    seen = open_checkpoint(note, key)
    stamp = parse_stamp(read_file(file, max_bytes=MAX_STAMP_BYTES))
    known = dict(map(parse_header, headers))
    stamped = verify_stamp(stamp, stamp_digest(note, key), known)
    when = format_instant(stamped.time)
    if as_json:
        print_json(
            {
                "version": 1,
                "origin": seen.origin,
                "treeSize": seen.tree_size,
                "bitcoinHeight": stamped.height,
                "time": when,
            }
        )
        return
    say(f"{seen.origin}, {seen.tree_size} leaves: there since {when}")
    say(f"  by block {stamped.height} of Bitcoin, whose header you named")
