"""`patunay trust show`, `diff` and `import`: packs as others hand them out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli.files import read_file
from cli.network import Surroundings
from cli.options import FILE, FOLDER, json_option
from cli.output import print_json, say, say_note
from cli.pack_source import read_federation
from credentials.trust_pack.archive import MAX_PACK_BYTES
from credentials.trust_pack.pack import OnePart, TrustPack, parse_pack
from credentials.trust_pack.parts import (
    AnchorPart,
    CheckpointPart,
    IssuerPart,
    StatusPart,
)
from node.trust_store import TrustStore
from primitives.instants import format_instant


@click.command("show", epilog="Example: patunay trust show pack.zip")
@click.argument("pack", type=FILE)
@json_option
def show(*, pack: Path, as_json: bool) -> None:
    """Say what is in PACK. Whether it is to be believed, `patunay trust import` says."""
    print_pack(_read(pack), as_json=as_json)


@click.command("diff", epilog="Example: patunay trust diff old.zip new.zip")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@json_option
def diff(*, old: Path, new: Path, as_json: bool) -> None:
    """Say what NEW has that OLD has not, the other way round, and what was changed."""
    before, after = _read(old), _read(new)
    was, now = _subjects(before), _subjects(after)
    lines = [("removed", name) for name in sorted(was.keys() - now.keys())]
    lines += [("added", name) for name in sorted(now.keys() - was.keys())]
    lines += [("changed", n) for n in sorted(was.keys() & now.keys()) if was[n] != now[n]]
    if as_json:
        found = {word: [n for w, n in lines if w == word] for word, _ in lines}
        versions = {"from": before.manifest.version, "to": after.manifest.version}
        print_json({"version": 1, **versions, "changes": found})
        return
    say(f"{before.name} to {after.name}")
    for word, name in lines:
        say(f"  {word:8} {name}")


@click.command("import", epilog="Example: patunay trust import pack.zip --store trust")
@click.argument("pack", type=FILE)
@click.option(
    "--store", type=FOLDER, required=True, metavar="DIR", help="Where packs are kept."
)
@click.option(
    "--root", type=FILE, metavar="FILE", help="The federation to believe, the first time."
)
@json_option
def import_(*, pack: Path, store: Path, root: Path | None, as_json: bool) -> None:
    """Let PACK in on this machine, for `patunay verify --pack DIR`.

    It has to be signed by the federation that was named the first time, and nothing in it
    may be older than what was seen. Nothing is asked over the network.
    """
    around = Surroundings.of(click.get_current_context())
    raw = read_file(pack, max_bytes=MAX_PACK_BYTES)
    named = read_federation(root) if root is not None else None
    found = TrustStore(store).let_in(raw, named, around.clock.now())
    print_pack(found, as_json=as_json)
    say_note(f"let in to {store}")


def print_pack(pack: TrustPack, *, as_json: bool) -> None:
    """Print what is in a pack."""
    found = _described(pack)
    if as_json:
        print_json(found)
        return
    say(pack.name)
    said = pack.manifest
    say(f"  issued   {format_instant(said.issued)}")
    say(f"  expires  {format_instant(said.expires)}")
    say(f"  usable   until {format_instant(said.usable_until)}")
    for key in pack.signatures:
        known = "" if key in pack.contents.federation.keys else ", of no office in it"
        say(f"  signed   {key}{known}")
    for part in pack.contents.parts:
        say(f"  {_words(part)}")
    for subject, denial in {
        **pack.contents.deny.keys,
        **pack.contents.deny.issuers,
    }.items():
        say(f"  denied   {subject}: {denial.reason}")


def _words(part: OnePart) -> str:
    match part:
        case IssuerPart():
            scope = f" for {', '.join(part.scope)}" if part.scope else ""
            return f"issuer   {part.name} ({part.did}){scope}"
        case StatusPart():
            return f"list     {part.url} of {format_instant(part.obtained_at)}"
        case CheckpointPart():
            return f"log      {part.checkpoint.origin}, size {part.checkpoint.tree_size}"
        case AnchorPart():
            when = format_instant(part.anchor.timestamp)
            return f"anchor   {part.anchor.transaction} of {when}"


def _described(pack: TrustPack) -> dict[str, Any]:
    said = pack.manifest
    return {
        "version": 1,
        "federation": said.federation,
        "pack": said.version,
        "digest": pack.digest,
        "issued": format_instant(said.issued),
        "expires": format_instant(said.expires),
        "usableUntil": format_instant(said.usable_until),
        "previous": said.previous,
        "signatures": list(pack.signatures),
        "threshold": pack.contents.federation.threshold,
        "parts": [_words(part) for part in pack.contents.parts],
        "denied": sorted({*pack.contents.deny.keys, *pack.contents.deny.issuers}),
    }


def _subjects(pack: TrustPack) -> Mapping[str, str]:
    """Return the digest of each thing in a pack by what it is about."""
    files = pack.manifest.files
    found = {_words(part): files[part.file_name].sha256 for part in pack.contents.parts}
    found |= {f"key      {key}": "" for key in pack.contents.federation.keys}
    denials = {**pack.contents.deny.keys, **pack.contents.deny.issuers}
    found |= {f"denied   {s}: {d.reason}": str(d.since) for s, d in denials.items()}
    return found


def _read(file: Path) -> TrustPack:
    return parse_pack(read_file(file, max_bytes=MAX_PACK_BYTES))
